//! POST, PATCH and PUT: what they store, answer and note.

use super::*;

#[test]
fn a_created_deal_is_active_and_accepted_and_is_read_back_with_its_context() {
    let desk = Desk::new();
    let created = desk.created(&deal("One"));
    assert_eq!(
        (&created["status"], &created["substatus"]),
        (&json!("Active"), &json!("Accepted"))
    );
    assert_eq!(created["acceptedDateTime"], created["createdDateTime"]);
    let answer = desk.get(&one(&text(&created["id"])));
    let mut read = answer.json();
    assert_eq!(answer.headers["etag"], read["eTag"].as_str().unwrap());
    assert_eq!(answer.headers["request-id"].len(), 36);
    let context = read.as_object_mut().unwrap().shift_remove("@odata.context").unwrap();
    assert_eq!(
        context,
        "https://api.partner.microsoft.com/v1.0/$metadata#Referrals/$entity"
    );
    assert_eq!(read, created);
    let commits = desk.commits();
    assert_eq!(
        (commits.len(), commits[0].kind, commits[0].actor.as_str()),
        (1, CommitKind::Created, "connector")
    );
    let value = commits[0]
        .changes
        .iter()
        .find(|change| change.field == "/details/dealValue")
        .unwrap();
    assert_eq!((&value.before, &value.after), (&Value::Null, &json!(10000)));
    assert!(commits[0].changes.iter().all(|change| !change.after.is_null()));
}

#[test]
fn a_repeated_create_makes_a_second_referral() {
    let desk = Desk::new();
    assert_ne!(desk.created(&deal("One"))["id"], desk.created(&deal("One"))["id"]);
    assert_eq!(desk.it.rows().len(), 2);
}

#[test]
fn a_patch_answers_204_or_the_changed_referral_and_notes_what_changed() {
    let desk = Desk::new();
    let id = text(&desk.created(&deal("One"))["id"]);
    desk.wait(SignedDuration::from_mins(1));
    desk.commits();
    let body = json!([
        {"op": "replace", "path": "/details/dealValue", "value": "20000"},
        {"op": "replace", "path": "/details/notes", "value": "first"},
        {"op": "add", "path": "/team/-", "value": {"email": "jane.doe@contoso.com", "firstName": "Jane",
                                                   "lastName": "Doe", "phoneNumber": "0000000001"}},
    ]);
    let plain = desk.patch(&id, &body);
    assert_eq!((plain.status.as_u16(), plain.text.as_str()), (204, ""));
    let commit = &desk.commits()[0];
    let fields: Vec<&str> = commit.changes.iter().map(|change| change.field.as_str()).collect();
    assert_eq!(fields, ["/details/dealValue", "/team"]);
    assert_eq!(
        (&commit.changes[0].before, &commit.changes[0].after),
        (&json!(10000), &json!(20000))
    );

    let answer = desk.write(
        Method::PATCH,
        &one(&id),
        &[("prefer", "return=representation")],
        &json!([]),
    );
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["details"]["dealValue"], 20000);
    assert_eq!(answer.json()["team"][0]["firstName"], "Jane");
    assert!(answer.json().get("@odata.context").is_none());
    let commit = &desk.commits()[0];
    assert!(
        commit.changes.is_empty(),
        "a write that changes nothing is a write: {commit:?}"
    );
}

#[test]
fn a_stale_etag_gives_the_real_412_and_a_current_one_passes() {
    let desk = Desk::new();
    let created = desk.created(&deal("One"));
    let (id, etag) = (text(&created["id"]), text(&created["eTag"]));
    let body = json!([{"op": "replace", "path": "/details/dealValue", "value": 1}]);
    let first = desk.write(Method::PATCH, &one(&id), &[("if-match", &etag)], &body);
    assert_eq!(first.status, 204, "{}", first.text);
    let stale = desk.write(Method::PATCH, &one(&id), &[("if-match", &etag)], &body);
    assert_eq!(stale.status, 412);
    assert_eq!(
        stale.json(),
        json!({"error": {
            "code": "preconditionFailed",
            "message": "A precondition provided in the request (such as an if-match header) does not match the resource's current state.",
            "target": "ETag",
            "innerError": {
                "code": "99918",
                "message": "One of the specified pre-condition is not met. Etag value did not Match",
                "details": null,
            },
        }})
    );
    let unquoted = desk.stored(&id)["eTag"].as_str().unwrap().trim_matches('"').to_owned();
    let answer = desk.write(Method::PATCH, &one(&id), &[("if-match", &unquoted)], &body);
    assert_eq!(answer.status, 412);
}

#[test]
fn a_refused_patch_changes_nothing_at_all() {
    let desk = Desk::new();
    let id = text(&desk.created(&deal("One"))["id"]);
    let before = desk.stored(&id);
    desk.commits();
    let answer = desk.patch(
        &id,
        &json!([
            {"op": "replace", "path": "/details/dealValue", "value": 5},
            {"op": "replace", "path": "/name", "value": "Other"},
        ]),
    );
    assert_eq!(
        (answer.status.as_u16(), answer.error()["target"].clone()),
        (400, json!("/name"))
    );
    assert_eq!(desk.stored(&id), before);
    assert!(desk.commits().is_empty());
}

#[test]
fn a_closed_deal_takes_no_more_writes() {
    let desk = Desk::new();
    let id = text(&desk.created(&deal("One"))["id"]);
    let close = json!([
        {"op": "replace", "path": "/details/dealValue", "value": 7},
        {"op": "replace", "path": "/status", "value": "Closed"},
        {"op": "replace", "path": "/substatus", "value": "Won"},
    ]);
    assert_eq!(desk.patch(&id, &close).status, 204);
    let stored = desk.stored(&id);
    assert_eq!(
        (&stored["substatus"], &stored["details"]["dealValue"]),
        (&json!("Won"), &json!(7))
    );
    assert!(stored["closedDateTime"].is_string());
    let late = desk.patch(
        &id,
        &json!([{"op": "replace", "path": "/details/notes", "value": "late"}]),
    );
    assert_eq!(
        (late.status.as_u16(), late.error()["code"].clone()),
        (400, json!("invalidRequest"))
    );
}

#[test]
fn status_and_substatus_go_together_and_never_back() {
    let desk = Desk::new();
    let id = text(&desk.created(&deal("One"))["id"]);
    for body in [
        json!([{"op": "replace", "path": "/status", "value": "Closed"}]),
        json!([{"op": "replace", "path": "/substatus", "value": "Won"}]),
        json!([{"op": "replace", "path": "/status", "value": "New"}, {"op": "replace", "path": "/substatus", "value": "Pending"}]),
        json!([{"op": "replace", "path": "/status", "value": "Active"}, {"op": "replace", "path": "/substatus", "value": "Won"}]),
        json!([{"op": "replace", "path": "/status", "value": "Closed"}, {"op": "replace", "path": "/substatus", "value": "Engaged"}]),
        json!([{"op": "replace", "path": "/status", "value": "Closed"}, {"op": "replace", "path": "/substatus", "value": "Expired"}]),
    ] {
        assert_eq!(desk.patch(&id, &body).status, 400, "{body}");
    }
}

#[test]
fn sharing_with_microsoft_and_asking_for_help_cannot_be_undone() {
    let desk = Desk::new();
    let created = desk.created(&deal("One"));
    let id = text(&created["id"]);
    let path = "/consent/consentToShareReferralWithMicrosoftSellers";
    let answer = desk.patch(&id, &json!([{"op": "replace", "path": path, "value": false}]));
    assert_eq!(answer.status, 400);
    let mut body = created.clone();
    body.as_object_mut().unwrap().shift_remove("links");
    body["inviteContext"]["assistanceRequestCode"] = json!("Unknown");
    let answer = desk.write(Method::PUT, &one(&id), &[("if-match", "*")], &body);
    assert_eq!(answer.status, 400, "{}", answer.text);
}

#[test]
fn a_put_changes_the_name_and_what_is_asked_of_microsoft() {
    let desk = Desk::new();
    let mut body = deal("One");
    body["inviteContext"] = json!({});
    body["type"] = json!("Independent");
    let id = text(&desk.created(&body)["id"]);
    desk.commits();
    let mut body = desk.stored(&id);
    let etag = text(&body["eTag"]);
    body.as_object_mut().unwrap().shift_remove("links");
    body["name"] = json!("Two");
    body["inviteContext"]["assistanceRequestCode"] = json!("QuotesOrLicensing");
    body["details"]["closingDateTime"] = json!("2026-06-30T00:00:00.0000000Z");
    body["details"]["dealValue"] = json!(10000.0);
    let answer = desk.write(Method::PUT, &one(&id), &[("if-match", &etag)], &body);
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json()["name"], "Two");
    let commits = desk.commits();
    let fields: Vec<&str> = commits[0].changes.iter().map(|change| change.field.as_str()).collect();
    assert_eq!(fields, ["/name", "/inviteContext/assistanceRequestCode"]);
}

#[test]
fn a_put_needs_if_match_no_links_and_no_change_of_what_is_read_only() {
    let desk = Desk::new();
    let id = text(&desk.created(&deal("One"))["id"]);
    let whole = desk.stored(&id);
    let mut body = whole.clone();
    body.as_object_mut().unwrap().shift_remove("links");
    let put =
        |body: &Value, headers: &[(&str, &str)]| desk.write(Method::PUT, &one(&id), headers, body).status.as_u16();
    assert_eq!(put(&body, &[]), 412);
    assert_eq!(put(&whole, &[("if-match", "*")]), 400);
    for (pointer, value, status) in [
        ("/customerProfile/address/country", json!("DE"), 400),
        ("/id", json!("other"), 400),
        ("/details", Value::Null, 400),
        ("/eTag", json!("\"other\""), 412),
    ] {
        let mut changed = body.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        assert_eq!(put(&changed, &[("if-match", "*")]), status, "{pointer}");
    }
    body["unknown"] = json!(1);
    assert_eq!(put(&body, &[("if-match", "*")]), 501);
    assert_eq!(desk.refusals()[0].missing, "body field `/unknown` in referral");
}

#[test]
fn microsofts_referral_is_made_by_the_second_post_and_is_read_only() {
    let desk = Desk::new();
    let own = desk.created(&deal("One"));
    let microsofts = desk.created(&invitation("One", &own["engagementId"]));
    assert_eq!(microsofts["engagementId"], own["engagementId"]);
    assert_eq!(
        (&microsofts["status"], &microsofts["substatus"]),
        (&json!("New"), &json!("Pending"))
    );
    assert_eq!(microsofts["organizationId"], "msft");
    assert_eq!(microsofts["expirationDateTime"], "2026-01-19T09:00:00Z");
    let again = desk.post(&invitation("One", &own["engagementId"]));
    assert_eq!(again.status, 409, "{}", again.text);
    let answer = desk.patch(&text(&microsofts["id"]), &json!([]));
    assert_eq!(answer.status, 403);
}

#[test]
fn links_follow_the_base_url() {
    let desk = Desk::new();
    let id = text(&desk.created(&deal("One"))["id"]);
    desk.stored(&id);
    desk.ground.bases.set(Site::PartnerCenter, "http://127.0.0.1:4000");
    let stored = desk.stored(&id);
    assert_eq!(
        stored["links"]["self"]["uri"],
        format!("http://127.0.0.1:4000{}", one(&id))
    );
    assert_eq!(
        stored["@odata.context"],
        "http://127.0.0.1:4000/v1.0/$metadata#Referrals/$entity"
    );
}

#[test]
fn a_put_moves_a_state_of_which_one_half_stays() {
    let desk = Desk::new();
    let id = desk.shared(from_microsoft("a"));
    let mut body = desk.stored(&id);
    body.as_object_mut().unwrap().shift_remove("links");
    body["substatus"] = json!("Received");
    let answer = desk.write(Method::PUT, &one(&id), &[("if-match", "*")], &body);
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json()["substatus"], "Received");
}

/// One random write; gives back nothing: refusals are as good as successes.
fn any_write(desk: &Desk, ids: &mut Vec<String>, draw: &mut dyn FnMut(usize) -> usize) {
    let id = ids.get(draw(ids.len().max(1) - 1)).cloned().unwrap_or_default();
    match draw(8) {
        0 => ids.push(text(&desk.created(&deal("own"))["id"])),
        1 => ids.push(desk.shared(from_microsoft("shared"))),
        2 => {
            if let Some(engagement) = desk.get(&one(&id)).json().get("engagementId") {
                desk.post(&invitation("microsofts", engagement));
            }
        }
        3 => {
            let (status, substatus) = [("Active", "Accepted"), ("Closed", "Won"), ("Closed", "Declined")][draw(2)];
            desk.patch(
                &id,
                &json!([{"op": "replace", "path": "/status", "value": status},
                        {"op": "replace", "path": "/substatus", "value": substatus}]),
            );
        }
        4 => drop(desk.it.microsoft(MicrosoftAct::Accept { engagement: id })),
        5 => {
            desk.wait(SignedDuration::from_hours(24 * i64::try_from(draw(4)).unwrap()));
            desk.it.run_due(desk.ground.clock.now());
        }
        _ => drop(desk.patch(
            &id,
            &json!([{"op": "replace", "path": "/details/dealValue", "value": draw(9)}]),
        )),
    }
}

#[test]
fn whatever_happens_rows_lists_and_commits_agree_and_closed_stays_closed() {
    for seed in 0..40 {
        let desk = Desk::with(Settings {
            list_shows_related: true,
            page_size: 3,
            ..Settings::default()
        });
        let mut chance = Seed(seed).stream("writes");
        let mut draw = |most: usize| usize::try_from(chance.between(0, most as u64)).unwrap();
        let mut ids = Vec::new();
        let mut closed = std::collections::BTreeMap::new();
        for _ in 0..60 {
            any_write(&desk, &mut ids, &mut draw);
            for row in desk.it.rows() {
                if row.fields["status"] == "Closed" {
                    let first = closed.entry(row.id).or_insert_with(|| row.fields.clone());
                    assert_eq!(*first, row.fields);
                }
            }
        }
        let rows: Vec<Value> = desk
            .it
            .rows()
            .into_iter()
            .map(|row| Value::Object(row.fields))
            .collect();
        assert_eq!(
            folded(desk.commits()),
            rows.iter()
                .map(|row| (text(&row["id"]), row.clone()))
                .map(business)
                .collect()
        );
        let mut listed = Vec::new();
        let mut next = Some(format!("{REFERRALS}?$orderby=updatedDateTime%20desc"));
        while let Some(path) = next {
            let page = desk.get(&path).json();
            listed.extend(page["value"].as_array().unwrap().clone());
            next = page["@odata.nextLink"]
                .as_str()
                .map(|link| link.split_once(".com").unwrap().1.to_owned());
        }
        assert!(listed.is_sorted_by(|one, other| text(&one["updatedDateTime"]) >= text(&other["updatedDateTime"])));
        listed.sort_by_key(|row| text(&row["id"]));
        assert_eq!(listed, rows);
    }
}

/// The fields that commits report.
const REPORTED: [&str; 6] = [
    "/status",
    "/substatus",
    "/details/dealValue",
    "/acceptedDateTime",
    "/closedDateTime",
    "/name",
];

type Reported = std::collections::BTreeMap<String, Vec<Value>>;

/// What the rows hold, told from the commits alone.
fn folded(commits: Vec<Commit>) -> Reported {
    let mut rows = Reported::new();
    for commit in commits {
        let row = rows
            .entry(commit.id)
            .or_insert_with(|| vec![Value::Null; REPORTED.len()]);
        for change in commit.changes {
            if let Some(index) = REPORTED.iter().position(|pointer| *pointer == change.field) {
                assert_eq!(row[index], change.before, "{}", change.field);
                row[index] = change.after;
            }
        }
    }
    rows
}

fn business((id, row): (String, Value)) -> (String, Vec<Value>) {
    let values = REPORTED
        .iter()
        .map(|pointer| row.pointer(pointer).cloned().unwrap_or_default());
    (id, values.collect())
}
