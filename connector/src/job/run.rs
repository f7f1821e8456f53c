//! One run of one deal, and what becomes of its failures: later, never until something changes, or said to a person.

use jiff::{SignedDuration, Timestamp};

use super::create_in_crm::create_in_crm;
use super::create_in_pc::create_in_pc;
use super::crm;
use super::desk::{Desk, Trouble};
use super::flows::ending;
use super::step::{Seen, Step};
use super::sync_linked::sync_linked;
use crate::board::{Started, due_key};
use crate::contract::System;
use crate::deal::{OpportunityState, canon, mark};
use crate::id::DealNumber;
use crate::planted::Planted;
use crate::record::Outcome;
use crate::sync::audit::{self, Way};
use crate::sync::backoff;
use crate::system::opportunity::Change;

/// How often a run looks again because somebody else was faster.
const MOST_RACES: u32 = 5;
/// How often a run looks again at all.
const MOST_ROUNDS: u32 = 20;

/// Runs a deal to its end.
pub(crate) async fn run(desk: Desk, started: Started) {
    let deal = started.deal;
    let mut seen = Seen {
        causes: started.causes,
        ..Seen::default()
    };
    desk.begin_run(&started);
    let result = rounds(&desk, deal, &mut seen).await;
    let ending = ending(&result);
    let again = match result {
        Ok(()) => {
            remember(&desk, deal, &seen);
            None
        }
        Err(trouble) => conclude(&desk, deal, started.failures, trouble, &seen).await,
    };
    desk.end_run(ending);
    let over = desk.board().finish(started, again);
    if over {
        desk.engine().persist(due_key(deal), None);
    }
}

async fn rounds(desk: &Desk, deal: DealNumber, seen: &mut Seen) -> Result<(), Trouble> {
    let mut races = 0;
    for _ in 0..MOST_ROUNDS {
        // Boxed: a step holds every call that it may make.
        match Box::pin(step(desk, deal, seen)).await {
            Ok(Step::Done) => return Ok(()),
            Ok(Step::Again) => {}
            // A write to a record that is gone is found out by reading it.
            Err(Trouble::Raced | Trouble::Conflict | Trouble::Missing) if races < MOST_RACES => races += 1,
            Err(Trouble::Raced | Trouble::Conflict | Trouble::Missing) => {
                return Err(passing("others keep changing the record"));
            }
            Err(trouble) => return Err(trouble),
        }
        seen.causes = seen.causes.again();
    }
    desk.say(
        &desk.record(deal),
        "bound.rounds",
        None,
        "the run looked again too often",
    );
    Err(passing("the run looked again too often"))
}

fn passing(why: &str) -> Trouble {
    Trouble::Passing {
        why: why.to_owned(),
        until: None,
        unknown: false,
    }
}

async fn step(desk: &Desk, deal: DealNumber, seen: &mut Seen) -> Result<Step, Trouble> {
    let record = desk.record(deal);
    match (&record.referral, &record.opportunity) {
        (Some(referral), Some(opportunity)) => sync_linked(desk, deal, (referral, opportunity), seen).await,
        (Some(referral), None) => create_in_crm(desk, deal, referral, seen).await,
        (None, Some(opportunity)) => create_in_pc(desk, deal, opportunity, seen).await,
        (None, None) => Ok(Step::Done),
    }
}

/// Remembers what was seen, so that its echo is known.
fn remember(desk: &Desk, deal: DealNumber, seen: &Seen) {
    if desk.board().record(deal).is_none() {
        return;
    }
    desk.change(deal, |record| {
        record.seen_referral = seen.referral.clone().or(record.seen_referral.take());
        record.seen_opportunity = seen.opportunity.or(record.seen_opportunity);
    });
}

/// What becomes of a failed run: when it is tried again, if it is.
async fn conclude(desk: &Desk, deal: DealNumber, failures: u32, trouble: Trouble, seen: &Seen) -> Option<Timestamp> {
    let later = |until: Option<Timestamp>| {
        let pause = backoff::pause(failures + 1, longest(desk), desk.engine().chance());
        let soonest = canon::after(desk.now(), pause);
        Some(until.map_or(soonest, |until| until.max(soonest)))
    };
    let (lines, way, outcome) = match trouble {
        Trouble::Passing { why, until, .. } => {
            desk.say(&desk.record(deal), "run.later", None, why);
            return later(until).filter(|_| !gives_up(desk, failures));
        }
        Trouble::Raced | Trouble::Conflict | Trouble::Missing => return later(None),
        Trouble::Off { .. } => {
            remember(desk, deal, seen);
            return None;
        }
        Trouble::Denied { why } => {
            desk.say(&desk.record(deal), "run.denied", None, why.clone());
            // Where the CRM itself denies, nothing can be written; the report's own failure changes nothing.
            let _unwritten = report(
                desk,
                deal,
                &[format!("failed: {why}")],
                Way::CrmToPc,
                Outcome::Failed(why),
            )
            .await;
            let hammers = desk.settings().is_planted(Planted::HammersWhenDenied);
            let pause = if hammers {
                SignedDuration::ZERO
            } else {
                desk.settings().denied_pause
            };
            return Some(canon::after(desk.now(), pause));
        }
        Trouble::Refused { why, by } => {
            desk.say(&desk.record(deal), "run.refused", None, why.clone());
            let way = if by == Some(System::Crm) {
                Way::PcToCrm
            } else {
                Way::CrmToPc
            };
            (vec![format!("failed: {why}")], way, Outcome::Failed(why))
        }
        Trouble::Incomplete { pieces } => {
            for (code, text) in &pieces {
                desk.say_once(deal, code, None, text);
            }
            let lines = pieces.iter().map(|(_, text)| format!("failed: {text}")).collect();
            let codes: Vec<&str> = pieces.iter().map(|(code, _)| *code).collect();
            (lines, Way::CrmToPc, Outcome::Incomplete(codes.join(" ")))
        }
    };
    remember(desk, deal, seen);
    match report(desk, deal, &lines, way, outcome).await {
        Err(Trouble::Passing { until, .. }) => later(until),
        Err(Trouble::Raced | Trouble::Conflict | Trouble::Missing) => later(None),
        _ => None,
    }
}

/// The longest pause; none at all with a planted bug.
fn longest(desk: &Desk) -> SignedDuration {
    if desk.settings().is_planted(Planted::NoBackOff) {
        return SignedDuration::ZERO;
    }
    desk.settings().longest_backoff
}

/// Whether a planted bug makes it give up for good.
fn gives_up(desk: &Desk, failures: u32) -> bool {
    let settings = desk.settings();
    settings.is_planted(Planted::GivesUpAtOnce) || (failures >= 2 && settings.is_planted(Planted::GivesUpAfterThree))
}

/// Says a failure to a person: Audit and the cross, once for each distinct failure.
async fn report(desk: &Desk, deal: DealNumber, lines: &[String], way: Way, outcome: Outcome) -> Result<(), Trouble> {
    let record = desk.record(deal);
    let Some(id) = record.opportunity.clone() else {
        desk.change(deal, |record| record.outcome = outcome);
        return Ok(());
    };
    let Some(row) = read_trusted(desk, &id).await? else {
        return Ok(());
    };
    let closed = matches!(row.state, OpportunityState::Closed(_)) && !crm::writes_closed(desk);
    if !row.sync || closed {
        desk.change(deal, |record| record.outcome = outcome);
        return Ok(());
    }
    let mut change = Change::default();
    if record.outcome != outcome && !desk.settings().is_planted(Planted::NoAuditOfFailure) {
        let lines: Vec<String> = lines.iter().map(|what| audit::line(desk.now(), way, what)).collect();
        change.audit = audit::append(&row.audit, &lines, desk.settings().audit_limit);
    }
    if desk.settings().display_check_mark && !desk.settings().is_planted(Planted::NeverCrosses) {
        let marked = mark::put(&row.name, mark::CROSS, crm::longest_name(desk));
        change.name = (marked != row.name).then_some(marked);
    }
    if !change.is_empty() {
        crm::update(desk, &row, &change).await?;
    }
    let digest = row.with(&change).digest();
    desk.change(deal, |record| {
        record.outcome = outcome;
        record.seen_opportunity = Some(digest);
    });
    Ok(())
}

/// Reads an opportunity until its time can be trusted as a precondition.
async fn read_trusted(
    desk: &Desk,
    id: &crate::id::OpportunityId,
) -> Result<Option<crate::system::opportunity::Opportunity>, Trouble> {
    let mut over = None;
    for _ in 0..MOST_RACES {
        let clock = desk.clock_of(System::Crm);
        let Some(row) = crm::read(desk, id).await? else {
            return Ok(None);
        };
        if row.revision.is_trusted(clock) || row.revision.moment() == over {
            return Ok(Some(row));
        }
        over = row.revision.moment();
        crm::let_second_pass(desk).await;
    }
    Err(Trouble::Raced)
}
