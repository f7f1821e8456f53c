//! `cosell connector` as its users meet it: what the doctor says, what the status page shows, how it stops, what it refuses.

mod process;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use cosell::scenario::Crm;
use cosell_connector::driver::sqlite::Sqlite;
use cosell_connector::driver::store::Store as _;
use cosell_sim::identity::Authority;
use cosell_sim::transport::socket::{self, ServeSettings};
use process::{Folder, free_port, pause, settings, start};

fn cosell(what: &str, settings: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cosell"))
        .args(["connector", what, "--settings"])
        .arg(settings)
        .output()
        .expect("the command can be run")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn http(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("the page listens");
    let request = format!("{request} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("the page reads");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).expect("the page answers");
    reply
}

/// Asks until the answer holds these words.
fn until(address: &str, request: &str, words: &str) -> String {
    let mut reply = String::new();
    for _ in 0..6_000 {
        reply = http(address, request);
        if reply.contains(words) {
            return reply;
        }
        pause();
    }
    panic!("`{words}` never came: {reply}");
}

#[test]
fn the_status_page_shows_and_switches_and_a_signal_stops_the_process_in_good_order() {
    let folder = Folder::new("status");
    let served = socket::serve(&ServeSettings::default()).expect("loopback ports are free");
    let file = settings(Crm::Dynamics, &served, &folder.0, free_port());
    let mut child = Command::new(env!("CARGO_BIN_EXE_cosell"))
        .args(["connector", "run", "--settings"])
        .arg(&file)
        .stdout(Stdio::piped())
        .stderr(fs::File::create(folder.0.join("log")).expect("a log file"))
        .spawn()
        .expect("the connector can be started");
    let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let status = lines
        .map(|line| line.expect("a line"))
        .find_map(|line| {
            line.split("status    http://")
                .nth(1)
                .map(|rest| rest.replace("/status", ""))
        })
        .expect("the address is printed");
    for connection in ["partner center", "partner center events", "crm"] {
        until(&status, "GET /status", &format!("\"{connection}\": \"healthy\""));
    }
    let shown = until(&status, "GET /status", "\"lag_seconds\": {\n");
    assert!(
        shown.contains("\"backlog\": 0") && shown.contains("\"healthy\": true"),
        "{shown}"
    );
    assert!(http(&status, "POST /flows/pc-to-crm/off").starts_with("HTTP/1.1 202"));
    let health = until(&status, "GET /health", "is off");
    assert!(health.starts_with("HTTP/1.1 503"), "{health}");
    assert!(http(&status, "POST /flows/pc-to-crm/on").starts_with("HTTP/1.1 202"));
    until(&status, "GET /health", "\"healthy\": true");
    assert!(http(&status, "GET /runs").contains("webhook-registration"));
    assert!(http(&status, "POST /flows/nothing/on").starts_with("HTTP/1.1 404"));
    let second = cosell("run", &file);
    assert_eq!(second.status.code(), Some(2));
    assert!(
        text(&second.stderr).contains("is used by another connector that is running"),
        "{}",
        text(&second.stderr)
    );
    let stopped = Command::new("kill").arg(child.id().to_string()).status();
    assert!(stopped.expect("a signal can be sent").success());
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    let log = fs::read_to_string(folder.0.join("log")).expect("the log can be read");
    assert!(
        log.contains("the connector stops") && log.contains("\"code\":\"register.done\""),
        "{log}"
    );
    assert!(
        !log.contains(&Authority::refresh_token_of("connector")),
        "a secret stands in the log"
    );
    let examined = cosell("doctor", &file);
    assert_eq!(examined.status.code(), Some(0), "{}", text(&examined.stderr));
    assert!(
        text(&examined.stdout).contains("integrity  whole"),
        "{}",
        text(&examined.stdout)
    );
}

/// Waits until the log holds these words.
fn logged(folder: &Path, words: &str) -> String {
    let mut log = String::new();
    for _ in 0..6_000 {
        log = fs::read_to_string(folder.join("log")).unwrap_or_default();
        if log.contains(words) {
            return log;
        }
        pause();
    }
    panic!("`{words}` never came: {log}");
}

#[test]
fn over_tls_it_trusts_the_authority_that_its_settings_name_and_no_other() {
    for crm in Crm::ALL {
        let folder = Folder::new(&format!("tls-{}", crm.name()));
        let secure = ServeSettings {
            tls: true,
            ..ServeSettings::default()
        };
        let served = socket::serve(&secure).expect("loopback ports are free");
        let file = settings(crm, &served, &folder.0, free_port());
        let trusting = fs::read_to_string(&file).expect("the settings");
        let line = trusting
            .lines()
            .find(|line| line.contains("authorities:"))
            .expect("an authority is named");
        fs::write(&file, trusting.replace(line, "")).expect("the settings can be written");
        let mut child = start(&file, &folder.0);
        let log = logged(&folder.0, "no connection");
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
        assert!(!log.contains("register.done"), "{log}");
        fs::write(&file, &trusting).expect("the settings can be written");
        let referral = served.microsoft(process::share(1)).expect("Microsoft may share");
        let mut child = start(&file, &folder.0);
        let log = logged(&folder.0, "create.opportunity");
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
        assert!(log.contains("register.done") && log.contains(&referral), "{log}");
        let broken = trusting.replace("authority.pem", "settings.yaml");
        fs::write(&file, broken).expect("the settings can be written");
        let examined = cosell("doctor", &file);
        assert_eq!(examined.status.code(), Some(2));
        assert!(text(&examined.stderr).contains("holds no certificate in PEM"));
    }
}

#[test]
fn a_clock_that_stands_far_behind_the_memory_is_refused_before_anything_is_sent() {
    let folder = Folder::new("clock");
    let served = socket::serve(&ServeSettings::default()).expect("loopback ports are free");
    let file = settings(Crm::Dynamics, &served, &folder.0, free_port());
    let org = served.bases().of(Crm::Dynamics.site());
    let memory = folder.0.join("memory.db");
    let mut store = Sqlite::open(&memory, &format!("tenant contoso.example and {org}")).expect("a new memory");
    let seen = ("driver/seen".to_owned(), Some("2999-01-01T00:00:00Z".to_owned()));
    store.keep(vec![seen]).expect("it can be kept");
    drop(store);
    let refused = cosell("run", &file);
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        text(&refused.stderr).contains("set the clock, then start again"),
        "{}",
        text(&refused.stderr)
    );
}

#[test]
fn a_connection_that_is_refused_is_told_without_its_secret() {
    let folder = Folder::new("refused");
    let served = socket::serve(&ServeSettings::default()).expect("loopback ports are free");
    let file = settings(Crm::Salesforce, &served, &folder.0, free_port());
    let token = Authority::refresh_token_of("connector");
    let wrong = fs::read_to_string(&file)
        .expect("the settings")
        .replace(&token, "a-token-that-nobody-knows");
    fs::write(&file, wrong).expect("the settings can be written");
    let mut child = start(&file, &folder.0);
    for _ in 0..6_000 {
        if fs::read_to_string(folder.0.join("log")).is_ok_and(|log| log.contains("sign_in.refused")) {
            break;
        }
        pause();
    }
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
    let log = fs::read_to_string(folder.0.join("log")).expect("the log can be read");
    assert!(log.contains("sign_in.refused"), "{log}");
    assert!(!log.contains("a-token-that-nobody-knows"), "a secret stands in the log");
}

#[test]
fn the_doctor_tells_every_fault_of_the_settings_and_refuses_foreign_memories() {
    let folder = Folder::new("doctor");
    let served = socket::serve(&ServeSettings::default()).expect("loopback ports are free");
    let file = settings(Crm::Dynamics, &served, &folder.0, free_port());
    let good = fs::read_to_string(&file).expect("the settings");
    let examined = cosell("doctor", &file);
    assert_eq!(examined.status.code(), Some(0), "{}", text(&examined.stderr));
    assert!(text(&examined.stdout).contains("not there yet"));
    fs::write(
        folder.0.join("memory.db"),
        "a letter to a friend, which is no database at all",
    )
    .expect("a file");
    let examined = cosell("doctor", &file);
    assert_eq!(examined.status.code(), Some(2));
    assert!(
        text(&examined.stderr).contains("is no SQLite database"),
        "{}",
        text(&examined.stderr)
    );
    let bad = good
        .replace("poll every: 500ms", "poll evry: 500ms")
        .replace("kind: dynamics", "kind: dynamic");
    fs::write(&file, bad).expect("the settings can be written");
    let examined = cosell("doctor", &file);
    let shown = text(&examined.stderr);
    assert_eq!(examined.status.code(), Some(2));
    assert!(
        shown.contains("did you mean `poll every`?") && shown.contains("did you mean `dynamics`?"),
        "{shown}"
    );
}

/// What is wrong in a file of settings: what stands there, what stands there instead, and what must be told.
const WRONG: [(&str, &str, &str); 28] = [
    ("  tenant:", "  tennant:", "did you mean `tenant`?"),
    ("kind: salesforce", "kind: sugar", "`crm.kind` is not known"),
    (
        "  client secret: secret\n",
        "",
        "`partner center.client secret` is missing",
    ),
    (
        "  api: http://",
        "  api: ",
        "`partner center.api` must be an http or https URL",
    ),
    (
        "poll every: 500ms",
        "poll every: soon",
        "`times.poll every` must be a length of time",
    ),
    (
        "poll every: 500ms",
        "poll every: 0s",
        "`times.poll every` must be longer than nothing",
    ),
    (
        "webhook: {url: \"http://",
        "webhook: {url: \"",
        "`webhook.url` must be an absolute URL",
    ),
    (
        "webhook: {",
        "webhook: {accept unsigned: yes, ",
        "`webhook.url` must end with a secret part",
    ),
    (
        "process:",
        "mapping: {notes: {crm: Amount}}\nprocess:",
        "`Amount` is mapped to `value` already",
    ),
    (
        "process:",
        "mapping: {notes: {crm: My Notes}}\nprocess:",
        "`My Notes` is no API name of a field",
    ),
    (
        "process:",
        "mapping: {name: {crm: Other__c}}\nprocess:",
        "the name carries the mark",
    ),
    (
        "process:",
        "mapping: {notes: {pc: /details/note}}\nprocess:",
        "did you mean `/details/notes`?",
    ),
    (
        "process:",
        "mapping: {notes: {transforms: [uper]}}\nprocess:",
        "did you mean `upper`?",
    ),
    (
        "process:",
        "mapping: {value: {transforms: [upper]}}\nprocess:",
        "only texts are transformed",
    ),
    (
        "process:",
        "mapping: {notes: {direction: up}}\nprocess:",
        "`mapping.notes.direction` is not known",
    ),
    (
        "process:",
        "transforms: {a: [b], b: [a]}\nprocess:",
        "goes round in a circle: `a` → `b` → `a`",
    ),
    (
        "process:",
        "transforms: {a: [{synonyms: {x: y, y: z}}]}\nprocess:",
        "means something else again",
    ),
    (
        "process:",
        "rules: {closing date zone: Berlin}\nprocess:",
        "`rules.closing date zone` must look like",
    ),
    (
        "process:",
        "rules: {reopen to link: maybe}\nprocess:",
        "`rules.reopen to link` must be `yes` or `no`",
    ),
    (
        "process:",
        "limits: {audit letters: 3}\nprocess:",
        "`limits.audit letters` must be at least 500",
    ),
    (
        "process:",
        "limits: {concurrency: 0}\nprocess:",
        "`limits.concurrency` must be at least 1",
    ),
    (
        "process:",
        "profile: documented-1999\nprocess:",
        "did you mean `documented-2020`?",
    ),
    (
        "process:",
        "variables: {Active stage name: X, On-hold stage name: X}\nprocess:",
        "`variables.On-hold stage name` must differ from the other stages",
    ),
    (
        "certificate issuer: Cosell Simulator",
        "certificate issuer: [a]",
        "`process.certificate issuer` must be a text",
    ),
    (
        "certificate roots: [",
        "certificate roots: [nowhere.cer, ",
        "nowhere.cer cannot be read",
    ),
    (
        "  listen: 127.0.0.1:",
        "  listen: here",
        "`process.listen` must be an address and a port",
    ),
    (
        "  store:",
        "  status: 0.0.0.0:8081\n  store:",
        "`process.status` must be on loopback",
    ),
    (
        "  store: ",
        "  store: /nowhere",
        "does not exist: make it, or name another file",
    ),
];

#[test]
fn wrong_settings_of_each_kind_are_told_by_name_and_no_secret_is_shown() {
    let folder = Folder::new("wrong");
    let served = socket::serve(&ServeSettings::default()).expect("loopback ports are free");
    let file = settings(Crm::Salesforce, &served, &folder.0, free_port());
    let token = Authority::refresh_token_of("connector");
    let good = fs::read_to_string(&file).expect("the settings");
    for (from, to, words) in WRONG {
        assert!(good.contains(from), "{from}");
        fs::write(&file, good.replacen(from, to, 1)).expect("the settings can be written");
        let examined = cosell("doctor", &file);
        let shown = text(&examined.stderr);
        assert_eq!(examined.status.code(), Some(2), "{to}: {shown}");
        assert!(shown.contains(words), "{to}: {shown}");
        assert!(!shown.contains(&token) && !shown.contains(": secret"), "{to}: {shown}");
    }
    let garbage = folder.0.join("garbage.cer");
    fs::write(&garbage, "no certificate").expect("a file");
    let named = format!("certificate roots: [{}, ", garbage.display());
    fs::write(&file, good.replace("certificate roots: [", &named)).expect("the settings can be written");
    let examined = cosell("doctor", &file);
    assert!(
        text(&examined.stderr).contains("holds no certificate"),
        "{}",
        text(&examined.stderr)
    );
}
