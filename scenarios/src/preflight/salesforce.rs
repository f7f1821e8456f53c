//! Checks of a Salesforce org: sign-in, package, stages, configured fields, rows that would be refused, budget.

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
    "repair the Salesforce connection: test.salesforce.com for a sandbox, login.salesforce.com for production",
);
const PACKAGE: Question = Question::new(
    "crm.package.fields",
    "the opportunity has the package's fields, of the right type, and this user may write them",
    "Microsoft Learn, page connector-salesforce: the package's custom fields",
    "install the package 04t2w000006WIwV, and give the user access to its fields",
);
const OBJECTS: Question = Question::new(
    "crm.package.objects",
    "the package's objects are there",
    "Microsoft Learn, page connector-salesforce: the package",
    "install the package 04t2w000006WIwV, and give the user access to its objects",
);
const NOTES: Question = Question::new(
    "crm.notes",
    "Notes are enabled",
    "Microsoft Learn, page connector-salesforce: prepare Salesforce",
    "Setup, Notes Settings: enable Notes",
);
const TEAMS: Question = Question::new(
    "crm.teams",
    "Opportunity teams are enabled",
    "Microsoft Learn, page connector-salesforce: prepare Salesforce",
    "Setup, Opportunity Team Settings: enable Team Selling",
);
const STAGES: Question = Question::new(
    "crm.stages",
    "the on-hold and the active stage exist, are active, and are open",
    "Microsoft Learn, page connector-salesforce, environment variables: stage names",
    "add the stage to Opportunity, Stage, and to the sales process; then name it in the solution's environment variables",
);
const VALUE: Question = Question::new(
    "crm.deal-value",
    "the deal value field is a currency field that can be written",
    "Microsoft Learn, Partner Center: co-sell connectors, environment variables: deal value",
    "correct the environment variable Deal value field",
);
const CURRENCY: Question = Question::new(
    "crm.currency",
    "the deal value currency field exists",
    "Microsoft Learn, Partner Center: co-sell connectors, environment variables: deal value",
    "an org with one currency has no CurrencyIsoCode: name another field in Deal value currency field",
);
const COUNTRY: Question = Question::new(
    "crm.country",
    "the customer country field holds two-letter codes",
    "Microsoft Learn, Partner Center: co-sell connectors, environment variables: country code",
    "correct the accounts, or name a field with ISO 3166 codes in Customer account country code field",
);
const POSTAL: Question = Question::new(
    "crm.postal-code",
    "accounts have a postal code: customers are matched by name and postal code",
    "Microsoft Learn, Partner Center: co-sell connectors, how a deal is synchronized",
    "complete the accounts, or expect a second account for a customer that Microsoft names",
);
const REQUIRED: Question = Question::new(
    "crm.required",
    "no required field stands against what the connector creates",
    "Microsoft Learn, page connector-salesforce: required fields",
    "give the field a default, or make it optional for the connector's user",
);
const BUDGET: Question = Question::new(
    "crm.budget",
    "API calls are left today",
    "Salesforce Developers, REST API: limits",
    "wait for the 24-hour window, or find what uses the calls up",
);

/// Fields of the package on the opportunity (salesforce.md section 6).
const FIELDS: [Needed; 7] = [
    Needed {
        name: "Sync_With_Partner_Center__c",
        kinds: &["boolean"],
    },
    Needed {
        name: "Referral_Identifier__c",
        kinds: &["string"],
    },
    Needed {
        name: "Referral_Link__c",
        kinds: &["url"],
    },
    Needed {
        name: "Audit__c",
        kinds: &["textarea"],
    },
    Needed {
        name: "How_can_Microsoft_help__c",
        kinds: &["picklist"],
    },
    Needed {
        name: "Referral_visible_to_Microsoft_sellers__c",
        kinds: &["boolean"],
    },
    Needed {
        name: "Microsoft_CRM_Identifier__c",
        kinds: &["string"],
    },
];

/// What the connector sets when it creates an opportunity (product.md M16).
const SET: [&str; 4] = ["Name", "StageName", "CloseDate", "AccountId"];

const ALL: [Question; 11] = [
    PACKAGE, OBJECTS, NOTES, TEAMS, STAGES, VALUE, CURRENCY, COUNTRY, POSTAL, REQUIRED, BUDGET,
];

pub(super) async fn checks(profile: &Profile, reader: Result<Reader, String>, checks: &mut Vec<Check>) {
    let signed_in = match reader {
        Ok(reader) => {
            let version = profile
                .salesforce
                .as_ref()
                .map_or("60.0", |salesforce| salesforce.api_version.as_str());
            let org = Org {
                reader,
                data: format!("/services/data/v{version}"),
            };
            org.get("/sobjects/Opportunity/describe")
                .await
                .map(|answer| (org, answer))
        }
        Err(error) => Err(error),
    };
    let (org, opportunity) = match signed_in {
        Ok((org, answer)) if answer.status == 200 => (org, answer),
        Ok((_, answer)) => return nothing(checks, answer.words()),
        Err(error) => return nothing(checks, error),
    };
    checks.push(SIGN_IN.passed(org.reader.signed_in.clone()));
    let fields = described(&opportunity.body);
    checks.push(compare(PACKAGE, &fields, &FIELDS));
    checks.push(org.objects().await);
    checks.push(org.exists(NOTES, "ContentNote").await);
    checks.push(org.exists(TEAMS, "OpportunityTeamMember").await);
    checks.push(org.stages(profile).await);
    checks.push(value(profile, &fields));
    checks.push(currency(profile, &fields));
    checks.push(org.countries(profile).await);
    checks.push(org.postal_codes().await);
    checks.push(required(&opportunity.body));
    checks.push(org.budget().await);
}

fn nothing(checks: &mut Vec<Check>, why: String) {
    checks.push(SIGN_IN.failed(why));
    checks.extend(ALL.map(|question| question.not_checked("nobody is signed in")));
}

struct Org {
    reader: Reader,
    data: String,
}

impl Org {
    async fn get(&self, path: &str) -> Result<Answer, String> {
        self.reader.get(&format!("{}{path}", self.data)).await
    }

    async fn query(&self, soql: &str) -> Result<Vec<Value>, String> {
        let answer = self.get(&format!("/query?q={}", escaped(soql))).await?;
        match answer.body["records"].as_array() {
            Some(records) => Ok(records.clone()),
            None => Err(answer.words()),
        }
    }

    async fn exists(&self, question: Question, object: &str) -> Check {
        match self.get(&format!("/sobjects/{object}/describe")).await {
            Ok(answer) if answer.status == 200 => question.passed(format!("{object} is there")),
            Ok(answer) if answer.status == 404 => question.failed(format!("{object} is not there")),
            Ok(answer) => question.not_checked(answer.words()),
            Err(error) => question.not_checked(error),
        }
    }

    async fn objects(&self) -> Check {
        for object in ["Microsoft_Solutions__c", "Microsoft_Solution_Detail__c"] {
            let check = self.exists(OBJECTS, object).await;
            if check.outcome != super::Outcome::Passed {
                return check;
            }
        }
        OBJECTS.passed("Microsoft_Solutions__c and Microsoft_Solution_Detail__c are there")
    }

    async fn stages(&self, profile: &Profile) -> Check {
        let rows = match self
            .query("SELECT MasterLabel, IsActive, IsClosed FROM OpportunityStage")
            .await
        {
            Ok(rows) => rows,
            Err(error) => return STAGES.not_checked(error),
        };
        let names: Vec<&str> = rows.iter().filter_map(|row| row["MasterLabel"].as_str()).collect();
        let mut faults = Vec::new();
        for (what, wanted) in [
            ("on-hold-stage", &profile.connector.on_hold_stage),
            ("active-stage", &profile.connector.active_stage),
        ] {
            let Some(wanted) = wanted else {
                faults.push(format!(
                    "the profile names no {what}, and there is no documented default"
                ));
                continue;
            };
            match rows.iter().find(|row| row["MasterLabel"] == wanted.as_str()) {
                None => {
                    let near = crate::diagnostic::nearest(wanted, names.iter().copied());
                    let near = near.map_or_else(String::new, |near| format!("; did you mean {near:?}?"));
                    faults.push(format!("there is no stage {wanted:?} for {what}{near}"));
                }
                Some(row) if row["IsActive"] != true => faults.push(format!("the stage {wanted:?} is not active")),
                Some(row) if row["IsClosed"] == true => faults.push(format!("the stage {wanted:?} is closed")),
                Some(_) => {}
            }
        }
        if faults.is_empty() {
            STAGES.passed(format!("both are among the {} stages", rows.len()))
        } else {
            STAGES.failed(faults.join("; "))
        }
    }

    async fn countries(&self, profile: &Profile) -> Check {
        let field = profile.connector.country_field.as_deref().unwrap_or("BillingCountry");
        match self.query(&format!("SELECT {field} FROM Account LIMIT 2000")).await {
            Ok(rows) => countries(COUNTRY, field, rows.iter().map(|row| row[field].as_str())),
            Err(error) => COUNTRY.failed(format!("{field} cannot be read: {error}")),
        }
    }

    async fn postal_codes(&self) -> Check {
        let soql = "SELECT Id FROM Account WHERE BillingPostalCode = null LIMIT 200";
        match self.query(soql).await {
            Ok(rows) if rows.is_empty() => POSTAL.passed("every account has one"),
            Ok(rows) if rows.len() == 200 => POSTAL.warning("200 accounts or more have none"),
            Ok(rows) => POSTAL.warning(format!("{} accounts have none", rows.len())),
            Err(error) => POSTAL.not_checked(error),
        }
    }

    async fn budget(&self) -> Check {
        let answer = match self.get("/limits").await {
            Ok(answer) if answer.status == 200 => answer,
            Ok(answer) => return BUDGET.not_checked(answer.words()),
            Err(error) => return BUDGET.not_checked(error),
        };
        let limit = &answer.body["DailyApiRequests"];
        let (Some(most), Some(left)) = (limit["Max"].as_i64(), limit["Remaining"].as_i64()) else {
            return BUDGET.not_checked("the limits name no DailyApiRequests");
        };
        let seen = format!("{left} of {most} calls are left");
        match left * 10 {
            0 => BUDGET.failed(seen),
            tenths if tenths < most => BUDGET.warning(seen),
            _ => BUDGET.passed(seen),
        }
    }
}

fn described(body: &Value) -> BTreeMap<String, Described> {
    let fields = body["fields"].as_array().into_iter().flatten();
    fields
        .filter_map(|field| {
            let described = Described {
                kind: field["type"].as_str()?.to_owned(),
                writable: field["updateable"] == true,
            };
            Some((field["name"].as_str()?.to_owned(), described))
        })
        .collect()
}

fn value(profile: &Profile, fields: &BTreeMap<String, Described>) -> Check {
    let name = profile.connector.deal_value_field.as_deref().unwrap_or("Amount");
    match fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
        None => VALUE.failed(format!("the opportunity has no field {name}")),
        Some((_, field)) if !matches!(field.kind.as_str(), "currency" | "double" | "int") => {
            VALUE.failed(format!("{name} is {}, expected currency", field.kind))
        }
        Some((_, field)) if !field.writable => VALUE.failed(format!("{name} cannot be written by this user")),
        Some((_, field)) => VALUE.passed(format!("{name} is {}", field.kind)),
    }
}

fn currency(profile: &Profile, fields: &BTreeMap<String, Described>) -> Check {
    let configured = profile.connector.deal_value_currency_field.as_deref();
    let name = configured.unwrap_or("CurrencyIsoCode");
    match (fields.keys().any(|known| known.eq_ignore_ascii_case(name)), configured) {
        (true, _) => CURRENCY.passed(format!("{name} is there")),
        (false, None) => CURRENCY.failed("the org has one currency, and no other field is configured"),
        (false, Some(_)) => CURRENCY.failed(format!("the opportunity has no field {name}")),
    }
}

fn required(body: &Value) -> Check {
    let fields = body["fields"].as_array().into_iter().flatten();
    let against: Vec<&str> = fields
        .filter(|field| {
            field["nillable"] == false
                && field["createable"] == true
                && field["defaultedOnCreate"] == false
                && field["type"] != "boolean"
        })
        .filter_map(|field| field["name"].as_str())
        .filter(|name| !SET.contains(name))
        .collect();
    if against.is_empty() {
        REQUIRED.passed("what is required is what the connector sets; validation rules are not described by the API")
    } else {
        REQUIRED.failed(format!(
            "required, without a default, and not set by the connector: {}",
            against.join(", ")
        ))
    }
}
