//! The walk-throughs of the simulators with curl, carried out as they stand on the page.

mod command;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use command::{Folder, text};
use serde_json::Value;

/// Simulators on free ports, ended with the test.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn serve(folder: &Folder) -> (Serving, Value) {
    let file = folder.0.join("ready.json");
    let child = Command::new(env!("CARGO_BIN_EXE_cosell"))
        .args(["serve", "--ready-file", &file.to_string_lossy()])
        .stdout(Stdio::null())
        .spawn()
        .expect("cosell can be started");
    let serving = Serving(child);
    for _ in 0..600 {
        if let Some(ready) = std::fs::read(&file)
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok())
        {
            return (serving, ready);
        }
        std::thread::park_timeout(Duration::from_millis(50));
    }
    panic!("the simulators did not get ready");
}

/// A script that runs each command of a page, and prints what came instead of the status that the page promises.
fn script(page: &str) -> (String, usize) {
    let mut script = vec!["set -u".to_owned()];
    let mut count = 0;
    for (number, line) in page.lines().enumerate() {
        let Some(command) = line.strip_prefix("$ ") else {
            continue;
        };
        let promised = command
            .rsplit_once("# ")
            .filter(|(_, status)| status.len() == 3 && status.bytes().all(|byte| byte.is_ascii_digit()));
        let Some((command, status)) = promised else {
            script.push(command.to_owned());
            continue;
        };
        count += 1;
        let command = command.trim_end();
        let complaint = format!("line {}: promised {status}, came $CODE:", number + 1);
        script.push(format!("CODE=$({command} -o \"$BODY_FILE\" -w '%{{http_code}}')"));
        script.push(format!(
            "[ \"$CODE\" = {status} ] || {{ echo \"{complaint}\"; head -c 600 \"$BODY_FILE\"; echo; }}"
        ));
    }
    (script.join("\n"), count)
}

fn pages() -> Vec<PathBuf> {
    let sim = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sim");
    let entries = std::fs::read_dir(sim).expect("the simulators' folder can be read");
    let mut pages: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    // The control API's page has a test of its own beside it, and examples rather than a walk.
    pages.retain(|page| page.extension().is_some_and(|kind| kind == "md") && !page.ends_with("control.md"));
    pages.sort();
    pages
}

#[test]
fn every_command_of_a_walk_through_answers_what_its_page_promises() {
    let pages = pages();
    assert!(!pages.is_empty());
    for page in pages {
        let name = page.file_stem().expect("a name").to_string_lossy().into_owned();
        let folder = Folder::new(&format!("walk-{name}"));
        let (_serving, ready) = serve(&folder);
        let word = |part: &str, key: &str| ready[part][key].as_str().unwrap_or_default().to_owned();
        let page = std::fs::read_to_string(&page).expect("the page can be read");
        let (script, count) = script(&page);
        let output = Command::new("bash")
            .args(["-c", &script])
            .env("ENTRA", word("bases", "entra"))
            .env("PC", word("bases", "partner-center"))
            .env("SF", word("bases", "salesforce"))
            .env("DV", word("bases", "dataverse"))
            .env("C", ready["control"].as_str().unwrap_or_default())
            .env("TOKEN", word("tokens", "referrals"))
            .env("HOOKS", word("tokens", "webhooks"))
            .env("SF_TOKEN", word("tokens", "salesforce"))
            .env("DV_TOKEN", word("tokens", "dataverse"))
            .env("BODY_FILE", folder.0.join("body"))
            .output()
            .expect("bash can be started");
        let shown = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert!(
            shown.is_empty() && count > 10,
            "sim/{name}.md, {count} commands:\n{shown}"
        );
    }
}
