//! SOQL: text to tree, tree to plan.
//!
//! It knows the schema and no rows: `find` runs a plan.

use super::error::Problem;

/// The tree, and how it prints.
pub(crate) mod ast;
/// Words, figures, quoted texts and signs.
pub(crate) mod token;
/// Constants.
pub(crate) mod literal;
/// Tokens to tree.
pub(crate) mod parse;
/// Paths to columns.
pub(crate) mod path;
/// Names to places, conditions to typed tests, and which index to use.
pub(crate) mod plan;

/// A refusal that points at a place in the query, in the frame that Salesforce prints (salesforce.md section 2.9).
///
/// Assumed: how much of a long line stands around the place.
pub(crate) fn framed(code: &'static str, text: &str, at: usize, message: &str) -> Problem {
    const AROUND: usize = 60;
    let at = (0..=at.min(text.len()))
        .rev()
        .find(|&at| text.is_char_boundary(at))
        .unwrap_or(0);
    let line_start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let row = text[..line_start].matches('\n').count() + 1;
    let before: Vec<char> = text[line_start..at].chars().collect();
    let after = text[at..].lines().next().unwrap_or_default();
    let shown: String = before[before.len().saturating_sub(AROUND)..]
        .iter()
        .copied()
        .chain(after.chars().take(AROUND))
        .collect();
    let caret = " ".repeat(before.len().min(AROUND));
    let column = before.len() + 1;
    let message = format!("\n{shown}\n{caret}^\nERROR at Row:{row}:Column:{column}\n{message}");
    Problem::bad(code, message)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::civil::date;

    use super::ast::{At, Condition, Literal, Name, Operator, Path, Piece, Query, Selection, Sort};
    use super::parse::{MAX_LENGTH, parse};
    use crate::seed::{Seed, Stream};

    const ROUNDS: usize = 2000;
    const WORDS: [&str; 8] = [
        "Id",
        "Name",
        "Account",
        "Amount",
        "x_1__c",
        "Count",
        "Owner__r",
        "LAST_Name",
    ];
    const LETTERS: [char; 14] = [
        'a', 'Z', '\'', '\\', '%', '_', '\n', '\r', '\t', '"', ' ', 'é', '漢', '\u{8}',
    ];

    /// Random trees, no deeper than asked.
    struct Grower(Stream);

    impl Grower {
        fn below(&mut self, count: usize) -> usize {
            usize::try_from(self.0.between(0, count as u64 - 1)).unwrap()
        }

        fn name(&mut self) -> Name {
            let text = WORDS[self.below(WORDS.len())].to_owned();
            Name { at: At(0), text }
        }

        fn path(&mut self) -> Path {
            let names = (0..=self.below(3)).map(|_| self.name().text).collect();
            Path { at: At(0), names }
        }

        fn text(&mut self) -> String {
            (0..self.below(8)).map(|_| LETTERS[self.below(LETTERS.len())]).collect()
        }

        fn literal(&mut self) -> Literal {
            let number = i32::try_from(self.0.between(0, 2_000_000)).unwrap() - 1_000_000;
            match self.below(6) {
                0 => Literal::Null,
                1 => Literal::Bool(number > 0),
                2 => Literal::Number(f64::from(number) / 64.0),
                3 => Literal::Text(self.text()),
                4 => Literal::Date(date(2026, 1, 1).saturating_add(jiff::Span::new().days(number / 10))),
                _ => Literal::Moment(Timestamp::from_millisecond(i64::from(number) * 1_000_003).unwrap()),
            }
        }

        fn operator(&mut self) -> Operator {
            use Operator::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
            [Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual][self.below(6)]
        }

        fn condition(&mut self, depth: usize) -> Condition {
            let path = self.path();
            match self.below(if depth == 0 { 3 } else { 6 }) {
                0 => Condition::Compare {
                    path,
                    operator: self.operator(),
                    value: self.literal(),
                },
                1 => {
                    let text = self.text();
                    let pattern = text.chars().map(|letter| match letter {
                        'a' => Piece::Any,
                        'Z' => Piece::One,
                        other => Piece::Exactly(other),
                    });
                    Condition::Like {
                        path,
                        pattern: pattern.collect(),
                    }
                }
                2 => {
                    let values = (0..=self.below(3)).map(|_| self.literal()).collect();
                    Condition::Member {
                        path,
                        negated: self.below(2) == 0,
                        values,
                    }
                }
                3 => Condition::Not(Box::new(self.condition(depth - 1))),
                kind => {
                    let parts = (0..2 + self.below(2)).map(|_| self.condition(depth - 1)).collect();
                    if kind == 4 {
                        Condition::And(parts)
                    } else {
                        Condition::Or(parts)
                    }
                }
            }
        }

        fn query(&mut self) -> Query {
            let fields = (0..=self.below(4)).map(|_| self.path()).collect();
            let sort = |grower: &mut Self| Sort {
                path: grower.path(),
                descending: grower.below(2) == 0,
                nulls_last: grower.below(2) == 0,
            };
            Query {
                selection: if self.below(5) == 0 {
                    Selection::Count
                } else {
                    Selection::Fields(fields)
                },
                from: self.name(),
                alias: (self.below(2) == 0).then(|| self.name()),
                filter: (self.below(4) > 0).then(|| self.condition(3)),
                order: (0..self.below(3)).map(|_| sort(self)).collect(),
                limit: (self.below(2) == 0).then(|| self.0.between(0, u64::MAX - 1)),
                offset: (self.below(2) == 0).then(|| self.0.between(0, 5000)),
            }
        }
    }

    #[test]
    fn printing_and_parsing_gives_the_same_tree() {
        let mut grower = Grower(Seed(11).stream("soql trees"));
        for _ in 0..ROUNDS {
            let query = grower.query();
            let text = query.to_string();
            assert_eq!(parse(&text).as_ref(), Ok(&query), "{text}");
        }
    }

    #[test]
    fn damaged_queries_never_panic() {
        let mut grower = Grower(Seed(12).stream("soql damage"));
        for _ in 0..ROUNDS {
            let mut text: Vec<char> = grower.query().to_string().chars().collect();
            for _ in 0..=grower.below(4) {
                let place = grower.below(text.len());
                match grower.below(3) {
                    0 => text[place] = LETTERS[grower.below(LETTERS.len())],
                    1 => text.insert(place, ['(', ')', ',', '.', ':', '-', '9', '\0'][grower.below(8)]),
                    _ => text.truncate(place + 1),
                }
            }
            let text: String = text.into_iter().collect();
            if let Ok(query) = parse(&text) {
                assert_eq!(parse(&query.to_string()), Ok(query), "{text}");
            }
        }
    }

    #[test]
    fn huge_and_deep_texts_are_refused_without_a_deep_stack() {
        let deep = |open: &str| format!("SELECT Id FROM A WHERE {}", open.repeat(10_000));
        for text in [
            deep("("),
            deep("NOT "),
            deep("NOT ("),
            "(".repeat(MAX_LENGTH),
            "x".repeat(MAX_LENGTH + 1),
        ] {
            assert!(parse(&text).is_err());
        }
        let values = "'0123456789',".repeat(7000);
        let wide = format!("SELECT Id FROM A WHERE Name IN ({values}'x')");
        assert!(matches!(parse(&wide).unwrap().filter, Some(Condition::Member { values, .. }) if values.len() == 7001));
        let chain = format!("SELECT Id FROM A WHERE {}Id = '1'", "a='1' OR ".repeat(10_000));
        assert!(matches!(parse(&chain).unwrap().filter, Some(Condition::Or(parts)) if parts.len() == 10_001));
    }

    #[test]
    fn queries_seen_on_the_wire_are_read() {
        // salesforce.md section 4.
        for text in [
            "SELECT Id, Name, Account.Name, Owner.Name, Account.BillingCountry FROM Opportunity",
            "SELECT Owner.Name, CloseDate FROM Opportunity ORDER BY Owner.Name ASC, CloseDate DESC LIMIT 10",
            "SELECT count() FROM Account WHERE Name LIKE 'A%'",
            "select Id,AccountNumber from Account",
            "SELECT Id FROM Opportunity WHERE StageName IN ('A', 'B') AND SystemModstamp > 1970-01-01T00:00:00Z AND Amount >= 10 AND \
             Name LIKE 'x%' AND (IsWon = true OR IsClosed = false) ORDER BY CreatedDate DESC, Name ASC LIMIT 10 OFFSET 5",
            "SELECT Id FROM A o WHERE o.Id NOT IN ('a', 'b') AND StageName <> null AND (NOT Name = 'x') AND X = -0.5",
            "SELECT Id FROM A WHERE D = 2005-10-08T01:02:03-08:00 AND E = 1999-01-01",
        ] {
            let query = parse(text).unwrap();
            assert_eq!(parse(&query.to_string()), Ok(query), "{text}");
        }
    }
}
