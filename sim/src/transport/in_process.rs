//! Calls a router as a service: no socket, no runtime, no waiting.
//!
//! It relies on the systems' promise that no handler waits for anything but a body that is already in memory.

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use futures_util::FutureExt as _;
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, StatusCode};
use http_body_util::BodyExt as _;
use tower::Service as _;

use super::origin_form;

/// One exchange with a router.
pub fn call(router: &mut Router, request: http::Request<Bytes>) -> http::Response<Bytes> {
    let answer = router.call(origin_form(request).map(Body::from)).now_or_never();
    let response: axum::response::Response = match answer.expect("simulated handlers never wait") {
        Ok(response) => response,
        Err(never) => match never {},
    };
    collected(response)
}

/// One exchange with what stands behind a router that has one handler for everything.
pub(crate) fn ask(
    desk: &(dyn Fn(http::Request<Bytes>) -> axum::response::Response + Send + Sync),
    request: http::Request<Bytes>,
) -> http::Response<Bytes> {
    collected(desk(origin_form(request)))
}

/// A response whose body is in memory.
fn collected(response: axum::response::Response) -> http::Response<Bytes> {
    let (parts, body) = response.into_parts();
    let body = body.collect().now_or_never().expect("simulated bodies are in memory");
    // A body in memory cannot fail halfway.
    let body = body.map_or_else(|_| Bytes::new(), http_body_util::Collected::to_bytes);
    framed(http::Response::from_parts(parts, body))
}

/// What a server does to `Content-Length` on its way to a socket (RFC 9110 section 8.6): there is none where no body can
/// be, and otherwise there is one, be it zero.
fn framed(mut response: http::Response<Bytes>) -> http::Response<Bytes> {
    match response.status() {
        StatusCode::NO_CONTENT => {
            response.headers_mut().remove(CONTENT_LENGTH);
        }
        StatusCode::NOT_MODIFIED => {}
        _ => {
            let length = response.body().len();
            let value = || HeaderValue::from(length);
            response.headers_mut().entry(CONTENT_LENGTH).or_insert_with(value);
        }
    }
    response
}
