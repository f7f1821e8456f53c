//! The reference co-sell connector.
