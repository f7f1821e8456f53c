//! The kinds of call that a connector makes, told apart by what stands on the wire.

#![expect(clippy::wildcard_enum_match_arm, reason = "each kind of call is told by few others")]

use cosell_sim::site::Site;

use crate::scenario::Crm;
use crate::scenario::act::Call;
use crate::scenario::words::CALLS;

/// The words for a kind of call, as scenario files write them.
pub fn name(call: Call) -> &'static str {
    CALLS
        .iter()
        .find(|(_, known)| *known == call)
        .map_or("any", |(name, _)| name)
}

/// Path and query of an absolute URL.
pub fn path_of(url: &str) -> &str {
    let path = &url[host_of(url).len()..];
    if path.is_empty() { "/" } else { path }
}

/// Scheme and host of an absolute URL. Every call of a run is looked at several times: bytes are compared, no pattern is built.
pub fn host_of(url: &str) -> &str {
    let bytes = url.as_bytes();
    let scheme = memchr::memchr(b':', bytes).filter(|at| bytes[at + 1..].starts_with(b"//"));
    let start = scheme.map_or(0, |at| at + 3);
    memchr::memchr(b'/', &bytes[start..]).map_or(url, |end| &url[..start + end])
}

/// The path alone, without host and query.
pub fn path_alone(url: &str) -> &str {
    let path = path_of(url);
    memchr::memchr(b'?', path.as_bytes()).map_or(path, |end| &path[..end])
}

/// What a path names behind one of its parts, if it has the part: `/opportunities(` is followed by an identifier.
pub fn named_after<'a>(path: &'a str, part: &str) -> Option<&'a str> {
    let at = memchr::memmem::find(path.as_bytes(), part.as_bytes())?;
    let rest = &path[at + part.len()..];
    let end = rest.bytes().position(|byte| matches!(byte, b'/' | b')' | b'?'));
    Some(end.map_or(rest, |end| &rest[..end])).filter(|id| !id.is_empty())
}

/// Whether a request of the connector is a call of that kind. The path holds the query, too.
pub fn is(call: Call, crm: Crm, (site, method, path, body): (Site, &str, &str, &[u8])) -> bool {
    let referrals = site == Site::PartnerCenter && path.contains("/engagements/");
    let one_referral = referrals && path.contains("/referrals/");
    let written = matches!(method, "PATCH" | "PUT");
    match call {
        Call::Any => true,
        Call::SignIn => path.contains("/oauth2/"),
        Call::RegisterWebhook => site == Site::PartnerCenter && path.contains("/webhooks/"),
        Call::CreateReferral => referrals && method == "POST",
        Call::UpdateReferral => one_referral && written,
        Call::ReadReferral => one_referral && method == "GET",
        Call::ListReferrals => referrals && !one_referral && method == "GET",
        other => site == crm.site() && in_crm(other, crm, method, path, body),
    }
}

/// Whether an opportunity is made by its referral's identifier.
fn is_upsert(crm: Crm, method: &str, path: &str) -> bool {
    crm == Crm::Salesforce && method == "PATCH" && path.contains("/sobjects/Opportunity/Referral_Identifier__c/")
}

fn in_crm(call: Call, crm: Crm, method: &str, path: &str, body: &[u8]) -> bool {
    let (list, one) = match crm {
        Crm::Salesforce => ("/sobjects/Opportunity", "/sobjects/Opportunity/"),
        Crm::Dynamics => ("/opportunities", "/opportunities("),
    };
    let created = |salesforce: &str, dynamics: &str| {
        let end = if crm == Crm::Salesforce { salesforce } else { dynamics };
        method == "POST"
            && path
                .trim_end_matches('/')
                .split('?')
                .next()
                .is_some_and(|path| path.ends_with(end))
    };
    match call {
        Call::CreateOpportunity => created(list, list) || is_upsert(crm, method, path),
        Call::CreateAccount => created("/sobjects/Account", "/accounts"),
        Call::CreateContact => created("/sobjects/Contact", "/contacts"),
        Call::UpdateOpportunity => method == "PATCH" && path.contains(one) && !is_upsert(crm, method, path),
        Call::ReadOpportunity => method == "GET" && path.contains(one),
        Call::ListOpportunities if crm == Crm::Dynamics => {
            method == "GET" && path.contains(list) && !path.contains(one)
        }
        Call::ListOpportunities => {
            let path = path.replace("%20", "+");
            method == "GET" && path.contains("FROM+Opportunity+WHERE")
        }
        Call::CloseOpportunity if crm == Crm::Dynamics => {
            method == "POST" && (path.ends_with("/WinOpportunity") || path.ends_with("/LoseOpportunity"))
        }
        // Salesforce has no action of its own: a deal is closed by its stage.
        Call::CloseOpportunity => {
            method == "PATCH" && path.contains(one) && String::from_utf8_lossy(body).contains("\"Closed ")
        }
        _ => false,
    }
}
