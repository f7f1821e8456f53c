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

/// Over the control port.
mod control;
/// What is wrong, and told so.
mod bad_input;
/// Over TLS.
mod tls;

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
                manner: None,
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
