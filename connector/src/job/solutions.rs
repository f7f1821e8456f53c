//! The flow *CRM Microsoft Solutions to Partner Center*: the CRM's list of solutions goes to the referral when it has changed there
//! (product.md M12). Partner Center's list comes to the CRM once, when the opportunity is made.
//!
//! A row that is added shows in the list of changed rows; one that is removed shows in Salesforce by the opportunity's count, and in
//! Dataverse when the opportunity is looked at for another reason.

use jiff::Timestamp;

use super::create_in_crm::ids;
use super::desk::{Desk, SOLUTIONS_CURSOR, Trouble};
use super::pair::Pair;
use super::{crm, pc};
use crate::board::Causes;
use crate::deal::canon;
use crate::flow::{Flow, Trigger};
use crate::id::DealNumber;
use crate::settings::CrmSettings;
use crate::sync::audit::{self, Way};
use crate::sync::status::Move;
use crate::system::partner_center::Patch;

/// How many pages one look reads.
const MOST_PAGES: usize = 10_000;

/// Carries the CRM's solutions of a live deal over, if they have changed there.
pub(super) async fn carry(desk: &Desk, deal: DealNumber, pair: Pair, causes: Causes) -> Result<Pair, Trouble> {
    if pair.ask != Move::Live || !desk.settings().profile.carries_solutions() {
        return Ok(pair);
    }
    let base = desk.record(deal).solutions;
    let counted = pair.row.solution_count;
    let told = causes.solutions || base.is_none();
    let same = match &desk.settings().crm {
        CrmSettings::Salesforce(_) => base.as_ref().map(Vec::len) == counted.or(base.as_ref().map(Vec::len)),
        CrmSettings::Dataverse(_) => !causes.whole,
    };
    if same && !told {
        return Ok(pair);
    }
    let solutions = crm::solutions(desk, &pair.row.id).await?;
    let (here, there) = (ids(&solutions), ids(&pair.referral.solutions));
    if base.as_ref() == Some(&here) {
        return Ok(pair);
    }
    if here == there {
        desk.change(deal, |record| record.solutions = Some(here));
        return Ok(pair);
    }
    if !desk.lane(deal, Flow::SolutionsToPc, "the solutions were changed")? {
        return Ok(pair);
    }
    if here.is_empty() {
        // A deal must have one; Salesforce switches Sync off by itself.
        return Err(Trouble::Incomplete {
            pieces: vec![("missing.solution", "Solution ID is required")],
        });
    }
    let mut patch = Patch::default();
    patch.solutions(&solutions);
    let mut pair = pair;
    let sent = pc::patch(desk, &pair.referral, &patch);
    pair.referral = desk.in_child(Some(deal), Flow::SolutionsToPc, sent).await?;
    let line = audit::line(desk.now(), Way::CrmToPc, &format!("solutions: {}", here.join(", ")));
    desk.say(&desk.record(deal), "solutions.sent", None, here.join(", "));
    desk.change(deal, |record| {
        record.solutions = Some(here);
        record.owed.push(line);
    });
    Ok(pair)
}

/// Looks for solution rows that were added since the last look.
pub(super) async fn poll(desk: &Desk) -> Result<(), Trouble> {
    if !desk.settings().profile.carries_solutions() {
        return Ok(());
    }
    let Some(cursor) = desk.cursor(SOLUTIONS_CURSOR) else {
        // What there is already goes with the deals that it belongs to.
        desk.move_cursor(SOLUTIONS_CURSOR, desk.now());
        return Ok(());
    };
    if desk.board().len() == 0 {
        return Ok(());
    }
    let since = canon::after(cursor, -desk.settings().overlap);
    let mut newest: Timestamp = cursor;
    let mut page = crm::changed_solutions(desk, since).await?;
    for _ in 0..MOST_PAGES {
        for row in page.rows.into_iter().flatten() {
            newest = newest.max(row.modified);
            let deal = desk.board().of_opportunity(&row.opportunity);
            let record = deal.map(|deal| desk.record(deal)).unwrap_or_default();
            let known = record
                .solutions
                .as_ref()
                .is_some_and(|known| known.contains(&row.solution));
            if let Some(deal) = deal.filter(|_| record.referral.is_some() && !known) {
                let what = format!("solution {} was added to opportunity {}", row.solution, row.opportunity);
                desk.trigger(
                    deal,
                    Flow::SolutionsToPc,
                    Causes::whole(Trigger::SolutionsChange),
                    &what,
                );
            }
        }
        let Some(next) = page.next else {
            break;
        };
        page = crm::next_solutions(desk, next).await?;
    }
    desk.move_cursor(SOLUTIONS_CURSOR, newest);
    Ok(())
}
