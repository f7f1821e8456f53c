//! Text to tree: the `$filter` grammar of dataverse.md section 2.6.
//!
//! Each token decides what comes next, so nothing is read twice and time grows with length alone. It knows no columns.

use std::collections::BTreeMap;

use winnow::Parser;
use winnow::combinator::opt;
use winnow::error::{ErrMode, ParserError};
use winnow::stream::{LocatingSlice, Location, Stateful, Stream};
use winnow::token::take_while;

use super::super::amount::Amount;
use super::super::cell::{day, moment};
use super::super::error::Fault;
use super::super::guid::Guid;
use super::ast::{Comparison, Filter, Literal, NAMESPACE, Operand, Path};

mod function;

use function::{Ahead, dynamics_function, function_ahead, lambda, quantifier, text_function};

/// Levels of parentheses and `not`.
///
/// Assumed: the server has a limit too; its value is not documented.
const MAX_DEPTH: u32 = 100;

type Input<'a> = Stateful<LocatingSlice<&'a str>, Way<'a>>;
type Parsed<T> = Result<T, ErrMode<Trouble>>;

/// Values that a URL gives for names like `@p1`.
pub(in crate::dataverse) type Aliases = BTreeMap<String, String>;

/// What is known on the way through a text.
#[derive(Clone, Copy, Debug)]
struct Way<'a> {
    depth: u32,
    aliases: &'a Aliases,
}

/// Why a text is no filter.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Trouble {
    /// It breaks off or goes on wrongly at this byte.
    Syntax(usize),
    /// It is nested too deep.
    TooDeep,
    /// A function that `OData` does not have.
    NoSuchFunction(String),
    /// `OData` has it, Dataverse does not.
    NotSupported(String),
    /// It is right, but not simulated.
    NotSimulated(String),
}

impl<'a> ParserError<Input<'a>> for Trouble {
    type Inner = Self;

    fn from_input(input: &Input<'a>) -> Self {
        Self::Syntax(input.current_token_start())
    }

    fn into_inner(self) -> Result<Self, Self> {
        Ok(self)
    }
}

/// Reads a whole `$filter`.
pub(in crate::dataverse) fn filter(text: &str, aliases: &Aliases) -> Result<Filter, Fault> {
    whole(text, aliases, any_of)
}

/// Reads one literal, as a parameter of a function or an alternate key has it.
pub(in crate::dataverse) fn one_literal(text: &str) -> Option<Literal> {
    let none = Aliases::new();
    match whole(text, &none, operand) {
        Ok(Operand::Literal(literal)) => Some(literal),
        Ok(Operand::Path(_)) | Err(_) => None,
    }
}

fn whole<'a, T>(
    text: &'a str,
    aliases: &'a Aliases,
    part: impl FnOnce(&mut Input<'a>) -> Parsed<T>,
) -> Result<T, Fault> {
    let mut input = Input {
        input: LocatingSlice::new(text),
        state: Way { depth: 0, aliases },
    };
    let read = part(&mut input).and_then(|found| {
        spaces(&mut input)?;
        if input.is_empty() {
            Ok(found)
        } else {
            Err(syntax(&input))
        }
    });
    read.map_err(|error| {
        let trouble = match error {
            ErrMode::Backtrack(trouble) | ErrMode::Cut(trouble) => trouble,
            ErrMode::Incomplete(_) => Trouble::Syntax(text.len()),
        };
        match trouble {
            Trouble::Syntax(at) => Fault::Query(format!("Syntax error at position {at} in '{text}'.")),
            Trouble::TooDeep => Fault::Query("Recursion depth exceeded allowed limit.".to_owned()),
            Trouble::NoSuchFunction(name) => Fault::Query(format!(
                "An unknown function with name '{name}' was found. This may also be a function import or a key lookup \
                 on a navigation property, which is not allowed."
            )),
            // Assumed text: Dataverse has neither arithmetic nor `has` nor `in` (dataverse.md section 2.6).
            Trouble::NotSupported(what) => Fault::Query(format!("The query operator '{what}' is not supported.")),
            Trouble::NotSimulated(what) => Fault::NotSimulated(format!("{what} in `$filter`")),
        }
    })
}

fn syntax(input: &Input<'_>) -> ErrMode<Trouble> {
    ErrMode::Cut(Trouble::from_input(input))
}

fn not_simulated(what: impl Into<String>) -> ErrMode<Trouble> {
    ErrMode::Cut(Trouble::NotSimulated(what.into()))
}

fn spaces(input: &mut Input<'_>) -> Parsed<()> {
    take_while(0.., [' ', '\t', '\r', '\n']).void().parse_next(input)
}

/// The next word without moving on: a keyword, a name, a number, a date, a GUID.
fn peek_word<'a>(input: &Input<'a>) -> &'a str {
    let rest: &'a str = input.input.as_ref();
    let end = rest
        .find(|character: char| !(character.is_alphanumeric() || "_.:+-$@".contains(character)))
        .unwrap_or(rest.len());
    &rest[..end]
}

/// Moves past a keyword when it is the next word.
fn keyword(input: &mut Input<'_>, word: &str) -> bool {
    let start = input.checkpoint();
    if spaces(input).is_ok() && peek_word(input) == word {
        let _skipped = input.next_slice(word.len());
        return true;
    }
    input.reset(&start);
    false
}

/// Takes one punctuation mark, with spaces in front.
fn mark(input: &mut Input<'_>, mark: char) -> Parsed<()> {
    spaces(input)?;
    let found: Parsed<Option<char>> = opt(mark).parse_next(input);
    if found?.is_some() { Ok(()) } else { Err(syntax(input)) }
}

fn any_of(input: &mut Input<'_>) -> Parsed<Filter> {
    let first = all_of(input)?;
    let mut parts = vec![first];
    while keyword(input, "or") {
        parts.push(all_of(input)?);
    }
    Ok(one_or(parts, Filter::Or))
}

fn all_of(input: &mut Input<'_>) -> Parsed<Filter> {
    let first = condition(input)?;
    let mut parts = vec![first];
    while keyword(input, "and") {
        parts.push(condition(input)?);
    }
    Ok(one_or(parts, Filter::And))
}

fn one_or(mut parts: Vec<Filter>, several: fn(Vec<Filter>) -> Filter) -> Filter {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => {
            parts.extend(last);
            several(parts)
        }
    }
}

/// One level deeper, within the limit.
fn deeper<'a, T>(input: &mut Input<'a>, inner: impl FnOnce(&mut Input<'a>) -> Parsed<T>) -> Parsed<T> {
    input.state.depth += 1;
    if input.state.depth > MAX_DEPTH {
        return Err(ErrMode::Cut(Trouble::TooDeep));
    }
    let outcome = inner(input);
    input.state.depth -= 1;
    outcome
}

fn condition(input: &mut Input<'_>) -> Parsed<Filter> {
    if keyword(input, "not") {
        return deeper(input, condition).map(|inner| Filter::Not(Box::new(inner)));
    }
    spaces(input)?;
    let open: Option<char> = opt('(').parse_next(input)?;
    if open.is_some() {
        let inner = deeper(input, any_of)?;
        mark(input, ')')?;
        return Ok(inner);
    }
    match function_ahead(input)? {
        Some(Ahead::Text(function)) => return text_function(input, function),
        Some(Ahead::Dynamics) => return dynamics_function(input),
        None => {}
    }
    let left = operand(input)?;
    if let Operand::Path(path) = &left
        && let Some(all) = quantifier(path)
        && input.input.starts_with('(')
    {
        return lambda(input, path, all);
    }
    let operator = comparison(input)?;
    let right = operand(input)?;
    Ok(Filter::Compare(left, operator, right))
}

fn comparison(input: &mut Input<'_>) -> Parsed<Comparison> {
    for (operator, word, _) in Comparison::ALL {
        if keyword(input, word) {
            return Ok(operator);
        }
    }
    spaces(input)?;
    match peek_word(input) {
        word @ ("add" | "sub" | "mul" | "div" | "mod" | "has" | "in") => {
            Err(ErrMode::Cut(Trouble::NotSupported(word.to_owned())))
        }
        _ => Err(syntax(input)),
    }
}

fn operand(input: &mut Input<'_>) -> Parsed<Operand> {
    spaces(input)?;
    let rest: &str = input.input.as_ref();
    if rest.starts_with('\'') {
        return quoted(input).map(|text| Operand::Literal(Literal::Text(text)));
    }
    let word = peek_word(input);
    if word.starts_with('@') {
        return alias(input);
    }
    let after = &rest[word.len()..];
    if let Some(kind) = word.strip_prefix(NAMESPACE).filter(|_| after.starts_with('\'')) {
        let _word = input.next_slice(word.len());
        return quoted(input).map(|member| Operand::Literal(Literal::Member(kind.to_owned(), member)));
    }
    if let Some(literal) = literal(word) {
        let _word = input.next_slice(word.len());
        return Ok(Operand::Literal(literal));
    }
    path(input).map(Operand::Path)
}

/// `@p1`: the value that the URL gives for it, null when it gives none.
fn alias(input: &mut Input<'_>) -> Parsed<Operand> {
    let word = peek_word(input);
    let name = word.split(['.', ':', '+', '-', '$']).next().unwrap_or_default();
    let literal = match input.state.aliases.get(name) {
        None => Some(Literal::Null),
        Some(text) => one_literal(text.trim()),
    };
    let error = syntax(input);
    let _word = input.next_slice(name.len());
    literal.map(Operand::Literal).ok_or(error)
}

/// Text between quotes; a doubled quote stands for one.
fn quoted(input: &mut Input<'_>) -> Parsed<String> {
    let mut text = String::new();
    mark(input, '\'')?;
    loop {
        let part: &str = take_while(0.., |character| character != '\'').parse_next(input)?;
        text.push_str(part);
        mark_exact(input)?;
        let again: Option<char> = opt('\'').parse_next(input)?;
        if again.is_none() {
            return Ok(text);
        }
        text.push('\'');
    }
}

fn mark_exact(input: &mut Input<'_>) -> Parsed<()> {
    let found: Option<char> = opt('\'').parse_next(input)?;
    if found.is_some() { Ok(()) } else { Err(syntax(input)) }
}

/// A word that is a value rather than a name.
fn literal(word: &str) -> Option<Literal> {
    match word {
        "null" => return Some(Literal::Null),
        "true" => return Some(Literal::Bool(true)),
        "false" => return Some(Literal::Bool(false)),
        _ => {}
    }
    if let Some(guid) = Guid::parse(word) {
        return Some(Literal::Guid(guid));
    }
    if !word.starts_with(|first: char| first.is_ascii_digit() || first == '-') {
        return None;
    }
    if let Some(number) = Amount::parse(word) {
        return Some(Literal::Number(number));
    }
    if let Some(day) = day(word) {
        return Some(Literal::Date(day));
    }
    moment(word).map(Literal::Time)
}

fn path(input: &mut Input<'_>) -> Parsed<Path> {
    let mut segments = Vec::new();
    loop {
        let word = peek_word(input);
        if word == "$it" {
            return Err(not_simulated(format!("`{word}`")));
        }
        let is_name = word.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let _word = if is_name {
            input.next_slice(word.len())
        } else {
            return Err(not_a_name(input, word));
        };
        segments.push(word.to_owned());
        let rest: &str = input.input.as_ref();
        if rest.starts_with('(') && segments.len() < 2 {
            return Err(ErrMode::Cut(Trouble::NoSuchFunction(segments.join("/"))));
        }
        let slash: Option<char> = opt('/').parse_next(input)?;
        if slash.is_none() {
            return Ok(Path(segments));
        }
    }
}

/// A dotted name is a cast or an enumeration, which `OData` has; anything else is a mistake.
fn not_a_name(input: &Input<'_>, word: &str) -> ErrMode<Trouble> {
    if word.starts_with("Microsoft.Dynamics.CRM.") {
        not_simulated(format!("`{word}`"))
    } else {
        syntax(input)
    }
}

#[cfg(test)]
mod tests;
