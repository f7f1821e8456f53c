//! Profiles to start from.

/// The presets, each with what it is for and its text.
const PRESETS: [(&str, &str, &str); 5] = [
    (
        "simulator",
        "the simulators of `cosell serve --port 4700`",
        include_str!("../presets/simulator.toml"),
    ),
    (
        "salesforce-sandbox",
        "a Salesforce sandbox and Partner Center",
        include_str!("../presets/salesforce-sandbox.toml"),
    ),
    (
        "salesforce-production",
        "Salesforce in production and Partner Center",
        include_str!("../presets/salesforce-production.toml"),
    ),
    (
        "dataverse",
        "a Dataverse environment and Partner Center",
        include_str!("../presets/dataverse.toml"),
    ),
    (
        "partner-center",
        "Partner Center alone",
        include_str!("../presets/partner-center.toml"),
    ),
];

/// The names of the presets.
pub fn presets() -> impl Iterator<Item = &'static str> {
    PRESETS.iter().map(|(name, ..)| *name)
}

/// The text of a preset, for a profile of that name.
pub fn preset(word: &str, name: &str) -> Option<String> {
    let name: String = name
        .chars()
        .map(|sign| {
            if sign.is_alphanumeric() || "-_.".contains(sign) {
                sign
            } else {
                '-'
            }
        })
        .collect();
    let (.., text) = PRESETS.iter().find(|(known, ..)| *known == word)?;
    Some(text.replacen("name = \"NAME\"", &format!("name = \"{name}\""), 1))
}

#[cfg(test)]
mod tests {
    use super::super::{Kind, Profile};
    use super::*;

    #[test]
    fn every_preset_is_in_order_and_holds_no_secret() {
        for word in presets() {
            let text = preset(word, "our \"stage\"").expect("a preset");
            let profile = Profile::parse(&text).unwrap_or_else(|error| panic!("{word}: {error}"));
            assert_eq!(profile.name, "our--stage-");
            assert_eq!(profile.kind == Kind::Production, word == "salesforce-production");
            assert!(!text.contains("insecure-value"), "{word}");
        }
        assert_eq!(preset("sap", "x"), None);
    }
}
