//! An opportunity for a referral that has none: look first, then account, contact, opportunity.
//!
//! Contact role, solution rows and the reference in Partner Center follow in [`crate::job::sync_linked`], so that a crash in
//! between leaves nothing half done.

use jiff::SignedDuration;

use super::desk::{Desk, Trouble};
use super::leads::{self, Course};
use super::step::{Seen, Step};
use super::{crm, duplicates, pc};
use crate::board::Causes;
use crate::contract::System;
use crate::deal::{Agreed, Field, ReferralState, Solution, canon, mark};
use crate::flow::{Flow, Trigger};
use crate::id::{AccountId, ContactId, DealNumber, OpportunityId, ReferralId};
use crate::planted::Planted;
use crate::record::{Base, Creation, Intention, Outcome, Proving, Record};
use crate::settings::{CrmSettings, Direction};
use crate::sync::audit::{self, Way};
use crate::system::opportunity::{Change, Opportunity, Stage};
use crate::system::partner_center::Referral;

/// Finds or creates the opportunity of a referral.
pub(crate) async fn create_in_crm(
    desk: &Desk,
    deal: DealNumber,
    id: &ReferralId,
    seen: &mut Seen,
) -> Result<Step, Trouble> {
    desk.need(deal, Flow::PcToCrm, &format!("referral {id} has no opportunity"))?;
    let Some(referral) = pc::read(desk, id).await? else {
        // Nobody has it, as far as the connection's user sees: a webhook of another tenant, or of a referral out of sight. Nothing is
        // remembered about it but that there may be more to see.
        desk.doubt();
        desk.say(
            &desk.record(deal),
            "record.deleted",
            None,
            "the referral does not exist",
        );
        // A lead's Audit trail is remembered here alone: it goes on when the referral is seen again.
        if desk.record(deal).lead_audit.is_empty() {
            desk.forget(deal);
        }
        return Ok(Step::Done);
    };
    seen.referral = Some(referral.etag.clone());
    if referral.is_microsofts {
        return Ok(belongs_to_engagement(desk, deal, &referral));
    }
    desk.change(deal, |record| record.engagement = Some(referral.engagement.clone()));
    if let Some(external) = &referral.external {
        return follow_reference(desk, deal, &referral, external).await;
    }
    if let Some(found) = look(desk, deal, id).await? {
        return adopt(desk, deal, &referral, &found).await;
    }
    if let ReferralState::Closed(_) = referral.state {
        desk.say_once(
            deal,
            "create.closed_before_first_sync",
            None,
            "the referral was closed before an opportunity was made",
        );
        return Ok(Step::Done);
    }
    let lets_in = desk.settings().sync_cosell_only && desk.settings().is_planted(Planted::LetsLeadsIn);
    if referral.is_lead && !lets_in && leads::handle(desk, deal, &referral).await? == Course::Done {
        return Ok(Step::Done);
    }
    settled(desk, &desk.record(deal), Creation::Opportunity)?;
    // Boxed: it holds every call that making an opportunity takes.
    let made = Box::pin(create(desk, deal, &referral));
    let made = desk.in_child(Some(deal), Flow::Customize, made);
    if Flow::PcToCrm.children(&desk.settings().crm).contains(&Flow::Helper) {
        // Assumed: what Helper is for is not documented beyond its name; a deal that comes from Partner Center is made by way of it.
        return desk.in_child(Some(deal), Flow::Helper, made).await;
    }
    made.await
}

/// Microsoft's own referral was taken for the partner's: the engagement's deal is meant.
fn belongs_to_engagement(desk: &Desk, deal: DealNumber, referral: &Referral) -> Step {
    desk.forget(deal);
    let own = desk.board().of_engagement(&referral.engagement);
    if let Some(own) = own {
        desk.board().relate(referral.id.clone(), own);
        desk.mark(own, Causes::whole(Trigger::RelatedWebhook));
    }
    Step::Done
}

/// The referral names an opportunity: it is linked if it exists, else the referral is ignored (product.md M21).
async fn follow_reference(desk: &Desk, deal: DealNumber, referral: &Referral, external: &str) -> Result<Step, Trouble> {
    let id = OpportunityId::new(external);
    let known = desk.board().of_opportunity(&id);
    if let Some(other) = known.filter(|other| *other != deal) {
        return hand_over(desk, deal, other, referral).await;
    }
    let found = if crm::is_id(desk, external) {
        crm::read(desk, &id).await?
    } else {
        None
    };
    match found {
        Some(found) if found.referral.as_ref().is_none_or(|named| *named == referral.id) => {
            adopt(desk, deal, referral, &found).await
        }
        Some(found) => {
            let detail = format!(
                "the referral names opportunity {}, which names another referral",
                found.id
            );
            desk.say_once(deal, "link.conflict", None, &detail);
            Ok(Step::Done)
        }
        None => {
            desk.say_once(
                deal,
                "link.dangling",
                None,
                &format!("the referral names `{external}`, which the CRM does not have"),
            );
            Ok(Step::Done)
        }
    }
}

/// The opportunity that the referral names is another deal's: that one decides whether it is its referral.
async fn hand_over(desk: &Desk, deal: DealNumber, other: DealNumber, referral: &Referral) -> Result<Step, Trouble> {
    let owner = desk.record(other);
    if let Some(first) = owner.referral.filter(|known| *known != referral.id) {
        return duplicates::resolve(desk, deal, other, (&first, referral)).await;
    }
    if owner.claim.is_some_and(|claim| claim != referral.id) {
        // Of two that come at once one is linked; the other is looked at once that is done.
        return Err(Trouble::Passing {
            why: "another referral claims the opportunity".to_owned(),
            until: None,
            unknown: false,
        });
    }
    desk.forget(deal);
    desk.change(other, |record| record.claim = Some(referral.id.clone()));
    desk.mark(other, Causes::whole(Trigger::Parent));
    Ok(Step::Done)
}

/// Looks for an opportunity that names the referral.
async fn look(desk: &Desk, deal: DealNumber, id: &ReferralId) -> Result<Option<Opportunity>, Trouble> {
    if desk.settings().is_planted(Planted::NoLookUpAfterLostReply) && desk.record(deal).creating.is_some() {
        desk.change(deal, |record| record.creating = None);
        return Ok(None);
    }
    let mut found = crm::of_referral(desk, id).await?;
    if found.len() > 1 {
        let detail = format!("{} opportunities name the referral; the oldest is taken", found.len());
        desk.say_once(deal, "link.duplicate_opportunity", None, &detail);
    }
    Ok(if found.is_empty() { None } else { Some(found.remove(0)) })
}

/// Links an opportunity that was found. If it was about to be created, what it was created with is the base.
async fn adopt(desk: &Desk, deal: DealNumber, referral: &Referral, found: &Opportunity) -> Result<Step, Trouble> {
    let taken = desk.board().of_opportunity(&found.id).filter(|other| *other != deal);
    if let Some(other) = taken {
        return hand_over(desk, deal, other, referral).await;
    }
    desk.change(deal, |record| {
        let created = record
            .creating
            .take()
            .filter(|intention| intention.what == Creation::Opportunity);
        if let Some(intention) = created {
            // The stage that it was created in follows from the referral's state; a later one is found by comparing.
            record.base = Base::of(&intention.values, None);
            record.furnish = true;
        }
        record.opportunity = Some(found.id.clone());
    });
    desk.say(
        &desk.record(deal),
        "link.found",
        None,
        "an opportunity that names the referral was found",
    );
    Ok(Step::Again)
}

/// While a create with an unknown outcome may still arrive, it is not repeated.
pub(crate) fn settled(desk: &Desk, record: &Record, what: Creation) -> Result<(), Trouble> {
    let Some(intention) = record.creating.as_ref().filter(|intention| intention.what == what) else {
        return Ok(());
    };
    let wait = desk.settings().unknown_create_wait;
    // Both clocks must say that it is over: the process may have been started again under a wrong one. The system's has whole seconds.
    let of = if what == Creation::Opportunity {
        System::Crm
    } else {
        System::PartnerCenter
    };
    let there = desk.clock_of(of).zip(intention.clock);
    let left = there.map_or(SignedDuration::ZERO, |(now, then)| {
        wait - now.duration_since(then) - SignedDuration::from_secs(1)
    });
    let until = canon::after(intention.at, wait).max(canon::after(desk.now(), left));
    if desk.now() >= until || desk.settings().is_planted(Planted::CreatesAgainAtOnce) {
        return Ok(());
    }
    Err(Trouble::Passing {
        why: "a create with an unknown outcome may still arrive".to_owned(),
        until: Some(until),
        unknown: false,
    })
}

async fn create(desk: &Desk, deal: DealNumber, referral: &Referral) -> Result<Step, Trouble> {
    // One customer at a time, or two deals of a new customer would each create the account.
    let turn = desk.engine().turn("customers").await;
    let account = crm::ensure_account(desk, &referral.customer).await?;
    let contact = match &referral.customer.contact {
        Some(person) => crm::ensure_contact(desk, person, &account).await?,
        None => None,
    };
    drop(turn);
    let line = created_line(desk, deal, referral);
    let change = new_opportunity(desk, referral, account, contact.clone(), line);
    let intention = Intention {
        what: Creation::Opportunity,
        at: desk.now(),
        values: referral.values.clone(),
        clock: desk.clock_of(System::Crm),
        since: None,
    };
    let carried: Vec<Field> = change.values.iter().map(|(field, _)| *field).collect();
    desk.change(deal, |record| record.creating = Some(intention));
    let (created, left_out) = create_row(desk, deal, change).await;
    match created {
        Ok(id) => {
            let new = id.clone();
            remember(desk, deal, id, referral, (carried, left_out));
            desk.say(
                &desk.record(deal),
                "create.opportunity",
                None,
                "an opportunity was made for the referral",
            );
            let turn = desk.engine().turn("customers").await;
            if !desk.settings().is_planted(Planted::ForgetsSolutions) {
                add_missing(desk, &new, referral, contact, Vec::new()).await?;
            }
            drop(turn);
            desk.change(deal, |record| record.furnish = false);
            Ok(Step::Again)
        }
        Err(trouble) => {
            // The record may be there already, made by an earlier copy of the request: it is looked for.
            let there = matches!(trouble, Trouble::Raced | Trouble::Conflict);
            if !trouble.is_unknown() && !there {
                desk.change(deal, |record| record.creating = None);
            }
            Err(trouble)
        }
    }
}

/// Remembers an opportunity that was made: what it was given, and what was left out of it.
fn remember(
    desk: &Desk,
    deal: DealNumber,
    id: OpportunityId,
    referral: &Referral,
    (carried, left_out): (Vec<Field>, Instead),
) {
    let made_at = desk.clock_of(System::Crm);
    let status = if referral.state == ReferralState::New {
        Agreed::New
    } else {
        Agreed::Active
    };
    desk.change(deal, |record| {
        record.creating = None;
        record.opportunity = Some(id);
        record.base = Base::of(&referral.values, Some(status));
        // Whether the CRM has kept what it was given is seen with the next look.
        let left = |field: &Field| left_out.iter().any(|(left, _)| left == field);
        let kept = carried.into_iter().chain([Field::Name]).filter(|field| !left(field));
        record.proving = Some(Proving {
            before: kept.map(|field| (field, None)).collect(),
            at: made_at,
        });
        for (field, stands) in left_out {
            record.base.agree(field, stands);
        }
        record.solutions = Some(ids(&referral.solutions));
        record.furnish = true;
        record.outcome = Outcome::Succeeded;
    });
}

/// The audit line of a new opportunity: what was cut, if anything was.
fn created_line(desk: &Desk, deal: DealNumber, referral: &Referral) -> String {
    let mut what = vec![format!("created: from referral {}", referral.id)];
    for field in &referral.cut {
        what.push(format!("{} shortened to what the CRM can hold", field.name()));
        let detail = "Partner Center has more letters than the CRM can hold";
        desk.say(&desk.record(deal), "value.shortened", Some(field.name()), detail);
    }
    audit::line(desk.now(), Way::PcToCrm, &what.join("; "))
}

/// The ids of solutions, in order.
pub(crate) fn ids(solutions: &[Solution]) -> Vec<String> {
    let mut ids: Vec<String> = solutions.iter().map(|solution| solution.id.clone()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// Creates the row. A currency that the CRM does not have is left out with its amount, and said on the record (product.md M29).
async fn create_row(desk: &Desk, deal: DealNumber, change: Change) -> (Result<OpportunityId, Trouble>, Instead) {
    let result = crm::create(desk, &change).await;
    let Err(Trouble::Refused { why, .. }) = &result else {
        return (result, Vec::new());
    };
    if !crm::is_about_currency(desk, why) {
        return (result, Vec::new());
    }
    desk.say(
        &desk.record(deal),
        "value.currency_missing",
        Some("currency"),
        why.clone(),
    );
    let mut change = change;
    let money = [Field::Value, Field::Currency];
    change.values.retain(|(field, _)| !money.contains(field));
    let line = audit::line(
        desk.now(),
        Way::PcToCrm,
        &format!("failed: {why}; the deal value is left out"),
    );
    change.audit = change
        .audit
        .and_then(|audit| audit::append(&audit, &[line], desk.settings().audit_limit));
    let created = crm::create(desk, &change).await;
    let stored = match &created {
        Ok(id) => crm::read(desk, id).await.ok().flatten(),
        Err(_) => None,
    };
    let stands = |field| stored.as_ref().and_then(|row| row.values.get(field)).map(str::to_owned);
    (created, money.map(|field| (field, stands(field))).to_vec())
}

/// Fields that were left out, with what the CRM itself has put there.
type Instead = Vec<(Field, Option<String>)>;

fn new_opportunity(
    desk: &Desk,
    referral: &Referral,
    account: AccountId,
    contact: Option<ContactId>,
    line: String,
) -> Change {
    let settings = desk.settings();
    let name = referral.values.get(Field::Name).unwrap_or_default();
    let name = if settings.display_check_mark {
        mark::put(name, mark::CHECK, crm::longest_name(desk))
    } else {
        name.to_owned()
    };
    let carried = Field::ALL
        .into_iter()
        .filter(|field| {
            // Salesforce makes no opportunity without a day.
            let required = *field == Field::ClosingDate && matches!(settings.crm, CrmSettings::Salesforce(_));
            *field != Field::Name && (required || settings.direction(*field) != Direction::Never)
        })
        .filter_map(|field| Some((field, Some(referral.values.get(field)?.to_owned()))));
    Change {
        name: Some(name),
        values: carried.collect(),
        stage: Some(
            if referral.state == ReferralState::New && !settings.is_planted(Planted::CreatesActive) {
                Stage::OnHold
            } else {
                Stage::Active
            },
        ),
        sync: Some(!settings.is_planted(Planted::CreatesUnsynced)),
        referral: Some(referral.id.clone()),
        link: (!settings.is_planted(Planted::NoReferralLink)).then(|| link(desk, &referral.id)),
        audit: Some(line),
        help: referral.help.map(Some),
        visible: referral.visible.then_some(true),
        msx: referral
            .msx
            .clone()
            .filter(|_| !settings.is_planted(Planted::IgnoresMsxId)),
        id: matches!(settings.crm, CrmSettings::Dataverse(_)).then(|| crm::chosen_id(&referral.id, "opportunity")),
        account: Some(account),
        contact,
    }
}

/// *Referral Link* of a referral.
pub(crate) fn link(desk: &Desk, id: &ReferralId) -> String {
    format!("{}{id}", desk.settings().referral_link)
}

/// Contact role and solution rows of an opportunity that the connector created, each looked for first.
pub(crate) async fn furnish(
    desk: &Desk,
    deal: DealNumber,
    id: &OpportunityId,
    referral: &Referral,
) -> Result<(), Trouble> {
    let turn = desk.engine().turn("customers").await;
    let mut contact = None;
    if let Some(person) = &referral.customer.contact {
        let account = crm::ensure_account(desk, &referral.customer).await?;
        contact = crm::ensure_contact(desk, person, &account).await?;
    }
    let present = if referral.solutions.is_empty() {
        Vec::new()
    } else {
        crm::solutions(desk, id).await?
    };
    add_missing(desk, id, referral, contact, present).await?;
    drop(turn);
    desk.change(deal, |record| record.furnish = false);
    Ok(())
}

/// Ties the contact to the opportunity and adds the solutions that are not there.
async fn add_missing(
    desk: &Desk,
    id: &OpportunityId,
    referral: &Referral,
    contact: Option<ContactId>,
    present: Vec<Solution>,
) -> Result<(), Trouble> {
    if let Some(contact) = contact {
        crm::ensure_role(desk, id, &contact).await?;
    }
    let most = if desk.settings().is_planted(Planted::FirstSolutionOnly) {
        1
    } else {
        usize::MAX
    };
    for solution in referral.solutions.iter().take(most) {
        if !present.iter().any(|known| known.id == solution.id) {
            crm::add_solution(desk, id, solution).await?;
        }
    }
    Ok(())
}
