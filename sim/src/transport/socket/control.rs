//! Moves a manual clock, over HTTP: `GET /control/clock`, `POST /control/clock` with `{"advance":"2d"}` or
//! `{"to":"2026-01-07T09:00:00Z"}`.
//!
//! It stands on a port of its own, because none of the simulated systems has such a thing.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use bytes::Bytes;
use http::StatusCode;
use jiff::{Span, SpanRelativeTo, Timestamp};
use serde_json::{Value, json};

use super::postman::Postman;
use crate::reply::json_reply;

/// How far the clock may be moved at once: ten years.
const FARTHEST_HOURS: i64 = 10 * 366 * 24;

pub(super) fn router(postman: Arc<Postman>) -> Router {
    Router::new()
        .route("/control/clock", get(tell).post(advance))
        .with_state(postman)
}

async fn tell(State(postman): State<Arc<Postman>>) -> Response {
    reply(StatusCode::OK, &clock(&postman))
}

/// Answers when everything that became due on the way is done, webhooks included.
async fn advance(State(postman): State<Arc<Postman>>, body: Bytes) -> Response {
    match target(&body, postman.now()) {
        Ok(to) => {
            postman.move_to(to).await;
            reply(StatusCode::OK, &clock(&postman))
        }
        Err(error) => reply(StatusCode::BAD_REQUEST, &json!({ "error": error })),
    }
}

fn clock(postman: &Postman) -> Value {
    json!({"now": postman.now().to_string(), "nextDue": postman.next_due().map(|due| due.to_string())})
}

fn target(body: &[u8], now: Timestamp) -> Result<Timestamp, String> {
    let expected = r#"expected {"advance":"2d"} or {"to":"2026-01-07T09:00:00Z"}"#;
    let body: Value = serde_json::from_slice(body).map_err(|error| format!("{expected}: {error}"))?;
    let members = body.as_object().filter(|members| members.len() == 1);
    let member = members.and_then(|members| members.iter().next());
    let (key, text) = member
        .and_then(|(key, value)| Some((key.as_str(), value.as_str()?)))
        .ok_or(expected)?;
    let to = match key {
        "advance" => {
            let span: Span = text
                .parse()
                .map_err(|error| format!("{text:?} is no duration: {error}"))?;
            let by = span.to_duration(SpanRelativeTo::days_are_24_hours());
            let by = by.map_err(|error| format!("{text:?} is no fixed duration: {error}"))?;
            now.checked_add(by).map_err(|error| error.to_string())?
        }
        "to" => text.parse().map_err(|error| format!("{text:?} is no time: {error}"))?,
        _ => return Err(expected.to_owned()),
    };
    let by = to.duration_since(now);
    if by.is_negative() {
        return Err(format!("the clock stands at {now} and does not go back"));
    }
    if by.as_hours() > FARTHEST_HOURS {
        return Err("the clock moves ten years at most at once".to_owned());
    }
    Ok(to)
}

fn reply(status: StatusCode, body: &Value) -> Response {
    json_reply(status, "application/json", body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::default_start;

    #[test]
    fn the_clock_moves_by_days_or_to_a_time_and_never_back() {
        let now = default_start();
        let to = |body: &str| target(body.as_bytes(), now).map(|to| to.to_string());
        assert_eq!(to(r#"{"advance":"2d 3h"}"#).unwrap(), "2026-01-07T12:00:00Z");
        assert_eq!(to(r#"{"to":"2026-01-05T09:00:01Z"}"#).unwrap(), "2026-01-05T09:00:01Z");
        for (body, problem) in [
            (r#"{"advance":"soon"}"#, "is no duration"),
            (r#"{"advance":"1mo"}"#, "is no fixed duration"),
            (r#"{"advance":"-1h"}"#, "does not go back"),
            (r#"{"advance":"99999d"}"#, "ten years"),
            (r#"{"to":"2020-01-01T00:00:00Z"}"#, "does not go back"),
            (r#"{"to":"x","advance":"1d"}"#, "expected"),
            (r#"{"by":"1d"}"#, "expected"),
            ("[", "expected"),
        ] {
            assert!(to(body).unwrap_err().contains(problem), "{body}");
        }
    }
}
