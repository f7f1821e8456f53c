//! What the connector must not forget about a deal: its two ids, the base, and what it was about to do.
//!
//! It is written as JSON under `deal/<number>` before each effect that it announces. It holds no secret.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::deal::{Agreed, Field, Values};
use crate::id::{EngagementId, OpportunityId, ReferralId};

/// The last state that both sides agreed on. A field that is not known has never been agreed on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    /// The agreed value of each known field; none where both sides were empty.
    #[serde(default)]
    values: BTreeMap<Field, Option<String>>,
    /// The agreed state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Agreed>,
}

impl Base {
    /// A base that holds every field of these values.
    pub fn of(values: &Values, status: Option<Agreed>) -> Self {
        let known = Field::ALL.map(|field| (field, values.get(field).map(str::to_owned)));
        Self {
            values: known.into_iter().collect(),
            status,
        }
    }

    /// Whether a side that holds this value has changed since the base. Without a base every value counts as changed.
    pub fn differs(&self, field: Field, value: Option<&str>) -> bool {
        self.values.get(&field).is_none_or(|known| known.as_deref() != value)
    }

    /// Whether the field was ever agreed on.
    pub fn knows(&self, field: Field) -> bool {
        self.values.contains_key(&field)
    }

    /// The agreed value of a field.
    pub fn value(&self, field: Field) -> Option<&str> {
        self.values.get(&field).and_then(|value| value.as_deref())
    }

    /// Moves one field.
    pub fn agree(&mut self, field: Field, value: Option<String>) {
        self.values.insert(field, value);
    }
}

/// A create that has left, or was about to leave, and is not confirmed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intention {
    /// What is created.
    pub what: Creation,
    /// When.
    pub at: Timestamp,
    /// The values it is created with: the base once it is confirmed.
    pub values: Values,
    /// What the system's own clock had said last before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<Timestamp>,
    /// Up to where Partner Center's changes had been read before, by its own clock: what is made is not older.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

/// A record whose creation is announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Creation {
    /// An opportunity.
    Opportunity,
    /// The partner's own referral.
    Referral,
    /// Microsoft's referral in the same engagement.
    Invitation,
}

/// A write to Partner Center that has left, or was about to leave, and is not confirmed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sending {
    /// The values that it carries.
    pub values: BTreeMap<Field, Option<String>>,
    /// The state that it moves the referral to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Agreed>,
    /// The audit line that is owed once it has happened.
    pub line: String,
}

/// A write to the CRM that has left, or was about to leave, and is not confirmed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Writing {
    /// The values that it carries.
    pub values: BTreeMap<Field, Option<String>>,
    /// A digest of the Audit field as it writes it: nobody else writes there, so finding it tells that the write arrived.
    pub audit: u64,
}

/// What the CRM held before the last write to it, for the fields that the write carried: the next look tells whether the CRM has
/// kept what it said it took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proving {
    /// The values before the write.
    pub before: BTreeMap<Field, Option<String>>,
    /// When the CRM answered, by its own clock.
    #[serde(default)]
    pub at: Option<Timestamp>,
}

/// A value that a system said it took, and did not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Untaken {
    /// Whether the CRM did not; Partner Center otherwise.
    pub by_crm: bool,
    /// The value.
    pub value: Option<String>,
    /// How often in a row it was sent.
    pub times: u8,
}

/// How the last run that came to an end went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// None did.
    #[default]
    None,
    /// Both sides are in step.
    Succeeded,
    /// It failed, for this reason.
    Failed(String),
    /// The opportunity lacks these pieces.
    Incomplete(String),
}

impl Outcome {
    /// Whether none did.
    fn is_none(&self) -> bool {
        *self == Self::None
    }

    /// Whether a piece is missing, which may be added without a change of the opportunity itself.
    pub fn lacks_something(&self) -> bool {
        matches!(self, Self::Incomplete(_))
    }

    /// Whether it came to the same failure.
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Failed(_) | Self::Incomplete(_))
    }
}

/// Microsoft's own referral in the engagement, as much of it as a seller is told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MicrosoftSide {
    /// Its substatus: `Pending`, `Accepted`, `Declined` and so on.
    pub substatus: String,
    /// Why, where it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who of Microsoft's works on it: names with addresses.
    #[serde(default)]
    pub team: Vec<String>,
    /// Its eTag: how a missed webhook is made up for.
    #[serde(default)]
    pub etag: String,
}

/// Everything that is remembered about a deal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The referral.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referral: Option<ReferralId>,
    /// The engagement that the referral belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engagement: Option<EngagementId>,
    /// The opportunity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opportunity: Option<OpportunityId>,
    /// The merge base.
    #[serde(default)]
    pub base: Base,
    /// An unconfirmed create.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creating: Option<Intention>,
    /// An unconfirmed write to Partner Center.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sending: Option<Sending>,
    /// An unconfirmed write to the CRM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writing: Option<Writing>,
    /// The last write to the CRM, until it is seen there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proving: Option<Proving>,
    /// Values that a system said it took, and did not.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub untaken: BTreeMap<Field, Untaken>,
    /// Digests of the values that a referral was made with, the latest last: by them a second one is known as one's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub made: Vec<u64>,
    /// Audit lines about what happened, not yet on the opportunity.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owed: Vec<String>,
    /// Whether the opportunity still needs its contact role and its solution rows.
    #[serde(default, skip_serializing_if = "is_false")]
    pub furnish: bool,
    /// Whether Microsoft may still have to be invited.
    #[serde(default, skip_serializing_if = "is_false")]
    pub invite: bool,
    /// A referral that claims to belong to this opportunity, seen while its creation was unconfirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<ReferralId>,
    /// The ids of the solutions that both sides agreed on last, in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub solutions: Option<Vec<String>>,
    /// Microsoft's side of the deal as it was read last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub microsoft: Option<MicrosoftSide>,
    /// How the last finished run went.
    #[serde(default, skip_serializing_if = "Outcome::is_none")]
    pub outcome: Outcome,
    /// What was already said, so that it is said once: code and field → a digest of the detail.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub said: BTreeMap<String, u64>,
    /// The referral's eTag as the last finished run left it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_referral: Option<String>,
    /// A digest of the opportunity as the last finished run left it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_opportunity: Option<u64>,
    /// The Audit trail of the CRM's lead, where the deal is one: leads are written whole and never read.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub lead_audit: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// A digest of the values that a referral is made with.
pub fn digest_of(values: &Values) -> u64 {
    digest(format!("{values:?}").as_bytes())
}

impl Record {
    /// Remembers what a referral is made with; the oldest of many is forgotten.
    pub fn makes(&mut self, values: &Values) {
        const MOST: usize = 4;
        let made = digest_of(values);
        self.made.retain(|known| *known != made);
        if self.made.len() >= MOST {
            self.made.remove(0);
        }
        self.made.push(made);
    }

    /// Whether a referral with these values can be one that was made for this deal.
    pub fn has_made(&self, values: &Values) -> bool {
        self.made.contains(&digest_of(values))
    }

    /// Whether something is left to do that no change on either side would announce.
    pub fn is_unfinished(&self) -> bool {
        let unconfirmed = self.creating.is_some() || self.sending.is_some() || self.writing.is_some();
        unconfirmed || !self.owed.is_empty() || self.furnish || self.invite
    }

    /// Remembers that something was said; whether it is new.
    pub fn say(&mut self, key: &str, detail: &str) -> bool {
        let digest = digest(detail.as_bytes());
        self.said.insert(key.to_owned(), digest) != Some(digest)
    }
}

/// FNV-1a: a digest that is the same in every process.
pub fn digest(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_survives_its_text() {
        let mut record = Record {
            referral: Some(ReferralId::new("r")),
            base: Base::of(
                &Values::default().with(Field::Value, Some("5".to_owned())),
                Some(Agreed::New),
            ),
            outcome: Outcome::Failed("x".to_owned()),
            ..Record::default()
        };
        assert!(record.say("a", "b"));
        assert!(!record.say("a", "b"));
        let text = serde_json::to_string(&record).unwrap();
        assert_eq!(serde_json::from_str::<Record>(&text).unwrap(), record);
    }

    #[test]
    fn without_a_base_everything_counts_as_changed() {
        let base = Base::default();
        assert!(base.differs(Field::Notes, None));
        let base = Base::of(&Values::default(), None);
        assert!(!base.differs(Field::Notes, None));
    }
}
