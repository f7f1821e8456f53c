//! Checks of a Dataverse environment: sign-in, role, the solution's columns, currencies, rows that would be refused.

use std::collections::BTreeMap;

use serde_json::Value;

use super::profile::Profile;
use super::reader::{Answer, Reader, escaped};
use super::rows::{Described, Needed, compare, countries, environment};
use super::{Check, Question, Trouble};

const SIGN_IN: Question = Question::new(
    "crm.sign-in",
    "the CRM connection signs in",
    "Microsoft Learn, Partner Center: co-sell connectors, connections",
    "repair the Dataverse connection, and see that its user belongs to this environment",
);
const ENVIRONMENT: Question = Question::new(
    "crm.environment",
    "the environment is what the profile says: a sandbox for staging, production for production",
    "Microsoft Learn, Dataverse Web API: OrganizationDetail, OrganizationType",
    "correct `kind` or `dataverse.base` in the profile",
);
const ROLE: Question = Question::new(
    "crm.role",
    "the user is System Administrator or System Customizer",
    "Microsoft Learn, Partner Center: co-sell connectors, prerequisites",
    "give the connection's user one of the two roles",
);
const COLUMNS: Question = Question::new(
    "crm.package.fields",
    "the opportunity has the solution's columns, of the right type, and they can be written",
    "Microsoft Learn, page connector-dynamics: the opportunity's columns",
    "import the co-sell solution into this environment",
);
const VALUE: Question = Question::new(
    "crm.deal-value",
    "the deal value column is a money column that can be written",
    "Microsoft Learn, Partner Center: co-sell connectors, environment variables: deal value",
    "correct the environment variable Deal value field",
);
const CURRENCY: Question = Question::new(
    "crm.currency",
    "the environment has the currencies of the deals",
    "Microsoft Learn, page connectors-troubleshoot: currency",
    "add the currency under Business management; a deal in a currency that is missing cannot be created",
);
const COUNTRY: Question = Question::new(
    "crm.country",
    "the customer country column holds two-letter codes",
    "Microsoft Learn, Partner Center: co-sell connectors, environment variables: country code",
    "correct the accounts, or name a column with ISO 3166 codes in Customer account country code field",
);
const POSTAL: Question = Question::new(
    "crm.postal-code",
    "accounts have a postal code: customers are matched by name and postal code",
    "Microsoft Learn, Partner Center: co-sell connectors, how a deal is synchronized",
    "complete the accounts, or expect a second account for a customer that Microsoft names",
);

const RULES: Question = Question::new(
    "crm.validation-rules",
    "no active business rule of the opportunity or the account may refuse what the connector writes",
    "Microsoft Learn, Work with cloud flows using code: the workflow table (category 2)",
    "read each rule with the connector's writes in mind: one with the scope Entity counts for API calls too",
);
const BUDGET: Question = Question::new(
    "crm.budget",
    "API calls are left in this five-minute window",
    "Microsoft Learn, Dataverse: service protection API limits",
    "wait five minutes, or find what uses the calls up",
);

/// Columns of the solution on the opportunity (partner-center.md section 8.4).
const NEEDED: [Needed; 7] = [
    Needed {
        name: "msft_microsoftpartnercenterreferralsync",
        kinds: &["boolean"],
    },
    Needed {
        name: "msft_microsoftpartnercenterreferralidentifier",
        kinds: &["string"],
    },
    Needed {
        name: "msft_microsoftpartnercenterreferrallink",
        kinds: &["string", "memo"],
    },
    Needed {
        name: "msft_microsoftpartnercenterreferralsyncaudit",
        kinds: &["string", "memo"],
    },
    Needed {
        name: "msft_microsoftpartnercenterhelp",
        kinds: &["picklist"],
    },
    Needed {
        name: "msft_microsoftpartnercenterreferralvisible",
        kinds: &["boolean"],
    },
    Needed {
        name: "msft_microsoftcrmidentifier",
        kinds: &["string"],
    },
];

const API: &str = "/api/data/v9.2";

/// What tells a sandbox from production, with the access type `Default` in a parameter alias.
pub(crate) const CURRENT_ORGANISATION: &str = "/api/data/v9.2/RetrieveCurrentOrganization(AccessType=@p)?@p=Microsoft.Dynamics.CRM.EndpointAccessType%27Default%27";

const WHO: &str = "/api/data/v9.2/WhoAmI";

pub(super) async fn checks(profile: &Profile, reader: Result<Reader, Trouble>, checks: &mut Vec<Check>) {
    let (environment, who) = match signed_in(reader).await {
        Ok(found) => found,
        Err(trouble) => {
            checks.push(SIGN_IN.failed_by(&trouble));
            let others = [
                ENVIRONMENT,
                ROLE,
                COLUMNS,
                VALUE,
                CURRENCY,
                COUNTRY,
                POSTAL,
                RULES,
                BUDGET,
            ];
            checks.extend(others.map(|question| question.not_checked("nobody is signed in")));
            return;
        }
    };
    checks.push(SIGN_IN.passed(environment.reader.signed_in.clone()));
    checks.push(environment.kind(profile).await);
    checks.push(environment.role(&who).await);
    match environment.columns().await {
        Ok(columns) => {
            checks.push(compare(COLUMNS, &columns, &NEEDED));
            checks.push(value(profile, &columns));
        }
        Err(trouble) => checks.extend([COLUMNS, VALUE].map(|question| question.not_checked_by(&trouble))),
    }
    checks.push(environment.currencies(profile).await);
    checks.push(environment.countries(profile).await);
    checks.push(environment.postal_codes().await);
    checks.push(environment.business_rules().await);
    checks.push(budget(&who));
}

/// The environment, and who is there: the proof that the token is good.
async fn signed_in(reader: Result<Reader, Trouble>) -> Result<(Environment, Answer), Trouble> {
    let reader = reader?;
    let who = reader.get(WHO).await?;
    if who.status != 200 {
        Err(reader.refused(WHO, &who))
    } else if who.body["UserId"].is_string() {
        Ok((Environment { reader }, who))
    } else {
        Err(reader.strange(WHO, &who, "a UserId"))
    }
}

struct Environment {
    reader: Reader,
}

impl Environment {
    async fn rows(&self, path: &str) -> Result<Vec<Value>, Trouble> {
        rows(&self.reader, path).await
    }

    /// Whether it is a sandbox, and ought to be.
    async fn kind(&self, profile: &Profile) -> Check {
        let answer = match self.reader.get(CURRENT_ORGANISATION).await {
            Ok(answer) => answer,
            Err(trouble) => return ENVIRONMENT.not_checked_by(&trouble),
        };
        let told = &answer.body["Detail"]["OrganizationType"];
        let Some(is_production) = is_production(told) else {
            return ENVIRONMENT.not_checked(format!("the environment does not say what it is for ({told})"));
        };
        let says = format!("the environment says that it is {}", told.to_string().trim_matches('"'));
        environment(ENVIRONMENT, profile.kind, is_production, self.reader.base(), &says)
    }

    async fn role(&self, who: &Answer) -> Check {
        let user = who.body["UserId"].as_str().unwrap_or_default();
        let path = format!("systemusers({user})/systemuserroles_association?$select=name");
        match self.rows(&path).await {
            Ok(rows) => {
                let names: Vec<&str> = rows.iter().filter_map(|row| row["name"].as_str()).collect();
                let able = names
                    .iter()
                    .any(|name| matches!(*name, "System Administrator" | "System Customizer"));
                let seen = format!("the user's roles: {}", names.join(", "));
                if able { ROLE.passed(seen) } else { ROLE.failed(seen) }
            }
            Err(trouble) => ROLE.not_checked_by(&trouble),
        }
    }

    async fn columns(&self) -> Result<BTreeMap<String, Described>, Trouble> {
        let select = "$select=LogicalName,AttributeType,IsValidForUpdate";
        let rows = self
            .rows(&format!(
                "EntityDefinitions(LogicalName='opportunity')/Attributes?{select}"
            ))
            .await?;
        let columns = rows.iter().filter_map(|row| {
            let described = Described {
                kind: row["AttributeType"].as_str()?.to_owned(),
                writable: row["IsValidForUpdate"] == true,
            };
            Some((row["LogicalName"].as_str()?.to_owned(), described))
        });
        Ok(columns.collect())
    }

    async fn currencies(&self, profile: &Profile) -> Check {
        let wanted = profile.accept.currency.as_deref().unwrap_or("USD");
        match self.rows("transactioncurrencies?$select=isocurrencycode").await {
            Ok(rows) => {
                let codes: Vec<&str> = rows.iter().filter_map(|row| row["isocurrencycode"].as_str()).collect();
                let seen = format!("{} currencies: {}", codes.len(), codes.join(", "));
                if codes.contains(&wanted) {
                    CURRENCY.passed(seen)
                } else {
                    CURRENCY.warning(format!("{seen}; no {wanted}"))
                }
            }
            Err(trouble) => CURRENCY.not_checked_by(&trouble),
        }
    }

    async fn countries(&self, profile: &Profile) -> Check {
        let field = profile.connector.country_field.as_deref().unwrap_or("address1_country");
        match self
            .rows(&format!("accounts?$select={}&$top=2000", escaped(field)))
            .await
        {
            Ok(rows) => countries(COUNTRY, field, rows.iter().map(|row| row[field].as_str())),
            Err(trouble) => COUNTRY.failed(format!("{field} cannot be read: {}", trouble.came)),
        }
    }

    async fn postal_codes(&self) -> Check {
        let path = format!(
            "accounts?$select=accountid&$filter={}&$top=200",
            escaped("address1_postalcode eq null")
        );
        match self.rows(&path).await {
            Ok(rows) if rows.is_empty() => POSTAL.passed("every account has one"),
            Ok(rows) if rows.len() == 200 => POSTAL.warning("200 accounts or more have none"),
            Ok(rows) => POSTAL.warning(format!("{} accounts have none", rows.len())),
            Err(trouble) => POSTAL.not_checked_by(&trouble),
        }
    }

    /// Active business rules whose scope counts for the API (category 2).
    async fn business_rules(&self) -> Check {
        let filter = escaped(
            "category eq 2 and statecode eq 1 and (primaryentity eq 'opportunity' or primaryentity eq 'account')",
        );
        match self
            .rows(&format!("workflows?$select=name,primaryentity,scope&$filter={filter}"))
            .await
        {
            Ok(rows) if rows.is_empty() => RULES.passed("there is none"),
            Ok(rows) => {
                let told = rows.iter().take(10).map(|rule| {
                    let word = |name: &str| rule[name].as_str().unwrap_or("?").to_owned();
                    format!("{}: {:?}", word("primaryentity"), word("name"))
                });
                RULES.warning(format!(
                    "{} are active: {}",
                    rows.len(),
                    told.collect::<Vec<_>>().join(", ")
                ))
            }
            Err(trouble) => RULES.not_checked_by(&trouble),
        }
    }
}

/// Rows of a query.
pub(super) async fn rows(reader: &Reader, path: &str) -> Result<Vec<Value>, Trouble> {
    let path = format!("{API}/{path}");
    let answer = reader.get(&path).await?;
    match answer.body["value"].as_array() {
        Some(rows) => Ok(rows.clone()),
        None => Err(reader.refused(&path, &answer)),
    }
}

/// Whether a type of organisation, by name or number, is what customers see; none when it is unknown.
///
/// Microsoft Learn, Dataverse Web API, `OrganizationType`: `Customer` 0 and `Secondary` 4 are production, `Default` 12 is the
/// tenant's own; sandboxes are `CustomerTest` 5 and `CustomerFreeTest` 6, besides those for trials and developers.
pub(crate) fn is_production(told: &Value) -> Option<bool> {
    let number = told
        .as_i64()
        .or_else(|| told.as_str().and_then(|text| text.parse().ok()));
    match (told.as_str().unwrap_or_default(), number) {
        ("Customer" | "Secondary" | "Default", _) | (_, Some(0 | 4 | 12)) => Some(true),
        (
            "CustomerTest" | "CustomerFreeTest" | "CustomerPreview" | "TestDrive" | "EmailTrial" | "Developer"
            | "Trial",
            _,
        )
        | (_, Some(5..=7 | 9 | 11 | 13 | 14)) => Some(false),
        _ => None,
    }
}

/// What the service protection of one user has left (dataverse.md section 4: 6,000 requests in five minutes).
fn budget(answer: &Answer) -> Check {
    let header = "x-ms-ratelimit-burst-remaining-xrm-requests";
    let Some(left) = answer.headers.get(header).and_then(|left| left.parse::<u32>().ok()) else {
        return BUDGET.not_checked(format!("the reply has no {header}"));
    };
    let seen = format!("{left} calls are left in this window");
    match left {
        0 => BUDGET.failed(seen),
        1..600 => BUDGET.warning(seen),
        _ => BUDGET.passed(seen),
    }
}

fn value(profile: &Profile, columns: &BTreeMap<String, Described>) -> Check {
    let name = profile
        .connector
        .deal_value_field
        .as_deref()
        .unwrap_or("estimatedvalue");
    match columns.get(name) {
        None => VALUE.failed(format!("the opportunity has no column {name}")),
        Some(column) if !column.kind.eq_ignore_ascii_case("money") => {
            VALUE.failed(format!("{name} is {}, expected Money", column.kind))
        }
        Some(column) if !column.writable => VALUE.failed(format!("{name} cannot be written")),
        Some(_) => VALUE.passed(format!("{name} is Money")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn kinds_of_organisations_are_known_by_name_and_by_number() {
        for (told, wanted) in [
            (json!("Customer"), Some(true)),
            (json!("CustomerTest"), Some(false)),
            (json!(4), Some(true)),
            (json!("5"), Some(false)),
            (json!("Support"), None),
            (json!(null), None),
        ] {
            assert_eq!(is_production(&told), wanted, "{told}");
        }
    }
}
