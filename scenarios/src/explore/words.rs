//! Values as a history writes them: names, amounts, days, notes, with those among them that have broken connectors.

use cosell_sim::seed::Stream;

use super::draft::quoted;
use super::sketch::Sketch;

/// The words for help (partner-center.md section 3.4).
pub(super) const HELPS: [&str; 6] = [
    "workload-specific value proposition",
    "customer technical architecture",
    "proof of concept or demo",
    "quotes or licensing",
    "post-sales customer success",
    "general or other",
];

/// One of a list.
pub(super) fn pick<'a, T>(stream: &mut Stream, list: &'a [T]) -> &'a T {
    let highest = u64::try_from(list.len().saturating_sub(1)).unwrap_or_default();
    &list[usize::try_from(stream.between(0, highest)).unwrap_or_default()]
}

/// The symbolic name of a deal.
pub(super) fn name_of(deal: usize) -> String {
    format!("D{}", deal + 1)
}

/// What people type into a text field.
const TEXTS: [&str; 14] = [
    "call back in May",
    "second notes",
    "Oil & Gas",
    "<b>bold</b> & \"quoted\"",
    "Zürich ☃ 株式会社",
    "it's here",
    "line\nbreak",
    "  blanks around  ",
    "&amp; already encoded",
    "a: b # c, {d}",
    "e\u{301}te",
    "x",
    "☃ both ends ✓",
    "ünd am Ende ß",
];

const NAMES: [&str; 8] = [
    "Fabrikam migration",
    "Oil & Gas rollout",
    "Renamed ✔",
    "✗ crossed out",
    "Größe 7",
    "Deal \"quoted\" <1>",
    "株式会社 project",
    "Name with, comma",
];

fn text(stream: &mut Stream, sketch: &Sketch) -> String {
    let wordy = sketch.swarm.wordy && stream.between(0, 2) > 0;
    match if wordy { 8 } else { stream.between(0, 15) } {
        0..=7 => quoted(&format!("notes {}", stream.between(1, 999))),
        8 => quoted(&format!(
            "long notes {}\n{}",
            stream.between(1, 999),
            "and so on ".repeat(60)
        )),
        _ => quoted(pick::<&str>(stream, &TEXTS)),
    }
}

fn name(stream: &mut Stream, sketch: &Sketch) -> String {
    if sketch.swarm.wordy && stream.between(0, 1) == 0 {
        let number = stream.between(1, 999);
        return quoted(&format!(
            "Long name {number} of a deal that nobody could tell apart otherwise"
        ));
    }
    if stream.between(0, 1) == 0 {
        return quoted(&format!("Name {}", stream.between(1, 999)));
    }
    quoted(pick::<&str>(stream, &NAMES))
}

fn money(stream: &mut Stream, sketch: &Sketch) -> String {
    let currency = *pick(stream, sketch.swarm.currencies);
    let whole = currency == "JPY";
    let cents = sketch.swarm.cents && stream.between(0, 2) > 0;
    match if cents { 0 } else { stream.between(0, 7) } {
        0 if !whole => format!("{}.{:02} {currency}", stream.between(1, 99_999), stream.between(1, 99)),
        1 => format!("1 {currency}"),
        2 => format!("999999999 {currency}"),
        _ => format!("{} {currency}", stream.between(1, 90_000) * 10),
    }
}

fn day(stream: &mut Stream) -> String {
    match stream.between(0, 5) {
        0 => "2028-02-29".to_owned(),
        1 => (*pick(
            stream,
            &["2026-12-31", "2027-01-01", "2026-04-30", "2026-07-31", "2026-03-01"],
        ))
        .to_owned(),
        _ => format!("2026-{:02}-{:02}", stream.between(2, 12), stream.between(1, 28)),
    }
}

fn value_of(stream: &mut Stream, sketch: &Sketch, field: &str) -> String {
    match field {
        "name" => name(stream, sketch),
        "value" => money(stream, sketch),
        "closes" => day(stream),
        _ => text(stream, sketch),
    }
}

/// Some of the allowed fields, at least one.
pub(super) fn edit(stream: &mut Stream, sketch: &Sketch, allowed: &[&'static str]) -> Vec<(&'static str, String)> {
    let fields = sketch.swarm.fields_of(allowed);
    let first = usize::try_from(stream.between(0, 99)).unwrap_or_default() % fields.len();
    let mut keys = Vec::new();
    for (at, field) in fields.iter().enumerate() {
        if at == first || stream.between(0, 4) == 0 {
            keys.push((*field, value_of(stream, sketch, field)));
        }
    }
    keys
}

/// What a new deal says besides its name.
pub(super) fn new_deal(stream: &mut Stream, sketch: &Sketch) -> Vec<(&'static str, String)> {
    let mut keys = Vec::new();
    if stream.between(0, 2) == 0 {
        keys.push(("name", name(stream, sketch)));
    }
    if sketch.swarm.one_customer || stream.between(0, 2) == 0 {
        // Deals of one customer share its account.
        keys.push(("customer", "Fabrikam".to_owned()));
        if stream.between(0, 3) == 0 {
            // Another company of that name.
            keys.push(("postal code", quoted("10115")));
        }
        if sketch.swarm.one_customer || stream.between(0, 1) == 0 {
            let buyer = "{first name: Ada, last name: Byron, email: ada@fabrikam.example}";
            keys.push(("contact", buyer.to_owned()));
        }
    }
    if stream.between(0, 2) > 0 {
        keys.push(("value", money(stream, sketch)));
    }
    if stream.between(0, 1) == 0 {
        keys.push(("closes", day(stream)));
    }
    if stream.between(0, 2) > 0 {
        keys.push(("notes", text(stream, sketch)));
    }
    keys
}
