//! One exchange through the proxy: to the system as the client sent it, and back as the system answered, but for the base URLs.
//!
//! Text that may hold links is read whole, up to a bound; everything else flows through as it comes.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use cosell_sim::site::Site;
use cosell_sim::world::observation::Leg;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use http_body_util::BodyExt as _;

use super::Desk;
use super::links::{to_local, to_upstream};
use super::tape::Sent;

/// The longest request that is taken, in bytes: above the vendors' longest upload.
const REQUEST_MAX: usize = 160 << 20;
/// The longest reply that is read whole for its links, in bytes, compressed or not.
const REPLY_MAX: usize = 32 << 20;
/// How much of what flows through is written down, in bytes.
const KEPT_MAX: usize = 1 << 20;

/// Headers between two neighbours, which are not passed on.
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// What answers at one of the proxy's ports.
#[derive(Clone, Debug)]
pub(super) struct Door {
    pub(super) desk: Arc<Desk>,
    pub(super) site: Site,
    /// The system's base URL.
    pub(super) upstream: String,
}

/// Takes a request, and comes back with the system's answer.
pub(super) async fn carry(State(door): State<Door>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = match http_body_util::Limited::new(body, REQUEST_MAX).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => {
            let status = StatusCode::PAYLOAD_TOO_LARGE;
            return own_answer(
                status,
                &format!("the request could not be read ({error}), or has more than {REQUEST_MAX} bytes"),
            );
        }
    };
    let routes = door.desk.routes();
    let path = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let url = format!("{}{}", door.upstream, to_upstream(path, &routes));
    let mut headers = passed_on(&parts.headers, |text| to_upstream(text, &routes));
    headers.remove(HOST);
    headers.remove(CONTENT_LENGTH);
    let gzip = parts
        .headers
        .get(ACCEPT_ENCODING)
        .is_some_and(|value| mentions(value, "gzip"));
    let encoding = if gzip { "gzip" } else { "identity" };
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(encoding));
    let body = match std::str::from_utf8(&body) {
        Ok(text) if holds_links(&parts.headers) => Bytes::from(to_upstream(text, &routes)),
        _ => body,
    };
    let Ok(uri) = url.parse::<http::Uri>() else {
        return own_answer(StatusCode::BAD_REQUEST, "the request's path cannot be sent on");
    };
    let mut request = http::Request::new(body);
    *request.method_mut() = parts.method;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    send(&door, request, &url).await
}

async fn send(door: &Door, request: http::Request<Bytes>, url: &str) -> Response {
    let sent = door.desk.tape.sent(door.site, &readable(&request));
    let (parts, body) = request.into_parts();
    let has_body = !body.is_empty() || matches!(parts.method.as_str(), "POST" | "PUT" | "PATCH");
    let mut sending = door.desk.client.request(parts.method, url).headers(parts.headers);
    if has_body {
        sending = sending.body(body);
    }
    match sending.send().await {
        Ok(response) => answer(door, sent, response).await,
        Err(error) => {
            let leg = if error.is_connect() { Leg::Request } else { Leg::Reply };
            door.desk.tape.lost(&sent, leg);
            let told = format!("{} cannot be reached: {}", door.upstream, super::reason(&error));
            door.desk.tell(&told);
            let status = if error.is_timeout() {
                StatusCode::GATEWAY_TIMEOUT
            } else {
                StatusCode::BAD_GATEWAY
            };
            own_answer(status, &told)
        }
    }
}

/// A request with its body as text, when it was compressed: for the trace alone.
fn readable(request: &http::Request<Bytes>) -> http::Request<Bytes> {
    let mut copy = request.clone();
    if request
        .headers()
        .get(CONTENT_ENCODING)
        .is_some_and(|value| mentions(value, "gzip"))
        && let Some(body) = unzipped(request.body())
    {
        *copy.body_mut() = body;
        copy.headers_mut().remove(CONTENT_ENCODING);
    }
    copy
}

async fn answer(door: &Door, sent: Sent, mut response: reqwest::Response) -> Response {
    let (status, headers) = (response.status(), response.headers().clone());
    let length = response.content_length().unwrap_or_default();
    if !holds_links(&headers) || length > REPLY_MAX as u64 {
        return flow(door, sent, response, Vec::new());
    }
    let mut whole: Vec<u8> = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => whole.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(error) => {
                door.desk.tape.lost(&sent, Leg::Reply);
                let told = format!("{} broke off its answer: {}", door.upstream, super::reason(&error));
                door.desk.tell(&told);
                return own_answer(StatusCode::BAD_GATEWAY, &told);
            }
        }
        if whole.len() > REPLY_MAX {
            return flow(door, sent, response, whole);
        }
    }
    let whole = Bytes::from(whole);
    let zipped = headers
        .get(CONTENT_ENCODING)
        .is_some_and(|value| !mentions(value, "identity"));
    let plain = if zipped { unzipped(&whole) } else { Some(whole.clone()) };
    let mut recorded = http::Response::new(plain.clone().unwrap_or_else(|| whole.clone()));
    *recorded.status_mut() = status;
    *recorded.headers_mut() = headers.clone();
    if plain.is_some() {
        recorded.headers_mut().remove(CONTENT_ENCODING);
    }
    door.desk.tape.answered(&sent, &recorded);
    let body = recorded.into_body();
    if sent.site == Site::Salesforce {
        door.desk.meet_instances(&body).await;
    }
    let routes = door.desk.routes();
    let mut passed = passed_on(&headers, |text| to_local(text, &routes));
    let body = match (plain.is_some(), std::str::from_utf8(&body)) {
        (true, Ok(text)) => {
            passed.remove(CONTENT_ENCODING);
            Bytes::from(to_local(text, &routes))
        }
        _ => body,
    };
    // A reply to HEAD, or without a body, says a length that no body has.
    if !body.is_empty() {
        passed.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    }
    respond(status, passed, Body::from(body))
}

/// Passes a reply on as it comes, behind what has been read of it.
fn flow(door: &Door, sent: Sent, response: reqwest::Response, start: Vec<u8>) -> Response {
    let (status, headers) = (response.status(), response.headers().clone());
    let routes = door.desk.routes();
    let passed = passed_on(&headers, |text| to_local(text, &routes));
    let flowing = Flowing {
        desk: Arc::clone(&door.desk),
        sent,
        status,
        headers,
        kept: start.iter().take(KEPT_MAX).copied().collect(),
        start: (!start.is_empty()).then(|| Bytes::from(start)),
        response,
        is_over: false,
    };
    let stream = futures_util::stream::unfold(flowing, |mut flowing| async move {
        let next = flowing.next().await;
        next.map(|chunk| (chunk, flowing))
    });
    respond(status, passed, Body::from_stream(stream))
}

/// A reply on its way, written down when it is over.
struct Flowing {
    desk: Arc<Desk>,
    sent: Sent,
    status: StatusCode,
    headers: HeaderMap,
    start: Option<Bytes>,
    kept: Vec<u8>,
    response: reqwest::Response,
    is_over: bool,
}

impl Flowing {
    async fn next(&mut self) -> Option<Result<Bytes, reqwest::Error>> {
        if self.is_over {
            return None;
        }
        if let Some(start) = self.start.take() {
            return Some(Ok(start));
        }
        match self.response.chunk().await {
            Ok(Some(chunk)) => {
                let room = KEPT_MAX.saturating_sub(self.kept.len()).min(chunk.len());
                self.kept.extend_from_slice(&chunk[..room]);
                Some(Ok(chunk))
            }
            Ok(None) => {
                self.is_over = true;
                let mut recorded = http::Response::new(Bytes::from(std::mem::take(&mut self.kept)));
                *recorded.status_mut() = self.status;
                *recorded.headers_mut() = self.headers.clone();
                self.desk.tape.answered(&self.sent, &recorded);
                None
            }
            Err(error) => {
                self.is_over = true;
                self.desk.tape.lost(&self.sent, Leg::Reply);
                Some(Err(error))
            }
        }
    }
}

impl Drop for Flowing {
    fn drop(&mut self) {
        // The client went away before the end.
        if !self.is_over {
            self.desk.tape.lost(&self.sent, Leg::Reply);
        }
    }
}

fn respond(status: StatusCode, headers: HeaderMap, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// An answer of the proxy's own, which says so.
fn own_answer(status: StatusCode, told: &str) -> Response {
    let body = serde_json::json!({"error": {"code": "cosell.record", "message": told}}).to_string();
    let mut response = respond(status, HeaderMap::new(), Body::from(body));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn passed_on(headers: &HeaderMap, change: impl Fn(&str) -> String) -> HeaderMap {
    let mut passed = HeaderMap::new();
    let named: Vec<String> = headers
        .get_all("connection")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    let stays =
        |name: &HeaderName| HOP_BY_HOP.contains(&name.as_str()) || named.iter().any(|known| known == name.as_str());
    for (name, value) in headers.iter().filter(|(name, _)| !stays(name)) {
        let changed = value.to_str().ok().map(&change);
        let changed = changed.and_then(|text| HeaderValue::from_str(&text).ok());
        passed.append(name.clone(), changed.unwrap_or_else(|| value.clone()));
    }
    passed.remove(TRANSFER_ENCODING);
    passed
}

fn mentions(value: &HeaderValue, word: &str) -> bool {
    value
        .to_str()
        .is_ok_and(|text| text.to_ascii_lowercase().contains(word))
}

/// Whether a body is text in which links stand.
fn holds_links(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return true;
    };
    let kind = kind.to_ascii_lowercase();
    let streams = kind.starts_with("text/event-stream") || kind.starts_with("text/csv");
    let text = ["json", "xml", "text/", "x-www-form-urlencoded", "multipart/mixed"];
    !streams && text.iter().any(|part| kind.contains(part))
}

/// What a gzip stream holds; none when it is none, or holds too much.
fn unzipped(body: &Bytes) -> Option<Bytes> {
    use std::io::Read as _;
    let mut plain = Vec::new();
    let most = REPLY_MAX as u64 + 1;
    let read = flate2::read::MultiGzDecoder::new(&body[..])
        .take(most)
        .read_to_end(&mut plain);
    read.ok().filter(|_| plain.len() <= REPLY_MAX)?;
    Some(Bytes::from(plain))
}
