//! The cells that there are in each area with a closed list, and why some stay empty.

use super::Area;
use crate::record::Field;
use crate::scenario::verbs::VERBS;
use crate::scenario::words::{DECISIONS, FLOWS};
use crate::scenario::{Scenario, setting_names, world_names};

/// The transitions of a referral (partner-center.md section 3.1: its table, and what the table alone permits).
const REFERRALS: [&str; 8] = [
    "created New/Pending",
    "created Active/Accepted",
    "New/Pending to Active/Accepted",
    "New/Pending to Closed/Declined",
    "New/Pending to Closed/Expired",
    "New/Pending to Closed/Lost",
    "Active/Accepted to Closed/Won",
    "Active/Accepted to Closed/Lost",
];

/// The transitions of an opportunity, in the words of both CRMs (product.md M16, M17, M19).
const OPPORTUNITIES: [&str; 8] = [
    "created on hold",
    "created open",
    "on hold to open",
    "on hold to lost",
    "open to on hold",
    "open to won",
    "open to lost",
    "closed to open",
];

/// Faults of the network and of processes (product.md H6).
const FAULTS: [&str; 9] = [
    "request lost",
    "reply lost",
    "delayed",
    "duplicated",
    "answered on the way",
    "webhook lost",
    "webhook repeated",
    "webhook given up",
    "connector stopped",
];

/// Why no run in virtual time refuses a certificate.
const CERTIFICATES: &str = "a run is told what a signature is worth; the driver's own tests judge certificates";

/// Cells that a catalog leaves empty, and why.
pub(super) const WHY_EMPTY: [(&str, &str); 13] = [
    ("bound.pages", "the bound is ten thousand pages of a list"),
    ("bound.related", "the bound is ten thousand engagements traced at once"),
    (
        "bound.rounds",
        "a deal that others change between any two looks is tried again later, so a run never makes twenty rounds",
    ),
    ("hook.algorithm", CERTIFICATES),
    ("hook.certificate_chain", CERTIFICATES),
    ("hook.certificate_host", CERTIFICATES),
    ("hook.certificate_issuer", CERTIFICATES),
    ("hook.certificate_key", CERTIFICATES),
    ("hook.certificate_out_of_time", CERTIFICATES),
    ("hook.certificate_unreachable", CERTIFICATES),
    ("hook.certificate_unreadable", CERTIFICATES),
    ("hook.headers", CERTIFICATES),
    (
        "memory.unreadable",
        "runs keep their memory in the process; the store's own tests corrupt it",
    ),
];

/// The cells of an area with a closed list.
pub(super) fn cells_of(area: Area) -> Vec<String> {
    let owned = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect();
    match area {
        Area::Flows => FLOWS.iter().map(|(flow, _)| (*flow).to_owned()).collect(),
        Area::Decisions => DECISIONS.iter().map(|(code, _)| (*code).to_owned()).collect(),
        Area::Steps => VERBS.iter().map(|verb| verb.name.to_owned()).collect(),
        Area::Settings => setting_names(),
        Area::World => world_names(),
        Area::Referrals => owned(&REFERRALS),
        Area::Opportunities => owned(&OPPORTUNITIES),
        Area::Faults => owned(&FAULTS),
        Area::Fields => fields(),
        Area::Errors => Vec::new(),
    }
}

/// The fields by direction and occasion that the profiles let through (product.md M18).
fn fields() -> Vec<String> {
    let mut cells = Vec::new();
    for field in Field::ALL {
        for direction in ["pc to crm", "crm to pc"] {
            cells.push(format!("{} {direction}, created", field.name()));
            // The name goes from the CRM only, once both records are there.
            if (field, direction) != (Field::Name, "pc to crm") {
                cells.push(format!("{} {direction}, updated", field.name()));
            }
        }
    }
    cells
}

/// What a scenario writes above its steps, as cells.
pub(super) fn written(scenario: &Scenario) -> Vec<(Area, String)> {
    let keys = scenario.places.keys();
    keys.filter_map(|key| {
        if let Some(setting) = key.strip_prefix("settings.") {
            // Of a map such as `conflicts` the key itself is there, too.
            return (!setting.contains('.')).then(|| (Area::Settings, setting.to_owned()));
        }
        let cell = match key.strip_prefix("given.") {
            Some(given) => format!("given {given}"),
            None => key.strip_prefix("world.")?.to_owned(),
        };
        world_names().contains(&cell).then_some((Area::World, cell))
    })
    .collect()
}

/// Why a cell stays empty, where somebody knows.
pub(super) fn why_empty(cell: &str) -> Option<&'static str> {
    WHY_EMPTY.iter().find(|(known, _)| *known == cell).map(|(_, why)| *why)
}
