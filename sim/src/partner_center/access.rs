//! Who sees and changes which referrals (partner-center.md section 7).
//!
//! It checks no token: that is done when it is asked.

use std::sync::Arc;

use http::StatusCode;

use super::Settings;
use super::error::Problem;
use super::kind::Kind;
use super::model::Referral;
use crate::identity::{Role, Scope, User};

/// What one user may do.
#[derive(Clone, Debug)]
pub(super) struct Access {
    user: Arc<User>,
    reach: Reach,
    may_write: bool,
    hides_marketplace_leads: bool,
}

/// Which referrals a user may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// All of them: Referrals admin with global scope.
    All,
    /// Those of the admin's locations.
    Locations,
    /// Those that name the user in their team: Referrals user.
    Team,
}

impl Access {
    /// What the user's roles allow; 403 for somebody without one.
    ///
    /// Whether a Referrals user may write is a switch, because the sources conflict. Assumed: a scope that is limited to
    /// locations limits what is read and changed, not what is created.
    pub(super) fn of(user: &Arc<User>, settings: &Settings) -> Result<Self, Problem> {
        let (reach, may_write) = if user.roles.contains(&Role::ReferralsAdmin) {
            let reach = match user.scope {
                Scope::Global => Reach::All,
                Scope::Locations(_) => Reach::Locations,
            };
            (reach, true)
        } else if user.roles.contains(&Role::ReferralsUser) {
            (Reach::Team, settings.referrals_user_may_write)
        } else {
            return Err(Problem::NotAuthorized(StatusCode::FORBIDDEN));
        };
        let user = Arc::clone(user);
        Ok(Self {
            user,
            reach,
            may_write,
            hides_marketplace_leads: settings.marketplace_leads_are_hidden,
        })
    }

    /// 403 for those who may only read.
    pub(super) fn to_write(&self) -> Result<(), Problem> {
        if self.may_write {
            Ok(())
        } else {
            Err(Problem::NotAuthorized(StatusCode::FORBIDDEN))
        }
    }

    /// Whether nothing is hidden from this user.
    pub(super) fn is_whole(&self) -> bool {
        self.reach == Reach::All && !self.hides_marketplace_leads
    }

    /// The address that a deal's team must name, spelled as it spells it.
    pub(super) fn team_member(&self) -> Option<&str> {
        (self.reach == Reach::Team).then_some(self.user.email.as_str())
    }

    /// Whether the referral exists as far as this user can tell: assumed, what one may not see is a 404.
    ///
    /// Assumed: a referral's locations are its `target`s of type `BusinessProfileLocation`; one without is for global
    /// scope only.
    pub(super) fn sees(&self, referral: &Referral) -> bool {
        if self.hides_marketplace_leads && Kind::of(referral) == Kind::MarketplaceLead {
            return false;
        }
        match (self.reach, &self.user.scope) {
            (Reach::All, _) | (Reach::Locations, Scope::Global) => true,
            (Reach::Locations, Scope::Locations(locations)) => referral
                .target
                .iter()
                .any(|target| target.kind == "BusinessProfileLocation" && locations.contains(&target.id)),
            (Reach::Team, _) => {
                let mut emails = referral.team.iter().filter_map(|contact| contact.email.as_deref());
                emails.any(|email| email == self.user.email)
            }
        }
    }
}
