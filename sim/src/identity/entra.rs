//! The Entra ID token endpoint (dataverse.md sections 1.1 to 1.3).
