//! `login()` of the SOAP API: `POST /services/Soap/u/60.0` (salesforce.md section 1.4).
//!
//! The body is searched for the elements that a login has, under any prefix.

use axum::response::Response;
use http::{HeaderValue, Method, StatusCode, header};

use super::{is_of_the_org, open_session, with_password};
use crate::identity::Trouble;
use crate::salesforce::error::Problem;
use crate::salesforce::people::username;
use crate::salesforce::state::State;
use crate::salesforce::visit::{Answer, Call};

/// The newest version with `login()` (salesforce.md section 1.4).
const LAST_VERSION: u32 = 64;

/// A fault: its code and words.
type Fault = (&'static str, String);

/// Answers a SOAP call.
pub(crate) fn call(state: &mut State, call: &Call<'_>, version: &str) -> Answer {
    if call.method != Method::POST {
        return Err(Problem::not_simulated("route"));
    }
    let text = String::from_utf8_lossy(call.body);
    let Some(login) = element(&text, "login") else {
        return Err(Problem::not_simulated("SOAP call other than `login` and `undelete`"));
    };
    let number = number(version).ok_or_else(Problem::not_found)?;
    let field = |name: &str| element(login, name).map(unescaped).unwrap_or_default();
    Ok(match signed_in(state, number, &field("username"), &field("password")) {
        Ok(answer) => xml(StatusCode::OK, &answer),
        Err((code, words)) => xml(StatusCode::INTERNAL_SERVER_ERROR, &fault(code, &words)),
    })
}

/// The number of a version as paths name it: `59.0`, `v60.0`.
pub(crate) fn number(version: &str) -> Option<u32> {
    version.trim_start_matches('v').split('.').next()?.parse().ok()
}

/// Assumed: the words for an org that refuses, and for a version without `login()`.
fn signed_in(state: &mut State, version: u32, name: &str, password: &str) -> Result<String, Fault> {
    if version <= 30 || version > LAST_VERSION {
        let words = format!("SOAP API login() is not available in API version {version}.0");
        return Err(("UNSUPPORTED_API_VERSION", words));
    }
    if !state.settings.soap_login {
        let words = "SOAP API login() is disabled by default in this org.".to_owned();
        return Err(("INVALID_OPERATION", words));
    }
    let user = with_password(state, name, password).filter(is_of_the_org);
    let Some(user) = user.filter(|user| user.trouble != Some(Trouble::Disabled)) else {
        let words = "Invalid username, password, security token; or user locked out.".to_owned();
        return Err(("INVALID_LOGIN", words));
    };
    let expired = user.trouble == Some(Trouble::PasswordExpired);
    let author = state.author(&user.name);
    let session = open_session(state, &user.name);
    let base = state.base();
    let short = state.organization.short();
    let seconds = state.settings.session_lifetime.as_secs();
    let (sandbox, organization) = (state.settings.sandbox, state.organization);
    let (id, profile) = (author.id, state.profile_of(&user.name));
    let (mail, shown) = (username(&user.name), escaped(&user.name));
    Ok(format!(
        "<loginResponse><result><metadataServerUrl>{base}/services/Soap/m/{version}.0/{short}</metadataServerUrl>\
         <passwordExpired>{expired}</passwordExpired><sandbox>{sandbox}</sandbox>\
         <serverUrl>{base}/services/Soap/u/{version}.0/{short}</serverUrl><sessionId>{session}</sessionId><userId>{id}</userId>\
         <userInfo><accessibilityMode>false</accessibilityMode><currencySymbol>$</currencySymbol>\
         <organizationId>{organization}</organizationId>\
         <organizationMultiCurrency>{multi}</organizationMultiCurrency><organizationName>Contoso</organizationName>\
         <profileId>{profile}</profileId><roleId/><sessionSecondsValid>{seconds}</sessionSecondsValid>\
         <userDefaultCurrencyIsoCode/><userEmail>{mail}</userEmail><userFullName>{shown}</userFullName><userId>{id}</userId>\
         <userLanguage>en_US</userLanguage><userLocale>en_US</userLocale><userName>{mail}</userName>\
         <userTimeZone>GMT</userTimeZone><userType>Standard</userType><userUiSkin>Theme3</userUiSkin></userInfo></result>\
         </loginResponse>",
        multi = state.settings.schema.multi_currency,
        mail = escaped(&mail),
    ))
}

/// Two clients search the prefix `sf:` literally (salesforce.md section 1.4).
fn fault(code: &str, words: &str) -> String {
    let words = escaped(words);
    format!(
        "<soapenv:Fault><faultcode>{code}</faultcode><faultstring>{code}: {words}</faultstring><detail>\
         <sf:LoginFault xsi:type=\"sf:LoginFault\"><sf:exceptionCode>{code}</sf:exceptionCode>\
         <sf:exceptionMessage>{words}</sf:exceptionMessage></sf:LoginFault></detail></soapenv:Fault>"
    )
}

pub(crate) fn xml(status: StatusCode, body: &str) -> Response {
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope \
         xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns=\"urn:partner.soap.sforce.com\" \
         xmlns:sf=\"urn:fault.partner.soap.sforce.com\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\
         <soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
    );
    let mut response = Response::new(axum::body::Body::from(text));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/xml;charset=UTF-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// What stands between the first start and end of an element of that local name.
pub(crate) fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    next_element(text, name).map(|(inside, _)| inside)
}

/// The same, and what follows the element.
pub(crate) fn next_element<'a>(text: &'a str, name: &str) -> Option<(&'a str, &'a str)> {
    let mut rest = text;
    loop {
        let open = rest.find('<')?;
        let after = &rest[open + 1..];
        let close = after.find('>')?;
        let tag = &after[..close];
        let word = tag.split([' ', '\t', '\r', '\n', '/']).next().unwrap_or_default();
        let local = word.rsplit(':').next().unwrap_or_default();
        let inside = &after[close + 1..];
        if local == name && !tag.starts_with('/') {
            if tag.ends_with('/') {
                return Some(("", inside));
            }
            let end = inside.find(&format!("</{word}"))?;
            return Some((&inside[..end], &inside[end..]));
        }
        rest = inside;
    }
}

pub(crate) fn unescaped(text: &str) -> String {
    let plain = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'");
    plain.replace("&amp;", "&")
}

pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
