//! Countries and states, for orgs in which both are picklists (salesforce.md section 3.4).
//!
//! It knows names and codes; what a record may hold stands in `rules`.

use std::sync::LazyLock;

/// Codes and names, in the order of the names.
pub(crate) static COUNTRIES: LazyLock<Vec<(&str, &str)>> = LazyLock::new(|| {
    let lines = lines().filter_map(|cells| match cells.as_slice() {
        [code, name] => Some((*code, *name)),
        _ => None,
    });
    lines.collect()
});

/// The place of the country in [`COUNTRIES`], the state's code and its name.
pub(crate) fn states() -> impl Iterator<Item = (usize, &'static str, &'static str)> {
    lines().filter_map(|cells| match cells.as_slice() {
        [country, code, name] => {
            let place = COUNTRIES.iter().position(|(known, _)| known == country)?;
            Some((place, *code, *name))
        }
        _ => None,
    })
}

fn lines() -> impl Iterator<Item = Vec<&'static str>> {
    let table = include_str!("org/countries.tsv").lines();
    table
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split('\t').collect())
}
