//! What the CRM changed: opportunities with Sync = Yes since the cursor, read again with overlap.
//!
//! A row that holds what the last run left there is an echo and is passed over.

use jiff::Timestamp;

use super::crm;
use super::desk::{CRM_CURSOR, Desk, Trouble};
use super::feed::Noticed;
use super::hook::later;
use super::solutions;
use crate::board::Causes;
use crate::contract::Reason;
use crate::deal::canon;
use crate::flow::{Flow, Trigger};
use crate::id::DealNumber;
use crate::planted::Planted;
use crate::record::Record;
use crate::system::opportunity::Opportunity;

/// How many pages one poll reads.
const MOST_PAGES: usize = 10_000;
/// How often a deal that lacks something is looked at with each poll before only the reconciliation does.
const QUICK_LOOKS: u32 = 5;

/// Polls for ever.
pub(crate) async fn poll(desk: Desk) {
    let mut failures = 0;
    loop {
        let (at, reason) = match poll_once(&desk).await {
            Ok(()) => {
                failures = 0;
                desk.was_read("crm");
                (canon::after(desk.now(), desk.settings().poll_interval), Reason::Poll)
            }
            Err(trouble) => {
                failures += 1;
                desk.say(&Record::default(), "poll.failed", None, trouble.to_string());
                (after_failure(&desk, failures, &trouble), Reason::Retry)
            }
        };
        desk.engine().sleep_until(at, reason).await;
    }
}

/// When a feed is read again after it failed.
pub(crate) fn after_failure(desk: &Desk, failures: u32, trouble: &Trouble) -> Timestamp {
    match trouble {
        Trouble::Passing { until, .. } => later(desk, failures, *until),
        Trouble::Raced | Trouble::Conflict | Trouble::Missing => later(desk, failures, None),
        Trouble::Denied { .. } | Trouble::Refused { .. } | Trouble::Off { .. } | Trouble::Incomplete { .. } => {
            canon::after(desk.now(), desk.settings().denied_pause)
        }
    }
}

async fn poll_once(desk: &Desk) -> Result<(), Trouble> {
    let cursor = desk.cursor(CRM_CURSOR);
    let since = cursor.map_or(Timestamp::UNIX_EPOCH, |cursor| {
        canon::after(cursor, -desk.settings().overlap)
    });
    let strict = cursor.filter(|_| desk.settings().is_planted(Planted::NoOverlap));
    let since = strict.map_or(since, |cursor| canon::after(cursor, jiff::SignedDuration::from_secs(1)));
    let mut newest = cursor;
    let mut page = crm::changed(desk, since).await?;
    for _ in 0..MOST_PAGES {
        let first = desk.settings().is_planted(Planted::FirstRowOnly);
        for row in page.rows.iter().take(if first { 1 } else { usize::MAX }) {
            match row {
                Ok(noticed) => {
                    newest = newest.max(Some(noticed.row.modified));
                    notice(desk, noticed);
                }
                Err(unreadable) => desk.say(&Record::default(), "poll.unreadable", None, unreadable.to_string()),
            }
        }
        let Some(next) = &page.next else {
            break;
        };
        page = crm::next_page(desk, next.clone()).await?;
    }
    if let Some(newest) = newest {
        let ahead = desk.settings().is_planted(Planted::CursorRunsAhead);
        let newest = if ahead {
            canon::after(desk.now(), desk.settings().poll_interval * 2)
        } else {
            newest
        };
        desk.move_cursor(CRM_CURSOR, newest);
    }
    solutions::poll(desk).await?;
    let incomplete = desk.board().look_again(QUICK_LOOKS);
    for deal in incomplete {
        desk.mark(deal, Causes::whole(Trigger::CrmChange));
    }
    Ok(())
}

/// Marks the deal of a row, unless the row is as the last run left it.
fn notice(desk: &Desk, Noticed { row, digest }: &Noticed) {
    let digest = *digest;
    let known = desk.board().of_opportunity(&row.id);
    let Some(deal) = known else {
        if let Some(deal) = new_deal(desk, row) {
            desk.trigger(
                deal,
                Flow::CrmToPc,
                Causes::whole(Trigger::CrmChange),
                &format!("opportunity {} is new", row.id),
            );
        }
        return;
    };
    if desk.settings().is_planted(Planted::EchoByTime) && desk.now().duration_since(row.modified).as_secs() < 60 {
        desk.change(deal, |record| record.seen_opportunity = Some(digest));
    }
    let seen = desk.board().record(deal).and_then(|record| record.seen_opportunity);
    if seen != Some(digest) || is_echo_taken_for_change(desk) {
        let linked = desk
            .board()
            .record(deal)
            .is_some_and(|record| record.referral.is_some());
        let flow = if linked { Flow::OpportunityToPc } else { Flow::CrmToPc };
        let what = format!("opportunity {} was changed ({digest:016x})", row.id);
        desk.trigger(deal, flow, Causes::whole(Trigger::CrmChange), &what);
    }
}

fn new_deal(desk: &Desk, row: &Opportunity) -> Option<DealNumber> {
    let of_referral = row.referral.as_ref().and_then(|id| {
        let board = desk.board();
        let deal = board.of_referral(id)?;
        // A deal that has its opportunity already does not get a second one.
        board.record(deal)?.opportunity.is_none().then_some(deal)
    });
    of_referral.or_else(|| {
        desk.add(Record {
            opportunity: Some(row.id.clone()),
            ..Record::default()
        })
    })
}

fn is_echo_taken_for_change(desk: &Desk) -> bool {
    desk.settings().is_planted(Planted::NoEchoCheck)
}
