//! The checks against a team's real systems, with the connector that works between them.
//!
//! A check does what a seller or a person in the portal can do over the vendors' APIs, under names that everybody
//! recognises, and takes it back afterwards. What only Microsoft or a simulator can do is not run, with the reason.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use cosell_sim::clock::Clock;
use cosell_sim::site::Site;

use super::checks::Check;
use super::fingerprint::Fingerprint;
use super::traces::Traces;
use super::{Checked, Described, Outcome, tailored, words};
use crate::invariant::Code;
use crate::plan::Plan;
use crate::preflight::dataverse;
use crate::preflight::profile::{Kind, Profile, is_here};
use crate::scenario::{Crm, Scenario};
use crate::verdict;
use drive::{Drive, Times};
use line::{Line, Made};
use marked::Marked;

/// The way to the systems.
mod line;
/// A plan made fit for real systems.
mod marked;
/// What both sides show.
mod look;
/// One check under way.
mod drive;
/// Taking back what was made.
mod clean;

pub use clean::Cleaned;
pub use marked::PREFIX;

/// What a check is judged by when nothing but records is seen.
const JUDGED: [Code; 8] = [
    Code::Converged,
    Code::OneToOne,
    Code::ClosedIsTerminal,
    Code::Quiet,
    Code::Expectation,
    Code::ActRefused,
    Code::Bound,
    Code::Process,
];

/// Real systems, and a run of checks against them.
#[derive(Debug)]
pub struct Real<'a> {
    profile: &'a Profile,
    crm: Crm,
    /// The word that tells this run's records from those of others.
    word: String,
    stop: &'static AtomicBool,
    /// Rows that several checks use.
    shared: Mutex<Vec<Made>>,
    /// Where traces are kept.
    traces: Option<&'a Traces>,
}

/// Whether nothing may be written, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The profile says that it is production.
    Production,
    /// The profile says that it is not, and the org says that it is.
    SaysProduction(String),
}

impl<'a> Real<'a> {
    /// A run against the systems of a profile.
    pub fn new(profile: &'a Profile, crm: Crm, stop: &'static AtomicBool) -> Self {
        Self {
            profile,
            crm,
            word: line::run_word(),
            stop,
            shared: Mutex::new(Vec::new()),
            traces: None,
        }
    }

    /// Keeps a trace of each check there.
    #[must_use]
    pub fn keeping(self, traces: Option<&'a Traces>) -> Self {
        Self { traces, ..self }
    }

    /// What every name of this run begins with.
    pub fn prefix(&self) -> String {
        format!("{PREFIX} {}", self.word)
    }

    /// Signs in, reads who is there into the fingerprint, and says whether these systems may be written.
    ///
    /// # Errors
    /// Why nothing can be driven, as a sentence.
    pub fn look_around(&self, fingerprint: &mut Fingerprint) -> Result<Option<Refusal>, String> {
        let pc = &self.profile.partner_center;
        fingerprint.say("Partner Center", &*pc.referrals_base);
        fingerprint.say(
            "Partner Center tenant",
            pc.sign_in.tenant.as_deref().unwrap_or("of the access token"),
        );
        let mut line = Line::new(self.profile)?;
        let answer = line.get(Site::PartnerCenter, "/v1.0/engagements/referrals?$top=1")?;
        if answer.status != 200 {
            return Err(format!(
                "Partner Center's list of referrals answered {}",
                answer.words()
            ));
        }
        let says = match self.crm {
            Crm::Salesforce => salesforce_says(&mut line, fingerprint)?,
            Crm::Dynamics => dataverse_says(&mut line, fingerprint)?,
        };
        if self.profile.kind == Kind::Production {
            return Ok(Some(Refusal::Production));
        }
        let base = crate::hands::Screen::ground(&line).bases.of(self.crm.site());
        Ok(says
            .filter(|_| self.profile.kind != Kind::Simulator && !is_here(&base))
            .map(Refusal::SaysProduction))
    }

    /// The plan of a check, or why it cannot be driven.
    fn plan(&self, check: Check, scenario: &Scenario) -> Result<Plan, String> {
        let team = &self.profile.connector;
        if let Some(why) = tailored::does_not_apply(check, scenario, self.crm, team) {
            return Err(why);
        }
        let mut plan = tailored::plan(scenario, self.crm, None, team);
        tailored::from_outside(&mut plan);
        if let Some(why) = marked::why_not(&plan, &self.profile.accept) {
            return Err(why.to_owned());
        }
        let marked = Marked {
            prefix: format!("{}-{:02}", self.prefix(), check.number),
            accept: &self.profile.accept,
            days: marked::days_since(Clock::wall().now()),
            solutions: marked::solutions(&plan),
        };
        marked.apply(&mut plan);
        Ok(plan)
    }

    /// Whether a check writes anything here.
    pub fn drives(&self, check: Check, scenario: &Scenario) -> bool {
        self.plan(check, scenario).is_ok()
    }

    /// Runs one check and cleans up after it.
    pub fn run(&self, check: Check, scenario: &Scenario, described: Described) -> Checked {
        let plan = match self.plan(check, scenario) {
            Ok(plan) => plan,
            Err(why) => return Checked::not_run(check, described, why, false),
        };
        let mut line = match Line::new(self.profile) {
            Ok(line) => line,
            Err(why) => return Checked::not_run(check, described, why, true),
        };
        let times = Times {
            deadline: self.profile.accept.deadline,
            quiet_for: self.profile.accept.quiet_for,
        };
        let mut drive = Drive::new(&plan, times, &mut line, self.stop);
        let trace = drive.go();
        let (trouble, opportunities) = (drive.trouble.take(), drive.opportunities());
        let referrals: Vec<String> = std::mem::take(&mut drive.looked.referrals).into_iter().collect();
        let (cleaned, shared) = clean::check(&mut line, self.crm, &opportunities, &referrals);
        self.shared
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(shared);
        let mut checked = Checked::of(check, described);
        let findings = verdict::decide(&plan, &trace).findings;
        let findings: Vec<_> = findings
            .iter()
            .filter(|finding| JUDGED.contains(&finding.code))
            .collect();
        checked
            .seen
            .extend(findings.iter().map(|finding| words::finding(finding)));
        checked.seen.extend(words::at_the_end(&trace));
        if let Some(traces) = self.traces {
            traces.keep(check, scenario, &trace, &mut checked);
        }
        checked.seen.push(cleaned.words());
        checked.left_behind = cleaned.left;
        let stopped = self.stop.load(Ordering::Relaxed);
        let reason = trouble.or_else(|| stopped.then(|| "somebody stopped the command with Ctrl-C".to_owned()));
        if reason.is_some() {
            (checked.outcome, checked.is_open) = (Outcome::NotRun, true);
        } else if !findings.is_empty() {
            checked.outcome = Outcome::Failed;
        }
        checked.reason = reason;
        checked
    }

    /// Takes back what is left of this run, after all checks: rows that they shared, referrals that came late.
    ///
    /// # Errors
    /// Why nobody could sign in.
    pub fn close(&self) -> Result<Cleaned, String> {
        let mut line = Line::new(self.profile)?;
        let mut cleaned = Cleaned::default();
        clean::sweep(&mut line, self.crm, &self.prefix(), &mut cleaned);
        let shared = std::mem::take(&mut *self.shared.lock().unwrap_or_else(PoisonError::into_inner));
        for made in &shared {
            clean::delete(&mut line, made, &mut cleaned);
        }
        Ok(cleaned)
    }

    /// Takes back what is left of every run.
    ///
    /// # Errors
    /// Why nobody could sign in.
    pub fn clean_up(&self) -> Result<Cleaned, String> {
        let mut line = Line::new(self.profile)?;
        let mut cleaned = Cleaned::default();
        clean::sweep(&mut line, self.crm, PREFIX, &mut cleaned);
        Ok(cleaned)
    }
}

/// Who the org is; a sentence when it says that it is no sandbox (salesforce.md section 3: `Organization.IsSandbox`).
fn salesforce_says(line: &mut Line<'_>, fingerprint: &mut Fingerprint) -> Result<Option<String>, String> {
    let soql = crate::preflight::reader::escaped("SELECT Id, Name, IsSandbox FROM Organization");
    let answer = line.get(Site::Salesforce, &format!("/services/data/v60.0/query?q={soql}"))?;
    let base = crate::hands::Screen::ground(line).bases.of(Site::Salesforce);
    fingerprint.say("Salesforce", base);
    let org = &answer.body["records"][0];
    let Some(id) = org["Id"].as_str() else {
        return Err(format!("the org does not say who it is: {}", answer.words()));
    };
    let name = org["Name"].as_str().unwrap_or_default();
    fingerprint.say("Salesforce org", format!("{id} {name}"));
    fingerprint.say("Salesforce API", "60.0");
    let production = org["IsSandbox"] == false;
    fingerprint.say("Salesforce sandbox", if production { "no" } else { "yes" });
    Ok(production.then(|| format!("the Salesforce org {id} says that it is no sandbox")))
}

/// Who the environment is; a sentence when it says that it is production (Microsoft Learn, Dataverse Web API:
/// `RetrieveCurrentOrganization`, `OrganizationType`).
fn dataverse_says(line: &mut Line<'_>, fingerprint: &mut Fingerprint) -> Result<Option<String>, String> {
    let base = crate::hands::Screen::ground(line).bases.of(Site::Dataverse);
    fingerprint.say("Dataverse", base);
    let who = line.get(Site::Dataverse, "/api/data/v9.2/WhoAmI")?;
    let Some(id) = who.body["OrganizationId"].as_str() else {
        return Err(format!("the environment does not say who it is: {}", who.words()));
    };
    fingerprint.say("Dataverse organisation", id);
    let version = line.get(Site::Dataverse, "/api/data/v9.2/RetrieveVersion()")?;
    fingerprint.say(
        "Dataverse version",
        version.body["Version"].as_str().unwrap_or("not told"),
    );
    let current = line.get(Site::Dataverse, dataverse::CURRENT_ORGANISATION)?;
    let told = &current.body["Detail"]["OrganizationType"];
    let word = told.to_string().trim_matches('"').to_owned();
    let production = dataverse::is_production(told);
    let kind = match production {
        Some(true) => format!("production ({word})"),
        Some(false) => format!("sandbox ({word})"),
        None => "not told: whoever goes on says that it is no production".to_owned(),
    };
    fingerprint.say("Dataverse environment", kind);
    let says = || format!("the Dataverse environment {id} says that it is production ({word})");
    Ok((production == Some(true)).then(says))
}
