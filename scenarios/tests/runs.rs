//! Many runs at once: selection, order, threads, stopping early, and what is remembered.

mod command;

use std::fs;
use std::io::Read as _;
use std::process::{Command, Stdio};

use command::{Folder, cosell, text};

const VALUE: &str = "catalog/updates/value-both-ways.yaml";

/// A scenario that fails, and one that passes.
const FAILS: &str = "title: This one fails\nsteps:\n  - expect decision: create.opportunity\n";
const PASSES: &str = "title: This one passes\nsteps:\n  - wait: 5m\n";

#[test]
fn any_number_of_threads_prints_what_one_prints() {
    let run = |jobs: &str| {
        let output = cosell(&["run", "catalog/updates", "--jobs", jobs, "--log", "--format", "human"]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let shown = text(&output.stdout);
        let lines: Vec<String> = shown.lines().map(str::to_owned).collect();
        // The last line holds the time on the wall.
        lines[..lines.len() - 1].join("\n")
    };
    let serial = run("1");
    assert!(serial.lines().count() > 100);
    assert_eq!(run("4"), serial);
}

#[test]
fn tags_requirements_and_expressions_select_runs() {
    let count = |arguments: &[&str]| {
        let output = cosell(&[&["list", "--format", "json"], arguments].concat());
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let listed: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        listed.as_array().expect("a list").len()
    };
    let all = count(&[]);
    let some = count(&["--tag", "M17"]);
    assert!(some > 0 && some < all);
    assert_eq!(count(&["-E", "tag(M17)"]), some);
    assert_eq!(count(&["-E", "not tag(M17)"]), all - some);
    let none = cosell(&["list", "--tag", "M17", "-E", "not tag(M17)"]);
    assert_eq!(none.status.code(), Some(4), "all flags must agree");
}

#[test]
fn a_filter_that_cannot_be_read_is_shown_with_a_caret() {
    let output = cosell(&["run", "-E", "tag(M17) & tilte(hold)"]);
    let shown = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{shown}");
    for part in ["--filter:1:12", "tilte", "did you mean `title`?"] {
        assert!(shown.contains(part), "`{part}` is missing in\n{shown}");
    }
}

#[test]
fn fail_fast_ends_after_the_first_failure_with_any_number_of_threads() {
    let folder = Folder::new("fail-fast");
    folder.write("a.yaml", PASSES);
    folder.write("b.yaml", FAILS);
    for number in 0..20 {
        folder.write(&format!("c{number:02}.yaml"), PASSES);
    }
    for jobs in ["1", "8"] {
        let output = cosell(&[
            "run",
            &folder.0.to_string_lossy(),
            "--fail-fast",
            "--crm",
            "dynamics",
            "-j",
            jobs,
        ]);
        let shown = text(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{shown}");
        assert!(
            shown.contains("2 runs in") && shown.contains("1 passed, 1 failed, 20 not run"),
            "{shown}"
        );
    }
}

#[test]
fn what_failed_last_time_can_be_run_alone_until_it_passes() {
    let folder = Folder::new("last-failed");
    folder.write("a.yaml", PASSES);
    let failing = folder.write("b.yaml", FAILS);
    let state = folder.0.join("state");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cosell"));
        command.arg("run").args(arguments).current_dir(&folder.0);
        command.env("NO_COLOR", "1").env("COSELL_STATE_DIR", &state);
        command.output().expect("cosell can be started")
    };
    assert_eq!(run(&["--last-failed"]).status.code(), Some(4));
    assert_eq!(run(&["a.yaml", "b.yaml"]).status.code(), Some(1));
    let again = run(&["--last-failed", "--quiet"]);
    let shown = text(&again.stdout);
    assert_eq!(again.status.code(), Some(1), "{shown}");
    assert!(
        shown.contains("2 failed") && !shown.contains("This one passes"),
        "{shown}"
    );
    fs::write(&failing, PASSES).expect("a file can be written");
    assert_eq!(run(&["--last-failed"]).status.code(), Some(0));
    let nothing = run(&["--last-failed"]);
    assert_eq!(nothing.status.code(), Some(4));
    assert!(
        text(&nothing.stderr).contains("no run is remembered"),
        "{}",
        text(&nothing.stderr)
    );
}

#[test]
fn repeated_runs_count_their_seeds_up() {
    let output = cosell(&[
        "run",
        VALUE,
        "--repeat",
        "3",
        "--crm",
        "salesforce",
        "--seed",
        "40",
        "--format",
        "json",
    ]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
    let seeds: Vec<&serde_json::Value> = document["runs"]
        .as_array()
        .expect("runs")
        .iter()
        .map(|run| &run["seed"])
        .collect();
    assert_eq!(seeds, [40, 41, 42]);
}

#[test]
fn a_shuffled_order_is_the_same_for_the_same_seed() {
    let run = |shuffle: &str| {
        let output = cosell(&["run", "catalog/updates", shuffle, "--format", "json"]);
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
        let runs = document["runs"].as_array().expect("runs").clone();
        runs.iter()
            .map(|run| format!("{} {}", run["path"], run["crm"]))
            .collect::<Vec<String>>()
    };
    let one = run("--shuffle=1");
    assert_eq!(run("--shuffle=1"), one);
    let other = run("--shuffle=2");
    assert_ne!(other, one);
    let sorted = |mut runs: Vec<String>| {
        runs.sort();
        runs
    };
    assert_eq!(sorted(other), sorted(one));
}

#[test]
fn ctrl_c_ends_the_command_with_its_reports() {
    let folder = Folder::new("ctrl-c");
    let report = folder.0.join("report.json");
    let wanted = format!("json={}", report.display());
    let mut child = Command::new(env!("CARGO_BIN_EXE_cosell"))
        .args([
            "run", VALUE, "--repeat", "1000000", "--format", "jsonl", "--report", &wanted,
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("cosell can be started");
    let mut stdout = child.stdout.take().expect("a pipe");
    // Something has been printed: the first line says that it started, and the runs go on for hours.
    let mut first = [0; 1];
    stdout.read_exact(&mut first).expect("the first byte");
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(killed.expect("kill can be started").success());
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).expect("the lines can be read");
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    let last: serde_json::Value = serde_json::from_str(rest.lines().last().expect("a line")).expect("JSON");
    assert_eq!(
        (&last["kind"], &last["interrupted"]),
        (&"end".into(), &true.into()),
        "{last}"
    );
    let document = fs::read_to_string(&report).expect("the report was written");
    let document: serde_json::Value = serde_json::from_str(&document).expect("a whole document");
    assert_eq!(document["interrupted"], true);
    assert!(document["not_run"].as_u64() > Some(1_000_000));
}

#[test]
fn numbers_out_of_range_are_usage() {
    for arguments in [
        ["run", "--jobs=0"],
        ["run", "--repeat=0"],
        ["run", "--shuffle=x"],
        ["run", "--slowest=-1"],
    ] {
        assert_eq!(cosell(&arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn the_slowest_runs_can_be_listed() {
    let output = cosell(&["run", "catalog/updates", "--slowest=3", "--quiet"]);
    let shown = text(&output.stdout);
    assert_eq!(
        shown
            .lines()
            .filter(|line| line.contains(" ms  catalog/updates/"))
            .count(),
        3,
        "{shown}"
    );
}

#[test]
fn coverage_tells_what_was_never_exercised_and_can_fail_a_run() {
    let folder = Folder::new("coverage");
    let report = folder.0.join("report.json");
    let wanted = format!("json={}", report.display());
    let output = cosell(&["run", VALUE, "--coverage", "--fail-under", "1.5%", "--report", &wanted]);
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{shown}");
    assert!(
        shown.contains("behaviour exercised: ") && shown.contains("never: conflict.pc_wins"),
        "{shown}"
    );
    let document = fs::read_to_string(&report).expect("the report was written");
    let document: serde_json::Value = serde_json::from_str(&document).expect("JSON");
    let decisions = document["coverage"]
        .as_array()
        .expect("areas")
        .iter()
        .find(|area| area["area"] == "decisions");
    assert!(
        decisions.expect("decisions")["counts"]["accept"].as_u64() >= Some(2),
        "{decisions:?}"
    );
    let short = cosell(&["run", VALUE, "--fail-under", "99"]);
    assert_eq!(short.status.code(), Some(1));
    assert!(
        text(&short.stderr).contains("`--fail-under` asks for 99 %"),
        "{}",
        text(&short.stderr)
    );
    assert_eq!(cosell(&["run", VALUE, "--fail-under", "101"]).status.code(), Some(2));
}

/// Traces of two failing and some passing runs.
fn traces(folder: &Folder) -> String {
    let failing = folder.write("fails.yaml", FAILS);
    let traces = folder.0.join("traces").to_string_lossy().into_owned();
    let output = cosell(&["run", &failing, VALUE, "--save-traces", &traces, "--seed", "5"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    traces
}

#[test]
fn a_replay_says_what_the_run_said_without_its_files() {
    let folder = Folder::new("replay");
    let traces = traces(&folder);
    let run = cosell(&[
        "run",
        &folder.0.join("fails.yaml").to_string_lossy(),
        VALUE,
        "--seed",
        "5",
        "--format",
        "json",
    ]);
    fs::remove_file(folder.0.join("fails.yaml")).expect("a file can be removed");
    let replayed = cosell(&["replay", &traces, "--format", "json"]);
    assert_eq!(replayed.status.code(), Some(1), "{}", text(&replayed.stderr));
    let runs = |bytes: &[u8]| {
        let document: serde_json::Value = serde_json::from_slice(bytes).expect("one JSON document");
        let mut runs = document["runs"].as_array().expect("runs").clone();
        runs.sort_by_key(|run| format!("{}{}", run["path"], run["crm"]));
        runs
    };
    assert_eq!(runs(&replayed.stdout), runs(&run.stdout));
    let shown = text(&cosell(&["replay", &traces]).stdout);
    assert!(
        shown.contains("fails.yaml:3:5") && shown.contains("(replayed)"),
        "{shown}"
    );
}

#[test]
fn traces_that_cannot_be_read_say_why() {
    let folder = Folder::new("bad-traces");
    let traces = traces(&folder);
    let file = fs::read_dir(&traces)
        .expect("a folder")
        .next()
        .expect("a trace")
        .expect("an entry")
        .path();
    let whole = fs::read_to_string(&file).expect("a trace");
    let half = whole.len() / 2;
    let half = &whole[..=half + whole[half..].find('\n').expect("a line's end")];
    for (name, content, part) in [
        ("cut.jsonl", &whole[..whole.len() - 40], "is cut off"),
        // Whole lines, and nothing wrong in any of them: what is missing could have been the failure.
        ("half.jsonl", half, "it breaks off after line"),
        ("scenario.jsonl", FAILS, "its first line is no JSON"),
        (
            "newer.jsonl",
            &whole.replacen("\"format\":", "\"format\":9", 1),
            "this one reads up to",
        ),
        ("empty.jsonl", "", "the trace is empty"),
        ("other.jsonl", "{\"a\":1}\n", "line 1 of the trace cannot be read"),
        (
            "older.jsonl",
            &whole.replacen("\"sources\":", "\"spare\":", 1),
            "holds no scenario",
        ),
    ] {
        let path = folder.write(name, content);
        let output = cosell(&["replay", &path]);
        let shown = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{name}: {shown}");
        assert!(shown.contains(part) && shown.contains(name), "{name}: {shown}");
    }
    assert_eq!(cosell(&["replay", "/no/such/trace.jsonl"]).status.code(), Some(2));
    // One that cannot be read does not keep the others from being shown.
    fs::copy(folder.0.join("half.jsonl"), format!("{traces}/a-half.jsonl")).expect("a copy");
    let output = cosell(&["replay", &traces]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("4 runs"), "{}", text(&output.stdout));
}

#[test]
fn settings_that_the_connector_refuses_fail_their_own_scenario_while_the_others_run() {
    let folder = Folder::new("refused");
    let refused = "title: Refused\nsettings: {overlap: 3650d}\nsteps:\n  - seller creates: {deal: D1}\n";
    let (refused, passes) = (
        folder.write("refused.yaml", refused),
        folder.write("passes.yaml", PASSES),
    );
    let traces = folder.0.join("traces").to_string_lossy().into_owned();
    let run = cosell(&["run", &refused, &passes, "--save-traces", &traces]);
    let shown = text(&run.stdout);
    assert_eq!(run.status.code(), Some(1), "{}{shown}", text(&run.stderr));
    for part in [
        "refused.yaml:2:21",
        "`overlap` must be longer than nothing and at most 30 days",
        "4 runs",
        "2 passed, 2 failed",
    ] {
        assert!(shown.contains(part), "`{part}` is missing in\n{shown}");
    }
    // The saved traces say the same.
    let replayed = cosell(&["replay", &traces]);
    assert_eq!(replayed.status.code(), Some(1));
    assert!(
        text(&replayed.stdout).contains("2 passed, 2 failed"),
        "{}",
        text(&replayed.stdout)
    );
}

#[test]
fn what_selects_nothing_is_told_with_the_nearest_tag() {
    let folder = Folder::new("tags");
    let tagged = folder.write("tagged.yaml", "title: Tagged\ntags: [morning]\nsteps:\n  - wait: 5m\n");
    for arguments in [["--tag", "mornnig"], ["-E", "tag(mornnig)"]] {
        let output = cosell(&[&["run", tagged.as_str()][..], &arguments[..]].concat());
        let shown = text(&output.stderr);
        assert_eq!(output.status.code(), Some(4), "{shown}");
        assert!(shown.contains("did you mean `morning`?"), "{shown}");
    }
}

#[test]
fn both_records_can_be_shown_at_any_moment() {
    let early = text(&cosell(&["show", VALUE, "--at", "0s", "--crm", "dynamics"]).stdout);
    assert!(
        early.contains("value")
            && early
                .lines()
                .any(|line| line.contains("50000 USD") && line.ends_with('-')),
        "{early}"
    );
    let folder = Folder::new("show");
    let file = format!(
        "{}/catalog-updates-value-both-ways-yaml.salesforce.jsonl",
        traces(&folder)
    );
    let late = text(&cosell(&["show", &file]).stdout);
    let value = late
        .lines()
        .find(|line| line.trim_start().starts_with("value "))
        .expect("a value");
    assert_eq!(value.matches("75000.50 USD").count(), 2, "{late}");
    assert_eq!(cosell(&["show", VALUE, "--at", "soon"]).status.code(), Some(2));
}

#[test]
fn the_first_difference_of_two_traces_is_named() {
    let folder = Folder::new("diff");
    let traces = traces(&folder);
    let one = format!("{traces}/catalog-updates-value-both-ways-yaml.salesforce.jsonl");
    let whole = fs::read_to_string(&one).expect("a trace");
    let equal = cosell(&["diff", &one, &one]);
    assert_eq!(
        (equal.status.code(), text(&equal.stdout).starts_with("equal: ")),
        (Some(0), true)
    );
    let (header, entries) = whole.split_once('\n').expect("a header");
    let entries = entries.replacen("60000", "60001", 1);
    let changed = folder.write("changed.jsonl", &format!("{header}\n{entries}"));
    let differs = cosell(&["diff", &one, &changed]);
    let shown = text(&differs.stdout);
    assert_eq!(differs.status.code(), Some(1), "{shown}");
    assert!(shown.contains("60000") && shown.contains("60001"), "{shown}");
    let last = whole.lines().last().expect("an end");
    let longer = folder.write("longer.jsonl", &format!("{whole}{last}\n"));
    assert!(text(&cosell(&["diff", &longer, &one]).stdout).contains("only the first goes on"));
}

#[test]
fn completions_name_every_command() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = text(&cosell(&["completions", shell]).stdout);
        for command in ["run", "replay", "preflight", "serve"] {
            assert!(script.contains(command), "{shell}: {command}");
        }
    }
}
