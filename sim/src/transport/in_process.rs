//! Calls a router as a service: no socket, no runtime, no waiting.
//!
//! It relies on the systems' promise that no handler waits for anything but a body that is already in memory.

use axum::Router;
use axum::body::{Body, HttpBody as _};
use bytes::Bytes;
use futures_util::FutureExt as _;
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, StatusCode};
use http_body_util::BodyExt as _;
use tower::Service as _;

use super::origin_form;
use crate::reply::Said;
use crate::systems::Desk;

/// One exchange with a router.
pub fn call(router: &mut Router, request: http::Request<Bytes>) -> http::Response<Bytes> {
    let answer = router.call(origin_form(request).map(Body::from)).now_or_never();
    let response: axum::response::Response = match answer.expect("simulated handlers never wait") {
        Ok(response) => response,
        Err(never) => match never {},
    };
    collected(response)
}

/// One exchange with what stands behind a router, or with the router where that is all there is.
pub(crate) fn ask(
    (router, desk): (&mut Router, Option<&Desk>),
    request: http::Request<Bytes>,
) -> http::Response<Bytes> {
    // The router's answer to HEAD has no body, which is the router's doing.
    let Some(desk) = desk.filter(|_| request.method() != http::Method::HEAD) else {
        return call(router, request);
    };
    match desk(origin_form(request)) {
        Said::Whole(response) => framed(response),
        Said::Handled(response) => collected(response),
        Said::Elsewhere(request) => call(router, request),
    }
}

/// A response whose body is in memory.
fn collected(response: axum::response::Response) -> http::Response<Bytes> {
    let (parts, mut body) = response.into_parts();
    let first = body.frame().now_or_never().expect("simulated bodies are in memory");
    // A body in memory cannot fail halfway.
    let mut whole = first.and_then(Result::ok).and_then(|frame| frame.into_data().ok());
    if !body.is_end_stream() {
        let rest = body.collect().now_or_never().expect("simulated bodies are in memory");
        let rest = rest.map_or_else(|_| Bytes::new(), http_body_util::Collected::to_bytes);
        whole = Some([whole.unwrap_or_default(), rest].concat().into());
    }
    framed(http::Response::from_parts(parts, whole.unwrap_or_default()))
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
