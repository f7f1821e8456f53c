//! What both CRMs are asked: fields with their type and whether they can be written, and how many rows have bad values.

use std::collections::BTreeMap;

use super::partner_center::is_country;
use super::profile::{Kind, is_here};
use super::{Check, Question};

/// A field as the CRM describes it.
#[derive(Clone, Debug)]
pub(super) struct Described {
    /// The CRM's own word for its type.
    pub(super) kind: String,
    /// Whether an update may set it.
    pub(super) writable: bool,
}

/// A field that must be there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Needed {
    pub(super) name: &'static str,
    /// The types that it may have, in lower case.
    pub(super) kinds: &'static [&'static str],
}

/// Compares what must be there with what is described.
pub(super) fn compare(question: Question, fields: &BTreeMap<String, Described>, needed: &[Needed]) -> Check {
    let mut faults = Vec::new();
    for need in needed {
        match fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(need.name)) {
            None => faults.push(format!("{} is missing", need.name)),
            Some((_, found)) if !need.kinds.contains(&found.kind.to_lowercase().as_str()) => {
                faults.push(format!(
                    "{} is {}, expected {}",
                    need.name,
                    found.kind,
                    need.kinds.join(" or ")
                ));
            }
            Some((_, found)) if !found.writable => faults.push(format!("{} cannot be written by this user", need.name)),
            Some(_) => {}
        }
    }
    if faults.is_empty() {
        question.passed(format!(
            "{} fields are there, with the right type, and writable",
            needed.len()
        ))
    } else {
        question.failed(faults.join("; "))
    }
}

/// Whether an environment is what its profile says. On this machine a simulator may call itself what it likes.
pub(super) fn environment(question: Question, kind: Kind, is_production: bool, base: &str, says: &str) -> Check {
    let seen = format!("{says}, and the profile is for {}", kind.name());
    match (kind, is_production) {
        (Kind::Staging, true) if is_here(base) => question.warning(format!("{seen}; it is on this machine")),
        (Kind::Staging, true) | (Kind::Production, false) => question.failed(seen),
        (Kind::Simulator, _) | (Kind::Staging, false) | (Kind::Production, true) => question.passed(seen),
    }
}

/// Counts values that are no two-letter country codes.
pub(super) fn countries<'a>(question: Question, field: &str, values: impl Iterator<Item = Option<&'a str>>) -> Check {
    let (mut all, mut empty, mut bad) = (0_u32, 0_u32, BTreeMap::<String, u32>::new());
    for value in values {
        all += 1;
        match value {
            None | Some("") => empty += 1,
            Some(code) if !is_country(code) => *bad.entry(code.to_owned()).or_default() += 1,
            Some(_) => {}
        }
    }
    let wrong: u32 = bad.values().sum();
    let seen = format!("of {all} accounts, {empty} have no {field} and {wrong} have no two-letter code");
    if wrong > 0 {
        let samples: Vec<String> = bad
            .iter()
            .take(5)
            .map(|(value, count)| format!("{value:?} ({count})"))
            .collect();
        return question.failed(format!("{seen}: {}", samples.join(", ")));
    }
    if empty > 0 {
        question.warning(seen)
    } else {
        question.passed(seen)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Outcome;
    use super::*;

    const ANY: Question = Question::new("any", "something", "product.md", "do something");

    #[test]
    fn bad_country_codes_are_counted_with_samples() {
        let values = [Some("DE"), Some("Germany"), Some("Germany"), None, Some("de")];
        let check = countries(ANY, "BillingCountry", values.into_iter());
        assert_eq!(check.outcome, Outcome::Failed);
        assert!(
            check.seen.contains("of 5 accounts, 1 have no BillingCountry and 3"),
            "{}",
            check.seen
        );
        assert!(check.seen.contains("\"Germany\" (2)"), "{}", check.seen);
        assert_eq!(countries(ANY, "x", [Some("US")].into_iter()).outcome, Outcome::Passed);
    }

    #[test]
    fn staging_that_says_production_is_a_fault_and_the_other_way_round_too() {
        let outcome = |kind, production, base: &str| environment(ANY, kind, production, base, "it is").outcome;
        let (real, here) = ("https://contoso.my.salesforce.com", "http://127.0.0.1:4702");
        assert_eq!(outcome(Kind::Staging, true, real), Outcome::Failed);
        assert_eq!(
            outcome(Kind::Staging, true, "https://127.0.0.1.example"),
            Outcome::Failed
        );
        assert_eq!(outcome(Kind::Staging, true, here), Outcome::Warning);
        assert_eq!(outcome(Kind::Staging, false, real), Outcome::Passed);
        assert_eq!(outcome(Kind::Production, false, here), Outcome::Failed);
        assert_eq!(outcome(Kind::Production, true, real), Outcome::Passed);
        assert_eq!(outcome(Kind::Simulator, true, here), Outcome::Passed);
    }

    #[test]
    fn fields_that_are_missing_wrong_or_read_only_are_each_named() {
        let described = |kind: &str, writable| Described {
            kind: kind.to_owned(),
            writable,
        };
        let fields = BTreeMap::from([
            ("A".to_owned(), described("string", true)),
            ("B".to_owned(), described("double", true)),
            ("C".to_owned(), described("string", false)),
        ]);
        let need = |name| Needed {
            name,
            kinds: &["string"],
        };
        let check = compare(ANY, &fields, &[need("a"), need("B"), need("C"), need("D")]);
        let wanted = "B is double, expected string; C cannot be written by this user; D is missing";
        assert_eq!((check.outcome, check.seen.as_str()), (Outcome::Failed, wanted));
        assert_eq!(compare(ANY, &fields, &[need("A")]).outcome, Outcome::Passed);
    }
}
