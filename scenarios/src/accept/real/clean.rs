//! Cleaning up: what a check made is deleted, what Partner Center does not delete is closed, and what is left is told.

use bytes::Bytes;
use cosell_sim::site::Site;
use http::Request;
use serde_json::{Value, json};

use super::line::{Line, Made};
use super::look;
use crate::hands::{Screen, partner_center};
use crate::scenario::Crm;
use crate::scenario::act::Outcome;

/// Rows that many checks use: they are deleted when all checks are over.
const SHARED: [&str; 1] = ["Microsoft_Solution_Detail__c"];

/// What cleaning up came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// What is still there, and why.
    pub left: Vec<String>,
    /// How many records were deleted.
    pub deleted: usize,
    /// How many referrals were closed.
    pub closed: usize,
}

impl Cleaned {
    /// As a sentence.
    pub fn words(&self) -> String {
        format!(
            "cleaned up: {} records deleted, {} referrals closed (Partner Center deletes none)",
            self.deleted, self.closed
        )
    }
}

/// Takes back what a check made. Rows that others may use are handed back.
pub(super) fn check(
    line: &mut Line<'_>,
    crm: Crm,
    opportunities: &[String],
    referrals: &[String],
) -> (Cleaned, Vec<Made>) {
    let mut cleaned = Cleaned::default();
    for id in opportunities {
        no_sync(line, crm, id);
    }
    let mut referrals = referrals.to_vec();
    // One that was made in the meantime names its opportunity, which may not name it yet.
    let found = look::recent(line, &mut |row| {
        let named = row["externalReferenceId"].as_str().unwrap_or_default();
        if opportunities.iter().any(|id| id == named) {
            referrals.extend(row["id"].as_str().map(str::to_owned));
        }
    });
    if let Err(why) = found {
        cleaned.left.push(format!("perhaps a referral: {why}"));
    }
    referrals.sort();
    referrals.dedup();
    for id in &referrals {
        close(line, id, &mut cleaned);
    }
    let (shared, own): (Vec<Made>, Vec<Made>) = std::mem::take(&mut line.made)
        .into_iter()
        .partition(|made| SHARED.contains(&made.table.as_str()));
    for made in own.iter().rev() {
        delete(line, made, &mut cleaned);
    }
    (cleaned, shared)
}

/// The connector is to leave the deal alone from here on; one that is closed cannot be written, and need not be.
fn no_sync(line: &mut Line<'_>, crm: Crm, opportunity: &str) {
    let base = line.ground().bases.of(crm.site());
    let (url, body) = match crm {
        Crm::Salesforce => (
            format!("{base}/services/data/v60.0/sobjects/Opportunity/{opportunity}"),
            json!({"Sync_With_Partner_Center__c": false}),
        ),
        Crm::Dynamics => (
            format!("{base}/api/data/v9.2/opportunities({opportunity})"),
            json!({"msft_microsoftpartnercenterreferralsync": false}),
        ),
    };
    let request = Request::patch(url)
        .header("Content-Type", "application/json")
        .header("If-Match", "*")
        .body(Bytes::from(body.to_string()));
    if let Ok(request) = request {
        // Whether it could be written shows when the record is deleted.
        drop(line.ask("seller", request));
    }
}

/// Closes a referral that is open.
pub(super) fn close(line: &mut Line<'_>, id: &str, cleaned: &mut Cleaned) {
    let status = match look::referral(line, id) {
        Ok(Some(fields)) => fields
            .get("status")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        Ok(None) => return,
        Err(why) => return cleaned.left.push(format!("referral {id}: {why}")),
    };
    let done = match status.as_str() {
        "Closed" => Ok(()),
        "New" => partner_center::decline(line, id, Some("acceptance test")),
        _ => partner_center::close(line, id, Outcome::Lost, Some("acceptance test")),
    };
    match done {
        Ok(()) => cleaned.closed += 1,
        Err(refused) => cleaned.left.push(format!("referral {id} is open: {refused}")),
    }
}

/// Deletes a record; one that is gone is as good.
pub(super) fn delete(line: &mut Line<'_>, made: &Made, cleaned: &mut Cleaned) {
    let answer = Request::delete(&made.url)
        .body(Bytes::new())
        .map_err(|error| error.to_string())
        .and_then(|request| line.send(false, &request));
    match answer {
        Ok(answer) if answer.status < 300 || answer.status == 404 => cleaned.deleted += 1,
        Ok(answer) => cleaned
            .left
            .push(format!("{} {}: {}", made.table, made.id, answer.words())),
        Err(why) => cleaned.left.push(format!("{} {}: {why}", made.table, made.id)),
    }
}

/// Finds every record whose name holds those words, and takes it back.
pub(super) fn sweep(line: &mut Line<'_>, crm: Crm, words: &str, cleaned: &mut Cleaned) {
    let mut open = Vec::new();
    let found = look::recent(line, &mut |row| {
        let ours = row["name"].as_str().is_some_and(|name| name.contains(words));
        if ours && row["status"] != "Closed" {
            open.extend(row["id"].as_str().map(str::to_owned));
        }
    });
    if let Err(why) = found {
        cleaned.left.push(format!("perhaps referrals: {why}"));
    }
    for (table, key, name) in tables(crm) {
        match rows(line, crm, table, key, name, words) {
            Ok(rows) => {
                for made in &rows {
                    if made.table == "Opportunity" || made.table == "opportunities" {
                        no_sync(line, crm, &made.id);
                    }
                    delete(line, made, cleaned);
                }
            }
            Err(why) => cleaned.left.push(format!("perhaps rows of {table}: {why}")),
        }
    }
    for id in &open {
        close(line, id, cleaned);
    }
}

/// The tables that a check writes names into: each with its key and the column of the name.
fn tables(crm: Crm) -> [(&'static str, &'static str, &'static str); 3] {
    match crm {
        Crm::Salesforce => [
            ("Opportunity", "Id", "Name"),
            ("Contact", "Id", "LastName"),
            ("Account", "Id", "Name"),
        ],
        Crm::Dynamics => [
            ("opportunities", "opportunityid", "name"),
            ("contacts", "contactid", "lastname"),
            ("accounts", "accountid", "name"),
        ],
    }
}

fn rows(line: &mut Line<'_>, crm: Crm, table: &str, key: &str, name: &str, words: &str) -> Result<Vec<Made>, String> {
    let escaped = crate::preflight::reader::escaped;
    let (site, path, list) = match crm {
        Crm::Salesforce => {
            let soql = format!("SELECT Id FROM {table} WHERE {name} LIKE '%{words}%' LIMIT 2000");
            (
                Site::Salesforce,
                format!("/services/data/v60.0/query?q={}", escaped(&soql)),
                "records",
            )
        }
        Crm::Dynamics => {
            let filter = escaped(&format!("contains({name},'{words}')"));
            (
                Site::Dataverse,
                format!("/api/data/v9.2/{table}?$select={key}&$filter={filter}"),
                "value",
            )
        }
    };
    let answer = line.get(site, &path)?;
    let Some(rows) = answer.body[list].as_array() else {
        return Err(answer.words());
    };
    let base = line.ground().bases.of(site);
    let made = |row: &Value| {
        let id = row[key].as_str()?.to_owned();
        let url = match crm {
            Crm::Salesforce => format!("{base}/services/data/v60.0/sobjects/{table}/{id}"),
            Crm::Dynamics => format!("{base}/api/data/v9.2/{table}({id})"),
        };
        Some(Made {
            table: table.to_owned(),
            id,
            url,
        })
    };
    Ok(rows.iter().filter_map(made).collect())
}
