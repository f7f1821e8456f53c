//! Newtypes for every identifier, so that a referral's id never stands where an opportunity's is meant.
//!
//! Nothing here knows how a system spells its ids beyond their shape.

use serde::{Deserialize, Serialize};

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes an id as its system prints it.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The id as its system prints it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id! {
    /// A referral in Partner Center: a guid (partner-center.md section 2.2).
    ReferralId
}
text_id! {
    /// An engagement: what the referrals of all parties to one deal share (partner-center.md section 5).
    EngagementId
}
text_id! {
    /// An opportunity in the CRM: 18 characters in Salesforce, a guid in Dataverse.
    OpportunityId
}
text_id! {
    /// A customer account in the CRM.
    AccountId
}
text_id! {
    /// A customer contact in the CRM.
    ContactId
}

/// One call of this process. Numbers start at 1 with each process; a reply to a dead process is dropped by the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CallId(pub u64);

/// One webhook delivery that waits for its answer. The driver chooses the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HookId(pub u64);

/// The connector's own number for a deal: part of the key under which its record is persisted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DealNumber(pub u64);

impl std::fmt::Display for DealNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Whether a text has the shape of a guid.
pub fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Whether a text has the shape of a Salesforce id: 15 or 18 letters and digits (salesforce.md section 3.1).
pub fn is_salesforce_id(text: &str) -> bool {
    matches!(text.len(), 15 | 18) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_of_ids_are_recognised() {
        assert!(is_guid("4111fffc-f9ee-4d53-bba6-569135228642"));
        assert!(!is_guid("4111fffcf9ee4d53bba6569135228642"));
        assert!(is_salesforce_id("0067e00000RmwSWAAZ"));
        assert!(!is_salesforce_id("OPP-1"));
    }
}
