//! Notes: each is a document of the same identifier, which links tie to records (salesforce.md section 3.4).
//!
//! Assumed: how the preview and the size are made of the content.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::{HeaderValue, Method, header};

use super::author::Author;
use super::cell::Cell;
use super::error::Problem;
use super::id::Id;
use super::model::Object;
use super::rules::Draft;
use super::state::State;
use super::visit::{Answer, Visit, object, written};

const NOTE: &str = "ContentNote";
const DOCUMENT: &str = "ContentDocument";
/// How many characters of the content the preview shows.
const PREVIEW: usize = 255;

/// Works out what a note's content says about it.
pub(crate) fn derive(draft: &mut Draft<'_>) {
    draft.set("FileType", Cell::text("SNOTE"));
    draft.set("FileExtension", Cell::text("snote"));
    let content = bytes(draft.get("Content"));
    let size = u32::try_from(content.len()).map_or(f64::MAX, f64::from);
    draft.set("ContentSize", Cell::Number(size));
    let plain: String = without_tags(&String::from_utf8_lossy(&content))
        .chars()
        .take(PREVIEW)
        .collect();
    draft.set("TextPreview", Cell::text(plain.trim()));
}

/// Keeps a note's document beside it: made, changed or deleted with it.
pub(crate) fn after_write(state: &mut State, author: &Author, object: usize, place: usize) {
    if state.org.objects[object].name != NOTE {
        return;
    }
    let Some(documents) = state.org.object(DOCUMENT) else {
        return;
    };
    let row = state.tables[object].row(place);
    let (id, note) = (row.id, row.cells.clone());
    let known = state.tables[documents].find(id);
    let org = std::sync::Arc::clone(&state.org);
    let [from, to] = [object, documents].map(|place| &org.objects[place]);
    let mut cells = match known {
        Some(place) => state.tables[documents].row(place).cells.clone(),
        None => vec![Cell::Null; to.fields.len()],
    };
    copy(from, &note, to, &mut cells);
    match known {
        Some(place) => state.replace(&author.as_system(), documents, place, cells),
        None => {
            state.insert_as(&author.as_system(), documents, id, cells);
        }
    }
}

/// The other half of a note or of its document, which goes with it.
pub(crate) fn other_half(state: &State, object: usize, id: Id) -> Option<(usize, usize)> {
    let other = match state.org.objects[object].name.as_str() {
        NOTE => state.org.object(DOCUMENT)?,
        DOCUMENT => state.org.object(NOTE)?,
        _ => return None,
    };
    let place = state.tables[other].find(id)?;
    (!state.tables[other].row(place).deleted).then_some((other, place))
}

/// `GET /sobjects/ContentNote/ID/Content`: the bytes themselves.
pub(crate) fn content(state: &State, visit: &Visit<'_>, name: &str, id: &str) -> Answer {
    visit.only(&[Method::GET])?;
    let notes = object(state, name)?;
    let place = Id::parse(id).and_then(|id| state.tables[notes].find(id));
    let row = place
        .map(|place| state.tables[notes].row(place))
        .ok_or_else(Problem::not_found)?;
    if row.deleted {
        return Err(Problem::deleted());
    }
    let field = state.org.objects[notes]
        .seen("Content")
        .ok_or_else(Problem::not_found)?;
    let mut response = written(bytes(&row.cells[field]));
    let kind = HeaderValue::from_static("application/octet-stream");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}

fn copy(from: &Object, cells: &[Cell], to: &Object, into: &mut [Cell]) {
    for name in ["Title", "FileType", "FileExtension", "ContentSize", "OwnerId"] {
        if let (Some(source), Some(target)) = (from.field(name), to.field(name)) {
            into[target] = cells[source].clone();
        }
    }
}

fn bytes(cell: &Cell) -> Vec<u8> {
    cell.as_text()
        .and_then(|text| BASE64.decode(text).ok())
        .unwrap_or_default()
}

/// The text between tags, entities as they stand but for those that every note has.
fn without_tags(html: &str) -> String {
    let mut plain = String::with_capacity(html.len());
    let mut inside = false;
    for character in html.chars() {
        match character {
            '<' => inside = true,
            '>' => inside = false,
            other if !inside => plain.push(other),
            _ => {}
        }
    }
    plain
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::salesforce::Settings;
    use crate::salesforce::trial::Trial;

    #[test]
    fn a_note_is_a_document_that_links_tie_to_a_deal() {
        let trial = Trial::new();
        let deal = trial.deal("x", &json!({}));
        // "<p>Hello &amp; bye</p>"
        let content = "PHA+SGVsbG8gJmFtcDsgYnllPC9wPg==";
        let note = trial.create("ContentNote", &json!({"Title": "Call", "Content": content}));
        assert_eq!(&note[..3], "069");
        let read = trial.read("ContentNote", &note);
        assert_eq!(
            (&read["FileType"], &read["TextPreview"]),
            (&json!("SNOTE"), &json!("Hello & bye"))
        );
        assert_eq!(
            read["Content"],
            format!("/services/data/v60.0/sobjects/ContentNote/{note}/Content")
        );
        let bytes = trial.get(&format!("/sobjects/ContentNote/{note}/Content"));
        assert_eq!(bytes.text, "<p>Hello &amp; bye</p>");
        let link = json!({"ContentDocumentId": note, "LinkedEntityId": deal, "ShareType": "V"});
        let link = trial.create("ContentDocumentLink", &link);
        let found = trial.query(&format!(
            "SELECT ContentDocument.Title, LinkedEntity.Name FROM ContentDocumentLink WHERE LinkedEntityId = '{deal}'"
        ));
        assert_eq!(found.json()["records"][0]["ContentDocument"]["Title"], "Call");
        trial.patch("ContentNote", &note, &json!({"Title": "Called"}));
        assert_eq!(trial.read("ContentDocument", &note)["Title"], "Called");
        assert_eq!(
            trial.query("SELECT Id FROM ContentDocumentLink").fault().1,
            "MALFORMED_QUERY"
        );
        assert_eq!(
            trial
                .post("ContentNote", &json!({"Title": "x", "Content": "no base64!"}))
                .status,
            400
        );
        assert_eq!(trial.delete("ContentNote", &note).status, 204);
        for path in [format!("ContentDocument/{note}"), format!("ContentDocumentLink/{link}")] {
            assert_eq!(
                trial.get(&format!("/sobjects/{path}")).fault().1,
                "ENTITY_IS_DELETED",
                "{path}"
            );
        }
    }

    #[test]
    fn an_org_without_notes_or_teams_knows_neither() {
        let mut settings = Settings::default();
        settings.schema.notes = false;
        settings.schema.team_selling = false;
        let trial = Trial::with(settings);
        for object in ["ContentNote", "ContentDocumentLink", "OpportunityTeamMember"] {
            assert_eq!(
                trial.post(object, &json!({})).fault(),
                (404, "NOT_FOUND".to_owned()),
                "{object}"
            );
        }
        assert_eq!(
            trial.query("SELECT Id FROM OpportunityTeamMember").fault().1,
            "INVALID_TYPE"
        );
        assert_eq!(
            trial.get("/sobjects/OpportunityTeamMember/describe").json()[0]["errorCode"],
            Value::from("NOT_FOUND")
        );
    }
}
