//! TLS for the servers on loopback: a certificate authority that lives as long as they do, and a listener that speaks TLS.
//!
//! It protects nothing: its only purpose is that clients which insist on `https://` can be used as they are, once they
//! trust the authority's certificate. Keys never leave the process.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::Listener;
use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{ServerConfig, crypto, version};
use tokio_rustls::server::TlsStream;

/// The names under which the servers are reached.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
/// How long the certificates are good. Some clients take none that is good for more than 825 days.
const GOOD_FOR: SignedDuration = SignedDuration::from_hours(365 * 24);
/// How long a client may take over its handshake.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many handshakes are under way at once on one thread.
const AT_ONCE: usize = 256;
/// How much is read of a request that came without TLS before it is answered all the same.
const LONGEST_HEAD: usize = 16 * 1024;

/// A certificate authority made for one set of servers, and the certificate that it gave them.
#[derive(Clone)]
pub(super) struct Certificates {
    authority: String,
    acceptor: TlsAcceptor,
}

impl std::fmt::Debug for Certificates {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Certificates").finish_non_exhaustive()
    }
}

impl Certificates {
    /// Makes keys and certificates, good from a day before `now`: the machine's time, whatever the systems' clock says,
    /// because the client reads the machine's. The keys are chance that no trace ever shows.
    pub(super) fn new(now: Timestamp) -> io::Result<Self> {
        let (from, until) = (now - SignedDuration::from_hours(24), now + GOOD_FOR);
        let (from, until) = (date_of(from)?, date_of(until)?);
        let mut own = CertificateParams::default();
        own.distinguished_name
            .push(DnType::CommonName, "Cosell Simulator throw-away authority");
        own.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        own.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        (own.not_before, own.not_after) = (from, until);
        let authority_key = KeyPair::generate().map_err(io::Error::other)?;
        let authority = own.self_signed(&authority_key).map_err(io::Error::other)?;
        let issuer = Issuer::new(own, authority_key);
        let mut leaf = CertificateParams::new(NAMES.map(str::to_owned)).map_err(io::Error::other)?;
        leaf.distinguished_name.push(DnType::CommonName, NAMES[0]);
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        // Strict clients (Python from 3.13) want to see which key signed it.
        leaf.use_authority_key_identifier_extension = true;
        (leaf.not_before, leaf.not_after) = (from, until);
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let certificate = leaf.signed_by(&key, &issuer).map_err(io::Error::other)?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let chain = vec![certificate.der().clone(), authority.der().clone()];
        Ok(Self {
            authority: authority.pem(),
            acceptor: TlsAcceptor::from(Arc::new(server_config(chain, key)?)),
        })
    }

    /// The authority's certificate as PEM: what a client must trust.
    pub(super) fn authority(&self) -> &str {
        &self.authority
    }
}

/// A date as certificates want it, to the second.
fn date_of(time: Timestamp) -> io::Result<time::OffsetDateTime> {
    time::OffsetDateTime::from_unix_timestamp(time.as_second()).map_err(io::Error::other)
}

fn server_config(
    chain: Vec<tokio_rustls::rustls::pki_types::CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> io::Result<ServerConfig> {
    // Named, so that whatever else a program links decides nothing here.
    let provider = Arc::new(crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider);
    let config = config
        .with_protocol_versions(&[&version::TLS13, &version::TLS12])
        .map_err(io::Error::other)?;
    let config = config.with_no_client_auth().with_single_cert(chain, key);
    let mut config = config.map_err(io::Error::other)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Accepts connections and speaks TLS on them. A client that is slow or fails at its handshake holds up no other.
#[derive(Debug)]
pub(super) struct TlsListener {
    address: SocketAddr,
    arrived: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    accepting: AbortHandle,
}

impl Drop for TlsListener {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl TlsListener {
    /// Must be called within a tokio runtime, which does the handshakes.
    pub(super) fn new(listener: TcpListener, certificates: &Certificates) -> io::Result<Self> {
        let address = TcpListener::local_addr(&listener)?;
        let (sender, arrived) = mpsc::channel(AT_ONCE);
        let accepting = tokio::spawn(accept_all(listener, certificates.acceptor.clone(), sender));
        Ok(Self {
            address,
            arrived,
            accepting: accepting.abort_handle(),
        })
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.arrived.recv().await {
            Some(connection) => connection,
            // The task that accepts ends with the runtime only.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.address)
    }
}

async fn accept_all(
    mut listener: TcpListener,
    acceptor: TlsAcceptor,
    sender: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
) {
    let room = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        let (socket, address) = Listener::accept(&mut listener).await;
        // The semaphore is never closed.
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else {
            return;
        };
        let (acceptor, sender) = (acceptor.clone(), sender.clone());
        drop(tokio::spawn(async move {
            if let Some(stream) = shake_hands(socket, acceptor).await {
                // Nobody listens any more when the server is gone.
                drop(sender.send((stream, address)).await);
            }
            drop(permit);
        }));
    }
}

/// None when the client is not good at it: it learns that from TLS itself, or in plain words when it speaks none.
#[expect(clippy::disallowed_methods, reason = "a real client is waited for in real time")]
async fn shake_hands(socket: TcpStream, acceptor: TlsAcceptor) -> Option<TlsStream<TcpStream>> {
    // An error here is an error of the socket, which the next read reports.
    drop(socket.set_nodelay(true));
    let work = async {
        let mut first = [0];
        let peeked = socket.peek(&mut first).await.ok()?;
        if peeked == 1 && first[0].is_ascii_uppercase() {
            // A client that goes away first is nobody to tell.
            drop(tell_in_plain_words(socket).await);
            return None;
        }
        acceptor.accept(socket).await.ok()
    };
    tokio::time::timeout(PATIENCE, work).await.ok().flatten()
}

/// What a client gets that says `GET` where a handshake belongs: told once its head has come whole, however many pieces it
/// came in, and the connection ends when the client has gone. Anything sooner would end in a reset that eats the answer.
async fn tell_in_plain_words(mut socket: TcpStream) -> io::Result<()> {
    const SAID: &str = "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\ncontent-length: 44\r\n\
                        connection: close\r\n\r\nthis port speaks TLS: use https:// instead.\n";
    let mut piece = [0; 1024];
    let mut asked = Vec::new();
    while asked.len() < LONGEST_HEAD && !asked.windows(4).any(|four| four == b"\r\n\r\n") {
        let read = socket.read(&mut piece).await?;
        if read == 0 {
            break;
        }
        asked.extend_from_slice(&piece[..read]);
    }
    socket.write_all(SAID.as_bytes()).await?;
    socket.shutdown().await?;
    while socket.read(&mut piece).await? > 0 {}
    Ok(())
}
