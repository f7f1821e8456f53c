//! The token endpoint: `POST /services/oauth2/token` (salesforce.md section 1.1).
//!
//! It issues tokens; whether a token is still worth something is asked of the authority with each call.

use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::{HeaderMap, StatusCode, header};
use ring::hmac;
use serde_json::{Map, Value, json};

use super::error::JSON;
use super::form;
use super::state::State;
use crate::identity::{Role, SALESFORCE_AUDIENCE, Trouble, User};
use crate::reply::json_reply;
use crate::site::Site;

/// The JWT bearer grant.
mod assertion;
/// The sign-in page and its codes.
pub(crate) mod code;
/// What a session tells about itself, and its end.
pub(crate) mod session;
/// `login()` of the SOAP API.
pub(crate) mod soap;

/// What every connected application's secret is here.
const SECRET: &str = "secret";
/// What every user's password is here. A security token may follow it.
const PASSWORD: &str = "password";
/// The JWT bearer grant.
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// An error of the token endpoint: its code and description.
type Fault = (&'static str, &'static str);

/// Answers a token request.
pub(crate) fn token(state: &mut State, headers: &HeaderMap, body: &[u8]) -> Response {
    let form = str::from_utf8(body).ok().and_then(form::pairs).unwrap_or_default();
    let grant = form::value(&form, "grant_type").unwrap_or_default();
    let answer = signed_in(state, headers, grant, &form).map(|(user, scope)| {
        let mut answer = issue(state, &user.name, grant, &scope);
        if grant == "authorization_code" {
            let refresh = state
                .ground
                .authority
                .issue_refresh_token(&user.name, user.second_factor);
            answer.insert("refresh_token".to_owned(), Value::from(refresh));
        }
        Value::Object(answer)
    });
    match answer {
        Ok(body) => json_reply(StatusCode::OK, JSON, &body),
        Err(fault) => refused(fault),
    }
}

/// `{"error","error_description"}` with status 400.
fn refused((error, description): Fault) -> Response {
    let body = json!({"error": error, "error_description": description});
    json_reply(StatusCode::BAD_REQUEST, JSON, &body)
}

/// Who signs in, and for which scope.
fn signed_in(
    state: &mut State,
    headers: &HeaderMap,
    grant: &str,
    form: &[(String, String)],
) -> Result<(User, String), Fault> {
    let field = |name: &str| form::value(form, name).unwrap_or_default();
    match grant {
        JWT_BEARER => return assertion::signed_in(state, field("assertion")).map(|user| (user, "api".to_owned())),
        "client_credentials" | "password" | "refresh_token" | "authorization_code" => {}
        _ => return Err(("unsupported_grant_type", "grant type not supported")),
    }
    let (id, secret) = client(headers, form);
    if id.is_empty() {
        return Err(("invalid_client_id", "client identifier invalid"));
    }
    // A public client proves itself by the code's verifier instead.
    let public = grant == "authorization_code" && secret.is_empty() && !field("code_verifier").is_empty();
    if secret != SECRET && !public {
        return Err(("invalid_client", "invalid client credentials"));
    }
    if grant == "authorization_code" {
        return code::redeemed(state, &id, form);
    }
    let authority = &state.ground.authority;
    let (user, otherwise) = match grant {
        "client_credentials" => (authority.user("connector"), "authentication failure"),
        "refresh_token" => {
            let user = authority.user_of_refresh_token(field("refresh_token"));
            (user, "expired access/refresh token")
        }
        _ => (
            with_password(state, field("username"), field("password")),
            "authentication failure",
        ),
    };
    let user = user.filter(is_of_the_org).ok_or(("invalid_grant", otherwise))?;
    check_trouble(&user)?;
    Ok((user, "api".to_owned()))
}

/// The client's identifier and secret, from Basic authentication or from the form.
fn client(headers: &HeaderMap, form: &[(String, String)]) -> (String, String) {
    let field = |name: &str| form::value(form, name).unwrap_or_default().to_owned();
    basic(headers).unwrap_or_else(|| (field("client_id"), field("client_secret")))
}

/// The user of that name and password, which a security token may follow.
fn with_password(state: &State, username: &str, password: &str) -> Option<User> {
    let name = username.split('@').next().unwrap_or_default();
    let user = state.ground.authority.user(name)?;
    password.starts_with(PASSWORD).then_some(user)
}

/// Assumed: the descriptions, and that a password that is too old is told as a wrong one.
fn check_trouble(user: &User) -> Result<(), Fault> {
    match user.trouble {
        Some(Trouble::Disabled) => Err(("inactive_user", "user is inactive")),
        Some(Trouble::PasswordExpired) => Err(("invalid_grant", "authentication failure")),
        None => Ok(()),
    }
}

/// Somebody without any role in the CRM has no user in the org.
fn is_of_the_org(user: &User) -> bool {
    let roles = [Role::SystemAdministrator, Role::SystemCustomizer, Role::Salesperson];
    roles.iter().any(|role| user.roles.contains(role))
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let (scheme, encoded) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(BASE64.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

/// A new session: an access token of the org.
fn open_session(state: &State, user: &str) -> String {
    let prefix = format!("{}!", state.organization.short());
    let lifetime = state.settings.session_lifetime;
    let authority = &state.ground.authority;
    let token = authority.issue(user, SALESFORCE_AUDIENCE, lifetime, false, &prefix);
    token.unwrap_or_default()
}

/// The whole set of members always, since some clients insist on one or the other (salesforce.md section 1.1).
fn issue(state: &mut State, user: &str, grant: &str, scope: &str) -> Map<String, Value> {
    let author = state.author(user);
    let token = open_session(state, user);
    let ground = &state.ground;
    let base = ground.bases.of(Site::Salesforce);
    let id = format!("{base}/id/{}/{}", state.organization, author.id);
    let issued_at = ground.clock.now().as_millisecond().to_string();
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let signature = BASE64.encode(hmac::sign(&key, format!("{id}{issued_at}").as_bytes()));
    let mut body = Map::new();
    let mut put = |name: &str, value: String| body.insert(name.to_owned(), Value::String(value));
    put("access_token", token);
    put("signature", signature);
    put("scope", scope.to_owned());
    put("instance_url", base.clone());
    put("id", id);
    put("token_type", "Bearer".to_owned());
    put("issued_at", issued_at);
    if grant == "client_credentials" {
        put("api_instance_url", base);
    }
    body
}

#[cfg(test)]
mod tests {
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
        let claims = format!(
            "{{\"iss\":\"key\",\"sub\":\"connector@contoso.example\",\"aud\":\"{audience}\",\"exp\":{expires}}}"
        );
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
            format!(
                "grant_type=authorization_code&code={code}&client_id={client}&client_secret=secret&redirect_uri={back}"
            )
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
        let request = Request::post(format!("https://contoso.my.salesforce.com/services/Soap/u/{version}"));
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
        for version in ["59.0", "50.0/", "v60.0"] {
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
            let call = Request::get("https://x/services/data/v60.0/limits")
                .header("authorization", format!("Bearer {session}"));
            assert_eq!(trial.raw(call.body(Bytes::new()).unwrap()).status, 200);
        }
        let bad = soap(&trial, "59.0", "wrong");
        assert_eq!(bad.status, 500);
        assert!(
            bad.text.contains("<sf:exceptionCode>INVALID_LOGIN</sf:exceptionCode>"),
            "{}",
            bad.text
        );
        assert!(
            soap(&trial, "65.0", "password")
                .text
                .contains("UNSUPPORTED_API_VERSION")
        );
        let refusing = Trial::with(Settings {
            soap_login: false,
            ..Settings::default()
        });
        assert!(soap(&refusing, "59.0", "password").text.contains("INVALID_OPERATION"));
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
}
