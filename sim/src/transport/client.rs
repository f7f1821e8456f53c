//! The client half of an exchange over a socket: sends a request exactly as it was made.
//!
//! It parses no URL, follows nothing, keeps no cookies and speaks no TLS.

use std::io;

use bytes::Bytes;
use http::{HeaderValue, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::AbortHandle;

use super::origin_form;

/// The longest response body that is read.
const BODY_LIMIT: usize = 64 << 20;

/// One connection that stays open from exchange to exchange.
#[derive(Debug)]
pub(super) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    task: AbortHandle,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Connection {
    /// Speaks HTTP on a connected socket. Must be called within a tokio runtime, which drives the connection.
    pub(super) async fn over(socket: TcpStream) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(socket)).await.map_err(io::Error::other)?;
        let task = tokio::spawn(async move {
            // An error here is the sender's error too, and is reported there.
            drop(connection.await);
        });
        let task = task.abort_handle();
        Ok(Self { sender, task })
    }

    /// Whether the other side has closed the connection.
    pub(super) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// One exchange. The request's URL is absolute; its authority becomes the `Host` header.
    pub(super) async fn exchange(&mut self, request: http::Request<Bytes>) -> io::Result<http::Response<Bytes>> {
        let host = request.uri().authority().map(http::uri::Authority::as_str);
        let host = host.and_then(|host| HeaderValue::from_str(host).ok());
        let mut request = origin_form(request).map(Full::new);
        if let Some(host) = host {
            request.headers_mut().entry(header::HOST).or_insert(host);
        }
        self.sender.ready().await.map_err(io::Error::other)?;
        let response = self.sender.send_request(request).await.map_err(io::Error::other)?;
        let (parts, body) = response.into_parts();
        let body = http_body_util::Limited::new(body, BODY_LIMIT).collect().await;
        let body = body.map_err(io::Error::other)?.to_bytes();
        Ok(http::Response::from_parts(parts, body))
    }
}
