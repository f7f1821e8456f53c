//! What names one row in a URL or a reference: its identifier, or the values of an alternate key
//! (dataverse.md section 2.3).
//!
//! It changes nothing: which row is meant is looked up, and what follows is decided where requests are carried out.

use super::amount::Amount;
use super::cell::{Cell, day, moment};
use super::error::Fault;
use super::guid::Guid;
use super::model::{Kind, Table};
use super::store::Store;

/// The name of one row of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RowKey {
    /// Its identifier.
    Id(Guid),
    /// The values of the columns of an alternate key.
    Alternate(Alternate),
}

/// The values of an alternate key, and how they were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Alternate {
    pub(super) values: Vec<(usize, Cell)>,
    text: String,
}

impl RowKey {
    /// Reads what stands between the parentheses.
    pub(super) fn parse(table: &Table, text: &str) -> Result<Self, Fault> {
        // One client quotes its identifiers (dataverse.md section 7.3); what the real server says is not known. Assumed: it
        // reads them; strict mode notes it.
        let bare = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
        if let Some(id) = Guid::parse(bare.unwrap_or(text)) {
            return Ok(Self::Id(id));
        }
        if !text.contains('=') {
            return Err(if text.contains('\'') {
                Fault::NotSimulated(format!("key `({text})`"))
            } else {
                Fault::Query("Error in query syntax.".to_owned())
            });
        }
        let mut values = Vec::new();
        for part in split_outside_quotes(text, ',') {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let (name, value) = (name.trim(), value.trim());
            let at = table.column(name).ok_or_else(|| not_a_key(table))?;
            if value.starts_with('@') {
                return Err(Fault::NotSimulated(format!("parameter alias `{value}` in a key")));
            }
            let cell = literal(table.columns[at].kind, value);
            let cell = cell.ok_or_else(|| Fault::Query("Error in query syntax.".to_owned()))?;
            values.push((at, cell));
        }
        if let [(0, Cell::Guid(id))] = values.as_slice() {
            return Ok(Self::Id(*id));
        }
        let mut named: Vec<usize> = values.iter().map(|(at, _)| *at).collect();
        named.sort_unstable();
        let is_key = |columns: &[usize]| {
            let mut columns = columns.to_vec();
            columns.sort_unstable();
            columns == named
        };
        if !table.keys.iter().any(|key| is_key(&key.columns)) {
            return Err(not_a_key(table));
        }
        let text = text.to_owned();
        Ok(Self::Alternate(Alternate { values, text }))
    }

    /// An alternate key of these values.
    pub(super) fn of_values(values: Vec<(usize, Cell)>) -> Self {
        let text = String::new();
        Self::Alternate(Alternate { values, text })
    }

    /// The row that it names.
    pub(super) fn find(&self, store: &Store, table: &Table) -> Option<Guid> {
        match self {
            Self::Id(id) => store.row(table, *id).map(|row| row.id),
            Self::Alternate(key) => store.holding(table, &key.values).first().copied(),
        }
    }

    /// The row that it names, or the vendor's answer that there is none.
    pub(super) fn existing(&self, store: &Store, table: &Table) -> Result<Guid, Fault> {
        self.find(store, table).ok_or_else(|| self.missing(table))
    }

    /// The vendor's answer that there is no such row.
    pub(super) fn missing(&self, table: &Table) -> Fault {
        match self {
            Self::Id(id) => Fault::no_such_row(&table.logical, *id),
            Self::Alternate(_) => Fault::NoSuchKey(table.logical.to_string()),
        }
    }

    /// As it stands between the parentheses of a URL.
    pub(super) fn print(&self) -> String {
        match self {
            Self::Id(id) => id.to_string(),
            Self::Alternate(key) => key.text.clone(),
        }
    }
}

fn not_a_key(table: &Table) -> Fault {
    Fault::NotAKey(table.logical.to_string())
}

/// A literal of a URL as a value of that kind.
fn literal(kind: Kind, text: &str) -> Option<Cell> {
    Some(match kind {
        Kind::Key | Kind::Guid | Kind::Lookup => Cell::Guid(Guid::parse(text)?),
        Kind::Text { .. } | Kind::Choices { .. } => {
            let inner = text.strip_prefix('\'')?.strip_suffix('\'')?;
            Cell::text(&inner.replace("''", "'"))
        }
        Kind::Bool => Cell::Bool(text.parse().ok()?),
        Kind::Int { .. } | Kind::Choice { .. } | Kind::State | Kind::Status | Kind::Version => {
            Cell::Int(text.parse().ok()?)
        }
        Kind::Money { .. } | Kind::BaseMoney | Kind::Decimal { .. } => Cell::Amount(Amount::parse(text)?),
        Kind::Date => Cell::Date(day(text)?),
        Kind::Time => Cell::Time(moment(text)?),
    })
}

/// Parts of a text between separators that stand in no quotes.
pub(super) fn split_outside_quotes(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |character| {
        quoted ^= character == '\'';
        character == separator && !quoted
    })
}

/// The last `set(key)` of a reference: `/contacts(id)`, `contacts(id)`, or an absolute URL (dataverse.md section 2.2).
pub(super) fn set_and_key(reference: &str) -> Option<(&str, &str)> {
    let last = split_outside_quotes(reference, '/').last()?;
    last.strip_suffix(')')?.split_once('(')
}

#[cfg(test)]
mod tests {
    use super::super::model::Model;
    use super::*;

    #[test]
    fn an_alternate_key_is_read_with_its_quotes_and_must_be_declared() {
        let model = Model::standard();
        let account = model.expect("account");
        let read = |text: &str| RowKey::parse(account, text);
        let Ok(RowKey::Alternate(key)) = read("accountnumber='O''Brien, (a/b)'") else {
            panic!("a key of the documentation's examples");
        };
        assert_eq!(
            key.values,
            [(account.expect("accountnumber"), Cell::text("O'Brien, (a/b)"))]
        );
        let id = "01234567-89ab-4def-8000-00000000abcd";
        assert_eq!(read(id), read(&format!("accountid={id}")));
        for bad in ["name='x'", "nosuch='x'", "accountnumber='x',name='y'"] {
            assert!(matches!(read(bad), Err(Fault::NotAKey(_))), "{bad}");
        }
        for bad in ["1", "accountnumber=x", "accountnumber='x", "accountid=1"] {
            assert!(matches!(read(bad), Err(Fault::Query(_))), "{bad}");
        }
    }

    #[test]
    fn a_reference_ends_with_a_set_and_a_key() {
        for reference in [
            "/accounts(a='x/y(')",
            "accounts(a='x/y(')",
            "https://org/api/data/v9.2/accounts(a='x/y(')",
        ] {
            assert_eq!(set_and_key(reference), Some(("accounts", "a='x/y('")));
        }
        for bad in ["", "/", "accounts", "accounts(", "accounts)"] {
            assert_eq!(set_and_key(bad), None, "{bad}");
        }
    }
}
