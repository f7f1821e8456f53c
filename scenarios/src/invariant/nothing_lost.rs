//! `nothing-lost`: what people wrote is written over only where the settings say so. Each deal is followed by the naive
//! model of [`crate::reference`]; it is told every commit and asked about each one of the connector.

use std::collections::{BTreeMap, BTreeSet};

use cosell_sim::happening::{Commit, CommitKind};
use cosell_sim::world::observation::Observed;
use jiff::Timestamp;

use super::{Code, Finding, Findings, Invariant, Scene, end_of};
use crate::board::CONNECTOR;
use crate::record::{Book, Field, Record, Standing, pc_standing};
use crate::reference::{Breach, Cell, Moment, Side, Value, Way, Winner, rule};
use crate::trace::{Entry, Trace, What};

pub(super) const EXPLANATION: &str = "Every accepted edit is where the profile sends it, or was beaten as the settings say.

A naive model follows each deal from what people wrote on both sides, in the order in which it was stored. At each write \
of the connector it asks: did the other side change this field since both last agreed? Does the policy let it win? Is the \
deal on hold? Does the field go this way at all? A write over an edit that should have stood is a finding at that moment, \
even if a later write hides it; a conflict that the wrong side won is `converged`. At the end every deal must have its \
counterpart or a reason that the records show, and what both sides hold must be what somebody last wrote there. An \
opportunity is made with Sync = Yes and with the solutions of its referral, and a solution that a seller takes away stays away.

Look first at the base of the merge and at preconditions: a write that was decided on an older read than it should be.";

/// The fields that the model follows: an amount goes with its currency.
const FOLLOWED: [Field; 4] = [Field::Name, Field::Value, Field::Closes, Field::Notes];

/// The tables of a deal's solutions.
const SOLUTIONS: [&str; 2] = ["Microsoft_Solutions__c", "msft_partnercentersolution"];

/// One deal with both records.
struct Pair {
    opportunity: String,
    cells: Vec<(Field, Cell)>,
    held: bool,
    /// By side: when anybody, and when anybody but the connector, last changed the record.
    changed: [[Timestamp; 2]; 2],
}

/// Every deal that has both records.
#[derive(Default)]
pub(super) struct NothingLost {
    /// By referral.
    pairs: BTreeMap<String, Pair>,
    /// Opportunities that the connector made, each with its referral.
    made: BTreeMap<String, String>,
    /// The same while the reply to the create is under way.
    making: BTreeMap<u64, (String, String)>,
    /// Rows of solutions, each with its opportunity.
    solutions: BTreeMap<String, String>,
    /// Opportunities from which somebody took a solution away.
    lessened: BTreeSet<String>,
    /// Exchanges whose commit the connector has not heard of, with the referral.
    unheard: BTreeMap<u64, String>,
}

impl Invariant for NothingLost {
    fn watch(&mut self, entry: &Entry, scene: &Scene<'_>, findings: &mut Findings) {
        match &entry.what {
            What::Observed(Observed::Committed { exchange, commit }) => {
                self.commit(commit, exchange.unwrap_or_default(), entry.at, scene, findings);
            }
            What::Observed(Observed::Replied { exchange, response, .. }) => {
                if let Some((opportunity, referral)) = self.making.remove(exchange) {
                    // A reply that breaks off tells nothing about what it was about to say.
                    let body = response.body.bytes();
                    if body.is_empty() || serde_json::from_slice::<serde_json::Value>(body).is_ok() {
                        self.made.insert(opportunity, referral);
                    }
                }
                if let Some(pair) = self.unheard.remove(exchange).and_then(|id| self.pairs.get_mut(&id)) {
                    for (_, cell) in &mut pair.cells {
                        cell.heard(*exchange, entry.at.as_nanosecond());
                    }
                }
            }
            What::Observed(Observed::Faulted { fate, .. }) if fate.starts_with("without") => {
                for (_, cell) in self.pairs.values_mut().flat_map(|pair| &mut pair.cells) {
                    cell.forget_base();
                }
            }
            What::Observed(Observed::ConnectorDown) => {
                for (_, cell) in self.pairs.values_mut().flat_map(|pair| &mut pair.cells) {
                    cell.settle_heard(entry.at.as_nanosecond());
                    cell.died();
                }
            }
            _ => {}
        }
    }

    fn finish(&mut self, trace: &Trace, scene: &Scene<'_>, findings: &mut Findings) {
        self.solutions(trace, scene, findings);
        let book = &scene.board.book;
        for (id, pair) in &self.pairs {
            let (Some(referral), Some(opportunity)) =
                (book.referrals.get(id), book.opportunities.get(&pair.opportunity))
            else {
                continue;
            };
            if !book.syncs(opportunity) || pc_standing(referral).is_closed() {
                continue;
            }
            for (field, cell) in &pair.cells {
                let (in_pc, in_crm) = (cell.value(Side::PartnerCenter), cell.value(Side::Crm));
                if in_pc == in_crm && !cell.may_end_with(in_pc) {
                    let deal = scene.board.name_of(&pair.opportunity);
                    let text = format!(
                        "{} of {deal} ended with what nobody wrote last on either side",
                        field.name()
                    );
                    let expected: Vec<String> = cell.last_written().map(shown).collect();
                    let finding = Finding::new(Code::NothingLost, end_of(trace), Some(deal), text);
                    findings.add(finding.comparing(expected.join(" or "), shown(in_pc)));
                }
            }
        }
    }
}

impl NothingLost {
    fn solution(&mut self, commit: &Commit, book: &Book) {
        if !SOLUTIONS.contains(&commit.table.as_str()) {
            return;
        }
        if commit.kind == CommitKind::Deleted {
            let of = self.solutions.remove(&commit.id).filter(|_| commit.actor != CONNECTOR);
            self.lessened.extend(of);
        } else if let Some(row) = book.others.get(&commit.table).and_then(|rows| rows.get(&commit.id)) {
            let of = ["Opportunity__c", "_msft_opportunity_value"].map(|column| row.text(column));
            self.solutions.insert(commit.id.clone(), of.concat());
        }
    }

    /// An opportunity that the connector made has solutions if its referral has (product.md M16).
    fn solutions(&self, trace: &Trace, scene: &Scene<'_>, findings: &mut Findings) {
        let stored = trace.entries.iter().rev().find_map(|entry| match &entry.what {
            What::Stored { rows } => Some(rows),
            _ => None,
        });
        let book = &scene.board.book;
        for (id, referral) in &self.made {
            let live = book
                .opportunities
                .get(id)
                .filter(|opportunity| book.syncs(opportunity) && !book.crm_standing(opportunity).is_closed());
            let wanted = book.referrals.get(referral).is_some_and(|referral| {
                let solutions = referral.get("/details/requirements/solutions").as_array();
                solutions.is_some_and(|solutions| !solutions.is_empty()) && !pc_standing(referral).is_closed()
            });
            let has = stored.into_iter().flatten().any(|row| {
                SOLUTIONS.contains(&row.table.as_str()) && row.fields.values().any(|value| value.as_str() == Some(id))
            });
            if live.is_some() && wanted && !has && !self.lessened.contains(id) {
                let deal = scene.board.name_of(id);
                let text = format!("the opportunity of {deal} was made without the solutions of its referral");
                findings.add(Finding::new(Code::NothingLost, end_of(trace), Some(deal), text));
            }
        }
    }

    fn commit(&mut self, commit: &Commit, exchange: u64, at: Timestamp, scene: &Scene<'_>, findings: &mut Findings) {
        let book = &scene.board.book;
        self.solution(commit, book);
        let (side, referral_id) = if book.referrals.contains_key(&commit.id) {
            (Side::PartnerCenter, commit.id.as_str())
        } else if book.opportunities.contains_key(&commit.id) {
            let Some(referral) = scene.links.referral_of(&commit.id) else {
                return;
            };
            (Side::Crm, referral)
        } else {
            return;
        };
        let by_connector = commit.actor == CONNECTOR;
        if by_connector && side == Side::Crm && commit.kind == CommitKind::Created {
            if book
                .opportunities
                .get(&commit.id)
                .is_some_and(|opportunity| !book.syncs(opportunity))
            {
                let deal = scene.board.name_of(&commit.id);
                let text = format!(
                    "the connector made the opportunity of {deal} with Sync = No, so that nothing of it is carried"
                );
                findings.add(Finding::new(Code::NothingLost, at, Some(deal), text));
            }
            self.making
                .insert(exchange, (commit.id.clone(), referral_id.to_owned()));
        }
        let Some(pair) = self.pairs.get_mut(referral_id) else {
            if let Some(pair) = begin(referral_id, commit, by_connector, at, scene) {
                self.pairs.insert(referral_id.to_owned(), pair);
            }
            return;
        };
        if by_connector && exchange > 0 {
            self.unheard.insert(exchange, referral_id.to_owned());
        }
        pair.commit(
            referral_id,
            (side, by_connector),
            (commit, exchange),
            at,
            scene,
            findings,
        );
    }
}

/// The pair, once both records are there and one names the other.
fn begin(referral: &str, commit: &Commit, by_connector: bool, at: Timestamp, scene: &Scene<'_>) -> Option<Pair> {
    let book = &scene.board.book;
    let opportunity = scene.links.opportunity_of(referral)?;
    let (in_pc, in_crm) = (book.referrals.get(referral)?, book.opportunities.get(opportunity)?);
    let carried = by_connector && commit.kind == CommitKind::Created;
    let cell = |field: Field| {
        let policy = policy(field, scene);
        let rule = rule(field.name(), &scene.header.profile, way(field, scene), policy);
        let (pc, crm) = (plain(book, Ok(in_pc), field), plain(book, Err(in_crm), field));
        (field, Cell::new(rule, pc, crm, carried))
    };
    Some(Pair {
        opportunity: opportunity.to_owned(),
        cells: FOLLOWED.into_iter().map(cell).collect(),
        held: book.crm_standing(in_crm) == Standing::Held,
        changed: [[at; 2]; 2],
    })
}

/// Which way a field goes, where it is not the profile's.
fn way(field: Field, scene: &Scene<'_>) -> Option<Way> {
    Some(match scene.header.directions.get(field.name())?.as_str() {
        "both" => Way::Both,
        "pc to crm" => Way::ToCrm,
        "crm to pc" => Way::ToPartnerCenter,
        _ => Way::Nowhere,
    })
}

/// Who wins a field that both sides changed; none where the profile decides. The value comes with its currency.
fn policy(field: Field, scene: &Scene<'_>) -> Option<Winner> {
    let key = if field == Field::Currency { Field::Value } else { field };
    match scene.header.conflicts.get(key.name())?.as_str() {
        "crm wins" => Some(Winner::Crm),
        "latest" => Some(Winner::Latest),
        _ => Some(Winner::PartnerCenter),
    }
}

impl Pair {
    fn commit(
        &mut self,
        referral: &str,
        (side, by_connector): (Side, bool),
        (commit, exchange): (&Commit, u64),
        at: Timestamp,
        scene: &Scene<'_>,
        findings: &mut Findings,
    ) {
        let book = &scene.board.book;
        let (Some(in_pc), Some(in_crm)) = (book.referrals.get(referral), book.opportunities.get(&self.opportunity))
        else {
            return;
        };
        let held = book.crm_standing(in_crm) == Standing::Held;
        let moment = Moment {
            // Once the referral is closed, what waits on hold can never leave it.
            held: held && self.held && !pc_standing(in_pc).is_closed(),
            drops: scene.header.drops_edits_on_hold,
            surely_later: self.surely_later(),
            exchange,
        };
        let record = if side == Side::PartnerCenter {
            Ok(in_pc)
        } else {
            Err(in_crm)
        };
        let waits = pc_standing(in_pc) == Standing::Held;
        for (field, cell) in &mut self.cells {
            let touched = |field: Field| {
                let name = match side {
                    Side::PartnerCenter => field.pointer(),
                    Side::Crm => book.column(field),
                };
                commit.changes.iter().any(|change| change.field == name)
            };
            let written = touched(*field) || (*field == Field::Value && touched(Field::Currency));
            if !written {
                continue;
            }
            let value = plain(book, record, *field);
            cell.settle_heard(at.as_nanosecond());
            if !by_connector {
                // Accepted in the portal, it is still on hold until the connector has moved it.
                cell.edited(side, value, (waits && (held || self.held), waits || held));
                continue;
            }
            let leaks = moment.drops
                && side == Side::PartnerCenter
                && cell.typed_on_hold()
                && *cell.value(Side::Crm) == value
                && *cell.value(side) != value
                // A deal cannot be without an amount or a day: there is nothing to put back.
                && (cell.value(side).is_some() || *field == Field::Notes);
            let before = cell.value(side).clone();
            let breach = cell.carried(side, value.clone(), moment);
            let what = Wrote {
                side,
                field: *field,
                deal: scene.board.name_of(&self.opportunity),
                before,
                value,
                at,
            };
            what.report(breach, leaks, findings);
        }
        self.held = held;
        let changed = &mut self.changed[usize::from(side == Side::Crm)];
        changed[0] = at;
        if !by_connector {
            changed[1] = at;
        }
    }

    /// Which record was changed later, however the connector reads the two times: CRMs print whole seconds, and Partner
    /// Center wins when both are equal. What the connector itself wrote may lie after the read that it decided on.
    fn surely_later(&self) -> [bool; 2] {
        let [[pc_any, pc_others], [crm_any, crm_others]] = self.changed;
        let printed = |time: Timestamp| Timestamp::from_second(time.as_second()).unwrap_or(time);
        [printed(crm_any) <= pc_others, printed(crm_others) > pc_any]
    }
}

/// A field in the form that the model compares: an amount with its currency.
fn plain(book: &Book, record: Result<&Record, &Record>, field: Field) -> Value {
    if field == Field::Value {
        let raw = match record {
            Ok(referral) => referral.get(field.pointer()),
            Err(opportunity) => opportunity.get(book.column(field)),
        };
        let amount = raw.as_f64().or_else(|| raw.as_str()?.trim().parse().ok())?;
        let currency = match record {
            Ok(referral) => book.pc_value(referral, Field::Currency),
            Err(opportunity) => book.crm_value(opportunity, Field::Currency),
        };
        return Some(format!("{amount:.2} {}", currency.unwrap_or_default()));
    }
    match record {
        Ok(referral) => book.pc_value(referral, field),
        Err(opportunity) => book.crm_value(opportunity, field),
    }
}

/// One field that the connector wrote.
struct Wrote<'a> {
    side: Side,
    field: Field,
    deal: &'a str,
    before: Value,
    value: Value,
    at: Timestamp,
}

impl Wrote<'_> {
    fn report(&self, breach: Option<Breach>, leaks: bool, findings: &mut Findings) {
        let (field, deal) = (self.field.name(), self.deal);
        let (code, text) = match breach {
            Some(breach) => {
                let place = if self.side == Side::PartnerCenter {
                    "Partner Center"
                } else {
                    "the CRM"
                };
                let text = format!("the connector wrote {field} of {deal} in {place}: {}", why(breach));
                (code(breach), text)
            }
            None if leaks => {
                let text = format!(
                    "the connector sent {field} of {deal} that was typed on hold, though such edits are to be dropped"
                );
                (Code::NoLeak, text)
            }
            None => return,
        };
        let finding = Finding::new(code, self.at, Some(deal), text);
        findings.add(finding.comparing(shown(&self.before), shown(&self.value)));
    }
}

fn code(breach: Breach) -> Code {
    match breach {
        Breach::WrongWinner => Code::Converged,
        Breach::Reverted | Breach::Stale | Breach::HeldOverwritten | Breach::AgainstDirection => Code::NothingLost,
    }
}

fn why(breach: Breach) -> &'static str {
    match breach {
        Breach::Reverted => "it wrote over an edit, though the other side had not changed it since both agreed",
        Breach::Stale => "the value is older than what both sides had agreed on",
        Breach::WrongWinner => "both sides had changed it, and the policy lets the other one win",
        Breach::HeldOverwritten => "an edit made on hold waits until the deal leaves it",
        Breach::AgainstDirection => "the profile carries it the other way only",
    }
}

fn shown(value: &Value) -> String {
    value.clone().unwrap_or_else(|| "nothing".to_owned())
}
