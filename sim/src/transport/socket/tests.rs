//! Servers over a small router of the tests' own, reached as anybody would reach them.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Mutex, mpsc};

use axum::routing::{get, post};

use super::*;
use crate::clock::default_start;
use crate::fault::{Fate, Target, Targeted};
use crate::happening::Hook;
use crate::systems::Routers;

/// Says something over a socket; comes back with the answer's first line and its body.
fn say(base: &str, request: &str) -> (String, String) {
    let mut socket = TcpStream::connect(base.trim_start_matches("http://")).unwrap();
    let (line, body) = request.split_once('\n').unwrap_or((request, ""));
    write!(
        socket,
        "{line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), body.to_owned())
}

/// Receives one webhook for each status, answers it with that status, and passes it on.
fn receiver(statuses: &'static [u16]) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = url_of(&listener).unwrap();
    let (sender, received) = mpsc::channel();
    std::thread::spawn(move || {
        for status in statuses {
            let (mut socket, _) = listener.accept().unwrap();
            let mut request = String::new();
            while !request.ends_with('}') {
                let mut part = [0; 1024];
                let length = socket.read(&mut part).unwrap();
                request.push_str(std::str::from_utf8(&part[..length]).unwrap());
            }
            write!(socket, "HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n").unwrap();
            sender.send(request).unwrap();
        }
    });
    (url, received)
}

/// One site whose `POST /write` owes a webhook to `url`.
fn served(settings: &ServeSettings, url: &str) -> io::Result<Served> {
    let url = format!("{url}/hooks?x=1");
    serve_over(settings, new_ground(settings), |ground| {
        let owed = ground.clone();
        let write = move || {
            owed.happenings.push(Happening::HookDue(Hook {
                number: None,
                event: "referral-updated".to_owned(),
                url: url.clone(),
                body: r#"{"EventName":"referral-updated"}"#.to_owned(),
                signature_in_ms_header: false,
                at: owed.clock.now(),
            }));
            std::future::ready("written")
        };
        let base = ground.bases.of(Site::PartnerCenter);
        let mut routers = Routers::default();
        let router = Router::new()
            .route("/write", post(write))
            .route("/base", get(async || base));
        routers.set(Site::PartnerCenter, router);
        Systems::of_routers(routers)
    })
}

#[test]
fn a_manual_clock_brings_webhooks_when_it_is_moved_and_tries_again_later() {
    let (url, received) = receiver(&[503, 202]);
    let settings = ServeSettings {
        clock: ServeClock::Manual(default_start()),
        ..ServeSettings::default()
    };
    let served = served(&settings, &url).unwrap();
    let base = served.bases().of(Site::PartnerCenter);
    let control = served.control().to_owned();
    assert_eq!(say(&base, "GET /base"), ("HTTP/1.1 200 OK".to_owned(), base.clone()));
    assert_eq!(say(&base, "POST /write").1, "written");
    assert!(received.try_recv().is_err());

    let (line, clock) = say(&control, "POST /control/clock\n{\"advance\":\"10s\"}");
    assert_eq!(line, "HTTP/1.1 200 OK");
    assert!(
        clock.contains(r#""now":"2026-01-05T09:00:10Z""#) && !clock.contains("null"),
        "{clock}"
    );
    let first = received.try_recv().unwrap();
    assert!(first.starts_with("POST /hooks?x=1 HTTP/1.1\r\n"), "{first}");
    assert!(first.contains("authorization: Signature ") && first.contains("x-ms-certificate-url: http://127.0.0.1:"));

    say(&control, "POST /control/clock\n{\"advance\":\"2m\"}");
    assert!(received.try_recv().is_ok());
    assert!(say(&control, "GET /control/clock").1.contains(r#""nextDue":null"#));
}

#[test]
fn the_wall_clock_brings_webhooks_by_itself() {
    let (url, received) = receiver(&[200]);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&seen);
    let settings = ServeSettings {
        hooks: HookSettings {
            delay: (std::time::Duration::ZERO, std::time::Duration::from_millis(5)),
            ..HookSettings::default()
        },
        watch: Arc::new(move |seen| told.lock().unwrap().push(format!("{seen:?}"))),
        ..ServeSettings::default()
    };
    let served = served(&settings, &url).unwrap();
    say(&served.bases().of(Site::PartnerCenter), "POST /write");
    assert!(received.recv_timeout(std::time::Duration::from_secs(10)).is_ok());
    drop(served);
    assert!(seen.lock().unwrap()[0].starts_with("Happening(HookDue"));
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let settings = ServeSettings {
        ports: BTreeMap::from([(Site::Dataverse, port)]),
        ..ServeSettings::default()
    };
    let error = serve(&settings).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    assert_eq!(
        error.to_string(),
        format!("port {port}, wanted for dataverse, is in use")
    );
}

#[test]
fn a_port_is_free_again_when_its_servers_are_dropped() {
    let settings = ServeSettings::default();
    let served_once = served(&settings, "http://127.0.0.1:1").unwrap();
    let base = served_once.bases().of(Site::PartnerCenter);
    drop(served_once);
    assert!(TcpStream::connect(base.trim_start_matches("http://")).is_err());
}

/// All systems, a control port, and a token of the connector's.
fn everything() -> (Served, String, String, String) {
    let settings = ServeSettings {
        clock: ServeClock::Manual(default_start()),
        ..ServeSettings::default()
    };
    let served = serve(&settings).unwrap();
    let (base, control) = (served.bases().of(Site::PartnerCenter), served.control().to_owned());
    let token = served.token("connector", Site::PartnerCenter, "/").unwrap();
    (served, base, control, token)
}

/// A GET on the list of referrals; an empty answer when the connection ended without one.
fn list(base: &str, token: &str) -> String {
    let mut socket = TcpStream::connect(base.trim_start_matches("http://")).unwrap();
    let head = format!("authorization: Bearer {token}\r\nconnection: close\r\n\r\n");
    write!(socket, "GET /v1.0/engagements/referrals HTTP/1.1\r\nhost: x\r\n{head}").unwrap();
    let mut answer = String::new();
    // A connection that is cut may also say so.
    drop(socket.read_to_string(&mut answer));
    answer
}

const SHARE: &str = "POST /control/microsoft\n{\"act\":\"share\",\"name\":\"Deal\",\"customer\":{\"name\":\"Fabrikam\",\
                     \"country\":\"US\"},\"currency\":\"USD\",\"closing\":\"2026-06-30T00:00:00Z\",\"value\":5,\
                     \"solutions\":[{\"id\":\"SOL-1\",\"name\":\"One\"}]}";

#[test]
fn a_fault_is_added_over_the_control_port_and_the_journal_names_it() {
    let (_served, base, control, token) = everything();
    let add = |fate: &str| {
        say(
            &control,
            &format!("POST /control/faults\n{{\"site\":\"partner-center\",\"fate\":{fate}}}"),
        )
    };
    let limited = r#"{"answer":{"status":429,"headers":{"retry-after":"5"},"body":{"statusCode":429}}}"#;
    assert_eq!(add(limited).0, "HTTP/1.1 201 Created");
    let answer = list(&base, &token);
    assert!(
        answer.starts_with("HTTP/1.1 429") && answer.contains("retry-after: 5"),
        "{answer}"
    );
    add("\"lose-reply\"");
    assert_eq!(list(&base, &token), "");
    assert!(list(&base, &token).starts_with("HTTP/1.1 200"));
    let journal = say(&control, "GET /control/journal").1;
    assert!(
        journal.contains(r#""status":429,"who":"connector","fault":"fault 1""#),
        "{journal}"
    );
    assert!(
        journal.contains(r#""status":null,"who":"connector","fault":"fault 2""#),
        "{journal}"
    );
    assert!(journal.contains(r#""total":3"#), "{journal}");
    assert!(say(&control, "GET /control/faults").1.contains(r#""timesLeft":0"#));
    assert_eq!(say(&control, "DELETE /control/faults/9").0, "HTTP/1.1 404 Not Found");
    assert_eq!(say(&control, "DELETE /control/faults").1, r#"{"removed":2}"#);
}

#[test]
fn a_state_is_dumped_reset_and_loaded_over_the_control_port() {
    let (_served, base, control, token) = everything();
    let (line, shared) = say(&control, SHARE);
    assert_eq!(line, "HTTP/1.1 200 OK", "{shared}");
    let dump = say(&control, "GET /control/state?site=partner-center").1;
    assert!(dump.contains("\"Deal\""));
    assert_eq!(say(&control, "POST /control/reset\n{\"seed\":7}").0, "HTTP/1.1 200 OK");
    assert!(list(&base, &token).contains("\"value\":[]"));
    let (line, loaded) = say(&control, &format!("PUT /control/state\n{dump}"));
    assert_eq!((line.as_str(), loaded.as_str()), ("HTTP/1.1 200 OK", r#"{"loaded":2}"#));
    assert_eq!(say(&control, "GET /control/state?site=partner-center").1, dump);
    assert!(list(&base, &token).contains("\"Deal\""));
    let whole = say(&control, "GET /control/state").1;
    let (line, refused) = say(&control, &format!("PUT /control/state\n{whole}"));
    assert!(
        line.contains("501") && refused.contains("site=partner-center"),
        "{refused}"
    );
}

#[test]
fn roles_and_tokens_change_over_the_control_port_and_errors_say_what_to_do() {
    let (_served, base, control, token) = everything();
    say(&control, "PUT /control/users/connector\n{\"roles\":[]}");
    assert!(list(&base, &token).starts_with("HTTP/1.1 403"));
    say(
        &control,
        "PUT /control/users/connector\n{\"roles\":[\"referrals-admin\"]}",
    );
    say(&control, "DELETE /control/users/connector/tokens");
    assert!(list(&base, &token).starts_with("HTTP/1.1 401"));
    let issued = say(
        &control,
        "POST /control/users/connector/tokens\n{\"site\":\"partner-center\"}",
    )
    .1;
    let token = issued.split('"').nth(3).unwrap();
    assert!(list(&base, token).starts_with("HTTP/1.1 200"));
    for (request, status, part) in [
        (
            "PUT /control/users/x\n{\"roles\":[\"king\"]}",
            "400",
            "unknown variant `king`",
        ),
        (
            "POST /control/users/nobody/tokens\n{\"site\":\"partner-center\"}",
            "404",
            "GET /control/users",
        ),
        ("POST /control/faults\n{\"fate\":\"explode\"}", "400", "lose-reply"),
        (
            "POST /control/faults\n{\"fate\":{\"delay\":\"9d\"}}",
            "400",
            "/fate/delay",
        ),
        (
            "POST /control/microsoft\n{\"act\":\"accept\",\"engagement\":\"x\"}",
            "404",
            "GET /control/state",
        ),
        ("GET /control/everything", "404", "GET /control/openapi.json"),
        ("PATCH /control/clock", "404", "POST /control/clock"),
    ] {
        let (line, body) = say(&control, request);
        assert!(line.contains(status) && body.contains(part), "{request}: {line} {body}");
        assert!(body.contains("\"where\"") && body.contains("\"help\""), "{body}");
    }
    assert!(
        say(&control, "GET /control/openapi.json")
            .1
            .contains("\"openapi\":\"3.0.3\"")
    );
}

#[test]
fn webhooks_are_doubled_reordered_and_lost_on_sockets_too() {
    let (url, received) = receiver(&[202, 202, 202]);
    let settings = ServeSettings {
        clock: ServeClock::Manual(default_start()),
        ..ServeSettings::default()
    };
    let served = served(&settings, &url).unwrap();
    let hooks = |fate: Fate| {
        Box::new(Targeted {
            name: "hooks".to_owned(),
            target: Target::default(),
            skip: 0,
            times: 1,
            fate,
        })
    };
    served.add_hook_rule(hooks(Fate::LoseRequest));
    served.add_hook_rule(hooks(Fate::Delay(std::time::Duration::from_secs(30))));
    served.add_hook_rule(hooks(Fate::Duplicate(std::time::Duration::from_secs(5))));
    let base = served.bases().of(Site::PartnerCenter);
    let control = served.control().to_owned();
    let mut arrivals = Vec::new();
    let mut wait = |text: &str| {
        say(&control, &format!("POST /control/clock\n{{\"advance\":\"{text}\"}}"));
        arrivals.push(received.try_iter().count());
    };
    // Lost, and tried again a minute later, when it is delayed; then another one, which arrives twice.
    say(&base, "POST /write");
    wait("10s");
    wait("1m");
    say(&base, "POST /write");
    wait("10s");
    wait("1m");
    assert_eq!(arrivals, [0, 0, 2, 1]);
    assert_eq!(served.deliveries().entries().len(), 0, "these are owed by nobody");
    served.heal_hooks();
}

/// A client that trusts nothing but that certificate, on a connection of its own.
fn over_tls(base: &str, authority: &str) -> impl io::Read + io::Write {
    use tokio_rustls::rustls::pki_types::CertificateDer;
    use tokio_rustls::rustls::pki_types::pem::PemObject as _;
    use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, crypto};
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_slice(authority.as_bytes()).unwrap();
    roots.add(certificate).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let (host, port) = base.trim_start_matches("https://").split_once(':').unwrap();
    let connection = ClientConnection::new(Arc::new(config), host.to_owned().try_into().unwrap()).unwrap();
    let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port.parse().unwrap())).unwrap();
    StreamOwned::new(connection, socket)
}

/// A GET over TLS: the answer, or why there is none.
fn get_over_tls(base: &str, path: &str, authority: &str) -> io::Result<String> {
    let mut stream = over_tls(base, authority);
    write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[test]
fn over_tls_every_link_is_https_and_only_the_authoritys_certificate_opens_it() {
    let settings = ServeSettings {
        tls: true,
        ..ServeSettings::default()
    };
    let (served, other) = (serve(&settings).unwrap(), serve(&settings).unwrap());
    let authority = served.authority().unwrap();
    let base = served.bases().of(Site::Entra);
    // Somebody who never finishes a handshake holds up nobody.
    let _idle = TcpStream::connect(base.trim_start_matches("https://").replace("localhost", "127.0.0.1")).unwrap();
    for host in ["localhost", "127.0.0.1"] {
        let base = base.replace("localhost", host);
        let answer = get_over_tls(&base, "/contoso/v2.0/.well-known/openid-configuration", authority).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.contains("\"token_endpoint\":\"https://localhost:"), "{answer}");
        assert!(!answer.contains("http://"), "{answer}");
    }
    for site in Site::ALL {
        assert!(served.bases().of(site).starts_with("https://localhost:"));
    }
    let stranger = get_over_tls(&base, "/", other.authority().unwrap()).unwrap_err();
    assert!(stranger.to_string().contains("certificate"), "{stranger}");
    assert!(serve(&ServeSettings::default()).unwrap().authority().is_none());
}
