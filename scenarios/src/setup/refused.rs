//! What a connector says of settings that it refuses, in the words of scenario files.

/// Names of the connector's settings, and what scenario files call them.
const NAMES: [(&str, &str); 19] = [
    ("crm.value_field", "deal value field"),
    ("mapping.value.crm", "deal value field"),
    ("crm.currency_field", "deal value currency field"),
    ("crm.country_field", "country field"),
    ("mapping.closing date.crm", "closing date field"),
    ("mapping.notes.crm", "notes field"),
    ("crm.active_stage", "active stage"),
    ("crm.on_hold_stage", "on-hold stage"),
    ("audit_limit", "audit limit"),
    ("concurrency", "deals at once"),
    ("daily_calls", "daily budget"),
    ("most_deals", "most deals"),
    ("call_timeout", "call timeout"),
    ("poll_interval", "poll every"),
    ("reconcile_interval", "reconcile every"),
    ("overlap", "overlap"),
    ("longest_backoff", "longest back-off"),
    ("denied_pause", "denied pause"),
    ("unknown_create_wait", "unknown create wait"),
];

/// The connector's words with the settings called as scenario files call them.
pub fn in_words(refusal: &str) -> String {
    let mut text = refusal.to_owned();
    for (own, name) in NAMES {
        text = text.replace(&format!("`{own}`"), &format!("`{name}`"));
    }
    text
}

/// The key of the scenario file that words of [`in_words`] blame first: `settings.overlap`; `settings` when they name none.
pub fn blamed(words: &str) -> String {
    let named = NAMES
        .iter()
        .filter_map(|(_, name)| words.find(&format!("`{name}`")).map(|at| (at, name)));
    named
        .min()
        .map_or_else(|| "settings".to_owned(), |(_, name)| format!("settings.{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_key_of_the_scenario_file() {
        let words =
            in_words("the settings have 1 fault(s): `mapping.closing date.crm` `Amount` is mapped to `value` already");
        assert!(words.contains("`closing date field` `Amount`"), "{words}");
        assert_eq!(blamed(&words), "settings.closing date field");
        assert_eq!(blamed("there is no bug of that name"), "settings");
    }
}
