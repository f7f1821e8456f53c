//! What a URL addresses: resource, key, and query options (dataverse.md sections 2 and 2.6).
//!
//! It does not interpret option values: those are read where they are used.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use http::Uri;

use super::error::Fault;
use super::key::{RowKey, split_outside_quotes};
use super::model::{Model, Table};

/// The longest URL, and the longest inside a batch (dataverse.md section 2.6).
const MAX_URL: usize = 32_768;
const MAX_URL_IN_BATCH: usize = 65_536;

/// A resource below `/api/data/v9.2/`.
#[derive(Clone, Debug)]
pub(super) enum Resource<'m> {
    /// The service document.
    Service,
    /// `WhoAmI`, with or without parentheses.
    WhoAmI,
    /// An entity set.
    Set(&'m Table),
    /// How many rows a set has.
    Count(&'m Table),
    /// A function on nothing: its name, and what stands between its parentheses.
    Function(&'static str, String),
    /// What describes tables and columns: the path after its first segment, which is the first here.
    Metadata(Vec<String>),
    /// An action on an entity set, without the namespace: `CreateMultiple`.
    SetAction(&'m Table, String),
    /// One row.
    Row(&'m Table, RowKey),
    /// An action on a row, without the namespace: `QualifyLead`.
    RowAction(&'m Table, RowKey, String),
    /// What stands behind a row: a column, a navigation property, `$ref`.
    Below(&'m Table, RowKey, Vec<String>),
    /// An action on nothing: `WinOpportunity`.
    Action(&'static str),
    /// A call of `InitializeFrom`, with its parameters.
    InitializeFrom(String),
    /// Many requests in one.
    Batch,
}

impl<'m> Resource<'m> {
    /// The table that it belongs to.
    pub(super) fn table(&self) -> Option<&'m Table> {
        match self {
            Self::Set(table)
            | Self::Count(table)
            | Self::SetAction(table, _)
            | Self::Row(table, _)
            | Self::RowAction(table, ..)
            | Self::Below(table, ..) => Some(table),
            Self::Service
            | Self::WhoAmI
            | Self::Function(..)
            | Self::Metadata(_)
            | Self::Action(_)
            | Self::InitializeFrom(_)
            | Self::Batch => None,
        }
    }
}

/// The namespace of bound actions.
const NAMESPACE: &str = "Microsoft.Dynamics.CRM.";
/// Actions on nothing that are simulated.
const ACTIONS: [&str; 3] = ["WinOpportunity", "LoseOpportunity", "BulkDelete"];

/// Functions on nothing that are simulated.
const FUNCTIONS: [&str; 3] = [
    "RetrieveCurrentOrganization",
    "RetrieveTotalRecordCount",
    "RetrieveVersion",
];
/// First segments of what describes tables and columns.
const METADATA: [&str; 8] = [
    "$metadata",
    "CreateEntities",
    "EntityDefinitions",
    "GlobalOptionSetDefinitions",
    "ManagedPropertyDefinitions",
    "RelationshipDefinitions",
    "PublishAllXml",
    "PublishXml",
];

/// The function that a path calls, with or without parentheses.
fn function(path: &str) -> Option<Resource<'static>> {
    let (name, arguments) = match path.split_once('(') {
        Some((name, rest)) => (name, rest.strip_suffix(')')?),
        None => (path, ""),
    };
    let name = FUNCTIONS.into_iter().find(|known| *known == name)?;
    Some(Resource::Function(name, arguments.to_owned()))
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
        "$batch" => return Ok(Resource::Batch),
        // No such action in the reference (dataverse.md section 2.10).
        "CloseOpportunity" => return Err(Fault::NoSuchSegment(path)),
        _ => {}
    }
    if let Some(action) = ACTIONS.into_iter().find(|action| *action == path) {
        return Ok(Resource::Action(action));
    }
    if path.starts_with("InitializeFrom(") {
        return Ok(Resource::InitializeFrom(path));
    }
    if let Some(found) = function(&path) {
        return Ok(found);
    }
    let mut segments = split_outside_quotes(&path, '/');
    let first = segments.next().unwrap_or_default();
    let below: Vec<&str> = segments.collect();
    let (name, key) = match first.split_once('(') {
        Some((name, key)) => (name, Some(key)),
        None => (first, None),
    };
    if METADATA.contains(&name) {
        let below = below.iter().map(|&segment| segment.to_owned());
        return Ok(Resource::Metadata(
            std::iter::once(first.to_owned()).chain(below).collect(),
        ));
    }
    let Some(table) = model.by_set(name) else {
        return Err(unknown_segment(model, &path, name));
    };
    let action = |segments: &[&str]| match segments {
        [action] => action.strip_prefix(NAMESPACE).map(str::to_owned),
        _ => None,
    };
    let unknown = || Fault::NotSimulated(format!("path `{path}`"));
    let Some(key) = key else {
        return match below.as_slice() {
            [] => Ok(Resource::Set(table)),
            ["$count"] => Ok(Resource::Count(table)),
            below => action(below)
                .map(|action| Resource::SetAction(table, action))
                .ok_or_else(unknown),
        };
    };
    let key = RowKey::parse(table, key.strip_suffix(')').ok_or_else(unknown)?)?;
    Ok(match (below.as_slice(), action(&below)) {
        ([], _) => Resource::Row(table, key),
        (_, Some(action)) => Resource::RowAction(table, key, action),
        (below, None) => Resource::Below(table, key, below.iter().map(|&segment| segment.to_owned()).collect()),
    })
}

/// A URL in which what no URL may hold is percent-encoded.
pub(super) fn escaped(url: &str) -> String {
    let mut out = String::with_capacity(url.len());
    for byte in url.bytes() {
        if byte.is_ascii_graphic() && !b"\"<>\\^`{|}#".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _done = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Entity sets that every environment has, or that products of Microsoft add, and that are not simulated.
///
/// Assumed: the list, which is of the public table reference, and the prefixes.
const OTHER_SETS: &str = include_str!("model/others.txt");
const OTHER_PREFIXES: [&str; 6] = ["adx_", "cdm_", "msdyn", "msevtmgt_", "msfp_", "mspp_"];

/// A segment that names nothing here. What the real environment may well have is not simulated: an operation, which begins
/// with a capital, and a standard table. Every other name is a mistake, and has its answer.
fn unknown_segment(model: &Model, path: &str, name: &str) -> Fault {
    let small = name.to_ascii_lowercase();
    let of_another_name = model.by_logical(&small).is_some() || model.by_set(&small).is_some();
    let standard = OTHER_SETS.lines().any(|set| set == name)
        || OTHER_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || name.starts_with(|first: char| first.is_ascii_uppercase() || first == '$')
        || name.contains('.');
    if standard && !of_another_name {
        return Fault::NotSimulated(format!("resource `{path}`"));
    }
    Fault::NoSuchSegment(name.to_owned())
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
    /// `$id`: the row to unlink from a collection.
    pub(super) id: Option<String>,
    pub(super) expand: Option<String>,
    pub(super) apply: Option<String>,
    pub(super) fetch_xml: Option<String>,
    pub(super) delta_token: Option<String>,
    /// Values of parameter aliases: `@p1=…`.
    pub(super) aliases: BTreeMap<String, String>,
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
            "$id" => &mut self.id,
            "$expand" => &mut self.expand,
            "$apply" => &mut self.apply,
            "fetchXml" => &mut self.fetch_xml,
            "$deltatoken" => &mut self.delta_token,
            "$skip" => return Err(Fault::Query("Skip Clause is not supported in CRM".to_owned())),
            // Assumed text: neither is supported (dataverse.md section 2.6).
            "$search" | "$format" => {
                return Err(Fault::Query(format!("The query option '{name}' is not supported.")));
            }
            // A shared variable for plug-ins, of which there are none.
            "tag" => return Ok(()),
            alias if alias.starts_with('@') => {
                self.aliases.insert(alias.to_owned(), value);
                self.keep(pair);
                return Ok(());
            }
            other => return Err(Fault::NotSimulated(format!("query option `{other}`"))),
        };
        if place.is_some() {
            let text =
                format!("Query option '{name}' was specified more than once, but it must be specified at most once.");
            return Err(Fault::Query(text));
        }
        *place = Some(value);
        if !matches!(name.as_str(), "$skiptoken" | "$deltatoken") {
            self.keep(pair);
        }
        Ok(())
    }

    fn keep(&mut self, pair: &str) {
        if !self.without_token.is_empty() {
            self.without_token.push('&');
        }
        self.without_token.push_str(pair);
    }

    /// Refuses every option but `$id`, for requests that take no other.
    pub(super) fn only_id(&self) -> Result<(), Fault> {
        match &self.select {
            Some(_) => Err(Fault::NotSimulated("query option `$select` on a link".to_owned())),
            None => self.refuse_others(&["$id"]),
        }
    }

    /// Refuses every option but `$select`, for requests that take no other.
    pub(super) fn only_select(&self) -> Result<(), Fault> {
        self.refuse_others(&["$select"])
    }

    /// Refuses every option but these, all of which choose what is shown of a row.
    pub(super) fn only_select_and_expand(&self) -> Result<(), Fault> {
        self.refuse_others(&["$select", "$expand"])
    }

    /// Refuses every option but these, which metadata take.
    pub(super) fn only_select_filter_and_expand(&self) -> Result<(), Fault> {
        self.refuse_others(&["$select", "$filter", "$expand"])
    }

    fn refuse_others(&self, allowed: &[&str]) -> Result<(), Fault> {
        let others = [
            ("$filter", &self.filter),
            ("$orderby", &self.order_by),
            ("$top", &self.top),
            ("$count", &self.count),
            ("$skiptoken", &self.skip_token),
            ("$id", &self.id),
            ("$expand", &self.expand),
            ("$apply", &self.apply),
            ("fetchXml", &self.fetch_xml),
            ("$deltatoken", &self.delta_token),
        ];
        match others
            .iter()
            .find(|(name, value)| !allowed.contains(name) && value.is_some())
        {
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
        assert!(matches!(options("$search=x"), Err(Fault::Query(_))));
        assert!(matches!(options("sql=SELECT%20name"), Err(Fault::NotSimulated(_))));
        assert!(matches!(options("savedQuery=x"), Err(Fault::NotSimulated(_))));
        let aliased = options("$filter=name%20eq%20@p1&@p1=%27a%27").unwrap();
        assert_eq!(aliased.aliases["@p1"], "'a'");
    }

    #[test]
    fn a_path_names_a_set_a_row_or_what_is_missing() {
        let model = Model::standard();
        let id = "01234567-89ab-4def-8000-00000000abcd";
        assert!(
            matches!(resource(&model, &format!("accounts({id})")), Ok(Resource::Row(table, _)) if table.logical == "account")
        );
        assert!(matches!(resource(&model, "WhoAmI()"), Ok(Resource::WhoAmI)));
        for mistake in [
            "Account",
            "account",
            "Accounts",
            "accountsaccounts",
            "nosuch",
            "new_things(1)",
            "",
        ] {
            let found = resource(&model, mistake);
            assert_eq!(
                matches!(found, Err(Fault::NoSuchSegment(_))),
                !mistake.is_empty(),
                "{mistake}"
            );
        }
        for missing in [
            "campaigns",
            "msdyn_purchaseorders",
            "Merge",
            "RetrieveDuplicates(x=1)",
            "$entity",
            "accounts('a')",
            "accounts/a/b",
        ] {
            assert!(
                matches!(resource(&model, missing), Err(Fault::NotSimulated(_))),
                "{missing}"
            );
        }
        let nested = format!("accounts({id})/name/$value");
        assert!(matches!(resource(&model, &nested), Ok(Resource::Below(_, _, path)) if path == ["name", "$value"]));
        let action = format!("leads({id})/Microsoft.Dynamics.CRM.QualifyLead");
        assert!(matches!(resource(&model, &action), Ok(Resource::RowAction(_, _, name)) if name == "QualifyLead"));
        let action = "accounts/Microsoft.Dynamics.CRM.CreateMultiple";
        assert!(matches!(resource(&model, action), Ok(Resource::SetAction(_, name)) if name == "CreateMultiple"));
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
