//! What exactly was tried: systems, connector, settings, program. Two reports with the same digest were about the same
//! settings.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use crate::preflight::profile::Profile;
use crate::scenario::Crm;

/// The environment of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fingerprint {
    /// The profile's name; none when no profile was given.
    pub profile: Option<String>,
    /// Its kind.
    pub kind: Option<&'static str>,
    /// The CRM.
    pub crm: Crm,
    /// What the checks ran against, in words.
    pub against: String,
    /// Which connector was judged, in words.
    pub connector: String,
    /// Base URLs, identifiers of organisations, versions: name and value.
    pub systems: Vec<(String, String)>,
    /// The connector's settings that the checks went by.
    pub settings: BTreeMap<&'static str, String>,
    /// SHA-256 of those settings.
    pub settings_digest: String,
    /// The version of this program.
    pub version: &'static str,
    /// When the checks began, in UTC.
    pub started: String,
    /// When they ended.
    pub ended: String,
}

impl Fingerprint {
    /// Of settings that somebody has.
    pub fn new(profile: Option<&Profile>, crm: Crm, settings: BTreeMap<&'static str, String>) -> Self {
        Self {
            profile: profile.map(|profile| profile.name.clone()),
            kind: profile.map(|profile| profile.kind.name()),
            crm,
            against: String::new(),
            connector: String::new(),
            systems: Vec::new(),
            settings_digest: digest(&settings),
            settings,
            version: env!("CARGO_PKG_VERSION"),
            started: String::new(),
            ended: String::new(),
        }
    }

    /// Adds a line about the systems.
    pub fn say(&mut self, name: &str, value: impl Into<String>) {
        self.systems.push((name.to_owned(), value.into()));
    }
}

/// SHA-256 over the lines `name=value`, sorted by name.
fn digest(settings: &BTreeMap<&'static str, String>) -> String {
    let lines: Vec<String> = settings
        .iter()
        .map(|(name, value)| format!("{name}={value}\n"))
        .collect();
    let digest = ring::digest::digest(&ring::digest::SHA256, lines.concat().as_bytes());
    digest.as_ref().iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _written = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_changes_with_each_setting_and_with_nothing_else() {
        let settings =
            |stage: &str| BTreeMap::from([("on-hold stage", stage.to_owned()), ("profile", "overview".to_owned())]);
        let one = Fingerprint::new(None, Crm::Salesforce, settings("On Hold"));
        let same = Fingerprint::new(None, Crm::Dynamics, settings("On Hold"));
        let other = Fingerprint::new(None, Crm::Salesforce, settings("Parked"));
        assert_eq!(one.settings_digest, same.settings_digest);
        assert_ne!(one.settings_digest, other.settings_digest);
        assert_eq!(one.settings_digest.len(), 64);
    }
}
