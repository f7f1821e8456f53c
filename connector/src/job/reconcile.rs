//! What Partner Center changed: the list by time of change, newest first, down to the cursor minus overlap.
//!
//! It finds what webhooks have lost. A row whose eTag the last run left there is an echo and is passed over. A row that
//! moves to the front while the pages are read is newer than the cursor that is kept, and is found by the next pass.

use super::desk::{Desk, PC_CURSOR, Trouble};
use super::hook::deal_of;
use super::pc;
use super::poll::after_failure;
use crate::board::Causes;
use crate::contract::Reason;
use crate::deal::canon;
use crate::flow::{Flow, Trigger};
use crate::planted::Planted;
use crate::record::Record;
use crate::system::partner_center::Referral;

/// How many pages one pass reads.
const MOST_PAGES: usize = 10_000;

/// Reconciles for ever.
pub(crate) async fn reconcile(desk: Desk) {
    let mut failures = 0;
    loop {
        let (at, reason) = match reconcile_once(&desk).await {
            Ok(()) => {
                failures = 0;
                desk.was_read("partner center");
                (pause(&desk), Reason::Reconcile)
            }
            Err(trouble) => {
                failures += 1;
                desk.say(&Record::default(), "reconcile.failed", None, trouble.to_string());
                (after_failure(&desk, failures, &trouble), Reason::Retry)
            }
        };
        desk.engine().sleep_until(at, reason).await;
    }
}

/// When the next pass begins.
fn pause(desk: &Desk) -> jiff::Timestamp {
    let hurries = desk.settings().is_planted(Planted::ReconcilesWithoutPause);
    let pause = if hurries {
        jiff::SignedDuration::from_secs(1)
    } else {
        desk.settings().reconcile_interval
    };
    canon::after(desk.now(), pause)
}

/// One pass.
pub(crate) async fn reconcile_once(desk: &Desk) -> Result<(), Trouble> {
    let turn = desk.engine().turn("reconcile").await;
    let cursor = desk.cursor(PC_CURSOR);
    let oldest = cursor.map(|cursor| canon::after(cursor, -desk.settings().overlap));
    let mut page = pc::first_page(desk).await?;
    let mut newest = cursor;
    'pages: for _ in 0..MOST_PAGES {
        for row in &page.rows {
            let row = match row {
                Ok(row) => row,
                Err(unreadable) => {
                    desk.say(&Record::default(), "reconcile.unreadable", None, unreadable.to_string());
                    continue;
                }
            };
            if oldest.is_some_and(|oldest| row.updated < oldest) {
                break 'pages;
            }
            newest = newest.max(Some(row.updated));
            notice(desk, row);
        }
        let Some(next) = &page.next else {
            break;
        };
        page = pc::next_page(desk, next.clone()).await?;
    }
    if let Some(newest) = newest {
        let ahead = desk.settings().is_planted(Planted::PartnerCenterCursorRunsAhead);
        let newest = if ahead {
            canon::after(desk.now(), desk.settings().reconcile_interval * 2)
        } else {
            newest
        };
        desk.move_cursor(PC_CURSOR, newest);
    }
    let incomplete = desk.board().look_again(u32::MAX);
    for deal in incomplete {
        desk.mark(deal, Causes::whole(Trigger::Reconcile));
    }
    drop(turn);
    Ok(())
}

/// Microsoft's side of a deal whose webhook was missed.
fn notice_microsofts(desk: &Desk, row: &Referral) {
    let found = {
        let board = desk.board();
        let deal = board.of_engagement(&row.engagement);
        deal.and_then(|deal| {
            let record = board.record(deal)?;
            let seen = record.microsoft.as_ref().is_some_and(|side| side.etag == row.etag);
            (record.opportunity.is_some() && !seen).then_some(deal)
        })
    };
    if let Some(deal) = found {
        let what = format!("Microsoft's referral {} was changed ({})", row.id, row.etag);
        let causes = Causes::whole(Trigger::RelatedWebhook);
        desk.trigger(deal, Flow::MicrosoftUpdates, causes, &what);
    }
}

fn notice(desk: &Desk, row: &Referral) {
    if desk.settings().is_planted(Planted::TrustsWebhooksAlone) {
        return;
    }
    if row.is_microsofts {
        notice_microsofts(desk, row);
        return;
    }
    let seen = {
        let board = desk.board();
        let known = board.of_referral(&row.id).and_then(|deal| board.record(deal));
        known.is_some_and(|record| record.seen_referral.as_deref() == Some(row.etag.as_str()))
    };
    if seen {
        return;
    }
    if let Some(deal) = deal_of(desk, &row.id) {
        let what = format!("referral {} was changed ({})", row.id, row.etag);
        desk.trigger(deal, Flow::PcToCrm, Causes::referral(Trigger::Reconcile), &what);
    }
}
