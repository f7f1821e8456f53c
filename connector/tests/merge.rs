//! What holds of every merge: the order in which edits arrive does not matter, a second merge finds nothing to do, and no value
//! stands anywhere that nobody wrote.

use std::collections::BTreeSet;

use cosell_connector::deal::{Field, Values};
use cosell_connector::record::Base;
use cosell_connector::settings::{Direction, Policy, Profile};
use cosell_connector::sync::merge::{Gate, Merged, Sides, merge};
use jiff::Timestamp;
use proptest::prelude::*;

/// Where somebody edits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Pc,
    Crm,
}

/// Somebody writes a value; none empties the field.
#[derive(Clone, Debug)]
struct Edit {
    side: Side,
    field: Field,
    value: Option<String>,
}

/// Both sides, their base, and when each was changed.
#[derive(Clone, Debug, PartialEq)]
struct State {
    pc: Values,
    crm: Values,
    base: Base,
    changed: (i64, i64),
}

/// What decides about a merge.
#[derive(Clone, Copy, Debug)]
struct Rules {
    profile: Profile,
    policy: Policy,
}

impl State {
    fn new(values: &Values) -> Self {
        Self {
            pc: values.clone(),
            crm: values.clone(),
            base: Base::of(values, None),
            changed: (0, 0),
        }
    }

    fn edit(mut self, edit: &Edit, at: i64) -> Self {
        match edit.side {
            Side::Pc => {
                self.pc.set(edit.field, edit.value.clone());
                self.changed.0 = at;
            }
            Side::Crm => {
                self.crm.set(edit.field, edit.value.clone());
                self.changed.1 = at;
            }
        }
        self
    }

    fn merged(&self, rules: Rules) -> Merged {
        let moment = |second| Timestamp::from_second(second).expect("a small number");
        let sides = Sides {
            pc: &self.pc,
            crm: &self.crm,
            base: &self.base,
            pc_changed: moment(self.changed.0),
            crm_changed: moment(self.changed.1),
            gate: Gate::Open,
        };
        merge(
            sides,
            Field::ALL,
            |field| rules.profile.direction(field),
            |_| rules.policy,
        )
    }

    /// Merges, and carries out what is asked for.
    fn sync(mut self, rules: Rules) -> Self {
        let merged = self.merged(rules);
        for (field, value) in merged.to_pc {
            self.pc.set(field, value.clone());
            self.base.agree(field, value);
        }
        for (field, value) in merged.to_crm {
            self.crm.set(field, value.clone());
            self.base.agree(field, value);
        }
        for (field, value) in merged.agreed {
            self.base.agree(field, value);
        }
        self
    }

    fn values(&self) -> (Values, Values) {
        (self.pc.clone(), self.crm.clone())
    }
}

fn field() -> impl Strategy<Value = Field> {
    prop::sample::select(Field::ALL.to_vec())
}

fn value() -> impl Strategy<Value = Option<String>> {
    prop::option::weighted(0.8, "[a-c]{1,2}")
}

fn edit() -> impl Strategy<Value = Edit> {
    let side = prop_oneof![Just(Side::Pc), Just(Side::Crm)];
    (side, field(), value()).prop_map(|(side, field, value)| Edit { side, field, value })
}

fn values() -> impl Strategy<Value = Values> {
    prop::collection::vec(value(), Field::ALL.len()).prop_map(|all| {
        let mut values = Values::default();
        for (field, value) in Field::ALL.into_iter().zip(all) {
            values.set(field, value);
        }
        values
    })
}

fn rules() -> impl Strategy<Value = Rules> {
    let policy = prop_oneof![Just(Policy::PcWins), Just(Policy::CrmWins), Just(Policy::Latest)];
    (prop::sample::select(Profile::ALL.to_vec()), policy).prop_map(|(profile, policy)| Rules { profile, policy })
}

/// What is merged as one: an amount and its currency mean nothing without each other.
fn unit(field: Field) -> Field {
    if field == Field::Currency { Field::Value } else { field }
}

proptest! {
    #[test]
    fn edits_of_different_fields_give_the_same_in_whatever_order_they_arrive(
        start in values(), one in edit(), other in edit(), rules in rules()
    ) {
        prop_assume!(unit(one.field) != unit(other.field));
        let state = State::new(&start);
        let first = state.clone().edit(&one, 1).sync(rules).edit(&other, 2).sync(rules);
        let second = state.clone().edit(&other, 1).sync(rules).edit(&one, 2).sync(rules);
        let together = state.edit(&one, 1).edit(&other, 2).sync(rules);
        prop_assert_eq!(first.values(), second.values());
        prop_assert_eq!(first.values(), together.values());
    }

    #[test]
    fn edits_of_one_field_on_both_sides_are_decided_by_the_policy_and_not_by_what_is_heard_first(
        start in values(), field in field(), here in value(), there in value(), rules in rules()
    ) {
        prop_assume!(rules.policy != Policy::Latest);
        let pc = Edit { side: Side::Pc, field, value: here };
        let crm = Edit { side: Side::Crm, field, value: there };
        let state = State::new(&start);
        let first = state.clone().edit(&pc, 1).edit(&crm, 2).sync(rules);
        let second = state.edit(&crm, 1).edit(&pc, 2).sync(rules);
        prop_assert_eq!(first.values(), second.values());
    }

    #[test]
    fn a_second_merge_finds_nothing_to_write(
        start in values(), edits in prop::collection::vec(edit(), 0..6), rules in rules()
    ) {
        let edited = edits.iter().zip(1..).fold(State::new(&start), |state, (edit, at)| state.edit(edit, at));
        let once = edited.sync(rules);
        let again = once.merged(rules);
        prop_assert!(again.to_pc.is_empty() && again.to_crm.is_empty() && again.agreed.is_empty(), "{again:?}");
        prop_assert_eq!(once.clone().sync(rules), once);
    }

    #[test]
    fn no_value_stands_anywhere_that_nobody_wrote(
        start in values(), edits in prop::collection::vec(edit(), 0..6), rules in rules(), every in 1..3_usize
    ) {
        let mut state = State::new(&start);
        let mut written: BTreeSet<(Field, Option<String>)> = BTreeSet::new();
        for field in Field::ALL {
            written.insert((field, start.get(field).map(str::to_owned)));
        }
        for (turn, edit) in edits.iter().enumerate() {
            written.insert((edit.field, edit.value.clone()));
            state = state.edit(edit, i64::try_from(turn).expect("a small number"));
            if turn % every == 0 {
                state = state.sync(rules);
            }
        }
        state = state.sync(rules);
        for field in Field::ALL {
            for side in [&state.pc, &state.crm] {
                let found = (field, side.get(field).map(str::to_owned));
                prop_assert!(written.contains(&found), "{found:?}");
            }
            if rules.profile.direction(field) == Direction::Both {
                prop_assert_eq!(state.pc.get(field), state.crm.get(field));
            }
        }
    }
}
