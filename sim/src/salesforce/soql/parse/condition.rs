//! `WHERE` and `HAVING`: conditions, operators and constants.

use super::super::ast::{Condition, Literal, Operator, Piece, Term};
use super::super::literal::{Parsed, figure, malformed, pieces, unescape, word_literal};
use super::super::span::{Span, Word};
use super::super::token::{Kind, Token};
use super::{MAX_DEPTH, MAX_LEVELS, Parser};

impl Parser<'_> {
    /// `AND` and `OR` may not be mixed without parentheses (salesforce.md section 4).
    pub(super) fn condition(&mut self, depth: usize, level: usize) -> Parsed<Condition> {
        let first = self.operand(depth, level)?;
        let (word, other) = if self.peek_word("AND") {
            ("AND", "OR")
        } else {
            ("OR", "AND")
        };
        if !self.peek_word(word) {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.take_word(word) {
            parts.push(self.operand(depth, level)?);
        }
        if self.peek_word(other) {
            return Err(self.unexpected());
        }
        Ok(if word == "AND" {
            Condition::And(parts)
        } else {
            Condition::Or(parts)
        })
    }

    fn operand(&mut self, depth: usize, level: usize) -> Parsed<Condition> {
        if depth > MAX_DEPTH {
            return Err(malformed(
                self.at(),
                format!("conditions are nested more than {MAX_DEPTH} deep"),
            ));
        }
        if self.take_word("NOT") {
            return Ok(Condition::Not(Box::new(self.operand(depth + 1, level)?)));
        }
        if self.take_sign("(") {
            let inner = self.condition(depth + 1, level)?;
            self.expect_sign(")")?;
            return Ok(inner);
        }
        let term = self.term()?;
        self.comparison(term, level)
    }

    fn comparison(&mut self, term: Term, level: usize) -> Parsed<Condition> {
        if self.take_word("LIKE") {
            let pattern = self.pattern()?;
            return Ok(Condition::Like { term, pattern });
        }
        let negated = self.take_word("NOT");
        if negated && !self.peek_word("IN") {
            return Err(self.unexpected());
        }
        if self.take_word("IN") {
            return self.membership(term, negated, level);
        }
        let negated = self.peek_word("EXCLUDES");
        if self.take_word("INCLUDES") || self.take_word("EXCLUDES") {
            let values = self.texts()?;
            return Ok(Condition::Includes { term, negated, values });
        }
        let operator = self.operator()?;
        let value = self.literal()?;
        Ok(Condition::Compare { term, operator, value })
    }

    fn operator(&mut self) -> Parsed<Operator> {
        let operator = match self.peek().map(|token| token.text) {
            Some("=") => Operator::Equal,
            Some("!=" | "<>") => Operator::NotEqual,
            Some("<") => Operator::Less,
            Some("<=") => Operator::LessOrEqual,
            Some(">") => Operator::Greater,
            Some(">=") => Operator::GreaterOrEqual,
            Some(_) | None => return Err(self.unexpected()),
        };
        self.next += 1;
        Ok(operator)
    }

    fn membership(&mut self, term: Term, negated: bool, level: usize) -> Parsed<Condition> {
        self.refuse_bind()?;
        self.expect_sign("(")?;
        if self.peek_word("SELECT") {
            if level >= MAX_LEVELS {
                return Err(self.unexpected());
            }
            let query = Box::new(self.query(level + 1)?);
            self.expect_sign(")")?;
            return Ok(Condition::Join { term, negated, query });
        }
        let mut values = Vec::new();
        loop {
            values.push(self.literal()?);
            if !self.take_sign(",") {
                self.expect_sign(")")?;
                return Ok(Condition::Member { term, negated, values });
            }
        }
    }

    /// The list behind `INCLUDES`: texts only.
    fn texts(&mut self) -> Parsed<Vec<String>> {
        self.refuse_bind()?;
        self.expect_sign("(")?;
        let mut values = Vec::new();
        loop {
            match self.literal()? {
                Literal::Text(text) => values.push(text),
                Literal::Null
                | Literal::Bool(_)
                | Literal::Number(_)
                | Literal::Money(..)
                | Literal::Date(_)
                | Literal::Moment(_)
                | Literal::Span(_) => {
                    self.next -= 1;
                    return Err(self.unexpected());
                }
            }
            if !self.take_sign(",") {
                self.expect_sign(")")?;
                return Ok(values);
            }
        }
    }

    fn literal(&mut self) -> Parsed<Literal> {
        self.refuse_bind()?;
        let Some(token) = self.peek() else {
            return Err(self.unexpected());
        };
        let literal = match token.kind {
            Kind::Quoted(raw) => Some(Literal::Text(unescape(raw, token.at)?)),
            Kind::Figure => figure(token.text),
            Kind::Word => match Span::word(token.text) {
                Some(word) => Some(Literal::Span(self.span(word)?)),
                None => word_literal(token.text),
            },
            Kind::Sign => None,
        };
        let literal = literal.ok_or_else(|| self.unexpected())?;
        self.next += 1;
        Ok(literal)
    }

    /// A date literal, up to its last token, which the caller takes.
    fn span(&mut self, word: Word) -> Parsed<Span> {
        let counted = match word {
            Word::Whole(span) => return Ok(span),
            Word::Counted(counted) => counted,
        };
        self.next += 1;
        self.expect_sign(":")?;
        let digits = |token: &Token<'_>| token.text.bytes().all(|byte| byte.is_ascii_digit());
        let number = self.peek().filter(digits).and_then(|token| token.text.parse().ok());
        number
            .map(|number| counted.times(number))
            .ok_or_else(|| self.unexpected())
    }

    fn pattern(&mut self) -> Parsed<Vec<Piece>> {
        self.refuse_bind()?;
        match self.peek() {
            Some(Token {
                at,
                kind: Kind::Quoted(raw),
                ..
            }) => {
                self.next += 1;
                pieces(raw, at)
            }
            Some(_) | None => Err(self.unexpected()),
        }
    }
}
