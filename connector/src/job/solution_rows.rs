//! Which row of the CRM's solutions belongs to which opportunity, where the CRM tells which rows were deleted: of a deleted row it gives
//! nothing but the id (dataverse.md section 2.8).

use std::collections::BTreeMap;

use crate::id::OpportunityId;

/// So many rows are known at most; of what is beyond, a removal shows with the deal's next change.
const MOST_ROWS: usize = 2_000_000;

/// How far the CRM's changes of solution rows were followed.
#[derive(Debug, Default)]
pub(crate) struct SolutionRows {
    /// Where the next changes are read; none before all rows were read once.
    pub(crate) link: Option<String>,
    /// The CRM does not tell which rows were deleted.
    pub(crate) untracked: bool,
    of: BTreeMap<u128, u128>,
}

/// A guid as a number.
fn number(guid: &str) -> Option<u128> {
    u128::from_str_radix(&guid.replace('-', ""), 16).ok()
}

/// A number as a guid.
fn guid(number: u128) -> String {
    let hex = format!("{number:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

impl SolutionRows {
    /// Forgets all rows: they are read anew.
    pub(crate) fn forget(&mut self) {
        self.of.clear();
        self.link = None;
    }

    /// Notes to which opportunity a row belongs.
    pub(crate) fn note(&mut self, row: &str, opportunity: &OpportunityId) {
        if let (Some(row), Some(opportunity)) = (number(row), number(opportunity.as_str()))
            && (self.of.len() < MOST_ROWS || self.of.contains_key(&row))
        {
            self.of.insert(row, opportunity);
        }
    }

    /// Takes out a row that was deleted: the opportunity that it belonged to.
    pub(crate) fn take(&mut self, row: &str) -> Option<OpportunityId> {
        let opportunity = self.of.remove(&number(row)?)?;
        Some(OpportunityId::new(guid(opportunity)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deleted_row_is_traced_to_its_opportunity_once() {
        let (row, opportunity) = (
            "0111fffc-f9ee-4d53-bba6-569135228642",
            "4111fffc-f9ee-4d53-bba6-569135228642",
        );
        let mut rows = SolutionRows::default();
        rows.note(row, &OpportunityId::new(opportunity));
        rows.note("no guid", &OpportunityId::new(opportunity));
        assert_eq!(rows.take(row), Some(OpportunityId::new(opportunity)));
        assert_eq!(rows.take(row), None);
        assert_eq!(rows.take("no guid"), None);
    }
}
