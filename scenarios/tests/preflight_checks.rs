//! Each check of `cosell preflight` against simulators that lack exactly what it looks for.

mod command;

use std::collections::BTreeSet;
use std::process::Command;

use command::{Folder, text};
use cosell_sim::dataverse::Protection;
use cosell_sim::identity::{Role, User};
use cosell_sim::partner_center::{Customer, MicrosoftAct, SharedDeal};
use cosell_sim::salesforce::{CustomField, CustomKind};
use cosell_sim::site::Site;
use cosell_sim::transport::socket::{self, ServeSettings, Served};
use serde_json::{Value, json};

/// Simulators, and the profile of them.
struct Stage {
    served: Served,
    folder: Folder,
    crm: &'static str,
    kind: &'static str,
    further: &'static str,
    /// A further line of the section for Salesforce.
    salesforce: String,
}

impl Stage {
    fn new(name: &str, crm: &'static str, change: impl FnOnce(&mut ServeSettings)) -> Self {
        let mut settings = ServeSettings::default();
        change(&mut settings);
        cosell::preflight::reader::prepare_tls();
        Self {
            served: socket::serve(&settings).expect("the simulators can be served"),
            folder: Folder::new(&format!("checks-{name}")),
            crm,
            kind: "simulator",
            further: "",
            salesforce: String::new(),
        }
    }

    /// Each check's outcome and what was seen, by its code.
    fn outcome(&self, code: &str) -> (String, String) {
        let base = |site| self.served.bases().of(site);
        let sign_in = format!(
            "authority = \"{}\"\ntenant = \"contoso.example\"\nclient-id = \"cosell\"\nclient-secret = {{ command = \"echo secret\" }}\n",
            base(Site::Entra)
        );
        let profile = format!(
            "name = \"stage\"\nkind = \"{}\"\ncrm = \"{}\"\n[partner-center]\nreferrals-base = \"{2}\"\nevents-base = \"{2}\"\n\
             webhook-url = \"https://own.example/hook\"\nmpn-id = \"1234567\"\n\
             [partner-center.sign-in]\n{sign_in}refresh-token = {{ command = \"echo refresh-connector\" }}\n\
             [salesforce]\nlogin-base = \"{3}\"\n{6}\nclient-id = \"cosell\"\nclient-secret = {{ command = \"echo secret\" }}\n\
             [dataverse]\nbase = \"{4}\"\n[dataverse.sign-in]\n{sign_in}\
             [connector]\non-hold-stage = \"On Hold\"\nactive-stage = \"Qualification\"\n{5}\n",
            self.kind,
            self.crm,
            base(Site::PartnerCenter),
            base(Site::Salesforce),
            base(Site::Dataverse),
            self.further,
            self.salesforce
        );
        let file = self.folder.write("stage.toml", &profile);
        let output = Command::new(env!("CARGO_BIN_EXE_cosell"))
            .args(["preflight", "--profile", &file, "--format", "json"])
            .output()
            .expect("cosell can be started");
        let document: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output.stderr)));
        let checks = document["checks"].as_array().expect("checks");
        let failed = checks.iter().any(|check| check["outcome"] == "failed");
        assert_eq!(output.status.code(), Some(i32::from(failed)), "{document:#}");
        for check in checks {
            let is_good = check["outcome"] == "passed";
            assert_eq!(check["fix"].is_null(), is_good, "{check:#}");
            assert!(
                check["source"].as_str().is_some_and(|source| !source.is_empty()),
                "{check:#}"
            );
        }
        let check = checks.iter().find(|check| check["code"] == code).expect(code);
        let word = |name: &str| check[name].as_str().unwrap_or_default().to_owned();
        (word("outcome"), word("seen"))
    }

    fn expect(&self, code: &str, outcome: &str, part: &str) {
        let (is, seen) = self.outcome(code);
        assert_eq!(is, outcome, "{} {code}: {seen}", self.crm);
        assert!(seen.contains(part), "{} {code}: {part:?} is not in {seen:?}", self.crm);
    }

    fn post(&self, site: Site, path: &str, body: &Value) {
        self.call(reqwest::Method::POST, site, path, body);
    }

    /// Calls as an administrator of the system.
    fn call(&self, method: reqwest::Method, site: Site, path: &str, body: &Value) -> Value {
        let url = format!("{}{path}", self.served.bases().of(site));
        let token = self.served.token("connector", site, path).expect("a token");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let mut request = reqwest::Client::new().request(method, &url).bearer_auth(token);
            if !body.is_null() {
                request = request
                    .header("Content-Type", "application/json")
                    .body(body.to_string());
            }
            let answer = request.send().await.expect("an answer");
            let status = answer.status();
            let text = answer.text().await.unwrap_or_default();
            assert!(status.is_success(), "{url}: {status} {text}");
            serde_json::from_str(&text).unwrap_or_default()
        })
    }

    fn roles(&self, roles: &[Role]) {
        let authority = &self.served.ground().authority;
        let user = authority.user("connector").expect("the connector's user");
        authority.set_user(User {
            roles: roles.iter().copied().collect::<BTreeSet<Role>>(),
            ..user
        });
    }
}

#[test]
fn each_check_of_partner_center_fails_where_it_should() {
    let stage = Stage::new("pc", "salesforce", |_| {});
    stage.expect("pc.webhook", "failed", "nothing is registered");
    let hook = |url: &str, events: &[&str]| {
        let body = json!({"WebhookUrl": url, "WebhookEvents": events});
        stage.post(Site::PartnerCenter, "/webhooks/v1/registration", &body);
    };
    let all = [
        "referral-created",
        "referral-updated",
        "related-referral-created",
        "related-referral-updated",
    ];
    hook("http://other.example/hook", &all);
    stage.expect("pc.webhook", "failed", "another environment owns the events");
    stage.expect("pc.referrals", "passed", "0 of the first 0");
    stage.expect("mpn.matches", "not-checked", "no referral");
    let shared = SharedDeal {
        name: "Deal".to_owned(),
        customer: Customer {
            name: "Fabrikam".to_owned(),
            ..Customer::default()
        },
        value: Some(1_000.0),
        currency: "USD".to_owned(),
        closing: "2030-06-30T00:00:00Z".parse().expect("a time"),
        notes: None,
        solutions: vec![("SOL-1".to_owned(), "One".to_owned())],
        help: None,
    };
    stage.served.microsoft(MicrosoftAct::Share(shared)).expect("a deal");
    stage.expect("pc.referrals", "warning", "without a two-letter country");
    stage.expect("mpn.matches", "passed", "1234567");
    stage.roles(&[Role::SystemAdministrator]);
    stage.expect("pc.role", "failed", "403");
    let other = Stage::new("mpn", "salesforce", |settings| {
        settings.systems.partner_center.organization.mpn_id = "7654321".to_owned();
    });
    let deal = json!({
        "name": "One", "externalReferenceId": "x", "qualification": "SalesQualified", "type": "Independent",
        "target": [{"type": "SolutionProfile", "id": "SOL-1"}],
        "customerProfile": {"name": "Fabrikam", "address": {"postalCode": "10115", "country": "DE"}},
        "consent": {"consentToToShareInfoWithOthers": true, "consentToContact": true, "consentToShareReferralWithMicrosoftSellers": false},
        "details": {
            "notes": "n", "dealValue": 50_000, "currency": "USD", "closingDateTime": "2030-06-30T00:00:00Z",
            "requirements": {"solutions": [{"id": "SOL-1", "name": "SOL-1", "type": "Name"}]},
        },
        "team": [], "inviteContext": {"assistanceRequestCode": "Unknown"},
    });
    other.post(Site::PartnerCenter, "/v1.0/engagements/referrals", &deal);
    other.expect("mpn.matches", "failed", "7654321");
}

#[test]
fn each_check_of_salesforce_fails_where_it_should() {
    let mut whole = Stage::new("sf", "salesforce", |_| {});
    for code in [
        "crm.sign-in",
        "crm.environment",
        "crm.role",
        "crm.package.fields",
        "crm.package.objects",
        "crm.notes",
        "crm.teams",
        "crm.stages",
        "crm.deal-value",
        "crm.currency",
        "crm.required",
        "crm.budget",
    ] {
        whole.expect(code, "passed", "");
    }
    whole.expect("crm.validation-rules", "not-checked", "tooling");
    whole.kind = "staging";
    whole.expect("crm.environment", "warning", "no sandbox");
    whole.kind = "simulator";
    let account = "/services/data/v60.0/sobjects/Account";
    whole.post(
        Site::Salesforce,
        account,
        &json!({"Name": "Fabrikam", "BillingCountry": "Germany"}),
    );
    whole.expect("crm.country", "failed", "\"Germany\" (1)");
    whole.expect("crm.postal-code", "warning", "1 accounts have none");
}

#[test]
fn settings_that_do_not_fit_the_salesforce_org_are_found() {
    let mut whole = Stage::new("sf-settings", "salesforce", |_| {});
    for (further, code, outcome, part) in [
        (
            "deal-value-field = \"Nope\"",
            "crm.deal-value",
            "failed",
            "no field Nope",
        ),
        (
            "deal-value-field = \"CloseDate\"",
            "crm.deal-value",
            "failed",
            "CloseDate is date",
        ),
        (
            "deal-value-currency-field = \"Nope\"",
            "crm.currency",
            "failed",
            "no field Nope",
        ),
        (
            "deal-value-currency-field = \"CloseDate\"",
            "crm.currency",
            "failed",
            "CloseDate is date",
        ),
        (
            "deal-value-currency-field = \"none\"",
            "crm.currency",
            "warning",
            "several currencies",
        ),
        (
            "country-field = \"Nope\"",
            "crm.country",
            "failed",
            "Nope cannot be read",
        ),
    ] {
        whole.further = further;
        whole.expect(code, outcome, part);
    }
    whole.further = "";
    let token = whole
        .served
        .token("seller", Site::Salesforce, "/services/data")
        .expect("a token");
    whole.salesforce = format!("access-token = {{ command = \"echo '{token}'\" }}");
    whole.expect("crm.role", "warning", "Standard User");
}

#[test]
fn an_org_that_was_not_prepared_fails_check_by_check() {
    let mut bare = Stage::new("sf-bare", "salesforce", |settings| {
        let org = &mut settings.systems.salesforce;
        org.schema.package_installed = false;
        org.schema.notes = false;
        org.schema.team_selling = false;
        org.schema.multi_currency = false;
        org.sandbox = true;
        org.schema.custom_fields.push(CustomField {
            object: "Opportunity".to_owned(),
            name: "Region__c".to_owned(),
            label: "Region".to_owned(),
            kind: CustomKind::Text(20),
            required: true,
            external_id: false,
            unique: false,
        });
    });
    for (code, part) in [
        ("crm.package.fields", "Sync_With_Partner_Center__c is missing"),
        ("crm.package.objects", "is not there"),
        ("crm.notes", "ContentNote is not there"),
        ("crm.teams", "OpportunityTeamMember is not there"),
        ("crm.currency", "one currency"),
        ("crm.required", "Region__c"),
    ] {
        bare.expect(code, "failed", part);
    }
    bare.kind = "production";
    bare.expect("crm.environment", "failed", "a sandbox");
}

#[test]
fn each_check_of_dataverse_fails_where_it_should() {
    let mut whole = Stage::new("dv", "dynamics", |_| {});
    for code in [
        "crm.sign-in",
        "crm.environment",
        "crm.role",
        "crm.package.fields",
        "crm.deal-value",
        "crm.currency",
        "crm.validation-rules",
        "crm.budget",
    ] {
        whole.expect(code, "passed", "");
    }
    whole.expect("flows.on", "passed", "9 documented flows are on");
    whole.kind = "production";
    whole.expect("crm.environment", "failed", "CustomerTest");
    whole.kind = "simulator";
    whole.further = "deal-value-field = \"name\"";
    whole.expect("crm.deal-value", "failed", "expected Money");
    whole.further = "country-field = \"nope\"";
    whole.expect("crm.country", "failed", "nope cannot be read");
    whole.further = "[accept]\ncurrency = \"XAU\"";
    whole.expect("crm.currency", "warning", "no XAU");
    whole.further = "";
    let table = |path: &str, body: Value| whole.post(Site::Dataverse, &format!("/api/data/v9.2/{path}"), &body);
    table("accounts", json!({"name": "Fabrikam", "address1_country": "Germany"}));
    whole.expect("crm.country", "failed", "\"Germany\" (1)");
    whole.expect("crm.postal-code", "warning", "1 accounts have none");
}

#[test]
fn business_rules_and_flows_of_dataverse_are_looked_at() {
    let whole = Stage::new("dv-flows", "dynamics", |_| {});
    let table = |path: &str, body: Value| whole.post(Site::Dataverse, &format!("/api/data/v9.2/{path}"), &body);
    let rule = json!({"name": "Close date in quarter", "category": 2, "type": 1, "primaryentity": "opportunity"});
    table("workflows", rule);
    let rules = "/api/data/v9.2/workflows?$select=name&$filter=category%20eq%202";
    let rules = whole.call(reqwest::Method::GET, Site::Dataverse, rules, &Value::Null);
    let id = rules["value"][0]["workflowid"].as_str().expect("an id").to_owned();
    whole.expect("crm.validation-rules", "passed", "there is none");
    let on = json!({"statecode": 1, "statuscode": 2});
    whole.call(
        reqwest::Method::PATCH,
        Site::Dataverse,
        &format!("/api/data/v9.2/workflows({id})"),
        &on,
    );
    whole.expect("crm.validation-rules", "warning", "\"Close date in quarter\"");
    let draft = json!({
        "name": "Dynamics 365 to Partner Center (Insider Preview)", "category": 5, "type": 1, "primaryentity": "none",
    });
    table("workflows", draft);
    whole.expect("flows.on", "failed", "(Insider Preview)\" is off");
    whole.roles(&[Role::ReferralsAdmin, Role::Salesperson]);
    whole.expect("crm.role", "failed", "roles");
}

#[test]
fn a_user_of_dataverse_without_calls_left_is_told() {
    let production = Stage::new("dv-production", "dynamics", |settings| {
        settings.systems.dataverse.production = true;
        settings.systems.dataverse.protection = Some(Protection {
            requests: 100,
            ..Protection::default()
        });
    });
    production.expect("crm.budget", "warning", "calls are left");
}
