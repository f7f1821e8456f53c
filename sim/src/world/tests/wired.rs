//! Worlds over the simulated systems: what is seen of a conversation, in process and on sockets.

use jiff::ToSpan as _;
use serde_json::{Value, json};

use super::*;
use crate::identity::Authority;
use crate::partner_center::{Customer, MicrosoftAct, SharedDeal, signature};

const TOKENS: &str = "https://login.microsoftonline.com/contoso/oauth2/v2.0/token";
const REGISTRATION: &str = "https://api.partnercenter.microsoft.com/webhooks/v1/registration";
const REFERRALS: &str = "https://api.partner.microsoft.com/v1.0/engagements/referrals";

/// A conversation between a connector and a world, and everything that was seen of it.
struct Talk {
    world: World,
    calls: u64,
    trace: Vec<String>,
    /// What came in by webhook, with the signature.
    hooks: Vec<(Bytes, String)>,
    secrets: Vec<String>,
}

impl Talk {
    fn with(world: World) -> Self {
        Self {
            world,
            calls: 0,
            trace: Vec::new(),
            hooks: Vec::new(),
            secrets: vec![Authority::refresh_token_of("connector")],
        }
    }

    /// Runs until nothing is due.
    fn settle(&mut self) {
        loop {
            while let Some(seen) = self.world.poll_observation() {
                if let Observed::Delivering {
                    delivery, signature, ..
                } = &seen.what
                {
                    assert_eq!(*signature, SignatureState::Valid);
                    let request = self.world.take_delivery(*delivery).unwrap().into_request();
                    let header = request.headers()["authorization"].to_str().unwrap().to_owned();
                    self.hooks.push((request.into_body(), header));
                    self.world.answer_hook(*delivery, 202);
                }
                self.trace.push(serde_json::to_string(&seen).unwrap());
            }
            // What is due only in days is left alone.
            let near = self.world.now() + 1.hour();
            if self.world.next_due().is_none_or(|due| due > near) || !self.world.step() {
                return;
            }
        }
    }

    fn call(&mut self, request: http::request::Builder, body: &Value) -> Value {
        let body = if body.is_null() {
            Bytes::new()
        } else {
            Bytes::from(body.to_string())
        };
        self.send(request.header("content-type", "application/json").body(body).unwrap())
    }

    fn send(&mut self, request: http::Request<Bytes>) -> Value {
        self.calls += 1;
        self.world.send(self.calls, request);
        self.settle();
        let reply = self.world.take_reply(self.calls).unwrap();
        assert!(reply.status().is_success(), "{reply:?}");
        serde_json::from_slice(reply.body()).unwrap_or(Value::Null)
    }

    fn sign_in(&mut self, audience: &str) -> String {
        let refresh_token = Authority::refresh_token_of("connector");
        let form = format!(
            "grant_type=refresh_token&client_id=c&client_secret=secret&refresh_token={refresh_token}&scope={audience}/.default"
        );
        let request = http::Request::post(TOKENS).header("content-type", "application/x-www-form-urlencoded");
        let reply = self.send(request.body(Bytes::from(form)).unwrap());
        let token = reply["access_token"].as_str().unwrap().to_owned();
        self.secrets.push(token.clone());
        format!("Bearer {token}")
    }

    /// Signs in to Salesforce, stores an opportunity, changes it and finds it.
    fn salesforce(&mut self) {
        let base = Site::Salesforce.default_base();
        let form = "grant_type=client_credentials&client_id=c&client_secret=secret";
        let request = http::Request::post(format!("{base}/services/oauth2/token"));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let reply = self.send(request.body(Bytes::from_static(form.as_bytes())).unwrap());
        let token = reply["access_token"].as_str().unwrap().to_owned();
        self.secrets.push(token.clone());
        let token = format!("Bearer {token}");
        let fields = json!({"Name": "Fabrikam", "StageName": "Qualification", "CloseDate": "2026-06-30"});
        let url = format!("{base}/services/data/v60.0/sobjects/Opportunity");
        let made = self.call(http::Request::post(&url).header("authorization", &token), &fields);
        let url = format!("{url}/{}", made["id"].as_str().unwrap());
        self.call(
            http::Request::patch(url).header("authorization", &token),
            &json!({"Amount": 5}),
        );
        let query = "SELECT%20Id,Amount%20FROM%20Opportunity%20WHERE%20Name='Fabrikam'";
        let query = http::Request::get(format!("{base}/services/data/v60.0/query?q={query}"));
        let found = self.call(query.header("authorization", &token), &Value::Null);
        assert_eq!(found["totalSize"], 1);
    }
}

fn shared_deal() -> MicrosoftAct {
    MicrosoftAct::Share(SharedDeal {
        name: "Fabrikam migration".to_owned(),
        customer: Customer {
            name: "Fabrikam".to_owned(),
            country: Some("US".to_owned()),
            ..Customer::default()
        },
        value: Some(50_000.0),
        currency: "USD".to_owned(),
        closing: "2026-06-30T00:00:00Z".parse().unwrap(),
        notes: None,
        solutions: vec![("SOL-1".to_owned(), "Solution".to_owned())],
        help: None,
    })
}

/// Signs in, registers for webhooks, hears of a deal, reads it and accepts it; stores an opportunity in Salesforce; asks
/// Dataverse who it is.
fn conversation(world: World) -> Talk {
    let mut talk = Talk::with(world);
    let events = talk.sign_in("https://api.partnercenter.microsoft.com");
    let registration = json!({
        "WebhookUrl": "https://connector.example/hooks",
        "WebhookEvents": ["referral-created", "referral-updated"],
    });
    talk.call(
        http::Request::post(REGISTRATION).header("authorization", events),
        &registration,
    );
    let id = talk.world.microsoft(shared_deal()).unwrap();
    talk.settle();
    let token = talk.sign_in("https://api.partner.microsoft.com");
    let url = format!("{REFERRALS}/{id}");
    let referral = talk.call(http::Request::get(&url).header("authorization", &token), &Value::Null);
    let accept = json!([
        {"op": "replace", "path": "/status", "value": "Active"},
        {"op": "replace", "path": "/substatus", "value": "Accepted"},
    ]);
    let request = http::Request::patch(&url)
        .header("authorization", &token)
        .header("if-match", referral["eTag"].as_str().unwrap());
    talk.call(request, &accept);
    talk.salesforce();
    let token = talk.sign_in("https://contoso.crm.dynamics.com");
    let who = http::Request::get("https://contoso.crm.dynamics.com/api/data/v9.2/WhoAmI");
    talk.call(who.header("authorization", &token), &Value::Null);
    talk
}

#[test]
fn a_conversation_looks_the_same_in_process_and_on_sockets() {
    let in_process = conversation(World::new(WorldSettings::default()));
    let on_sockets = conversation(World::on_sockets(WorldSettings::default()).unwrap());
    assert!(in_process.trace.len() >= 30, "{}", in_process.trace.len());
    for (one, other) in in_process.trace.iter().zip(&on_sockets.trace) {
        assert_eq!(one, other);
    }
    assert_eq!(in_process.hooks, on_sockets.hooks);
    assert_eq!(in_process.world.rows(), on_sockets.world.rows());
}

#[test]
fn a_deferred_signature_is_the_one_that_would_have_been_sent() {
    let talk = conversation(World::new(WorldSettings::default()));
    assert_eq!(talk.hooks.len(), 2);
    for (body, header) in &talk.hooks {
        assert_eq!(header, &format!("Signature {}", signature::sign(body)));
    }
}

#[test]
fn no_secret_reaches_a_trace() {
    let talk = conversation(World::new(WorldSettings::default()));
    for secret in &talk.secrets {
        assert!(
            talk.trace.iter().all(|line| !line.contains(secret.as_str())),
            "{secret}"
        );
    }
}

#[test]
fn a_deal_that_nobody_answers_expires_after_idle_days_in_one_step() {
    let mut world = World::new(WorldSettings::default());
    let id = world.microsoft(shared_deal()).unwrap();
    assert_eq!(world.next_due(), Some(world.now() + 336.hours()));
    assert!(world.step());
    let mut seen = std::iter::from_fn(|| world.poll_observation());
    let by_the_system = |commit: &Commit| commit.actor == "system" && commit.id == id;
    let expired =
        seen.any(|seen| matches!(&seen.what, Observed::Committed { exchange: None, commit } if by_the_system(commit)));
    assert!(expired);
    assert_eq!(world.next_due(), None);
}

/// A world in which a flow waits for opportunities, and one was just made.
fn with_callback() -> World {
    const API: &str = "https://contoso.crm.dynamics.com/api/data/v9.2/";
    let mut world = World::new(WorldSettings::default());
    let callback = json!({"name": "f", "entityname": "opportunity", "message": 7, "scope": 4, "version": 1,
        "url": "https://flow.example/run"});
    for (set, body) in [
        ("callbackregistrations", callback),
        ("opportunities", json!({"name": "deal"})),
    ] {
        let request = http::Request::post(format!("{API}{set}")).header("content-type", "application/json");
        let answer = world.ask("connector", request.body(Bytes::from(body.to_string())).unwrap());
        assert_eq!(answer.status(), StatusCode::NO_CONTENT, "{answer:?}");
    }
    world
}

#[test]
fn a_callback_of_dataverse_is_brought_without_a_signature() {
    let mut world = with_callback();
    let delivery = loop {
        match world.poll_observation().map(|seen| seen.what) {
            Some(Observed::Delivering {
                delivery, signature, ..
            }) => {
                assert_eq!(signature, SignatureState::Absent);
                break delivery;
            }
            Some(_) => {}
            None => assert!(world.step()),
        }
    };
    let request = world.take_delivery(delivery).unwrap().into_request();
    assert_eq!(request.uri(), "https://flow.example/run");
    assert!(request.headers().get("authorization").is_none() && request.headers().contains_key("content-type"));
    let body: Value = serde_json::from_slice(request.body()).unwrap();
    assert_eq!((&body["SdkMessage"], &body["name"]), (&json!("Create"), &json!("deal")));
}

#[test]
fn a_crms_webhook_is_tried_once_more_and_only_when_a_gateway_failed() {
    for (answers, tries) in [
        (&[503, 503, 200][..], 2),
        (&[502, 202], 2),
        (&[500, 200], 1),
        (&[202], 1),
        (&[], 1),
    ] {
        let mut world = with_callback();
        let start = world.now();
        let lines = run(&mut world, answers);
        let brought = lines.iter().filter(|line| line.starts_with("delivering 1")).count();
        assert_eq!(brought, tries, "{answers:?} {lines:?}");
        if answers.is_empty() {
            let waited = world.now().duration_since(start).as_secs();
            assert!((60..70).contains(&waited), "a receiver has a minute: {waited}");
        }
    }
}
