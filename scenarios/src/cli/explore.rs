//! `cosell explore`: random histories, many of them, and a short scenario for each way in which one fails.

use std::collections::BTreeSet;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use serde_json::json;

use super::Ui;
use crate::exit::Exit;
use crate::explore::Profile;
use crate::explore::campaign::{Campaign, Done, Failure, Pace, carry_out};
use crate::explore::coverage::Coverage;
use crate::explore::folder::{Folder, FolderError, Progress, scenario_of};
use crate::scenario::Crm;

/// Explore random histories and shrink each failure to a scenario
///
/// The seed decides everything: the options of a history, the history, latencies and identifiers. A failure is told with
/// the scenario that shows it in the fewest steps.
#[derive(Debug, Args)]
pub(crate) struct ExploreArgs {
    /// The seeds, the last one not included: `0..1000`
    #[arg(long, value_name = "A..B", conflicts_with = "lasts")]
    seeds: Option<String>,
    /// How long: `30s`, `10m`, `1h`; the seeds go up from 0
    #[arg(long = "for", value_name = "TIME", id = "lasts")]
    lasts: Option<String>,
    /// Only on this CRM; without it each seed is run on both
    #[arg(long, value_enum)]
    crm: Option<OneCrm>,
    /// What may go wrong: calm, faults, crashes, throttled, chaos
    #[arg(long, value_name = "PROFILE", default_value = "faults")]
    profile: String,
    /// Threads; as many as there are cores when left out
    #[arg(long, value_name = "NUMBER")]
    jobs: Option<usize>,
    /// Keep scenarios, summary and how far it is in this folder; a campaign that is there already is gone on with
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Leave failures as long as they are
    #[arg(long)]
    no_shrink: bool,
    /// Draw from all transitions at once instead of a swarm of options
    #[arg(long)]
    uniform: bool,
    /// Print which transitions, states and faults were reached
    #[arg(long)]
    coverage: bool,
    /// Explore a deliberately broken connector instead of the sound one
    #[cfg(feature = "planted")]
    #[arg(long, value_name = "BUG")]
    planted: Option<String>,
}

/// A CRM on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum OneCrm {
    /// Salesforce
    Salesforce,
    /// Dynamics 365 on Dataverse
    Dynamics,
}

/// Runs of a campaign after which its conditions must have been reached.
const ENOUGH: u64 = 3_000;
/// Runs when neither seeds nor a time are given.
const USUAL: u64 = 1_000;

pub(crate) fn run(args: &ExploreArgs, ui: Ui) -> Result<Exit, Exit> {
    let campaign = campaign(args, ui)?;
    let lasts = args.lasts.as_deref().map(|words| lasts(words, ui)).transpose()?;
    let jobs = jobs(args.jobs, ui)?;
    let (folder, progress) = match &args.out {
        Some(path) => {
            let (folder, progress) = Folder::open(path, &campaign).map_err(|error| unusable(ui, &error))?;
            (Some(folder), progress)
        }
        None => (None, Progress::default()),
    };
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    // A second campaign in one process keeps the first handler; both stop.
    let _handled = ctrlc::set_handler(move || asked.store(true, Ordering::Relaxed));
    let mut teller = Teller {
        ui,
        campaign: &campaign,
        folder,
        from: progress.done,
        progress,
        above: BTreeSet::new(),
        broken: Vec::new(),
        unkept: None,
        watch: Watch::start(lasts),
        stop: &stop,
    };
    let pace = Pace {
        jobs,
        from: teller.progress.done,
        shrinks: !args.no_shrink,
    };
    let coverage = carry_out(&campaign, pace, &stop, |done| teller.done(done));
    teller.end(&coverage, args.coverage)
}

fn campaign(args: &ExploreArgs, ui: Ui) -> Result<Campaign, Exit> {
    let (first, end) = match (&args.seeds, &args.lasts) {
        (Some(words), _) => {
            let (first, end) = seeds(words, ui)?;
            (first, Some(end))
        }
        (None, Some(_)) => (0, None),
        (None, None) => (0, Some(USUAL)),
    };
    let Some(profile) = Profile::from_name(&args.profile) else {
        let known = Profile::ALL.map(Profile::name);
        let near = crate::diagnostic::nearest(&args.profile, known);
        let help = near.map_or_else(
            || format!("there are {}", known.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        return Err(usage(ui, &format!("no profile is called `{}`", args.profile), &help));
    };
    #[cfg(feature = "planted")]
    let planted = super::bugs::known(args.planted.as_deref(), ui)?;
    #[cfg(not(feature = "planted"))]
    let planted = None;
    Ok(Campaign {
        first,
        end,
        crms: match args.crm {
            None => Crm::ALL.to_vec(),
            Some(OneCrm::Salesforce) => vec![Crm::Salesforce],
            Some(OneCrm::Dynamics) => vec![Crm::Dynamics],
        },
        profile,
        uniform: args.uniform,
        planted,
    })
}

/// Says what is wrong with the command line.
pub(super) fn usage(ui: Ui, what: &str, help: &str) -> Exit {
    ui.note(&format!("error: {what}\n  help: {help}"));
    Exit::Usage
}

fn unusable(ui: Ui, error: &FolderError) -> Exit {
    ui.note(&format!("error: {error}"));
    Exit::Usage
}

fn seeds(words: &str, ui: Ui) -> Result<(u64, u64), Exit> {
    let help = "write the first seed and the one after the last: `0..1000`";
    let parsed = words.split_once("..").and_then(|(first, end)| {
        let number = |text: &str| text.replace('_', "").parse::<u64>().ok();
        Some((number(first)?, number(end)?))
    });
    match parsed {
        None => Err(usage(ui, &format!("`{words}` is no range of seeds"), help)),
        Some((first, end)) if first == end => Err(usage(ui, &format!("the range of seeds `{words}` is empty"), help)),
        Some((first, end)) if first > end => {
            let help = format!("did you mean `{end}..{first}`?");
            Err(usage(
                ui,
                &format!("the range of seeds `{words}` goes backwards"),
                &help,
            ))
        }
        Some(range) => Ok(range),
    }
}

fn lasts(words: &str, ui: Ui) -> Result<Duration, Exit> {
    let millis = crate::explore::draft::millis(words).filter(|millis| *millis > 0);
    let millis = millis.ok_or_else(|| {
        usage(
            ui,
            &format!("`{words}` is no length of time"),
            "write `30s`, `10m` or `1h 30m`",
        )
    });
    millis.map(Duration::from_millis)
}

pub(super) fn jobs(wanted: Option<usize>, ui: Ui) -> Result<usize, Exit> {
    match wanted {
        Some(0) => Err(usage(
            ui,
            "nothing is done by 0 jobs",
            "leave `--jobs` out to use every core",
        )),
        Some(jobs) => Ok(jobs.min(256)),
        None => Ok(std::thread::available_parallelism().map_or(1, std::num::NonZero::get)),
    }
}

/// The time of the person who waits: it decides when to stop and what is shown, and nothing in a run.
struct Watch {
    start: Instant,
    end: Option<Instant>,
    told: Instant,
    kept: Instant,
}

impl Watch {
    #[expect(clippy::disallowed_methods, reason = "a person waits in real time; no run sees it")]
    fn start(lasts: Option<Duration>) -> Self {
        let start = Instant::now();
        Self {
            start,
            end: lasts.map(|lasts| start + lasts),
            told: start,
            kept: start,
        }
    }

    #[expect(clippy::disallowed_methods, reason = "a person waits in real time; no run sees it")]
    fn now() -> Instant {
        Instant::now()
    }

    fn seconds(&self) -> f64 {
        Self::now().duration_since(self.start).as_secs_f64()
    }
}

/// Tells and keeps what is done.
struct Teller<'a> {
    ui: Ui,
    campaign: &'a Campaign,
    folder: Option<Folder>,
    from: u64,
    progress: Progress,
    /// Runs that are done above the first one that is not.
    above: BTreeSet<u64>,
    broken: Vec<String>,
    unkept: Option<FolderError>,
    watch: Watch,
    stop: &'a AtomicBool,
}

impl Teller<'_> {
    fn done(&mut self, done: Done) {
        self.above.insert(done.number);
        while self.above.remove(&self.progress.done) {
            self.progress.done += 1;
        }
        self.progress.exchanges += done.exchanges;
        self.progress.virtual_seconds += done.lasted.as_secs();
        for missing in done.missing {
            *self.progress.missing.entry(missing).or_default() += 1;
        }
        self.broken.extend(done.broken);
        if let Some(failure) = done.failure {
            self.failure(&failure);
        }
        let now = Watch::now();
        if self.watch.end.is_some_and(|end| now >= end) {
            self.stop.store(true, Ordering::Relaxed);
        }
        let pause = if std::io::stderr().is_terminal() { 2 } else { 20 };
        if now.duration_since(self.watch.told).as_secs() >= pause {
            self.watch.told = now;
            self.ui.note(&self.line());
        }
        if now.duration_since(self.watch.kept).as_secs() >= 5 {
            self.watch.kept = now;
            self.keep("progress");
        }
    }

    fn failure(&mut self, failure: &Failure) {
        if !self.progress.fail(failure) {
            return;
        }
        let profile = self.campaign.profile.name();
        let text = scenario_of(failure, profile);
        self.ui.note(&format!(
            "FAIL  {}  seed {} on {}, {} steps\n{text}",
            failure.finding.code.name(),
            failure.seed,
            failure.crm.name(),
            failure.draft.steps.len()
        ));
        let Some(folder) = &mut self.folder else { return };
        match folder.failure(failure, profile) {
            Ok(path) => {
                if let Some(group) = self.progress.groups.get_mut(&failure.shape()) {
                    group.file = Some(path.display().to_string());
                }
            }
            Err(error) => self.unkept = Some(error),
        }
        self.keep("failure");
    }

    fn keep(&mut self, kind: &str) {
        let line = json!({
            "kind": kind,
            "done": self.progress.done,
            "exchanges": self.progress.exchanges,
            "failures": self.progress.groups.len(),
            "seconds": self.watch.seconds().round(),
        });
        if let Some(Err(error)) = self.folder.as_mut().map(|folder| folder.keep(&self.progress, &line)) {
            self.unkept = Some(error);
            self.stop.store(true, Ordering::Relaxed);
        }
    }

    fn runs(&self) -> u64 {
        self.progress.done - self.from + u64::try_from(self.above.len()).unwrap_or_default()
    }

    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    fn line(&self) -> String {
        let seconds = self.watch.seconds().max(0.001);
        let runs = self.runs();
        let failed: u64 = self.progress.groups.values().map(|group| group.times).sum();
        format!(
            "{runs} runs in {seconds:.1} s ({:.0} runs/s), {} simulated, {:.0} exchanges a run, {failed} failed in {} ways",
            runs as f64 / seconds,
            days(self.progress.virtual_seconds),
            self.progress.exchanges as f64 / (self.progress.done + self.above.len() as u64).max(1) as f64,
            self.progress.groups.len(),
        )
    }

    fn end(mut self, coverage: &Coverage, shows: bool) -> Result<Exit, Exit> {
        self.keep("end");
        let interrupted = self.campaign.runs().is_some_and(|runs| self.progress.done < runs);
        self.ui.out(&self.line())?;
        for group in self.progress.groups.values() {
            let (code, times, seed, crm) = (&group.code, group.times, group.seed, group.crm.name());
            self.ui.out(&format!(
                "  {code}: {} ({times} times, first seed {seed} on {crm})",
                group.text
            ))?;
        }
        for (missing, times) in &self.progress.missing {
            self.ui.out(&format!("  inconclusive: {missing} ({times} times)"))?;
        }
        if shows {
            for (what, times) in coverage.sometimes.iter().chain(&coverage.cells) {
                self.ui.out(&format!("  {times:>9}  {what}"))?;
            }
        }
        let cells = coverage.cells.len();
        self.ui
            .out(&format!("reached: {cells} cells of transition, state and fault"))?;
        let missed = missed(self.runs(), self.campaign, coverage);
        for what in &missed {
            self.ui
                .out(&format!("  never reached, though it should be sometimes: {what}"))?;
        }
        if interrupted {
            self.ui
                .note("stopped before its end; the same command with the same `--out` goes on");
        }
        for broken in self.broken.iter().take(5) {
            self.ui.note(&format!("error: a run could not be done: {broken}"));
        }
        if let Some(error) = &self.unkept {
            self.ui.note(&format!("error: {error}"));
            return Err(Exit::Harness);
        }
        Ok(if self.broken.is_empty() {
            outcome(&self.progress, &missed)
        } else {
            Exit::Harness
        })
    }
}

/// What should have been reached and was not. Conditions are asked of long campaigns on the sound connector only.
fn missed(runs: u64, campaign: &Campaign, coverage: &Coverage) -> Vec<&'static str> {
    if runs < ENOUGH || campaign.planted.is_some() {
        return Vec::new();
    }
    coverage.missed(campaign.profile)
}

/// How a campaign ends in which every run could be done.
fn outcome(progress: &Progress, missed: &[&str]) -> Exit {
    if !progress.groups.is_empty() || !missed.is_empty() {
        Exit::Failed
    } else if progress.missing.is_empty() {
        Exit::Passed
    } else {
        Exit::Inconclusive
    }
}

fn days(seconds: i64) -> String {
    match seconds {
        0..=7_199 => format!("{} minutes", seconds / 60),
        7_200..=172_799 => format!("{} hours", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_campaign_that_has_not_reached_a_condition_fails() {
        let mut campaign = Campaign {
            first: 0,
            end: None,
            crms: Crm::ALL.to_vec(),
            profile: Profile::Chaos,
            uniform: false,
            planted: None,
        };
        let mut coverage = Coverage::default();
        let wanted = missed(ENOUGH, &campaign, &coverage);
        assert!(wanted.len() > 40, "{wanted:?}");
        for what in &wanted {
            coverage.sometimes.insert((*what).to_owned(), 1);
        }
        let none = missed(ENOUGH, &campaign, &coverage);
        assert_eq!(none, Vec::<&str>::new());
        assert_eq!(outcome(&Progress::default(), &none), Exit::Passed);
        coverage.sometimes.remove("decided conflict.closed");
        let one = missed(ENOUGH, &campaign, &coverage);
        assert_eq!(one, ["decided conflict.closed"]);
        assert_eq!(outcome(&Progress::default(), &one), Exit::Failed);
        assert_eq!(
            missed(ENOUGH - 1, &campaign, &coverage),
            Vec::<&str>::new(),
            "a short one is not asked"
        );
        campaign.planted = Some("no-mark".to_owned());
        assert_eq!(missed(ENOUGH, &campaign, &coverage), Vec::<&str>::new());
    }
}
