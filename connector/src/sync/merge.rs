//! The three-way merge of the fields: base, Partner Center's value, the CRM's value, direction and policy give what is
//! written where.
//!
//! It compares canonical values only, so that a write of our own coming back is no change (design: echo by content).

use jiff::Timestamp;

use crate::deal::{Field, Values};
use crate::record::Base;
use crate::settings::{Direction, Policy};

/// What may be written, given the states of both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Both sides.
    Open,
    /// The CRM is on hold: nothing leaves it, and what it edited waits.
    Held,
    /// The referral is closed, the opportunity is open.
    ReferralClosed,
    /// The opportunity is closed, the referral is open.
    OpportunityClosed,
    /// Both are closed, or the CRM was opened again: nothing is written.
    Shut,
}

/// Both sides of a deal.
#[derive(Clone, Copy, Debug)]
pub struct Sides<'a> {
    /// Partner Center's values.
    pub pc: &'a Values,
    /// The CRM's values.
    pub crm: &'a Values,
    /// The last agreed values.
    pub base: &'a Base,
    /// When the referral was last changed.
    pub pc_changed: Timestamp,
    /// When the opportunity was last changed.
    pub crm_changed: Timestamp,
    /// What may be written.
    pub gate: Gate,
}

/// A choice about a field that somebody may ask about later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Its code.
    pub code: &'static str,
    /// The field.
    pub field: Field,
    /// What was chosen between.
    pub detail: String,
}

/// What the merge asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// Written to Partner Center.
    pub to_pc: Vec<(Field, Option<String>)>,
    /// Written to the CRM.
    pub to_crm: Vec<(Field, Option<String>)>,
    /// Equal on both sides: the base moves there.
    pub agreed: Vec<(Field, Option<String>)>,
    /// Choices to record.
    pub choices: Vec<Choice>,
}

/// Where a value should go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Pc,
    Crm,
    Nowhere,
}

/// Merges the given fields.
pub fn merge(
    sides: Sides<'_>,
    fields: impl IntoIterator<Item = Field>,
    direction: impl Fn(Field) -> Direction,
    policy: impl Fn(Field) -> Policy,
) -> Merged {
    let mut merged = Merged::default();
    for field in fields {
        merge_field(sides, field, direction(field), policy(field), &mut merged);
    }
    keep_money_together(sides, &mut merged);
    merged
}

/// While an amount waits, its currency is not agreed on alone, nor the other way round: the base would forget what waits.
fn keep_money_together(sides: Sides<'_>, merged: &mut Merged) {
    let money = [Field::Value, Field::Currency];
    let settled = |field: &Field| {
        let carried = |list: &[(Field, Option<String>)]| list.iter().any(|(carried, _)| carried == field);
        sides.pc.get(*field) == sides.crm.get(*field) || carried(&merged.to_crm) || carried(&merged.to_pc)
    };
    if !money.iter().all(settled) {
        merged.agreed.retain(|(field, _)| !money.contains(field));
    }
}

fn merge_field(sides: Sides<'_>, field: Field, direction: Direction, policy: Policy, merged: &mut Merged) {
    if matches!(direction, Direction::CreateOnly | Direction::Never) {
        return;
    }
    let (pc, crm) = (sides.pc.get(field), sides.crm.get(field));
    if pc == crm {
        if sides.base.differs(field, pc) {
            merged.agreed.push((field, pc.map(str::to_owned)));
        }
        return;
    }
    let (target, code) = aim(sides, field, direction, policy);
    let mut choose = |code: &'static str| {
        let shown = |value: Option<&str>| value.map_or_else(|| "nothing".to_owned(), |value| format!("`{value}`"));
        let detail = format!("Partner Center has {}, the CRM has {}", shown(pc), shown(crm));
        merged.choices.push(Choice { code, field, detail });
    };
    let crm_edited = edited(sides.base, field, sides.crm);
    match (target, sides.gate) {
        (Target::Nowhere, _) => code.into_iter().for_each(&mut choose),
        // What the CRM edited on hold waits, whoever wins later.
        (Target::Crm, Gate::Held) if crm_edited => {}
        (Target::Pc, Gate::Held) => {}
        (Target::Crm, Gate::Open | Gate::Held | Gate::ReferralClosed) => {
            code.into_iter().for_each(&mut choose);
            merged.to_crm.push((field, pc.map(str::to_owned)));
        }
        (Target::Pc, Gate::Open | Gate::OpportunityClosed) => {
            code.into_iter().for_each(&mut choose);
            merged.to_pc.push((field, crm.map(str::to_owned)));
        }
        (Target::Crm, Gate::OpportunityClosed | Gate::Shut) | (Target::Pc, Gate::ReferralClosed | Gate::Shut) => {
            choose("late_edit.closed");
        }
    }
}

/// Whether one side changed a field. An amount means nothing without its currency: whoever changed one changed both, or
/// the amount of one side would meet the currency of the other.
fn edited(base: &Base, field: Field, now: &Values) -> bool {
    let together: &[Field] = match field {
        Field::Value | Field::Currency => &[Field::Value, Field::Currency],
        Field::Name => &[Field::Name],
        Field::ClosingDate => &[Field::ClosingDate],
        Field::Notes => &[Field::Notes],
    };
    together.iter().any(|field| base.differs(*field, now.get(*field)))
}

/// Where the value of a field that differs should go, before anybody asks whether it may.
fn aim(sides: Sides<'_>, field: Field, direction: Direction, policy: Policy) -> (Target, Option<&'static str>) {
    let (pc, crm) = (sides.pc.get(field), sides.crm.get(field));
    let pc_edited = edited(sides.base, field, sides.pc);
    let crm_edited = edited(sides.base, field, sides.crm);
    if !field.may_be_empty() && (pc.is_none() || crm.is_none()) {
        // Nothing is no value of this field: whoever has one fills the other side.
        return match (pc.is_none(), direction) {
            (false, _) => (Target::Crm, None),
            (true, Direction::PcToCrm) => (Target::Nowhere, None),
            (true, _) => (Target::Pc, None),
        };
    }
    let (owner, owner_edited, receiver_edited) = match direction {
        Direction::PcToCrm => (Target::Crm, pc_edited, crm_edited),
        Direction::CrmToPc => (Target::Pc, crm_edited, pc_edited),
        Direction::Both | Direction::CreateOnly | Direction::Never => {
            return match (pc_edited, crm_edited) {
                (true, false) => (Target::Crm, None),
                (false, true) => (Target::Pc, None),
                _ => winner(sides, policy),
            };
        }
    };
    match (owner_edited, receiver_edited) {
        (true, true) if sides.base.knows(field) => (owner, Some("owner.overwrites")),
        (true, _) => (owner, None),
        (false, _) => (Target::Nowhere, Some("by_design.local_edit")),
    }
}

fn winner(sides: Sides<'_>, policy: Policy) -> (Target, Option<&'static str>) {
    let crm_wins = match policy {
        Policy::PcWins => false,
        Policy::CrmWins => true,
        Policy::Latest => sides.crm_changed > sides.pc_changed,
    };
    if crm_wins {
        (Target::Pc, Some("conflict.crm_wins"))
    } else {
        (Target::Crm, Some("conflict.pc_wins"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELD: Field = Field::Value;

    fn values(value: &str) -> Values {
        Values::default().with(FIELD, Some(value.to_owned()))
    }

    fn run(base: Option<&str>, pc: &str, crm: &str, gate: Gate, direction: Direction, policy: Policy) -> Merged {
        let base = base.map_or_else(Base::default, |value| Base::of(&values(value), None));
        let (pc, crm) = (values(pc), values(crm));
        let sides = Sides {
            pc: &pc,
            crm: &crm,
            base: &base,
            pc_changed: Timestamp::from_second(10).unwrap(),
            crm_changed: Timestamp::from_second(20).unwrap(),
            gate,
        };
        merge(sides, [FIELD], |_| direction, |_| policy)
    }

    fn codes(merged: &Merged) -> Vec<&'static str> {
        merged.choices.iter().map(|choice| choice.code).collect()
    }

    fn to(value: &str) -> Vec<(Field, Option<String>)> {
        vec![(FIELD, Some(value.to_owned()))]
    }

    #[test]
    fn a_field_that_one_side_changed_is_copied() {
        let merged = run(Some("1"), "2", "1", Gate::Open, Direction::Both, Policy::PcWins);
        assert_eq!(
            (merged.to_crm, merged.to_pc.len(), merged.choices.len()),
            (to("2"), 0, 0)
        );
        let merged = run(Some("1"), "1", "2", Gate::Open, Direction::Both, Policy::PcWins);
        assert_eq!((merged.to_pc, merged.to_crm.len()), (to("2"), 0));
    }

    #[test]
    fn a_conflict_goes_by_the_policy() {
        for (policy, code, crm_gets) in [
            (Policy::PcWins, "conflict.pc_wins", true),
            (Policy::CrmWins, "conflict.crm_wins", false),
            (Policy::Latest, "conflict.crm_wins", false),
        ] {
            let merged = run(Some("1"), "2", "3", Gate::Open, Direction::Both, policy);
            assert_eq!(codes(&merged), [code]);
            assert_eq!(merged.to_crm == to("2"), crm_gets);
            assert_eq!(merged.to_pc == to("3"), !crm_gets);
        }
    }

    #[test]
    fn a_currency_is_not_agreed_on_while_its_amount_waits() {
        let money = |amount: &str, code: &str| {
            let amount = Values::default().with(Field::Value, Some(amount.to_owned()));
            amount.with(Field::Currency, Some(code.to_owned()))
        };
        let base = Base::of(&money("1", "GBP"), None);
        let (pc, crm) = (money("570660", "EUR"), money("1", "EUR"));
        let merged_at = |gate| {
            let sides = Sides {
                pc: &pc,
                crm: &crm,
                base: &base,
                pc_changed: Timestamp::from_second(10).unwrap(),
                crm_changed: Timestamp::from_second(20).unwrap(),
                gate,
            };
            let fields = [Field::Value, Field::Currency];
            merge(sides, fields, |_| Direction::Both, |_| Policy::PcWins)
        };
        let held = merged_at(Gate::Held);
        assert_eq!((held.agreed.len(), held.to_crm.len(), held.to_pc.len()), (0, 0, 0));
        let open = merged_at(Gate::Open);
        assert_eq!(open.to_crm, vec![(Field::Value, Some("570660".to_owned()))]);
        assert_eq!(open.agreed, vec![(Field::Currency, Some("EUR".to_owned()))]);
    }

    #[test]
    fn an_amount_goes_with_its_currency_or_not_at_all() {
        let money = |amount: &str, code: &str| {
            let amount = Values::default().with(Field::Value, Some(amount.to_owned()));
            amount.with(Field::Currency, Some(code.to_owned()))
        };
        let base = Base::of(&money("1", "JPY"), None);
        let (pc, crm) = (money("1", "USD"), money("523700", "JPY"));
        let sides = Sides {
            pc: &pc,
            crm: &crm,
            base: &base,
            pc_changed: Timestamp::from_second(10).unwrap(),
            crm_changed: Timestamp::from_second(20).unwrap(),
            gate: Gate::Open,
        };
        let fields = [Field::Value, Field::Currency];
        let merged = merge(sides, fields, |_| Direction::Both, |_| Policy::PcWins);
        let pair = vec![
            (Field::Value, Some("1".to_owned())),
            (Field::Currency, Some("USD".to_owned())),
        ];
        assert_eq!((merged.to_crm, merged.to_pc), (pair, Vec::new()));
        let held = Sides {
            gate: Gate::Held,
            ..sides
        };
        let merged = merge(held, fields, |_| Direction::Both, |_| Policy::PcWins);
        assert_eq!((merged.to_crm, merged.to_pc), (Vec::new(), Vec::new()));
    }

    #[test]
    fn equal_changes_are_agreed_and_an_echo_is_no_change() {
        let merged = run(Some("1"), "2", "2", Gate::Open, Direction::Both, Policy::PcWins);
        assert_eq!(
            merged,
            Merged {
                agreed: to("2"),
                ..Merged::default()
            }
        );
        assert_eq!(
            run(Some("2"), "2", "2", Gate::Open, Direction::Both, Policy::PcWins),
            Merged::default()
        );
    }

    #[test]
    fn the_owner_of_a_one_way_field_overwrites_and_a_local_edit_stands() {
        let local = run(Some("1"), "1", "2", Gate::Open, Direction::PcToCrm, Policy::CrmWins);
        assert_eq!(
            (codes(&local), local.to_pc.len(), local.to_crm.len()),
            (vec!["by_design.local_edit"], 0, 0)
        );
        let owner = run(Some("1"), "3", "2", Gate::Open, Direction::PcToCrm, Policy::CrmWins);
        assert_eq!((codes(&owner), owner.to_crm), (vec!["owner.overwrites"], to("3")));
        let owner = run(Some("1"), "1", "2", Gate::Open, Direction::CrmToPc, Policy::PcWins);
        assert_eq!((codes(&owner).len(), owner.to_pc), (0, to("2")));
    }

    #[test]
    fn on_hold_nothing_leaves_the_crm_and_its_edits_wait() {
        let edited = run(Some("1"), "1", "2", Gate::Held, Direction::Both, Policy::CrmWins);
        assert_eq!(edited, Merged::default());
        let both = run(Some("1"), "3", "2", Gate::Held, Direction::Both, Policy::PcWins);
        assert_eq!(both, Merged::default());
        let microsoft = run(Some("1"), "3", "1", Gate::Held, Direction::Both, Policy::PcWins);
        assert_eq!(microsoft.to_crm, to("3"));
    }

    #[test]
    fn nothing_is_written_to_a_closed_side() {
        let late = run(
            Some("1"),
            "1",
            "2",
            Gate::ReferralClosed,
            Direction::Both,
            Policy::PcWins,
        );
        assert_eq!((codes(&late), late.to_pc.len()), (vec!["late_edit.closed"], 0));
        let late = run(
            Some("1"),
            "2",
            "1",
            Gate::OpportunityClosed,
            Direction::Both,
            Policy::PcWins,
        );
        assert_eq!((codes(&late), late.to_crm.len()), (vec!["late_edit.closed"], 0));
        let last = run(
            Some("1"),
            "1",
            "2",
            Gate::OpportunityClosed,
            Direction::Both,
            Policy::PcWins,
        );
        assert_eq!(last.to_pc, to("2"));
    }

    #[test]
    fn an_empty_side_is_filled_where_nothing_is_no_value() {
        let filled = run(Some("1"), "1", "", Gate::Open, Direction::Both, Policy::CrmWins);
        assert_eq!((filled.to_crm, filled.to_pc.len()), (to("1"), 0));
    }

    /// Whatever the inputs: a written value is one that the other side holds, and carrying the merge out leaves nothing
    /// to merge.
    #[test]
    fn a_merge_invents_nothing_and_is_done_after_one_round() {
        let states = ["", "1", "2", "3"];
        for base in [None, Some("1"), Some("2")] {
            for (pc, crm) in states.iter().flat_map(|pc| states.iter().map(move |crm| (*pc, *crm))) {
                for direction in [Direction::Both, Direction::PcToCrm, Direction::CrmToPc] {
                    for policy in [Policy::PcWins, Policy::CrmWins, Policy::Latest] {
                        let merged = run(base, pc, crm, Gate::Open, direction, policy);
                        assert!(
                            merged
                                .to_pc
                                .iter()
                                .all(|(_, value)| value.as_deref().unwrap_or_default() == crm)
                        );
                        assert!(
                            merged
                                .to_crm
                                .iter()
                                .all(|(_, value)| value.as_deref().unwrap_or_default() == pc)
                        );
                        assert!(merged.to_pc.len() + merged.to_crm.len() + merged.agreed.len() <= 1);
                        let after = |written: &[(Field, Option<String>)], kept: &str| {
                            written
                                .first()
                                .map_or(kept.to_owned(), |(_, value)| value.clone().unwrap_or_default())
                        };
                        let (pc, crm) = (after(&merged.to_pc, pc), after(&merged.to_crm, crm));
                        if pc == crm {
                            let again = run(Some(&pc), &pc, &crm, Gate::Open, direction, policy);
                            assert_eq!(again, Merged::default());
                        }
                    }
                }
            }
        }
    }
}
