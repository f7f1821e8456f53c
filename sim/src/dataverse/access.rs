//! Who may do what: security roles, and one user standing in for another (dataverse.md sections 1.4 and 2.1).
//!
//! Roles are rows: those of the token authority, and those that somebody gave by a link. It answers nothing.
//!
//! Assumed: what each role may do. A system administrator may do everything; a system customizer too, save for writing
//! people, teams, business units and roles; a salesperson reads everything but endpoints and steps, and writes what
//! belongs to selling; somebody without a role may ask who they are.

use super::cell::Cell;
use super::error::Fault;
use super::guid::Guid;
use super::model::Table;
use super::store::Store;

/// What somebody does to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Right {
    Create,
    Read,
    Write,
    Delete,
}

impl Right {
    /// The word in the name of a privilege: `prvCreateAccount`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Create => "Create",
            Self::Read => "Read",
            Self::Write => "Write",
            Self::Delete => "Delete",
        }
    }
}

/// The roles of one user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Roles {
    administrator: bool,
    customizer: bool,
    salesperson: bool,
}

/// Tables in which somebody who sells works, beside those that a solution added.
const SELLING: [&str; 9] = [
    "account",
    "annotation",
    "connection",
    "contact",
    "lead",
    "opportunity",
    "opportunityclose",
    "opportunityproduct",
    "task",
];
/// Tables that say who is who.
const PEOPLE: [&str; 5] = ["businessunit", "organization", "role", "systemuser", "team"];
/// Tables that a salesperson does not see.
const HIDDEN: [&str; 2] = ["sdkmessageprocessingstep", "serviceendpoint"];

impl Roles {
    /// Those of somebody who sells.
    #[cfg(test)]
    pub(super) const SALESPERSON: Self = Self {
        administrator: false,
        customizer: false,
        salesperson: true,
    };

    /// The roles of a user: their own and those of their teams.
    pub(super) fn of(store: &Store, user: Guid) -> Self {
        let mut holders = vec![("systemuserroles", "systemuserid", user)];
        for team in others(store, ("teammembership", "systemuserid", user), "teamid") {
            holders.push(("teamroles", "teamid", team));
        }
        let mut roles = Self::default();
        let model = store.model();
        let role = model.expect("role");
        for holder in holders {
            for id in others(store, holder, "roleid") {
                let row = store.row(role, id);
                match row.and_then(|row| row.cells[role.expect("name")].as_text()) {
                    Some("System Administrator") => roles.administrator = true,
                    Some("System Customizer") => roles.customizer = true,
                    Some("Salesperson") => roles.salesperson = true,
                    Some(_) | None => {}
                }
            }
        }
        roles
    }

    /// Whether there is none.
    pub(super) fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// Whether they may do anything, in the name of others too.
    pub(super) fn administrate(self) -> bool {
        self.administrator
    }

    /// Whether they allow it.
    pub(super) fn allow(self, right: Right, table: &Table) -> bool {
        let is = |names: &[&str]| names.contains(&table.logical.as_ref());
        let reads = right == Right::Read;
        self.administrator
            || (self.customizer && (reads || !is(&PEOPLE)))
            || (self.salesperson
                && if reads {
                    !is(&HIDDEN)
                } else {
                    is(&SELLING) || table.custom
                })
    }
}

/// Holds what somebody does to rows of a table against all the roles that count: their own, and those of the user in whose
/// name they do it. Without any, nobody in particular asks, and everything is allowed.
pub(super) fn permit(roles: &[Roles], user: Guid, right: Right, table: &Table) -> Result<(), Fault> {
    if roles.iter().all(|roles| roles.allow(right, table)) {
        return Ok(());
    }
    Err(Fault::NoPrivilege {
        user,
        privilege: format!("prv{}{}", right.name(), table.schema),
        code: table.code,
        table: table.logical.to_string(),
    })
}

/// The other ends of the pairs of an intersect table that hold this identifier in that column.
fn others(store: &Store, (table, column, id): (&str, &str, Guid), other: &str) -> Vec<Guid> {
    let Some(table) = store.model().by_logical(table) else {
        return Vec::new();
    };
    let pairs = store.holding(table, &[(table.expect(column), Cell::Guid(id))]);
    let end = |pair: Guid| store.row(table, pair)?.cells[table.expect(other)].guid();
    pairs.into_iter().filter_map(end).collect()
}
