//! Steps in which people and Microsoft act.

#![expect(clippy::wildcard_enum_match_arm, reason = "each actor knows few of the many acts")]

use cosell_sim::site::Site;

use super::Run;
use crate::hands::{Refused, partner_center};
use crate::scenario::act::Act;
use crate::setup;
use crate::trace::What;

impl Run<'_> {
    pub(super) fn person_acts(&mut self, deal: &str, act: &Act) -> Result<(), Refused> {
        match act {
            Act::MicrosoftShares(new) => {
                let id = self.microsoft(setup::share(new))?;
                if let Some(claimed) = &new.external_reference {
                    self.microsoft(setup::claim(&id, claimed))?;
                }
                self.name(deal, Site::PartnerCenter, id);
                Ok(())
            }
            Act::MicrosoftSharesLead(new, source) => {
                let id = self.microsoft(setup::share_lead(new, *source))?;
                self.name(deal, Site::PartnerCenter, id);
                Ok(())
            }
            Act::MicrosoftEdits(_)
            | Act::MicrosoftAccepts
            | Act::MicrosoftDeclines(_)
            | Act::MicrosoftSetsMsxId(_)
            | Act::MicrosoftAddsTeamMember(_) => {
                let referral = self.referral(deal)?;
                match setup::microsofts(&referral, act) {
                    Some(act) => self.microsoft(act).map(drop),
                    None => Ok(()),
                }
            }
            Act::PartnerEdits(edit) => {
                let referral = self.referral(deal)?;
                partner_center::edit(&mut self.world, &referral, edit)
            }
            Act::PartnerAccepts => {
                let referral = self.referral(deal)?;
                partner_center::accept(&mut self.world, &referral)
            }
            Act::PartnerDeclines(reason) => {
                let referral = self.referral(deal)?;
                partner_center::decline(&mut self.world, &referral, reason.as_deref())
            }
            Act::PartnerCloses(outcome, reason) => {
                let referral = self.referral(deal)?;
                partner_center::close(&mut self.world, &referral, *outcome, reason.as_deref())
            }
            Act::SellerCreates(new) => {
                let id = self.seller.create(&mut self.world, new)?;
                self.name(deal, self.plan.crm.site(), id);
                Ok(())
            }
            other => {
                let opportunity = self.opportunity(deal)?;
                self.seller_acts(&opportunity, other)
            }
        }
    }

    fn seller_acts(&mut self, opportunity: &str, act: &Act) -> Result<(), Refused> {
        let world = &mut self.world;
        match act {
            Act::SellerEdits(edit) => self.seller.edit(world, opportunity, edit),
            Act::SellerAddsSolution(solution) => self.seller.add_solution(world, opportunity, solution),
            Act::SellerRemovesSolution(solution) => self.seller.remove_solution(world, opportunity, solution),
            Act::SellerCloses(outcome) => self.seller.close(world, opportunity, *outcome),
            Act::SellerReopens => self.seller.reopen(world, opportunity),
            Act::SellerDeletes => self.seller.delete(world, opportunity),
            other => Err(Refused {
                status: 0,
                body: format!("nobody knows how to do {other:?}"),
            }),
        }
    }

    fn microsoft(&mut self, act: cosell_sim::partner_center::MicrosoftAct) -> Result<String, Refused> {
        self.world.microsoft(act).map_err(|error| Refused {
            status: 0,
            body: error.to_string(),
        })
    }

    /// Binds a symbolic name before the commits that made the record are folded, so that the log can use it.
    fn name(&mut self, deal: &str, site: Site, id: String) {
        self.record(What::Named {
            deal: deal.to_owned(),
            site,
            id,
        });
    }

    pub(super) fn referral(&self, deal: &str) -> Result<String, Refused> {
        let found = self.board.referrals_of(deal).next().map(|(id, _)| id.to_owned());
        found.ok_or_else(|| Refused {
            status: 0,
            body: format!("{deal} has no referral in Partner Center at this time"),
        })
    }

    pub(super) fn opportunity(&self, deal: &str) -> Result<String, Refused> {
        let found = self.board.opportunities_of(deal).next().map(|(id, _)| id.to_owned());
        found.ok_or_else(|| Refused {
            status: 0,
            body: format!("{deal} has no opportunity in the CRM at this time"),
        })
    }
}
