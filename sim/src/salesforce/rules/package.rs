//! Rules that Microsoft's package brings: solution counts and validation rules (salesforce.md section 6).
//!
//! The package's fields stand in a table, not here.

use super::Draft;
use crate::salesforce::author::Author;
use crate::salesforce::cell::Cell;
use crate::salesforce::error::{Complaint, Problem};
use crate::salesforce::id::Id;
use crate::salesforce::state::State;

/// The object whose rows are counted.
pub(crate) const SOLUTIONS: &str = "Microsoft_Solutions__c";

/// The automatic name of a solution line, `{MM}{DD}{YY}-{0}`: the day and a running number.
pub(crate) fn number_line(draft: &mut Draft<'_>, state: &State, author: &Author) {
    let day = jiff::Timestamp::from_second(author.second).unwrap_or_default();
    let date = jiff::tz::Offset::UTC.to_datetime(day).date();
    let number = state.tables[state.object(SOLUTIONS)].rows().len() + 1;
    let name = format!(
        "{:02}{:02}{:02}-{number}",
        date.month(),
        date.day(),
        date.year().rem_euclid(100)
    );
    draft.set("Name", Cell::text(&name));
}

/// What the package's trigger does after a solution line was inserted or deleted: it counts the lines of the opportunity
/// again, and with none left it switches the sync off.
///
/// Assumed: the trigger writes the opportunity even when the count stays, so its times move each time.
pub(crate) fn recount_solutions(state: &mut State, author: &Author, opportunity: Id) {
    let (opportunities, lines) = (state.object("Opportunity"), state.object(SOLUTIONS));
    let Some(parent) = state.org.objects[lines].field("Opportunity__c") else {
        return;
    };
    let Some(place) = state.tables[opportunities].find(opportunity) else {
        return;
    };
    let key = Cell::Id(opportunity).key();
    let count = key.map_or(0, |key| {
        let table = &state.tables[lines];
        table
            .equal(parent, &key)
            .filter(|&line| !table.row(line).deleted)
            .count()
    });
    let shape = &state.org.objects[opportunities];
    let mut cells = state.tables[opportunities].row(place).cells.clone();
    if let Some(field) = shape.field("Solution_Count__c") {
        cells[field] = Cell::Number(u32::try_from(count).map_or(0.0, f64::from));
    }
    if let Some(field) = shape.field("Sync_With_Partner_Center__c").filter(|_| count == 0) {
        cells[field] = Cell::Bool(false);
    }
    state.replace(&author.as_system(), opportunities, place, cells);
}

/// One validation rule: when it speaks, what it says, and at which field.
struct Rule {
    broken: fn(&Draft<'_>) -> bool,
    text: &'static str,
    field: Option<&'static str>,
}

/// The texts are exact. Assumed: that the `is Required` rules ask only while the sync is on, and at which field they stand.
const RULES: [Rule; 7] = [
    Rule {
        broken: |draft| {
            syncs(draft) && is_ip(draft) && draft.get("Solution_Count__c").as_number().unwrap_or(0.0) == 0.0
        },
        text: "Please add at least one Solution/Product (1P/3P/Your own company product) before syncing.",
        field: Some("Sync_With_Partner_Center__c"),
    },
    Rule {
        broken: |draft| {
            let by_the_sync = draft.changes("Referral_Link__c") || draft.changes("Referral_Identifier__c");
            draft.before.is_some() && draft.changes("Co_sell_Type__c") && !by_the_sync
        },
        text: "Co-sell type cannot be updated after creation.",
        field: Some("Co_sell_Type__c"),
    },
    Rule {
        broken: |draft| syncs(draft) && *draft.get("Co_sell_Type__c") == Cell::Null,
        text: "Co-sell Type is Required.",
        field: Some("Co_sell_Type__c"),
    },
    Rule {
        broken: |draft| syncs(draft) && is_ip(draft) && *draft.get("Customer_purchase_intent__c") == Cell::Null,
        text: "Customer purchase intent is Required.",
        field: Some("Customer_purchase_intent__c"),
    },
    Rule {
        broken: |draft| syncs(draft) && is_services(draft) && *draft.get("Partner_Role__c") == Cell::Null,
        text: "Partner Role is Required.",
        field: Some("Partner_Role__c"),
    },
    Rule {
        broken: |draft| syncs(draft) && *draft.get("Solution_Area__c") == Cell::Null,
        text: "Solution Area is Required.",
        field: Some("Solution_Area__c"),
    },
    Rule {
        broken: |draft| syncs(draft) && *draft.get("Solution_Play__c") == Cell::Null,
        text: "Solution Play is Required.",
        field: Some("Solution_Play__c"),
    },
];

/// Every rule that a draft of an opportunity breaks, all at once.
pub(crate) fn validate(draft: &Draft<'_>) -> Result<(), Problem> {
    let broken = RULES.iter().filter(|rule| (rule.broken)(draft));
    let complaints: Vec<Complaint> = broken
        .map(|rule| Complaint::new("FIELD_CUSTOM_VALIDATION_EXCEPTION", rule.text, rule.field.as_slice()))
        .collect();
    if complaints.is_empty() {
        Ok(())
    } else {
        Err(Problem::writes(complaints))
    }
}

fn syncs(draft: &Draft<'_>) -> bool {
    draft.get("Sync_With_Partner_Center__c").is_true()
}

fn is_ip(draft: &Draft<'_>) -> bool {
    draft.get("Co_sell_Type__c").as_text() == Some("IP Co-sell")
}

fn is_services(draft: &Draft<'_>) -> bool {
    draft.get("Co_sell_Type__c").as_text() == Some("Services Co-sell")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::salesforce::Settings;
    use crate::salesforce::trial::Trial;

    fn line(trial: &Trial, deal: &str, solution: &str) -> String {
        let body = json!({"Opportunity__c": deal, "Solution__c": solution, "Quantity__c": 1, "Price__c": 10});
        trial.create("Microsoft_Solutions__c", &body)
    }

    fn solution(trial: &Trial) -> String {
        let body = json!({"Name": "Dynamics", "Solution_Identifier__c": "s-1", "Type__c": "1P"});
        trial.create("Microsoft_Solution_Detail__c", &body)
    }

    #[test]
    fn each_solution_line_is_counted_and_the_last_delete_switches_the_sync_off() {
        let trial = Trial::new();
        let deal = trial.deal("x", &json!({"Sync_With_Partner_Center__c": true}));
        let solution = solution(&trial);
        trial.wait(10);
        let lines = [line(&trial, &deal, &solution), line(&trial, &deal, &solution)];
        let read = |field: &str| trial.read("Opportunity", &deal)[field].clone();
        assert_eq!(read("Solution_Count__c"), json!(2.0));
        assert_eq!(read("SystemModstamp"), "2026-01-05T09:00:10.000+0000");
        assert_eq!(trial.read("Microsoft_Solutions__c", &lines[1])["Name"], "010526-2");
        trial.delete("Microsoft_Solutions__c", &lines[0]);
        assert_eq!(
            (read("Solution_Count__c"), read("Sync_With_Partner_Center__c")),
            (json!(1.0), json!(true))
        );
        trial.commits();
        trial.delete("Microsoft_Solutions__c", &lines[1]);
        assert_eq!(
            (read("Solution_Count__c"), read("Sync_With_Partner_Center__c")),
            (json!(0.0), json!(false))
        );
        let actors: Vec<_> = trial
            .commits()
            .into_iter()
            .map(|commit| (commit.table, commit.actor))
            .collect();
        let expected = [("Microsoft_Solutions__c", "connector"), ("Opportunity", "system")];
        assert_eq!(
            actors,
            expected.map(|(table, actor)| (table.to_owned(), actor.to_owned()))
        );
    }

    #[test]
    fn deletes_follow_references() {
        let trial = Trial::new();
        let account = trial.create("Account", &json!({"Name": "Fabrikam"}));
        let deal = trial.deal("x", &json!({"AccountId": account}));
        let solution = solution(&trial);
        line(&trial, &deal, &solution);
        let refused = trial.delete("Microsoft_Solution_Detail__c", &solution);
        assert_eq!(refused.fault(), (400, "DELETE_FAILED".to_owned()));
        trial.commits();
        assert_eq!(trial.delete("Opportunity", &deal).status, 204);
        assert_eq!(trial.commits().len(), 2);
        assert_eq!(trial.delete("Microsoft_Solution_Detail__c", &solution).status, 204);
        assert_eq!(trial.delete("Account", &account).status, 204);
        assert!(trial.org.rows().is_empty());
    }

    #[test]
    fn validation_rules_speak_all_at_once_and_only_when_switched_on() {
        let body = json!({"Sync_With_Partner_Center__c": true, "Solution_Area__c": null});
        Trial::new().deal("silent", &body);
        let trial = Trial::with(Settings {
            validation_rules: true,
            ..Settings::default()
        });
        let deal = trial.deal("x", &json!({}));
        let reply = trial.patch("Opportunity", &deal, &body);
        assert_eq!(reply.fault(), (400, "FIELD_CUSTOM_VALIDATION_EXCEPTION".to_owned()));
        let messages: Vec<Value> = reply
            .json()
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["message"].clone())
            .collect();
        assert_eq!(messages.len(), 4, "{messages:?}");
        let reply = trial.patch("Opportunity", &deal, &json!({"Co_sell_Type__c": "Services Co-sell"}));
        assert_eq!(reply.message(), "Co-sell type cannot be updated after creation.");
        let by_the_sync = json!({"Co_sell_Type__c": "Services Co-sell", "Referral_Identifier__c": "r"});
        assert_eq!(trial.patch("Opportunity", &deal, &by_the_sync).status, 204);
    }

    #[test]
    fn an_org_without_the_package_knows_none_of_it() {
        let mut settings = Settings::default();
        settings.schema.package_installed = false;
        let trial = Trial::with(settings);
        let deal = trial.deal("x", &json!({}));
        let reply = trial.patch("Opportunity", &deal, &json!({"Sync_With_Partner_Center__c": true}));
        assert_eq!(
            reply.message(),
            "No such column 'Sync_With_Partner_Center__c' on sobject of type Opportunity"
        );
        assert_eq!(
            trial
                .get("/sobjects/Microsoft_Solutions__c/a01000000000001AAA")
                .fault()
                .0,
            404
        );
    }

    #[test]
    fn an_opportunity_has_one_primary_contact() {
        let trial = Trial::new();
        let contact = |name: &str| trial.create("Contact", &json!({"LastName": name, "FirstName": "Ann"}));
        let (one, two) = (contact("One"), contact("Two"));
        assert_eq!(trial.read("Contact", &one)["Name"], "Ann One");
        let deal = trial.deal("x", &json!({"ContactId": one}));
        let role = json!({"OpportunityId": deal, "ContactId": two, "Role": "Decision Maker", "IsPrimary": true});
        trial.create("OpportunityContactRole", &role);
        let soql = format!("SELECT Contact.Name, IsPrimary FROM OpportunityContactRole WHERE OpportunityId = '{deal}'");
        let found = trial.query(&soql).json();
        let primary = |row: usize| {
            (
                found["records"][row]["Contact"]["Name"].clone(),
                found["records"][row]["IsPrimary"].clone(),
            )
        };
        assert_eq!(primary(0), (json!("Ann One"), json!(false)));
        assert_eq!(primary(1), (json!("Ann Two"), json!(true)));
        let bad = trial.patch(
            "OpportunityContactRole",
            found["records"][0]["attributes"]["url"]
                .as_str()
                .unwrap()
                .rsplit('/')
                .next()
                .unwrap(),
            &json!({"OpportunityId": deal}),
        );
        assert_eq!(bad.fault().1, "INVALID_FIELD_FOR_INSERT_UPDATE");
    }
}
