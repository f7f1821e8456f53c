//! The connector: four verbs, and nothing else changes it.

use bytes::Bytes;
use jiff::Timestamp;

use crate::board::Board;
use crate::contract::{Command, Event, Memory, Reason};
use crate::engine::{Engine, Executor};
use crate::flow::{FlowRun, FlowState};
use crate::id::ReferralId;
use crate::job::desk::Desk;
use crate::job::{hook, poll, register, run};
use crate::record::Record;
use crate::settings::{Settings, SettingsError};
use crate::status::Status;

/// The reference connector without input or output.
///
/// After each [`handle_event`](Self::handle_event) and [`handle_timeout`](Self::handle_timeout), and after
/// [`new`](Self::new), call [`poll_command`](Self::poll_command) until it gives nothing, carrying out each command before
/// the next; then wait for an event, or for the time that [`poll_timeout`](Self::poll_timeout) names.
pub struct Connector {
    engine: Engine,
    executor: Executor,
    desk: Desk,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector")
            .field("settings", self.desk.settings())
            .finish_non_exhaustive()
    }
}

impl Connector {
    /// Starts from what was persisted; the seed decides about jitter alone.
    pub fn new(settings: Settings, memory: &Memory, seed: u64, now: Timestamp) -> Result<Self, SettingsError> {
        settings.check()?;
        let (mut board, unreadable) = Board::load(memory, now);
        if settings.is_planted(crate::planted::Planted::BaseInMemory) {
            board.forget_bases();
        }
        let engine = Engine::new(seed, now);
        let desk = Desk::new(engine.clone(), settings, board, memory);
        if unreadable > 0 {
            let detail =
                format!("{unreadable} persisted records cannot be read; their deals are found again by looking");
            desk.say(&Record::default(), "memory.unreadable", None, detail);
        }
        engine.spawn(register::register_and_reconcile(desk.clone()));
        engine.spawn(register::watch(desk.clone()));
        engine.spawn(poll::poll(desk.clone()));
        for (key, _) in memory.entries() {
            if let Some(id) = key.strip_prefix(hook::RELATED) {
                let id = ReferralId::new(id);
                // What was kept was below the bound.
                desk.board().trace(&id);
                engine.spawn(hook::trace_related(desk.clone(), id));
            }
        }
        let executor = Executor::new(engine.clone());
        let mut connector = Self { engine, executor, desk };
        connector.go_on();
        Ok(connector)
    }

    /// Takes something that happened outside.
    pub fn handle_event(&mut self, event: Event, now: Timestamp) {
        self.engine.set_now(now);
        self.engine.wake_due();
        match event {
            Event::Reply { call, response } => self.engine.settle(call, Ok(response)),
            Event::Failed { call, failure } => self.engine.settle(call, Err(failure)),
            Event::Hook { hook, body, signature } => self.hook(hook, &body, signature),
            Event::Flow(act) => self.desk.act_on_flows(act),
        }
        self.go_on();
    }

    fn hook(&self, hook: crate::id::HookId, body: &Bytes, signature: crate::contract::Signature) {
        hook::take(&self.desk, hook, body, signature);
    }

    /// Takes the passing of time.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        self.engine.set_now(now);
        self.engine.wake_due();
        self.go_on();
    }

    /// Gives the next thing to do.
    pub fn poll_command(&mut self) -> Option<Command> {
        self.engine.poll_command()
    }

    /// The flows of the solution, in the order in which they are turned on.
    pub fn flows(&self) -> Vec<FlowState> {
        self.desk.flow_states()
    }

    /// The run history of the flows, the oldest run first; the oldest are forgotten.
    pub fn runs(&self) -> Vec<FlowRun> {
        self.desk.flows().history.runs().cloned().collect()
    }

    /// How it goes.
    pub fn status(&self) -> Status {
        self.desk.status()
    }

    /// When [`handle_timeout`](Self::handle_timeout) must be called if nothing happens before, and why.
    pub fn poll_timeout(&self) -> Option<(Timestamp, Reason)> {
        let start = self.desk.board().next_start(self.desk.settings().concurrency);
        let start = start.map(|at| (at, Reason::Retry));
        [self.engine.next_timer(), start].into_iter().flatten().min()
    }

    /// When the last timer is due that is not part of the routine, see [`Reason::is_routine`]; `None` when nothing but the
    /// routine is ahead. It tells a harness that a long pause is no rest.
    pub fn work_until(&self) -> Option<Timestamp> {
        let start = self.desk.board().last_start();
        [self.engine.last_work(), start].into_iter().flatten().max()
    }

    /// Runs everything that can go on, and starts the runs that may start, until all wait.
    fn go_on(&mut self) {
        self.executor.run();
        loop {
            let started = self
                .desk
                .board()
                .start(self.engine.now(), self.desk.settings().concurrency);
            let Some(started) = started else {
                return;
            };
            self.engine.spawn(run::run(self.desk.clone(), started));
            self.executor.run();
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::contract::{Failure, Signature};
    use crate::id::HookId;
    use crate::settings::{CrmSettings, PartnerCenterSettings, SalesforceSettings, Secret};

    const REFERRAL: &str = "4111fffc-f9ee-4d53-bba6-569135228642";

    /// A scripted outside: a new referral, an empty CRM, and what became of it.
    #[derive(Default)]
    struct Outside {
        opportunity: Option<Value>,
        reference: Value,
        asked: Vec<String>,
        memory: Memory,
        answered: Vec<u16>,
        lose_the_created: bool,
    }

    impl Outside {
        /// The reply to a request; none is a lost reply.
        fn reply(&mut self, request: &http::Request<Bytes>) -> Option<(u16, Value)> {
            let sent: Value = serde_json::from_slice(request.body()).unwrap_or_default();
            let uri = request.uri().to_string();
            let what = uri
                .split(['?', '\''])
                .next()
                .unwrap_or_default()
                .rsplit('/')
                .next()
                .unwrap_or_default();
            self.asked.push(format!("{} {what}", request.method()));
            let upsert = uri.contains("/Referral_Identifier__c/");
            let method = if upsert { "POST" } else { request.method().as_str() };
            let what = if upsert { "Opportunity" } else { what };
            if upsert {
                self.asked.push("POST Opportunity".to_owned());
            }
            Some(match (method, what) {
                (_, "token") => (200, json!({"access_token": "t", "expires_in": 3600})),
                ("POST", "registration") => (409, json!({})),
                ("PUT", "registration") => (200, json!({})),
                ("GET", "referrals") => (200, json!({"value": []})),
                ("GET", REFERRAL) => (200, self.referral()),
                ("PATCH", REFERRAL) => {
                    self.reference = sent[0]["value"].clone();
                    (200, self.referral())
                }
                ("POST", "Opportunity") => {
                    let mut row = sent;
                    row["Referral_Identifier__c"] = json!(REFERRAL);
                    row["Id"] = json!("0067e00000RmwSWAAZ");
                    row["LastModifiedDate"] = json!("2026-01-05T08:00:00.000+0000");
                    row["SystemModstamp"] = row["LastModifiedDate"].clone();
                    self.opportunity = Some(row);
                    if std::mem::take(&mut self.lose_the_created) {
                        return None;
                    }
                    (201, json!({"id": "0067e00000RmwSWAAZ", "success": true, "errors": []}))
                }
                ("POST", _) => (201, json!({"id": "0017e00000RmwSWAAZ", "success": true, "errors": []})),
                ("GET", "query") if uri.contains("Referral_Identifier__c%20%3D") => {
                    (200, json!({"records": self.opportunity.iter().collect::<Vec<_>>()}))
                }
                ("GET", "query") => (200, json!({"records": []})),
                ("GET", _) if uri.contains("/engagements/referrals/") => (404, json!({})),
                _ => (200, self.opportunity.clone().unwrap_or_default()),
            })
        }

        fn referral(&self) -> Value {
            json!({
                "id": REFERRAL, "engagementId": "e", "name": "Deal", "status": "New", "substatus": "Pending",
                "type": "Shared", "qualification": "SalesQualified", "externalReferenceId": self.reference,
                "updatedDateTime": "2026-01-05T09:00:00.0000000Z", "eTag": format!("\"{}\"", self.reference),
                "customerProfile": {"name": "Fabrikam", "address": {"postalCode": "1", "country": "DE"}},
                "details": {"dealValue": 5, "currency": "USD", "closingDateTime": "2026-03-01T00:00:00Z"}
            })
        }

        /// Carries commands out until the core waits; gives the replies in the order of the calls.
        fn carry_out(&mut self, core: &mut Connector, now: Timestamp) {
            let mut replies = std::collections::VecDeque::new();
            loop {
                while let Some(command) = core.poll_command() {
                    match command {
                        Command::Call { call, request, .. } => replies.push_back((call, self.reply(&request))),
                        Command::Persist { key, value } => self.memory.apply(key, value),
                        Command::Answer { status, .. } => self.answered.push(status),
                        Command::Record(_) => {}
                    }
                }
                let Some((call, reply)) = replies.pop_front() else {
                    return;
                };
                let event = match reply {
                    Some((status, body)) => {
                        let mut response = http::Response::new(Bytes::from(body.to_string()));
                        *response.status_mut() = http::StatusCode::from_u16(status).unwrap();
                        let date = http::HeaderValue::from_static("Mon, 05 Jan 2026 09:00:00 GMT");
                        response.headers_mut().insert(http::header::DATE, date);
                        Event::Reply { call, response }
                    }
                    None => Event::Failed {
                        call,
                        failure: Failure::Broken,
                    },
                };
                core.handle_event(event, now);
            }
        }

        fn times(&self, what: &str) -> usize {
            self.asked.iter().filter(|asked| *asked == what).count()
        }
    }

    fn core(memory: &Memory, now: Timestamp) -> Connector {
        let partner_center = PartnerCenterSettings::new("t", "c", Secret::new("s"), Secret::new("r"));
        let crm = SalesforceSettings::new("https://contoso.my.salesforce.com", "c", Secret::new("s"));
        let mut settings = Settings::new(partner_center, CrmSettings::Salesforce(crm));
        settings.hook_url = Some("https://connector.example/hook".to_owned());
        Connector::new(settings, memory, 1, now).unwrap()
    }

    fn hook(signature: Signature) -> Event {
        let uri = format!("https://api.partnercenter.microsoft.com/engagements/v1/referrals/{REFERRAL}");
        let body = json!({"EventName": "referral-created", "ResourceUri": uri});
        Event::Hook {
            hook: HookId(1),
            body: Bytes::from(body.to_string()),
            signature,
        }
    }

    fn start() -> Timestamp {
        "2026-01-05T09:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_webhook_makes_one_opportunity_and_both_records_name_each_other() {
        let mut outside = Outside::default();
        let mut core = core(&Memory::default(), start());
        outside.carry_out(&mut core, start());
        core.handle_event(hook(Signature::Verified), start());
        outside.carry_out(&mut core, start());
        assert_eq!(outside.answered, [200]);
        let row = outside.opportunity.clone().unwrap();
        assert_eq!((&row["Name"], &row["StageName"]), (&json!("Deal ✔"), &json!("On Hold")));
        assert_eq!(row["Referral_Identifier__c"], REFERRAL);
        assert_eq!(outside.reference, "0067e00000RmwSWAAZ");
        core.handle_event(hook(Signature::Verified), start());
        outside.carry_out(&mut core, start());
        assert_eq!(
            (
                outside.times("POST Opportunity"),
                outside.times("PATCH 0067e00000RmwSWAAZ")
            ),
            (1, 0)
        );
    }

    #[test]
    fn a_webhook_of_another_tenant_is_answered_and_nothing_is_remembered() {
        let mut outside = Outside::default();
        let mut core = core(&Memory::default(), start());
        outside.carry_out(&mut core, start());
        let body = json!({
            "EventName": "referral-created",
            "ResourceUri": "https://api.example/referrals/00000000-0000-4000-8000-00000000beef",
        });
        let hook = Event::Hook {
            hook: HookId(7),
            body: Bytes::from(body.to_string()),
            signature: Signature::Verified,
        };
        core.handle_event(hook, start());
        outside.carry_out(&mut core, start());
        assert_eq!(
            (outside.answered.as_slice(), core.status().deals),
            ([200].as_slice(), 0)
        );
        let marked = |key: &str| key.starts_with("deal/") || key.starts_with("due/");
        assert!(!outside.memory.entries().any(|(key, _)| marked(key)));
    }

    #[test]
    fn a_webhook_without_a_good_signature_is_refused_and_marks_nothing() {
        let mut outside = Outside::default();
        let mut core = core(&Memory::default(), start());
        outside.carry_out(&mut core, start());
        for signature in [Signature::Forged, Signature::Absent] {
            core.handle_event(hook(signature), start());
            outside.carry_out(&mut core, start());
        }
        assert_eq!(outside.answered, [401, 401]);
        let marked = |key: &str| key.starts_with("deal/") || key.starts_with("due/");
        assert!(!outside.memory.entries().any(|(key, _)| marked(key)));
    }

    #[test]
    fn after_a_lost_reply_and_a_restart_it_looks_before_it_creates() {
        let mut outside = Outside {
            lose_the_created: true,
            ..Outside::default()
        };
        let mut first = core(&Memory::default(), start());
        outside.carry_out(&mut first, start());
        first.handle_event(hook(Signature::Verified), start());
        outside.carry_out(&mut first, start());
        assert_eq!(outside.reference, Value::Null);
        drop(first);
        let mut second = core(&outside.memory.clone(), start());
        outside.carry_out(&mut second, start());
        assert_eq!(outside.times("POST Opportunity"), 1);
        assert_eq!(outside.reference, "0067e00000RmwSWAAZ");
    }

    #[test]
    fn the_same_events_give_the_same_requests() {
        let run = || {
            let mut outside = Outside {
                lose_the_created: true,
                ..Outside::default()
            };
            let mut core = core(&Memory::default(), start());
            outside.carry_out(&mut core, start());
            core.handle_event(hook(Signature::Verified), start());
            outside.carry_out(&mut core, start());
            while let Some((at, _)) = core
                .poll_timeout()
                .filter(|(at, _)| at.as_second() < start().as_second() + 600)
            {
                core.handle_timeout(at);
                outside.carry_out(&mut core, at);
            }
            (outside.asked, outside.memory)
        };
        assert_eq!(run(), run());
    }
}
