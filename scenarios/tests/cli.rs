//! The command line as its users meet it: a process, its exit code, and what it prints.

mod command;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use command::{Folder, cosell, text};

const VALUE: &str = "catalog/updates/value-both-ways.yaml";

fn catalog_text(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(path).expect("a scenario of the catalog can be read")
}

#[test]
fn run_without_a_path_runs_the_compiled_in_catalog_from_any_folder() {
    let output = cosell(&["run"]);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    assert!(text(&output.stdout).contains(" passed"), "{}", text(&output.stdout));
}

#[test]
fn a_changed_expectation_fails_with_a_caret_at_its_line() {
    let folder = Folder::new("changed");
    let original = catalog_text(VALUE);
    let number = original
        .lines()
        .position(|line| line.contains("expect in") && line.contains("value:"));
    let number = number.expect("the scenario expects a value");
    let changed: Vec<String> = original
        .lines()
        .enumerate()
        .map(|(index, line)| {
            if index != number {
                return line.to_owned();
            }
            let (before, after) = line.split_once("value: ").expect("a value");
            let end = after.find([',', '}']).expect("an end");
            format!("{before}value: 4711 USD{}", &after[end..])
        })
        .collect();
    let file = folder.write("changed.yaml", &changed.join("\n"));
    let output = cosell(&["run", &file, "--crm", "dynamics"]);
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{shown}{}", text(&output.stderr));
    assert!(shown.contains(&format!("--> {file}:{}:", number + 1)), "{shown}");
    for part in [
        "4711 USD",
        "^",
        "expected:",
        "actual:",
        "run it again: cosell run ",
        "--seed 2026",
    ] {
        assert!(shown.contains(part), "`{part}` is missing in\n{shown}");
    }
}

#[test]
fn a_bad_file_is_usage_and_says_where() {
    let folder = Folder::new("bad");
    let file = folder.write("bad.yaml", "title: A deal\nsteps:\n  - seler creates: D1\n");
    for command in ["run", "check", "list"] {
        let output = cosell(&[command, &file]);
        assert_eq!(output.status.code(), Some(2), "{command}");
        let shown = text(&output.stderr);
        assert!(
            shown.contains("bad.yaml:3:5") && shown.contains("seller creates"),
            "{shown}"
        );
    }
}

#[test]
fn a_folder_without_scenarios_and_a_missing_path_are_usage() {
    let folder = Folder::new("empty");
    let empty = folder.0.to_string_lossy().into_owned();
    let missing = format!("{empty}/missing.yaml");
    for path in [&empty, &missing] {
        let output = cosell(&["run", path]);
        assert_eq!(output.status.code(), Some(2), "{path}: {}", text(&output.stderr));
    }
}

#[test]
fn nothing_selected_has_an_exit_code_of_its_own() {
    let output = cosell(&["run", "catalog/missing-pieces/closing-date.yaml", "--crm", "salesforce"]);
    assert_eq!(output.status.code(), Some(4), "{}", text(&output.stderr));
}

#[test]
fn wrong_usage_is_told_by_its_exit_code() {
    for arguments in [&["runn"][..], &["run", "--crm", "sap"], &["run", "--seed", "x"], &[]] {
        assert_eq!(cosell(arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn the_json_report_is_one_document_that_names_each_run() {
    let output = cosell(&["run", VALUE, "--format", "json"]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
    assert_eq!(document["runs"].as_array().map(Vec::len), Some(2));
    assert_eq!(document["passed"], 2);
    assert_eq!(document["runs"][0]["path"], VALUE);
}

#[test]
fn a_scenario_can_be_carried_over_sockets() {
    let output = cosell(&["run", VALUE, "--sockets"]);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
}

#[test]
fn two_processes_write_the_same_traces() {
    let folder = Folder::new("traces");
    let run = |name: &str| {
        let traces = folder.0.join(name);
        let folder = traces.to_string_lossy();
        let output = cosell(&["run", "catalog/updates", "catalog/closing", "--save-traces", &folder]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let entries = fs::read_dir(&traces).expect("the folder of traces can be read");
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
        files.sort();
        files
    };
    let (one, other) = (run("one"), run("other"));
    assert!(one.len() > 28, "only {} traces were written", one.len());
    assert_eq!(one.len(), other.len());
    for (one, other) in one.iter().zip(&other) {
        assert!(
            fs::read(one).ok() == fs::read(other).ok(),
            "{} differs between two processes",
            one.display()
        );
    }
}

#[test]
fn a_trace_folder_that_cannot_be_made_is_usage() {
    let folder = Folder::new("blocked");
    let file = folder.write("file", "");
    let output = cosell(&["run", VALUE, "--save-traces", &format!("{file}/traces")]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr).contains("cannot be written"),
        "{}",
        text(&output.stderr)
    );
}

/// A server that ends with the test.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn serve(arguments: &[&str]) -> (Serving, Vec<String>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cosell"));
    let child = command.arg("serve").args(arguments).stdout(Stdio::piped()).spawn();
    let mut serving = Serving(child.expect("cosell can be started"));
    let output = BufReader::new(serving.0.stdout.take().expect("standard output is piped"));
    let mut lines = Vec::new();
    for line in output.lines() {
        let line = line.expect("a line");
        if line.starts_with("serving until") {
            break;
        }
        lines.push(line);
    }
    (serving, lines)
}

/// Does what a printed curl line says.
fn curl(line: &str) -> (u16, String) {
    let words: Vec<&str> = line.trim().split('\'').collect();
    let (header, url) = if words.len() >= 4 {
        (words[1], words[3])
    } else {
        ("", words[1])
    };
    let rest = url.strip_prefix("http://").expect("an http URL");
    let (authority, path) = rest.split_once('/').expect("a path");
    let mut stream = TcpStream::connect(authority).expect("the server listens");
    let header = if header.is_empty() {
        String::new()
    } else {
        format!("{header}\r\n")
    };
    write!(
        stream,
        "GET /{path} HTTP/1.1\r\nHost: {authority}\r\n{header}Connection: close\r\n\r\n"
    )
    .expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let status = answer
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .expect("a status");
    (status, answer)
}

#[test]
fn serve_prints_commands_that_work_as_they_stand() {
    let (_serving, lines) = serve(&[]);
    let commands: Vec<&String> = lines.iter().filter(|line| line.trim().starts_with("curl ")).collect();
    assert_eq!(commands.len(), 4, "{lines:#?}");
    for command in commands {
        let (status, answer) = curl(command);
        assert_eq!(status, 200, "{command}\n{answer}");
    }
}

#[test]
fn serve_with_a_manual_clock_names_the_control_port() {
    let (_serving, lines) = serve(&["--clock", "manual"]);
    assert!(lines.iter().any(|line| line.starts_with("control")), "{lines:#?}");
}

#[test]
fn serve_over_tls_writes_down_what_a_client_must_trust_and_where_everything_is() {
    let folder = Folder::new("tls");
    let (ca, ready) = (folder.write("ca.pem", "old"), folder.write("ready.json", "old"));
    let (_serving, lines) = serve(&["--tls", "--tls-ca", &ca, "--ready-file", &ready]);
    let pem = fs::read_to_string(&ca).expect("the certificate is written");
    assert!(pem.starts_with("-----BEGIN CERTIFICATE-----"), "{pem}");
    let trust = lines
        .iter()
        .any(|line| line.contains("NODE_EXTRA_CA_CERTS=") && line.contains("ca.pem"));
    assert!(trust, "{lines:#?}");
    // It appears after the greeting; the old one is gone before.
    let mut text = String::new();
    while text.is_empty() {
        text = fs::read_to_string(&ready).unwrap_or_default();
        std::thread::yield_now();
    }
    let told: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let base = told["bases"]["entra"].as_str().expect("a base URL");
    assert!(
        told["tokens"]["webhooks"].is_string() && told["ca"].is_string(),
        "{told}"
    );
    let port = base.strip_prefix("https://localhost:").expect("TLS on localhost");
    let (status, answer) = curl(&format!("curl 'http://127.0.0.1:{port}/common/discovery/keys'"));
    assert_eq!((status, answer.contains("use https://")), (400, true), "{answer}");
}

#[test]
fn serve_names_a_file_that_cannot_be_written() {
    for arguments in [
        ["--tls", "--tls-ca", "/no/folder/ca.pem"],
        ["--seed", "1", "--ready-file=/no/folder/ready.json"],
    ] {
        let output = cosell(&[&["serve"], arguments.as_slice()].concat());
        let shown = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{shown}");
        assert!(shown.contains("/no/folder/") && shown.contains("help: "), "{shown}");
    }
}

#[test]
fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = taken.local_addr().expect("an address").port();
    let output = cosell(&["serve", "--port", &port.min(65_531).to_string()]);
    assert_eq!(output.status.code(), Some(2));
    let shown = text(&output.stderr);
    assert!(shown.contains(&port.to_string()) && shown.contains("--port"), "{shown}");
}
