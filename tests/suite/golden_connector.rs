//! The documented samples, from the connector's side: it decodes what Partner Center prints.
//!
//! The samples are data in `tests/golden`; the simulator's side stands in another file and shares no code with this one.

use bytes::Bytes;
use cosell_connector::deal::{Ending, Field, ReferralState};
use cosell_connector::settings::{PartnerCenterSettings, Secret};
use cosell_connector::system::partner_center;
use jiff::tz::Offset;
use serde_json::Value;

fn sample(name: &str) -> Bytes {
    let path = format!("{}/golden/{name}.json", env!("CARGO_MANIFEST_DIR"));
    Bytes::from(std::fs::read(path).expect("a golden file can be read"))
}

/// A sample with one value replaced.
fn sample_with(name: &str, pointer: &str, value: Value) -> Bytes {
    let mut whole: Value = serde_json::from_slice(&sample(name)).expect("it is JSON");
    *whole.pointer_mut(pointer).expect("the sample has that field") = value;
    Bytes::from(whole.to_string())
}

#[test]
fn a_real_answer_is_decoded_with_its_quirks() {
    let referral = partner_center::read_referral(&sample("referral-real"), Offset::UTC).expect("it can be decoded");
    assert_eq!(referral.id.as_str(), "00000000-0000-4000-8000-00000000a001");
    assert_eq!(
        referral.etag, "\"69007a1e-0000-0800-0000-6217f4ce0000\"",
        "the quote marks are part of the tag"
    );
    assert_eq!(referral.state, ReferralState::Active);
    assert_eq!(
        referral.values.get(Field::Name),
        Some("Discover Sensitive Data Workshop")
    );
    assert_eq!(referral.values.get(Field::Currency), Some("USD"));
    assert_eq!(referral.values.get(Field::ClosingDate), Some("2022-03-04"));
    assert_eq!(referral.values.get(Field::Notes), None, "null is nothing");
    assert_eq!(referral.external, None, "an empty text names nobody");
    assert!(!referral.is_microsofts);
}

#[test]
fn amounts_are_decoded_whether_they_are_numbers_or_text() {
    let number = partner_center::read_referral(&sample("create-response"), Offset::UTC).expect("it can be decoded");
    let text = sample_with("create-response", "/details/dealValue", Value::from("50000"));
    let text = partner_center::read_referral(&text, Offset::UTC).expect("it can be decoded");
    assert!(number.values.get(Field::Value).is_some());
    assert_eq!(number.values.get(Field::Value), text.values.get(Field::Value));
}

#[test]
fn a_closing_moment_is_a_day_in_the_configured_zone() {
    let late = sample_with(
        "referral-real",
        "/details/closingDateTime",
        Value::from("2022-03-24T18:30:00Z"),
    );
    let utc = partner_center::read_referral(&late, Offset::UTC).expect("it can be decoded");
    assert_eq!(utc.values.get(Field::ClosingDate), Some("2022-03-24"));
    let india = Offset::from_seconds(5 * 3600 + 1800).expect("an offset");
    let india = partner_center::read_referral(&late, india).expect("it can be decoded");
    assert_eq!(india.values.get(Field::ClosingDate), Some("2022-03-25"));
}

#[test]
fn every_documented_ending_is_understood() {
    for (substatus, ending) in [
        ("Won", Ending::Won),
        ("Lost", Ending::Lost),
        ("Declined", Ending::Lost),
        ("Expired", Ending::Lost),
        ("Error", Ending::Lost),
    ] {
        let mut whole: Value = serde_json::from_slice(&sample("referral-real")).expect("it is JSON");
        whole["status"] = Value::from("Closed");
        whole["substatus"] = Value::from(substatus);
        let body = Bytes::from(whole.to_string());
        let referral = partner_center::read_referral(&body, Offset::UTC).expect("it can be decoded");
        assert_eq!(referral.state, ReferralState::Closed(ending), "{substatus}");
    }
}

#[test]
fn a_documented_list_is_decoded_and_its_link_is_followed_on_the_configured_host() {
    let settings = PartnerCenterSettings::new("tenant", "client", Secret::new("s"), Secret::new("r"));
    let page = partner_center::read_page(&settings, &sample("list-response"), Offset::UTC).expect("it can be decoded");
    assert_eq!(page.rows.len(), 1);
    let row = page.rows[0].as_ref().expect("the row can be decoded");
    assert_eq!(row.state, ReferralState::New);
    let next = page.next.expect("there is a next page");
    assert!(next.starts_with("https://api.partner.microsoft.com/"), "{next}");
    assert!(next.ends_with("$skiptoken=k181pEdP0ykypkieJfcxX"), "{next}");
}

#[test]
fn a_documented_webhook_names_its_referral() {
    let id = "c5fbb3b6-be74-4795-9fb5-4324c73fed37";
    let uri = format!("https://api.partnercenter.microsoft.com/engagements/v1/referrals/{id}");
    let event = partner_center::read_hook(&sample_with("webhook", "/ResourceUri", Value::from(uri)));
    let event = event.expect("it can be decoded").expect("it is about a referral");
    assert_eq!(event.referral.as_str(), id);
    assert!(!event.related);
}
