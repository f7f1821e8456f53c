//! `SELECT … FROM …` and the clauses behind it, in their order.

use super::super::ast::{At, FieldSet, Function, Item, Purpose, Query, Selection, Sort, Term, With};
use super::super::literal::{Parsed, malformed, not_simulated};
use super::super::token::Kind;
use super::{MAX_LEVELS, Parser};

/// Functions that are SOQL and refused by name.
const REFUSED: [&str; 4] = ["DISTANCE", "GEOLOCATION", "GROUPING", "INCLUDES"];

impl Parser<'_> {
    /// A query, to its end or to the parenthesis that closes it. Level 0 is the outermost.
    pub(super) fn query(&mut self, level: usize) -> Parsed<Query> {
        self.expect_word("SELECT")?;
        let selection = self.selection(level)?;
        self.expect_word("FROM")?;
        let from = self.name()?;
        let alias = self.alias()?;
        let mut also = Vec::new();
        while self.take_sign(",") {
            let path = self.path()?;
            also.push((path, self.name()?));
        }
        let scope = if self.take_words(&["USING", "SCOPE"]) {
            Some(self.name()?)
        } else {
            None
        };
        let filter = if self.take_word("WHERE") {
            Some(self.condition(0, level)?)
        } else {
            None
        };
        let with = self.with()?;
        let group = self.group()?;
        let having = if self.take_word("HAVING") {
            Some(self.condition(0, level)?)
        } else {
            None
        };
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
        let purpose = self.purpose()?;
        self.refuse_clause(&["UPDATE"])?;
        let all_rows = self.take_words(&["ALL", "ROWS"]);
        Ok(Query {
            selection,
            from,
            alias,
            also,
            scope,
            filter,
            with,
            group,
            having,
            order,
            limit,
            offset,
            purpose,
            all_rows,
        })
    }

    fn selection(&mut self, level: usize) -> Parsed<Selection> {
        if self.peek_word("COUNT") && self.sign_ahead(1, "(") && self.sign_ahead(2, ")") {
            self.next += 3;
            return Ok(Selection::Count);
        }
        let mut items = Vec::new();
        loop {
            items.push(self.item(level)?);
            if !self.take_sign(",") {
                return Ok(Selection::Items(items));
            }
        }
    }

    fn item(&mut self, level: usize) -> Parsed<Item> {
        if self.peek_sign("(") {
            if level >= MAX_LEVELS {
                let message = format!("SOQL relationship queries are limited to {MAX_LEVELS} levels");
                return Err(malformed(self.at(), message));
            }
            self.next += 1;
            let query = self.query(level + 1)?;
            self.expect_sign(")")?;
            return Ok(Item::Children(Box::new(query)));
        }
        if self.peek_word("TYPEOF") {
            return not_simulated("`TYPEOF`");
        }
        if self.peek_word("FIELDS") && self.sign_ahead(1, "(") {
            return self.field_set();
        }
        let term = self.term()?;
        // What is not followed by another item or by FROM is no alias but a misspelled FROM.
        let named = self.sign_ahead(1, ",") || self.word_ahead(1, "FROM");
        let alias = if named { self.alias()? } else { None };
        Ok(Item::Term { term, alias })
    }

    fn field_set(&mut self) -> Parsed<Item> {
        let at = At(self.at());
        self.next += 2;
        let sets = [
            ("ALL", FieldSet::All),
            ("STANDARD", FieldSet::Standard),
            ("CUSTOM", FieldSet::Custom),
        ];
        let found = sets.into_iter().find(|(word, _)| self.peek_word(word));
        let (_, set) = found.ok_or_else(|| self.unexpected())?;
        self.next += 1;
        self.expect_sign(")")?;
        Ok(Item::Fields(at, set))
    }

    /// A field, or a function of one. Functions nest no deeper than `HOUR_IN_DAY(convertTimezone(x))`.
    pub(super) fn term(&mut self) -> Parsed<Term> {
        let Some(token) = self
            .peek()
            .filter(|token| token.kind == Kind::Word && self.sign_ahead(1, "("))
        else {
            return self.path().map(Term::Field);
        };
        if REFUSED.iter().any(|name| name.eq_ignore_ascii_case(token.text)) {
            return not_simulated(format!("function `{}`", token.text.to_ascii_uppercase()));
        }
        let Some(function) = Function::from_name(token.text) else {
            return Err(self.unexpected());
        };
        self.next += 2;
        let nested = self.peek_word("convertTimezone") || (function == Function::Format && self.sign_ahead(1, "("));
        let inner = if nested && function != Function::ConvertTimezone {
            self.inner()?
        } else {
            Term::Field(self.path()?)
        };
        self.expect_sign(")")?;
        Ok(Term::Call {
            at: At(token.at),
            function,
            inner: Box::new(inner),
        })
    }

    /// A function within a function: its own argument is a field.
    fn inner(&mut self) -> Parsed<Term> {
        let (at, name) = (At(self.at()), self.name()?);
        let function = Function::from_name(&name.text).filter(|function| *function != Function::Format);
        let function = function.ok_or_else(|| malformed(at.0, format!("unexpected token: '{}'", name.text)))?;
        self.expect_sign("(")?;
        let inner = Box::new(Term::Field(self.path()?));
        self.expect_sign(")")?;
        Ok(Term::Call { at, function, inner })
    }

    fn with(&mut self) -> Parsed<Option<With>> {
        if !self.take_word("WITH") {
            return Ok(None);
        }
        let words = [
            ("SECURITY_ENFORCED", With::SecurityEnforced),
            ("USER_MODE", With::UserMode),
            ("SYSTEM_MODE", With::SystemMode),
        ];
        match words.into_iter().find(|(word, _)| self.peek_word(word)) {
            Some((_, with)) => {
                self.next += 1;
                Ok(Some(with))
            }
            None if self.peek_word("DATA") || self.peek().is_some_and(|token| token.kind == Kind::Word) => {
                not_simulated("clause `WITH`")
            }
            None => Err(self.unexpected()),
        }
    }

    fn group(&mut self) -> Parsed<Vec<Term>> {
        let mut group = Vec::new();
        if !self.take_word("GROUP") {
            return Ok(group);
        }
        self.expect_word("BY")?;
        for word in ["ROLLUP", "CUBE"] {
            if self.peek_word(word) && self.sign_ahead(1, "(") {
                return not_simulated(format!("clause `GROUP BY {word}`"));
            }
        }
        loop {
            group.push(self.term()?);
            if !self.take_sign(",") {
                return Ok(group);
            }
        }
    }

    fn order(&mut self) -> Parsed<Vec<Sort>> {
        let mut order = Vec::new();
        if !self.take_word("ORDER") {
            return Ok(order);
        }
        self.expect_word("BY")?;
        loop {
            let term = self.term()?;
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
                term,
                descending,
                nulls_last,
            });
            if !self.take_sign(",") {
                return Ok(order);
            }
        }
    }

    fn purpose(&mut self) -> Parsed<Option<Purpose>> {
        if !self.take_word("FOR") {
            return Ok(None);
        }
        let words = [
            ("VIEW", Purpose::View),
            ("REFERENCE", Purpose::Reference),
            ("UPDATE", Purpose::Update),
        ];
        let found = words.into_iter().find(|(word, _)| self.peek_word(word));
        let (_, purpose) = found.ok_or_else(|| self.unexpected())?;
        self.next += 1;
        Ok(Some(purpose))
    }
}
