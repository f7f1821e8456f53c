//! The flow *CRM Microsoft Solutions to Partner Center*: the CRM's list of solutions goes to the referral when it has changed there
//! (product.md M12). Partner Center's list comes to the CRM once, when the opportunity is made.
//!
//! A row that is added shows in the list of changed rows; one that is removed shows in Salesforce by the opportunity's count, and in
//! Dataverse by change tracking (dataverse.md section 2.8). Where a Dataverse table is not tracked, it shows with the deal's next change.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::create_in_crm::ids;
use super::desk::{CRM_CURSOR, Desk, SOLUTIONS_CURSOR, Trouble};
use super::pair::Pair;
use super::{crm, pc};
use crate::board::Causes;
use crate::deal::canon;
use crate::flow::{Flow, Trigger};
use crate::id::{DealNumber, OpportunityId};
use crate::planted::Planted;
use crate::record::Record;
use crate::settings::{CrmSettings, DataverseSettings};
use crate::sync::audit::{self, Way};
use crate::sync::status::Move;
use crate::system::dataverse::{self, Tracked};
use crate::system::partner_center::Patch;

/// How many pages one look reads.
const MOST_PAGES: usize = 10_000;

/// Carries the CRM's solutions of a live deal over, if they have changed there. A list that became empty cannot be: that is
/// added to what is missing, and holds nothing else up.
pub(super) async fn carry(
    desk: &Desk,
    deal: DealNumber,
    pair: Pair,
    causes: Causes,
    missing: &mut Vec<(&'static str, &'static str)>,
) -> Result<Pair, Trouble> {
    let ignores = desk.settings().is_planted(Planted::IgnoresSolutions);
    if pair.ask != Move::Live || !desk.settings().profile.carries_solutions() || ignores {
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
    if desk.settings().is_planted(Planted::KeepsRemovedSolutions) && there.iter().any(|id| !here.contains(id)) {
        return Ok(pair);
    }
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
        let piece = ("missing.solution", "Solution ID is required");
        if !missing.contains(&piece) {
            missing.push(piece);
        }
        return Ok(pair);
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

/// Looks for solution rows that were added, and where the CRM tells it, removed since the last look.
pub(super) async fn poll(desk: &Desk) -> Result<(), Trouble> {
    if !desk.settings().profile.carries_solutions() {
        return Ok(());
    }
    if let CrmSettings::Dataverse(settings) = &desk.settings().crm
        && desk.board().len() > 0
        && !desk.solution_rows().untracked
    {
        return track(desk, settings).await;
    }
    let Some(cursor) = desk.cursor(SOLUTIONS_CURSOR) else {
        // What there is already goes with the deals that it belongs to: it is not newer than the newest of them, save what was added
        // since, which is read with the next pass. The CRM's own time, because the connector's clock may be wrong.
        if let Some(newest) = desk.cursor(CRM_CURSOR) {
            desk.move_cursor(SOLUTIONS_CURSOR, newest);
        }
        return Ok(());
    };
    if desk.board().len() == 0 {
        return Ok(());
    }
    let since = canon::after(cursor, -desk.settings().overlap);
    let mut newest: Timestamp = cursor;
    let mut page = crm::changed_solutions(desk, since).await?;
    for _ in 0..MOST_PAGES {
        for row in page.rows.iter().flatten() {
            newest = newest.max(row.modified);
            added(desk, &row.opportunity, &row.solution);
        }
        let Some(next) = &page.next else {
            break;
        };
        page = crm::next_solutions(desk, next.clone()).await?;
    }
    desk.move_cursor(SOLUTIONS_CURSOR, newest);
    Ok(())
}

/// A row is there: whether it is new to its deal.
fn added(desk: &Desk, opportunity: &OpportunityId, solution: &str) {
    let known = |record: &Record| {
        let known = record.solutions.as_ref();
        record.referral.is_none() || known.is_some_and(|known| known.iter().any(|id| id == solution))
    };
    let deal = desk.board().of_opportunity(opportunity);
    if let Some(deal) = deal.filter(|deal| !desk.board().record(*deal).is_none_or(known)) {
        changed(
            desk,
            deal,
            &format!("solution {solution} was added to opportunity {opportunity}"),
        );
    }
}

fn changed(desk: &Desk, deal: DealNumber, what: &str) {
    desk.trigger(deal, Flow::SolutionsToPc, Causes::whole(Trigger::SolutionsChange), what);
}

/// Follows the changes of Dataverse's rows: all of them once with each start, which also tells what was removed meanwhile, then what
/// was changed or deleted since.
async fn track(desk: &Desk, settings: &DataverseSettings) -> Result<(), Trouble> {
    let link = desk.solution_rows().link.clone();
    let first = link.is_none();
    let mut ask = link.map_or_else(|| dataverse::all_solutions(settings), dataverse::track);
    let mut seen: BTreeMap<OpportunityId, Vec<String>> = BTreeMap::new();
    for _ in 0..MOST_PAGES {
        let page = match crm::tracked_solutions(desk, settings, ask).await {
            Ok(page) => page,
            // The table is not tracked, or the link is too old: it lives for seven days.
            Err(Trouble::Refused { .. } | Trouble::Missing) => {
                let mut rows = desk.solution_rows();
                rows.forget();
                rows.untracked = first;
                return Ok(());
            }
            Err(other) => return Err(other),
        };
        for row in page.rows.into_iter().flatten() {
            follow(desk, row, first.then_some(&mut seen));
        }
        match (page.next, page.delta) {
            (Some(next), _) => ask = dataverse::track(next),
            (None, delta) => {
                desk.solution_rows().link = delta;
                break;
            }
        }
    }
    if first {
        compare(desk, &seen);
    }
    Ok(())
}

/// One row of what was changed. The first reading is compared as a whole.
fn follow(desk: &Desk, row: Tracked, first: Option<&mut BTreeMap<OpportunityId, Vec<String>>>) {
    match row {
        Tracked::Kept {
            row,
            opportunity,
            solution,
        } => {
            desk.solution_rows().note(&row, &opportunity);
            match first {
                Some(seen) => seen.entry(opportunity).or_default().push(solution),
                None => added(desk, &opportunity, &solution),
            }
        }
        Tracked::Deleted { row } => {
            let opportunity = desk.solution_rows().take(&row);
            let deal = opportunity.and_then(|id| Some((desk.board().of_opportunity(&id)?, id)));
            if let Some((deal, id)) = deal {
                changed(desk, deal, &format!("a solution was removed from opportunity {id}"));
            }
        }
    }
}

/// What was added or removed while nobody followed.
fn compare(desk: &Desk, seen: &BTreeMap<OpportunityId, Vec<String>>) {
    let differing: Vec<DealNumber> = {
        let board = desk.board();
        let differs = |deal: &DealNumber| {
            board.record(*deal).is_some_and(|record| {
                let (Some(id), Some(known), Some(_)) = (&record.opportunity, &record.solutions, &record.referral)
                else {
                    return false;
                };
                let mut now = seen.get(id).cloned().unwrap_or_default();
                now.sort_unstable();
                now.dedup();
                now != *known
            })
        };
        board.deals().filter(differs).collect()
    };
    for deal in differing {
        changed(desk, deal, "the solutions differ from those that were sent last");
    }
}
