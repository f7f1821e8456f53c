//! How long to wait after a failure: doubling, capped, with jitter that the caller draws from its seed.
//!
//! `Retry-After` is read here too; whoever got it waits at least that long.

use http::HeaderMap;
use http::header::RETRY_AFTER;
use jiff::SignedDuration;

/// The first pause.
const FIRST: SignedDuration = SignedDuration::from_secs(1);

/// The pause after the given failure in a row, counted from 1. `chance` is drawn evenly from the whole range and moves
/// the pause by at most a quarter down.
pub fn pause(failure: u32, longest: SignedDuration, chance: u64) -> SignedDuration {
    let doubled = FIRST.saturating_mul(2_i32.saturating_pow(failure.saturating_sub(1).min(30)));
    let whole = doubled.min(longest);
    let part = i64::try_from(chance % 1000).unwrap_or_default();
    let cut = whole.as_millis() * i128::from(part) / 4000;
    whole - SignedDuration::from_millis(i64::try_from(cut).unwrap_or_default())
}

/// The longest wait that a system is believed to ask for: a year. Nothing is kept of it over a restart.
const LONGEST: i64 = 366 * 86_400;

/// The seconds of a `Retry-After` header, days included: whoever asks for them gets them, and an operator who knows better
/// starts the process again. The form with a date is not read: no vendor documents it.
pub fn retry_after(headers: &HeaderMap) -> Option<SignedDuration> {
    let seconds: i64 = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    (seconds >= 0).then(|| SignedDuration::from_secs(seconds.min(LONGEST)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_to_their_cap_and_jitter_only_shortens() {
        let longest = SignedDuration::from_mins(5);
        let seconds: Vec<i64> = [1, 2, 3, 9, 10, u32::MAX]
            .map(|failure| pause(failure, longest, 0).as_secs())
            .into();
        assert_eq!(seconds, [1, 2, 4, 256, 300, 300]);
        let jittered = pause(10, longest, 999);
        assert!(jittered < longest && jittered > SignedDuration::from_secs(224));
    }

    #[test]
    fn retry_after_is_read_in_seconds() {
        let mut headers = HeaderMap::new();
        assert_eq!(retry_after(&headers), None);
        headers.insert(RETRY_AFTER, "57".parse().unwrap());
        assert_eq!(retry_after(&headers), Some(SignedDuration::from_secs(57)));
        headers.insert(RETRY_AFTER, "259200".parse().unwrap());
        assert_eq!(retry_after(&headers), Some(SignedDuration::from_hours(72)), "days too");
        headers.insert(RETRY_AFTER, i64::MAX.to_string().parse().unwrap());
        assert_eq!(retry_after(&headers), Some(SignedDuration::from_hours(366 * 24)));
        headers.insert(RETRY_AFTER, "-1".parse().unwrap());
        assert_eq!(retry_after(&headers), None);
    }
}
