//! A plan made fit for real systems: names that everybody recognises, dates that lie ahead, the team's own solution, and
//! what nobody but Microsoft or a simulator can do, with the reason.

#![expect(clippy::wildcard_enum_match_arm, reason = "few of the many acts name a record")]

use jiff::civil::Date;
use jiff::{Span, Timestamp, tz::TimeZone};

use crate::accept::tailored::each_expectation;
use crate::plan::Plan;
use crate::preflight::profile::Accept;
use crate::scenario::act::{Act, Customer, Edit, Expectation, Money, NewDeal, Plain, Wanted};
use crate::scenario::settings::Given;

/// What every name of a record begins with that an acceptance makes.
pub const PREFIX: &str = "COSELL-ACCEPT";

/// The text of Audit that the documentation quotes; the others differ from connector to connector (product.md M13).
const QUOTED_AUDIT: &str = "Solution ID is required";

/// Why a plan cannot be driven through real systems, when it cannot.
pub(super) fn why_not(plan: &Plan, accept: &Accept) -> Option<&'static str> {
    if plan.world.given != Given::default() || plan.world.daily_calls.is_some() || plan.world.calls_per_minute.is_some()
    {
        return Some("it begins with a world that only a simulator can be");
    }
    match (solutions(plan).len(), accept.second_solution.is_some()) {
        (..=1, _) | (2, true) => {}
        (2, false) => return Some("it needs two solutions, and the profile names no `second-solution`"),
        _ => return Some("it needs more solutions than a profile names"),
    }
    plan.steps.iter().find_map(|step| cannot(&step.act))
}

/// The solutions that sellers give to deals, in the order in which they first do.
pub(super) fn solutions(plan: &Plan) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for step in &plan.steps {
        let named = match &step.act {
            Act::SellerCreates(deal) => deal.solutions.as_slice(),
            Act::SellerAddsSolution(solution) | Act::SellerRemovesSolution(solution) => std::slice::from_ref(solution),
            _ => &[],
        };
        for name in named {
            if !all.contains(name) {
                all.push(name.clone());
            }
        }
    }
    all
}

fn cannot(act: &Act) -> Option<&'static str> {
    match act {
        Act::MicrosoftShares(_)
        | Act::MicrosoftSharesLead(..)
        | Act::MicrosoftEdits(_)
        | Act::MicrosoftAccepts
        | Act::MicrosoftDeclines(_)
        | Act::MicrosoftSetsMsxId(_)
        | Act::MicrosoftAddsTeamMember(_) => Some("only somebody at Microsoft can do what it needs"),
        Act::SellerCreates(deal) if deal.help.is_some() || deal.visible == Some(true) => {
            Some("it asks people at Microsoft for help, which nobody can take back")
        }
        Act::SellerEdits(edit) if edit.help.is_some() || edit.visible == Some(true) => {
            Some("it asks people at Microsoft for help, which nobody can take back")
        }
        Act::Fault(_)
        | Act::RestartConnector
        | Act::StopConnector
        | Act::StartConnector
        | Act::Flows(_)
        | Act::SkewClock { .. }
        | Act::ExpireTokens(_)
        | Act::BreakConnection { .. }
        | Act::RepairConnection(_)
        | Act::GiveRoles { .. }
        | Act::OnCall(_) => Some("nothing can be made to fail between real systems"),
        Act::Expect(Expectation::Calls { .. }) => Some("the connector's calls to real systems are not seen"),
        _ => None,
    }
}

/// What the names, dates and amounts of a plan become.
pub(super) struct Marked<'a> {
    /// What every name begins with.
    pub(super) prefix: String,
    /// What the profile says.
    pub(super) accept: &'a Accept,
    /// How many days later everything is than in the scenario.
    pub(super) days: i64,
    /// The scenario's own solutions, in order: the first is the profile's `solution`.
    pub(super) solutions: Vec<String>,
}

/// The day on which every scenario begins.
const FIRST_DAY: Date = Date::constant(2026, 1, 5);

/// How many days have passed since.
pub(super) fn days_since(now: Timestamp) -> i64 {
    let today = now.to_zoned(TimeZone::UTC).date();
    FIRST_DAY
        .until(today)
        .map_or(0, |span| i64::from(span.get_days()).max(0))
}

impl Marked<'_> {
    /// Changes the whole plan.
    pub(super) fn apply(&self, plan: &mut Plan) {
        for step in &mut plan.steps {
            match &mut step.act {
                Act::SellerCreates(deal) => self.deal(deal),
                Act::SellerEdits(edit) | Act::PartnerEdits(edit) => self.edit(edit),
                Act::SellerAddsSolution(solution) | Act::SellerRemovesSolution(solution) => self.solution(solution),
                _ => {}
            }
        }
        each_expectation(plan, &mut |expected| self.expectation(expected));
    }

    fn name(&self, name: &mut String) {
        *name = format!("{} {name}", self.prefix);
    }

    fn date(&self, date: &mut Date) {
        *date = date.checked_add(Span::new().days(self.days)).unwrap_or(*date);
    }

    fn money(&self, money: &mut Money) {
        if let Some(currency) = self.accept.currency.as_ref().filter(|_| money.currency == "USD") {
            money.currency.clone_from(currency);
        }
    }

    fn solution(&self, solution: &mut String) {
        let own = match self.solutions.iter().position(|known| known == solution) {
            Some(1) => &self.accept.second_solution,
            _ => &self.accept.solution,
        };
        if let Some(own) = own {
            solution.clone_from(own);
        }
    }

    fn deal(&self, deal: &mut NewDeal) {
        self.name(&mut deal.name);
        if let Some(Customer {
            name,
            country,
            postal_code,
        }) = &mut deal.customer
        {
            self.name(name);
            postal_code.clone_from(&self.accept.postal_code);
            if let Some(country) = country {
                country.clone_from(&self.accept.country);
            }
        }
        if let Some(contact) = &mut deal.contact {
            contact.last_name = format!("{} {}", self.prefix, contact.last_name);
        }
        deal.value.iter_mut().for_each(|money| self.money(money));
        deal.closes.iter_mut().for_each(|date| self.date(date));
        deal.solutions.iter_mut().for_each(|solution| self.solution(solution));
    }

    fn edit(&self, edit: &mut Edit) {
        edit.name.iter_mut().for_each(|name| self.name(name));
        edit.value.iter_mut().for_each(|money| self.money(money));
        edit.closes.iter_mut().for_each(|date| self.date(date));
    }

    fn expectation(&self, expected: &mut Expectation) {
        let further = match expected {
            Expectation::InCrm(fields) => {
                fields.name.iter_mut().for_each(|name| self.name(name));
                fields.value.iter_mut().for_each(|money| self.money(money));
                fields.closes.iter_mut().for_each(|date| self.date(date));
                fields.audit = fields.audit.take().filter(|text| text == QUOTED_AUDIT);
                &mut fields.further
            }
            Expectation::InPartnerCenter(fields) => {
                fields.name.iter_mut().for_each(|name| self.name(name));
                fields.value.iter_mut().for_each(|money| self.money(money));
                fields.closes.iter_mut().for_each(|date| self.date(date));
                &mut fields.further
            }
            _ => return,
        };
        for (field, wanted) in further {
            if *field == "solutions"
                && let Wanted::Is(Plain::Texts(solutions)) = wanted
            {
                for solution in solutions {
                    self.solution(solution);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load;
    use crate::scenario::Crm;

    fn plan(path: &str) -> Plan {
        let catalog = load::catalog();
        let scenario = catalog.scenarios.iter().find(|scenario| scenario.address() == path);
        Plan::of(scenario.expect("it is in the catalog"), Crm::Salesforce, None)
    }

    #[test]
    fn acts_of_microsofts_help_and_faults_are_told_and_never_done() {
        for (path, part) in [
            ("catalog/on-hold/nobody-answers.yaml", "only somebody at Microsoft"),
            ("catalog/go-live/shared-with-microsoft.yaml", "nobody can take back"),
            ("catalog/trouble/told-to-slow-down.yaml", "nothing can be made to fail"),
            ("catalog/updates/solutions-added.yaml", "two solutions"),
            ("catalog/set-up/deals-that-were-there.yaml", "only a simulator"),
        ] {
            let why = why_not(&plan(path), &Accept::default()).unwrap_or_default();
            assert!(why.contains(part), "{path}: {why}");
        }
        let (plain, two) = (
            Accept::default(),
            Accept {
                second_solution: Some("B".to_owned()),
                ..Accept::default()
            },
        );
        assert_eq!(why_not(&plan("catalog/go-live/value-both-ways.yaml"), &plain), None);
        assert_eq!(why_not(&plan("catalog/updates/solutions-added.yaml"), &two), None);
    }

    #[test]
    fn names_carry_the_prefix_and_dates_lie_as_far_ahead_as_in_the_scenario() {
        let accept = Accept {
            solution: Some("OWN-1".to_owned()),
            currency: Some("EUR".to_owned()),
            ..Accept::default()
        };
        let marked = Marked {
            prefix: format!("{PREFIX} abc"),
            accept: &accept,
            days: 10,
            solutions: vec!["SOL-1".to_owned()],
        };
        let mut plan = plan("catalog/go-live/closing-date-from-partner-center.yaml");
        marked.apply(&mut plan);
        let Act::SellerCreates(deal) = &plan.steps[0].act else {
            panic!("the first step creates");
        };
        assert_eq!(deal.name, "COSELL-ACCEPT abc Deal D1");
        assert_eq!(deal.closes, Some(Date::constant(2026, 7, 10)));
        assert_eq!(deal.solutions, ["OWN-1"]);
        assert_eq!(deal.value.as_ref().map(|money| money.currency.as_str()), Some("EUR"));
        assert!(
            deal.customer
                .as_ref()
                .is_some_and(|customer| customer.name.starts_with(PREFIX))
        );
        assert!(
            deal.contact
                .as_ref()
                .is_some_and(|contact| contact.last_name.starts_with(PREFIX))
        );
        assert_eq!(days_since("2026-03-07T12:00:00Z".parse().expect("a time")), 61);
    }
}
