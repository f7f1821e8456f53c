//! Who may call: users, roles, tokens and their life.
//!
//! One authority serves all systems. Each system turns a `TokenFault` into its own vendor's 401. Entra ID's
//! endpoints stand in `entra`; Salesforce's stands with Salesforce.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::clock::Clock;
use crate::seed::{Seed, Stream};

/// Names and values of a query or a form body.
pub(crate) mod form;
/// Entra ID: token endpoints, discovery, sign-in pages.
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
    /// Partner Center: registers webhooks.
    GlobalAdmin,
    /// Partner Center: registers webhooks.
    BillingAdmin,
    /// Partner Center: registers webhooks.
    AdminAgent,
    /// Partner Center: registers webhooks.
    SalesAgent,
    /// Partner Center: registers webhooks.
    HelpdeskAgent,
    /// CRM: everything.
    SystemAdministrator,
    /// CRM: everything that a connector needs.
    SystemCustomizer,
    /// CRM: sells.
    Salesperson,
}

/// Somebody who can sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The name in traces and commits: `connector`, `seller`, `partner`.
    pub name: String,
    /// What they may do.
    pub roles: BTreeSet<Role>,
    /// The address under which deals name them in their team.
    pub email: String,
    /// Which of the partner's locations the Partner Center roles are for.
    pub scope: Scope,
    /// Whether they sign in with a second factor. A service account without one gets no token for Partner Center.
    pub second_factor: bool,
    /// Why they cannot sign in, when they cannot.
    pub trouble: Option<Trouble>,
}

impl User {
    /// Somebody with a second factor, for every location, at the partner's own domain.
    pub fn new(name: &str, roles: &[Role]) -> Self {
        Self {
            name: name.to_owned(),
            roles: roles.iter().copied().collect(),
            email: format!("{name}@contoso.example"),
            scope: Scope::Global,
            second_factor: true,
            trouble: None,
        }
    }
}

/// Where a Partner Center role counts (partner-center.md section 7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Everywhere.
    Global,
    /// For the deals of these locations.
    Locations(BTreeSet<String>),
}

/// Why somebody who is known cannot sign in. Tokens that they have stay good until they expire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trouble {
    /// The password is too old.
    PasswordExpired,
    /// An administrator switched the account off.
    Disabled,
}

/// How Entra ID hands out tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long an access token lives: the answers print it as `expires_in`.
    pub token_lifetime: SignedDuration,
    /// How long a refresh token lives that a sign-in gave. Assumed: 90 days; none is documented for this API.
    pub refresh_lifetime: SignedDuration,
    /// Whether Partner Center tokens are refused to sign-ins without a second factor (partner-center.md section 7).
    pub second_factor_required: bool,
    /// The tenants that exist, by domain or identifier; empty for any.
    pub tenants: BTreeSet<String>,
    /// When the client secret ends, where it does.
    pub secret_expires: Option<Timestamp>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            token_lifetime: SignedDuration::from_secs(3599),
            refresh_lifetime: SignedDuration::from_hours(90 * 24),
            second_factor_required: true,
            tenants: BTreeSet::new(),
            secret_expires: None,
        }
    }
}

/// Why a refresh token is worth nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshFault {
    /// Nobody issued it.
    Unknown,
    /// Its time is over.
    Expired,
    /// Somebody revoked it.
    Revoked,
}

/// What a valid token stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Who calls. Shared: every call asks for it.
    pub user: Arc<User>,
    /// For which API.
    pub audience: Arc<str>,
    /// Until when.
    pub expires: Timestamp,
    /// Whether the token stands for an application without a user (refused by the referrals API).
    pub app_only: bool,
    /// Whether it is a person in the portal, which is no client of the API and spends no limit of it.
    pub at_screen: bool,
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
    settings: Settings,
    users: BTreeMap<String, Arc<User>>,
    tokens: BTreeMap<String, Issued>,
    refresh_tokens: BTreeMap<String, Refresh>,
    chance: Stream,
    refresh_chance: Stream,
}

#[derive(Clone, Debug)]
struct Refresh {
    user: String,
    /// None for the token that a user starts with.
    expires: Option<Timestamp>,
    second_factor: bool,
    revoked: bool,
}

#[derive(Debug)]
struct Issued {
    user: Arc<str>,
    audience: Arc<str>,
    expires: Timestamp,
    app_only: bool,
    at_screen: bool,
}

/// How many tokens are remembered. Those that expired longest ago go first.
const REMEMBERED: usize = 10_000;

impl Authority {
    /// An authority that knows the three users of every world: `connector`, `seller` and `partner`.
    pub fn new(clock: Clock, seed: Seed) -> Self {
        let users = [
            User::new("connector", &[Role::ReferralsAdmin, Role::SystemAdministrator]),
            User::new("seller", &[Role::Salesperson]),
            User::new("partner", &[Role::ReferralsAdmin]),
        ];
        let first = Refresh {
            user: "connector".to_owned(),
            expires: None,
            second_factor: true,
            revoked: false,
        };
        let state = State {
            settings: Settings::default(),
            users: users
                .into_iter()
                .map(|user| (user.name.clone(), Arc::new(user)))
                .collect(),
            tokens: BTreeMap::new(),
            refresh_tokens: BTreeMap::from([(Self::refresh_token_of("connector"), first)]),
            chance: seed.stream("tokens"),
            refresh_chance: seed.stream("refresh tokens"),
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

    /// How tokens are handed out.
    pub fn settings(&self) -> Settings {
        self.lock().settings.clone()
    }

    /// Changes how tokens are handed out. Those that are out stay as they are.
    pub fn set(&self, settings: Settings) {
        self.lock().settings = settings;
    }

    /// The user behind a refresh token that is good.
    pub fn user_of_refresh_token(&self, token: &str) -> Option<User> {
        self.refreshed(token).ok().map(|(user, _)| user)
    }

    /// The user behind a refresh token, and whether the sign-in that gave it had a second factor.
    pub fn refreshed(&self, token: &str) -> Result<(User, bool), RefreshFault> {
        let state = self.lock();
        let refresh = state.refresh_tokens.get(token).ok_or(RefreshFault::Unknown)?;
        let user = state.users.get(&refresh.user).ok_or(RefreshFault::Unknown)?;
        if refresh.revoked {
            return Err(RefreshFault::Revoked);
        }
        if refresh.expires.is_some_and(|expires| expires <= self.clock.now()) {
            return Err(RefreshFault::Expired);
        }
        Ok((User::clone(user), refresh.second_factor && user.second_factor))
    }

    /// A new refresh token for somebody who signed in.
    pub fn issue_refresh_token(&self, user: &str, second_factor: bool) -> String {
        let mut state = self.lock();
        let lifetime = state.settings.refresh_lifetime;
        let token = format!(
            "0.refresh.{:016x}{:016x}",
            state.refresh_chance.bits(),
            state.refresh_chance.bits()
        );
        let expires = self.clock.now().checked_add(lifetime).ok();
        if state.refresh_tokens.len() >= REMEMBERED {
            let now = self.clock.now();
            state
                .refresh_tokens
                .retain(|_, refresh| refresh.expires.is_none_or(|expires| expires > now));
            let oldest = state
                .refresh_tokens
                .iter()
                .filter_map(|(token, refresh)| Some((refresh.expires?, token)));
            let oldest = oldest.min().map(|(_, token)| token.clone());
            if let Some(oldest) = oldest.filter(|_| state.refresh_tokens.len() >= REMEMBERED) {
                state.refresh_tokens.remove(&oldest);
            }
        }
        let refresh = Refresh {
            user: user.to_owned(),
            expires,
            second_factor,
            revoked: false,
        };
        state.refresh_tokens.insert(token.clone(), refresh);
        token
    }

    /// The user of that name.
    pub fn user(&self, name: &str) -> Option<User> {
        self.lock().users.get(name).map(|user| User::clone(user))
    }

    /// Everybody, by name.
    pub fn users(&self) -> Vec<User> {
        self.lock().users.values().map(|user| User::clone(user)).collect()
    }

    /// All users, by name, shared: one that nobody changed is the same allocation as before.
    pub fn shared_users(&self) -> Vec<Arc<User>> {
        self.lock().users.values().map(Arc::clone).collect()
    }

    /// Whether these are all users, by name, and nobody changed one of them since they were handed out.
    pub fn are_users(&self, known: &[Arc<User>]) -> bool {
        let state = self.lock();
        let same = |(known, user): (&Arc<User>, &Arc<User>)| Arc::ptr_eq(known, user);
        known.len() == state.users.len() && known.iter().zip(state.users.values()).all(same)
    }

    /// Whose token a request carries, whatever it is for and however old it is.
    pub fn bearer(&self, headers: &http::HeaderMap) -> Option<String> {
        self.caller(headers).map(|name| name.as_ref().to_owned())
    }

    /// The same without a copy of the name, for whoever asks on every request.
    pub fn caller(&self, headers: &http::HeaderMap) -> Option<Arc<str>> {
        let header = headers.get(http::header::AUTHORIZATION)?.to_str().ok()?;
        let (_, token) = header.split_once(' ')?;
        let state = self.lock();
        state.tokens.get(token.trim()).map(|issued| Arc::clone(&issued.user))
    }

    /// Adds a user, or replaces the roles of one who is known. Tokens that they have count for the new roles at once.
    pub fn put_user(&self, name: &str, roles: &[Role]) {
        let mut state = self.lock();
        let user = state.users.entry(name.to_owned());
        let user = user.or_insert_with(|| Arc::new(User::new(name, &[])));
        Arc::make_mut(user).roles = roles.iter().copied().collect();
    }

    /// Adds a user, or replaces one who is known, whole.
    pub fn set_user(&self, user: User) {
        self.lock().users.insert(user.name.clone(), Arc::new(user));
    }

    /// Lets these be all the users there are. Tokens of others are worth nothing from now on.
    pub fn replace_users(&self, users: Vec<User>) {
        let users = users.into_iter().map(|user| (user.name.clone(), Arc::new(user)));
        self.lock().users = users.collect();
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
        self.issue_for(user, audience, lifetime, (app_only, false), prefix)
    }

    /// A token for a person in the portal, who is no client of the API.
    pub fn issue_at_screen(&self, user: &str, audience: &str, lifetime: SignedDuration) -> Option<String> {
        self.issue_for(user, audience, lifetime, (false, true), "screen-")
    }

    fn issue_for(
        &self,
        user: &str,
        audience: &str,
        lifetime: SignedDuration,
        (app_only, at_screen): (bool, bool),
        prefix: &str,
    ) -> Option<String> {
        let now = self.clock.now();
        let mut state = self.lock();
        state.users.get(user)?;
        let token = format!("{prefix}{:016x}{:016x}", state.chance.bits(), state.chance.bits());
        let expires = now.checked_add(lifetime).unwrap_or(Timestamp::MAX);
        let issued = Issued {
            user: user.into(),
            audience: audience.into(),
            expires,
            app_only,
            at_screen,
        };
        if state.tokens.len() >= REMEMBERED {
            let oldest = state.tokens.iter().min_by_key(|(_, issued)| issued.expires);
            if let Some(oldest) = oldest.map(|(token, _)| token.clone()) {
                state.tokens.remove(&oldest);
            }
        }
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
        let user = state.users.get(&*issued.user).cloned().ok_or(TokenFault::Unknown)?;
        let (audience, app_only) = (Arc::clone(&issued.audience), issued.app_only);
        Ok(Grant {
            user,
            audience,
            expires: issued.expires,
            app_only,
            at_screen: issued.at_screen,
        })
    }

    /// Ends every token of a user for one audience, as a password change or an administrator does.
    pub fn revoke(&self, user: &str, audience: &str) {
        self.lock()
            .tokens
            .retain(|_, issued| *issued.user != *user || *issued.audience != *audience);
    }

    /// Ends one token, or a refresh token with every token of its user. False when nobody issued it.
    pub fn revoke_token(&self, token: &str) -> bool {
        let mut state = self.lock();
        if state.tokens.remove(token).is_some() {
            return true;
        }
        let Some(refresh) = state.refresh_tokens.get_mut(token).filter(|refresh| !refresh.revoked) else {
            return false;
        };
        refresh.revoked = true;
        let user = refresh.user.clone();
        state.tokens.retain(|_, issued| *issued.user != *user);
        true
    }

    /// Ends everything that a user ever got, refresh tokens included. Only another sign-in helps, or
    /// [`Authority::sign_in_again`].
    pub fn revoke_all(&self, user: &str) {
        let mut state = self.lock();
        state.tokens.retain(|_, issued| *issued.user != *user);
        let refresh = state.refresh_tokens.values_mut();
        refresh
            .filter(|refresh| refresh.user == user)
            .for_each(|refresh| refresh.revoked = true);
    }

    /// The user repaired the connection: the refresh token that they started with is good again.
    pub fn sign_in_again(&self, user: &str) {
        let mut state = self.lock();
        if let Some(refresh) = state.refresh_tokens.get_mut(&Self::refresh_token_of(user)) {
            refresh.revoked = false;
        }
        if let Some(user) = state.users.get_mut(user) {
            Arc::make_mut(user).trouble = None;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
