//! What a Salesforce org is asked besides the description of the opportunity.

use serde_json::Value;

use super::super::profile::Profile;
use super::super::reader::{Answer, Reader, escaped};
use super::super::rows::{countries, environment};
use super::super::{Check, Outcome, Question, Trouble};
use super::{BUDGET, COUNTRY, ENVIRONMENT, OBJECTS, POSTAL, ROLE, RULES, STAGES};

/// An org that somebody is signed in to.
pub(super) struct Org {
    reader: Reader,
    data: String,
}

impl Org {
    pub(super) fn new(profile: &Profile, reader: Reader) -> Self {
        let version = profile
            .salesforce
            .as_ref()
            .map_or("60.0", |salesforce| salesforce.api_version.as_str());
        Self {
            reader,
            data: format!("/services/data/v{version}"),
        }
    }

    pub(super) fn signed_in(&self) -> &str {
        &self.reader.signed_in
    }

    pub(super) async fn get(&self, path: &str) -> Result<Answer, Trouble> {
        self.reader.get(&format!("{}{path}", self.data)).await
    }

    pub(super) fn refused(&self, path: &str, answer: &Answer) -> Trouble {
        self.reader.refused(&format!("{}{path}", self.data), answer)
    }

    pub(super) fn strange(&self, path: &str, answer: &Answer, lacking: &str) -> Trouble {
        self.reader.strange(&format!("{}{path}", self.data), answer, lacking)
    }

    async fn query(&self, soql: &str) -> Result<Vec<Value>, Trouble> {
        self.rows(&format!("/query?q={}", escaped(soql))).await
    }

    async fn rows(&self, path: &str) -> Result<Vec<Value>, Trouble> {
        let answer = self.get(path).await?;
        match answer.body["records"].as_array() {
            Some(records) => Ok(records.clone()),
            None => Err(self.refused(path, &answer)),
        }
    }

    /// Whether it is a sandbox, and ought to be.
    pub(super) async fn environment(&self, profile: &Profile) -> Check {
        let rows = match self.query("SELECT Id, Name, IsSandbox FROM Organization").await {
            Ok(rows) => rows,
            Err(trouble) => return ENVIRONMENT.not_checked_by(&trouble),
        };
        let Some(is_sandbox) = rows.first().and_then(|org| org["IsSandbox"].as_bool()) else {
            return ENVIRONMENT.not_checked("the org does not say whether it is a sandbox");
        };
        let word = if is_sandbox { "a sandbox" } else { "no sandbox" };
        let id = rows[0]["Id"].as_str().unwrap_or_default();
        let says = format!("the org {id} says that it is {word}");
        environment(ENVIRONMENT, profile.kind, !is_sandbox, self.reader.base(), &says)
    }

    /// The profile of whoever signed in (salesforce.md section 1: userinfo names them).
    pub(super) async fn role(&self) -> Check {
        let id = match self.reader.get("/services/oauth2/userinfo").await {
            Ok(answer) => answer.body["user_id"].as_str().map(str::to_owned),
            Err(trouble) => return ROLE.not_checked_by(&trouble),
        };
        let Some(id) = id.filter(|id| id.chars().all(char::is_alphanumeric)) else {
            return ROLE.not_checked("the org does not say who is signed in");
        };
        let rows = match self
            .query(&format!("SELECT Name, Profile.Name FROM User WHERE Id = '{id}'"))
            .await
        {
            Ok(rows) => rows,
            Err(trouble) => return ROLE.not_checked_by(&trouble),
        };
        match rows.first().and_then(|user| user["Profile"]["Name"].as_str()) {
            Some("System Administrator") => ROLE.passed("System Administrator"),
            Some(other) => ROLE.warning(format!("the user's profile is {other}")),
            None => ROLE.not_checked("this user may not read its own profile"),
        }
    }

    pub(super) async fn exists(&self, question: Question, object: &str) -> Check {
        match self.get(&format!("/sobjects/{object}/describe")).await {
            Ok(answer) if answer.status == 200 => question.passed(format!("{object} is there")),
            Ok(answer) if answer.status == 404 => question.failed(format!("{object} is not there")),
            Ok(answer) => question.not_checked(answer.words()),
            Err(trouble) => question.not_checked_by(&trouble),
        }
    }

    pub(super) async fn objects(&self) -> Check {
        for object in ["Microsoft_Solutions__c", "Microsoft_Solution_Detail__c"] {
            let check = self.exists(OBJECTS, object).await;
            if check.outcome != Outcome::Passed {
                return check;
            }
        }
        OBJECTS.passed("Microsoft_Solutions__c and Microsoft_Solution_Detail__c are there")
    }

    /// Both stages: known, active, open, and among the values that an opportunity may have.
    pub(super) async fn stages(&self, profile: &Profile, opportunity: &Value) -> Check {
        let rows = match self
            .query("SELECT MasterLabel, IsActive, IsClosed FROM OpportunityStage")
            .await
        {
            Ok(rows) => rows,
            Err(trouble) => return STAGES.not_checked_by(&trouble),
        };
        let team = &profile.connector;
        let wanted = [
            ("on-hold-stage", &team.on_hold_stage),
            ("active-stage", &team.active_stage),
        ];
        let faults: Vec<String> = wanted
            .into_iter()
            .filter_map(|(what, wanted)| match wanted {
                None => Some(format!(
                    "the profile names no {what}, and there is no documented default"
                )),
                Some(wanted) => stage(what, wanted, &rows, opportunity),
            })
            .collect();
        if faults.is_empty() {
            STAGES.passed(format!("both are among the {} stages", rows.len()))
        } else {
            STAGES.failed(faults.join("; "))
        }
    }

    /// The active rules of both objects, which nothing but the Tooling API tells.
    pub(super) async fn validation_rules(&self) -> Check {
        let soql = "SELECT ValidationName, ErrorMessage, EntityDefinition.QualifiedApiName FROM ValidationRule \
                    WHERE Active = true AND EntityDefinition.QualifiedApiName IN ('Opportunity', 'Account')";
        let path = format!("/tooling/query?q={}", escaped(soql));
        match self.rows(&path).await {
            Ok(rows) => judged(&rows),
            Err(trouble) => RULES.not_checked(format!("{}: {}", trouble.asked, trouble.came)),
        }
    }

    pub(super) async fn countries(&self, profile: &Profile) -> Check {
        let field = profile.connector.country_field.as_deref().unwrap_or("BillingCountry");
        match self.query(&format!("SELECT {field} FROM Account LIMIT 2000")).await {
            Ok(rows) => countries(COUNTRY, field, rows.iter().map(|row| row[field].as_str())),
            Err(trouble) => COUNTRY.failed(format!("{field} cannot be read: {}", trouble.came)),
        }
    }

    pub(super) async fn postal_codes(&self) -> Check {
        let soql = "SELECT Id FROM Account WHERE BillingPostalCode = null LIMIT 200";
        match self.query(soql).await {
            Ok(rows) if rows.is_empty() => POSTAL.passed("every account has one"),
            Ok(rows) if rows.len() == 200 => POSTAL.warning("200 accounts or more have none"),
            Ok(rows) => POSTAL.warning(format!("{} accounts have none", rows.len())),
            Err(trouble) => POSTAL.not_checked_by(&trouble),
        }
    }

    pub(super) async fn budget(&self) -> Check {
        let answer = match self.get("/limits").await {
            Ok(answer) if answer.status == 200 => answer,
            Ok(answer) => return BUDGET.not_checked(answer.words()),
            Err(trouble) => return BUDGET.not_checked_by(&trouble),
        };
        let limit = &answer.body["DailyApiRequests"];
        let (Some(most), Some(left)) = (limit["Max"].as_i64(), limit["Remaining"].as_i64()) else {
            return BUDGET.not_checked("the limits name no DailyApiRequests");
        };
        calls_left(left, most)
    }
}

/// A budget of which less than a tenth is left is worth a look.
fn calls_left(left: i64, most: i64) -> Check {
    let seen = format!("{left} of {most} calls are left");
    match left.saturating_mul(10) {
        ..=0 => BUDGET.failed(seen),
        tenths if tenths < most => BUDGET.warning(seen),
        _ => BUDGET.passed(seen),
    }
}

/// What is wrong with a stage.
fn stage(what: &str, wanted: &str, rows: &[Value], opportunity: &Value) -> Option<String> {
    let names = rows.iter().filter_map(|row| row["MasterLabel"].as_str());
    let fields = opportunity["fields"].as_array().into_iter().flatten();
    let values = fields
        .filter(|field| field["name"] == "StageName")
        .filter_map(|field| field["picklistValues"].as_array())
        .flatten();
    let mut offered = values
        .filter(|value| value["active"] != false)
        .filter_map(|value| value["value"].as_str());
    match rows.iter().find(|row| row["MasterLabel"] == wanted) {
        None => {
            let near = crate::diagnostic::nearest(wanted, names);
            let near = near.map_or_else(String::new, |near| format!("; did you mean {near:?}?"));
            Some(format!("there is no stage {wanted:?} for {what}{near}"))
        }
        Some(row) if row["IsActive"] != true => Some(format!("the stage {wanted:?} of {what} is not active")),
        Some(row) if row["IsClosed"] == true => Some(format!("the stage {wanted:?} of {what} is closed")),
        Some(_) if !offered.any(|value| value == wanted) => Some(format!(
            "the stage {wanted:?} of {what} is not in the pipeline: no opportunity of this user may have it"
        )),
        Some(_) => None,
    }
}

/// Rules as the Tooling API lists them: none is fine, and nobody but a person can read the others.
fn judged(rows: &[Value]) -> Check {
    if rows.is_empty() {
        return RULES.passed("there is none");
    }
    let word = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    let told: Vec<String> = rows
        .iter()
        .take(10)
        .map(|rule| {
            let of = word(&rule["EntityDefinition"]["QualifiedApiName"]);
            format!(
                "{of}.{} ({:?})",
                word(&rule["ValidationName"]),
                word(&rule["ErrorMessage"])
            )
        })
        .collect();
    RULES.warning(format!("{} are active: {}", rows.len(), told.join(", ")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn active_validation_rules_are_named_with_their_message() {
        assert_eq!(judged(&[]).outcome, Outcome::Passed);
        let rule = json!({
            "ValidationName": "Close_date_in_quarter", "ErrorMessage": "Not this quarter",
            "EntityDefinition": {"QualifiedApiName": "Opportunity"},
        });
        let check = judged(&[rule]);
        assert_eq!(check.outcome, Outcome::Warning);
        assert!(
            check
                .seen
                .contains("Opportunity.Close_date_in_quarter (\"Not this quarter\")"),
            "{}",
            check.seen
        );
    }

    #[test]
    fn a_budget_that_runs_out_is_told() {
        assert_eq!(calls_left(0, 100).outcome, Outcome::Failed);
        assert_eq!(calls_left(9, 100).outcome, Outcome::Warning);
        assert_eq!(calls_left(10, 100).outcome, Outcome::Passed);
    }

    #[test]
    fn a_stage_must_be_known_active_open_and_offered() {
        let row = |name: &str, active: bool, closed: bool| json!({"MasterLabel": name, "IsActive": active, "IsClosed": closed});
        let rows = [
            row("Open", true, false),
            row("Off", false, false),
            row("Won", true, true),
            row("Apart", true, false),
        ];
        let values = [
            json!({"value": "Open", "active": true}),
            json!({"value": "Apart", "active": false}),
        ];
        let opportunity = json!({"fields": [{"name": "StageName", "picklistValues": values}]});
        let told = |wanted| stage("active-stage", wanted, &rows, &opportunity).unwrap_or_default();
        assert_eq!(told("Open"), "");
        for (wanted, part) in [
            ("Opem", "did you mean \"Open\""),
            ("Off", "not active"),
            ("Won", "is closed"),
            ("Apart", "not in the pipeline"),
        ] {
            assert!(told(wanted).contains(part), "{wanted}: {}", told(wanted));
        }
    }
}
