//! The flow *Partner Center Webhook Registration*: POST, and PUT when there is a registration already and it may be
//! overwritten (partner-center.md section 6.1).

use super::desk::{Desk, Trouble};
use super::poll::after_failure;
use super::reconcile::{reconcile, reconcile_once};
use crate::contract::Reason;
use crate::record::Record;
use crate::system::identity::Audience;
use crate::system::partner_center;

/// Registers the webhook, then reads what was missed before and goes on reconciling.
pub(crate) async fn register_and_reconcile(desk: Desk) {
    if let Err(trouble) = register(&desk).await {
        desk.engine().spawn(register_again(desk.clone(), trouble));
    }
    reconcile(desk).await;
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
        match register(&desk).await {
            Ok(()) => break,
            Err(again) => trouble = again,
        }
    }
    // What fails here is made up for by the next regular pass.
    let _missed = reconcile_once(&desk).await;
}

async fn register(desk: &Desk) -> Result<(), Trouble> {
    let settings = desk.settings();
    let Some(url) = &settings.hook_url else {
        return Ok(());
    };
    let post = partner_center::register(&settings.partner_center, url, false);
    match desk.ask_with_conflict(Audience::PartnerCenterEvents, post).await? {
        Some(_) => {}
        None if settings.overwrite_registration => {
            let put = partner_center::register(&settings.partner_center, url, true);
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
