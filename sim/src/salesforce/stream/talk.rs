//! The protocol: handshake, connect, subscribe, unsubscribe, disconnect, several messages in one request.
//!
//! Assumed: that a refusal is a message with status 200; its codes are the documented ones.

use std::time::Duration;

use axum::response::Response;
use http::{HeaderValue, Method, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::channel::{self, Channel};
use crate::identity::SALESFORCE_AUDIENCE;
use crate::reply::json_reply;
use crate::salesforce::error::{JSON, Problem};
use crate::salesforce::state::State;
use crate::salesforce::visit::{Answer, Call};

/// How long a request may be kept waiting, and how long a subscriber may stay away after an answer (salesforce.md section 5.2).
pub(crate) const WAIT: Duration = Duration::from_secs(110);
const AWAY: SignedDuration = SignedDuration::from_secs(40);
/// The most messages in one request, and the most events in one answer. A simulator needs numbers.
const MOST_MESSAGES: usize = 100;
const MOST_EVENTS: usize = 1000;

/// Marks an answer that has nothing to tell: it may be asked for again when the feed has changed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NothingYet;

/// `POST /cometd/60.0`.
pub(crate) fn talk(state: &mut State, call: &Call<'_>, version: &str) -> Answer {
    let version = version.strip_suffix(".0").and_then(|number| number.parse::<u32>().ok());
    let version = version
        .filter(|number| (23..=68).contains(number))
        .ok_or_else(Problem::not_found)?;
    if call.method != Method::POST {
        // Web sockets are tried first by some clients, which then fall back to long polling.
        let message = "Only long polling is supported";
        return Err(Problem::bad("UNSUPPORTED_CONNECTION_TYPE", message));
    }
    let messages = messages(call.body)?;
    let alone = messages.len() == 1;
    let grant = state.ground.authority.check(call.headers, SALESFORCE_AUDIENCE);
    let (mut answers, mut nothing) = (Vec::new(), false);
    for message in &messages {
        let channel = message["channel"].as_str().unwrap_or_default();
        let mut answer = base(message, channel);
        if grant.is_err() {
            refuse(&mut answer, "401::Authentication invalid", "none");
            answers.push(Value::Object(answer));
            continue;
        }
        match channel {
            "/meta/handshake" => handshake(state, message, &mut answer),
            "/meta/connect" => nothing = connect(state, message, version, &mut answer, &mut answers)?,
            "/meta/subscribe" => subscribe(state, message, &mut answer)?,
            "/meta/unsubscribe" => unsubscribe(state, message, &mut answer),
            "/meta/disconnect" => disconnect(state, message, &mut answer),
            // Assumed: the words.
            _ => refuse(&mut answer, "403:denied_by_security_policy:publish_denied", "retry"),
        }
        answers.push(Value::Object(answer));
    }
    let mut response = json_reply(StatusCode::OK, JSON, &Value::Array(answers));
    if messages.iter().any(|message| message["channel"] == "/meta/handshake") {
        let cookie = format!("BAYEUX_BROWSER={}; Path=/; HttpOnly", state.mint.opaque(16));
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
    }
    if nothing && alone {
        response.extensions_mut().insert(NothingYet);
    }
    Ok(response)
}

fn messages(body: &[u8]) -> Result<Vec<Value>, Problem> {
    let wrong = |what: String| Problem::bad("JSON_PARSER_ERROR", what);
    let list = match serde_json::from_slice(body) {
        Ok(Value::Array(list)) => list,
        Ok(one @ Value::Object(_)) => vec![one],
        Ok(_) => return Err(wrong("Expected a list of messages".to_owned())),
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            return Err(wrong(format!("Unexpected character at [line:{line}, column:{column}]")));
        }
    };
    if list.is_empty() || list.len() > MOST_MESSAGES || list.iter().any(|message| !message["channel"].is_string()) {
        return Err(wrong(format!(
            "Expected 1 to {MOST_MESSAGES} messages, each with a channel"
        )));
    }
    Ok(list)
}

fn base(message: &Value, channel: &str) -> Map<String, Value> {
    let mut answer = Map::new();
    if let Some(client) = message.get("clientId") {
        answer.insert("clientId".to_owned(), client.clone());
    }
    answer.insert("channel".to_owned(), Value::from(channel));
    if let Some(id) = message.get("id") {
        answer.insert("id".to_owned(), id.clone());
    }
    answer
}

fn agree(answer: &mut Map<String, Value>) {
    answer.insert("successful".to_owned(), Value::Bool(true));
}

fn refuse(answer: &mut Map<String, Value>, error: &str, reconnect: &str) {
    answer.insert("successful".to_owned(), Value::Bool(false));
    answer.insert("error".to_owned(), Value::from(error));
    answer.insert("ext".to_owned(), json!({"sfdc": {"failureReason": error}}));
    answer.insert("advice".to_owned(), json!({"interval": 0, "reconnect": reconnect}));
}

fn handshake(state: &mut State, message: &Value, answer: &mut Map<String, Value>) {
    let types = message["supportedConnectionTypes"].as_array();
    if !types.is_some_and(|types| types.iter().any(|kind| kind == "long-polling")) {
        return refuse(answer, "400::No transport could be negotiated", "none");
    }
    let id = state.mint.opaque(28).to_ascii_lowercase();
    let now = state.ground.clock.now();
    state.feed.join(id.clone(), now + AWAY);
    let told = json!({
        "ext": {"replay": true, "payload.format": true}, "minimumVersion": "1.0", "clientId": id,
        "supportedConnectionTypes": ["long-polling"], "version": "1.0",
    });
    if let Value::Object(told) = told {
        answer.extend(told);
    }
    agree(answer);
}

/// The identifier that a message names, when it is that of somebody who asked in time.
fn known(state: &mut State, message: &Value, answer: &mut Map<String, Value>) -> Option<(String, Timestamp)> {
    let now = state.ground.clock.now();
    let id = message["clientId"].as_str().unwrap_or_default();
    if state.feed.client(id, now).is_some() {
        return Some((id.to_owned(), now));
    }
    refuse(answer, "403::Unknown client", "handshake");
    None
}

/// Adds what there is to tell to the answers. Hands back whether that was nothing, and the subscriber would wait.
fn connect(
    state: &mut State,
    message: &Value,
    version: u32,
    answer: &mut Map<String, Value>,
    answers: &mut Vec<Value>,
) -> Result<bool, Problem> {
    let Some((id, now)) = known(state, message, answer) else {
        return Ok(false);
    };
    let before = answers.len();
    deliver(state, &id, now, version, answers)?;
    let patient = message["advice"]["timeout"] != json!(0);
    let nothing = answers.len() == before && patient;
    if let Some(client) = state.feed.client(&id, now) {
        let wait = if nothing {
            SignedDuration::try_from(WAIT).unwrap_or_default()
        } else {
            SignedDuration::ZERO
        };
        client.until = now + wait + AWAY;
    }
    let timeout = u64::try_from(WAIT.as_millis()).unwrap_or_default();
    answer.insert(
        "advice".to_owned(),
        json!({"interval": 0, "timeout": timeout, "reconnect": "retry"}),
    );
    agree(answer);
    Ok(nothing)
}

/// What the subscriber has not been told yet, in the order in which it happened.
fn deliver(state: &mut State, id: &str, now: Timestamp, version: u32, answers: &mut Vec<Value>) -> Result<(), Problem> {
    let Some(client) = state.feed.client(id, now).cloned() else {
        return Ok(());
    };
    let mut due: Vec<(i64, &str, Value)> = Vec::new();
    for (name, from) in &client.channels {
        let Some(channel) = channel::named(state, name)? else {
            continue;
        };
        let events = state
            .feed
            .after(*from)
            .filter(|event| channel::holds(&channel, event, now));
        due.extend(events.map(|event| (event.replay, name.as_str(), channel::data(state, event, version))));
    }
    due.sort_by_key(|(replay, ..)| *replay);
    due.truncate(MOST_EVENTS);
    for (replay, name, data) in due {
        answers.push(json!({"clientId": id, "channel": name, "data": data}));
        if let Some(cursor) = state
            .feed
            .client(id, now)
            .and_then(|client| client.channels.get_mut(name))
        {
            *cursor = replay;
        }
    }
    Ok(())
}

/// One channel or several. A number to begin after may stand in `ext.replay` under the channel's name.
fn subscribe(state: &mut State, message: &Value, answer: &mut Map<String, Value>) -> Result<(), Problem> {
    let Some((id, now)) = known(state, message, answer) else {
        return Ok(());
    };
    let wanted = &message["subscription"];
    answer.insert("subscription".to_owned(), wanted.clone());
    let names: Vec<&str> = match wanted {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
    };
    let mut begun = Vec::new();
    for name in &names {
        let channel: Option<Channel> = channel::named(state, name)?;
        if channel.is_none() {
            // Assumed: the words.
            refuse(answer, &format!("404::The channel {name} does not exist"), "retry");
            return Ok(());
        }
        match beginning(state, message, name) {
            Ok(from) => begun.push(((*name).to_owned(), from)),
            Err(error) => {
                refuse(answer, &error, "retry");
                return Ok(());
            }
        }
    }
    if begun.is_empty() {
        // Assumed: the words.
        refuse(answer, "400::A subscription names a channel", "retry");
        return Ok(());
    }
    if let Some(client) = state.feed.client(&id, now) {
        client.channels.extend(begun);
    }
    // A request that waits may have something to tell now.
    state.feed.wake();
    agree(answer);
    Ok(())
}

/// The number after which a subscription to a channel begins. The error is in the vendor's words, which clients look for.
fn beginning(state: &State, message: &Value, name: &str) -> Result<i64, String> {
    let Some(given) = message["ext"]["replay"].get(name) else {
        return state.feed.begin(-1).ok_or_else(String::new);
    };
    let number = given.as_i64().or_else(|| given.as_str()?.parse().ok());
    number.and_then(|number| state.feed.begin(number)).ok_or_else(|| {
        format!(
            "400::The replayId {{{given}}} you provided was invalid.  Please provide a valid ID, -2 to replay all events, or -1 to \
             replay only new events."
        )
    })
}

fn unsubscribe(state: &mut State, message: &Value, answer: &mut Map<String, Value>) {
    let Some((id, now)) = known(state, message, answer) else {
        return;
    };
    let name = &message["subscription"];
    answer.insert("subscription".to_owned(), name.clone());
    if let Some(client) = state.feed.client(&id, now) {
        client.channels.remove(name.as_str().unwrap_or_default());
    }
    agree(answer);
}

fn disconnect(state: &mut State, message: &Value, answer: &mut Map<String, Value>) {
    if let Some((id, _)) = known(state, message, answer) {
        state.feed.leave(&id);
        agree(answer);
    }
}

/// An answer that has nothing to tell, and may wait.
pub(crate) fn may_wait(response: &mut Response) -> bool {
    response.extensions_mut().remove::<NothingYet>().is_some()
}
