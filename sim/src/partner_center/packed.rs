//! Referrals as bytes in one piece: a stored referral takes a sixth of the memory that its typed form does, and a write to a
//! large world touches a few lines of memory instead of a hundred.
//!
//! The bytes are of this process only: nothing is sent or saved in this form. The links follow from the ids and the base URL,
//! and are set by whoever unpacks.

use std::sync::Arc;

use jiff::Timestamp;

use super::guid::Guid;
use super::model::{
    AdditionalRequirements, Address, Attribute, Consent, Contact, ContactPreference, CustomerProfile, Details, ETag,
    InviteContext, Iot, Links, Named, NoneWord, Organization, ProfileId, Referral, Requirements, Solution, Target,
    TrackingInfo, Unknown,
};
use super::registered::{
    Contract, Given, Kind, Marketplace, PricingModel, PrimaryDeployment, Registered, RegistrationStatus,
    SolutionDetail, StatusHistory, Term,
};
use super::value::{Amount, Assistance, Direction, Qualification, ReferralType, Stamp, Status, Substatus};

/// What has a form in bytes. Reading takes off the front what belongs to it; `None` when the bytes are of something else.
trait Packed: Sized {
    fn pack(&self, to: &mut Vec<u8>);
    fn unpack(from: &mut &[u8]) -> Option<Self>;
}

/// Writes a referral behind what is there.
pub(super) fn pack(referral: &Referral, to: &mut Vec<u8>) {
    referral.pack(to);
}

/// The referral that was written, its links at a base URL.
pub(super) fn unpack(mut from: &[u8], base: &Arc<str>) -> Option<Referral> {
    let mut referral = Referral::unpack(&mut from)?;
    referral.links = Links {
        base: Arc::clone(base),
        id: referral.id,
        engagement_id: referral.engagement_id,
    };
    Some(referral)
}

/// What filters ask of a referral and its facet does not say. It stands at the front of the bytes.
#[derive(Debug, PartialEq)]
pub(super) struct Glimpse<'a> {
    pub(super) engagement: Guid,
    pub(super) updated: Timestamp,
    pub(super) country: Option<&'a str>,
    pub(super) emails: Vec<Option<&'a str>>,
}

impl<'a> Glimpse<'a> {
    /// Reads it without the rest.
    pub(super) fn of(mut from: &'a [u8]) -> Option<Self> {
        let from = &mut from;
        let engagement = Guid::unpack(from)?;
        let Stamp(updated) = Stamp::unpack(from)?;
        let mut emails = Vec::new();
        for _ in 0..length(from)? {
            let length = usize::try_from(u32::unpack(from)?).ok()?;
            let (mut contact, rest) = from.split_at_checked(length)?;
            emails.push(text_or_none(&mut contact)?);
            *from = rest;
        }
        let country = text_or_none(from)?;
        Some(Self {
            engagement,
            updated,
            country,
            emails,
        })
    }
}

fn take<const N: usize>(from: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = from.split_first_chunk()?;
    *from = rest;
    Some(*taken)
}

/// Writes a length, seven bits to the byte.
fn put_length(mut length: usize, to: &mut Vec<u8>) {
    loop {
        let bits = u8::try_from(length & 0x7f).unwrap_or(0x7f);
        length >>= 7;
        if length == 0 {
            return to.push(bits);
        }
        to.push(bits | 0x80);
    }
}

fn length(from: &mut &[u8]) -> Option<usize> {
    let mut length = 0_usize;
    for shift in (0..usize::BITS).step_by(7) {
        let [byte] = take(from)?;
        length |= usize::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(length);
        }
    }
    None
}

/// So many bytes as their length in front of them says.
fn sized<'a>(from: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = length(from)?;
    let (taken, rest) = from.split_at_checked(length)?;
    *from = rest;
    Some(taken)
}

fn text<'a>(from: &mut &'a [u8]) -> Option<&'a str> {
    str::from_utf8(sized(from)?).ok()
}

#[expect(
    clippy::option_option,
    reason = "no text is as good as a text; bytes of something else are neither"
)]
fn text_or_none<'a>(from: &mut &'a [u8]) -> Option<Option<&'a str>> {
    match take(from)? {
        [0] => Some(None),
        _ => text(from).map(Some),
    }
}

fn put_text(text: &str, to: &mut Vec<u8>) {
    put_length(text.len(), to);
    to.extend_from_slice(text.as_bytes());
}

impl Packed for String {
    fn pack(&self, to: &mut Vec<u8>) {
        put_text(self, to);
    }
    fn unpack(from: &mut &[u8]) -> Option<Self> {
        text(from).map(str::to_owned)
    }
}

impl Packed for Arc<str> {
    fn pack(&self, to: &mut Vec<u8>) {
        put_text(self, to);
    }
    fn unpack(from: &mut &[u8]) -> Option<Self> {
        text(from).map(Self::from)
    }
}

impl<T: Packed> Packed for Option<T> {
    fn pack(&self, to: &mut Vec<u8>) {
        to.push(u8::from(self.is_some()));
        if let Some(inner) = self {
            inner.pack(to);
        }
    }
    fn unpack(from: &mut &[u8]) -> Option<Self> {
        match take(from)? {
            [0] => Some(None),
            _ => T::unpack(from).map(Some),
        }
    }
}

impl<T: Packed> Packed for Vec<T> {
    fn pack(&self, to: &mut Vec<u8>) {
        put_length(self.len(), to);
        for one in self {
            one.pack(to);
        }
    }
    fn unpack(from: &mut &[u8]) -> Option<Self> {
        let length = length(from)?;
        (0..length).map(|_| T::unpack(from)).collect()
    }
}

impl Packed for bool {
    fn pack(&self, to: &mut Vec<u8>) {
        to.push(u8::from(*self));
    }
    fn unpack(from: &mut &[u8]) -> Option<Self> {
        take(from).map(|[byte]| byte != 0)
    }
}

impl Packed for u32 {
    fn pack(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(&self.to_le_bytes());
    }
    fn unpack(from: &mut &[u8]) -> Option<Self> {
        take(from).map(Self::from_le_bytes)
    }
}

impl Packed for Guid {
    fn pack(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(&self.0.to_le_bytes());
    }
    fn unpack(from: &mut &[u8]) -> Option<Self> {
        take(from).map(|bytes| Self(u128::from_le_bytes(bytes)))
    }
}

impl Packed for Amount {
    fn pack(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(&self.get().to_le_bytes());
    }
    fn unpack(from: &mut &[u8]) -> Option<Self> {
        take(from).and_then(|bytes| Self::new(f64::from_le_bytes(bytes)))
    }
}

impl Packed for Timestamp {
    fn pack(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(&self.as_second().to_le_bytes());
        to.extend_from_slice(&self.subsec_nanosecond().to_le_bytes());
    }
    fn unpack(from: &mut &[u8]) -> Option<Self> {
        let seconds = take(from).map(i64::from_le_bytes)?;
        let nanoseconds = take(from).map(i32::from_le_bytes)?;
        Self::new(seconds, nanoseconds).ok()
    }
}

impl Packed for Stamp {
    fn pack(&self, to: &mut Vec<u8>) {
        self.0.pack(to);
    }
    fn unpack(from: &mut &[u8]) -> Option<Self> {
        Timestamp::unpack(from).map(Self)
    }
}

/// What is always the same takes no bytes.
macro_rules! constant {
    ($($kind:ty = $value:expr),+ $(,)?) => {
        $(impl Packed for $kind {
            fn pack(&self, _: &mut Vec<u8>) {}
            fn unpack(_: &mut &[u8]) -> Option<Self> {
                Some($value)
            }
        })+
    };
}

constant! {
    () = (),
    [(); 0] = [],
    Unknown = Self::Unknown,
    NoneWord = Self::None,
    Iot = Self::default(),
    Links = Self { base: Arc::default(), id: Guid(0), engagement_id: Guid(0) },
}

/// A word takes one byte: its number.
macro_rules! words {
    ($($name:ident { $($word:ident),+ $(,)? })+) => {
        $(impl Packed for $name {
            fn pack(&self, to: &mut Vec<u8>) {
                let numbers = 0_u8..;
                let all = [$($name::$word),+].into_iter().zip(numbers);
                to.extend(all.filter_map(|(word, number)| (word == *self).then_some(number)));
            }
            fn unpack(from: &mut &[u8]) -> Option<Self> {
                let [number] = take(from)?;
                [$($name::$word),+].get(usize::from(number)).copied()
            }
        })+

        // Each word is listed: one that is added and not listed does not compile.
        $(const _: fn($name) = |word| match word { $($name::$word => ()),+ };)+
    };
}

words! {
    Status { New, Active, Closed }
    Substatus { Pending, Received, Accepted, Won, Lost, Declined, Expired, Error }
    Qualification { None, Direct, MarketingQualified, SalesQualified }
    ReferralType { Independent, Shared }
    Direction { Incoming, Outgoing }
    RegistrationStatus { None, ReviewPending }
    Kind { AzureIPCoSell }
    Term { Perpetual, Finite }
    PrimaryDeployment { Customer, Partner }
    PricingModel { PayAsYouGo, Other }
    Assistance {
        Unknown, WorkloadSpecificValueProposition, CustomerTechnicalArchitecture, ProofOfConceptOrDemo,
        QuotesOrLicensing, PostSalesCustomerSuccess, GeneralOrOther,
    }
}

/// Fields one behind the other, in the order in which they are listed here. A field that is not listed does not compile.
macro_rules! fields {
    ($($name:ident { $($field:ident),+ $(,)? })+) => {
        $(impl Packed for $name {
            fn pack(&self, to: &mut Vec<u8>) {
                let Self { $($field),+ } = self;
                $($field.pack(to);)+
            }
            fn unpack(from: &mut &[u8]) -> Option<Self> {
                $(let $field = Packed::unpack(from)?;)+
                Some(Self { $($field),+ })
            }
        })+
    };
}

fields! {
    // First what a glimpse reads.
    Referral {
        engagement_id, updated_date_time, team, customer_profile,
        id, name, organization_id, organization_name, last_modified_via, last_run_id, external_reference_id,
        created_date_time, expiration_date_time, status, substatus, status_reason, qualification, kind, referral_source,
        e_tag, favorite, campaign_id, sales_stage, quality, is_spam, direction, mpn_id, referral_program,
        deal_sensitivity, created_via, tags, accepted_date_time, closed_date_time, call_to_action, registration_status,
        target, consent, details, invite_context, links, tracking_info, registrations,
    }
    CustomerProfile { address, name, size, is_matching_complete, team, ids }
    Address { country, address_line1, address_line2, city, state, postal_code, region }
    ETag { version, seconds }
    Target { kind, id }
    ProfileId { profile_type, id }
    ContactPreference { locale, disable_notifications }
    Consent { consent_to_to_share_info_with_others, consent_to_contact, consent_to_share_referral_with_microsoft_sellers }
    Details {
        notes, deal_value, currency, closing_date_time, customer_requested_contact, customer_action, incentive_level,
        requirements,
    }
    Requirements { industries, products, services, solutions, sales_plays, additional_requirements }
    Named { id }
    Solution { id, name, kind, price, quantity, currency, publisher_name, solution_type, closing_date_time }
    AdditionalRequirements { iot, attributes }
    Attribute { id, kind }
    InviteContext { notes, assistance_request_code, invited_mpn_id, invited_by }
    Organization { organization_id, organization_name }
    TrackingInfo { microsoft_msx_id, us_fed_opportunity_id, us_fed_lead_id, psc_deal_id, psc_partner_deal_id }
    Registered { id, registration_date_time, status, status_reason, given, status_history }
    StatusHistory {
        review_pending_date_time, action_required_date_time, passed_date_time, failed_date_time, approved_date_time,
    }
    Given { kind, contract, solution_details }
    Contract { value, currency, start_date_time, end_date_time, sign_date_time, term }
    SolutionDetail {
        id, name, value, currency, is_deployed_on_azure, primary_deployment_on, pricing_model,
        marketplace_transaction_details,
    }
    Marketplace { is_marketplace_transacted, marketplace_transaction_date_time }
}

/// A contact has its length in front, so that a glimpse steps over all but the e-mail address.
impl Packed for Contact {
    fn pack(&self, to: &mut Vec<u8>) {
        let Self {
            email,
            first_name,
            last_name,
            phone_number,
            title,
            contact_preference,
        } = self;
        let front = to.len();
        0_u32.pack(to);
        let start = to.len();
        for field in [email, first_name, last_name, phone_number, title] {
            field.pack(to);
        }
        contact_preference.pack(to);
        // Bodies are shorter than 4 GB by far.
        let length = u32::try_from(to.len() - start).unwrap_or(u32::MAX);
        to[front..start].copy_from_slice(&length.to_le_bytes());
    }
    fn unpack(from: &mut &[u8]) -> Option<Self> {
        u32::unpack(from)?;
        Some(Self {
            email: Packed::unpack(from)?,
            first_name: Packed::unpack(from)?,
            last_name: Packed::unpack(from)?,
            phone_number: Packed::unpack(from)?,
            title: Packed::unpack(from)?,
            contact_preference: Packed::unpack(from)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::create::blank;
    use super::*;

    fn moment(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// A referral in which each kind of value occurs, filled and empty.
    fn referral() -> Referral {
        let contact = |email: Option<&str>| Contact {
            first_name: Some("Ada".to_owned()),
            email: email.map(str::to_owned),
            title: Some("x".repeat(300)),
            ..Contact::default()
        };
        let mut referral = Referral {
            name: "Größe &amp; Söhne".to_owned(),
            mpn_id: Some("1234567".into()),
            expiration_date_time: Some(moment("2026-01-05T09:00:00.123456789Z")),
            status: Status::Closed,
            substatus: Substatus::Error,
            sales_stage: Some(String::new()),
            target: vec![Target::microsoft()],
            team: vec![contact(Some("ada@contoso.example")), contact(None)],
            ..blank(Guid(7), Guid(u128::MAX), moment("1969-12-31T23:59:59.5Z"))
        };
        referral.customer_profile.address.country = Some("US".to_owned());
        referral.details.deal_value = Amount::new(19.99);
        referral.details.notes = Some("n".repeat(20_000));
        referral.details.requirements.solutions = vec![Solution::default(); 50];
        referral.invite_context.assistance_request_code = Some(Assistance::GeneralOrOther);
        referral.consent.consent_to_share_referral_with_microsoft_sellers = Some(true);
        referral.registration_status = RegistrationStatus::ReviewPending;
        let since = Stamp(moment("2026-01-05T09:00:00Z"));
        referral.registrations = vec![Registered {
            id: Guid(1),
            registration_date_time: since,
            status: RegistrationStatus::ReviewPending,
            status_reason: (),
            given: Given {
                kind: Kind::AzureIPCoSell,
                contract: Contract {
                    value: Amount::new(1.0).unwrap(),
                    currency: "USD".to_owned(),
                    start_date_time: since.0,
                    end_date_time: None,
                    sign_date_time: since.0,
                    term: Term::Finite,
                },
                solution_details: Vec::new(),
            },
            status_history: StatusHistory::reviewed_from(since),
        }];
        referral
    }

    #[test]
    fn what_is_unpacked_prints_as_what_was_packed() {
        for referral in [referral(), blank(Guid(0), Guid(1), Timestamp::UNIX_EPOCH)] {
            let mut bytes = Vec::new();
            pack(&referral, &mut bytes);
            let again = unpack(&bytes, &referral.links.base).unwrap();
            assert_eq!(
                serde_json::to_string(&again).unwrap(),
                serde_json::to_string(&referral).unwrap()
            );
            assert_eq!(
                unpack(&bytes[..bytes.len() - 1], &referral.links.base).map(|one| one.id),
                None
            );
        }
    }

    #[test]
    fn a_glimpse_sees_what_the_referral_holds() {
        let referral = referral();
        let mut bytes = Vec::new();
        pack(&referral, &mut bytes);
        let expected = Glimpse {
            engagement: referral.engagement_id,
            updated: referral.updated_date_time.0,
            country: Some("US"),
            emails: vec![Some("ada@contoso.example"), None],
        };
        assert_eq!(Glimpse::of(&bytes), Some(expected));
        assert_eq!(Glimpse::of(&bytes[..60]), None);
    }

    #[test]
    fn every_word_has_its_number() {
        for substatus in [Substatus::Pending, Substatus::Declined, Substatus::Error] {
            let mut bytes = Vec::new();
            substatus.pack(&mut bytes);
            assert_eq!(Substatus::unpack(&mut bytes.as_slice()), Some(substatus));
        }
        assert_eq!(Substatus::unpack(&mut [200_u8].as_slice()), None);
    }
}
