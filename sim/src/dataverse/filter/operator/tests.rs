//! Operators on one row at a known time.

use super::*;
use crate::dataverse::model::Model;
use crate::dataverse::store::Row;

/// Whether an operator holds for one task whose start is this moment, asked on a Wednesday at noon.
fn holds(name: &str, values: &[&str], scheduled: &str) -> bool {
    let mut store = Store::new(Model::standard());
    let model = std::sync::Arc::clone(store.model());
    let table = model.expect("task");
    let column = table.expect("scheduledstart");
    let mut cells = table.blank();
    cells[0] = Cell::Guid(Guid::FIRST);
    if !scheduled.is_empty() {
        cells[column] = Cell::Time(scheduled.parse().unwrap());
    }
    store.put(table, Row { id: Guid::FIRST, cells });
    let asking = Asking::at("2026-01-07T12:30:00Z".parse().unwrap());
    let scope = Scope {
        store: &store,
        asking: &asking,
        table,
    };
    let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
    let condition = of_function(scope, column, name, &values).unwrap();
    condition.holds(&store, &store.row(table, Guid::FIRST).unwrap().cells)
}

#[test]
fn words_about_time_mean_spans_around_now() {
    for (name, values, inside, outside) in [
        ("Today", &[][..], "2026-01-07T23:59:59Z", "2026-01-08T00:00:00Z"),
        ("Yesterday", &[], "2026-01-06T00:00:00Z", "2026-01-07T00:00:00Z"),
        ("Tomorrow", &[], "2026-01-08T10:00:00Z", "2026-01-07T10:00:00Z"),
        ("ThisWeek", &[], "2026-01-04T00:00:00Z", "2026-01-11T00:00:00Z"),
        ("LastWeek", &[], "2025-12-28T00:00:00Z", "2026-01-04T00:00:00Z"),
        ("NextMonth", &[], "2026-02-28T23:00:00Z", "2026-03-01T00:00:00Z"),
        ("LastYear", &[], "2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("Last7Days", &[], "2025-12-31T00:00:00Z", "2025-12-30T23:00:00Z"),
        ("LastXHours", &["2"], "2026-01-07T10:00:00Z", "2026-01-07T09:59:00Z"),
        ("LastXDays", &["1"], "2026-01-06T00:00:00Z", "2026-01-07T12:31:00Z"),
        ("NextXWeeks", &["1"], "2026-01-14T23:00:00Z", "2026-01-15T00:00:00Z"),
        (
            "OlderThanXMonths",
            &["1"],
            "2025-12-07T12:00:00Z",
            "2025-12-07T13:00:00Z",
        ),
        ("On", &["2026-01-05"], "2026-01-05T23:00:00Z", "2026-01-06T00:00:00Z"),
        ("NotOn", &["2026-01-05"], "2026-01-06T00:00:00Z", "2026-01-05T00:00:00Z"),
        (
            "OnOrAfter",
            &["2026-01-05"],
            "2026-01-05T00:00:00Z",
            "2026-01-04T23:00:00Z",
        ),
        (
            "OnOrBefore",
            &["2026-01-05"],
            "2026-01-05T23:00:00Z",
            "2026-01-06T00:00:00Z",
        ),
        (
            "Between",
            &["2026-01-05", "2026-01-06T00:00:00Z"],
            "2026-01-05T23:00:00Z",
            "2026-01-06T00:00:01Z",
        ),
        (
            "In",
            &["2026-01-05T01:00:00Z"],
            "2026-01-05T01:00:00Z",
            "2026-01-05T02:00:00Z",
        ),
    ] {
        assert!(holds(name, values, inside), "{name} {inside}");
        assert!(!holds(name, values, outside), "{name} {outside}");
        assert!(!holds(name, values, ""), "{name} without a value");
    }
}

#[test]
fn every_operator_has_one_meaning_under_each_name() {
    for (place, (fetch, function, _)) in OPERATORS.iter().enumerate() {
        for (other_fetch, other, _) in &OPERATORS[place + 1..] {
            assert_ne!(fetch, other_fetch);
            assert!(*function == "-" || function != other, "{function}");
        }
    }
}
