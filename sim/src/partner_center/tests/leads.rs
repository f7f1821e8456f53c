//! Leads: how they are told apart, what they become, and the two switches about them.

use super::*;

fn lead_of(desk: &Desk, from: Lead) -> String {
    let mut deal = from_microsoft("lead");
    deal.solutions.clear();
    desk.it.microsoft(MicrosoftAct::ShareLead(deal, from)).unwrap()
}

fn accepted(desk: &Desk, id: &str) {
    let accept = json!([
        {"op": "replace", "path": "/status", "value": "Active"},
        {"op": "replace", "path": "/substatus", "value": "Accepted"},
    ]);
    assert_eq!(desk.patch(id, &accept).status, 204);
}

#[test]
fn a_lead_becomes_a_co_sell_deal_with_what_such_a_deal_needs() {
    let desk = Desk::new();
    let id = lead_of(&desk, Lead::Marketing);
    accepted(&desk, &id);
    let invite = || {
        let engagement = desk.stored(&id)["engagementId"].clone();
        desk.post(&invitation("lead", &engagement)).status.as_u16()
    };
    assert_eq!(invite(), 400, "nobody at Microsoft may see it yet");
    let help = json!({"inviteContext": {"assistanceRequestCode": "WorkloadSpecificValueProposition"}});
    let ask = || desk.write(Method::PUT, &one(&id), &[("if-match", "*")], &help);
    assert_eq!(ask().error()["message"], "Solution ID is required");
    let consent = "/consent/consentToShareReferralWithMicrosoftSellers";
    let share = json!({"op": "replace", "path": consent, "value": true});
    let solution = json!({"op": "add", "path": "/details/requirements/solutions/-", "value": {"id": "SOL-1"}});
    assert_eq!(desk.patch(&id, &json!([share, solution])).status, 204);
    assert_eq!(ask().status, 200);
    assert_eq!(invite(), 200);
    let stored = desk.stored(&id);
    assert_eq!(
        stored["inviteContext"]["assistanceRequestCode"],
        "WorkloadSpecificValueProposition"
    );
    let back = desk.patch(&id, &json!([{"op": "replace", "path": consent, "value": false}]));
    assert_eq!(back.status, 400, "it never goes back");
    assert_eq!(desk.it.rows().len(), 2);
}

#[test]
fn marketplace_leads_can_be_hidden_from_the_api_and_others_cannot() {
    let desk = Desk::with(Settings {
        marketplace_leads_are_hidden: true,
        ..Settings::default()
    });
    let (hidden, seen) = (lead_of(&desk, Lead::Marketplace), lead_of(&desk, Lead::Sales));
    let list = desk.get(&format!("{REFERRALS}?$count=true")).json();
    assert_eq!(
        (&list["@odata.count"], &list["value"][0]["id"]),
        (&json!(1), &json!(seen))
    );
    assert_eq!(desk.get(&one(&hidden)).status, 404);
    assert_eq!(desk.patch(&hidden, &json!([])).status, 404);
    assert_eq!(desk.get(&one(&seen)).status, 200);
    assert_eq!(desk.it.rows().len(), 2, "it is there, for whoever looks behind the API");
    let open = Desk::new();
    let id = lead_of(&open, Lead::Marketplace);
    assert_eq!(open.get(&one(&id)).status, 200);
}

#[test]
fn a_lead_can_be_held_to_its_stages_before_it_is_won_and_a_deal_is_not() {
    let desk = Desk::with(Settings {
        lead_stages_gate_won: true,
        ..Settings::default()
    });
    let won = json!([
        {"op": "replace", "path": "/status", "value": "Closed"},
        {"op": "replace", "path": "/substatus", "value": "Won"},
    ]);
    let id = lead_of(&desk, Lead::Sales);
    accepted(&desk, &id);
    for (stage, status) in [(None, 400), (Some("20"), 400), (Some("40"), 204)] {
        if let Some(stage) = stage {
            desk.replace(&id, "/salesStage", stage);
        }
        let answer = desk.patch(&id, &won);
        assert_eq!(answer.status.as_u16(), status, "{stage:?} {}", answer.text);
        if status == 400 {
            assert_eq!(answer.error()["target"], "salesStage");
        }
    }
    let deal = text(&desk.created(&deal("One"))["id"]);
    assert_eq!(desk.patch(&deal, &won).status, 204);
    let open = Desk::new();
    let id = lead_of(&open, Lead::Sales);
    assert_eq!(
        open.patch(&id, &won).status,
        204,
        "without the switch the table alone decides"
    );
}
