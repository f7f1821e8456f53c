//! The token endpoint: `POST /services/oauth2/token` (salesforce.md section 1.1).
//!
//! It issues tokens; whether a token is still worth something is asked of the authority with each call.

use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::{HeaderMap, StatusCode, header};
use ring::hmac;
use serde_json::{Map, Value, json};

use super::error::{JSON, Problem};
use super::form;
use super::state::State;
use crate::identity::{Role, SALESFORCE_AUDIENCE, User};
use crate::reply::json_reply;
use crate::site::Site;

/// What every connected application's secret is here.
const SECRET: &str = "secret";
/// What every user's password is here. A security token may follow it.
const PASSWORD: &str = "password";

/// An error of the token endpoint: its code and description.
type Fault = (&'static str, &'static str);

/// Answers a token request. The outer error is for grants that are not simulated.
pub(crate) fn token(state: &mut State, headers: &HeaderMap, body: &[u8]) -> Result<Response, Problem> {
    let form = str::from_utf8(body).ok().and_then(form::pairs).unwrap_or_default();
    let grant = form::value(&form, "grant_type").unwrap_or_default();
    if matches!(
        grant,
        "authorization_code" | "urn:ietf:params:oauth:grant-type:jwt-bearer"
    ) {
        return Err(Problem::not_simulated(format!("grant type `{grant}`")));
    }
    let answer = signed_in(state, headers, grant, &form).map(|user| issue(state, &user.name, grant));
    Ok(match answer {
        Ok(body) => json_reply(StatusCode::OK, JSON, &body),
        Err((error, description)) => {
            let body = json!({"error": error, "error_description": description});
            json_reply(StatusCode::BAD_REQUEST, JSON, &body)
        }
    })
}

fn signed_in(state: &State, headers: &HeaderMap, grant: &str, form: &[(String, String)]) -> Result<User, Fault> {
    if !matches!(grant, "client_credentials" | "password" | "refresh_token") {
        return Err(("unsupported_grant_type", "grant type not supported"));
    }
    let basic = basic(headers);
    let field = |name: &str| form::value(form, name).unwrap_or_default();
    let (id, secret) = match &basic {
        Some((id, secret)) => (id.as_str(), secret.as_str()),
        None => (field("client_id"), field("client_secret")),
    };
    if id.is_empty() {
        return Err(("invalid_client_id", "client identifier invalid"));
    }
    if secret != SECRET {
        return Err(("invalid_client", "invalid client credentials"));
    }
    let authority = &state.ground.authority;
    let (user, otherwise) = match grant {
        "client_credentials" => (authority.user("connector"), "authentication failure"),
        "refresh_token" => {
            let user = authority.user_of_refresh_token(field("refresh_token"));
            (user, "expired access/refresh token")
        }
        _ if !field("password").starts_with(PASSWORD) => return Err(("invalid_grant", "authentication failure")),
        _ => {
            let name = field("username").split('@').next().unwrap_or_default();
            (authority.user(name), "authentication failure")
        }
    };
    user.filter(is_of_the_org).ok_or(("invalid_grant", otherwise))
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

/// The whole set of members always, since some clients insist on one or the other (salesforce.md section 1.1).
fn issue(state: &mut State, user: &str, grant: &str) -> Value {
    let author = state.author(user);
    let organization = state.organization;
    let prefix = format!("{}!", organization.short());
    let ground = &state.ground;
    let token = ground
        .authority
        .issue(
            user,
            SALESFORCE_AUDIENCE,
            state.settings.session_lifetime,
            false,
            &prefix,
        )
        .unwrap_or_default();
    let base = ground.bases.of(Site::Salesforce);
    let id = format!("{base}/id/{organization}/{}", author.id);
    let issued_at = ground.clock.now().as_millisecond().to_string();
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let signature = BASE64.encode(hmac::sign(&key, format!("{id}{issued_at}").as_bytes()));
    let mut body = Map::new();
    let mut put = |name: &str, value: String| body.insert(name.to_owned(), Value::String(value));
    put("access_token", token);
    put("signature", signature);
    put("scope", "api".to_owned());
    put("instance_url", base.clone());
    put("id", id);
    put("token_type", "Bearer".to_owned());
    put("issued_at", issued_at);
    if grant == "client_credentials" {
        put("api_instance_url", base);
    }
    Value::Object(body)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Request;

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
        let code = ask(&trial, "grant_type=authorization_code&code=x");
        assert_eq!(code.missing().unwrap(), "grant type `authorization_code`");
    }
}
