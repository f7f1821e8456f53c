//! The small values of a referral: words of a closed list, amounts, times of the service.
//!
//! It knows how each is printed and read, not what it means: that is [`super::lifecycle`].

use std::fmt;

use jiff::Timestamp;
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::error::Problem;

/// An enumeration whose variants are printed and read as they are spelled.
macro_rules! words {
    ($(#[$doc:meta])* $vis:vis $name:ident { $($(#[$word_doc:meta])* $word:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        $vis enum $name { $($(#[$word_doc])* $word),+ }

        impl $name {
            /// The word as the API prints it.
            $vis fn as_str(self) -> &'static str {
                match self { $(Self::$word => stringify!($word)),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words!(
    /// `status` (partner-center.md section 2.1). The enumeration's `None` is never a state, and is not accepted.
    pub(super) Status {
        /// Waits for an answer.
        New,
        /// Being worked on.
        Active,
        /// Over, for good.
        Closed,
    }
);

words!(
    /// `substatus` (partner-center.md sections 2.1 and 3.1).
    pub(super) Substatus {
        /// New: nobody has answered.
        Pending,
        /// New: seen.
        Received,
        /// Active.
        Accepted,
        /// Closed: a deal was made.
        Won,
        /// Closed: no deal was made.
        Lost,
        /// Closed: refused by the one who was asked.
        Declined,
        /// Closed: nobody answered in time.
        Expired,
        /// Closed: a mistake. Its spelling on the wire is inferred from the bulk files.
        Error,
    }
);

words!(
    /// `qualification` (partner-center.md section 2.1).
    pub(super) Qualification {
        /// Not qualified by Microsoft: the partner's own.
        None,
        /// From a customer.
        Direct,
        /// From Microsoft's marketing automation.
        MarketingQualified,
        /// From a sales agent.
        SalesQualified,
    }
);

words!(
    /// `type` (partner-center.md section 2.1).
    pub(super) ReferralType {
        /// Visible to one partner.
        Independent,
        /// Visible to two parties.
        Shared,
    }
);

words!(
    /// `direction` (partner-center.md section 2.1).
    pub(super) Direction {
        /// Received.
        Incoming,
        /// Sent.
        Outgoing,
    }
);

words!(
    /// `inviteContext.assistanceRequestCode`: how Microsoft can help (partner-center.md section 3.4).
    pub Assistance {
        /// No help is asked.
        Unknown,
        /// Workload-specific value proposition.
        WorkloadSpecificValueProposition,
        /// Customer technical architecture.
        CustomerTechnicalArchitecture,
        /// Proof of concept or demo.
        ProofOfConceptOrDemo,
        /// Quotes or licensing.
        QuotesOrLicensing,
        /// Post-sales customer success.
        PostSalesCustomerSuccess,
        /// General or other.
        GeneralOrOther,
    }
);

impl Assistance {
    /// The kinds of help, in the order of the bulk files.
    pub const KINDS: [Self; 6] = [
        Self::WorkloadSpecificValueProposition,
        Self::CustomerTechnicalArchitecture,
        Self::ProofOfConceptOrDemo,
        Self::QuotesOrLicensing,
        Self::PostSalesCustomerSuccess,
        Self::GeneralOrOther,
    ];
}

/// A sales stage as real answers print it: a number as text (partner-center.md section 3.5). Both families of names are
/// taken. Assumed: which number each of the connector's four names stands for.
pub(super) fn stage_number(stage: &str) -> Result<String, Problem> {
    let number = match stage {
        "10" | "Created" | "Accepted" => "10",
        "20" | "Qualified" | "Qualify" => "20",
        "40" | "Developed" | "Develop" => "40",
        "60" | "Proposed" | "Propose" => "60",
        "80" | "Negotiated" => "80",
        "100" | "Won" | "Close" => "100",
        _ => {
            let message = "The sales stage is not one of 10, 20, 40, 60, 80, 100.";
            return Err(Problem::invalid("salesStage", message));
        }
    };
    Ok(number.to_owned())
}

/// An amount of money: never negative, never infinite, read from a number or from its text (the PATCH samples of
/// partner-center.md section 4.1 send `"10000"`), printed without a fraction when it has none.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(super) struct Amount(f64);

impl Amount {
    /// The largest amount: above it a JSON number is no longer exact.
    const LIMIT: f64 = 9_007_199_254_740_992.0;

    /// The amount, or `None` when it is negative, too large, or no number.
    ///
    /// Assumed: negative values are refused; the facts name no limits.
    pub(super) fn new(value: f64) -> Option<Self> {
        // `abs` makes one zero of the two.
        (0.0..=Self::LIMIT).contains(&value).then_some(Self(value.abs()))
    }
}

impl Amount {
    /// The amount as a number.
    pub(super) fn get(self) -> f64 {
        self.0
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::float_cmp,
            reason = "below 2^53, checked when it was made; the comparison asks for exactness"
        )]
        let whole = (self.0.trunc() == self.0).then_some(self.0 as u64);
        match whole {
            Some(whole) => serializer.serialize_u64(whole),
            None => serializer.serialize_f64(self.0),
        }
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Amount;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an amount that is not negative")
            }
            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Amount, E> {
                Amount::new(value).ok_or_else(|| E::invalid_value(de::Unexpected::Float(value), &self))
            }
            #[expect(
                clippy::cast_precision_loss,
                reason = "amounts that lose precision are above the limit"
            )]
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Amount, E> {
                self.visit_f64(value as f64)
            }
            #[expect(
                clippy::cast_precision_loss,
                reason = "amounts that lose precision are above the limit"
            )]
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Amount, E> {
                self.visit_f64(value as f64)
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Amount, E> {
                let digits = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
                let value = text.parse().ok().filter(|_| digits).and_then(Amount::new);
                value.ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

/// A time that the service sets, printed with seven fractional digits and `Z` (partner-center.md section 2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stamp(pub(super) Timestamp);

/// Seven fractional digits, as .NET prints them.
const SEVEN_DIGITS: jiff::fmt::temporal::DateTimePrinter =
    jiff::fmt::temporal::DateTimePrinter::new().precision(Some(7));

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&SEVEN_DIGITS.timestamp_to_string(&self.0))
    }
}

impl Serialize for Stamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&SEVEN_DIGITS.timestamp_to_string(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(json: &str) -> Option<String> {
        let amount: Amount = serde_json::from_str(json).ok()?;
        serde_json::to_string(&amount).ok()
    }

    #[test]
    fn an_amount_reads_numbers_and_their_text_and_prints_the_shortest_number() {
        assert_eq!(amount("10000").as_deref(), Some("10000"));
        assert_eq!(amount("\"10000\"").as_deref(), Some("10000"));
        assert_eq!(amount("10000.0").as_deref(), Some("10000"));
        assert_eq!(amount("19.99").as_deref(), Some("19.99"));
        assert_eq!(amount("0").as_deref(), Some("0"));
    }

    #[test]
    fn an_amount_refuses_what_is_no_amount() {
        for json in [
            "-1", "-0.01", "\"\"", "\"abc\"", "\"-5\"", "\"inf\"", "\"NaN\"", "\"1e3\"", "true", "null", "[]", "1e300",
        ] {
            assert_eq!(amount(json), None, "{json}");
        }
    }

    #[test]
    fn a_time_of_the_service_has_seven_digits() {
        let stamp = Stamp("2022-02-24T21:04:06.037201Z".parse().unwrap());
        assert_eq!(stamp.to_string(), "2022-02-24T21:04:06.0372010Z");
        assert_eq!(
            Stamp("2022-02-24T21:04:06Z".parse().unwrap()).to_string(),
            "2022-02-24T21:04:06.0000000Z"
        );
    }
}
