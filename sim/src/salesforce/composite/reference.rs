//! What a later part takes from an earlier one: `@{account.id}`, `@{found.records[0].Id}`.
//!
//! It resolves texts; which parts there are is decided in `series`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::part::{Outcome, escaped};

/// The outcomes so far, by the reference of their part. A part that failed has nothing to give.
pub(super) type Outcomes = BTreeMap<String, Outcome>;

/// A reference that leads to nothing, in the vendor's words (recorded by clients).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unresolved(pub(super) String);

/// A body with its references resolved. A text that is one reference and nothing else takes the value's own type.
pub(super) fn in_value(value: &Value, outcomes: &Outcomes) -> Result<Value, Unresolved> {
    Ok(match value {
        Value::String(text) => match whole(text) {
            Some(reference) => look_up(reference, outcomes)?.clone(),
            None => Value::from(in_text(text, outcomes, &str::to_owned)?),
        },
        Value::Array(list) => {
            let resolved: Result<Vec<_>, _> = list.iter().map(|entry| in_value(entry, outcomes)).collect();
            Value::Array(resolved?)
        }
        Value::Object(members) => {
            let resolved: Result<_, _> = members
                .iter()
                .map(|(name, value)| Ok((name.clone(), in_value(value, outcomes)?)))
                .collect();
            Value::Object(resolved?)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    })
}

/// An address with its references resolved; what they give is escaped (assumed).
pub(super) fn in_url(url: &str, outcomes: &Outcomes) -> Result<String, Unresolved> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let escape = |text: &str| escaped(text, plain);
    in_text(url, outcomes, &escape)
}

/// The reference that a text consists of.
fn whole(text: &str) -> Option<&str> {
    let inner = text.strip_prefix("@{")?.strip_suffix('}')?;
    (!inner.contains(['{', '}'])).then_some(inner)
}

fn in_text(text: &str, outcomes: &Outcomes, write: &dyn Fn(&str) -> String) -> Result<String, Unresolved> {
    let mut done = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("@{") {
        let Some((reference, behind)) = after.split_once('}') else {
            break;
        };
        done.push_str(before);
        let found = look_up(reference, outcomes)?;
        done.push_str(&found.as_str().map_or_else(|| write(&found.to_string()), write));
        rest = behind;
    }
    done.push_str(rest);
    Ok(done)
}

fn look_up<'a>(reference: &str, outcomes: &'a Outcomes) -> Result<&'a Value, Unresolved> {
    let name = reference.split(['.', '[']).next().unwrap_or_default();
    let steps = &reference[name.len()..];
    let outcome = outcomes.get(name).filter(|outcome| !outcome.failed());
    let found = outcome.and_then(|outcome| walk(&outcome.body, steps));
    // An object or a list is nothing that a field could take.
    found
        .filter(|value| !value.is_object() && !value.is_array())
        .ok_or_else(|| {
            Unresolved(format!(
                "Invalid reference specified. No value for {reference} found in {name}"
            ))
        })
}

fn walk<'a>(value: &'a Value, steps: &str) -> Option<&'a Value> {
    let mut value = value;
    let mut rest = steps;
    while !rest.is_empty() {
        if let Some(indexed) = rest.strip_prefix('[') {
            let (index, behind) = indexed.split_once(']')?;
            value = value.get(index.trim().parse::<usize>().ok()?)?;
            rest = behind;
        } else {
            let named = rest.strip_prefix('.')?;
            let end = named.find(['.', '[']).unwrap_or(named.len());
            value = value.get(&named[..end])?;
            rest = &named[end..];
        }
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use serde_json::json;

    use super::*;

    fn outcomes() -> Outcomes {
        let outcome = |status, body| Outcome {
            status,
            location: None,
            body,
        };
        [
            (
                "made".to_owned(),
                outcome(StatusCode::CREATED, json!({"id": "001x", "n": 5, "a b": "c d/é"})),
            ),
            (
                "found".to_owned(),
                outcome(StatusCode::OK, json!({"records": [{"Id": "r0", "in": [[7]]}]})),
            ),
            (
                "bad".to_owned(),
                outcome(StatusCode::BAD_REQUEST, json!([{"message": "m"}])),
            ),
        ]
        .into()
    }

    #[test]
    fn references_are_replaced_wherever_they_stand() {
        let body = json!({"A": "@{made.id}", "N": "@{made.n}", "T": "x @{made.n} @{found.records[0].Id}!", "L": ["@{found.records[0].in[0][0]}"]});
        let expected = json!({"A": "001x", "N": 5, "T": "x 5 r0!", "L": [7]});
        assert_eq!(in_value(&body, &outcomes()), Ok(expected));
        let url = in_url("/services/data/v60.0/query?q=@{made.a b}&x=@{made.id}", &outcomes());
        assert_eq!(url.unwrap(), "/services/data/v60.0/query?q=c%20d%2F%C3%A9&x=001x");
        for literal in ["@{", "@{made.id", "{made.id}", "a@b", "}@{"] {
            assert_eq!(in_value(&json!(literal), &outcomes()), Ok(json!(literal)), "{literal}");
        }
    }

    #[test]
    fn a_reference_to_nothing_says_what_it_missed() {
        for (reference, name) in [
            ("nobody.id", "nobody"),
            ("made.Id", "made"),
            ("made", "made"),
            ("found.records", "found"),
            ("found.records[1].Id", "found"),
            ("found.records[x].Id", "found"),
            ("found.records[0", "found"),
            ("bad[0].message", "bad"),
            ("", ""),
            ("made..id", "made"),
        ] {
            let expected = Unresolved(format!(
                "Invalid reference specified. No value for {reference} found in {name}"
            ));
            assert_eq!(
                in_value(&json!(format!("@{{{reference}}}")), &outcomes()),
                Err(expected)
            );
        }
    }
}
