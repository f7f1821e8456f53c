//! Environment variables of an export: definitions with their defaults, current values, and what each means to the connector.
//!
//! Schema names of the solution's variables were not found (partner-center.md section 8.3): which variable is which is told
//! from its display name, and assumed.

use std::collections::BTreeMap;

use cosell_connector::settings::variables::{Kind, VARIABLES};
use serde::Serialize;
use serde_json::Value;

use super::archive::Unpacked;
use super::findings::{Finding, Weight};
use super::xml;
use crate::scenario::Crm;

/// The types of environment variables, by the numbers of Dataverse's table `environmentvariabledefinition`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Type {
    /// 100000000.
    Text,
    /// 100000001.
    Number,
    /// 100000002.
    YesNo,
    /// 100000003.
    Json,
    /// 100000004.
    DataSource,
    /// 100000005: a reference to a vault.
    Secret,
    /// A number that is none of these, or none.
    Unknown,
}

impl Type {
    fn of(number: Option<&str>) -> Self {
        match number {
            Some("100000000") => Self::Text,
            Some("100000001") => Self::Number,
            Some("100000002") => Self::YesNo,
            Some("100000003") => Self::Json,
            Some("100000004") => Self::DataSource,
            Some("100000005") => Self::Secret,
            _ => Self::Unknown,
        }
    }

    /// The word that people use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::YesNo => "yes/no",
            Self::Json => "JSON",
            Self::DataSource => "data source",
            Self::Secret => "secret",
            Self::Unknown => "unknown type",
        }
    }

    fn takes(self, value: &str) -> bool {
        match self {
            Self::Number => value.trim().parse::<f64>().is_ok_and(f64::is_finite),
            Self::YesNo => yes_no(value).is_some(),
            Self::Json => serde_json::from_str::<Value>(value).is_ok(),
            Self::Text | Self::DataSource | Self::Secret | Self::Unknown => true,
        }
    }
}

/// `Yes` or `No`, in any of the spellings that exports have; `true`, `1` and the like are assumed.
fn yes_no(value: &str) -> Option<&'static str> {
    match value.trim().to_ascii_lowercase().as_str() {
        "yes" | "true" | "1" => Some("Yes"),
        "no" | "false" | "0" => Some("No"),
        _ => None,
    }
}

/// One variable of the export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Variable {
    /// The schema name.
    pub schema: String,
    /// The display name, when there is one.
    pub display: Option<String>,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: Type,
    /// The default value.
    pub default: Option<String>,
    /// The current value; none when the export has none.
    pub current: Option<String>,
    /// The documented variable that it is taken for.
    pub means: Option<&'static str>,
}

impl Variable {
    /// The value that counts: the current one, else the default.
    pub fn value(&self) -> Option<&str> {
        self.current.as_deref().or(self.default.as_deref())
    }

    /// What is shown of a value: nothing of a secret.
    pub fn shown(&self, value: Option<&str>) -> String {
        match value {
            None => "-".to_owned(),
            Some(_) if self.kind == Type::Secret => "…".to_owned(),
            Some(value) => value.to_owned(),
        }
    }
}

/// The documented variable behind a display name or a schema name.
fn meaning(name: &str) -> Option<&'static str> {
    let letters: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_lowercase())
        .collect();
    let has = |part: &str| letters.contains(part);
    let number = if has("checkmark") {
        0
    } else if has("dealvalue") && has("currency") {
        2
    } else if has("dealvalue") {
        1
    } else if has("country") && has("code") {
        3
    } else if has("onholdstage") {
        5
    } else if has("activestage") && !has("inactivestage") {
        4
    } else if has("sync") && has("cosell") {
        6
    } else {
        return None;
    };
    Some(VARIABLES[number].name)
}

/// Reads every variable; what cannot be read is a finding.
pub(super) fn read(unpacked: &Unpacked, findings: &mut Vec<Finding>) -> Vec<Variable> {
    let mut variables = Vec::new();
    for (name, text) in &unpacked.texts {
        if !name
            .to_ascii_lowercase()
            .ends_with("/environmentvariabledefinition.xml")
        {
            continue;
        }
        match definition(text) {
            Ok(mut variable) => {
                let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
                variable.current = current(unpacked, folder, &variable, findings);
                variables.push(variable);
            }
            Err(reason) => findings.push(Finding::unread(name, &reason)),
        }
    }
    variables
}

fn definition(text: &str) -> Result<Variable, String> {
    let document = xml::parse(text)?;
    let root = document.root_element();
    if !xml::is(root, "environmentvariabledefinition") {
        return Err(format!(
            "it is no definition of a variable, but <{}>",
            root.tag_name().name()
        ));
    }
    let Some(schema) = xml::attribute(root, "schemaname").filter(|schema| !schema.trim().is_empty()) else {
        return Err("the definition has no schemaname".to_owned());
    };
    let display = xml::label(root, "displayname");
    Ok(Variable {
        schema: schema.to_owned(),
        kind: Type::of(xml::text_in(root, "type").as_deref()),
        default: xml::text_in(root, "defaultvalue"),
        current: None,
        means: display.as_deref().and_then(meaning).or_else(|| meaning(schema)),
        display,
    })
}

/// The current value: `environmentvariablevalues.environmentvariablevalue.value`, where the middle is one entry or a list.
fn current(unpacked: &Unpacked, folder: &str, variable: &Variable, findings: &mut Vec<Finding>) -> Option<String> {
    let (name, text) = unpacked.text(&format!("{folder}/environmentvariablevalues.json"))?;
    let document: Value = match serde_json::from_str(text) {
        Ok(document) => document,
        Err(error) => {
            findings.push(Finding::unread(name, &format!("it is no whole JSON: {error}")));
            return None;
        }
    };
    let entry = &document["environmentvariablevalues"]["environmentvariablevalue"];
    let entries = entry.as_array().map_or(std::slice::from_ref(entry), Vec::as_slice);
    let mut values: Vec<String> = Vec::new();
    for value in entries.iter().map(|entry| &entry["value"]) {
        match value {
            Value::Null => {}
            Value::String(text) => values.push(text.clone()),
            Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => values.push(value.to_string()),
        }
    }
    values.dedup();
    if values.is_empty() && !entry.is_null() {
        findings.push(Finding::unread(name, "it has no value where a current value stands"));
    }
    if values.len() > 1 {
        let seen = format!(
            "{} has {} current values; the first counts",
            variable.schema,
            values.len()
        );
        findings.push(Finding::new(
            "variables.ambiguous",
            Weight::Fault,
            seen,
            "keep one value in the solution, and export it again",
        ));
    }
    values.into_iter().next().filter(|value| !value.is_empty())
}

/// What the variables say to the connector, and what is wrong with them.
pub(super) fn judge(variables: &[Variable], crm: Option<Crm>, findings: &mut Vec<Finding>) -> BTreeMap<String, String> {
    let mut chosen: BTreeMap<String, String> = BTreeMap::new();
    for variable in variables {
        let values = [
            ("current value", &variable.current),
            ("default value", &variable.default),
        ];
        for (which, value) in values {
            if let Some(value) = value.as_deref().filter(|value| !variable.kind.takes(value)) {
                let seen = format!(
                    "the {which} of {} is {:?}, and its type is {}",
                    variable.schema,
                    variable.shown(Some(value)),
                    variable.kind.name()
                );
                let fix = "set a current value of that type in the solution's environment";
                findings.push(Finding::new("variables.type", Weight::Fault, seen, fix));
            }
        }
        let Some(name) = variable.means else { continue };
        edited_default(variable, name, crm, findings);
        let Some(value) = usable(variable, name, findings) else {
            continue;
        };
        if chosen.contains_key(name) {
            let seen = format!(
                "{} is a second variable that could be {name:?}; the first counts",
                variable.schema
            );
            let fix = "give the variables the display names of the guide, and export again";
            findings.push(Finding::new("variables.ambiguous", Weight::Warning, seen, fix));
        } else {
            chosen.insert(name.to_owned(), value);
        }
    }
    missing(variables, crm, findings);
    chosen
}

/// The value as the connector takes it.
fn usable(variable: &Variable, name: &str, findings: &mut Vec<Finding>) -> Option<String> {
    let kind = VARIABLES
        .iter()
        .find(|known| known.name == name)
        .map(|known| known.kind)?;
    let Some(value) = variable.value().map(str::trim).filter(|value| !value.is_empty()) else {
        let seen = format!(
            "{name:?} ({}) has neither a current value nor a default",
            variable.schema
        );
        let fix = "set its current value in the target environment; exports leave it out when it was removed before";
        findings.push(Finding::new("variables.without-value", Weight::Warning, seen, fix));
        return None;
    };
    let api_name = |value: &str| {
        value.starts_with(|letter: char| letter.is_ascii_alphabetic())
            && value
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_.".contains(&byte))
    };
    let (good, wanted) = match kind {
        Kind::YesNo => (yes_no(value).is_some(), "`Yes` or `No`"),
        Kind::Field => (api_name(value), "the API name of a field, not its label"),
        Kind::Stage => (true, "a stage"),
    };
    if !good {
        // A value of the wrong type has been told already.
        if variable.kind.takes(value) {
            let seen = format!("{name:?} ({}) is {value:?}, expected {wanted}", variable.schema);
            let fix = "correct its current value in the solution's environment";
            findings.push(Finding::new("variables.value", Weight::Fault, seen, fix));
        }
        return None;
    }
    Some(
        yes_no(value)
            .filter(|_| kind == Kind::YesNo)
            .unwrap_or(value)
            .to_owned(),
    )
}

/// Only current values may be edited (product.md M7; partner-center.md section 8.3).
fn edited_default(variable: &Variable, name: &str, crm: Option<Crm>, findings: &mut Vec<Finding>) {
    use cosell_connector::settings::variables::Offered;
    let known = VARIABLES.iter().find(|known| known.name == name);
    let offered = match (known, crm) {
        (Some(known), Some(Crm::Salesforce)) => known.salesforce,
        (Some(known), Some(Crm::Dynamics)) => known.dynamics,
        _ => return,
    };
    let (Offered::With(printed), Some(default)) = (offered, &variable.default) else {
        return;
    };
    let same = match (yes_no(printed), yes_no(default)) {
        (Some(one), Some(other)) => one == other,
        _ => printed == default,
    };
    if !same {
        let seen = format!(
            "the default of {name:?} ({}) is {default:?}, the guide prints {printed:?}",
            variable.schema
        );
        let fix = "put the default back and set the current value instead: the next update of the solution overwrites defaults";
        findings.push(Finding::new("variables.edited-default", Weight::Fault, seen, fix));
    }
}

/// Variables of the guide that the export does not hold.
fn missing(variables: &[Variable], crm: Option<Crm>, findings: &mut Vec<Finding>) {
    use cosell_connector::settings::variables::Offered;
    let here = |known: &&cosell_connector::settings::variables::Variable| match crm {
        Some(Crm::Salesforce) => known.salesforce != Offered::No,
        Some(Crm::Dynamics) => known.dynamics != Offered::No,
        None => false,
    };
    for known in VARIABLES.iter().filter(here) {
        if !variables.iter().any(|variable| variable.means == Some(known.name)) {
            let seen = format!("no variable of the export is {:?}", known.name);
            let fix = "its documented default counts; export the solution with its environment variables to see it";
            findings.push(Finding::new("variables.missing", Weight::Warning, seen, fix));
        }
    }
    let own = variables.iter().filter(|variable| variable.means.is_some());
    if own.clone().count() > 0 && own.clone().all(|variable| variable.current.is_none()) {
        let seen = "no variable has a current value: they were removed before the export, or never set".to_owned();
        let fix = "the defaults count here; look at the current values in the environment itself";
        findings.push(Finding::new("variables.no-current-values", Weight::Warning, seen, fix));
    }
}
