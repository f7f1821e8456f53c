//! The moment that is part of a token for changes: in the URL of whoever follows them, and in the link at the end of the answer
//! (dataverse.md section 2.8). Between two looks that see no change, it is all that differs.
//!
//! It knows no rows.

use bytes::{BufMut as _, Bytes, BytesMut};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// `08%2f22%2f2017%2008%3a10%3a44`.
const LENGTH: usize = 29;
/// What stands between its numbers.
const BETWEEN: [&str; 5] = ["%2f", "%2f", "%20", "%3a", "%3a"];
/// What stands behind it in an answer.
const END: &[u8] = b"\"}";

/// A moment as it stands in a link, in whole seconds.
pub(super) fn print(at: Timestamp) -> String {
    let at = TimeZone::UTC.to_datetime(at);
    let mut text = String::with_capacity(LENGTH);
    let numbers = [at.month(), at.day(), 0, at.hour(), at.minute(), at.second()];
    for (place, number) in numbers.into_iter().enumerate() {
        if place == 2 {
            push(&mut text, i32::from(at.year()), 1_000);
        } else {
            push(&mut text, i32::from(number), 10);
        }
        text.push_str(BETWEEN.get(place).copied().unwrap_or_default());
    }
    text
}

/// The digits of a number, the first of them of this weight.
fn push(text: &mut String, number: i32, mut weight: i32) {
    while weight > 0 {
        let digit = u32::try_from(number / weight % 10)
            .ok()
            .and_then(|digit| char::from_digit(digit, 10));
        text.push(digit.unwrap_or('0'));
        weight /= 10;
    }
}

fn read(text: &str) -> Option<Timestamp> {
    let mut rest = text;
    let mut numbers = [0_i16; 6];
    for (place, number) in numbers.iter_mut().enumerate() {
        let (digits, behind) = rest.split_at_checked(if place == 2 { 4 } else { 2 })?;
        *number = digits
            .parse()
            .ok()
            .filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
        rest = behind.strip_prefix(BETWEEN.get(place).copied().unwrap_or_default())?;
    }
    let [month, day, year, hour, minute, second] = numbers;
    let small = |number: i16| i8::try_from(number).ok();
    let at = DateTime::new(
        year,
        small(month)?,
        small(day)?,
        small(hour)?,
        small(minute)?,
        small(second)?,
        0,
    )
    .ok()?;
    TimeZone::UTC.to_timestamp(at).ok().filter(|_| rest.is_empty())
}

/// A URL that ends with a token as links print it: all but the token's moment, and the moment.
pub(super) fn split(target: &str) -> Option<(&str, Timestamp)> {
    let (head, moment) = target.split_at_checked(target.len().checked_sub(LENGTH)?)?;
    let (_, version) = head.strip_suffix("%21")?.rsplit_once("$deltatoken=")?;
    version.parse::<i64>().ok()?;
    Some((head, read(moment)?))
}

/// Whether an answer ends with a link that has a moment.
pub(super) fn is_in(body: &Bytes) -> bool {
    let link = body.strip_suffix(END).and_then(|text| std::str::from_utf8(text).ok());
    link.and_then(split).is_some()
}

/// An answer that [`is_in`] has found one in, at another moment.
pub(super) fn moved(body: &Bytes, to: Timestamp) -> Bytes {
    let before = body.len().saturating_sub(LENGTH + END.len());
    let mut moved = BytesMut::with_capacity(body.len());
    moved.put_slice(&body[..before]);
    moved.put_slice(print(to).as_bytes());
    moved.put_slice(END);
    moved.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_read_as_it_is_printed_and_changed_in_place() {
        let (one, other) = ("2017-08-22T08:10:44Z", "2026-01-05T23:59:09Z");
        let (one, other): (Timestamp, Timestamp) = (one.parse().unwrap(), other.parse().unwrap());
        assert_eq!(print(one), "08%2f22%2f2017%2008%3a10%3a44");
        let link = |at| format!("https://x.example/t?$select=a&$deltatoken=919042%21{}", print(at));
        assert_eq!(
            split(&link(one)),
            Some(("https://x.example/t?$select=a&$deltatoken=919042%21", one))
        );
        let body = |at| Bytes::from(format!("{{\"value\":[],\"@odata.deltaLink\":\"{}\"}}", link(at)));
        assert!(is_in(&body(one)));
        assert_eq!(moved(&body(one), other), body(other));
    }

    #[test]
    fn what_is_no_printed_moment_is_left_to_whoever_reads_tokens() {
        let moment = print(Timestamp::UNIX_EPOCH);
        let strange = [
            String::new(),
            format!("t?$deltatoken={moment}"),
            format!("t?$deltatoken=x%21{moment}"),
            format!("t?$deltatoken=1%21{}", moment.replace("%2f", "%2F")),
            format!("t?$deltatoken=1%21{}", moment.replace("01%2f", "13%2f")),
            format!("t?$deltatoken=1%21{moment}&$top=1"),
        ];
        assert!(strange.iter().all(|target| split(target).is_none()));
    }
}
