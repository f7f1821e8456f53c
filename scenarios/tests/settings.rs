//! `cosell settings`, and exported solutions where commands take settings from one.

mod command;

use std::io::{Cursor, Write as _};

use command::{Folder, cosell, text};
use serde_json::Value;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// An exported solution for Salesforce, with the current values of two variables and one flow off or on.
fn export(value: &str, stage: &str, is_on: bool) -> Vec<u8> {
    let variable = |schema: &str, display: &str, default: &str| {
        format!(
            "<environmentvariabledefinition schemaname=\"{schema}\"><defaultvalue>{default}</defaultvalue>\
             <displayname default=\"{display}\"/><type>100000000</type></environmentvariabledefinition>"
        )
    };
    let current = |value: &str| {
        format!("{{\"environmentvariablevalues\":{{\"environmentvariablevalue\":{{\"value\":\"{value}\"}}}}}}")
    };
    let turned = u8::from(is_on);
    let folder = "environmentvariabledefinitions";
    let entries = [
        (
            "solution.xml".to_owned(),
            "<ImportExportXml><SolutionManifest><UniqueName>Referrals_Salesforce</UniqueName><Version>1.2.3.4</Version>\
             <Managed>1</Managed></SolutionManifest></ImportExportXml>"
                .to_owned(),
        ),
        (
            "customizations.xml".to_owned(),
            format!(
                "<ImportExportXml><Workflows><Workflow WorkflowId=\"{{1}}\" Name=\"Salesforce to Partner Center (Insider Preview)\">\
                 <JsonFileName>/Workflows/a-1.json</JsonFileName><Category>5</Category><StateCode>{turned}</StateCode></Workflow>\
                 </Workflows></ImportExportXml>"
            ),
        ),
        ("Workflows/a-1.json".to_owned(), "{\"properties\":{\"definition\":{}}}".to_owned()),
        (
            format!("{folder}/c_v/environmentvariabledefinition.xml"),
            variable("c_v", "Deal value (field name)", "Amount"),
        ),
        (format!("{folder}/c_v/environmentvariablevalues.json"), current(value)),
        (
            format!("{folder}/c_s/environmentvariabledefinition.xml"),
            variable("c_s", "On-hold stage name", ""),
        ),
        (format!("{folder}/c_s/environmentvariablevalues.json"), current(stage)),
    ];
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        writer.start_file(name, options).expect("an entry");
        writer.write_all(content.as_bytes()).expect("its bytes");
    }
    writer.finish().expect("an archive").into_inner()
}

fn put(folder: &Folder, name: &str, bytes: &[u8]) -> String {
    let path = folder.0.join(name);
    std::fs::write(&path, bytes).expect("a file can be written");
    path.to_string_lossy().into_owned()
}

#[test]
fn an_export_shows_its_values_flows_and_what_is_wrong() {
    let folder = Folder::new("settings-show");
    let good = put(&folder, "good.zip", &export("Total__c", "Waiting", true));
    let shown = cosell(&["settings", "show", &good]);
    let told = text(&shown.stdout);
    assert_eq!(shown.status.code(), Some(0), "{told}");
    for words in [
        "managed solution Referrals_Salesforce 1.2.3.4",
        "Deal value (field name)  Total__c",
        "Salesforce to Partner Center (Insider Preview)  on",
        "warn  variables.missing",
        "not in an export: which connections stand behind the references",
        "not compared: the flows with a baseline",
    ] {
        assert!(told.contains(words), "{words} is not in\n{told}");
    }
    let off = put(&folder, "off.zip", &export("Total__c", "Waiting", false));
    let shown = cosell(&["settings", "show", &off, "--baseline", &good, "--format", "json"]);
    let document: Value = serde_json::from_slice(&shown.stdout).expect("JSON");
    assert_eq!(shown.status.code(), Some(1));
    assert_eq!(document["flows"][0]["state"], "off");
    assert_eq!(document["settings"]["On-hold stage name"], "Waiting");
    assert_eq!(document["findings"][0]["code"], "flows.off");
}

#[test]
fn two_environments_are_compared_by_export_profile_or_one_of_each() {
    let folder = Folder::new("settings-diff");
    put(&folder, "staging.zip", &export("Total__c", "Waiting", true));
    put(&folder, "production.zip", &export("Total__c", "Parked", false));
    let example = text(&cosell(&["preflight", "--example"]).stdout);
    let profile = folder.write("team.toml", &example.replace("\"On Hold\"", "\"Waiting\""));
    let at = |name: &str| folder.0.join(name).to_string_lossy().into_owned();
    let differ = cosell(&["settings", "diff", &at("staging"), &at("production")]);
    let told = text(&differ.stdout);
    assert_eq!(differ.status.code(), Some(1), "{told}{}", text(&differ.stderr));
    assert!(told.contains("On-hold stage name: Waiting  ≠  Parked"), "{told}");
    assert!(told.contains("(Insider Preview): on  ≠  off"), "{told}");
    assert!(!told.contains("Total__c"), "{told}");
    let same = cosell(&["settings", "diff", &at("staging.zip"), &at("staging")]);
    assert_eq!(same.status.code(), Some(0), "{}", text(&same.stdout));
    let mixed = cosell(&["settings", "diff", &profile, &at("staging"), "--format", "json"]);
    let document: Value = serde_json::from_slice(&mixed.stdout).expect("JSON");
    let names: Vec<&str> = document["differences"]
        .as_array()
        .expect("differences")
        .iter()
        .filter_map(|difference| difference["name"].as_str())
        .collect();
    assert!(
        names.contains(&"Deal value (field name)") && !names.contains(&"On-hold stage name"),
        "{names:?}"
    );
    assert_eq!(
        document["notCompared"],
        serde_json::json!(["connections", "flows", "systems"])
    );
}

#[test]
fn a_connector_takes_its_variables_from_an_export() {
    let folder = Folder::new("settings-connector");
    let export = put(&folder, "export.zip", &export("Total__c", "Waiting", true));
    let settings = folder.write(
        "settings.yaml",
        "partner center: {tenant: t, client id: c, client secret: s, refresh token: r}\n\
         crm: {kind: salesforce, org: \"https://contoso.my.salesforce.com\", client id: c, client secret: s}\n\
         variables: {Deal value (field name): Amount, Active stage name: Working}\nprocess: {store: memory.db}\n",
    );
    let doctor = cosell(&[
        "connector",
        "doctor",
        "--settings",
        &settings,
        "--settings-from",
        &export,
    ]);
    let told = text(&doctor.stdout);
    for words in [
        "Deal value (field name): Total__c",
        "On-hold stage name: Waiting",
        "Active stage name: Working",
    ] {
        assert!(
            told.contains(words),
            "{words} is not in\n{told}{}",
            text(&doctor.stderr)
        );
    }
    assert!(
        text(&doctor.stderr).contains("variables.missing"),
        "{}",
        text(&doctor.stderr)
    );
}

#[test]
fn scenarios_and_go_live_checks_run_under_the_settings_of_an_export() {
    let folder = Folder::new("settings-run");
    let export = put(&folder, "export.zip", &export("Total__c", "Waiting", true));
    let traces = folder.0.join("traces").to_string_lossy().into_owned();
    let arguments = ["run", "catalog/updates/value-both-ways.yaml", "--save-traces", &traces];
    let output = cosell(&[&arguments[..], &["--settings-from", &export]].concat());
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    let mut written = String::new();
    for entry in std::fs::read_dir(&traces).expect("traces") {
        written += &std::fs::read_to_string(entry.expect("an entry").path()).expect("a trace");
    }
    assert!(
        written.contains("\"Total__c\"") && written.contains("\"Waiting\""),
        "the run uses the export's names"
    );
    let accepted = cosell(&[
        "accept",
        "--only",
        "1",
        "--crm",
        "salesforce",
        "--settings-from",
        &export,
    ]);
    assert_eq!(
        accepted.status.code(),
        Some(0),
        "{}{}",
        text(&accepted.stdout),
        text(&accepted.stderr)
    );
    let other = cosell(&["accept", "--only", "1", "--crm", "dynamics", "--settings-from", &export]);
    assert_eq!(other.status.code(), Some(2), "{}", text(&other.stderr));
}

#[test]
fn a_preflight_reads_flows_and_variables_out_of_an_export() {
    let folder = Folder::new("settings-preflight");
    let good = put(&folder, "good.zip", &export("Total__c", "Waiting", true));
    let off = put(&folder, "off.zip", &export("Total__c", "Waiting", false));
    let token = "{ command = \"echo token\" }";
    let profile = folder.write(
        "p.toml",
        &format!(
            "name = \"p\"\nkind = \"simulator\"\ncrm = \"salesforce\"\n[partner-center]\nreferrals-base = \"http://127.0.0.1:9\"\n\
             events-base = \"http://127.0.0.1:9\"\n[partner-center.sign-in]\naccess-token = {token}\n[salesforce]\n\
             login-base = \"http://127.0.0.1:9\"\naccess-token = {token}\n[connector]\non-hold-stage = \"On Hold\"\n"
        ),
    );
    for (export, baseline, outcome) in [(&good, &off, "warning"), (&off, &good, "failed")] {
        let arguments = [
            "preflight",
            "--profile",
            &profile,
            "--format",
            "json",
            "--settings-from",
            export,
        ];
        let output = cosell(&[&arguments[..], &["--baseline", baseline]].concat());
        let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let check = |code: &str| {
            let checks = document["checks"].as_array().expect("checks");
            let found = checks.iter().find(|check| check["code"] == code).expect("the check");
            found["outcome"].as_str().expect("an outcome").to_owned()
        };
        assert_eq!(check("flows.on"), outcome);
        assert_eq!(check("flows.unchanged"), "passed");
        assert_eq!(check("export.whole"), "passed");
        let said = text(&output.stderr);
        assert!(
            said.contains("On-hold stage name: \"Waiting\" in the export, \"On Hold\" in the profile"),
            "{said}"
        );
    }
}

#[test]
fn what_cannot_be_read_is_told_with_what_to_do() {
    let folder = Folder::new("settings-bad");
    let whole = export("Total__c", "Waiting", true);
    let cut = put(&folder, "cut.zip", &whole[..whole.len() / 2]);
    let empty = put(&folder, "empty.zip", b"");
    let profile = folder.write("broken.toml", "name = ");
    let example = folder.write("example.toml", &text(&cosell(&["preflight", "--example"]).stdout));
    for (arguments, part) in [
        (&["settings", "show", &cut][..], "is no whole zip file"),
        (&["settings", "show", &empty], "is no whole zip file"),
        (&["settings", "show", &profile], "the profile"),
        (
            &["settings", "show", "nothing-there"],
            "there is no export or profile nothing-there",
        ),
        (
            &["settings", "show", &example, "--baseline", &cut],
            "a profile holds no flows",
        ),
        (&["settings", "diff", &cut, &example], "is no whole zip file"),
        (
            &["preflight", "--profile", &example, "--settings-from", &cut],
            "is no whole zip file",
        ),
    ] {
        let output = cosell(arguments);
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {told}");
        assert!(
            told.contains(part) && !told.contains("panicked"),
            "{arguments:?}: {told}"
        );
    }
}
