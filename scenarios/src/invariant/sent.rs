//! A write to Partner Center as it left the connector, read for the business values in it.

use serde_json::Value;

use super::Scene;
use crate::record::Field;

/// The business values in one write.
pub(super) struct Sent {
    /// Empty for a create.
    pub(super) referral: String,
    /// What the body itself names as its opportunity.
    opportunity: Option<String>,
    /// What the body itself names as its engagement: Microsoft's invitation repeats what the partner's side says.
    engagement: Option<String>,
    /// The status that it sets.
    pub(super) status: Option<String>,
    /// Whether an operation of it hides the deal from Microsoft. A PUT repeats what the referral says.
    pub(super) hides: bool,
    /// Fields and canonical values.
    pub(super) values: Vec<(Field, String)>,
}

impl Sent {
    /// Reads a request; `None` when it is no write to a referral.
    pub(super) fn of(method: &str, url: &str, body: &[u8], scene: &Scene<'_>) -> Option<Self> {
        if !matches!(method, "POST" | "PATCH" | "PUT") {
            return None;
        }
        let (_, path) = url
            .split_once("/engagements/referrals")
            .or_else(|| url.split_once("/engagements/v1/referrals"))?;
        let referral = path.trim_matches('/').split(['?', '/']).next().unwrap_or_default();
        let body: Value = serde_json::from_slice(body).ok()?;
        let at = |pointer: &str| -> &Value {
            let Some(operations) = body.as_array() else {
                return body.pointer(pointer).unwrap_or(&Value::Null);
            };
            let last = operations.iter().rev().find(|operation| operation["path"] == pointer);
            last.map_or(&Value::Null, |operation| &operation["value"])
        };
        // An amount alone is in the currency that the referral has.
        let known = scene.board.book.referrals.get(referral);
        let stored = known.map_or("", |known| known.text(Field::Currency.pointer()));
        let currency = at(Field::Currency.pointer()).as_str().unwrap_or(stored);
        let values = Field::ALL
            .into_iter()
            .filter_map(|field| {
                Some((
                    field,
                    scene.board.book.sent_value(field, at(field.pointer()), currency)?,
                ))
            })
            .collect();
        let text = |pointer: &str| at(pointer).as_str().filter(|id| !id.is_empty()).map(str::to_owned);
        Some(Self {
            referral: referral.to_owned(),
            opportunity: text("/externalReferenceId"),
            engagement: text("/engagementId"),
            status: text("/status"),
            hides: body.is_array() && at("/consent/consentToShareReferralWithMicrosoftSellers") == &Value::Bool(false),
            values,
        })
    }

    /// The opportunities whose values it may carry.
    pub(super) fn opportunities(&self, scene: &Scene<'_>) -> Vec<String> {
        let mut ids: Vec<String> = self.opportunity.iter().cloned().collect();
        ids.extend(scene.links.opportunity_of(&self.referral).map(str::to_owned));
        for sibling in self.siblings(scene) {
            ids.extend(scene.links.opportunity_of(sibling).map(str::to_owned));
        }
        ids.retain(|id| !id.is_empty());
        ids.sort();
        ids.dedup();
        ids
    }

    /// The partner's referrals of the same engagement. Only an invitation is a create that names one.
    pub(super) fn siblings<'a>(&'a self, scene: &'a Scene<'_>) -> impl Iterator<Item = &'a str> {
        let engagement = self.engagement.as_deref().filter(|_| self.referral.is_empty());
        let all = engagement.map(|engagement| {
            let all = scene.board.book.partner_referrals();
            all.filter(move |(_, other)| other.text("/engagementId") == engagement)
        });
        all.into_iter().flatten().map(|(id, _)| id.as_str())
    }
}
