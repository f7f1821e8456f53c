//! Microsoft's side, and time.

use super::*;

fn engagement_of(desk: &Desk, id: &str) -> String {
    text(&desk.stored(id)["engagementId"])
}

#[test]
fn a_shared_deal_waits_for_an_answer_and_microsofts_side_stands() {
    let desk = Desk::new();
    let id = desk.shared(from_microsoft("Fabrikam migration"));
    let own = desk.stored(&id);
    assert_eq!((&own["status"], &own["substatus"]), (&json!("New"), &json!("Pending")));
    assert_eq!(
        (&own["direction"], &own["type"]),
        (&json!("Incoming"), &json!("Shared"))
    );
    assert_eq!(own["inviteContext"]["invitedBy"]["organizationId"], "msft");
    assert_eq!(own["expirationDateTime"], "2026-01-19T09:00:00Z");
    assert_eq!(own["acceptedDateTime"], Value::Null);
    let rows = desk.it.rows();
    assert_eq!(rows.len(), 2);
    let microsofts = rows.iter().find(|row| row.id != id).unwrap();
    assert_eq!(microsofts.fields["organizationId"], "msft");
    assert_eq!(microsofts.fields["status"], "Active");
    assert_eq!(microsofts.fields["engagementId"], own["engagementId"]);
    assert_eq!(microsofts.fields["target"][0]["id"], "msft");
    assert!(text(&microsofts.fields["links"]["self"]["uri"]).ends_with(&microsofts.id));
    let actors: Vec<String> = desk.commits().into_iter().map(|commit| commit.actor).collect();
    assert_eq!(actors, ["microsoft", "microsoft"]);
}

#[test]
fn an_answer_within_the_time_stops_the_clock() {
    let desk = Desk::new();
    let id = desk.shared(from_microsoft("a"));
    assert!(desk.it.next_due().is_some());
    let accept = json!([
        {"op": "replace", "path": "/status", "value": "Active"},
        {"op": "replace", "path": "/substatus", "value": "Accepted"},
    ]);
    assert_eq!(desk.patch(&id, &accept).status, 204);
    assert_eq!(desk.it.next_due(), None);
    let stored = desk.stored(&id);
    assert_eq!(stored["expirationDateTime"], Value::Null);
    assert!(stored["acceptedDateTime"].is_string());
}

#[test]
fn an_unanswered_deal_expires_after_14_days() {
    let desk = Desk::new();
    let id = desk.shared(from_microsoft("a"));
    desk.commits();
    let due = desk.it.next_due().unwrap();
    assert_eq!(due, default_start() + SignedDuration::from_hours(14 * 24));
    desk.it.run_due(due - SignedDuration::from_secs(1));
    assert!(desk.commits().is_empty());
    desk.ground.clock.advance_to(due);
    desk.it.run_due(due);
    let stored = desk.stored(&id);
    assert_eq!(
        (&stored["status"], &stored["substatus"]),
        (&json!("Closed"), &json!("Expired"))
    );
    let commits = desk.commits();
    assert_eq!(
        (commits.len(), commits[0].actor.as_str(), commits[0].at),
        (1, "system", due)
    );
    assert_eq!(desk.it.next_due(), None);
}

#[test]
fn microsoft_edits_the_partners_referral() {
    let desk = Desk::new();
    let id = desk.shared(from_microsoft("a"));
    desk.commits();
    let edit = |changes: &[(&str, Value)]| {
        let changes = changes
            .iter()
            .map(|(path, value)| ((*path).to_owned(), value.clone()))
            .collect();
        let referral = id.clone();
        desk.it.microsoft(MicrosoftAct::Edit { referral, changes })
    };
    edit(&[("/details/dealValue", json!(60000)), ("/name", json!("b"))]).unwrap();
    let stored = desk.stored(&id);
    assert_eq!(
        (&stored["details"]["dealValue"], &stored["name"]),
        (&json!(60000), &json!("b"))
    );
    assert!(matches!(edit(&[("/id", json!("x"))]), Err(ActError::Refused(_))));
    assert!(matches!(
        edit(&[("/details/dealValue", json!(-1))]),
        Err(ActError::Refused(_))
    ));
}

#[test]
fn microsoft_answers_an_invitation_once() {
    let desk = Desk::new();
    let mut body = deal("a");
    body["details"]["dealValue"] = json!(25_000);
    let own = desk.created(&body);
    let engagement = text(&own["engagementId"]);
    let accept = || {
        let engagement = engagement.clone();
        desk.it.microsoft(MicrosoftAct::Accept { engagement })
    };
    assert_eq!(accept(), Err(ActError::NotInvited(engagement.clone())));
    let microsofts = desk.created(&invitation("a", &own["engagementId"]));
    assert_eq!(accept(), Ok(text(&own["id"])));
    assert_eq!(desk.stored(&text(&microsofts["id"]))["substatus"], "Accepted");
    assert_eq!(desk.it.next_due(), None);
    let reason = Some("No Microsoft seller directly manages this customer".to_owned());
    let engagement = text(&own["id"]);
    desk.it.microsoft(MicrosoftAct::Decline { engagement, reason }).unwrap();
    let stored = desk.stored(&text(&microsofts["id"]));
    assert_eq!(
        stored["statusReason"],
        "No Microsoft seller directly manages this customer"
    );
    assert!(matches!(accept(), Err(ActError::Refused(_))));
}

#[test]
fn the_msx_id_appears_on_both_sides() {
    let desk = Desk::new();
    let id = desk.shared(from_microsoft("a"));
    let engagement = engagement_of(&desk, &id);
    let msx = "7-3GHJKL2MNO".to_owned();
    desk.it
        .microsoft(MicrosoftAct::SetMsxId { engagement, id: msx })
        .unwrap();
    for row in desk.it.rows() {
        assert_eq!(row.fields["trackingInfo"]["microsoftMsxId"], "7-3GHJKL2MNO");
    }
}

#[test]
fn an_unknown_deal_is_an_error() {
    let desk = Desk::new();
    for engagement in ["", "x", "00000000-0000-4000-8000-000000000000"] {
        let engagement = engagement.to_owned();
        let answer = desk.it.microsoft(MicrosoftAct::Accept {
            engagement: engagement.clone(),
        });
        assert_eq!(answer, Err(ActError::Unknown(engagement)));
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let run = || {
        let desk = Desk::new();
        let id = desk.shared(from_microsoft("a"));
        desk.replace(&id, "/details/notes", "x");
        (desk.get(REFERRALS).text, desk.it.rows())
    };
    assert_eq!(run(), run());
}

#[test]
fn microsoft_gives_no_reason_for_a_small_deal() {
    let desk = Desk::new();
    let own = desk.created(&deal("a"));
    let microsofts = desk.created(&invitation("a", &own["engagementId"]));
    let reason = Some(reason::MICROSOFT_DECLINES[0].to_owned());
    let engagement = text(&own["engagementId"]);
    desk.it.microsoft(MicrosoftAct::Decline { engagement, reason }).unwrap();
    let stored = desk.stored(&text(&microsofts["id"]));
    assert_eq!(
        (&stored["substatus"], &stored["statusReason"]),
        (&json!("Declined"), &Value::Null)
    );
}

#[test]
fn microsofts_people_stand_on_microsofts_side() {
    let desk = Desk::new();
    let own = desk.created(&deal("a"));
    let microsofts = desk.created(&invitation("a", &own["engagementId"]));
    let member = TeamMember {
        first_name: "Ada".to_owned(),
        last_name: "Byron".to_owned(),
        phone: None,
        email: "ada@microsoft.example".to_owned(),
    };
    let engagement = text(&own["id"]);
    desk.it
        .microsoft(MicrosoftAct::AddTeamMember { engagement, member })
        .unwrap();
    let stored = desk.stored(&text(&microsofts["id"]));
    assert_eq!(stored["team"][0]["email"], "ada@microsoft.example");
    assert_eq!(desk.stored(&text(&own["id"]))["team"], json!([]));
}

#[test]
fn a_lead_is_classified_by_three_fields() {
    let desk = Desk::new();
    for (lead, qualification, inviter) in [
        (Lead::Marketplace, "Direct", Value::Null),
        (Lead::Marketing, "MarketingQualified", json!("msft")),
        (Lead::Sales, "SalesQualified", json!("msft")),
    ] {
        let id = desk
            .it
            .microsoft(MicrosoftAct::ShareLead(from_microsoft("lead"), lead))
            .unwrap();
        let stored = desk.stored(&id);
        assert_eq!(stored["type"], "Independent");
        assert_eq!(stored["qualification"], qualification);
        assert_eq!(stored["inviteContext"]["invitedBy"]["organizationId"], inviter);
        assert_eq!(
            (&stored["status"], &stored["direction"]),
            (&json!("New"), &json!("Incoming"))
        );
    }
    assert_eq!(desk.it.rows().len(), 3, "Microsoft has no referral of its own");
}
