//! Every key of an org, and what is wrong with bad ones.

use super::*;

const EVERYTHING: &str = "package: no
validation rules: no
multi-currency: yes
currencies: [EUR, USD]
default currency: USD
stages: [Parked]
won stages: [Signed]
lost stages: [Cancelled]
state and country picklists: yes
team selling: no
notes: no
hidden fields: [Opportunity.Amount, Invoice__c.Total__c]
custom objects: {Invoice__c: {label: Invoice, plural: Invoices}, Line__c: {}}
custom fields:
  Opportunity.Region__c: {type: picklist, values: [EMEA, APAC], restricted: yes}
  Invoice__c.Total__c: {type: currency, digits: 12, decimals: 2}
  Invoice__c.Key__c: {type: text, length: 40, external id: yes, unique: yes, required: yes}
  Line__c.Invoice__c: {type: master-detail, to: Invoice__c, children: Lines__r}
  Contact.Mentor__c: {type: look-up, to: Contact}
record types: {Opportunity.Partner: Partner deal}
duplicate rules: {Contacts: {object: Contact, fields: [Email], may save: no, message: Known}}
assignment rules: {Lead: seller}
change data capture: [Invoice__c]
api: no
users without api: [seller]
read-only users: [connector]
soap login: no
sandbox: yes
approved application: no
session lifetime: 15m
daily calls: 100
transaction time: 12s
lock wait: 5s
host: https://contoso--uat.sandbox.my.salesforce.com/
login host: https://login.example
";

#[test]
fn every_switch_of_an_org_is_a_key_of_its_file() {
    let org = read("org.yaml", EVERYTHING).unwrap_or_else(|wrong| panic!("{wrong:?}"));
    let plain = Settings::default();
    assert_eq!(
        (org.duplicate_rules.len(), org.duplicate_rules[0].allow_save),
        (1, false)
    );
    assert_eq!(
        (
            org.assignment_rules[0].owner.as_str(),
            org.record_types[0].name.as_str()
        ),
        ("seller", "Partner deal")
    );
    let named: Vec<&str> = org.stages.iter().map(|stage| stage.name.as_str()).collect();
    assert_eq!(
        (named[0], named[12], named[13], named.len()),
        ("Parked", "Signed", "Cancelled", 14)
    );
    assert_eq!(
        (org.currencies.join(" "), org.default_currency.as_str()),
        ("EUR USD".to_owned(), "USD")
    );
    assert_eq!(
        (
            org.session_lifetime.as_secs(),
            org.transaction_time.as_secs(),
            org.lock_wait.as_secs()
        ),
        (900, 12, 5)
    );
    assert!(
        org.sandbox && org.api_disabled && !org.soap_login && !org.application_approved && org.daily_requests == 100
    );
    assert_eq!(
        org.host.as_deref(),
        Some("https://contoso--uat.sandbox.my.salesforce.com")
    );
    assert_eq!(org.login_host.as_deref(), Some("https://login.example"));
    assert!(org.api_disabled_users.contains("seller") && org.read_only_users.contains("connector"));
    assert_ne!(org.change_data_capture, plain.change_data_capture);
    assert_eq!(
        org.schema.field_names("Line__c").unwrap().last().map(String::as_str),
        Some("Invoice__c")
    );
    assert_eq!(
        (
            org.schema.hidden_fields.len(),
            org.schema.package_installed,
            org.schema.notes
        ),
        (2, false, false)
    );
    assert!(org.schema.state_country_picklists && !org.schema.team_selling);
    assert_eq!(read("org.yaml", "# nothing\n").unwrap(), plain);
}

/// A file, what it is told, and what helps.
const WRONG: [(&str, &str, &str); 25] = [
    (
        "hidden fields: [Opportunity.Amuont]",
        "`Opportunity` has no field",
        "did you mean `Opportunity.Amount`?",
    ),
    ("hidden fields: [Amount]", "`Amount` is no field", ""),
    (
        "hidden fields: [Oportunity.Amount]",
        "the org has no object",
        "did you mean `Opportunity`?",
    ),
    (
        "change data capture: [Microsoft_Solution__c]",
        "the org has no object",
        "did you mean `Microsoft_Solutions__c`?",
    ),
    (
        "package: no\nhidden fields: [Opportunity.Audit__c]",
        "`Opportunity` has no field `Audit__c`",
        "",
    ),
    ("custom objects: {Invoice: {}}", "`Invoice` is no custom name", ""),
    (
        "custom objects: {Solution_Area__c: {}}",
        "the org has the object `Solution_Area__c` already",
        "",
    ),
    (
        "custom fields: {Opportunity.Audit__c: {type: text}}",
        "`Opportunity` has the field `Audit__c` already",
        "",
    ),
    (
        "custom fields: {Opportunity.A__c: {type: txt}}",
        "`type` cannot be `txt`",
        "did you mean `text`?",
    ),
    (
        "custom fields: {Opportunity.A__c: {length: 3}}",
        "`Opportunity.A__c` needs `type`",
        "",
    ),
    (
        "custom fields: {Opportunity.A__c: {type: date, length: 3}}",
        "a field of type `date` has no `length`",
        "",
    ),
    (
        "custom fields: {Opportunity.A__c: {type: look-up}}",
        "`Opportunity.A__c` needs `to`",
        "",
    ),
    (
        "custom fields: {Opportunity.A__c: {type: master-detail, to: Account}}",
        "`Opportunity` cannot be a detail",
        "",
    ),
    (
        "duplicate rules: {R: {object: Contact, fields: [Mail]}}",
        "`Contact` has no field `Mail`",
        "",
    ),
    ("duplicate rules: {R: {object: Contact}}", "`R` needs `fields`", ""),
    (
        "assignment rules: {Led: seller}",
        "the org has no object `Led`",
        "did you mean `Lead`?",
    ),
    ("record types: {Opportunity.P: [a]}", "`Opportunity.P` takes a text", ""),
    ("currencies: [usd]", "`usd` is no currency", ""),
    ("default currency: DKK", "the org has no currency `DKK`", ""),
    (
        "stages: [Prospecting]",
        "the org has the stage `Prospecting` already",
        "",
    ),
    ("host: contoso.my.salesforce.com", "`host` cannot be", ""),
    ("host: https://x/services", "`host` cannot be", ""),
    ("soap login: maybe", "`soap login` cannot be `maybe`", ""),
    (
        "sandbocks: yes",
        "`an org` has no key `sandbocks`",
        "did you mean `sandbox`?",
    ),
    ("[yes]", "", ""),
];

#[test]
fn what_is_wrong_with_an_org_is_told_with_its_place() {
    for (text, message, help) in WRONG {
        let wrong = read("org.yaml", text).expect_err(text);
        assert!(wrong[0].message.contains(message), "{text}: {:?}", wrong[0]);
        assert!(
            wrong[0].help.as_deref().unwrap_or_default().contains(help),
            "{text}: {:?}",
            wrong[0]
        );
    }
}

#[test]
fn the_file_of_the_walk_through_is_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../sim/salesforce.md");
    let guide = std::fs::read_to_string(path).unwrap();
    let text = guide.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let org = read("org.yaml", text).unwrap_or_else(|wrong| panic!("{wrong:?}"));
    let named = FILE.iter().filter(|key| text.contains(&format!("{}:", key.name)));
    assert_eq!(named.count(), FILE.len() - 2, "all but `won stages` and `lost stages`");
    assert_eq!(org.daily_requests, 1000);
}
