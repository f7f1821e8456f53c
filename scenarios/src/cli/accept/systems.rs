//! `cosell accept` against the systems of a profile: who may be written to, who says yes, and what is taken back.

use std::path::Path;

use super::{Job, STOP, Session};
use crate::accept::fingerprint::Fingerprint;
use crate::accept::real::{Cleaned, PREFIX, Real, Refusal};
use crate::accept::{self, Checked};
use crate::exit::Exit;
use crate::preflight::profile::Profile;
use crate::scenario::Crm;

/// Checks against real systems that go on at once, each with deals of its own, when nobody says how many.
const AT_ONCE: usize = 4;

impl Session<'_> {
    /// Drives the systems of a profile; nothing when it only cleaned up.
    pub(super) fn real(
        &self,
        profile: &Profile,
        crm: Crm,
        fingerprint: &mut Fingerprint,
    ) -> Result<Option<Vec<Checked>>, Exit> {
        let real = Real::new(profile, crm, &STOP).keeping(self.traces);
        "the systems of the profile".clone_into(&mut fingerprint.against);
        "the one that works between these systems".clone_into(&mut fingerprint.connector);
        let refusal = match real.look_around(fingerprint) {
            Ok(refusal) => refusal,
            Err(why) if self.args.clean_up => {
                self.ui.note(&format!("error: {why}"));
                return Err(Exit::Inconclusive);
            }
            Err(why) => {
                let not_run = |job: &Job| Checked::not_run(job.check, job.described.clone(), why.clone(), true);
                self.ui.note(&format!("error: {why}"));
                self.ui.note("help: `cosell preflight` says what else is not in order");
                return Ok(Some(self.jobs.iter().map(not_run).collect()));
            }
        };
        self.may_write(&real, profile, refusal)?;
        if self.args.clean_up {
            return self.cleaned(real.clean_up()).map(|()| None);
        }
        let threads = self.args.jobs.map_or(AT_ONCE, usize::from);
        let mut checked = self.go(threads, !self.args.keep_going, |job| {
            real.run(job.check, &job.scenario, job.described.clone())
        })?;
        let left = real
            .close()
            .map_or_else(|why| vec![format!("perhaps more: {why}")], |cleaned| cleaned.left);
        if let Some(last) = checked
            .iter_mut()
            .rfind(|check| check.outcome != accept::Outcome::NotRun)
        {
            last.left_behind.extend(left);
        } else if let Some(first) = checked.first_mut() {
            first.left_behind.extend(left);
        }
        if checked.iter().any(|check| !check.left_behind.is_empty()) {
            let name = self.args.profile.as_deref().unwrap_or(Path::new("NAME")).display();
            self.ui
                .note("error: not everything could be cleaned up; the report lists it");
            self.ui.note(&format!(
                "help: try again with `cosell accept --clean-up --profile {name}`"
            ));
        }
        Ok(Some(checked))
    }

    fn cleaned(&self, cleaned: Result<Cleaned, String>) -> Result<(), Exit> {
        let cleaned = cleaned.map_err(|why| {
            self.ui.note(&format!("error: {why}"));
            Exit::Inconclusive
        })?;
        self.ui.out(&cleaned.words())?;
        for left in &cleaned.left {
            self.ui.out(&format!("left behind: {left}"))?;
        }
        if cleaned.left.is_empty() {
            Ok(())
        } else {
            Err(Exit::Failed)
        }
    }

    /// Refuses production, and asks before anything is written.
    fn may_write(&self, real: &Real<'_>, profile: &Profile, refusal: Option<Refusal>) -> Result<(), Exit> {
        if let Some(refusal) = refusal.filter(|_| !self.args.allow_production) {
            let (why, help) = match refusal {
                Refusal::Production => (
                    format!("the profile `{}` is for production, and the checks write", profile.name),
                    "name a profile for staging; `--allow-production` writes all the same",
                ),
                Refusal::SaysProduction(says) => (
                    format!(
                        "the profile `{}` is for {}, but {says}",
                        profile.name,
                        profile.kind.name()
                    ),
                    "see that the profile names the sandbox; `--allow-production` writes all the same",
                ),
            };
            self.ui.note(&format!("error: {why}"));
            self.ui.note(&format!("help: {help}"));
            return Err(Exit::Usage);
        }
        if profile.accept.solution.is_none() && !self.args.clean_up {
            self.ui
                .note("error: the profile names no solution for the deals of the checks");
            self.ui
                .note("help: write `solution = \"…\"` under [accept]: one that is co-sell ready in this environment");
            return Err(Exit::Usage);
        }
        if self.args.yes {
            return Ok(());
        }
        let count = self
            .jobs
            .iter()
            .filter(|job| real.drives(job.check, &job.scenario))
            .count();
        let what = if self.args.clean_up {
            format!("every record named {PREFIX} is deleted, or closed in Partner Center")
        } else {
            format!(
                "{count} checks create opportunities, accounts and contacts named `{} …`; the connector makes referrals of them. \
                 They are deleted afterwards; referrals, which nobody can delete, are closed",
                real.prefix()
            )
        };
        self.ui.note(&format!(
            "In the systems of the profile `{}` ({}), {what}.",
            profile.name,
            profile.kind.name()
        ));
        self.ui.note("Go on? Type yes:");
        let mut answer = String::new();
        let heard = std::io::stdin().read_line(&mut answer);
        if heard.is_ok() && matches!(answer.trim(), "yes" | "y") {
            return Ok(());
        }
        self.ui.note("error: nobody said yes, and nothing was written");
        self.ui.note("help: `--yes` goes on without asking");
        Err(Exit::Usage)
    }
}
