//! Writes to a linked opportunity: fields, stage, Audit and mark, all in one request where the CRM lets it.
//!
//! Where a closed opportunity cannot be written, what Audit is owed is a decision instead.

use super::create_in_crm::link;
use super::crm;
use super::desk::{Desk, Trouble};
use super::pair::{Pair, sent};
use crate::contract::System;
use crate::deal::{Field, OpportunityState, mark};
use crate::flow::Flow;
use crate::id::DealNumber;
use crate::planted::Planted;
use crate::record::{Proving, Writing, digest};
use crate::settings::Direction;
use crate::sync::audit::{self, Way};
use crate::sync::merge::Merged;
use crate::sync::status::Move;
use crate::system::opportunity::{Change, Opportunity, Stage};

/// Writes what the merge asks for, what Audit is owed, and the mark. Gives the opportunity as it is then. `failing`: the run
/// will end with something missing.
pub(super) async fn write(
    desk: &Desk,
    deal: DealNumber,
    pair: &Pair,
    merged: &Merged,
    (whole, failing): (bool, bool),
) -> Result<Opportunity, Trouble> {
    let record = desk.record(deal);
    let row = &pair.row;
    if matches!(row.state, OpportunityState::Closed(_)) && !crm::writes_closed(desk) {
        for line in record.owed.iter().filter(|line| !row.audit.contains(line.as_str())) {
            desk.say(&record, "audit.in_run", None, line.clone());
        }
        desk.change(deal, |record| record.owed.clear());
        return Ok(row.clone());
    }
    let change = change(desk, deal, pair, merged, (whole, failing))?;
    if change.is_empty() {
        desk.change(deal, |record| record.owed.clear());
        return Ok(row.clone());
    }
    if let Some(audit) = change.audit.as_ref().filter(|_| !merged.to_crm.is_empty()) {
        let writing = Writing {
            values: merged.to_crm.iter().cloned().collect(),
            audit: digest(audit.as_bytes()),
        };
        desk.change(deal, |record| record.writing = Some(writing));
    }
    crm::update(desk, row, &change).await?;
    let proving = proving(desk, row, merged);
    desk.change(deal, |record| {
        record.owed.clear();
        record.proving = proving;
    });
    Ok(row.clone().with(&change))
}

/// What the fields of a write held before it.
fn proving(desk: &Desk, row: &Opportunity, merged: &Merged) -> Option<Proving> {
    let before = |(field, _): &(Field, Option<String>)| (*field, row.values.get(*field).map(str::to_owned));
    (!merged.to_crm.is_empty()).then(|| Proving {
        before: merged.to_crm.iter().map(before).collect(),
        at: desk.clock_of(System::Crm),
    })
}

/// Puts Partner Center's values where the CRM edited them on hold; whether there was anything to put back. It comes before
/// the accept, so that nothing of it can leave afterwards.
pub(super) async fn drop_edits(desk: &Desk, deal: DealNumber, pair: &Pair) -> Result<bool, Trouble> {
    let row = &pair.row;
    let record = desk.record(deal);
    let dropped = |field: &Field| {
        let (pc, crm) = (pair.referral.values.get(*field), row.values.get(*field));
        let kept = desk.settings().direction(*field) == Direction::Never || (pc.is_none() && !field.may_be_empty());
        !kept && pc != crm && record.base.differs(*field, crm)
    };
    let fields: Vec<Field> = Field::ALL.into_iter().filter(dropped).collect();
    let locked = matches!(row.state, OpportunityState::Closed(_)) && !crm::writes_closed(desk);
    if locked {
        // A closed row takes nothing back: what it holds counts as agreed, so that none of it goes out with the closing.
        desk.change(deal, |record| {
            for field in fields {
                record.base.agree(field, row.values.get(field).map(str::to_owned));
            }
        });
        return Ok(false);
    }
    if fields.is_empty() {
        return Ok(false);
    }
    let names: Vec<&str> = fields.iter().map(|field| field.name()).collect();
    for name in &names {
        desk.say(&record, "hold.dropped", Some(name), "an edit on hold was dropped");
    }
    let merged = Merged {
        to_crm: fields
            .iter()
            .map(|field| (*field, pair.referral.values.get(*field).map(str::to_owned)))
            .collect(),
        ..Merged::default()
    };
    let mut change = change(desk, deal, pair, &merged, (false, false))?;
    let line = audit::line(
        desk.now(),
        Way::PcToCrm,
        &format!("put back after on-hold: {}", names.join(", ")),
    );
    change.audit = audit::append(&row.audit, &[line], desk.settings().audit_limit);
    crm::update(desk, row, &change).await?;
    let proving = proving(desk, row, &merged);
    desk.change(deal, |record| {
        record.proving = proving;
        for (field, value) in merged.to_crm {
            record.base.agree(field, value);
        }
    });
    Ok(true)
}

fn change(
    desk: &Desk,
    deal: DealNumber,
    pair: &Pair,
    merged: &Merged,
    (whole, failing): (bool, bool),
) -> Result<Change, Trouble> {
    let Pair { referral, row, ask } = pair;
    let record = desk.record(deal);
    let mut change = Change::default();
    for (field, value) in &merged.to_crm {
        if *field == Field::Name {
            change.name.clone_from(value);
        } else {
            change.values.push((*field, value.clone()));
        }
    }
    change.stage = match ask {
        Move::Activate => Some(Stage::Active),
        Move::CloseOpportunity(ending) | Move::CloseDifferently(ending) => Some(Stage::Closed(sent(desk, *ending))),
        Move::Hold
        | Move::Live
        | Move::Accept
        | Move::Decline
        | Move::LocalHold
        | Move::CloseReferral(_)
        | Move::Reopened
        | Move::Closed(_) => None,
    };
    let names = !desk.settings().is_planted(Planted::NoReferralIdentifier);
    change.referral = (names && row.referral.is_none()).then(|| referral.id.clone());
    change.link = row.link.is_none().then(|| link(desk, &referral.id));
    let mut lines = record.owed.clone();
    if gate_is_open(*ask) {
        if !desk.settings().is_planted(Planted::NotPutBack) {
            put_back(pair, &mut change);
        }
        change.msx = referral.msx.clone().filter(|id| row.msx.as_ref() != Some(id));
        let microsofts = change.help.is_some() || change.visible.is_some() || change.msx.is_some();
        if microsofts && !desk.lane(deal, Flow::MicrosoftUpdates, "Microsoft's side was changed")? {
            (change.help, change.visible, change.msx) = (None, None, None);
        }
    }
    planted_change(desk, pair, &mut change);
    if let Some(what) = what(pair, merged, &change) {
        let line = audit::line(desk.now(), Way::PcToCrm, &what);
        if change.stage.is_none() || !audit::ends_with(&row.audit, &line) {
            lines.push(line);
        }
    }
    if is_echo_taken_for_change(desk, whole) {
        let what = format!("updated ({})", desk.now());
        lines.push(audit::line(desk.now(), Way::PcToCrm, &what));
    }
    let anew = desk.settings().is_planted(Planted::AuditStartsAnew);
    let trail = if anew { "" } else { &row.audit };
    change.audit = audit::append(trail, &lines, desk.settings().audit_limit);
    let marks = desk.settings().display_check_mark || desk.settings().is_planted(Planted::MarksUnasked);
    if marks && !desk.settings().is_planted(Planted::NoMark) {
        let marked = marked(desk, row, &change, failing);
        change.name = (marked != row.name).then_some(marked);
    }
    Ok(change)
}

/// What planted bugs make of a change.
fn planted_change(desk: &Desk, pair: &Pair, change: &mut Change) {
    let broken = |defect| desk.settings().is_planted(defect);
    if broken(Planted::NoReferralLink) {
        change.link = None;
    }
    if broken(Planted::IgnoresMsxId) {
        change.msx = None;
    }
    for (field, value) in &mut change.values {
        match (field, value.as_deref()) {
            (Field::ClosingDate, Some(day)) if broken(Planted::DayLateInCrm) => {
                let day = day.parse::<jiff::civil::Date>().and_then(jiff::civil::Date::tomorrow);
                *value = day.ok().map(|day| day.to_string());
            }
            (Field::Notes, Some(notes)) if broken(Planted::AddsNotes) => {
                let before = pair.row.values.get(Field::Notes).unwrap_or_default();
                *value = Some(format!("{before}\n{notes}"));
            }
            _ => {}
        }
    }
    if broken(Planted::EmptyIsZero)
        && pair.referral.values.get(Field::Value).is_none()
        && pair.row.values.get(Field::Value).is_some_and(|value| value != "0")
        && gate_is_open(pair.ask)
    {
        change.values.push((Field::Value, Some("0".to_owned())));
    }
}

/// The name with the mark that it shall carry.
fn marked(desk: &Desk, row: &Opportunity, change: &Change, failing: bool) -> String {
    let name = change.name.as_deref().unwrap_or(&row.name);
    let crossed = (failing && !desk.settings().is_planted(Planted::NeverCrosses))
        || desk.settings().is_planted(Planted::CrossAfterSuccess);
    let shown = if crossed { mark::CROSS } else { mark::CHECK };
    if desk.settings().is_planted(Planted::MarksStack) && change.audit.is_some() {
        return format!("{} {shown}", name.trim());
    }
    mark::put(name, shown, crm::longest_name(desk))
}

pub(super) fn gate_is_open(ask: Move) -> bool {
    !matches!(ask, Move::Closed(_) | Move::Reopened | Move::CloseDifferently(_))
}

/// Help and visibility never go back: what the CRM took back is put back (design, `converged` rule 9).
fn put_back(pair: &Pair, change: &mut Change) {
    if pair.referral.help.is_some() && pair.row.help != pair.referral.help {
        change.help = Some(pair.referral.help);
    }
    if pair.referral.visible && !pair.row.visible {
        change.visible = Some(true);
    }
}

/// What the audit line says; nothing when nothing is carried over.
fn what(pair: &Pair, merged: &Merged, change: &Change) -> Option<String> {
    let mut words: Vec<&str> = merged.to_crm.iter().map(|(field, _)| field.name()).collect();
    if change.help.is_some() {
        words.push("help");
    }
    if change.visible.is_some() {
        words.push("visibility");
    }
    if change.msx.is_some() {
        words.push("Microsoft CRM identifier");
    }
    let rest = if words.is_empty() {
        String::new()
    } else {
        format!(" ({})", words.join(", "))
    };
    match pair.ask {
        Move::Activate => Some(format!("accepted in Partner Center{rest}")),
        Move::CloseOpportunity(ending) | Move::CloseDifferently(ending) => {
            Some(format!("closed: {}, {}{rest}", ending.name(), pair.referral.substatus))
        }
        Move::Hold
        | Move::Live
        | Move::Accept
        | Move::Decline
        | Move::LocalHold
        | Move::CloseReferral(_)
        | Move::Reopened
        | Move::Closed(_) => (!words.is_empty()).then(|| format!("updated: {}", words.join(", "))),
    }
}

fn is_echo_taken_for_change(desk: &Desk, whole: bool) -> bool {
    whole && desk.settings().is_planted(Planted::NoEchoCheck)
}
