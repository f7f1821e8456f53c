//! Sign-in, sessions and their end.

use bytes::Bytes;
use http::Request;
use serde_json::Value;

use crate::salesforce::Settings;
use crate::salesforce::trial::{Reply, Trial};

fn ask(trial: &Trial, body: &str) -> Reply {
    let request = Request::post("https://contoso.my.salesforce.com/services/oauth2/token")
        .header("content-type", "application/x-www-form-urlencoded");
    trial.raw(request.body(Bytes::from(body.to_owned())).unwrap())
}

#[test]
fn each_grant_gives_a_token_that_works() {
    let trial = Trial::new();
    for body in [
        "grant_type=client_credentials&client_id=x&client_secret=secret",
        "grant_type=password&client_id=x&client_secret=secret&username=seller%40contoso.example&password=passwordTOKEN",
        "grant_type=refresh_token&refresh_token=refresh-connector&client_id=x&client_secret=secret",
    ] {
        let reply = ask(&trial, body);
        assert_eq!(reply.status, 200, "{}", reply.text);
        let answer = reply.json();
        for member in [
            "id",
            "issued_at",
            "instance_url",
            "signature",
            "access_token",
            "token_type",
        ] {
            assert!(answer[member].is_string(), "{member}: {answer}");
        }
        let token = answer["access_token"].as_str().unwrap();
        assert!(token.starts_with("00D") && token.as_bytes()[15] == b'!', "{token}");
        let call = Request::get("https://x/services/data/v60.0/query?q=SELECT+Id+FROM+Account");
        let call = call.header("authorization", format!("Bearer {token}"));
        assert_eq!(trial.raw(call.body(Bytes::new()).unwrap()).status, 200);
    }
}

#[test]
fn bad_sign_ins_have_their_errors() {
    let trial = Trial::new();
    for (body, error) in [
        (
            "grant_type=client_credentials&client_secret=secret",
            "invalid_client_id",
        ),
        (
            "grant_type=client_credentials&client_id=x&client_secret=wrong",
            "invalid_client",
        ),
        (
            "grant_type=refresh_token&refresh_token=no&client_id=x&client_secret=secret",
            "invalid_grant",
        ),
        (
            "grant_type=password&client_id=x&client_secret=secret&username=partner&password=password",
            "invalid_grant",
        ),
        (
            "grant_type=password&client_id=x&client_secret=secret&username=seller&password=no",
            "invalid_grant",
        ),
        ("grant_type=magic", "unsupported_grant_type"),
        ("", "unsupported_grant_type"),
        ("%zz=1", "unsupported_grant_type"),
    ] {
        let reply = ask(&trial, body);
        assert_eq!(
            (reply.status.as_u16(), reply.json()["error"].as_str().unwrap()),
            (400, error),
            "{body}"
        );
    }
}

fn claims(audience: &str, expires: &str) -> String {
    use base64::Engine as _;
    let encode = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    let claims =
        format!("{{\"iss\":\"key\",\"sub\":\"connector@contoso.example\",\"aud\":\"{audience}\",\"exp\":{expires}}}");
    let head = encode("{\"alg\":\"RS256\"}");
    let grant = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer";
    format!(
        "grant_type={grant}&assertion={head}.{}.{}",
        encode(&claims),
        encode("signature")
    )
}

#[test]
fn a_signed_statement_signs_its_user_in_until_it_expires() {
    let production = "https://login.salesforce.com";
    // The start of the trial's clock is 1767603600. simple-salesforce sends the time as a text.
    for (audience, expires, error) in [
        (production, "1767603780", None),
        (production, "\"1767603780\"", None),
        ("https://contoso.my.salesforce.com", "1767603780", None),
        (production, "1767603600", Some("assertion has expired")),
        ("https://test.salesforce.com", "1767603780", Some("audience is invalid")),
    ] {
        let reply = ask(&Trial::new(), &claims(audience, expires)).json();
        assert_eq!(reply["error_description"].as_str(), error, "{audience} {expires}");
    }
    let unapproved = Trial::with(Settings {
        application_approved: false,
        ..Settings::default()
    });
    let reply = ask(&unapproved, &claims(production, "1767603780")).json();
    assert_eq!(reply["error_description"], "user hasn't approved this consumer");
    let keyed = Trial::with(Settings {
        application_key: Some(vec![1, 2, 3]),
        sandbox: true,
        ..Settings::default()
    });
    let reply = ask(&keyed, &claims("https://test.salesforce.com", "1767603780")).json();
    assert_eq!(
        reply["error_description"],
        "invalid assertion: signature does not match"
    );
    for broken in ["", "a.b.c", "a", "..."] {
        let body = format!("grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion={broken}");
        assert_eq!(ask(&keyed, &body).json()["error"], "invalid_grant", "{broken}");
    }
}

#[test]
fn a_code_is_worth_a_token_once_and_for_its_client_only() {
    let trial = Trial::new();
    let get = |path: &str| trial.send("GET", path, &Value::Null, &[]);
    let start =
        "/services/oauth2/authorize?response_type=code&client_id=app&redirect_uri=http%3A%2F%2Flocalhost%2Fback";
    let page = get(start);
    assert!(
        page.text.contains("login_hint=seller") && !page.text.contains("login_hint=partner"),
        "{}",
        page.text
    );
    let code = || {
        let sent = get(&format!("{start}&login_hint=seller&state=a%26b"));
        assert_eq!(sent.status, 302);
        let location = sent.headers["location"].to_str().unwrap().to_owned();
        assert!(location.ends_with("&state=a%26b"), "{location}");
        location
            .split("code=")
            .nth(1)
            .unwrap()
            .split('&')
            .next()
            .unwrap()
            .to_owned()
    };
    let body = |code: &str, client: &str, back: &str| {
        format!("grant_type=authorization_code&code={code}&client_id={client}&client_secret=secret&redirect_uri={back}")
    };
    let good = code();
    let reply = ask(&trial, &body(&good, "app", "http%3A%2F%2Flocalhost%2Fback"));
    let refresh = reply.json()["refresh_token"].as_str().unwrap().to_owned();
    let again = ask(
        &trial,
        &format!("grant_type=refresh_token&refresh_token={refresh}&client_id=app&client_secret=secret"),
    );
    assert_eq!((again.status.as_u16(), again.json().get("refresh_token")), (200, None));
    for (code, client, back, error) in [
        (good, "app", "http://localhost/back", "invalid_grant"),
        (code(), "other", "http://localhost/back", "invalid_grant"),
        (code(), "app", "http://localhost/", "redirect_uri_mismatch"),
    ] {
        assert_eq!(ask(&trial, &body(&code, client, back)).json()["error"], error);
    }
    let late = code();
    trial.wait(15 * 60);
    assert_eq!(
        ask(&trial, &body(&late, "app", "http://localhost/back")).json()["error"],
        "invalid_grant"
    );
    assert_eq!(
        get("/services/oauth2/authorize?response_type=code").json()["error"],
        "invalid_client_id"
    );
}

fn soap(trial: &Trial, version: &str, password: &str) -> Reply {
    let body = format!(
        "<se:Envelope><se:Body><n1:login xmlns:n1=\"urn:partner.soap.sforce.com\"><n1:username>seller@contoso.example\
         </n1:username><n1:password>{password}</n1:password></n1:login></se:Body></se:Envelope>"
    );
    let request = Request::post(format!("https://contoso.my.salesforce.com/services/Soap/{version}"));
    trial.raw(
        request
            .header("content-type", "text/xml")
            .body(Bytes::from(body))
            .unwrap(),
    )
}

#[test]
fn soap_login_gives_a_session_or_the_fault_that_clients_search() {
    let trial = Trial::new();
    for version in ["u/59.0", "u/50.0/", "u/v60.0", "c/44.0"] {
        let reply = soap(&trial, version, "passwordTOKEN");
        assert_eq!(reply.status, 200, "{}", reply.text);
        let session = reply
            .text
            .split("<sessionId>")
            .nth(1)
            .unwrap()
            .split('<')
            .next()
            .unwrap();
        assert!(reply.text.contains("/services/Soap/u/") && reply.text.contains("<passwordExpired>false<"));
        let call =
            Request::get("https://x/services/data/v60.0/limits").header("authorization", format!("Bearer {session}"));
        assert_eq!(trial.raw(call.body(Bytes::new()).unwrap()).status, 200);
    }
    let bad = soap(&trial, "u/59.0", "wrong");
    assert_eq!(bad.status, 500);
    assert!(
        bad.text.contains("<sf:exceptionCode>INVALID_LOGIN</sf:exceptionCode>"),
        "{}",
        bad.text
    );
    assert!(
        soap(&trial, "u/65.0", "password")
            .text
            .contains("UNSUPPORTED_API_VERSION")
    );
    let refusing = Trial::with(Settings {
        soap_login: false,
        ..Settings::default()
    });
    assert!(soap(&refusing, "u/59.0", "password").text.contains("INVALID_OPERATION"));
}

#[test]
fn a_session_tells_who_it_is_until_it_is_revoked() {
    let trial = Trial::new();
    let token = ask(&trial, "grant_type=client_credentials&client_id=x&client_secret=secret").json();
    let (token, id) = (token["access_token"].as_str().unwrap(), token["id"].as_str().unwrap());
    let get = |path: &str| {
        let request = Request::get(format!("https://contoso.my.salesforce.com{path}"));
        trial.raw(
            request
                .header("authorization", format!("Bearer {token}"))
                .body(Bytes::new())
                .unwrap(),
        )
    };
    let who = get("/services/oauth2/userinfo").json();
    assert_eq!(who["preferred_username"], "connector@contoso.example");
    assert_eq!(who["sub"], id);
    let path = id.strip_prefix("https://contoso.my.salesforce.com").unwrap();
    let plain = Request::get(format!("{id}?format=json&oauth_token={token}"))
        .body(Bytes::new())
        .unwrap();
    assert_eq!(trial.raw(plain).json()["username"], "connector@contoso.example");
    assert_eq!(get(&format!("{path}x")).status, 403);
    let post = |path: &str, body: String| {
        let request = Request::post(format!("https://contoso.my.salesforce.com/services/oauth2/{path}"));
        trial.raw(request.body(Bytes::from(body)).unwrap())
    };
    let introspect = || post("introspect", format!("token={token}&client_id=x&client_secret=secret")).json();
    assert_eq!(
        (&introspect()["active"], &introspect()["exp"]),
        (&true.into(), &1_767_610_800.into())
    );
    assert_eq!(post("revoke", format!("token={token}")).status, 200);
    assert_eq!(post("revoke", format!("token={token}")).status, 400);
    assert_eq!(introspect()["active"], false);
    let bad = get("/services/oauth2/userinfo");
    assert_eq!((bad.status.as_u16(), bad.text.as_str()), (403, "Bad_OAuth_Token"));
}

#[test]
fn orgs_and_profiles_without_the_api_are_told_so() {
    let org = Trial::with(Settings {
        api_disabled: true,
        ..Settings::default()
    });
    assert_eq!(org.get("/limits").fault(), (403, "API_DISABLED_FOR_ORG".to_owned()));
    let profile = Trial::with(Settings {
        api_disabled_users: ["connector".to_owned()].into_iter().collect(),
        ..Settings::default()
    });
    assert_eq!(
        profile.get("/limits").fault(),
        (403, "API_CURRENTLY_DISABLED".to_owned())
    );
}
