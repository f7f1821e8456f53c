//! Webhook steps: a service endpoint, a step on a message, and how the receiver is told who calls
//! (dataverse.md section 4.2).
//!
//! Steps run behind the operation. One that runs inside it would have to wait for an answer, which nothing here does: such
//! a step is refused by name when it is registered.

use super::super::environment::{Caller, State};
use super::super::error::Fault;
use super::super::model::Table;
use super::super::store::{Row, Store};
use super::{Message, Named, Written, context, hook, rows};
use crate::happening::Hook;

/// The largest body; a larger one goes without its parameters.
const MAX_BODY: usize = 256 * 1024;

/// What steps owe for a write.
pub(super) fn owed(state: &mut State, caller: &Caller, written: Written<'_>) -> Vec<Hook> {
    let wanting: Vec<Row> = {
        let state = &*state;
        let table = state.store.model().expect("sdkmessageprocessingstep");
        let mut wanting = rows(state, "sdkmessageprocessingstep");
        wanting.retain(|row| wants(&state.store, &Named { table, row }, written));
        wanting.sort_by_key(|row| Named { table, row }.int("rank"));
        wanting.into_iter().cloned().collect()
    };
    wanting
        .iter()
        .filter_map(|step| call(state, caller, step, written))
        .collect()
}

/// Checks a step, or an endpoint, before it is stored.
pub(super) fn check(store: &Store, table: &Table, row: &Row) -> Result<(), Fault> {
    let named = Named { table, row };
    let refuse = |what: &str| Err(Fault::NotSimulated(what.to_owned()));
    if table.logical == "serviceendpoint" {
        if named.int("contract") != Some(8) {
            return refuse("a service endpoint that is no webhook");
        }
        if matches!(named.int("authtype"), Some(5 | 6)) {
            settings(named.text("authvalue").unwrap_or_default())?;
        } else if named.int("authtype") != Some(4) {
            return refuse("a service endpoint with this kind of authentication");
        }
        return Ok(());
    }
    if named.int("stage") != Some(40) || named.int("mode") != Some(1) {
        return refuse("a step inside the operation: only stage 40 with mode 1");
    }
    match message_of(store, &named).as_deref() {
        Some("Create" | "Update" | "Delete") => Ok(()),
        _ => refuse("a step on this message"),
    }
}

fn message_of(store: &Store, step: &Named<'_>) -> Option<String> {
    let table = store.model().expect("sdkmessage");
    let row = store.row(table, step.guid("_sdkmessageid_value")?)?;
    Named { table, row }.text("name").map(str::to_owned)
}

fn wants(store: &Store, step: &Named<'_>, written: Written<'_>) -> bool {
    let filters = store.model().expect("sdkmessagefilter");
    let filter = step
        .guid("_sdkmessagefilterid_value")
        .and_then(|id| store.row(filters, id));
    let table = filter
        .map(|row| Named { table: filters, row })
        .and_then(|filter| filter.text("primaryobjecttypecode").map(str::to_owned));
    step.int("statecode") == Some(0)
        && message_of(store, step).as_deref() == Some(written.message.name())
        && table.is_none_or(|table| table == written.table.logical)
        && (written.message != Message::Update || written.touches(step.text("filteringattributes")))
}

fn call(state: &mut State, caller: &Caller, step: &Row, written: Written<'_>) -> Option<Hook> {
    let body = context::body(state, caller, step, written);
    let model = std::sync::Arc::clone(state.store.model());
    let steps = model.expect("sdkmessageprocessingstep");
    let endpoints = model.expect("serviceendpoint");
    let endpoint = Named {
        table: steps,
        row: step,
    }
    .guid("_eventhandler_value")?;
    let endpoint = Named {
        table: endpoints,
        row: state.store.row(endpoints, endpoint)?,
    };
    let mut url = endpoint.text("url")?.to_owned();
    let mut headers = vec![
        ("content-type".to_owned(), "application/json; charset=utf-8".to_owned()),
        (
            "x-ms-dynamics-organization".to_owned(),
            format!("{}.crm.dynamics.com", super::super::ORGANISATION),
        ),
        (
            "x-ms-dynamics-entity-name".to_owned(),
            written.table.logical.to_string(),
        ),
        (
            "x-ms-dynamics-request-name".to_owned(),
            written.message.name().to_owned(),
        ),
        ("x-ms-correlation-request-id".to_owned(), body.correlation.to_string()),
    ];
    let value = endpoint.text("authvalue").unwrap_or_default();
    match endpoint.int("authtype") {
        Some(5) => headers.extend(settings(value).unwrap_or_default()),
        Some(6) => settings(value)
            .unwrap_or_default()
            .iter()
            .for_each(|(name, value)| add(&mut url, name, value)),
        _ => add(&mut url, "code", value),
    }
    let mut text = body.text(true);
    if text.len() > MAX_BODY {
        headers.push(("x-ms-dynamics-msg-size-exceeded".to_owned(), "true".to_owned()));
        text = body.text(false);
    }
    Some(hook("webhook", url, text, headers, written))
}

fn add(url: &mut String, name: &str, value: &str) {
    url.push(if url.contains('?') { '&' } else { '?' });
    for (place, part) in [name, value].into_iter().enumerate() {
        if place == 1 {
            url.push('=');
        }
        let encoded = super::super::address::escaped(&part.replace('%', "%25").replace('&', "%26").replace('+', "%2B"));
        url.push_str(&encoded);
    }
}

/// The pairs of `<settings><setting name="x" value="y"/></settings>`.
fn settings(text: &str) -> Result<Vec<(String, String)>, Fault> {
    // Assumed text: the form is documented.
    let wrong = || {
        Fault::Argument(
            "The authentication value is not of the form <settings><setting name=\"\" value=\"\"/></settings>."
                .to_owned(),
        )
    };
    let inner = text
        .trim()
        .strip_prefix("<settings>")
        .and_then(|text| text.strip_suffix("</settings>"));
    let mut pairs = Vec::new();
    for element in inner.ok_or_else(wrong)?.split("<setting ").skip(1) {
        let value = |name: &str| {
            let after = element.split_once(&format!("{name}=\""))?.1;
            let raw = after.split_once('"')?.0;
            let plain = raw.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">");
            Some(plain.replace("&amp;", "&"))
        };
        pairs.push((value("name").ok_or_else(wrong)?, value("value").ok_or_else(wrong)?));
    }
    if pairs.is_empty() { Err(wrong()) } else { Ok(pairs) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_pairs_and_anything_else_is_refused() {
        let read =
            settings("<settings><setting name=\"a\" value=\"1 &amp; 2\"/><setting name=\"b\" value=\"\" /></settings>")
                .unwrap();
        assert_eq!(
            read,
            [("a".to_owned(), "1 & 2".to_owned()), ("b".to_owned(), String::new())]
        );
        for bad in [
            "",
            "x",
            "<settings></settings>",
            "<settings><setting name=\"a\"/></settings>",
        ] {
            assert!(settings(bad).is_err(), "{bad}");
        }
        let mut url = "https://x.example/h".to_owned();
        add(&mut url, "code", "a b&c");
        add(&mut url, "d", "e");
        assert_eq!(url, "https://x.example/h?code=a%20b%26c&d=e");
    }
}
