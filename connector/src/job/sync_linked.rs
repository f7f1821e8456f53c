//! Both records of one deal in step: read both, merge against the base, write, move the base.
//!
//! Every write names the state that it was decided on. The base moves when a write is acknowledged, or when both sides
//! are read equal; whatever is interrupted is found out by reading again.

use jiff::Timestamp;

use super::create_in_crm::furnish;
use super::create_in_pc::{invite, missing};
use super::desk::{Desk, Trouble};
use super::pair::Pair;
use super::step::{Seen, Step};
use super::untaken::{leave_out, took};
use super::{crm, microsoft, pc, solutions, to_crm, to_pc};
use crate::contract::System;
use crate::deal::{Agreed, Ending, Field, OpportunityState, ReferralState};
use crate::flow::Flow;
use crate::id::{DealNumber, OpportunityId, ReferralId};
use crate::planted::Planted;
use crate::record::{Base, Outcome, Record, digest};
use crate::settings::{Direction, OnHoldEdits, Policy};
use crate::sync::audit::{self, Way};
use crate::sync::merge::{Gate, Merged, Sides, merge};
use crate::sync::status::{Move, agreed, decide};
use crate::system::opportunity::Opportunity;
use crate::system::partner_center::Referral;

/// One look at both sides and what follows from it.
pub(crate) async fn sync_linked(
    desk: &Desk,
    deal: DealNumber,
    ids: (&ReferralId, &OpportunityId),
    seen: &mut Seen,
) -> Result<Step, Trouble> {
    let Some(referral) = pc::read(desk, ids.0).await? else {
        // Partner Center deletes nothing: what was there is out of sight, as for a user who is Referrals admin no more.
        desk.doubt();
        let why = "Partner Center does not show the referral any more: is the connection's user still Referrals admin?";
        return Err(Trouble::Denied { why: why.to_owned() });
    };
    let record = desk.record(deal);
    let unchanged = record.seen_referral.as_ref() == Some(&referral.etag);
    seen.referral = Some(referral.etag.clone());
    if unchanged && !seen.causes.whole && !record.is_unfinished() {
        return Ok(Step::Done);
    }
    let clock = desk.clock_of(System::Crm);
    let Some(row) = crm::read(desk, ids.1).await? else {
        desk.say_once(deal, "record.deleted", None, "the opportunity does not exist any more");
        return Ok(Step::Done);
    };
    seen.opportunity = Some(row.digest());
    desk.change(deal, |record| {
        record.engagement = Some(referral.engagement.clone());
        take_stock_of_sending(record, &referral);
        take_stock_of_writing(record, &row);
    });
    prove(desk, deal, &row);
    if !row.sync && !desk.settings().is_planted(Planted::SyncsWithoutLeave) {
        leave_alone(desk, deal, &row);
        return Ok(Step::Done);
    }
    desk.change(deal, |record| {
        record.said.remove("sync.off:");
    });
    if !belong_together(desk, deal, &referral, &row) {
        return Ok(Step::Done);
    }
    if waited_for_trust(desk, &row, clock, seen).await {
        return Ok(Step::Again);
    }
    if record.furnish
        && !desk.settings().is_planted(Planted::ForgetsSolutions)
        && !matches!(row.state, OpportunityState::Closed(_))
    {
        furnish(desk, deal, ids.1, &referral).await?;
        return Ok(Step::Again);
    }
    if seen.causes.related && desk.lane(deal, Flow::MicrosoftUpdates, "Microsoft's side was changed")? {
        let updates = microsoft::updates(desk, deal, &referral.engagement);
        desk.in_child(Some(deal), Flow::MicrosoftUpdates, updates).await?;
        seen.causes.related = false;
    }
    if desk.settings().is_planted(Planted::AddsRemovedSolutions)
        && seen.causes.whole
        && row.state == OpportunityState::Open
    {
        furnish(desk, deal, ids.1, &referral).await?;
    }
    let ask = planted_move(desk, decide(referral.state, row.state, desk.record(deal).base.status));
    // Boxed: it holds every write.
    Box::pin(act(desk, deal, Pair { referral, row, ask }, seen)).await
}

/// Whether the second of the last change had to be waited for: a later change in the same one would not show, and a precondition
/// would be worth nothing.
async fn waited_for_trust(desk: &Desk, row: &Opportunity, clock: Option<Timestamp>, seen: &mut Seen) -> bool {
    let trusted = row.revision.is_trusted(clock) || row.revision.moment() == seen.over;
    if trusted || desk.settings().is_planted(Planted::NoPreconditionInCrm) {
        return false;
    }
    seen.over = row.revision.moment();
    crm::let_second_pass(desk).await;
    true
}

/// Sync is No: what both sides had agreed on stays as it is.
fn leave_alone(desk: &Desk, deal: DealNumber, row: &Opportunity) {
    desk.say_once(deal, "sync.off", None, "Sync with Partner Center is No");
    if desk.settings().is_planted(Planted::ForgetsWhileOff) {
        desk.change(deal, |record| record.base = Base::of(&row.values, record.base.status));
    }
}

/// What became of a write to Partner Center whose reply was lost.
fn take_stock_of_sending(record: &mut Record, referral: &Referral) {
    let Some(sending) = record.sending.take() else {
        return;
    };
    let now = match referral.state {
        ReferralState::New => Agreed::New,
        ReferralState::Active => Agreed::Active,
        ReferralState::Closed(ending) => Agreed::closed(ending),
    };
    // A write arrives whole: one value that only it can have brought tells about all of them.
    let brought = |field, value: &Option<String>| {
        record.base.differs(field, value.as_deref()) && referral.values.get(field) == value.as_deref()
    };
    let arrived = sending.status == Some(now) || sending.values.iter().any(|(field, value)| brought(*field, value));
    if arrived {
        for (field, value) in sending.values {
            record.base.agree(field, value);
        }
        record.base.status = sending.status.or(record.base.status);
        record.owed.push(sending.line);
    }
}

/// What became of a write to the CRM whose reply was lost.
fn take_stock_of_writing(record: &mut Record, row: &Opportunity) {
    let Some(writing) = record.writing.take() else {
        return;
    };
    if digest(row.audit.as_bytes()) == writing.audit {
        for (field, value) in writing.values {
            record.base.agree(field, value);
        }
        record.owed.clear();
    }
}

/// Whether the CRM has kept what the last write carried. What still stands as it was, in a row that nobody has written since, was not
/// taken: it is no edit of the CRM's, and Partner Center's value goes there again.
fn prove(desk: &Desk, deal: DealNumber, row: &Opportunity) {
    let record = desk.record(deal);
    let Some(proving) = record.proving else {
        return;
    };
    let untouched = proving.at.is_some_and(|at| row.modified <= at);
    let stands = |(field, before): &(&Field, &Option<String>)| {
        untouched && row.values.holds_as_before(**field, before.as_deref())
    };
    let untaken: Vec<Field> = proving.before.iter().filter(stands).map(|(field, _)| *field).collect();
    let base = |field: &Field| (*field, record.base.value(*field).map(str::to_owned));
    let sent = proving.before.keys().map(base).collect();
    desk.change(deal, |record| {
        record.proving = None;
        for field in &untaken {
            record.base.agree(*field, row.values.get(*field).map(str::to_owned));
        }
    });
    took(desk, deal, System::Crm, &sent, &untaken);
}

/// Whether both records name each other, or nobody else.
fn belong_together(desk: &Desk, deal: DealNumber, referral: &Referral, row: &Opportunity) -> bool {
    if let Some(external) = referral
        .external
        .as_deref()
        .filter(|external| !is_same_id(external, row.id.as_str()))
    {
        let detail = format!("the referral names `{external}`, not opportunity {}", row.id);
        desk.say_once(deal, "link.conflict", None, &detail);
        return false;
    }
    if let Some(named) = row
        .referral
        .as_ref()
        .filter(|named| !is_same_id(named.as_str(), referral.id.as_str()))
    {
        desk.say_once(
            deal,
            "link.conflict",
            None,
            &format!("the opportunity names referral `{named}`"),
        );
        return false;
    }
    true
}

/// Ids are equal whatever the case of a guid, and with or without a Salesforce id's last three letters.
fn is_same_id(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other) || (one.len() == 15 && other.len() == 18 && other.starts_with(one))
}

/// Whether edits made on hold are dropped.
fn drops(desk: &Desk) -> bool {
    let drops = desk.settings().on_hold_edits == OnHoldEdits::Drop;
    (drops || desk.settings().is_planted(Planted::DropsKeptEdits))
        && !desk.settings().is_planted(Planted::KeepsDroppedEdits)
}

/// What a planted bug makes of a move.
fn planted_move(desk: &Desk, ask: Move) -> Move {
    let broken = |defect| desk.settings().is_planted(defect);
    match ask {
        Move::Hold if broken(Planted::AcceptsAtOnce) => Move::Accept,
        Move::Accept if broken(Planted::SendsBeforeAccepting) => Move::Live,
        Move::Activate if broken(Planted::StaysOnHold) => Move::LocalHold,
        Move::Decline if broken(Planted::NeverDeclines) => Move::Hold,
        Move::CloseDifferently(ending) if broken(Planted::LeavesClosedApart) => Move::Closed(ending),
        Move::CloseOpportunity(_) if broken(Planted::LeavesOpportunityOpen) => Move::Reopened,
        Move::CloseOpportunity(Ending::Lost) if broken(Planted::LeavesLostOpen) => Move::Closed(Ending::Lost),
        Move::Hold
        | Move::Live
        | Move::Accept
        | Move::Decline
        | Move::Activate
        | Move::LocalHold
        | Move::CloseReferral(_)
        | Move::CloseOpportunity(_)
        | Move::CloseDifferently(_)
        | Move::Reopened
        | Move::Closed(_) => ask,
    }
}

async fn act(desk: &Desk, deal: DealNumber, pair: Pair, seen: &mut Seen) -> Result<Step, Trouble> {
    let Some(pair) = let_through(desk, deal, pair)? else {
        return Ok(Step::Done);
    };
    if leaves_hold(desk, deal, &pair) && drops(desk) && to_crm::drop_edits(desk, deal, &pair).await? {
        return Ok(Step::Again);
    }
    match pair.ask {
        Move::Accept => {
            to_pc::accept(desk, deal, &pair.referral).await?;
            return Ok(Step::Again);
        }
        Move::Decline => {
            to_pc::decline(desk, deal, &pair.referral).await?;
            return Ok(Step::Again);
        }
        Move::CloseDifferently(_) => {
            desk.say(
                &desk.record(deal),
                "conflict.closed",
                None,
                "both sides closed the deal, differently",
            );
            // From here on an open opportunity is no longer one that a person opened again.
            desk.change(deal, |record| record.base.status = None);
            if crm::reopen(desk, &pair.row).await? {
                return Ok(Step::Again);
            }
        }
        Move::Reopened if desk.settings().is_planted(Planted::OpensClosedAgain) => {
            to_pc::accept(desk, deal, &pair.referral).await?;
        }
        Move::Reopened => {
            let detail = "the opportunity was opened again; the referral stays closed";
            if desk.say_once(deal, "reopen.ignored", None, detail) {
                owe(
                    desk,
                    deal,
                    Way::CrmToPc,
                    "refused: the deal is closed in Partner Center",
                );
            }
        }
        Move::LocalHold => {
            desk.say_once(deal, "hold.local", None, "a live deal was put on hold in the CRM");
        }
        Move::Hold
        | Move::Live
        | Move::Activate
        | Move::CloseReferral(_)
        | Move::CloseOpportunity(_)
        | Move::Closed(_) => {}
    }
    write(desk, deal, pair, seen).await
}

/// Whether the deal leaves on-hold with this step: what was edited there may have to be dropped before it does, also where it was
/// accepted on one side and closed on the other before anybody looked.
fn leaves_hold(desk: &Desk, deal: DealNumber, pair: &Pair) -> bool {
    match pair.ask {
        Move::Accept | Move::Activate => true,
        Move::CloseReferral(_) => desk.record(deal).base.status == Some(Agreed::New),
        Move::Hold
        | Move::Live
        | Move::Decline
        | Move::LocalHold
        | Move::CloseOpportunity(_)
        | Move::CloseDifferently(_)
        | Move::Reopened
        | Move::Closed(_) => false,
    }
}

/// What the flows let the states of both sides ask for. An accept that may not leave keeps the deal on hold; any other move waits
/// with everything else.
fn let_through(desk: &Desk, deal: DealNumber, mut pair: Pair) -> Result<Option<Pair>, Trouble> {
    let (flow, what) = match pair.ask {
        Move::Accept | Move::Decline | Move::CloseReferral(_) => {
            (Flow::OpportunityToPc, "the opportunity was moved to another stage")
        }
        Move::Activate | Move::CloseOpportunity(_) | Move::CloseDifferently(_) => {
            (Flow::PcToCrm, "the referral came to another status")
        }
        Move::Hold | Move::Live | Move::LocalHold | Move::Reopened | Move::Closed(_) => return Ok(Some(pair)),
    };
    if desk.lane(deal, flow, what)? {
        return Ok(Some(pair));
    }
    if pair.ask == Move::Accept && pair.row.state == OpportunityState::Open {
        pair.ask = Move::Hold;
        return Ok(Some(pair));
    }
    Ok(None)
}

/// Takes out of a merge what flows that are off keep back; whether what goes to Partner Center is let through.
fn hold_back(desk: &Desk, deal: DealNumber, pair: &Pair, merged: &mut Merged) -> Result<bool, Trouble> {
    let live = pair.ask == Move::Live;
    let shares =
        live && (pair.row.help.is_some() && pair.referral.help.is_none() || pair.row.visible && !pair.referral.visible);
    let mut kept: Vec<Field> = Vec::new();
    let mut open = true;
    if (shares || !merged.to_pc.is_empty()) && !desk.lane(deal, Flow::OpportunityToPc, "the opportunity was changed")? {
        kept.extend(merged.to_pc.drain(..).map(|(field, _)| field));
        open = false;
    }
    if !merged.to_crm.is_empty() && !desk.lane(deal, Flow::PcToCrm, "the referral was changed")? {
        kept.extend(merged.to_crm.drain(..).map(|(field, _)| field));
    }
    merged.choices.retain(|choice| !kept.contains(&choice.field));
    Ok(open)
}

/// Notes an audit line that the next write to the opportunity carries.
fn owe(desk: &Desk, deal: DealNumber, way: Way, what: &str) {
    let line = audit::line(desk.now(), way, what);
    desk.change(deal, |record| record.owed.push(line));
}

/// Merges, writes to Partner Center, then to the CRM.
async fn write(desk: &Desk, deal: DealNumber, pair: Pair, seen: &mut Seen) -> Result<Step, Trouble> {
    let mut merged = merge_pair(desk, &desk.record(deal), &pair);
    let open = pair.ask == Move::Live;
    let open = hold_back(desk, deal, &pair, &mut merged)? && open;
    let stuck = leave_out(desk, deal, &mut merged);
    announce(desk, deal, &merged);
    let mut pieces = help_needs(desk, &pair, open).await?;
    let pair = to_pc::write(desk, deal, pair, &merged, (open, open && pieces.is_empty())).await?;
    let pair = solutions::carry(desk, deal, pair, seen.causes, &mut pieces).await?;
    seen.causes.solutions = false;
    seen.referral = Some(pair.referral.etag.clone());
    let record = desk.record(deal);
    // An invitation carries what the CRM says: not while that is held back.
    if record.invite
        && pair.ask == Move::Live
        && pair.referral.state == ReferralState::Active
        && let Some(help) = pair.referral.help
        && desk.lane(deal, Flow::CreateReferral, "Microsoft's invitation")?
    {
        let invitation = invite(desk, deal, &pair.referral, &pair.row, help);
        desk.in_child(Some(deal), Flow::CreateReferral, invitation).await?;
    }
    if must_reopen_to_link(desk, &pair.row) {
        let detail = "the opportunity is opened and closed again, to take the referral's identifier";
        desk.say(&desk.record(deal), "link.reopened", None, detail);
        desk.change(deal, |record| record.base.status = None);
        crm::reopen(desk, &pair.row).await?;
        return Ok(Step::Again);
    }
    let failing = !pieces.is_empty() || stuck.is_some();
    let planted_stale = desk.settings().is_planted(Planted::BaseStaysBehind);
    let written = to_crm::write(desk, deal, &pair, &merged, (seen.causes.whole, failing)).await?;
    desk.change(deal, |record| {
        let moved = !planted_stale;
        for (field, value) in merged.agreed.iter().chain(merged.to_crm.iter().filter(|_| moved)) {
            record.base.agree(*field, value.clone());
        }
        record.base.status = agreed(pair.ask, record.base.status);
        if !failing {
            record.outcome = Outcome::Succeeded;
        }
        record.writing = None;
        record.furnish = false;
    });
    seen.opportunity = Some(written.digest());
    if !pieces.is_empty() {
        return Err(Trouble::Incomplete { pieces });
    }
    if let Some(stuck) = stuck {
        return Err(stuck);
    }
    // What the CRM edited on hold is looked at again now that it is not on hold any more.
    Ok(if pair.ask == Move::Activate {
        Step::Again
    } else {
        Step::Done
    })
}

/// What is missing before Microsoft can be asked for the help that the CRM chose later. Everything else goes on without.
async fn help_needs(desk: &Desk, pair: &Pair, open: bool) -> Result<Vec<(&'static str, &'static str)>, Trouble> {
    if !open || pair.row.help.is_none() || pair.referral.help.is_some() {
        return Ok(Vec::new());
    }
    let around = crm::surroundings(desk, &pair.row.id).await?;
    Ok(missing(&pair.row, &around))
}

/// Whether the identifier can only be written to an opportunity that is opened for it.
fn must_reopen_to_link(desk: &Desk, row: &Opportunity) -> bool {
    let locked = matches!(row.state, OpportunityState::Closed(_)) && !crm::writes_closed(desk);
    locked && row.referral.is_none() && desk.settings().reopen_to_link
}

fn merge_pair(desk: &Desk, record: &Record, pair: &Pair) -> Merged {
    let settings = desk.settings();
    let gate = match pair.ask {
        Move::Hold if settings.is_planted(Planted::SendsWhileOnHold) => Gate::Open,
        Move::Hold | Move::LocalHold | Move::Activate => Gate::Held,
        Move::Live | Move::Accept => Gate::Open,
        Move::CloseReferral(_) => Gate::OpportunityClosed,
        Move::CloseOpportunity(_) => Gate::ReferralClosed,
        Move::Closed(_) if settings.is_planted(Planted::UpdatesClosedDeals) => Gate::Open,
        Move::Closed(_) | Move::CloseDifferently(_) | Move::Reopened | Move::Decline => Gate::Shut,
    };
    // Blind to edits of the CRM: its values count as agreed.
    let blind = Base::of(&pair.row.values, record.base.status);
    let sides = Sides {
        pc: &pair.referral.values,
        crm: &pair.row.values,
        base: if settings.is_planted(Planted::OverwritesTheCrm)
            || (gate == Gate::Held && settings.is_planted(Planted::OverwritesOnHold))
        {
            &blind
        } else {
            &record.base
        },
        pc_changed: pair.referral.updated,
        crm_changed: pair.row.modified,
        gate,
    };
    let fields = Field::ALL.into_iter();
    let fields =
        fields.filter(|field| *field != Field::ClosingDate || !settings.is_planted(Planted::IgnoresClosingDate));
    let fields = fields.filter(|field| *field != Field::Notes || !settings.is_planted(Planted::IgnoresNotes));
    let fields = fields.filter(|field| *field != Field::Currency || !settings.is_planted(Planted::IgnoresCurrency));
    let fields = fields.filter(|field| *field != Field::Name || !settings.is_planted(Planted::IgnoresNames));
    merge(
        sides,
        fields,
        |field| {
            if settings.is_planted(Planted::GoesBothWays) {
                return Direction::Both;
            }
            settings.direction(field)
        },
        |field| {
            let policy = settings.policy(field);
            if settings.is_planted(Planted::PartnerCenterAlwaysWins) {
                return Policy::PcWins;
            }
            if settings.is_planted(Planted::LoserWins) {
                return policy.opposite();
            }
            policy
        },
    )
}

/// Records the choices; what stands for long is said once, and what was refused is owed to Audit.
fn announce(desk: &Desk, deal: DealNumber, merged: &Merged) {
    for choice in &merged.choices {
        let field = Some(choice.field.name());
        match choice.code {
            "by_design.local_edit" => {
                desk.say_once(deal, choice.code, field, &choice.detail);
            }
            "late_edit.closed" => {
                if desk.say_once(deal, choice.code, field, &choice.detail) {
                    let what = format!("refused: the deal is closed ({})", choice.field.name());
                    owe(desk, deal, Way::CrmToPc, &what);
                }
            }
            code => desk.say(&desk.record(deal), code, field, choice.detail.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_compared_as_their_systems_mean_them() {
        assert!(is_same_id("AB-1", "ab-1"));
        assert!(is_same_id("0067e00000RmwSW", "0067e00000RmwSWAAZ"));
        assert!(!is_same_id("0067e00000RmwSX", "0067e00000RmwSWAAZ"));
    }
}
