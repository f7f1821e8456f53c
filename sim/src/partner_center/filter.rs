//! The grammar of `$filter`: text to expression (partner-center.md section 1.2).
//!
//! It reads more than [`super::condition`] can ask, so that what is well formed and not simulated is refused by its name,
//! and only what is malformed is a 400.

use winnow::Parser as _;
use winnow::Result;
use winnow::ascii::multispace0;
use winnow::combinator::{alt, delimited, opt, preceded, repeat, separated, terminated};
use winnow::error::ParserError as _;
use winnow::token::{literal, take_while};

use super::error::Problem;

/// The longest filter. Assumed, like [`MOST_PARENTHESES`]: what real URLs can carry.
const LONGEST: usize = 4096;
/// The deepest nesting.
const MOST_PARENTHESES: usize = 32;

/// A filter as written.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expression {
    /// All of them.
    And(Vec<Self>),
    /// One of them.
    Or(Vec<Self>),
    /// Not that.
    Not(Box<Self>),
    /// `path operator value`.
    Compare {
        path: String,
        operator: String,
        value: Literal,
    },
    /// `collection/any(variable:condition)`.
    Any {
        collection: String,
        variable: String,
        condition: Box<Self>,
    },
    /// `function(…)`.
    Call(String),
}

/// The right side of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Literal {
    /// In apostrophes.
    Quoted(String),
    /// Without: a guid, a number, a time, `null`.
    Bare(String),
}

impl Literal {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Quoted(text) | Self::Bare(text) => text,
        }
    }
}

/// Reads a filter's text.
pub(super) fn parse(text: &str) -> std::result::Result<Expression, Problem> {
    let malformed = |why: String| Problem::invalid("$filter", format!("The filter is not valid: {why}"));
    if text.len() > LONGEST {
        return Err(malformed(format!("longer than {LONGEST} characters")));
    }
    if depth(text) > MOST_PARENTHESES {
        return Err(malformed(format!("more than {MOST_PARENTHESES} nested parentheses")));
    }
    delimited(multispace0, either, multispace0)
        .parse(text)
        .map_err(|error| malformed(format!("unexpected text at position {}", error.offset())))
}

/// How deep parentheses and `not` nest, apostrophes or not: it only guards the stack.
fn depth(text: &str) -> usize {
    let (mut now, mut most) = (0_usize, 0_usize);
    for byte in text.bytes() {
        match byte {
            b'(' => now += 1,
            b')' => now = now.saturating_sub(1),
            _ => {}
        }
        most = most.max(now);
    }
    most.max(text.split_whitespace().filter(|word| *word == "not").count())
}

fn either(input: &mut &str) -> Result<Expression> {
    let parts: Vec<Expression> = separated(1.., both, word("or")).parse_next(input)?;
    Ok(one_or(parts, Expression::Or))
}

fn both(input: &mut &str) -> Result<Expression> {
    let parts: Vec<Expression> = separated(1.., single, word("and")).parse_next(input)?;
    Ok(one_or(parts, Expression::And))
}

fn one_or(mut parts: Vec<Expression>, join: fn(Vec<Expression>) -> Expression) -> Expression {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            join(parts)
        }
        None => join(parts),
    }
}

fn single(input: &mut &str) -> Result<Expression> {
    let nested = delimited((literal("("), multispace0), either, (multispace0, literal(")")));
    let denied = preceded((literal("not"), spaces), single).map(|inner| Expression::Not(Box::new(inner)));
    alt((nested, denied, any, call, comparison)).parse_next(input)
}

/// `team/any(t:t/email eq 'x')`.
fn any(input: &mut &str) -> Result<Expression> {
    let collection = terminated(path, literal("("))
        .verify_map(|path: String| path.strip_suffix("/any").map(str::to_owned))
        .parse_next(input)?;
    let variable = terminated(name, (multispace0, literal(":"), multispace0)).parse_next(input)?;
    let condition = terminated(either, (multispace0, literal(")"))).parse_next(input)?;
    Ok(Expression::Any {
        collection,
        variable: variable.to_owned(),
        condition: Box::new(condition),
    })
}

/// `contains(name,'x')`, with or without a comparison behind it: read only to be named.
fn call(input: &mut &str) -> Result<Expression> {
    let function = terminated(path, literal("(")).parse_next(input)?;
    let argument = alt((quoted.map(|_| ()), path.map(|_| ())));
    let comma = (multispace0, literal(","), multispace0);
    let () = separated(0.., argument, comma).parse_next(input)?;
    (multispace0, literal(")")).parse_next(input)?;
    opt((spaces, name, spaces, value)).parse_next(input)?;
    Ok(Expression::Call(function))
}

fn comparison(input: &mut &str) -> Result<Expression> {
    let path = path.parse_next(input)?;
    let operator = delimited(spaces, name, spaces).parse_next(input)?;
    let value = value.parse_next(input)?;
    Ok(Expression::Compare {
        path,
        operator: operator.to_owned(),
        value,
    })
}

fn value(input: &mut &str) -> Result<Literal> {
    let bare = take_while(1.., |c: char| c.is_ascii_alphanumeric() || "-+.:_".contains(c));
    alt((
        quoted.map(Literal::Quoted),
        bare.map(|text: &str| Literal::Bare(text.to_owned())),
    ))
    .parse_next(input)
}

/// Text in apostrophes; two of them inside stand for one.
fn quoted(input: &mut &str) -> Result<String> {
    let piece = alt((take_while(1.., |c: char| c != '\''), literal("''").value("'")));
    let pieces = repeat(0.., piece).fold(String::new, |mut text: String, piece: &str| {
        text.push_str(piece);
        text
    });
    delimited(literal("'"), pieces, literal("'")).parse_next(input)
}

fn path(input: &mut &str) -> Result<String> {
    take_while(1.., |c: char| c.is_ascii_alphanumeric() || "_/@.$".contains(c))
        .map(|text: &str| text.to_owned())
        .parse_next(input)
}

fn name<'a>(input: &mut &'a str) -> Result<&'a str> {
    take_while(1.., |c: char| c.is_ascii_alphanumeric() || c == '_').parse_next(input)
}

fn spaces<'a>(input: &mut &'a str) -> Result<&'a str> {
    take_while(1.., |c: char| c.is_ascii_whitespace()).parse_next(input)
}

/// A keyword with space around it.
fn word<'a>(keyword: &'static str) -> impl winnow::Parser<&'a str, (), winnow::error::ContextError> {
    move |input: &mut &'a str| {
        spaces.parse_next(input)?;
        let found = name.parse_next(input)?;
        spaces.parse_next(input)?;
        if found == keyword {
            Ok(())
        } else {
            Err(winnow::error::ContextError::from_input(input))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_malformed_is_invalid() {
        let deep = format!("{}status eq 'New'{}", "(".repeat(10_000), ")".repeat(10_000));
        let shallow = format!("{}status eq 'New'{}", "(".repeat(33), ")".repeat(33));
        let nots = format!("{}status eq 'New'", "not ".repeat(900));
        for text in [
            "",
            "status",
            "status eq",
            "status eq 'New",
            "(status eq 'New'",
            "eq",
            "'",
            &deep,
            &shallow,
            &nots,
        ] {
            assert!(matches!(parse(text), Err(Problem::Invalid { .. })), "{text}");
        }
    }
}
