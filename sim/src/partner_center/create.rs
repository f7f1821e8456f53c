//! POST: a partner's own referral, and Microsoft's referral of the same engagement (partner-center.md sections 2.5
//! and 3.1).
//!
//! Partner-to-partner invitations are not simulated, and refused by name.

use jiff::Timestamp;
use serde::Deserialize;

use super::check;
use super::error::Problem;
use super::guid::Guid;
use super::lifecycle::TIME_TO_ANSWER;
use super::model::{
    Consent, Contact, CustomerProfile, Details, ETag, InviteContext, Links, NoneWord, Organization, Referral, Target,
    TrackingInfo, Unknown,
};
use super::registered::RegistrationStatus;
use super::store::Place;
use super::value::{Direction, Qualification, ReferralType, Stamp, Status, Substatus};
use super::writer::{MICROSOFT, Writer};
use super::{kind, value::stage_number};

/// The body of a create. Fields that only the service sets are refused as not simulated.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Draft {
    name: Option<String>,
    engagement_id: Option<String>,
    external_reference_id: Option<String>,
    /// Read, and not followed: what a partner creates is Active and Accepted, whatever the body says.
    #[serde(rename = "status")]
    _status: Option<Status>,
    #[serde(rename = "substatus")]
    _substatus: Option<Substatus>,
    status_reason: Option<String>,
    qualification: Option<Qualification>,
    #[serde(rename = "type")]
    kind: Option<ReferralType>,
    target: Option<Vec<Target>>,
    customer_profile: Option<CustomerProfile>,
    consent: Option<Consent>,
    details: Option<Details>,
    team: Option<Vec<Contact>>,
    invite_context: Option<InviteContext>,
    campaign_id: Option<String>,
    sales_stage: Option<String>,
    referral_program: Option<String>,
}

impl Draft {
    /// Reads the body of a create.
    pub(super) fn read(body: &[u8]) -> Result<Self, Problem> {
        super::body::read("referral", body)
    }

    fn invites_microsoft(&self) -> bool {
        self.target.iter().flatten().any(Target::is_microsoft)
    }

    /// The referral that the body describes, as the partner's own: Active and Accepted.
    fn referral(self, id: Guid, engagement_id: Guid, now: Timestamp) -> Result<Referral, Problem> {
        let kind = self.kind.ok_or_else(|| missing("type"))?;
        let customer_profile = self.customer_profile.ok_or_else(|| missing("customerProfile"))?;
        let mut consent = self.consent.ok_or_else(|| missing("consent"))?;
        // Assumed: a shared deal whose body says nothing about Microsoft's sellers is visible to them.
        let shared = &mut consent.consent_to_share_referral_with_microsoft_sellers;
        *shared = Some(shared.unwrap_or(kind == ReferralType::Shared));
        Ok(Referral {
            name: self.name.unwrap_or_default(),
            external_reference_id: self.external_reference_id,
            status_reason: self.status_reason,
            qualification: self.qualification.unwrap_or(Qualification::None),
            kind,
            campaign_id: self.campaign_id,
            sales_stage: self.sales_stage.map(|stage| stage_number(&stage)).transpose()?,
            referral_program: self.referral_program,
            target: self.target.unwrap_or_default(),
            customer_profile,
            consent,
            details: self.details.ok_or_else(|| missing("details"))?,
            team: self.team.unwrap_or_default(),
            invite_context: self.invite_context.unwrap_or_default(),
            ..blank(id, engagement_id, now)
        })
    }
}

fn missing(field: &str) -> Problem {
    Problem::invalid(field, format!("The field '{field}' is required."))
}

/// A referral with nothing in it but its identity, Active and Accepted.
pub(super) fn blank(id: Guid, engagement_id: Guid, now: Timestamp) -> Referral {
    Referral {
        id,
        engagement_id,
        name: String::new(),
        organization_id: MICROSOFT.into(),
        organization_name: "Microsoft".into(),
        last_modified_via: (),
        last_run_id: (),
        external_reference_id: None,
        created_date_time: Stamp(now),
        updated_date_time: Stamp(now),
        expiration_date_time: None,
        status: Status::Active,
        substatus: Substatus::Accepted,
        status_reason: None,
        qualification: Qualification::None,
        kind: ReferralType::Shared,
        referral_source: (),
        e_tag: ETag::new(0, now),
        favorite: false,
        campaign_id: None,
        sales_stage: None,
        quality: Unknown::Unknown,
        is_spam: false,
        direction: Direction::Incoming,
        mpn_id: None,
        referral_program: None,
        deal_sensitivity: NoneWord::None,
        created_via: (),
        tags: [],
        // For a deal that its owner creates it is the date of creation (partner-center.md section 2.2).
        accepted_date_time: Some(Stamp(now)),
        closed_date_time: None,
        call_to_action: (),
        registration_status: RegistrationStatus::None,
        target: Vec::new(),
        customer_profile: CustomerProfile::default(),
        consent: Consent::default(),
        details: Details::default(),
        team: Vec::new(),
        invite_context: InviteContext::default(),
        links: Links {
            base: "".into(),
            id,
            engagement_id,
        },
        tracking_info: TrackingInfo::default(),
        registrations: Vec::new(),
    }
}

/// Puts a referral up for an answer: New and Pending, for 14 days.
pub(super) fn await_answer(referral: &mut Referral, now: Timestamp) {
    (referral.status, referral.substatus) = (Status::New, Substatus::Pending);
    referral.accepted_date_time = None;
    referral.expiration_date_time = now.checked_add(TIME_TO_ANSWER).ok();
}

impl Writer<'_> {
    /// Carries out a create.
    pub(super) fn create(&mut self, draft: Draft) -> Result<Place, Problem> {
        match &draft.engagement_id {
            None => self.create_own(draft),
            Some(text) => {
                let engagement = Guid::parse(text).ok_or_else(|| Problem::invalid("engagementId", "Not a GUID."))?;
                self.create_microsofts(draft, engagement)
            }
        }
    }

    /// The partner's own referral.
    ///
    /// Nothing makes a repeated create one referral: no idempotency key is documented.
    fn create_own(&mut self, draft: Draft) -> Result<Place, Problem> {
        if draft.invites_microsoft() {
            let message = "Microsoft is invited into an existing engagement: engagementId is required.";
            return Err(Problem::invalid("engagementId", message));
        }
        let (id, engagement) = (self.guid(), self.guid());
        let mut referral = draft.referral(id, engagement, self.now)?;
        self.own(&mut referral);
        kind::simulated(&referral.target, &referral.details.requirements.solutions)?;
        check::creation(&referral, self.settings, self.now)?;
        Ok(self.insert(referral))
    }

    /// Microsoft's referral in an engagement of the partner's: New and Pending until Microsoft answers.
    fn create_microsofts(&mut self, draft: Draft, engagement: Guid) -> Result<Place, Problem> {
        let own = self.own_of(engagement).and_then(|place| self.state.store.at(place));
        // Assumed: an engagement that nobody knows is a 404.
        let own = own.ok_or(Problem::NotFound)?;
        super::lifecycle::refuse_when_closed(&own)?;
        if !draft.invites_microsoft() {
            return Err(Problem::NotSimulated("partner-to-partner deal".to_owned()));
        }
        // Assumed: a private deal is shared with Microsoft's sellers before Microsoft is invited (section 3.2).
        if !own.consent.is_shared() {
            let message = "A private deal must be shared with Microsoft sellers before Microsoft is invited.";
            return Err(Problem::invalid(check::SHARE, message));
        }
        if self.microsofts_of(engagement).is_some() {
            let message = "Microsoft already has a referral in this engagement.";
            return Err(Problem::Conflict(message.to_owned()));
        }
        let id = self.guid();
        let mut referral = draft.referral(id, engagement, self.now)?;
        self.invited_by_partner(&mut referral);
        // Assumed: seen from the partner who sent it.
        referral.direction = Direction::Outgoing;
        await_answer(&mut referral, self.now);
        kind::simulated(&referral.target, &referral.details.requirements.solutions)?;
        check::creation(&referral, self.settings, self.now)?;
        Ok(self.insert(referral))
    }

    /// Makes a referral the partner's. Assumed: its direction is Incoming, as in the real answers for deals that
    /// partners created themselves, although the documents filter for `Outgoing`; see
    /// [`super::Settings::own_deals_are_outgoing`].
    pub(super) fn own(&self, referral: &mut Referral) {
        let organization = &self.settings.organization;
        referral.organization_id = organization.id.as_str().into();
        referral.organization_name = organization.name.as_str().into();
        referral.mpn_id = Some(organization.mpn_id.as_str().into());
        if self.settings.own_deals_are_outgoing {
            referral.direction = Direction::Outgoing;
        }
        self.invited_by_partner(referral);
    }

    /// Fills in who invites, where the body does not say.
    fn invited_by_partner(&self, referral: &mut Referral) {
        let organization = &self.settings.organization;
        let invite = &mut referral.invite_context;
        invite.invited_mpn_id.get_or_insert_with(|| organization.mpn_id.clone());
        invite.invited_by.get_or_insert_with(|| Organization {
            organization_id: Some(organization.id.clone()),
            organization_name: Some(organization.name.clone()),
        });
    }
}
