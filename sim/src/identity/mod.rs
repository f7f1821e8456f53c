//! Who may call: users, roles, tokens and their life.
//!
//! One authority serves all systems. Each system turns a [`TokenFault`] into its own vendor's 401. The Entra ID token
//! endpoint stands in [`entra`]; Salesforce's stands with Salesforce.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::clock::Clock;
use crate::seed::{Seed, Stream};

/// Names and values of a query or a form body.
pub(crate) mod form;
/// The Entra ID token endpoint.
pub mod entra;

/// The audience of the referrals API (partner-center.md section 7).
pub const PARTNER_CENTER_AUDIENCE: &str = "https://api.partner.microsoft.com";
/// The audience of the webhook registration API: a second token (partner-center.md section 7).
pub const PARTNER_CENTER_EVENTS_AUDIENCE: &str = "https://api.partnercenter.microsoft.com";
/// The audience of the Salesforce org. Salesforce tokens name none; the authority needs one to keep them apart.
pub const SALESFORCE_AUDIENCE: &str = "salesforce";
/// The audience of the Dataverse environment: its own URL (dataverse.md section 1.1).
pub const DATAVERSE_AUDIENCE: &str = "https://contoso.crm.dynamics.com";

/// What a user may do, on either side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Partner Center: sees and changes every referral. The connector needs it.
    ReferralsAdmin,
    /// Partner Center: deals of one's own team.
    ReferralsUser,
    /// CRM: everything.
    SystemAdministrator,
    /// CRM: everything that a connector needs.
    SystemCustomizer,
    /// CRM: sells.
    Salesperson,
}

/// Somebody who can sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The name in traces and commits: `connector`, `seller`, `partner`.
    pub name: String,
    /// What they may do.
    pub roles: BTreeSet<Role>,
}

/// What a valid token stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Who calls.
    pub user: User,
    /// For which API.
    pub audience: String,
    /// Until when.
    pub expires: Timestamp,
    /// Whether the token stands for an application without a user (refused by the referrals API).
    pub app_only: bool,
}

/// Why a token is worth nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenFault {
    /// No `Authorization: Bearer` header.
    Missing,
    /// Nobody issued it, or it was revoked.
    Unknown,
    /// Its time is over.
    Expired,
    /// It is for another API.
    WrongAudience,
}

/// Issues and checks tokens. Clones share one state.
#[derive(Clone, Debug)]
pub struct Authority {
    clock: Clock,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    users: BTreeMap<String, User>,
    tokens: BTreeMap<String, Issued>,
    refresh_tokens: BTreeMap<String, String>,
    chance: Stream,
}

#[derive(Debug)]
struct Issued {
    user: String,
    audience: String,
    expires: Timestamp,
    app_only: bool,
}

impl Authority {
    /// An authority that knows the three users of every world: `connector`, `seller` and `partner`.
    pub fn new(clock: Clock, seed: Seed) -> Self {
        let user = |name: &str, roles: &[Role]| User {
            name: name.to_owned(),
            roles: roles.iter().copied().collect(),
        };
        let users = [
            user("connector", &[Role::ReferralsAdmin, Role::SystemAdministrator]),
            user("seller", &[Role::Salesperson]),
            user("partner", &[Role::ReferralsAdmin]),
        ];
        let state = State {
            users: users.into_iter().map(|user| (user.name.clone(), user)).collect(),
            tokens: BTreeMap::new(),
            refresh_tokens: BTreeMap::from([(Self::refresh_token_of("connector"), "connector".to_owned())]),
            chance: seed.stream("tokens"),
        };
        Self {
            clock,
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// The refresh token that a user starts with, so that a connector can be set up without a sign-in page.
    pub fn refresh_token_of(user: &str) -> String {
        format!("refresh-{user}")
    }

    /// The user behind a refresh token.
    pub fn user_of_refresh_token(&self, token: &str) -> Option<User> {
        let state = self.lock();
        state
            .refresh_tokens
            .get(token)
            .and_then(|name| state.users.get(name))
            .cloned()
    }

    /// The user of that name.
    pub fn user(&self, name: &str) -> Option<User> {
        self.lock().users.get(name).cloned()
    }

    /// Everybody, by name.
    pub fn users(&self) -> Vec<User> {
        self.lock().users.values().cloned().collect()
    }

    /// Whose token a request carries, whatever it is for and however old it is.
    pub fn bearer(&self, headers: &http::HeaderMap) -> Option<String> {
        let header = headers.get(http::header::AUTHORIZATION)?.to_str().ok()?;
        let (_, token) = header.split_once(' ')?;
        let state = self.lock();
        state.tokens.get(token.trim()).map(|issued| issued.user.clone())
    }

    /// Adds a user, or replaces the roles of one who is known.
    pub fn put_user(&self, name: &str, roles: &[Role]) {
        let user = User {
            name: name.to_owned(),
            roles: roles.iter().copied().collect(),
        };
        self.lock().users.insert(name.to_owned(), user);
    }

    /// A new token. `None` when nobody has that name. `prefix` is what the vendor puts in front of the opaque part.
    pub fn issue(
        &self,
        user: &str,
        audience: &str,
        lifetime: SignedDuration,
        app_only: bool,
        prefix: &str,
    ) -> Option<String> {
        let now = self.clock.now();
        let mut state = self.lock();
        state.users.get(user)?;
        let token = format!("{prefix}{:016x}{:016x}", state.chance.bits(), state.chance.bits());
        let expires = now.checked_add(lifetime).unwrap_or(Timestamp::MAX);
        let issued = Issued {
            user: user.to_owned(),
            audience: audience.to_owned(),
            expires,
            app_only,
        };
        state.tokens.insert(token.clone(), issued);
        Some(token)
    }

    /// What the `Authorization` header of a request stands for, for one audience.
    pub fn check(&self, headers: &http::HeaderMap, audience: &str) -> Result<Grant, TokenFault> {
        let token = headers
            .get(http::header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("oauth"))
            .map(|(_, token)| token.trim())
            .ok_or(TokenFault::Missing)?;
        let state = self.lock();
        let issued = state.tokens.get(token).ok_or(TokenFault::Unknown)?;
        if issued.expires <= self.clock.now() {
            return Err(TokenFault::Expired);
        }
        if issued.audience.trim_end_matches('/') != audience.trim_end_matches('/') {
            return Err(TokenFault::WrongAudience);
        }
        let user = state.users.get(&issued.user).cloned().ok_or(TokenFault::Unknown)?;
        let (audience, app_only) = (issued.audience.clone(), issued.app_only);
        Ok(Grant {
            user,
            audience,
            expires: issued.expires,
            app_only,
        })
    }

    /// Ends every token of a user for one audience, as a password change or an administrator does.
    pub fn revoke(&self, user: &str, audience: &str) {
        self.lock()
            .tokens
            .retain(|_, issued| issued.user != user || issued.audience != audience);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
