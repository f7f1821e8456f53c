//! Properties of the `$filter` grammar over many generated trees and texts.

use super::ast::{Comparison, Filter, Literal, Operand, Path, TextFunction, Values};
use super::parse::{Aliases, filter};
use crate::dataverse::amount::Amount;
use crate::dataverse::guid::Guid;
use crate::seed::{Seed, Stream};

fn arbitrary(chance: &mut Stream, depth: u32) -> Filter {
    let kind = if depth == 0 {
        chance.between(3, 5)
    } else {
        chance.between(0, 6)
    };
    let mut parts = |low| -> Vec<Filter> {
        let count = chance.between(low, 4);
        (0..count).map(|_| arbitrary(chance, depth - 1)).collect()
    };
    match kind {
        0 => Filter::Or(parts(2)),
        1 => Filter::And(parts(2)),
        2 => Filter::Not(Box::new(arbitrary(chance, depth - 1))),
        3 => {
            let (operator, ..) = Comparison::ALL[usize::try_from(chance.between(0, 5)).unwrap()];
            Filter::Compare(Operand::Path(name(chance)), operator, Operand::Literal(value(chance)))
        }
        5 => Filter::Function {
            name: "In".to_owned(),
            path: name(chance),
            values: match chance.between(0, 3) {
                0 => Values::None,
                1 => Values::One(value(chance)),
                2 => Values::Two(value(chance), value(chance)),
                _ => Values::List((0..chance.between(0, 3)).map(|_| value(chance)).collect()),
            },
        },
        6 => {
            let all = chance.between(0, 1) == 1;
            let inner =
                (all || chance.between(0, 1) == 1).then(|| ("o".to_owned(), Box::new(arbitrary(chance, depth - 1))));
            Filter::Lambda {
                path: name(chance),
                all,
                inner,
            }
        }
        _ => {
            let (function, _) = TextFunction::ALL[usize::try_from(chance.between(0, 2)).unwrap()];
            Filter::Text(function, name(chance), "it''s %_[a] é".to_owned())
        }
    }
}

fn name(chance: &mut Stream) -> Path {
    let names = [
        "name",
        "_customerid_value",
        "primarycontactid",
        "not_a_keyword",
        "nullable",
    ];
    let count = chance.between(1, 2);
    Path(
        (0..count)
            .map(|_| names[usize::try_from(chance.between(0, 4)).unwrap()].to_owned())
            .collect(),
    )
}

fn value(chance: &mut Stream) -> Literal {
    match chance.between(0, 7) {
        0 => Literal::Null,
        1 => Literal::Bool(chance.between(0, 1) == 1),
        2 => Literal::Number(Amount::parse(&format!("-{}.{}", chance.bits() >> 20, chance.bits() >> 40)).unwrap()),
        3 => Literal::Text("O'Brien & ' sons".to_owned()),
        4 => Literal::Guid(Guid::draw(chance)),
        6 => Literal::Member("OwnershipTypes".to_owned(), "UserOwned".to_owned()),
        5 => Literal::Date("2026-02-28".parse().unwrap()),
        _ => Literal::Time("2026-01-05T09:00:00.25Z".parse().unwrap()),
    }
}

#[test]
fn a_printed_tree_reads_back_as_the_same_tree() {
    let mut chance = Seed(11).stream("filters");
    for _ in 0..2_000 {
        let tree = arbitrary(&mut chance, 4);
        let text = tree.to_string();
        assert_eq!(filter(&text, &Aliases::new()), Ok(tree), "{text}");
    }
}

#[test]
fn any_text_is_answered_without_a_panic() {
    let mut chance = Seed(12).stream("noise");
    let pieces = [
        "(",
        ")",
        "'",
        " and ",
        " or ",
        "not ",
        "name",
        " eq ",
        "1",
        "null",
        ",",
        "/",
        "é",
        "contains(",
        "-",
        "2026-01-05",
        "$it",
        "rows/any(",
        "o:o/",
        "Microsoft.Dynamics.CRM.In(",
        "PropertyName=",
        "@p1",
        "\u{0}",
    ];
    for _ in 0..20_000 {
        let count = chance.between(0, 12);
        let text: String = (0..count)
            .map(|_| pieces[usize::try_from(chance.between(0, 22)).unwrap()])
            .collect();
        let _outcome = filter(&text, &Aliases::new());
    }
}
