//! What both sides show of the deals of a check: records read over the vendors' APIs, told as commits of whatever changed.

use std::collections::{BTreeMap, BTreeSet};

use cosell_sim::happening::{Change, Commit, CommitKind, Row};
use cosell_sim::site::Site;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::line::Line;
use crate::scenario::Crm;

/// What each write changes besides its fields.
const STAMPS: [&str; 13] = [
    "/updatedDateTime",
    "/eTag",
    "SystemModstamp",
    "LastModifiedDate",
    "LastModifiedById",
    "LastViewedDate",
    "LastReferencedDate",
    "attributes",
    "modifiedon",
    "versionnumber",
    "_modifiedby_value",
    "@odata.etag",
    "@odata.context",
];

/// Pages of referrals that are looked through for one that nobody names.
const PAGES: usize = 5;

/// The records of a check as they were when they were last read.
#[derive(Debug, Default)]
pub(super) struct Looked {
    rows: BTreeMap<(Site, String), BTreeMap<String, Value>>,
    /// Referrals that belong to opportunities of the check.
    pub(super) referrals: BTreeSet<String>,
}

/// A record as it was read; none when it is gone.
type Read = Option<Map<String, Value>>;

impl Looked {
    /// Reads each opportunity and its referral, and tells what is new.
    pub(super) fn look(
        &mut self,
        line: &mut Line<'_>,
        crm: Crm,
        opportunities: &[String],
    ) -> Result<Vec<Commit>, String> {
        let mut commits = Vec::new();
        for id in opportunities {
            let Some(read) = opportunity(line, crm, id)? else {
                commits.extend(self.gone(crm.site(), crm.opportunities(), id));
                continue;
            };
            let named = read
                .get(identifier(crm))
                .and_then(Value::as_str)
                .filter(|id| !id.is_empty());
            let named = named.map(str::to_owned);
            commits.extend(self.seen(crm.site(), crm.opportunities(), id, flat(&read, "", false)));
            match named {
                Some(referral) => drop(self.referrals.insert(referral)),
                None => self.referrals.extend(unnamed(line, id)?),
            }
        }
        for id in self.referrals.clone() {
            if let Some(read) = referral(line, &id)? {
                commits.extend(self.seen(Site::PartnerCenter, "referral", &id, flat(&read, "", true)));
            }
        }
        Ok(commits)
    }

    fn seen(&mut self, site: Site, table: &str, id: &str, fields: BTreeMap<String, Value>) -> Option<Commit> {
        let key = (site, id.to_owned());
        let old = self.rows.get(&key);
        let kind = if old.is_some() {
            CommitKind::Updated
        } else {
            CommitKind::Created
        };
        let before = |field: &str| old.and_then(|old| old.get(field)).cloned().unwrap_or_default();
        let mut names: BTreeSet<&String> = fields.keys().collect();
        names.extend(old.into_iter().flat_map(BTreeMap::keys));
        let changes: Vec<Change> = names
            .into_iter()
            .filter(|field| !STAMPS.contains(&field.as_str()))
            .map(|field| Change {
                field: field.clone(),
                before: before(field),
                after: fields.get(field).cloned().unwrap_or_default(),
            })
            .filter(|change| change.before != change.after)
            .collect();
        self.rows.insert(key, fields);
        (!changes.is_empty()).then(|| commit(site, table, id, kind, changes))
    }

    fn gone(&mut self, site: Site, table: &str, id: &str) -> Option<Commit> {
        self.rows.remove(&(site, id.to_owned()))?;
        Some(commit(site, table, id, CommitKind::Deleted, Vec::new()))
    }
}

fn commit(site: Site, table: &str, id: &str, kind: CommitKind, changes: Vec<Change>) -> Commit {
    Commit {
        site,
        table: table.to_owned(),
        id: id.to_owned(),
        kind,
        actor: String::new(),
        at: Timestamp::UNIX_EPOCH,
        changes,
    }
}

fn identifier(crm: Crm) -> &'static str {
    match crm {
        Crm::Salesforce => "Referral_Identifier__c",
        Crm::Dynamics => "msft_microsoftpartnercenterreferralidentifier",
    }
}

fn opportunity(line: &mut Line<'_>, crm: Crm, id: &str) -> Result<Read, String> {
    let path = match crm {
        Crm::Salesforce => format!("/services/data/v60.0/sobjects/Opportunity/{id}"),
        Crm::Dynamics => format!("/api/data/v9.2/opportunities({id})"),
    };
    record(line, crm.site(), &path)
}

/// One referral as it is.
pub(super) fn referral(line: &mut Line<'_>, id: &str) -> Result<Read, String> {
    record(line, Site::PartnerCenter, &format!("/v1.0/engagements/referrals/{id}"))
}

fn record(line: &mut Line<'_>, site: Site, path: &str) -> Result<Read, String> {
    let answer = line.get(site, path)?;
    match (answer.status, answer.body) {
        (404, _) => Ok(None),
        (200, Value::Object(fields)) => Ok(Some(fields)),
        (status, body) => Err(format!("{path} answered {status}: {body}")),
    }
}

/// Referrals that name an opportunity which does not name them.
fn unnamed(line: &mut Line<'_>, opportunity: &str) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    recent(line, &mut |row| {
        if row["externalReferenceId"] == opportunity {
            found.extend(row["id"].as_str().map(str::to_owned));
        }
    })?;
    Ok(found)
}

/// Goes through the newest referrals, newest first.
pub(super) fn recent(line: &mut Line<'_>, each: &mut dyn FnMut(&Value)) -> Result<(), String> {
    let mut path = "/v1.0/engagements/referrals?$orderby=createdDateTime%20desc".to_owned();
    for _ in 0..PAGES {
        let answer = line.get(Site::PartnerCenter, &path)?;
        if answer.status != 200 {
            return Err(format!("the list of referrals answered {}", answer.words()));
        }
        answer.body["value"]
            .as_array()
            .into_iter()
            .flatten()
            .for_each(&mut *each);
        let next = answer.body["@odata.nextLink"].as_str().unwrap_or_default();
        let Some(at) = next.find("/v1.0/") else { break };
        next[at..].clone_into(&mut path);
    }
    Ok(())
}

/// What a new environment holds and commits do not tell: the currencies of Dataverse.
pub(super) fn currencies(line: &mut Line<'_>, crm: Crm) -> Result<Vec<Row>, String> {
    if crm == Crm::Salesforce {
        return Ok(Vec::new());
    }
    let answer = line.get(
        Site::Dataverse,
        "/api/data/v9.2/transactioncurrencies?$select=isocurrencycode",
    )?;
    let Some(rows) = answer.body["value"].as_array() else {
        return Err(format!("the currencies answered {}", answer.words()));
    };
    let row = |row: &Value| {
        Some(Row {
            site: Site::Dataverse,
            table: "transactioncurrency".to_owned(),
            id: row["transactioncurrencyid"].as_str()?.to_owned(),
            fields: row.as_object()?.clone(),
        })
    };
    Ok(rows.iter().filter_map(row).collect())
}

/// Fields by their names; for Partner Center by JSON pointers, leaf by leaf.
fn flat(fields: &Map<String, Value>, path: &str, pointers: bool) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for (key, value) in fields {
        let field = if pointers { format!("{path}/{key}") } else { key.clone() };
        match value.as_object().filter(|_| pointers) {
            Some(inner) => all.extend(flat(inner, &field, pointers)),
            None if value.is_null() => {}
            None => drop(all.insert(field, value.clone())),
        }
    }
    all
}
