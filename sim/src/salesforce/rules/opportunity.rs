//! Rules of the opportunity: what its stage, amount and date say about the rest (salesforce.md section 3.4).
//!
//! The package's own rules stand in `package`.

use super::Draft;
use crate::salesforce::author::Author;
use crate::salesforce::cell::Cell;
use crate::salesforce::settings::{Settings, Stage};

/// Works out the fields that follow from the stage, the amount and the closing date.
pub(crate) fn derive(draft: &mut Draft<'_>, settings: &Settings, author: &Author) {
    if draft.changes("StageName") {
        follow_stage(draft, settings, author);
    } else if draft.assigns("ForecastCategoryName") {
        follow_category_name(draft);
    }
    let expected = match (draft.get("Amount").as_number(), draft.get("Probability").as_number()) {
        (Some(amount), Some(probability)) => Cell::Number((amount * probability).round() / 100.0),
        (_, _) => Cell::Null,
    };
    draft.set("ExpectedRevenue", expected);
    if draft.changes("CloseDate") {
        follow_closing_date(draft);
    }
}

/// `IsClosed`, `IsWon`, forecast and probability follow the stage; a probability in the same write wins.
///
/// Assumed: a text that is no stage is open, with probability 0 (the picklist is not restricted); a stage written in
/// another case is stored as the picklist spells it; `LastStageChangeDate` is empty until the first change.
fn follow_stage(draft: &mut Draft<'_>, settings: &Settings, author: &Author) {
    let stage = draft.get("StageName").as_text().and_then(|name| settings.stage(name));
    let (closed, won, probability) =
        stage.map_or((false, false, 0), |stage| (stage.closed, stage.won, stage.probability));
    let (category, category_name) = stage.map_or(("Pipeline", "Pipeline"), Stage::forecast);
    if let Some(stage) = stage {
        draft.set("StageName", Cell::text(&stage.name));
    }
    draft.set("IsClosed", Cell::Bool(closed));
    draft.set("IsWon", Cell::Bool(won));
    if !draft.assigns("Probability") || *draft.get("Probability") == Cell::Null {
        draft.set("Probability", Cell::Number(f64::from(probability)));
    }
    if draft.assigns("ForecastCategoryName") && *draft.get("ForecastCategoryName") != Cell::Null {
        follow_category_name(draft);
    } else {
        draft.set("ForecastCategory", Cell::text(category));
        draft.set("ForecastCategoryName", Cell::text(category_name));
    }
    if draft.before.is_some() {
        draft.set("LastStageChangeDate", Cell::Moment(author.second));
    }
}

fn follow_category_name(draft: &mut Draft<'_>) {
    let category = match draft.get("ForecastCategoryName").as_text() {
        Some("Best Case") => "BestCase",
        Some("Commit") => "Forecast",
        Some("Omitted") => "Omitted",
        Some("Closed") => "Closed",
        Some(_) | None => "Pipeline",
    };
    draft.set("ForecastCategory", Cell::text(category));
}

/// Assumed: the fiscal year is the calendar year.
fn follow_closing_date(draft: &mut Draft<'_>) {
    let Cell::Date(date) = *draft.get("CloseDate") else {
        return;
    };
    let quarter = (i16::from(date.month()) - 1) / 3 + 1;
    draft.set("FiscalYear", Cell::Number(f64::from(date.year())));
    draft.set("FiscalQuarter", Cell::Number(f64::from(quarter)));
    draft.set("Fiscal", Cell::text(&format!("{} {quarter}", date.year())));
}
