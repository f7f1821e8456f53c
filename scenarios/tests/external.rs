//! Somebody else's connector between the simulators on sockets: `cosell run --connector external`.
//!
//! The connectors are those of `tests/connectors`, which share no code with this repository: one that polls, for each CRM, and one
//! that webhooks drive; honest, and with each of four planted bugs.

#![cfg(unix)]

mod command;

use std::fs;
use std::path::Path;
use std::process::Output;

use command::{Folder, cosell, text};
use serde_json::Value;

/// The command that starts the connector that polls Salesforce, with a planted bug or none.
fn polling(bug: &str) -> String {
    connector("polling", bug)
}

/// The command that starts a connector.
fn connector(name: &str, bug: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../tests/connectors/{name}.py"));
    let bug = if bug.is_empty() {
        String::new()
    } else {
        format!(" --bug {bug}")
    };
    format!("python3 '{}'{bug}", file.display())
}

/// Runs scenarios on Salesforce with a connector of somebody else's.
fn run(command: &str, arguments: &[&str]) -> Output {
    let external = [
        "run",
        "--connector",
        "external",
        "--connector-command",
        command,
        "--quiet-for",
        "2s",
    ];
    let crm: &[&str] = if arguments.contains(&"--crm") {
        &[]
    } else {
        &["--crm", "salesforce"]
    };
    let patience: &[&str] = if arguments.contains(&"--patience") {
        &[]
    } else {
        &["--patience", "25s"]
    };
    cosell(&[&external[..], crm, patience, arguments].concat())
}

/// What the findings of all runs are called, each once.
fn codes(output: &Output) -> Vec<String> {
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{error}: {}\n{}", text(&output.stdout), text(&output.stderr));
    });
    let runs = report["runs"].as_array().expect("runs");
    let findings = runs
        .iter()
        .flat_map(|run| run["findings"].as_array().expect("findings"));
    let mut codes: Vec<String> = findings
        .map(|finding| finding["code"].as_str().expect("a code").to_owned())
        .collect();
    codes.sort();
    codes.dedup();
    codes
}

/// The bug is caught in that scenario, by the invariant that claims it, where the honest connector passes.
fn caught(bug: &str, scenario: &str, arguments: &[&str], code: &str) {
    let output = run(&polling(bug), &[&[scenario, "--format", "json"], arguments].concat());
    assert_eq!(output.status.code(), Some(1), "{bug}: {}", text(&output.stdout));
    let codes = codes(&output);
    assert!(
        codes.iter().any(|found| found == code),
        "{bug} is to be caught by {code}, and was by {codes:?}\n{}",
        text(&output.stdout)
    );
}

const LOST_REPLY: &str = "catalog/trouble/lost-reply-on-create-in-crm.yaml";
const SLOW_DOWN: &str = "catalog/trouble/told-to-slow-down.yaml";
const ON_HOLD: &str = "catalog/on-hold/edits-on-hold-do-not-leak.yaml";
const BOTH_WAYS: &str = "catalog/updates/value-both-ways.yaml";
const FROM_MICROSOFT: &str = "catalog/new-deals/from-microsoft-lands-on-hold.yaml";

#[test]
fn an_honest_connector_of_somebody_elses_passes() {
    let scenarios = [FROM_MICROSOFT, BOTH_WAYS, ON_HOLD, LOST_REPLY, SLOW_DOWN];
    let output = run(&polling(""), &[&scenarios[..], &["--log", "--jobs", "5"]].concat());
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{shown}\n{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("left out"), "{}", text(&output.stderr));
}

/// The honest connector passes on a CRM.
fn honest(name: &str, crm: &str) {
    let scenarios = [FROM_MICROSOFT, BOTH_WAYS, ON_HOLD, LOST_REPLY, SLOW_DOWN];
    let output = run(
        &connector(name, ""),
        &[&scenarios[..], &["--crm", crm, "--log", "--jobs", "5"]].concat(),
    );
    let shown = text(&output.stdout);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{name} on {crm}: {shown}\n{}",
        text(&output.stderr)
    );
}

/// Each bug of a connector is caught on a CRM by the invariant that claims it. They run beside each other: most of their time is waiting.
fn broken_ones(name: &str, crm: &str) {
    let bugs = [
        ("duplicate-on-lost-reply", LOST_REPLY, "25s", "one-to-one"),
        ("echo-loop", FROM_MICROSOFT, "8s", "quiet"),
        ("leak-on-hold", ON_HOLD, "25s", "no-leak"),
        ("ignores-retry-after", SLOW_DOWN, "25s", "conduct"),
    ];
    std::thread::scope(|scope| {
        for (bug, scenario, patience, code) in bugs {
            scope.spawn(move || {
                let arguments = [scenario, "--format", "json", "--crm", crm, "--patience", patience];
                let output = run(&connector(name, bug), &arguments);
                let found = codes(&output);
                assert_eq!(output.status.code(), Some(1), "{name} {bug} on {crm}: {found:?}");
                assert!(
                    found.iter().any(|one| one == code),
                    "{name} {bug} on {crm} is to be caught by {code}, and was by {found:?}"
                );
            });
        }
    });
}

#[test]
fn a_connector_for_dynamics_passes_and_each_of_its_bugs_is_caught() {
    honest("dynamics", "dynamics");
    broken_ones("dynamics", "dynamics");
}

#[test]
fn a_connector_that_webhooks_drive_passes_on_both_crms_and_each_of_its_bugs_is_caught() {
    honest("webhooks", "salesforce");
    honest("webhooks", "dynamics");
    broken_ones("webhooks", "salesforce");
}

#[test]
fn our_own_process_passes_on_both_crms() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/connectors/own.py");
    let command = format!("python3 '{}' '{}'", file.display(), env!("CARGO_BIN_EXE_cosell"));
    for crm in ["salesforce", "dynamics"] {
        let scenarios = [FROM_MICROSOFT, BOTH_WAYS, LOST_REPLY];
        let output = cosell(
            &[
                &[
                    "run",
                    "--connector",
                    "external",
                    "--connector-command",
                    &command,
                    "--crm",
                    crm,
                ][..],
                &["--quiet-for", "3s", "--jobs", "3", "--log"],
                &scenarios,
            ]
            .concat(),
        );
        let shown = text(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{shown}\n{}", text(&output.stderr));
    }
}

#[test]
fn a_duplicate_after_a_lost_reply_is_caught_by_one_to_one() {
    caught("duplicate-on-lost-reply", LOST_REPLY, &[], "one-to-one");
}

#[test]
fn an_echo_loop_is_caught_by_quiet() {
    caught("echo-loop", FROM_MICROSOFT, &["--patience", "8s"], "quiet");
}

#[test]
fn a_leak_on_hold_is_caught_by_no_leak() {
    caught("leak-on-hold", ON_HOLD, &[], "no-leak");
}

#[test]
fn a_connector_that_ignores_retry_after_is_caught_by_conduct() {
    caught("ignores-retry-after", SLOW_DOWN, &[], "conduct");
}

#[test]
fn a_connector_that_crashes_floods_or_never_calls_is_a_finding() {
    let folder = Folder::new("external");
    let crashes = run("echo 'out of ideas' >&2; exit 3", &[FROM_MICROSOFT]);
    assert_eq!(crashes.status.code(), Some(1));
    let shown = text(&crashes.stdout);
    assert!(
        shown.contains("the connector ended by itself (exit status: 3)"),
        "{shown}"
    );
    assert!(shown.contains("out of ideas"), "{shown}");
    let silent = run("sleep 100", &[FROM_MICROSOFT, "--patience", "4s", "--format", "json"]);
    assert_eq!(codes(&silent), ["process"]);
    let flood = "import json, os, urllib.request\n\
        url = json.load(open(os.environ['COSELL_READY_FILE']))['bases']['entra']\n\
        while True:\n    \
            try: urllib.request.urlopen(url, timeout=5).read()\n    \
            except urllib.error.HTTPError: pass\n";
    let flood = folder.write("flood.py", flood);
    let floods = run(
        &format!("python3 '{flood}'"),
        &[FROM_MICROSOFT, "--patience", "60s", "--format", "json"],
    );
    assert!(codes(&floods).contains(&"bound".to_owned()), "{}", text(&floods.stdout));
}

#[test]
fn a_step_that_needs_the_inside_of_a_connector_is_named_and_leaves_the_run_open() {
    let output = run("sleep 100", &["catalog/flows/resubmit-after-a-refusal.yaml"]);
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(3), "{shown}");
    assert!(shown.contains("cannot be done with an external connector"), "{shown}");
}

#[test]
fn options_that_do_not_fit_together_are_told_with_a_way_out() {
    for (arguments, told) in [
        (
            &["--port", "9000"][..],
            "`--port` is for a connector of somebody else's",
        ),
        (
            &["--connector", "external"],
            "the connector could not know where the simulators are",
        ),
        (
            &["--connector", "external", "--port", "9000", "--sockets"],
            "`--sockets` is for the reference connector",
        ),
        (
            &["--connector", "external", "--port", "9000", "--patience", "1s"],
            "the patience ends before",
        ),
        (
            &["--connector", "external", "--port", "9000", "--webhook", "https://x"],
            "webhooks cannot be brought",
        ),
        (
            &["--connector", "external", "--port", "9000", "--quiet-for", "soon"],
            "expected a time",
        ),
    ] {
        let output = cosell(&[&["run", FROM_MICROSOFT], arguments].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let said = text(&output.stderr);
        assert!(
            said.contains(told) && !said.contains("panicked"),
            "{arguments:?}: {said}"
        );
    }
}

#[test]
fn the_file_that_tells_the_connector_where_all_is_holds_the_scenarios_settings() {
    let folder = Folder::new("external-ready");
    let ready = folder.0.join("ready.json").to_string_lossy().into_owned();
    let output = run("exit 0", &[FROM_MICROSOFT, "--ready-file", &ready]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    let told: Value = serde_json::from_str(&fs::read_to_string(&ready).expect("the file is there")).expect("JSON");
    assert_eq!(told["crm"], "salesforce");
    assert_eq!(told["settings"]["onHoldStage"], "On Hold");
    assert!(told["bases"]["salesforce"].is_string() && told["bases"]["dataverse"].is_string());
}
