//! Choices and states: numbers with labels, out of the tables beside this file.
//!
//! Which column takes which choice stands with the columns.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::load::lines;

/// The values that a choice column takes.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::dataverse) struct ChoiceSet {
    /// Its name: `opportunity_salesstage`, or `budgetstatus` for one that several tables share.
    pub(in crate::dataverse) name: &'static str,
    /// The numbers, in order.
    pub(in crate::dataverse) values: Vec<i64>,
    /// What people read, in the same order.
    pub(in crate::dataverse) labels: Vec<&'static str>,
}

/// One state of a table with its statuses; the first is its default.
#[derive(Debug)]
pub(in crate::dataverse) struct State {
    /// `statecode`.
    pub(in crate::dataverse) code: i64,
    /// Its name in messages: `Open`.
    pub(in crate::dataverse) name: &'static str,
    /// Allowed `statuscode`s.
    pub(in crate::dataverse) statuses: Vec<i64>,
    /// What people read for each of them.
    pub(in crate::dataverse) reasons: Vec<&'static str>,
    /// What messages call the action that alone leads here, for a state that no update can set: `won`. Its rows are
    /// read-only.
    pub(in crate::dataverse) action: Option<&'static str>,
}

impl ChoiceSet {
    /// What people read for a number.
    pub(in crate::dataverse) fn label(&self, value: i64) -> Option<&'static str> {
        let place = self.values.iter().position(|known| *known == value)?;
        self.labels.get(place).copied()
    }

    /// Whether several tables may use it. Names of others begin with their table's.
    pub(in crate::dataverse) fn is_global(&self) -> bool {
        !TABLES_WITH_OWN.iter().any(|table| {
            let rest = self.name.strip_prefix(table);
            rest.is_some_and(|rest| rest.starts_with('_'))
        })
    }
}

/// Tables that have choices of their own.
const TABLES_WITH_OWN: [&str; 16] = [
    "account",
    "address1",
    "callbackregistration",
    "connectionrole",
    "contact",
    "environmentvariabledefinition",
    "lead",
    "msft",
    "opportunity",
    "opportunityclose",
    "product",
    "sdkmessageprocessingstep",
    "serviceendpoint",
    "systemuser",
    "team",
    "workflow",
];

/// Every choice, by name.
pub(in crate::dataverse) fn choices() -> &'static BTreeMap<&'static str, ChoiceSet> {
    static CHOICES: LazyLock<BTreeMap<&'static str, ChoiceSet>> = LazyLock::new(|| {
        let mut sets: BTreeMap<&'static str, ChoiceSet> = BTreeMap::new();
        for [name, value, label] in lines::<3>(include_str!("choices.tsv")) {
            let set = sets.entry(name).or_insert_with(|| ChoiceSet {
                name,
                values: Vec::new(),
                labels: Vec::new(),
            });
            set.values.push(number(value));
            set.labels.push(label);
        }
        sets
    });
    &CHOICES
}

/// The choice of that name, which the compiled-in table has.
pub(super) fn choice(name: &str) -> &'static ChoiceSet {
    choices().get(name).expect("a choice of the compiled-in table")
}

/// The states of that name. Empty for `-`.
pub(super) fn states(name: &str) -> &'static [State] {
    static STATES: LazyLock<BTreeMap<&'static str, Vec<State>>> = LazyLock::new(|| {
        let mut tables: BTreeMap<&'static str, Vec<State>> = BTreeMap::new();
        for [table, code, name, status, reason, action] in lines::<6>(include_str!("states.tsv")) {
            let states = tables.entry(table).or_default();
            let code = number(code);
            if states.last().is_none_or(|last| last.code != code) {
                states.push(State {
                    code,
                    name,
                    statuses: Vec::new(),
                    reasons: Vec::new(),
                    action: (action != "-").then_some(action),
                });
            }
            if let Some(state) = states.last_mut() {
                state.statuses.push(number(status));
                state.reasons.push(reason);
            }
        }
        tables
    });
    STATES.get(name).map_or(&[], Vec::as_slice)
}

fn number(text: &str) -> i64 {
    text.parse().expect("a whole number in a compiled-in table")
}
