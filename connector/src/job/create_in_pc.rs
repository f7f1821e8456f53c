//! A referral for an opportunity with Sync = Yes that has none: look first if one may exist, check what is required,
//! create.
//!
//! Microsoft's invitation, and identifier and link in the CRM, follow in [`crate::job::sync_linked`].

use super::create_in_crm::{ids, settled};
use super::desk::{Desk, PC_CURSOR, Trouble};
use super::step::{Seen, Step};
use super::untaken::told_of_new;
use super::{crm, pc};
use crate::contract::System;
use crate::deal::{Agreed, Customer, Field, Help, OpportunityState, canon};
use crate::flow::{Flow, Trigger};
use crate::id::{DealNumber, OpportunityId, ReferralId};
use crate::planted::Planted;
use crate::record::{Base, Creation, Intention};
use crate::settings::Direction;
use crate::sync::audit::{self, Way};
use crate::system::opportunity::{Opportunity, Surroundings};
use crate::system::partner_center::{NewReferral, Referral};

/// How many pages of the list are read when looking for a referral.
const MOST_PAGES: usize = 10_000;

/// Finds or creates the referral of an opportunity.
pub(crate) async fn create_in_pc(
    desk: &Desk,
    deal: DealNumber,
    id: &OpportunityId,
    seen: &mut Seen,
) -> Result<Step, Trouble> {
    desk.need(deal, Flow::CrmToPc, &format!("opportunity {id} has no referral"))?;
    let Some(row) = crm::read(desk, id).await? else {
        desk.say_once(deal, "record.deleted", None, "the opportunity does not exist");
        return Ok(Step::Done);
    };
    seen.opportunity = Some(row.digest());
    if !row.sync && !desk.settings().is_planted(Planted::SyncsWithoutLeave) {
        desk.say_once(deal, "sync.off", None, "Sync with Partner Center is No");
        return Ok(Step::Done);
    }
    if let Some(named) = &row.referral {
        return take_named(desk, deal, named).await;
    }
    if let Some(found) = look(desk, deal, id).await? {
        return Ok(adopt(desk, deal, &found));
    }
    let not_now = match row.state {
        OpportunityState::Open => None,
        OpportunityState::Held => Some(("create.on_hold", "the opportunity is on hold")),
        OpportunityState::Closed(_) => Some((
            "create.closed_before_first_sync",
            "the opportunity was closed before a referral was made",
        )),
    };
    if let Some((code, detail)) = not_now {
        desk.say_once(deal, code, None, detail);
        return Ok(Step::Done);
    }
    settled(desk, &desk.record(deal), Creation::Referral)?;
    let surroundings = crm::surroundings(desk, id).await?;
    let pieces = missing(&row, &surroundings);
    if !pieces.is_empty() {
        return Err(Trouble::Incomplete { pieces });
    }
    let new = new_referral(desk, &row, surroundings);
    desk.change(deal, |record| record.solutions = Some(ids(&new.solutions)));
    desk.in_child(Some(deal), Flow::CreateReferral, create(desk, deal, &new))
        .await
}

/// The opportunity names a referral already.
async fn take_named(desk: &Desk, deal: DealNumber, named: &ReferralId) -> Result<Step, Trouble> {
    let known = desk.board().of_referral(named).filter(|other| *other != deal);
    if let Some(other) = known {
        if desk.record(other).opportunity.is_some() {
            desk.say_once(
                deal,
                "link.duplicate_opportunity",
                None,
                &format!("referral {named} belongs to another opportunity"),
            );
        } else {
            // The other deal finds this opportunity by looking for its referral.
            desk.forget(deal);
            desk.mark(other, crate::board::Causes::whole(Trigger::Parent));
        }
        return Ok(Step::Done);
    }
    if pc::read(desk, named).await?.is_none() {
        desk.say_once(
            deal,
            "link.dangling",
            None,
            &format!("the opportunity names referral `{named}`, which does not exist"),
        );
        return Ok(Step::Done);
    }
    desk.change(deal, |record| record.referral = Some(named.clone()));
    Ok(Step::Again)
}

/// Looks for the referral of an unconfirmed create: the one that claims it, else through the list, matched here because
/// no filter on the reference is documented.
async fn look(desk: &Desk, deal: DealNumber, id: &OpportunityId) -> Result<Option<Referral>, Trouble> {
    let record = desk.record(deal);
    if let Some(claim) = &record.claim {
        let found = pc::read(desk, claim).await?;
        if let Some(found) = found.filter(|found| found.external.as_deref() == Some(id.as_str())) {
            return Ok(Some(found));
        }
        desk.change(deal, |record| record.claim = None);
    }
    let Some(intention) = record.creating.filter(|intention| intention.what == Creation::Referral) else {
        return Ok(None);
    };
    if desk.settings().is_planted(Planted::NoLookUpAfterLostReply) {
        desk.change(deal, |record| record.creating = None);
        return Ok(None);
    }
    let oldest = intention
        .since
        .map(|since| canon::after(since, -desk.settings().overlap));
    let mut page = pc::first_page(desk).await?;
    for _ in 0..MOST_PAGES {
        for row in page.rows.iter().flatten() {
            if row.external.as_deref() == Some(id.as_str()) && !row.is_microsofts {
                return Ok(Some(row.clone()));
            }
            if oldest.is_some_and(|oldest| row.updated < oldest) {
                return Ok(None);
            }
        }
        let Some(next) = &page.next else {
            return Ok(None);
        };
        page = pc::next_page(desk, next.clone()).await?;
    }
    desk.say(
        &desk.record(deal),
        "bound.pages",
        None,
        "the list of referrals has more pages than are read",
    );
    Ok(None)
}

/// Links a referral; what it was created with is the base.
fn adopt(desk: &Desk, deal: DealNumber, referral: &Referral) -> Step {
    let line = audit::line(desk.now(), Way::CrmToPc, &format!("created: referral {}", referral.id));
    desk.change(deal, |record| {
        record.base = record.creating.take().map_or_else(Base::default, |intention| {
            Base::of(&intention.values, Some(Agreed::Active))
        });
        record.claim = None;
        record.referral = Some(referral.id.clone());
        record.engagement = Some(referral.engagement.clone());
        record.invite = referral.help.is_some();
        record.owed.push(line);
    });
    desk.say(
        &desk.record(deal),
        "create.referral",
        None,
        "a referral was made for the opportunity",
    );
    Step::Again
}

/// What is required and not there (product.md M13). "Solution ID is required" is quoted; the other texts are assumed.
pub(crate) fn missing(row: &Opportunity, around: &Surroundings) -> Vec<(&'static str, &'static str)> {
    let nothing = Customer::default();
    let customer = around.customer.as_ref();
    let country = customer.unwrap_or(&nothing).address.country.as_deref();
    let two_letters =
        country.is_some_and(|code| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_alphabetic()));
    let value = row
        .values
        .get(Field::Value)
        .is_some_and(|value| !value.starts_with('-'));
    let contact = customer.and_then(|customer| customer.contact.as_ref());
    let reachable = contact.is_some_and(|person| person.email.is_some());
    let checks = [
        (
            !around.solutions.is_empty(),
            "missing.solution",
            "Solution ID is required",
        ),
        (customer.is_some(), "missing.account", "Customer account is required"),
        (
            customer.is_none() || two_letters,
            "missing.country",
            "Customer account country code is required: two letters of ISO 3166",
        ),
        (value, "missing.value", "Deal value is required"),
        (
            row.values.get(Field::ClosingDate).is_some(),
            "missing.closing_date",
            "Closing date is required",
        ),
        (
            row.help.is_none() || reachable,
            "missing.contact",
            "Customer contact is required when Microsoft help is requested",
        ),
    ];
    checks
        .into_iter()
        .filter(|(there, _, _)| !there)
        .map(|(_, code, text)| (code, text))
        .collect()
}

fn new_referral(desk: &Desk, row: &Opportunity, around: Surroundings) -> NewReferral {
    let mut values = row.values.clone();
    for field in Field::ALL {
        if desk.settings().direction(field) == Direction::Never {
            values.set(field, None);
        }
    }
    let mut customer = around.customer.unwrap_or_default();
    if let Some(country) = &mut customer.address.country {
        country.make_ascii_uppercase();
    }
    NewReferral {
        opportunity: row.id.clone(),
        values,
        help: row.help,
        visible: row.visible || desk.settings().is_planted(Planted::ShowsAll),
        customer,
        solutions: around.solutions,
    }
}

async fn create(desk: &Desk, deal: DealNumber, new: &NewReferral) -> Result<Step, Trouble> {
    if desk.record(deal).claim.is_some() {
        return Ok(Step::Again);
    }
    let intention = Intention {
        what: Creation::Referral,
        at: desk.now(),
        values: new.values.clone(),
        clock: desk.clock_of(System::PartnerCenter),
        since: desk.cursor(PC_CURSOR),
    };
    if !desk.settings().is_planted(Planted::NoJournalBeforeCreate) {
        desk.change(deal, |record| {
            record.makes(&new.values);
            record.creating = Some(intention);
        });
    }
    match pc::create(desk, &new.own(desk.settings().closing_date_zone)).await {
        Ok(referral) => {
            let step = adopt(desk, deal, &referral);
            told_of_new(desk, deal, &new.values, &referral.values);
            Ok(step)
        }
        Err(trouble) => {
            if !trouble.is_unknown() {
                desk.change(deal, |record| record.creating = None);
            }
            Err(trouble)
        }
    }
}

/// Invites Microsoft into the engagement unless it is there already.
pub(crate) async fn invite(
    desk: &Desk,
    deal: DealNumber,
    referral: &Referral,
    row: &Opportunity,
    help: Help,
) -> Result<(), Trouble> {
    let record = desk.record(deal);
    if desk.settings().is_planted(Planted::NeverInvites) {
        desk.change(deal, |record| record.invite = false);
        return Ok(());
    }
    let parties = pc::engagement(desk, &referral.engagement).await?;
    if !parties.iter().any(|party| party.is_microsofts) || desk.settings().is_planted(Planted::InvitesAgain) {
        settled(desk, &record, Creation::Invitation)?;
        let around = crm::surroundings(desk, &row.id).await?;
        let mut new = new_referral(desk, row, around);
        new.help = Some(help);
        let intention = Intention {
            what: Creation::Invitation,
            at: desk.now(),
            values: new.values.clone(),
            clock: desk.clock_of(System::PartnerCenter),
            since: None,
        };
        desk.change(deal, |record| record.creating = Some(intention));
        let body = new.invitation(&referral.engagement, desk.settings().closing_date_zone);
        match pc::create(desk, &body).await {
            Ok(microsofts) => desk.board().relate(microsofts.id, deal),
            Err(trouble) => {
                if !trouble.is_unknown() {
                    desk.change(deal, |record| record.creating = None);
                }
                // Nothing ties an invitation to the state of the deal: it may have been closed meanwhile.
                if matches!(trouble, Trouble::Refused { .. }) {
                    let now = pc::read(desk, &referral.id).await?;
                    if now.is_some_and(|now| now.state != referral.state) {
                        return Err(Trouble::Raced);
                    }
                }
                return Err(trouble);
            }
        }
        desk.say(&desk.record(deal), "create.invitation", None, "Microsoft was invited");
    }
    desk.change(deal, |record| {
        record.creating = None;
        record.invite = false;
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deal::{Address, Person, Solution, Values};
    use crate::system::opportunity::Revision;

    fn row() -> Opportunity {
        Opportunity {
            id: OpportunityId::new("o"),
            revision: Revision::Etag(String::new()),
            modified: jiff::Timestamp::UNIX_EPOCH,
            name: "Deal".to_owned(),
            values: Values::default(),
            state: OpportunityState::Open,
            sync: true,
            referral: None,
            link: None,
            audit: String::new(),
            help: None,
            visible: false,
            msx: None,
            solution_count: None,
        }
    }

    #[test]
    fn each_missing_piece_has_a_text_of_its_own() {
        let codes = |row: &Opportunity, around: &Surroundings| {
            missing(row, around)
                .into_iter()
                .map(|(code, _)| code)
                .collect::<Vec<_>>()
        };
        let all = codes(&row(), &Surroundings::default());
        assert_eq!(
            all,
            [
                "missing.solution",
                "missing.account",
                "missing.value",
                "missing.closing_date"
            ]
        );
        let mut row = row();
        row.help = Some(Help::GeneralOrOther);
        row.values.set(Field::Value, Some("5".to_owned()));
        row.values.set(Field::ClosingDate, Some("2026-03-01".to_owned()));
        let mut around = Surroundings {
            customer: Some(Customer {
                address: Address {
                    country: Some("Germany".to_owned()),
                    ..Address::default()
                },
                ..Customer::default()
            }),
            solutions: vec![Solution {
                id: "SOL-1".to_owned(),
                name: None,
            }],
        };
        assert_eq!(codes(&row, &around), ["missing.country", "missing.contact"]);
        let customer = around.customer.as_mut().unwrap();
        customer.address.country = Some("DE".to_owned());
        customer.contact = Some(Person {
            email: Some("a@b.example".to_owned()),
            ..Person::default()
        });
        assert_eq!(codes(&row, &around), Vec::<&str>::new());
    }
}
