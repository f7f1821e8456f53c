//! The rows that an environment begins with: currencies, people and their roles, solutions, variables, flows, messages.
//!
//! It writes past the rules, leaves no commits behind, and is not asked again once an environment stands, save for people:
//! those follow the token authority.

use std::sync::Arc;

use jiff::Timestamp;

use crate::ground::Ground;
use crate::identity::{Role, User, entra};
use crate::seed::Seed;

use super::amount::Amount;
use super::cell::Cell;
use super::environment::{State, user_id, whole_second};
use super::guid::Guid;
use super::store::Row;

/// Currencies of every environment: ISO code, name, symbol, rate against the first, which is the base, and precision.
///
/// Assumed: the rates, which stay as they are.
const CURRENCIES: [(&str, &str, &str, &str, i64); 5] = [
    ("USD", "US Dollar", "$", "1", 2),
    ("EUR", "Euro", "€", "0.8", 2),
    ("GBP", "Pound Sterling", "£", "0.75", 2),
    ("JPY", "Yen", "¥", "150", 0),
    ("INR", "Indian Rupee", "₹", "80", 2),
];

/// Security roles by name (product requirement M1), with the role of the token authority behind each.
pub(super) const ROLES: [(&str, Role); 3] = [
    ("System Administrator", Role::SystemAdministrator),
    ("System Customizer", Role::SystemCustomizer),
    ("Salesperson", Role::Salesperson),
];

/// The display names are documented (dataverse.md section 5). Assumed: the solution's unique name and version, and the
/// schema names of its variables.
const SOLUTION: (&str, &str) = (
    "PartnerCenterReferralsSynchronizationforDynamics365",
    "Partner Center Referrals Synchronization for Dynamics 365",
);
const VARIABLES: [(&str, &str, i64, &str); 3] = [
    (
        "msft_DisplayCheckMark",
        "Display check mark in the opportunity name",
        100_000_002,
        "yes",
    ),
    (
        "msft_DealValueField",
        "Deal value field name in Dynamics 365",
        100_000_000,
        "estimatedvalue",
    ),
    (
        "msft_CountryCodeField",
        "Customer Account Country Code field name in Dynamics 365",
        100_000_000,
        "address1_country",
    ),
];

/// The flows in the order in which they are switched on (dataverse.md section 5).
const FLOWS: [&str; 9] = [
    "Partner Center Webhook Registration (Insider Preview)",
    "[Customize] Create or Get Details from Dynamics 365 (Insider Preview)",
    "Create Co-sell Referral - Dynamics 365 to Partner Center (Insider Preview)",
    "Partner Center to Dynamics 365 - Helper (Insider Preview)",
    "Partner Center Microsoft Co-sell Referral Updates to Dynamics 365 (Insider Preview)",
    "Partner Center to Dynamics 365 (Insider Preview)",
    "Dynamics 365 to Partner Center (Insider Preview)",
    "Dynamics 365 Opportunity to Partner Center (Insider Preview)",
    "Dynamics 365 Microsoft Solutions to Partner Center (Insider Preview)",
];

/// Connections that the flows use. Assumed: their names.
const CONNECTIONS: [(&str, &str, &str); 3] = [
    (
        "msft_partnercenterreferrals",
        "Partner Center Referrals",
        "shared_partnercenterreferrals",
    ),
    (
        "msft_partnercenterevents",
        "Partner Center Events",
        "shared_partnercenterevents",
    ),
    (
        "msft_dataverse",
        "Microsoft Dataverse",
        "shared_commondataserviceforapps",
    ),
];

/// Messages that steps can be registered on, each for the tables behind it.
const MESSAGES: [&str; 5] = ["Create", "Update", "Delete", "CreateMultiple", "UpdateMultiple"];
const MESSAGE_TABLES: [&str; 8] = [
    "account",
    "annotation",
    "connection",
    "contact",
    "lead",
    "opportunity",
    "opportunityproduct",
    "task",
];

/// Fills an environment. The first currency becomes the base.
pub(super) fn fill(state: &mut State, ground: &Ground) {
    let mut setup = Setup {
        seed: ground.seed,
        by: user_id(ground.seed, "system"),
        at: whole_second(ground.clock.now()),
        state,
    };
    setup.currencies();
    setup.organisation();
    for (name, _) in ROLES {
        let unit = setup.state.organisation.business_unit;
        setup.named("role", "name", name, &[("_businessunitid_value", Cell::Guid(unit))]);
    }
    people(state, ground);
}

/// How segments of paths begin that lead to rows which are stored when they are first looked at: a world costs less without
/// them. Tables of a publisher's own, such as the one of co-sell solutions, begin with its prefix.
const SELDOM: [&str; 9] = [
    "$batch",
    "connectionreference",
    "environmentvariable",
    "publisher",
    "RetrieveTotalRecordCount",
    "sdkmessage",
    "serviceendpoint",
    "solution",
    "workflow",
];

/// The first version number of those rows, below all others: nobody's versions depend on what was looked at.
const SELDOM_VERSION: i64 = 900_001;

/// Whether a path may lead to rows that are seldom looked at. One with escapes may lead anywhere.
fn leads_to_the_seldom(path: &str) -> bool {
    let seldom = |segment: &str| SELDOM.iter().any(|start| segment.starts_with(start));
    path.split('/').any(seldom) || path.contains('%')
}

/// Stores the solution, its variables and flows, and the messages, when a path may lead there.
pub(super) fn complete(state: &mut State, ground: &Ground, path: &str) {
    if state.is_set_up || !leads_to_the_seldom(path) {
        return;
    }
    state.is_set_up = true;
    let next = std::mem::replace(&mut state.next_version, SELDOM_VERSION);
    let mut setup = Setup {
        seed: ground.seed,
        by: user_id(ground.seed, "system"),
        at: whole_second(ground.clock.now()),
        state,
    };
    setup.solution();
    setup.messages();
    state.next_version = next;
}

/// The identifier of a row that every environment with one seed has.
pub(super) fn id_of(seed: Seed, table: &str, name: &str) -> Guid {
    Guid::draw(&mut seed.stream(&format!("dataverse {table} {name}")))
}

/// Brings users and the roles that they hold up to what the token authority says.
pub(super) fn people(state: &mut State, ground: &Ground) {
    if ground.authority.are_users(&state.people) {
        return;
    }
    let users = ground.authority.shared_users();
    let mut setup = Setup {
        seed: ground.seed,
        by: user_id(ground.seed, "system"),
        at: whole_second(ground.clock.now()),
        state,
    };
    if setup.state.people.is_empty() {
        setup.user(&User::new("system", &[]));
    }
    for user in &users {
        let known = setup.state.people.iter().find(|known| known.name == user.name).cloned();
        if known.as_ref() != Some(user) {
            let id = setup.user(user);
            setup.roles(id, user, known.as_deref());
        }
    }
    setup.state.people = users;
}

struct Setup<'a> {
    state: &'a mut State,
    seed: Seed,
    by: Guid,
    at: Timestamp,
}

impl Setup<'_> {
    /// Stores a row of which only these columns differ from the defaults.
    fn put(&mut self, table: &str, id: Guid, values: &[(&str, Cell)]) -> Guid {
        let model = Arc::clone(self.state.store.model());
        let Some(table) = model.by_logical(table) else {
            return id;
        };
        let mut cells = table.blank();
        cells[0] = Cell::Guid(id);
        for (column, cell) in values {
            cells[table.expect(column)] = cell.clone();
        }
        let system = &table.system;
        for column in [system.created_by, system.modified_by] {
            cells[column] = Cell::Guid(self.by);
        }
        for column in [system.created_on, system.modified_on] {
            cells[column] = Cell::Time(self.at);
        }
        if let Some(owner) = system.owner {
            cells[owner.id] = Cell::Guid(self.by);
            cells[owner.user] = Cell::Guid(self.by);
            cells[owner.unit] = Cell::Guid(self.state.organisation.business_unit);
        }
        cells[system.version] = Cell::Int(self.state.take_version());
        self.state.store.put(table, Row { id, cells });
        id
    }

    /// A row whose identifier follows from its name.
    fn named(&mut self, table: &str, column: &str, name: &str, values: &[(&str, Cell)]) -> Guid {
        let id = id_of(self.seed, table, name);
        let mut all = vec![(column, Cell::text(name))];
        all.extend_from_slice(values);
        self.put(table, id, &all)
    }

    fn currencies(&mut self) {
        let mut drawn = self.seed.stream("dataverse currencies");
        for (place, (code, name, symbol, rate, precision)) in CURRENCIES.into_iter().enumerate() {
            let id = Guid::draw(&mut drawn);
            if place == 0 {
                self.state.base_currency = id;
            }
            let values = [
                ("isocurrencycode", Cell::text(code)),
                ("currencyname", Cell::text(name)),
                ("currencysymbol", Cell::text(symbol)),
                ("exchangerate", Amount::parse(rate).map_or(Cell::Null, Cell::Amount)),
                ("currencyprecision", Cell::Int(precision)),
            ];
            self.put("transactioncurrency", id, &values);
        }
    }

    fn organisation(&mut self) {
        let organisation = self.state.organisation;
        let values = [
            ("name", Cell::text(super::ORGANISATION)),
            ("_basecurrencyid_value", Cell::Guid(self.state.base_currency)),
            ("basecurrencysymbol", Cell::text("$")),
            ("currencysymbol", Cell::text("$")),
            ("schemanameprefix", Cell::text("new")),
        ];
        self.put("organization", organisation.id, &values);
        let values = [
            ("name", Cell::text(super::ORGANISATION)),
            ("_organizationid_value", Cell::Guid(organisation.id)),
        ];
        self.put("businessunit", organisation.business_unit, &values);
        let values = [
            ("isdefault", Cell::Bool(true)),
            ("organizationid", Cell::Guid(organisation.id)),
            ("ownerid", Cell::Guid(id_of(self.seed, "team", super::ORGANISATION))),
            ("_businessunitid_value", Cell::Guid(organisation.business_unit)),
            ("_administratorid_value", Cell::Guid(self.by)),
        ];
        self.named("team", "name", super::ORGANISATION, &values);
    }

    /// Assumed: first name, last name and user name of people whom the token authority knows by one word.
    fn user(&mut self, user: &User) -> Guid {
        let id = user_id(self.seed, &user.name);
        let object = Guid::parse(&entra::object_of(&user.name)).map_or(Cell::Null, Cell::Guid);
        let values = [
            ("fullname", Cell::text(&user.name)),
            ("lastname", Cell::text(&user.name)),
            ("domainname", Cell::text(&user.email)),
            ("internalemailaddress", Cell::text(&user.email)),
            ("azureactivedirectoryobjectid", object),
            ("organizationid", Cell::Guid(self.state.organisation.id)),
            ("ownerid", Cell::Guid(id)),
            (
                "_businessunitid_value",
                Cell::Guid(self.state.organisation.business_unit),
            ),
        ];
        self.put("systemuser", id, &values)
    }

    fn roles(&mut self, id: Guid, user: &User, known: Option<&User>) {
        for (name, role) in ROLES {
            let had = known.is_some_and(|known| known.roles.contains(&role));
            let pair = id_of(self.seed, "systemuserroles", &format!("{name} {}", user.name));
            if user.roles.contains(&role) {
                let values = [
                    ("systemuserid", Cell::Guid(id)),
                    ("roleid", Cell::Guid(id_of(self.seed, "role", name))),
                ];
                self.put("systemuserroles", pair, &values);
                self.state.members.insert(id);
            } else if had {
                let model = Arc::clone(self.state.store.model());
                self.state.store.remove(model.expect("systemuserroles"), pair);
            }
        }
    }

    fn solution(&mut self) {
        let publisher = [
            ("friendlyname", Cell::text("Microsoft Partner Center")),
            ("customizationprefix", Cell::text("msft")),
            ("customizationoptionvalueprefix", Cell::Int(29_960)),
        ];
        let publisher = self.named("publisher", "uniquename", "msft", &publisher);
        let values = [
            ("friendlyname", Cell::text(SOLUTION.1)),
            ("version", Cell::text("1.0.0.0")),
            ("ismanaged", Cell::Bool(true)),
            ("installedon", Cell::Time(self.at)),
            ("_publisherid_value", Cell::Guid(publisher)),
        ];
        let solution = self.named("solution", "uniquename", SOLUTION.0, &values);
        let belongs = [("solutionid", Cell::Guid(solution)), ("ismanaged", Cell::Bool(true))];
        for (name, label, kind, default) in VARIABLES {
            let mut values = belongs.to_vec();
            values.push(("displayname", Cell::text(label)));
            values.push(("type", Cell::Int(kind)));
            values.push(("defaultvalue", Cell::text(default)));
            self.named("environmentvariabledefinition", "schemaname", name, &values);
        }
        for name in FLOWS {
            let mut values = belongs.to_vec();
            values.push(("statecode", Cell::Int(1)));
            values.push(("statuscode", Cell::Int(2)));
            self.named("workflow", "name", name, &values);
        }
        for (name, label, connector) in CONNECTIONS {
            let mut values = belongs.to_vec();
            let connector = format!("/providers/Microsoft.PowerApps/apis/{connector}");
            values.push(("connectionreferencedisplayname", Cell::text(label)));
            values.push(("connectorid", Cell::text(&connector)));
            self.named("connectionreference", "connectionreferencelogicalname", name, &values);
        }
    }

    fn messages(&mut self) {
        for message in MESSAGES {
            let id = self.named("sdkmessage", "name", message, &[]);
            for table in MESSAGE_TABLES {
                let filter = id_of(self.seed, "sdkmessagefilter", &format!("{message} {table}"));
                let values = [
                    ("primaryobjecttypecode", Cell::text(table)),
                    ("secondaryobjecttypecode", Cell::text("none")),
                    ("_sdkmessageid_value", Cell::Guid(id)),
                ];
                self.put("sdkmessagefilter", filter, &values);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_cosell_solutions_does_not_lead_to_what_is_seldom_looked_at() {
        let cosell = ["msft_partnercentersolutions", "opportunities(1)/contoso_solutions"];
        assert!(!cosell.into_iter().any(leads_to_the_seldom));
        let seldom = [
            "solutions",
            "solutions(1)/friendlyname",
            "$batch",
            "%24batch",
            "RetrieveTotalRecordCount(EntityNames=@p)",
            "environmentvariabledefinitions",
        ];
        assert!(seldom.into_iter().all(leads_to_the_seldom));
    }
}
