//! What somebody may have meant who wrote a value in a way that the language does not read.
//!
//! Guesses are offered in diagnostics and never taken for the value itself.

use jiff::{SignedDuration, civil::Date};

use super::words::SUBSTATUSES;

/// Other words for the language's own, in small letters with single blanks: what the vendors and people call things.
const ALIASES: [(&str, &str); 71] = [
    ("canceled", "lost"),
    ("out-sold", "lost"),
    ("amount", "value"),
    ("deal value", "value"),
    ("estimated value", "value"),
    ("close date", "closes"),
    ("closing date", "closes"),
    ("opportunity name", "name"),
    ("deal name", "name"),
    ("description", "notes"),
    ("account", "customer"),
    ("company", "customer"),
    ("state", "status"),
    ("name", "title"),
    ("scenario", "steps"),
    ("given deals", "given"),
    ("poll interval", "poll every"),
    ("country code field", "country field"),
    ("2020", "documented-2020"),
    ("2021", "documented-2021"),
    ("2023", "documented-2023"),
    ("duration", "time"),
    ("salesforce", "crm"),
    ("dynamics", "crm"),
    ("dynamics 365", "crm"),
    ("dataverse", "crm"),
    ("pc", "partner center"),
    ("microsoft", "partner center"),
    ("webhook", "webhooks"),
    ("entra", "sign-in"),
    ("login", "sign-in"),
    ("expired", "password expired"),
    ("password", "password expired"),
    ("deleted", "missing"),
    ("closed won", "won"),
    ("closed as won", "won"),
    ("closed lost", "lost"),
    ("closed as lost", "lost"),
    ("both sides", "both"),
    ("pc→crm", "pc to crm"),
    ("pc->crm", "pc to crm"),
    ("crm→pc", "crm to pc"),
    ("crm->pc", "crm to pc"),
    ("last writer wins", "latest"),
    ("last-writer-wins", "latest"),
    ("newest", "latest"),
    ("partner center wins", "pc wins"),
    ("microsoft wins", "pc wins"),
    ("salesforce wins", "crm wins"),
    ("dynamics wins", "crm wins"),
    ("✔", "check"),
    ("✗", "cross"),
    ("✖", "cross"),
    ("partner center webhook registration", "webhook registration"),
    ("[customize] create or get details from crm", "customize"),
    ("create co-sell referral – crm to pc", "create referral"),
    ("create co-sell referral - crm to pc", "create referral"),
    ("pc microsoft co-sell referral updates to crm", "microsoft updates"),
    ("microsoft co-sell referral updates", "microsoft updates"),
    ("crm opportunity to pc", "opportunity to pc"),
    ("crm microsoft solutions to pc", "solutions to pc"),
    ("greater than", "at least"),
    ("more than", "at least"),
    ("min", "at least"),
    ("less than", "at most"),
    ("max", "at most"),
    ("regex", "matches"),
    ("pattern", "matches"),
    ("in", "one of"),
    ("any of", "one of"),
    ("includes", "contains"),
];

/// The language's word for another one, when it is among those that can stand here.
pub(super) fn alias(written: &str, known: &[&'static str]) -> Option<&'static str> {
    let words = written.to_lowercase();
    let meant = ALIASES.iter().find(|(other, _)| *other == words)?.1;
    known.iter().copied().find(|word| *word == meant)
}

/// How people begin steps that the language has under other words, and what to write.
const STEPS: [(&str, &str); 14] = [
    (
        "seller accepts",
        "a seller accepts by moving the deal: `seller moves: {deal: …, to: active}`",
    ),
    (
        "seller declines",
        "a seller declines by closing a deal on hold: `seller closes: {deal: …, as: lost}`",
    ),
    ("salesforce is", "write `disconnect: {system: crm, for: …}`"),
    ("dynamics is", "write `disconnect: {system: crm, for: …}`"),
    (
        "partner center is",
        "write `disconnect: {system: partner center, for: …}`",
    ),
    ("revoke role", "`give roles` says all that a user may do from now on"),
    ("remove role", "`give roles` says all that a user may do from now on"),
    ("token", "write `expire tokens: partner center`, or `crm`"),
    (
        "at ",
        "time passes with `wait`; what comes next stands in a step of its own",
    ),
    (
        "after ",
        "time passes with `wait`; what comes next stands in a step of its own",
    ),
    ("then", "steps happen one after the other: leave the word out"),
    (
        "repeat",
        "a table of `examples` runs a scenario once for each row; there are no loops",
    ),
    (
        "for each",
        "a table of `examples` runs a scenario once for each row; there are no loops",
    ),
    ("given", "`given` stands above `steps`, in the column of `title`"),
];

/// Fields that people look for with a step of their own.
const LOOKS: [&str; 6] = ["audit", "mark", "stage", "opportunity", "status", "referral"];

/// What to write instead of a step that there is not, where its words tell.
pub(super) fn step(name: &str) -> Option<String> {
    let words = name.to_lowercase();
    let known = STEPS.iter().find(|(beginning, _)| words.starts_with(beginning));
    if let Some((_, help)) = known {
        return Some((*help).to_owned());
    }
    let looked_for = words.strip_prefix("expect ")?.trim_start_matches("no ");
    let field = LOOKS.iter().find(|field| looked_for == **field)?;
    Some(match *field {
        "opportunity" => "write `expect in crm: {deal: …, …}`, or `expect none in crm: …`".to_owned(),
        "referral" => "write `expect in pc: {deal: …, …}`, or `expect none in pc: …`".to_owned(),
        "status" => "write `expect in pc: {deal: …, status: …}`".to_owned(),
        field => format!("write `expect in crm: {{deal: …, {field}: …}}`"),
    })
}

/// What to write instead of `>= 5`, or of a substatus where the status belongs.
pub(super) fn comparison(key: &str, written: &str) -> Option<String> {
    if key == "status" && SUBSTATUSES.contains(&written) {
        return Some(format!("{written} is a substatus: write `substatus: {written}`"));
    }
    if written.len() > 60 {
        return None;
    }
    let (matcher, value) = match written.strip_prefix('>') {
        Some(value) => ("at least", value),
        None => ("at most", written.strip_prefix('<')?),
    };
    Some(format!(
        "write `{key}: {{{matcher}: {}}}`",
        value.trim_start_matches('=').trim()
    ))
}

/// The amount that somebody may have meant by `$50,000`, `usd 50000`, `50k USD`, `50.000,00 EUR`.
pub(super) fn money(words: &str) -> Option<String> {
    if words.len() > 40 || words.starts_with('-') {
        return None;
    }
    let sign = |sign: &char| sign.is_ascii_digit() || matches!(sign, '.' | ',');
    let digits: String = words.chars().filter(sign).collect();
    let letters: String = words.chars().filter(|sign| sign.is_alphabetic()).collect();
    let (factor, letters) = match letters.strip_prefix(['k', 'K']) {
        Some(rest) if rest.len() != 2 => ("000", rest.to_owned()),
        _ => ("", letters),
    };
    let currency = match letters.to_ascii_uppercase().as_str() {
        _ if words.contains('€') => "EUR".to_owned(),
        _ if words.contains('£') => "GBP".to_owned(),
        "" | "DOLLAR" | "DOLLARS" => "USD".to_owned(),
        "EURO" | "EUROS" => "EUR".to_owned(),
        "POUND" | "POUNDS" => "GBP".to_owned(),
        "YEN" => "JPY".to_owned(),
        other => other.to_owned(),
    };
    let amount = amount(&digits)?;
    let amount = match (factor, amount.contains('.')) {
        ("", _) | (_, false) => format!("{amount}{factor}"),
        (_, true) => return None,
    };
    let guess = format!("{amount} {currency}");
    (guess != words && currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase())).then_some(guess)
}

/// `50.000,00`, `50,000` and `50000.5` as plain digits with a point: a separator before exactly three last digits, or one that
/// stands there again, parts thousands.
fn amount(digits: &str) -> Option<String> {
    let Some(last) = digits.rfind(['.', ',']) else {
        return (!digits.is_empty()).then(|| digits.to_owned());
    };
    let whole: String = digits[..last].chars().filter(char::is_ascii_digit).collect();
    let tail = &digits[last + 1..];
    if whole.is_empty() || tail.is_empty() {
        return None;
    }
    let other_before = digits[..last].contains(if digits[last..].starts_with('.') { ',' } else { '.' });
    Some(if tail.len() == 3 && !other_before {
        format!("{whole}{tail}")
    } else {
        format!("{whole}.{tail}")
    })
}

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

/// The days that somebody may have meant by `30.6.2026`, `06/30/2026`, `June 30, 2026`, `2026-6-30` or a time of that day: two
/// where day and month may have changed places.
pub(super) fn days(words: &str) -> Vec<Date> {
    let words = match words.split_once('T') {
        Some((day, time)) if day.len() >= 8 && time.starts_with(|sign: char| sign.is_ascii_digit()) => day,
        _ => words,
    };
    let parts: Vec<&str> = words
        .split(|sign: char| !sign.is_alphanumeric())
        .filter(|part| !part.is_empty())
        .collect();
    let &[one, two, three] = parts.as_slice() else {
        return Vec::new();
    };
    let day = |year: &str, month: &str, day: &str| {
        let month = month.parse::<i8>().ok().or_else(|| of_name(month))?;
        Date::new(year.parse().ok()?, month, day.parse().ok()?).ok()
    };
    let year = |part: &str| part.len() == 4 && part.bytes().all(|byte| byte.is_ascii_digit());
    let found = if year(one) {
        vec![day(one, two, three)]
    } else if !year(three) {
        Vec::new()
    } else if of_name(one).is_some() {
        vec![day(three, one, two)]
    } else if words.contains('.') || of_name(two).is_some() {
        vec![day(three, two, one)]
    } else {
        vec![day(three, one, two), day(three, two, one)]
    };
    let mut found: Vec<Date> = found.into_iter().flatten().collect();
    found.dedup();
    found
}

fn of_name(word: &str) -> Option<i8> {
    let word = word.to_lowercase();
    let start = word.get(..3)?;
    let at = MONTHS.iter().position(|month| *month == start)?;
    i8::try_from(at + 1).ok()
}

/// The length that somebody may have meant by `1.5h`, `2 days`, `90 min`.
pub(super) fn length(words: &str) -> Option<SignedDuration> {
    let digits: String = words
        .chars()
        .take_while(|sign| sign.is_ascii_digit() || matches!(sign, '.' | ','))
        .collect();
    let unit = match words[digits.len()..].trim().to_lowercase().as_str() {
        "d" | "day" | "days" => 86_400_000.0,
        "h" | "hr" | "hour" | "hours" | "hrs" => 3_600_000.0,
        "m" | "min" | "mins" | "minute" | "minutes" => 60_000.0,
        "s" | "sec" | "secs" | "second" | "seconds" => 1_000.0,
        "w" | "week" | "weeks" => 604_800_000.0,
        _ => return None,
    };
    let count: f64 = digits.replace(',', ".").parse().ok()?;
    let millis = (count * unit).round();
    // Ten years in milliseconds have no fraction and fit into both types.
    #[expect(clippy::cast_possible_truncation, reason = "bounded just before")]
    (millis > 0.0 && millis < 4.0e11).then(|| SignedDuration::from_millis(millis as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_guessed_from_the_ways_of_several_countries() {
        for (written, meant) in [
            ("50,000 USD", "50000 USD"),
            ("1,000,000 USD", "1000000 USD"),
            ("50.000,00 EUR", "50000.00 EUR"),
            ("50,000.50 USD", "50000.50 USD"),
            ("50000,5 EUR", "50000.5 EUR"),
            ("50k USD", "50000 USD"),
            ("50K", "50000 USD"),
            ("€ 500", "500 EUR"),
            ("500 Dollar", "500 USD"),
            ("10 000 KRW", "10000 KRW"),
        ] {
            assert_eq!(money(written).as_deref(), Some(meant), "{written}");
        }
        for nothing in ["-5 USD", "lots", "", "5 US", "1.5k USD"] {
            assert_eq!(money(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn a_day_is_guessed_and_both_are_named_where_day_and_month_may_have_changed_places() {
        for (written, meant) in [
            ("30.6.2026", "2026-06-30"),
            ("06/30/2026", "2026-06-30"),
            ("June 30, 2026", "2026-06-30"),
            ("30 June 2026", "2026-06-30"),
            ("2026-6-30", "2026-06-30"),
            ("2026/06/30", "2026-06-30"),
            ("2026-06-30T00:00:00Z", "2026-06-30"),
            ("05/06/2026", "2026-05-06 2026-06-05"),
            ("in 30 days", ""),
            ("30.02.2026", ""),
        ] {
            let guessed: Vec<String> = days(written).iter().map(Date::to_string).collect();
            assert_eq!(guessed.join(" "), meant, "{written}");
        }
    }

    #[test]
    fn a_fraction_of_an_hour_is_so_many_minutes() {
        assert_eq!(length("1.5h"), Some(SignedDuration::from_mins(90)));
        assert_eq!(length("2 days"), Some(SignedDuration::from_hours(48)));
        assert_eq!(length("1w"), Some(SignedDuration::from_hours(168)));
        assert_eq!((length("soon"), length("h"), length("999999d")), (None, None, None));
    }

    #[test]
    fn other_words_stand_for_one_of_those_that_can_stand_there() {
        assert_eq!(alias("Salesforce", &["partner center", "crm"]), Some("crm"));
        assert_eq!(alias("Closed Won", &["won", "lost"]), Some("won"));
        assert_eq!(alias("salesforce", &["won", "lost"]), None);
    }
}
