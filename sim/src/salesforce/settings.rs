//! How a simulated org is set up: its switches, its sales stages, its currencies.
//!
//! It holds no rows and no schema.

use std::collections::BTreeSet;

use jiff::SignedDuration;

/// What an administrator decided about the org.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own that an administrator sets"
)]
pub struct Settings {
    /// Rows on one page of a query: 2,000 unless told otherwise (salesforce.md section 2.3). At least 1.
    pub page_size: usize,
    /// Which objects and fields exist.
    pub schema: Schema,
    /// Whether the package's validation rules are active. Whether it ships them active is not known; both orgs found in
    /// public had them off.
    pub validation_rules: bool,
    /// Rules that look for records that are there already. None in a new org of this simulator.
    pub duplicate_rules: Vec<DuplicateRule>,
    /// Who gets the records of an object when assignment rules run: with every create and update that does not ask otherwise.
    pub assignment_rules: Vec<AssignmentRule>,
    /// The sales stages, in the order of the picklist.
    pub stages: Vec<Stage>,
    /// Record types beyond the one that every object has. The first of an object is its default.
    pub record_types: Vec<RecordType>,
    /// The active currencies: the values that `CurrencyIsoCode` takes.
    pub currencies: Vec<String>,
    /// What a record without `CurrencyIsoCode` gets.
    pub default_currency: String,
    /// How long a session lives. Assumed: counted from sign-in, not from the last call; two hours is the org default.
    pub session_lifetime: SignedDuration,
    /// Whether the org is a sandbox: its login host is the vendor's for sandboxes, and it says so.
    pub sandbox: bool,
    /// The URL under which the org says that it is, when that is not where its server listens: behind a proxy, or under a name of
    /// the vendor's. Without a slash at the end.
    pub host: Option<String>,
    /// The login host that assertions name, when it is not the vendor's. Without a slash at the end.
    pub login_host: Option<String>,
    /// Whether `login()` of the SOAP API works. Orgs made since Winter '26 refuse it (salesforce.md section 1.4).
    pub soap_login: bool,
    /// Whether an administrator approved the connected application for its users; the JWT bearer grant needs it.
    pub application_approved: bool,
    /// The public key that assertions of the JWT bearer grant are signed for: an RSA key as DER (PKCS #1). Assumed: without one any
    /// signature is taken.
    pub application_key: Option<Vec<u8>>,
    /// Whether the REST API is switched off for the whole org.
    pub api_disabled: bool,
    /// Users whose profile may not use the API.
    pub api_disabled_users: BTreeSet<String>,
    /// Users whose profile may read and not write.
    pub read_only_users: BTreeSet<String>,
    /// API calls that the org may receive on one day (UTC; the real window rolls). Above it: `REQUEST_LIMIT_EXCEEDED`.
    pub daily_requests: u64,
    /// How long the transaction of a write holds its records: nothing unless told otherwise, so that no two writes meet.
    pub transaction_time: SignedDuration,
    /// How long a write waits for a record that another one holds: ten seconds (developer guide of Apex, locking statements).
    pub lock_wait: SignedDuration,
    /// How long a job of the Bulk API takes from the end of its upload to its results.
    pub bulk_processing: SignedDuration,
    /// The objects whose changes the org tells: at most five without an add-on.
    pub change_data_capture: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            page_size: 2000,
            schema: Schema::default(),
            validation_rules: false,
            duplicate_rules: Vec::new(),
            assignment_rules: Vec::new(),
            stages: Stage::standard(),
            record_types: Vec::new(),
            currencies: ["USD", "EUR", "GBP", "JPY", "INR"].map(str::to_owned).to_vec(),
            default_currency: "USD".to_owned(),
            session_lifetime: SignedDuration::from_hours(2),
            sandbox: false,
            host: None,
            login_host: None,
            soap_login: true,
            application_approved: true,
            application_key: None,
            api_disabled: false,
            api_disabled_users: BTreeSet::new(),
            read_only_users: BTreeSet::new(),
            daily_requests: 100_000,
            transaction_time: SignedDuration::ZERO,
            lock_wait: SignedDuration::from_secs(10),
            bulk_processing: SignedDuration::from_secs(2),
            change_data_capture: ["Account", "Contact", "Lead", "Microsoft_Solutions__c", "Opportunity"]
                .map(str::to_owned)
                .to_vec(),
        }
    }
}

impl Settings {
    /// The vendor's login host for this kind of org, which assertions name as their audience (salesforce.md section 1.1).
    pub(crate) fn login_host(&self) -> &str {
        if let Some(own) = &self.login_host {
            own
        } else if self.sandbox {
            "https://test.salesforce.com"
        } else {
            "https://login.salesforce.com"
        }
    }

    /// The stage of that name, in any case.
    pub(crate) fn stage(&self, name: &str) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.name.eq_ignore_ascii_case(name))
    }
}

/// A rule that looks for records that are there already (salesforce.md section 2.9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DuplicateRule {
    /// The name in metadata: `Standard_Contact_Duplicate_Rule`.
    pub name: String,
    /// The name of the matching rule in metadata.
    pub matching_rule: String,
    /// The API name of the object.
    pub object: String,
    /// The fields that must all be equal, without regard to case, and not empty.
    pub fields: Vec<String>,
    /// Whether the record may be saved all the same when the request asks for it.
    pub allow_save: bool,
    /// What the user is told.
    pub message: String,
}

/// Who gets the records of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssignmentRule {
    /// The API name of the object: `Lead`.
    pub object: String,
    /// The name of the user.
    pub owner: String,
}

/// One record type of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordType {
    /// The API name of the object.
    pub object: String,
    /// On the screen.
    pub name: String,
    /// The name in metadata.
    pub developer_name: String,
}

/// Which objects and fields an org has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own that an administrator sets"
)]
pub struct Schema {
    /// Whether `CurrencyIsoCode` exists. The co-sell connector's default currency field needs it.
    pub multi_currency: bool,
    /// Whether Microsoft's package is installed: its fields, its objects, its Apex effects (salesforce.md section 6).
    pub package_installed: bool,
    /// Whether countries and states are picklists with codes beside them. `BillingCountry` then takes a country of the list
    /// only (salesforce.md section 3.4).
    pub state_country_picklists: bool,
    /// Whether opportunities have teams: the object `OpportunityTeamMember`. The co-sell guide asks for it.
    pub team_selling: bool,
    /// Whether notes are enabled: `ContentNote` and what belongs to it. The co-sell guide asks for it.
    pub notes: bool,
    /// Fields that field-level security hides, as `Object.Field`. For the API they are not there. Assumed: hidden from every
    /// profile; the org's own logic still fills them.
    pub hidden_fields: BTreeSet<String>,
    /// Objects beyond the standard ones and the package's.
    pub custom_objects: Vec<CustomObject>,
    /// Fields beyond the standard ones and the package's, also on standard objects.
    pub custom_fields: Vec<CustomField>,
}

impl Default for Schema {
    fn default() -> Self {
        Self {
            multi_currency: true,
            package_installed: true,
            state_country_picklists: false,
            team_selling: true,
            notes: true,
            hidden_fields: BTreeSet::new(),
            custom_objects: Vec::new(),
            custom_fields: Vec::new(),
        }
    }
}

/// An object that an administrator made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CustomObject {
    /// The API name, with `__c`.
    pub name: String,
    /// On the screen, one of them.
    pub label: String,
    /// On the screen, several.
    pub plural: String,
}

/// A field that an administrator made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CustomField {
    /// The API name of the object.
    pub object: String,
    /// The API name of the field, with `__c`.
    pub name: String,
    /// On the screen.
    pub label: String,
    /// The type.
    pub kind: CustomKind,
    /// Whether it may not be empty.
    pub required: bool,
    /// Whether an upsert may find records by it.
    pub external_id: bool,
    /// Whether no two records may hold the same value.
    pub unique: bool,
}

/// The type of a field that an administrator made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CustomKind {
    /// One line of at most so many characters.
    Text(usize),
    /// Several lines of at most so many characters, which no query can filter by.
    LongText(usize),
    /// Yes or no.
    Checkbox,
    /// A number: digits before and after the point, digits after it.
    Number(u32, u32),
    /// Money, likewise.
    Currency(u32, u32),
    /// Hundredths, likewise.
    Percent(u32, u32),
    /// A day.
    Date,
    /// A moment.
    DateTime,
    /// An address of a mailbox.
    Email,
    /// A telephone number.
    Phone,
    /// An address on the web.
    Url,
    /// One value of a list.
    Picklist {
        /// The list.
        values: Vec<String>,
        /// Whether other values are refused.
        restricted: bool,
    },
    /// Several values of a list.
    MultiPicklist {
        /// The list.
        values: Vec<String>,
        /// Whether other values are refused.
        restricted: bool,
    },
    /// A record of another object, which may go away.
    LookUp {
        /// The object.
        to: String,
        /// The name under which queries of that object reach these records, with `__r`.
        children: String,
    },
    /// The record that this one is a part of, and with which it is deleted.
    MasterDetail {
        /// The object.
        to: String,
        /// The name under which queries of that object reach these records, with `__r`.
        children: String,
    },
}

/// One sales stage and what it says about an opportunity in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// The value of `StageName`.
    pub name: String,
    /// Sets `IsClosed`.
    pub closed: bool,
    /// Sets `IsWon`.
    pub won: bool,
    /// Sets `Probability`, in percent.
    pub probability: u8,
}

impl Stage {
    /// A stage of an open opportunity.
    pub fn open(name: &str, probability: u8) -> Self {
        Self {
            name: name.to_owned(),
            closed: false,
            won: false,
            probability,
        }
    }

    /// The ten stages of a new org (salesforce.md section 3.4) and `On Hold`, into which new deals from Microsoft go.
    pub fn standard() -> Vec<Self> {
        let closed = |name: &str, won| Self {
            name: name.to_owned(),
            closed: true,
            won,
            probability: if won { 100 } else { 0 },
        };
        vec![
            Self::open("Prospecting", 10),
            Self::open("Qualification", 10),
            Self::open("Needs Analysis", 20),
            Self::open("Value Proposition", 50),
            Self::open("Id. Decision Makers", 60),
            Self::open("Perception Analysis", 70),
            Self::open("Proposal/Price Quote", 75),
            Self::open("Negotiation/Review", 90),
            Self::open("On Hold", 10),
            closed("Closed Won", true),
            closed("Closed Lost", false),
        ]
    }

    /// `ForecastCategory` and `ForecastCategoryName`. Assumed: every open stage is in the pipeline, as in a new org.
    pub(crate) fn forecast(&self) -> (&'static str, &'static str) {
        match (self.closed, self.won) {
            (true, true) => ("Closed", "Closed"),
            (true, false) => ("Omitted", "Omitted"),
            (false, _) => ("Pipeline", "Pipeline"),
        }
    }
}
