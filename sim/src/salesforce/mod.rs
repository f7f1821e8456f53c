//! One simulated Salesforce org: sObjects, SOQL, the co-sell package's fields and Apex effects (salesforce.md).
//!
//! It is thin on purpose: records, queries and sign-in. Everything else is refused by name with 501.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use http::StatusCode;

use crate::ground::Ground;
use crate::happening::Row;
use crate::reply::{Patience, Said};
use crate::site::Site;

/// Record identifiers and their checksum.
mod id;
/// Switches, stages, currencies.
mod settings;
/// The types of fields.
mod kind;
/// What an object is: fields, flags.
mod model;
/// Countries and states.
mod places;
/// Which objects an org has.
mod org;
/// One stored value.
mod cell;
/// Refusals in the vendor's words.
mod error;
/// Refusals for faults.
mod faults;
/// Query strings and form bodies.
mod form;
/// Rows and indexes of one object.
mod store;
/// What one request has written so far.
mod transaction;
/// SOQL.
mod soql;
/// Query cursors.
mod cursor;
/// Jobs of the Bulk API.
mod job;
/// Codes, tokens, sign-in by SOAP.
mod oauth;
/// Events and their subscribers.
mod feed;
/// Who writes, and what they ask.
mod author;
/// What each delete took along.
mod bin;
/// Records that a write still holds.
mod locks;
/// All that an org remembers.
mod state;
/// The rows of a new org.
mod people;
/// Rows that a query's plan finds.
mod find;
/// Rows as JSON.
mod print;
/// Bodies of writes.
mod input;
/// Notes and the documents that they are.
mod notes;
/// What a record must satisfy, and what the org fills in.
mod rules;
/// Parents named by an external identifier.
mod foreign;
/// Create, update.
mod write;
/// Delete, and what comes back.
mod fall;
/// The whole org as rows, stored again.
mod load;
/// A call by somebody who is signed in.
mod visit;
/// Preconditions: times and tags.
mod condition;
/// What was looked at or written last.
mod recent;
/// What objects and fields can do, for clients that ask first.
mod describe;
/// The budgets of an org.
mod limits;
/// Which records changed or went in a span of time.
mod replication;
/// Leads become accounts, contacts and opportunities.
mod convert;
/// Records that come back, over SOAP.
mod undelete;
/// Records over HTTP.
mod records;
/// Records named by an external identifier.
mod upsert;
/// Queries over HTTP.
mod queries;
/// Requests made of parts.
mod composite;
/// The Bulk API 2.0.
mod bulk;
/// The Streaming API.
mod stream;
/// What is refused, by its name.
mod beyond;
/// From a request to an answer.
mod routes;

/// What the tests share.
#[cfg(test)]
mod trial;
#[cfg(test)]
mod tests_of_errors;

pub use faults::{fault, fault_codes};
pub use settings::{
    AssignmentRule, CustomField, CustomKind, CustomObject, DuplicateRule, RecordType, Schema, Settings, Stage,
};

use state::State;

/// The largest body, in bytes.
const MAX_BODY: usize = 1 << 20;

/// One org. Clones share its rows.
#[derive(Clone, Debug)]
pub struct Salesforce(Arc<Mutex<State>>);

impl Salesforce {
    /// A new org without records, set up as the settings say.
    pub fn new(settings: Settings, ground: &Ground) -> Self {
        Self(Arc::new(Mutex::new(State::new(settings, ground))))
    }

    /// Answers every path of the org's host, its login host included. Handlers wait for nothing but the body.
    pub fn router(&self) -> Router {
        let org = self.clone();
        Router::new().fallback(move |request: Request| {
            let org = org.clone();
            async move { org.answer(request).await }
        })
    }

    /// Every stored record, ordered by object and identifier, under API names and with system fields. Without the recycle bin
    /// and without the set-up (people, stages, the organization itself).
    pub fn rows(&self) -> Vec<Row> {
        let state = self.lock();
        let objects = state.org.objects.iter().zip(&state.tables);
        objects
            .filter(|(shape, _)| !shape.setup)
            .flat_map(|(shape, table)| {
                let live = table.rows().iter().filter(|row| !row.deleted);
                live.map(move |row| Row {
                    site: Site::Salesforce,
                    table: shape.name.clone(),
                    id: row.id.to_string(),
                    fields: print::fields(shape, row),
                })
            })
            .collect()
    }

    /// When the org does something unasked: jobs of the Bulk API move on.
    pub fn next_due(&self) -> Option<jiff::Timestamp> {
        bulk::work::next_due(&self.lock())
    }

    /// Lets the org do what is due.
    pub fn run_due(&self) {
        let mut state = self.lock();
        bulk::work::run_due(&mut state, routes::PARTS);
        stream::publish::publish(&mut state);
    }

    async fn answer(&self, request: Request) -> Response {
        let (head, body) = request.into_parts();
        let most = most_bytes(&head);
        match axum::body::to_bytes(body, most).await {
            Ok(body) => self.carry_out(&head, &body),
            Err(_) => too_large(most),
        }
    }

    /// The same for a request whose body is there.
    pub(crate) fn answer_at_once(&self, request: http::Request<bytes::Bytes>) -> Said {
        let (head, body) = request.into_parts();
        let most = most_bytes(&head);
        if body.len() > most {
            return Said::Handled(too_large(most));
        }
        let call = visit::Call {
            method: &head.method,
            uri: &head.uri,
            headers: &head.headers,
            body: &body,
        };
        // A statement of its own: the lock is free again when the request has to be looked at.
        let known = routes::known(&mut self.lock(), &call);
        match known {
            Some(known) => Said::Whole(known),
            None => Said::Handled(self.carry_out(&head, &body)),
        }
    }

    /// Answers a request whose body is there. An answer that has nothing to tell yet says how to ask again.
    fn carry_out(&self, head: &http::request::Parts, body: &bytes::Bytes) -> Response {
        let call = visit::Call {
            method: &head.method,
            uri: &head.uri,
            headers: &head.headers,
            body,
        };
        let mut state = self.lock();
        let mut answer = routes::answer(&mut state, &call);
        state.commit();
        stream::publish::publish(&mut state);
        if stream::talk::may_wait(&mut answer) {
            let changed = state.feed.changed();
            let (org, head, body) = (self.clone(), head.clone(), body.clone());
            answer.extensions_mut().insert(Patience {
                changed,
                limit: stream::talk::WAIT,
                again: Arc::new(move || org.carry_out(&head, &body)),
            });
        }
        answer
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How large the body of a request may be.
fn most_bytes(head: &http::request::Parts) -> usize {
    let uploads = head.method == http::Method::PUT && head.uri.path().contains("/jobs/ingest/");
    if uploads { bulk::jobs::MAX_UPLOAD } else { MAX_BODY }
}

/// Assumed: code and words. The vendor takes larger bodies; a simulator need not.
fn too_large(most: usize) -> Response {
    let complaint = error::Complaint {
        code: "REQUEST_ENTITY_TOO_LARGE",
        message: format!("The request body is larger than {most} bytes"),
        fields: None,
        duplicates: None,
    };
    error::refusal(StatusCode::PAYLOAD_TOO_LARGE, &[complaint])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::trial::Trial;

    #[test]
    fn a_record_is_created_read_changed_and_found() {
        let trial = Trial::new();
        let account = trial.create("Account", &json!({"Name": "Fabrikam", "BillingCountry": "DE"}));
        let id = trial.deal(
            "Ten seats",
            &json!({"AccountId": account, "Amount": 1200, "Sync_With_Partner_Center__c": true}),
        );
        assert_eq!(
            trial
                .patch("Opportunity", &id, &json!({"Referral_Identifier__c": "r-1"}))
                .status,
            204
        );
        let found =
            trial.query("SELECT Id, Amount, Account.Name FROM Opportunity WHERE Referral_Identifier__c = 'R-1'");
        assert_eq!(
            found.text,
            format!(
                "{{\"totalSize\":1,\"done\":true,\"records\":[{{\"attributes\":{{\"type\":\"Opportunity\",\"url\":\"/services/data/v60.0/\
                 sobjects/Opportunity/{id}\"}},\"Id\":\"{id}\",\"Amount\":1200.0,\"Account\":{{\"attributes\":{{\"type\":\"Account\",\"url\":\
                 \"/services/data/v60.0/sobjects/Account/{account}\"}},\"Name\":\"Fabrikam\"}}}}]}}"
            )
        );
        let rows = trial.org.rows();
        assert_eq!(
            rows.iter().map(|row| row.table.as_str()).collect::<Vec<_>>(),
            ["Account", "Opportunity"]
        );
        assert_eq!(rows[0].fields["BillingAddress"]["country"], "DE");
        let commits = trial.commits();
        assert_eq!(commits.len(), 3);
        assert_eq!((commits[2].actor.as_str(), commits[2].changes.len()), ("connector", 1));
        assert_eq!(commits[2].changes[0].after, "r-1");
    }
}
