//! Refusals in Salesforce's words: a status and an array of messages with codes (salesforce.md section 2.9).
//!
//! What is not simulated is no error of the vendor: [`Problem::NotSimulated`] becomes the loud 501.

use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};

use crate::reply::json_reply;

/// The content type of every answer (salesforce.md section 2.8).
pub(crate) const JSON: &str = "application/json;charset=UTF-8";

/// One message of a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Complaint {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    /// Only refused writes name fields, and they always do.
    pub(crate) fields: Option<Vec<String>>,
    /// What a duplicate rule found.
    pub(crate) duplicates: Option<Box<Value>>,
}

/// Why a request is not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Problem {
    /// As Salesforce refuses.
    #[error("{status}: {complaints:?}")]
    Refused {
        status: StatusCode,
        complaints: Vec<Complaint>,
    },
    /// It needs something that is not simulated.
    #[error("{0} is not simulated")]
    NotSimulated(String),
}

impl Problem {
    /// One message without fields.
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        let complaint = Complaint {
            code,
            message: message.into(),
            fields: None,
            duplicates: None,
        };
        Self::Refused {
            status,
            complaints: vec![complaint],
        }
    }

    /// One message, status 400, without fields.
    pub(crate) fn bad(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// A refused write: one message that names fields.
    pub(crate) fn write(code: &'static str, message: impl Into<String>, fields: &[&str]) -> Self {
        Self::writes(vec![Complaint::new(code, message, fields)])
    }

    /// A refused write: several messages.
    pub(crate) fn writes(complaints: Vec<Complaint>) -> Self {
        Self::Refused {
            status: StatusCode::BAD_REQUEST,
            complaints,
        }
    }

    /// What the caller must not guess.
    pub(crate) fn not_simulated(missing: impl Into<String>) -> Self {
        Self::NotSimulated(missing.into())
    }

    /// No such record, or no such resource.
    pub(crate) fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "NOT_FOUND",
            "The requested resource does not exist",
        )
    }

    /// A record in the recycle bin. Status 404: general knowledge.
    pub(crate) fn deleted() -> Self {
        Self::new(StatusCode::NOT_FOUND, "ENTITY_IS_DELETED", "entity is deleted")
    }
}

impl Complaint {
    /// A message of a refused write.
    pub(crate) fn new(code: &'static str, message: impl Into<String>, fields: &[&str]) -> Self {
        Self {
            code,
            message: message.into(),
            fields: Some(fields.iter().map(|&field| field.to_owned()).collect()),
            duplicates: None,
        }
    }

    /// A record that would have been written, had not another one failed.
    pub(crate) fn rolled_back() -> Self {
        let message =
            "Record rolled back because not all records were valid and the request was using AllOrNone header";
        Self::new("ALL_OR_NONE_OPERATION_ROLLED_BACK", message, &[])
    }

    /// As an element of a collection's result prints it: another name for the code, and always with fields.
    pub(crate) fn to_element(&self) -> Value {
        json!({"statusCode": self.code, "message": self.message, "fields": self.fields.as_deref().unwrap_or_default()})
    }

    fn to_value(&self) -> Value {
        if let Some(found) = &self.duplicates {
            return json!({"duplicateResult": found, "errorCode": self.code, "message": self.message});
        }
        match &self.fields {
            Some(fields) => json!({"message": self.message, "errorCode": self.code, "fields": fields}),
            None => json!({"message": self.message, "errorCode": self.code}),
        }
    }
}

/// The body of a refusal.
pub(crate) fn complaints_value(complaints: &[Complaint]) -> Value {
    Value::Array(complaints.iter().map(Complaint::to_value).collect())
}

/// The answer to a refused request.
pub(crate) fn refusal(status: StatusCode, complaints: &[Complaint]) -> Response {
    json_reply(status, JSON, &complaints_value(complaints))
}
