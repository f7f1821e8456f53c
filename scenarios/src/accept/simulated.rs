//! The checks against the simulators: with the reference connector in virtual time, or with somebody else's on sockets.

use bytes::Bytes;
use cosell_sim::site::Site;
use cosell_sim::world::{World, WorldSettings};
use http::Request;

use super::checks::Check;
use super::traces::Traces;
use super::{Checked, Described, Outcome, tailored, words};
use crate::invariant::Code;
use crate::live::{self, LiveOptions};
use crate::plan::Plan;
use crate::preflight::profile::Connector;
use crate::scenario::act::Act;
use crate::scenario::{Crm, Scenario};
use crate::simulate::{self, Options};
use crate::verdict;

/// How the checks are run.
#[derive(Clone, Debug)]
pub struct Simulated<'a> {
    /// The CRM.
    pub crm: Crm,
    /// The team's settings.
    pub team: &'a Connector,
    /// The seed, instead of the scenarios' own.
    pub seed: Option<u64>,
    /// How somebody else's connector is run; the reference connector without.
    pub live: Option<&'a LiveOptions>,
    /// Where traces are kept.
    pub traces: Option<&'a Traces>,
}

impl Simulated<'_> {
    /// Runs one check.
    pub fn run(&self, check: Check, scenario: &Scenario, described: Described) -> Checked {
        if let Some(why) = tailored::does_not_apply(check, scenario, self.crm, self.team) {
            return Checked::not_run(check, described, why, false);
        }
        let mut plan = tailored::plan(scenario, self.crm, self.seed, self.team);
        let trace = match self.live {
            None => simulate::run(&plan, &Options::default()),
            Some(options) => {
                tailored::from_outside(&mut plan);
                if let Some(why) = takes_too_long(&plan) {
                    return Checked::not_run(check, described, why, false);
                }
                live::run(&plan, options)
            }
        };
        let trace = match trace {
            Ok(trace) => trace,
            Err(error) => return Checked::not_run(check, described, error.to_string(), true),
        };
        let verdict = verdict::decide(&plan, &trace);
        let mut checked = Checked::of(check, described);
        checked.seen.extend(verdict.findings.iter().map(words::finding));
        checked.seen.extend(words::at_the_end(&trace));
        if let Some(traces) = self.traces {
            traces.keep(check, scenario, &trace, &mut checked);
        }
        // A process that ends, never calls or floods is no matter of what a simulator refuses.
        let is_lifeless = verdict
            .findings
            .iter()
            .any(|finding| matches!(finding.code, Code::Process | Code::Bound));
        match verdict.outcome {
            verdict::Outcome::Passed => {}
            verdict::Outcome::Failed => checked.outcome = Outcome::Failed,
            verdict::Outcome::Inconclusive if is_lifeless => checked.outcome = Outcome::Failed,
            verdict::Outcome::Inconclusive => {
                checked.outcome = Outcome::NotRun;
                checked.is_open = true;
                checked.reason = Some(verdict.refused.join("; "));
            }
        }
        checked
    }
}

/// A week of the wall's time does not pass while somebody waits.
fn takes_too_long(plan: &Plan) -> Option<String> {
    let week = jiff::SignedDuration::from_hours(7 * 24);
    let long = |act: &Act| matches!(act, Act::Wait(lasts) if *lasts >= week);
    let is_long = plan.steps.iter().any(|step| long(&step.act));
    is_long.then(|| {
        "it takes more than a week of the wall's time, which only the reference connector can be given".to_owned()
    })
}

/// The settings without those fields that the simulated CRM does not have, and a sentence on each: with them every deal
/// would fail for that reason alone, so the CRM's usual field stands in.
pub fn with_stand_ins(team: &Connector, crm: Crm) -> (Connector, Vec<String>) {
    let mut team = team.clone();
    let (account, opportunity) = match crm {
        Crm::Salesforce => ("Account", "Opportunity"),
        Crm::Dynamics => ("account", "opportunity"),
    };
    let fields = [
        ("country field", account, &mut team.country_field),
        ("deal value field", opportunity, &mut team.deal_value_field),
        ("closing date field", opportunity, &mut team.closing_date_field),
        ("notes field", opportunity, &mut team.notes_field),
    ];
    let mut world = None;
    let mut told = Vec::new();
    for (setting, table, field) in fields {
        let own = crm == Crm::Salesforce
            && field
                .as_ref()
                .is_some_and(|name| name.to_ascii_lowercase().ends_with("__c"));
        let Some(name) = field.take_if(|_| !own) else { continue };
        let world = world.get_or_insert_with(|| World::new(WorldSettings::default()));
        if knows(world, crm, table, &name) {
            *field = Some(name);
        } else {
            told.push(format!(
                "the simulated {} has no {table}.{name}, the team's `{setting}`: its usual field stands in",
                tailored::name_of(crm)
            ));
        }
    }
    (team, told)
}

fn knows(world: &mut World, crm: Crm, table: &str, field: &str) -> bool {
    let (site, path) = match crm {
        Crm::Salesforce => (
            Site::Salesforce,
            format!("/services/data/v60.0/sobjects/{table}/describe"),
        ),
        Crm::Dynamics => (
            Site::Dataverse,
            format!("/api/data/v9.2/EntityDefinitions(LogicalName='{table}')/Attributes?$select=LogicalName"),
        ),
    };
    let url = format!("{}{path}", world.ground().bases.of(site));
    let Ok(request) = Request::get(url).body(Bytes::new()) else {
        return false;
    };
    let answer = world.ask("connector", request);
    let body: serde_json::Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    let (rows, key) = match crm {
        Crm::Salesforce => (&body["fields"], "name"),
        Crm::Dynamics => (&body["value"], "LogicalName"),
    };
    let mut rows = rows.as_array().into_iter().flatten();
    rows.any(|row| row[key].as_str().is_some_and(|name| name.eq_ignore_ascii_case(field)))
}
