//! From tokens to the tree of a query.
//!
//! Written as plain descent over tokens, because Salesforce's messages name the token that is out of place. Clauses that are
//! SOQL but not simulated are told apart from what is no SOQL.

use super::ast::{At, Name, Path, Query};
use super::literal::{ParseError, Parsed, malformed, not_simulated};
use super::token::{Kind, Token, tokens};

/// `SELECT … FROM …` and the clauses behind it.
mod clause;
/// `WHERE` and `HAVING`.
mod condition;

/// The longest query, in characters (salesforce.md section 2.3).
pub(crate) const MAX_LENGTH: usize = 100_000;
/// The deepest nesting of parentheses and negations. Assumed.
const MAX_DEPTH: usize = 64;
/// The most levels of queries within a query's selection. From general knowledge; the older limit of one is not kept apart.
const MAX_LEVELS: usize = 5;

/// Reads a whole query.
pub(crate) fn parse(text: &str) -> Parsed<Query> {
    if text.len() > MAX_LENGTH && text.chars().count() > MAX_LENGTH {
        let message = format!("SOQL statements cannot be longer than {MAX_LENGTH} characters.");
        return Err(ParseError::Malformed { at: 0, message });
    }
    let tokens = tokens(text).map_err(|at| {
        let shown = text[at..].chars().next().unwrap_or(' ');
        malformed(at, format!("unexpected char: '{shown}'"))
    })?;
    let mut parser = Parser {
        tokens: &tokens,
        next: 0,
        end: text.len(),
    };
    let query = parser.query(0)?;
    match parser.peek() {
        Some(_) => Err(parser.unexpected()),
        None => Ok(query),
    }
}

struct Parser<'a> {
    tokens: &'a [Token<'a>],
    next: usize,
    end: usize,
}

impl<'a> Parser<'a> {
    fn path(&mut self) -> Parsed<Path> {
        let first = self.name()?;
        let mut names = vec![first.text];
        while self.take_sign(".") {
            names.push(self.name()?.text);
        }
        Ok(Path { at: first.at, names })
    }

    fn name(&mut self) -> Parsed<Name> {
        match self.peek() {
            Some(token) if token.kind == Kind::Word && !is_reserved(token.text) => {
                self.next += 1;
                Ok(Name {
                    at: At(token.at),
                    text: token.text.to_owned(),
                })
            }
            Some(_) | None => Err(self.unexpected()),
        }
    }

    /// A name that is not the beginning of a clause.
    fn alias(&mut self) -> Parsed<Option<Name>> {
        match self.peek() {
            Some(token) if token.kind == Kind::Word && !is_reserved(token.text) && !is_clause(token.text) => {
                self.name().map(Some)
            }
            Some(_) | None => Ok(None),
        }
    }

    fn count(&mut self) -> Parsed<u64> {
        self.refuse_bind()?;
        let count = self.peek().and_then(|token| token.text.parse().ok());
        let count = count.ok_or_else(|| self.unexpected())?;
        self.next += 1;
        Ok(count)
    }

    fn peek(&self) -> Option<Token<'a>> {
        self.tokens.get(self.next).copied()
    }

    fn at(&self) -> usize {
        self.peek().map_or(self.end, |token| token.at)
    }

    fn unexpected(&self) -> ParseError {
        let shown = self.peek().map_or("<EOF>", |token| token.text);
        malformed(self.at(), format!("unexpected token: '{shown}'"))
    }

    fn peek_word(&self, word: &str) -> bool {
        self.word_ahead(0, word)
    }

    fn word_ahead(&self, ahead: usize, word: &str) -> bool {
        let token = self.tokens.get(self.next + ahead);
        token.is_some_and(|token| token.kind == Kind::Word && token.text.eq_ignore_ascii_case(word))
    }

    fn peek_sign(&self, sign: &str) -> bool {
        self.sign_ahead(0, sign)
    }

    fn sign_ahead(&self, ahead: usize, sign: &str) -> bool {
        let token = self.tokens.get(self.next + ahead);
        token.is_some_and(|token| token.kind == Kind::Sign && token.text == sign)
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.peek_word(word);
        self.next += usize::from(found);
        found
    }

    /// Takes several words that stand in a row, or none.
    fn take_words(&mut self, words: &[&str]) -> bool {
        let found = words
            .iter()
            .enumerate()
            .all(|(ahead, word)| self.word_ahead(ahead, word));
        self.next += if found { words.len() } else { 0 };
        found
    }

    fn take_sign(&mut self, sign: &str) -> bool {
        let found = self.peek_sign(sign);
        self.next += usize::from(found);
        found
    }

    fn expect_word(&mut self, word: &str) -> Parsed<()> {
        if self.take_word(word) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    fn expect_sign(&mut self, sign: &str) -> Parsed<()> {
        if self.take_sign(sign) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    fn refuse_clause(&self, words: &[&str]) -> Parsed<()> {
        match words.iter().find(|word| self.peek_word(word)) {
            Some(word) => not_simulated(format!("clause `{word}`")),
            None => Ok(()),
        }
    }

    fn refuse_bind(&self) -> Parsed<()> {
        if self.peek_sign(":") {
            return Err(malformed(
                self.at(),
                "Bind variables only allowed in Apex code".to_owned(),
            ));
        }
        Ok(())
    }
}

/// Words that cannot be names.
fn is_reserved(word: &str) -> bool {
    const WORDS: [&str; 14] = [
        "AND", "ASC", "DESC", "EXCLUDES", "FROM", "IN", "INCLUDES", "LIKE", "LIMIT", "NOT", "NULL", "OR", "SELECT",
        "WHERE",
    ];
    WORDS.iter().any(|reserved| reserved.eq_ignore_ascii_case(word))
}

/// Words that begin a clause after the object's name.
fn is_clause(word: &str) -> bool {
    const WORDS: [&str; 9] = [
        "ALL", "FOR", "GROUP", "HAVING", "OFFSET", "ORDER", "UPDATE", "USING", "WITH",
    ];
    WORDS.iter().any(|clause| clause.eq_ignore_ascii_case(word))
}
