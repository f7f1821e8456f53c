//! A webhook as it comes out of a socket, checked by libraries that share no code with the simulator: `x509-parser` reads
//! the certificate, `rsa` checks the signature (the simulator signs with `ring`).

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread::JoinHandle;

use cosell_sim::clock::default_start;
use cosell_sim::site::Site;
use cosell_sim::transport::socket::{ServeClock, ServeSettings, Served, serve};
use rsa::pkcs1::DecodeRsaPublicKey as _;
use rsa::pkcs1v15::{Signature, VerifyingKey};
use rsa::sha2::Sha256;
use rsa::signature::Verifier as _;
use serde_json::{Value, json};

const REGISTRATION: &str = "/webhooks/v1/registration";

/// What came over a socket: the lines of the head, and the body.
struct Message {
    head: Vec<String>,
    body: Vec<u8>,
}

impl Message {
    /// Reads a head and as much body as it announces.
    fn read(socket: &mut TcpStream) -> Self {
        let mut bytes = Vec::new();
        let mut part = [0; 4096];
        loop {
            let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
            if let Some(end) = end {
                let head = String::from_utf8(bytes[..end].to_vec()).expect("a head is text");
                let head: Vec<String> = head.lines().map(str::to_owned).collect();
                let mut message = Self {
                    head,
                    body: bytes[end + 4..].to_vec(),
                };
                let length = message
                    .header("content-length")
                    .map_or(0, |text| text.parse().expect("a length"));
                while message.body.len() < length {
                    let read = socket.read(&mut part).expect("the body arrives");
                    message.body.extend_from_slice(&part[..read]);
                }
                return message;
            }
            let read = socket.read(&mut part).expect("the head arrives");
            assert_ne!(read, 0, "the head is whole");
            bytes.extend_from_slice(&part[..read]);
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut pairs = self.head.iter().filter_map(|line| line.split_once(": "));
        pairs
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }
}

/// One exchange with a server at a base URL.
fn say(base: &str, line: &str, token: Option<&str>, body: &str) -> Message {
    let host = base.trim_start_matches("http://");
    let mut socket = TcpStream::connect(host).expect("the server listens");
    let token = token
        .map(|token| format!("authorization: Bearer {token}\r\n"))
        .unwrap_or_default();
    let length = body.len();
    write!(
        socket,
        "{line} HTTP/1.1\r\nhost: {host}\r\n{token}content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .expect("the request leaves");
    Message::read(&mut socket)
}

/// Receives one webhook, and accepts it.
fn receiver() -> (String, JoinHandle<Message>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
    let thread = std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().expect("somebody comes");
        let message = Message::read(&mut socket);
        socket
            .write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n")
            .expect("the answer leaves");
        message
    });
    (url, thread)
}

fn served() -> Served {
    let settings = ServeSettings {
        clock: ServeClock::Manual(default_start()),
        ..ServeSettings::default()
    };
    serve(&settings).expect("free ports")
}

/// Registers a receiver, asks for a test event, lets it be delivered; comes back with the webhook and the report.
fn test_event(served: &Served, in_ms_header: bool) -> (Message, Value) {
    let base = served.bases().of(Site::PartnerCenter);
    let token = served.token("connector", Site::PartnerCenter, REGISTRATION);
    let (url, thread) = receiver();
    let registration = json!({
        "WebhookUrl": url, "WebhookEvents": ["test-created"], "SignatureTokenToMsSignatureHeader": in_ms_header,
    });
    let call = |line: &str, body: &str| {
        let answer = say(&base, line, token.as_deref(), body);
        assert!(answer.head[0].contains("200"), "{:?}", answer.head);
        serde_json::from_slice::<Value>(&answer.body).expect("JSON")
    };
    call(&format!("POST {REGISTRATION}"), &registration.to_string());
    let asked = call(&format!("POST {REGISTRATION}/validationEvents"), "");
    let correlation = asked["correlationId"].as_str().expect("an identifier");
    let control = served.control();
    say(control, "POST /control/clock", None, r#"{"advance":"10s"}"#);
    let webhook = thread.join().expect("the webhook arrived");
    let report = call(&format!("GET {REGISTRATION}/validationEvents/{correlation}"), "");
    (webhook, report)
}

/// Checks a signature over a body with the certificate that the webhook names.
fn verifies(webhook: &Message, signature: &str, body: &[u8]) -> bool {
    let url = webhook.header("x-ms-certificate-url").expect("the certificate's URL");
    let start = url.find("/cert/").expect("the documented path");
    let file = say(&url[..start], &format!("GET {}", &url[start..]), None, "");
    let (rest, certificate) = x509_parser::parse_x509_certificate(&file.body).expect("a certificate in DER");
    assert!(rest.is_empty());
    assert!(certificate.issuer().to_string().contains("O=Cosell Simulator"));
    let key = rsa::RsaPublicKey::from_pkcs1_der(&certificate.public_key().subject_public_key.data);
    let key = VerifyingKey::<Sha256>::new(key.expect("an RSA key"));
    let bytes = decoded(signature);
    key.verify(
        body,
        &Signature::try_from(bytes.as_slice()).expect("as long as the key"),
    )
    .is_ok()
}

/// Base64, by hand: the simulator's library is not asked about its own work.
fn decoded(text: &str) -> Vec<u8> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text
        .bytes()
        .filter_map(|byte| LETTERS.iter().position(|letter| *letter == byte));
    let digits: Vec<usize> = digits.collect();
    let mut bytes = Vec::new();
    for group in digits.chunks(4) {
        let number = (0..4).fold(0, |number, at| number << 6 | group.get(at).copied().unwrap_or(0));
        let whole = [number >> 16, number >> 8 & 0xff, number & 0xff];
        let kept = whole.iter().take(group.len() - 1);
        bytes.extend(kept.map(|byte| u8::try_from(*byte).expect("a byte")));
    }
    bytes
}

#[test]
fn a_delivery_in_the_authorization_header_verifies_with_another_library() {
    let served = served();
    let (webhook, report) = test_event(&served, false);
    assert_eq!(webhook.header("x-ms-signature-algorithm"), Some("rsa-sha256"));
    assert_eq!(webhook.header("x-ms-signature"), None);
    let signature = webhook
        .header("authorization")
        .and_then(|value| value.strip_prefix("Signature "));
    let signature = signature.expect("a signature");
    assert!(verifies(&webhook, signature, &webhook.body));
    let mut forged = webhook.body.clone();
    forged[20] ^= 1;
    assert!(!verifies(&webhook, signature, &forged));
    assert_eq!(
        (&report["status"], &report["results"][0]["responseCode"]),
        (&json!("completed"), &json!("Accepted"))
    );
}

#[test]
fn a_delivery_in_the_header_for_flows_verifies_with_another_library() {
    let served = served();
    let (webhook, _) = test_event(&served, true);
    assert_eq!(webhook.header("authorization"), None);
    let signature = webhook
        .header("x-ms-signature")
        .and_then(|value| value.strip_prefix("Signature "));
    assert!(verifies(&webhook, signature.expect("a signature"), &webhook.body));
    let body: Value = serde_json::from_slice(&webhook.body).expect("JSON");
    assert_eq!(body["EventName"], "test-created");
}
