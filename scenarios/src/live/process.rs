//! The connector's process: started for a run with what it must know in its environment, looked after, and stopped with
//! everything that it started.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cosell_sim::site::Site;
use cosell_sim::transport::socket::Served;
use cosell_sim::world::observation::Observed;

use super::Live;
use crate::simulate::RunError;
use crate::simulate::people::Scene as _;
use crate::trace::What;

/// How often a process that was asked to end is looked at, and how many times before it is killed.
const PATIENCE: (Duration, u32) = (Duration::from_millis(20), 100);

/// How much of what a process said last is told.
const LAST_LINES: usize = 5;

/// A process of the connector's. It is stopped when this is dropped.
pub(super) struct Process {
    child: Child,
    log: PathBuf,
    keeps_log: bool,
}

/// A file for this run alone, in the folder for temporary files.
pub(super) fn scratch(served: &Served, ending: &str) -> PathBuf {
    // No two servers listen on the same port at once.
    let port = served.bases().of(Site::Entra);
    let port = port.rsplit(':').next().unwrap_or_default();
    std::env::temp_dir().join(format!("cosell-{}-{port}.{ending}", std::process::id()))
}

impl Live<'_> {
    /// Starts the connector, when there is a command for it and it does not run.
    pub(super) fn start_connector(&mut self) -> Result<(), RunError> {
        let Some(command) = &self.options.command else {
            return Ok(());
        };
        if self.process.is_some() || self.over {
            return Ok(());
        }
        let (log, keeps_log) = match &self.options.log {
            Some(log) => (log.clone(), true),
            None => (scratch(&self.served, "log"), false),
        };
        let mut environment = vec![
            ("COSELL_READY_FILE", self.ready.path.display().to_string()),
            ("COSELL_CRM", self.plan.crm.name().to_owned()),
            ("COSELL_CONTROL", self.served.control().to_owned()),
        ];
        environment.extend(self.options.webhook.clone().map(|url| ("COSELL_WEBHOOK", url)));
        let process = Process::start(command, &environment, log, keeps_log).map_err(|source| RunError::External {
            what: format!("the connector `{command}` cannot be started"),
            source,
        })?;
        self.process = Some(process);
        self.note(What::Observed(Observed::ConnectorUp));
        Ok(())
    }

    pub(super) fn stop_connector(&mut self) {
        if self.process.take().is_some() {
            self.drain();
            self.note(What::Observed(Observed::ConnectorDown));
        }
    }

    /// A connector that ends by itself ends the run.
    pub(super) fn look_after_process(&mut self) {
        let Some(process) = &mut self.process else { return };
        if let Some(how) = process.ended() {
            let said = process.last_words();
            self.process = None;
            self.drain();
            let trouble = format!("the connector ended by itself ({how}){said}");
            self.note(What::Process { trouble });
            self.over = true;
        }
    }
}

impl Process {
    fn start(command: &str, environment: &[(&str, String)], log: PathBuf, keeps_log: bool) -> io::Result<Self> {
        let out = if keeps_log {
            OpenOptions::new().create(true).append(true).open(&log)?
        } else {
            File::create(&log)?
        };
        let errors = out.try_clone()?;
        let mut shell = shell(command);
        shell.envs(environment.iter().map(|(name, value)| (name, value)));
        let child = shell.stdin(Stdio::null()).stdout(out).stderr(errors).spawn()?;
        Ok(Self { child, log, keeps_log })
    }

    /// How it ended, when it has.
    fn ended(&mut self) -> Option<String> {
        match self.child.try_wait() {
            Ok(None) => None,
            Ok(Some(status)) => Some(status.to_string()),
            Err(error) => Some(error.to_string()),
        }
    }

    /// The last lines that it printed, to be put behind a sentence.
    fn last_words(&self) -> String {
        let all = fs::read(&self.log).unwrap_or_default();
        let all = String::from_utf8_lossy(&all);
        let lines: Vec<&str> = all.lines().filter(|line| !line.trim().is_empty()).collect();
        if lines.is_empty() {
            return " and printed nothing".to_owned();
        }
        format!(
            "; last it printed: {}",
            lines[lines.len().saturating_sub(LAST_LINES)..].join(" / ")
        )
    }

    fn stop(&mut self) {
        if self.ended().is_none() {
            ask_to_end(&mut self.child);
            let (pause, times) = PATIENCE;
            for _ in 0..times {
                if self.ended().is_some() {
                    break;
                }
                rest(pause);
            }
        }
        end_group(&mut self.child);
        // Whoever has ended already cannot be waited for again, and need not be.
        drop(self.child.wait());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
        if !self.keeps_log {
            remove_log(&self.log);
        }
    }
}

/// What stays in the folder for temporary files does no harm.
fn remove_log(log: &Path) {
    drop(fs::remove_file(log));
}

#[expect(clippy::disallowed_methods, reason = "a real process ends in real time")]
fn rest(pause: Duration) {
    std::thread::sleep(pause);
}

#[cfg(unix)]
fn shell(command: &str) -> Command {
    use std::os::unix::process::CommandExt as _;
    let mut shell = Command::new("sh");
    // A group of its own, so that what the command starts can be ended with it.
    shell.arg("-c").arg(command).process_group(0);
    shell
}

#[cfg(unix)]
fn signal(child: &Child, signal: nix::sys::signal::Signal) {
    if let Ok(group) = i32::try_from(child.id()) {
        // A group that is gone needs no signal.
        let _gone = nix::sys::signal::killpg(nix::unistd::Pid::from_raw(group), signal);
    }
}

#[cfg(unix)]
fn ask_to_end(child: &mut Child) {
    signal(child, nix::sys::signal::Signal::SIGTERM);
}

#[cfg(unix)]
fn end_group(child: &mut Child) {
    signal(child, nix::sys::signal::Signal::SIGKILL);
}

#[cfg(not(unix))]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("cmd");
    shell.arg("/C").arg(command);
    shell
}

#[cfg(not(unix))]
fn ask_to_end(child: &mut Child) {
    // There is no gentler way here; one that is gone needs none.
    drop(child.kill());
}

#[cfg(not(unix))]
fn end_group(child: &mut Child) {
    ask_to_end(child);
}
