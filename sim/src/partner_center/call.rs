//! A request as the handlers want it, and what every answer is made of.
//!
//! It knows HTTP and no resource.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};

use super::error::Problem;
use crate::happening::Happenings;
use crate::identity::{Authority, Grant, TokenFault};
use crate::reply::refuse;
use crate::site::Site;

/// The largest body. Assumed: no limit is documented.
const LARGEST_BODY: usize = 1024 * 1024;

/// A request whose body has been read, or was too large.
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    body: Option<Bytes>,
}

impl Call {
    pub(super) async fn of(request: Request) -> Self {
        let (parts, body) = request.into_parts();
        Self {
            method: parts.method,
            uri: parts.uri,
            headers: parts.headers,
            body: to_bytes(body, LARGEST_BODY).await.ok(),
        }
    }

    /// A request whose body is there.
    pub(super) fn at_once(request: http::Request<Bytes>) -> Self {
        let (parts, body) = request.into_parts();
        Self {
            method: parts.method,
            uri: parts.uri,
            headers: parts.headers,
            body: (body.len() <= LARGEST_BODY).then_some(body),
        }
    }

    /// The body of a write, which must be JSON.
    pub(super) fn json(&self) -> Result<&Bytes, Problem> {
        let content_type = self.text(header::CONTENT_TYPE).unwrap_or_default();
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/json") {
            return Err(Problem::UnsupportedMediaType);
        }
        self.body.as_ref().ok_or(Problem::TooLarge)
    }

    fn text(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Refuses every option of a URL that has none.
    pub(super) fn no_options(&self) -> Result<(), Problem> {
        let option = self.uri.query().and_then(|query| query.split(['=', '&']).next());
        match option.filter(|option| !option.is_empty()) {
            Some(option) => Err(Problem::NotSimulated(format!("query option `{option}`"))),
            None => Ok(()),
        }
    }

    /// Whether `Prefer: return=representation` asks for the changed referral.
    pub(super) fn wants_representation(&self) -> bool {
        let prefer = self.text(HeaderName::from_static("prefer")).unwrap_or_default();
        prefer
            .split([',', ';'])
            .any(|one| one.trim().eq_ignore_ascii_case("return=representation"))
    }

    /// The last segment of the path, slashes behind it aside. A guid needs no escapes, so an escaped one is not found.
    pub(super) fn id(&self) -> &str {
        let path = self.uri.path().trim_end_matches('/');
        path.rsplit('/').next().unwrap_or_default()
    }

    /// Whom the token stands for. It must be for one of the audiences, or for the base URL in force.
    pub(super) fn grant(
        &self,
        authority: &Authority,
        audiences: &[&str],
        base: impl FnOnce() -> String,
    ) -> Result<Grant, TokenFault> {
        for audience in audiences {
            match authority.check(&self.headers, audience) {
                Err(TokenFault::WrongAudience) => {}
                decided => return decided,
            }
        }
        authority.check(&self.headers, &base())
    }

    /// Refuses the request with 501, and notes what is missing.
    pub(super) fn refuse(&self, happenings: &Happenings, missing: &str) -> Response {
        refuse(happenings, Site::PartnerCenter, &self.method, &self.uri, missing)
    }
}

/// A JSON answer from text that is already printed.
pub(super) fn json(status: StatusCode, body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let value = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, value);
    response
}

/// Adds a header whose value is known to be printable.
pub(super) fn insert(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}
