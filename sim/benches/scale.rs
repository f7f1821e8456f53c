//! How the simulated Partner Center grows: create, get, PATCH and a filtered page at 1,000, 100,000 and 1,000,000
//! referrals, the memory of each, and what a socket carries with token check, journal and state.
//!
//! Run with `cargo bench -p cosell-sim --bench scale`, with a largest number behind `--` for less. It prints medians.
//! With `get N`, `patch N`, `socket-get N` or `socket-patch N` behind `--`, and how many referrals there are behind that
//! (1,000), it does nothing but N of these calls: for a profiler that counts instructions, whose difference between two N
//! does not depend on what else the machine does.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use axum::Router;
use bytes::Bytes;
use cosell_sim::clock::{Clock, default_start};
use cosell_sim::ground::Ground;
use cosell_sim::identity::PARTNER_CENTER_AUDIENCE;
use cosell_sim::partner_center::{PartnerCenter, Settings};
use cosell_sim::seed::{Seed, Stream};
use cosell_sim::site::Site;
use cosell_sim::transport::in_process;
use cosell_sim::transport::socket::{ServeSettings, Served, serve};
use serde_json::{Value, json};

const ROOT: &str = "/v1.0/engagements/referrals";
const SAMPLES: usize = 2_000;
const CONNECTIONS: usize = 16;

fn main() {
    let words: Vec<String> = std::env::args().collect();
    let kinds = ["get", "patch", "socket-get", "socket-patch"];
    if let Some(place) = words.iter().position(|word| kinds.contains(&word.as_str())) {
        let number = |place: usize| words.get(place).and_then(|word| word.parse().ok());
        let (calls, size) = (number(place + 1), number(place + 2));
        return counted(&words[place], calls.unwrap_or(0), size.unwrap_or(1_000));
    }
    let limit = std::env::args().find_map(|word| word.parse::<usize>().ok());
    let sizes = [1_000, 100_000, 1_000_000];
    say("in process, one thread, medians");
    for size in sizes.into_iter().filter(|size| *size <= limit.unwrap_or(usize::MAX)) {
        grown(size);
    }
    for size in [1_000, 100_000]
        .into_iter()
        .filter(|size| *size <= limit.unwrap_or(usize::MAX))
    {
        served(size);
    }
}

#[expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]
fn say(line: &str) {
    println!("{line}");
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures the time of the machine")]
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let done = work();
    (done, start.elapsed())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// A deal of a usual size: it prints as about 2.3 kB.
fn deal(number: usize) -> Value {
    json!({
        "name": format!("Fabrikam migration {number}"),
        "type": "Independent",
        "externalReferenceId": format!("006{number:012}"),
        "customerProfile": {
            "name": format!("Fabrikam {number}"),
            "address": {
                "addressLine1": "One Microsoft Way", "city": "Redmond", "state": "WA",
                "postalCode": "98052", "country": "US",
            },
            "team": [{
                "firstName": "Ada", "lastName": "Example", "email": "ada@fabrikam.example", "phoneNumber": "5550100",
            }],
        },
        "consent": {"consentToToShareInfoWithOthers": true, "consentToContact": true},
        "details": {
            "notes": "They want to move their warehouse to the cloud before the end of the year.",
            "dealValue": 50_000 + number % 1_000, "currency": "USD", "closingDateTime": "2026-06-30T00:00:00Z",
            "requirements": {"solutions": [{"id": "SOL-34104-EBB", "name": "Warehouse mover", "type": "Name"}]},
        },
        "team": [{"firstName": "Sam", "lastName": "Seller", "email": "sam@contoso.example"}],
    })
}

/// Partner Center in process, and somebody who calls it.
struct Account {
    ground: Ground,
    router: Router,
    token: String,
}

impl Account {
    fn new() -> Self {
        let ground = Ground::new(Clock::manual(default_start()), Seed::default());
        let router = PartnerCenter::new(Settings::default(), &ground).router();
        let lifetime = jiff::SignedDuration::from_hours(100_000);
        let token = ground
            .authority
            .issue("connector", PARTNER_CENTER_AUDIENCE, lifetime, false, "");
        let token = format!("Bearer {}", token.expect("the user is known"));
        Self { ground, router, token }
    }

    fn request(&self, method: &str, path: &str, body: String) -> http::Request<Bytes> {
        http::Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", &self.token)
            .header("content-type", "application/json")
            .body(Bytes::from(body))
            .expect("the request is well formed")
    }

    /// One call, and how long it took; what it notes is thrown away.
    fn call(&mut self, request: http::Request<Bytes>) -> (Bytes, Duration) {
        let (response, time) = timed(|| in_process::call(&mut self.router, request));
        let happenings = self.ground.happenings.drain();
        let body = response.into_body();
        drop(happenings);
        (body, time)
    }
}

/// So many calls of one kind, to so many referrals, and nothing else.
fn counted(kind: &str, calls: usize, size: usize) {
    let body = |number: usize| format!(r#"[{{"op":"replace","path":"/details/dealValue","value":{number}}}]"#);
    if let Some(kind) = kind.strip_prefix("socket-") {
        let served = serve(&ServeSettings::default()).expect("loopback ports are free");
        let ids = filled(&served, size);
        let mut sockets = [connected(&served)];
        let mut part = vec![0; 64 * 1024];
        for number in 0..calls {
            let path = format!("{ROOT}/{}", ids[number % size]);
            let (request, status) = if kind == "get" {
                (written(&served, "GET", &path, ""), "HTTP/1.1 200")
            } else {
                (written(&served, "PATCH", &path, &body(number)), "HTTP/1.1 204")
            };
            round(&mut sockets, &[request], &mut part, status);
        }
        return;
    }
    let mut account = Account::new();
    let ids: Vec<String> = (0..size).map(|number| create(&mut account, number).0).collect();
    for number in 0..calls {
        let path = format!("{ROOT}/{}", ids[number % size]);
        let request = if kind == "get" {
            account.request("GET", &path, String::new())
        } else {
            account.request("PATCH", &path, body(number))
        };
        drop(account.call(request));
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn create(account: &mut Account, number: usize) -> (String, usize, Duration) {
    let request = account.request("POST", ROOT, deal(number).to_string());
    let (body, time) = account.call(request);
    let created: Value = serde_json::from_slice(&body).expect("a create answers with JSON");
    let id = text(&created["id"]);
    assert!(!id.is_empty(), "{created}");
    (id, body.len(), time)
}

fn grown(size: usize) {
    let mut account = Account::new();
    let before = resident();
    let mut ids = Vec::with_capacity(size);
    let (mut times, mut printed) = (Vec::with_capacity(SAMPLES), 0);
    for number in 0..size {
        let (id, length, time) = create(&mut account, number);
        ids.push(id);
        printed = length;
        if size - number <= SAMPLES {
            times.push(time);
        }
    }
    let own = 36 + size_of::<String>();
    let each = resident().saturating_sub(before) * 1024 / size;
    say(&format!(
        "{size:>9} referrals: create {:?}; {} bytes of memory each, of which JSON text {printed}",
        median(times),
        each.saturating_sub(own)
    ));
    let mut chance = Seed::default().stream("bench");
    let pick = |chance: &mut Stream| -> &str {
        let place = chance.between(0, u64::try_from(size - 1).unwrap_or(0));
        &ids[usize::try_from(place).unwrap_or(0)]
    };
    let mut gets = Vec::new();
    let mut patches = Vec::new();
    for number in 0..SAMPLES {
        let path = format!("{ROOT}/{}", pick(&mut chance));
        let request = account.request("GET", &path, String::new());
        gets.push(account.call(request).1);
        let body = json!([{"op": "replace", "path": "/details/dealValue", "value": 1_000 + number}]);
        let request = account.request("PATCH", &path, body.to_string());
        patches.push(account.call(request).1);
    }
    let mut page = |filter: &str| {
        let times = (0..50).map(|_| {
            let request = account.request("GET", &format!("{ROOT}?{filter}"), String::new());
            account.call(request).1
        });
        median(times.collect())
    };
    let some = page("$filter=status%20eq%20'Active'&$top=100");
    let none = page("$filter=status%20eq%20'New'&$top=100");
    let newest = page("$orderby=updatedDateTime%20desc&$top=100");
    say(&format!(
        "          get {:?}; patch {:?}; page of 100 by status {some:?}, with no match {none:?}, newest first {newest:?}",
        median(gets),
        median(patches)
    ));
}

/// Resident memory of this process, in KiB.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|rest| rest.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or_default()
}

/// Sends one request on each connection, then reads all answers.
fn round(sockets: &mut [TcpStream], requests: &[String], part: &mut [u8], status: &str) {
    for (socket, request) in sockets.iter_mut().zip(requests) {
        socket.write_all(request.as_bytes()).expect("the server reads");
    }
    for socket in sockets {
        // One response is shorter than the buffer and comes in one piece.
        let length = socket.read(part).expect("the server answers");
        assert!(
            part[..length].starts_with(status.as_bytes()),
            "{}",
            String::from_utf8_lossy(&part[..length])
        );
    }
}

/// A connection to Partner Center.
fn connected(served: &Served) -> TcpStream {
    let base = served.bases().of(Site::PartnerCenter);
    TcpStream::connect(base.trim_start_matches("http://")).expect("the server listens")
}

/// A request as it goes over the socket, with the one token of this run.
fn written(served: &Served, method: &str, path: &str, body: &str) -> String {
    static TOKEN: std::sync::Mutex<Option<(String, String)>> = std::sync::Mutex::new(None);
    let mut known = TOKEN.lock().expect("nobody panicked");
    let base = served.bases().of(Site::PartnerCenter);
    let token = match known.take().filter(|(of, _)| *of == base) {
        Some((_, token)) => token,
        None => served
            .token("connector", Site::PartnerCenter, ROOT)
            .expect("the user is known"),
    };
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    *known = Some((base, token));
    request
}

/// Creates so many referrals over the socket; their ids.
fn filled(served: &Served, size: usize) -> Vec<String> {
    fill(connected(served), size, &|method, path, body| {
        written(served, method, path, body)
    })
}

fn served(size: usize) {
    let served = serve(&ServeSettings::default()).expect("loopback ports are free");
    let connect = || connected(&served);
    let request = |method: &str, path: &str, body: &str| written(&served, method, path, body);
    let ids = filled(&served, size);
    let half = CONNECTIONS / 2;
    let gets = |number: usize| request("GET", &format!("{ROOT}/{}", ids[number % ids.len()]), "");
    let patches = |number: usize| {
        let body = format!(r#"[{{"op":"replace","path":"/details/dealValue","value":{number}}}]"#);
        request("PATCH", &format!("{ROOT}/{}", ids[number % ids.len()]), &body)
    };
    for (name, status, make) in [
        ("GET", "HTTP/1.1 200", &gets as &(dyn Fn(usize) -> String + Sync)),
        ("PATCH", "HTTP/1.1 204", &patches),
    ] {
        let mut rates: Vec<u64> = (0..7).map(|turn| rate(&connect, half, turn, make, status)).collect();
        rates.sort_unstable();
        say(&format!(
            "on a socket, {size} referrals, {CONNECTIONS} connections: {name} {}/s (median of 7; best {})",
            rates[3], rates[6]
        ));
    }
    drop::<Served>(served);
}

fn fill(mut socket: TcpStream, size: usize, request: &impl Fn(&str, &str, &str) -> String) -> Vec<String> {
    let mut part = vec![0; 64 * 1024];
    (0..size)
        .map(|number| {
            let post = request("POST", ROOT, &deal(number).to_string());
            socket.write_all(post.as_bytes()).expect("the server reads");
            let length = socket.read(&mut part).expect("the server answers");
            let answer = String::from_utf8_lossy(&part[..length]).into_owned();
            let body = answer.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
            let start = body.find("\"id\":\"").expect("a create answers with the referral") + 6;
            body[start..start + 36].to_owned()
        })
        .collect()
}

/// Requests a second over 16 connections, driven by two threads.
fn rate(
    connect: &(impl Fn() -> TcpStream + Sync),
    half: usize,
    turn: usize,
    make: &(dyn Fn(usize) -> String + Sync),
    status: &str,
) -> u64 {
    const ROUNDS: usize = 1_500;
    let drive = |thread: usize| {
        let mut sockets: Vec<TcpStream> = (0..half).map(|_| connect()).collect();
        let mut part = vec![0; 64 * 1024];
        let batches: Vec<Vec<String>> = (0..ROUNDS)
            .map(|round| {
                (0..half)
                    .map(|place| make(((turn * 2 + thread) * ROUNDS + round) * half + place))
                    .collect()
            })
            .collect();
        let ((), time) = timed(|| {
            for batch in &batches {
                round(&mut sockets, batch, &mut part, status);
            }
        });
        time
    };
    let slowest = std::thread::scope(|scope| {
        let other = scope.spawn(|| drive(1));
        let one = drive(0);
        one.max(other.join().expect("the driver does not panic"))
    });
    let done = u64::try_from(ROUNDS * half * 2).unwrap_or(0);
    done * 1_000_000 / u64::try_from(slowest.as_micros()).unwrap_or(1).max(1)
}
