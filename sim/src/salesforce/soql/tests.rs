//! The grammar as a property: what is printed is parsed to the same tree, and nothing that is damaged, huge or deep panics.

use jiff::Timestamp;
use jiff::civil::date;

use super::ast::{
    At, Condition, FieldSet, Function, Item, Literal, Name, Operator, Path, Piece, Purpose, Query, Selection, Sort,
    Span, Term, With,
};
use super::parse::{MAX_LENGTH, parse};
use super::span::Word;
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

    fn term(&mut self) -> Term {
        let field = Term::Field(self.path());
        if self.below(3) > 0 {
            return field;
        }
        let function = Function::ALL[self.below(Function::ALL.len())];
        let nested = function != Function::ConvertTimezone && self.below(3) == 0;
        let inner = if nested {
            Term::Call {
                at: At(0),
                function: Function::ConvertTimezone,
                inner: Box::new(field),
            }
        } else {
            field
        };
        Term::Call {
            at: At(0),
            function,
            inner: Box::new(inner),
        }
    }

    fn span(&mut self) -> Span {
        let words = [
            "TODAY",
            "LAST_90_DAYS",
            "THIS_FISCAL_QUARTER",
            "N_WEEKS_AGO",
            "LAST_N_FISCAL_YEARS",
            "NEXT_N_DAYS",
        ];
        match Span::word(words[self.below(words.len())]).unwrap() {
            Word::Whole(span) => span,
            Word::Counted(counted) => counted.times(u32::try_from(self.0.between(0, 5000)).unwrap()),
        }
    }

    fn text(&mut self) -> String {
        (0..self.below(8)).map(|_| LETTERS[self.below(LETTERS.len())]).collect()
    }

    fn literal(&mut self) -> Literal {
        let number = i32::try_from(self.0.between(0, 2_000_000)).unwrap() - 1_000_000;
        match self.below(8) {
            6 => Literal::Span(self.span()),
            7 => Literal::Money("EUR".to_owned(), f64::from(number.abs())),
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
        let term = self.term();
        let negated = self.below(2) == 0;
        match self.below(if depth == 0 { 4 } else { 8 }) {
            0 => Condition::Compare {
                term,
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
                    term,
                    pattern: pattern.collect(),
                }
            }
            2 => {
                let values = (0..=self.below(3)).map(|_| self.literal()).collect();
                Condition::Member { term, negated, values }
            }
            3 => {
                let values = (0..=self.below(3)).map(|_| self.text()).collect();
                Condition::Includes { term, negated, values }
            }
            4 => Condition::Not(Box::new(self.condition(depth - 1))),
            5 => Condition::Join {
                term,
                negated,
                query: Box::new(self.query(depth - 1)),
            },
            kind => {
                let parts = (0..2 + self.below(2)).map(|_| self.condition(depth - 1)).collect();
                if kind == 6 {
                    Condition::And(parts)
                } else {
                    Condition::Or(parts)
                }
            }
        }
    }

    fn item(&mut self, depth: usize) -> Item {
        match self.below(if depth == 0 { 3 } else { 4 }) {
            0 | 1 => Item::Term {
                term: self.term(),
                alias: (self.below(3) == 0).then(|| self.name()),
            },
            2 => Item::Fields(
                At(0),
                [FieldSet::All, FieldSet::Standard, FieldSet::Custom][self.below(3)],
            ),
            _ => Item::Children(Box::new(self.query(depth - 1))),
        }
    }

    fn sort(&mut self) -> Sort {
        Sort {
            term: self.term(),
            descending: self.below(2) == 0,
            nulls_last: self.below(2) == 0,
        }
    }

    fn query(&mut self, depth: usize) -> Query {
        let maybe = |grower: &mut Self| grower.below(3) == 0;
        Query {
            selection: if self.below(6) == 0 {
                Selection::Count
            } else {
                Selection::Items((0..=self.below(4)).map(|_| self.item(depth)).collect())
            },
            from: self.name(),
            alias: maybe(self).then(|| self.name()),
            also: (0..self.below(2)).map(|_| (self.path(), self.name())).collect(),
            scope: maybe(self).then(|| self.name()),
            filter: (self.below(4) > 0).then(|| self.condition(depth)),
            with: [
                None,
                Some(With::SecurityEnforced),
                Some(With::UserMode),
                Some(With::SystemMode),
            ][self.below(4)],
            group: (0..self.below(3)).map(|_| self.term()).collect(),
            having: maybe(self).then(|| self.condition(depth.min(1))),
            order: (0..self.below(3)).map(|_| self.sort()).collect(),
            limit: maybe(self).then(|| self.0.between(0, u64::MAX - 1)),
            offset: maybe(self).then(|| self.0.between(0, 5000)),
            purpose: [
                None,
                Some(Purpose::View),
                Some(Purpose::Reference),
                Some(Purpose::Update),
            ][self.below(4)],
            all_rows: maybe(self),
        }
    }
}

#[test]
fn printing_and_parsing_gives_the_same_tree() {
    let mut grower = Grower(Seed(11).stream("soql trees"));
    for _ in 0..ROUNDS {
        let query = grower.query(3);
        let text = query.to_string();
        assert_eq!(parse(&text).as_ref(), Ok(&query), "{text}");
    }
}

#[test]
fn damaged_queries_never_panic() {
    let mut grower = Grower(Seed(12).stream("soql damage"));
    for _ in 0..ROUNDS {
        let mut text: Vec<char> = grower.query(3).to_string().chars().collect();
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
        "SELECT Id, Name FROM Account ORDER BY CreatedDate DESC LIMIT 2 FOR VIEW",
        "SELECT Id FROM O WHERE CloseDate = LAST_N_DAYS:3 AND CreatedDate >= YESTERDAY AND M INCLUDES ('A', 'B;C')",
        "SELECT Opportunity__c Id, COUNT(Id) solutionCount FROM Microsoft_Solutions__c WHERE O IN ('a') GROUP BY Opportunity__c",
        "SELECT Id, (SELECT Id, Name FROM Contacts ORDER BY CreatedDate DESC LIMIT 2) FROM Account",
        "SELECT FIELDS(ALL) FROM Account LIMIT 200",
        "SELECT IsDeleted FROM Account WHERE IsDeleted = true ALL ROWS",
    ] {
        let query = parse(text).unwrap();
        assert_eq!(parse(&query.to_string()), Ok(query), "{text}");
    }
}
