//! The field mapping as data: for each merged field its path in Partner Center, its field in the CRM, its direction, its conflict
//! policy, and the transforms that bring both sides to one form. What is not said is the profile's.
//!
//! Transforms work on canonical values of both sides, before they are compared; so what they change is no difference.

use std::collections::{BTreeMap, BTreeSet};

use super::{CrmSettings, Direction, Policy};
use crate::deal::{Field, Values};

/// A step of a transform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Blanks inside become single ones.
    SingleBlanks,
    /// Capital letters.
    Upper,
    /// Small letters.
    Lower,
    /// What stands behind the first line goes.
    FirstLine,
    /// What stands behind so many letters goes.
    Shorten(usize),
    /// These texts mean those.
    Synonyms(BTreeMap<String, String>),
    /// The steps of a named transform.
    Named(String),
}

/// What is said about one field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldRule {
    /// Its path in a referral, as PATCH names it.
    pub pc: Option<String>,
    /// Its field in the CRM.
    pub crm: Option<String>,
    /// Which way it goes.
    pub direction: Option<Direction>,
    /// Who wins when both sides changed it.
    pub policy: Option<Policy>,
    /// How both sides are brought to one form.
    pub transforms: Vec<Step>,
}

/// What is said about the fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    /// The rules.
    pub fields: BTreeMap<Field, FieldRule>,
    /// Named transforms.
    pub transforms: BTreeMap<String, Vec<Step>>,
}

/// The path of a field in a referral, unless the mapping says otherwise (partner-center.md section 4.1).
pub fn default_path(field: Field) -> &'static str {
    match field {
        Field::Name => "/name",
        Field::Value => "/details/dealValue",
        Field::Currency => "/details/currency",
        Field::ClosingDate => "/details/closingDateTime",
        Field::Notes => "/details/notes",
    }
}

/// The paths that hold a plain text and that PATCH may change (partner-center.md section 4.1): what a text field may be mapped to.
pub const TEXT_PATHS: [&str; 3] = ["/details/notes", "/campaignId", "/referralProgram"];

/// A fault of a mapping: which field, which part, and what is wrong.
pub(super) type Fault = (String, String);

impl Mapping {
    /// The path of a field in a referral.
    pub fn path(&self, field: Field) -> &str {
        let own = self.fields.get(&field).and_then(|rule| rule.pc.as_deref());
        own.unwrap_or_else(|| default_path(field))
    }

    /// The CRM field that the mapping gives a field.
    pub fn column(&self, field: Field) -> Option<&str> {
        self.fields.get(&field).and_then(|rule| rule.crm.as_deref())
    }

    /// Brings values to the form in which they are compared.
    pub fn shape(&self, values: &mut Values) {
        for (field, rule) in &self.fields {
            if let Some(value) = values.get(*field).filter(|_| !rule.transforms.is_empty()) {
                let shaped = self.apply(&rule.transforms, value.to_owned(), 0);
                values.set(*field, Some(shaped));
            }
        }
    }

    fn apply(&self, steps: &[Step], text: String, depth: usize) -> String {
        // Cycles are refused at the start; the bound only keeps a mapping that nobody checked from running for ever.
        if depth > self.transforms.len() {
            return text;
        }
        steps.iter().fold(text, |text, step| match step {
            Step::SingleBlanks => text.split_whitespace().collect::<Vec<_>>().join(" "),
            Step::Upper => text.to_uppercase(),
            Step::Lower => text.to_lowercase(),
            Step::FirstLine => text.lines().next().unwrap_or_default().trim_end().to_owned(),
            Step::Shorten(longest) => text.chars().take(*longest).collect::<String>().trim_end().to_owned(),
            Step::Synonyms(pairs) => pairs.get(&text).cloned().unwrap_or(text),
            Step::Named(name) => match self.transforms.get(name) {
                Some(steps) => self.apply(steps, text, depth + 1),
                None => text,
            },
        })
    }

    /// Every fault, each with its place.
    pub(super) fn faults(&self, crm: &CrmSettings) -> Vec<Fault> {
        let mut faults = Vec::new();
        self.paths(&mut faults);
        self.columns(crm, &mut faults);
        for (field, rule) in &self.fields {
            let place = format!("mapping.{}.transforms", field.name());
            self.steps(&place, &rule.transforms, &mut faults);
            if matches!(field, Field::Value | Field::ClosingDate) && !rule.transforms.is_empty() {
                faults.push((
                    place,
                    "only texts are transformed: amounts and days have one form already".to_owned(),
                ));
            }
        }
        for (name, steps) in &self.transforms {
            self.steps(&format!("transforms.{name}"), steps, &mut faults);
            if let Some(circle) = self.circle(name) {
                faults.push((
                    format!("transforms.{name}"),
                    format!("goes round in a circle: {circle}"),
                ));
            }
        }
        faults
    }

    fn paths(&self, faults: &mut Vec<Fault>) {
        let mut seen: BTreeMap<&str, Field> = BTreeMap::new();
        for field in Field::ALL {
            let path = self.path(field);
            let place = format!("mapping.{}.pc", field.name());
            let own = path == default_path(field);
            if !(own || field == Field::Notes && TEXT_PATHS.contains(&path)) {
                let known = if field == Field::Notes {
                    TEXT_PATHS.to_vec()
                } else {
                    vec![default_path(field)]
                };
                let nearest = nearest(path, known.iter().copied()).unwrap_or(known[0]);
                faults.push((
                    place,
                    format!(
                        "Partner Center keeps no {} at `{path}`; did you mean `{nearest}`?",
                        field.name()
                    ),
                ));
            } else if let Some(other) = seen.insert(path, field) {
                faults.push((place, format!("`{path}` is mapped to `{}` already", other.name())));
            }
        }
    }

    fn columns(&self, crm: &CrmSettings, faults: &mut Vec<Fault>) {
        let mut seen: BTreeMap<String, Field> = BTreeMap::new();
        for field in Field::ALL {
            let place = format!("mapping.{}.crm", field.name());
            let fixed = match (crm, field) {
                (_, Field::Name) => Some("the name carries the mark: it stays where it is"),
                (CrmSettings::Dataverse(_), Field::Currency) => Some("a Dataverse row has one currency, a look-up"),
                _ => None,
            };
            if let (Some(why), Some(_)) = (fixed, self.column(field)) {
                faults.push((place, why.to_owned()));
                continue;
            }
            let Some(column) = crm.column(field) else {
                continue;
            };
            if !is_field_name(column) {
                faults.push((place, format!("`{column}` is no API name of a field")));
            } else if let Some(other) = seen.insert(column.to_ascii_lowercase(), field) {
                faults.push((place, format!("`{column}` is mapped to `{}` already", other.name())));
            }
        }
    }

    fn steps(&self, place: &str, steps: &[Step], faults: &mut Vec<Fault>) {
        for step in steps {
            match step {
                Step::Named(name) if !self.transforms.contains_key(name) => {
                    let nearest = nearest(name, self.transforms.keys().map(String::as_str).chain(STEP_NAMES));
                    let help = nearest.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
                    faults.push((place.to_owned(), format!("there is no transform `{name}`{help}")));
                }
                Step::Synonyms(pairs) => {
                    if let Some((from, to)) = pairs.iter().find(|(from, to)| from != to && pairs.contains_key(*to)) {
                        let text = format!("`{from}` means `{to}`, which means something else again");
                        faults.push((place.to_owned(), text));
                    }
                }
                Step::Shorten(0) => faults.push((place.to_owned(), "nothing would be left".to_owned())),
                Step::SingleBlanks
                | Step::Upper
                | Step::Lower
                | Step::FirstLine
                | Step::Shorten(_)
                | Step::Named(_) => {}
            }
        }
    }

    /// The names of a circle that a transform is in.
    fn circle(&self, start: &str) -> Option<String> {
        let mut seen = BTreeSet::new();
        let mut open: Vec<(String, String)> = vec![(start.to_owned(), format!("`{start}`"))];
        while let Some((name, way)) = open.pop() {
            let named = self
                .transforms
                .get(&name)
                .into_iter()
                .flatten()
                .filter_map(|step| match step {
                    Step::Named(next) => Some(next),
                    Step::SingleBlanks
                    | Step::Upper
                    | Step::Lower
                    | Step::FirstLine
                    | Step::Shorten(_)
                    | Step::Synonyms(_) => None,
                });
            for next in named {
                let way = format!("{way} → `{next}`");
                if next == start {
                    return Some(way);
                }
                if seen.insert(next.clone()) {
                    open.push((next.clone(), way));
                }
            }
        }
        None
    }
}

/// The names of the steps that are there without being defined.
pub(super) const STEP_NAMES: [&str; 6] = ["single blanks", "upper", "lower", "first line", "shorten", "synonyms"];

/// Whether a text can be a field's API name.
pub(super) fn is_field_name(name: &str) -> bool {
    name.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
}

/// The nearest of several names, if one is near.
pub(super) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near = known.into_iter().map(|known| {
        (
            strsim::damerau_levenshtein(&name.to_lowercase(), &known.to_lowercase()),
            known,
        )
    });
    near.filter(|(distance, known)| *distance <= 2.max(known.chars().count() / 3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

impl CrmSettings {
    /// The CRM field of a merged field; none for a look-up.
    pub fn column(&self, field: Field) -> Option<&str> {
        match (self, field) {
            (Self::Salesforce(_), Field::Name) => Some("Name"),
            (Self::Salesforce(crm), Field::Value) => Some(&crm.value_field),
            (Self::Salesforce(crm), Field::Currency) => crm.currency_field.as_deref(),
            (Self::Salesforce(crm), Field::ClosingDate) => Some(&crm.closing_date_field),
            (Self::Salesforce(crm), Field::Notes) => Some(&crm.notes_field),
            (Self::Dataverse(_), Field::Name) => Some("name"),
            (Self::Dataverse(crm), Field::Value) => Some(&crm.value_field),
            (Self::Dataverse(_), Field::Currency) => None,
            (Self::Dataverse(crm), Field::ClosingDate) => Some(&crm.closing_date_field),
            (Self::Dataverse(crm), Field::Notes) => Some(&crm.notes_field),
        }
    }

    /// Moves a merged field to another CRM field.
    pub(super) fn set_column(&mut self, field: Field, column: &str) {
        let column = column.to_owned();
        match (self, field) {
            (Self::Salesforce(crm), Field::Value) => crm.value_field = column,
            (Self::Salesforce(crm), Field::Currency) => crm.currency_field = Some(column),
            (Self::Salesforce(crm), Field::ClosingDate) => crm.closing_date_field = column,
            (Self::Salesforce(crm), Field::Notes) => crm.notes_field = column,
            (Self::Dataverse(crm), Field::Value) => crm.value_field = column,
            (Self::Dataverse(crm), Field::ClosingDate) => crm.closing_date_field = column,
            (Self::Dataverse(crm), Field::Notes) => crm.notes_field = column,
            // Refused by the check of the mapping.
            (_, Field::Name) | (Self::Dataverse(_), Field::Currency) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{SalesforceSettings, Secret};

    fn crm() -> CrmSettings {
        CrmSettings::Salesforce(SalesforceSettings::new("https://a", "c", Secret::new("s")))
    }

    fn with(field: Field, rule: FieldRule) -> Mapping {
        Mapping {
            fields: [(field, rule)].into_iter().collect(),
            ..Mapping::default()
        }
    }

    #[test]
    fn each_kind_of_fault_is_told_with_its_place() {
        let mut mapping = with(
            Field::Notes,
            FieldRule {
                pc: Some("/details/note".to_owned()),
                transforms: vec![Step::Named("uper".to_owned())],
                ..FieldRule::default()
            },
        );
        mapping
            .transforms
            .insert("a".to_owned(), vec![Step::Named("b".to_owned())]);
        mapping
            .transforms
            .insert("b".to_owned(), vec![Step::Named("a".to_owned())]);
        let mut salesforce = crm();
        salesforce.set_column(Field::Notes, "amount");
        let faults = mapping.faults(&salesforce);
        let texts: Vec<String> = faults
            .iter()
            .map(|(place, fault)| format!("{place}: {fault}"))
            .collect();
        assert_eq!(
            texts,
            [
                "mapping.notes.pc: Partner Center keeps no notes at `/details/note`; did you mean `/details/notes`?",
                "mapping.notes.crm: `amount` is mapped to `value` already",
                "mapping.notes.transforms: there is no transform `uper`; did you mean `upper`?",
                "transforms.a: goes round in a circle: `a` → `b` → `a`",
                "transforms.b: goes round in a circle: `b` → `a` → `b`",
            ]
        );
    }

    #[test]
    fn transforms_bring_both_sides_to_one_form() {
        let synonyms = [("Acme".to_owned(), "ACME Inc.".to_owned())].into_iter().collect();
        let mapping = with(
            Field::Notes,
            FieldRule {
                transforms: vec![Step::FirstLine, Step::SingleBlanks, Step::Synonyms(synonyms)],
                ..FieldRule::default()
            },
        );
        let mut values = Values::default().with(Field::Notes, Some("Acme \nmore".to_owned()));
        mapping.shape(&mut values);
        assert_eq!(values.get(Field::Notes), Some("ACME Inc."));
        assert_eq!(mapping.faults(&crm()), Vec::<Fault>::new());
    }
}
