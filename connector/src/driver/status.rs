//! The status page: what the connector is doing, on a loopback port, and the handful of things that a person does with its flows.
//!
//! It holds no state: every answer comes from the loop that owns the core. Nothing secret is in it.

use axum::Router;
use axum::extract::State;
use bytes::Bytes;
use http::{Method, Response, StatusCode, Uri, header};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use super::Incoming;
use crate::connector::Connector;
use crate::flow::{Flow, FlowAct, Resubmit};

/// What the page may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// Whether everything is well.
    Health,
    /// Everything but the runs.
    Status,
    /// The run history.
    Runs,
}

impl Connector {
    /// The answer to a question of the status page.
    pub(super) fn answer(&self, question: Question) -> Value {
        let status = self.status();
        let value = match question {
            Question::Health => {
                Ok(json!({"healthy": status.healthy, "complaints": status.complaints, "at": status.at}))
            }
            Question::Status => serde_json::to_value(&status),
            Question::Runs => serde_json::to_value(self.runs()),
        };
        value.unwrap_or_default()
    }
}

/// The routes.
pub(super) fn router(sender: mpsc::Sender<Incoming>) -> Router {
    Router::new().fallback(answer).with_state(sender)
}

const HELP: &str = "GET /health, /status, /runs; POST /flows/FLOW/on, /flows/FLOW/off, /runs/NUMBER/resubmit, /runs/failed/resubmit, /connections/renew";

async fn answer(State(sender): State<mpsc::Sender<Incoming>>, method: Method, uri: Uri) -> Response<axum::body::Body> {
    let parts: Vec<&str> = uri.path().trim_matches('/').split('/').collect();
    match (method.as_str(), parts.as_slice()) {
        ("GET", ["health"]) => ask(&sender, Question::Health).await,
        ("GET", ["status"]) => ask(&sender, Question::Status).await,
        ("GET", ["runs"]) => ask(&sender, Question::Runs).await,
        ("POST", parts) => match act(parts) {
            Some(act) => {
                if sender.send(Incoming::Flow(act)).await.is_err() {
                    return reply(
                        StatusCode::SERVICE_UNAVAILABLE,
                        &json!({"error": "the connector is stopping"}),
                    );
                }
                reply(
                    StatusCode::ACCEPTED,
                    &json!({"done": "see the decisions in the log, or /status"}),
                )
            }
            None => unknown(),
        },
        _ => unknown(),
    }
}

fn act(parts: &[&str]) -> Option<FlowAct> {
    match parts {
        ["flows", flow, switch @ ("on" | "off")] => Some(FlowAct::Turn {
            flow: Flow::from_slug(flow)?,
            on: *switch == "on",
        }),
        ["runs", "failed", "resubmit"] => Some(FlowAct::Resubmit(Resubmit::Failed)),
        ["runs", number, "resubmit"] => Some(FlowAct::Resubmit(Resubmit::Run(number.parse().ok()?))),
        ["connections", "renew"] => Some(FlowAct::Reconnect),
        _ => None,
    }
}

async fn ask(sender: &mpsc::Sender<Incoming>, question: Question) -> Response<axum::body::Body> {
    let (answer, answered) = oneshot::channel();
    let sent = sender.send(Incoming::Question { question, answer }).await;
    let Some(value) = (if sent.is_ok() { answered.await.ok() } else { None }) else {
        return reply(
            StatusCode::SERVICE_UNAVAILABLE,
            &json!({"error": "the connector is stopping"}),
        );
    };
    let well = question != Question::Health || value.get("healthy") == Some(&Value::Bool(true));
    reply(
        if well {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        },
        &value,
    )
}

fn unknown() -> Response<axum::body::Body> {
    let flows: Vec<&str> = Flow::ALL.iter().map(|flow| flow.slug()).collect();
    reply(
        StatusCode::NOT_FOUND,
        &json!({"error": "there is nothing here", "help": HELP, "flows": flows}),
    )
}

fn reply(status: StatusCode, value: &Value) -> Response<axum::body::Body> {
    let mut response = Response::new(axum::body::Body::from(Bytes::from(format!("{value:#}\n"))));
    *response.status_mut() = status;
    let json = header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_does_is_read_from_the_path() {
        let off = FlowAct::Turn {
            flow: Flow::PcToCrm,
            on: false,
        };
        assert_eq!(act(&["flows", "pc-to-crm", "off"]), Some(off));
        assert_eq!(
            act(&["runs", "7", "resubmit"]),
            Some(FlowAct::Resubmit(Resubmit::Run(7)))
        );
        assert_eq!(act(&["flows", "pc", "off"]), None);
        assert_eq!(act(&["runs", "x", "resubmit"]), None);
    }
}
