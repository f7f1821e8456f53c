//! `$filter` through lookups and collections, query functions, `$apply`, annotations, and bad queries of each.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Org, ROOT, Reply};

/// Two accounts, one with a contact and two tasks; three deals.
pub(super) fn stocked() -> (Org, [String; 5]) {
    let org = Org::new();
    let contact = org.made(
        "contacts",
        &json!({"firstname": "Yvonne", "lastname": "McKay", "emailaddress1": "y@x.example"}),
    );
    let rich = json!({"name": "Fourth Coffee", "accountnumber": "F-4", "numberofemployees": 1200, "industrycode": 16,
        "primarycontactid@odata.bind": format!("/{contact}")});
    let rich = org.made("accounts", &rich);
    let poor = org.made("accounts", &json!({"name": "Litware"}));
    let link = "regardingobjectid_account_task@odata.bind";
    for subject in ["call", "visit"] {
        org.made("tasks", &json!({"subject": subject, link: format!("/{rich}")}));
    }
    let deal = |name: &str, account: &str, value: i64| {
        let deal = json!({"name": name, "estimatedvalue": value, "estimatedclosedate": "2026-02-01",
            "customerid_account@odata.bind": format!("/{account}"), "parentaccountid@odata.bind": format!("/{account}")});
        org.made("opportunities", &deal)
    };
    let one = deal("one", &rich, 100);
    let two = deal("two", &rich, 250);
    deal("three", &poor, 1_000);
    (org, [contact, rich, poor, one, two])
}

fn ask(org: &Org, path: &str) -> Reply {
    org.get(&path.replace(' ', "%20"))
}

fn names(reply: &Reply) -> Vec<String> {
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    let rows = reply.json()["value"].as_array().unwrap().clone();
    rows.iter()
        .map(|row| row["name"].as_str().unwrap_or("-").to_owned())
        .collect()
}

#[test]
fn filters_follow_lookups_and_collections() {
    let (org, [contact, rich, ..]) = stocked();
    let id = |path: &str| path.split(['(', ')']).nth(1).unwrap().to_owned();
    for (filter, wanted) in [
        ("parentaccountid/name eq 'fourth coffee'", &["one", "two"][..]),
        (
            "customerid_account/primarycontactid/lastname eq 'McKay' and estimatedvalue gt 100",
            &["two"],
        ),
        ("parentaccountid/primarycontactid/emailaddress1 eq null", &["three"]),
        ("not contains(parentaccountid/name,'coffee')", &["three"]),
        ("contains(name,'o') eq false", &["three"]),
        (
            "parentaccountid/Account_Tasks/any(t:t/subject eq 'call')",
            &["one", "two"],
        ),
        ("parentaccountid/Account_Tasks/all(t:t/subject eq 'call')", &["three"]),
        ("parentaccountid/Account_Tasks/any()", &["one", "two"]),
        (
            "parentaccountid/Account_Tasks/any(t:t/regardingobjectid_account_task/primarycontactid/lastname eq 'McKay')",
            &["one", "two"],
        ),
        ("estimatedvalue gt actualvalue or estimatedvalue eq 250", &["two"]),
        ("closeprobability eq 1.5 or name eq 'one'", &["one"]),
    ] {
        let mut found = names(&ask(&org, &format!("opportunities?$filter={filter}&$orderby=name")));
        found.sort();
        let mut wanted = wanted.to_vec();
        wanted.sort_unstable();
        assert_eq!(found, wanted, "{filter}");
    }
    let by_key = format!(
        "opportunities?$filter=parentaccountid/accountid eq {}&$count=true",
        id(&rich)
    );
    assert_eq!(ask(&org, &by_key).json()["@odata.count"], 2);
    let by_contact = format!("accounts?$filter=_primarycontactid_value eq {}", id(&contact));
    assert_eq!(names(&ask(&org, &by_contact)), ["Fourth Coffee"]);
    let aliased = ask(&org, "opportunities?$filter=name eq @p1&@p1='two'");
    assert_eq!(names(&aliased), ["two"]);
    let sorted = ask(
        &org,
        "opportunities?$orderby=parentaccountid/name desc,name desc&$select=name",
    );
    assert_eq!(names(&sorted), ["three", "two", "one"]);
}

#[test]
fn query_functions_of_dynamics_are_conditions() {
    let (org, [_, rich, poor, ..]) = stocked();
    let crm = |function: &str| format!("opportunities?$filter=Microsoft.Dynamics.CRM.{function}&$orderby=name");
    for (function, count) in [
        ("In(PropertyName='name',PropertyValues=['ONE','three'])", 2),
        ("NotIn(PropertyName='name',PropertyValues=['one'])", 2),
        ("Between(PropertyName='estimatedvalue',PropertyValues=['100','250'])", 2),
        ("NotBetween(PropertyName='estimatedvalue',PropertyValues=[100,250])", 1),
        ("LastXDays(PropertyName='createdon',PropertyValue=1)", 3),
        ("Tomorrow(PropertyName='createdon')", 0),
        ("On(PropertyName='estimatedclosedate',PropertyValue='2026-02-01')", 3),
        (
            "OnOrAfter(PropertyName='estimatedclosedate',PropertyValue='2026-02-02')",
            0,
        ),
        ("NextXMonths(PropertyName='estimatedclosedate',PropertyValue='1')", 3),
        ("EqualUserId(PropertyName='ownerid')", 3),
        ("EqualBusinessId(PropertyName='owningbusinessunit')", 3),
        ("NotEqualUserId(PropertyName='createdby')", 0),
        ("EqualUserTeams(PropertyName='ownerid')", 0),
    ] {
        let reply = ask(&org, &crm(function));
        assert_eq!(names(&reply).len(), count, "{function}");
    }
    let id = |path: &str| path.split(['(', ')']).nth(1).unwrap().to_owned();
    let child = json!({"name": "Shop", "parentaccountid@odata.bind": format!("/{rich}")});
    org.made("accounts", &child);
    let under = |function: &str, of: &str| {
        let path = "accounts?$filter=Microsoft.Dynamics.CRM.";
        names(&ask(
            &org,
            &format!("{path}{function}(PropertyName='accountid',PropertyValue='{}')", id(of)),
        ))
    };
    assert_eq!(under("Under", &rich), ["Shop"]);
    assert_eq!(under("UnderOrEqual", &rich).len(), 2);
    assert_eq!(under("Under", &poor).len(), 0);
    let fiscal = ask(&org, &crm("ThisFiscalYear(PropertyName='createdon')"));
    assert_eq!(fiscal.status, StatusCode::NOT_IMPLEMENTED);
    for wrong in [
        "NoSuch(PropertyName='name')",
        "In(PropertyName='nosuch',PropertyValues=['a'])",
        "LastXDays(PropertyName='createdon',PropertyValue='x')",
        "LastXDays(PropertyName='name',PropertyValue=1)",
        "Between(PropertyName='estimatedvalue',PropertyValues=['1'])",
        "ContainValues(PropertyName='name',PropertyValues=['1'])",
        "EqualUserId(PropertyName='ownerid',PropertyValue='x')",
    ] {
        assert_eq!(ask(&org, &crm(wrong)).status, StatusCode::BAD_REQUEST, "{wrong}");
    }
}

#[test]
fn apply_groups_and_adds_up() {
    let (org, _) = stocked();
    let rows = |apply: &str| {
        let reply = ask(&org, &format!("opportunities?$apply={apply}"));
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
        reply.json()["value"].clone()
    };
    assert_eq!(
        rows("aggregate(estimatedvalue with sum as total,$count as deals,estimatedvalue with average as middle)"),
        json!([{"total": 1350.0, "deals": 3, "middle": 450.0}])
    );
    assert_eq!(
        rows(
            "groupby((parentaccountid/name),aggregate(estimatedvalue with max as most,name with countdistinct as names))"
        ),
        json!([{"parentaccountid_name": "Fourth Coffee", "most": 250.0, "names": 2},
            {"parentaccountid_name": "Litware", "most": 1000.0, "names": 1}])
    );
    assert_eq!(
        rows("filter(estimatedvalue lt 1000)/groupby((statuscode),aggregate($count as count))"),
        json!([{"statuscode": 1, "count": 2}])
    );
    assert_eq!(rows("groupby((statecode))"), json!([{"statecode": 0}]));
    assert_eq!(
        rows("filter(name eq 'none')/aggregate(estimatedvalue with sum as total,$count as n)"),
        json!([{"total": null, "n": 0}])
    );
    let labelled = org.send(
        &Method::GET,
        "opportunities?$apply=groupby((statuscode),aggregate($count%20as%20n))",
        &[("prefer", "odata.include-annotations=\"*\"")],
        &Value::Null,
    );
    let label = "statuscode@OData.Community.Display.V1.FormattedValue";
    assert_eq!(labelled.json()["value"][0][label], "In Progress");
    for wrong in [
        "groupby(statuscode)",
        "aggregate(name with sum as x)",
        "aggregate(nosuch with sum as x)",
        "filter(x)/aggregate($count as n)",
    ] {
        let reply = ask(&org, &format!("opportunities?$apply={wrong}"));
        assert_eq!(reply.fault(), (400, "0x80060888".into()), "{wrong}");
    }
    let compute = ask(&org, "opportunities?$apply=compute(estimatedvalue mul 2 as x)");
    assert_eq!(compute.status, StatusCode::NOT_IMPLEMENTED);
}

#[test]
fn annotations_say_what_people_read_and_where_lookups_lead() {
    let (org, [_, rich, ..]) = stocked();
    let all = [("prefer", "odata.include-annotations=\"*\"")];
    let reply = org.send(
        &Method::GET,
        "opportunities?$filter=name%20eq%20'two'",
        &all,
        &Value::Null,
    );
    assert_eq!(reply.header("preference-applied"), "odata.include-annotations=\"*\"");
    let page = reply.json();
    assert_eq!(page["@Microsoft.Dynamics.CRM.totalrecordcount"], -1);
    let row = &page["value"][0];
    let formatted = |column: &str| row[format!("{column}@OData.Community.Display.V1.FormattedValue")].clone();
    assert_eq!(formatted("estimatedvalue"), "$250.00");
    assert_eq!(formatted("statuscode"), "In Progress");
    assert_eq!(formatted("estimatedclosedate"), "2/1/2026");
    assert_eq!(formatted("createdon"), "1/5/2026 9:00 AM");
    assert_eq!(formatted("msft_microsoftpartnercenterreferralsync"), "No");
    assert_eq!(formatted("_customerid_value"), "Fourth Coffee");
    assert_eq!(formatted("_transactioncurrencyid_value"), "US Dollar");
    assert_eq!(formatted("name"), Value::Null);
    assert_eq!(
        row["_customerid_value@Microsoft.Dynamics.CRM.associatednavigationproperty"],
        "customerid_account"
    );
    assert_eq!(
        row["_customerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"],
        "account"
    );
    let keys: Vec<&String> = row.as_object().unwrap().keys().collect();
    let at = |name: &str| keys.iter().position(|key| *key == name).unwrap();
    assert!(
        at("statuscode@OData.Community.Display.V1.FormattedValue") < at("statuscode"),
        "in front of the value"
    );
    let only = [(
        "prefer",
        "odata.include-annotations=\"OData.Community.Display.V1.FormattedValue\"",
    )];
    let account = org.send(&Method::GET, &rich, &only, &Value::Null).json();
    assert_eq!(
        account["numberofemployees@OData.Community.Display.V1.FormattedValue"],
        "1,200"
    );
    assert_eq!(
        account["industrycode@OData.Community.Display.V1.FormattedValue"],
        "Financial"
    );
    assert_eq!(
        account.get("_primarycontactid_value@Microsoft.Dynamics.CRM.lookuplogicalname"),
        None
    );
}

#[test]
fn ten_thousand_parentheses_are_refused_and_a_hundred_are_answered() {
    let (org, _) = stocked();
    let deep = |levels: usize| {
        format!(
            "accounts?$filter={}name%20ne%20'x'{}",
            "(".repeat(levels),
            ")".repeat(levels)
        )
    };
    for levels in [101, 10_000] {
        let refused = org.get(&deep(levels));
        assert_eq!(refused.fault(), (400, "0x80060888".into()));
        assert!(refused.text.contains("Recursion depth exceeded"), "{}", refused.text);
    }
    let shallow = org.get(&deep(100)).json();
    assert_eq!(shallow["value"].as_array().unwrap().len(), 2);
}

#[test]
fn functions_count_tables_and_tell_version_and_organisation() {
    let (org, _) = stocked();
    let counts = org
        .get("RetrieveTotalRecordCount(EntityNames=@p1)?@p1=[%22account%22,%22contact%22]")
        .json();
    assert_eq!(
        counts["EntityRecordCountCollection"],
        json!({"Count": 2, "IsReadOnly": false, "Keys": ["account", "contact"], "Values": [2, 1]})
    );
    assert_eq!(
        counts["@odata.context"],
        format!("{ROOT}$metadata#Microsoft.Dynamics.CRM.RetrieveTotalRecordCountResponse")
    );
    assert!(
        org.get("RetrieveVersion()").json()["Version"]
            .as_str()
            .unwrap()
            .starts_with("9.2")
    );
    let organisation =
        "RetrieveCurrentOrganization(AccessType=@p1)?@p1=Microsoft.Dynamics.CRM.EndpointAccessType'Default'";
    let detail = org.get(organisation).json()["Detail"].clone();
    assert_eq!(detail["OrganizationId"], org.get("WhoAmI").json()["OrganizationId"]);
    for wrong in [
        "RetrieveTotalRecordCount(EntityNames=@p1)",
        "RetrieveTotalRecordCount(EntityNames=@p1)?@p1=account",
        "RetrieveTotalRecordCount(EntityNames=['nosuch'])",
        "RetrieveTotalRecordCount(Other=['account'])",
    ] {
        assert_eq!(org.get(wrong).status, StatusCode::BAD_REQUEST, "{wrong}");
    }
}
