//! How a simulated org is set up: its switches, its sales stages, its currencies.
//!
//! It holds no rows and no schema.

use jiff::SignedDuration;

/// What an administrator decided about the org.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Rows on one page of a query: 2,000 unless told otherwise (salesforce.md section 2.3). At least 1.
    pub page_size: usize,
    /// Whether `CurrencyIsoCode` exists. The co-sell connector's default currency field needs it.
    pub multi_currency: bool,
    /// Whether Microsoft's package is installed: its fields, its objects, its Apex effects (salesforce.md section 6).
    pub package_installed: bool,
    /// Whether the package's validation rules are active. Whether it ships them active is not known; both orgs found in
    /// public had them off.
    pub validation_rules: bool,
    /// The sales stages, in the order of the picklist.
    pub stages: Vec<Stage>,
    /// The active currencies: the values that `CurrencyIsoCode` takes.
    pub currencies: Vec<String>,
    /// What a record without `CurrencyIsoCode` gets.
    pub default_currency: String,
    /// How long a session lives. Assumed: counted from sign-in, not from the last call; two hours is the org default.
    pub session_lifetime: SignedDuration,
    /// API calls that the org may receive on one day (UTC; the real window rolls). Above it: `REQUEST_LIMIT_EXCEEDED`.
    pub daily_requests: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            page_size: 2000,
            multi_currency: true,
            package_installed: true,
            validation_rules: false,
            stages: Stage::standard(),
            currencies: ["USD", "EUR", "GBP", "JPY", "INR"].map(str::to_owned).to_vec(),
            default_currency: "USD".to_owned(),
            session_lifetime: SignedDuration::from_hours(2),
            daily_requests: 100_000,
        }
    }
}

impl Settings {
    /// The stage of that name, in any case.
    pub(crate) fn stage(&self, name: &str) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.name.eq_ignore_ascii_case(name))
    }
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
