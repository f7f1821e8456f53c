//! The built-in tables (dataverse.md section 6; the co-sell columns from partner-center.md section 8.4).
//!
//! Standard columns that neither a connector nor a seller in a scenario touches are left out: asking for one of them
//! gets the vendor's "could not find a property" error.
//!
//! Assumed: columns that the facts call `ApplicationRequired` (an opportunity's name and customer) are demanded by forms,
//! not by the Web API; what a deletion does to rows that point to the deleted one; defaults of choices.

use super::super::cell::Cell;
use super::build::{Builder, amount, bool, choice, lookup, text};
use super::{Column, Kind, OnDelete, State, Table};

/// Bound of standard money columns (dataverse.md section 6).
const MONEY: i64 = 1_000_000_000_000;

const ACTIVE: &[State] = &[
    State {
        code: 0,
        name: "Active",
        statuses: &[1],
        action: None,
    },
    State {
        code: 1,
        name: "Inactive",
        statuses: &[2],
        action: None,
    },
];

/// States of an opportunity with their status reasons (dataverse.md section 6).
const OPPORTUNITY: &[State] = &[
    State {
        code: 0,
        name: "Open",
        statuses: &[1, 2],
        action: None,
    },
    State {
        code: 1,
        name: "Won",
        statuses: &[3],
        action: Some("won"),
    },
    State {
        code: 2,
        name: "Lost",
        statuses: &[4, 5],
        action: Some("lost"),
    },
];

/// Assumed: the close activity is completed as it is made.
const ACTIVITY: &[State] = &[State {
    code: 1,
    name: "Completed",
    statuses: &[2],
    action: None,
}];

/// "How can Microsoft help?" in the order of partner-center.md section 3.4. Assumed: only the prefix 2996 is known.
const HELP: &[i64] = &[
    299_600_000,
    299_600_001,
    299_600_002,
    299_600_003,
    299_600_004,
    299_600_005,
];
/// IP co-sell, services co-sell. Assumed beyond the first value.
const COSELL_TYPE: &[i64] = &[299_600_000, 299_600_001];
/// Yes, no, not decided. Assumed.
const PURCHASE_INTENT: &[i64] = &[299_600_000, 299_600_001, 299_600_002];

/// Every built-in table.
pub(super) fn standard() -> Vec<Table> {
    vec![
        opportunity(),
        opportunity_close(),
        account(),
        contact(),
        currency(),
        solution(),
    ]
}

fn date(name: &'static str) -> Column {
    Column::new(name, Kind::Date)
}

fn opportunity() -> Table {
    use OnDelete::{Cascade, RemoveLink};
    let customer = [
        ("customerid_account", "account", Cascade),
        ("customerid_contact", "contact", Cascade),
    ];
    let percent = Kind::Int { min: 0, max: 100 };
    Builder::new("opportunity", "opportunities", "opportunityid", OPPORTUNITY)
        .with([
            text("name", 300).indexed(),
            lookup("customerid", &customer),
            lookup("parentaccountid", &[("parentaccountid", "account", RemoveLink)]),
            lookup("parentcontactid", &[("parentcontactid", "contact", RemoveLink)]),
        ])
        .money("estimatedvalue", MONEY, true)
        .money("actualvalue", MONEY, true)
        .money("budgetamount", MONEY, true)
        .money("totalamount", MONEY, false)
        .with([
            date("estimatedclosedate"),
            date("actualclosedate"),
            choice("salesstage", &[0, 1, 2, 3]).default(Cell::Int(0)),
            text("stepname", 200),
            Column::new("closeprobability", percent),
            choice("opportunityratingcode", &[1, 2, 3]).default(Cell::Int(2)),
            choice("msdyn_forecastcategory", FORECAST).default(Cell::Int(FORECAST[0])),
            bool("isrevenuesystemcalculated"),
            text("description", 2_000),
            lookup("originatingleadid", &[("originatingleadid", "lead", RemoveLink)]),
            lookup("pricelevelid", &[("pricelevelid", "pricelevel", RemoveLink)]),
        ])
        .with(cosell_columns())
        .build()
}

const FORECAST: &[i64] = &[
    100_000_001,
    100_000_002,
    100_000_003,
    100_000_004,
    100_000_005,
    100_000_006,
];

/// What the co-sell solution adds to the opportunity (partner-center.md section 8.4). The names are from one public
/// export. Assumed: lengths (as the Salesforce package has them) and the tables behind the three lookups.
fn cosell_columns() -> [Column; 14] {
    use OnDelete::RemoveLink;
    [
        choice("msft_coselltype", COSELL_TYPE),
        choice("msft_customerpurchaseintent", PURCHASE_INTENT),
        choice("msft_microsoftpartnercenterhelp", HELP),
        bool("msft_microsoftpartnercenterreferralsync").indexed(),
        bool("msft_microsoftpartnercenterreferralvisible"),
        lookup(
            "msft_partnerrole",
            &[("msft_PartnerRole", "msft_partnerrole", RemoveLink)],
        ),
        lookup(
            "msft_solutionarea",
            &[("msft_SolutionArea", "msft_solutionarea", RemoveLink)],
        ),
        lookup(
            "msft_solutionplay",
            &[("msft_SolutionPlay", "msft_solutionplay", RemoveLink)],
        ),
        text("msft_microsoftcrmidentifier", 100),
        text("msft_microsoftpartnercenterreferralidentifier", 100).indexed(),
        text("msft_microsoftpartnercenterreferrallink", 255),
        text("msft_microsoftpartnercenterreferralprogram", 200),
        text("msft_microsoftpartnercenterreferralsyncaudit", 100_000),
        text("msft_microsoftpartnercentersolutions", 255),
    ]
}

/// The row that a win or a loss leaves behind (dataverse.md section 6).
fn opportunity_close() -> Table {
    // Bound as `opportunityid@odata.bind` in WinOpportunity (dataverse.md section 2.10).
    let parent = lookup("opportunityid", &[("opportunityid", "opportunity", OnDelete::Cascade)]);
    Builder::new("opportunityclose", "opportunitycloses", "activityid", ACTIVITY)
        .read_only()
        .with([text("subject", 200), parent])
        .money("actualrevenue", MONEY, true)
        .with([
            Column::new("actualend", Kind::Time),
            text("description", 2_000),
            lookup("competitorid", &[("competitorid", "competitor", OnDelete::RemoveLink)]),
        ])
        .build()
}

/// Address columns that account and contact share.
fn address() -> [Column; 6] {
    [
        text("address1_line1", 250),
        text("address1_city", 80),
        text("address1_stateorprovince", 50),
        text("address1_postalcode", 20),
        text("address1_country", 80),
        text("address1_composite", 1_000).read_only(),
    ]
}

fn account() -> Table {
    use OnDelete::RemoveLink;
    Builder::new("account", "accounts", "accountid", ACTIVE)
        .with([text("name", 160).indexed(), text("accountnumber", 20)])
        .with(address())
        .with([
            text("telephone1", 50),
            text("emailaddress1", 100),
            text("websiteurl", 200),
            text("description", 2_000),
            lookup("primarycontactid", &[("primarycontactid", "contact", RemoveLink)]),
            lookup("parentaccountid", &[("parentaccountid", "account", RemoveLink)]),
        ])
        .money("revenue", MONEY, true)
        .build()
}

fn contact() -> Table {
    use OnDelete::Cascade;
    let parent = [
        ("parentcustomerid_account", "account", Cascade),
        ("parentcustomerid_contact", "contact", Cascade),
    ];
    Builder::new("contact", "contacts", "contactid", ACTIVE)
        .with([
            text("firstname", 50),
            text("lastname", 50),
            text("fullname", 160).read_only(),
            text("emailaddress1", 100).indexed(),
            text("telephone1", 50),
            text("mobilephone", 50),
            text("jobtitle", 100),
            text("description", 2_000),
            lookup("parentcustomerid", &parent),
        ])
        .with(address())
        .build()
}

fn currency() -> Table {
    let rate = Kind::Decimal {
        places: 10,
        bound: 100_000_000_000,
    };
    Builder::new(
        "transactioncurrency",
        "transactioncurrencies",
        "transactioncurrencyid",
        ACTIVE,
    )
    .read_only()
    .with([
        text("isocurrencycode", 5).indexed(),
        text("currencyname", 100),
        text("currencysymbol", 13),
        Column::new("exchangerate", rate).default(amount(1)),
        Column::new("currencyprecision", Kind::Int { min: 0, max: 4 }).default(Cell::Int(2)),
    ])
    .build()
}

/// The child table "Microsoft Partner Center Solutions". Assumed: every name in it (dataverse.md section 5), that its
/// rows die with their opportunity, and that the price is a plain decimal in the opportunity's currency.
fn solution() -> Table {
    let price = Kind::Decimal {
        places: 2,
        bound: 100_000_000_000,
    };
    let quantity = Kind::Int {
        min: 0,
        max: 2_147_483_647,
    };
    let parent = lookup(
        "msft_opportunity",
        &[("msft_Opportunity", "opportunity", OnDelete::Cascade)],
    );
    Builder::new(
        "msft_partnercentersolution",
        "msft_partnercentersolutions",
        "msft_partnercentersolutionid",
        ACTIVE,
    )
    .with([
        text("msft_name", 300),
        text("msft_solutionidentifier", 100).indexed(),
        Column::new("msft_price", price),
        Column::new("msft_quantity", quantity),
        parent,
    ])
    .build()
}
