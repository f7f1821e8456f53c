//! The endpoints as a client sees them.

use std::time::Duration;

use axum::body::Body;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::FutureExt as _;
use http_body_util::BodyExt as _;
use jiff::SignedDuration;
use tower::ServiceExt as _;

use super::super::{Settings, Trouble, User};
use super::*;
use crate::clock::default_start;

fn footing() -> Footing {
    let clock = Clock::manual(default_start());
    let authority = Authority::new(clock.clone(), Seed(1));
    Footing::new(authority, Bases::default(), clock, Happenings::default(), Seed(1))
}

fn ask_at(footing: &Footing, path: &str, content_type: &str, body: &str) -> (StatusCode, Value) {
    let request = http::Request::post(path)
        .header(header::CONTENT_TYPE, content_type)
        .body(Body::from(body.to_owned()))
        .unwrap();
    let response = router(footing.clone())
        .oneshot(request)
        .now_or_never()
        .unwrap()
        .unwrap();
    let status = response.status();
    let body = response
        .into_body()
        .collect()
        .now_or_never()
        .unwrap()
        .unwrap()
        .to_bytes();
    (status, serde_json::from_slice(&body).unwrap())
}

fn ask(footing: &Footing, body: &str) -> (StatusCode, Value) {
    let form = "application/x-www-form-urlencoded";
    ask_at(footing, "/contoso.example/oauth2/v2.0/token", form, body)
}

#[test]
fn a_refresh_token_gives_a_users_token_for_one_audience() {
    let footing = footing();
    let (status, body) = ask(
        &footing,
        "grant_type=refresh_token&client_id=app&client_secret=secret&refresh_token=refresh-connector\
         &scope=https%3A%2F%2Fapi.partner.microsoft.com%2F.default%20offline_access",
    );
    assert_eq!(status, 200, "{body}");
    assert_eq!(body["expires_in"], 3599);
    assert_eq!(body["refresh_token"], "refresh-connector");
    let mut headers = HeaderMap::new();
    let bearer = format!("Bearer {}", body["access_token"].as_str().unwrap());
    headers.insert(header::AUTHORIZATION, bearer.parse().unwrap());
    let grant = footing.authority.check(&headers, PARTNER_CENTER_AUDIENCE).unwrap();
    assert_eq!((grant.user.name.as_str(), grant.app_only), ("connector", false));
}

#[test]
fn the_first_version_prints_numbers_as_strings() {
    let (status, body) = ask_at(
        &footing(),
        "/contoso.example/oauth2/token",
        "application/x-www-form-urlencoded",
        "grant_type=client_credentials&client_id=app&client_secret=secret\
         &resource=https%3A%2F%2Fcontoso.crm.dynamics.com%2F",
    );
    assert_eq!(status, 200, "{body}");
    assert_eq!(body["expires_in"], "3599");
    assert_eq!(body["resource"], "https://contoso.crm.dynamics.com");
}

#[test]
fn each_wrong_request_has_its_own_code() {
    let footing = footing();
    let client = "grant_type=client_credentials&client_id=app";
    let scope = "scope=https%3A%2F%2Fapi.partner.microsoft.com%2F.default";
    for (body, status, code) in [
        (String::new(), 400, 900_144),
        ("grant_type=client_credentials".to_owned(), 400, 900_144),
        (format!("{client}&{scope}"), 401, 7_000_218),
        (format!("{client}&{scope}&client_secret=wrong"), 401, 7_000_215),
        (format!("{client}&client_secret=secret"), 400, 900_144),
        (format!("{client}&client_secret=secret&scope=nothing"), 400, 70_011),
        (
            format!("{client}&client_secret=secret&scope=https://x.example/.default"),
            400,
            500_011,
        ),
        (format!("grant_type=other&client_id=app&{scope}"), 400, 70_003),
        (
            format!("grant_type=refresh_token&client_id=app&{scope}&refresh_token=x"),
            400,
            70_000,
        ),
        (
            format!("grant_type=password&client_id=app&{scope}&username=nobody&password=password"),
            400,
            50_034,
        ),
        (
            format!("grant_type=password&client_id=app&{scope}&username=partner&password=x"),
            400,
            50_126,
        ),
    ] {
        let (found, answer) = ask(&footing, &body);
        assert_eq!(
            (found.as_u16(), answer["error_codes"][0].as_u64()),
            (status, Some(code)),
            "{body}"
        );
        let description = answer["error_description"].as_str().unwrap();
        assert!(description.starts_with(&format!("AADSTS{code}: ")), "{description}");
    }
}

#[test]
fn a_tenant_that_does_not_exist_and_a_secret_past_its_end_are_refused() {
    let footing = footing();
    let body = format!("grant_type=client_credentials&client_id=app&client_secret=secret&{SCOPE}");
    assert_eq!(ask(&footing, &body).0, 200);
    footing.authority.set(Settings {
        tenants: ["Contoso.example".to_owned()].into(),
        ..Settings::default()
    });
    let at = |tenant: &str| {
        let path = format!("/{tenant}/oauth2/v2.0/token");
        ask_at(&footing, &path, "application/x-www-form-urlencoded", &body)
    };
    for tenant in ["contoso.example", discovery::TENANT, "common"] {
        assert_eq!(at(tenant).0, 200, "{tenant}");
    }
    let refused = at("fabrikam.example");
    assert_eq!(code_of(&refused), (400, Some(90_002)), "{}", refused.1);
    assert_eq!(refused.1["error"], "invalid_request");
    let document = get(&footing, "/fabrikam.example/v2.0/.well-known/openid-configuration");
    assert_eq!(document.status(), 400);
    footing.authority.set(Settings {
        secret_expires: Some(default_start()),
        ..Settings::default()
    });
    assert_eq!(code_of(&at("contoso.example")), (401, Some(7_000_222)));
}

#[test]
fn what_is_not_simulated_is_refused_and_noted() {
    let footing = footing();
    let form = "application/x-www-form-urlencoded";
    let (status, _) = ask_at(&footing, "/contoso.example/oauth2/v2.0/logout", form, "");
    assert_eq!(status, 501);
    assert_eq!(footing.happenings.drain().len(), 1);
}

#[test]
fn no_body_brings_it_down() {
    let footing = footing();
    let mut chance = Seed(9).stream("bodies");
    for _ in 0..500 {
        let length = chance.between(0, 60);
        let body: String = (0..length)
            .map(|_| {
                let words = [
                    "grant_type",
                    "=",
                    "&",
                    "%",
                    "refresh_token",
                    "password",
                    "\u{0}",
                    "ä",
                    "scope",
                    "%2",
                    "+",
                ];
                words[usize::try_from(chance.between(0, 10)).unwrap()]
            })
            .collect();
        let (status, _) = ask(&footing, &body);
        assert!(status.is_client_error() || status == 501, "{body:?}: {status}");
    }
}

const SCOPE: &str = "scope=https%3A%2F%2Fapi.partner.microsoft.com%2F.default";

fn code_of(answer: &(StatusCode, Value)) -> (u16, Option<u64>) {
    (answer.0.as_u16(), answer.1["error_codes"][0].as_u64())
}

fn get(footing: &Footing, path: &str) -> http::Response<bytes::Bytes> {
    let request = http::Request::get(path).body(Body::empty()).unwrap();
    let response = router(footing.clone())
        .oneshot(request)
        .now_or_never()
        .unwrap()
        .unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().now_or_never().unwrap().unwrap().to_bytes();
    http::Response::from_parts(parts, body)
}

/// Types a user code in at the page.
fn decide(footing: &Footing, form: &str) -> StatusCode {
    let request = http::Request::post("/common/oauth2/deviceauth")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(form.to_owned()))
        .unwrap();
    router(footing.clone())
        .oneshot(request)
        .now_or_never()
        .unwrap()
        .unwrap()
        .status()
}

#[test]
fn a_device_waits_until_somebody_types_its_code_in() {
    let footing = footing();
    let form = "application/x-www-form-urlencoded";
    let path = "/contoso.example/oauth2/v2.0/devicecode";
    let asked = format!("client_id=app&{SCOPE}%20offline_access%20openid");
    let (status, device) = ask_at(&footing, path, form, &asked);
    assert_eq!(
        (status.as_u16(), device["interval"].as_u64()),
        (200, Some(5)),
        "{device}"
    );
    let device_code = device["device_code"].as_str().unwrap();
    let user_code = device["user_code"].as_str().unwrap();
    // The two spellings: msal for Python, and msal-node.
    let python = format!(
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&client_id=app&code={device_code}\
         &device_code={device_code}&client_info=1"
    );
    let node = format!("grant_type=device_code&client_id=app&device_code={device_code}&scope=openid");
    assert_eq!(code_of(&ask(&footing, &python)), (400, Some(70_016)));
    let pending = ask(&footing, &node);
    assert_eq!(pending.1["error"], "authorization_pending");
    assert_eq!(decide(&footing, &format!("user_code={user_code}&username=nobody")), 400);
    assert_eq!(decide(&footing, "user_code=WRONG&username=partner"), 400);
    let code = user_code.to_lowercase();
    assert_eq!(decide(&footing, &format!("user_code={code}&username=partner")), 200);
    let (status, tokens) = ask(&footing, &python);
    assert_eq!(status, 200, "{tokens}");
    let claims = tokens["id_token"].as_str().unwrap().split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    assert_eq!((&claims["aud"], &claims["name"]), (&json!("app"), &json!("partner")));
    let tenant = claims["tid"].as_str().unwrap();
    assert_eq!(tenant, discovery::TENANT);
    assert_eq!(
        claims["iss"],
        format!("https://login.microsoftonline.com/{tenant}/v2.0")
    );
    assert!(tokens["client_info"].is_string());
    assert_eq!(code_of(&ask(&footing, &node)), (400, Some(54_005)));
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let refresh = format!("grant_type=refresh_token&client_id=app&refresh_token={refresh}&{SCOPE}");
    assert_eq!(ask(&footing, &refresh).0, 200);
    footing
        .clock
        .advance_to(default_start() + SignedDuration::from_hours(91 * 24));
    assert_eq!(code_of(&ask(&footing, &refresh)), (400, Some(70_008)));
}

#[test]
fn a_device_code_can_be_declined_and_runs_out() {
    let footing = footing();
    let device = || {
        let form = "application/x-www-form-urlencoded";
        let body = "client_id=app&resource=https%3A%2F%2Fapi.partner.microsoft.com";
        let (_, device) = ask_at(&footing, "/common/oauth2/devicecode", form, body);
        assert_eq!(device["expires_in"], "900");
        let text = |name: &str| device[name].as_str().unwrap().to_owned();
        (
            text("user_code"),
            format!("grant_type=device_code&client_id=app&code={}", text("device_code")),
        )
    };
    let (user_code, poll) = device();
    assert_eq!(
        decide(
            &footing,
            &format!("user_code={user_code}&username=partner&decision=decline")
        ),
        200
    );
    assert_eq!(ask(&footing, &poll).1["error"], "authorization_declined");
    let (user_code, poll) = device();
    footing.clock.advance_to(default_start() + Duration::from_mins(15));
    assert_eq!(
        decide(&footing, &format!("user_code={user_code}&username=partner")),
        400
    );
    assert_eq!(code_of(&ask(&footing, &poll)), (400, Some(70_020)));
    assert_eq!(
        ask(&footing, "grant_type=device_code&client_id=app&code=x").1["error"],
        "bad_verification_code"
    );
}

#[test]
fn an_authorization_code_is_good_once_for_whom_it_was_made() {
    let footing = footing();
    let path = format!(
        "/contoso.example/oauth2/v2.0/authorize?client_id=app&response_type=code&state=a%26b&{SCOPE}\
         &redirect_uri=http%3A%2F%2Flocalhost%3A1%2Fback&code_challenge_method=S256\
         &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    );
    let page = get(&footing, &path);
    let page = String::from_utf8_lossy(page.body()).into_owned();
    assert!(page.contains("login_hint=partner"), "{page}");
    let posted = get(&footing, &format!("{path}&response_mode=form_post&login_hint=partner"));
    let posted = String::from_utf8_lossy(posted.body()).into_owned();
    assert!(
        posted.contains("action=\"http://localhost:1/back\"") && posted.contains("name=\"state\" value=\"a&amp;b\""),
        "{posted}"
    );
    let fragment = get(&footing, &format!("{path}&response_mode=fragment&login_hint=partner"));
    assert_eq!(fragment.status(), 501);
    let redirected = get(&footing, &format!("{path}&login_hint=partner%40contoso.example"));
    assert_eq!(redirected.status(), 302);
    let location = redirected.headers()["location"].to_str().unwrap();
    let query = location.strip_prefix("http://localhost:1/back?code=").unwrap();
    let code = query.strip_suffix("&state=a%26b").unwrap();
    // The verifier of RFC 7636, appendix B.
    let redeem = |client: &str, verifier: &str, back: &str| {
        let body = format!(
            "grant_type=authorization_code&client_id={client}&client_secret=secret&code={code}&{SCOPE}\
             &code_verifier={verifier}&redirect_uri=http%3A%2F%2Flocalhost%3A1%2F{back}"
        );
        ask(&footing, &body)
    };
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    assert_eq!(code_of(&redeem("other", verifier, "back")), (400, Some(70_000)));
    assert_eq!(code_of(&redeem("app", verifier, "elsewhere")), (400, Some(500_112)));
    assert_eq!(code_of(&redeem("app", "wrong", "back")), (400, Some(501_481)));
    let (status, tokens) = redeem("app", verifier, "back");
    assert_eq!(status, 200, "{tokens}");
    assert!(tokens["refresh_token"].is_null(), "offline_access was not asked for");
    assert_eq!(code_of(&redeem("app", verifier, "back")), (400, Some(54_005)));
}

#[test]
fn one_factor_is_not_enough_for_partner_center_unless_switched_off() {
    let footing = footing();
    let dataverse = "scope=https%3A%2F%2Fcontoso.crm.dynamics.com%2F.default%20offline_access";
    let password = |scope: &str| {
        ask(
            &footing,
            &format!("grant_type=password&client_id=app&username=connector&password=password&{scope}"),
        )
    };
    assert_eq!(code_of(&password(SCOPE)), (400, Some(50_076)));
    let (status, tokens) = password(dataverse);
    assert_eq!(status, 200, "{tokens}");
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let refresh = format!("grant_type=refresh_token&client_id=app&refresh_token={refresh}&{SCOPE}");
    assert_eq!(code_of(&ask(&footing, &refresh)), (400, Some(50_076)));
    // A service account has one factor even at a page.
    let second_factor = false;
    footing.authority.set_user(User {
        second_factor,
        ..footing.authority.user("connector").unwrap()
    });
    let seeded = format!("grant_type=refresh_token&client_id=app&refresh_token=refresh-connector&{SCOPE}");
    assert_eq!(code_of(&ask(&footing, &seeded)), (400, Some(50_076)));
    footing.authority.set(Settings {
        second_factor_required: false,
        ..Settings::default()
    });
    assert_eq!(ask(&footing, &refresh).0, 200);
    assert_eq!(ask(&footing, &seeded).0, 200);
}

#[test]
fn a_connection_breaks_and_is_repaired() {
    let footing = footing();
    let refresh = format!("grant_type=refresh_token&client_id=app&refresh_token=refresh-connector&{SCOPE}");
    let mut headers = HeaderMap::new();
    let bearer = format!("Bearer {}", ask(&footing, &refresh).1["access_token"].as_str().unwrap());
    headers.insert(header::AUTHORIZATION, bearer.parse().unwrap());
    let connector = footing.authority.user("connector").unwrap();
    for (trouble, code) in [(Trouble::PasswordExpired, 50_055), (Trouble::Disabled, 50_057)] {
        footing.authority.set_user(User {
            trouble: Some(trouble),
            ..connector.clone()
        });
        assert_eq!(code_of(&ask(&footing, &refresh)), (400, Some(code)));
    }
    assert!(footing.authority.check(&headers, PARTNER_CENTER_AUDIENCE).is_ok());
    footing.authority.sign_in_again("connector");
    footing.authority.revoke_all("connector");
    assert_eq!(code_of(&ask(&footing, &refresh)), (400, Some(50_173)));
    assert!(footing.authority.check(&headers, PARTNER_CENTER_AUDIENCE).is_err());
    footing.authority.sign_in_again("connector");
    assert_eq!(ask(&footing, &refresh).0, 200);
}

#[test]
fn a_tokens_life_is_a_setting_and_passes_on_the_clock() {
    let footing = footing();
    let token_lifetime = SignedDuration::from_secs(60);
    footing.authority.set(Settings {
        token_lifetime,
        ..Settings::default()
    });
    let refresh = format!("grant_type=refresh_token&client_id=app&refresh_token=refresh-connector&{SCOPE}");
    let (_, tokens) = ask(&footing, &refresh);
    assert_eq!(tokens["expires_in"], 60);
    let mut headers = HeaderMap::new();
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    headers.insert(header::AUTHORIZATION, bearer.parse().unwrap());
    footing.clock.advance_to(default_start() + Duration::from_secs(59));
    assert!(footing.authority.check(&headers, PARTNER_CENTER_AUDIENCE).is_ok());
    footing.clock.advance_to(default_start() + Duration::from_mins(1));
    let fault = footing.authority.check(&headers, PARTNER_CENTER_AUDIENCE).unwrap_err();
    assert_eq!(fault, super::super::TokenFault::Expired);
}

#[test]
fn clients_find_everything_by_discovery() {
    let footing = footing();
    let json_of = |path: &str| -> Value { serde_json::from_slice(get(&footing, path).body()).unwrap() };
    let document = json_of("/contoso.example/v2.0/.well-known/openid-configuration");
    let root = "https://login.microsoftonline.com/contoso.example";
    for (member, value) in [
        ("token_endpoint", "/oauth2/v2.0/token"),
        ("authorization_endpoint", "/oauth2/v2.0/authorize"),
        ("device_authorization_endpoint", "/oauth2/v2.0/devicecode"),
        ("jwks_uri", "/discovery/v2.0/keys"),
    ] {
        assert_eq!(document[member], format!("{root}{value}"));
    }
    let issuer = |named: &str| json_of(&format!("/{named}/v2.0/.well-known/openid-configuration"))["issuer"].clone();
    let tenant = discovery::TENANT;
    let own = format!("https://login.microsoftonline.com/{tenant}/v2.0");
    assert_eq!((issuer("contoso.example"), issuer(tenant)), (json!(own), json!(own)));
    assert_eq!(
        issuer("organizations"),
        "https://login.microsoftonline.com/{tenantid}/v2.0"
    );
    let realm = json_of("/common/userrealm/partner%40contoso.example?api-version=1.0");
    assert_eq!(
        (&realm["account_type"], &realm["domain_name"]),
        (&json!("Managed"), &json!("contoso.example"))
    );
    let first = json_of("/contoso.example/.well-known/openid-configuration");
    assert_eq!(first["token_endpoint"], format!("{root}/oauth2/token"));
    assert_eq!(json_of("/contoso.example/discovery/v2.0/keys"), json!({"keys": []}));
    let instance = json_of(
        "/common/discovery/instance?api-version=1.1&authorization_endpoint=https%3A%2F%2Flogin.microsoftonline.com%2F\
         contoso.example%2Foauth2%2Fv2.0%2Fauthorize",
    );
    assert_eq!(
        instance["tenant_discovery_endpoint"],
        format!("{root}/v2.0/.well-known/openid-configuration")
    );
}

#[test]
fn a_client_may_say_who_it_is_by_basic_authentication() {
    let footing = footing();
    let ask = |secret: &str| {
        let credentials = STANDARD.encode(format!("app:{secret}"));
        let request = http::Request::post("/contoso.example/oauth2/v2.0/token")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::AUTHORIZATION, format!("Basic {credentials}"))
            .body(Body::from(format!("grant_type=client_credentials&{SCOPE}")))
            .unwrap();
        router(footing.clone())
            .oneshot(request)
            .now_or_never()
            .unwrap()
            .unwrap()
            .status()
    };
    assert_eq!(ask("secret"), 200);
    assert_eq!(ask("wrong"), 401);
}
