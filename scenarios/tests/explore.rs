//! The command lines of `cosell explore` and `cosell explain`, and what they say when they cannot be followed.

use std::path::PathBuf;
use std::process::{Command, Output};

fn cosell(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cosell"))
        .args(args)
        .output()
        .expect("cosell can be started")
}

fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}

fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    drop(std::fs::remove_dir_all(&folder));
    folder
}

#[test]
fn a_command_line_that_cannot_be_followed_says_why_and_what_to_do() {
    for (args, wanted) in [
        (&["--seeds", "9..3"][..], "did you mean `3..9`?"),
        (&["--seeds", "3..3"], "is empty"),
        (&["--seeds", "many"], "`0..1000`"),
        (&["--jobs", "0"], "0 jobs"),
        (&["--profile", "chaso"], "did you mean `chaos`?"),
        (&["--for", "soon"], "`10m`"),
    ] {
        let mut all = vec!["explore"];
        all.extend(args);
        let output = cosell(&all);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", said(&output));
        assert!(said(&output).contains(wanted), "{args:?}: {}", said(&output));
    }
}

#[test]
fn a_campaign_is_kept_and_gone_on_with_and_no_foreign_folder_is_written_into() {
    let out = folder("campaign");
    let path = out.display().to_string();
    let args = [
        "explore",
        "--seeds",
        "0..2",
        "--profile",
        "calm",
        "--crm",
        "salesforce",
        "--jobs",
        "1",
        "--out",
        &path,
    ];
    let first = cosell(&args);
    assert_eq!(first.status.code(), Some(0), "{}", said(&first));
    assert!(said(&first).contains("2 runs"), "{}", said(&first));
    let again = cosell(&args);
    assert!(said(&again).contains("0 runs"), "all was done before: {}", said(&again));
    let other = cosell(&["explore", "--seeds", "0..3", "--profile", "calm", "--out", &path]);
    assert_eq!(other.status.code(), Some(2));
    assert!(said(&other).contains("another campaign"), "{}", said(&other));
    let campaign = out.join("campaign.json");
    let old = std::fs::read_to_string(&campaign).expect("a campaign says what it is");
    std::fs::write(&campaign, old.replace(env!("CARGO_PKG_VERSION"), "0.0.1")).expect("it can be written");
    assert!(said(&cosell(&args)).contains("version 0.0.1"));

    let foreign = folder("foreign");
    std::fs::create_dir_all(&foreign).expect("a folder can be made");
    std::fs::write(foreign.join("letter.txt"), "dear").expect("a file can be written");
    let path = foreign.display().to_string();
    let output = cosell(&["explore", "--seeds", "0..2", "--out", &path]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("something else"), "{}", said(&output));
    let file = foreign.join("letter.txt").join("below").display().to_string();
    let output = cosell(&["explore", "--seeds", "0..2", "--out", &file]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("cannot be written"), "{}", said(&output));
}

#[test]
fn the_same_seeds_give_the_same_histories_whatever_the_threads() {
    let lines = |jobs: &str| {
        let output = cosell(&["explore", "--seeds", "0..3", "--jobs", jobs, "--coverage"]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines()
            .filter(|line| line.starts_with("  "))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let one = lines("1");
    assert!(one.len() > 10, "{one:?}");
    assert_eq!(one, lines("3"));
}

#[test]
fn every_finding_is_explained() {
    let all = cosell(&["explain"]);
    assert_eq!(all.status.code(), Some(0));
    for line in said(&all).lines() {
        let code = line.split_whitespace().next().expect("a line begins with the code");
        let one = cosell(&["explain", code]);
        assert!(said(&one).lines().count() >= 3, "{code}: {}", said(&one));
    }
    let wrong = cosell(&["explain", "no-leek"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(said(&wrong).contains("did you mean `no-leak`?"), "{}", said(&wrong));
}

/// The feature is on in a run of the whole workspace's tests.
#[cfg(feature = "planted")]
#[test]
fn a_planted_bug_is_found_shrunk_and_kept_as_a_file_that_shows_it() {
    let wrong = cosell(&["explore", "--planted", "swaps-won-and-lots"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(
        said(&wrong).contains("did you mean `swaps-won-and-lost`?"),
        "{}",
        said(&wrong)
    );
    let out = folder("planted");
    let path = out.display().to_string();
    let found = cosell(&[
        "explore",
        "--seeds",
        "0..6",
        "--profile",
        "calm",
        "--crm",
        "salesforce",
        "--planted",
        "no-mark",
        "--out",
        &path,
    ]);
    assert_eq!(found.status.code(), Some(1), "{}", said(&found));
    assert!(said(&found).contains("FAIL  audited"), "{}", said(&found));
    let mut files = std::fs::read_dir(out.join("failures")).expect("failures are kept");
    let file = files.next().expect("there is one").expect("it can be read").path();
    let text = std::fs::read_to_string(&file).expect("a failure is a text");
    assert!(
        text.contains(&format!("version {}", env!("CARGO_PKG_VERSION"))),
        "{text}"
    );
    let steps = text.lines().filter(|line| line.starts_with("  - ")).count();
    assert!((1..=8).contains(&steps), "{text}");
    let file = file.display().to_string();
    let broken = cosell(&["run", "--planted", "no-mark", &file]);
    assert_eq!(broken.status.code(), Some(1), "{}", said(&broken));
    let sound = cosell(&["run", &file]);
    assert_eq!(sound.status.code(), Some(0), "{}", said(&sound));
}

#[test]
fn a_failure_that_an_older_version_kept_is_a_scenario_like_any_other() {
    let out = folder("older");
    std::fs::create_dir_all(&out).expect("a folder can be made");
    let file = out.join("quiet-salesforce-1.yaml");
    let text = "# Found by `cosell explore --profile calm`, seed 1, version 0.0.1. It fails with `quiet`:\n\
                # `cosell run` on this file shows it, and passes once the defect is gone.\n\
                title: kept long ago\ncrm: salesforce\nseed: 1\nsteps:\n  - microsoft shares: {deal: D1}\n";
    std::fs::write(&file, text).expect("a file can be written");
    let path = file.display().to_string();
    let runs = cosell(&["run", &path]);
    assert_eq!(runs.status.code(), Some(0), "{}", said(&runs));
    // A word that the language has no more is told with its place.
    std::fs::write(&file, text.replace("microsoft shares", "microsoft gives")).expect("a file can be written");
    let unknown = cosell(&["run", &path]);
    assert_eq!(unknown.status.code(), Some(2), "{}", said(&unknown));
    assert!(
        said(&unknown).contains("quiet-salesforce-1.yaml:7:5"),
        "{}",
        said(&unknown)
    );
}
