//! Actions that make or delete rows: qualifying a lead, templates, jobs.

use http::StatusCode;
use serde_json::{Value, json};

use super::{NOBODY, Org, ROOT};

fn wishes(account: bool, contact: bool, opportunity: bool, status: i64) -> Value {
    json!({"CreateAccount": account, "CreateContact": contact, "CreateOpportunity": opportunity, "Status": status})
}

#[test]
fn a_lead_becomes_an_account_a_contact_and_a_deal_once() {
    let org = Org::new();
    let lead = org.made(
        "leads",
        &json!({"subject": "Ten seats", "firstname": "Ada", "lastname": "Byron", "companyname": "Analytical",
            "emailaddress1": "ada@x.example", "address1_country": "GB", "address1_postalcode": "SW1",
            "estimatedamount": 1200, "estimatedclosedate": "2026-03-01"}),
    );
    let act = format!("{lead}/Microsoft.Dynamics.CRM.QualifyLead");
    let reply = org.post(&act, &wishes(true, true, true, 3));
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    let made = reply.json()["value"].clone();
    let of = |place: usize, key: &str| made[place][key].as_str().unwrap().to_owned();
    assert_eq!(made[0]["@odata.type"], "#Microsoft.Dynamics.CRM.account");
    let (account, contact) = (of(0, "accountid"), of(1, "contactid"));
    let deal = org.get(&format!("opportunities({})", of(2, "opportunityid"))).json();
    assert_eq!(
        json!([
            deal["name"],
            deal["estimatedvalue"],
            deal["estimatedclosedate"],
            deal["_customerid_value"],
            deal["_parentcontactid_value"],
            deal["_originatingleadid_value"]
        ]),
        json!([
            "Ten seats",
            1200.0,
            "2026-03-01",
            account,
            contact,
            lead["leads(".len()..lead.len() - 1]
        ])
    );
    let row = org.get(&format!("accounts({account})")).json();
    assert_eq!(
        json!([row["name"], row["address1_country"]]),
        json!(["Analytical", "GB"])
    );
    assert_eq!(
        org.get(&format!("contacts({contact})")).json()["_parentcustomerid_value"],
        json!(account)
    );
    let row = org.get(&lead).json();
    assert_eq!(
        json!([
            row["statecode"],
            row["statuscode"],
            row["_qualifyingopportunityid_value"]
        ]),
        json!([1, 3, of(2, "opportunityid")])
    );
    assert_eq!(
        org.post(&act, &wishes(true, true, true, 3)).fault(),
        (400, "0x80040203".into())
    );
}

#[test]
fn a_lead_is_qualified_for_a_customer_who_is_there_and_wrong_wishes_change_nothing() {
    let org = Org::new();
    let account = org.made("accounts", &json!({"name": "a"}));
    let id = account["accounts(".len()..account.len() - 1].to_owned();
    let lead = org.made("leads", &json!({"subject": "s", "lastname": "l"}));
    org.commits();
    let act = format!("{lead}/Microsoft.Dynamics.CRM.QualifyLead");
    let mut for_nobody = wishes(false, false, true, 3);
    for_nobody["OpportunityCustomerId"] = json!({"@odata.type": "Microsoft.Dynamics.CRM.account", "accountid": NOBODY});
    let mut unknown = wishes(false, false, true, 3);
    unknown["Nosuch"] = json!(1);
    for (body, fault) in [
        (json!({}), (400, "0x80048d19")),
        (unknown, (400, "0x80048d19")),
        (wishes(true, true, true, 7), (400, "0x80048408")),
        (for_nobody, (404, "0x80040217")),
    ] {
        assert_eq!(org.post(&act, &body).fault(), (fault.0, fault.1.into()), "{body}");
    }
    assert_eq!(
        org.post(
            &format!("leads({NOBODY})/Microsoft.Dynamics.CRM.QualifyLead"),
            &json!({})
        )
        .fault(),
        (404, "0x80040217".into())
    );
    assert!(org.commits().is_empty());
    let mut body = wishes(false, false, true, -1);
    body["OpportunityCustomerId"] = json!({"@odata.type": "Microsoft.Dynamics.CRM.account", "accountid": id});
    body["OpportunityCurrencyId"] = json!({"transactioncurrencyid": org.currency("EUR")});
    let made = org.post(&act, &body).json()["value"][0]["opportunityid"]
        .as_str()
        .unwrap()
        .to_owned();
    let deal = org.get(&format!("opportunities({made})")).json();
    assert_eq!(
        json!([deal["_customerid_value"], deal["_transactioncurrencyid_value"]]),
        json!([id, org.currency("EUR")])
    );
    assert_eq!(
        org.post(&format!("{account}/Microsoft.Dynamics.CRM.Nosuch"), &json!({}))
            .status,
        StatusCode::NOT_IMPLEMENTED
    );
}

#[test]
fn a_template_carries_over_the_way_back_and_stores_nothing() {
    let org = Org::new();
    let account = org.made("accounts", &json!({"name": "a", "revenue": 5}));
    org.commits();
    let call = "InitializeFrom(EntityMoniker=@p1,TargetEntityName=@p2,TargetFieldType=@p3)";
    let query = format!(
        "@p1={{%27@odata.id%27:%27{account}%27}}&@p2=%27account%27&@p3=Microsoft.Dynamics.CRM.TargetFieldType%27ValidForCreate%27"
    );
    let reply = org.get(&format!("{call}?{query}"));
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    assert_eq!(
        reply.json()["@odata.context"],
        format!("{ROOT}$metadata#accounts/$entity")
    );
    assert_eq!(reply.json()["parentaccountid@odata.bind"], json!(account));
    assert_eq!(
        org.get("InitializeFrom(EntityMoniker=@p1)").fault(),
        (400, "0x80060888".into())
    );
    assert!(org.commits().is_empty());
}

#[test]
fn a_job_deletes_what_its_query_finds() {
    let org = Org::new();
    let ids: Vec<String> = ["a", "b", "c"]
        .iter()
        .map(|name| {
            let path = org.made("accounts", &json!({"name": name}));
            path["accounts(".len()..path.len() - 1].to_owned()
        })
        .collect();
    let query = |operator: &str, values: Value| {
        json!({"JobName": "j", "QuerySet": [{"EntityName": "account", "Criteria":
        {"FilterOperator": "And", "Conditions": [{"AttributeName": "accountid", "Operator": operator, "Values": values}]}}]})
    };
    let values = json!([{"Value": ids[0], "Type": "System.Guid"}, {"Value": ids[1], "Type": "System.Guid"}]);
    let reply = org.post("BulkDelete", &query("In", values));
    assert_eq!(
        (reply.status, reply.json()["JobId"].as_str().unwrap().len()),
        (StatusCode::OK, 36)
    );
    let left = org.get("accounts").json();
    assert_eq!(
        json!([left["value"].as_array().unwrap().len(), left["value"][0]["name"]]),
        json!([1, "c"])
    );
    assert_eq!(
        org.post("BulkDelete", &query("Like", json!(["x"]))).status,
        StatusCode::NOT_IMPLEMENTED
    );
    assert_eq!(org.post("BulkDelete", &json!({})).fault(), (400, "0x80048d19".into()));
}
