//! The flow *Partner Center Webhook Registration*: POST, and PUT when there is a registration already and it may be
//! overwritten (partner-center.md section 6.1).

use super::desk::{Desk, Trouble};
use super::poll::after_failure;
use super::reconcile::{reconcile, reconcile_once};
use crate::contract::Reason;
use crate::deal::canon;
use crate::flow::Flow;
use crate::planted::Planted;
use crate::record::Record;
use crate::system::identity::Audience;
use crate::system::partner_center;

/// Registers the webhook, then reads what was missed before and goes on reconciling.
pub(crate) async fn register_and_reconcile(desk: Desk) {
    if let Err(trouble) = run(&desk).await {
        desk.engine().spawn(register_again(desk.clone(), trouble));
    }
    reconcile(desk).await;
}

/// Looks at the registration now and then: who registers last gets the events (F25).
pub(crate) async fn watch(desk: Desk) {
    if desk.settings().hook_url.is_none() {
        return;
    }
    loop {
        let at = canon::after(desk.now(), desk.settings().registration_check);
        desk.engine().sleep_until(at, Reason::RegistrationCheck).await;
        if desk.settings().is_planted(Planted::RegistersAgain) {
            again(&desk);
        } else if desk.flows().switches.is_on(Flow::WebhookRegistration)
            && let Ok(false) = stands(&desk).await
        {
            let detail = "the webhook's registration is not the connector's any more";
            desk.say(&Record::default(), "register.stolen", None, detail);
            again(&desk);
        }
    }
}

/// Whether the registration is the connector's own. A look that fails is made up for by the next one.
async fn stands(desk: &Desk) -> Result<bool, Trouble> {
    let settings = desk.settings();
    let ask = partner_center::registration(&settings.partner_center);
    match desk.ask(Audience::PartnerCenterEvents, ask).await {
        Ok(reply) => {
            let (url, events) = partner_center::read_registration(reply.body())?;
            let heard = |event: &&str| events.iter().any(|known| known == event);
            let ours = settings.hook_url.as_deref() == Some(url.as_str());
            Ok(ours && events_of(desk).iter().all(heard))
        }
        Err(Trouble::Missing) => Ok(false),
        Err(other) => Err(other),
    }
}

fn events_of(desk: &Desk) -> &'static [&'static str] {
    let related = desk.settings().profile.hears_related();
    &partner_center::EVENTS[..if related { 4 } else { 2 }]
}

/// Registers once more: the flow was turned on, or submitted again.
pub(crate) fn again(desk: &Desk) {
    let desk = desk.clone();
    let engine = desk.engine().clone();
    engine.spawn(async move {
        match run(&desk).await {
            Ok(()) => {
                // What fails here is made up for by the next regular pass.
                let _missed = reconcile_once(&desk).await;
            }
            Err(trouble) => register_again(desk, trouble).await,
        }
    });
}

/// Goes on until the registration stands; then reads again what was missed meanwhile.
async fn register_again(desk: Desk, first: Trouble) {
    let mut trouble = first;
    let mut failures = 0;
    loop {
        failures += 1;
        desk.say(&Record::default(), "register.failed", None, trouble.to_string());
        let at = after_failure(&desk, failures, &trouble);
        desk.engine().sleep_until(at, Reason::Register).await;
        match run(&desk).await {
            Ok(()) => break,
            Err(again) => trouble = again,
        }
    }
    // What fails here is made up for by the next regular pass.
    let _missed = reconcile_once(&desk).await;
}

/// One run of the flow; nothing while it is off.
async fn run(desk: &Desk) -> Result<(), Trouble> {
    if desk.settings().hook_url.is_none() {
        return Ok(());
    }
    let flow = Flow::WebhookRegistration;
    if !desk.flows().switches.is_on(flow) {
        let detail = "the webhook is not registered while the flow is off";
        desk.say(&Record::default(), "flow.off", Some(flow.slug()), detail);
        return Ok(());
    }
    desk.in_child(None, flow, register(desk)).await
}

async fn register(desk: &Desk) -> Result<(), Trouble> {
    let settings = desk.settings();
    let Some(url) = &settings.hook_url else {
        return Ok(());
    };
    let events = events_of(desk);
    let post = partner_center::register(&settings.partner_center, url, events, false);
    match desk.ask_with_conflict(Audience::PartnerCenterEvents, post).await? {
        Some(_) => {}
        None if settings.overwrite_registration => {
            let put = partner_center::register(&settings.partner_center, url, events, true);
            desk.ask(Audience::PartnerCenterEvents, put).await?;
        }
        None => {
            let detail = "a registration exists and may not be overwritten";
            desk.say(&Record::default(), "register.kept", None, detail);
            return Ok(());
        }
    }
    desk.say(&Record::default(), "register.done", None, url.clone());
    Ok(())
}
