//! Request headers that change what Dataverse does (dataverse.md section 2.1).
//!
//! The bearer token is not read here.

use http::HeaderMap;

use super::error::Fault;
use super::guid::Guid;

/// What the `Prefer` headers ask for. Preferences that no server knows are ignored, as RFC 7240 says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Preferences {
    /// `odata.include-annotations`.
    pub(super) annotations: Annotations,
    /// `odata.track-changes`.
    pub(super) track_changes: bool,
    /// `return=representation`.
    pub(super) representation: bool,
    /// `odata.maxpagesize`.
    pub(super) page_size: Option<usize>,
    /// `odata.continue-on-error`: a batch goes on behind a failure.
    pub(super) continue_on_error: bool,
}

/// Which annotations an answer carries: `*`, exact names, `ns.*`, and `-name` for all but it (dataverse.md section 2.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Annotations {
    asked: String,
}

impl Annotations {
    /// Whether any are asked for.
    pub(super) fn is_some(&self) -> bool {
        !self.asked.is_empty()
    }

    /// Whether one of that name is asked for.
    pub(super) fn has(&self, name: &str) -> bool {
        let fits = |pattern: &str| {
            pattern == "*" || pattern == name || pattern.strip_suffix('*').is_some_and(|start| name.starts_with(start))
        };
        let mut included = false;
        for pattern in self.asked.split(',').map(str::trim) {
            match pattern.strip_prefix('-') {
                Some(without) if fits(without) => return false,
                Some(_) => {}
                None => included |= fits(pattern),
            }
        }
        included
    }
}

impl Preferences {
    /// What `Preference-Applied` says of a read, if anything was applied.
    pub(super) fn applied(&self, page_size: bool) -> Option<String> {
        let mut applied = Vec::new();
        if let Some(size) = self.page_size.filter(|_| page_size) {
            applied.push(format!("odata.maxpagesize={size}"));
        }
        if self.track_changes {
            applied.push("odata.track-changes".to_owned());
        }
        if self.annotations.is_some() {
            applied.push(format!("odata.include-annotations=\"{}\"", self.annotations.asked));
        }
        (!applied.is_empty()).then(|| applied.join(","))
    }
}

/// On which condition a request holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Conditions {
    /// `If-Match`.
    pub(super) only_if: Option<Match>,
    /// `If-None-Match`. The literal `null`, which many clients send, counts as absent.
    pub(super) unless: Option<Match>,
}

/// An entity tag, or all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Match {
    /// `*`.
    Any,
    /// A version. `None` for a tag that no row can have.
    Version(Option<i64>),
}

impl Match {
    fn parse(text: &str) -> Self {
        if text == "*" {
            return Self::Any;
        }
        let digits = text.trim_start_matches("W/").trim_matches('"');
        Self::Version(digits.parse().ok())
    }

    /// Whether a row of that version fits.
    pub(super) fn fits(&self, version: i64) -> bool {
        match self {
            Self::Any => true,
            Self::Version(wanted) => *wanted == Some(version),
        }
    }
}

/// The `Prefer` headers, repeated or joined by commas.
pub(super) fn preferences(headers: &HeaderMap) -> Result<Preferences, Fault> {
    let mut found = Preferences::default();
    for header in headers.get_all("prefer") {
        let text = header.to_str().unwrap_or_default();
        for preference in split_outside_quotes(text) {
            let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
            let value = value.trim().trim_matches('"');
            match name.trim().to_ascii_lowercase().as_str() {
                "return" => found.representation = value.eq_ignore_ascii_case("representation"),
                "odata.continue-on-error" => found.continue_on_error = !value.eq_ignore_ascii_case("false"),
                "odata.maxpagesize" => found.page_size = value.parse().ok().filter(|size| *size > 0),
                "odata.include-annotations" => value.clone_into(&mut found.annotations.asked),
                "odata.track-changes" => found.track_changes = true,
                "respond-async" => return Err(unknown("respond-async")),
                _ => {}
            }
        }
    }
    Ok(found)
}

fn unknown(preference: &str) -> Fault {
    Fault::NotSimulated(format!("preference `{preference}`"))
}

fn split_outside_quotes(text: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |character| {
        quoted ^= character == '"';
        character == ',' && !quoted
    })
    .map(str::trim)
}

/// The conditional headers. A list of entity tags is not simulated.
pub(super) fn conditions(headers: &HeaderMap) -> Result<Conditions, Fault> {
    let read = |name: &str| -> Result<Option<Match>, Fault> {
        let Some(text) = headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim) else {
            return Ok(None);
        };
        if text.contains(',') {
            return Err(Fault::NotSimulated(format!("several entity tags in `{name}`")));
        }
        Ok((text != "null" && !text.is_empty()).then(|| Match::parse(text)))
    };
    Ok(Conditions {
        only_if: read("if-match")?,
        unless: read("if-none-match")?,
    })
}

/// In whose name a request is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InNameOf {
    /// `MSCRMCallerID`: a `systemuserid`.
    User(Guid),
    /// `CallerObjectId`: a user's identifier in Entra ID.
    Object(Guid),
}

/// Headers of Dataverse's own (dataverse.md section 2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Directives {
    pub(super) in_name_of: Option<InNameOf>,
    /// `MSCRM.SuppressDuplicateDetection: false`.
    pub(super) detect_duplicates: bool,
}

/// Reads the headers of Dataverse's own, and refuses those that would change the outcome in ways that are not simulated.
///
/// There is no custom logic to bypass and no metadata to write, so the headers about both change nothing.
pub(super) fn directives(headers: &HeaderMap, rest: &str) -> Result<Directives, Fault> {
    let mut found = Directives::default();
    for (name, value) in headers {
        let (name, value) = (name.as_str(), value.to_str().unwrap_or_default().trim());
        // Assumed text and code: the header must hold an identifier.
        let guid =
            || Guid::parse(value).ok_or_else(|| Fault::Argument(format!("'{value}' of the header {name} is no GUID.")));
        let known = match name {
            "mscrm.suppressduplicatedetection" => {
                found.detect_duplicates = value.eq_ignore_ascii_case("false");
                true
            }
            "mscrmcallerid" => {
                found.in_name_of = Some(InNameOf::User(guid()?));
                true
            }
            "callerobjectid" => {
                found.in_name_of = Some(InNameOf::Object(guid()?));
                true
            }
            "mscrm.bypasscustompluginexecution"
            | "mscrm.bypassbusinesslogicexecution"
            | "mscrm.solutionuniquename"
            | "mscrm.mergelabels" => true,
            "accept" => accepts(value, rest),
            other => !other.starts_with("mscrm."),
        };
        if !known {
            return Err(Fault::NotSimulated(format!("header `{name}: {value}`")));
        }
    }
    Ok(found)
}

/// Whether somebody takes the kind of answer that there is: XML of the document, text of counts and bare values, parts of a
/// batch, and JSON of everything else.
fn accepts(accept: &str, rest: &str) -> bool {
    match rest.rsplit('/').next() {
        // The document is XML whatever was asked for (dataverse.md section 2.9).
        Some("$metadata") => return true,
        Some("$count" | "$value") if accept.contains("text/") => return true,
        Some("$batch") if accept.contains("multipart/") => return true,
        Some(_) | None => {}
    }
    let plain = !accept.contains("odata.metadata=") || accept.contains("odata.metadata=minimal");
    plain && (accept.contains("json") || accept.contains('*') || accept.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in lines {
            map.append(*name, value.parse().unwrap());
        }
        map
    }

    #[test]
    fn preferences_come_joined_or_repeated_in_any_order() {
        let wanted = Preferences {
            representation: true,
            page_size: Some(3),
            ..Preferences::default()
        };
        for lines in [
            &[("prefer", "return=representation,odata.maxpagesize=3")][..],
            &[("prefer", "odata.maxpagesize=3, return=representation")],
            &[("prefer", "odata.maxpagesize=3"), ("prefer", "return=representation")],
            &[(
                "prefer",
                "odata.include-annotations=\"\",return=representation,odata.maxpagesize=3,wait=5",
            )],
        ] {
            assert_eq!(preferences(&headers(lines)).unwrap(), wanted);
        }
        let annotated = headers(&[(
            "prefer",
            "odata.include-annotations=\"a.*,b.c,-a.x\", odata.track-changes",
        )]);
        let found = preferences(&annotated).unwrap();
        let has = |name: &str| found.annotations.has(name);
        assert!(has("a.b") && has("b.c") && !has("a.x") && !has("b.d"));
        assert_eq!(
            found.applied(true).as_deref(),
            Some("odata.track-changes,odata.include-annotations=\"a.*,b.c,-a.x\"")
        );
    }

    #[test]
    fn a_literal_null_is_no_condition() {
        let found = conditions(&headers(&[("if-none-match", "null"), ("if-match", "W/\"42\"")])).unwrap();
        assert_eq!(found.unless, None);
        assert!(found.only_if.clone().unwrap().fits(42));
        assert!(!found.only_if.unwrap().fits(43));
    }

    #[test]
    fn headers_of_dataverses_own_are_read_and_unknown_ones_are_refused() {
        let usual = [
            ("accept", "application/json"),
            ("odata-version", "4.0"),
            ("odata-maxversion", "4.0"),
            ("mscrm.suppressduplicatedetection", "true"),
            ("mscrm.bypasscustompluginexecution", "true"),
        ];
        assert_eq!(directives(&headers(&usual), "accounts"), Ok(Directives::default()));
        let detects = directives(&headers(&[("mscrm.suppressduplicatedetection", "false")]), "").unwrap();
        assert!(detects.detect_duplicates);
        let id = "01234567-89ab-4def-8000-00000000abcd";
        let stands_in = directives(&headers(&[("callerobjectid", id)]), "").unwrap();
        assert_eq!(stands_in.in_name_of, Guid::parse(id).map(InNameOf::Object));
        assert!(matches!(
            directives(&headers(&[("mscrmcallerid", "x")]), ""),
            Err(Fault::Argument(_))
        ));
        for unknown in [("mscrm.nosuch", "1"), ("accept", "application/xml")] {
            assert!(
                matches!(
                    directives(&headers(&[unknown]), "accounts"),
                    Err(Fault::NotSimulated(_))
                ),
                "{unknown:?}"
            );
        }
        for (kind, rest) in [
            ("application/xml", "$metadata"),
            ("application/json", "$metadata"),
            ("text/plain", "accounts/$count"),
            ("multipart/mixed", "$batch"),
            ("*/*", "accounts"),
        ] {
            assert!(directives(&headers(&[("accept", kind)]), rest).is_ok(), "{kind} {rest}");
        }
    }
}
