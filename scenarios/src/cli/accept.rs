//! `cosell accept`: the go-live checks under a team's own settings, and the report that somebody signs.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::str::FromStr;
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
use crate::accept::{self, Checked, Described, tailored};
use crate::diagnostic::nearest;
use crate::exit::Exit;
use crate::live::LiveOptions;
use crate::load;
use crate::preflight::profile::{self, Connector, Profile};
use crate::runner;
use crate::scenario::{Crm, Scenario};

/// Run the go-live checks with a team's own settings, and write the report that somebody signs
///
/// The checks are scenarios of the catalog under numbers that stay. They run against the simulators, with the reference
/// connector or with `--connector external` the team's own.
#[derive(Debug, Args)]
pub(crate) struct AcceptArgs {
    /// The environment: a TOML file, or the name of one here or in `profiles`; without it, the documented defaults
    #[arg(long, value_name = "NAME")]
    profile: Option<PathBuf>,
    /// An exported solution (zip): its environment variables stand instead of the profile's settings
    #[arg(long, value_name = "EXPORT")]
    settings_from: Option<PathBuf>,
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
    #[command(flatten)]
    external: ExternalArgs,
}

/// The form of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Human,
    /// One JSON document
    Json,
    /// For CI servers, as XML
    Junit,
    /// Markdown
    Markdown,
    /// One page for a browser
    Html,
}

/// One `--report`.
#[derive(Clone, Debug)]
struct Wanted {
    form: Format,
    path: PathBuf,
}

const FORMS: [(&str, Format); 4] = [
    ("html", Format::Html),
    ("json", Format::Json),
    ("junit", Format::Junit),
    ("markdown", Format::Markdown),
];

impl FromStr for Wanted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let forms = FORMS.map(|(name, _)| name);
        let Some((name, path)) = text.split_once('=').filter(|(_, path)| !path.is_empty()) else {
            return Err(format!(
                "expected FORM=FILE, such as html=acceptance.html; forms: {}",
                forms.join(", ")
            ));
        };
        match FORMS.iter().find(|(known, _)| *known == name) {
            Some((_, form)) => Ok(Self {
                form: *form,
                path: PathBuf::from(path),
            }),
            None => Err(match nearest(name, forms.iter().copied()) {
                Some(near) => format!("no form is called `{name}`; did you mean `{near}`?"),
                None => format!("no form is called `{name}`; forms: {}", forms.join(", ")),
            }),
        }
    }
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
    let mut team = profile
        .as_ref()
        .map(|profile| profile.connector.clone())
        .unwrap_or_default();
    if let Some(path) = &args.settings_from {
        let export = super::settings::export_for(path, None, &mut team, ui)?;
        if export.crm.is_some_and(|of| of != crm) {
            ui.note(&format!("error: {} is not for {}", path.display(), crm.name()));
            return Err(Exit::Usage);
        }
    }
    let mut fingerprint = Fingerprint::new(
        profile.as_ref(),
        crm,
        tailored::listed(&tailored::settings(&team, crm), crm),
    );
    describe_simulators(&mut fingerprint, args, live.as_ref(), crm);
    fingerprint.started = now();
    let session = Session { args, ui, jobs: &jobs };
    let (team, stand_ins) = simulated::with_stand_ins(&team, crm);
    for stand_in in stand_ins {
        ui.note(&format!("note: {stand_in}"));
        fingerprint.say("not simulated", stand_in);
    }
    let checked = session.simulated(crm, &team, live.as_ref())?;
    fingerprint.ended = now();
    let report = Report {
        environment: fingerprint,
        interrupted: STOP.load(Ordering::Relaxed),
        checks: checked,
    };
    close(args, &report, ui)
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

/// Files are opened before the first check, so that a path that cannot be written costs nobody a run.
fn writable(reports: &[Wanted], ui: Ui) -> Result<(), Exit> {
    for wanted in reports {
        let opened = std::fs::File::options().create(true).append(true).open(&wanted.path);
        opened.map_err(|error| not_written(&wanted.path, &error, ui))?;
    }
    Ok(())
}

fn not_written(path: &Path, error: &std::io::Error, ui: Ui) -> Exit {
    ui.note(&format!(
        "error: the report {} cannot be written: {error}",
        path.display()
    ));
    Exit::Harness
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
}

impl Session<'_> {
    fn simulated(&self, crm: Crm, team: &Connector, live: Option<&LiveOptions>) -> Result<Vec<Checked>, Exit> {
        let simulated = Simulated {
            crm,
            team,
            seed: self.args.seed,
            live,
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

/// Writes every report, and says how it ended.
fn close(args: &AcceptArgs, report: &Report, ui: Ui) -> Result<Exit, Exit> {
    for wanted in &args.reports {
        let text = form(wanted.form, report, ui)?;
        std::fs::write(&wanted.path, text).map_err(|error| not_written(&wanted.path, &error, ui))?;
    }
    if args.format == Format::Human {
        ui.out("")?;
    }
    ui.out(form(args.format, report, ui)?.trim_end())?;
    Ok(accept::exit(&report.checks, report.interrupted))
}

fn form(form: Format, report: &Report, ui: Ui) -> Result<String, Exit> {
    let text = match form {
        Format::Human => Ok(report::summary(report)),
        Format::Json => report::json(report).map_err(|error| error.to_string()),
        Format::Junit => report::junit(report).map_err(|error| error.to_string()),
        Format::Markdown => Ok(report::markdown(report)),
        Format::Html => Ok(report::html(report)),
    };
    text.map_err(|error| {
        ui.note(&format!("error: the report could not be made: {error}"));
        Exit::Harness
    })
}
