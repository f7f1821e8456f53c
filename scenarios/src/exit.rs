//! What the exit code of `cosell` says: the one place that documents it.

use std::process::ExitCode;

/// How the command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// 0: every run passed, or there was nothing to object to.
    Passed,
    /// 1: at least one run failed, or less was exercised than `--fail-under` asks for.
    Failed,
    /// 2: wrong usage, or an invalid scenario file.
    Usage,
    /// 3: no run failed, but at least one was inconclusive: a simulator refused something, or a system could not be reached.
    Inconclusive,
    /// 4: nothing was selected to run.
    NothingSelected,
    /// 70: the harness itself is at fault, or a report could not be written.
    Harness,
    /// 130: somebody stopped the command with Ctrl-C; the reports say how far it came.
    Interrupted,
}

impl Exit {
    /// The number that the shell sees.
    pub fn code(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Inconclusive => 3,
            Self::NothingSelected => 4,
            Self::Harness => 70,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// The table for `--help`.
pub const HELP: &str = "Exit codes:
  0   every run passed
  1   at least one run failed, or less was exercised than --fail-under asks for
  2   wrong usage, or an invalid scenario file
  3   no run failed, but at least one is inconclusive: a simulator refused something, or a system could not be reached
  4   nothing was selected to run
  70  the harness itself is at fault, or a report could not be written
  130 stopped with Ctrl-C; the reports say how far it came";
