//! Every step of the language: its words, what it takes, and what it is for.
//!
//! One table, in the order in which guides list the steps. Reading goes by it, and so does whatever is generated about
//! the language.

use super::act::{Act, Expectation, FlowStep};
use super::build;
use super::given::Given;
use super::key::{Key, Kind, may, may_be_none, must};
use super::words::{
    BODIES, BREAKS, CALLS, CONNECTED, DECISIONS, FLOWS, HELPS, IGNORED, LEADS, LISTS, MARKS, MOMENTS, OUTCOMES,
    REMEMBERED, SIDES, SIGNATURES, SKEWS, STATUSES, SUBSTATUSES, SYSTEMS, USERS, words,
};

/// A step of the language.
#[derive(Clone, Copy, Debug)]
pub struct Verb {
    /// Its words.
    pub name: &'static str,
    /// What stands behind its colon.
    pub takes: Takes,
    /// What it has to do with a deal.
    pub role: Role,
    /// Whether it may happen at a call of the connector: it takes no time and looks at nothing.
    pub at_call: bool,
    /// What it is for, in one line.
    pub about: &'static str,
    /// From its values to what it does.
    pub(super) build: fn(&Given) -> Option<Act>,
}

/// What stands behind a step's colon.
#[derive(Clone, Copy, Debug)]
pub enum Takes {
    /// Nothing, and there is no colon either.
    Nothing,
    /// One value.
    One(Kind),
    /// A map.
    Keys(&'static [Key]),
}

/// What a step has to do with its deal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Makes it, on this side.
    Makes(Side),
    /// Changes it, on this side.
    Changes(Side),
    /// Looks at it.
    Looks,
    /// It is not about a deal.
    NoDeal,
}

/// Where a person works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// In Partner Center.
    PartnerCenter,
    /// In the CRM.
    Crm,
}

const DEAL: Key = must("deal", Kind::Deal, "which deal");
const NAME: Key = may("name", Kind::Text, "the deal's name");
const CUSTOMER: Key = may_be_none("customer", Kind::Text, "the customer's company");
const COUNTRY: Key = may_be_none("country", Kind::Text, "the customer's country, two letters");
const POSTAL_CODE: Key = may("postal code", Kind::Text, "the customer's postal code");
const VALUE: Key = may("value", Kind::Money, "the deal value");
const CLOSES: Key = may("closes", Kind::Date, "the closing date");
const NOTES: Key = may_be_none("notes", Kind::Text, "notes, Description in the CRM");
const CONTACT: Key = may_be_none("contact", Kind::Map(&CONTACT_KEYS), "the customer's contact");
const SOLUTIONS: Key = may_be_none("solutions", Kind::Texts, "identifiers of solutions");
const HELP: Key = may_be_none("help", Kind::Word(&words(&HELPS)), "the help wanted of Microsoft");
const VISIBLE: Key = may("visible", Kind::YesNo, "whether Microsoft's sellers may see it");
const SYNC: Key = may("sync", Kind::YesNo, "Sync with Partner Center");
const STAGE: Key = may("stage", Kind::Stage(&["active", "on hold"]), "the stage in the CRM");
const REASON: Key = may("reason", Kind::Text, "why");
const AS: Key = must("as", Kind::Word(&words(&OUTCOMES)), "how it ends");
const OF: Key = must("of", Kind::Word(&words(&CALLS)), "which calls of the connector");
const BY: Key = must("by", Kind::Duration, "how much later it arrives");
const TIMES: Key = may("times", Kind::Number(1, 10_000), "how often, once when left out");
const AFTER: Key = may("after", Kind::Number(0, 10_000), "how many pass first");
const HOOK_TIMES: Key = must("times", Kind::Number(1, 10_000), "how many deliveries");

const CONTACT_KEYS: [Key; 3] = [
    must("first name", Kind::Text, "the contact's first name"),
    must("last name", Kind::Text, "the contact's last name"),
    must("email", Kind::Text, "the contact's address"),
];
const TEAM_MEMBER: [Key; 4] = [
    DEAL,
    must("first name", Kind::Text, "the person's first name"),
    must("last name", Kind::Text, "the person's last name"),
    must("email", Kind::Text, "the person's address"),
];
const VALUE_OR_NONE: Key = may_be_none("value", Kind::Money, "the deal value");
const CLOSES_OR_NONE: Key = may_be_none("closes", Kind::Date, "the closing date");
const EXTERNAL_REFERENCE: Key = may(
    "external reference",
    Kind::Text,
    "the CRM record that the deal claims to belong to, or the deal whose record it is",
);
const SHARED_DEAL: [Key; 12] = [
    DEAL,
    NAME,
    CUSTOMER,
    COUNTRY,
    POSTAL_CODE,
    VALUE_OR_NONE,
    CLOSES_OR_NONE,
    NOTES,
    CONTACT,
    SOLUTIONS,
    HELP,
    EXTERNAL_REFERENCE,
];
const SELLERS_DEAL: [Key; 15] = [
    DEAL,
    NAME,
    CUSTOMER,
    COUNTRY,
    POSTAL_CODE,
    VALUE_OR_NONE,
    CLOSES_OR_NONE,
    NOTES,
    CONTACT,
    SOLUTIONS,
    HELP,
    VISIBLE,
    SYNC,
    STAGE,
    may(
        "referral of",
        Kind::Text,
        "the deal whose referral the record names, as a copy of its record does",
    ),
];
const TEXT: Kind = Kind::Text;
const TEXTS: Kind = Kind::Texts;
const LIKE_TEXT: Kind = Kind::Wanted(&TEXT);
const LIKE_TEXTS: Kind = Kind::Wanted(&TEXTS);
const MONEY: Kind = Kind::Money;
const LIKE_MONEY: Kind = Kind::Wanted(&MONEY);
const DATE: Kind = Kind::Date;
const LIKE_DATE: Kind = Kind::Wanted(&DATE);
const COUNT: Kind = Kind::Number(0, 1_000_000);
const LIKE_COUNT: Kind = Kind::Wanted(&COUNT);
const HELP_WORD: Kind = Kind::Word(&words(&HELPS));
const STATUS_WORD: Kind = Kind::Word(&STATUSES);
const SUBSTATUS_WORD: Kind = Kind::Word(&SUBSTATUSES);
const STAGE_WORD: Kind = Kind::Stage(&["on hold", "active", "won", "lost"]);

const EXPECTED_VALUE: Key = may_be_none("value", LIKE_MONEY, "the deal value");
const EXPECTED_CLOSES: Key = may_be_none("closes", LIKE_DATE, "the closing date");
const EXPECTED_NOTES: Key = may_be_none("notes", LIKE_TEXT, "notes, Description in the CRM");
const EXPECTED_SOLUTIONS: Key = may_be_none("solutions", LIKE_TEXTS, "identifiers of all solutions, in any order");
const EXPECTED_HELP: Key = may_be_none("help", Kind::Wanted(&HELP_WORD), "the help wanted of Microsoft");
const EXPECTED_MSX_ID: Key = may_be_none("msx id", LIKE_TEXT, "the deal's number in Microsoft's own CRM");
const EXPECTED_CUSTOMER: Key = may_be_none("customer", LIKE_TEXT, "the customer's company");
const EXPECTED_COUNTRY: Key = may_be_none("country", LIKE_TEXT, "the customer's country");

/// The keys of `expect in crm`.
pub(super) const EXPECTED_IN_CRM: [Key; 17] = [
    DEAL,
    may("name", LIKE_TEXT, "the name without its mark"),
    may("stage", Kind::Wanted(&STAGE_WORD), "where it stands"),
    EXPECTED_VALUE,
    EXPECTED_CLOSES,
    EXPECTED_NOTES,
    SYNC,
    may("linked", Kind::YesNo, "whether it names its referral"),
    may_be_none("mark", Kind::Word(&words(&MARKS)), "the mark in its name"),
    may("audit", LIKE_TEXT, "a text that its Audit trail contains"),
    VISIBLE,
    EXPECTED_HELP,
    EXPECTED_SOLUTIONS,
    EXPECTED_MSX_ID,
    EXPECTED_CUSTOMER,
    EXPECTED_COUNTRY,
    may_be_none("contact", LIKE_TEXT, "the contact's address"),
];
/// The keys of `expect in pc`.
pub(super) const EXPECTED_IN_PC: [Key; 17] = [
    DEAL,
    may("name", LIKE_TEXT, "the deal's name"),
    may("status", Kind::Wanted(&STATUS_WORD), "the status"),
    may("substatus", Kind::Wanted(&SUBSTATUS_WORD), "the substatus"),
    EXPECTED_VALUE,
    EXPECTED_CLOSES,
    EXPECTED_NOTES,
    may("shared", Kind::YesNo, "whether Microsoft takes part"),
    VISIBLE,
    EXPECTED_HELP,
    EXPECTED_SOLUTIONS,
    EXPECTED_MSX_ID,
    EXPECTED_CUSTOMER,
    EXPECTED_COUNTRY,
    may_be_none("contact", LIKE_TEXT, "the contact's address"),
    may_be_none(
        "team",
        LIKE_TEXTS,
        "the addresses of all members of the deal's team, in any order",
    ),
    may_be_none("reason", LIKE_TEXT, "why it was closed"),
];
const EXPECTED_COUNTS: [Key; 6] = [
    may("opportunities", LIKE_COUNT, "opportunities in the CRM"),
    may("referrals", LIKE_COUNT, "referrals of the partner"),
    may("microsoft referrals", LIKE_COUNT, "referrals on Microsoft's side"),
    may("accounts", LIKE_COUNT, "accounts in the CRM"),
    may("contacts", LIKE_COUNT, "contacts in the CRM"),
    may("leads", LIKE_COUNT, "leads in the CRM"),
];
const EXPECTED_CALLS: [Key; 2] = [OF, must("times", LIKE_COUNT, "how many since the start")];

const SOLUTION: Key = must("solution", Kind::Text, "the solution's identifier");
const TIME: Key = must("time", Kind::Duration, "how long it is looked for");
const SOME_TIME: Key = may(
    "time",
    Kind::Duration,
    "how long it is looked at; to the end of the run when left out",
);
const IN_CRM_LOOKS: Key = may(
    "expect in crm",
    Kind::Map(&EXPECTED_IN_CRM),
    "the deal's opportunity looks like this",
);
const IN_PC_LOOKS: Key = may(
    "expect in pc",
    Kind::Map(&EXPECTED_IN_PC),
    "the deal's referral looks like this",
);
const NONE_IN_CRM: Key = may("expect none in crm", Kind::Deal, "the deal has no opportunity");
const NONE_IN_PC: Key = may("expect none in pc", Kind::Deal, "the deal has no referral");
const COUNTS: Key = may(
    "expect count",
    Kind::Map(&EXPECTED_COUNTS),
    "so many records are stored",
);
const MANY_CALLS: Key = may("expect calls", Kind::Map(&EXPECTED_CALLS), "so many calls were made");
const WITHIN: [Key; 7] = [
    TIME,
    IN_CRM_LOOKS,
    IN_PC_LOOKS,
    NONE_IN_CRM,
    NONE_IN_PC,
    COUNTS,
    MANY_CALLS,
];
const EVENTUALLY: [Key; 6] = [IN_CRM_LOOKS, IN_PC_LOOKS, NONE_IN_CRM, NONE_IN_PC, COUNTS, MANY_CALLS];
const THROUGHOUT: [Key; 7] = [
    SOME_TIME,
    IN_CRM_LOOKS,
    IN_PC_LOOKS,
    NONE_IN_CRM,
    NONE_IN_PC,
    COUNTS,
    MANY_CALLS,
];

const CONNECTION: Key = must("to", Kind::Word(&words(&CONNECTED)), "which connection");
const USER: Key = must("user", Kind::Word(&USERS), "whose");
const THEN: Key = must("then", Kind::Steps, "what happens");
const WHEN: Key = may(
    "when",
    Kind::Word(&words(&MOMENTS)),
    "while the request is on its way, or once the system has done it",
);
const LEAD_SOURCE: Key = must("source", Kind::Word(&words(&LEADS)), "where the lead comes from");
const SHARED_LEAD: [Key; 11] = [
    DEAL,
    NAME,
    CUSTOMER,
    COUNTRY,
    POSTAL_CODE,
    VALUE_OR_NONE,
    CLOSES_OR_NONE,
    NOTES,
    CONTACT,
    SOLUTIONS,
    LEAD_SOURCE,
];

/// A step that takes a map.
const fn keys(
    name: &'static str,
    role: Role,
    keys: &'static [Key],
    build: fn(&Given) -> Option<Act>,
    about: &'static str,
) -> Verb {
    Verb {
        name,
        takes: Takes::Keys(keys),
        role,
        at_call: false,
        about,
        build,
    }
}

/// A step that takes one value.
const fn one(
    name: &'static str,
    role: Role,
    kind: Kind,
    build: fn(&Given) -> Option<Act>,
    about: &'static str,
) -> Verb {
    Verb {
        name,
        takes: Takes::One(kind),
        role,
        at_call: false,
        about,
        build,
    }
}

/// A step that takes nothing.
const fn bare(name: &'static str, build: fn(&Given) -> Option<Act>, about: &'static str) -> Verb {
    Verb {
        name,
        takes: Takes::Nothing,
        role: Role::NoDeal,
        at_call: false,
        about,
        build,
    }
}

const IN_PC: Role = Role::Changes(Side::PartnerCenter);
const IN_CRM: Role = Role::Changes(Side::Crm);

/// A step that may also happen at a call.
const fn anytime(verb: Verb) -> Verb {
    Verb { at_call: true, ..verb }
}

/// Every step.
#[rustfmt::skip]
pub const VERBS: [Verb; 70] = [
    anytime(keys("microsoft shares", Role::Makes(Side::PartnerCenter), &SHARED_DEAL, build::microsoft_shares, "Microsoft's seller shares a deal with the partner")),
    anytime(keys("microsoft shares lead", Role::Makes(Side::PartnerCenter), &SHARED_LEAD, build::microsoft_shares_lead, "Microsoft gives the partner a lead")),
    anytime(keys("microsoft edits", IN_PC, &[DEAL, NAME, VALUE, CLOSES, NOTES], build::microsoft_edits, "Microsoft's seller changes a deal")),
    anytime(one("microsoft accepts", IN_PC, Kind::Deal, |_| Some(Act::MicrosoftAccepts), "Microsoft takes part in a deal that the partner shared")),
    anytime(keys("microsoft declines", IN_PC, &[DEAL, REASON], build::microsoft_declines, "Microsoft does not take part in a deal that the partner shared")),
    anytime(keys("microsoft sets msx id", IN_PC, &[DEAL, must("id", Kind::Text, "the deal's number in Microsoft's own CRM")], build::microsoft_sets_msx_id, "a shared deal gets its number in Microsoft's own CRM")),
    anytime(keys("microsoft adds team member", IN_PC, &TEAM_MEMBER, build::microsoft_adds_team_member, "somebody of Microsoft's joins a shared deal")),
    anytime(keys("partner edits", IN_PC, &[DEAL, NAME, VALUE_OR_NONE, CLOSES, NOTES, EXTERNAL_REFERENCE], build::partner_edits, "a person changes a deal in the Partner Center portal")),
    anytime(one("partner accepts", IN_PC, Kind::Deal, |_| Some(Act::PartnerAccepts), "a person accepts a deal in the portal")),
    anytime(keys("partner declines", IN_PC, &[DEAL, REASON], build::partner_declines, "a person declines a deal in the portal")),
    anytime(keys("partner closes", IN_PC, &[DEAL, AS, REASON], build::partner_closes, "a person closes a deal in the portal")),
    anytime(keys("seller creates", Role::Makes(Side::Crm), &SELLERS_DEAL, build::seller_creates, "a seller makes a deal in the CRM")),
    anytime(keys("seller edits", IN_CRM, &[DEAL, NAME, VALUE_OR_NONE, CLOSES_OR_NONE, NOTES, STAGE, SYNC, HELP, VISIBLE], build::seller_edits, "a seller saves changed fields in the CRM")),
    anytime(keys("seller moves", IN_CRM, &[DEAL, must("to", Kind::Stage(&["active", "on hold"]), "the new stage")], build::seller_moves, "a seller moves a deal to another stage")),
    anytime(keys("seller adds solution", IN_CRM, &[DEAL, SOLUTION], build::seller_adds_solution, "a seller adds a solution to a deal")),
    anytime(keys("seller removes solution", IN_CRM, &[DEAL, SOLUTION], build::seller_removes_solution, "a seller takes a solution away from a deal")),
    anytime(keys("seller closes", IN_CRM, &[DEAL, AS], build::seller_closes, "a seller closes a deal in the CRM")),
    anytime(one("seller reopens", IN_CRM, Kind::Deal, |_| Some(Act::SellerReopens), "a seller opens a closed deal again")),
    anytime(one("seller deletes", IN_CRM, Kind::Deal, |_| Some(Act::SellerDeletes), "a seller deletes a deal in the CRM")),
    one("wait", Role::NoDeal, Kind::Duration, build::wait, "time passes"),
    bare("settle", |_| Some(Act::Settle), "time passes until nothing more is written; takes no fault away"),
    anytime(bare("heal", |_| Some(Act::Heal), "takes all faults away, and repairs what was taken away or broken")),
    anytime(bare("restart connector", |_| Some(Act::RestartConnector), "the connector's process stops and starts again")),
    anytime(keys("crash connector", Role::NoDeal, &[may("after", Kind::Number(0, 10_000), "how many things it still does")], build::crash_connector, "the connector's process ends between one thing that it does and the next, and starts again")),
    anytime(bare("stop connector", |_| Some(Act::StopConnector), "the connector's process stops")),
    anytime(bare("start connector", |_| Some(Act::StartConnector), "the connector's process starts again")),
    anytime(one("turn flow off", Role::NoDeal, Kind::Word(&words(&FLOWS)), build::turn_flow_off, "a person turns a flow of the solution off")),
    anytime(one("turn flow on", Role::NoDeal, Kind::Word(&words(&FLOWS)), build::turn_flow_on, "a person turns a flow of the solution on; its child flows must be on")),
    anytime(one("lose trigger", Role::NoDeal, Kind::Word(&words(&FLOWS)), build::lose_trigger, "the trigger of a child flow cannot be found any more")),
    bare("make connections again", |_| Some(Act::Flows(FlowStep::Reconnect)), "a person makes the connections of the solution again; finds lost triggers"),
    one("resubmit", Role::Looks, Kind::Deal, |_| Some(Act::Flows(FlowStep::Resubmit)), "a person submits the last run of a deal again"),
    bare("resubmit failed runs", |_| Some(Act::Flows(FlowStep::ResubmitFailed)), "a person submits every failed run of the history again"),
    one("resubmit flow", Role::NoDeal, Kind::Word(&words(&FLOWS)), build::resubmit_flow, "a person submits the last run of a flow again"),
    anytime(keys("skew clock", Role::NoDeal, &[must("by", Kind::Duration, "by how much"), must("to", Kind::Word(&words(&SKEWS)), "ahead of everybody's clock, or behind")], build::skew_clock, "the connector's clock is wrong from now on")),
    anytime(one("expire tokens", Role::NoDeal, Kind::Word(&words(&CONNECTED)), build::expire_tokens, "the tokens that the connector has for a system end now")),
    anytime(keys("break connection", Role::NoDeal, &[CONNECTION, must("because", Kind::Word(&words(&BREAKS)), "why it is broken")], build::break_connection, "the connector cannot sign in to a system any more")),
    anytime(one("repair connection", Role::NoDeal, Kind::Word(&words(&CONNECTED)), build::repair_connection, "somebody signs in again for the connector")),
    anytime(keys("give roles", Role::NoDeal, &[USER, must("roles", Kind::Texts, "all that the user may do from now on; an empty list takes everything away")], build::give_roles, "an administrator decides what a user may do")),
    anytime(keys("disconnect", Role::NoDeal, &[must("system", Kind::Word(&words(&SYSTEMS)), "what cannot be reached"), must("for", Kind::Duration, "for how long")], build::disconnect, "a system cannot be reached for a while")),
    anytime(keys("lose request", Role::NoDeal, &[OF, TIMES, AFTER], build::lose_request, "a call never reaches the system")),
    anytime(keys("lose reply", Role::NoDeal, &[OF, TIMES, AFTER], build::lose_reply, "the system does it, and its answer never arrives")),
    anytime(keys("duplicate request", Role::NoDeal, &[OF, TIMES, AFTER], build::duplicate_request, "a call arrives twice")),
    anytime(keys("delay", Role::NoDeal, &[OF, BY, TIMES, AFTER], build::delay, "a call arrives later")),
    anytime(keys("answer", Role::NoDeal, &[OF, must("status", Kind::Number(400, 599), "the HTTP status"), may("retry after", Kind::Duration, "when the caller may try again"), TIMES, AFTER], build::answer, "something on the way answers instead of the system")),
    anytime(keys("ignore field", Role::NoDeal, &[OF, must("field", Kind::Word(&IGNORED), "which field"), TIMES, AFTER], build::ignore_field, "the system answers that it is done, and leaves one field as it was")),
    anytime(keys("cut reply", Role::NoDeal, &[OF, TIMES, AFTER], build::cut_reply, "the system does it, and its answer breaks off in the middle")),
    anytime(keys("garble row", Role::NoDeal, &[must("of", Kind::Word(&words(&LISTS)), "which list"), TIMES, AFTER], build::garble_row, "the first row of a list arrives empty")),
    anytime(keys("lose webhooks", Role::NoDeal, &[HOOK_TIMES], build::lose_webhooks, "the next webhooks never arrive")),
    anytime(keys("duplicate webhooks", Role::NoDeal, &[HOOK_TIMES], build::duplicate_webhooks, "the next webhooks arrive twice")),
    anytime(keys("reorder webhooks", Role::NoDeal, &[HOOK_TIMES], build::reorder_webhooks, "the next webhooks arrive after those that follow them")),
    anytime(keys("delay webhooks", Role::NoDeal, &[BY, HOOK_TIMES], build::delay_webhooks, "the next webhooks arrive later")),
    anytime(keys("deliver webhook", Role::Looks, &[DEAL, may("signature", Kind::Word(&words(&SIGNATURES)), "whose signature it has: `valid` is Partner Center's"), may("body", Kind::Word(&words(&BODIES)), "what it says")], build::deliver_webhook, "somebody delivers a webhook about a deal that Partner Center does not owe")),
    anytime(bare("another environment registers", |_| Some(Act::AnotherEnvironmentRegisters), "another environment's webhook takes the place of the connector's")),
    keys("on call", Role::NoDeal, &[OF, WHEN, TIMES, AFTER, THEN], |_| Some(Act::Heal), "something happens in the middle of a call of the connector"),
    one("on salesforce", Role::NoDeal, Kind::Steps, |_| None, "steps for Salesforce alone"),
    one("on dynamics", Role::NoDeal, Kind::Steps, |_| None, "steps for Dynamics 365 alone"),
    keys("include", Role::NoDeal, &[must("part", Kind::Text, "the file, from the folder of the file that includes it"), may("with", Kind::Free, "values for the names that the part takes")], |_| None, "the steps of another file"),
    keys("remember", Role::Looks, &[DEAL, must("in", Kind::Word(&words(&SIDES)), "on which side"), must("field", Kind::Word(&REMEMBERED), "which field"), must("as", Kind::Text, "the name for it")], build::remember, "a field's value gets a name, for `same as` in steps that follow"),
    keys("expect in crm", Role::Looks, &EXPECTED_IN_CRM, build::expect_in_crm, "the deal's opportunity looks like this"),
    keys("expect in pc", Role::Looks, &EXPECTED_IN_PC, build::expect_in_pc, "the deal's referral looks like this"),
    one("expect none in crm", Role::Looks, Kind::Deal, |_| Some(Act::Expect(Expectation::NoneInCrm)), "the deal has no opportunity"),
    one("expect none in pc", Role::Looks, Kind::Deal, |_| Some(Act::Expect(Expectation::NoneInPartnerCenter)), "the deal has no referral"),
    keys("expect count", Role::NoDeal, &EXPECTED_COUNTS, build::expect_count, "so many records are stored"),
    keys("expect calls", Role::NoDeal, &EXPECTED_CALLS, build::expect_calls, "the connector has made so many calls of a kind"),
    one("expect", Role::NoDeal, Kind::Word(&["converged"]), |_| Some(Act::Expect(Expectation::Converged)), "both sides agree now"),
    one("expect decision", Role::NoDeal, Kind::Word(&words(&DECISIONS)), build::expect_decision, "the reference connector made this decision before"),
    keys("within", Role::Looks, &WITHIN, build::within, "it becomes so before the time is over; the next step comes at that moment"),
    keys("eventually", Role::Looks, &EVENTUALLY, build::eventually, "it becomes so before all is quiet; the next step comes at that moment"),
    keys("always", Role::Looks, &THROUGHOUT, build::always, "it is so at every moment from here on"),
    keys("never", Role::Looks, &THROUGHOUT, build::never, "it is so at no moment from here on"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_step_has_words_of_its_own_and_stands_in_the_guide_with_its_keys() {
        let guide = include_str!("../../guide/language.md");
        let told = |words: &str| guide.contains(&format!("`{words}`"));
        let mut seen = BTreeSet::new();
        for verb in &VERBS {
            assert!(seen.insert(verb.name), "`{}` stands twice", verb.name);
            assert!(told(verb.name), "the guide does not tell `{}`", verb.name);
            if let Takes::Keys(keys) = verb.takes {
                for key in keys {
                    assert!(
                        told(key.name),
                        "the guide does not tell `{}` of `{}`",
                        key.name,
                        verb.name
                    );
                }
            }
        }
        for key in &super::super::file::KEYS {
            assert!(told(key.name), "the guide does not tell `{}`", key.name);
            if let Kind::Map(keys) = key.kind {
                for inner in keys {
                    let words = inner.name;
                    assert!(
                        told(words) || guide.contains(&format!("`{words}: ")),
                        "the guide does not tell `{words}`"
                    );
                }
            }
        }
    }

    #[test]
    fn the_example_of_the_guide_is_in_order() {
        let guide = include_str!("../../guide/language.md");
        let example = guide
            .split("```yaml\n")
            .nth(1)
            .and_then(|rest| rest.split("```").next());
        let scenario = super::super::file::parse("guide", example.unwrap()).unwrap();
        assert_eq!(scenario.steps.len(), 5);
    }
}
