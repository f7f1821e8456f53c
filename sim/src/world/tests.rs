//! Worlds over a small router of the tests' own: what the network does must not depend on which system it carries.

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use super::*;
use crate::fault::{ExchangeKind, Fate, Outage, Target, Targeted};
use crate::happening::{Commit, CommitKind, Hook};
use crate::site::Site;
use crate::systems::Routers;

const ROWS: &str = "https://api.partner.microsoft.com/rows";

/// Stores nothing, but says that it did, and owes a webhook for it.
async fn store(State(ground): State<Ground>, headers: HeaderMap, body: Bytes) -> (StatusCode, Bytes) {
    let granted = ground
        .authority
        .check(&headers, crate::identity::PARTNER_CENTER_AUDIENCE);
    let at = ground.clock.now();
    ground.happenings.push(Happening::Committed(Commit {
        site: Site::PartnerCenter,
        table: "referral".to_owned(),
        id: "r-1".to_owned(),
        kind: CommitKind::Created,
        actor: granted.map_or_else(|_| "nobody".to_owned(), |grant| grant.user.name.clone()),
        at,
        changes: Vec::new(),
    }));
    ground.happenings.push(Happening::HookDue(hook(at)));
    (StatusCode::CREATED, body)
}

fn hook(at: Timestamp) -> Hook {
    Hook {
        number: None,
        manner: None,
        event: "referral-created".to_owned(),
        url: "https://connector.example/hooks".to_owned(),
        body: r#"{"EventName":"referral-created"}"#.to_owned(),
        signature_in_ms_header: false,
        at,
    }
}

fn world(settings: WorldSettings) -> World {
    let (ground, systems) = systems(&settings);
    World::over(settings, ground, systems)
}

fn world_on_sockets(settings: WorldSettings) -> World {
    let (ground, systems) = systems(&settings);
    World::on_sockets_over(settings, ground, systems).unwrap()
}

fn systems(settings: &WorldSettings) -> (Ground, Systems) {
    let ground = settings.ground();
    let mut routers = Routers::default();
    let router = Router::new()
        .route("/rows", post(store))
        .route("/none", get(async || StatusCode::NO_CONTENT))
        .route("/echo", get(async |uri: http::Uri| uri.to_string()))
        .with_state(ground.clone());
    routers.set(Site::PartnerCenter, router);
    (ground, Systems::of_routers(routers))
}

fn request(body: &'static str) -> http::Request<Bytes> {
    http::Request::post(ROWS)
        .body(Bytes::from_static(body.as_bytes()))
        .unwrap()
}

fn lone(kind: ExchangeKind, times: u32, fate: Fate) -> Box<Targeted> {
    Box::new(Targeted {
        name: "test rule".to_owned(),
        target: Target {
            kind: Some(kind),
            ..Target::default()
        },
        skip: 0,
        times,
        fate,
    })
}

/// Runs until nothing is due, answers each delivery with the status of its attempt, and tells what happened, a line for
/// each observation.
fn run(world: &mut World, answers: &[u16]) -> Vec<String> {
    let mut lines = Vec::new();
    loop {
        while let Some(observation) = world.poll_observation() {
            if let Observed::Delivering { delivery, attempt, .. } = &observation.what {
                assert!(world.take_delivery(*delivery).is_some());
                if let Some(status) = answers.get(*attempt as usize - 1) {
                    world.answer_hook(*delivery, *status);
                }
            }
            lines.push(line(&observation));
        }
        if !world.step() {
            return lines;
        }
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the rest is shown by its kind alone")]
fn line(observation: &Observation) -> String {
    let value = serde_json::to_value(&observation.what).unwrap();
    let kind = value["kind"].as_str().unwrap().to_owned();
    match &observation.what {
        Observed::Sent { exchange, .. } | Observed::Handled { exchange, .. } => format!("{kind} {exchange}"),
        Observed::Replied { caller, response, .. } => format!("{kind} to {caller} with {}", response.status),
        Observed::Lost { exchange, leg } => format!("{kind} {exchange} {leg:?}"),
        Observed::Faulted { fate, .. } => format!("{kind} {fate}"),
        Observed::Committed { exchange, .. } => format!("{kind} by {exchange:?}"),
        Observed::Duplicated { copy, .. } => format!("{kind} as {copy}"),
        Observed::Delivering { delivery, attempt, .. } => format!("{kind} {delivery} attempt {attempt}"),
        Observed::Delivered { delivery, status, .. } => format!("{kind} {delivery} {status:?}"),
        _ => kind,
    }
}

#[test]
fn a_call_is_sent_committed_handled_and_replied_in_that_order() {
    let mut world = world(WorldSettings::default());
    let start = world.now();
    world.send(7, request("{}"));
    let lines = run(&mut world, &[204]);
    assert_eq!(
        lines,
        [
            "sent 1",
            "committed by Some(1)",
            "delivery-due",
            "handled 1",
            "replied to 7 with 201",
            "delivering 1 attempt 1",
            "delivered 1 Some(204)",
        ]
    );
    let reply = world.take_reply(7).unwrap();
    assert_eq!(
        (reply.status(), reply.body().as_ref()),
        (StatusCode::CREATED, b"{}".as_slice())
    );
    assert!(world.take_reply(7).is_none());
    assert!(world.now() > start + Duration::from_secs(1) && world.now() < start + Duration::from_secs(6));
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_does_not() {
    let trace = |seed: u64| {
        let mut world = world(WorldSettings {
            seed: Seed(seed),
            ..WorldSettings::default()
        });
        world.add_rule(lone(ExchangeKind::Call, 1, Fate::Duplicate(Duration::from_secs(2))));
        for caller in 1..20 {
            world.send(caller, request(r#"{"name":"x"}"#));
        }
        let mut bytes = Vec::new();
        while world.step() {
            while let Some(observation) = world.poll_observation() {
                if let Observed::Delivering { delivery, .. } = observation.what {
                    world.answer_hook(delivery, 500);
                }
                serde_json::to_writer(&mut bytes, &observation).unwrap();
                let written = serde_json::to_vec(&observation).unwrap();
                assert_eq!(serde_json::from_slice::<Observation>(&written).unwrap(), observation);
            }
        }
        bytes
    };
    assert_eq!(trace(1), trace(1));
    assert_ne!(trace(1), trace(2));
}

#[test]
fn a_lost_request_is_never_carried_out_and_a_lost_reply_always_is() {
    let mut lost = world(WorldSettings::default());
    lost.add_rule(lone(ExchangeKind::Call, 1, Fate::LoseRequest));
    lost.send(1, request("{}"));
    assert_eq!(
        run(&mut lost, &[204]),
        ["sent 1", "faulted lose-request", "lost 1 Request"]
    );

    let mut unheard = world(WorldSettings::default());
    unheard.add_rule(lone(ExchangeKind::Call, 1, Fate::LoseReply));
    unheard.send(1, request("{}"));
    let lines = run(&mut unheard, &[204]);
    assert_eq!(
        lines[..6],
        [
            "sent 1",
            "faulted lose-reply",
            "committed by Some(1)",
            "delivery-due",
            "handled 1",
            "lost 1 Reply"
        ]
    );
    assert!(unheard.take_reply(1).is_none());
}

#[test]
fn a_duplicated_call_is_carried_out_twice_and_answered_once() {
    let mut world = world(WorldSettings::default());
    world.add_rule(lone(ExchangeKind::Call, 1, Fate::Duplicate(Duration::from_millis(500))));
    world.send(1, request("{}"));
    let lines = run(&mut world, &[204]);
    assert_eq!(lines[2], "duplicated as 2");
    let count = |wanted: &str| lines.iter().filter(|line| line.starts_with(wanted)).count();
    assert_eq!((count("committed"), count("handled"), count("replied")), (2, 2, 1));
    assert!(lines.contains(&"lost 2 Reply".to_owned()), "{lines:?}");
}

#[test]
fn an_answer_from_the_way_never_reaches_the_system() {
    let mut world = world(WorldSettings::default());
    let mut busy = http::Response::new(Bytes::new());
    *busy.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    world.add_rule(lone(ExchangeKind::Call, 1, Fate::Answer(busy)));
    world.send(3, request("{}"));
    assert_eq!(
        run(&mut world, &[]),
        ["sent 1", "faulted answer 429", "replied to 3 with 429"]
    );
}

#[test]
fn a_fault_does_not_shift_the_latency_of_later_calls() {
    let arrival = |fate: Fate| {
        let mut world = world(WorldSettings::default());
        world.add_rule(lone(ExchangeKind::Call, 1, fate));
        world.send(1, request("{}"));
        world.send(2, request("{}"));
        while world.take_reply(2).is_none() {
            assert!(world.step());
        }
        world.now()
    };
    assert_eq!(arrival(Fate::LoseRequest), arrival(Fate::LoseReply));
    assert_eq!(
        arrival(Fate::LoseRequest),
        arrival(Fate::Delay(Duration::from_secs(90)))
    );
}

#[test]
fn a_reply_for_a_process_that_ended_reaches_nobody() {
    let mut world = world(WorldSettings::default());
    world.send(1, request("{}"));
    world.connector_down(true);
    world.connector_down(false);
    world.send(1, request("{}"));
    let lines = run(&mut world, &[204]);
    assert!(lines.contains(&"lost 1 Reply".to_owned()), "{lines:?}");
    assert_eq!(lines.iter().filter(|line| line.starts_with("replied")).count(), 1);
}

#[test]
fn a_delivery_is_tried_again_until_it_is_accepted() {
    let mut world = world(WorldSettings::default());
    world.stray_delivery(hook(world.now()), SignatureState::Forged);
    world.send(1, request("{}"));
    let lines = run(&mut world, &[500, 404, 200]);
    let tries: Vec<&String> = lines.iter().filter(|line| line.starts_with("deliver")).collect();
    assert_eq!(tries.iter().filter(|line| line.starts_with("delivering 2")).count(), 3);
    // The stranger does not come back.
    assert_eq!(tries.iter().filter(|line| line.starts_with("delivering 1")).count(), 1);
    assert_eq!(tries.last().unwrap().as_str(), "delivered 2 Some(200)");
}

#[test]
fn a_delivery_is_abandoned_after_ten_attempts_and_the_process_may_be_down() {
    let mut world = world(WorldSettings::default());
    world.ask("seller", request("{}"));
    world.connector_down(true);
    let start = world.now();
    let lines = run(&mut world, &[]);
    assert_eq!(
        lines.iter().filter(|line| line.as_str() == "delivered 1 None").count(),
        10
    );
    assert_eq!(lines.last().unwrap(), "delivery-abandoned");
    // 1 + 2 + 4 + 8 + 5 * 15 minutes of pauses.
    let minutes = world.now().duration_since(start).as_mins();
    assert_eq!(minutes, 90);
}

#[test]
fn patience_ends_without_an_answer_and_a_late_answer_goes_nowhere() {
    let mut world = world(WorldSettings::default());
    world.send(1, request("{}"));
    while world.take_delivery(1).is_none() {
        assert!(world.step());
    }
    let arrived = world.now();
    assert_eq!(world.next_due(), Some(arrived + Duration::from_secs(30)));
    assert!(world.step());
    assert!(world.take_delivery(1).is_none());
    world.answer_hook(1, 200);
    while world
        .poll_observation()
        .is_some_and(|seen| !matches!(seen.what, Observed::Delivering { .. }))
    {}
    let lines = run(&mut world, &[200, 200]);
    assert!(lines.contains(&"delivered 1 None".to_owned()), "{lines:?}");
    assert_eq!(lines.last().unwrap(), "delivered 1 Some(200)");
}

#[test]
fn a_duplicated_delivery_arrives_twice_under_two_numbers() {
    let mut world = world(WorldSettings::default());
    world.add_rule(lone(ExchangeKind::Delivery, 1, Fate::Duplicate(Duration::from_secs(3))));
    world.send(1, request("{}"));
    let lines = run(&mut world, &[200]);
    let arrived: Vec<&str> = lines
        .iter()
        .filter(|line| line.starts_with("delivering"))
        .map(String::as_str)
        .collect();
    assert_eq!(arrived, ["delivering 1 attempt 1", "delivering 2 attempt 1"]);
}

#[test]
fn an_outage_is_over_when_it_is_healed() {
    let mut world = world(WorldSettings::default());
    world.add_rule(Box::new(Outage {
        name: "partner center disconnected".to_owned(),
        site: Some(Site::PartnerCenter),
        from: world.now(),
        until: world.now() + Duration::from_secs(1000),
        hooks: true,
    }));
    world.send(1, request("{}"));
    world.heal();
    world.send(2, request("{}"));
    let lines = run(&mut world, &[200]);
    assert!(lines.contains(&"lost 1 Request".to_owned()) && lines.contains(&"replied to 2 with 201".to_owned()));
}

#[test]
fn a_person_reaches_the_system_as_themselves_and_without_a_network() {
    let mut world = world(WorldSettings::default());
    world.add_rule(lone(ExchangeKind::Call, 9, Fate::LoseRequest));
    let before = world.now();
    assert_eq!(world.ask("partner", request("{}")).status(), StatusCode::CREATED);
    assert_eq!(world.now(), before);
    match world.poll_observation().map(|observation| observation.what) {
        Some(Observed::Committed { exchange: None, commit }) => assert_eq!(commit.actor, "partner"),
        other => panic!("expected a commit, found {other:?}"),
    }
}

#[test]
fn a_host_that_nobody_has_is_unreachable() {
    let mut world = world(WorldSettings::default());
    world.send(
        1,
        http::Request::get("https://example.com/").body(Bytes::new()).unwrap(),
    );
    // Dataverse exists as a host, but not in this world.
    world.send(
        2,
        http::Request::get(Site::Dataverse.default_base())
            .body(Bytes::new())
            .unwrap(),
    );
    assert_eq!(run(&mut world, &[]), ["unreachable", "unreachable"]);
}

#[test]
fn bounds_are_named_when_they_are_hit() {
    let mut world = world(WorldSettings {
        queue_limit: 2,
        waiting_limit: 6,
        ..WorldSettings::default()
    });
    for caller in 1..=3 {
        world.send(caller, request("{}"));
    }
    let lines = run(&mut world, &[200]);
    assert_eq!(lines[..4], ["sent 1", "sent 2", "sent 3", "bound-hit"]);
    for caller in 1..=9 {
        world.send(
            caller,
            http::Request::get("https://example.com/").body(Bytes::new()).unwrap(),
        );
    }
    assert_eq!(world.observations_dropped(), 4);
    assert_eq!(
        run(&mut world, &[])
            .iter()
            .filter(|line| line.as_str() == "bound-hit")
            .count(),
        1
    );
}

/// Sends what differs most on a socket, and tells everything that was seen, as a trace writes it.
fn trace_of_awkward_calls(mut world: World) -> Vec<String> {
    world.send(1, request(r#"{"name":"café"}"#));
    let get = |path: &str| {
        let request = http::Request::get(format!("https://api.partner.microsoft.com{path}"));
        request
            .header("x-empty", "")
            .header("Prefer", "a")
            .header("prefer", "b")
            .body(Bytes::new())
            .unwrap()
    };
    world.send(2, get("/none"));
    world.send(3, get("/echo?$filter=name%20eq%20'a''b'&x=%7B%7d|"));
    world.send(4, get("/nowhere"));
    world.send(5, http::Request::delete(ROWS).body(Bytes::new()).unwrap());
    let mut lines = Vec::new();
    while world.step() {
        while let Some(seen) = world.poll_observation() {
            if let Observed::Delivering { delivery, .. } = seen.what {
                let request = world.take_delivery(delivery).unwrap().into_request();
                lines.push(format!("{:?}", request.headers().get("authorization")));
                world.answer_hook(delivery, 202);
            }
            lines.push(serde_json::to_string(&seen).unwrap());
        }
    }
    lines
}

#[test]
fn a_world_on_sockets_shows_the_same_as_one_in_process() {
    let in_process = trace_of_awkward_calls(world(WorldSettings::default()));
    let on_sockets = trace_of_awkward_calls(world_on_sockets(WorldSettings::default()));
    assert!(in_process.len() > 15);
    for (one, other) in in_process.iter().zip(&on_sockets) {
        assert_eq!(one, other);
    }
    assert_eq!(in_process.len(), on_sockets.len());
}

/// Worlds over the simulated systems.
mod wired;
