//! What the vendor has and this simulator does not, by its name (salesforce.md section 2.7).
//!
//! It answers nothing: whoever refuses a path asks it for the word.

/// What a path that is not answered belongs to, in the vendor's words where it is a part of the API.
pub(crate) fn named(path: &[&str]) -> &'static str {
    match path {
        ["services", "async", ..] => "Bulk API 1.0",
        ["services", "Soap", "m", ..] => "Metadata API",
        ["services", "Soap", ..] => "SOAP API other than partner and enterprise",
        ["services", "apexrest", ..] => "Apex REST",
        ["search" | "parameterizedSearch", ..] => "search (SOSL)",
        ["composite", "graph", ..] => "composite graph",
        ["tabs", ..] => "tabs",
        ["theme", ..] => "theme",
        ["sobjects", _, "describe", _, ..] => "layouts",
        ["sobjects", _, "listviews", ..] => "list views",
        ["sobjects", _, "quickActions", ..] | ["quickActions", ..] => "quick actions",
        ["tooling", ..] => "Tooling API",
        ["chatter" | "connect", ..] => "Connect API",
        ["metadata", ..] => "Metadata API over REST",
        ["ui-api", ..] => "User Interface API",
        ["analytics", ..] => "Analytics API",
        ["actions", ..] => "action other than `convertLead`",
        ["process", ..] => "process rules and approvals",
        _ => "route",
    }
}
