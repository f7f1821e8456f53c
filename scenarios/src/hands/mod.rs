//! What people do in a scenario, as requests to the simulated systems: the seller in the CRM, the partner in the Partner
//! Center portal.
//!
//! People use the same wire as everybody, with tokens of their own; faults of the network do not touch them. What
//! Microsoft's own sellers do has no public API: the world does it for them.

use bytes::Bytes;
use cosell_sim::ground::Ground;
use cosell_sim::world::World;
use http::{Method, Request, Response};
use serde_json::Value;

use crate::plan::Plan;
use crate::record::Columns;
use crate::scenario::Crm;
use crate::scenario::act::{Edit, NewDeal, Outcome};

/// The partner in the Partner Center portal.
pub mod partner_center;
/// The seller in Salesforce.
pub mod salesforce;
/// The seller in Dynamics 365.
pub mod dataverse;

/// A system's refusal of what a person tried.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system answered {status}: {body}")]
pub struct Refused {
    /// The HTTP status.
    pub status: u16,
    /// The vendor's code and message.
    pub body: String,
}

/// The stage names that a CRM is set up with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stages {
    /// Where accepted deals are worked on.
    pub active: String,
    /// Where deals wait for acceptance.
    pub on_hold: String,
}

/// Where people sit: before the simulated systems, in process or served on sockets.
pub trait Screen {
    /// Sends a request as that user, past every fault of the network.
    fn ask(&mut self, who: &str, request: Request<Bytes>) -> Response<Bytes>;
    /// Base URLs, users and clock of the systems.
    fn ground(&self) -> &Ground;
}

impl Screen for World {
    fn ask(&mut self, who: &str, request: Request<Bytes>) -> Response<Bytes> {
        World::ask(self, who, request)
    }

    fn ground(&self) -> &Ground {
        World::ground(self)
    }
}

/// A seller at the screen of one CRM.
pub trait Seller {
    /// Makes an opportunity with all that hangs on it; returns its identifier.
    fn create(&self, world: &mut dyn Screen, deal: &NewDeal) -> Result<String, Refused>;
    /// Saves changed fields in one go.
    fn edit(&self, world: &mut dyn Screen, opportunity: &str, edit: &Edit) -> Result<(), Refused>;
    /// Adds a solution to the opportunity.
    fn add_solution(&self, world: &mut dyn Screen, opportunity: &str, solution: &str) -> Result<(), Refused>;
    /// Takes a solution away from the opportunity.
    fn remove_solution(&self, world: &mut dyn Screen, opportunity: &str, solution: &str) -> Result<(), Refused>;
    /// Closes the opportunity.
    fn close(&self, world: &mut dyn Screen, opportunity: &str, outcome: Outcome) -> Result<(), Refused>;
    /// Opens a closed opportunity again.
    fn reopen(&self, world: &mut dyn Screen, opportunity: &str) -> Result<(), Refused>;
    /// Deletes the opportunity.
    fn delete(&self, world: &mut dyn Screen, opportunity: &str) -> Result<(), Refused>;
}

/// The seller of a plan's CRM, who knows what the org calls things.
pub fn seller(plan: &Plan) -> Box<dyn Seller> {
    let columns = Columns::of(plan.crm, &plan.settings);
    let stages = Stages {
        active: plan.settings.active_stage.clone(),
        on_hold: plan.settings.on_hold_stage.clone(),
    };
    match plan.crm {
        Crm::Salesforce => Box::new(salesforce::SalesforceSeller {
            stages,
            multi_currency: plan.world.salesforce.schema.multi_currency,
            columns,
        }),
        Crm::Dynamics => Box::new(dataverse::DynamicsSeller { columns }),
    }
}

/// There is no such line to take away.
fn no_solution(solution: &str) -> Refused {
    Refused {
        status: 0,
        body: format!("the deal has no solution `{solution}`"),
    }
}

/// Sends one request as a person; a status of 400 and above is a refusal.
fn ask(
    world: &mut dyn Screen,
    who: &str,
    method: Method,
    url: String,
    body: Option<Value>,
) -> Result<Response<Bytes>, Refused> {
    let request = Request::builder()
        .method(method)
        .uri(url)
        .header(http::header::CONTENT_TYPE, "application/json");
    send(world, who, request, body)
}

/// As [`ask`], for a request with headers of its own.
fn send(
    world: &mut dyn Screen,
    who: &str,
    request: http::request::Builder,
    body: Option<Value>,
) -> Result<Response<Bytes>, Refused> {
    let body = body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
    let refused = |status: u16, body: String| Refused { status, body };
    let request = request.body(body).map_err(|error| refused(0, error.to_string()))?;
    let response = world.ask(who, request);
    let status = response.status().as_u16();
    if status >= 400 {
        return Err(refused(status, complaint(response.body())));
    }
    Ok(response)
}

/// The vendor's code and message in the body of a refusal: `[{"errorCode": …, "message": …}]` (Salesforce),
/// `{"error": {"code": …, "message": …}}` (Dataverse) or `{"code": …, "description": …}` (Partner Center). Anything else
/// is cut to its first words.
fn complaint(body: &[u8]) -> String {
    let document: Value = serde_json::from_slice(body).unwrap_or_default();
    let first = document.get(0).or_else(|| document.get("error")).unwrap_or(&document);
    let text = |keys: &[&str]| {
        keys.iter().find_map(|key| {
            let value = first.get(key)?;
            let number = || value.as_number().map(ToString::to_string);
            value.as_str().map(str::to_owned).or_else(number)
        })
    };
    let code = text(&["errorCode", "code"]);
    let message = text(&["message", "description", "error_description"]);
    let said = match (code, message) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (None, Some(only)) | (Some(only), None) => only,
        (None, None) => String::from_utf8_lossy(body).into_owned(),
    };
    let line = said.lines().next().unwrap_or_default();
    let cut: String = line.chars().take(LONGEST_COMPLAINT).collect();
    if cut.len() < line.len() {
        format!("{cut}…")
    } else {
        cut
    }
}

/// Characters of a refusal that reports repeat.
const LONGEST_COMPLAINT: usize = 300;

/// The JSON body of a reply; null when it has none.
fn json(response: &Response<Bytes>) -> Value {
    serde_json::from_slice(response.body()).unwrap_or_default()
}

/// An amount as JSON, without a fraction where there is none: `50000`, not `50000.0`.
fn amount(value: f64) -> Value {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "only taken when the value is whole and small"
    )]
    if value.fract() == 0.0 && value.abs() < 9e15 {
        Value::from(value as i64)
    } else {
        Value::from(value)
    }
}

/// Percent-encodes a query value.
fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}
