//! Filter expressions: which runs a command means, in the manner of cargo-nextest's filtersets.
//!
//! `tag(M13) & crm(salesforce)`, `title(hold) | path(/lost-.*/)`, `not tag(slow)`. Only which runs there are is decided
//! here, never their order.

use regex_lite::Regex;

use crate::diagnostic::{Diagnostic, Span, nearest};
use crate::scenario::{Crm, Scenario};

/// The name under which diagnostics show the expression.
pub const SOURCE: &str = "--filter";

/// Nested parentheses and negations.
const DEEPEST: usize = 64;

/// A parsed expression.
#[derive(Clone, Debug)]
pub enum Filter {
    /// `all()`.
    All,
    /// `none()`.
    None,
    /// A predicate on one word of a run.
    Is(Subject, Matcher),
    /// `not`, `!`.
    Not(Box<Self>),
    /// `and`, `&`.
    And(Box<Self>, Box<Self>),
    /// `or`, `|`.
    Or(Box<Self>, Box<Self>),
}

/// What a predicate looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A tag, or a requirement that the scenario proves.
    Tag,
    /// The CRM.
    Crm,
    /// The path of the file.
    Path,
    /// The title.
    Title,
}

/// How a predicate compares.
#[derive(Clone, Debug)]
pub enum Matcher {
    /// `=text`: the whole word, in any case of its letters.
    Equal(String),
    /// `~text`: a part of it, in any case of its letters.
    Contains(String),
    /// `/text/`: a regular expression finds it.
    Pattern(Regex),
}

const SUBJECTS: [(&str, Subject); 4] = [
    ("tag", Subject::Tag),
    ("crm", Subject::Crm),
    ("path", Subject::Path),
    ("title", Subject::Title),
];

impl Filter {
    /// Reads an expression.
    ///
    /// # Errors
    /// A diagnostic that points into the expression, under the name [`SOURCE`].
    pub fn parse(text: &str) -> Result<Self, Box<Diagnostic>> {
        let mut parser = Parser { text, at: 0 };
        let filter = parser.either(0)?;
        parser.blanks();
        if parser.at < text.len() {
            return Err(parser.expected("`&`, `|` or the end of the expression"));
        }
        Ok(filter)
    }

    /// The tags that the expression names in full.
    pub fn tags(&self) -> Vec<&str> {
        match self {
            Self::Is(Subject::Tag, Matcher::Equal(tag)) => vec![tag],
            Self::All | Self::None | Self::Is(..) => Vec::new(),
            Self::Not(inner) => inner.tags(),
            Self::And(one, other) | Self::Or(one, other) => one.tags().into_iter().chain(other.tags()).collect(),
        }
    }

    /// Whether a scenario on a CRM is meant.
    pub fn selects(&self, scenario: &Scenario, crm: Crm) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Is(subject, matcher) => match subject {
                Subject::Tag => {
                    let mut words = scenario.tags.iter().chain(&scenario.proves);
                    words.any(|word| matcher.matches(word))
                }
                Subject::Crm => matcher.matches(crm.name()),
                Subject::Path => matcher.matches(&scenario.path),
                Subject::Title => matcher.matches(&scenario.title),
            },
            Self::Not(inner) => !inner.selects(scenario, crm),
            Self::And(one, other) => one.selects(scenario, crm) && other.selects(scenario, crm),
            Self::Or(one, other) => one.selects(scenario, crm) || other.selects(scenario, crm),
        }
    }
}

impl Matcher {
    fn matches(&self, word: &str) -> bool {
        match self {
            Self::Equal(wanted) => word.eq_ignore_ascii_case(wanted),
            Self::Contains(wanted) => word.to_lowercase().contains(wanted.as_str()),
            Self::Pattern(pattern) => pattern.is_match(word),
        }
    }
}

/// Recursive descent: `or` binds looser than `and`, `and` looser than `not`.
struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// Takes a sign, or a word that nothing continues.
    fn take(&mut self, words: &[&str]) -> bool {
        self.blanks();
        for word in words {
            let Some(rest) = self.rest().strip_prefix(word) else {
                continue;
            };
            let letters = word.starts_with(char::is_alphabetic);
            if letters && rest.starts_with(char::is_alphanumeric) {
                continue;
            }
            self.at += word.len();
            return true;
        }
        false
    }

    fn expected(&self, what: &str) -> Box<Diagnostic> {
        let end = self
            .rest()
            .chars()
            .next()
            .map_or(self.at, |sign| self.at + sign.len_utf8());
        let span = Span { start: self.at, end };
        Box::new(
            Diagnostic::error(SOURCE, format!("this filter cannot be read: expected {what}"))
                .at(span, format!("expected {what} here"))
                .help("such as: tag(M13) & crm(salesforce) & not title(/won|lost/)"),
        )
    }

    fn either(&mut self, depth: usize) -> Result<Filter, Box<Diagnostic>> {
        let mut left = self.both(depth)?;
        while self.take(&["|", "or"]) {
            left = Filter::Or(Box::new(left), Box::new(self.both(depth)?));
        }
        Ok(left)
    }

    fn both(&mut self, depth: usize) -> Result<Filter, Box<Diagnostic>> {
        let mut left = self.one(depth)?;
        while self.take(&["&", "and"]) {
            left = Filter::And(Box::new(left), Box::new(self.one(depth)?));
        }
        Ok(left)
    }

    fn one(&mut self, depth: usize) -> Result<Filter, Box<Diagnostic>> {
        if depth > DEEPEST {
            return Err(self.expected("fewer nested parentheses"));
        }
        if self.take(&["!", "not"]) {
            return Ok(Filter::Not(Box::new(self.one(depth + 1)?)));
        }
        if self.take(&["("]) {
            let inner = self.either(depth + 1)?;
            return if self.take(&[")"]) {
                Ok(inner)
            } else {
                Err(self.expected("`)`"))
            };
        }
        self.predicate()
    }

    fn predicate(&mut self) -> Result<Filter, Box<Diagnostic>> {
        self.blanks();
        let start = self.at;
        let name: String = self.rest().chars().take_while(|sign| sign.is_alphabetic()).collect();
        if name.is_empty() {
            return Err(self.expected("a predicate, such as `tag(M13)`"));
        }
        self.at += name.len();
        let named = Span { start, end: self.at };
        if !self.take(&["("]) {
            return Err(self.expected("`(` with what to look for"));
        }
        let argument = self.argument()?;
        match (name.as_str(), argument.as_str()) {
            ("all", "") => return Ok(Filter::All),
            ("none", "") => return Ok(Filter::None),
            _ => {}
        }
        let Some((_, subject)) = SUBJECTS.iter().find(|(known, _)| *known == name) else {
            let known = SUBJECTS.map(|(known, _)| known);
            let mut fault = Diagnostic::error(SOURCE, format!("no predicate is called `{name}`"))
                .at(named, "not known")
                .help("there are all(), none(), tag(..), crm(..), path(..) and title(..)");
            if let Some(near) = nearest(&name, known.iter().copied()) {
                fault = fault.help(format!("did you mean `{near}`?"));
            }
            return Err(Box::new(fault));
        };
        // What stands between the parentheses, or both of them where that is nothing.
        let (inner, blanks) = (argument.trim(), argument.len() - argument.trim_start().len());
        let start = named.end + 1 + blanks;
        let span = match inner.len() {
            0 => Span::new(named.end, self.at),
            long => Span::new(start, start + long),
        };
        Ok(Filter::Is(*subject, matcher(*subject, inner, span)?))
    }

    /// What stands before the closing parenthesis; within slashes it may hold parentheses itself.
    fn argument(&mut self) -> Result<String, Box<Diagnostic>> {
        let rest = self.rest();
        let end = if let Some(pattern) = rest.trim_start().strip_prefix('/') {
            let skipped = rest.len() - pattern.len();
            first_end(pattern).map(|at| skipped + at + 1)
        } else {
            rest.find(')')
        };
        let Some(end) = end else {
            self.at = self.text.len();
            return Err(self.expected("`)`"));
        };
        let argument = rest[..end].to_owned();
        self.at += end + 1;
        Ok(argument)
    }
}

/// Where the first pattern ends: the first `/)` that no backslash stands before.
fn first_end(pattern: &str) -> Option<usize> {
    pattern
        .match_indices("/)")
        .map(|(at, _)| at)
        .find(|at| !pattern[..*at].ends_with('\\'))
}

fn matcher(subject: Subject, argument: &str, span: Span) -> Result<Matcher, Box<Diagnostic>> {
    let fault = |text: String, help: &str| {
        Err(Box::new(
            Diagnostic::error(SOURCE, text)
                .at(span, "not usable")
                .help(help.to_owned()),
        ))
    };
    if argument.is_empty() {
        return fault(
            "this predicate looks for nothing".to_owned(),
            "write what to look for, such as tag(M13)",
        );
    }
    if let Some(pattern) = argument.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')) {
        return match Regex::new(pattern) {
            Ok(pattern) => Ok(Matcher::Pattern(pattern)),
            Err(error) => fault(
                format!("not a regular expression: {error}"),
                "`/…/` holds a regular expression",
            ),
        };
    }
    if let Some(exact) = argument.strip_prefix('=') {
        return Ok(Matcher::Equal(exact.to_owned()));
    }
    if let Some(part) = argument.strip_prefix('~') {
        return Ok(Matcher::Contains(part.to_lowercase()));
    }
    Ok(match subject {
        Subject::Crm if Crm::ALL.iter().all(|crm| crm.name() != argument) => {
            return fault(
                format!("no CRM is called `{argument}`"),
                "there are crm(salesforce) and crm(dynamics)",
            );
        }
        Subject::Tag | Subject::Crm => Matcher::Equal(argument.to_owned()),
        Subject::Path | Subject::Title => Matcher::Contains(argument.to_lowercase()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::file::parse;

    fn selects(expression: &str, crm: Crm) -> bool {
        let text = "title: A deal on hold leaks nothing\nproves: [M17]\ntags: [privacy]\nsteps:\n  - wait: 5m\n";
        let scenario = parse("catalog/on-hold/no-leak.yaml", text).expect("a scenario in order");
        Filter::parse(expression)
            .unwrap_or_else(|fault| panic!("{expression}: {}", fault.message))
            .selects(&scenario, crm)
    }

    #[test]
    fn predicates_look_at_tags_requirements_crm_path_and_title() {
        for yes in [
            "tag(M17)",
            "tag(privacy)",
            "tag(m17)",
            "crm(salesforce)",
            "path(on-hold)",
            "title(ON HOLD)",
            "title(/^A deal (on|off) hold/)",
            "tag(=M17)",
            "tag(~priv)",
            "all()",
        ] {
            assert!(selects(yes, Crm::Salesforce), "{yes}");
        }
        for no in [
            "tag(M1)",
            "crm(dynamics)",
            "title(=A deal)",
            "none()",
            "path(/^on-hold/)",
        ] {
            assert!(!selects(no, Crm::Salesforce), "{no}");
        }
    }

    #[test]
    fn and_binds_tighter_than_or_and_not_tightest() {
        assert!(selects("tag(M17) | none() & none()", Crm::Dynamics));
        assert!(!selects("(tag(M17) | none()) & none()", Crm::Dynamics));
        assert!(selects("not none() and !crm(salesforce)", Crm::Dynamics));
        assert!(selects("not (tag(M1) or none())", Crm::Dynamics));
    }

    #[test]
    fn a_bad_expression_is_told_with_its_place() {
        for (bad, place, part) in [
            ("", 0, "predicate"),
            ("tga(M17)", 0, "no predicate is called `tga`"),
            ("tag(M17", 7, "`)`"),
            ("tag(M17) tag(M13)", 9, "`&`, `|`"),
            ("tag()", 3, "looks for nothing"),
            ("crm(sap)", 4, "no CRM"),
            ("title(/(/)", 6, "not a regular expression"),
            ("tag(M17) &", 10, "predicate"),
        ] {
            let fault = Filter::parse(bad).expect_err(bad);
            assert!(fault.message.contains(part), "{bad}: {}", fault.message);
            assert_eq!(fault.span.map(|span| span.start), Some(place), "{bad}");
        }
        let deep = "(".repeat(10_000);
        assert!(Filter::parse(&deep).expect_err("too deep").message.contains("fewer"));
        assert!(Filter::parse(&"!".repeat(10_000)).is_err());
    }
}
