//! The samples of the documents, sent as they stand (partner-center.md sections 2.3 and 2.5).

use super::*;

/// The POST request of the documents, whole.
const REQUEST: &str = include_str!("create_request.json");
/// The answer that the documents print for it.
const ANSWER: &str = include_str!("create_answer.json");
/// A real answer of 2022 with its values replaced.
const REAL: &str = include_str!("real_answer.json");

#[test]
fn the_documented_create_gives_the_documented_answer() {
    let desk = Desk::with(Settings {
        organization: Organization {
            id: "7d23e5ca-19dc-4eaa-aac8-5e6b559f0d1d".to_owned(),
            name: "Contoso Company".to_owned(),
            mpn_id: "1234567".to_owned(),
        },
        // The sample's closing date is in 2018.
        closing_date_may_be_past: true,
        ..Settings::default()
    });
    let request: Value = serde_json::from_str(REQUEST).unwrap();
    let answer = desk.created(&request);
    let documented: Value = serde_json::from_str(ANSWER).unwrap();
    let mut differences = Vec::new();
    compare("", &documented, &answer, &mut differences);
    assert_eq!(
        differences,
        [
            // Drawn from the seed and the clock.
            "/id",
            "/engagementId",
            "/createdDateTime",
            "/updatedDateTime",
            "/eTag",
            // The document misspells `engagments` and quotes the guid; real answers do neither.
            "/links/relatedReferrals/uri",
            "/links/self/uri",
        ]
    );
    // The document's answer leaves out the closing date that its request sends; real answers have it.
    assert_eq!(answer["details"]["closingDateTime"], "2018-11-14T00:00:00Z");
    assert!(documented["details"].get("closingDateTime").is_none());
}

/// A desk that takes the closing date of the samples.
fn of_2018() -> Desk {
    Desk::with(Settings {
        closing_date_may_be_past: true,
        ..Settings::default()
    })
}

/// Names what the document prints and the answer has otherwise. The answer may hold more.
fn compare(pointer: &str, documented: &Value, answer: &Value, differences: &mut Vec<String>) {
    match (documented, answer) {
        (Value::Object(fields), Value::Object(_)) => {
            for (name, value) in fields {
                compare(&format!("{pointer}/{name}"), value, &answer[name], differences);
            }
        }
        (Value::Array(entries), Value::Array(found)) if entries.len() == found.len() => {
            for (index, (one, other)) in entries.iter().zip(found).enumerate() {
                compare(&format!("{pointer}/{index}"), one, other, differences);
            }
        }
        _ if documented == answer => {}
        _ => differences.push(pointer.to_owned()),
    }
}

/// Every pointer of a value, in order; of a list, those of its first entry.
fn pointers(pointer: &str, value: &Value, found: &mut Vec<String>) {
    found.push(pointer.to_owned());
    if let Value::Object(fields) = value {
        for (name, value) in fields {
            pointers(&format!("{pointer}/{name}"), value, found);
        }
    }
    if let Value::Array(entries) = value
        && let Some(first) = entries.first()
    {
        pointers(&format!("{pointer}/0"), first, found);
    }
}

#[test]
fn an_answer_has_the_fields_of_a_real_one_in_the_same_order() {
    let desk = of_2018();
    let mut body: Value = serde_json::from_str(REQUEST).unwrap();
    body["customerProfile"]["ids"] = json!([{"profileType": "Duns", "id": "000000000"}]);
    body["details"]["requirements"]["industries"] = json!([]);
    body["details"]["requirements"]["products"] = json!([]);
    body["details"]["requirements"]["services"] = json!([]);
    body["inviteContext"] = json!({});
    let answer = desk.created(&body);
    let real: Value = serde_json::from_str(REAL).unwrap();
    let (mut expected, mut found) = (Vec::new(), Vec::new());
    pointers("", &real, &mut expected);
    pointers("", &answer, &mut found);
    assert_eq!(found, expected);
    let etag = text(&answer["eTag"]);
    assert_eq!((etag.len(), &etag[..1], &etag[37..]), (38, "\"", "\""));
    assert_eq!(
        text(&answer["createdDateTime"]).len(),
        text(&real["createdDateTime"]).len()
    );
}

#[test]
fn the_documented_patches_are_accepted() {
    let desk = of_2018();
    let request: Value = serde_json::from_str(REQUEST).unwrap();
    let id = text(&desk.created(&request)["id"]);
    let member = json!({"email": "jane.doe@contoso.com", "firstName": "Jane", "lastName": "Doe",
                        "phoneNumber": "0000000001"});
    let patches = [
        (
            true,
            json!([{"op": "replace", "path": "/details/dealValue", "value": "10000"},
                      {"op": "add", "path": "/team/-", "value": member}]),
        ),
        (
            false,
            json!([{"op": "replace", "path": "/details/dealValue", "value": "10000"},
                       {"op": "replace", "path": "/details/notes", "value": "Lorem ipsum dolor sit amet."}]),
        ),
        (true, json!([{"op": "add", "path": "/team/-", "value": member}])),
        (
            false,
            json!([{"op": "replace", "path": "/status", "value": "Closed"},
                       {"op": "replace", "path": "/substatus", "value": "Won"}]),
        ),
    ];
    for (representation, body) in patches {
        let prefer: &[(&str, &str)] = if representation {
            &[("prefer", "return=representation")]
        } else {
            &[]
        };
        let answer = desk.write(Method::PATCH, &one(&id), prefer, &body);
        assert_eq!(answer.status, if representation { 200 } else { 204 }, "{}", answer.text);
    }
    let stored = desk.stored(&id);
    assert_eq!(stored["details"]["dealValue"], 10000);
    assert_eq!(stored["team"].as_array().unwrap().len(), 3);
}

#[test]
fn the_documented_list_requests_are_answered() {
    let desk = Desk::new();
    for query in [
        "$top=10&$filter=(type eq 'Shared' and direction eq 'Incoming')&$orderby=createdDateTime desc",
        "$top=10&$filter=(direction eq 'Incoming' and substatus eq 'Pending')&$orderby=createdDateTime desc",
        "$filter=status eq 'Active' and direction eq 'Outgoing' and type eq 'Shared' and team/any(t:t/email eq 'r2d2@contoso.com')&$orderby=createdDateTime desc",
    ] {
        let answer = desk.get(&format!("{REFERRALS}?{}", query.replace(' ', "%20")));
        assert_eq!(answer.status, 200, "{query}: {}", answer.text);
        let fields: Vec<String> = answer.json().as_object().unwrap().keys().cloned().collect();
        assert_eq!(fields, ["@odata.context", "@odata.count", "value"]);
    }
}
