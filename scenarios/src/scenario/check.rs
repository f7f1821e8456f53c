//! What no single value can show: deals used before they are made, steps that say nothing, stages of another CRM.
//!
//! It looks at the steps in order, as a reader would; what only the run can tell is left to the run.

#![expect(clippy::wildcard_enum_match_arm, reason = "looks at few of the many acts")]

use super::Crm;
use super::act::{Act, Expectation, Wanted};
use super::given::Reader;
use super::guess;
use super::settings::{Given, Makers, given_name};
use super::steps::Read;
use super::verbs::{Role, Side, Takes};
use super::words::{DYNAMICS_STAGES, SALESFORCE_STAGES};
use crate::diagnostic::{Span, nearest, quote};

/// What is known of a deal while reading on.
struct Deal {
    name: String,
    /// The side that has it for certain; the other one needs time to get it.
    made_on: Side,
    /// Where in the list it was made.
    at: usize,
    deleted: bool,
}

/// Checks all steps of a scenario, as each CRM that it is for sees them.
pub(super) fn steps(reader: &mut Reader, steps: &[Read], crm: Option<Crm>, own_stages: &[&str], given: &Given) {
    let differ = steps.iter().any(|read| read.crm.is_some());
    if !differ {
        one(reader, &steps.iter().collect::<Vec<_>>(), crm, own_stages, given);
        return;
    }
    let both = crm.map_or_else(|| Crm::ALL.to_vec(), |crm| vec![crm]);
    for crm in both {
        let own: Vec<&Read> = steps
            .iter()
            .filter(|read| read.crm.is_none_or(|own| own == crm))
            .collect();
        let known = reader.diagnostics.clone();
        one(reader, &own, Some(crm), own_stages, given);
        // What is wrong on both is told once.
        let new = reader.diagnostics.split_off(known.len());
        let told = new.into_iter().filter(|diagnostic| !known.contains(diagnostic));
        let told: Vec<_> = told.collect();
        reader.diagnostics.extend(told);
    }
}

fn one(reader: &mut Reader, steps: &[&Read], crm: Option<Crm>, own_stages: &[&str], given: &Given) {
    let mut deals: Vec<Deal> = (1..=given.deals).map(|number| there(number, given.made_by)).collect();
    let mut remembered: Vec<String> = Vec::new();
    // Where time last passed.
    let mut passed = 0;
    let mut running = true;
    for (at, read) in steps.iter().enumerate() {
        let about = std::mem::replace(&mut reader.about, read.about.clone());
        let back = reader.turn_to(read.file.0.clone(), read.file.1.clone());
        for read in std::iter::once(*read).chain(&read.then) {
            if let Some((name, span)) = &read.deal {
                deal(reader, &mut deals, read, (name, *span), at, passed);
            }
            copies(reader, &deals, read);
            says_something(reader, read);
            stage(reader, read, crm, own_stages);
            fits_crm(reader, read, crm);
            remembers(reader, read, &mut remembered);
            watches(reader, read);
        }
        connector(reader, read, &mut running);
        // What happens at a call happens later.
        if read.step.is_none()
            || !read.then.is_empty()
            || matches!(
                read.verb.name,
                "wait" | "settle" | "within" | "eventually" | "always" | "never"
            )
        {
            passed = at;
        }
        reader.turn_to(back.0, back.1);
        reader.about = about;
    }
}

/// A deal that is there before the start.
fn there(number: u32, made_by: Makers) -> Deal {
    let by_microsoft = match made_by {
        Makers::Microsoft => true,
        Makers::Seller => false,
        Makers::Both => number % 2 == 1,
    };
    Deal {
        name: given_name(number),
        made_on: if by_microsoft { Side::PartnerCenter } else { Side::Crm },
        at: 0,
        deleted: false,
    }
}

/// A record that names another deal's referral comes after that deal.
fn copies(reader: &mut Reader, deals: &[Deal], read: &Read) {
    let Some(named) = read.given.text("referral of") else {
        return;
    };
    let span = read.given.places.get("referral of").copied().unwrap_or(read.span);
    if !deals.iter().any(|known| known.name == named) {
        unknown(reader, deals, &named, span);
    }
}

/// What is compared with something remembered must come after it.
fn remembers(reader: &mut Reader, read: &Read, remembered: &mut Vec<String>) {
    if read.verb.name == "remember" {
        remembered.extend(read.given.text("as"));
        return;
    }
    let names = read.step.as_ref().map(|step| same_as(&step.act)).unwrap_or_default();
    for (field, name) in names {
        if remembered.contains(&name) {
            continue;
        }
        let span = read.given.places.get(field).copied().unwrap_or(read.span);
        let help = match nearest(&name, remembered.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`remember` gives a value a name, in a step above".to_owned(),
        };
        let message = format!("nothing is remembered as {}", quote(&name));
        reader.report(span, message, "no step above remembers it".to_owned(), Some(help));
    }
}

/// The names that an expectation compares with, and the fields in which it does.
fn same_as(act: &Act) -> Vec<(&'static str, String)> {
    let expected = match act {
        Act::Expect(expected) => expected,
        Act::Watch(_, expected) => expected,
        _ => return Vec::new(),
    };
    let further = match expected {
        Expectation::InCrm(fields) => &fields.further,
        Expectation::InPartnerCenter(fields) => &fields.further,
        _ => return Vec::new(),
    };
    let names = further.iter().filter_map(|(field, wanted)| match wanted {
        Wanted::SameAs(name) => Some((*field, name.clone())),
        _ => None,
    });
    names.collect()
}

/// A step that watches looks for exactly one thing.
fn watches(reader: &mut Reader, read: &Read) {
    let name = read.verb.name;
    if !matches!(name, "within" | "eventually" | "always" | "never") || read.step.is_some() {
        return;
    }
    let looked_for: Vec<&str> = read.given.keys().filter(|key| key.starts_with("expect ")).collect();
    if looked_for.len() == 1 {
        return;
    }
    let Takes::Keys(keys) = read.verb.takes else { return };
    let known: Vec<&str> = keys
        .iter()
        .map(|key| key.name)
        .filter(|key| key.starts_with("expect "))
        .collect();
    // Something else is wrong with it, and reported.
    if looked_for.is_empty() && !read.sound {
        return;
    }
    if looked_for.is_empty() && read.given.places.keys().any(|key| key.starts_with("expect ")) {
        return;
    }
    let message = format!("`{name}` looks for exactly one thing");
    let label = if looked_for.is_empty() {
        "nothing to look for"
    } else {
        "more than one"
    };
    let help = format!("it takes one of {}", super::key::quoted(&known, ", "));
    reader.report(read.span, message, label.to_owned(), Some(help));
}

fn deal(reader: &mut Reader, deals: &mut Vec<Deal>, read: &Read, deal: (&str, Span), at: usize, passed: usize) {
    let (name, span) = deal;
    let known = deals.iter_mut().find(|known| known.name == name);
    match (read.verb.role, known) {
        (Role::Makes(side), None) => deals.push(Deal {
            name: name.to_owned(),
            made_on: side,
            at,
            deleted: false,
        }),
        (Role::Makes(_), Some(_)) => {
            let message = format!("the deal `{name}` is made twice");
            let help = "each deal has a name of its own".to_owned();
            reader.report(span, message, "already made above".to_owned(), Some(help));
        }
        (_, None) => unknown(reader, deals, name, span),
        (Role::Changes(side), Some(known)) => {
            let verb = read.verb.name;
            if side == Side::Crm && known.deleted {
                let message = format!("`{verb}` comes after the deal `{name}` was deleted");
                reader.report(span, message, "deleted above".to_owned(), None);
            } else if side != known.made_on && known.at >= passed {
                let place = match side {
                    Side::Crm => "in the CRM",
                    Side::PartnerCenter => "in Partner Center",
                };
                let message = format!("the deal `{name}` cannot be {place} yet");
                let label = format!("no time has passed before `{verb}`");
                let help = "put `- settle` or `- wait: 10m` before this step".to_owned();
                reader.report(span, message, label, Some(help));
            }
            known.deleted |= verb == "seller deletes";
        }
        (Role::Looks | Role::NoDeal, Some(_)) => {}
    }
}

fn unknown(reader: &mut Reader, deals: &[Deal], name: &str, span: Span) {
    if reader.doubtful.iter().any(|doubtful| doubtful == name) {
        return;
    }
    let help = match nearest(name, deals.iter().map(|deal| deal.name.as_str())) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "a deal is made by `microsoft shares` or `seller creates`, in a step above".to_owned(),
    };
    let message = format!("the deal `{name}` is used before it is made");
    reader.report(span, message, "no step above makes it".to_owned(), Some(help));
}

/// An edit without fields and an expectation without fields do nothing.
fn says_something(reader: &mut Reader, read: &Read) {
    let Takes::Keys(keys) = read.verb.takes else { return };
    let optional = keys.iter().any(|key| !key.required);
    let edits = matches!(read.verb.name, "microsoft edits" | "partner edits" | "seller edits");
    // A field whose value is wrong is named all the same.
    let says_nothing = read.given.places.keys().all(|key| key == "deal" || key == "of");
    if read.step.is_some() && optional && says_nothing && (edits || read.verb.name.starts_with("expect")) {
        let fields: Vec<&str> = keys.iter().map(|key| key.name).filter(|name| *name != "deal").collect();
        let message = format!("`{}` names no field", read.verb.name);
        let help = format!("its fields are {}", super::key::quoted(&fields, ", "));
        reader.report(read.span, message, "says nothing".to_owned(), Some(help));
    }
}

/// A stage by its name is a stage of one CRM.
fn stage(reader: &mut Reader, read: &Read, crm: Option<Crm>, own_stages: &[&str]) {
    let keys: &[&str] = match read.verb.name {
        "seller moves" => &["to"],
        _ => &["stage"],
    };
    for key in keys.iter().copied() {
        let (Some(word), Some(span)) = (read.given.text(key), read.given.places.get(key)) else {
            continue;
        };
        let word = word.as_str();
        let spoken = ["active", "on hold", "won", "lost"].contains(&word);
        if spoken || own_stages.contains(&word) {
            continue;
        }
        let (in_salesforce, in_dynamics) = (SALESFORCE_STAGES.contains(&word), DYNAMICS_STAGES.contains(&word));
        let fits = match crm {
            None => in_salesforce && in_dynamics,
            Some(Crm::Salesforce) => in_salesforce,
            Some(Crm::Dynamics) => in_dynamics,
        };
        if !fits {
            let only = if in_salesforce { "salesforce" } else { "dynamics" };
            let message = format!("`{word}` is a stage of {only} only");
            let label = match crm {
                None => "this scenario runs on each CRM".to_owned(),
                Some(_) => "this scenario runs on the other CRM".to_owned(),
            };
            let help = match (guess::alias(word, &["won", "lost"]), key) {
                (Some(end), "stage") if read.verb.name.starts_with("expect") => {
                    format!("write `stage: {end}`, or `crm: {only}` above the steps")
                }
                (Some(end), _) => format!("write `seller closes: {{deal: …, as: {end}}}`"),
                (None, _) => format!("write `crm: {only}` above the steps, or use `active` or `on hold`"),
            };
            reader.report(*span, message, label, Some(help));
        }
    }
}

/// Salesforce closes an opportunity by its stage; there is no call for it.
fn fits_crm(reader: &mut Reader, read: &Read, crm: Option<Crm>) {
    let closing = read.given.text("of").as_deref() == Some("close opportunity");
    if closing && crm == Some(Crm::Salesforce) {
        let span = read.given.places.get("of").copied().unwrap_or(read.span);
        let message = "Salesforce has no call `close opportunity`".to_owned();
        let help = "it closes by an update of the stage: `update opportunity`".to_owned();
        reader.report(span, message, "Dynamics 365 only".to_owned(), Some(help));
    }
}

fn connector(reader: &mut Reader, read: &Read, running: &mut bool) {
    let wrong = match (read.verb.name, *running) {
        ("start connector", true) => Some("runs already"),
        ("stop connector" | "restart connector" | "crash connector", false) => Some("is stopped already"),
        _ => None,
    };
    if let Some(wrong) = wrong {
        let message = format!("`{}`, but the connector {wrong}", read.verb.name);
        reader.report(read.span, message, wrong.to_owned(), None);
    }
    match read.verb.name {
        "stop connector" => *running = false,
        "start connector" => *running = true,
        _ => {}
    }
}
