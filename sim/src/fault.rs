//! Rules that decide the fate of an exchange on its way through the network.
//!
//! It delivers nothing: [`crate::network`] asks the rules, [`crate::world`] carries the fate out. A rule may count, so
//! it is asked exactly once for each exchange and each attempt of a delivery.

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;

use crate::site::Site;

/// Which way an exchange goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExchangeKind {
    /// The connector calls a system.
    Call,
    /// Partner Center delivers a webhook to the connector.
    Delivery,
}

/// What a rule sees of an exchange that is about to leave.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'a> {
    /// The exchange's number, or the delivery's; each kind counts from 1.
    pub number: u64,
    /// The system that is called, or that delivers.
    pub site: Site,
    /// Which way it goes.
    pub kind: ExchangeKind,
    /// The request's method.
    pub method: &'a http::Method,
    /// The request's absolute URL.
    pub uri: &'a http::Uri,
    /// The request's body.
    pub body: &'a [u8],
    /// The event's name, for deliveries only.
    pub event: Option<&'a str>,
    /// When it leaves.
    pub sent: Timestamp,
    /// 1 for calls and for the first attempt of a delivery.
    pub attempt: u32,
}

impl Exchange<'_> {
    /// Path and query as they stand in the request line.
    pub fn path(&self) -> &str {
        self.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str)
    }

    /// Whether the body contains these bytes.
    fn body_contains(&self, text: &str) -> bool {
        text.is_empty() || self.body.windows(text.len()).any(|part| part == text.as_bytes())
    }
}

/// What happens to an exchange.
#[derive(Clone, Debug)]
pub enum Fate {
    /// Nothing special.
    Pass,
    /// The request travels that much longer, so that it may be carried out after its sender gave up.
    Delay(Duration),
    /// The request never arrives.
    LoseRequest,
    /// The request is carried out, and its reply never arrives.
    LoseReply,
    /// The request arrives a second time, that much later. Nobody waits for the second reply.
    Duplicate(Duration),
    /// Something on the way answers; the request never arrives.
    Answer(http::Response<Bytes>),
    /// The request arrives without these fields: keys of its JSON object, or operations of its JSON Patch on these paths.
    /// The system answers as if nothing were missing. A delivery passes.
    Without(Vec<String>),
    /// The request is carried out, and the body of its reply breaks off in the middle. A delivery passes.
    CutReply,
    /// The request is carried out, and in its reply the first row of a list is empty. Any other reply and a delivery pass.
    GarbleRow,
}

/// A list, as `OData` or Salesforce prints it, whose first row is empty. Anything else stays as it is.
pub(crate) fn garbled(body: &Bytes) -> Bytes {
    let Ok(mut document) = serde_json::from_slice::<serde_json::Value>(body) else {
        return body.clone();
    };
    let row = ["/value/0", "/records/0"]
        .into_iter()
        .find(|place| document.pointer(place).is_some())
        .and_then(|place| document.pointer_mut(place));
    let Some(row) = row else {
        return body.clone();
    };
    *row = serde_json::json!({});
    Bytes::from(document.to_string())
}

/// A JSON body without some fields: keys of an object, at any depth that a path with slashes names, or operations of a
/// JSON Patch on such a path. Anything else stays as it is.
pub(crate) fn without(body: &Bytes, fields: &[String]) -> Bytes {
    let Ok(mut document) = serde_json::from_slice::<serde_json::Value>(body) else {
        return body.clone();
    };
    if let Some(operations) = document.as_array_mut() {
        operations.retain(|operation| {
            let path = operation["path"].as_str().unwrap_or_default();
            !fields.iter().any(|field| path.eq_ignore_ascii_case(field))
        });
    } else {
        for field in fields {
            let (parent, key) = field.rsplit_once('/').unwrap_or(("", field));
            if let Some(map) = document.pointer_mut(parent).and_then(serde_json::Value::as_object_mut) {
                map.shift_remove(key);
            }
        }
    }
    Bytes::from(document.to_string())
}

impl Fate {
    /// The fate in the words of a trace: `lose-reply`, `delay 20s`, `answer 429`.
    pub fn words(&self) -> String {
        match self {
            Self::Pass => "pass".to_owned(),
            Self::Delay(by) => format!("delay {by:?}"),
            Self::LoseRequest => "lose-request".to_owned(),
            Self::LoseReply => "lose-reply".to_owned(),
            Self::Duplicate(after) => format!("duplicate {after:?}"),
            Self::Answer(response) => format!("answer {}", response.status().as_u16()),
            Self::Without(fields) => format!("without {}", fields.join(" ")),
            Self::CutReply => "cut-reply".to_owned(),
            Self::GarbleRow => "garble-row".to_owned(),
        }
    }
}

/// Decides the fate of exchanges. The first rule whose answer is not [`Fate::Pass`] wins, in the order of addition;
/// rules behind the winner are not asked.
pub trait Rule {
    /// The name under which a trace reports what the rule decided.
    fn name(&self) -> &str;

    /// The fate of one exchange that is about to leave.
    fn decide(&mut self, exchange: &Exchange<'_>) -> Fate;
}

/// Which exchanges a [`Targeted`] rule is about: each field that is set must match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// The system.
    pub site: Option<Site>,
    /// Calls or deliveries.
    pub kind: Option<ExchangeKind>,
    /// The method, in capitals.
    pub method: Option<String>,
    /// A part of path and query.
    pub path_contains: Option<String>,
    /// The end of the path, query left out.
    pub path_ends: Option<String>,
    /// A part of the body.
    pub body_contains: Option<String>,
    /// What the body must not contain.
    pub body_lacks: Option<String>,
    /// The event's name. Only deliveries have one.
    pub event: Option<String>,
}

impl Target {
    /// Whether an exchange is one of those meant.
    pub fn matches(&self, exchange: &Exchange<'_>) -> bool {
        let is = |wanted: &Option<String>, test: &dyn Fn(&str) -> bool| wanted.as_deref().is_none_or(test);
        self.site.is_none_or(|site| site == exchange.site)
            && self.kind.is_none_or(|kind| kind == exchange.kind)
            && is(&self.method, &|method| method == exchange.method.as_str())
            && is(&self.path_contains, &|part| exchange.path().contains(part))
            && is(&self.path_ends, &|end| exchange.uri.path().ends_with(end))
            && is(&self.event, &|event| exchange.event == Some(event))
            && is(&self.body_contains, &|part| exchange.body_contains(part))
            && is(&self.body_lacks, &|part| !exchange.body_contains(part))
    }
}

/// Gives one fate to a number of matching exchanges.
#[derive(Clone, Debug)]
pub struct Targeted {
    /// The rule's name in traces.
    pub name: String,
    /// Which exchanges it is about.
    pub target: Target,
    /// How many matching exchanges still pass first.
    pub skip: u32,
    /// How many matching exchanges still get the fate.
    pub times: u32,
    /// The fate.
    pub fate: Fate,
}

impl Rule for Targeted {
    fn name(&self) -> &str {
        &self.name
    }

    fn decide(&mut self, exchange: &Exchange<'_>) -> Fate {
        if self.times == 0 || !self.target.matches(exchange) {
            return Fate::Pass;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return Fate::Pass;
        }
        self.times -= 1;
        self.fate.clone()
    }
}

/// Nothing reaches a system for a while, or nothing reaches the connector, or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outage {
    /// The rule's name in traces.
    pub name: String,
    /// The system that cannot be reached. `None` cuts no system off.
    pub site: Option<Site>,
    /// The first moment of the outage.
    pub from: Timestamp,
    /// The first moment after it.
    pub until: Timestamp,
    /// Whether webhook deliveries are lost too.
    pub hooks: bool,
}

impl Rule for Outage {
    fn name(&self) -> &str {
        &self.name
    }

    fn decide(&mut self, exchange: &Exchange<'_>) -> Fate {
        let cut = match exchange.kind {
            ExchangeKind::Call => self.site == Some(exchange.site),
            ExchangeKind::Delivery => self.hooks,
        };
        if cut && self.from <= exchange.sent && exchange.sent < self.until {
            Fate::LoseRequest
        } else {
            Fate::Pass
        }
    }
}

/// Holds back every other matching exchange, so that the later of each pair overtakes the earlier when it follows soon.
#[derive(Clone, Debug)]
pub struct Reordered {
    /// The rule's name in traces.
    pub name: String,
    /// Which exchanges it is about.
    pub target: Target,
    /// How many pairs are still to come.
    pub pairs: u32,
    /// How long the earlier of a pair is held back.
    pub hold: Duration,
    /// Whether the next matching exchange is the later of a pair. False at the start.
    pub halfway: bool,
}

impl Rule for Reordered {
    fn name(&self) -> &str {
        &self.name
    }

    fn decide(&mut self, exchange: &Exchange<'_>) -> Fate {
        if self.pairs == 0 || !self.target.matches(exchange) {
            return Fate::Pass;
        }
        self.halfway = !self.halfway;
        if self.halfway {
            return Fate::Delay(self.hold);
        }
        self.pairs -= 1;
        Fate::Pass
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::default_start;

    fn call<'a>(number: u64, method: &'a http::Method, uri: &'a http::Uri, body: &'a [u8]) -> Exchange<'a> {
        Exchange {
            number,
            site: Site::Salesforce,
            kind: ExchangeKind::Call,
            method,
            uri,
            body,
            event: None,
            sent: default_start(),
            attempt: 1,
        }
    }

    #[test]
    fn a_targeted_rule_skips_then_strikes_then_rests() {
        let uri: http::Uri = "https://contoso.my.salesforce.com/services/data/v60.0/sobjects/Opportunity?x=1"
            .parse()
            .unwrap();
        let mut rule = Targeted {
            name: "lose reply".to_owned(),
            target: Target {
                method: Some("POST".to_owned()),
                path_ends: Some("/Opportunity".to_owned()),
                body_contains: Some("StageName".to_owned()),
                body_lacks: Some("Closed".to_owned()),
                ..Target::default()
            },
            skip: 1,
            times: 1,
            fate: Fate::LoseReply,
        };
        let body = br#"{"StageName":"On Hold"}"#;
        let fates: Vec<String> = (1..=4)
            .map(|number| rule.decide(&call(number, &http::Method::POST, &uri, body)).words())
            .collect();
        assert_eq!(fates, ["pass", "lose-reply", "pass", "pass"]);
        rule.times = 9;
        assert_eq!(rule.decide(&call(5, &http::Method::GET, &uri, body)).words(), "pass");
        assert_eq!(
            rule.decide(&call(6, &http::Method::POST, &uri, b"StageName Closed"))
                .words(),
            "pass"
        );
    }

    #[test]
    fn a_field_is_taken_out_of_an_object_or_a_patch_and_nothing_else() {
        let take = |body: &'static str, field: &str| {
            let body = without(&Bytes::from_static(body.as_bytes()), &[field.to_owned()]);
            String::from_utf8(body.to_vec()).unwrap()
        };
        assert_eq!(take(r#"{"Name":"a","Amount":5}"#, "Amount"), r#"{"Name":"a"}"#);
        assert_eq!(
            take(r#"{"details":{"dealValue":5,"notes":"n"}}"#, "/details/dealValue"),
            r#"{"details":{"notes":"n"}}"#
        );
        assert_eq!(
            take(
                r#"[{"path":"/details/notes"},{"path":"/details/dealValue"}]"#,
                "/details/dealValue"
            ),
            r#"[{"path":"/details/notes"}]"#
        );
        assert_eq!(take("no json", "Amount"), "no json");
    }

    #[test]
    fn an_outage_cuts_its_own_system_in_its_own_time_only() {
        let uri: http::Uri = "https://contoso.my.salesforce.com/".parse().unwrap();
        let method = http::Method::GET;
        let mut rule = Outage {
            name: "crm disconnected".to_owned(),
            site: Some(Site::Salesforce),
            from: default_start(),
            until: default_start() + Duration::from_mins(1),
            hooks: false,
        };
        let mut exchange = call(1, &method, &uri, b"");
        assert_eq!(rule.decide(&exchange).words(), "lose-request");
        exchange.site = Site::PartnerCenter;
        assert_eq!(rule.decide(&exchange).words(), "pass");
        exchange.kind = ExchangeKind::Delivery;
        assert_eq!(rule.decide(&exchange).words(), "pass");
        let mut late = call(2, &method, &uri, b"");
        late.sent = rule.until;
        assert_eq!(rule.decide(&late).words(), "pass");
    }

    #[test]
    fn reordering_holds_back_the_first_of_each_pair() {
        let uri: http::Uri = "https://contoso.my.salesforce.com/".parse().unwrap();
        let mut rule = Reordered {
            name: "reorder".to_owned(),
            target: Target::default(),
            pairs: 2,
            hold: Duration::from_secs(10),
            halfway: false,
        };
        let fates: Vec<String> = (1..=6)
            .map(|number| rule.decide(&call(number, &http::Method::GET, &uri, b"")).words())
            .collect();
        assert_eq!(fates, ["delay 10s", "pass", "delay 10s", "pass", "pass", "pass"]);
    }
}
