//! What a URL addresses: resource, key, and query options (dataverse.md sections 2 and 2.6).
//!
//! It does not interpret option values: those are read where they are used.

use http::Uri;

use super::error::Fault;
use super::guid::Guid;
use super::model::{Model, Table};

/// The longest URL, and the longest inside a batch (dataverse.md section 2.6).
const MAX_URL: usize = 32_768;
const MAX_URL_IN_BATCH: usize = 65_536;

/// A resource below `/api/data/v9.2/`.
#[derive(Clone, Copy, Debug)]
pub(super) enum Resource<'m> {
    /// The service document.
    Service,
    /// `WhoAmI`, with or without parentheses.
    WhoAmI,
    /// An entity set.
    Set(&'m Table),
    /// One row.
    Row(&'m Table, Guid),
    /// `WinOpportunity`.
    Win,
    /// `LoseOpportunity`.
    Lose,
    /// Many requests in one.
    Batch,
}

/// A path split into API version and the rest.
pub(super) fn api_path(uri: &Uri) -> Option<(&str, &str)> {
    let rest = uri.path().strip_prefix("/api/data/")?;
    let (version, rest) = rest.split_once('/').unwrap_or((rest, ""));
    let (major, minor) = version.strip_prefix('v')?.split_once('.')?;
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    (matches!(major, "8" | "9") && digits(minor)).then_some((version, rest))
}

/// The resource that the rest of a path names.
pub(super) fn resource<'m>(model: &'m Model, rest: &str) -> Result<Resource<'m>, Fault> {
    let path = decode(rest, false).ok_or_else(|| Fault::Query("The URL is not UTF-8.".to_owned()))?;
    match path.as_str() {
        "" => return Ok(Resource::Service),
        "WhoAmI" | "WhoAmI()" => return Ok(Resource::WhoAmI),
        "WinOpportunity" => return Ok(Resource::Win),
        "LoseOpportunity" => return Ok(Resource::Lose),
        "$batch" => return Ok(Resource::Batch),
        // No such action in the reference (dataverse.md section 2.10).
        "CloseOpportunity" => return Err(Fault::NoSuchSegment(path)),
        _ => {}
    }
    let (name, key) = match path.split_once('(') {
        Some((name, key)) => (name, Some(key)),
        None => (path.as_str(), None),
    };
    let Some(table) = model.by_set(name) else {
        return Err(unknown_segment(model, &path, name));
    };
    let Some(key) = key else {
        return Ok(Resource::Set(table));
    };
    let Some(key) = key.strip_suffix(')') else {
        return Err(Fault::NotSimulated(format!("path `{path}`")));
    };
    match Guid::parse(key) {
        Some(id) => Ok(Resource::Row(table, id)),
        None if key.contains(['=', '\'', '/']) => Err(Fault::NotSimulated(format!("key `({key})`"))),
        None => Err(Fault::Query("Error in query syntax.".to_owned())),
    }
}

/// A logical name where the set's name belongs is a known mistake with a known answer. Of any other segment nobody can
/// say here whether the real environment has it.
fn unknown_segment(model: &Model, path: &str, name: &str) -> Fault {
    let known_mistake = model.by_logical(&name.to_ascii_lowercase()).is_some();
    let other_case = model.by_set(&name.to_ascii_lowercase()).is_some();
    if known_mistake || other_case {
        return Fault::NoSuchSegment(name.to_owned());
    }
    Fault::NotSimulated(format!("resource `{path}`"))
}

/// The query options of a request, decoded. Absent is `None`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) select: Option<String>,
    pub(super) filter: Option<String>,
    pub(super) order_by: Option<String>,
    pub(super) top: Option<String>,
    pub(super) count: Option<String>,
    pub(super) skip_token: Option<String>,
    /// The undecoded query without the skip token, for the next link.
    pub(super) without_token: String,
}

impl Options {
    /// The options of a URL. Names may be percent-encoded; values are decoded form-style, so `+` is a space.
    pub(super) fn read(uri: &Uri, in_batch: bool) -> Result<Self, Fault> {
        let whole = uri.path_and_query().map_or(0, |whole| whole.as_str().len());
        if whole > if in_batch { MAX_URL_IN_BATCH } else { MAX_URL } {
            return Err(Fault::UrlTooLong);
        }
        let mut options = Self::default();
        for pair in uri
            .query()
            .unwrap_or_default()
            .split('&')
            .filter(|pair| !pair.is_empty())
        {
            options.take(pair)?;
        }
        Ok(options)
    }

    fn take(&mut self, pair: &str) -> Result<(), Fault> {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let broken = || Fault::Query(format!("The query option '{name}' is not UTF-8."));
        let name = decode(name, true).ok_or_else(broken)?;
        let value = decode(value, true).ok_or_else(broken)?;
        let place = match name.as_str() {
            "$select" => &mut self.select,
            "$filter" => &mut self.filter,
            "$orderby" => &mut self.order_by,
            "$top" => &mut self.top,
            "$count" => &mut self.count,
            "$skiptoken" => &mut self.skip_token,
            "$skip" => return Err(Fault::Query("Skip Clause is not supported in CRM".to_owned())),
            // A shared variable for plug-ins, of which there are none.
            "tag" => return Ok(()),
            other => return Err(Fault::NotSimulated(format!("query option `{other}`"))),
        };
        if place.is_some() {
            let text =
                format!("Query option '{name}' was specified more than once, but it must be specified at most once.");
            return Err(Fault::Query(text));
        }
        *place = Some(value);
        if name != "$skiptoken" {
            if !self.without_token.is_empty() {
                self.without_token.push('&');
            }
            self.without_token.push_str(pair);
        }
        Ok(())
    }

    /// Refuses every option but `$select`, for requests that take no other.
    pub(super) fn only_select(&self) -> Result<(), Fault> {
        let others = [
            ("$filter", &self.filter),
            ("$orderby", &self.order_by),
            ("$top", &self.top),
            ("$count", &self.count),
            ("$skiptoken", &self.skip_token),
        ];
        match others.iter().find(|(_, value)| value.is_some()) {
            Some((name, _)) => Err(Fault::NotSimulated(format!("query option `{name}` on a single row"))),
            None => Ok(()),
        }
    }
}

/// Percent-decodes text. `None` when the outcome is not UTF-8; a `%` without two digits stands for itself.
pub(super) fn decode(text: &str, plus_is_space: bool) -> Option<String> {
    if !text.contains(['%', '+']) {
        return Some(text.to_owned());
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let digit = |place: usize| bytes.get(place).and_then(|byte| char::from(*byte).to_digit(16));
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                at += 3;
                continue;
            }
            (b'+', ..) if plus_is_space => out.push(b' '),
            _ => out.push(*byte),
        }
        at += 1;
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(query: &str) -> Result<Options, Fault> {
        let uri = format!("/api/data/v9.2/accounts?{query}").parse();
        Options::read(&uri.unwrap_or_default(), false)
    }

    #[test]
    fn option_names_may_be_encoded_and_plus_is_a_space() {
        let read = options("%24select=name%2Crevenue&$filter=name+eq+%27a%2Bb%27&$top=5").unwrap();
        assert_eq!(read.select.as_deref(), Some("name,revenue"));
        assert_eq!(read.filter.as_deref(), Some("name eq 'a+b'"));
        assert_eq!(
            read.without_token,
            "%24select=name%2Crevenue&$filter=name+eq+%27a%2Bb%27&$top=5"
        );
    }

    #[test]
    fn skip_gets_the_vendors_error_and_unknown_options_are_refused() {
        assert!(matches!(options("$skip=5"), Err(Fault::Query(_))));
        assert!(matches!(options("$top=5&$top=6"), Err(Fault::Query(_))));
        assert!(matches!(
            options("$expand=primarycontactid"),
            Err(Fault::NotSimulated(_))
        ));
        assert!(matches!(options("fetchXml=%3Cfetch/%3E"), Err(Fault::NotSimulated(_))));
    }

    #[test]
    fn a_path_names_a_set_a_row_or_what_is_missing() {
        let model = Model::standard();
        let id = "01234567-89ab-4def-8000-00000000abcd";
        assert!(
            matches!(resource(&model, &format!("accounts({id})")), Ok(Resource::Row(table, _)) if table.logical == "account")
        );
        assert!(matches!(resource(&model, "WhoAmI()"), Ok(Resource::WhoAmI)));
        assert!(matches!(resource(&model, "Account"), Err(Fault::NoSuchSegment(_))));
        for missing in [
            "campaigns",
            "$metadata",
            "accounts(accountnumber='a')",
            "accountsaccounts",
        ] {
            assert!(
                matches!(resource(&model, missing), Err(Fault::NotSimulated(_))),
                "{missing}"
            );
        }
        let nested = format!("accounts({id})/name");
        assert!(matches!(resource(&model, &nested), Err(Fault::NotSimulated(_))));
    }

    #[test]
    fn api_versions_eight_and_nine_are_served() {
        let of = |path: &str| api_path(&path.parse().unwrap()).map(|(version, rest)| format!("{version} {rest}"));
        assert_eq!(of("/api/data/v9.2/accounts").as_deref(), Some("v9.2 accounts"));
        assert_eq!(of("/api/data/v9.0"), Some("v9.0 ".to_owned()));
        assert_eq!(of("/api/data/v10.0/accounts"), None);
        assert_eq!(of("/accounts"), None);
    }
}
