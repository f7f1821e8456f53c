//! Both records of each deal next to each other, as people read them: for reports, not for verdicts.

use serde::Serialize;

use crate::board::Board;
use crate::money;
use crate::record::{Field, Mark, Record, Standing, help_in_pc, pc_standing, visible_in_pc};

/// A deal on both sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sides {
    /// The symbolic name, or the id of the record that there is.
    pub deal: String,
    /// Line by line.
    pub lines: Vec<Line>,
}

/// One property of a deal on both sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Its name.
    pub what: &'static str,
    /// In Partner Center; `None` where it has none.
    pub pc: Option<String>,
    /// In the CRM; `None` where it has none.
    pub crm: Option<String>,
    /// Whether the two sides should agree on it, and do not.
    pub differs: bool,
}

/// Every deal of which either side holds a record, in the order of their names.
pub fn of(board: &Board) -> Vec<Sides> {
    let book = &board.book;
    let mut found = Vec::new();
    let mut linked = Vec::new();
    for (id, referral) in book.partner_referrals() {
        let named = referral.text("/externalReferenceId");
        let opportunity = book
            .opportunities
            .iter()
            .find(|(other, opportunity)| book.referral_of(opportunity) == id || other.as_str() == named);
        if let Some((other, _)) = opportunity {
            linked.push(other);
        }
        found.push(sides(
            board,
            Some((id, referral)),
            opportunity.map(|(id, record)| (id.as_str(), record)),
        ));
    }
    for (id, opportunity) in &book.opportunities {
        if !linked.contains(&id) {
            found.push(sides(board, None, Some((id, opportunity))));
        }
    }
    found.sort_by(|one, other| one.deal.cmp(&other.deal));
    found
}

fn sides(board: &Board, referral: Option<(&String, &Record)>, opportunity: Option<(&str, &Record)>) -> Sides {
    let book = &board.book;
    let id = opportunity.map(|(id, _)| id).or(referral.map(|(id, _)| id.as_str()));
    let (pc, crm) = (
        referral.map(|(_, record)| record),
        opportunity.map(|(_, record)| record),
    );
    let mut lines = merged(board, pc, crm);
    let standing = pc.map(pc_standing).zip(crm.map(|record| book.crm_standing(record)));
    lines.push(Line {
        what: "stage",
        pc: pc.map(|record| format!("{} / {}", record.text("/status"), record.text("/substatus"))),
        crm: crm.map(|record| book.crm_stage(record)),
        differs: standing.is_some_and(|(one, other): (Standing, Standing)| one != other),
    });
    lines.push(Line {
        what: "help",
        pc: pc.and_then(help_in_pc).map(str::to_owned),
        crm: None,
        differs: false,
    });
    let word = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    lines.push(Line {
        what: "visible",
        pc: pc.map(|record| word(visible_in_pc(record))),
        crm: crm.map(|record| word(book.visible_in_crm(record))),
        differs: false,
    });
    lines.push(own("sync", crm.map(|record| word(book.syncs(record)))));
    let mark = crm.map(|record| book.mark(record)).filter(|mark| *mark != Mark::None);
    lines.push(own("mark", mark.map(|mark| mark.name().to_owned())));
    lines.push(own(
        "audit",
        crm.and_then(|record| book.audit(record).lines().next())
            .map(str::to_owned),
    ));
    lines.push(Line {
        what: "link",
        pc: pc.map(|record| record.text("/externalReferenceId").to_owned()),
        crm: crm.map(|record| book.referral_of(record).to_owned()),
        differs: false,
    });
    Sides {
        deal: id.map_or_else(String::new, |id| board.name_of(id).to_owned()),
        lines,
    }
}

/// The fields that both sides hold.
fn merged(board: &Board, pc: Option<&Record>, crm: Option<&Record>) -> Vec<Line> {
    let book = &board.book;
    let mut lines = Vec::new();
    for field in Field::ALL {
        let left = pc.and_then(|record| book.pc_value(record, field));
        let right = crm.and_then(|record| book.crm_value(record, field));
        let differs = pc.is_some() && crm.is_some() && left != right;
        let (left, right) = if field == Field::Value {
            let currency = |value: Option<String>, currency: Option<String>| readable(value, currency.as_deref());
            (
                currency(left, pc.and_then(|record| book.pc_value(record, Field::Currency))),
                currency(right, crm.and_then(|record| book.crm_value(record, Field::Currency))),
            )
        } else {
            (left, right)
        };
        lines.push(Line {
            what: field.name(),
            pc: left,
            crm: right,
            differs,
        });
    }
    lines
}

/// A line that only the CRM has.
fn own(what: &'static str, crm: Option<String>) -> Line {
    Line {
        what,
        pc: None,
        crm,
        differs: false,
    }
}

/// `50000 USD` for an amount in minor units.
fn readable(minor: Option<String>, currency: Option<&str>) -> Option<String> {
    minor.map(|minor| money::show(&minor, currency.unwrap_or_default()))
}
