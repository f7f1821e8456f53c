//! What a value must be like, held against what a field shows.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::Seen;
use crate::money;
use crate::scenario::act::{Plain, Wanted};

/// Whether what is seen is as wanted; otherwise what was expected, in words.
pub(super) fn check(wanted: &Wanted, seen: &Seen, remembered: &BTreeMap<String, String>) -> Result<(), String> {
    let (fits, expected) = match wanted {
        Wanted::Is(plain) => (equal(plain, seen), shown(plain)),
        Wanted::Not(plain) => (!equal(plain, seen), format!("anything but {}", shown(plain))),
        Wanted::OneOf(several) => {
            let words: Vec<String> = several.iter().map(shown).collect();
            (
                several.iter().any(|plain| equal(plain, seen)),
                format!("one of {}", words.join(", ")),
            )
        }
        Wanted::AtLeast(plain) => (
            matches!(order(seen, plain), Some(Ordering::Greater | Ordering::Equal)),
            format!("at least {}", shown(plain)),
        ),
        Wanted::AtMost(plain) => (
            matches!(order(seen, plain), Some(Ordering::Less | Ordering::Equal)),
            format!("at most {}", shown(plain)),
        ),
        Wanted::Contains(words) => (contains(seen, words), format!("with `{words}` in it")),
        Wanted::Lacks(words) => (!contains(seen, words), format!("without `{words}` in it")),
        Wanted::Matches(pattern) => {
            // The reader has refused what is no pattern.
            let whole = regex_lite::Regex::new(&format!("^(?s:{pattern})$"));
            let text = text(seen);
            (
                whole.is_ok_and(|whole| whole.is_match(&text)),
                format!("what follows the pattern `{pattern}`"),
            )
        }
        Wanted::Entries(count) => {
            let found = match seen {
                Seen::List(list) => list.len(),
                Seen::Text(_) | Seen::Money(_) | Seen::Number(_) => 0,
            };
            (found == *count as usize, format!("{count} entries"))
        }
        Wanted::SameAs(name) => match remembered.get(name) {
            Some(value) => (*value == seen.shown(), format!("{value}, remembered as `{name}`")),
            None => (false, format!("what is remembered as `{name}`, which is nothing")),
        },
    };
    if fits { Ok(()) } else { Err(expected) }
}

fn text(seen: &Seen) -> String {
    match seen {
        Seen::Text(text) => text.clone(),
        Seen::Money(_) | Seen::List(_) | Seen::Number(_) => seen.shown(),
    }
}

fn contains(seen: &Seen, words: &str) -> bool {
    match seen {
        Seen::List(list) => list.iter().any(|entry| entry == words),
        Seen::Text(_) | Seen::Money(_) | Seen::Number(_) => text(seen).contains(words),
    }
}

fn shown(plain: &Plain) -> String {
    match plain {
        Plain::Text(text) if text.is_empty() => "nothing".to_owned(),
        Plain::Text(text) => text.clone(),
        Plain::Money(wanted) => {
            let minor = money::minor_units(&serde_json::json!(wanted.amount), &wanted.currency);
            money::show(&minor.unwrap_or_default().to_string(), &wanted.currency)
        }
        Plain::Date(date) => date.to_string(),
        Plain::Number(number) => number.to_string(),
        Plain::Texts(texts) if texts.is_empty() => "nothing".to_owned(),
        Plain::Texts(texts) => {
            let mut texts = texts.clone();
            texts.sort();
            texts.join(", ")
        }
    }
}

fn equal(plain: &Plain, seen: &Seen) -> bool {
    match (plain, seen) {
        (Plain::Text(text), Seen::List(list)) if text.is_empty() => list.is_empty(),
        (Plain::Text(text), Seen::Money(money)) if text.is_empty() => money.is_none(),
        (Plain::Text(text), Seen::Text(seen)) => text == seen,
        (Plain::Texts(_), Seen::List(_)) => shown(plain) == seen.shown(),
        _ => order(seen, plain) == Some(Ordering::Equal),
    }
}

/// How what is seen stands to something written; `None` when they cannot be compared.
fn order(seen: &Seen, plain: &Plain) -> Option<Ordering> {
    match (seen, plain) {
        (Seen::Number(seen), Plain::Number(wanted)) => Some((*seen as u64).cmp(wanted)),
        (Seen::Text(seen), Plain::Date(date)) if !seen.is_empty() => Some(seen.as_str().cmp(&date.to_string())),
        (Seen::Money(Some((minor, currency))), Plain::Money(wanted)) if *currency == wanted.currency => {
            let wanted = money::minor_units(&serde_json::json!(wanted.amount), &wanted.currency)?;
            Some(minor.cmp(&wanted))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::act::Money;

    fn usd(amount: f64) -> Plain {
        Plain::Money(Money {
            amount,
            currency: "USD".to_owned(),
        })
    }

    #[test]
    fn amounts_are_compared_in_their_own_currency_only() {
        let seen = Seen::Money(Some((500_000, "USD".to_owned())));
        let none = BTreeMap::new();
        assert!(check(&Wanted::AtLeast(usd(5000.0)), &seen, &none).is_ok());
        assert!(check(&Wanted::AtMost(usd(4999.0)), &seen, &none).is_err());
        assert!(check(&Wanted::Not(usd(1.0)), &seen, &none).is_ok());
        let euros = Seen::Money(Some((500_000, "EUR".to_owned())));
        assert!(check(&Wanted::AtLeast(usd(1.0)), &euros, &none).is_err());
    }

    #[test]
    fn lists_have_no_order_and_patterns_take_the_whole_text() {
        let none = BTreeMap::new();
        let list = Seen::List(vec!["SOL-1".to_owned(), "SOL-2".to_owned()]);
        let two = Plain::Texts(vec!["SOL-2".to_owned(), "SOL-1".to_owned()]);
        assert!(check(&Wanted::Is(two), &list, &none).is_ok());
        assert!(check(&Wanted::Contains("SOL-2".to_owned()), &list, &none).is_ok());
        assert!(check(&Wanted::Lacks("SOL".to_owned()), &list, &none).is_ok());
        assert!(check(&Wanted::Entries(3), &list, &none).is_err());
        let text = Seen::Text("Deal 17".to_owned());
        assert!(check(&Wanted::Matches("Deal \\d+".to_owned()), &text, &none).is_ok());
        assert!(check(&Wanted::Matches("\\d+".to_owned()), &text, &none).is_err());
    }

    #[test]
    fn what_was_remembered_is_compared_as_it_is_shown() {
        let remembered = BTreeMap::from([("first".to_owned(), "5000 USD".to_owned())]);
        let seen = Seen::Money(Some((500_000, "USD".to_owned())));
        assert!(check(&Wanted::SameAs("first".to_owned()), &seen, &remembered).is_ok());
        assert!(check(&Wanted::SameAs("other".to_owned()), &seen, &remembered).is_err());
    }
}
