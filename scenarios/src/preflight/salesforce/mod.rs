//! Checks of a Salesforce org: sign-in, package, stages, configured fields, rows that would be refused, budget.

use std::collections::BTreeMap;

use serde_json::Value;

use super::profile::Profile;
use super::reader::{Answer, Reader};
use super::rows::{Described, Needed, compare};
use super::{Check, Question, Trouble};

/// What is asked besides the description of the opportunity.
mod org;

use org::Org;

const SIGN_IN: Question = Question::new(
    "crm.sign-in",
    "the CRM connection signs in",
    "Microsoft Learn, Partner Center: co-sell connectors, connections",
    "repair the Salesforce connection: test.salesforce.com for a sandbox, login.salesforce.com for production",
);
const ENVIRONMENT: Question = Question::new(
    "crm.environment",
    "the org is what the profile says: a sandbox for staging, none for production",
    "Salesforce Developers, Object Reference: Organization, IsSandbox",
    "correct `kind` or `salesforce.login-base` in the profile: staging signs in at test.salesforce.com, or at the sandbox's own host",
);
const ROLE: Question = Question::new(
    "crm.role",
    "the user has the profile System Administrator",
    "Microsoft Learn, page connector-salesforce: prerequisites",
    "sign in as a System Administrator, or see that this user may read and write everything that the connector does",
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
const RULES: Question = Question::new(
    "crm.validation-rules",
    "no active validation rule of the opportunity or the account may refuse what the connector writes",
    "Salesforce Developers, Tooling API: ValidationRule",
    "read each rule with the connector's writes in mind, and let its user pass where they would be refused",
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

const ALL: [Question; 14] = [
    ENVIRONMENT,
    ROLE,
    PACKAGE,
    OBJECTS,
    NOTES,
    TEAMS,
    STAGES,
    VALUE,
    CURRENCY,
    COUNTRY,
    POSTAL,
    REQUIRED,
    RULES,
    BUDGET,
];

const DESCRIBE: &str = "/sobjects/Opportunity/describe";

pub(super) async fn checks(profile: &Profile, reader: Result<Reader, Trouble>, checks: &mut Vec<Check>) {
    let (org, opportunity) = match signed_in(profile, reader).await {
        Ok(found) => found,
        Err(trouble) => {
            checks.push(SIGN_IN.failed_by(&trouble));
            checks.extend(ALL.map(|question| question.not_checked("nobody is signed in")));
            return;
        }
    };
    checks.push(SIGN_IN.passed(org.signed_in().to_owned()));
    checks.push(org.environment(profile).await);
    checks.push(org.role().await);
    let fields = described(&opportunity.body);
    checks.push(compare(PACKAGE, &fields, &FIELDS));
    checks.push(org.objects().await);
    checks.push(org.exists(NOTES, "ContentNote").await);
    checks.push(org.exists(TEAMS, "OpportunityTeamMember").await);
    checks.push(org.stages(profile, &opportunity.body).await);
    checks.push(value(profile, &fields));
    checks.push(currency(profile, &fields));
    checks.push(org.countries(profile).await);
    checks.push(org.postal_codes().await);
    checks.push(required(&opportunity.body));
    checks.push(org.validation_rules().await);
    checks.push(org.budget().await);
}

/// The org, and its description of the opportunity: the proof that the token is good.
async fn signed_in(profile: &Profile, reader: Result<Reader, Trouble>) -> Result<(Org, Answer), Trouble> {
    let org = Org::new(profile, reader?);
    let answer = org.get(DESCRIBE).await?;
    if answer.status != 200 {
        Err(org.refused(DESCRIBE, &answer))
    } else if answer.body["fields"].is_array() {
        Ok((org, answer))
    } else {
        Err(org.strange(DESCRIBE, &answer, "fields of the opportunity"))
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
    let of = |name: &str| fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    let many = of("CurrencyIsoCode").is_some();
    if configured == Some("none") {
        return if many {
            CURRENCY.warning(
                "the org has several currencies, and the connector is told to use none: amounts would lose theirs",
            )
        } else {
            CURRENCY.passed("the org has one currency, as the profile says")
        };
    }
    let name = configured.unwrap_or("CurrencyIsoCode");
    match (of(name), configured) {
        (None, None) => CURRENCY.failed("the org has one currency, and no other field is configured"),
        (None, Some(_)) => CURRENCY.failed(format!("the opportunity has no field {name}")),
        (Some((_, field)), _) if !matches!(field.kind.as_str(), "picklist" | "string") => CURRENCY.failed(format!(
            "{name} is {}, expected a picklist or text with codes such as USD",
            field.kind
        )),
        (Some((_, field)), _) if !field.writable => CURRENCY.failed(format!("{name} cannot be written by this user")),
        (Some((_, field)), Some(own)) if many && !own.eq_ignore_ascii_case("CurrencyIsoCode") => {
            CURRENCY.warning(format!(
                "{name} is {}; the org has several currencies, and its own amounts go by CurrencyIsoCode",
                field.kind
            ))
        }
        (Some((_, field)), _) => CURRENCY.passed(format!("{name} is {}", field.kind)),
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
        REQUIRED.passed("what is required is what the connector sets")
    } else {
        REQUIRED.failed(format!(
            "required, without a default, and not set by the connector: {}",
            against.join(", ")
        ))
    }
}
