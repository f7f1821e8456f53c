//! Tells and moves the clock: `GET /control/clock`, `POST /control/clock` with `{"advance":"2d"}` or
//! `{"to":"2026-01-07T09:00:00Z"}`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use jiff::{Span, SpanRelativeTo, Timestamp};
use serde_json::{Value, json};

use super::{Complaint, done};
use crate::transport::socket::desk::Desk;

/// How far the clock may be moved at once: ten years.
const FARTHEST_HOURS: i64 = 10 * 366 * 24;
/// What a body must be.
const EXPECTED: &str = r#"{"advance":"2d"} or {"to":"2026-01-07T09:00:00Z"}"#;

pub(super) async fn tell(State(desk): State<Arc<Desk>>) -> Response {
    done(StatusCode::OK, &clock(&desk))
}

/// Answers when everything that became due on the way is done, webhooks included.
pub(super) async fn advance(State(desk): State<Arc<Desk>>, body: Bytes) -> Result<Response, Complaint> {
    let postman = desk.postman();
    if !desk.ground().clock.is_manual() {
        return Err(Complaint::new("the clock", "a manual clock; this one is the machine's")
            .help("start the servers with `cosell serve --clock manual`")
            .status(StatusCode::CONFLICT));
    }
    let to = target(&body, postman.now()).map_err(|problem| Complaint::new("request body", EXPECTED).found(problem))?;
    postman.move_to(to).await;
    Ok(done(StatusCode::OK, &clock(&desk)))
}

fn clock(desk: &Desk) -> Value {
    let (ground, postman) = (desk.ground(), desk.postman());
    json!({
        "now": postman.now().to_string(),
        "nextDue": postman.next_due().map(|due| due.to_string()),
        "manual": ground.clock.is_manual(),
    })
}

fn target(body: &[u8], now: Timestamp) -> Result<Timestamp, String> {
    let body: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let members = body.as_object().filter(|members| members.len() == 1);
    let member = members.and_then(|members| members.iter().next());
    let (key, text) = member
        .and_then(|(key, value)| Some((key.as_str(), value.as_str()?)))
        .ok_or("another body")?;
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
        _ => return Err(format!("a member {key:?}")),
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
            (r#"{"to":"x","advance":"1d"}"#, "another body"),
            (r#"{"by":"1d"}"#, "a member"),
            ("[", "EOF"),
        ] {
            assert!(to(body).unwrap_err().contains(problem), "{body}");
        }
    }
}
