//! Partner Center's calls: one function each, with the reply already understood.

use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use jiff::Timestamp;
use serde_json::Value;

use super::crm;
use super::desk::{Desk, Trouble};
use crate::deal::{Field, canon};
use crate::id::{EngagementId, ReferralId};
use crate::planted::Planted;
use crate::settings::mapping::default_path;
use crate::system::identity::Audience;
use crate::system::partner_center::{self, Patch, Referral, read_page, read_referral};
use crate::system::{Ask, Page, Unreadable};

/// A referral; none when it does not exist.
pub(crate) async fn read(desk: &Desk, id: &ReferralId) -> Result<Option<Referral>, Trouble> {
    let settings = desk.settings();
    match desk
        .ask(
            Audience::PartnerCenter,
            partner_center::read(&settings.partner_center, id),
        )
        .await
    {
        Ok(reply) => Ok(Some(read_one(desk, reply.body())?)),
        Err(Trouble::Missing) => Ok(None),
        Err(other) => Err(other),
    }
}

fn read_one(desk: &Desk, body: &Bytes) -> Result<Referral, Trouble> {
    let mut referral = read_referral(body, desk.settings().closing_date_zone)?;
    shape(desk, &mut referral);
    Ok(referral)
}

/// Brings a referral's values to the form that the mapping asks for.
fn shape(desk: &Desk, referral: &mut Referral) {
    let mapping = &desk.settings().mapping;
    let path = mapping.path(Field::Notes);
    if path != default_path(Field::Notes) {
        referral.values.set(Field::Notes, referral.text_at(path));
    }
    mapping.shape(&mut referral.values);
    // What the CRM cannot hold is compared as it can; a name is cut so that its mark fits.
    let longest = [
        (Field::Name, crm::longest_name(desk), crm::longest_name(desk) - 2),
        (Field::Notes, crm::longest_notes(desk), crm::longest_notes(desk)),
    ];
    for (field, most, cut_at) in longest {
        let cut = referral
            .values
            .get(field)
            .filter(|text| canon::shortened(text, most).is_some());
        if let Some(cut) = cut.and_then(|text| canon::shortened(text, cut_at)) {
            referral.values.set(field, Some(cut));
            referral.cut.push(field);
        }
    }
}

/// How many pages of an engagement are read.
const MOST_PAGES: usize = 200;

/// The referrals of all parties to an engagement, page by page.
pub(crate) async fn engagement(desk: &Desk, id: &EngagementId) -> Result<Vec<Referral>, Trouble> {
    let mut parties = Vec::new();
    let mut next = Some(partner_center::engagement(&desk.settings().partner_center, id));
    for _ in 0..MOST_PAGES {
        let Some(ask) = next else {
            break;
        };
        let page = page(desk, ask).await?;
        parties.extend(page.rows.into_iter().flatten());
        next = page.next.map(Ask::get);
    }
    Ok(parties)
}

/// The first page of all referrals, the one that was changed last first.
pub(crate) async fn first_page(desk: &Desk) -> Result<Arc<Page<Referral>>, Trouble> {
    // The list is asked for whole, whatever was read before.
    let list = || partner_center::list(&desk.settings().partner_center);
    let ask = desk.feeds().referrals.ask(Timestamp::UNIX_EPOCH, list);
    let reply = desk.ask(Audience::PartnerCenter, ask).await?;
    let known = desk.feeds().referrals.known(reply.body());
    if let Some(known) = known {
        return Ok(known);
    }
    let page = read_list(desk, reply.body())?;
    Ok(desk.feeds().referrals.keep(reply.into_body(), page))
}

/// The page that a link leads to.
pub(crate) async fn next_page(desk: &Desk, link: String) -> Result<Arc<Page<Referral>>, Trouble> {
    Ok(Arc::new(page(desk, Ask::get(link)).await?))
}

async fn page(desk: &Desk, ask: Ask) -> Result<Page<Referral>, Trouble> {
    let reply = desk.ask(Audience::PartnerCenter, ask).await?;
    Ok(read_list(desk, reply.body())?)
}

fn read_list(desk: &Desk, body: &Bytes) -> Result<Page<Referral>, Unreadable> {
    let settings = desk.settings();
    let mut page = read_page(&settings.partner_center, body, settings.closing_date_zone)?;
    for row in page.rows.iter_mut().flatten() {
        shape(desk, row);
    }
    if settings.is_planted(Planted::StopsAfterFirstPage) {
        page.next = None;
    }
    if settings.is_planted(Planted::BuildsPagingLinks) {
        page.next = page.next.map(|link| format!("{link}&"));
    }
    Ok(page)
}

/// Changes a referral and gives it back as it is now.
pub(crate) async fn patch(desk: &Desk, of: &Referral, patch: &Patch) -> Result<Referral, Trouble> {
    let settings = desk.settings();
    let mut ask = partner_center::patch(&settings.partner_center, of, patch);
    if settings.is_planted(Planted::NoPreconditionInPartnerCenter) {
        ask = ask.without(&http::header::IF_MATCH);
    }
    let reply = desk.ask(Audience::PartnerCenter, ask).await?;
    written(desk, of, &reply).await
}

/// The referral after a write. Where the reply does not hold it, it is read; somebody may have changed it in between, so
/// its eTag is left out: it is no state that anything was decided on.
async fn written(desk: &Desk, of: &Referral, reply: &Response<Bytes>) -> Result<Referral, Trouble> {
    if !reply.body().is_empty() {
        return made(desk, reply.body());
    }
    let mut now = read(desk, &of.id).await?.ok_or(Trouble::Missing)?;
    now.etag.clear();
    Ok(now)
}

/// Replaces a referral and gives it back as it is now.
pub(crate) async fn put(desk: &Desk, of: &Referral, body: &Value) -> Result<Referral, Trouble> {
    let settings = desk.settings();
    let ask = partner_center::put(&settings.partner_center, of, body);
    let reply = desk.ask(Audience::PartnerCenter, ask).await?;
    written(desk, of, &reply).await
}

/// Creates a referral.
pub(crate) async fn create(desk: &Desk, body: &Value) -> Result<Referral, Trouble> {
    let settings = desk.settings();
    let mut body = body.clone();
    let path = settings.mapping.path(Field::Notes);
    if path != default_path(Field::Notes)
        && let Some(notes) = body.pointer_mut("/details/notes").map(Value::take)
    {
        body[path.trim_start_matches('/')] = notes;
    }
    let ask = partner_center::create(&settings.partner_center, &body);
    let reply = desk.ask(Audience::PartnerCenter, ask).await?;
    made(desk, reply.body())
}

/// The referral out of the reply to a write.
fn made(desk: &Desk, body: &Bytes) -> Result<Referral, Trouble> {
    let mut referral = read_referral(body, desk.settings().closing_date_zone)
        .map_err(|unreadable| Trouble::after_write(&unreadable))?;
    shape(desk, &mut referral);
    Ok(referral)
}
