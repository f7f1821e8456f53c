//! Calls a router as a service: no socket, no runtime, no waiting.
//!
//! It relies on the systems' promise that no handler waits for anything but a body that is already in memory.

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use futures_util::FutureExt as _;
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
    let (parts, body) = response.into_parts();
    let body = body.collect().now_or_never().expect("simulated bodies are in memory");
    // A body in memory cannot fail halfway.
    let body = body.map_or_else(|_| Bytes::new(), http_body_util::Collected::to_bytes);
    http::Response::from_parts(parts, body)
}
