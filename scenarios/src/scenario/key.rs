//! How keys are described: their names, what kind of value they take, and what they are for.
//!
//! Reading, the checks for unknown keys, and whatever is generated about the language go by these descriptions.

/// A key of a map.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its words.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// Whether it must be there.
    pub required: bool,
    /// Whether it also takes the word `none`.
    pub or_none: bool,
    /// What it is for, in one line.
    pub about: &'static str,
}

/// What a value can be.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// The symbolic name of a deal.
    Deal,
    /// Any text.
    Text,
    /// A list of texts.
    Texts,
    /// An amount in a currency: `50000 USD`.
    Money,
    /// A day: `2026-06-30`.
    Date,
    /// A length of time: `2d 4h`.
    Duration,
    /// `yes` or `no`.
    YesNo,
    /// A whole number between two others, both included.
    Number(u64, u64),
    /// One of several words.
    Word(&'static [&'static str]),
    /// A stage of the CRM: one of the words, or a name that the CRM knows.
    Stage(&'static [&'static str]),
    /// A map with these keys.
    Map(&'static [Key]),
    /// A list of steps.
    Steps,
    /// A value of another kind, or keys that say what it must be like.
    Wanted(&'static Kind),
    /// A map with keys of somebody's own.
    Free,
    /// A table of examples: a list of maps, each with the same keys.
    Rows,
}

impl Kind {
    /// What is expected, for people.
    pub fn expected(self) -> String {
        match self {
            Self::Deal => "the name of a deal, such as `D1`".to_owned(),
            Self::Text => "a text".to_owned(),
            Self::Texts => "a list of texts, such as `[one, two]`".to_owned(),
            Self::Money => "an amount and a currency, such as `50000 USD`".to_owned(),
            Self::Date => "a day as year-month-day, such as `2026-06-30`".to_owned(),
            Self::Duration => "a length of time, such as `10m` or `2d 4h`".to_owned(),
            Self::YesNo => "`yes` or `no`".to_owned(),
            Self::Number(least, u64::MAX) => format!("a whole number from {least} up"),
            Self::Number(least, most) => format!("a whole number from {least} to {most}"),
            Self::Word(words) => alternatives(words),
            Self::Stage(words) => format!("{}, or the name of a stage", quoted(words, ", ")),
            Self::Map(keys) => example(keys),
            Self::Steps => "a list of steps, each behind a dash".to_owned(),
            Self::Wanted(kind) => format!("{}, or what it must be like: {}", kind.expected(), shapes(*kind)),
            Self::Free => "keys with values of your own".to_owned(),
            Self::Rows => "a list of rows, each with the same keys, such as `- {country: DE, code: 49}`".to_owned(),
        }
    }
}

/// What a value must be like: the words, and the kinds of value that they are for.
pub const MATCHERS: [(&str, &str); 9] = [
    ("not", "anything else"),
    ("one of", "one of several"),
    ("at least", "this or more, this day or later"),
    ("at most", "this or less, this day or earlier"),
    ("contains", "these words, or this entry, are in it"),
    ("lacks", "these words, or this entry, are not in it"),
    ("matches", "it follows this pattern from beginning to end"),
    ("count", "it has so many entries"),
    ("same as", "what was remembered under this name"),
];

/// The words of [`MATCHERS`] that fit a kind of value.
pub fn matchers_of(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Texts => &["contains", "lacks", "count"],
        Kind::Money | Kind::Date | Kind::Number(..) => &["not", "one of", "at least", "at most", "same as"],
        Kind::Text | Kind::Word(_) | Kind::Stage(_) | Kind::Deal => {
            &["not", "one of", "contains", "lacks", "matches", "same as"]
        }
        Kind::Duration | Kind::YesNo | Kind::Map(_) | Kind::Steps | Kind::Wanted(_) | Kind::Free | Kind::Rows => &[],
    }
}

/// How a matcher may be written.
fn shapes(kind: Kind) -> String {
    let first = matchers_of(kind).iter().take(3);
    let shown: Vec<String> = first.map(|word| format!("`{{{word}: …}}`")).collect();
    shown.join(", ")
}

/// `a`, `b` or `c`.
pub(super) fn alternatives(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [only] => format!("`{only}`"),
        [most @ .., last] => format!("{} or `{last}`", quoted(most, ", ")),
    }
}

/// Words between backticks.
pub(super) fn quoted(words: &[&str], between: &str) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    words.join(between)
}

/// A map with its first keys, as it may be written.
fn example(keys: &[Key]) -> String {
    let required: Vec<&Key> = keys.iter().filter(|key| key.required).collect();
    let shown: Vec<String> = if required.is_empty() {
        keys.iter().take(2).map(|key| format!("{}: …", key.name)).collect()
    } else {
        required.iter().map(|key| format!("{}: …", key.name)).collect()
    };
    let more = if shown.len() < keys.len() { ", …" } else { "" };
    format!("keys with values, such as `{{{}{more}}}`", shown.join(", "))
}

/// A key that may be left out.
pub(super) const fn may(name: &'static str, kind: Kind, about: &'static str) -> Key {
    Key {
        name,
        kind,
        required: false,
        or_none: false,
        about,
    }
}

/// A key that must be there.
pub(super) const fn must(name: &'static str, kind: Kind, about: &'static str) -> Key {
    Key {
        name,
        kind,
        required: true,
        or_none: false,
        about,
    }
}

/// A key that may be left out, and that also takes `none`.
pub(super) const fn may_be_none(name: &'static str, kind: Kind, about: &'static str) -> Key {
    Key {
        name,
        kind,
        required: false,
        or_none: true,
        about,
    }
}
