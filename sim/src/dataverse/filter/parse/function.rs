//! What has parentheses of its own inside a `$filter`: text functions, query functions of Dynamics, `any` and `all`.
//!
//! The rest of the grammar stands with the parser, which calls this and is called back.

use winnow::Parser;
use winnow::combinator::opt;
use winnow::error::ErrMode;
use winnow::stream::Stream;

use super::super::ast::{Filter, Literal, NAMESPACE, Operand, Path, TextFunction, Values};
use super::{
    Aliases, Input, Parsed, Trouble, any_of, deeper, keyword, mark, not_simulated, operand, peek_word, spaces, syntax,
    whole,
};

/// What a word with a parenthesis behind it begins.
pub(super) enum Ahead {
    Text(TextFunction),
    Dynamics,
}

/// The function that comes next, if one does. A path that ends in `any` or `all` is none.
pub(super) fn function_ahead(input: &Input<'_>) -> Parsed<Option<Ahead>> {
    let word = peek_word(input);
    let rest: &str = input.input.as_ref();
    if word.is_empty() || !rest[word.len()..].starts_with('(') {
        return Ok(None);
    }
    if let Some((function, _)) = TextFunction::ALL.iter().find(|(_, name)| *name == word) {
        return Ok(Some(Ahead::Text(*function)));
    }
    if word.starts_with(NAMESPACE) {
        return Ok(Some(Ahead::Dynamics));
    }
    Err(ErrMode::Cut(Trouble::NoSuchFunction(word.to_owned())))
}

pub(super) fn text_function(input: &mut Input<'_>, function: TextFunction) -> Parsed<Filter> {
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
    let found = Filter::Text(function, path, text);
    let unlike = if keyword(input, "eq") {
        false
    } else if keyword(input, "ne") {
        true
    } else {
        return Ok(found);
    };
    match operand(input)? {
        Operand::Literal(Literal::Bool(yes)) if yes != unlike => Ok(found),
        Operand::Literal(Literal::Bool(_)) => Ok(Filter::Not(Box::new(found))),
        Operand::Literal(_) | Operand::Path(_) => Err(syntax(input)),
    }
}

/// `Microsoft.Dynamics.CRM.In(PropertyName='x',PropertyValues=['a','b'])` (dataverse.md section 2.6).
pub(super) fn dynamics_function(input: &mut Input<'_>) -> Parsed<Filter> {
    let word = peek_word(input);
    let name = word[NAMESPACE.len()..].to_owned();
    let _word = input.next_slice(word.len());
    mark(input, '(')?;
    let mut property = None;
    let mut ones: [Option<Literal>; 3] = [None, None, None];
    let mut list = None;
    loop {
        spaces(input)?;
        let parameter = peek_word(input).to_owned();
        let _parameter = input.next_slice(parameter.len());
        mark(input, '=')?;
        match parameter.as_str() {
            "PropertyName" => property = Some(value(input)?),
            "PropertyValue" => ones[0] = Some(value(input)?),
            "PropertyValue1" => ones[1] = Some(value(input)?),
            "PropertyValue2" => ones[2] = Some(value(input)?),
            "PropertyValues" => list = Some(values(input)?),
            _ => return Err(syntax(input)),
        }
        spaces(input)?;
        let comma: Option<char> = opt(',').parse_next(input)?;
        if comma.is_none() {
            break;
        }
    }
    mark(input, ')')?;
    let Some(Literal::Text(property)) = property else {
        return Err(syntax(input));
    };
    let values = match (ones, list) {
        ([None, None, None], None) => Values::None,
        ([Some(one), None, None], None) => Values::One(one),
        ([None, Some(one), Some(other)], None) => Values::Two(one, other),
        ([None, None, None], Some(list)) => Values::List(list),
        _ => return Err(syntax(input)),
    };
    let path = Path(property.split('/').map(str::to_owned).collect());
    Ok(Filter::Function { name, path, values })
}

fn value(input: &mut Input<'_>) -> Parsed<Literal> {
    match operand(input)? {
        Operand::Literal(literal) => Ok(literal),
        Operand::Path(_) => Err(syntax(input)),
    }
}

/// `['a','b']`, perhaps none, or the name that a URL gives such a list.
fn values(input: &mut Input<'_>) -> Parsed<Vec<Literal>> {
    spaces(input)?;
    let word = peek_word(input);
    if word.starts_with('@') {
        let given = input.state.aliases.get(word).cloned();
        let error = syntax(input);
        let _word = input.next_slice(word.len());
        let none = Aliases::new();
        return given
            .and_then(|text| whole(text.trim(), &none, values).ok())
            .ok_or(error);
    }
    mark(input, '[')?;
    let mut found = Vec::new();
    spaces(input)?;
    let empty: Option<char> = opt(']').parse_next(input)?;
    if empty.is_some() {
        return Ok(found);
    }
    loop {
        found.push(member(input)?);
        spaces(input)?;
        let comma: Option<char> = opt(',').parse_next(input)?;
        if comma.is_none() {
            mark(input, ']')?;
            return Ok(found);
        }
    }
}

/// A value of a list: as elsewhere, or text in double quotes as JSON has it, which Microsoft's own client sends.
fn member(input: &mut Input<'_>) -> Parsed<Literal> {
    spaces(input)?;
    let rest: &str = input.input.as_ref();
    if !rest.starts_with('"') {
        return value(input);
    }
    let mut read = serde_json::Deserializer::from_str(rest).into_iter::<String>();
    let text = read.next().and_then(Result::ok);
    let length = read.byte_offset();
    let error = syntax(input);
    let _text = input.next_slice(text.as_ref().map_or(0, |_| length));
    text.map(Literal::Text).ok_or(error)
}

/// Whether a path ends in `any` or `all`, and in which.
pub(super) fn quantifier(path: &Path) -> Option<bool> {
    match path.0.as_slice() {
        [_, .., last] if last == "any" => Some(false),
        [_, .., last] if last == "all" => Some(true),
        _ => None,
    }
}

/// `collection/any(o:o/name eq 'x')`. `any()` asks whether there are rows at all.
pub(super) fn lambda(input: &mut Input<'_>, path: &Path, all: bool) -> Parsed<Filter> {
    let mut path = path.clone();
    path.0.pop();
    mark(input, '(')?;
    spaces(input)?;
    let none: Option<char> = opt(')').parse_next(input)?;
    if none.is_some() {
        return if all {
            Err(syntax(input))
        } else {
            Ok(Filter::Lambda { path, all, inner: None })
        };
    }
    let word = peek_word(input);
    let name = word.split(':').next().unwrap_or_default();
    let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !is_name {
        return Err(syntax(input));
    }
    let variable = input.next_slice(name.len()).to_owned();
    mark(input, ':')?;
    let inner = deeper(input, any_of)?;
    mark(input, ')')?;
    Ok(Filter::Lambda {
        path,
        all,
        inner: Some((variable, Box::new(inner))),
    })
}
