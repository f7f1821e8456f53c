//! Referral ⇄ deal: facts out of a referral, and a referral out of an opportunity.
//!
//! The values are canonical on the way in; on the way out they are printed as the documented samples print them.

use jiff::Timestamp;
use jiff::tz::Offset;
use serde_json::{Map, Value, json};

use super::super::Unreadable;
use super::wire::{WireAddress, WirePerson, WireReferral, WireSolution};
use crate::deal::{Address, Customer, Ending, Field, Help, Person, ReferralState, Solution, Values, canon};
use crate::id::{EngagementId, OpportunityId, ReferralId};

/// A referral as it was read.
#[derive(Clone, Debug)]
pub struct Referral {
    /// The whole object, for a PUT.
    whole: Map<String, Value>,
    /// Its id.
    pub id: ReferralId,
    /// The engagement that it belongs to.
    pub engagement: EngagementId,
    /// The eTag as printed, quotes inside.
    pub etag: String,
    /// When it was last changed.
    pub updated: Timestamp,
    /// Its state.
    pub state: ReferralState,
    /// The substatus as printed: `Declined`, `Expired` and others say more than lost.
    pub substatus: String,
    /// The reason of the status, where one is given.
    pub reason: Option<String>,
    /// The people of the party that work on it.
    pub team: Vec<Person>,
    /// The merged fields.
    pub values: Values,
    /// `externalReferenceId`: the CRM's id.
    pub external: Option<String>,
    /// The help that was asked of Microsoft.
    pub help: Option<Help>,
    /// Whether Microsoft's sellers see it.
    pub visible: bool,
    /// Microsoft's own CRM id for it.
    pub msx: Option<String>,
    /// Whether it is a lead and no deal (partner-center.md section 3.2).
    pub is_lead: bool,
    /// Whether it is Microsoft's referral, not the partner's.
    pub is_microsofts: bool,
    /// The customer.
    pub customer: Customer,
    /// The solutions.
    pub solutions: Vec<Solution>,
    /// The fields whose values were cut to what the CRM can hold.
    pub cut: Vec<Field>,
}

impl Referral {
    /// Reads a referral.
    pub fn read(whole: Value, zone: Offset) -> Result<Self, Unreadable> {
        let wire = WireReferral::deserialize(&whole)?;
        let Value::Object(whole) = whole else {
            return Err(Unreadable::missing("referral"));
        };
        let updated = wire.updated_date_time.as_deref().and_then(canon::timestamp);
        let substatus = wire.substatus.unwrap_or_default();
        let details = wire.details.unwrap_or_default();
        let mut values = Values::default();
        values.set(Field::Name, wire.name.as_deref().and_then(canon::name));
        values.set(Field::Value, canon::amount(&details.deal_value));
        values.set(Field::Currency, details.currency.as_deref().and_then(canon::currency));
        values.scale();
        let closing = details.closing_date_time.as_deref();
        values.set(Field::ClosingDate, closing.and_then(|raw| canon::day_of(raw, zone)));
        values.set(Field::Notes, details.notes.as_deref().and_then(canon::text));
        let code = wire.invite_context.unwrap_or_default().assistance_request_code;
        let target = wire.target.unwrap_or_default();
        let qualification = wire.qualification.as_deref();
        let consent = wire.consent.unwrap_or_default();
        Ok(Self {
            id: ReferralId::new(some(&wire.id).ok_or_else(|| Unreadable::missing("id"))?),
            engagement: EngagementId::new(wire.engagement_id.unwrap_or_default()),
            etag: wire.etag.unwrap_or_default(),
            updated: updated.ok_or_else(|| Unreadable::missing("updatedDateTime"))?,
            state: state(wire.status.as_deref(), &substatus)?,
            substatus,
            reason: wire.status_reason.as_deref().and_then(canon::text),
            team: wire.team.unwrap_or_default().iter().map(person).collect(),
            values,
            external: wire.external_reference_id.as_deref().and_then(canon::text),
            help: Help::ALL.into_iter().find(|help| code.as_deref() == Some(help.code())),
            visible: consent.consent_to_share_referral_with_microsoft_sellers == Some(true),
            msx: wire
                .tracking_info
                .unwrap_or_default()
                .microsoft_msx_id
                .as_deref()
                .and_then(canon::text),
            is_lead: wire.kind.as_deref() == Some("Independent")
                && matches!(qualification, Some("Direct" | "MarketingQualified")),
            is_microsofts: wire.organization_id.as_deref() == Some("msft")
                || target.iter().any(|target| {
                    target.kind.as_deref() == Some("BusinessProfileLocation") && target.id.as_deref() == Some("msft")
                }),
            customer: wire.customer_profile.map(customer).unwrap_or_default(),
            solutions: details
                .requirements
                .and_then(|all| all.solutions)
                .unwrap_or_default()
                .iter()
                .filter_map(solution)
                .collect(),
            cut: Vec::new(),
            whole,
        })
    }

    /// The body of a PUT: the referral as it was read, without links, with a new name or help (partner-center.md
    /// section 4.2).
    pub fn replaced(&self, name: Option<&str>, help: Option<Help>) -> Value {
        let mut whole = self.whole.clone();
        whole.remove("links");
        whole.remove("@odata.context");
        if let Some(name) = name {
            whole.insert("name".to_owned(), Value::from(name));
        }
        if let Some(help) = help {
            let invite = whole.entry("inviteContext").or_insert_with(|| json!({}));
            if !invite.is_object() {
                *invite = json!({});
            }
            invite["assistanceRequestCode"] = Value::from(help.code());
        }
        Value::Object(whole)
    }
}

impl Referral {
    /// The text at a path of the referral, as PATCH names it.
    pub fn text_at(&self, path: &str) -> Option<String> {
        let (first, rest) = path
            .strip_prefix('/')?
            .split_once('/')
            .unwrap_or((path.strip_prefix('/')?, ""));
        let value = self.whole.get(first)?;
        let value = if rest.is_empty() {
            value
        } else {
            value.pointer(&format!("/{rest}"))?
        };
        value.as_str().and_then(canon::text)
    }
}

impl WireReferral {
    fn deserialize(whole: &Value) -> Result<Self, Unreadable> {
        serde::Deserialize::deserialize(whole)
            .map_err(|error: serde_json::Error| Unreadable::Lacks(format!("the referral is unreadable: {error}")))
    }
}

fn state(status: Option<&str>, substatus: &str) -> Result<ReferralState, Unreadable> {
    match status {
        Some("New") => Ok(ReferralState::New),
        Some("Active") => Ok(ReferralState::Active),
        Some("Closed") if substatus == "Won" => Ok(ReferralState::Closed(Ending::Won)),
        Some("Closed") => Ok(ReferralState::Closed(Ending::Lost)),
        _ => Err(Unreadable::missing("status")),
    }
}

fn some(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn clean(raw: Option<&String>) -> Option<String> {
    raw.map(String::as_str).and_then(canon::text)
}

fn customer(wire: super::wire::WireCustomer) -> Customer {
    let WireAddress {
        address_line1,
        city,
        state,
        postal_code,
        country,
    } = wire.address.unwrap_or_default();
    Customer {
        name: clean(wire.name.as_ref()),
        address: Address {
            line: clean(address_line1.as_ref()),
            city: clean(city.as_ref()),
            state: clean(state.as_ref()),
            postal_code: clean(postal_code.as_ref()),
            country: clean(country.as_ref()),
        },
        contact: wire.team.unwrap_or_default().first().map(person),
    }
}

fn person(wire: &WirePerson) -> Person {
    Person {
        first_name: clean(wire.first_name.as_ref()),
        last_name: clean(wire.last_name.as_ref()),
        email: clean(wire.email.as_ref()),
        phone: clean(wire.phone_number.as_ref()),
    }
}

fn solution(wire: &WireSolution) -> Option<Solution> {
    let id = wire.id.as_deref().and_then(canon::text)?;
    let name = wire.name.as_deref().and_then(canon::text);
    Some(Solution { id, name })
}

/// What a new referral is made of.
#[derive(Clone, Debug)]
pub struct NewReferral {
    /// The opportunity, kept as `externalReferenceId`.
    pub opportunity: OpportunityId,
    /// The merged fields.
    pub values: Values,
    /// The help that is asked of Microsoft.
    pub help: Option<Help>,
    /// Whether Microsoft's sellers see it.
    pub visible: bool,
    /// The customer.
    pub customer: Customer,
    /// The solutions.
    pub solutions: Vec<Solution>,
}

impl NewReferral {
    /// The body of the first POST: the partner's own referral, in the shape of the documented sample (section 2.5).
    pub fn own(&self, zone: Offset) -> Value {
        let target: Vec<Value> = self
            .solutions
            .iter()
            .map(|solution| json!({"type": "SolutionProfile", "id": solution.id}))
            .collect();
        self.body(&target, None, zone)
    }

    /// The body of the second POST: Microsoft's referral in the same engagement (section 2.5, "two POSTs").
    pub fn invitation(&self, engagement: &EngagementId, zone: Offset) -> Value {
        let target = [json!({"type": "BusinessProfileLocation", "id": "msft"})];
        self.body(&target, Some(engagement), zone)
    }

    fn body(&self, target: &[Value], engagement: Option<&EngagementId>, zone: Offset) -> Value {
        let value = |field| self.values.get(field);
        let closing = value(Field::ClosingDate)
            .and_then(|day| canon::start_of(day, zone))
            .map(canon::seconds);
        let solutions: Vec<Value> = self
            .solutions
            .iter()
            .map(|solution| json!({"id": solution.id, "name": solution.name, "type": "Name"}))
            .collect();
        let mut body = json!({
            "name": value(Field::Name),
            "externalReferenceId": self.opportunity.as_str(),
            "qualification": "SalesQualified",
            "type": if self.help.is_some() { "Shared" } else { "Independent" },
            "target": target,
            "customerProfile": self.profile(),
            "consent": {
                "consentToToShareInfoWithOthers": true,
                "consentToContact": true,
                "consentToShareReferralWithMicrosoftSellers": self.visible || self.help.is_some(),
            },
            "details": {
                "notes": value(Field::Notes),
                "dealValue": value(Field::Value).map_or(Value::Null, canon::amount_to_json),
                "currency": value(Field::Currency),
                "closingDateTime": closing,
                "requirements": {"solutions": solutions},
            },
            "team": [],
            "inviteContext": {"assistanceRequestCode": self.help.map_or("Unknown", Help::code)},
        });
        if let Some(engagement) = engagement {
            body["engagementId"] = Value::from(engagement.as_str());
            // Microsoft's referral is no record of this CRM.
            body["externalReferenceId"] = Value::Null;
        }
        body
    }

    fn profile(&self) -> Value {
        let Customer { name, address, contact } = &self.customer;
        let team: Vec<Value> = contact
            .iter()
            .map(|person| {
                json!({
                    "firstName": person.first_name,
                    "lastName": person.last_name,
                    "phoneNumber": person.phone,
                    "email": person.email,
                })
            })
            .collect();
        json!({
            "name": name,
            "address": {
                "addressLine1": address.line,
                "city": address.city,
                "state": address.state,
                "postalCode": address.postal_code,
                "country": address.country,
            },
            "team": team,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shape and odd values of a real answer, sanitised (partner-center.md section 2.3).
    fn real() -> Value {
        json!({
            "id": "a001", "engagementId": "e001", "name": "Discover &amp; Share ✔",
            "organizationId": "b001", "externalReferenceId": "",
            "updatedDateTime": "2022-02-24T21:12:46.1743218Z", "status": "Active", "substatus": "Accepted",
            "qualification": "SalesQualified", "type": "Shared", "eTag": "\"69007a1e\"",
            "target": [{"type": "SolutionProfile", "id": "3a2f"}],
            "customerProfile": {"name": "FABRIKAM OIL &amp; GAS S.A.", "size": "",
                "address": {"addressLine1": "Example Street 101", "addressLine2": null, "postalCode": "B0000XXX", "country": "AR"},
                "team": [{"firstName": "SUE", "lastName": "SMITH", "email": "sue.smith@fabrikam.example", "title": null}]},
            "consent": {"consentToShareReferralWithMicrosoftSellers": true},
            "details": {"notes": null, "dealValue": 10000, "currency": "USD", "closingDateTime": "2022-03-04T03:00:00Z",
                "requirements": {"solutions": [{"id": "3a2f", "name": "M365", "price": null}]}},
            "inviteContext": {"notes": null, "assistanceRequestCode": "Unknown"},
            "links": {"self": {}}, "trackingInfo": {"microsoftMsxId": null}
        })
    }

    #[test]
    fn a_real_answer_becomes_facts() {
        let referral = Referral::read(real(), Offset::UTC).unwrap();
        assert_eq!(referral.state, ReferralState::Active);
        assert_eq!(referral.values.get(Field::Name), Some("Discover & Share"));
        assert_eq!(referral.values.get(Field::Value), Some("10000"));
        assert_eq!(referral.values.get(Field::ClosingDate), Some("2022-03-04"));
        assert_eq!(referral.values.get(Field::Notes), None);
        assert_eq!(referral.external, None);
        assert_eq!(
            (
                referral.help,
                referral.visible,
                referral.is_lead,
                referral.is_microsofts
            ),
            (None, true, false, false)
        );
        assert_eq!(referral.customer.name.as_deref(), Some("FABRIKAM OIL & GAS S.A."));
        assert_eq!(
            referral.customer.contact.unwrap().email.as_deref(),
            Some("sue.smith@fabrikam.example")
        );
        assert_eq!(referral.etag, "\"69007a1e\"");
    }

    #[test]
    fn a_put_sends_everything_back_but_the_links() {
        let body = Referral::read(real(), Offset::UTC)
            .unwrap()
            .replaced(Some("New"), Some(Help::QuotesOrLicensing));
        assert_eq!(body["name"], "New");
        assert_eq!(body["inviteContext"]["assistanceRequestCode"], "QuotesOrLicensing");
        assert_eq!(body["consent"]["consentToShareReferralWithMicrosoftSellers"], true);
        assert!(body.get("links").is_none());
    }

    #[test]
    fn a_reply_that_is_no_referral_is_refused() {
        for odd in [
            json!([]),
            json!({}),
            json!({"id": "x"}),
            json!({"id": "x", "status": "Odd", "updatedDateTime": "2022-02-24T21:12:46Z"}),
        ] {
            assert!(Referral::read(odd, Offset::UTC).is_err());
        }
    }
}
