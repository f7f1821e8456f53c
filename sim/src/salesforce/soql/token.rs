//! Words, figures, quoted texts and signs of a SOQL query.
//!
//! It gives no meaning to any of them: that is `parse`.

use winnow::combinator::{alt, delimited, repeat};
use winnow::error::EmptyError;
use winnow::prelude::*;
use winnow::stream::{LocatingSlice, Location as _};
use winnow::token::{any, one_of, take_while};

/// One token and where it begins, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) at: usize,
    pub(crate) kind: Kind<'a>,
    /// As written.
    pub(crate) text: &'a str,
}

/// What a token looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind<'a> {
    /// A name or a keyword.
    Word,
    /// A number, a day or a moment: all begin with a digit, a sign or a point.
    Figure,
    /// What stands between the quotation marks, escapes and all.
    Quoted(&'a str),
    /// One of `( ) , . : = != <> < <= > >=`.
    Sign,
}

type Input<'a> = LocatingSlice<&'a str>;

/// Splits a text. The error is the place of a character that begins no token.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token<'_>>, usize> {
    let mut input = LocatingSlice::new(text);
    let mut found = Vec::new();
    loop {
        blanks(&mut input).map_err(|_: EmptyError| input.current_token_start())?;
        if input.is_empty() {
            return Ok(found);
        }
        let at = input.current_token_start();
        let kind = token.parse_next(&mut input).map_err(|_: EmptyError| at)?;
        let text = &text[at..input.current_token_start()];
        found.push(Token { at, kind, text });
    }
}

/// Zero blanks are fine, so there is always an answer.
fn blanks<'a>(input: &mut Input<'a>) -> Result<&'a str, EmptyError> {
    take_while(0.., char::is_whitespace).parse_next(input)
}

fn token<'a>(input: &mut Input<'a>) -> Result<Kind<'a>, EmptyError> {
    alt((
        word.value(Kind::Word),
        quoted.map(Kind::Quoted),
        figure.value(Kind::Figure),
        sign.value(Kind::Sign),
    ))
    .parse_next(input)
}

fn word<'a>(input: &mut Input<'a>) -> Result<&'a str, EmptyError> {
    let first = one_of(|character: char| character.is_ascii_alphabetic() || character == '_');
    let rest = take_while(0.., |character: char| {
        character.is_ascii_alphanumeric() || character == '_'
    });
    (first, rest).take().parse_next(input)
}

fn quoted<'a>(input: &mut Input<'a>) -> Result<&'a str, EmptyError> {
    let plain = take_while(1.., |character: char| !matches!(character, '\'' | '\\')).void();
    let escaped = ('\\', any).void();
    let inside = repeat::<_, _, (), _, _>(0.., alt((plain, escaped))).take();
    delimited('\'', inside, '\'').parse_next(input)
}

fn figure<'a>(input: &mut Input<'a>) -> Result<&'a str, EmptyError> {
    let sign = take_while(0..=1, ['+', '-']);
    let point = take_while(0..=1, '.');
    let digit = one_of(|character: char| character.is_ascii_digit());
    let rest = take_while(0.., |character: char| {
        character.is_ascii_alphanumeric() || matches!(character, ':' | '.' | '+' | '-')
    });
    (sign, point, digit, rest).take().parse_next(input)
}

fn sign<'a>(input: &mut Input<'a>) -> Result<&'a str, EmptyError> {
    let single = one_of(['=', '<', '>', '(', ')', ',', '.', ':']).take();
    alt(("!=", "<>", "<=", ">=", single)).parse_next(input)
}
