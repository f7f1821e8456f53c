//! Checks of Partner Center: sign-in, role, webhook registration, clock, and the quality of what the CRM will get.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

use super::profile::Profile;
use super::reader::{Answer, Reader};
use super::{Check, Question, Trouble};

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
const MPN: Question = Question::new(
    "mpn.matches",
    "the MPN ID of the Partner Center account is the one of the co-sell solutions",
    "Microsoft Learn, Partner Center: co-sell connectors, prerequisites",
    "compare the MPN ID under Account settings with the publisher of the solutions, and name it as `partner-center.mpn-id`",
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

const REGISTRATION: &str = "/webhooks/v1/registration";
const LIST: &str = "/v1.0/engagements/referrals?$top=50";

pub(super) async fn checks(profile: &Profile, reader: Result<Reader, Trouble>, checks: &mut Vec<Check>) {
    let reader = match reader {
        Ok(reader) => reader,
        Err(trouble) => {
            checks.push(SIGN_IN.failed_by(&trouble));
            checks.extend(
                [ROLE, MPN, COUNTRIES, WEBHOOK, CLOCK].map(|question| question.not_checked("nobody is signed in")),
            );
            return;
        }
    };
    match &reader.get(LIST).await {
        Err(trouble) => {
            checks.push(SIGN_IN.failed_by(trouble));
            checks.extend(
                [ROLE, MPN, COUNTRIES, CLOCK].map(|question| question.not_checked("Partner Center did not answer")),
            );
        }
        Ok(answer) => listed(profile, &reader, answer, checks),
    }
    checks.push(match Reader::events(profile).await {
        Ok(events) => webhook(profile, &events).await,
        Err(trouble) => WEBHOOK.failed_by(&trouble),
    });
}

fn listed(profile: &Profile, reader: &Reader, answer: &Answer, checks: &mut Vec<Check>) {
    let refused = reader.refused(LIST, answer);
    checks.push(match answer.status {
        401 => SIGN_IN.failed_by(&refused),
        _ => SIGN_IN.passed(reader.signed_in.clone()),
    });
    let referrals = answer.body["value"].as_array();
    checks.push(match (answer.status, referrals) {
        (200, Some(_)) => ROLE.passed("the list of referrals can be read"),
        (403, _) => ROLE.failed(answer.words()),
        _ => ROLE.not_checked(format!("the list of referrals answered {}", answer.words())),
    });
    checks.push(mpn(profile, referrals.map_or(&[], Vec::as_slice)));
    checks.push(match (answer.status, referrals) {
        (200, Some(referrals)) => quality(referrals),
        (200, None) => COUNTRIES.failed_by(&reader.strange(LIST, answer, "a list of referrals")),
        (401 | 403, _) => COUNTRIES.not_checked(answer.words()),
        _ => COUNTRIES.failed_by(&refused),
    });
    checks.push(clock(answer));
}

/// No request of the referrals API reads the account; its referrals carry the number.
fn mpn(profile: &Profile, referrals: &[Value]) -> Check {
    let seen: BTreeSet<&str> = referrals
        .iter()
        .filter_map(|referral| referral["mpnId"].as_str())
        .collect();
    let told = seen.iter().copied().collect::<Vec<_>>().join(", ");
    match &profile.partner_center.mpn_id {
        _ if seen.is_empty() => MPN.not_checked("no referral is there yet that carries one"),
        None => MPN.not_checked(format!(
            "the referrals carry {told}, and the profile names none to compare with"
        )),
        Some(own) if seen.iter().all(|one| one == own) => MPN.passed(format!("the referrals carry {told}")),
        Some(own) => MPN.failed(format!("the referrals carry {told}, and the profile names {own}")),
    }
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
    let answer = match reader.get(REGISTRATION).await {
        Ok(answer) => answer,
        Err(trouble) => return WEBHOOK.failed_by(&trouble),
    };
    match answer.status {
        200 => {}
        404 => return WEBHOOK.failed("nothing is registered"),
        403 => {
            return WEBHOOK.not_checked(format!(
                "{}: only some roles read registrations (Global admin, Admin agent and others)",
                answer.words()
            ));
        }
        _ => return WEBHOOK.failed_by(&reader.refused(REGISTRATION, &answer)),
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
    fn a_clock_that_is_off_by_more_than_a_minute_is_told() {
        let answer = |date: &str| Answer {
            status: 200,
            headers: [("date".to_owned(), date.to_owned())].into(),
            body: Value::Null,
            received: "1994-11-06T08:50:00Z".parse().unwrap_or_default(),
        };
        let outcome = |date: &str| clock(&answer(date)).outcome;
        assert_eq!(outcome("Sun, 06 Nov 1994 08:49:37 GMT"), super::super::Outcome::Passed);
        assert_eq!(outcome("Sun, 06 Nov 1994 08:48:37 GMT"), super::super::Outcome::Failed);
        assert_eq!(outcome("yesterday"), super::super::Outcome::NotChecked);
    }

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
