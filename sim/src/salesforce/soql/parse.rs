//! From tokens to the tree of a query.
//!
//! Written as plain descent over tokens, because Salesforce's messages name the token that is out of place. Clauses that are
//! SOQL but not simulated are told apart from what is no SOQL.

use super::ast::{At, Condition, Literal, Name, Operator, Path, Piece, Query, Selection, Sort};
use super::literal::{ParseError, Parsed, figure, malformed, not_simulated, pieces, unescape, word_literal};
use super::token::{Kind, Token, tokens};

/// The longest query, in characters (salesforce.md section 2.3).
pub(crate) const MAX_LENGTH: usize = 100_000;
/// The deepest nesting of parentheses and negations. Assumed.
const MAX_DEPTH: usize = 64;

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
    parser.query()
}

struct Parser<'a> {
    tokens: &'a [Token<'a>],
    next: usize,
    end: usize,
}

impl<'a> Parser<'a> {
    fn query(&mut self) -> Parsed<Query> {
        self.expect_word("SELECT")?;
        let selection = self.selection()?;
        self.expect_word("FROM")?;
        let from = self.name()?;
        let alias = if self.peek_is_alias() { Some(self.name()?) } else { None };
        if self.peek_sign(",") {
            return not_simulated("alias list after FROM");
        }
        self.refuse_clause(&["USING"])?;
        let filter = if self.take_word("WHERE") {
            Some(self.condition(0)?)
        } else {
            None
        };
        self.refuse_clause(&["WITH", "GROUP", "HAVING"])?;
        let order = self.order()?;
        let limit = if self.take_word("LIMIT") {
            Some(self.count()?)
        } else {
            None
        };
        let offset = if self.take_word("OFFSET") {
            Some(self.count()?)
        } else {
            None
        };
        self.refuse_clause(&["FOR", "ALL", "UPDATE"])?;
        if self.peek().is_some() {
            return Err(self.unexpected());
        }
        Ok(Query {
            selection,
            from,
            alias,
            filter,
            order,
            limit,
            offset,
        })
    }

    fn selection(&mut self) -> Parsed<Selection> {
        if self.peek_word("COUNT") && self.sign_ahead(1, "(") && self.sign_ahead(2, ")") {
            self.next += 3;
            return Ok(Selection::Count);
        }
        let mut paths = Vec::new();
        loop {
            paths.push(self.selected()?);
            if !self.take_sign(",") {
                return Ok(Selection::Fields(paths));
            }
        }
    }

    fn selected(&mut self) -> Parsed<Path> {
        if self.peek_sign("(") {
            return not_simulated("sub-query");
        }
        if self.peek_word("TYPEOF") {
            return not_simulated("`TYPEOF`");
        }
        let path = self.path()?;
        let alias = matches!(self.peek(), Some(token) if token.kind == Kind::Word) && !self.peek_word("FROM");
        if alias && (self.sign_ahead(1, ",") || self.word_ahead(1, "FROM")) {
            return not_simulated("alias of a field");
        }
        Ok(path)
    }

    fn order(&mut self) -> Parsed<Vec<Sort>> {
        let mut order = Vec::new();
        if !self.take_word("ORDER") {
            return Ok(order);
        }
        self.expect_word("BY")?;
        loop {
            let path = self.path()?;
            let descending = self.take_word("DESC");
            if !descending {
                self.take_word("ASC");
            }
            let mut nulls_last = false;
            if self.take_word("NULLS") {
                nulls_last = self.take_word("LAST");
                if !nulls_last {
                    self.expect_word("FIRST")?;
                }
            }
            order.push(Sort {
                path,
                descending,
                nulls_last,
            });
            if !self.take_sign(",") {
                return Ok(order);
            }
        }
    }

    /// `AND` and `OR` may not be mixed without parentheses (salesforce.md section 4).
    fn condition(&mut self, depth: usize) -> Parsed<Condition> {
        let first = self.operand(depth)?;
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
            parts.push(self.operand(depth)?);
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

    fn operand(&mut self, depth: usize) -> Parsed<Condition> {
        if depth > MAX_DEPTH {
            return Err(malformed(
                self.at(),
                format!("conditions are nested more than {MAX_DEPTH} deep"),
            ));
        }
        if self.take_word("NOT") {
            return Ok(Condition::Not(Box::new(self.operand(depth + 1)?)));
        }
        if self.take_sign("(") {
            let inner = self.condition(depth + 1)?;
            self.expect_sign(")")?;
            return Ok(inner);
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Parsed<Condition> {
        let path = self.path()?;
        if self.take_word("LIKE") {
            let pattern = self.pattern()?;
            return Ok(Condition::Like { path, pattern });
        }
        let negated = self.take_word("NOT");
        if negated && !self.peek_word("IN") {
            return Err(self.unexpected());
        }
        if self.take_word("IN") {
            let values = self.values()?;
            return Ok(Condition::Member { path, negated, values });
        }
        if self.peek_word("INCLUDES") || self.peek_word("EXCLUDES") {
            return not_simulated("operator on multi-select picklists");
        }
        let operator = self.operator()?;
        let value = self.literal()?;
        Ok(Condition::Compare { path, operator, value })
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

    fn values(&mut self) -> Parsed<Vec<Literal>> {
        self.refuse_bind()?;
        self.expect_sign("(")?;
        if self.peek_word("SELECT") {
            return not_simulated("semi-join");
        }
        let mut values = Vec::new();
        loop {
            values.push(self.literal()?);
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
            Kind::Word => word_literal(token.text)?,
            Kind::Sign => None,
        };
        let literal = literal.ok_or_else(|| self.unexpected())?;
        self.next += 1;
        Ok(literal)
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

    fn path(&mut self) -> Parsed<Path> {
        let first = self.name()?;
        if self.peek_sign("(") {
            return not_simulated(format!("function `{}`", first.text.to_ascii_uppercase()));
        }
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

    fn peek_is_alias(&self) -> bool {
        matches!(self.peek(), Some(token) if token.kind == Kind::Word && !is_reserved(token.text) && !is_clause(token.text))
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.peek_word(word);
        self.next += usize::from(found);
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
    const WORDS: [&str; 12] = [
        "AND", "ASC", "DESC", "FROM", "IN", "LIKE", "LIMIT", "NOT", "NULL", "OR", "SELECT", "WHERE",
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
