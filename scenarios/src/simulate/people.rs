//! Steps in which people and Microsoft act.

#![expect(clippy::wildcard_enum_match_arm, reason = "each actor knows few of the many acts")]

use cosell_sim::partner_center::{ActError, MicrosoftAct};
use cosell_sim::site::Site;

use super::Run;
use crate::board::Board;
use crate::hands::{Refused, Screen, Seller, partner_center};
use crate::scenario::Crm;
use crate::scenario::act::{Act, NewDeal};
use crate::setup;
use crate::trace::What;

/// Where people act: the simulated world, or servers that somebody else's connector works against.
pub(crate) trait Scene {
    /// Both sides as they stand.
    fn board(&self) -> &Board;
    /// The CRM of the run.
    fn crm(&self) -> Crm;
    /// The seller, and where they sit.
    fn seat(&mut self) -> (&dyn Seller, &mut dyn Screen);
    /// Microsoft does something.
    fn microsoft(&mut self, act: MicrosoftAct) -> Result<String, ActError>;
    /// Puts something into the trace.
    fn note(&mut self, what: What);

    fn microsofts(&mut self, act: MicrosoftAct) -> Result<String, Refused> {
        self.microsoft(act).map_err(|error| Refused {
            status: 0,
            body: error.to_string(),
        })
    }

    /// Binds a symbolic name before the commits that made the record are folded, so that the log can use it.
    fn named(&mut self, deal: &str, site: Site, id: String) {
        self.note(What::Named {
            deal: deal.to_owned(),
            site,
            id,
        });
    }

    /// Does what people and Microsoft do.
    fn person_acts(&mut self, deal: &str, act: &Act) -> Result<(), Refused> {
        match act {
            Act::MicrosoftShares(new) => self.microsoft_shares(deal, new),
            Act::MicrosoftSharesLead(new, source) => {
                let id = self.microsofts(setup::share_lead(new, *source))?;
                self.named(deal, Site::PartnerCenter, id);
                Ok(())
            }
            Act::MicrosoftEdits(_)
            | Act::MicrosoftAccepts
            | Act::MicrosoftDeclines(_)
            | Act::MicrosoftSetsMsxId(_)
            | Act::MicrosoftAddsTeamMember(_) => {
                let referral = self.referral(deal)?;
                match setup::microsofts(&referral, act) {
                    Some(act) => self.microsofts(act).map(drop),
                    None => Ok(()),
                }
            }
            Act::PartnerEdits(edit) => {
                let (referral, mut edit) = (self.referral(deal)?, edit.clone());
                edit.external_reference = edit.external_reference.map(|named| self.record_of(&named));
                partner_center::edit(self.seat().1, &referral, &edit)
            }
            Act::PartnerAccepts => {
                let referral = self.referral(deal)?;
                partner_center::accept(self.seat().1, &referral)
            }
            Act::PartnerDeclines(reason) => {
                let referral = self.referral(deal)?;
                partner_center::decline(self.seat().1, &referral, reason.as_deref())
            }
            Act::PartnerCloses(outcome, reason) => {
                let referral = self.referral(deal)?;
                partner_center::close(self.seat().1, &referral, *outcome, reason.as_deref())
            }
            Act::SellerCreates(new) => {
                let mut new = new.clone();
                new.external_reference = new.external_reference.map(|named| self.referral(&named)).transpose()?;
                let (seller, screen) = self.seat();
                let id = seller.create(screen, &new)?;
                self.named(deal, self.crm().site(), id);
                Ok(())
            }
            Act::AnotherEnvironmentRegisters => partner_center::register(self.seat().1, setup::ELSEWHERE),
            other => {
                let opportunity = self.opportunity(deal)?;
                self.seller_acts(&opportunity, other)
            }
        }
    }

    fn microsoft_shares(&mut self, deal: &str, new: &NewDeal) -> Result<(), Refused> {
        let id = self.microsofts(setup::share(new))?;
        if let Some(claimed) = &new.external_reference {
            let claimed = self.record_of(claimed);
            self.microsofts(setup::claim(&id, &claimed))?;
        }
        self.named(deal, Site::PartnerCenter, id);
        Ok(())
    }

    fn seller_acts(&mut self, opportunity: &str, act: &Act) -> Result<(), Refused> {
        let (seller, screen) = self.seat();
        match act {
            Act::SellerEdits(edit) => seller.edit(screen, opportunity, edit),
            Act::SellerAddsSolution(solution) => seller.add_solution(screen, opportunity, solution),
            Act::SellerRemovesSolution(solution) => seller.remove_solution(screen, opportunity, solution),
            Act::SellerCloses(outcome) => seller.close(screen, opportunity, *outcome),
            Act::SellerReopens => seller.reopen(screen, opportunity),
            Act::SellerDeletes => seller.delete(screen, opportunity),
            other => Err(Refused {
                status: 0,
                body: format!("nobody knows how to do {other:?}"),
            }),
        }
    }

    /// The CRM record that somebody names: that of a deal, or any by its identifier.
    fn record_of(&self, named: &str) -> String {
        self.opportunity(named).unwrap_or_else(|_| named.to_owned())
    }

    fn referral(&self, deal: &str) -> Result<String, Refused> {
        let found = self.board().referrals_of(deal).next().map(|(id, _)| id.to_owned());
        found.ok_or_else(|| Refused {
            status: 0,
            body: format!("{deal} has no referral in Partner Center at this time"),
        })
    }

    fn opportunity(&self, deal: &str) -> Result<String, Refused> {
        let found = self.board().opportunities_of(deal).next().map(|(id, _)| id.to_owned());
        found.ok_or_else(|| Refused {
            status: 0,
            body: format!("{deal} has no opportunity in the CRM at this time"),
        })
    }
}

impl Scene for Run<'_> {
    fn board(&self) -> &Board {
        &self.board
    }

    fn crm(&self) -> Crm {
        self.plan.crm
    }

    fn seat(&mut self) -> (&dyn Seller, &mut dyn Screen) {
        (self.seller.as_ref(), &mut self.world)
    }

    fn microsoft(&mut self, act: MicrosoftAct) -> Result<String, ActError> {
        self.world.microsoft(act)
    }

    fn note(&mut self, what: What) {
        self.record(what);
    }
}
