//! What goes, what comes back, and who may not write while somebody else does.

use bytes::Bytes;
use http::Request;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::happening::CommitKind;
use crate::salesforce::Settings;
use crate::salesforce::trial::{Reply, Trial};

/// `undelete()` of these records by whoever is signed in.
fn undelete(trial: &Trial, ids: &[&str], head: &str) -> Reply {
    let ids = format!("<urn:ids>{}</urn:ids>", ids.join("</urn:ids><urn:ids>"));
    let body = format!(
        "<soapenv:Envelope><soapenv:Header><urn:SessionHeader><urn:sessionId>{}</urn:sessionId></urn:SessionHeader>{head}\
         </soapenv:Header><soapenv:Body><urn:undelete>{ids}</urn:undelete></soapenv:Body></soapenv:Envelope>",
        trial.token()
    );
    let request = Request::post("https://contoso.my.salesforce.com/services/Soap/u/60.0");
    trial.raw(
        request
            .header("content-type", "text/xml")
            .body(Bytes::from(body))
            .unwrap(),
    )
}

#[test]
fn an_account_takes_its_children_along_and_brings_them_back() {
    let trial = Trial::new();
    let account = trial.create("Account", &json!({"Name": "Fabrikam"}));
    let contact = trial.create("Contact", &json!({"LastName": "Xu", "AccountId": account}));
    let deal = trial.deal("Ten seats", &json!({"AccountId": account}));
    let role = json!({"OpportunityId": deal, "ContactId": contact, "IsPrimary": true});
    trial.create("OpportunityContactRole", &role);
    let task = trial.create("Task", &json!({"Subject": "Call", "WhatId": deal}));
    let before = trial.org.rows();
    trial.commits();
    assert_eq!(trial.delete("Account", &account).status, 204);
    assert_eq!(trial.org.rows().len(), 1, "the task stays");
    assert_eq!(trial.read("Task", &task)["WhatId"], Value::Null);
    let gone = "/queryAll?q=SELECT+Id+FROM+Contact+WHERE+IsDeleted=true+AND+Name='Xu'";
    assert_eq!(trial.get(gone).json()["totalSize"], 1);
    let alone = undelete(&trial, &[&contact], "");
    assert!(
        alone.text.contains("<statusCode>UNDELETE_FAILED</statusCode>"),
        "{}",
        alone.text
    );
    trial.commits();
    let reply = undelete(&trial, &[&account], "");
    assert_eq!(reply.status, 200);
    assert!(
        reply
            .text
            .contains(&format!("<result><id>{account}</id><success>true</success></result>")),
        "{}",
        reply.text
    );
    assert_eq!(trial.org.rows().len(), before.len());
    assert_eq!(trial.read("Task", &task)["WhatId"], json!(deal));
    assert_eq!(trial.get(gone).json()["totalSize"], 0);
    let back = trial.commits();
    assert_eq!(
        (back[0].kind, back[0].id.as_str()),
        (CommitKind::Created, account.as_str())
    );
    assert_eq!(
        (back[0].actor.as_str(), back[1].actor.as_str()),
        ("connector", "system")
    );
}

#[test]
fn an_account_with_a_deal_that_was_won_stays() {
    let trial = Trial::new();
    let account = trial.create("Account", &json!({"Name": "Fabrikam"}));
    trial.deal("Won", &json!({"AccountId": account, "StageName": "Closed Won"}));
    let reply = trial.delete("Account", &account);
    assert_eq!(reply.fault(), (400, "DELETE_FAILED".to_owned()));
    assert!(
        reply
            .message()
            .starts_with("Your attempt to delete Fabrikam could not be completed because")
    );
    assert_eq!(trial.read("Account", &account)["Name"], "Fabrikam");
}

#[test]
fn what_is_not_in_the_recycle_bin_does_not_come_back() {
    let trial = Trial::new();
    let deal = trial.deal("a", &json!({}));
    let gone = trial.deal("b", &json!({}));
    trial.delete("Opportunity", &gone);
    for (id, code) in [
        (deal.as_str(), "UNDELETE_FAILED"),
        ("006000000000001AAA", "INVALID_CROSS_REFERENCE_KEY"),
        ("nonsense", "MALFORMED_ID"),
    ] {
        let reply = undelete(&trial, &[id], "");
        assert!(
            reply.text.contains(&format!("<statusCode>{code}</statusCode>")),
            "{id}: {}",
            reply.text
        );
    }
    let all = "<urn:AllOrNoneHeader><urn:allOrNone>true</urn:allOrNone></urn:AllOrNoneHeader>";
    let reply = undelete(&trial, &[&gone, &deal], all);
    assert!(
        reply.text.contains("ALL_OR_NONE_OPERATION_ROLLED_BACK"),
        "{}",
        reply.text
    );
    assert_eq!(
        trial.get(&format!("/sobjects/Opportunity/{gone}")).fault().1,
        "ENTITY_IS_DELETED"
    );
    let many: Vec<&str> = vec![&gone; 201];
    assert!(undelete(&trial, &many, "").text.contains("EXCEEDED_ID_LIMIT"));
    trial
        .ground
        .authority
        .revoke("connector", crate::identity::SALESFORCE_AUDIENCE);
    let reply = undelete(&trial, &[&gone], "");
    assert_eq!(reply.status, 500);
    assert!(
        reply.text.contains("<faultcode>sf:INVALID_SESSION_ID</faultcode>"),
        "{}",
        reply.text
    );
}

#[test]
fn an_undelete_fires_no_trigger_and_is_told_as_one() {
    let trial = Trial::new();
    let deal = trial.deal("a", &json!({}));
    let body = json!({"Name": "S", "Solution_Identifier__c": "s"});
    let solution = trial.create("Microsoft_Solution_Detail__c", &body);
    let line = json!({"Opportunity__c": deal, "Solution__c": solution});
    let line = trial.create("Microsoft_Solutions__c", &line);
    trial.patch("Opportunity", &deal, &json!({"Sync_With_Partner_Center__c": true}));
    trial.delete("Microsoft_Solutions__c", &line);
    undelete(
        &trial,
        &[&line],
        "<urn:CallOptions><urn:client>Bin</urn:client></urn:CallOptions>",
    );
    let read = trial.read("Opportunity", &deal);
    assert_eq!(
        (&read["Solution_Count__c"], &read["Sync_With_Partner_Center__c"]),
        (&json!(0.0), &json!(false))
    );
    let told = trial.told("/data/Microsoft_Solutions__ChangeEvent");
    let header = &told.last().unwrap()["payload"]["ChangeEventHeader"];
    assert_eq!(header["changeType"], "UNDELETE");
    assert_eq!(header["changeOrigin"], "com/salesforce/api/soap/60.0;client=Bin");
    assert_eq!(header["recordIds"], json!([line]));
}

fn slow() -> Trial {
    Trial::with(Settings {
        transaction_time: SignedDuration::from_secs(12),
        ..Settings::default()
    })
}

#[test]
fn two_clients_cannot_write_below_one_account_at_the_same_time() {
    let mut trial = slow();
    let account = trial.create("Account", &json!({"Name": "Fabrikam"}));
    trial.wait(60);
    trial.create("Contact", &json!({"LastName": "Xu", "AccountId": account}));
    let own = trial.post("Contact", &json!({"LastName": "Yu", "AccountId": account}));
    assert_eq!(own.status, 201, "a client waits for its own answer: {}", own.text);
    trial.sign_in("seller");
    let refused = trial.patch("Account", &account, &json!({"Industry": "Banking"}));
    assert_eq!(refused.fault(), (400, "UNABLE_TO_LOCK_ROW".to_owned()));
    let words = format!("unable to obtain exclusive access to this record or 1 records: {account}");
    assert_eq!((refused.message(), &refused.json()[0]["fields"]), (words, &json!([])));
    let other = trial.post(
        "Opportunity",
        &json!({"Name": "x", "StageName": "Prospecting", "CloseDate": "2026-03-31", "AccountId": account}),
    );
    assert_eq!(other.fault().1, "UNABLE_TO_LOCK_ROW");
    assert_eq!(
        trial.deal("apart", &json!({})).len(),
        18,
        "what touches no held record goes through"
    );
    trial.wait(14);
    let waited = trial.patch("Account", &account, &json!({"Industry": "Banking"}));
    assert_eq!(waited.status, 204, "ten seconds are enough now: {}", waited.text);
}

#[test]
fn a_refused_write_holds_nothing_and_a_short_one_is_waited_for() {
    let mut trial = slow();
    let account = trial.create("Account", &json!({"Name": "Fabrikam"}));
    trial.wait(60);
    assert_eq!(trial.patch("Account", &account, &json!({"Nmae": 1})).status, 400);
    let both = json!({"allOrNone": true, "records": [
        {"attributes": {"type": "Account"}, "id": account, "Industry": "Banking"},
        {"attributes": {"type": "Account"}, "id": account, "Nmae": 1},
    ]});
    trial.send("PATCH", "/services/data/v60.0/composite/sobjects", &both, &[]);
    trial.sign_in("seller");
    assert_eq!(
        trial.patch("Account", &account, &json!({"Industry": "Energy"})).status,
        204
    );
    let mut quick = Trial::with(Settings {
        transaction_time: SignedDuration::from_secs(9),
        ..Settings::default()
    });
    let account = quick.create("Account", &json!({"Name": "Fabrikam"}));
    quick.sign_in("seller");
    assert_eq!(
        quick.patch("Account", &account, &json!({"Industry": "Energy"})).status,
        204
    );
    assert_eq!(Trial::new().create("Account", &json!({"Name": "x"})).len(), 18);
}
