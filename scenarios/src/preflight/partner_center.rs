//! Checks of Partner Center: sign-in, role, webhook registration, clock, and the quality of what the CRM will get.

use jiff::Timestamp;
use serde_json::Value;

use super::profile::Profile;
use super::reader::{Answer, Reader};
use super::{Check, Question};

const SIGN_IN: Question = Question::new(
    "pc.sign-in",
    "the Partner Center connection signs in",
    "Microsoft Learn, Partner Center: co-sell connectors, connections",
    "repair the Partner Center connection: sign in again, or renew the secret",
);
const ROLE: Question = Question::new(
    "pc.role",
    "the user reads referrals: the role Referrals admin",
    "Microsoft Learn, Partner Center: co-sell connectors, prerequisites",
    "give the connection's user the role Referrals admin in Partner Center",
);
const WEBHOOK: Question = Question::new(
    "pc.webhook",
    "the webhook is registered for the four events, at the connector's own URL",
    "Microsoft Learn, page partner-center-webhooks",
    "run the flow Partner Center Webhook Registration, with Overwrite = Yes when another environment owns the registration",
);
const CLOCK: Question = Question::new(
    "clock",
    "this machine's clock agrees with Partner Center's to within a minute",
    "Microsoft Learn, page referral-api-authentication",
    "set this machine's clock: tokens and signatures depend on it",
);
const COUNTRIES: Question = Question::new(
    "pc.referrals",
    "open referrals can be read, and have what an opportunity needs",
    "Microsoft Learn, Partner Center: co-sell connectors, how a deal is synchronized",
    "ask Microsoft's seller, or complete the referral in Partner Center",
);

/// The events that the registration flow registers.
const EVENTS: [&str; 4] = [
    "referral-created",
    "referral-updated",
    "related-referral-created",
    "related-referral-updated",
];

pub(super) async fn checks(profile: &Profile, reader: Result<Reader, String>, checks: &mut Vec<Check>) {
    let reader = match reader {
        Ok(reader) => reader,
        Err(error) => {
            checks.push(SIGN_IN.failed(error));
            checks
                .extend([ROLE, COUNTRIES, WEBHOOK, CLOCK].map(|question| question.not_checked("nobody is signed in")));
            return;
        }
    };
    let first = reader.get("/v1.0/engagements/referrals?$top=50").await;
    match &first {
        Err(error) => {
            checks.push(SIGN_IN.failed(error.clone()));
            checks
                .extend([ROLE, COUNTRIES, CLOCK].map(|question| question.not_checked("Partner Center did not answer")));
        }
        Ok(answer) => listed(&reader, answer, checks),
    }
    checks.push(match Reader::events(profile).await {
        Ok(events) => webhook(profile, &events).await,
        Err(error) => WEBHOOK.not_checked(error),
    });
}

fn listed(reader: &Reader, answer: &Answer, checks: &mut Vec<Check>) {
    checks.push(match answer.status {
        401 => SIGN_IN.failed(answer.words()),
        _ => SIGN_IN.passed(reader.signed_in.clone()),
    });
    checks.push(match answer.status {
        200 => ROLE.passed("the list of referrals can be read"),
        403 => ROLE.failed(answer.words()),
        _ => ROLE.not_checked(answer.words()),
    });
    let referrals = answer.body["value"].as_array();
    checks.push(match referrals {
        Some(referrals) => quality(referrals),
        None => COUNTRIES.not_checked(answer.words()),
    });
    checks.push(clock(answer));
}

fn quality(referrals: &[Value]) -> Check {
    let open: Vec<&Value> = referrals
        .iter()
        .filter(|referral| referral["status"] != "Closed")
        .collect();
    let lacking: Vec<String> = open
        .iter()
        .filter(|referral| {
            let country = referral["customerProfile"]["address"]["country"]
                .as_str()
                .unwrap_or_default();
            !is_country(country) || referral["details"]["closingDateTime"].is_null()
        })
        .map(|referral| referral["id"].as_str().unwrap_or_default().to_owned())
        .collect();
    let seen = format!("{} of the first {} referrals are open", open.len(), referrals.len());
    if lacking.is_empty() {
        COUNTRIES.passed(seen)
    } else {
        COUNTRIES.warning(format!(
            "{seen}; without a two-letter country or a closing date: {}",
            lacking.join(", ")
        ))
    }
}

/// Two upper-case letters, as ISO 3166 has them.
pub(super) fn is_country(code: &str) -> bool {
    code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase())
}

async fn webhook(profile: &Profile, reader: &Reader) -> Check {
    let answer = match reader.get("/webhooks/v1/registration").await {
        Ok(answer) => answer,
        Err(error) => return WEBHOOK.not_checked(error),
    };
    match answer.status {
        200 => {}
        404 => return WEBHOOK.failed("nothing is registered"),
        _ => return WEBHOOK.not_checked(answer.words()),
    }
    let body = &answer.body;
    let url = ["WebhookUrl", "webhookUrl"]
        .iter()
        .find_map(|name| body[*name].as_str())
        .unwrap_or_default();
    let listed = ["WebhookEvents", "webhookEvents"]
        .iter()
        .find_map(|name| body[*name].as_array());
    let events: Vec<&str> = listed.into_iter().flatten().filter_map(Value::as_str).collect();
    let missing: Vec<&str> = EVENTS.into_iter().filter(|event| !events.contains(event)).collect();
    let seen = format!("{} events at {url}", events.len());
    if !missing.is_empty() {
        return WEBHOOK.failed(format!("{seen}; not registered: {}", missing.join(", ")));
    }
    match &profile.partner_center.webhook_url {
        Some(own) if own != url => WEBHOOK.failed(format!(
            "{seen}, and the profile names {own}: another environment owns the events"
        )),
        Some(_) => WEBHOOK.passed(seen),
        None => WEBHOOK.warning(format!("{seen}; the profile names no webhook-url to compare with")),
    }
}

fn clock(answer: &Answer) -> Check {
    let Some(theirs) = answer.headers.get("date").and_then(|date| http_date(date)) else {
        return CLOCK.not_checked("the reply has no Date header");
    };
    let apart = answer.received.duration_since(theirs).as_secs();
    let seen = format!("{} seconds apart", apart.abs());
    if apart.abs() <= 60 {
        CLOCK.passed(seen)
    } else {
        CLOCK.failed(seen)
    }
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`.
fn http_date(text: &str) -> Option<Timestamp> {
    let parsed = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text.replace("GMT", "+0000"));
    parsed.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_replies_and_country_codes_are_read() {
        assert_eq!(
            http_date("Sun, 06 Nov 1994 08:49:37 GMT")
                .map(|at| at.to_string())
                .as_deref(),
            Some("1994-11-06T08:49:37Z")
        );
        assert!(is_country("DE") && !is_country("de") && !is_country("DEU") && !is_country(""));
    }
}
