//! Writes to a linked referral: accept, decline, fields, closing. Each names the eTag that it was decided on, and is in
//! the record before it leaves.

use std::collections::BTreeMap;

use super::desk::{Desk, Trouble};
use super::pair::{Pair, sent};
use super::pc;
use super::to_crm::gate_is_open;
use super::untaken::took;
use crate::contract::System;
use crate::deal::{Agreed, Ending, Field, Help, ReferralState};
use crate::id::{DealNumber, ReferralId};
use crate::planted::Planted;
use crate::record::Sending;
use crate::settings::Direction;
use crate::settings::mapping::default_path;
use crate::sync::audit::{self, Way};
use crate::sync::merge::Merged;
use crate::sync::status::Move;
use crate::system::partner_center::{Patch, Referral};

/// Carries a write out that is in the record before it leaves, and moves the base once it is acknowledged.
async fn deliver(
    desk: &Desk,
    deal: DealNumber,
    (of, sending): (&Referral, Sending),
    call: impl Future<Output = Result<Referral, Trouble>>,
) -> Result<Referral, Trouble> {
    let silent = desk.settings().is_planted(Planted::NoAuditOfSending);
    desk.change(deal, |record| record.sending = Some(sending.clone()));
    let mut result = call.await;
    let blind = desk.settings().is_planted(Planted::TakesRaceForSuccess) && matches!(result, Err(Trouble::Raced));
    if blind {
        result = Ok(of.clone());
    }
    let unknown = result.as_ref().err().is_some_and(Trouble::is_unknown);
    let untaken = result
        .as_ref()
        .ok()
        .filter(|_| !blind)
        .map(|now| untaken(of, now, &sending))
        .unwrap_or_default();
    desk.change(deal, |record| {
        if !unknown {
            record.sending = None;
        }
        if result.is_ok() {
            for (field, value) in sending.values.iter().filter(|(field, _)| !untaken.contains(field)) {
                record.base.agree(*field, value.clone());
            }
            if let Ok(now) = &result {
                // What stands there still is nobody's edit, in whatever form the other values of the write have left it.
                for field in &untaken {
                    record.base.agree(*field, now.values.get(*field).map(str::to_owned));
                }
            }
            record.base.status = sending.status.or(record.base.status);
            if !silent && untaken.is_empty() {
                record.owed.push(sending.line);
            }
        }
    });
    if result.is_ok() && !sending.values.is_empty() {
        took(desk, deal, System::PartnerCenter, &sending.values, &untaken);
        if !untaken.is_empty() {
            // Looked at again: it is sent once more, or left out.
            return Err(Trouble::Raced);
        }
    }
    result
}

/// The fields of a write that the referral holds as before, though the write was answered by success.
fn untaken(before: &Referral, now: &Referral, sending: &Sending) -> Vec<Field> {
    let stands = |field: Field, sent: Option<&str>| {
        let held = now.values.get(field);
        held != sent && now.values.holds_as_before(field, before.values.get(field))
    };
    let fields = sending.values.iter();
    fields
        .filter(|(field, sent)| stands(**field, sent.as_deref()))
        .map(|(field, _)| *field)
        .collect()
}

fn sending(desk: &Desk, what: &str, status: Option<Agreed>) -> Sending {
    Sending {
        values: BTreeMap::new(),
        status,
        line: audit::line(desk.now(), Way::CrmToPc, what),
    }
}

/// Accepts the referral.
pub(super) async fn accept(desk: &Desk, deal: DealNumber, referral: &Referral) -> Result<Referral, Trouble> {
    let mut patch = Patch::default();
    patch.accept();
    let sending = sending(desk, "accepted", Some(Agreed::Active));
    let accepted = deliver(desk, deal, (referral, sending), pc::patch(desk, referral, &patch)).await?;
    desk.say(&desk.record(deal), "accept", None, "the opportunity left on-hold");
    Ok(accepted)
}

/// Declines the referral.
pub(super) async fn decline(desk: &Desk, deal: DealNumber, referral: &Referral) -> Result<Referral, Trouble> {
    let mut patch = Patch::default();
    patch.decline(&desk.settings().declined_reason);
    let sending = sending(desk, "declined", Some(Agreed::Lost));
    let declined = deliver(desk, deal, (referral, sending), pc::patch(desk, referral, &patch)).await?;
    desk.say(
        &desk.record(deal),
        "decline",
        None,
        "the opportunity was lost from on-hold",
    );
    Ok(declined)
}

/// Writes what the merge asks for: first what only a PUT can change, then the rest in one PATCH, closing last.
pub(super) async fn write(
    desk: &Desk,
    deal: DealNumber,
    pair: Pair,
    merged: &Merged,
    (open, ask): (bool, bool),
) -> Result<Pair, Trouble> {
    let mut pair = pair;
    let name = merged.to_pc.iter().find(|(field, _)| *field == Field::Name);
    let converts = ask && !desk.settings().is_planted(Planted::NeverConverts);
    let help = pair.row.help.filter(|_| converts && pair.referral.help.is_none());
    if name.is_some() || help.is_some() {
        pair.referral = replace(desk, deal, &pair.referral, name, help).await?;
    }
    // Help makes a deal visible; until Microsoft is invited that may still be owed.
    let helped = pair.referral.help.is_some() && desk.record(deal).invite;
    let hides = desk.settings().is_planted(Planted::NeverShows);
    let show = open && !hides && !pair.referral.visible && (pair.row.visible || helped);
    let (patch, sending) = patch(desk, &pair, merged, show);
    if !patch.is_empty() {
        pair.referral = match sending {
            Some(sending) => {
                let call = pc::patch(desk, &pair.referral, &patch);
                deliver(desk, deal, (&pair.referral, sending), call).await?
            }
            // Only the CRM's id: nobody is owed a line for it.
            None => pc::patch(desk, &pair.referral, &patch).await?,
        };
    }
    Ok(pair)
}

async fn replace(
    desk: &Desk,
    deal: DealNumber,
    referral: &Referral,
    name: Option<&(Field, Option<String>)>,
    help: Option<Help>,
) -> Result<Referral, Trouble> {
    let marked = desk.settings().is_planted(Planted::MarkReachesPartnerCenter);
    let cuts = desk.settings().is_planted(Planted::CutsNames);
    let marked = name.and_then(|(_, value)| {
        let name = value.as_deref().unwrap_or_default();
        let cut = cuts.then(|| name.chars().take(40).collect());
        marked.then(|| format!("{name} ✔")).or(cut)
    });
    let text = marked
        .as_deref()
        .or_else(|| name.and_then(|(_, value)| value.as_deref()));
    let mut words = Vec::new();
    if name.is_some() {
        words.push(Field::Name.name());
    }
    if help.is_some() {
        words.push("help");
        desk.change(deal, |record| record.invite = true);
    }
    let mut sending = sending(desk, &format!("updated: {}", words.join(", ")), None);
    sending.values.extend(name.cloned());
    let body = referral.replaced(text, help);
    deliver(desk, deal, (referral, sending), pc::put(desk, referral, &body)).await
}

/// What a planted bug makes of a value on its way to Partner Center.
fn planted_value(desk: &Desk, referral: &ReferralId, field: Field, value: Option<&str>) -> Option<String> {
    let broken = |defect| desk.settings().is_planted(defect);
    match (field, value) {
        (Field::Value, Some(amount)) if broken(Planted::AmountInCents) => {
            amount.parse::<f64>().ok().map(|amount| format!("{}", amount * 100.0))
        }
        (Field::Value, Some(amount)) if broken(Planted::CutsCents) => amount.split('.').next().map(str::to_owned),
        (Field::ClosingDate, Some(day)) if broken(Planted::DayBefore) => {
            let before = day.parse::<jiff::civil::Date>().and_then(jiff::civil::Date::yesterday);
            before.ok().map(|day| day.to_string())
        }
        (Field::ClosingDate, Some(day)) if broken(Planted::MonthEndsSlip) => {
            let slipped = |day: jiff::civil::Date| {
                if day == day.last_of_month() {
                    day.tomorrow().unwrap_or(day)
                } else {
                    day
                }
            };
            day.parse().ok().map(|day| slipped(day).to_string())
        }
        (Field::ClosingDate, Some(day)) if broken(Planted::NoLeapDays) => Some(day.replace("-02-29", "-02-28")),
        (Field::Value, Some(amount)) if broken(Planted::RoundsAmounts) => {
            let rounded = amount.parse::<f64>().ok();
            rounded.map(|amount| format!("{}", (amount / 1_000.0).round() * 1_000.0))
        }
        (Field::Currency, Some(_)) if broken(Planted::AlwaysDollars) => Some("USD".to_owned()),
        (Field::Notes, Some(notes)) if broken(Planted::OneLineNotes) => Some(notes.replace('\n', " ")),
        (Field::Notes, Some(notes)) if broken(Planted::StripsNotes) => Some(notes.replace('<', "")),
        (Field::Notes, Some(notes)) if broken(Planted::CutsNotes) => Some(notes.chars().take(255).collect()),
        (Field::Notes, Some(notes)) if broken(Planted::DropsAccents) => {
            Some(notes.chars().filter(char::is_ascii).collect())
        }
        (Field::Value, Some(_)) if broken(Planted::SwapsDeals) => {
            let board = desk.board();
            let other = board
                .records()
                .filter(|record| record.referral.as_ref() != Some(referral))
                .filter_map(|record| record.base.value(Field::Value))
                .find(|other| Some(*other) != value);
            other.or(value).map(str::to_owned)
        }
        (_, value) => value.map(str::to_owned),
    }
}

/// What planted bugs add to a PATCH.
fn planted_operations(desk: &Desk, pair: &Pair, patch: &mut Patch) {
    let settings = desk.settings();
    if settings.is_planted(Planted::HidesAgain) && pair.referral.visible && !pair.row.visible && gate_is_open(pair.ask)
    {
        patch.hide();
    }
    let stays = settings.direction(Field::Notes) == Direction::Never && pair.ask == Move::Live;
    if settings.is_planted(Planted::SendsNotesThatStay)
        && stays
        && pair.row.values.get(Field::Notes) != pair.referral.values.get(Field::Notes)
    {
        patch.field(
            Field::Notes,
            pair.row.values.get(Field::Notes),
            settings.closing_date_zone,
        );
    }
}

/// The PATCH that the merge asks for, and what is remembered of it.
fn patch(desk: &Desk, pair: &Pair, merged: &Merged, show: bool) -> (Patch, Option<Sending>) {
    let settings = desk.settings();
    let mut patch = Patch::default();
    let mut words = Vec::new();
    let mut values = BTreeMap::new();
    for (field, value) in merged.to_pc.iter().filter(|(field, _)| *field != Field::Name) {
        let sent = planted_value(desk, &pair.referral.id, *field, value.as_deref());
        let place = settings.mapping.path(*field);
        if place == default_path(*field) {
            patch.field(*field, sent.as_deref(), settings.closing_date_zone);
        } else {
            patch.text_at(place, sent.as_deref());
        }
        words.push(field.name());
        values.insert(*field, value.clone());
    }
    if show {
        patch.show();
        words.push("visibility");
    }
    planted_operations(desk, pair, &mut patch);
    let names = !settings.is_planted(Planted::NoExternalReference);
    if names && pair.referral.external.is_none() && !matches!(pair.referral.state, ReferralState::Closed(_)) {
        patch.external(pair.row.id.as_str());
    }
    let mut status = None;
    let mut what = if words.is_empty() {
        String::new()
    } else {
        format!("updated: {}", words.join(", "))
    };
    if let Move::CloseReferral(ending) = pair.ask {
        let wrong = settings.is_planted(Planted::WrongReason);
        let reason = match (ending, wrong) {
            (Ending::Won, false) | (Ending::Lost, true) => &settings.won_reason,
            (Ending::Lost, false) | (Ending::Won, true) => &settings.lost_reason,
        };
        patch.close(sent(desk, ending), reason);
        status = Some(Agreed::closed(ending));
        let rest = if words.is_empty() {
            String::new()
        } else {
            format!(" ({})", words.join(", "))
        };
        what = format!("closed: {}{rest}", ending.name());
    }
    let sending = (!what.is_empty()).then(|| Sending {
        values,
        status,
        line: audit::line(desk.now(), Way::CrmToPc, &what),
    });
    (patch, sending)
}
