//! `cosell preflight` as a team meets it before go-live: against simulators in good and in bad order, and wrong profiles.

mod command;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use command::{Folder, cosell, text};
use serde_json::Value;

/// Simulators on free ports, ended with the test.
struct Serving {
    child: Child,
    ready: Value,
}

impl Serving {
    fn start(folder: &Folder) -> Self {
        let file = folder.0.join("ready.json");
        let child = Command::new(env!("CARGO_BIN_EXE_cosell"))
            .args(["serve", "--ready-file", &file.to_string_lossy()])
            .stdout(Stdio::null())
            .spawn()
            .expect("cosell can be started");
        let mut serving = Self {
            child,
            ready: Value::Null,
        };
        for _ in 0..600 {
            if let Some(ready) = std::fs::read(&file)
                .ok()
                .and_then(|text| serde_json::from_slice(&text).ok())
            {
                serving.ready = ready;
                return serving;
            }
            std::thread::park_timeout(Duration::from_millis(50));
        }
        panic!("the simulators did not get ready");
    }

    fn base(&self, site: &str) -> String {
        self.ready["bases"][site].as_str().expect("a base").to_owned()
    }

    /// A profile for these simulators.
    fn profile(&self, crm: &str, on_hold: &str) -> String {
        let (entra, pc) = (self.base("entra"), self.base("partner-center"));
        let (salesforce, dataverse) = (self.base("salesforce"), self.base("dataverse"));
        let sign_in = format!(
            "authority = \"{entra}\"\ntenant = \"contoso.example\"\nclient-id = \"cosell\"\nclient-secret = {{ env = \"COSELL_TEST_SECRET\" }}\n"
        );
        format!(
            "name = \"test\"\nkind = \"simulator\"\ncrm = \"{crm}\"\n[partner-center]\nreferrals-base = \"{pc}\"\nevents-base = \"{pc}\"\n\
             [partner-center.sign-in]\n{sign_in}refresh-token = {{ command = \"echo refresh-connector\" }}\n\
             [salesforce]\nlogin-base = \"{salesforce}\"\nclient-id = \"cosell\"\nclient-secret = {{ env = \"COSELL_TEST_SECRET\" }}\n\
             [dataverse]\nbase = \"{dataverse}\"\n[dataverse.sign-in]\n{sign_in}\
             [connector]\non-hold-stage = \"{on_hold}\"\nactive-stage = \"Qualification\"\n"
        )
    }

    /// The methods and paths of every request so far, from the simulators' own journal.
    fn journal(&self) -> Vec<(String, String)> {
        let control = self.ready["control"].as_str().expect("the control port");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        cosell::preflight::reader::prepare_tls();
        let body = runtime.block_on(async {
            let reply = reqwest::get(format!("{control}/control/journal"))
                .await
                .expect("the journal");
            reply.text().await.expect("text")
        });
        let journal: Value = serde_json::from_str(&body).expect("JSON");
        let entries = journal
            .as_array()
            .or_else(|| journal["entries"].as_array())
            .expect("entries");
        let word = |entry: &Value, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        entries
            .iter()
            .map(|entry| (word(entry, "method"), word(entry, "path") + &word(entry, "url")))
            .collect()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn preflight(profile: &str) -> (Option<i32>, Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_cosell"))
        .args(["preflight", "--profile", profile, "--format", "json"])
        .env("COSELL_TEST_SECRET", "secret")
        .output()
        .expect("cosell can be started");
    let document = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output.stderr)));
    (output.status.code(), document)
}

fn outcome<'a>(document: &'a Value, code: &str) -> (&'a str, &'a str) {
    let checks = document["checks"].as_array().expect("checks");
    let check = checks
        .iter()
        .find(|check| check["code"] == code)
        .unwrap_or_else(|| panic!("no check {code}"));
    (
        check["outcome"].as_str().expect("an outcome"),
        check["seen"].as_str().expect("what was seen"),
    )
}

#[test]
fn a_preflight_reads_and_writes_nothing() {
    let folder = Folder::new("preflight");
    let serving = Serving::start(&folder);
    for crm in ["salesforce", "dynamics"] {
        let profile = folder.write(&format!("{crm}.toml"), &serving.profile(crm, "On Hold"));
        let (_, document) = preflight(&profile);
        for code in [
            "pc.sign-in",
            "pc.role",
            "clock",
            "crm.sign-in",
            "crm.country",
            "crm.postal-code",
        ] {
            assert_eq!(outcome(&document, code).0, "passed", "{crm} {code}: {document:#}");
        }
        // A new world has no webhook yet: the one thing that is really missing.
        assert_eq!(outcome(&document, "pc.webhook"), ("failed", "nothing is registered"));
        assert_eq!(outcome(&document, "mpn.matches").0, "not-checked");
    }
    let journal = serving.journal();
    assert!(journal.len() > 15, "{journal:?}");
    let writes: Vec<_> = journal
        .iter()
        .filter(|(method, path)| method != "GET" && !path.contains("/oauth2/"))
        .collect();
    assert!(writes.is_empty(), "{writes:?}");
}

#[test]
fn a_stage_that_the_org_lacks_is_found_with_the_nearest_name() {
    let folder = Folder::new("preflight-stage");
    let serving = Serving::start(&folder);
    let profile = folder.write("stage.toml", &serving.profile("salesforce", "On Hodl"));
    let (code, document) = preflight(&profile);
    assert_eq!(code, Some(1));
    let (is, seen) = outcome(&document, "crm.stages");
    assert!(
        is == "failed" && seen.contains("\"On Hodl\"") && seen.contains("did you mean \"On Hold\"?"),
        "{seen}"
    );
}

#[test]
fn what_cannot_be_reached_or_signed_in_is_told_in_a_sentence() {
    let folder = Folder::new("preflight-unreachable");
    let serving = Serving::start(&folder);
    let whole = serving.profile("salesforce", "On Hold");
    let (salesforce, entra) = (serving.base("salesforce"), serving.base("entra"));
    for (from, to, code, part) in [
        (
            salesforce.as_str(),
            "http://127.0.0.1:9",
            "crm.sign-in",
            "127.0.0.1 cannot be reached",
        ),
        (
            salesforce.as_str(),
            "https://no-such-host.invalid",
            "crm.sign-in",
            "no-such-host.invalid cannot be reached",
        ),
        ("refresh-connector", "wrong", "pc.sign-in", "answered 400"),
        (entra.as_str(), salesforce.as_str(), "pc.sign-in", "answered"),
        (
            "COSELL_TEST_SECRET",
            "COSELL_UNSET",
            "pc.sign-in",
            "the environment variable COSELL_UNSET is not set",
        ),
    ] {
        let profile = folder.write("profile.toml", &whole.replace(from, to));
        let (exit, document) = preflight(&profile);
        let (is, seen) = outcome(&document, code);
        assert!(is == "failed" && seen.contains(part), "{to}: {is} {seen}");
        assert_eq!(exit, Some(1), "{to}");
        assert!(!document.to_string().contains("\"secret\""));
    }
}

#[test]
fn a_profile_that_is_not_in_order_is_usage() {
    let folder = Folder::new("preflight-usage");
    let example = text(&cosell(&["preflight", "--example"]).stdout);
    for (content, part) in [
        ("", "missing field `name`"),
        ("name = ", "expected"),
        (
            &*example.replace("crm = \"salesforce\"", "crm = \"sap\""),
            "unknown variant `sap`",
        ),
        (
            &*example.replace("timeout-seconds", "timeout"),
            "unknown field `timeout`",
        ),
    ] {
        let profile = folder.write("bad.toml", content);
        let output = cosell(&["preflight", "--profile", &profile]);
        let shown = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{shown}");
        assert!(shown.contains(part) && shown.contains("bad.toml"), "{shown}");
    }
    assert_eq!(cosell(&["preflight"]).status.code(), Some(2));
    assert!(!Path::new("missing.toml").exists());
    let missing = cosell(&["preflight", "--profile", "missing.toml"]);
    assert!(text(&missing.stderr).contains("--example"), "{}", text(&missing.stderr));
}
