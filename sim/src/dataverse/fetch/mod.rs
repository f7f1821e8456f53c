//! `FetchXML`: the query in `?fetchXml=`, as a tree, bound to tables, carried out (dataverse.md section 2.6).
//!
//! Aggregates and joins that only test for rows are refused by name.

mod read;
mod bind;
mod run;
