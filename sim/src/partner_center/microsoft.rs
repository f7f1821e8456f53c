//! What Microsoft does by itself: shares a deal, edits it, answers an invitation (partner-center.md sections 3.1, 3.6).
//!
//! No HTTP: these are acts of the world outside, not of a caller.

use jiff::Timestamp;
use serde_json::Value;
use thiserror::Error;

use super::create::{await_answer, blank};
use super::error::Problem;
use super::guid::Guid;
use super::lifecycle;
use super::model::{Address, Consent, Contact, CustomerProfile, Details, InviteContext, Organization, Referral};
use super::model::{Requirements, Solution, Target};
use super::patch::{Patch, Right};
use super::reason::SHOWN_FROM;
use super::store::Place;
use super::value::{Amount, Assistance, Qualification, ReferralType, Status, Substatus};
use super::writer::{MICROSOFT, Writer};

/// Something that Microsoft does.
#[derive(Clone, Debug, PartialEq)]
pub enum MicrosoftAct {
    /// Shares a new deal with the partner, who has 14 days to answer.
    Share(SharedDeal),
    /// Writes fields of the partner's referral.
    Edit {
        /// The partner's referral.
        referral: String,
        /// JSON pointers and their new values: what a PATCH reaches, the name, and who the customer is.
        changes: Vec<(String, Value)>,
    },
    /// Accepts an invitation of the partner's.
    Accept {
        /// The engagement, or any referral of it.
        engagement: String,
    },
    /// Declines an invitation of the partner's. It cannot be undone.
    Decline {
        /// The engagement, or any referral of it.
        engagement: String,
        /// Shown as `statusReason`, see [`super::reason::MICROSOFT_DECLINES`]; none when the value is small
        /// (partner-center.md section 3.6).
        reason: Option<String>,
    },
    /// Adds somebody of Microsoft's to the deal.
    AddTeamMember {
        /// The engagement, or any referral of it.
        engagement: String,
        /// Who.
        member: TeamMember,
    },
    /// Gives the partner a lead, who has 14 days to answer. The deal's help is not looked at.
    ShareLead(SharedDeal, Lead),
    /// Lets the time for an answer be over at once. An answered referral refuses it.
    LetExpire {
        /// The partner's referral.
        referral: String,
    },
    /// Gives the deal its number in Microsoft's own CRM.
    SetMsxId {
        /// The engagement, or any referral of it.
        engagement: String,
        /// For example `7-3GHJKL2MNO`.
        id: String,
    },
}

/// Where a lead comes from (partner-center.md section 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lead {
    /// A customer asked in a marketplace.
    Marketplace,
    /// Microsoft's marketing found it.
    Marketing,
    /// Microsoft's sales found it.
    Sales,
}

/// Somebody of Microsoft's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TeamMember {
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Telephone.
    pub phone: Option<String>,
    /// E-mail address.
    pub email: String,
}

/// A deal that Microsoft shares.
#[derive(Clone, Debug, PartialEq)]
pub struct SharedDeal {
    /// The deal's name.
    pub name: String,
    /// Who wants to buy.
    pub customer: Customer,
    /// The deal's value.
    pub value: Option<f64>,
    /// Its currency: three letters.
    pub currency: String,
    /// When it is expected to close.
    pub closing: Timestamp,
    /// Free text.
    pub notes: Option<String>,
    /// Identifier and name of each solution.
    pub solutions: Vec<(String, String)>,
    /// How Microsoft helps.
    pub help: Option<Assistance>,
}

/// The customer of a shared deal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Customer {
    /// The company's name.
    pub name: String,
    /// Street and number.
    pub address_line: Option<String>,
    /// City.
    pub city: Option<String>,
    /// State or province.
    pub state: Option<String>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// Country: two letters.
    pub country: Option<String>,
    /// Somebody there.
    pub contact: Option<CustomerContact>,
}

/// The customer's contact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomerContact {
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Telephone.
    pub phone: Option<String>,
    /// E-mail address.
    pub email: String,
}

/// Why an act cannot happen.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ActError {
    /// Nobody knows that referral or engagement.
    #[error("no referral or engagement `{0}`")]
    Unknown(String),
    /// Microsoft has not been invited into the engagement.
    #[error("microsoft has no referral in engagement `{0}`")]
    NotInvited(String),
    /// The rules of the API forbid it.
    #[error("partner center refuses: {0}")]
    Refused(String),
}

impl From<Problem> for ActError {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem.to_string())
    }
}

impl Writer<'_> {
    /// Carries out an act; gives back the id of the partner's referral.
    pub(super) fn act(&mut self, act: MicrosoftAct) -> Result<String, ActError> {
        let place = match act {
            MicrosoftAct::Share(deal) => self.share(deal)?,
            MicrosoftAct::Edit { referral, changes } => self.edit(&referral, changes)?,
            MicrosoftAct::Accept { engagement } => {
                self.answer(&engagement, (Status::Active, Substatus::Accepted), None)?
            }
            MicrosoftAct::Decline { engagement, reason } => {
                self.answer(&engagement, (Status::Closed, Substatus::Declined), reason)?
            }
            MicrosoftAct::AddTeamMember { engagement, member } => self.add_team_member(&engagement, member)?,
            MicrosoftAct::ShareLead(deal, lead) => self.share_lead(deal, lead)?,
            MicrosoftAct::LetExpire { referral } => self.let_expire(&referral)?,
            MicrosoftAct::SetMsxId { engagement, id } => self.set_msx_id(&engagement, &id)?,
        };
        let referral = self.state.store.at(place);
        Ok(referral.map(|referral| referral.id.to_string()).unwrap_or_default())
    }

    fn share(&mut self, deal: SharedDeal) -> Result<Place, ActError> {
        let (engagement, own, microsofts) = (self.guid(), self.guid(), self.guid());
        let mut referral = deal.referral(own, engagement, self.now)?;
        let mut microsofts = Referral {
            id: microsofts,
            target: vec![Target::microsoft()],
            ..referral.clone()
        };
        microsofts.links.id = microsofts.id;
        let invited_by = referral.invite_context.invited_by.clone();
        self.own(&mut referral);
        referral.invite_context.invited_by = invited_by;
        referral.direction = super::value::Direction::Incoming;
        await_answer(&mut referral, self.now);
        super::check::everything(&referral)?;
        // Assumed: Microsoft's own side stands, accepted, before the partner hears of the deal.
        self.insert(microsofts);
        Ok(self.insert(referral))
    }

    /// A lead is visible to one partner: Microsoft has no referral of its own. Assumed: it waits for an answer like a
    /// shared deal, and a marketplace names no inviter.
    fn share_lead(&mut self, deal: SharedDeal, lead: Lead) -> Result<Place, ActError> {
        let (engagement, own) = (self.guid(), self.guid());
        let mut referral = deal.referral(own, engagement, self.now)?;
        let inviter = referral.invite_context.invited_by.take();
        self.own(&mut referral);
        referral.kind = ReferralType::Independent;
        referral.qualification = match lead {
            Lead::Marketplace => Qualification::Direct,
            Lead::Marketing => Qualification::MarketingQualified,
            Lead::Sales => Qualification::SalesQualified,
        };
        referral.invite_context = InviteContext {
            invited_by: inviter.filter(|_| lead != Lead::Marketplace),
            ..InviteContext::default()
        };
        referral.consent.consent_to_share_referral_with_microsoft_sellers = Some(false);
        referral.direction = super::value::Direction::Incoming;
        await_answer(&mut referral, self.now);
        super::check::everything(&referral)?;
        Ok(self.insert(referral))
    }

    /// Assumed: Microsoft's people stand in the `team` of Microsoft's referral, as a partner's stand in its own.
    fn add_team_member(&mut self, engagement: &str, member: TeamMember) -> Result<Place, ActError> {
        let (own, microsofts) = self.both_of(engagement)?;
        self.update(microsofts, |referral| {
            lifecycle::refuse_when_closed(referral)?;
            referral.team.push(Contact {
                first_name: Some(member.first_name),
                last_name: Some(member.last_name),
                phone_number: member.phone,
                email: Some(member.email),
                ..Contact::default()
            });
            super::check::everything(referral)
        })?;
        Ok(own)
    }

    /// No act of the real service: 14 days are too long for somebody who tries it by hand.
    fn let_expire(&mut self, id: &str) -> Result<Place, ActError> {
        let place = self.place_of(id)?;
        let waits = |referral: &Referral| referral.status == Status::New && referral.expiration_date_time.is_some();
        if !self.state.store.at(place).as_ref().is_some_and(waits) {
            return Err(ActError::Refused("the referral does not wait for an answer".to_owned()));
        }
        self.expire(place)?;
        Ok(place)
    }

    fn edit(&mut self, id: &str, changes: Vec<(String, Value)>) -> Result<Place, ActError> {
        let place = self.place_of(id)?;
        let terms = self.terms(place);
        let patch = Patch::replacing(changes);
        self.update_from(place, |before, referral| {
            patch.apply(before, referral, Right::Microsoft, terms)
        })?;
        Ok(place)
    }

    fn answer(&mut self, engagement: &str, to: (Status, Substatus), reason: Option<String>) -> Result<Place, ActError> {
        let (own, microsofts) = self.both_of(engagement)?;
        let now = self.now;
        let reason = reason.filter(|_| self.shows_reason(own));
        self.update(microsofts, |referral| {
            lifecycle::refuse_when_closed(referral)?;
            lifecycle::check_move((referral.status, referral.substatus), to, false)?;
            lifecycle::enter(referral, to.0, to.1, now);
            referral.status_reason = reason.or(referral.status_reason.take());
            Ok(())
        })?;
        Ok(own)
    }

    /// "No reason shown" for a value under 25,000 US dollars (partner-center.md section 3.6). Assumed: other currencies
    /// are not converted, and the reason is shown.
    fn shows_reason(&self, own: Place) -> bool {
        self.state.store.at(own).is_none_or(|referral| {
            let in_dollars = referral.details.currency.as_deref() == Some("USD");
            let value = referral.details.deal_value.map_or(0.0, Amount::get);
            !in_dollars || value >= SHOWN_FROM
        })
    }

    /// Assumed: the number appears on both referrals of the engagement, Microsoft's first, and not on a closed one.
    fn set_msx_id(&mut self, engagement: &str, id: &str) -> Result<Place, ActError> {
        let (own, microsofts) = self.both_of(engagement)?;
        for place in [microsofts, own] {
            let is_open = |referral: &Referral| referral.status != Status::Closed;
            if self.state.store.at(place).as_ref().is_some_and(is_open) {
                self.update(place, |referral| {
                    referral.tracking_info.microsoft_msx_id = Some(id.to_owned());
                    Ok(())
                })?;
            }
        }
        Ok(own)
    }

    /// The partner's and Microsoft's referral of an engagement, named by itself or by either of them.
    fn both_of(&self, name: &str) -> Result<(Place, Place), ActError> {
        let unknown = || ActError::Unknown(name.to_owned());
        let guid = Guid::parse(name).ok_or_else(unknown)?;
        let named = self.state.store.find(guid).and_then(|place| self.state.store.at(place));
        let engagement = named.map_or(guid, |referral| referral.engagement_id);
        let own = self.own_of(engagement).ok_or_else(unknown)?;
        let microsofts = self.microsofts_of(engagement);
        Ok((own, microsofts.ok_or_else(|| ActError::NotInvited(name.to_owned()))?))
    }

    fn place_of(&self, id: &str) -> Result<Place, ActError> {
        let found = Guid::parse(id).and_then(|guid| self.state.store.find(guid));
        found.ok_or_else(|| ActError::Unknown(id.to_owned()))
    }
}

impl SharedDeal {
    /// The deal as Microsoft's own referral: Active and Accepted.
    fn referral(self, id: Guid, engagement: Guid, now: Timestamp) -> Result<Referral, ActError> {
        let refused = || ActError::Refused("the deal's value is negative or no number".to_owned());
        let deal_value = self
            .value
            .map(|value| Amount::new(value).ok_or_else(refused))
            .transpose()?;
        let solution = |(id, name)| Solution {
            id: Some(id),
            name: Some(name),
            kind: Some("Name".to_owned()),
            ..Solution::default()
        };
        let target = |(id, _): &(String, String)| Target {
            kind: "SolutionProfile".to_owned(),
            id: id.clone(),
        };
        Ok(Referral {
            name: self.name,
            qualification: Qualification::SalesQualified,
            kind: ReferralType::Shared,
            target: self.solutions.iter().map(target).collect(),
            customer_profile: self.customer.profile(),
            consent: Consent {
                consent_to_to_share_info_with_others: true,
                consent_to_contact: true,
                consent_to_share_referral_with_microsoft_sellers: Some(true),
            },
            details: Details {
                notes: self.notes,
                deal_value,
                currency: Some(self.currency),
                closing_date_time: Some(self.closing),
                requirements: Requirements {
                    solutions: self.solutions.into_iter().map(solution).collect(),
                    ..Requirements::default()
                },
                ..Details::default()
            },
            invite_context: InviteContext {
                assistance_request_code: self.help,
                invited_by: Some(Organization {
                    organization_id: Some(MICROSOFT.to_owned()),
                    organization_name: Some("Microsoft".to_owned()),
                }),
                ..InviteContext::default()
            },
            ..blank(id, engagement, now)
        })
    }
}

impl Customer {
    fn profile(self) -> CustomerProfile {
        let contact = self.contact.map(|contact| Contact {
            first_name: Some(contact.first_name),
            last_name: Some(contact.last_name),
            phone_number: contact.phone,
            email: Some(contact.email),
            ..Contact::default()
        });
        CustomerProfile {
            name: self.name,
            address: Address {
                address_line1: self.address_line,
                city: self.city,
                state: self.state,
                postal_code: self.postal_code,
                country: self.country,
                ..Address::default()
            },
            team: contact.into_iter().collect(),
            ..CustomerProfile::default()
        }
    }
}
