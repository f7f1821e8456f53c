//! HTTP: which path and method leads where (partner-center.md section 1.1). Everything else is refused by name.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, patch, post};
use http::{HeaderValue, Method, Uri, header};

use super::call::Call;
use super::signature::{CERTIFICATE_PATH, certificate};
use super::{PartnerCenter, referrals, registration};
use crate::reply::{Said, refuse};
use crate::site::Site;

/// The router of both hosts.
pub(super) fn router(partner_center: &PartnerCenter) -> Router {
    let one = get(referrals::read).patch(referrals::patch).put(referrals::replace);
    let hook = get(registration::view)
        .post(registration::register)
        .put(registration::register_again);
    Router::new()
        .route(
            "/v1.0/engagements/referrals",
            get(referrals::all).post(referrals::create),
        )
        .route("/v1.0/engagements/referrals/{id}", one)
        // The two forms of deal registration differ by their slashes alone.
        .route("/v1.0/engagements/referrals/{id}/", patch(referrals::register_deal))
        .route(
            "/v1.0/engagements/referrals/{id}//",
            patch(referrals::update_registration),
        )
        // The address that events carry.
        .route("/engagements/v1/referrals/{id}", get(referrals::read_from_event))
        .route("/webhooks/v1/registration", hook)
        .route("/webhooks/v1/registration/events", get(registration::events))
        .route(
            "/webhooks/v1/registration/validationEvents",
            post(registration::validate),
        )
        .route(
            "/webhooks/v1/registration/validationEvents/{id}",
            get(registration::report),
        )
        .route(CERTIFICATE_PATH, get(certificate_file))
        .fallback(unknown)
        .method_not_allowed_fallback(unknown)
        .with_state(partner_center.clone())
}

/// What answers a call as the router does, for the calls that a connector makes all the time; none for the others.
fn at_desk(method: &Method, path: &str) -> Option<fn(&PartnerCenter, &Call) -> Response> {
    let Some(rest) = path.strip_prefix("/v1.0/engagements/referrals") else {
        return match *method {
            _ if path != "/webhooks/v1/registration" => None,
            Method::GET => Some(registration::viewed),
            Method::POST => Some(registration::registered),
            Method::PUT => Some(registration::registered_again),
            _ => None,
        };
    };
    let id = rest.strip_prefix('/').unwrap_or_default();
    let one = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    match *method {
        Method::GET if rest.is_empty() => Some(referrals::listed),
        Method::POST if rest.is_empty() => Some(referrals::created),
        Method::GET if one => Some(referrals::shown),
        Method::PATCH if one => Some(referrals::patched),
        Method::PUT if one => Some(referrals::replaced),
        _ => None,
    }
}

impl PartnerCenter {
    /// Answers a request whose body is there, if it is one that is made all the time.
    pub(crate) fn answer_at_once(&self, request: http::Request<Bytes>) -> Said {
        match at_desk(request.method(), request.uri().path()) {
            Some(answer) => Said::Handled(answer(self, &Call::at_once(request))),
            None => Said::Elsewhere(request),
        }
    }
}

async fn certificate_file() -> Response {
    let mut response = Response::new(Body::from(Bytes::from_static(certificate())));
    let value = HeaderValue::from_static("application/pkix-cert");
    response.headers_mut().insert(header::CONTENT_TYPE, value);
    response
}

/// Everything else is refused.
async fn unknown(State(it): State<PartnerCenter>, method: Method, uri: Uri) -> Response {
    refuse(&it.ground.happenings, Site::PartnerCenter, &method, &uri, "route")
}
