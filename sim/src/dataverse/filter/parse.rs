//! Text to tree: the `$filter` grammar of dataverse.md section 2.6.
//!
//! Each token decides what comes next, so nothing is read twice and time grows with length alone. It knows no columns.

use winnow::Parser;
use winnow::combinator::opt;
use winnow::error::{ErrMode, ParserError};
use winnow::stream::{LocatingSlice, Location, Stateful, Stream};
use winnow::token::take_while;

use super::super::amount::Amount;
use super::super::cell::{day, moment};
use super::super::error::Fault;
use super::super::guid::Guid;
use super::ast::{Comparison, Filter, Literal, Operand, Path, TextFunction};

/// Levels of parentheses and `not`.
///
/// Assumed: the server has a limit too; its value is not documented.
const MAX_DEPTH: u32 = 100;

type Input<'a> = Stateful<LocatingSlice<&'a str>, u32>;
type Parsed<T> = Result<T, ErrMode<Trouble>>;

/// Why a text is no filter.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Trouble {
    /// It breaks off or goes on wrongly at this byte.
    Syntax(usize),
    /// It is nested too deep.
    TooDeep,
    /// A function that `OData` does not have.
    NoSuchFunction(String),
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
pub(in crate::dataverse) fn filter(text: &str) -> Result<Filter, Fault> {
    let mut input = Input {
        input: LocatingSlice::new(text),
        state: 0,
    };
    let read = any_of(&mut input).and_then(|filter| {
        spaces(&mut input)?;
        if input.is_empty() {
            Ok(filter)
        } else {
            Err(syntax(&input))
        }
    });
    read.map_err(|error| {
        let trouble = error.into_inner().unwrap_or(Trouble::Syntax(text.len()));
        match trouble {
            Trouble::Syntax(at) => Fault::Query(format!("Syntax error at position {at} in '{text}'.")),
            Trouble::TooDeep => Fault::Query("Recursion depth exceeded allowed limit.".to_owned()),
            Trouble::NoSuchFunction(name) => Fault::Query(format!(
                "An unknown function with name '{name}' was found. This may also be a function import or a key lookup \
                 on a navigation property, which is not allowed."
            )),
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
fn deeper<T>(input: &mut Input<'_>, inner: impl FnOnce(&mut Input<'_>) -> Parsed<T>) -> Parsed<T> {
    input.state += 1;
    if input.state > MAX_DEPTH {
        return Err(ErrMode::Cut(Trouble::TooDeep));
    }
    let outcome = inner(input);
    input.state -= 1;
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
    if let Some(function) = function_ahead(input)? {
        return text_function(input, function);
    }
    let left = operand(input)?;
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
            Err(not_simulated(format!("operator `{word}`")))
        }
        _ => Err(syntax(input)),
    }
}

/// The text function that comes next, if one does.
fn function_ahead(input: &Input<'_>) -> Parsed<Option<TextFunction>> {
    let word = peek_word(input);
    let rest: &str = input.input.as_ref();
    if word.is_empty() || !rest[word.len()..].starts_with('(') {
        return Ok(None);
    }
    if let Some((function, _)) = TextFunction::ALL.iter().find(|(_, name)| *name == word) {
        return Ok(Some(*function));
    }
    if word.starts_with("Microsoft.Dynamics.CRM.") {
        return Err(not_simulated(format!("query function `{word}`")));
    }
    Err(ErrMode::Cut(Trouble::NoSuchFunction(word.to_owned())))
}

fn text_function(input: &mut Input<'_>, function: TextFunction) -> Parsed<Filter> {
    let _name = input.next_slice(function.name().len());
    mark(input, '(')?;
    let Operand::Path(path) = operand(input)? else {
        return Err(not_simulated(format!(
            "a literal as the first argument of `{}`",
            function.name()
        )));
    };
    mark(input, ',')?;
    let Operand::Literal(Literal::Text(text)) = operand(input)? else {
        return Err(not_simulated(format!(
            "anything but text as the second argument of `{}`",
            function.name()
        )));
    };
    mark(input, ')')?;
    for (_, word, _) in Comparison::ALL {
        if keyword(input, word) {
            return Err(not_simulated(format!("`{}` compared with a value", function.name())));
        }
    }
    Ok(Filter::Text(function, path, text))
}

fn operand(input: &mut Input<'_>) -> Parsed<Operand> {
    spaces(input)?;
    let rest: &str = input.input.as_ref();
    if rest.starts_with('\'') {
        return quoted(input).map(|text| Operand::Literal(Literal::Text(text)));
    }
    let word = peek_word(input);
    if let Some(literal) = literal(word) {
        let _word = input.next_slice(word.len());
        return Ok(Operand::Literal(literal));
    }
    path(input).map(Operand::Path)
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
        if word == "$it" || word.starts_with('@') {
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
        if rest.starts_with('(') {
            return Err(not_simulated(format!("lambda or function `{}`", segments.join("/"))));
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
mod tests {
    use super::*;

    fn printed(text: &str) -> String {
        filter(text).unwrap().to_string()
    }

    #[test]
    fn or_binds_weaker_than_and_and_parentheses_win() {
        assert_eq!(
            printed("a eq 1 or b eq 2 and c eq 3"),
            printed("a eq 1 or (b eq 2 and c eq 3)")
        );
        assert_ne!(
            printed("(a eq 1 or b eq 2) and c eq 3"),
            printed("a eq 1 or b eq 2 and c eq 3")
        );
        let Filter::And(parts) = filter("not (a eq 1) and b eq 2").unwrap() else {
            panic!("`not` binds tighter than `and`");
        };
        assert!(matches!(parts[0], Filter::Not(_)));
    }

    #[test]
    fn literals_are_told_apart_by_their_form() {
        let right = |text: &str| {
            let Ok(Filter::Compare(_, _, Operand::Literal(literal))) = filter(&format!("x eq {text}")) else {
                panic!("{text}");
            };
            literal
        };
        assert_eq!(right("'O''Brien'"), Literal::Text("O'Brien".to_owned()));
        assert_eq!(right("-5.25"), Literal::Number(Amount::parse("-5.25").unwrap()));
        assert!(matches!(
            right("abcdef01-89ab-4def-8000-00000000abcd"),
            Literal::Guid(_)
        ));
        assert!(matches!(
            right("01234567-89ab-4def-8000-00000000abcd"),
            Literal::Guid(_)
        ));
        assert!(matches!(right("2026-01-05"), Literal::Date(_)));
        assert!(matches!(right("2026-01-05T09:00:00Z"), Literal::Time(_)));
        assert!(matches!(right("2026-01-05T09:00:00.123+02:00"), Literal::Time(_)));
        assert_eq!(right("null"), Literal::Null);
    }

    #[test]
    fn names_that_begin_like_keywords_are_names() {
        assert_eq!(
            printed("notes eq 'x' and orderid ne null"),
            "notes eq 'x' and orderid ne null"
        );
        assert_eq!(printed("not contains(android,'%')"), "not (contains(android,'%'))");
    }

    #[test]
    fn what_is_wrong_gets_a_position_and_what_is_missing_its_name() {
        let fault = |text: &str| filter(text).unwrap_err();
        assert_eq!(
            fault("name eqq 'x'"),
            Fault::Query("Syntax error at position 5 in 'name eqq 'x''.".to_owned())
        );
        for wrong in [
            "",
            "name",
            "name eq",
            "(name eq 1",
            "name eq 'x",
            "eq 1",
            "name eq 1 and",
            "name eq 1)",
            "é",
        ] {
            assert!(matches!(fault(wrong), Fault::Query(_)), "{wrong}");
        }
        for missing in [
            "Microsoft.Dynamics.CRM.LastXDays(PropertyName='x',PropertyValue=3)",
            "opportunity_customer_accounts/any(o:o/name eq 'x')",
            "a add 1 eq 2",
            "contains(name,'x') eq true",
            "name eq @p1",
        ] {
            assert!(matches!(fault(missing), Fault::NotSimulated(_)), "{missing}");
        }
        assert!(matches!(fault("year(createdon) eq 2026"), Fault::Query(_)));
    }

    #[test]
    fn ten_thousand_parentheses_are_an_error_and_ten_thousand_conditions_are_not() {
        let deep = format!("{}a eq 1{}", "(".repeat(10_000), ")".repeat(10_000));
        assert_eq!(
            filter(&deep),
            Err(Fault::Query("Recursion depth exceeded allowed limit.".to_owned()))
        );
        assert!(filter(&"not ".repeat(10_000)).is_err());
        assert!(filter(&"(".repeat(10_000)).is_err());
        let long = vec!["a eq 1"; 10_000].join(" and ");
        assert!(matches!(filter(&long), Ok(Filter::And(parts)) if parts.len() == 10_000));
    }
}
