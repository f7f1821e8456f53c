//! From the values of a step to what it does, with the defaults of the language.
//!
//! Everything that could be wrong with single values is already reported; `None` means that something was.

#![expect(
    clippy::unnecessary_wraps,
    reason = "the table of steps wants one form, also for those that cannot fail"
)]

use jiff::civil::{Date, date};

use super::act::{
    Act, Call, CallFate, Contact, Customer, Edit, Emptied, Fault, FlowStep, HookFate, Money, NewDeal, RecordSide,
    Signed, Stage, System, UserRole,
};
use super::given::Given;
use super::words::{
    BODIES, BREAKS, CALLS, CONNECTED, FLOWS, HELPS, LEADS, LISTS, OUTCOMES, ROLES, SIDES, SIGNATURES, SKEWS, SYSTEMS,
    meaning,
};

/// What must be so.
mod looks;

pub(super) use looks::{
    always, eventually, expect_calls, expect_count, expect_decision, expect_in_crm, expect_in_pc, never, within,
};

/// The closing date of a deal that says none: ninety days after virtual time starts.
const CLOSES: Date = date(2026, 4, 5);

pub(super) fn microsoft_shares(given: &Given) -> Option<Act> {
    Some(Act::MicrosoftShares(new_deal(given)?))
}

pub(super) fn seller_creates(given: &Given) -> Option<Act> {
    Some(Act::SellerCreates(new_deal(given)?))
}

pub(super) fn microsoft_edits(given: &Given) -> Option<Act> {
    Some(Act::MicrosoftEdits(edit(given)))
}

pub(super) fn microsoft_declines(given: &Given) -> Option<Act> {
    Some(Act::MicrosoftDeclines(given.text("reason")))
}

pub(super) fn microsoft_sets_msx_id(given: &Given) -> Option<Act> {
    Some(Act::MicrosoftSetsMsxId(given.text("id")?))
}

pub(super) fn microsoft_adds_team_member(given: &Given) -> Option<Act> {
    Some(Act::MicrosoftAddsTeamMember(Contact {
        first_name: given.text("first name")?,
        last_name: given.text("last name")?,
        email: given.text("email")?,
    }))
}

pub(super) fn partner_edits(given: &Given) -> Option<Act> {
    Some(Act::PartnerEdits(edit(given)))
}

pub(super) fn seller_edits(given: &Given) -> Option<Act> {
    Some(Act::SellerEdits(edit(given)))
}

pub(super) fn seller_moves(given: &Given) -> Option<Act> {
    Some(Act::SellerEdits(Edit {
        stage: Some(stage(given, "to")?),
        ..Edit::default()
    }))
}

pub(super) fn partner_declines(given: &Given) -> Option<Act> {
    Some(Act::PartnerDeclines(given.text("reason")))
}

pub(super) fn partner_closes(given: &Given) -> Option<Act> {
    Some(Act::PartnerCloses(given.word("as", &OUTCOMES)?, given.text("reason")))
}

pub(super) fn seller_closes(given: &Given) -> Option<Act> {
    Some(Act::SellerCloses(given.word("as", &OUTCOMES)?))
}

pub(super) fn seller_adds_solution(given: &Given) -> Option<Act> {
    Some(Act::SellerAddsSolution(given.text("solution")?))
}

pub(super) fn seller_removes_solution(given: &Given) -> Option<Act> {
    Some(Act::SellerRemovesSolution(given.text("solution")?))
}

pub(super) fn wait(given: &Given) -> Option<Act> {
    Some(Act::Wait(given.duration("")?))
}

pub(super) fn disconnect(given: &Given) -> Option<Act> {
    Some(Act::Fault(Fault::Disconnect {
        system: given.word("system", &SYSTEMS)?,
        lasts: given.duration("for")?,
    }))
}

pub(super) fn lose_request(given: &Given) -> Option<Act> {
    calls(given, CallFate::LoseRequest)
}

pub(super) fn lose_reply(given: &Given) -> Option<Act> {
    calls(given, CallFate::LoseReply)
}

pub(super) fn duplicate_request(given: &Given) -> Option<Act> {
    calls(given, CallFate::Duplicate)
}

pub(super) fn delay(given: &Given) -> Option<Act> {
    calls(given, CallFate::Delay(given.duration("by")?))
}

pub(super) fn answer(given: &Given) -> Option<Act> {
    let fate = CallFate::Answer {
        status: u16::try_from(given.number("status")?).ok()?,
        retry_after: given.duration("retry after"),
    };
    calls(given, fate)
}

fn calls(given: &Given, fate: CallFate) -> Option<Act> {
    let call: Call = given.word("of", &CALLS)?;
    Some(Act::Fault(Fault::Calls {
        call,
        after: given.count("after").unwrap_or(0),
        times: given.count("times").unwrap_or(1),
        fate,
    }))
}

pub(super) fn lose_webhooks(given: &Given) -> Option<Act> {
    hooks(given, HookFate::Lose)
}

pub(super) fn duplicate_webhooks(given: &Given) -> Option<Act> {
    hooks(given, HookFate::Duplicate)
}

pub(super) fn reorder_webhooks(given: &Given) -> Option<Act> {
    hooks(given, HookFate::Reorder)
}

pub(super) fn delay_webhooks(given: &Given) -> Option<Act> {
    hooks(given, HookFate::Delay(given.duration("by")?))
}

pub(super) fn turn_flow_on(given: &Given) -> Option<Act> {
    Some(Act::Flows(FlowStep::TurnOn(given.word("", &FLOWS)?)))
}

pub(super) fn turn_flow_off(given: &Given) -> Option<Act> {
    Some(Act::Flows(FlowStep::TurnOff(given.word("", &FLOWS)?)))
}

pub(super) fn lose_trigger(given: &Given) -> Option<Act> {
    Some(Act::Flows(FlowStep::LoseTrigger(given.word("", &FLOWS)?)))
}

pub(super) fn resubmit_flow(given: &Given) -> Option<Act> {
    Some(Act::Flows(FlowStep::ResubmitFlow(given.word("", &FLOWS)?)))
}

fn hooks(given: &Given, fate: HookFate) -> Option<Act> {
    let times = given.count("times")?;
    Some(Act::Fault(Fault::Hooks { times, fate }))
}

pub(super) fn microsoft_shares_lead(given: &Given) -> Option<Act> {
    Some(Act::MicrosoftSharesLead(
        new_deal(given)?,
        given.word("source", &LEADS)?,
    ))
}

pub(super) fn crash_connector(given: &Given) -> Option<Act> {
    let after = given.number("after").unwrap_or_default();
    Some(Act::CrashConnector(u32::try_from(after).ok()?))
}

pub(super) fn skew_clock(given: &Given) -> Option<Act> {
    Some(Act::SkewClock {
        by: given.duration("by")?,
        ahead: given.word("to", &SKEWS)?,
    })
}

pub(super) fn expire_tokens(given: &Given) -> Option<Act> {
    Some(Act::ExpireTokens(given.word("", &CONNECTED)?))
}

pub(super) fn break_connection(given: &Given) -> Option<Act> {
    let system: System = given.word("to", &CONNECTED)?;
    Some(Act::BreakConnection {
        system,
        how: given.word("because", &BREAKS)?,
    })
}

pub(super) fn repair_connection(given: &Given) -> Option<Act> {
    Some(Act::RepairConnection(given.word("", &CONNECTED)?))
}

pub(super) fn give_roles(given: &Given) -> Option<Act> {
    let roles: Option<Vec<UserRole>> = given.texts("roles")?.iter().map(|role| meaning(&ROLES, role)).collect();
    Some(Act::GiveRoles {
        user: given.text("user")?,
        roles: roles?,
    })
}

pub(super) fn ignore_field(given: &Given) -> Option<Act> {
    calls(given, CallFate::IgnoreField(given.text("field")?))
}

pub(super) fn cut_reply(given: &Given) -> Option<Act> {
    calls(given, CallFate::CutReply)
}

pub(super) fn garble_row(given: &Given) -> Option<Act> {
    given.word("of", &LISTS)?;
    calls(given, CallFate::GarbleRow)
}

pub(super) fn deliver_webhook(given: &Given) -> Option<Act> {
    Some(Act::DeliverWebhook {
        signed: given.word("signature", &SIGNATURES).unwrap_or(Signed::Valid),
        garbled: given.word("body", &BODIES).unwrap_or(false),
    })
}

pub(super) fn remember(given: &Given) -> Option<Act> {
    let side: RecordSide = given.word("in", &SIDES)?;
    Some(Act::Remember {
        side,
        field: given.text("field")?,
        name: given.text("as")?,
    })
}

fn stage(given: &Given, key: &str) -> Option<Stage> {
    given.text(key).map(|word| match word.as_str() {
        "on hold" => Stage::OnHold,
        "active" => Stage::Active,
        _ => Stage::Named(word),
    })
}

/// `none` empties the notes.
fn notes(given: &Given) -> Option<String> {
    if given.is_none("notes") {
        Some(String::new())
    } else {
        given.text("notes")
    }
}

fn edit(given: &Given) -> Edit {
    Edit {
        name: given.text("name"),
        value: given.money("value"),
        external_reference: given.text("external reference"),
        closes: given.date("closes"),
        notes: notes(given),
        stage: stage(given, "stage"),
        sync: given.yes_no("sync"),
        help: given.word("help", &HELPS),
        visible: given.yes_no("visible"),
        empties: [
            ("value", Emptied::Value),
            ("closes", Emptied::Closes),
            ("help", Emptied::Help),
        ]
        .into_iter()
        .filter(|(key, _)| given.is_none(key))
        .map(|(_, emptied)| emptied)
        .collect(),
    }
}

/// What is not spelled has a default, so that a scenario says only what matters to it.
fn new_deal(given: &Given) -> Option<NewDeal> {
    let deal = given.text("deal")?;
    Some(NewDeal {
        name: given.text("name").unwrap_or_else(|| format!("Deal {deal}")),
        customer: customer(given, &deal),
        value: unless_none(given, "value", given.money("value"), || Money {
            amount: 10_000.0,
            currency: "USD".to_owned(),
        }),
        closes: unless_none(given, "closes", given.date("closes"), || CLOSES),
        notes: given.text("notes"),
        contact: unless_none(given, "contact", contact(given), || default_contact(&deal)),
        solutions: unless_none(given, "solutions", given.texts("solutions"), || {
            vec!["SOL-1".to_owned()]
        })
        .unwrap_or_default(),
        help: given.word("help", &HELPS),
        visible: given.yes_no("visible"),
        sync: given.yes_no("sync").unwrap_or(true),
        stage: stage(given, "stage").unwrap_or(Stage::Active),
        external_reference: given.text("external reference").or_else(|| given.text("referral of")),
    })
}

fn unless_none<T>(given: &Given, key: &str, spelled: Option<T>, default: impl FnOnce() -> T) -> Option<T> {
    if given.is_none(key) {
        None
    } else {
        Some(spelled.unwrap_or_else(default))
    }
}

fn customer(given: &Given, deal: &str) -> Option<Customer> {
    let name = given.text("customer");
    let name = unless_none(given, "customer", name, || format!("Customer {deal}"))?;
    Some(Customer {
        name,
        country: unless_none(given, "country", given.text("country"), || "US".to_owned()),
        postal_code: given.text("postal code").unwrap_or_else(|| "98052".to_owned()),
    })
}

fn contact(given: &Given) -> Option<Contact> {
    let contact = given.map("contact")?;
    Some(Contact {
        first_name: contact.text("first name")?,
        last_name: contact.text("last name")?,
        email: contact.text("email")?,
    })
}

/// A deal's own, because connectors match contacts by their address.
fn default_contact(deal: &str) -> Contact {
    Contact {
        first_name: "Sue".to_owned(),
        last_name: "Smith".to_owned(),
        email: format!("sue.smith@{}.example", deal.to_lowercase()),
    }
}
