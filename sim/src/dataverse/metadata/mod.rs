//! Metadata as clients read them: tables, columns, choices, keys and relationships as JSON, and all of it as CSDL
//! (dataverse.md section 2.9).
//!
//! Everything comes from the model. Writing metadata is refused by name.

mod attribute;
mod choice;
mod entity;
mod csdl;
mod select;
mod route;

pub(super) use route::answer;
