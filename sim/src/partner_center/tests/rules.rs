//! What each kind of deal needs, why deals end, and how a won deal is registered.

use super::*;

/// What a create without success says: its status, and the target of its error.
fn refused(desk: &Desk, change: impl FnOnce(&mut Value)) -> (u16, String) {
    let mut body = deal("a");
    change(&mut body);
    let answer = desk.post(&body);
    let target = answer.error()["target"].as_str().unwrap_or_default().to_owned();
    (answer.status.as_u16(), target)
}

#[test]
fn what_a_new_deal_holds_is_checked() {
    let desk = Desk::with(Settings {
        known_solutions: Some(vec!["SOL-34104-EBB".to_owned()]),
        closing_date_may_be_past: false,
        ..Settings::default()
    });
    let solutions = "details/requirements/solutions";
    desk.created(&deal("fine"));
    for (pointer, value, target) in [
        (
            "/details/closingDateTime",
            json!("2025-12-31T00:00:00Z"),
            "details/closingDateTime",
        ),
        ("/details/notes", json!("x".repeat(65_537)), "details/notes"),
        ("/details/requirements/solutions/0/id", json!("SOL-0"), solutions),
        ("/details/requirements/solutions/0/type", json!("Kind"), solutions),
        (
            "/customerProfile/address/country",
            json!("us"),
            "customerProfile/address/country",
        ),
        (
            "/customerProfile/address/country",
            json!("USA"),
            "customerProfile/address/country",
        ),
    ] {
        let found = refused(&desk, |body| *body.pointer_mut(pointer).unwrap() = value);
        assert_eq!(found, (400, target.to_owned()), "{pointer}");
    }
    let found = refused(&desk, |body| body["salesStage"] = json!("Dreaming"));
    assert_eq!(found, (400, "salesStage".to_owned()));
    let found = refused(&desk, |body| body["target"] = json!([{"type": "Planet", "id": "1"}]));
    assert_eq!(found, (400, "target/type".to_owned()));
    let strict = Desk::with(Settings {
        bulk_requirements: true,
        ..Settings::default()
    });
    let found = refused(&strict, |_| ());
    assert_eq!(found, (400, "customerProfile/address/addressLine1".to_owned()));
}

#[test]
fn other_partners_and_solution_assessments_are_refused_by_name() {
    let desk = Desk::new();
    let own = desk.created(&deal("a"));
    let mut partners = invitation("a", &own["engagementId"]);
    partners["target"] = json!([{"type": "BusinessProfileLocation", "id": "another"}]);
    let mut assessment = deal("b");
    assessment["details"]["requirements"]["solutions"][0]["solutionType"] = json!("SolutionAssessment");
    for (body, missing) in [
        (partners, "partner-to-partner deal"),
        (assessment, "solution assessment"),
    ] {
        assert_eq!(desk.post(&body).status, 501);
        assert_eq!(desk.refusals()[0].missing, missing);
    }
}

#[test]
fn services_co_sell_needs_role_area_and_play_and_no_solution() {
    let desk = Desk::new();
    let attributes = |names: &[&str]| {
        let list: Vec<Value> = names.iter().map(|name| json!({"type": name, "id": "x"})).collect();
        json!({ "attributes": list })
    };
    let mut body = deal("services");
    body["details"]["requirements"]["solutions"] = json!([]);
    assert_eq!(desk.post(&body).error()["message"], "Solution ID is required");
    body["details"]["requirements"]["additionalRequirements"] = attributes(&["PartnerRole", "SolutionArea"]);
    let target = text(&desk.post(&body).error()["target"]);
    assert!(target.ends_with("attributes/SolutionPlay"), "{target}");
    body["details"]["requirements"]["additionalRequirements"] =
        attributes(&["PartnerRole", "SolutionArea", "SolutionPlay"]);
    let made = desk.created(&body);
    let kept = &made["details"]["requirements"]["additionalRequirements"]["attributes"];
    assert_eq!(kept[2]["type"], "SolutionPlay");
}

#[test]
fn a_private_deal_becomes_partner_led_before_microsoft_is_invited() {
    let desk = Desk::new();
    let mut body = deal("private");
    body["type"] = json!("Independent");
    body["consent"]["consentToShareReferralWithMicrosoftSellers"] = json!(false);
    body["inviteContext"] = json!({});
    body["details"]["requirements"]["solutions"] = json!([]);
    let own = desk.created(&body);
    let id = text(&own["id"]);
    let invite = || desk.post(&invitation("private", &own["engagementId"])).status.as_u16();
    assert_eq!(invite(), 400);
    let share = json!({"op": "replace", "path": "/consent/consentToShareReferralWithMicrosoftSellers", "value": true});
    let upgraded = desk.patch(&id, &json!([share]));
    assert_eq!(upgraded.error()["message"], "Solution ID is required");
    let solution = json!({"op": "add", "path": "/details/requirements/solutions/-", "value": {"id": "SOL-1"}});
    assert_eq!(desk.patch(&id, &json!([share, solution])).status, 204);
    assert_eq!(invite(), 200);
}

#[test]
fn reasons_can_be_held_to_the_documented_lists_and_stages_are_numbers() {
    let desk = Desk::with(Settings {
        reasons_are_checked: true,
        ..Settings::default()
    });
    let id = text(&desk.created(&deal("a"))["id"]);
    desk.replace(&id, "/salesStage", "Propose");
    assert_eq!(desk.stored(&id)["salesStage"], "60");
    let lost = |reason: &str| {
        json!([{"op": "replace", "path": "/status", "value": "Closed"},
               {"op": "replace", "path": "/substatus", "value": "Lost"},
               {"op": "replace", "path": "/statusReason", "value": reason}])
    };
    let answer = desk.patch(&id, &lost("Because"));
    assert_eq!(
        (answer.status.as_u16(), &answer.error()["target"]),
        (400, &json!("statusReason"))
    );
    assert_eq!(desk.patch(&id, &lost("Customer chose another vendor")).status, 204);
}

fn registration(signed: &str, value: u32) -> Value {
    json!([{"op": "add", "path": "/registrations/-", "value": {
        "type": "AzureIPCoSell",
        "solutionDetails": [{
            "id": "SOL-34104-EBB", "currency": "USD", "value": 30000, "isDeployedOnAzure": true,
            "primaryDeploymentOn": "Customer", "pricingModel": "Other",
            "marketplaceTransactionDetails": {"isMarketplaceTransacted": false, "marketplaceTransactionDateTime": null},
        }],
        "contract": {
            "currency": "USD", "startDateTime": "2026-01-05T00:00:00Z", "endDateTime": "2026-12-31T00:00:00Z",
            "signDateTime": signed, "term": "Finite", "value": value,
        },
    }}])
}

#[test]
fn a_won_deal_is_registered_and_its_registration_changed_through_the_two_slash_forms() {
    let desk = Desk::new();
    let mut body = deal("a");
    body["details"]["dealValue"] = json!(30_000);
    let id = text(&desk.created(&body)["id"]);
    desk.wait(SignedDuration::from_hours(48));
    let (once, twice) = (format!("{}/", one(&id)), format!("{}//", one(&id)));
    let register = |body: &Value| desk.write(Method::PATCH, &once, &[], body);
    let signed = desk.ground.clock.now().to_string();
    assert_eq!(register(&registration(&signed, 30_000)).error()["target"], "substatus");
    let won = json!([{"op": "replace", "path": "/status", "value": "Closed"},
                     {"op": "replace", "path": "/substatus", "value": "Won"}]);
    assert_eq!(desk.patch(&id, &won).status, 204);
    assert_eq!(register(&json!([])).status, 400);
    assert_eq!(
        register(&registration("2026-01-01T00:00:00Z", 30_000)).error()["target"],
        "contract/signDateTime"
    );
    assert_eq!(
        register(&registration(&signed, 29_999)).error()["target"],
        "contract/value"
    );
    let mut marketplace = registration(&signed, 30_000);
    marketplace[0]["value"]["solutionDetails"][0]["marketplaceTransactionDetails"]["isMarketplaceTransacted"] =
        json!(true);
    assert_eq!(register(&marketplace).status, 501);
    assert_eq!(register(&registration(&signed, 30_000)).status, 204);
    assert_eq!(register(&registration(&signed, 30_000)).status, 409);
    let change = |path: &str, value: Value| {
        let body = json!([{"op": "replace", "path": format!("/registrations/0{path}"), "value": value}]);
        desk.write(Method::PATCH, &twice, &[], &body).status.as_u16()
    };
    assert_eq!(change("/contract/value", json!(31_000)), 204);
    assert_eq!(change("/contract/term", json!("Eternal")), 400);
    assert_eq!(change("/contract/currency", json!("EUR")), 400);
    let stored = desk.stored(&id);
    assert_eq!(stored["registrationStatus"], "ReviewPending");
    assert_eq!(stored["registrations"][0]["contract"]["value"], 31_000);
    assert_eq!(stored["substatus"], "Won");
}
