//! Checks of a Dataverse environment: sign-in, role, the solution's columns, currencies, rows that would be refused.

use std::collections::BTreeMap;

use serde_json::Value;

use super::profile::Profile;
use super::reader::{Answer, Reader, escaped};
use super::rows::{Described, Needed, compare, countries};
use super::{Check, Question};

const SIGN_IN: Question = Question::new(
    "crm.sign-in",
    "the CRM connection signs in",
    "Microsoft Learn, Partner Center: co-sell connectors, connections",
    "repair the Dataverse connection, and see that its user belongs to this environment",
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

pub(super) async fn checks(profile: &Profile, reader: Result<Reader, String>, checks: &mut Vec<Check>) {
    let who = match reader {
        Ok(reader) => reader
            .get(&format!("{API}/WhoAmI"))
            .await
            .map(|answer| (reader, answer)),
        Err(error) => Err(error),
    };
    let (reader, who) = match who {
        Ok((reader, answer)) if answer.status == 200 => (reader, answer),
        Ok((_, answer)) => return nothing(checks, answer.words()),
        Err(error) => return nothing(checks, error),
    };
    let environment = Environment { reader };
    checks.push(SIGN_IN.passed(environment.reader.signed_in.clone()));
    checks.push(environment.role(&who).await);
    match environment.columns().await {
        Ok(columns) => {
            checks.push(compare(COLUMNS, &columns, &NEEDED));
            checks.push(value(profile, &columns));
        }
        Err(error) => checks.extend([COLUMNS, VALUE].map(|question| question.not_checked(error.clone()))),
    }
    checks.push(environment.currencies().await);
    checks.push(environment.countries(profile).await);
    checks.push(environment.postal_codes().await);
}

fn nothing(checks: &mut Vec<Check>, why: String) {
    checks.push(SIGN_IN.failed(why));
    let others = [ROLE, COLUMNS, VALUE, CURRENCY, COUNTRY, POSTAL];
    checks.extend(others.map(|question| question.not_checked("nobody is signed in")));
}

struct Environment {
    reader: Reader,
}

impl Environment {
    async fn rows(&self, path: &str) -> Result<Vec<Value>, String> {
        let answer = self.reader.get(&format!("{API}/{path}")).await?;
        match answer.body["value"].as_array() {
            Some(rows) => Ok(rows.clone()),
            None => Err(answer.words()),
        }
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
            Err(error) => ROLE.not_checked(error),
        }
    }

    async fn columns(&self) -> Result<BTreeMap<String, Described>, String> {
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

    async fn currencies(&self) -> Check {
        match self.rows("transactioncurrencies?$select=isocurrencycode").await {
            Ok(rows) => {
                let codes: Vec<&str> = rows.iter().filter_map(|row| row["isocurrencycode"].as_str()).collect();
                let seen = format!("{} currencies: {}", codes.len(), codes.join(", "));
                if codes.contains(&"USD") {
                    CURRENCY.passed(seen)
                } else {
                    CURRENCY.warning(format!("{seen}; no USD"))
                }
            }
            Err(error) => CURRENCY.not_checked(error),
        }
    }

    async fn countries(&self, profile: &Profile) -> Check {
        let field = profile.connector.country_field.as_deref().unwrap_or("address1_country");
        match self
            .rows(&format!("accounts?$select={}&$top=2000", escaped(field)))
            .await
        {
            Ok(rows) => countries(COUNTRY, field, rows.iter().map(|row| row[field].as_str())),
            Err(error) => COUNTRY.failed(format!("{field} cannot be read: {error}")),
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
            Err(error) => POSTAL.not_checked(error),
        }
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
