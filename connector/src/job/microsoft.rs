//! The flow *Partner Center Microsoft Co-sell Referral Updates*: what Microsoft's own referral in the engagement says is told on the
//! opportunity (product.md M20): accepted, declined, who of Microsoft's works on it.
//!
//! Microsoft's number comes with the partner's own referral.

use super::desk::{Desk, Trouble};
use super::pc;
use crate::deal::Person;
use crate::id::{DealNumber, EngagementId};
use crate::record::MicrosoftSide;
use crate::sync::audit::{self, Way};
use crate::system::partner_center::Referral;

/// Reads Microsoft's side, and notes what is new about it.
pub(super) async fn updates(desk: &Desk, deal: DealNumber, engagement: &EngagementId) -> Result<(), Trouble> {
    let parties = pc::engagement(desk, engagement).await?;
    let Some(theirs) = parties.iter().find(|party| party.is_microsofts) else {
        return Ok(());
    };
    let now = side(theirs);
    let before = desk.record(deal).microsoft.unwrap_or_default();
    if now == before {
        return Ok(());
    }
    let mut lines = Vec::new();
    if now.substatus != before.substatus || now.reason != before.reason {
        let news = match now.substatus.as_str() {
            "Accepted" => Some(("microsoft.accepted", "Microsoft accepted the deal".to_owned())),
            "Won" | "Lost" | "Error" | "Expired" | "Declined" => {
                let reason = now
                    .reason
                    .as_deref()
                    .map_or_else(String::new, |reason| format!(": {reason}"));
                let word = now.substatus.to_lowercase();
                let code = if word == "declined" {
                    "microsoft.declined"
                } else {
                    "microsoft.closed"
                };
                Some((code, format!("Microsoft's side is {word}{reason}")))
            }
            _ => None,
        };
        if let Some((code, text)) = news {
            desk.say(&desk.record(deal), code, None, text.clone());
            lines.push(text);
        }
    }
    for member in now.team.iter().filter(|member| !before.team.contains(member)) {
        // No CRM keeps people of another company in an opportunity's team (product.md M29): they are told.
        desk.say(&desk.record(deal), "microsoft.team_member", None, member.clone());
        lines.push(format!("Microsoft's team: {member}, who is no user of the CRM"));
    }
    let lines: Vec<String> = lines
        .iter()
        .map(|what| audit::line(desk.now(), Way::PcToCrm, what))
        .collect();
    desk.change(deal, |record| {
        record.owed.extend(lines);
        record.microsoft = Some(now);
    });
    Ok(())
}

fn side(theirs: &Referral) -> MicrosoftSide {
    MicrosoftSide {
        substatus: theirs.substatus.clone(),
        reason: theirs.reason.clone(),
        team: theirs.team.iter().map(named).collect(),
        etag: theirs.etag.clone(),
    }
}

fn named(person: &Person) -> String {
    let parts = [&person.first_name, &person.last_name].into_iter().flatten();
    let name = parts.map(String::as_str).collect::<Vec<_>>().join(" ");
    match &person.email {
        Some(email) => format!("{name} <{email}>").trim_start().to_owned(),
        None => name,
    }
}
