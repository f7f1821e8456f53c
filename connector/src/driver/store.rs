//! Where the core's memory is kept: a trait, and one that forgets when the process ends.
//!
//! It knows keys and texts, and nothing about deals.

use crate::contract::Memory;

/// Why something cannot be kept.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct StoreError {
    /// What failed.
    pub what: String,
    /// Why, as the store says it.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// Keeps keys and values durably.
pub trait Store {
    /// Everything that was kept.
    fn load(&mut self) -> Result<Memory, StoreError>;

    /// Keeps these entries, all or none; a key without value is removed. They are durable when it returns.
    fn keep(&mut self, entries: Vec<(String, Option<String>)>) -> Result<(), StoreError>;
}

/// A store in memory: for tests, and for a connector that may read everything again when it starts.
#[derive(Clone, Debug, Default)]
pub struct InMemory(Memory);

impl InMemory {
    /// What is kept.
    pub fn memory(&self) -> &Memory {
        &self.0
    }
}

impl Store for InMemory {
    fn load(&mut self) -> Result<Memory, StoreError> {
        Ok(self.0.clone())
    }

    fn keep(&mut self, entries: Vec<(String, Option<String>)>) -> Result<(), StoreError> {
        for (key, value) in entries {
            self.0.apply(key, value);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_loaded_again() {
        let mut store = InMemory::default();
        store
            .keep(vec![
                ("a".to_owned(), Some("1".to_owned())),
                ("b".to_owned(), Some("2".to_owned())),
            ])
            .unwrap();
        store.keep(vec![("b".to_owned(), None)]).unwrap();
        let memory = store.load().unwrap();
        assert_eq!(memory.entries().collect::<Vec<_>>(), [("a", "1")]);
    }
}
