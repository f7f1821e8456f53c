//! The command line: one file a subcommand, each with its arguments and what it does.
//!
//! Results go to standard output, the conversation about them to standard error. All writing goes through `Ui`.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;

use clap::{Parser, Subcommand};

use crate::diagnostic::Style;
use crate::exit::{self, Exit};
use crate::preflight::profile::{self, Profile};

/// Ctrl-C.
mod stop;
/// Which scenarios are meant.
mod select;
/// Where reports go.
mod outputs;
/// Which runs failed last time.
mod last_run;
/// What `cosell run` must know of somebody else's connector.
mod external;
/// `cosell run`.
mod run;
/// `cosell replay`.
mod replay;
/// `cosell show`.
mod show;
/// `cosell diff`.
mod diff;
/// `cosell check`.
mod check;
/// `cosell list`.
mod list;
/// `cosell fmt`.
mod fmt;
/// `cosell new`.
mod new;
/// `cosell schema`.
mod schema;
/// `cosell serve`.
mod serve;
/// `cosell fidelity`.
mod fidelity;
/// `cosell preflight`.
mod preflight;
/// `cosell accept`.
mod accept;
/// `cosell settings`.
mod settings;
/// `cosell record`.
mod record;
/// `cosell drift`.
mod drift;
/// `cosell completions`.
mod completions;
/// `cosell connector`.
mod connector;
/// `cosell bugs`.
#[cfg(feature = "planted")]
mod bugs;
/// `cosell explore`.
mod explore;
/// `cosell explain`.
mod explain;

/// Prove that a CRM stays in step with Microsoft Partner Center
///
/// Runs co-sell scenarios against simulated Partner Center, Salesforce and Dynamics 365, and says what went wrong,
/// where, and when.
#[derive(Debug, Parser)]
#[command(name = "cosell", version, after_help = exit::HELP)]
struct Cli {
    /// No colours and no bars: for logs and screen readers; `NO_COLOR` in the environment does the same
    #[arg(long, global = true)]
    plain: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(Box<run::RunArgs>),
    Replay(replay::ReplayArgs),
    Show(show::ShowArgs),
    Diff(diff::DiffArgs),
    Check(check::CheckArgs),
    List(list::ListArgs),
    Fmt(fmt::FmtArgs),
    New(new::NewArgs),
    Schema(schema::SchemaArgs),
    Serve(serve::ServeArgs),
    Fidelity(fidelity::FidelityArgs),
    Preflight(preflight::PreflightArgs),
    Accept(Box<accept::AcceptArgs>),
    Settings(settings::SettingsArgs),
    Record(record::RecordArgs),
    Drift(drift::DriftArgs),
    Completions(completions::CompletionsArgs),
    Connector(connector::ConnectorArgs),
    Explore(explore::ExploreArgs),
    #[cfg(feature = "planted")]
    Bugs(bugs::BugsArgs),
    Explain(explain::ExplainArgs),
}

/// Where the command writes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ui {
    /// Whether standard output takes colours.
    pub(crate) colour: bool,
    /// Whether standard error does.
    note_colour: bool,
    /// Whether something may move on the screen.
    pub(crate) bars: bool,
}

#[expect(clippy::unused_self, reason = "only the holder of a `Ui` may write")]
impl Ui {
    fn detect() -> Self {
        let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) && !dumb;
        Self {
            colour: wanted && std::io::stdout().is_terminal(),
            note_colour: wanted && std::io::stderr().is_terminal(),
            bars: !dumb,
        }
    }

    /// Without colours and without anything that moves.
    fn plain() -> Self {
        Self {
            colour: false,
            note_colour: false,
            bars: false,
        }
    }

    /// How diagnostics are shown that go to standard error.
    pub(crate) fn note_style(self) -> Style {
        Style {
            colour: self.note_colour,
            ..Style::PLAIN
        }
    }

    /// How reports are shown.
    pub(crate) fn style(self) -> Style {
        Style {
            colour: self.colour,
            ..Style::PLAIN
        }
    }

    /// Writes a line of the result. A closed pipe ends the command quietly, as it does `ls | head`.
    pub(crate) fn out(self, line: &str) -> Result<(), Exit> {
        writeln!(std::io::stdout().lock(), "{line}").map_err(|error| write_failed(&error))
    }

    /// Writes a line of the conversation.
    pub(crate) fn note(self, line: &str) {
        // Nobody is left to tell when standard error itself is gone.
        drop(writeln!(std::io::stderr().lock(), "{line}"));
    }
}

/// The profile of that name; what is wrong with it ends the command.
fn profile(name: &Path, ui: Ui) -> Result<Profile, Exit> {
    profile::load(name).map_err(|error| {
        ui.note(&format!("error: {error}"));
        ui.note(&format!("help: {}", error.help()));
        Exit::Usage
    })
}

fn write_failed(error: &std::io::Error) -> Exit {
    if error.kind() == std::io::ErrorKind::BrokenPipe {
        return Exit::Passed;
    }
    drop(writeln!(
        std::io::stderr().lock(),
        "error: the result could not be written: {error}"
    ));
    Exit::Harness
}

/// Parses the arguments of the process and does what they say.
pub fn main() -> Exit {
    let cli = Cli::parse();
    let ui = if cli.plain { Ui::plain() } else { Ui::detect() };
    let done = match cli.command {
        Command::Run(args) => run::run(&args, ui),
        Command::Replay(args) => replay::run(&args, ui),
        Command::Show(args) => show::run(&args, ui),
        Command::Diff(args) => diff::run(&args, ui),
        Command::Check(args) => check::run(&args, ui),
        Command::List(args) => list::run(&args, ui),
        Command::Fmt(args) => fmt::run(&args, ui),
        Command::New(args) => new::run(&args, ui),
        Command::Schema(args) => schema::run(&args, ui),
        Command::Serve(args) => serve::run(&args, ui),
        Command::Fidelity(args) => fidelity::run(&args, ui),
        Command::Preflight(args) => preflight::run(&args, ui),
        Command::Accept(args) => accept::run(&args, ui),
        Command::Settings(args) => settings::run(&args, ui),
        Command::Record(args) => record::run(&args, ui),
        Command::Drift(args) => drift::run(&args, ui),
        Command::Completions(args) => completions::run(&args, ui),
        Command::Connector(args) => connector::run(&args, ui),
        Command::Explore(args) => explore::run(&args, ui),
        #[cfg(feature = "planted")]
        Command::Bugs(args) => bugs::run(&args, ui),
        Command::Explain(args) => explain::run(&args, ui),
    };
    done.unwrap_or_else(|exit| exit)
}
