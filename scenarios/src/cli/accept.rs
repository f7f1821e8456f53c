//! `cosell accept`: the go-live checks under a team's own settings, and the report that somebody signs.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::Ui;
use super::external::ExternalArgs;
use super::select::CrmChoice;
use crate::accept::checks::{self, CHECKS, Check};
use crate::accept::fingerprint::Fingerprint;
use crate::accept::report::{self, Report};
use crate::accept::simulated::{self, Simulated};
use crate::accept::traces::Traces;
use crate::accept::{self, Checked, Described, tailored};
use crate::diagnostic::nearest;
use crate::exit::Exit;
use crate::live::LiveOptions;
use crate::load;
use crate::preflight::profile::{self, Connector, Profile};
use crate::runner;
use crate::scenario::{Crm, Scenario};

/// The systems of a profile.
mod systems;
/// The forms of the report.
mod forms;

use forms::{Format, Wanted, close, writable};

/// Run the go-live checks with a team's own settings, and write the report that somebody signs
///
/// The checks are scenarios of the catalog under numbers that stay. They run against the simulators, with the reference
/// connector or with `--connector external` the team's own; or against the systems of a profile for staging or production,
/// with the connector that works between them. There every record that is made carries COSELL-ACCEPT in its name, and is
/// taken back.
#[derive(Debug, Args)]
pub(crate) struct AcceptArgs {
    /// The environment: a TOML file, or the name of one here or in `profiles`; without it, the documented defaults
    #[arg(long, value_name = "NAME")]
    profile: Option<PathBuf>,
    /// An exported solution (zip): its environment variables stand instead of the profile's settings
    #[arg(long, value_name = "EXPORT")]
    settings_from: Option<PathBuf>,
    /// What the checks run against; a profile of the kind simulator means the simulators, any other its systems
    #[arg(long, value_enum)]
    against: Option<Against>,
    /// Write to the profile's systems without asking
    #[arg(long, short)]
    yes: bool,
    /// Write even where the profile or the org says that it is production
    #[arg(long)]
    allow_production: bool,
    /// Run nothing: take back what earlier runs left in the profile's systems
    #[arg(long, requires = "profile")]
    clean_up: bool,
    /// The CRM, where no profile names it
    #[arg(long, value_enum)]
    crm: Option<CrmChoice>,
    /// Only this check, by number or code; may be repeated
    #[arg(long, value_name = "CHECK")]
    only: Vec<String>,
    /// List the checks and run nothing
    #[arg(long)]
    list: bool,
    /// Go on when none of the first checks passes
    #[arg(long)]
    keep_going: bool,
    /// The seed of the runs, instead of the scenarios' own
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// How many checks go on at once
    #[arg(long, short, value_name = "THREADS", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// The form of the report on standard output
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Write a further report: html, json, junit or markdown, such as html=acceptance.html
    #[arg(long = "report", value_name = "FORM=FILE")]
    reports: Vec<Wanted>,
    /// Keep a trace of each check in a folder, for `cosell replay`
    #[arg(long, value_name = "FOLDER")]
    save_traces: Option<PathBuf>,
    #[command(flatten)]
    external: ExternalArgs,
}

/// What the checks run against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Against {
    /// The simulators that come with this program
    Simulators,
    /// The systems that the profile names
    Systems,
}

/// Set by Ctrl-C.
static STOP: AtomicBool = AtomicBool::new(false);

/// A check with its scenario.
struct Job {
    check: Check,
    scenario: Scenario,
    described: Described,
}

pub(crate) fn run(args: &AcceptArgs, ui: Ui) -> Result<Exit, Exit> {
    let jobs = jobs(&args.only, ui)?;
    if args.list {
        for job in &jobs {
            let requirements = job.described.requirements.join(", ");
            let Check { number, code, .. } = job.check;
            ui.out(&format!(
                "{number:>2}  {code:<30}  {}  ({requirements})",
                job.described.title
            ))?;
        }
        return Ok(Exit::Passed);
    }
    let profile = args
        .profile
        .as_deref()
        .map(|name| super::profile(name, ui))
        .transpose()?;
    let crm = crm(args, profile.as_ref(), ui)?;
    let live = args.external.options(false, ui)?;
    writable(&args.reports, ui)?;
    super::stop::on_ctrl_c(&STOP, ui);
    let team = team(args, profile.as_ref(), crm, ui)?;
    let mut fingerprint = Fingerprint::new(
        profile.as_ref(),
        crm,
        tailored::listed(&tailored::settings(&team, crm), crm),
    );
    fingerprint.started = now();
    let traces = traces(args, ui)?;
    let session = Session {
        args,
        ui,
        jobs: &jobs,
        traces: traces.as_ref(),
    };
    let checked = if let Some(profile) = against(args, profile.as_ref(), live.is_some(), ui)? {
        let Some(checked) = session.real(profile, crm, &mut fingerprint)? else {
            return Ok(Exit::Passed);
        };
        checked
    } else {
        describe_simulators(&mut fingerprint, args, live.as_ref(), crm);
        let (team, stand_ins) = simulated::with_stand_ins(&team, crm);
        for stand_in in stand_ins {
            ui.note(&format!("note: {stand_in}"));
            fingerprint.say("not simulated", stand_in);
        }
        session.simulated(crm, &team, live.as_ref())?
    };
    fingerprint.ended = now();
    let report = Report {
        environment: fingerprint,
        interrupted: STOP.load(Ordering::Relaxed),
        checks: checked,
    };
    close(args, &report, ui)
}

/// What the team has set: in its profile, and in an export.
fn team(args: &AcceptArgs, profile: Option<&Profile>, crm: Crm, ui: Ui) -> Result<Connector, Exit> {
    let mut team = profile.map(|profile| profile.connector.clone()).unwrap_or_default();
    if let Some(path) = &args.settings_from {
        let export = super::settings::export_for(path, None, &mut team, ui)?;
        if export.crm.is_some_and(|of| of != crm) {
            ui.note(&format!("error: {} is not for {}", path.display(), crm.name()));
            return Err(Exit::Usage);
        }
    }
    Ok(team)
}

fn traces(args: &AcceptArgs, ui: Ui) -> Result<Option<Traces>, Exit> {
    let made = args.save_traces.clone().map(Traces::new).transpose();
    made.map_err(|error| {
        ui.note(&format!("error: the folder of `--save-traces` cannot be made: {error}"));
        ui.note("help: name a folder that you may write to with `--save-traces`");
        Exit::Usage
    })
}

fn jobs(only: &[String], ui: Ui) -> Result<Vec<Job>, Exit> {
    let mut wanted = Vec::new();
    for word in only {
        let check = checks::find(word).ok_or_else(|| {
            let near = nearest(word, CHECKS.iter().map(|check| check.code));
            let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            ui.note(&format!("error: there is no check `{word}`{near}"));
            ui.note("help: `cosell accept --list` lists them with their numbers and codes");
            Exit::Usage
        })?;
        wanted.push(check.number);
    }
    let loaded = load::catalog();
    let mut scenarios: BTreeMap<String, Scenario> = loaded
        .scenarios
        .into_iter()
        .map(|scenario| (scenario.address(), scenario))
        .collect();
    let selected = CHECKS
        .into_iter()
        .filter(|check| wanted.is_empty() || wanted.contains(&check.number));
    Ok(selected
        .filter_map(|check| {
            // A test holds the table of checks against the catalog.
            let scenario = scenarios.remove(check.scenario)?;
            let described = accept::describe(&scenario, &loaded.sources);
            Some(Job {
                check,
                scenario,
                described,
            })
        })
        .collect())
}

fn crm(args: &AcceptArgs, profile: Option<&Profile>, ui: Ui) -> Result<Crm, Exit> {
    let asked = args.crm.map(CrmChoice::crm);
    let named = profile.and_then(|profile| match profile.crm {
        profile::Crm::None => None,
        profile::Crm::Salesforce => Some(Crm::Salesforce),
        profile::Crm::Dynamics => Some(Crm::Dynamics),
    });
    match (named, asked) {
        (Some(named), Some(asked)) if named != asked => {
            ui.note(&format!(
                "error: the profile is for {}, and `--crm` asks for {}",
                named.name(),
                asked.name()
            ));
            Err(Exit::Usage)
        }
        (Some(crm), _) | (None, Some(crm)) => Ok(crm),
        (None, None) => {
            ui.note("error: nothing says which CRM the checks are for");
            ui.note("help: give `--profile NAME` with the team's settings, or `--crm salesforce` for the documented defaults");
            Err(Exit::Usage)
        }
    }
}

/// The profile whose systems are driven; none for the simulators.
fn against<'a>(
    args: &AcceptArgs,
    profile: Option<&'a Profile>,
    external: bool,
    ui: Ui,
) -> Result<Option<&'a Profile>, Exit> {
    let usage = |error: &str, help: &str| {
        ui.note(&format!("error: {error}"));
        ui.note(&format!("help: {help}"));
        Err(Exit::Usage)
    };
    let is_real = profile.is_some_and(|profile| profile.kind != profile::Kind::Simulator) && !external;
    let wanted = match args.against {
        Some(against) => against == Against::Systems,
        None => is_real || args.clean_up,
    };
    match (wanted, profile) {
        (false, _) if args.clean_up => usage(
            "the simulators forget everything by themselves",
            "leave `--against simulators` out",
        ),
        (false, _) => Ok(None),
        (true, _) if external => usage(
            "`--connector external` puts a connector between the simulators",
            "leave it out: against real systems the connector that works between them is judged",
        ),
        (true, Some(profile)) => Ok(Some(profile)),
        (true, None) => usage("nothing says where the systems are", "give `--profile NAME`"),
    }
}

fn describe_simulators(fingerprint: &mut Fingerprint, args: &AcceptArgs, live: Option<&LiveOptions>, crm: Crm) {
    let version = env!("CARGO_PKG_VERSION");
    let how = if live.is_some() { "on sockets" } else { "in process" };
    fingerprint.against = format!(
        "the simulators of cosell {version}, {how}: Partner Center and {}",
        tailored::name_of(crm)
    );
    fingerprint.connector = match live {
        None => format!("the reference connector of cosell {version}, not the team's own"),
        Some(live) => match &live.command {
            Some(command) => format!("external: `{command}`"),
            None => "external: started by hand".to_owned(),
        },
    };
    if let Some(seed) = args.seed {
        fingerprint.say("seed", seed.to_string());
    }
}

/// The time of the wall, for people.
#[expect(clippy::disallowed_methods, reason = "a report says when it was made")]
fn now() -> String {
    format!("{:.0}", Timestamp::now())
}

/// One command under way.
struct Session<'a> {
    args: &'a AcceptArgs,
    ui: Ui,
    jobs: &'a [Job],
    traces: Option<&'a Traces>,
}

impl Session<'_> {
    fn simulated(&self, crm: Crm, team: &Connector, live: Option<&LiveOptions>) -> Result<Vec<Checked>, Exit> {
        let simulated = Simulated {
            crm,
            team,
            seed: self.args.seed,
            live,
            traces: self.traces,
        };
        let threads = match live {
            Some(live) if live.port.is_some() || live.ready_file.is_some() || live.command.is_none() => 1,
            Some(_) => self.args.jobs.map_or(1, usize::from),
            None => self.args.jobs.map_or_else(runner::cores, usize::from),
        };
        // The reference connector costs no waiting: there is nothing to save by giving up.
        let gives_up = live.is_some() && !self.args.keep_going;
        self.go(threads, gives_up, |job| {
            simulated.run(job.check, &job.scenario, job.described.clone())
        })
    }

    /// Does every check, shows each as it comes, and says of those that were left out why.
    fn go(&self, threads: usize, gives_up: bool, work: impl Fn(&Job) -> Checked + Sync) -> Result<Vec<Checked>, Exit> {
        let mut checked: Vec<Checked> = Vec::new();
        let mut trouble = None;
        runner::in_order(
            self.jobs,
            threads,
            &STOP,
            |job| {
                let stopwatch = stopwatch();
                work(job).taking(stopwatch.elapsed())
            },
            |_, check| {
                trouble = self.show(&check).err();
                checked.push(check);
                if trouble.is_some() || (gives_up && accept::is_lifeless(&checked)) {
                    return ControlFlow::Break(());
                }
                ControlFlow::Continue(())
            },
        );
        if let Some(exit) = trouble {
            return Err(exit);
        }
        let stopped = STOP.load(Ordering::Relaxed);
        for job in &self.jobs[checked.len()..] {
            let why = if stopped {
                "somebody stopped the command with Ctrl-C".to_owned()
            } else {
                format!(
                    "the first {} checks passed none: is the connector there, and does it sync? `--keep-going` tries the rest",
                    checked.len().min(accept::GIVE_UP_AFTER)
                )
            };
            checked.push(Checked::not_run(job.check, job.described.clone(), why, true));
        }
        Ok(checked)
    }

    fn show(&self, check: &Checked) -> Result<(), Exit> {
        if self.args.format == Format::Human {
            for line in report::lines(check) {
                self.ui.out(&line)?;
            }
        }
        Ok(())
    }
}

#[expect(clippy::disallowed_methods, reason = "the time that a person waits is the wall's")]
fn stopwatch() -> Instant {
    Instant::now()
}
