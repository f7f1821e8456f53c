//! `/limits` and `/limits/recordCount` (salesforce.md section 2.7).
//!
//! The daily count of calls and the storage move; the other budgets are there for clients that look for them, and nothing uses
//! them up. Assumed: every figure.

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::error::JSON;
use super::state::State;
use super::visit::{Answer, Visit};
use crate::reply::json_reply;

/// What a record takes of the storage, in kilobytes. Assumed: general knowledge.
const RECORD_KILOBYTES: usize = 2;

/// Budgets that stay full. Assumed: which there are, and the figures, those of a small org.
const FULL: [(&str, u64); 22] = [
    ("ConcurrentAsyncGetReportInstances", 200),
    ("ConcurrentSyncReportRuns", 20),
    ("DailyAsyncApexExecutions", 250_000),
    ("DailyBulkApiBatches", 15_000),
    ("DailyBulkV2QueryFileStorageMB", 976_562),
    ("DailyBulkV2QueryJobs", 10_000),
    ("DailyDurableGenericStreamingApiEvents", 10_000),
    ("DailyDurableStreamingApiEvents", 10_000),
    ("DailyGenericStreamingApiEvents", 10_000),
    ("DailyStandardVolumePlatformEvents", 25_000),
    ("DailyStreamingApiEvents", 10_000),
    ("DailyWorkflowEmails", 390),
    ("DurableStreamingApiConcurrentClients", 20),
    ("FileStorageMB", 1_073),
    ("HourlyAsyncReportRuns", 1_200),
    ("HourlySyncReportRuns", 500),
    ("HourlyTimeBasedWorkflow", 50),
    ("MassEmail", 5_000),
    ("MonthlyPlatformEvents", 300_000),
    ("PermissionSets", 1_500),
    ("SingleEmail", 5_000),
    ("StreamingApiConcurrentClients", 20),
];

/// `GET /limits`.
pub(crate) fn limits(state: &State, visit: &Visit<'_>) -> Answer {
    visit.only(&[Method::GET])?;
    visit.allow_parameters(&[])?;
    let entry = |max: u64, used: u64| json!({"Max": max, "Remaining": max.saturating_sub(used)});
    let mut all: Map<String, Value> = FULL
        .iter()
        .map(|(name, max)| ((*name).to_owned(), entry(*max, 0)))
        .collect();
    let calls = entry(state.settings.daily_requests, state.usage.used);
    all.insert("DailyApiRequests".to_owned(), calls);
    let kilobytes = state.live_rows() * RECORD_KILOBYTES;
    let megabytes = u64::try_from(kilobytes / 1024).unwrap_or(u64::MAX);
    all.insert("DataStorageMB".to_owned(), entry(1_073, megabytes));
    all.sort_keys();
    Ok(json_reply(StatusCode::OK, JSON, &Value::Object(all)))
}

/// `GET /limits/recordCount?sObjects=A,B`. Assumed: without names all objects, and unknown names are left out.
pub(crate) fn record_count(state: &State, visit: &Visit<'_>) -> Answer {
    visit.only(&[Method::GET])?;
    visit.allow_parameters(&["sObjects"])?;
    let asked: Option<Vec<usize>> = visit.parameter("sObjects").map(|list| {
        list.split(',')
            .filter_map(|name| state.org.object(name.trim()))
            .collect()
    });
    let objects = state.org.objects.iter().enumerate();
    let counts = objects
        .filter(|(place, _)| asked.as_ref().is_none_or(|asked| asked.contains(place)))
        .map(|(place, shape)| json!({"count": state.tables[place].live(), "name": shape.name}));
    let body = json!({"sObjects": counts.collect::<Vec<_>>()});
    Ok(json_reply(StatusCode::OK, JSON, &body))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::salesforce::trial::Trial;

    #[test]
    fn the_daily_count_moves_with_each_call() {
        let trial = Trial::new();
        trial.create("Account", &json!({"Name": "Fabrikam"}));
        let reply = trial.get("/limits/");
        assert_eq!(reply.headers["sforce-limit-info"], "api-usage=2/100000");
        let limits = reply.json();
        assert_eq!(limits["DailyApiRequests"], json!({"Max": 100_000, "Remaining": 99_998}));
        // jsforce's own suite asks for these.
        for name in ["DataStorageMB", "FileStorageMB"] {
            assert_eq!(limits[name]["Max"], limits[name]["Remaining"], "{name}");
        }
    }

    #[test]
    fn records_are_counted_without_those_in_the_bin() {
        let trial = Trial::new();
        let ids = ["a", "b"].map(|name| trial.create("Account", &json!({"Name": name})));
        trial.delete("Account", &ids[0]);
        let reply = trial.get("/limits/recordCount?sObjects=account,Nothing");
        assert_eq!(reply.text, "{\"sObjects\":[{\"count\":1,\"name\":\"Account\"}]}");
        let all = trial.get("/limits/recordCount").json();
        assert!(all["sObjects"].as_array().unwrap().len() > 10);
    }
}
