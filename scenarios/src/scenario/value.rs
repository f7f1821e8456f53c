//! Single values: amounts, days, lengths of time, numbers.
//!
//! It reads words only; which value belongs where stands in the descriptions of the keys.

use iso_currency::Currency;
use jiff::{SignedDuration, civil::Date};

use super::act::Money;
use super::guess;
use crate::diagnostic::nearest;

/// What is wrong with a value: the words under the caret (what is expected, when empty), and what to write instead if that
/// can be guessed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) label: String,
    pub(super) help: Option<String>,
}

impl Fault {
    fn new(label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            help: None,
        }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// `50000 USD`: an amount without separators, a blank, three capital letters.
pub(super) fn money(words: &str) -> Result<Money, Fault> {
    let wrong = || {
        if words.starts_with('-') {
            return Fault::new("an amount cannot be negative");
        }
        let fault = Fault::new("");
        match guess::money(words).filter(|guess| money(guess).is_ok()) {
            Some(guess) => fault.help(format!("did you mean `{guess}`?")),
            None => fault.help("the currency is a code of ISO 4217, such as `USD` or `EUR`"),
        }
    };
    let (digits, currency) = words.split_once(' ').ok_or_else(wrong)?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) || !is_currency(currency) {
        return Err(wrong());
    }
    if fraction.len() > 4 || whole.len() + fraction.len() > 15 {
        return Err(Fault::new(
            "too many digits: at most fifteen, four of them after the point",
        ));
    }
    if Currency::from_code(currency).is_none() {
        let fault = Fault::new("no currency of ISO 4217");
        return Err(match nearest(currency, COMMON_CURRENCIES) {
            Some(near) => fault.help(format!("did you mean `{digits} {near}`?")),
            None => fault,
        });
    }
    // `50.000 EUR` is fifty to some and fifty thousand to others.
    let thousandths = Currency::from_code(currency).is_some_and(|currency| currency.exponent() == Some(3));
    if fraction.len() == 3 && !thousandths {
        let fault = Fault::new("a point before three digits parts thousands in some countries");
        return Err(fault.help(format!(
            "did you mean `{whole}{fraction} {currency}`, or `{whole}.{fraction}0 {currency}`?"
        )));
    }
    let amount = digits.parse().map_err(|_| wrong())?;
    Ok(Money {
        amount,
        currency: currency.to_owned(),
    })
}

/// Those that a slip of a finger most likely means.
const COMMON_CURRENCIES: [&str; 12] = [
    "USD", "EUR", "GBP", "JPY", "INR", "CHF", "CAD", "AUD", "CNY", "SEK", "BRL", "MXN",
];

fn is_currency(word: &str) -> bool {
    word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// `2026-06-30`.
pub(super) fn date(words: &str) -> Result<Date, Fault> {
    let parts: Vec<&str> = words.split('-').collect();
    let all_digits = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
    let &[year, month, day] = parts.as_slice() else {
        return Err(not_a_day(words));
    };
    if year.len() != 4 || month.len() != 2 || day.len() != 2 || !parts.iter().all(all_digits) {
        return Err(not_a_day(words));
    }
    match (year.parse(), month.parse(), day.parse()) {
        (Ok(year), Ok(month), Ok(day)) => {
            Date::new(year, month, day).map_err(|_| Fault::new("there is no such day in the calendar"))
        }
        _ => Err(not_a_day(words)),
    }
}

fn not_a_day(words: &str) -> Fault {
    let fault = Fault::new("");
    match guess::days(words).as_slice() {
        [day] => fault.help(format!("did you mean `{day}`?")),
        [one, other] => fault.help(format!("did you mean `{one}` or `{other}`?")),
        _ => fault,
    }
}

const UNITS: [(&str, i64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];
const LONGEST_DAYS: i64 = 3_650;

/// `2d 4h 30m 15s 200ms`: falling units, each once, together more than nothing.
pub(super) fn duration(words: &str) -> Result<SignedDuration, Fault> {
    if words.trim_start().starts_with('-') {
        let positive = words.trim_start().trim_start_matches('-');
        let fault = Fault::new("a length of time cannot be negative");
        return Err(match duration(positive) {
            Ok(_) => fault.help(format!("did you mean `{positive}`?")),
            Err(_) => fault,
        });
    }
    let mut total = 0_i64;
    let mut units = UNITS.iter();
    for part in words.split(' ') {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = part.split_at(digits);
        let known = UNITS.iter().any(|(name, _)| *name == unit);
        let (true, Ok(number)) = (known, number.parse::<i64>()) else {
            return Err(not_a_duration(words));
        };
        let Some((_, factor)) = units.find(|(name, _)| *name == unit) else {
            return Err(Fault::new("each unit once, the longer before the shorter").help("write for example `2d 4h`"));
        };
        total = total.saturating_add(number.saturating_mul(*factor));
    }
    if total == 0 {
        return Err(Fault::new("no time at all").help("write how long, such as `10m`, or leave it out"));
    }
    if total > LONGEST_DAYS * UNITS[0].1 {
        return Err(
            Fault::new(format!("longer than {LONGEST_DAYS} days")).help("ten years are the most that a run can last")
        );
    }
    Ok(SignedDuration::from_millis(total))
}

/// A length of time as the language writes it: `30d`, `1h 30m`.
pub fn duration_words(lasts: SignedDuration) -> String {
    let mut rest = lasts.as_millis().max(0);
    let mut words = Vec::new();
    for (unit, factor) in UNITS {
        let count = rest / i128::from(factor);
        rest %= i128::from(factor);
        if count > 0 {
            words.push(format!("{count}{unit}"));
        }
    }
    if words.is_empty() {
        "0s".to_owned()
    } else {
        words.join(" ")
    }
}

fn not_a_duration(words: &str) -> Fault {
    let fault = Fault::new("");
    if words.len() > 40 {
        return fault;
    }
    if !words.is_empty() && words.bytes().all(|byte| byte.is_ascii_digit()) {
        return fault.help(format!("say of what: `{words}s`, `{words}m`, `{words}h` or `{words}d`"));
    }
    match guess::length(words).map(duration_words) {
        Some(guess) if guess != words => fault.help(format!("did you mean `{guess}`?")),
        _ => fault.help("the units are `d`, `h`, `m`, `s` and `ms`"),
    }
}

/// `yes` or `no`, and nothing else.
pub(super) fn yes_no(words: &str) -> Result<bool, Fault> {
    match words {
        "yes" => Ok(true),
        "no" => Ok(false),
        other => {
            let fault = Fault::new("");
            match other.to_lowercase().as_str() {
                "true" | "on" | "y" | "yes" => Err(fault.help("did you mean `yes`?")),
                "false" | "off" | "n" | "no" => Err(fault.help("did you mean `no`?")),
                _ => Err(fault),
            }
        }
    }
}

/// A whole number between two others, both included.
pub(super) fn number(words: &str, least: u64, most: u64) -> Result<u64, Fault> {
    let digits = words.bytes().all(|byte| byte.is_ascii_digit());
    let number = if digits { words.parse().ok() } else { None };
    number
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| Fault::new(""))
}

/// The name of a deal: letters, digits, `-` and `_`.
pub(super) fn deal(words: &str) -> Result<String, Fault> {
    let plain = |sign: char| sign.is_alphanumeric() || sign == '-' || sign == '_';
    if words.is_empty() || words.chars().count() > 40 || !words.chars().all(plain) {
        return Err(Fault::new("a deal's name is one word of at most 40 letters and digits"));
    }
    Ok(words.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn help<T: std::fmt::Debug>(result: Result<T, Fault>) -> String {
        result.unwrap_err().help.unwrap_or_default()
    }

    #[test]
    fn three_digits_behind_a_point_are_asked_about() {
        assert_eq!(help(money("50.000 EUR")), "did you mean `50000 EUR`, or `50.0000 EUR`?");
        assert!(money("1.234 KWD").is_ok());
        assert!(money("0.1234 USD").is_ok());
    }

    #[test]
    fn money_is_an_amount_a_blank_and_a_currency() {
        let read = money("50000.5 USD").unwrap();
        assert_eq!((read.amount, read.currency.as_str()), (50000.5, "USD"));
        for near in [
            "50,000 USD",
            "USD 50000",
            "50000",
            "$50000",
            "50000USD",
            "50000 usd",
            "50000  USD",
        ] {
            assert_eq!(help(money(near)), "did you mean `50000 USD`?", "{near}");
        }
        for wrong in [
            "",
            "lots",
            "-5 USD",
            "5 US",
            "1.2.3 USD",
            "1e9 USD",
            "1234567890123456 USD",
            "0.00001 USD",
        ] {
            assert!(money(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_day_is_year_month_day_and_must_exist() {
        assert_eq!(date("2026-06-30").unwrap().to_string(), "2026-06-30");
        assert_eq!(help(date("30.6.2026")), "did you mean `2026-06-30`?");
        for wrong in [
            "",
            "2026-06-31",
            "2026-13-01",
            "26-06-30",
            "06/30/2026",
            "05/06/2026",
            "tomorrow",
            "2026-06-30T00:00:00Z",
        ] {
            assert!(date(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_length_of_time_has_falling_units() {
        assert_eq!(duration("2d 4h 30m 15s 200ms").unwrap().as_millis(), 189_015_200);
        assert_eq!(help(duration("10 minutes")), "did you mean `10m`?");
        assert_eq!(help(duration("10")), "say of what: `10s`, `10m`, `10h` or `10d`");
        for wrong in [
            "",
            "4h 2d",
            "4h 4h",
            "-5m",
            "0s",
            "9999d",
            "soon",
            "99999999999999999999d",
            "1.5h",
        ] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_length_of_time_is_written_as_it_is_read() {
        for words in ["30d", "1h 30m", "2d 4h 30m 15s 200ms", "45ms"] {
            assert_eq!(duration_words(duration(words).unwrap()), words);
        }
    }

    #[test]
    fn a_currency_must_be_one_of_iso_4217() {
        assert_eq!(help(money("500 UDS")), "did you mean `500 USD`?");
        assert!(money("500 XQZ").is_err());
        assert_eq!(money("500 ISK").unwrap().currency, "ISK");
    }

    #[test]
    fn yes_no_and_numbers_have_one_spelling() {
        assert_eq!(help(yes_no("true")), "did you mean `yes`?");
        assert_eq!(help(yes_no("Off")), "did you mean `no`?");
        assert_eq!(number("18446744073709551615", 0, u64::MAX), Ok(u64::MAX));
        for wrong in ["0", "1.5", "-1", "", "1_000", "18446744073709551616"] {
            assert!(number(wrong, 1, u64::MAX).is_err(), "{wrong}");
        }
    }
}
