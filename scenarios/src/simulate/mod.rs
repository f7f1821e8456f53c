//! Runs a plan: the world and the reference connector on one event queue, in virtual time.
//!
//! It decides nothing about right and wrong. It carries commands, moves the clock, lets people act, and writes the
//! trace.

#![expect(clippy::wildcard_enum_match_arm, reason = "what no machine does, a person does")]

use std::collections::{BTreeMap, BTreeSet};

use cosell_connector::flow::RunStatus;
use cosell_connector::{Connector, Memory};
use cosell_sim::world::World;
use jiff::{SignedDuration, Timestamp};

use crate::board::Board;
use crate::expectation::Past;
use crate::expectation::watching::{Moment, remembered};
use crate::hands::{self, Refused, Seller};
use crate::plan::{Plan, PlannedStep};
use crate::record::Columns;
use crate::scenario::act::{Act, Expectation, Watch};
use crate::scenario::settings::{self, OnHoldEdits, Winner};
use crate::setup;
use crate::simulate::people::Scene as _;
use crate::trace::{Entry, FORMAT, Header, Trace, What};

/// The event loop.
pub(crate) mod turns;
/// Time that passes.
mod settle;
/// What people do with the flows.
mod flows;
/// People's and Microsoft's steps.
pub(crate) mod people;
/// What is there before the start.
pub(crate) mod given;
/// What goes wrong with the connector itself.
mod faults;

/// How many rounds of settling are tried.
const SETTLE_ROUNDS: u32 = 200;

/// How long a round is: longer than any timer of a quiet connector, so that a round holds a poll and a reconcile.
const SETTLE_ROUND: SignedDuration = SignedDuration::from_mins(16);

/// How many entries a trace may hold before the run is cut off.
const ENTRIES_MAX: usize = 400_000;

/// How a plan is run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Stops and restarts the connector once, after it has issued so many commands.
    pub crash_after: Option<u64>,
    /// Carries each exchange over a real socket on loopback, in lock-step with virtual time.
    pub sockets: bool,
    /// Lets the simulators answer each request anew, even one that was answered before: the same run, only slower.
    pub forgetful: bool,
}

/// Why a plan could not be run at all: the harness or the settings are at fault, not the connector under test.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The connector refuses its settings.
    #[error("the connector refuses its settings: {0}")]
    Settings(String),
    /// The connector cannot be broken in the way that somebody asks for.
    #[error("{0}")]
    Planted(String),
    /// What a scenario gives cannot be made.
    #[error("what the scenario gives cannot be made: {0}")]
    Given(String),
    /// The sockets could not be opened.
    #[error("the sockets of the simulators could not be opened: {0}")]
    Sockets(#[source] std::io::Error),
    /// An external connector could not be started, or could not be told where the simulators are.
    #[error("{what}: {source}")]
    External {
        /// What was tried.
        what: String,
        /// What the machine said.
        source: std::io::Error,
    },
}

/// Runs a plan to its end.
pub fn run(plan: &Plan, options: &Options) -> Result<Trace, RunError> {
    let mut run = Run::new(plan, options)?;
    let rows = run.world.rows();
    run.record(What::Stored { rows });
    run.given()?;
    run.start_connector()?;
    run.pump();
    for (number, step) in plan.steps.iter().enumerate() {
        run.step(number, step)?;
        if run.cut_off {
            break;
        }
    }
    run.finish()?;
    Ok(Trace {
        header: header(plan),
        entries: run.entries,
    })
}

/// The trace of a run that its own scenario made impossible: one entry that says why. `None` when something else is at
/// fault.
pub fn never_began(plan: &Plan, error: &RunError) -> Option<Trace> {
    let part = match error {
        RunError::Settings(why) => setup::blamed(why),
        RunError::Given(_) => "given".to_owned(),
        RunError::Planted(_) | RunError::Sockets(_) | RunError::External { .. } => return None,
    };
    let at = cosell_sim::clock::START.parse().unwrap_or(Timestamp::UNIX_EPOCH);
    let why = error.to_string();
    let what = What::NeverBegan { part, why };
    Some(Trace {
        header: header(plan),
        entries: vec![Entry { at, what }],
    })
}

/// Room for the entries of a usual run: a long trace that grows is copied again and again.
fn room(plan: &Plan) -> usize {
    /// Three entries for each exchange, an exchange or less a minute while nothing happens.
    const A_MINUTE: i64 = 3;
    const LEAST: usize = 512;
    let minutes = plan.steps.iter().map(|step| match step.act {
        Act::Wait(lasts) => lasts.as_mins(),
        _ => 0,
    });
    let waits = usize::try_from(minutes.fold(0, i64::saturating_add).saturating_mul(A_MINUTE));
    waits.unwrap_or(ENTRIES_MAX).saturating_add(LEAST).min(ENTRIES_MAX)
}

pub(crate) fn header(plan: &Plan) -> Header {
    Header {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        title: plan.title.clone(),
        path: plan.path.clone(),
        crm: plan.crm,
        seed: plan.seed,
        on_hold_stage: plan.settings.on_hold_stage.clone(),
        profile: plan.settings.profile.name().to_owned(),
        display_check_mark: plan.settings.display_check_mark,
        sync_cosell_only: plan.settings.sync_cosell_only,
        planted: plan.planted.clone(),
        columns: Some(Columns::of(plan.crm, &plan.settings)),
        sources: BTreeMap::new(),
        conflicts: conflicts(plan),
        directions: directions(plan),
        drops_edits_on_hold: plan.settings.on_hold_edits == OnHoldEdits::Drop,
        external: false,
        recorded: false,
        options: String::new(),
        reasons: setup::reasons(plan),
        audit_limit: plan.settings.further.audit_limit,
    }
}

/// Which way fields go that do not go the profile's way.
fn directions(plan: &Plan) -> BTreeMap<String, String> {
    let named =
        |(field, goes): (&settings::Field, &settings::Direction)| (field.name().to_owned(), goes.name().to_owned());
    let mut directions: BTreeMap<String, String> = plan.settings.directions.iter().map(named).collect();
    if plan.settings.further.notes_are_description == Some(false) {
        directions.insert(
            settings::Field::Notes.name().to_owned(),
            settings::Direction::Never.name().to_owned(),
        );
    }
    directions
}

fn conflicts(plan: &Plan) -> BTreeMap<String, String> {
    let named = |(field, winner): (&settings::Field, &Winner)| (field.name().to_owned(), winner.name().to_owned());
    plan.settings.conflicts.iter().map(named).collect()
}

struct Run<'a> {
    plan: &'a Plan,
    world: World,
    connector: Option<Connector>,
    memory: Memory,
    entries: Vec<Entry>,
    board: Board,
    seller: Box<dyn Seller>,
    /// Commands until the crash that the options ask for.
    crash_in: Option<u64>,
    crash_due: bool,
    header: Header,
    past: Past,
    broken: faults::Broken,
    /// Why the run cannot go on.
    broke: Option<RunError>,
    /// Writes that left the connector in this round of settling, by exchange, without those that were refused for good.
    writes: BTreeSet<u64>,
    cut_off: bool,
    /// The runs of flows that are in the trace.
    flow_runs: BTreeSet<(u64, Timestamp)>,
}

impl<'a> Run<'a> {
    fn new(plan: &'a Plan, options: &Options) -> Result<Self, RunError> {
        let mut settings = setup::world(plan);
        settings.keeps_answers = !options.forgetful;
        let world = if options.sockets {
            World::on_sockets(settings).map_err(RunError::Sockets)?
        } else {
            World::new(settings)
        };
        let header = header(plan);
        Ok(Self {
            plan,
            world,
            connector: None,
            memory: Memory::default(),
            entries: Vec::with_capacity(room(plan)),
            board: Board::new(&header),
            header,
            past: Past::of(plan),
            broken: faults::Broken::default(),
            broke: None,
            seller: hands::seller(plan),
            crash_in: options.crash_after,
            crash_due: false,
            writes: BTreeSet::new(),
            cut_off: false,
            flow_runs: BTreeSet::new(),
        })
    }

    fn record(&mut self, what: What) {
        let at = self.world.now();
        self.record_at(at, what);
    }

    fn record_at(&mut self, at: Timestamp, what: What) {
        if self.cut_off {
            return;
        }
        let entry = Entry { at, what };
        self.board.apply(&entry);
        self.past.apply(&entry);
        self.entries.push(entry);
        if self.entries.len() >= ENTRIES_MAX {
            self.cut_off = true;
            let bound = format!("{ENTRIES_MAX} entries of the trace");
            self.entries.push(Entry {
                at,
                what: What::BoundHit { bound },
            });
        }
    }

    // The connector's process.

    fn start_connector(&mut self) -> Result<(), RunError> {
        if self.connector.is_some() {
            return Ok(());
        }
        let settings = setup::connector(self.plan, &self.world.ground().bases).map_err(RunError::Planted)?;
        let connector = Connector::new(settings, &self.memory, self.plan.seed, self.connectors_now())
            .map_err(|error| RunError::Settings(setup::in_words(&error.to_string())))?;
        self.connector = Some(connector);
        self.world.connector_down(false);
        Ok(())
    }

    fn stop_connector(&mut self) {
        self.note_flows();
        if self.connector.take().is_some() {
            self.world.connector_down(true);
        }
    }

    /// Records which flows ran. A process that starts again remembers runs that failed: those were counted before.
    fn note_flows(&mut self) {
        let mut counts = BTreeMap::new();
        for run in self.connector.iter().flat_map(Connector::runs) {
            if run.status != RunStatus::MetOff && self.flow_runs.insert((run.number, run.started)) {
                *counts.entry(run.flow.slug().replace('-', " ")).or_default() += 1;
            }
        }
        if !counts.is_empty() {
            self.record(What::FlowRuns { counts });
        }
    }

    // The steps.

    fn step(&mut self, number: usize, step: &PlannedStep) -> Result<(), RunError> {
        if step.act == Act::Nothing {
            return Ok(());
        }
        if step.act == Act::Expect(Expectation::Converged) {
            self.settle()?;
        }
        self.record(What::Step {
            step: number,
            verb: step.verb.clone(),
            deal: step.deal.clone(),
            detail: step.detail.clone(),
        });
        match &step.act {
            Act::Watch(how, expected) => self.watch(step.deal.as_deref(), *how, expected)?,
            Act::Remember { side, field, name } => {
                let deal = step.deal.as_deref().unwrap_or_default();
                let value = remembered(&self.board, deal, *side, field);
                self.past.remembered.extend(value.map(|value| (name.clone(), value)));
            }
            act => self.somebody_acts(number, step.deal.as_deref(), act)?,
        }
        self.pump();
        self.broke.take().map_or(Ok(()), Err)
    }

    /// Does what a machine or a person does.
    fn somebody_acts(&mut self, step: usize, deal: Option<&str>, act: &Act) -> Result<(), RunError> {
        if let Some(done) = self.machine_acts(step, deal.unwrap_or_default(), act) {
            return done;
        }
        let deal = deal.unwrap_or_default();
        let done = match act {
            Act::Flows(flows) => self.flows_step(deal, *flows),
            act => self.person_acts(deal, act),
        };
        if let Err(Refused { status, body }) = done {
            self.record(What::ActRefused { step, status, body });
        }
        Ok(())
    }

    /// Does what no person does; `None` when a person does it.
    fn machine_acts(&mut self, number: usize, deal: &str, act: &Act) -> Option<Result<(), RunError>> {
        Some(match act {
            Act::Wait(lasts) => self.wait(*lasts),
            Act::Settle => self.settle(),
            Act::Heal => self.heal(),
            Act::Fault(fault) => {
                let now = self.world.now();
                let columns = Columns::of(self.plan.crm, &self.plan.settings);
                for rule in setup::rules(fault, self.plan.crm, &columns, now) {
                    self.world.add_rule(rule);
                }
                Ok(())
            }
            Act::RestartConnector => {
                self.stop_connector();
                self.start_connector()
            }
            Act::StopConnector => {
                self.stop_connector();
                self.crash_due = false;
                Ok(())
            }
            Act::StartConnector => self.start_connector(),
            Act::Expect(_) | Act::Nothing => Ok(()),
            act if self.breaks(number, deal, act) => Ok(()),
            _ => return None,
        })
    }

    /// Time passes while something is looked at; where it only has to become so, no longer than needed.
    fn watch(&mut self, deal: Option<&str>, how: Watch, expected: &Expectation) -> Result<(), RunError> {
        let holds = |run: &Self| {
            let moment = Moment {
                header: &run.header,
                board: &run.board,
                past: &run.past,
                at: run.world.now(),
            };
            moment.holds(deal, expected)
        };
        match how {
            Watch::Within(time) => self.wait_until(time, holds),
            Watch::Eventually => self.settle_until(holds),
            Watch::Always(Some(time)) | Watch::Never(Some(time)) => self.wait(time),
            Watch::Always(None) | Watch::Never(None) => Ok(()),
        }
    }

    fn heal(&mut self) -> Result<(), RunError> {
        self.world.heal();
        self.repair_everything();
        self.start_connector()
    }

    /// Heals, settles, watches the quiet for one more round, and notes what is stored.
    fn finish(&mut self) -> Result<(), RunError> {
        self.heal()?;
        self.turn_all_flows_on();
        self.settle()?;
        if matches!(
            self.entries.last(),
            Some(Entry {
                what: What::Settled,
                ..
            })
        ) {
            self.wait(SETTLE_ROUND)?;
        }
        self.pump();
        self.note_flows();
        let rows = self.world.rows();
        self.record(What::Stored { rows });
        Ok(())
    }
}
