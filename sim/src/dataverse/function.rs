//! Functions on nothing: counts of tables, the version, the organisation.
//!
//! `WhoAmI` is answered where it is addressed.

use http::StatusCode;
use serde_json::{Value, json};

use super::address::Options;
use super::answer::Answer;
use super::environment::Organisation;
use super::error::Fault;
use super::print::Reader;

/// Assumed: the version of the platform.
const VERSION: &str = "9.2.25114.00150";

impl Reader<'_> {
    /// `GET /RetrieveVersion()` and its like.
    pub(super) fn function(
        &self,
        (name, arguments): (&str, &str),
        options: &Options,
        organisation: Organisation,
        (base, production): (&str, bool),
    ) -> Result<Answer, Fault> {
        let mut body = json!({
            "@odata.context": format!("{}$metadata#Microsoft.Dynamics.CRM.{name}Response", self.root),
        });
        match name {
            "RetrieveVersion" => body["Version"] = json!(VERSION),
            "RetrieveTotalRecordCount" => {
                body["EntityRecordCountCollection"] = self.counts(&argument(arguments, "EntityNames", options)?)?;
            }
            _ => {
                argument(arguments, "AccessType", options)?;
                body["Detail"] = detail(organisation, base, production);
            }
        }
        Ok(Answer::json(StatusCode::OK, body.to_string()))
    }

    /// Rows of each table named in a JSON list (dataverse.md section 7.2 has the request).
    ///
    /// Assumed: the count is exact; the real server's is a day old at most.
    fn counts(&self, names: &str) -> Result<Value, Fault> {
        let wrong = || Fault::Query(format!("The value '{names}' of 'EntityNames' is not a list of names."));
        let names: Vec<String> = serde_json::from_str(&names.replace('\'', "\"")).map_err(|_| wrong())?;
        let mut values = Vec::new();
        for name in &names {
            let table = self.store.model().by_logical(name);
            // Assumed text.
            let table = table.ok_or_else(|| {
                Fault::Argument(format!(
                    "The entity with a name = '{name}' was not found in the MetadataCache."
                ))
            })?;
            self.asking.may_read(table)?;
            values.push(self.store.count(table));
        }
        Ok(json!({"Count": names.len(), "IsReadOnly": false, "Keys": names, "Values": values}))
    }
}

/// An argument by name, given in place or through an alias.
fn argument(arguments: &str, name: &str, options: &Options) -> Result<String, Fault> {
    let value = arguments.split_once('=').filter(|(given, _)| given.trim() == name);
    let missing = || Fault::Query(format!("The parameter '{name}' is missing."));
    let (_, value) = value.ok_or_else(missing)?;
    let value = value.trim();
    if value.starts_with('@') {
        return options.aliases.get(value).cloned().ok_or_else(missing);
    }
    Ok(value.to_owned())
}

/// Assumed: names and addresses, beyond the organisation's identifier and its URL.
fn detail(organisation: Organisation, base: &str, production: bool) -> Value {
    let endpoints = json!({
        "Count": 2,
        "IsReadOnly": false,
        "Keys": ["WebApplication", "OrganizationDataService"],
        "Values": [format!("{base}/"), format!("{base}/XRMServices/2011/OrganizationData.svc/")],
    });
    json!({
        "OrganizationId": organisation.id.to_string(),
        "FriendlyName": super::ORGANISATION,
        "OrganizationVersion": VERSION,
        "EnvironmentId": organisation.id.to_string(),
        "DatacenterId": organisation.business_unit.to_string(),
        "Geo": "NA",
        "TenantId": organisation.tenant.to_string(),
        "UrlName": super::ORGANISATION,
        "UniqueName": super::ORGANISATION,
        "State": "Enabled",
        "OrganizationType": if production { "Customer" } else { "CustomerTest" },
        "Endpoints": endpoints,
    })
}
