//! Steps that look: what must be so, at a moment or over a stretch of time.

use super::super::act::{
    Act, Call, Expectation, ExpectedOpportunity, ExpectedReferral, ExpectedStage, Mark, Plain, Wanted, Watch,
};
use super::super::given::Given;
use super::super::words::{CALLS, COUNTED, MARKS};
use super::notes;

/// Fields that are looked for exactly when a plain value is written, and that have no other form.
const FURTHER_IN_CRM: [&str; 6] = ["help", "solutions", "msx id", "customer", "country", "contact"];
const FURTHER_IN_PC: [&str; 8] = [
    "help",
    "solutions",
    "msx id",
    "customer",
    "country",
    "contact",
    "team",
    "reason",
];

/// What must be like something: fields with a matcher, the given ones, and those that are to be empty.
fn further(given: &Given, plain: &[&'static str], own: &[&'static str]) -> Vec<(&'static str, Wanted)> {
    let matched = own
        .iter()
        .filter_map(|key| given.wanted(key).map(|wanted| (*key, wanted)));
    let emptied = ["value", "closes"].into_iter().filter(|key| given.is_none(key));
    let emptied = emptied.map(|key| (key, Wanted::Is(Plain::Text(String::new()))));
    let others = plain
        .iter()
        .filter_map(|key| given.wanted_or_plain(key).map(|wanted| (*key, wanted)));
    matched.chain(emptied).chain(others).collect()
}

pub(in super::super) fn expect_in_crm(given: &Given) -> Option<Act> {
    in_crm(given).map(Act::Expect)
}

pub(in super::super) fn expect_in_pc(given: &Given) -> Option<Act> {
    in_pc(given).map(Act::Expect)
}

pub(in super::super) fn expect_count(given: &Given) -> Option<Act> {
    count(given).map(Act::Expect)
}

pub(in super::super) fn expect_calls(given: &Given) -> Option<Act> {
    calls(given).map(Act::Expect)
}

pub(in super::super) fn expect_decision(given: &Given) -> Option<Act> {
    Some(Act::Expect(Expectation::Decision(given.text("")?)))
}

pub(in super::super) fn within(given: &Given) -> Option<Act> {
    watch(given, Watch::Within(given.duration("time")?))
}

pub(in super::super) fn eventually(given: &Given) -> Option<Act> {
    watch(given, Watch::Eventually)
}

pub(in super::super) fn always(given: &Given) -> Option<Act> {
    watch(given, Watch::Always(given.duration("time")))
}

pub(in super::super) fn never(given: &Given) -> Option<Act> {
    watch(given, Watch::Never(given.duration("time")))
}

/// Exactly one thing to look for; another number is reported with the checks across steps.
fn watch(given: &Given, how: Watch) -> Option<Act> {
    let mut looked_for = given.keys().filter(|key| key.starts_with("expect "));
    let (Some(key), None) = (looked_for.next(), looked_for.next()) else {
        return None;
    };
    let expected = match key {
        "expect in crm" => in_crm(&given.map(key)?)?,
        "expect in pc" => in_pc(&given.map(key)?)?,
        "expect none in crm" => Expectation::NoneInCrm,
        "expect none in pc" => Expectation::NoneInPartnerCenter,
        "expect count" => count(&given.map(key)?)?,
        _ => calls(&given.map(key)?)?,
    };
    Some(Act::Watch(how, Box::new(expected)))
}

fn in_crm(given: &Given) -> Option<Expectation> {
    let mark = if given.is_none("mark") {
        Some(Mark::None)
    } else {
        given.word("mark", &MARKS)
    };
    Some(Expectation::InCrm(ExpectedOpportunity {
        name: given.text("name"),
        stage: stage(given),
        value: given.money("value"),
        closes: given.date("closes"),
        notes: notes(given),
        sync: given.yes_no("sync"),
        linked: given.yes_no("linked"),
        mark,
        audit: given.text("audit"),
        visible: given.yes_no("visible"),
        further: further(
            given,
            &FURTHER_IN_CRM,
            &["name", "stage", "value", "closes", "notes", "audit"],
        ),
    }))
}

fn in_pc(given: &Given) -> Option<Expectation> {
    Some(Expectation::InPartnerCenter(ExpectedReferral {
        name: given.text("name"),
        status: given.text("status"),
        substatus: given.text("substatus"),
        value: given.money("value"),
        closes: given.date("closes"),
        notes: notes(given),
        shared: given.yes_no("shared"),
        visible: given.yes_no("visible"),
        further: further(
            given,
            &FURTHER_IN_PC,
            &["name", "status", "substatus", "value", "closes", "notes"],
        ),
    }))
}

fn count(given: &Given) -> Option<Expectation> {
    let plain = |key: &str| given.count(key);
    if given
        .keys()
        .all(|key| matches!(key, "opportunities" | "referrals") && plain(key).is_some())
    {
        return Some(Expectation::Count {
            opportunities: plain("opportunities"),
            referrals: plain("referrals"),
        });
    }
    let counts = COUNTED
        .iter()
        .filter_map(|(key, counted)| Some((*counted, given.wanted_or_plain(key)?)));
    Some(Expectation::Counts(counts.collect()))
}

fn calls(given: &Given) -> Option<Expectation> {
    let call: Call = given.word("of", &CALLS)?;
    Some(Expectation::Calls {
        call,
        times: given.wanted_or_plain("times")?,
    })
}

fn stage(given: &Given) -> Option<ExpectedStage> {
    given.text("stage").map(|word| match word.as_str() {
        "on hold" => ExpectedStage::OnHold,
        "active" => ExpectedStage::Active,
        "won" => ExpectedStage::Won,
        "lost" => ExpectedStage::Lost,
        _ => ExpectedStage::Named(word),
    })
}
