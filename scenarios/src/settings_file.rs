//! A file of connector settings: YAML with the names that the solution and the guide use, and every fault at its place.
//!
//! Secrets stand in it as `{env: NAME}` or `{file: PATH}`; one that is written out is taken too. What the settings mean is the
//! connector's business.

use std::collections::BTreeMap;
use std::path::PathBuf;

use cosell_connector::settings::document::{self, Section};
use cosell_connector::settings::{Settings, SettingsError, SettingsFault};
use serde_json::{Map, Value};

use crate::diagnostic::{Diagnostic, Span};
use crate::yaml::{self, Kind, Node};

/// What a process needs beyond the connector's settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Process {
    /// Where webhooks are received.
    pub listen: Option<String>,
    /// Where the status page is.
    pub status: Option<String>,
    /// The file of the connector's memory.
    pub store: Option<PathBuf>,
    /// From which hosts a webhook's certificate may come.
    pub certificate_hosts: Option<Vec<String>>,
    /// What the certificate's issuer must name.
    pub certificate_issuer: Option<String>,
    /// Files of authorities in PEM that may vouch for the systems' servers.
    pub authorities: Vec<PathBuf>,
    /// Files of certificates that may vouch for a webhook's, beside the machine's authorities.
    pub certificate_roots: Vec<PathBuf>,
    /// The seed of jitter.
    pub seed: u64,
}

/// Reads the text of a file.
pub fn read(path: &str, text: &str) -> Result<(Settings, Process), Vec<Diagnostic>> {
    read_over(path, text, &BTreeMap::new())
}

/// Reads the text of a file, with values of the solution's variables that stand instead of the file's own.
pub fn read_over(
    path: &str,
    text: &str,
    variables: &BTreeMap<String, String>,
) -> Result<(Settings, Process), Vec<Diagnostic>> {
    let tree = yaml::parse(path, text);
    if !tree.diagnostics.is_empty() {
        return Err(tree.diagnostics);
    }
    let Some(root) = tree.root else {
        return Err(vec![Diagnostic::error(path, "the file has no settings")]);
    };
    let mut places = BTreeMap::new();
    let mut twice = Vec::new();
    let mut document = value(&root, "", &mut places, &mut twice);
    put_variables(&mut document, variables);
    let mut faults: Vec<SettingsFault> = Vec::new();
    let process = process(&document, &mut faults);
    let settings = match document::read(&document, &secret) {
        Ok(settings) => Some(settings),
        Err(SettingsError(more)) => {
            faults.splice(0..0, more);
            None
        }
    };
    let mut diagnostics: Vec<Diagnostic> = twice
        .into_iter()
        .map(|(key, span)| Diagnostic::error(path, format!("`{key}` stands twice")).at(span, "the second time"))
        .collect();
    diagnostics.extend(faults.iter().map(|fault| diagnostic(path, fault, &places)));
    match settings {
        Some(settings) if diagnostics.is_empty() => Ok((settings, process)),
        _ => Err(diagnostics),
    }
}

/// Puts values over those of the section `variables`.
fn put_variables(document: &mut Value, variables: &BTreeMap<String, String>) {
    let Some(whole) = document.as_object_mut().filter(|_| !variables.is_empty()) else {
        return;
    };
    let section = whole.entry("variables").or_insert_with(|| Value::Object(Map::new()));
    if section.is_null() {
        *section = Value::Object(Map::new());
    }
    if let Some(section) = section.as_object_mut() {
        section.extend(
            variables
                .iter()
                .map(|(name, value)| (name.clone(), Value::from(value.clone()))),
        );
    }
}

/// A fault at the deepest place that the file has for it.
fn diagnostic(path: &str, fault: &SettingsFault, places: &BTreeMap<String, Span>) -> Diagnostic {
    let name = fault.setting.replace('_', " ");
    let diagnostic = Diagnostic::error(path, format!("`{name}` {}", fault.fault));
    let mut place = name.as_str();
    loop {
        if let Some(span) = places.get(place) {
            return diagnostic.at(*span, "here");
        }
        match place.rsplit_once('.') {
            Some((outer, _)) => place = outer,
            None => return diagnostic,
        }
    }
}

fn value(node: &Node, place: &str, places: &mut BTreeMap<String, Span>, twice: &mut Vec<(String, Span)>) -> Value {
    match &node.kind {
        Kind::Text { text, .. } if node.is_empty() || text == "null" => Value::Null,
        Kind::Text { text, .. } => Value::String(text.clone()),
        Kind::List(items) => items.iter().map(|item| value(item, place, places, twice)).collect(),
        Kind::Map(entries) => {
            let mut map = Map::new();
            for (key, inner) in entries {
                let Kind::Text { text, .. } = &key.kind else {
                    continue;
                };
                let inside = if place.is_empty() {
                    text.clone()
                } else {
                    format!("{place}.{text}")
                };
                places.insert(inside.clone(), key.span);
                let read = value(inner, &inside, places, twice);
                if map.insert(text.clone(), read).is_some() {
                    twice.push((inside, key.span));
                }
            }
            Value::Object(map)
        }
        Kind::Refused => Value::Null,
    }
}

/// The text with every secret that is written out covered, letter by letter, so that what stands beside it can be shown. What is
/// nearly called a secret counts, too.
pub fn covered(text: &str) -> String {
    let mut deeper: Option<usize> = None;
    let lines = text.split_inclusive('\n').map(|line| {
        let indent = line.len() - line.trim_start().len();
        if line.trim().is_empty() {
            return line.to_owned();
        }
        if deeper.is_some_and(|least| indent > least) {
            return covered_from(line, indent, line.trim_end().len());
        }
        deeper = None;
        let (line, open) = covered_line(line);
        if open {
            deeper = Some(indent);
        }
        line
    });
    lines.collect()
}

/// One line covered; whether the value of its last key stands in the lines below.
fn covered_line(line: &str) -> (String, bool) {
    let mut line = line.to_owned();
    let mut from = 0;
    while let Some(colon) = line[from..].find(':').map(|at| from + at) {
        let after = colon + 1;
        from = after;
        let end = line.trim_end().len();
        let key = line[..colon].rsplit(['{', ',', '[']).next().unwrap_or_default();
        let key = key.trim().trim_start_matches("- ").trim_matches(['"', '\'']);
        if !is_secret(key) || !(after >= end || line[after..].starts_with([' ', '\t'])) {
            continue;
        }
        let start = after + (line[after..].len() - line[after..].trim_start().len());
        if start >= end || line[start..].starts_with(['|', '>']) {
            return (line, true);
        }
        let rest = &line[start..end];
        let length = match rest.chars().next() {
            // Where the secret is, and not the secret itself.
            Some('{') => continue,
            Some(quote @ ('"' | '\'')) => rest[1..].find(quote).map_or(rest.len(), |at| at + 2),
            _ if line[..colon].contains('{') => rest.find([',', '}']).unwrap_or(rest.len()),
            _ => rest.len(),
        };
        line = covered_from(&line, start, start + length);
        from = (start + length).min(line.len());
        while !line.is_char_boundary(from) {
            from += 1;
        }
    }
    (line, false)
}

/// Stars for the letters of a part of a line.
fn covered_from(line: &str, from: usize, to: usize) -> String {
    let stars = "*".repeat(line[from..to].chars().count());
    [&line[..from], stars.as_str(), &line[to..]].concat()
}

fn is_secret(key: &str) -> bool {
    const WORDS: [&str; 3] = ["secret", "token", "password"];
    let mut words = key.split([' ', '-', '_']);
    words.any(|word| {
        let near = |known: &&str| strsim::damerau_levenshtein(&word.to_lowercase(), known) <= 2;
        WORDS.iter().any(near)
    })
}

/// An address at which the process listens; one that is none is told.
fn listens(section: &mut Section<'_>, key: &str, loopback: bool) -> Option<String> {
    let address = section.text(key)?;
    let (host, port) = address.rsplit_once(':').unwrap_or((address.as_str(), ""));
    if host.is_empty() || port.parse::<u16>().is_err() {
        section.fault(key, "must be an address and a port, such as `127.0.0.1:8080`");
    } else if loopback && !matches!(host, "localhost" | "[::1]") && !host.starts_with("127.") {
        let fault = "must be on loopback, such as `127.0.0.1:8081`: whoever reaches the status page can turn flows off";
        section.fault(key, fault);
    }
    Some(address)
}

fn process(document: &Value, faults: &mut Vec<SettingsFault>) -> Process {
    const KEYS: [&str; 8] = [
        "listen",
        "authorities",
        "status",
        "store",
        "certificate hosts",
        "certificate issuer",
        "certificate roots",
        "seed",
    ];
    let mut section = Section::of(document, "process", &KEYS, faults);
    Process {
        listen: listens(&mut section, "listen", false),
        status: listens(&mut section, "status", true),
        store: section.text("store").map(PathBuf::from),
        authorities: section
            .texts("authorities")
            .unwrap_or_default()
            .into_iter()
            .map(PathBuf::from)
            .collect(),
        certificate_hosts: section.texts("certificate hosts"),
        certificate_issuer: section.text("certificate issuer"),
        certificate_roots: section
            .texts("certificate roots")
            .unwrap_or_default()
            .into_iter()
            .map(PathBuf::from)
            .collect(),
        seed: section.number("seed").unwrap_or_default(),
    }
}

/// The secret behind `{env: NAME}` or `{file: PATH}`. What is said when there is none never holds a secret.
fn secret(value: &Value) -> Result<String, String> {
    let named = |key: &str| value.get(key).and_then(Value::as_str);
    if let Some(text) = value.as_str() {
        return Ok(text.to_owned());
    }
    let found = if let Some(name) = named("env") {
        std::env::var(name).map_err(|_| format!("names the variable `{name}`, which the environment does not have"))?
    } else if let Some(path) = named("file") {
        std::fs::read_to_string(path)
            .map_err(|error| format!("names the file {path}, which cannot be read: {error}"))?
    } else {
        return Err("must be `{env: NAME}` or `{file: PATH}`".to_owned());
    };
    Ok(found.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Sources, Style, render};

    const GOOD: &str = "
partner center: {tenant: t, client id: c, client secret: s, refresh token: r}
crm: {kind: dynamics, org: https://contoso.crm.dynamics.com, tenant: t, client id: c, client secret: s}
variables:
  Deal value (field name): msft_total
times: {poll every: 1m}
process: {store: memory.db, status: 127.0.0.1:0}
";

    #[test]
    fn a_file_becomes_settings() {
        let (settings, process) = read("s.yaml", GOOD).unwrap();
        assert_eq!(settings.crm.value_field(), "msft_total");
        assert_eq!(process.store, Some(PathBuf::from("memory.db")));
    }

    #[test]
    fn secrets_that_are_written_out_are_covered_wherever_they_stand() {
        let text = "a:\n  client secret: abc def\n  refresh tokn: \"x, y\" # why\n  api: http://h\n\
                    crm: {kind: sugar, client secret: s3cr, tenant: t, token: {env: T}}\nb:\n  client secret: |\n    deep\n    er\n  c: d\n";
        let covered = covered(text);
        for secret in ["abc", "x, y", "s3cr", "deep", "er\n"] {
            assert!(!covered.contains(secret), "{secret} in {covered}");
        }
        for plain in [
            "api: http://h",
            "kind: sugar",
            "tenant: t",
            "{env: T}",
            "  c: d",
            "# why",
        ] {
            assert!(covered.contains(plain), "{plain} not in {covered}");
        }
        assert_eq!(covered.chars().count(), text.chars().count());
    }

    #[test]
    fn the_example_of_the_guide_is_in_order() {
        let guide = include_str!("../guide/connector.md");
        let example = guide
            .split("```yaml\n")
            .nth(1)
            .and_then(|rest| rest.split("```").next())
            .unwrap();
        let text = example
            .replace("{env: PC_CLIENT_SECRET}", "s")
            .replace("{env: CRM_CLIENT_SECRET}", "s")
            .replace("{file: /run/secrets/pc-refresh-token}", "s");
        let (settings, process) = read("guide", &text).unwrap();
        assert_eq!(settings.daily_calls, Some(10_000));
        assert!(process.listen.is_some());
    }

    #[test]
    fn every_fault_points_at_its_words_and_no_secret_is_shown() {
        let text = GOOD
            .replace(
                "client secret: s, refresh",
                "client secret: {env: COSELL_NO_SUCH}, refresh",
            )
            .replace("Deal value (field name)", "Deal valeu (field name)")
            .replace("poll every: 1m", "poll every: often")
            .replace("store: memory.db", "stroe: memory.db");
        let diagnostics = read("s.yaml", &text).unwrap_err();
        let mut sources = Sources::default();
        sources.add("s.yaml", &text);
        let shown = render(&diagnostics, &sources, Style::PLAIN);
        for words in [
            "names the variable `COSELL_NO_SUCH`",
            "did you mean `Deal value (field name)`?",
            "must be a length of time",
            "did you mean `store`?",
            "s.yaml:2:",
            "s.yaml:5:",
            "s.yaml:6:",
            "s.yaml:7:",
        ] {
            assert!(shown.contains(words), "{words} is not in\n{shown}");
        }
    }
}
