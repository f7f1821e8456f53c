//! The flows of an export: which are on, children before parents, who runs them, and which differ from a baseline.

use std::collections::BTreeSet;

use cosell_connector::flow::Flow as Documented;
use roxmltree::Node;
use serde::Serialize;
use serde_json::Value;

use super::archive::Unpacked;
use super::findings::{Finding, Weight};
use super::xml;
use crate::scenario::Crm;

/// Whether a flow is on: `StateCode` of its row (0 draft, 1 activated, 2 suspended).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It runs.
    On,
    /// It does not.
    Off,
    /// The platform stopped it.
    Suspended,
    /// The export does not say.
    Unknown,
}

impl State {
    /// The word that people use.
    pub fn name(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Off => "off",
            Self::Suspended => "suspended",
            Self::Unknown => "unknown",
        }
    }
}

/// One flow.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Flow {
    /// Its identifier, in lower case and without braces.
    pub id: String,
    /// The name that people see.
    pub name: String,
    /// Whether it is on.
    pub state: State,
    /// The documented flow that it is taken for, by its short name.
    pub means: Option<&'static str>,
    /// Connections that a run-only user has to bring: each must be *Use this connection* (product.md M3).
    pub brought_by_users: Vec<String>,
    /// What it does, for comparison.
    #[serde(skip)]
    pub(super) definition: Option<Value>,
}

impl Flow {
    /// A flow of which no more is known than its name and whether it is on.
    pub(crate) fn named(name: &str, id: &str, state: State) -> Self {
        Self {
            id: id_of(id),
            name: name.to_owned(),
            state,
            means: documented(name).map(Documented::slug),
            brought_by_users: Vec::new(),
            definition: None,
        }
    }
}

/// Names of the guide, in letters and digits alone, with `crm` for the CRM's name.
const NAMES: [(&str, Documented); 9] = [
    ("partnercenterwebhookregistration", Documented::WebhookRegistration),
    ("customizecreateorgetdetailsfromcrm", Documented::Customize),
    ("createcosellreferralcrmtopartnercenter", Documented::CreateReferral),
    ("partnercentertocrmhelper", Documented::Helper),
    (
        "partnercentermicrosoftcosellreferralupdatestocrm",
        Documented::MicrosoftUpdates,
    ),
    ("partnercentertocrm", Documented::PcToCrm),
    ("crmtopartnercenter", Documented::CrmToPc),
    ("crmopportunitytopartnercenter", Documented::OpportunityToPc),
    ("crmmicrosoftsolutionstopartnercenter", Documented::SolutionsToPc),
];

/// Parents and their children (partner-center.md section 8.2): documented for *Partner Center to CRM*.
const CHILDREN: [(Documented, &[Documented]); 1] =
    [(Documented::PcToCrm, &[Documented::Helper, Documented::MicrosoftUpdates])];

fn documented(name: &str) -> Option<Documented> {
    let lower = name.to_lowercase().replace("(insider preview)", "");
    let lower = lower.replace("dynamics 365", "crm").replace("salesforce", "crm");
    let letters: String = lower.chars().filter(char::is_ascii_alphanumeric).collect();
    NAMES.iter().find(|(known, _)| *known == letters).map(|(_, flow)| *flow)
}

/// The CRM that the flows are named after.
pub(super) fn crm_of(names: &str) -> Option<Crm> {
    let names = names.to_lowercase();
    match (names.contains("salesforce"), names.contains("dynamics")) {
        (true, false) => Some(Crm::Salesforce),
        (false, true) => Some(Crm::Dynamics),
        _ => None,
    }
}

/// Reads every flow that customizations.xml lists, and its definition.
pub(super) fn read(root: Node<'_, '_>, unpacked: &Unpacked, findings: &mut Vec<Finding>) -> Vec<Flow> {
    let rows = root.descendants().filter(|node| xml::is(*node, "Workflow"));
    let mut flows = Vec::new();
    for row in rows {
        // 5 is a cloud flow; the others are classic workflows, business rules, actions.
        if xml::text_in(row, "Category").is_some_and(|category| category != "5") {
            continue;
        }
        let name = xml::attribute(row, "Name").unwrap_or_default().to_owned();
        let state = match xml::text_in(row, "StateCode").as_deref() {
            Some("0") => State::Off,
            Some("1") => State::On,
            Some("2") => State::Suspended,
            _ => State::Unknown,
        };
        let definition = xml::text_in(row, "JsonFileName").and_then(|file| {
            let file = file.trim_start_matches('/').replace('\\', "/");
            definition(unpacked, &file, &name, findings)
        });
        flows.push(Flow {
            id: id_of(xml::attribute(row, "WorkflowId").unwrap_or_default()),
            means: documented(&name).map(Documented::slug),
            brought_by_users: definition.as_ref().map_or_else(Vec::new, brought_by_users),
            name,
            state,
            definition,
        });
    }
    flows
}

/// An identifier without its braces.
pub(super) fn id_of(text: &str) -> String {
    text.trim_matches(['{', '}']).to_ascii_lowercase()
}

fn definition(unpacked: &Unpacked, file: &str, flow: &str, findings: &mut Vec<Finding>) -> Option<Value> {
    let Some((_, text)) = unpacked.text(file) else {
        if !unpacked.damaged.keys().any(|name| name.eq_ignore_ascii_case(file)) {
            let seen = format!("the flow {flow:?} names {file}, which the export does not hold");
            let fix = "the export is only half of one: export the solution again";
            findings.push(Finding::new("export.incomplete", Weight::Fault, seen, fix));
        }
        return None;
    };
    match serde_json::from_str(text) {
        Ok(definition) => Some(definition),
        Err(error) => {
            findings.push(Finding::unread(file, &format!("it is no whole JSON: {error}")));
            None
        }
    }
}

/// Connections with `runtimeSource: invoker`.
fn brought_by_users(definition: &Value) -> Vec<String> {
    let references = definition["properties"]["connectionReferences"].as_object();
    let named = references.into_iter().flatten();
    named
        .filter(|(_, reference)| reference["runtimeSource"] == "invoker")
        .map(|(name, _)| name.clone())
        .collect()
}

/// Logical names of the connection references that a flow uses.
pub(super) fn used_references(flow: &Flow) -> Vec<String> {
    let references = flow
        .definition
        .as_ref()
        .map(|whole| &whole["properties"]["connectionReferences"]);
    let named = references.and_then(Value::as_object).into_iter().flatten();
    let logical = |reference: &Value| {
        reference["connection"]["connectionReferenceLogicalName"]
            .as_str()
            .map(str::to_owned)
    };
    named.filter_map(|(_, reference)| logical(reference)).collect()
}

/// What is wrong with the flows by themselves.
pub(super) fn judge(flows: &[Flow], crm: Option<Crm>, findings: &mut Vec<Finding>) {
    let of = |wanted: Documented| flows.iter().find(|flow| flow.means == Some(wanted.slug()));
    for (_, wanted) in NAMES {
        let here = crm.is_some() && (wanted != Documented::Helper || crm == Some(Crm::Dynamics));
        if here && of(wanted).is_none() {
            let seen = format!("no flow is the documented `{}`", wanted.slug());
            let fix = "import the whole solution; a flow that was renamed is not recognised";
            findings.push(Finding::new("flows.missing", Weight::Warning, seen, fix));
        }
    }
    for flow in flows.iter().filter(|flow| flow.state != State::On) {
        let weight = if flow.means.is_some() {
            Weight::Fault
        } else {
            Weight::Warning
        };
        let seen = format!("the flow {:?} is {}", flow.name, flow.state.name());
        let fix = "turn it on, children before their parents; a managed import leaves flows as they were exported";
        findings.push(Finding::new("flows.off", weight, seen, fix));
    }
    for (parent, children) in CHILDREN {
        let Some(parent) = of(parent).filter(|flow| flow.state == State::On) else {
            continue;
        };
        for child in children
            .iter()
            .filter_map(|child| of(*child))
            .filter(|flow| flow.state != State::On)
        {
            let seen = format!(
                "{:?} is on, and its child {:?} is {}",
                parent.name,
                child.name,
                child.state.name()
            );
            let fix = "turn the child on first, then its parent off and on: it fails with Requiring updates";
            findings.push(Finding::new("flows.order", Weight::Fault, seen, fix));
        }
    }
    for flow in flows.iter().filter(|flow| !flow.brought_by_users.is_empty()) {
        let seen = format!(
            "the flow {:?} takes {} from whoever runs it",
            flow.name,
            flow.brought_by_users.join(", ")
        );
        let fix = "set each connection to Use this connection for run-only users";
        findings.push(Finding::new("flows.run-only", Weight::Warning, seen, fix));
    }
}

/// Names flows that differ from the baseline; only \[Customize\] may (product.md M6).
pub(super) fn compare(flows: &[Flow], baseline: &[Flow], findings: &mut Vec<Finding>) {
    let same = |one: &Flow, other: &Flow| {
        one.means.is_some_and(|means| other.means == Some(means)) || one.id == other.id || one.name == other.name
    };
    for flow in flows {
        let allowed = flow.means == Some(Documented::Customize.slug());
        let Some(other) = baseline.iter().find(|other| same(flow, other)) else {
            let seen = format!("the flow {:?} is not in the baseline", flow.name);
            let fix = "keep flows of your own out of the connector's solution";
            findings.push(Finding::new("flows.added", Weight::Warning, seen, fix));
            continue;
        };
        let (Some(here), Some(there)) = (&flow.definition, &other.definition) else {
            let seen = format!(
                "the flow {:?} cannot be compared: one of its definitions is missing",
                flow.name
            );
            findings.push(Finding::new(
                "flows.unread",
                Weight::Fault,
                seen,
                "export both solutions again",
            ));
            continue;
        };
        let places = differences(here, there);
        if allowed || places.is_empty() {
            continue;
        }
        let more = if places.len() > 3 {
            format!(" and {} more", places.len() - 3)
        } else {
            String::new()
        };
        let shown: Vec<&str> = places.iter().take(3).map(String::as_str).collect();
        let seen = format!(
            "the flow {:?} differs from the baseline at {}{more}",
            flow.name,
            shown.join(", ")
        );
        let fix = "put the flow back; only [Customize] and the environment variables may be changed";
        findings.push(Finding::new("flows.changed", Weight::Fault, seen, fix));
    }
    for other in baseline
        .iter()
        .filter(|other| !flows.iter().any(|flow| same(flow, other)))
    {
        let seen = format!("the flow {:?} of the baseline is missing", other.name);
        let fix = "import the whole solution";
        findings.push(Finding::new("flows.removed", Weight::Fault, seen, fix));
    }
}

/// Where two definitions do something different, at most 50 places. Which connection is used, and the designer's own
/// numbers, differ between environments and mean nothing.
fn differences(one: &Value, other: &Value) -> Vec<String> {
    let mut places = Vec::new();
    let part = |whole: &Value| {
        let inner = &whole["properties"]["definition"];
        if inner.is_null() { whole.clone() } else { inner.clone() }
    };
    walk(&part(one), &part(other), "", &mut places);
    places
}

fn walk(one: &Value, other: &Value, place: &str, places: &mut Vec<String>) {
    const MEANINGLESS: [&str; 5] = [
        "operationMetadataId",
        "connectionReferenceName",
        "$connections",
        "connectionName",
        "contentVersion",
    ];
    if places.len() >= 50 || one == other {
        return;
    }
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let keys: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            for key in keys.into_iter().filter(|key| !MEANINGLESS.contains(&key.as_str())) {
                let inside = if place.is_empty() {
                    key.clone()
                } else {
                    format!("{place}.{key}")
                };
                match (one.get(key), other.get(key)) {
                    (Some(one), Some(other)) => walk(one, other, &inside, places),
                    _ => places.push(inside),
                }
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (at, (one, other)) in one.iter().zip(other).enumerate() {
                walk(one, other, &format!("{place}[{at}]"), places);
            }
        }
        _ => places.push(place.to_owned()),
    }
}
