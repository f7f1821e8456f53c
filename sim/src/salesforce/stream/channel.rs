//! Channels: which there are, which events are theirs, and how those look to a subscriber.
//!
//! It knows nothing of subscribers.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::topic;
use crate::salesforce::cell::Cell;
use crate::salesforce::error::Problem;
use crate::salesforce::feed::{Act, Event, Told, Written};
use crate::salesforce::id::Id;
use crate::salesforce::kind::Kind;
use crate::salesforce::state::State;

/// How long events of push topics are kept (salesforce.md section 5.2).
const TOPIC_HOURS: i64 = 24;
/// From this version on, change events of updates list the changed fields.
const LISTS_CHANGED: u32 = 47;

/// What somebody can subscribe to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Channel {
    /// The push topic of that name.
    Topic(String),
    /// Changes of every selected object.
    Changes,
    /// Changes of one object.
    ChangesOf(usize),
}

/// The channel of that name; none when there is no such channel. The error is for kinds of channels that are not simulated.
pub(super) fn named(state: &State, name: &str) -> Result<Option<Channel>, Problem> {
    if let Some(topic) = name.strip_prefix("/topic/") {
        let known = topic::active(state).into_iter().any(|known| known.name == topic);
        return Ok(known.then(|| Channel::Topic(topic.to_owned())));
    }
    if let Some(kind) = ["/u/", "/event/", "/systemTopic/"]
        .into_iter()
        .find(|kind| name.starts_with(kind))
    {
        return Err(Problem::not_simulated(format!("channel `{kind}`")));
    }
    let Some(entity) = name.strip_prefix("/data/") else {
        return Ok(None);
    };
    if entity == "ChangeEvents" {
        return Ok(Some(Channel::Changes));
    }
    let object = entity.strip_suffix("ChangeEvent").and_then(|entity| {
        let name = entity
            .strip_suffix("__")
            .map_or_else(|| entity.to_owned(), |custom| format!("{custom}__c"));
        state.org.object(&name)
    });
    Ok(object
        .filter(|&object| is_selected(state, object))
        .map(Channel::ChangesOf))
}

/// Whether the org tells changes of the object.
pub(super) fn is_selected(state: &State, object: usize) -> bool {
    let name = &state.org.objects[object].name;
    state
        .settings
        .change_data_capture
        .iter()
        .any(|selected| selected == name)
}

/// Whether the event is one of the channel's, and still kept.
pub(super) fn holds(channel: &Channel, event: &Event, now: Timestamp) -> bool {
    match (channel, &event.told) {
        (Channel::Topic(name), Told::Topic(topic, ..)) => {
            name == topic && event.at >= now - SignedDuration::from_hours(TOPIC_HOURS)
        }
        (Channel::Changes, Told::Change(..)) => true,
        (Channel::ChangesOf(object), Told::Change(written, ..)) => written.object == *object,
        (Channel::Topic(_), Told::Change(..)) | (Channel::Changes | Channel::ChangesOf(_), Told::Topic(..)) => false,
    }
}

/// The `data` of the message that tells an event.
pub(super) fn data(state: &State, event: &Event, version: u32) -> Value {
    match &event.told {
        Told::Topic(_, kind, shown) => {
            let created = event.at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
            let kind = match kind {
                Act::Created => "created",
                Act::Updated => "updated",
                Act::Deleted => "deleted",
                Act::Undeleted => "undeleted",
            };
            json!({"event": {"createdDate": created, "replayId": event.replay, "type": kind}, "sobject": shown})
        }
        Told::Change(written, ids, sequence) => {
            let schema = format!(
                "{}-{}",
                state.organization.short(),
                state.org.objects[written.object].name
            );
            let payload = payload(state, written, ids, *sequence, event.replay, version);
            json!({"schema": schema, "payload": payload, "event": {"replayId": event.replay}})
        }
    }
}

/// Header and fields of a change event. Assumed: their order, the form of `transactionKey` and the size of `commitNumber`.
fn payload(state: &State, written: &Written, ids: &[Id], sequence: u32, replay: i64, version: u32) -> Value {
    let shape = &state.org.objects[written.object];
    let row = state.tables[written.object].row(written.place);
    let mut fields = Map::new();
    let system = &shape.system;
    let stamps: &[Option<usize>] = match written.kind {
        Act::Created => &[system.created, system.created_by, system.modified, system.modified_by],
        Act::Updated | Act::Undeleted => &[system.modified],
        Act::Deleted => &[],
    };
    let mut put = |place: usize, cell: &Cell| {
        let field = &shape.fields[place];
        if !field.hidden && field.kind != Kind::Address {
            fields.insert(field.name.clone(), value(cell, field.kind == Kind::Int));
        }
    };
    for (place, cell) in &written.fields {
        put(*place, cell);
    }
    for place in stamps.iter().flatten() {
        let moment = Cell::Moment(written.at.as_second());
        let cell = if shape.fields[*place].kind == Kind::DateTime {
            &moment
        } else {
            &row.cells[*place]
        };
        put(*place, cell);
    }
    let (kind, changed) = match written.kind {
        Act::Created => ("CREATE", Vec::new()),
        Act::Updated => ("UPDATE", fields.keys().cloned().collect()),
        Act::Deleted => ("DELETE", Vec::new()),
        // Assumed: it carries every field that is not empty, as a create does.
        Act::Undeleted => ("UNDELETE", Vec::new()),
    };
    let mut header = json!({
        "entityName": shape.name, "recordIds": ids.iter().map(Id::to_string).collect::<Vec<_>>(), "changeType": kind,
        "changeOrigin": written.origin, "transactionKey": key(state, written.transaction), "sequenceNumber": sequence,
        "commitTimestamp": written.at.as_millisecond(), "commitUser": written.user.to_string(),
        "commitNumber": written.at.as_millisecond() * 1000 + replay,
    });
    if version >= LISTS_CHANGED {
        header["changedFields"] = json!(changed);
        header["nulledFields"] = json!([]);
        header["diffFields"] = json!([]);
    }
    let mut payload = Map::new();
    payload.insert("ChangeEventHeader".to_owned(), header);
    payload.extend(fields);
    Value::Object(payload)
}

/// Change events write moments with a Z (salesforce.md section 3.2).
fn value(cell: &Cell, whole: bool) -> Value {
    let Cell::Moment(second) = cell else {
        return cell.to_value(whole);
    };
    let moment = Timestamp::from_second(*second).unwrap_or_default();
    Value::from(moment.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string())
}

/// The same for all events of a transaction, and for no other.
fn key(state: &State, transaction: u64) -> String {
    let org: u64 = state
        .organization
        .short()
        .bytes()
        .fold(7, |sum, byte| (sum.wrapping_mul(31)).wrapping_add(u64::from(byte)));
    format!(
        "{transaction:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        org >> 48,
        org >> 32 & 0xffff,
        org >> 16 & 0xffff,
        transaction
    )
}
