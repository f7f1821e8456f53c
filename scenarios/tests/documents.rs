//! README and guides cannot rot: every command line in them is one that this version understands, and what a block shows as
//! its output is what comes, line for line.
//!
//! Two things are put aside on both sides, and nothing else: seconds on the wall, and how many runs the catalog has. `…` alone
//! on a line stands for any lines.

mod command;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use command::{Folder, text};
use regex_lite::Regex;

/// A command of a document, and what is shown below it.
struct Line {
    place: String,
    command: String,
    shown: Vec<String>,
}

fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let entries = std::fs::read_dir(root.join("guide")).expect("the guides' folder can be read");
    let mut pages: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    pages.retain(|page| page.extension().is_some_and(|kind| kind == "md"));
    pages.push(root.join("../README.md"));
    pages.sort();
    pages
}

/// The command lines of a page: behind `$ ` in `console` blocks, whole lines of `sh` blocks; a backslash joins lines.
fn lines_of(page: &Path) -> Vec<Line> {
    let name = page.file_name().expect("a name").to_string_lossy();
    let text = std::fs::read_to_string(page).expect("a page can be read");
    let mut found: Vec<Line> = Vec::new();
    let mut block = "";
    let mut goes_on = false;
    for (number, line) in text.lines().enumerate() {
        if let Some(kind) = line.strip_prefix("```") {
            block = if block.is_empty() { kind } else { "" };
            goes_on = false;
            continue;
        }
        let own = match block {
            "console" => line.strip_prefix("$ "),
            "sh" => Some(line).filter(|line| line.starts_with("cosell ") || line.starts_with("cargo ")),
            _ => continue,
        };
        match (own, found.last_mut()) {
            (Some(command), _) => {
                goes_on = command.ends_with('\\');
                found.push(Line {
                    place: format!("{name}:{}", number + 1),
                    command: command.trim_end_matches('\\').to_owned(),
                    shown: Vec::new(),
                });
            }
            (None, Some(last)) if goes_on => {
                goes_on = line.ends_with('\\');
                last.command.push_str(line.trim().trim_end_matches('\\'));
            }
            (None, Some(last)) if block == "console" => last.shown.push(line.to_owned()),
            (None, _) => {}
        }
    }
    for line in &mut found {
        while line.shown.last().is_some_and(|last| last.trim().is_empty()) {
            line.shown.pop();
        }
    }
    found
}

fn all_lines() -> Vec<Line> {
    pages().iter().flat_map(|page| lines_of(page)).collect()
}

/// The command as it is typed once `cosell` is on the path; none when it is not one of ours, or not of this build.
fn ours(command: &str) -> Option<String> {
    let planted = command.contains("--features planted");
    if planted && !cfg!(feature = "planted") {
        return None;
    }
    let typed = match command.strip_prefix("cargo run") {
        Some(rest) => format!("cosell {}", rest.split_once(" -- ")?.1),
        None => command.to_owned(),
    };
    typed.starts_with("cosell ").then_some(typed)
}

/// Runs a line of a shell in a folder, with `cosell` as the program under test and what comes before it as preparation.
fn shell(folder: &Folder, before: &str, line: &str) -> (Option<i32>, String) {
    let script = format!("{before}\n{line}\n");
    let output = Command::new("bash")
        .args(["-c", &script])
        .env("BIN", env!("CARGO_BIN_EXE_cosell"))
        .env("NO_COLOR", "1")
        .env("GITHUB_STEP_SUMMARY", "summary.md")
        .env("COSELL_STATE_DIR", folder.0.join("state"))
        .env("COSELL_TEST_SECRET", "secret")
        .current_dir(&folder.0)
        .output()
        .expect("bash can be started");
    let shown = format!("{}{}", text(&output.stdout), text(&output.stderr));
    (output.status.code(), shown)
}

const COSELL: &str = "cosell() { \"$BIN\" \"$@\"; }";

#[test]
fn every_command_line_of_a_document_is_understood_by_this_version() {
    let folder = Folder::new("documents");
    let mut count = 0;
    for line in all_lines() {
        let Some(typed) = ours(&line.command) else { continue };
        count += 1;
        // Where the output goes, and in which process, is the shell's matter.
        let end = typed.find(['>', '<', '&']).unwrap_or(typed.len());
        let (code, shown) = shell(&folder, "cosell() { \"$BIN\" \"$@\" --help; }", &typed[..end]);
        assert_eq!(code, Some(0), "{}: {typed}\n{shown}", line.place);
    }
    assert!(count >= 35, "only {count} command lines were found");
}

/// What is not the same on every machine and every day.
fn steady(line: &str) -> String {
    let seconds = Regex::new(r" in \d+\.\d+ s:").expect("a pattern");
    let runs = Regex::new(r"\b\d{3,} (runs|passed)").expect("a pattern");
    let line = seconds.replace(line.trim_end(), " in T s:");
    runs.replace_all(&line, "N $1").into_owned()
}

/// Where what is shown and what came part; none when they do not.
fn difference(shown: &[String], came: &str) -> Option<String> {
    let shown: Vec<String> = shown.iter().map(|line| steady(line)).collect();
    let came: Vec<String> = came.trim_end().lines().map(steady).collect();
    let mut from = 0;
    for part in shown.split(|line| line.trim() == "…") {
        let first = from == 0 && shown.first().is_some_and(|line| line.trim() != "…");
        let last_place = came.len().saturating_sub(part.len());
        let place = (from..=last_place).find(|at| came[*at..].starts_with(part));
        match place {
            Some(at) if !first || at == 0 => from = at + part.len(),
            _ => {
                let near: Vec<&str> = came
                    .iter()
                    .skip(from)
                    .take(part.len().max(8))
                    .map(String::as_str)
                    .collect();
                return Some(format!("shown:\n{}\ncame:\n{}", part.join("\n"), near.join("\n")));
            }
        }
    }
    let open = shown.last().is_some_and(|line| line.trim() == "…");
    (!open && from < came.len()).then(|| format!("not shown:\n{}", came[from..].join("\n")))
}

#[test]
fn what_came_is_held_against_what_is_shown_line_by_line() {
    let shown = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let came = "a\nb\nc\n\n632 runs in 2.03 s: 632 passed\n";
    for same in [
        "a\nb\nc\n\n700 runs in 9.99 s: 700 passed",
        "a\n…\nc\n\n632 runs in 1.00 s: 632 passed",
        "a\n  …",
        "…\n\n632 runs in 2.03 s: 632 passed",
    ] {
        assert_eq!(difference(&shown(same), came), None, "{same}");
    }
    for other in [
        "a\nb",
        "b\n…",
        "a\nc\n…",
        "a\n…\nb\n…\na\n…",
        "a\nb\nc\n\n632 runs in 2.03 s: 631 failed",
    ] {
        assert!(difference(&shown(other), came).is_some(), "{other}");
    }
}

/// The one line of all documents that begins like this and shows an output.
fn shown_below(beginning: &str) -> Line {
    let mut all = all_lines();
    all.retain(|line| line.command.starts_with(beginning) && !line.shown.is_empty());
    assert_eq!(all.len(), 1, "`{beginning}` shows its output once");
    all.remove(0)
}

/// Commands that show their output; each has its test below.
const SHOWN: [&str; 4] = [
    "cargo run --release -- run",
    "cosell run value.yaml",
    "cosell serve --port 4000",
    "cosell preflight --profile staging.toml",
];

#[test]
fn each_output_that_a_document_shows_is_held_by_a_test() {
    for line in all_lines().iter().filter(|line| !line.shown.is_empty()) {
        let known = SHOWN.iter().any(|shown| line.command.starts_with(shown));
        assert!(
            known,
            "{}: `{}` shows an output that no test runs",
            line.place, line.command
        );
    }
}

#[test]
fn the_first_run_prints_what_the_readme_shows() {
    let folder = Folder::new("first-run");
    let line = shown_below(SHOWN[0]);
    let (code, came) = shell(&folder, COSELL, &ours(&line.command).expect("a run"));
    assert_eq!(code, Some(0), "{came}");
    assert_eq!(difference(&line.shown, &came), None, "{}", line.place);
}

#[test]
fn a_changed_expectation_prints_what_the_readme_shows() {
    let folder = Folder::new("changed");
    let catalog = Path::new(env!("CARGO_MANIFEST_DIR")).join("catalog/updates/value-both-ways.yaml");
    let sound = std::fs::read_to_string(catalog).expect("a scenario of the catalog");
    // "Change one expectation in a copy of a scenario and run it".
    let changed = sound.replacen(
        "- expect in pc: {deal: D1, value: 60000 USD}",
        "- expect in pc: {deal: D1, value: 61000 USD}",
        1,
    );
    assert_ne!(changed, sound);
    folder.write("value.yaml", &changed);
    let line = shown_below(SHOWN[1]);
    let (code, came) = shell(&folder, COSELL, &line.command);
    assert_eq!(code, Some(1), "{came}");
    assert_eq!(difference(&line.shown, &came), None, "{}", line.place);
}

/// Simulators, ended with the test.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Five ports in a row of which nobody listens to the first.
fn free_ports() -> u16 {
    for base in (21_000..60_000).step_by(50) {
        let base = base + u16::try_from(std::process::id() % 40).unwrap_or_default();
        if (base..base + 5).all(|port| std::net::TcpListener::bind(("127.0.0.1", port)).is_ok()) {
            return base;
        }
    }
    panic!("no five ports in a row are free");
}

#[test]
fn served_simulators_print_what_the_readme_shows() {
    let line = shown_below(SHOWN[2]);
    // Port 4000 may be somebody's: the same command with others.
    let base = free_ports();
    let mut child = Command::new(env!("CARGO_BIN_EXE_cosell"))
        .args(["serve", "--port", &base.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .expect("cosell can be started");
    let reader = BufReader::new(child.stdout.take().expect("a pipe"));
    let _serving = Serving(child);
    let enough = line.shown.len();
    let mut came: Vec<String> = reader.lines().take(enough).map(|line| line.expect("a line")).collect();
    for at in 0..5 {
        for line in &mut came {
            *line = line.replace(&format!(":{}", base + at), &format!(":{}", 4000 + at));
        }
    }
    assert_eq!(difference(&line.shown, &came.join("\n")), None, "{}", line.place);
}

#[test]
fn a_preflight_prints_what_the_readme_shows() {
    let folder = Folder::new("readme-preflight");
    let base = free_ports();
    let ready = folder.0.join("ready.json");
    let child = Command::new(env!("CARGO_BIN_EXE_cosell"))
        .args([
            "serve",
            "--port",
            &base.to_string(),
            "--ready-file",
            &ready.to_string_lossy(),
        ])
        .stdout(Stdio::null())
        .spawn()
        .expect("cosell can be started");
    let _serving = Serving(child);
    for _ in 0..600 {
        if ready.exists() {
            break;
        }
        std::thread::park_timeout(Duration::from_millis(50));
    }
    let sign_in = format!(
        "authority = \"http://127.0.0.1:{base}\"\ntenant = \"contoso.example\"\nclient-id = \"cosell\"\n\
         client-secret = {{ env = \"COSELL_TEST_SECRET\" }}\n"
    );
    // The stage that somebody mistyped.
    let profile = format!(
        "name = \"staging\"\nkind = \"simulator\"\ncrm = \"salesforce\"\n[partner-center]\nreferrals-base = \"http://127.0.0.1:{pc}\"\n\
         events-base = \"http://127.0.0.1:{pc}\"\n[partner-center.sign-in]\n{sign_in}\
         refresh-token = {{ command = \"echo refresh-connector\" }}\n[salesforce]\nlogin-base = \"http://127.0.0.1:{crm}\"\n\
         client-id = \"cosell\"\nclient-secret = {{ env = \"COSELL_TEST_SECRET\" }}\n\
         [connector]\non-hold-stage = \"On Hodl\"\nactive-stage = \"Qualification\"\n",
        pc = base + 1,
        crm = base + 2
    );
    let line = shown_below(SHOWN[3]);
    let (code, came) = shell(&folder, COSELL, "cosell preflight --example > staging.toml");
    assert_eq!(code, Some(0), "{came}");
    folder.write("staging.toml", &profile);
    let (code, came) = shell(&folder, COSELL, &line.command);
    assert_eq!(code, Some(1), "{came}");
    assert_eq!(difference(&line.shown, &came), None, "{}:\n{came}", line.place);
}
