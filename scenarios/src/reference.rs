//! The naive expected model of one deal: what people wrote on each side, in the order in which it was stored, decides
//! what a connector may write over what, and what both sides may hold in the end.
//!
//! It knows rules 3 to 6 of `converged` and nothing else: no connector, no simulator, no wire. The last agreed state of a
//! field is what was last carried over; where nobody outside can tell whether the connector saw that both sides were
//! equal for a while, or whether it learned that a write of its own arrived, every possible one counts.

/// One of the two sides of a deal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The referral.
    PartnerCenter,
    /// The opportunity.
    Crm,
}

impl Side {
    fn other(self) -> Self {
        match self {
            Self::PartnerCenter => Self::Crm,
            Self::Crm => Self::PartnerCenter,
        }
    }

    fn index(self) -> usize {
        usize::from(self == Self::Crm)
    }
}

/// Where an edit of a field goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Either way.
    Both,
    /// From the CRM to Partner Center.
    ToPartnerCenter,
    /// From Partner Center to the CRM.
    ToCrm,
    /// Nowhere, once both records are there.
    Nowhere,
}

/// Who wins when both sides changed a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Winner {
    /// Partner Center.
    PartnerCenter,
    /// The CRM.
    Crm,
    /// The record that was changed last.
    Latest,
}

/// What the settings say about one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Where its edits go.
    pub way: Way,
    /// Who wins.
    pub winner: Winner,
}

/// What is wrong with a write of the connector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breach {
    /// It wrote over an edit that the other side had not changed.
    Reverted,
    /// It wrote a value that the other side had given up before both last agreed.
    Stale,
    /// Both sides had changed the field, and the loser of the policy won.
    WrongWinner,
    /// It wrote over an edit that waits on hold.
    HeldOverwritten,
    /// It changed the side that owns a one-way field.
    AgainstDirection,
}

/// What is known at the moment of a write.
#[derive(Clone, Copy, Debug, Default)]
pub struct Moment {
    /// The opportunity was on hold before and after it.
    pub held: bool,
    /// What was edited on hold is dropped when the deal leaves it.
    pub drops: bool,
    /// By side: its record was surely changed later than the other, or, for Partner Center, at the same time.
    pub surely_later: [bool; 2],
    /// The exchange that carried it.
    pub exchange: u64,
}

/// A value; `None` is empty.
pub type Value = Option<String>;

/// What each side has held since both last agreed, and the states that they may have agreed on.
#[derive(Clone, Debug, Default)]
struct Since {
    sides: [Vec<Value>; 2],
    /// Empty: nothing was ever agreed, so everything counts as changed.
    bases: Vec<Value>,
}

/// The connector's last write while nobody knows whether it has heard of it.
#[derive(Clone, Debug)]
struct Unheard {
    exchange: u64,
    before: Since,
    /// When the reply came. A crash in the same moment takes it back.
    heard_at: Option<i128>,
}

/// One field of a deal on both sides.
#[derive(Clone, Debug)]
pub struct Cell {
    rule: Rule,
    now: [Value; 2],
    written: [Option<Value>; 2],
    since: Since,
    unheard: Option<Unheard>,
    /// The CRM's value was typed on hold.
    typed_on_hold: bool,
    /// It was typed before the deal was accepted: nobody can tell it from one that was typed on hold.
    typed_before_accept: bool,
}

impl Cell {
    /// A field of two records that name each other from now on. `carried`: the connector made one of them of the other.
    pub fn new(rule: Rule, in_pc: Value, in_crm: Value, carried: bool) -> Self {
        let mut bases = Vec::new();
        if carried || same(&in_pc, &in_crm) {
            bases.push(in_crm.clone());
            bases.push(in_pc.clone());
        }
        let since = Since {
            sides: [vec![in_pc.clone()], vec![in_crm.clone()]],
            bases,
        };
        let written = [Some(in_pc.clone()), Some(in_crm.clone())];
        Self {
            rule,
            now: [in_pc, in_crm],
            written,
            since,
            unheard: None,
            typed_on_hold: false,
            typed_before_accept: false,
        }
    }

    /// Somebody other than the connector wrote the field, while the deal was on hold, while it waited to be accepted.
    pub fn edited(&mut self, side: Side, value: Value, (on_hold, waits): (bool, bool)) {
        self.since.sides[side.index()].push(value.clone());
        if let Some(unheard) = &mut self.unheard {
            unheard.before.sides[side.index()].push(value.clone());
        }
        if same(&value, &self.now[side.other().index()]) {
            self.since.bases.push(value.clone());
        }
        if side == Side::Crm {
            self.typed_on_hold = on_hold;
            self.typed_before_accept = waits;
        }
        self.written[side.index()] = Some(value.clone());
        self.now[side.index()] = value;
    }

    /// The connector wrote the field. Says what is wrong with that, if anything is.
    pub fn carried(&mut self, side: Side, value: Value, moment: Moment) -> Option<Breach> {
        let before = self.now[side.index()].clone();
        if before == value {
            // Something else of the record was written: a mark in the name, a currency.
            return None;
        }
        let breach = if same(&before, &value) || before.is_none() || self.since.bases.is_empty() {
            None
        } else {
            self.judge(side, &before, &value, moment)
        };
        let base = value.clone();
        let other = self.now[side.other().index()].clone();
        let mut sides = [vec![value.clone()], vec![value.clone()]];
        sides[side.other().index()].push(other);
        let before = std::mem::replace(
            &mut self.since,
            Since {
                sides,
                bases: vec![base],
            },
        );
        let before = match self.unheard.take() {
            Some(earlier) => merged(earlier.before, before),
            None => before,
        };
        self.unheard = Some(Unheard {
            exchange: moment.exchange,
            before,
            heard_at: None,
        });
        if side == Side::Crm {
            self.typed_on_hold = false;
            self.typed_before_accept = false;
        }
        self.now[side.index()] = value;
        breach
    }

    fn judge(&self, side: Side, before: &Value, value: &Value, moment: Moment) -> Option<Breach> {
        let owner = match self.rule.way {
            Way::Nowhere => return Some(Breach::AgainstDirection),
            Way::Both => None,
            Way::ToPartnerCenter => Some(Side::Crm),
            Way::ToCrm => Some(Side::PartnerCenter),
        };
        if side == Side::Crm && moment.drops && self.typed_before_accept {
            return None;
        }
        if owner == Some(side) {
            return Some(Breach::AgainstDirection);
        }
        let unheard = self.unheard.as_ref().map(|unheard| &unheard.before);
        let held_by_other = |since: &Since| since.sides[side.other().index()].iter().any(|held| same(held, value));
        if !held_by_other(&self.since) && !unheard.is_some_and(held_by_other) {
            return Some(Breach::Stale);
        }
        let mut verdict = None;
        for base in self
            .since
            .bases
            .iter()
            .chain(unheard.iter().flat_map(|since| &since.bases))
        {
            verdict = self.judge_against(base, side, (before, value), (owner.is_some(), moment));
            verdict?;
        }
        verdict
    }

    /// What is wrong with writing `value` over `before`, had both sides last agreed on that base.
    fn judge_against(
        &self,
        base: &Value,
        side: Side,
        (before, value): (&Value, &Value),
        (owned, moment): (bool, Moment),
    ) -> Option<Breach> {
        if same(before, base) {
            return None;
        }
        if side == Side::Crm && moment.held {
            return Some(Breach::HeldOverwritten);
        }
        if same(value, base) {
            return Some(Breach::Reverted);
        }
        let loses = match self.rule.winner {
            Winner::PartnerCenter => side == Side::PartnerCenter,
            Winner::Crm => side == Side::Crm,
            Winner::Latest => moment.surely_later[side.index()],
        };
        (!owned && loses).then_some(Breach::WrongWinner)
    }

    /// The connector got the reply to an exchange.
    pub fn heard(&mut self, exchange: u64, at: i128) {
        if let Some(unheard) = self.unheard.as_mut().filter(|unheard| unheard.exchange == exchange) {
            unheard.heard_at = Some(at);
        }
    }

    /// Time has passed: what was heard before this moment is known for good.
    pub fn settle_heard(&mut self, now: i128) {
        if self
            .unheard
            .as_ref()
            .and_then(|unheard| unheard.heard_at)
            .is_some_and(|at| at < now)
        {
            self.unheard = None;
        }
    }

    /// The connector's process died: what it heard in this very moment may not have been kept.
    pub fn died(&mut self) {
        if let Some(unheard) = &mut self.unheard {
            unheard.heard_at = None;
        }
    }

    /// What people last wrote on each side, the state at the time of linking included. A value on which both sides agree
    /// in the end must be one of them.
    pub fn last_written(&self) -> impl Iterator<Item = &Value> {
        self.written.iter().flatten()
    }

    /// Whether a value that both sides hold in the end is one that somebody last wrote there. Where somebody left the field
    /// empty, and a deal cannot be without it, the last value stands.
    pub fn may_end_with(&self, value: &Value) -> bool {
        self.last_written()
            .any(|written| same(written, value) || written.is_none())
    }

    /// A system said that it stored what it did not: what both sides agree on is anybody's guess until the next write.
    pub fn forget_base(&mut self) {
        self.since.bases.clear();
        self.unheard = None;
    }

    /// Whether the CRM's value was typed on hold and stands there still.
    pub fn typed_on_hold(&self) -> bool {
        self.typed_on_hold
    }

    /// What one side holds.
    pub fn value(&self, side: Side) -> &Value {
        &self.now[side.index()]
    }
}

fn merged(mut one: Since, other: Since) -> Since {
    for (mine, theirs) in one.sides.iter_mut().zip(other.sides) {
        mine.extend(theirs);
    }
    one.bases.extend(other.bases);
    one
}

/// Equal, or two amounts of which one was rounded to whole units because its currency has no smaller ones.
fn same(one: &Value, other: &Value) -> bool {
    if one == other {
        return true;
    }
    let money = |value: &Value| {
        let (amount, currency) = value.as_deref()?.split_once(' ')?;
        Some((amount.parse::<f64>().ok()?, currency.to_owned()))
    };
    let (Some((one, currency)), Some((other, its))) = (money(one), money(other)) else {
        return false;
    };
    // An org with a single currency prints none.
    if currency != its && !currency.is_empty() && !its.is_empty() {
        return false;
    }
    let whole = one.fract() == 0.0 || other.fract() == 0.0;
    (one - other).abs() < if whole { 0.501 } else { 0.0051 }
}

/// The rule of a field, by the name that reports use, under a profile (product.md M18), with a way and a policy of its own.
pub fn rule(field: &str, profile: &str, way: Option<Way>, policy: Option<Winner>) -> Rule {
    let documented = profile.starts_with("documented-");
    let way = way.unwrap_or(match field {
        "name" => Way::ToPartnerCenter,
        // Notes (Partner Center to CRM) and Description (CRM to Partner Center) are one pair, so it goes both ways.
        "closes" if documented => Way::ToCrm,
        _ => Way::Both,
    });
    // The documented connector writes whatever came last (design, decision 8).
    let winner = policy.unwrap_or(if documented {
        Winner::Latest
    } else {
        Winner::PartnerCenter
    });
    Rule { way, winner }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: Rule = Rule {
        way: Way::Both,
        winner: Winner::PartnerCenter,
    };

    fn text(text: &str) -> String {
        text.to_owned()
    }

    fn cell(rule: Rule) -> Cell {
        Cell::new(rule, Some(text("a")), Some(text("a")), true)
    }

    fn carry(cell: &mut Cell, side: Side, value: &str) -> Option<Breach> {
        cell.carried(side, Some(text(value)), Moment::default())
    }

    #[test]
    fn an_edit_of_one_side_may_be_carried_and_not_be_reverted() {
        let mut deal = cell(BOTH);
        deal.edited(Side::Crm, Some(text("b")), (false, false));
        assert_eq!(carry(&mut deal.clone(), Side::PartnerCenter, "b"), None);
        assert_eq!(carry(&mut deal, Side::Crm, "a"), Some(Breach::Reverted));
    }

    #[test]
    fn of_two_edits_the_winner_of_the_policy_stays() {
        for (winner, loser) in [(Winner::PartnerCenter, Side::PartnerCenter), (Winner::Crm, Side::Crm)] {
            let mut deal = cell(Rule { winner, ..BOTH });
            deal.edited(Side::PartnerCenter, Some(text("p")), (false, false));
            deal.edited(Side::Crm, Some(text("c")), (false, false));
            let of = |side| if side == Side::PartnerCenter { "c" } else { "p" };
            assert_eq!(carry(&mut deal.clone(), loser.other(), of(loser.other())), None);
            assert_eq!(carry(&mut deal, loser, of(loser)), Some(Breach::WrongWinner));
        }
    }

    #[test]
    fn an_old_value_of_the_other_side_is_no_reason_to_write() {
        let mut deal = cell(BOTH);
        deal.edited(Side::PartnerCenter, Some(text("b")), (false, false));
        assert_eq!(carry(&mut deal, Side::Crm, "b"), None);
        deal.heard(0, 1);
        deal.settle_heard(2);
        deal.edited(Side::PartnerCenter, Some(text("c")), (false, false));
        assert_eq!(carry(&mut deal, Side::Crm, "a"), Some(Breach::Stale));
    }

    #[test]
    fn a_write_that_the_connector_never_heard_of_leaves_the_old_base_possible() {
        let rule = Rule {
            winner: Winner::Crm,
            ..BOTH
        };
        let mut deal = cell(rule);
        deal.edited(Side::Crm, Some(text("b")), (false, false));
        assert_eq!(carry(&mut deal, Side::PartnerCenter, "b"), None);
        deal.edited(Side::PartnerCenter, Some(text("p")), (false, false));
        let mut heard = deal.clone();
        assert_eq!(carry(&mut deal, Side::PartnerCenter, "b"), None);
        heard.heard(0, 1);
        heard.settle_heard(2);
        assert_eq!(carry(&mut heard, Side::PartnerCenter, "b"), Some(Breach::Reverted));
    }

    #[test]
    fn one_way_fields_go_one_way_and_a_local_edit_stands() {
        let rule = Rule {
            way: Way::ToPartnerCenter,
            ..BOTH
        };
        let mut deal = cell(rule);
        deal.edited(Side::PartnerCenter, Some(text("local")), (false, false));
        assert_eq!(
            carry(&mut deal.clone(), Side::PartnerCenter, "a"),
            Some(Breach::Reverted)
        );
        assert_eq!(
            carry(&mut deal.clone(), Side::Crm, "local"),
            Some(Breach::AgainstDirection)
        );
        deal.edited(Side::Crm, Some(text("owner")), (false, false));
        assert_eq!(carry(&mut deal, Side::PartnerCenter, "owner"), None);
    }

    #[test]
    fn what_was_typed_on_hold_waits_unless_it_is_dropped() {
        let mut deal = cell(BOTH);
        deal.edited(Side::PartnerCenter, Some(text("p")), (false, false));
        deal.edited(Side::Crm, Some(text("c")), (true, true));
        let held = Moment {
            held: true,
            ..Moment::default()
        };
        let drops = Moment { drops: true, ..held };
        assert_eq!(
            deal.clone().carried(Side::Crm, Some(text("p")), held),
            Some(Breach::HeldOverwritten)
        );
        assert_eq!(deal.clone().carried(Side::Crm, Some(text("p")), drops), None);
    }

    #[test]
    fn an_amount_rounded_by_its_currency_is_the_same_amount() {
        assert!(same(&Some(text("10.5 JPY")), &Some(text("11 JPY"))));
        assert!(same(&Some(text("10.5 EUR")), &Some(text("10.5 "))));
        assert!(!same(&Some(text("10.5 EUR")), &Some(text("10.51 EUR"))));
        assert!(!same(&Some(text("10 EUR")), &Some(text("10 USD"))));
    }
}
