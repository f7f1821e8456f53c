//! What `cosell run` must know of somebody else's connector: `--connector external` and the options that go with it.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use jiff::SignedDuration;

use super::Ui;
use crate::exit::Exit;
use crate::invariant::Code;
use crate::live::LiveOptions;

/// How a connector is run that is not the reference connector.
#[derive(Debug, Args)]
#[command(next_help_heading = "Somebody else's connector")]
pub(super) struct ExternalArgs {
    /// Which connector is run
    #[arg(long, value_enum, default_value_t = Choice::Reference)]
    connector: Choice,
    /// The command that starts the connector for each run; it is stopped after it
    ///
    /// It finds `COSELL_READY_FILE` (JSON with base URLs, tokens, sign-in and the scenario's settings), `COSELL_CRM`
    /// (salesforce or dynamics), `COSELL_CONTROL` and `COSELL_WEBHOOK` in its environment.
    #[arg(long, value_name = "COMMAND")]
    connector_command: Option<String>,
    /// A file to which the output of that command is appended
    #[arg(long, value_name = "FILE", requires = "connector_command")]
    connector_log: Option<PathBuf>,
    /// The first of five ports in a row: sign-in, Partner Center, Salesforce, Dataverse, control; free ones when not given
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..=65_531))]
    port: Option<u16>,
    /// A file that tells the connector where the simulators are; it is written anew for each run
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    /// Where webhooks go when the connector registers no URL itself
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,
    /// How long nothing may be written on either side until a run goes on [default: 3s]
    #[arg(long, value_name = "TIME", value_parser = time)]
    quiet_for: Option<SignedDuration>,
    /// The longest that anything is waited for [default: 60s]
    #[arg(long, value_name = "TIME", value_parser = time)]
    patience: Option<SignedDuration>,
}

/// Whose connector it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Choice {
    /// The one that comes with this program, in virtual time
    Reference,
    /// Anybody's, on sockets and the wall clock
    External,
}

fn time(text: &str) -> Result<SignedDuration, String> {
    let time: Result<SignedDuration, _> = text.parse();
    let longest = SignedDuration::from_hours(24);
    time.ok()
        .filter(|time| time.is_positive() && *time <= longest)
        .ok_or_else(|| "expected a time up to a day, such as 3s or 2m".to_owned())
}

/// Which invariants do not judge somebody else's connector.
pub(super) fn left_out() -> String {
    let names = Code::NOT_FROM_OUTSIDE.map(Code::name).join(", ");
    format!("note: judged from outside; left out, because only the reference connector can be asked: {names}")
}

impl ExternalArgs {
    /// How to run it; none for the reference connector.
    pub(super) fn options(&self, sockets: bool, ui: Ui) -> Result<Option<LiveOptions>, Exit> {
        let usage = |error: &str, help: &str| {
            ui.note(&format!("error: {error}"));
            ui.note(&format!("help: {help}"));
            Err(Exit::Usage)
        };
        if self.connector == Choice::Reference {
            return match self.only_for_external() {
                Some(option) => usage(
                    &format!("`{option}` is for a connector of somebody else's"),
                    "add `--connector external`",
                ),
                None => Ok(None),
            };
        }
        if sockets {
            return usage(
                "`--sockets` is for the reference connector",
                "leave it out: an external connector is always reached over sockets",
            );
        }
        let usual = LiveOptions::default();
        let quiet_for = self.quiet_for.unwrap_or(usual.quiet_for);
        let patience = self.patience.unwrap_or(usual.patience);
        if patience < quiet_for.saturating_mul(2) {
            return usage(
                "the patience ends before anything could have been quiet",
                "give `--patience` at least twice the time of `--quiet-for`",
            );
        }
        if let Some(url) = self.webhook.as_ref().filter(|url| !url.starts_with("http://")) {
            return usage(
                &format!("webhooks cannot be brought to `{url}`"),
                "name an address that begins with http://",
            );
        }
        if self.connector_command.is_none() && self.port.is_none() && self.ready_file.is_none() {
            return usage(
                "the connector could not know where the simulators are",
                "start it with `--connector-command`, or give `--port` or `--ready-file`",
            );
        }
        Ok(Some(LiveOptions {
            port: self.port,
            ready_file: self.ready_file.clone(),
            webhook: self.webhook.clone(),
            command: self.connector_command.clone(),
            log: self.connector_log.clone(),
            quiet_for,
            patience,
        }))
    }

    fn only_for_external(&self) -> Option<&'static str> {
        let given = [
            ("--connector-command", self.connector_command.is_some()),
            ("--port", self.port.is_some()),
            ("--ready-file", self.ready_file.is_some()),
            ("--webhook", self.webhook.is_some()),
            ("--quiet-for", self.quiet_for.is_some()),
            ("--patience", self.patience.is_some()),
        ];
        given.into_iter().find(|(_, given)| *given).map(|(option, _)| option)
    }
}
