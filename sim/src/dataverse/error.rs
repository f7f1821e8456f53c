//! Everything that Dataverse says no to, with status, code and text (dataverse.md section 3).
//!
//! Texts are documented or reported where the facts say so; clients should compare by code. Where a status is not
//! documented it is 400, as the facts infer.

use http::StatusCode;

use super::guid::Guid;
use super::protection::{Limit, Protection, grouped};

/// Why a request is not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    /// Something that the simulator does not know. Becomes a 501, never a vendor's answer.
    #[error("not simulated: {0}")]
    NotSimulated(String),
    /// No valid token. The body is empty (dataverse.md section 1.4).
    #[error("unauthorized")]
    Unauthorized,
    /// A valid token of somebody who is not in the organisation (dataverse.md section 1.4).
    #[error("The user is not a member of the organization.")]
    NotAMember,
    /// A right that the caller's roles do not give (dataverse.md section 3.2). Assumed: the text.
    #[error("Principal user (Id={user}, type=8) is missing {privilege} privilege on OTC={code} for entity '{table}'.")]
    NoPrivilege {
        user: Guid,
        privilege: String,
        code: i64,
        table: String,
    },
    /// Somebody who may not act for others does so. Assumed: the text.
    #[error("Principal user (Id={0}, type=8) is missing prvActOnBehalfOfAnotherUser privilege.")]
    MayNotStandIn(Guid),
    /// A row given to somebody who may not read it. Assumed: that it is this refusal, and the text.
    #[error("The principal (Id={user}) to whom the row is assigned is missing {privilege} privilege.")]
    OwnerMayNotRead { user: Guid, privilege: String },
    /// A row that is not there. The text is from a recorded live answer (dataverse.md section 2.3).
    #[error("Entity '{table}' With Id = {id} Does Not Exist")]
    NoSuchRow { table: String, id: Guid },
    /// An alternate key that no row has (dataverse.md section 2.3).
    #[error("A record with the specified key values does not exist in {0} entity")]
    NoSuchKey(String),
    /// Columns that are no key of the table (dataverse.md section 2.3).
    #[error(
        "The key in the request URI is not valid for resource 'Microsoft.Dynamics.CRM.{0}'. Ensure that the names and \
         number of key properties match the declared or alternate key properties for the resource \
         'Microsoft.Dynamics.CRM.{0}'."
    )]
    NotAKey(String),
    /// A first path segment that names nothing.
    #[error("Resource not found for the segment '{0}'.")]
    NoSuchSegment(String),
    /// A function called with the wrong method (dataverse.md section 1.5).
    #[error("No HTTP resource was found that matches the request URI '{0}'.")]
    NoSuchResource(String),
    /// Assumed text: the method does not go with the resource.
    #[error("The requested resource does not support http method '{0}'.")]
    Method(String),
    /// Assumed text and status: the body is not JSON by its content type.
    #[error("The request entity's media type '{0}' is not supported for this resource.")]
    MediaType(String),
    /// Assumed text: the body is larger than the server takes.
    #[error("The request is too large: at most 1 MiB is read.")]
    TooLarge,
    /// Assumed text and status: the URL is longer than 32 KB (dataverse.md section 2.6).
    #[error("The length of the URL exceeds the maximum of 32768 characters.")]
    UrlTooLong,
    /// A column that the table does not have, in a query (dataverse.md section 3.2).
    #[error("Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.{table}'.")]
    NoSuchProperty { table: String, name: String },
    /// A query option that cannot be read, or does not fit its columns.
    #[error("{0}")]
    Query(String),
    /// A body that cannot be read, or names columns that the table does not have (dataverse.md section 3.2).
    #[error(
        "Error identified in Payload provided by the user for Entity :'{set}', For more information on this error please \
         follow this help link https://go.microsoft.com/fwlink/?linkid=2195293  ---->  InnerException : \
         Microsoft.OData.ODataException: {inner}"
    )]
    Payload { set: String, inner: String },
    /// A batch that cannot be taken apart. The text around is that of a payload (dataverse.md section 2.7).
    #[error(
        "Error identified in Payload provided by the user for Entity :'', For more information on this error please \
         follow this help link https://go.microsoft.com/fwlink/?linkid=2195293  ---->  InnerException : {0}"
    )]
    Batch(String),
    /// A lookup written under its value name, or as a bare identifier (dataverse.md section 2.2).
    #[error("CRM do not support direct update of Entity Reference properties, Use Navigation properties instead.")]
    DirectReference,
    /// A `$1` outside of a change set (dataverse.md section 2.7).
    #[error("Content-ID Reference: '{0}' does not exist in the batch context.")]
    ContentId(String),
    /// Text that is too long (dataverse.md section 3.2).
    #[error(
        "A validation error occurred.  The length of the '{column}' attribute of the '{table}' entity exceeded the \
         maximum allowed length of '{max}'."
    )]
    TooLong { table: String, column: String, max: usize },
    /// A choice that is none (dataverse.md section 3.2).
    #[error(
        "A validation error occurred. The value {value} of '{column}' on record of type '{table}' is outside the valid \
         range. Accepted Values: {accepted}"
    )]
    NoSuchChoice {
        table: String,
        column: String,
        value: i64,
        accepted: String,
    },
    /// A whole number out of its bounds.
    #[error(
        "A validation error occurred for {table}.{column}. The value {value} of type System.Int32 is outside the valid \
         range({min} to {max})."
    )]
    IntRange {
        table: String,
        column: String,
        value: i64,
        min: i64,
        max: i64,
    },
    /// Money or a decimal out of its bounds.
    #[error(
        "A validation error occurred for {table}.{column}. The value {value} of type {kind} is outside the valid \
         range({min} to {max})."
    )]
    AmountRange {
        table: String,
        column: String,
        value: String,
        kind: &'static str,
        min: i64,
        max: i64,
    },
    /// A status of another state.
    #[error("{status} is not a valid status code for state code {state} on {table} with Id {id}.")]
    StatusOfState {
        status: i64,
        state: String,
        table: String,
        id: Guid,
    },
    /// A state set to won by an update (dataverse.md section 2.10).
    #[error(
        "This message can not be used to set the state of opportunity to {0}. In order to set state of opportunity to \
         {0}, use the {0} message instead."
    )]
    UseMessage(&'static str),
    /// A closed opportunity closed again (dataverse.md section 2.10).
    #[error("The opportunity is already closed.")]
    AlreadyClosed,
    /// An open opportunity reopened (dataverse.md section 2.10).
    #[error("The opportunity is already in the open state.")]
    AlreadyOpen,
    /// Assumed code, status and text: a closed opportunity is written.
    #[error("Cannot update a closed opportunity. Reopen it first.")]
    ReadOnlyRow,
    /// An existing key (dataverse.md section 2.2).
    #[error("A record with matching key values already exists.")]
    Duplicate,
    /// A row that others hold on to is deleted (dataverse.md section 3.2). Assumed: the text.
    #[error("The record cannot be deleted because it is associated with a record of '{0}'.")]
    Associated(String),
    /// A second currency of one code (dataverse.md section 6). Assumed: the text.
    #[error("The currency with the code '{0}' exists already.")]
    DuplicateCurrency(String),
    /// A deal in another currency than its price list (dataverse.md section 3.2). Assumed: the text.
    #[error("The currency of the opportunity differs from the currency of its price list.")]
    CurrencyMismatch,
    /// A product on a deal without a price list (dataverse.md section 3.2). Assumed: the text.
    #[error("A price list is mandatory for an existing product.")]
    PriceListMissing,
    /// An entity tag that is none (dataverse.md section 3.2). Assumed: that it is this refusal, and the text.
    #[error("The RowVersion property must be provided when the value of ConcurrencyBehavior is IfRowVersionMatches.")]
    VersionMissing,
    /// An entity tag for a table without optimistic concurrency (dataverse.md section 3.2). Assumed: the text.
    #[error("Optimistic concurrency isn't enabled for entity type {0}.")]
    ConcurrencyOff(String),
    /// A duplicate that duplicate detection found (dataverse.md section 2.2). The documented example has status 500.
    #[error("A record was not created or updated because a duplicate of the current record already exists.")]
    DuplicateDetected,
    /// The values of an alternate key that another row has (dataverse.md section 3.2).
    #[error(
        "Entity Key {key} violated. A record with the same value for {columns} already exists. A duplicate record cannot \
         be created. Select one or more unique values and try again."
    )]
    DuplicateKey { key: String, columns: String },
    /// `If-Match` with an older version (dataverse.md section 2.4).
    #[error("The version of the existing record doesn't match the RowVersion property provided.")]
    Version,
    /// A service protection limit (dataverse.md section 3.3).
    #[error("{}", too_much(*limit, *limits))]
    TooMuch {
        limit: Limit,
        limits: Protection,
        /// Seconds until it is worth trying again.
        wait: u64,
    },
    /// `FetchXML` that cannot be read. Assumed text and code: the facts name none.
    #[error("{0}")]
    Fetch(String),
    /// A column that the table does not have, in `FetchXML`. Assumed text and code.
    #[error("'{table}' entity doesn't contain attribute with Name = '{name}' and NameMapping = 'Logical'.")]
    NoSuchAttribute { table: String, name: String },
    /// Too many rows for `$apply` (dataverse.md section 2.6).
    #[error("AggregateQueryRecordLimit exceeded. Cannot perform this operation.")]
    AggregateLimit,
    /// A table whose changes nobody can follow (dataverse.md section 2.8).
    #[error("Change tracking is not enabled for entity '{0}'.")]
    NotTracked(String),
    /// Assumed code, status and text: a delta token that is too old (dataverse.md section 2.8 says that it dies).
    #[error("Version stamp associated with the client has expired. Please perform a full sync.")]
    TokenExpired,
    /// Metadata that are not there. Assumed code, status and text.
    #[error("Could not find the metadata '{0}'.")]
    NoSuchMetadata(String),
    /// An argument that makes no sense.
    #[error("{0}")]
    Argument(String),
}

impl Fault {
    /// Status and code.
    pub(super) fn status_and_code(&self) -> (StatusCode, &'static str) {
        let bad = StatusCode::BAD_REQUEST;
        match self {
            Self::NotSimulated(_) => (StatusCode::NOT_IMPLEMENTED, ""),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, ""),
            Self::NotAMember => (StatusCode::FORBIDDEN, "0x80072560"),
            Self::NoPrivilege { .. } => (StatusCode::FORBIDDEN, "0x80040220"),
            Self::OwnerMayNotRead { .. } => (StatusCode::FORBIDDEN, "0x80040231"),
            Self::MayNotStandIn(_) => (StatusCode::FORBIDDEN, "0x80048405"),
            Self::NoSuchRow { .. } | Self::NoSuchMetadata(_) => (StatusCode::NOT_FOUND, "0x80040217"),
            Self::NoSuchKey(_) => (StatusCode::NOT_FOUND, "0x80060891"),
            Self::NoSuchSegment(_) => (StatusCode::NOT_FOUND, "0x80060888"),
            Self::NoSuchResource(_) => (StatusCode::NOT_FOUND, ""),
            Self::Method(_) => (StatusCode::METHOD_NOT_ALLOWED, ""),
            Self::MediaType(_) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, ""),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "0x80048d19"),
            Self::UrlTooLong => (StatusCode::URI_TOO_LONG, ""),
            Self::Payload { .. } | Self::Batch(_) => (bad, "0x80048d19"),
            // Assumed: the code of a key that is none; the troubleshooting page prints 0x0.
            Self::NoSuchProperty { .. }
            | Self::NotAKey(_)
            | Self::Query(_)
            | Self::DirectReference
            | Self::ContentId(_) => (bad, "0x80060888"),
            Self::TooLong { .. } => (bad, "0x80044331"),
            Self::NoSuchChoice { .. } => (bad, "0x8004431a"),
            Self::IntRange { .. } => (bad, "0x8004432f"),
            Self::AmountRange { .. } => (bad, "0x80044330"),
            Self::StatusOfState { .. } => (bad, "0x80048408"),
            Self::UseMessage(_) => (bad, "0x80100005"),
            Self::AlreadyClosed => (bad, "0x80040515"),
            Self::AlreadyOpen => (bad, "0x8004051a"),
            Self::NoSuchAttribute { .. } => (bad, "0x80041103"),
            Self::AggregateLimit => (bad, "0x8004e023"),
            Self::NotTracked(_) => (bad, "0x80072491"),
            Self::TokenExpired => (bad, "0x80044352"),
            Self::ReadOnlyRow | Self::Argument(_) | Self::Fetch(_) => (bad, "0x80040203"),
            Self::TooMuch { limit, .. } => {
                let code = match limit {
                    Limit::Requests => "0x80072322",
                    Limit::Execution => "0x80072321",
                    Limit::Concurrent => "0x80072326",
                };
                (StatusCode::TOO_MANY_REQUESTS, code)
            }
            Self::Associated(_) => (StatusCode::METHOD_NOT_ALLOWED, "0x80040227"),
            Self::DuplicateCurrency(_) => (bad, "0x80048cf3"),
            Self::CurrencyMismatch => (bad, "0x80100004"),
            Self::PriceListMissing => (bad, "0x80100010"),
            Self::VersionMissing => (bad, "0x80060883"),
            Self::ConcurrencyOff(_) => (bad, "0x8006088d"),
            Self::DuplicateDetected => (StatusCode::INTERNAL_SERVER_ERROR, "0x80040333"),
            Self::DuplicateKey { .. } => (StatusCode::PRECONDITION_FAILED, "0x80060892"),
            Self::Duplicate => (StatusCode::PRECONDITION_FAILED, "0x80040237"),
            Self::Version => (StatusCode::PRECONDITION_FAILED, "0x80060882"),
        }
    }

    /// A body fault of one table.
    pub(super) fn payload(set: &str, inner: impl Into<String>) -> Self {
        Self::Payload {
            set: set.to_owned(),
            inner: inner.into(),
        }
    }

    /// A missing row.
    pub(super) fn no_such_row(table: &str, id: Guid) -> Self {
        Self::NoSuchRow {
            table: table.to_owned(),
            id,
        }
    }
}

fn too_much(limit: Limit, limits: Protection) -> String {
    let window = limits.window.as_secs();
    match limit {
        Limit::Requests => format!(
            "Number of requests exceeded the limit of {} over time window of {window} seconds.",
            limits.requests
        ),
        Limit::Execution => format!(
            "Combined execution time of incoming requests exceeded limit of {} milliseconds over time window of \
             {window} seconds. Decrease number of concurrent requests or reduce the duration of requests and try again \
             later.",
            grouped(limits.execution.as_millis())
        ),
        Limit::Concurrent => format!(
            "Number of concurrent requests exceeded the limit of {}.",
            limits.concurrent
        ),
    }
}
