//! Addresses of orgs in which countries and states are picklists (salesforce.md section 3.4).
//!
//! A name and its code follow each other; what is not in the list is refused. Assumed: that a code may stand where the name is
//! asked for, and the words about states.

use super::Draft;
use crate::salesforce::cell::Cell;
use crate::salesforce::error::{Complaint, Problem};
use crate::salesforce::places;

/// What each address's fields begin with. A lead's begin with nothing.
const PREFIXES: [&str; 5] = ["Billing", "Shipping", "Mailing", "Other", ""];

/// Sets names by codes and codes by names.
pub(super) fn derive(draft: &mut Draft<'_>) {
    for prefix in prefixes(draft) {
        let [country, country_code] = ["Country", "CountryCode"].map(|part| format!("{prefix}{part}"));
        follow(draft, &country, &country_code, country_of);
        let code = draft.get(&country_code).as_text().unwrap_or_default().to_owned();
        let [state, state_code] = ["State", "StateCode"].map(|part| format!("{prefix}{part}"));
        follow(draft, &state, &state_code, |text| state_of(&code, text));
    }
}

/// Refuses names that have no code.
pub(super) fn check(draft: &Draft<'_>) -> Result<(), Problem> {
    let mut complaints = Vec::new();
    for prefix in prefixes(draft) {
        for (part, place) in [("Country", "country/territory"), ("State", "state")] {
            let name = format!("{prefix}{part}");
            let coded = *draft.get(&format!("{name}Code")) != Cell::Null;
            if *draft.get(&name) == Cell::Null || coded || !draft.changes(&name) {
                continue;
            }
            let label = draft
                .shape
                .field(&name)
                .map_or("", |place| &draft.shape.fields[place].label);
            let what = if part == "Country" { "country" } else { "state" };
            let list = if part == "Country" { "countries" } else { "states" };
            let message = format!(
                "There's a problem with this {what}, even though it may appear correct. Please select a {place} from the list of \
                 valid {list}.: {label}"
            );
            complaints.push(Complaint::new("FIELD_INTEGRITY_EXCEPTION", message, &[&name]));
        }
    }
    if complaints.is_empty() {
        Ok(())
    } else {
        Err(Problem::writes(complaints))
    }
}

fn prefixes(draft: &Draft<'_>) -> Vec<&'static str> {
    let has = |prefix: &&str| draft.shape.field(&format!("{prefix}CountryCode")).is_some();
    PREFIXES.into_iter().filter(has).collect()
}

/// The name wins over the code when a request names both.
fn follow(draft: &mut Draft<'_>, name: &str, code: &str, find: impl Fn(&str) -> Option<(&'static str, &'static str)>) {
    let written = if draft.assigns(name) { name } else { code };
    if !draft.assigns(written) {
        return;
    }
    let found = draft.get(written).as_text().and_then(find);
    match found {
        Some((known_code, known_name)) => {
            draft.set(code, Cell::text(known_code));
            draft.set(name, Cell::text(known_name));
        }
        None if *draft.get(written) == Cell::Null => {
            draft.set(code, Cell::Null);
            draft.set(name, Cell::Null);
        }
        None => draft.set(code, Cell::Null),
    }
}

fn country_of(text: &str) -> Option<(&'static str, &'static str)> {
    let same = |known: &str| known.eq_ignore_ascii_case(text);
    places::COUNTRIES
        .iter()
        .copied()
        .find(|(code, name)| same(code) || same(name))
}

fn state_of(country: &str, text: &str) -> Option<(&'static str, &'static str)> {
    let of_country = |place: usize| places::COUNTRIES.get(place).is_some_and(|(code, _)| *code == country);
    let same = |known: &str| known.eq_ignore_ascii_case(text);
    let mut states = places::states().filter(|(place, ..)| of_country(*place));
    let (_, code, name) = states.find(|(_, code, name)| same(code) || same(name))?;
    Some((code, name))
}
