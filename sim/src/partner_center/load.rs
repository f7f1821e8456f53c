//! Referrals from their printed form, as a dump of the state holds them.
//!
//! No rule of the API is asked: what was stored once is stored again. A referral that would print otherwise than it was
//! given is refused, so a load is exact or does not happen.

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::create::blank;
use super::guid::Guid;
use super::model::{ETag, Referral};
use super::registered::{Registered, RegistrationStatus, StatusHistory};
use super::value::Stamp;
use super::writer::TABLE;
use super::{PartnerCenter, State, webhook};
use crate::happening::{LoadError, Row};
use crate::site::Site;

/// The table under which the registration of webhooks stands in a dump.
const REGISTRATION: &str = "webhook-registration";

impl PartnerCenter {
    /// Every referral as the API prints it, in the order of their creation, and the registration of webhooks.
    pub fn dump(&self) -> Vec<Row> {
        let mut state = self.lock();
        let registration = state.registration.as_ref().map(|registration| Row {
            site: Site::PartnerCenter,
            table: REGISTRATION.to_owned(),
            id: registration.subscriber.to_string(),
            fields: webhook::stored(registration),
        });
        let mut rows: Vec<Row> = (0..state.store.len()).filter_map(|place| state.row(place)).collect();
        rows.extend(registration);
        rows
    }

    /// Stores dumped rows as they are, without events, in their order; gives back how many. They must be new. Rows are told
    /// apart by their position in `rows`, where an error names one.
    pub fn load(&self, rows: &[(usize, Row)]) -> Result<usize, LoadError> {
        let mut state = self.lock();
        let (mut read, mut registration) = (Vec::with_capacity(rows.len()), None);
        for (number, row) in rows {
            let wrong = |(field, expected): Wrong| LoadError::new(*number, &format!("/fields{field}"), &expected);
            match row.table.as_str() {
                TABLE => read.push(referral(&state, &row.fields).map_err(wrong)?),
                REGISTRATION => registration = Some(registered_hooks(row).map_err(wrong)?),
                _ => {
                    let expected = format!("`{TABLE}` or `{REGISTRATION}`");
                    return Err(LoadError::new(*number, "/table", &expected));
                }
            }
        }
        for referral in read {
            state.versions = state.versions.max(referral.e_tag.version);
            state.store.insert(&referral);
        }
        state.registration = registration.or(state.registration.take());
        // The same seed would draw the identifiers that have just been loaded.
        let label = format!("partner-center ids after {} loaded", rows.len());
        state.ids = self.ground.seed.stream(&label);
        Ok(rows.len())
    }
}

/// A registration of webhooks.
fn registered_hooks(row: &Row) -> Result<webhook::Registration, Wrong> {
    let subscriber =
        Guid::parse(&row.id).ok_or_else(|| (String::new(), "a registration whose id is a guid".to_owned()))?;
    let body = serde_json::to_vec(&row.fields).unwrap_or_default();
    let read = webhook::read(&body, subscriber).ok();
    let same = read.filter(|registration| webhook::stored(registration) == row.fields);
    same.ok_or_else(|| (String::new(), "the fields that a dump of a registration has".to_owned()))
}

/// What the partner registered a won deal with. The members that the service adds stand beside those that it was given.
fn registrations(printed: &Map<String, Value>) -> Result<Vec<Registered>, Wrong> {
    let listed = printed.get("registrations").and_then(Value::as_array);
    let one = |value: &Value| {
        let mut members = value.as_object()?.clone();
        for added in ["id", "registrationDateTime", "status", "statusReason", "statusHistory"] {
            members.shift_remove(added);
        }
        let since = Stamp(value.get("registrationDateTime")?.as_str()?.parse().ok()?);
        Some(Registered {
            id: Guid::parse(value.get("id")?.as_str()?)?,
            registration_date_time: since,
            status: RegistrationStatus::ReviewPending,
            status_reason: (),
            given: serde_json::from_value(Value::Object(members)).ok()?,
            status_history: StatusHistory::reviewed_from(since),
        })
    };
    let read: Option<Vec<Registered>> = listed.into_iter().flatten().map(one).collect();
    read.ok_or_else(|| {
        (
            "/registrations".to_owned(),
            "registrations of this simulator".to_owned(),
        )
    })
}

type Wrong = (String, String);

fn referral(state: &State, printed: &Map<String, Value>) -> Result<Referral, Wrong> {
    let id = guid(printed, "id")?;
    let engagement = guid(printed, "engagementId")?;
    if state.store.find(id).is_some() {
        return Err(("/id".to_owned(), "an id that is not stored yet".to_owned()));
    }
    let e_tag = text(printed, "eTag").and_then(|text| e_tag(&text));
    let mut referral = Referral {
        name: field(printed, "name")?,
        organization_id: text(printed, "organizationId").unwrap_or_default().into(),
        organization_name: text(printed, "organizationName").unwrap_or_default().into(),
        external_reference_id: field(printed, "externalReferenceId")?,
        created_date_time: Stamp(field(printed, "createdDateTime")?),
        updated_date_time: Stamp(field(printed, "updatedDateTime")?),
        expiration_date_time: field(printed, "expirationDateTime")?,
        status: field(printed, "status")?,
        substatus: field(printed, "substatus")?,
        status_reason: field(printed, "statusReason")?,
        qualification: field(printed, "qualification")?,
        kind: field(printed, "type")?,
        e_tag: e_tag.ok_or_else(|| ("/eTag".to_owned(), "an eTag of this simulator".to_owned()))?,
        favorite: field(printed, "favorite")?,
        campaign_id: field(printed, "campaignId")?,
        sales_stage: field(printed, "salesStage")?,
        is_spam: field(printed, "isSpam")?,
        direction: field(printed, "direction")?,
        mpn_id: text(printed, "mpnId").map(Into::into),
        referral_program: field(printed, "referralProgram")?,
        accepted_date_time: field::<Option<Timestamp>>(printed, "acceptedDateTime")?.map(Stamp),
        closed_date_time: field::<Option<Timestamp>>(printed, "closedDateTime")?.map(Stamp),
        target: field(printed, "target")?,
        customer_profile: field(printed, "customerProfile")?,
        consent: field(printed, "consent")?,
        details: field(printed, "details")?,
        team: field(printed, "team")?,
        invite_context: field(printed, "inviteContext")?,
        registrations: registrations(printed)?,
        ..blank(id, engagement, Timestamp::UNIX_EPOCH)
    };
    if !referral.registrations.is_empty() {
        referral.registration_status = RegistrationStatus::ReviewPending;
    }
    let msx = printed.get("trackingInfo").and_then(|info| info.get("microsoftMsxId"));
    referral.tracking_info.microsoft_msx_id = msx.and_then(Value::as_str).map(str::to_owned);
    referral.links.base = std::sync::Arc::clone(state.store.base());
    same(&referral, printed)?;
    Ok(referral)
}

/// Refuses what would print otherwise; links follow the base URL in force.
fn same(referral: &Referral, printed: &Map<String, Value>) -> Result<(), Wrong> {
    let again = serde_json::to_value(referral).unwrap_or_default();
    for (name, value) in again.as_object().into_iter().flatten() {
        if name != "links" && printed.get(name) != Some(value) {
            return Err((
                format!("/{name}"),
                format!("{value}, or another value that is simulated"),
            ));
        }
    }
    match printed.keys().find(|name| again.get(name).is_none()) {
        Some(name) => Err((format!("/{name}"), "no such field".to_owned())),
        None => Ok(()),
    }
}

fn text(printed: &Map<String, Value>, name: &str) -> Option<String> {
    printed.get(name).and_then(Value::as_str).map(str::to_owned)
}

fn guid(printed: &Map<String, Value>, name: &str) -> Result<Guid, Wrong> {
    let found = text(printed, name).and_then(|text| Guid::parse(&text));
    found.ok_or_else(|| (format!("/{name}"), "a guid".to_owned()))
}

/// A field as it is read from a request; what is printed but never read from one is left out.
fn field<T: DeserializeOwned>(printed: &Map<String, Value>, name: &str) -> Result<T, Wrong> {
    let mut value = printed.get(name).cloned().unwrap_or_default();
    loop {
        let error = match serde_json::from_value(value.clone()) {
            Ok(read) => return Ok(read),
            Err(error) => error.to_string(),
        };
        let unknown = error
            .strip_prefix("unknown field `")
            .and_then(|rest| rest.split('`').next());
        if !unknown.is_some_and(|unknown| remove(&mut value, unknown)) {
            return Err((format!("/{name}"), error));
        }
    }
}

/// Removes a member wherever it is; tells whether it was anywhere.
fn remove(value: &mut Value, name: &str) -> bool {
    match value {
        Value::Object(members) => {
            let here = members.shift_remove(name).is_some();
            members
                .values_mut()
                .fold(here, |found, member| remove(member, name) || found)
        }
        Value::Array(items) => {
            let found = items.iter_mut().filter_map(|item| remove(item, name).then_some(()));
            found.count() > 0
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn e_tag(text: &str) -> Option<ETag> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    let (version, rest) = inner.split_once('-')?;
    let seconds = rest.rsplit('-').next()?.get(..8)?;
    Some(ETag {
        version: u32::from_str_radix(version, 16).ok()?,
        seconds: u32::from_str_radix(seconds, 16).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, default_start};
    use crate::ground::Ground;
    use crate::partner_center::{Customer, MicrosoftAct, Settings, SharedDeal};
    use crate::seed::Seed;

    fn account() -> PartnerCenter {
        PartnerCenter::new(
            Settings::default(),
            &Ground::new(Clock::manual(default_start()), Seed::default()),
        )
    }

    fn share(account: &PartnerCenter) -> String {
        let deal = SharedDeal {
            name: "Fabrikam &amp; Sons".to_owned(),
            customer: Customer {
                name: "Fabrikam".to_owned(),
                country: Some("US".to_owned()),
                ..Customer::default()
            },
            value: Some(19.99),
            currency: "USD".to_owned(),
            closing: default_start(),
            notes: Some("n".to_owned()),
            solutions: vec![("SOL-1".to_owned(), "One".to_owned())],
            help: None,
        };
        account.microsoft(MicrosoftAct::Share(deal)).unwrap()
    }

    fn dumped(account: &PartnerCenter) -> Vec<(usize, Row)> {
        account.dump().into_iter().enumerate().collect()
    }

    #[test]
    fn a_loaded_account_prints_what_was_dumped_and_goes_on_from_there() {
        let first = account();
        let id = share(&first);
        let msx = MicrosoftAct::SetMsxId {
            engagement: id.clone(),
            id: "7-X".to_owned(),
        };
        first.microsoft(msx).unwrap();
        let second = account();
        assert_eq!(second.load(&dumped(&first)), Ok(2));
        assert_eq!(second.rows(), first.rows());
        assert_eq!(second.next_due(), first.next_due());
        assert_ne!(share(&second), id);
        assert_eq!(second.rows().len(), 4);
    }

    #[test]
    fn what_would_not_print_again_is_refused_by_row_and_field() {
        let first = account();
        share(&first);
        let edited = |name: &str, value: Value| {
            let mut rows = dumped(&first);
            rows[1].1.fields.insert(name.to_owned(), value);
            account().load(&rows).unwrap_err()
        };
        assert_eq!(edited("status", "Engaged".into()).field, "/fields/status");
        assert_eq!(edited("isSpam", Value::Null).row, 1);
        assert_eq!(edited("quality", "Good".into()).field, "/fields/quality");
        assert_eq!(edited("colour", "red".into()).expected, "no such field");
        assert_eq!(edited("id", 7.into()).expected, "a guid");
    }
}
