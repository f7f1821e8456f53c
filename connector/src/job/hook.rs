//! Webhooks: they only mark a deal as due. They are answered once that is durable.
//!
//! The driver has checked the signature; a webhook without a good one is refused here.

use bytes::Bytes;
use jiff::Timestamp;

use super::desk::{Desk, Trouble};
use super::pc;
use crate::board::Causes;
use crate::contract::{Reason, Signature};
use crate::deal::canon;
use crate::flow::{Flow, Trigger};
use crate::id::{DealNumber, HookId, ReferralId};
use crate::planted::Planted;
use crate::record::Record;
use crate::sync::backoff;
use crate::system::partner_center::{HookEvent, Referral, read_hook};

/// Under what another party's referral is kept until its deal is known.
pub(crate) const RELATED: &str = "related/";

/// Takes a webhook.
pub(crate) fn take(desk: &Desk, hook: HookId, body: &Bytes, signature: Signature) {
    let status = match signature {
        Signature::Verified if desk.settings().is_planted(Planted::RefusesSignedWebhooks) => 401,
        Signature::Verified => note(desk, body),
        Signature::Forged if desk.settings().is_planted(Planted::TakesForgedWebhooks) => note(desk, body),
        Signature::Absent if desk.settings().accept_unsigned_hooks => note(desk, body),
        Signature::Absent => refuse(desk, "hook.unsigned", "a webhook without signature", 401),
        Signature::Forged => refuse(desk, "hook.forged", "a webhook with a wrong signature", 401),
        Signature::Unchecked(why) => refuse(desk, why.code(), why.words(), why.status()),
    };
    desk.engine().answer(hook, status);
}

fn refuse(desk: &Desk, code: &'static str, detail: &str, status: u16) -> u16 {
    desk.say(&Record::default(), code, None, detail);
    status
}

/// Marks what a webhook is about; the status to answer with.
fn note(desk: &Desk, body: &Bytes) -> u16 {
    let event = match read_hook(body) {
        Ok(Some(event)) => event,
        Ok(None) => return 200,
        Err(unreadable) => return refuse(desk, "hook.unreadable", &unreadable.to_string(), 400),
    };
    if event.related {
        return note_related(desk, event);
    }
    match deal_of(desk, &event.referral) {
        Some(deal) => {
            let what = format!("webhook about referral {}", event.referral);
            desk.trigger(deal, Flow::PcToCrm, Causes::referral(Trigger::Webhook), &what);
            200
        }
        None => 503,
    }
}

/// The deal of one's own referral, new if it is not known. None when no more deals can be kept.
pub(crate) fn deal_of(desk: &Desk, id: &ReferralId) -> Option<DealNumber> {
    let known = desk.board().of_referral(id);
    known.or_else(|| {
        desk.add(Record {
            referral: Some(id.clone()),
            ..Record::default()
        })
    })
}

/// Another party's referral: its deal is looked up once and remembered.
fn note_related(desk: &Desk, event: HookEvent) -> u16 {
    let known = {
        let board = desk.board();
        board
            .of_related(&event.referral)
            .or_else(|| board.of_referral(&event.referral))
    };
    if let Some(deal) = known {
        related_change(desk, deal, &event.referral);
        return 200;
    }
    let traced = desk.board().trace(&event.referral);
    match traced {
        Some(true) => {}
        Some(false) => return 200,
        None => {
            return refuse(
                desk,
                "bound.related",
                "as many referrals are being traced as there may be",
                503,
            );
        }
    }
    desk.engine()
        .persist(format!("{RELATED}{}", event.referral), Some("1".to_owned()));
    desk.engine().spawn(trace_related(desk.clone(), event.referral));
    200
}

/// Finds the deal that another party's referral belongs to, by way of the engagement.
pub(crate) async fn trace_related(desk: Desk, id: ReferralId) {
    let mut failures = 0;
    loop {
        match find_related(&desk, &id).await {
            Ok(()) => break,
            Err(Trouble::Passing { until, .. }) => {
                failures += 1;
                desk.engine()
                    .sleep_until(later(&desk, failures, until), Reason::Retry)
                    .await;
            }
            Err(other) => {
                desk.say(
                    &Record::default(),
                    "hook.untraced",
                    None,
                    format!("referral {id}: {other:?}"),
                );
                break;
            }
        }
    }
    desk.board().traced(&id);
    desk.engine().persist(format!("{RELATED}{id}"), None);
}

async fn find_related(desk: &Desk, id: &ReferralId) -> Result<(), Trouble> {
    let Some(related) = pc::read(desk, id).await? else {
        return Ok(());
    };
    let known = desk.board().of_engagement(&related.engagement);
    let deal = match known {
        Some(deal) => Some(deal),
        None => own_of(pc::engagement(desk, &related.engagement).await?).and_then(|own| deal_of(desk, &own.id)),
    };
    if let Some(deal) = deal {
        desk.board().relate(id.clone(), deal);
        related_change(desk, deal, id);
    }
    Ok(())
}

fn related_change(desk: &Desk, deal: DealNumber, referral: &ReferralId) {
    let what = format!("webhook about another party's referral {referral}");
    desk.trigger(
        deal,
        Flow::MicrosoftUpdates,
        Causes::whole(Trigger::RelatedWebhook),
        &what,
    );
}

fn own_of(parties: Vec<Referral>) -> Option<Referral> {
    parties.into_iter().find(|party| !party.is_microsofts)
}

/// When something that failed for now is tried again.
pub(crate) fn later(desk: &Desk, failures: u32, until: Option<Timestamp>) -> Timestamp {
    let pause = backoff::pause(failures, desk.settings().longest_backoff, desk.engine().chance());
    let soonest = canon::after(desk.now(), pause);
    until.map_or(soonest, |until| until.max(soonest))
}
