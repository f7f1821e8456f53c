//! Runs a plan with somebody else's connector: the simulators on sockets, the wall clock, and a trace made of what both
//! sides and the calls show.
//!
//! It knows nothing of the connector but its calls. Time that a scenario spells is not waited for: a run goes on as soon as
//! both sides are quiet, and what is expected is asked again until it holds or the patience is over.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use bytes::Bytes;
use cosell_sim::ground::Ground;
use cosell_sim::identity::User;
use cosell_sim::network::hooks::HookSettings;
use cosell_sim::partner_center::{ActError, MicrosoftAct};
use cosell_sim::seed::Seed;
use cosell_sim::systems::SystemSettings;
use cosell_sim::transport::socket::{self, ServeClock, ServeSettings, Served};
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};

use crate::board::Board;
use crate::expectation::Past;
use crate::hands::{self, Screen, Seller};
use crate::plan::Plan;
use crate::ready;
use crate::scenario::Crm;
use crate::setup;
use crate::simulate::people::Scene;
use crate::simulate::{self, RunError, given};
use crate::trace::{Entry, Header, Trace, What};

/// What the servers tell, as a trace shows it.
mod news;
/// The connector's process.
mod process;
/// Time that passes until both sides are quiet.
mod quiet;
/// The steps of a scenario.
mod steps;
/// What goes wrong on purpose.
mod faults;
/// What cannot be done with somebody else's process.
mod limits;

use news::News;
use process::Process;

/// How a plan is run with somebody else's connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveOptions {
    /// The first of five ports in a row; free ones when there is none.
    pub port: Option<u16>,
    /// Where the connector reads how to reach the simulators.
    pub ready_file: Option<PathBuf>,
    /// Where webhooks go when the connector registers no URL itself.
    pub webhook: Option<String>,
    /// The command that starts the connector; whoever runs it starts it when there is none.
    pub command: Option<String>,
    /// Where the command's output is kept.
    pub log: Option<PathBuf>,
    /// How long nothing may be written on either side until a run goes on.
    pub quiet_for: SignedDuration,
    /// The longest that anything is waited for.
    pub patience: SignedDuration,
}

impl Default for LiveOptions {
    fn default() -> Self {
        Self {
            port: None,
            ready_file: None,
            webhook: None,
            command: None,
            log: None,
            quiet_for: SignedDuration::from_secs(3),
            patience: SignedDuration::from_secs(60),
        }
    }
}

impl LiveOptions {
    /// The options of the command line that ask for these.
    pub fn words(&self) -> String {
        let usual = Self::default();
        let path = |path: &PathBuf| path.display().to_string();
        let time =
            |time: SignedDuration, usual: SignedDuration| (time != usual).then(|| format!("{time:#}").replace(' ', ""));
        let given = [
            ("--connector-command", self.command.clone()),
            ("--connector-log", self.log.as_ref().map(path)),
            ("--port", self.port.map(|port| port.to_string())),
            ("--ready-file", self.ready_file.as_ref().map(path)),
            ("--webhook", self.webhook.clone()),
            ("--quiet-for", time(self.quiet_for, usual.quiet_for)),
            ("--patience", time(self.patience, usual.patience)),
        ];
        let mut words = String::from("--connector external");
        for (option, value) in given {
            if let Some(value) = value {
                // Writing to a string cannot fail.
                let _ = write!(words, " {option} {}", quoted(&value));
            }
        }
        words
    }
}

/// A word of a shell, as it must be typed.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |sign: char| sign.is_alphanumeric() || "-_./:=+,@%#".contains(sign);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// How many entries a trace may hold before the run is cut off.
const ENTRIES_MAX: usize = 400_000;

/// Calls in a row without any change on either side that are a flood and no polling.
const FLOOD: u64 = 2_000;

/// Runs a plan to its end.
pub fn run(plan: &Plan, options: &LiveOptions) -> Result<Trace, RunError> {
    let mut header = simulate::header(plan);
    header.external = true;
    header.options = options.words();
    let cannot = limits::cannot(plan, options);
    if !cannot.is_empty() {
        let at = cosell_sim::clock::Clock::wall().now();
        let entries = cannot.into_iter().map(|what| Entry { at, what }).collect();
        return Ok(Trace { header, entries });
    }
    let mut run = Live::new(plan, options, header)?;
    let rows = run.served.rows();
    run.note(What::Stored { rows });
    run.given()?;
    run.announce()?;
    run.start_connector()?;
    run.first_call();
    for (number, step) in plan.steps.iter().enumerate() {
        if run.over {
            break;
        }
        run.step(number, step)?;
    }
    run.finish()?;
    Ok(Trace {
        header: run.header,
        entries: run.entries,
    })
}

struct Live<'a> {
    plan: &'a Plan,
    options: &'a LiveOptions,
    /// Dropped, and so stopped, before the servers.
    process: Option<Process>,
    served: Served,
    news: Receiver<News>,
    header: Header,
    entries: Vec<Entry>,
    board: Board,
    past: Past,
    seller: Box<dyn Seller>,
    ready: ReadyFile,
    /// When something was last written.
    active: Timestamp,
    /// Until when the connector was asked to wait, or cannot reach a system.
    paused: Timestamp,
    /// Calls of the connector that are under way, and whether each writes.
    under_way: std::collections::BTreeMap<u64, bool>,
    /// Webhooks that are owed.
    owed: BTreeSet<u64>,
    calls: u64,
    calls_in_a_row: u64,
    /// Whether the connector has registered its webhook itself.
    registered: bool,
    /// Users as they were before a scenario changed them.
    users: Vec<User>,
    connections: Vec<faults::Broken>,
    /// Nothing more can come of this run.
    over: bool,
}

/// The file that tells the connector where everything is; one that nobody named goes with the run.
struct ReadyFile {
    path: PathBuf,
    is_ours: bool,
}

impl Drop for ReadyFile {
    fn drop(&mut self) {
        if self.is_ours {
            // It is in the folder for temporary files: what cannot be removed here is removed there.
            drop(ready::remove(&self.path));
        }
    }
}

impl<'a> Live<'a> {
    fn new(plan: &'a Plan, options: &'a LiveOptions, header: Header) -> Result<Self, RunError> {
        let world = setup::world(plan);
        let (watch, news) = news::channel();
        let settings = ServeSettings {
            seed: Seed(plan.seed),
            clock: ServeClock::Wall,
            systems: SystemSettings {
                crm: world.crm,
                partner_center: world.partner_center,
                salesforce: world.salesforce,
                dataverse: world.dataverse,
                ..SystemSettings::default()
            },
            ports: ready::ports(options.port),
            control_port: options.port.map(|port| port + 4),
            // Nobody should wait for minutes of somebody else's time.
            hooks: HookSettings {
                delay: (Duration::from_millis(50), Duration::from_millis(250)),
                backoff: Duration::from_secs(1),
                backoff_limit: Duration::from_secs(5),
                timeout: Duration::from_secs(10),
                ..HookSettings::default()
            },
            watch,
            watch_calls: true,
            ..ServeSettings::default()
        };
        let served = socket::serve(&settings).map_err(RunError::Sockets)?;
        let now = served.ground().clock.now();
        let ready = options.ready_file.clone().map_or_else(
            || ReadyFile {
                path: process::scratch(&served, "json"),
                is_ours: true,
            },
            |path| ReadyFile { path, is_ours: false },
        );
        Ok(Self {
            plan,
            options,
            process: None,
            served,
            news,
            board: Board::new(&header),
            header,
            entries: Vec::new(),
            past: Past::of(plan),
            seller: hands::seller(plan),
            ready,
            active: now,
            paused: now,
            under_way: std::collections::BTreeMap::new(),
            owed: BTreeSet::new(),
            calls: 0,
            calls_in_a_row: 0,
            registered: false,
            users: Vec::new(),
            connections: Vec::new(),
            over: false,
        })
    }

    fn now(&self) -> Timestamp {
        self.served.ground().clock.now()
    }

    fn record_at(&mut self, at: Timestamp, what: What) {
        if self.entries.len() > ENTRIES_MAX {
            return;
        }
        let entry = Entry { at, what };
        self.board.apply(&entry);
        self.past.apply(&entry);
        self.entries.push(entry);
        if self.entries.len() == ENTRIES_MAX {
            let bound = format!("{ENTRIES_MAX} entries of the trace");
            self.entries.push(Entry {
                at,
                what: What::BoundHit { bound },
            });
            self.over = true;
        }
    }

    fn given(&mut self) -> Result<(), RunError> {
        let given = self.plan.world.given.clone();
        for (user, roles) in &given.roles {
            self.give_roles(user, roles);
        }
        for (system, how) in &given.broken {
            self.break_connection(*system, *how);
        }
        given::make_deals(self, self.plan)
    }

    /// Writes down where everything is.
    fn announce(&self) -> Result<(), RunError> {
        let served = &self.served;
        let tokens = ready::Tokens::of(served);
        let mut document = ready::document(served, &tokens, self.plan.seed, None);
        let settings = &self.plan.settings;
        document["crm"] = self.plan.crm.name().into();
        document["webhook"] = self.options.webhook.clone().into();
        document["settings"] = serde_json::json!({
            "onHoldStage": settings.on_hold_stage,
            "activeStage": settings.active_stage,
            "displayCheckMark": settings.display_check_mark,
            "syncCosellOnly": settings.sync_cosell_only,
            "dealValueField": settings.deal_value_field,
            "countryField": settings.country_field,
            "closingDateField": settings.closing_date_field,
            "notesField": settings.notes_field,
            "profile": settings.profile.name(),
            "directions": settings.directions.iter().map(|(field, goes)| (field.name(), goes.name())).collect::<std::collections::BTreeMap<_, _>>(),
        });
        ready::write(&self.ready.path, &format!("{document:#}\n")).map_err(|source| RunError::External {
            what: format!("the ready file {} cannot be written", self.ready.path.display()),
            source,
        })
    }

    /// Heals, settles, watches the quiet for a while longer, and notes what is stored.
    fn finish(&mut self) -> Result<(), RunError> {
        if !self.over {
            self.heal()?;
            self.settle();
        }
        if !self.over {
            let until = self.later(self.options.quiet_for);
            self.wait_until(until, |_| false);
        }
        self.drain();
        let rows = self.served.rows();
        self.note(What::Stored { rows });
        self.process = None;
        Ok(())
    }
}

impl Screen for Served {
    fn ask(&mut self, who: &str, request: Request<Bytes>) -> Response<Bytes> {
        Served::ask(self, who, request)
    }

    fn ground(&self) -> &Ground {
        Served::ground(self)
    }
}

impl Scene for Live<'_> {
    fn board(&self) -> &Board {
        &self.board
    }

    fn crm(&self) -> Crm {
        self.plan.crm
    }

    fn seat(&mut self) -> (&dyn Seller, &mut dyn Screen) {
        (self.seller.as_ref(), &mut self.served)
    }

    fn microsoft(&mut self, act: MicrosoftAct) -> Result<String, ActError> {
        self.served.microsoft(act)
    }

    fn note(&mut self, what: What) {
        let at = self.now();
        self.record_at(at, what);
    }
}
