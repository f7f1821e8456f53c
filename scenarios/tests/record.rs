//! `cosell record`: a proxy between a client and systems that keeps the client on itself and writes no secret down.

mod command;

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use command::{Folder, cosell, text};
use cosell::proxy::{Proxy, ProxySettings, Upstream};
use cosell_sim::site::Site;
use cosell_sim::transport::socket::{ServeSettings, Served, serve};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// A proxy, and what it told.
struct Recording {
    proxy: Proxy,
    trace: PathBuf,
    told: Arc<Mutex<Vec<String>>>,
}

fn runtime() -> Runtime {
    cosell::preflight::reader::prepare_tls();
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().expect("a runtime")
}

impl Recording {
    async fn of(folder: &Folder, upstreams: Vec<Upstream>, authorities: Vec<Vec<u8>>) -> Self {
        let trace = folder.0.join("recording.jsonl");
        let told = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&told);
        let settings = ProxySettings {
            upstreams,
            file: trace.clone(),
            replace: false,
            authorities,
            tell: Arc::new(move |words| heard.lock().expect("nobody panics").push(words.to_owned())),
        };
        let proxy = Proxy::start(&settings).await.expect("a proxy");
        Self { proxy, trace, told }
    }

    fn local(&self, site: Site) -> String {
        let routes = self.proxy.routes();
        let found = routes.iter().find(|route| route.site == site).expect("a route");
        found.local.clone()
    }
}

fn before(served: &Served) -> Vec<Upstream> {
    let upstream = |site| Upstream {
        site,
        base: served.bases().of(site),
        port: None,
    };
    Site::ALL.into_iter().map(upstream).collect()
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().build().expect("a client")
}

async fn body(response: reqwest::Response) -> Value {
    let text = response.text().await.expect("a body");
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON: {text}"))
}

/// Signs in to Salesforce through the proxy and makes an opportunity; the token that came.
async fn salesforce_through(recording: &Recording) -> String {
    let base = recording.local(Site::Salesforce);
    let login = client()
        .post(format!("{base}/services/oauth2/token"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body("grant_type=client_credentials&client_id=cosell&client_secret=secret")
        .send()
        .await
        .expect("an answer");
    let login = body(login).await;
    assert_eq!(login["instance_url"], base, "{login}");
    let token = login["access_token"].as_str().expect("a token").to_owned();
    let created = client()
        .post(format!("{base}/services/data/v60.0/sobjects/Opportunity"))
        .bearer_auth(&token)
        .header("content-type", "application/json")
        .body(json!({"Name": "Proxy deal", "StageName": "On Hold", "CloseDate": "2027-01-01"}).to_string())
        .send()
        .await
        .expect("an answer");
    assert_eq!(created.status(), 201);
    token
}

/// Makes an account and its contact, and is told where to sign in when it has no token.
async fn dataverse_through(recording: &Recording, token: &str) {
    let base = recording.local(Site::Dataverse);
    let post = |table: &str, body: String| {
        client()
            .post(format!("{base}/api/data/v9.2/{table}"))
            .bearer_auth(token)
            .header("content-type", "application/json")
            .body(body)
            .send()
    };
    let account = post("accounts", json!({"name": "Fabrikam"}).to_string()).await;
    let entity = account.expect("an answer").headers()["odata-entityid"]
        .to_str()
        .expect("text")
        .to_owned();
    assert!(
        entity.starts_with(&format!("{base}/api/data/v9.2/accounts(")),
        "{entity}"
    );
    // A link back to the system, in a body, arrives there as its own.
    let contact = json!({"lastname": "Proxy", "parentcustomerid_account@odata.bind": entity});
    let contact = post("contacts", contact.to_string()).await.expect("an answer");
    assert_eq!(contact.status(), 204);
    let deal = post("opportunities", json!({"name": "Proxy deal"}).to_string()).await;
    assert_eq!(deal.expect("an answer").status(), 204);
    let denied = client()
        .get(format!("{base}/api/data/v9.2/accounts"))
        .send()
        .await
        .expect("an answer");
    assert_eq!(denied.status(), 401);
    let way = denied.headers()["www-authenticate"].to_str().expect("text").to_owned();
    assert!(way.contains(&recording.local(Site::Entra)), "{way}");
}

#[test]
fn a_client_stays_on_the_proxy_and_no_secret_is_written_down() {
    let folder = Folder::new("record");
    let served = serve(&ServeSettings::default()).expect("servers");
    let token = |site, path| served.token("connector", site, path).expect("a token");
    let pc_token = token(Site::PartnerCenter, "/v1.0/engagements/referrals");
    let dataverse_token = token(Site::Dataverse, "/api/data");
    let (trace, signed_in) = runtime().block_on(async {
        let recording = Recording::of(&folder, before(&served), Vec::new()).await;
        let signed_in = salesforce_through(&recording).await;
        dataverse_through(&recording, &dataverse_token).await;
        let list = format!("{}/v1.0/engagements/referrals", recording.local(Site::PartnerCenter));
        let first = client()
            .get(&list)
            .bearer_auth(&pc_token)
            .send()
            .await
            .expect("an answer");
        assert_eq!(first.status(), 200);
        let trace = recording.trace.clone();
        assert_eq!(recording.proxy.stop().await.expect("a whole trace"), 7);
        (trace, signed_in)
    });
    let written = std::fs::read_to_string(&trace).expect("the trace");
    for secret in [
        &pc_token,
        &dataverse_token,
        &signed_in,
        &"client_secret=secret".to_owned(),
    ] {
        assert!(!written.contains(secret.as_str()), "{secret} stands in the trace");
    }
    let bases = served.bases();
    assert!(
        written.contains(&bases.of(Site::Dataverse)),
        "the systems' own URLs stand in the trace"
    );
    let path = trace.to_string_lossy().into_owned();
    let replayed = cosell(&["replay", &path, "--log"]);
    let shown = text(&replayed.stdout);
    assert_eq!(replayed.status.code(), Some(0), "{shown}{}", text(&replayed.stderr));
    let html = folder.0.join("report.html");
    let report = format!("html={}", html.display());
    assert_eq!(cosell(&["replay", &path, "--report", &report]).status.code(), Some(0));
    assert!(std::fs::read_to_string(&html).expect("a page").contains("Recorded on"));
    let sides = text(&cosell(&["show", &path]).stdout);
    assert!(sides.contains("Proxy deal"), "{sides}");
}

#[test]
fn paging_links_lead_back_to_the_proxy() {
    let folder = Folder::new("record-paging");
    let mut settings = ServeSettings::default();
    settings.systems.dataverse.page_size = 1;
    let served = serve(&settings).expect("servers");
    let token = served
        .token("connector", Site::Dataverse, "/api/data")
        .expect("a token");
    runtime().block_on(async {
        let recording = Recording::of(&folder, before(&served), Vec::new()).await;
        let base = recording.local(Site::Dataverse);
        let mut url = format!("{base}/api/data/v9.2/transactioncurrencies?$select=isocurrencycode");
        let mut pages = 0;
        loop {
            let page = client().get(&url).bearer_auth(&token).send().await.expect("an answer");
            let page = body(page).await;
            pages += 1;
            let Some(next) = page["@odata.nextLink"].as_str() else {
                break;
            };
            assert!(next.starts_with(&base), "{next}");
            url = next.to_owned();
        }
        assert!(pages > 1, "one page proves nothing");
        recording.proxy.stop().await.expect("a whole trace");
    });
}

#[test]
fn a_system_with_a_certificate_of_its_own_needs_its_authority() {
    let folder = Folder::new("record-tls");
    let settings = ServeSettings {
        tls: true,
        ..ServeSettings::default()
    };
    let served = serve(&settings).expect("servers");
    let token = served
        .token("connector", Site::Salesforce, "/services/data")
        .expect("a token");
    let authority = served.authority().expect("an authority").as_bytes().to_vec();
    runtime().block_on(async {
        for (name, authorities, status) in [("with", vec![authority], 200), ("without", Vec::new(), 502)] {
            let inner = Folder::new(&format!("record-tls-{name}"));
            let recording = Recording::of(&inner, before(&served), authorities).await;
            let url = format!("{}/services/data/v60.0/limits", recording.local(Site::Salesforce));
            let answer = client().get(url).bearer_auth(&token).send().await.expect("an answer");
            assert_eq!(answer.status(), status, "{name}");
            let told = recording.told.lock().expect("nobody panics").join("\n");
            assert_eq!(told.contains("certificate"), status == 502, "{told}");
            recording.proxy.stop().await.expect("a whole trace");
        }
    });
    drop(folder);
}

/// A server of one's own, in the runtime that calls it.
async fn odd_server() -> String {
    let zipped = |text: &str| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).expect("bytes");
        encoder.finish().expect("gzip")
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let link = format!("{{\"next\":\"{base}/page/2\"}}");
    let gzip = move || async move {
        Response::builder()
            .header("content-type", "application/json")
            .header("content-encoding", "gzip")
            .body(Body::from(zipped(&link)))
            .expect("a response")
    };
    let events = || async {
        let stream = futures_util::stream::unfold(0, |number| async move {
            if number == 3 {
                // It goes on for good, and says nothing more.
                std::future::pending::<()>().await;
            }
            Some((Ok::<_, std::io::Error>(format!("data: {number}\n\n")), number + 1))
        });
        ([("content-type", "text/event-stream")], Body::from_stream(stream)).into_response()
    };
    let large = || async { ([("content-type", "application/json")], "x".repeat(40 << 20)).into_response() };
    let router = Router::new()
        .route("/gzip", get(gzip))
        .route("/events", get(events))
        .route("/large", get(large));
    drop(tokio::spawn(async move { axum::serve(listener, router).await }));
    base
}

#[test]
fn gzip_is_read_streams_flow_and_long_answers_pass() {
    let folder = Folder::new("record-bodies");
    runtime().block_on(async {
        let base = odd_server().await;
        let upstream = Upstream {
            site: Site::PartnerCenter,
            base,
            port: None,
        };
        let recording = Recording::of(&folder, vec![upstream], Vec::new()).await;
        let local = recording.local(Site::PartnerCenter);
        let get = |path: &str| {
            client()
                .get(format!("{local}{path}"))
                .header("accept-encoding", "gzip, br")
                .send()
        };
        let answer = get("/gzip").await.expect("an answer");
        assert!(!answer.headers().contains_key("content-encoding"));
        assert_eq!(body(answer).await["next"], format!("{local}/page/2"));
        let mut events = get("/events").await.expect("an answer");
        #[expect(clippy::disallowed_methods, reason = "real bytes are waited for in real time")]
        let first = tokio::time::timeout(Duration::from_secs(10), events.chunk()).await;
        let first = first
            .expect("events come while the answer goes on")
            .expect("bytes")
            .expect("a chunk");
        assert!(first.starts_with(b"data: 0"));
        drop(events);
        let large = get("/large").await.expect("an answer").bytes().await.expect("bytes");
        assert_eq!(large.len(), 40 << 20);
        let trace = recording.trace.clone();
        recording.proxy.stop().await.expect("a whole trace");
        let written = std::fs::read_to_string(trace).expect("the trace");
        assert!(written.contains("/page/2"), "a compressed body is written down as text");
        assert!(written.len() < 3 << 20, "a long body is written down in part");
    });
}

#[test]
fn what_cannot_be_reached_is_an_answer_that_says_so() {
    let folder = Folder::new("record-unreachable");
    runtime().block_on(async {
        let upstream = |site, base: &str| Upstream {
            site,
            base: base.to_owned(),
            port: None,
        };
        let upstreams = vec![
            upstream(Site::PartnerCenter, "http://127.0.0.1:9"),
            upstream(Site::Salesforce, "https://no-such-host.invalid"),
        ];
        let recording = Recording::of(&folder, upstreams, Vec::new()).await;
        for site in [Site::PartnerCenter, Site::Salesforce] {
            let answer = client().get(recording.local(site)).send().await.expect("an answer");
            assert_eq!(answer.status(), 502);
            let told = body(answer).await;
            assert_eq!(told["error"]["code"], "cosell.record");
            assert!(
                told["error"]["message"]
                    .as_str()
                    .expect("words")
                    .contains("cannot be reached"),
                "{told}"
            );
        }
        let trace = recording.trace.clone();
        recording.proxy.stop().await.expect("a whole trace");
        let written = std::fs::read_to_string(trace).expect("the trace");
        assert_eq!(written.matches("\"kind\":\"lost\"").count(), 2, "{written}");
    });
}

#[test]
fn wrong_usage_says_what_is_expected() {
    let folder = Folder::new("record-usage");
    let there = folder.write("there.jsonl", "keep me");
    for (arguments, part) in [
        (&["record"][..], "--to"),
        (&["record", "--to", "api.partner.microsoft.com"], "is no URL"),
        (&["record", "--to", "http://127.0.0.1:9001"], "which system is at"),
        (
            &["record", "--to", "sap=https://sap.example"],
            "there is no system \"sap\"",
        ),
        (
            &["record", "--to", "https://a.my.salesforce.com/services"],
            "goes on behind its host",
        ),
        (&["record", "--profile", "no-such-profile.toml"], "there is no profile"),
        (
            &["record", "--to", "https://a.my.salesforce.com", "--out", &there],
            "--force",
        ),
        (
            &[
                "record",
                "--to",
                "https://a.my.salesforce.com",
                "--ca",
                &there,
                "--out",
                "x.jsonl",
            ],
            "a certificate of `--ca`",
        ),
    ] {
        let output = cosell(arguments);
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {told}");
        assert!(
            told.contains(part) && !told.contains("panicked"),
            "{arguments:?}: {told}"
        );
    }
    assert_eq!(std::fs::read_to_string(there).expect("the file"), "keep me");
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_it_with_a_whole_trace() {
    use std::process::{Command, Stdio};
    let folder = Folder::new("record-signal");
    let served = serve(&ServeSettings::default()).expect("servers");
    let (trace, ready) = (folder.0.join("trace.jsonl"), folder.0.join("ready.json"));
    let to = format!("salesforce={}", served.bases().of(Site::Salesforce));
    let mut child = Command::new(env!("CARGO_BIN_EXE_cosell"))
        .args(["record", "--to", &to, "--out"])
        .arg(&trace)
        .arg("--ready-file")
        .arg(&ready)
        .stdout(Stdio::piped())
        .spawn()
        .expect("cosell can be started");
    let mut document = Value::Null;
    for _ in 0..600 {
        if let Some(read) = std::fs::read(&ready)
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok())
        {
            document = read;
            break;
        }
        std::thread::park_timeout(Duration::from_millis(50));
    }
    let base = document["routes"][0]["base"]
        .as_str()
        .expect("the proxy is ready")
        .to_owned();
    runtime().block_on(async {
        let answer = client()
            .get(format!("{base}/services/data"))
            .send()
            .await
            .expect("an answer");
        assert_eq!(answer.status(), 200);
    });
    let process = nix::unistd::Pid::from_raw(i32::try_from(child.id()).expect("a process id"));
    nix::sys::signal::kill(process, nix::sys::signal::Signal::SIGINT).expect("a signal");
    let status = child.wait().expect("an end");
    assert_eq!(status.code(), Some(0));
    let replayed = cosell(&["replay", &trace.to_string_lossy()]);
    assert_eq!(replayed.status.code(), Some(0), "{}", text(&replayed.stdout));
}
