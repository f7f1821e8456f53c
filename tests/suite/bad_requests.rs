//! Bad requests to each simulator: the vendor's error and nothing else, no panic, and a refusal by name for what is not
//! simulated.

use bytes::Bytes;
use cosell_sim::fault::{Fate, Target, Targeted};
use cosell_sim::site::Site;
use cosell_sim::world::{World, WorldSettings};
use http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};

const PC: &str = "https://api.partner.microsoft.com/v1.0/engagements/referrals";
const SF: &str = "https://contoso.my.salesforce.com/services/data/v60.0";
const DV: &str = "https://contoso.crm.dynamics.com/api/data/v9.2";

fn world() -> World {
    World::new(WorldSettings {
        crm: vec![Site::Salesforce, Site::Dataverse],
        ..WorldSettings::default()
    })
}

struct Bad {
    method: Method,
    url: String,
    content_type: &'static str,
    body: Bytes,
}

fn post(url: &str, content_type: &'static str, body: impl Into<Bytes>) -> Bad {
    Bad {
        method: Method::POST,
        url: url.to_owned(),
        content_type,
        body: body.into(),
    }
}

fn send(world: &mut World, who: &str, bad: &Bad) -> Response<Bytes> {
    let request = Request::builder()
        .method(bad.method.clone())
        .uri(&bad.url)
        .header("content-type", bad.content_type);
    world.ask(who, request.body(bad.body.clone()).expect("a request can be made"))
}

fn json_of(response: &Response<Bytes>) -> Value {
    serde_json::from_slice(response.body()).unwrap_or_default()
}

/// Whether a body is the error shape of its vendor.
fn is_vendors(site: Site, body: &Value) -> bool {
    match site {
        Site::PartnerCenter => body["error"]["code"].is_string() && body["error"]["message"].is_string(),
        Site::Salesforce => body[0]["errorCode"].is_string() && body[0]["message"].is_string(),
        Site::Dataverse => body["error"]["code"].is_string(),
        Site::Entra => body["error"].is_string(),
    }
}

fn sites() -> [(Site, &'static str, String); 3] {
    [
        (Site::PartnerCenter, "partner", PC.to_owned()),
        (Site::Salesforce, "seller", format!("{SF}/sobjects/Opportunity")),
        (Site::Dataverse, "seller", format!("{DV}/opportunities")),
    ]
}

#[test]
fn malformed_json_is_answered_with_the_vendors_400() {
    let mut world = world();
    for (site, who, url) in sites() {
        for body in ["{", "{\"name\": }", "", "nul", "[1,", "\u{0}"] {
            let response = send(&mut world, who, &post(&url, "application/json", body.to_owned()));
            assert_eq!(
                response.status(),
                StatusCode::BAD_REQUEST,
                "{} on {body:?}",
                site.name()
            );
            assert!(
                is_vendors(site, &json_of(&response)),
                "{}: {:?}",
                site.name(),
                response.body()
            );
        }
    }
}

#[test]
fn bytes_that_are_not_utf_8_are_answered_with_the_vendors_400() {
    let mut world = world();
    for (site, who, url) in sites() {
        let body = Bytes::from_static(b"{\"name\": \"\xff\xfe\"}");
        let response = send(&mut world, who, &post(&url, "application/json", body));
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{}", site.name());
    }
}

#[test]
fn a_wrong_content_type_is_refused_by_the_vendors_rules() {
    let mut world = world();
    for (site, who, url) in sites() {
        let response = send(&mut world, who, &post(&url, "text/csv", "a,b"));
        assert!(
            matches!(
                response.status(),
                StatusCode::UNSUPPORTED_MEDIA_TYPE | StatusCode::BAD_REQUEST
            ),
            "{}: {}",
            site.name(),
            response.status()
        );
        assert!(
            is_vendors(site, &json_of(&response)),
            "{}: {:?}",
            site.name(),
            response.body()
        );
    }
}

#[test]
fn a_huge_body_is_refused() {
    let mut world = world();
    for (site, who, url) in sites() {
        let body = format!("{{\"name\": \"{}\"}}", "x".repeat(5 * 1024 * 1024));
        let response = send(&mut world, who, &post(&url, "application/json", body));
        assert!(
            matches!(
                response.status(),
                StatusCode::PAYLOAD_TOO_LARGE | StatusCode::BAD_REQUEST
            ),
            "{}: {}",
            site.name(),
            response.status()
        );
    }
}

#[test]
fn an_unknown_route_is_refused_by_name() {
    let mut world = world();
    for (who, url) in [
        (
            "partner",
            "https://api.partner.microsoft.com/v1.0/engagements/attachments".to_owned(),
        ),
        ("seller", format!("{SF}/appMenu/AppSwitcher")),
        ("seller", format!("{DV}/PublishAllXml")),
    ] {
        let response = send(&mut world, who, &post(&url, "application/json", "{}"));
        assert_eq!(response.status(), StatusCode::NOT_IMPLEMENTED, "{url}");
        let body = json_of(&response);
        assert!(body["notSimulated"]["missing"].is_string(), "{url}: {body}");
        assert!(
            body["notSimulated"]["request"]
                .as_str()
                .is_some_and(|line| line.starts_with("POST ")),
            "{body}"
        );
    }
}

#[test]
fn a_refusal_of_the_catalogue_answers_in_the_place_of_the_org() {
    for code in cosell_sim::salesforce::fault_codes() {
        let mut world = world();
        let answer = cosell_sim::salesforce::fault(code).expect("a known code has an answer");
        let status = answer.status();
        world.add_rule(Box::new(Targeted {
            name: code.to_owned(),
            target: Target {
                site: Some(Site::Salesforce),
                ..Target::default()
            },
            skip: 0,
            times: 1,
            fate: Fate::Answer(answer),
        }));
        let request = Request::get(format!("{SF}/limits")).body(Bytes::new());
        world.send(1, request.expect("a request can be made"));
        while world.step() {}
        let reply = world.take_reply(1).expect("somebody answered");
        assert_eq!(
            (reply.status(), &json_of(&reply)[0]["errorCode"]),
            (status, &json!(code))
        );
    }
}

#[test]
fn a_missing_unknown_or_expired_token_gets_each_vendors_own_401() {
    let mut world = world();
    let authority = world.ground().authority.clone();
    let stale = authority
        .issue("connector", "salesforce", jiff::SignedDuration::ZERO, false, "old-")
        .expect("a token");
    for (site, _, url) in sites() {
        for token in [None, Some("nobody-issued-this"), Some(stale.as_str())] {
            let mut request = Request::builder().method(Method::GET).uri(&url);
            // A header that is there is not replaced; an empty scheme stands for no token at all.
            request = request.header(
                "authorization",
                token.map_or_else(|| "None".to_owned(), |token| format!("Bearer {token}")),
            );
            let response = world.ask("nobody", request.body(Bytes::new()).expect("a request can be made"));
            assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{}", site.name());
            match site {
                Site::Dataverse => {
                    assert!(response.body().is_empty(), "Dataverse says nothing in the body");
                    assert!(response.headers().contains_key("www-authenticate"));
                }
                Site::Salesforce => assert_eq!(json_of(&response)[0]["errorCode"], json!("INVALID_SESSION_ID")),
                Site::PartnerCenter | Site::Entra => assert!(is_vendors(site, &json_of(&response))),
            }
        }
    }
}

#[test]
fn a_filter_of_ten_thousand_parentheses_is_answered_at_once() {
    let mut world = world();
    let deep = format!("{}status eq 'New'{}", "(".repeat(10_000), ")".repeat(10_000));
    let encoded = deep.replace(' ', "%20").replace('\'', "%27");
    for (who, url) in [
        ("partner", format!("{PC}?$filter={encoded}")),
        ("seller", format!("{DV}/opportunities?$filter={encoded}")),
        (
            "seller",
            format!("{SF}/query?q=SELECT%20Id%20FROM%20Opportunity%20WHERE%20{encoded}"),
        ),
    ] {
        let request = Request::builder()
            .method(Method::GET)
            .uri(&url)
            .body(Bytes::new())
            .expect("a request can be made");
        let response = world.ask(who, request);
        assert!(
            response.status().is_client_error(),
            "{}: {}",
            &url[..60],
            response.status()
        );
    }
}

#[test]
fn a_wrong_secret_gets_no_token() {
    let mut world = world();
    let bad = post(
        "https://login.microsoftonline.com/contoso/oauth2/v2.0/token",
        "application/x-www-form-urlencoded",
        "grant_type=client_credentials&client_id=x&client_secret=wrong&scope=https%3A%2F%2Fcontoso.crm.dynamics.com%2F.default",
    );
    let response = send(&mut world, "nobody", &bad);
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(json_of(&response)["error"], "invalid_client");
    let bad = post(
        "https://contoso.my.salesforce.com/services/oauth2/token",
        "application/x-www-form-urlencoded",
        "grant_type=client_credentials&client_id=x&client_secret=wrong",
    );
    let response = send(&mut world, "nobody", &bad);
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert_eq!(json_of(&response)["error"], "invalid_client");
}
