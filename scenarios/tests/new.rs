//! What a beginner does first: `new`, `check`, `fmt`, `run`, `schema`.

#![expect(clippy::unwrap_used, reason = "a test stops at what should not fail")]

use std::fs;
use std::process::{Command, Output};

fn cosell(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cosell"));
    command.args(arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn a_new_suite_is_in_the_usual_form_runs_green_and_is_never_written_over() {
    let folder = std::env::temp_dir().join(format!("cosell-new-{}", std::process::id()));
    let named = folder.display().to_string();
    let scenarios = folder.join("scenarios").display().to_string();
    for arguments in [
        vec!["new", "suite", &named],
        vec!["check", &scenarios],
        vec!["fmt", "--check", &scenarios],
        vec!["run", &scenarios],
    ] {
        let output = cosell(&arguments);
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    }
    let again = cosell(&["new", "suite", &named]);
    assert_eq!(again.status.code(), Some(2));
    assert!(said(&again).contains("is there already"), "{}", said(&again));
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn fmt_names_what_is_not_in_the_usual_form_and_puts_it_right() {
    let file = std::env::temp_dir().join(format!("cosell-fmt-{}.yaml", std::process::id()));
    let named = file.display().to_string();
    fs::write(&file, "title:  t # why\nsteps:\n- wait:   1m\n").unwrap();
    assert_eq!(cosell(&["fmt", "--check", &named]).status.code(), Some(1));
    assert!(cosell(&["fmt", &named]).status.success());
    assert_eq!(
        fs::read_to_string(&file).unwrap(),
        "title: t # why\nsteps:\n  - wait: 1m\n"
    );
    assert!(cosell(&["fmt", "--check", &named]).status.success());
    fs::write(&file, "title: [t\n").unwrap();
    let wrong = cosell(&["fmt", &named]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(said(&wrong).contains("a bracket is never closed"), "{}", said(&wrong));
    fs::remove_file(&file).unwrap();
}

#[test]
fn the_schema_is_json_and_one_row_of_a_table_can_be_selected() {
    let schema = cosell(&["schema"]);
    let document: serde_json::Value = serde_json::from_slice(&schema.stdout).unwrap();
    assert!(document["$defs"]["step"].is_object());
    let listed = cosell(&["list", "catalog/closing/from-either-side.yaml#2", "--plain"]);
    assert!(listed.status.success(), "{}", said(&listed));
    assert!(said(&listed).contains("from-either-side.yaml#2"), "{}", said(&listed));
    let none = cosell(&["list", "catalog/closing/from-either-side.yaml#9"]);
    assert!(said(&none).contains("there is no row 9"), "{}", said(&none));
}
