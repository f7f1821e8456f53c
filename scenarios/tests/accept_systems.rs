//! `cosell accept` against systems: `cosell serve` in the place of real ones, the reference connector as a process between
//! them, and the guide that leads there, carried out word for word.

#![cfg(unix)]

mod command;
#[allow(dead_code, reason = "this file uses its own part")]
mod process;

use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use command::{Folder, text};
use cosell::scenario::Crm;
use cosell_sim::site::Site;
use cosell_sim::transport::socket::{self, ServeSettings, Served};
use serde_json::Value;

/// Ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn serve() -> Served {
    socket::serve(&ServeSettings::default()).expect("the simulators can be served")
}

/// A profile for served simulators.
fn profile(served: &Served, crm: &str, kind: &str) -> String {
    let base = |site| served.bases().of(site);
    let sign_in = format!(
        "authority = \"{}\"\ntenant = \"contoso.example\"\nclient-id = \"cosell\"\nclient-secret = {{ env = \"COSELL_TEST_SECRET\" }}\n",
        base(Site::Entra)
    );
    format!(
        "name = \"stage\"\nkind = \"{kind}\"\ncrm = \"{crm}\"\ntimeout-seconds = 5\n[partner-center]\nreferrals-base = \"{0}\"\nevents-base = \"{0}\"\n\
         [partner-center.sign-in]\n{sign_in}refresh-token = {{ command = \"echo refresh-connector\" }}\n\
         [salesforce]\nlogin-base = \"{1}\"\nclient-id = \"cosell\"\nclient-secret = {{ env = \"COSELL_TEST_SECRET\" }}\n\
         [dataverse]\nbase = \"{2}\"\n[dataverse.sign-in]\n{sign_in}\
         [connector]\non-hold-stage = \"On Hold\"\nactive-stage = \"Qualification\"\n\
         [accept]\nsolution = \"SOL-9\"\nsecond-solution = \"SOL-8\"\ndeadline = \"60s\"\nquiet-for = \"4s\"\n",
        base(Site::PartnerCenter),
        base(Site::Salesforce),
        base(Site::Dataverse)
    )
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cosell"));
    command
        .arg("accept")
        .args(arguments)
        .env("COSELL_TEST_SECRET", "secret")
        .stdin(Stdio::null());
    command
}

fn accept(arguments: &[&str]) -> Output {
    command(arguments).output().expect("cosell can be started")
}

fn document(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}\n{}", text(&output.stdout), text(&output.stderr)))
}

fn numbers(document: &Value, outcome: &str) -> Vec<u64> {
    let checks = document["checks"].as_array().expect("checks");
    let these = checks.iter().filter(|check| check["outcome"] == outcome);
    these.filter_map(|check| check["number"].as_u64()).collect()
}

/// Rows of the CRM that people make, and referrals that are open.
fn left(served: &Served) -> (usize, usize) {
    let rows = served.rows();
    let made = ["Opportunity", "Account", "Contact", "opportunity", "account", "contact"];
    let alive = |row: &&cosell_sim::happening::Row| row.fields.get("IsDeleted").and_then(Value::as_bool) != Some(true);
    let crm = rows
        .iter()
        .filter(|row| made.contains(&row.table.as_str()))
        .filter(alive);
    let open = rows
        .iter()
        .filter(|row| row.table == "referral" && row.fields["status"] != "Closed");
    (crm.count(), open.count())
}

#[test]
fn every_check_that_can_be_driven_passes_on_both_crms_and_takes_back_what_it_made() {
    for (crm, name, least) in [(Crm::Salesforce, "salesforce", 18), (Crm::Dynamics, "dynamics", 19)] {
        let folder = Folder::new(&format!("systems-{name}"));
        let served = serve();
        let settings = process::settings(crm, &served, &folder.0, process::free_port());
        let _connector = Running(process::start(&settings, &folder.0));
        let file = folder.write("stage.toml", &profile(&served, name, "staging"));
        let output = accept(&["--profile", &file, "--yes", "--jobs", "8", "--format", "json"]);
        let report = document(&output);
        assert_eq!(output.status.code(), Some(0), "{report:#}");
        assert_eq!(numbers(&report, "failed"), Vec::<u64>::new(), "{report:#}");
        assert!(numbers(&report, "passed").len() >= least, "{report:#}");
        assert!(numbers(&report, "passed").contains(&26), "two solutions: {report:#}");
        let shown = report.to_string();
        assert!(
            shown.contains("only somebody at Microsoft can do what it needs"),
            "{shown}"
        );
        assert!(
            shown.contains("nothing can be made to fail between real systems"),
            "{shown}"
        );
        assert!(shown.contains("nobody can take back"), "{shown}");
        if crm == Crm::Dynamics {
            assert!(shown.contains("sandbox (CustomerTest)"), "{shown}");
        }
        assert_eq!(left(&served), (0, 0), "everything is taken back on {name}");
        let named = served.rows().into_iter().filter(|row| row.table == "referral");
        assert!(named.clone().count() >= 15);
        for row in named {
            let name = row.fields["name"].as_str().unwrap_or_default();
            assert!(name.starts_with("COSELL-ACCEPT "), "{name}");
        }
    }
}

#[test]
fn without_a_connector_the_first_three_checks_fail_and_nothing_is_left() {
    let folder = Folder::new("systems-lifeless");
    let served = serve();
    let quick = profile(&served, "dynamics", "staging")
        .replace("60s", "2s")
        .replace("4s", "1s");
    let file = folder.write("stage.toml", &quick);
    let output = accept(&["--profile", &file, "--yes", "--format", "json"]);
    let report = document(&output);
    assert_eq!(output.status.code(), Some(1), "{report:#}");
    assert!(
        numbers(&report, "failed").len() >= 3 && numbers(&report, "passed").is_empty(),
        "{report:#}"
    );
    assert!(
        report.to_string().contains("the first 3 checks passed none"),
        "{report:#}"
    );
    assert_eq!(left(&served), (0, 0));
}

#[test]
fn production_and_a_missing_yes_write_nothing() {
    let folder = Folder::new("systems-refused");
    let served = serve();
    let production = folder.write("production.toml", &profile(&served, "salesforce", "production"));
    let staging = folder.write("staging.toml", &profile(&served, "salesforce", "staging"));
    let nameless = profile(&served, "salesforce", "staging").replace("solution = \"SOL-9\"\nsecond-", "second-");
    let nameless = folder.write("nameless.toml", &nameless);
    for (arguments, part) in [
        (
            &["--profile", &*production, "--yes"][..],
            "is for production, and the checks write",
        ),
        (&["--profile", &staging], "nobody said yes, and nothing was written"),
        (&["--profile", &nameless, "--yes"], "names no solution"),
        (
            &["--crm", "salesforce", "--against", "systems"],
            "nothing says where the systems are",
        ),
    ] {
        let output = accept(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", text(&output.stdout));
        assert!(
            text(&output.stderr).contains(part),
            "{arguments:?}: {}",
            text(&output.stderr)
        );
    }
    assert_eq!(left(&served), (0, 0));
    assert_eq!(served.rows().iter().filter(|row| row.table == "referral").count(), 0);
}

/// Answers every connection alike, as a proxy does: with a status line, a type and a page; or never, when there is no page.
fn proxy(page: Option<[&'static str; 3]>) -> String {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        let mut silent = Vec::new();
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let Some([status, kind, page]) = page else {
                silent.push(stream);
                continue;
            };
            drop(stream.read(&mut [0; 4096]));
            let head = format!(
                "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n",
                page.len()
            );
            drop(stream.write_all((head + page).as_bytes()));
        }
    });
    format!("http://{address}")
}

#[test]
fn systems_that_cannot_be_reached_or_signed_in_to_are_told_and_nothing_is_run() {
    let folder = Folder::new("systems-unreachable");
    let served = serve();
    let whole = profile(&served, "salesforce", "staging");
    let salesforce = served.bases().of(Site::Salesforce);
    let page = proxy(Some([
        "200 OK",
        "text/html",
        "<html><title>Please log in</title></html>",
    ]));
    // As Entra ID says it.
    let tenant =
        "{\"error\":\"invalid_request\",\"error_description\":\"AADSTS90002: Tenant 'contoso.example' not found.\"}";
    let (tenant, silent) = (
        proxy(Some(["400 Bad Request", "application/json", tenant])),
        proxy(None),
    );
    let entra = served.bases().of(Site::Entra);
    let tls = salesforce.replace("http://127.0.0.1", "https://localhost");
    for (from, to, part) in [
        (salesforce.as_str(), "http://127.0.0.1:9", "127.0.0.1 cannot be reached"),
        (
            &salesforce,
            "https://no-such-host.invalid",
            "no-such-host.invalid cannot be reached",
        ),
        (&salesforce, &tls, "localhost cannot be reached"),
        (&salesforce, &page, "a proxy or a login page stands between"),
        (&salesforce, &silent, "did not answer in time"),
        (&entra, &tenant, "AADSTS90002: Tenant 'contoso.example' not found"),
        ("refresh-connector", "expired", "answered 400"),
        ("COSELL_TEST_SECRET", "PATH", "AADSTS7000215"),
        ("COSELL_TEST_SECRET", "COSELL_UNSET", "COSELL_UNSET is not set"),
    ] {
        let file = folder.write(
            "wrong.toml",
            &whole.replace(from, to).replace("seconds = 5", "seconds = 2"),
        );
        let output = accept(&["--profile", &file, "--yes", "--format", "json"]);
        let report = document(&output);
        let reason = report["checks"][0]["reason"].as_str().unwrap_or_default();
        assert!(reason.contains(part), "{to}: {reason}");
        assert_eq!(output.status.code(), Some(3), "{to}");
        assert_eq!(numbers(&report, "not-run").len(), 40, "{to}");
        assert!(!report.to_string().contains("\"secret\""));
    }
}

#[test]
fn after_ctrl_c_everything_is_taken_back_and_reported() {
    let folder = Folder::new("systems-stopped");
    let served = serve();
    let file = folder.write("stage.toml", &profile(&served, "salesforce", "staging"));
    let child = command(&["--profile", &file, "--yes", "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("cosell can be started");
    for _ in 0..600 {
        if left(&served).0 > 0 {
            break;
        }
        std::thread::park_timeout(Duration::from_millis(50));
    }
    assert!(left(&served).0 > 0, "a check has begun");
    let id = i32::try_from(child.id()).expect("a process id");
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(id), nix::sys::signal::Signal::SIGINT).expect("it can be told");
    let output = child.wait_with_output().expect("it ends");
    let report = document(&output);
    assert_eq!(output.status.code(), Some(130), "{report:#}");
    assert_eq!(report["interrupted"], true);
    assert!(
        numbers(&report, "passed").is_empty() && numbers(&report, "not-run").len() == 40,
        "{report:#}"
    );
    assert_eq!(left(&served), (0, 0));
}

#[test]
fn the_guide_leads_from_an_empty_folder_to_a_report_word_for_word() {
    let guide = include_str!("../guide/going-live.md");
    let blocks: Vec<&str> = guide
        .split("```sh\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert!(blocks.len() >= 7, "{}", blocks.len());
    let folder = Folder::new("going-live");
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_cosell"));
    let path = format!(
        "{}:{}",
        program.parent().expect("a folder").display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let script = format!("set -eu\ntrap 'kill $(jobs -p)' EXIT\n{}", blocks.concat());
    let output = Command::new("bash")
        .args(["-c", &script])
        .env("PATH", path)
        .current_dir(&folder.0)
        .output()
        .expect("bash can be started");
    let read = |name: &str| std::fs::read_to_string(folder.0.join(name)).unwrap_or_default();
    assert!(
        output.status.success(),
        "{}\n{}\n{}\n{}",
        text(&output.stdout),
        text(&output.stderr),
        read("preflight.md"),
        read("connector.log")
    );
    assert!(
        read("acceptance.md").contains("| 1 | `new.from-crm`"),
        "{}",
        read("acceptance.md")
    );
    assert!(read("settings.html").contains("the reference connector of cosell"));
}
