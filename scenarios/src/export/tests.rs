//! Exports as teams have them: whole, without values, edited, damaged, hostile.

use std::io::{Cursor, Write as _};
use std::path::PathBuf;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::*;

/// Entries of an export.
type Entries = Vec<(String, Vec<u8>)>;

const FLOWS: [&str; 9] = [
    "Partner Center Webhook Registration (Insider Preview)",
    "[Customize] Create or Get Details from Dynamics 365",
    "Create Co-sell Referral – Dynamics 365 to Partner Center (Insider Preview)",
    "Partner Center to Dynamics 365 - Helper (Insider Preview)",
    "Partner Center Microsoft Co-sell Referral Updates to Dynamics 365 (Insider Preview)",
    "Partner Center to Dynamics 365 (Insider Preview)",
    "Dynamics 365 to Partner Center (Insider Preview)",
    "Dynamics 365 Opportunity to Partner Center (Insider Preview)",
    "Dynamics 365 Microsoft Solutions to Partner Center (Insider Preview)",
];

fn solution(managed: u8) -> String {
    let variables = ["c_Check", "c_Value", "c_Country"];
    let components: Vec<String> = variables
        .iter()
        .map(|name| format!("<RootComponent type=\"380\" schemaName=\"{name}\" behavior=\"0\" />"))
        .collect();
    let components = components.concat();
    format!(
        "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><ImportExportXml version=\"9.2\"><SolutionManifest><UniqueName>PartnerCenterReferrals</UniqueName>\
         <LocalizedNames><LocalizedName description=\"Partner Center Referrals Synchronization for Dynamics 365\" languagecode=\"1033\" /></LocalizedNames>\
         <Version>1.0.0.7</Version><Managed>{managed}</Managed><RootComponents>{components}<RootComponent type=\"29\" id=\"{{F0}}\" /></RootComponents>\
         </SolutionManifest></ImportExportXml>"
    )
}

fn customizations(off: &[usize]) -> String {
    let flows: Vec<String> = FLOWS
        .iter()
        .enumerate()
        .map(|(at, name)| {
            let state = u8::from(!off.contains(&at));
            format!(
                "<Workflow WorkflowId=\"{{F{at}}}\" Name=\"{name}\"><JsonFileName>/Workflows/Flow{at}-F{at}.json</JsonFileName>\
                 <Category>5</Category><StateCode>{state}</StateCode></Workflow>"
            )
        })
        .collect();
    let flows = flows.concat();
    format!(
        "<ImportExportXml><Workflows>{flows}<Workflow WorkflowId=\"{{A}}\" Name=\"Classic\"><Category>0</Category><StateCode>0</StateCode></Workflow></Workflows>\
         <connectionreferences><connectionreference connectionreferencelogicalname=\"c_pc\"><connectionreferencedisplayname>Partner Center</connectionreferencedisplayname>\
         <connectorid>/providers/Microsoft.PowerApps/apis/shared_partnercenterref</connectorid></connectionreference></connectionreferences></ImportExportXml>"
    )
}

fn variable(schema: &str, display: &str, kind: u32, default: &str) -> String {
    format!(
        "<environmentvariabledefinition schemaname=\"{schema}\"><defaultvalue>{default}</defaultvalue>\
         <displayname default=\"{display}\"><label description=\"{display}\" languagecode=\"1033\" /></displayname>\
         <type>{kind}</type></environmentvariabledefinition>"
    )
}

fn current(value: &str) -> String {
    format!(
        "{{\"environmentvariablevalues\":{{\"environmentvariablevalue\":{{\"iscustomizable\":\"1\",\"value\":{value:?}}}}}}}"
    )
}

fn flow(action: &str) -> String {
    format!(
        "{{\"properties\":{{\"connectionReferences\":{{\"shared_pc\":{{\"runtimeSource\":\"embedded\",\"connection\":{{\"connectionReferenceLogicalName\":\"c_pc\"}}}}}},\
         \"definition\":{{\"triggers\":{{\"manual\":{{\"type\":\"Request\",\"metadata\":{{\"operationMetadataId\":\"{action}\"}}}}}},\"actions\":{{\"Do\":{{\"type\":\"{action}\"}}}}}}}}}}"
    )
}

/// A whole export: everything on, the current value of the deal value set.
fn whole() -> Entries {
    let folder = "environmentvariabledefinitions";
    let mut entries: Vec<(String, String)> = vec![
        ("solution.xml".to_owned(), solution(1)),
        ("customizations.xml".to_owned(), customizations(&[])),
        (
            format!("{folder}/c_Check/environmentvariabledefinition.xml"),
            variable(
                "c_Check",
                "Display check mark in the opportunity name",
                100_000_002,
                "yes",
            ),
        ),
        (
            format!("{folder}/c_Value/environmentvariabledefinition.xml"),
            variable(
                "c_Value",
                "Deal value field name in Dynamics 365",
                100_000_000,
                "estimatedvalue",
            ),
        ),
        (
            format!("{folder}/c_Value/environmentvariablevalues.json"),
            current("new_total"),
        ),
        (
            format!("{folder}/c_Country/environmentvariabledefinition.xml"),
            variable(
                "c_Country",
                "Customer Account Country Code field name in Dynamics 365",
                100_000_000,
                "address1_country",
            ),
        ),
        ("[Content_Types].xml".to_owned(), "<Types/>".to_owned()),
    ];
    for at in 0..FLOWS.len() {
        entries.push((format!("Workflows/Flow{at}-F{at}.json"), flow("Compose")));
    }
    entries
        .into_iter()
        .map(|(name, text)| (name, text.into_bytes()))
        .collect()
}

fn with(name: &str, text: &str) -> Entries {
    let mut entries = without(name);
    entries.push((name.to_owned(), text.as_bytes().to_vec()));
    entries
}

fn without(name: &str) -> Entries {
    let mut entries = whole();
    entries.retain(|(known, _)| known != name);
    entries
}

fn zipped(entries: &Entries) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        writer.start_file(name.as_str(), options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A file that is gone at the end of its test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(test: &str, bytes: &[u8]) -> Self {
        let path = std::env::temp_dir().join(format!("cosell-export-{test}-{}.zip", std::process::id()));
        std::fs::write(&path, bytes).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

fn read(test: &str, entries: &Entries) -> Result<Export, ExportError> {
    Export::read(&Scratch::new(test, &zipped(entries)).0)
}

fn codes(export: &Export) -> Vec<&'static str> {
    export.findings.iter().map(|finding| finding.code).collect()
}

#[test]
fn a_whole_export_gives_values_flows_and_references() {
    let export = read("whole", &whole()).unwrap();
    assert_eq!((export.managed, export.crm), (Some(true), Some(Crm::Dynamics)));
    assert_eq!(
        (export.solution.as_str(), export.version.as_str()),
        ("PartnerCenterReferrals", "1.0.0.7")
    );
    assert_eq!(export.settings["Deal value (field name)"], "new_total");
    assert_eq!(export.settings["Display check mark in the opportunity name"], "Yes");
    assert_eq!(
        export.settings["Customer Account Country Code (field name)"],
        "address1_country"
    );
    assert!(
        export
            .flows
            .iter()
            .all(|flow| flow.state == State::On && flow.means.is_some())
    );
    assert_eq!(export.flows.len(), 9);
    assert_eq!(export.references[0].connector, "shared_partnercenterref");
    assert_eq!(export.findings, []);
}

#[test]
fn an_unmanaged_export_without_current_values_says_so_and_uses_defaults() {
    let mut entries = without("environmentvariabledefinitions/c_Value/environmentvariablevalues.json");
    entries[0].1 = solution(0).into_bytes();
    let export = read("no-values", &entries).unwrap();
    assert_eq!(export.managed, Some(false));
    assert_eq!(codes(&export), ["variables.no-current-values"]);
    assert_eq!(export.settings["Deal value (field name)"], "estimatedvalue");
}

#[test]
fn values_of_the_wrong_type_edited_defaults_and_labels_are_faults() {
    let folder = "environmentvariabledefinitions/c_";
    let check = "Display check mark in the opportunity name";
    for (entry, text, code) in [
        (
            "Check/environmentvariablevalues.json",
            current("perhaps"),
            "variables.type",
        ),
        (
            "Check/environmentvariabledefinition.xml",
            variable("c_Check", check, 100_000_001, "yes"),
            "variables.type",
        ),
        (
            "Check/environmentvariabledefinition.xml",
            variable("c_Check", check, 100_000_002, "no"),
            "variables.edited-default",
        ),
        (
            "Value/environmentvariablevalues.json",
            current("Deal Value"),
            "variables.value",
        ),
        (
            "Value/environmentvariablevalues.json",
            "{\"environmentvariablevalues\":".to_owned(),
            "export.unread",
        ),
        (
            "Country/environmentvariabledefinition.xml",
            variable("c_Country", "Customer Account Country Code", 100_000_000, ""),
            "variables.without-value",
        ),
        (
            "Other/environmentvariabledefinition.xml",
            variable("c_Other", "Deal value field", 100_000_000, "x"),
            "variables.ambiguous",
        ),
    ] {
        let export = read("values", &with(&format!("{folder}{entry}"), &text)).unwrap();
        assert!(codes(&export).contains(&code), "{entry} {text}: {:?}", export.findings);
    }
}

#[test]
fn several_current_values_and_ones_that_are_no_text_are_read() {
    let entry = "environmentvariabledefinitions/c_Value/environmentvariablevalues.json";
    let list = r#"{"environmentvariablevalues":{"environmentvariablevalue":[{"value":"a_one"},{"value":"b_two"}]}}"#;
    let export = read("several", &with(entry, list)).unwrap();
    assert_eq!(export.settings["Deal value (field name)"], "a_one");
    assert_eq!(codes(&export), ["variables.ambiguous"]);
}

#[test]
fn flows_that_are_off_and_parents_before_children_are_named() {
    let mut entries = whole();
    entries[1].1 = customizations(&[3]).into_bytes();
    let export = read("off", &entries).unwrap();
    assert_eq!(codes(&export), ["flows.off", "flows.order"]);
    assert!(
        export.findings[1].seen.contains("Helper"),
        "{}",
        export.findings[1].seen
    );
}

#[test]
fn flows_other_than_customize_that_differ_from_the_baseline_are_named() {
    let baseline = read("baseline", &whole()).unwrap();
    let mut same = read("same", &whole()).unwrap();
    same.compare_flows(&baseline);
    assert_eq!(same.findings, []);
    let mut customized = read("customized", &with("Workflows/Flow1-F1.json", &flow("Http"))).unwrap();
    customized.compare_flows(&baseline);
    assert_eq!(customized.findings, []);
    let mut edited = read("edited", &with("Workflows/Flow6-F6.json", &flow("Http"))).unwrap();
    edited.compare_flows(&baseline);
    assert_eq!(codes(&edited), ["flows.changed"]);
    let seen = &edited.findings[0].seen;
    assert!(
        seen.contains("\"Dynamics 365 to Partner Center") && seen.contains("at actions.Do.type"),
        "{seen}"
    );
    assert!(!seen.contains("operationMetadataId"), "{seen}");
}

#[test]
fn a_run_only_connection_and_an_undeclared_reference_are_named() {
    let text = flow("Compose").replace("embedded", "invoker").replace("c_pc", "c_gone");
    let export = read("invoker", &with("Workflows/Flow5-F5.json", &text)).unwrap();
    assert_eq!(codes(&export), ["flows.run-only", "connections.undeclared"]);
}

#[test]
fn an_export_that_is_only_half_of_one_says_what_is_missing() {
    for (entry, code) in [
        ("customizations.xml", "export.incomplete"),
        ("Workflows/Flow4-F4.json", "export.incomplete"),
        (
            "environmentvariabledefinitions/c_Country/environmentvariabledefinition.xml",
            "export.incomplete",
        ),
    ] {
        let export = read("half", &without(entry)).unwrap();
        assert!(codes(&export).contains(&code), "{entry}: {:?}", export.findings);
    }
    let cut = &customizations(&[])[..400];
    let export = read("cut", &with("customizations.xml", cut)).unwrap();
    let unread = export
        .findings
        .iter()
        .find(|finding| finding.code == "export.unread")
        .unwrap();
    assert!(
        unread
            .seen
            .contains("customizations.xml could not be read: it is no whole XML"),
        "{}",
        unread.seen
    );
}

#[test]
fn what_is_no_export_is_refused_with_a_reason() {
    let bytes = zipped(&whole());
    let text = |test: &str, bytes: &[u8]| Export::read(&Scratch::new(test, bytes).0).unwrap_err().to_string();
    for (test, bytes, part) in [
        ("empty", &b""[..], "is no whole zip file"),
        ("html", b"<html>sign in</html>", "is no whole zip file"),
        ("truncated", &bytes[..bytes.len() / 2], "is no whole zip file"),
        ("tail", &bytes[bytes.len() / 2..], "is no whole zip file"),
    ] {
        let told = text(test, bytes);
        assert!(told.contains(part), "{test}: {told}");
    }
    let nested = vec![("inner/solution_1_0.zip".to_owned(), bytes.clone())];
    let told = text("nested", &zipped(&nested));
    assert!(
        told.contains("holds no solution") && told.contains("solution_1_0.zip: unpack it"),
        "{told}"
    );
    let told = text("none", &zipped(&vec![("a.txt".to_owned(), b"a".to_vec())]));
    assert!(
        told.contains("holds no solution") && told.contains("Export solution"),
        "{told}"
    );
    let told = text(
        "packager",
        &zipped(&vec![("Other/Solution.xml".to_owned(), b"<a/>".to_vec())]),
    );
    assert!(told.contains("pac solution pack"), "{told}");
    for entry in [
        "../solution.xml",
        "Workflows/../../x.json",
        "/etc/passwd",
        "C:\\x.xml",
        "Workflows\\..\\..\\x",
    ] {
        let told = text("outside", &zipped(&with(entry, "x")));
        assert!(told.contains("points out of the archive"), "{entry}: {told}");
    }
    for (xml, part) in [
        ("<a/>", "without a SolutionManifest"),
        ("<ImportExportXml><Sol", "no whole XML"),
        (
            "<!DOCTYPE a [<!ENTITY e \"x\"><!ENTITY f \"&e;&e;\">]><ImportExportXml>&f;</ImportExportXml>",
            "it declares a DTD",
        ),
    ] {
        let told = text("xml", &zipped(&with("solution.xml", xml)));
        assert!(
            told.contains("solution.xml cannot be read") && told.contains(part),
            "{xml}: {told}"
        );
    }
}

#[test]
fn a_zip_bomb_is_not_unpacked() {
    let mut entries = whole();
    entries.push(("Workflows/bomb.json".to_owned(), vec![b' '; (33 << 20) + 1]));
    let bytes = zipped(&entries);
    assert!(
        bytes.len() < 200_000,
        "the bomb is small until it is unpacked: {}",
        bytes.len()
    );
    let told = Export::read(&Scratch::new("bomb", &bytes).0).unwrap_err().to_string();
    assert!(told.contains("Workflows/bomb.json unpacks to more than"), "{told}");
    let many: Entries = (0..20_001).map(|at| (format!("f{at}"), Vec::new())).collect();
    let told = Export::read(&Scratch::new("many", &zipped(&many)).0)
        .unwrap_err()
        .to_string();
    assert!(told.contains("20001 entries"), "{told}");
}

#[test]
fn damaged_bytes_of_an_entry_are_told_and_the_rest_is_read() {
    let mut entries = whole();
    entries.push(("Workflows/odd.json".to_owned(), vec![0xff, 0xfe, 0x00]));
    let export = read("odd", &entries).unwrap();
    assert_eq!(codes(&export), ["export.unread"]);
    assert!(
        export.findings[0].seen.contains("no UTF-8"),
        "{}",
        export.findings[0].seen
    );
    assert_eq!(export.flows.len(), 9);
}

#[test]
fn every_cut_and_every_flipped_byte_is_an_answer_and_no_panic() {
    let bytes = zipped(&whole());
    for at in (0..bytes.len()).step_by(97) {
        drop(Export::read(&Scratch::new("cuts", &bytes[..at]).0));
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x55;
        drop(Export::read(&Scratch::new("flips", &flipped).0));
    }
}
