//! Tokens: how each is asked for, and how long it may be used.
//!
//! Entra ID v2 (dataverse.md section 1.1, partner-center.md section 7) and Salesforce OAuth (salesforce.md section 1.1).
//! Keeping tokens is the business of the jobs.

use bytes::Bytes;
use http::HeaderValue;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{Ask, Unreadable, json, percent};
use crate::contract::System;
use crate::deal::canon;
use crate::settings::{CrmSettings, Settings};

/// How much of a token's life is left unused, so that it does not expire on its way.
const MARGIN: SignedDuration = SignedDuration::from_mins(2);

/// What a token is for. Each has a token of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Audience {
    /// The referrals API.
    PartnerCenter,
    /// The webhook registration API.
    PartnerCenterEvents,
    /// The CRM.
    Crm,
}

impl Audience {
    /// The system that takes the token.
    pub fn system(self) -> System {
        match self {
            Self::PartnerCenter => System::PartnerCenter,
            Self::PartnerCenterEvents => System::PartnerCenterEvents,
            Self::Crm => System::Crm,
        }
    }
}

/// A token and the end of its use.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// The token itself, as `Authorization` carries it.
    pub authorization: HeaderValue,
    /// When it is replaced.
    pub until: Timestamp,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "token until {}", self.until)
    }
}

/// Where a token is asked for, and the request.
pub fn token_request(settings: &Settings, audience: Audience) -> (System, Ask) {
    let partner_center = &settings.partner_center;
    let (user_scope, crm) = match audience {
        Audience::PartnerCenter => (&partner_center.api_audience, None),
        Audience::PartnerCenterEvents => (&partner_center.events_audience, None),
        Audience::Crm => (&partner_center.api_audience, Some(&settings.crm)),
    };
    match crm {
        Some(CrmSettings::Salesforce(salesforce)) => {
            let fields = [
                ("grant_type", "client_credentials"),
                ("client_id", salesforce.client_id.as_str()),
                ("client_secret", salesforce.client_secret.expose()),
            ];
            let url = format!("{}/services/oauth2/token", salesforce.org);
            (System::Crm, Ask::form(url, &fields))
        }
        Some(CrmSettings::Dataverse(dataverse)) => {
            let scope = format!("{}/.default", dataverse.org);
            let fields = [
                ("grant_type", "client_credentials"),
                ("client_id", dataverse.client_id.as_str()),
                ("client_secret", dataverse.client_secret.expose()),
                ("scope", scope.as_str()),
            ];
            (
                System::Entra,
                Ask::form(entra(&dataverse.login, &dataverse.tenant), &fields),
            )
        }
        None => {
            let scope = format!("{user_scope}/.default");
            let fields = [
                ("grant_type", "refresh_token"),
                ("client_id", partner_center.client_id.as_str()),
                ("client_secret", partner_center.client_secret.expose()),
                ("refresh_token", partner_center.refresh_token.expose()),
                ("scope", scope.as_str()),
            ];
            (
                System::Entra,
                Ask::form(entra(&partner_center.login, &partner_center.tenant), &fields),
            )
        }
    }
}

fn entra(login: &str, tenant: &str) -> String {
    format!("{login}/{}/oauth2/v2.0/token", percent(tenant))
}

/// What a refusal says about the connection, in words that a person can act on (partner-center.md section 7, salesforce.md
/// section 1.1). `text` is the error as the vendor prints it.
pub fn state(status: u16, text: &str) -> &'static str {
    let has = |codes: &[&str]| codes.iter().any(|code| text.contains(code));
    if has(&["AADSTS50055", "password"]) {
        "the password has expired or was changed"
    } else if has(&["AADSTS65001", "AADSTS50173", "consent"]) {
        "the consent was revoked"
    } else if has(&[
        "AADSTS70008",
        "AADSTS700082",
        "AADSTS70043",
        "expired access/refresh token",
    ]) {
        "the refresh token has expired"
    } else if has(&["AADSTS7000215", "AADSTS7000222", "invalid_client"]) {
        "the application's secret is wrong or has expired"
    } else if has(&["AADSTS50076", "AADSTS50079", "AADSTS50158"]) {
        "the user must sign in with a second factor"
    } else if has(&["AADSTS50057", "inactive user", "AADSTS50034"]) {
        "the user does not exist or is switched off"
    } else if has(&["invalid_grant"]) {
        "the connection must be made again"
    } else if status == 403 {
        "a role is missing"
    } else {
        "the sign-in is refused"
    }
}

/// The token in a reply of status 200. The life is a number in v2 and a text in v1; Salesforce prints none.
pub fn read_token(settings: &Settings, body: &Bytes, now: Timestamp) -> Result<Token, Unreadable> {
    let reply = json(body)?;
    let text = reply
        .get("access_token")
        .and_then(Value::as_str)
        .ok_or_else(|| Unreadable::missing("access_token"))?;
    let printed = match reply.get("expires_in") {
        Some(Value::Number(seconds)) => seconds.as_i64(),
        Some(Value::String(seconds)) => seconds.parse().ok(),
        _ => None,
    };
    let life = match (printed, &settings.crm) {
        (Some(seconds), _) => SignedDuration::from_secs(seconds.clamp(0, 86_400)),
        (None, CrmSettings::Salesforce(salesforce)) => salesforce.session,
        (None, CrmSettings::Dataverse(_)) => SignedDuration::from_mins(30),
    };
    let used = if life > MARGIN * 2 { life - MARGIN } else { life };
    let authorization = HeaderValue::try_from(format!("Bearer {text}"));
    let mut authorization = authorization.map_err(|_| Unreadable::missing("access_token"))?;
    authorization.set_sensitive(true);
    Ok(Token {
        authorization,
        until: canon::after(now, used),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{DataverseSettings, PartnerCenterSettings, Secret};

    fn settings() -> Settings {
        let partner_center = PartnerCenterSettings::new("contoso", "app", Secret::new("s&s"), Secret::new("r"));
        let crm = DataverseSettings::new("https://contoso.crm.dynamics.com", "contoso", "app", Secret::new("s"));
        Settings::new(partner_center, CrmSettings::Dataverse(crm))
    }

    #[test]
    fn each_audience_has_a_request_of_its_own() {
        let body = |audience| {
            let (system, ask) = token_request(&settings(), audience);
            assert_eq!(system, System::Entra);
            let request = ask.into_request(None).unwrap();
            assert_eq!(
                request.uri(),
                "https://login.microsoftonline.com/contoso/oauth2/v2.0/token"
            );
            String::from_utf8(request.into_body().to_vec()).unwrap()
        };
        assert_eq!(
            body(Audience::PartnerCenter),
            "grant_type=refresh_token&client_id=app&client_secret=s%26s&refresh_token=r\
             &scope=https%3A%2F%2Fapi.partner.microsoft.com%2F.default"
        );
        assert!(body(Audience::PartnerCenterEvents).ends_with("partnercenter.microsoft.com%2F.default"));
        assert!(body(Audience::Crm).starts_with("grant_type=client_credentials"));
    }

    #[test]
    fn a_refused_sign_in_says_what_a_person_can_do() {
        for (status, text, expected) in [
            (
                400,
                "invalid_grant: AADSTS50055: the password is expired",
                "the password has expired or was changed",
            ),
            (400, "invalid_grant: AADSTS65001: no consent", "the consent was revoked"),
            (
                400,
                "invalid_grant: AADSTS700082: inactive",
                "the refresh token has expired",
            ),
            (
                401,
                "invalid_client: AADSTS7000215",
                "the application's secret is wrong or has expired",
            ),
            (
                400,
                "invalid_grant: authentication failure",
                "the connection must be made again",
            ),
            (403, "Access denied", "a role is missing"),
        ] {
            assert_eq!(state(status, text), expected, "{text}");
        }
    }

    #[test]
    fn the_life_of_a_token_is_a_number_or_a_text() {
        let now = Timestamp::UNIX_EPOCH;
        for body in [
            r#"{"access_token":"t","expires_in":3600}"#,
            r#"{"access_token":"t","expires_in":"3600"}"#,
        ] {
            let token = read_token(&settings(), &Bytes::from(body), now).unwrap();
            assert_eq!(token.until.as_second(), 3480);
            assert_eq!(format!("{token:?}"), "token until 1970-01-01T00:58:00Z");
        }
        assert!(read_token(&settings(), &Bytes::from("{}"), now).is_err());
    }
}
