//! Requests made of parts: composite, batch, tree and collections (salesforce.md sections 2.4 and 2.5).
//!
//! It stores nothing itself: each part is answered as the request that it describes.

/// Many records in one request.
pub(crate) mod collections;
/// Members of a body that must be there and of a type.
mod member;
/// One part, answered as a request of its own.
pub(crate) mod part;
/// What a later part takes from an earlier one.
mod reference;
/// Parts that may refer to each other, all or none.
pub(crate) mod series;
/// Records with their children.
pub(crate) mod tree;
/// Parts that know nothing of each other.
pub(crate) mod batch;

#[cfg(test)]
mod tests_of_collections;
