//! A system says that it took a value, and holds the one before: said, tried again, and in the end left out, with a failure that names
//! the system and the field, until the value to be sent is another one.

use std::collections::BTreeMap;

use super::desk::{Desk, Trouble};
use crate::contract::System;
use crate::deal::{Field, Values};
use crate::id::DealNumber;
use crate::record::Untaken;
use crate::settings::Direction;
use crate::sync::audit::{self, Way};
use crate::sync::merge::Merged;

/// How often in a row a value is sent that is not kept.
const MOST_UNTAKEN: u8 = 3;

/// Whether the merge sends a value that a system did not keep once more.
fn is_sent_again(desk: &Desk, system: System, field: Field) -> bool {
    match desk.settings().direction(field) {
        Direction::Both => true,
        Direction::PcToCrm => system == System::Crm,
        Direction::CrmToPc => system == System::PartnerCenter,
        Direction::CreateOnly | Direction::Never => false,
    }
}

/// Notes what became of values that a system said it took.
pub(super) fn took(
    desk: &Desk,
    deal: DealNumber,
    system: System,
    sent: &BTreeMap<Field, Option<String>>,
    untaken: &[Field],
) {
    for field in untaken {
        let detail = format!(
            "{} said that it took the value, and holds the one before",
            system.name()
        );
        desk.say(&desk.record(deal), "value.not_taken", Some(field.name()), detail);
        if !is_sent_again(desk, system, *field) {
            // No merge will send it: a person has to.
            let way = if system == System::Crm {
                Way::PcToCrm
            } else {
                Way::CrmToPc
            };
            let what = format!("failed: {} has not kept the {}", system.name(), field.name());
            let line = audit::line(desk.now(), way, &what);
            desk.change(deal, |record| record.owed.push(line));
        }
    }
    let by_crm = system == System::Crm;
    desk.change(deal, |record| {
        for (field, value) in sent {
            if !untaken.contains(field) {
                record.untaken.remove(field);
                continue;
            }
            let before = record.untaken.get(field).map_or(0, |known| {
                let same = known.by_crm == by_crm && known.value == *value;
                if same { known.times } else { 0 }
            });
            let noted = Untaken {
                by_crm,
                value: value.clone(),
                times: before.saturating_add(1),
            };
            record.untaken.insert(*field, noted);
        }
    });
}

/// Compares what a referral was made with to what Partner Center has made of it: a value that is not there was not taken.
pub(super) fn told_of_new(desk: &Desk, deal: DealNumber, sent: &Values, held: &Values) {
    let given = Field::ALL.into_iter().filter(|field| sent.get(*field).is_some());
    let untaken: Vec<Field> = given.clone().filter(|field| held.get(*field).is_none()).collect();
    if untaken.is_empty() {
        return;
    }
    let given = given.map(|field| (field, sent.get(field).map(str::to_owned))).collect();
    desk.change(deal, |record| {
        for field in &untaken {
            record.base.agree(*field, None);
        }
    });
    took(desk, deal, System::PartnerCenter, &given, &untaken);
}

/// Takes out of a merge what a system does not keep however often it is sent; the failure that says so.
pub(super) fn leave_out(desk: &Desk, deal: DealNumber, merged: &mut Merged) -> Option<Trouble> {
    let known = desk.record(deal).untaken;
    if known.is_empty() {
        return None;
    }
    let stuck = |by_crm: bool, (field, value): &(Field, Option<String>)| {
        let known = known.get(field);
        known.is_some_and(|known| known.by_crm == by_crm && known.value == *value && known.times >= MOST_UNTAKEN)
    };
    let mut whys = Vec::new();
    let lists = [
        (System::PartnerCenter, &mut merged.to_pc),
        (System::Crm, &mut merged.to_crm),
    ];
    let mut by = None;
    for (system, values) in lists {
        let names: Vec<&str> = values
            .iter()
            .filter(|entry| stuck(system == System::Crm, entry))
            .map(|(field, _)| field.name())
            .collect();
        if !names.is_empty() {
            by = Some(system);
            whys.push(format!(
                "{} says that it takes the {}, and does not keep it",
                system.name(),
                names.join(" and the ")
            ));
        }
        values.retain(|entry| !stuck(system == System::Crm, entry));
    }
    let sent: Vec<Field> = merged
        .to_pc
        .iter()
        .chain(&merged.to_crm)
        .map(|(field, _)| *field)
        .collect();
    if whys.is_empty() {
        // What is not to be sent any more was settled in another way.
        desk.change(deal, |record| record.untaken.retain(|field, _| sent.contains(field)));
        return None;
    }
    Some(Trouble::Refused {
        why: whys.join("; "),
        by,
    })
}
