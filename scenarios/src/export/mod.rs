//! What an exported solution of Power Platform says of the connector's configuration: environment variables, flows, connection
//! references, and what is wrong with them or could not be read.
//!
//! The form of an export (entries, elements, numbers of types and states) is assumed from public exports; Microsoft documents no
//! schema. Nothing is unpacked to a disk, no entity is expanded, and nothing is asked of an environment.

use std::collections::BTreeMap;
use std::path::Path;

use roxmltree::Node;
use serde::Serialize;

use crate::scenario::Crm;

/// The zip file.
mod archive;
/// Its XML.
mod xml;
/// What somebody should know.
mod findings;
/// Its environment variables.
mod variables;
/// Its flows.
mod flows;
#[cfg(test)]
mod tests;

pub use archive::ExportError;
pub use findings::{Finding, Weight};
pub use flows::{Flow, State};
pub use variables::{Type, Variable};

/// An exported solution.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Export {
    /// Its unique name.
    pub solution: String,
    /// Its version.
    pub version: String,
    /// Whether it is managed; none when the export does not say.
    pub managed: Option<bool>,
    /// The CRM that it is for, told from its names.
    pub crm: Option<Crm>,
    /// Its environment variables, by their schema names.
    pub variables: Vec<Variable>,
    /// Its cloud flows, in the order of the export.
    pub flows: Vec<Flow>,
    /// Its connection references.
    pub references: Vec<Reference>,
    /// The documented variables, by their display names, with the value that counts.
    pub settings: BTreeMap<String, String>,
    /// What somebody should know.
    pub findings: Vec<Finding>,
    /// Whether the flows were compared with a baseline.
    pub is_compared: bool,
}

/// A connection reference. Which connection stands behind it is not in an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reference {
    /// Its logical name.
    pub name: String,
    /// The name that people see.
    pub display: Option<String>,
    /// The connector's last name, such as `shared_partnercenterref`.
    pub connector: String,
}

impl Export {
    /// What is wrong with flows that were read elsewhere.
    pub(crate) fn findings_of(flows: &[Flow]) -> Vec<Finding> {
        let names: Vec<&str> = flows.iter().map(|flow| flow.name.as_str()).collect();
        let mut findings = Vec::new();
        flows::judge(flows, flows::crm_of(&names.join("\n")), &mut findings);
        findings
    }

    /// Reads an export.
    ///
    /// # Errors
    /// Why nothing of it can be used: no file, no zip, too large, no solution in it, a description that is cut off.
    pub fn read(path: &Path) -> Result<Self, ExportError> {
        let unpacked = archive::unpack(path)?;
        let mut findings = Vec::new();
        for (entry, reason) in &unpacked.damaged {
            if !entry.eq_ignore_ascii_case("solution.xml") {
                findings.push(Finding::unread(entry, reason));
            }
        }
        for nested in &unpacked.nested {
            let seen = format!("{nested} is a zip inside, and was not opened");
            let fix = "when it is a solution of its own, unpack it and look at it by itself";
            findings.push(Finding::new("export.nested", Weight::Warning, seen, fix));
        }
        let manifest = Manifest::read(path, &unpacked)?;
        let variables = variables::read(&unpacked, &mut findings);
        let mut export = Self {
            solution: manifest.name,
            version: manifest.version,
            managed: manifest.managed,
            crm: None,
            variables,
            flows: Vec::new(),
            references: Vec::new(),
            settings: BTreeMap::new(),
            findings: Vec::new(),
            is_compared: false,
        };
        export.customizations(&unpacked, &mut findings);
        let names = export.flows.iter().map(|flow| flow.name.as_str());
        let names: Vec<&str> = names
            .chain([export.solution.as_str(), manifest.display.as_str()])
            .collect();
        export.crm = flows::crm_of(&names.join("\n"));
        export.incomplete(&manifest.components, &mut findings);
        export.settings = variables::judge(&export.variables, export.crm, &mut findings);
        flows::judge(&export.flows, export.crm, &mut findings);
        export.undeclared(&mut findings);
        if export.crm.is_none() {
            let seen = format!(
                "nothing in the solution {} names Salesforce or Dynamics 365 alone",
                export.solution
            );
            let fix = "export the solution Partner Center Referrals Synchronization; is this another one?";
            findings.push(Finding::new("export.other-solution", Weight::Warning, seen, fix));
        }
        findings.sort_by_key(|finding| finding.weight);
        export.findings = findings;
        Ok(export)
    }

    /// Compares the flows with those of a baseline: further findings.
    pub fn compare_flows(&mut self, baseline: &Self) {
        self.is_compared = true;
        flows::compare(&self.flows, &baseline.flows, &mut self.findings);
        self.findings.sort_by_key(|finding| finding.weight);
    }

    /// Whether a finding is a fault.
    pub fn has_faults(&self) -> bool {
        self.findings.iter().any(|finding| finding.weight == Weight::Fault)
    }

    fn customizations(&mut self, unpacked: &archive::Unpacked, findings: &mut Vec<Finding>) {
        let Some((name, text)) = unpacked.text("customizations.xml") else {
            if !unpacked
                .damaged
                .keys()
                .any(|name| name.eq_ignore_ascii_case("customizations.xml"))
            {
                let seen = "there is no customizations.xml: flows and connection references are not known".to_owned();
                findings.push(Finding::new(
                    "export.incomplete",
                    Weight::Fault,
                    seen,
                    "export the solution again",
                ));
            }
            return;
        };
        match xml::parse(text) {
            Ok(document) => {
                let root = document.root_element();
                self.flows = flows::read(root, unpacked, findings);
                self.references = references(root);
            }
            Err(reason) => findings.push(Finding::unread(name, &reason)),
        }
    }

    /// What solution.xml lists and the export does not hold: variables (380) by their schema names, flows (29) by their ids.
    fn incomplete(&self, components: &[Component], findings: &mut Vec<Finding>) {
        let mut lacking = Vec::new();
        for component in components {
            let there = match component.kind.as_str() {
                "380" => self
                    .variables
                    .iter()
                    .any(|variable| variable.schema.eq_ignore_ascii_case(&component.name)),
                // Other workflows than cloud flows are listed alike: only a list without any flow is told.
                "29" => !self.flows.is_empty(),
                _ => true,
            };
            if !there {
                lacking.push(component.name.as_str());
            }
        }
        if !lacking.is_empty() {
            let shown = lacking.iter().take(5).copied().collect::<Vec<_>>().join(", ");
            let seen = format!(
                "solution.xml lists {} components that could not be read: {shown}",
                lacking.len()
            );
            let fix = "the export is only half of one: export the solution again";
            findings.push(Finding::new("export.incomplete", Weight::Fault, seen, fix));
        }
    }

    fn undeclared(&self, findings: &mut Vec<Finding>) {
        for flow in &self.flows {
            for used in flows::used_references(flow) {
                if !self
                    .references
                    .iter()
                    .any(|reference| reference.name.eq_ignore_ascii_case(&used))
                {
                    let seen = format!(
                        "the flow {:?} uses the connection reference {used}, which is not exported",
                        flow.name
                    );
                    let fix = "add the connection reference to the solution";
                    findings.push(Finding::new("connections.undeclared", Weight::Warning, seen, fix));
                }
            }
        }
    }
}

/// What solution.xml says.
struct Manifest {
    name: String,
    display: String,
    version: String,
    managed: Option<bool>,
    components: Vec<Component>,
}

/// A row of its list of components.
struct Component {
    kind: String,
    name: String,
}

impl Manifest {
    fn read(path: &Path, unpacked: &archive::Unpacked) -> Result<Self, ExportError> {
        let damaged = |entry: &str, reason: String| ExportError::Damaged {
            path: path.to_owned(),
            entry: entry.to_owned(),
            reason,
        };
        let Some((entry, text)) = unpacked.text("solution.xml") else {
            let broken = unpacked
                .damaged
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case("solution.xml"));
            return Err(match broken {
                Some((entry, reason)) => damaged(entry, reason.clone()),
                None => ExportError::NoSolution {
                    path: path.to_owned(),
                    hint: hint(unpacked),
                },
            });
        };
        let document = xml::parse(text).map_err(|reason| damaged(entry, reason))?;
        let found = document.descendants().find(|node| xml::is(*node, "SolutionManifest"));
        let Some(manifest) = found else {
            let root = document.root_element().tag_name().name();
            return Err(damaged(entry, format!("it is <{root}> without a SolutionManifest")));
        };
        let component = |node: Node<'_, '_>| Component {
            kind: xml::attribute(node, "type").unwrap_or_default().to_owned(),
            name: xml::attribute(node, "schemaName")
                .or_else(|| xml::attribute(node, "id"))
                .unwrap_or_default()
                .to_owned(),
        };
        let localized = manifest.descendants().find(|node| xml::is(*node, "LocalizedName"));
        let display = localized.and_then(|node| xml::attribute(node, "description"));
        Ok(Self {
            name: xml::text_in(manifest, "UniqueName").unwrap_or_default(),
            display: display.unwrap_or_default().to_owned(),
            version: xml::text_in(manifest, "Version").unwrap_or_default(),
            managed: match xml::text_in(manifest, "Managed").as_deref() {
                Some("1") => Some(true),
                Some("0") => Some(false),
                _ => None,
            },
            components: manifest
                .descendants()
                .filter(|node| xml::is(*node, "RootComponent"))
                .map(component)
                .collect(),
        })
    }
}

/// What a zip without a solution seems to be.
fn hint(unpacked: &archive::Unpacked) -> String {
    if unpacked.text("other/solution.xml").is_some() {
        return "; it holds the files of SolutionPackager: pack them first (pac solution pack), or export the solution"
            .to_owned();
    }
    match unpacked.nested.as_slice() {
        [] => "; export a solution from Power Apps, Solutions, Export solution".to_owned(),
        nested => format!(
            "; it holds {}: unpack it and name the solution inside",
            nested.join(", ")
        ),
    }
}

fn references(root: Node<'_, '_>) -> Vec<Reference> {
    let rows = root.descendants().filter(|node| xml::is(*node, "connectionreference"));
    rows.map(|row| {
        let connector = xml::text_in(row, "connectorid").unwrap_or_default();
        Reference {
            name: xml::attribute(row, "connectionreferencelogicalname")
                .unwrap_or_default()
                .to_owned(),
            display: xml::text_in(row, "connectionreferencedisplayname"),
            connector: connector.rsplit('/').next().unwrap_or_default().to_owned(),
        }
    })
    .collect()
}
