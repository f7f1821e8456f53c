//! Objects and fields that an administrator declared in the org's settings.
//!
//! It turns declarations into the shapes that the tables give; it checks nothing but that the object exists.

use std::collections::BTreeMap;

use crate::salesforce::kind::{Kind, Measure, OnDelete, Reference, Words};
use crate::salesforce::model::{Abilities, Field, Names};
use crate::salesforce::settings::{CustomField, CustomKind, CustomObject, Schema};

/// The fields that every custom object has, in the columns of `standard.tsv`.
const SYSTEM: &str = "Id\tRecord ID\tid\t18\tdfsi\t-\t-
OwnerId\tOwner ID\treference\t18\tdcufs\tUser:Owner:clear\t-
IsDeleted\tDeleted\tboolean\t-\tdfs\t-\t-
Name\tName\tstring\t80\tncufsi\t-\t-
CreatedDate\tCreated Date\tdatetime\t-\tdfs\t-\t-
CreatedById\tCreated By ID\treference\t18\tdfs\tUser:CreatedBy:clear\t-
LastModifiedDate\tLast Modified Date\tdatetime\t-\tdfs\t-\t-
LastModifiedById\tLast Modified By ID\treference\t18\tdfs\tUser:LastModifiedBy:clear\t-
SystemModstamp\tSystem Modstamp\tdatetime\t-\tdfs\t-\t-";

/// Adds what was declared. A field of an object that the org does not have is left out, and so is one that is already there.
pub(super) fn declare(schema: &Schema, objects: &mut Vec<Names>, fields: &mut BTreeMap<String, Vec<Field>>) {
    for (number, declared) in schema.custom_objects.iter().enumerate() {
        objects.push(names(declared, number));
        let mut own: Vec<Field> = SYSTEM
            .lines()
            .filter_map(|line| {
                let cells: Vec<&str> = line.split('\t').collect();
                let (name, rest) = cells.split_first()?;
                Field::from_line(name, rest)
            })
            .collect();
        own.iter_mut()
            .filter(|field| field.name == "Name")
            .for_each(|field| field.label = format!("{} Name", declared.label));
        fields.insert(declared.name.clone(), own);
    }
    for declared in &schema.custom_fields {
        let known = objects.iter().any(|names| names.name == declared.object);
        let own = fields.entry(declared.object.clone()).or_default();
        if known && !own.iter().any(|field| field.name == declared.name) {
            own.push(field(declared));
        }
    }
}

/// Assumed: the prefixes, which each org allots on its own, after those of the package.
fn names(declared: &CustomObject, number: usize) -> Names {
    const LETTERS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let number = number + 16;
    Names {
        name: declared.name.clone(),
        label: declared.label.clone(),
        plural: declared.plural.clone(),
        prefix: [b'a', LETTERS[number / 36 % 36], LETTERS[number % 36]],
        abilities: Abilities::from_cell("cudnqrRstlM"),
    }
}

fn field(declared: &CustomField) -> Field {
    let (kind, values, restricted) = kind(declared);
    let long = kind.is_long_text();
    let boolean = kind == Kind::Boolean;
    let master = matches!(&kind, Kind::Reference(reference) if reference.on_delete == OnDelete::Cascade);
    let foreign = matches!(&kind, Kind::Reference(reference) if reference.to.iter().any(|to| to != "User"));
    Field {
        name: declared.name.clone(),
        label: declared.label.clone(),
        nillable: !(declared.required || boolean || master),
        defaulted: boolean,
        createable: true,
        updateable: !master,
        filterable: !long,
        sortable: !long && !matches!(kind, Kind::Text(Words::MultiPicklist, _)),
        indexed: declared.external_id || declared.unique || foreign,
        restricted,
        external: declared.external_id,
        id_lookup: declared.external_id,
        unique: declared.unique,
        is_name: false,
        auto_number: false,
        hidden: false,
        values,
        kind,
    }
}

fn kind(declared: &CustomField) -> (Kind, Vec<String>, bool) {
    let plain = |kind| (kind, Vec::new(), false);
    let number = |measure, (precision, scale)| {
        plain(Kind::Number {
            measure,
            precision,
            scale,
        })
    };
    let reference = |to: &str, children: &str, on_delete| {
        let relationship = match declared.name.strip_suffix("__c") {
            Some(stem) => format!("{stem}__r"),
            None => declared.name.trim_end_matches("Id").to_owned(),
        };
        plain(Kind::Reference(Reference {
            to: vec![to.to_owned()],
            relationship,
            on_delete,
            children: children.to_owned(),
        }))
    };
    match &declared.kind {
        CustomKind::Text(length) => plain(Kind::Text(Words::String, *length)),
        CustomKind::LongText(length) => plain(Kind::Text(Words::TextArea, *length)),
        CustomKind::Checkbox => plain(Kind::Boolean),
        CustomKind::Number(precision, scale) => number(Measure::Double, (*precision, *scale)),
        CustomKind::Currency(precision, scale) => number(Measure::Currency, (*precision, *scale)),
        CustomKind::Percent(precision, scale) => number(Measure::Percent, (*precision, *scale)),
        CustomKind::Date => plain(Kind::Date),
        CustomKind::DateTime => plain(Kind::DateTime),
        CustomKind::Email => plain(Kind::Text(Words::Email, 80)),
        CustomKind::Phone => plain(Kind::Text(Words::Phone, 40)),
        CustomKind::Url => plain(Kind::Text(Words::Url, 255)),
        CustomKind::Picklist { values, restricted } => (Kind::Text(Words::Picklist, 255), values.clone(), *restricted),
        CustomKind::MultiPicklist { values, restricted } => {
            (Kind::Text(Words::MultiPicklist, 4099), values.clone(), *restricted)
        }
        CustomKind::LookUp { to, children } => reference(to, children, OnDelete::Clear),
        CustomKind::MasterDetail { to, children } => reference(to, children, OnDelete::Cascade),
    }
}
