//! Every step of the language: its words, what it takes, and what it is for.
//!
//! One table, in the order in which guides list the steps. Reading goes by it, and so does whatever is generated about
//! the language.

use super::act::{Act, Expectation, FlowStep};
use super::build;
use super::given::Given;
use super::key::{Key, Kind, may, may_be_none, must};
use super::words::{CALLS, DECISIONS, FLOWS, HELPS, MARKS, OUTCOMES, STATUSES, SUBSTATUSES, SYSTEMS, words};

/// A step of the language.
#[derive(Clone, Copy, Debug)]
pub struct Verb {
    /// Its words.
    pub name: &'static str,
    /// What stands behind its colon.
    pub takes: Takes,
    /// What it has to do with a deal.
    pub role: Role,
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
    may(
        "external reference",
        Kind::Text,
        "the CRM record that the deal claims to belong to",
    ),
];
const SELLERS_DEAL: [Key; 14] = [
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
];
const EXPECTED_IN_CRM: [Key; 11] = [
    DEAL,
    may("name", Kind::Text, "the name without its mark"),
    may(
        "stage",
        Kind::Stage(&["on hold", "active", "won", "lost"]),
        "where it stands",
    ),
    VALUE,
    CLOSES,
    NOTES,
    SYNC,
    may("linked", Kind::YesNo, "whether it names its referral"),
    may_be_none("mark", Kind::Word(&words(&MARKS)), "the mark in its name"),
    may("audit", Kind::Text, "a text that its Audit trail contains"),
    VISIBLE,
];
const EXPECTED_IN_PC: [Key; 9] = [
    DEAL,
    NAME,
    may("status", Kind::Word(&STATUSES), "the status"),
    may("substatus", Kind::Word(&SUBSTATUSES), "the substatus"),
    VALUE,
    CLOSES,
    NOTES,
    may("shared", Kind::YesNo, "whether Microsoft takes part"),
    VISIBLE,
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
        about,
        build,
    }
}

const IN_PC: Role = Role::Changes(Side::PartnerCenter);
const IN_CRM: Role = Role::Changes(Side::Crm);

/// Every step.
#[rustfmt::skip]
pub const VERBS: [Verb; 46] = [
    keys("microsoft shares", Role::Makes(Side::PartnerCenter), &SHARED_DEAL, build::microsoft_shares, "Microsoft's seller shares a deal with the partner"),
    keys("microsoft edits", IN_PC, &[DEAL, VALUE, CLOSES, NOTES], build::microsoft_edits, "Microsoft's seller changes a deal"),
    one("microsoft accepts", IN_PC, Kind::Deal, |_| Some(Act::MicrosoftAccepts), "Microsoft takes part in a deal that the partner shared"),
    keys("microsoft declines", IN_PC, &[DEAL, REASON], build::microsoft_declines, "Microsoft does not take part in a deal that the partner shared"),
    keys("microsoft sets msx id", IN_PC, &[DEAL, must("id", Kind::Text, "the deal's number in Microsoft's own CRM")], build::microsoft_sets_msx_id, "a shared deal gets its number in Microsoft's own CRM"),
    keys("microsoft adds team member", IN_PC, &TEAM_MEMBER, build::microsoft_adds_team_member, "somebody of Microsoft's joins a shared deal"),
    keys("partner edits", IN_PC, &[DEAL, NAME, VALUE_OR_NONE, CLOSES, NOTES], build::partner_edits, "a person changes a deal in the Partner Center portal"),
    one("partner accepts", IN_PC, Kind::Deal, |_| Some(Act::PartnerAccepts), "a person accepts a deal in the portal"),
    keys("partner declines", IN_PC, &[DEAL, REASON], build::partner_declines, "a person declines a deal in the portal"),
    keys("partner closes", IN_PC, &[DEAL, AS, REASON], build::partner_closes, "a person closes a deal in the portal"),
    keys("seller creates", Role::Makes(Side::Crm), &SELLERS_DEAL, build::seller_creates, "a seller makes a deal in the CRM"),
    keys("seller edits", IN_CRM, &[DEAL, NAME, VALUE_OR_NONE, CLOSES_OR_NONE, NOTES, STAGE, SYNC, HELP, VISIBLE], build::seller_edits, "a seller saves changed fields in the CRM"),
    keys("seller moves", IN_CRM, &[DEAL, must("to", Kind::Stage(&["active", "on hold"]), "the new stage")], build::seller_moves, "a seller moves a deal to another stage"),
    keys("seller closes", IN_CRM, &[DEAL, AS], build::seller_closes, "a seller closes a deal in the CRM"),
    one("seller reopens", IN_CRM, Kind::Deal, |_| Some(Act::SellerReopens), "a seller opens a closed deal again"),
    one("seller deletes", IN_CRM, Kind::Deal, |_| Some(Act::SellerDeletes), "a seller deletes a deal in the CRM"),
    one("wait", Role::NoDeal, Kind::Duration, build::wait, "time passes"),
    bare("settle", |_| Some(Act::Settle), "time passes until nothing more is written; takes no fault away"),
    bare("heal", |_| Some(Act::Heal), "takes all faults away"),
    keys("disconnect", Role::NoDeal, &[must("system", Kind::Word(&words(&SYSTEMS)), "what cannot be reached"), must("for", Kind::Duration, "for how long")], build::disconnect, "a system cannot be reached for a while"),
    keys("lose request", Role::NoDeal, &[OF, TIMES, AFTER], build::lose_request, "a call never reaches the system"),
    keys("lose reply", Role::NoDeal, &[OF, TIMES, AFTER], build::lose_reply, "the system does it, and its answer never arrives"),
    keys("duplicate request", Role::NoDeal, &[OF, TIMES, AFTER], build::duplicate_request, "a call arrives twice"),
    keys("delay", Role::NoDeal, &[OF, BY, TIMES, AFTER], build::delay, "a call arrives later"),
    keys("answer", Role::NoDeal, &[OF, must("status", Kind::Number(400, 599), "the HTTP status"), may("retry after", Kind::Duration, "when the caller may try again"), TIMES, AFTER], build::answer, "something on the way answers instead of the system"),
    keys("lose webhooks", Role::NoDeal, &[HOOK_TIMES], build::lose_webhooks, "the next webhooks never arrive"),
    keys("duplicate webhooks", Role::NoDeal, &[HOOK_TIMES], build::duplicate_webhooks, "the next webhooks arrive twice"),
    keys("reorder webhooks", Role::NoDeal, &[HOOK_TIMES], build::reorder_webhooks, "the next webhooks arrive after those that follow them"),
    keys("delay webhooks", Role::NoDeal, &[BY, HOOK_TIMES], build::delay_webhooks, "the next webhooks arrive later"),
    bare("restart connector", |_| Some(Act::RestartConnector), "the connector's process stops and starts again"),
    bare("stop connector", |_| Some(Act::StopConnector), "the connector's process stops"),
    bare("start connector", |_| Some(Act::StartConnector), "the connector's process starts again"),
    one("turn flow off", Role::NoDeal, Kind::Word(&words(&FLOWS)), build::turn_flow_off, "a person turns a flow of the solution off"),
    one("turn flow on", Role::NoDeal, Kind::Word(&words(&FLOWS)), build::turn_flow_on, "a person turns a flow of the solution on; its child flows must be on"),
    one("lose trigger", Role::NoDeal, Kind::Word(&words(&FLOWS)), build::lose_trigger, "the trigger of a child flow cannot be found any more"),
    bare("make connections again", |_| Some(Act::Flows(FlowStep::Reconnect)), "a person makes the connections of the solution again; finds lost triggers"),
    one("resubmit", Role::Looks, Kind::Deal, |_| Some(Act::Flows(FlowStep::Resubmit)), "a person submits the last run of a deal again"),
    bare("resubmit failed runs", |_| Some(Act::Flows(FlowStep::ResubmitFailed)), "a person submits every failed run of the history again"),
    one("resubmit flow", Role::NoDeal, Kind::Word(&words(&FLOWS)), build::resubmit_flow, "a person submits the last run of a flow again"),
    keys("expect in crm", Role::Looks, &EXPECTED_IN_CRM, build::expect_in_crm, "the deal's opportunity looks like this"),
    keys("expect in pc", Role::Looks, &EXPECTED_IN_PC, build::expect_in_pc, "the deal's referral looks like this"),
    one("expect none in crm", Role::Looks, Kind::Deal, |_| Some(Act::Expect(Expectation::NoneInCrm)), "the deal has no opportunity"),
    one("expect none in pc", Role::Looks, Kind::Deal, |_| Some(Act::Expect(Expectation::NoneInPartnerCenter)), "the deal has no referral"),
    keys("expect count", Role::NoDeal, &[may("opportunities", Kind::Number(0, 1_000_000), "how many in the CRM"), may("referrals", Kind::Number(0, 1_000_000), "how many of the partner")], build::expect_count, "so many records are stored"),
    one("expect", Role::NoDeal, Kind::Word(&["converged"]), |_| Some(Act::Expect(Expectation::Converged)), "both sides agree now"),
    one("expect decision", Role::NoDeal, Kind::Word(&words(&DECISIONS)), build::expect_decision, "the reference connector made this decision before"),
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
        assert_eq!(scenario.steps.len(), 6);
    }
}
