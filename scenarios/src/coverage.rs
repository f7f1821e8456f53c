//! Which behaviour a set of runs exercised, and which it never did (product.md H15).
//!
//! It reads plans and traces. Areas with a closed list of cells count towards the share; the others only list what was
//! seen. It says nothing about right and wrong.

#![expect(clippy::wildcard_enum_match_arm, reason = "reads few of the many kinds of entries")]

use std::collections::BTreeMap;

use cosell_sim::happening::{Commit, CommitKind};
use cosell_sim::network::wire::WireResponse;
use cosell_sim::site::Site;
use cosell_sim::world::observation::{Leg, Observed};
use serde::Serialize;
use serde_json::Value;

use crate::board::{Board, CONNECTOR};
use crate::plan::Plan;
use crate::record::{Field, Standing, is_microsoft_side};
use crate::scenario::Scenario;
use crate::trace::{Trace, What};
use cells::{cells_of, why_empty};

/// The closed lists.
mod cells;

/// What is covered, in the order in which reports list it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Area {
    /// The named flows of the solution that ran.
    Flows,
    /// The fields that the connector wrote, by direction.
    Fields,
    /// How a referral went from state to state.
    Referrals,
    /// How an opportunity went from state to state.
    Opportunities,
    /// The coded choices of the connector.
    Decisions,
    /// The steps of the language.
    Steps,
    /// The settings of the connector that were written.
    Settings,
    /// What was written of the simulators, and of what is there before the start.
    World,
    /// What happened to exchanges and webhooks on their way.
    Faults,
    /// The error codes that the systems answered.
    Errors,
}

impl Area {
    /// Every area.
    pub const ALL: [Self; 10] = [
        Self::Flows,
        Self::Fields,
        Self::Referrals,
        Self::Opportunities,
        Self::Decisions,
        Self::Steps,
        Self::Settings,
        Self::World,
        Self::Faults,
        Self::Errors,
    ];

    /// The name that reports use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Flows => "flows",
            Self::Fields => "fields",
            Self::Referrals => "referral transitions",
            Self::Opportunities => "opportunity transitions",
            Self::Decisions => "decisions",
            Self::Steps => "steps",
            Self::Settings => "settings",
            Self::World => "world",
            Self::Faults => "faults",
            Self::Errors => "errors",
        }
    }

    /// Whether the list of its cells is closed.
    pub fn is_closed(self) -> bool {
        !matches!(self, Self::Errors)
    }
}

/// Counts of cells, by area.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    cells: BTreeMap<Area, BTreeMap<String, u64>>,
}

/// One area in a report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Covered {
    /// Which.
    pub area: &'static str,
    /// Cells that were reached; for an open area, all that were seen.
    pub reached: usize,
    /// Cells that there are; `None` where nobody knows.
    pub cells: Option<usize>,
    /// How often each cell was reached.
    pub counts: BTreeMap<String, u64>,
    /// The cells that were not, each with the reason when one is known.
    pub empty: BTreeMap<String, Option<&'static str>>,
}

impl Coverage {
    /// Takes in what a run did.
    pub fn add(&mut self, scenario: &Scenario, plan: &Plan, trace: &Trace) {
        let read = scenario.read.iter();
        for (_, verb) in read.filter(|(only, _)| only.is_none_or(|only| only == plan.crm)) {
            self.count(Area::Steps, verb);
        }
        for (area, cell) in cells::written(scenario) {
            self.count(area, &cell);
        }
        let mut board = Board::new(&trace.header);
        for entry in &trace.entries {
            let before = match &entry.what {
                What::Observed(Observed::Committed { commit, .. }) => state(&board, commit),
                _ => None,
            };
            board.apply(entry);
            match &entry.what {
                What::Decided(decided) => self.count(Area::Decisions, &decided.code),
                What::FlowRuns { counts } => {
                    for (flow, count) in counts {
                        *self.cell(Area::Flows, flow) += count;
                    }
                }
                What::Observed(Observed::Committed { commit, .. }) => self.commit(&board, commit, before),
                What::Observed(observed) => self.observed(observed),
                _ => {}
            }
        }
    }

    /// Takes in what other runs did.
    pub fn merge(&mut self, other: &Self) {
        for (area, cells) in &other.cells {
            for (cell, count) in cells {
                *self.cell(*area, cell) += count;
            }
        }
    }

    /// Every area, with what was reached and what was not.
    pub fn areas(&self) -> Vec<Covered> {
        let nothing = BTreeMap::new();
        let mut areas = Vec::new();
        for area in Area::ALL {
            let counts = self.cells.get(&area).unwrap_or(&nothing);
            let known = cells_of(area);
            let empty = known.iter().filter(|cell| !counts.contains_key(cell.as_str()));
            areas.push(Covered {
                area: area.name(),
                reached: counts.len(),
                // What was reached beyond the list is part of it: the list is a promise, not a cage.
                cells: area
                    .is_closed()
                    .then(|| known.len() + counts.keys().filter(|cell| !known.contains(cell)).count()),
                counts: counts.clone(),
                empty: empty.map(|cell| (cell.clone(), why_empty(cell))).collect(),
            });
        }
        areas
    }

    /// The share of cells that were reached, in percent, over the areas with a closed list. Cells with a stated reason
    /// for being empty do not count.
    pub fn percent(&self) -> f64 {
        let (mut reached, mut cells) = (0, 0);
        for area in self.areas().iter().filter(|area| area.cells.is_some()) {
            reached += area.reached;
            cells += area.reached + area.empty.values().filter(|why| why.is_none()).count();
        }
        #[expect(clippy::cast_precision_loss, reason = "a few hundred cells")]
        let share = reached as f64 / cells.max(1) as f64;
        share * 100.0
    }

    fn cell(&mut self, area: Area, cell: &str) -> &mut u64 {
        self.cells.entry(area).or_default().entry(cell.to_owned()).or_default()
    }

    fn count(&mut self, area: Area, cell: &str) {
        *self.cell(area, cell) += 1;
    }

    fn observed(&mut self, observed: &Observed) {
        match observed {
            Observed::Handled { response, .. } if response.status >= 400 => {
                self.count(Area::Errors, &error_of(response));
            }
            Observed::Lost { leg: Leg::Request, .. } => self.count(Area::Faults, "request lost"),
            Observed::Lost { leg: Leg::Reply, .. } => self.count(Area::Faults, "reply lost"),
            Observed::Faulted { fate, .. } if fate.starts_with("delay") => self.count(Area::Faults, "delayed"),
            Observed::Faulted { fate, .. } if fate.starts_with("answer") => {
                self.count(Area::Faults, "answered on the way");
            }
            Observed::Duplicated { exchange: Some(_), .. } => self.count(Area::Faults, "duplicated"),
            Observed::Duplicated { .. } => self.count(Area::Faults, "webhook repeated"),
            Observed::Delivered { status: None, .. } => self.count(Area::Faults, "webhook lost"),
            Observed::DeliveryAbandoned { .. } => self.count(Area::Faults, "webhook given up"),
            Observed::ConnectorDown => self.count(Area::Faults, "connector stopped"),
            _ => {}
        }
    }

    fn commit(&mut self, board: &Board, commit: &Commit, before: Option<String>) {
        if let Some(after) = state(board, commit) {
            let area = if commit.site == Site::PartnerCenter {
                Area::Referrals
            } else {
                Area::Opportunities
            };
            match before {
                None => self.count(area, &format!("created {after}")),
                Some(before) if before != after => self.count(area, &transition(area, &before, &after)),
                Some(_) => {}
            }
        }
        if commit.actor != CONNECTOR || commit.kind == CommitKind::Deleted {
            return;
        }
        for field in Field::ALL {
            let (wanted, direction) = match commit.site {
                Site::PartnerCenter if commit.table == "referral" => (field.pointer(), "crm to pc"),
                site if site == board.book.crm().site() && commit.table == board.book.crm().opportunities() => {
                    (board.book.column(field), "pc to crm")
                }
                _ => return,
            };
            let verb = if commit.kind == CommitKind::Created {
                "created"
            } else {
                "updated"
            };
            if commit.changes.iter().any(|change| change.field == wanted) {
                self.count(Area::Fields, &format!("{} {direction}, {verb}", field.name()));
            }
        }
    }
}

/// Where a record of a deal stands; `None` for what is no deal.
fn state(board: &Board, commit: &Commit) -> Option<String> {
    if let Some(referral) = board.book.referrals.get(&commit.id) {
        let shown = format!("{}/{}", referral.text("/status"), referral.text("/substatus"));
        return (!is_microsoft_side(referral)).then_some(shown);
    }
    let opportunity = board.book.opportunities.get(&commit.id)?;
    Some(
        match board.book.crm_standing(opportunity) {
            Standing::Held => "on hold",
            Standing::Open => "open",
            Standing::Won => "won",
            Standing::Lost => "lost",
        }
        .to_owned(),
    )
}

fn transition(area: Area, before: &str, after: &str) -> String {
    match (area, before, after) {
        (Area::Opportunities, "won" | "lost", "open" | "on hold") => "closed to open".to_owned(),
        _ => format!("{before} to {after}"),
    }
}

/// The vendor's own code of an error, behind its status.
fn error_of(response: &WireResponse) -> String {
    let body = response.body.json().unwrap_or(Value::Null);
    let code = [
        &body["error"]["code"],
        &body["code"],
        &body[0]["errorCode"],
        &body["error"],
        &body["error_codes"][0],
    ]
    .into_iter()
    .find_map(|code| {
        code.as_str()
            .map(str::to_owned)
            .or_else(|| code.as_i64().map(|code| code.to_string()))
    });
    format!("{} {}", response.status, code.unwrap_or_default())
        .trim_end()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::cells::WHY_EMPTY;
    use super::*;
    use crate::scenario::Crm;
    use crate::scenario::file::parse;
    use crate::simulate::{self, Options};

    fn covered(text: &str) -> Coverage {
        let scenario = parse("covered.yaml", text).expect("a scenario in order");
        let plan = Plan::of(&scenario, Crm::Dynamics, None);
        let trace = simulate::run(&plan, &Options::default()).expect("it can be run");
        let mut coverage = Coverage::default();
        coverage.add(&scenario, &plan, &trace);
        coverage
    }

    const DEAL: &str =
        "title: A deal\nsettings: {profile: documented-2023}\nsteps:\n  - microsoft shares: {deal: D1}\n  - settle\n";

    #[test]
    fn a_run_covers_what_it_did_and_nothing_else() {
        let areas = covered(DEAL).areas();
        let cell = |area: &str, cell: &str| {
            let found = areas.iter().find(|covered| covered.area == area).expect("an area");
            found.counts.get(cell).copied().unwrap_or(0)
        };
        assert_eq!(cell("referral transitions", "created New/Pending"), 1);
        assert_eq!(cell("opportunity transitions", "created on hold"), 1);
        assert_eq!(cell("opportunity transitions", "on hold to open"), 0);
        assert_eq!(cell("decisions", "create.opportunity"), 1);
        assert_eq!(cell("fields", "value pc to crm, created"), 1);
        assert_eq!(cell("settings", "profile"), 1);
        assert_eq!(cell("steps", "settle"), 1);
        assert!(cell("flows", "pc to crm") >= 1);
    }

    #[test]
    fn the_share_grows_with_what_runs_do_and_reasons_do_not_count_against_it() {
        let one = covered(DEAL);
        let mut both = one.clone();
        both.merge(&covered(&format!(
            "{DEAL}  - seller moves: {{deal: D1, to: active}}\n  - settle\n"
        )));
        assert!(both.percent() > one.percent() && one.percent() > 1.0 && both.percent() < 100.0);
        let decisions = &one.areas()[4];
        assert_eq!(decisions.empty["bound.pages"], why_empty("bound.pages"));
        assert!(decisions.empty["bound.pages"].is_some() && decisions.empty["accept"].is_none());
    }

    #[test]
    fn every_reason_is_for_a_cell_that_there_is() {
        let known: Vec<String> = Area::ALL.iter().flat_map(|area| cells_of(*area)).collect();
        for (cell, _) in WHY_EMPTY {
            assert!(known.iter().any(|known| known == cell), "{cell}");
        }
    }
}
