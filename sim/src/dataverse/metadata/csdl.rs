//! All tables as CSDL, the XML of `$metadata`.
//!
//! Assumed: the order of its parts, and the actions and functions beyond those that are simulated are left out.

use std::fmt::Write as _;

use super::super::model::{Column, Kind, Model, Table, Via};

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
    <edmx:Edmx Version=\"4.0\" xmlns:edmx=\"http://docs.oasis-open.org/odata/ns/edmx\">\
    <edmx:Reference Uri=\"http://vocabularies.odata.org/OData.Community.Keys.V1.xml\">\
    <edmx:Include Namespace=\"OData.Community.Keys.V1\" Alias=\"Keys\" />\
    <edmx:IncludeAnnotations TermNamespace=\"OData.Community.Keys.V1\" /></edmx:Reference>\
    <edmx:DataServices><Schema Namespace=\"Microsoft.Dynamics.CRM\" Alias=\"mscrm\" \
    xmlns=\"http://docs.oasis-open.org/odata/ns/edm\">\
    <EntityType Name=\"crmbaseentity\" Abstract=\"true\" />\
    <EntityType Name=\"principal\" BaseType=\"mscrm.crmbaseentity\"><Key><PropertyRef Name=\"ownerid\" /></Key>\
    <Property Name=\"ownerid\" Type=\"Edm.Guid\" /></EntityType>";

const OPERATIONS: &str = "<ComplexType Name=\"WhoAmIResponse\">\
    <Property Name=\"BusinessUnitId\" Type=\"Edm.Guid\" Nullable=\"false\" />\
    <Property Name=\"UserId\" Type=\"Edm.Guid\" Nullable=\"false\" />\
    <Property Name=\"OrganizationId\" Type=\"Edm.Guid\" Nullable=\"false\" /></ComplexType>\
    <ComplexType Name=\"RetrieveVersionResponse\"><Property Name=\"Version\" Type=\"Edm.String\" Unicode=\"false\" />\
    </ComplexType>\
    <Function Name=\"WhoAmI\"><ReturnType Type=\"mscrm.WhoAmIResponse\" Nullable=\"false\" /></Function>\
    <Function Name=\"RetrieveVersion\"><ReturnType Type=\"mscrm.RetrieveVersionResponse\" Nullable=\"false\" />\
    </Function>\
    <Action Name=\"WinOpportunity\">\
    <Parameter Name=\"OpportunityClose\" Type=\"mscrm.opportunityclose\" Nullable=\"false\" />\
    <Parameter Name=\"Status\" Type=\"Edm.Int32\" Nullable=\"false\" /></Action>\
    <Action Name=\"LoseOpportunity\">\
    <Parameter Name=\"OpportunityClose\" Type=\"mscrm.opportunityclose\" Nullable=\"false\" />\
    <Parameter Name=\"Status\" Type=\"Edm.Int32\" Nullable=\"false\" /></Action>";

/// The whole document.
pub(super) fn document(model: &Model) -> String {
    let mut out = String::with_capacity(256 * 1_024);
    out.push_str(HEAD);
    for table in model.tables() {
        entity_type(model, table, &mut out);
    }
    out.push_str(OPERATIONS);
    out.push_str("<EntityContainer Name=\"System\">");
    for table in model.tables() {
        entity_set(model, table, &mut out);
    }
    for name in ["WhoAmI", "RetrieveVersion"] {
        let _done = write!(out, "<FunctionImport Name=\"{name}\" Function=\"mscrm.{name}\" />");
    }
    for name in ["WinOpportunity", "LoseOpportunity"] {
        let _done = write!(out, "<ActionImport Name=\"{name}\" Action=\"mscrm.{name}\" />");
    }
    out.push_str("</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>");
    out
}

fn entity_type(model: &Model, table: &Table, out: &mut String) {
    let key = &table.columns[0].name;
    // Writing to a String cannot fail.
    let _done = write!(
        out,
        "<EntityType Name=\"{}\" BaseType=\"mscrm.crmbaseentity\"><Key><PropertyRef Name=\"{key}\" /></Key>",
        table.logical
    );
    for column in table.columns.iter().filter(|column| column.readable) {
        property(column, out);
    }
    for column in &table.columns {
        lookups(model, column, out);
    }
    for (name, collection) in &table.collections {
        let rows = &model.tables()[collection.table];
        let partner = match collection.via {
            Via::Lookup(column) => {
                let ways = rows.columns[column].navigations.iter();
                ways.filter(|way| way.target == table.logical)
                    .map(|way| &*way.name)
                    .next()
            }
            Via::Intersect { .. } => Some(&**name),
        };
        let _done = write!(
            out,
            "<NavigationProperty Name=\"{name}\" Type=\"Collection(mscrm.{})\" Partner=\"{}\" />",
            rows.logical,
            partner.unwrap_or_default()
        );
    }
    for found in &table.keys {
        alternate_key(table, &found.columns, out);
    }
    out.push_str("</EntityType>");
}

fn property(column: &Column, out: &mut String) {
    let edm = column.edm();
    let more = match edm {
        "Edm.String" => " Unicode=\"false\"",
        "Edm.Decimal" => " Scale=\"Variable\"",
        _ => "",
    };
    let _done = write!(out, "<Property Name=\"{}\" Type=\"{edm}\"{more} />", column.wire);
}

/// The single-valued navigation properties of a lookup. An owner is a user or a team, of which both are principals.
fn lookups(model: &Model, column: &Column, out: &mut String) {
    if column.kind != Kind::Lookup {
        return;
    }
    if column.name == "ownerid" {
        out.push_str(
            "<NavigationProperty Name=\"ownerid\" Type=\"mscrm.principal\" Nullable=\"false\"><ReferentialConstraint \
             Property=\"_ownerid_value\" ReferencedProperty=\"ownerid\" /></NavigationProperty>",
        );
        return;
    }
    for way in &column.navigations {
        let Some(target) = model.by_logical(&way.target) else {
            continue;
        };
        let _done = write!(
            out,
            "<NavigationProperty Name=\"{}\" Type=\"mscrm.{}\" Partner=\"{}\"><ReferentialConstraint Property=\"{}\" \
             ReferencedProperty=\"{}\" /></NavigationProperty>",
            way.name, target.logical, way.relationship, column.wire, target.columns[0].name
        );
    }
}

fn alternate_key(table: &Table, columns: &[usize], out: &mut String) {
    out.push_str(
        "<Annotation Term=\"OData.Community.Keys.V1.AlternateKeys\"><Collection>\
         <Record Type=\"OData.Community.Keys.V1.AlternateKey\"><PropertyValue Property=\"Key\"><Collection>",
    );
    for at in columns {
        let name = &table.columns[*at].wire;
        let _done = write!(
            out,
            "<Record Type=\"OData.Community.Keys.V1.PropertyRef\"><PropertyValue Property=\"Alias\" String=\"{name}\" />\
             <PropertyValue Property=\"Name\" PropertyPath=\"{name}\" /></Record>"
        );
    }
    out.push_str("</Collection></PropertyValue></Record></Collection></Annotation>");
}

fn entity_set(model: &Model, table: &Table, out: &mut String) {
    let _done = write!(
        out,
        "<EntitySet Name=\"{}\" EntityType=\"Microsoft.Dynamics.CRM.{}\">",
        table.set, table.logical
    );
    for column in table.columns.iter().filter(|column| column.name != "ownerid") {
        for way in &column.navigations {
            if let Some(target) = model.by_logical(&way.target) {
                binding(&way.name, &target.set, out);
            }
        }
    }
    for (name, collection) in &table.collections {
        binding(name, &model.tables()[collection.table].set, out);
    }
    out.push_str("</EntitySet>");
}

fn binding(path: &str, target: &str, out: &mut String) {
    let _done = write!(out, "<NavigationPropertyBinding Path=\"{path}\" Target=\"{target}\" />");
}
