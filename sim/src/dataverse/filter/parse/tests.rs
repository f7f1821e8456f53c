//! What the grammar takes, how it groups, and what it says of the rest.

use super::super::ast::Values;
use super::*;

fn read(text: &str) -> Result<Filter, Fault> {
    filter(text, &Aliases::from([("@p1".to_owned(), "'aliased'".to_owned())]))
}

fn printed(text: &str) -> String {
    read(text).unwrap().to_string()
}

#[test]
fn or_binds_weaker_than_and_and_parentheses_win() {
    assert_eq!(
        printed("a eq 1 or b eq 2 and c eq 3"),
        printed("a eq 1 or (b eq 2 and c eq 3)")
    );
    assert_ne!(
        printed("(a eq 1 or b eq 2) and c eq 3"),
        printed("a eq 1 or b eq 2 and c eq 3")
    );
    let Filter::And(parts) = read("not (a eq 1) and b eq 2").unwrap() else {
        panic!("`not` binds tighter than `and`");
    };
    assert!(matches!(parts[0], Filter::Not(_)));
}

#[test]
fn literals_are_told_apart_by_their_form() {
    let right = |text: &str| {
        let Ok(Filter::Compare(_, _, Operand::Literal(literal))) = read(&format!("x eq {text}")) else {
            panic!("{text}");
        };
        literal
    };
    assert_eq!(right("'O''Brien'"), Literal::Text("O'Brien".to_owned()));
    assert_eq!(right("-5.25"), Literal::Number(Amount::parse("-5.25").unwrap()));
    assert!(matches!(
        right("abcdef01-89ab-4def-8000-00000000abcd"),
        Literal::Guid(_)
    ));
    assert!(matches!(
        right("01234567-89ab-4def-8000-00000000abcd"),
        Literal::Guid(_)
    ));
    assert!(matches!(right("2026-01-05"), Literal::Date(_)));
    assert!(matches!(right("2026-01-05T09:00:00Z"), Literal::Time(_)));
    assert!(matches!(right("2026-01-05T09:00:00.123+02:00"), Literal::Time(_)));
    assert_eq!(right("null"), Literal::Null);
}

#[test]
fn names_that_begin_like_keywords_are_names() {
    assert_eq!(
        printed("notes eq 'x' and orderid ne null"),
        "notes eq 'x' and orderid ne null"
    );
    assert_eq!(printed("not contains(android,'%')"), "not (contains(android,'%'))");
}

#[test]
fn what_is_wrong_gets_a_position_and_what_is_missing_its_name() {
    let fault = |text: &str| read(text).unwrap_err();
    assert_eq!(
        fault("name eqq 'x'"),
        Fault::Query("Syntax error at position 5 in 'name eqq 'x''.".to_owned())
    );
    for wrong in [
        "",
        "name",
        "name eq",
        "(name eq 1",
        "name eq 'x",
        "eq 1",
        "name eq 1 and",
        "name eq 1)",
        "é",
    ] {
        assert!(matches!(fault(wrong), Fault::Query(_)), "{wrong}");
    }
    assert!(matches!(fault("$it/name eq 'x'"), Fault::NotSimulated(_)));
    for missing in ["a add 1 eq 2", "a has 'x'", "a in ('x','y')"] {
        assert!(fault(missing).to_string().contains("is not supported"), "{missing}");
    }
    assert!(matches!(fault("year(createdon) eq 2026"), Fault::Query(_)));
}

#[test]
fn ten_thousand_parentheses_are_an_error_and_ten_thousand_conditions_are_not() {
    let deep = format!("{}a eq 1{}", "(".repeat(10_000), ")".repeat(10_000));
    assert_eq!(
        read(&deep),
        Err(Fault::Query("Recursion depth exceeded allowed limit.".to_owned()))
    );
    assert!(read(&"not ".repeat(10_000)).is_err());
    assert!(read(&"(".repeat(10_000)).is_err());
    let long = vec!["a eq 1"; 10_000].join(" and ");
    assert!(matches!(read(&long), Ok(Filter::And(parts)) if parts.len() == 10_000));
}

#[test]
fn aliases_stand_for_their_values_and_for_null_without_one() {
    assert_eq!(printed("name eq @p1"), "name eq 'aliased'");
    assert_eq!(printed("name eq @p2"), "name eq null");
}

#[test]
fn text_functions_may_be_compared_with_yes_and_no() {
    assert_eq!(printed("contains(name,'x') eq true"), "contains(name,'x')");
    assert_eq!(printed("contains(name,'x') eq false"), "not (contains(name,'x'))");
    assert_eq!(
        printed("startswith(name,'x') ne true and a eq 1"),
        printed("not startswith(name,'x') and a eq 1")
    );
}

#[test]
fn lambdas_and_query_functions_are_read_with_what_they_take() {
    let Ok(Filter::Lambda { path, all, inner }) = read("a/rows/any(o:o/name eq 'x' or o/b gt 2)") else {
        panic!("a lambda over a path");
    };
    assert_eq!((path.to_string().as_str(), all), ("a/rows", false));
    assert_eq!(inner.unwrap().0, "o");
    assert!(matches!(read("rows/any()"), Ok(Filter::Lambda { inner: None, .. })));
    let list = "Microsoft.Dynamics.CRM.In(PropertyName='a',PropertyValues=['x','y'])";
    assert_eq!(printed(list), list);
    let quoted = r#"Microsoft.Dynamics.CRM.In(PropertyName='a',PropertyValues=["it's", "a\"b,]"])"#;
    let Ok(Filter::Function {
        values: Values::List(values),
        ..
    }) = read(quoted)
    else {
        panic!("a list in double quotes");
    };
    assert_eq!(
        values,
        [Literal::Text("it's".to_owned()), Literal::Text("a\"b,]".to_owned())]
    );
    let aliases = Aliases::from([
        ("@p1".to_owned(), "'a'".to_owned()),
        ("@p2".to_owned(), "['x','y']".to_owned()),
    ]);
    let by_name = "Microsoft.Dynamics.CRM.In(PropertyName=@p1,PropertyValues=@p2)";
    assert_eq!(filter(by_name, &aliases).unwrap().to_string(), list);
    assert!(filter(by_name, &Aliases::new()).is_err());
    let one = "Microsoft.Dynamics.CRM.LastXDays(PropertyName='createdon',PropertyValue=7)";
    assert!(matches!(
        read(one),
        Ok(Filter::Function {
            values: Values::One(_),
            ..
        })
    ));
    for wrong in [
        "rows/all()",
        "rows/any(o)",
        "rows/any(o:)",
        "rows/any(1:1 eq 1)",
        "Microsoft.Dynamics.CRM.In(PropertyValues=['x'])",
        "Microsoft.Dynamics.CRM.In(PropertyName='a',Other=1)",
        "Microsoft.Dynamics.CRM.In(PropertyName='a',PropertyValues=['x')",
        "Microsoft.Dynamics.CRM.In(PropertyName='a',PropertyValues=[\"x])",
        "Microsoft.Dynamics.CRM.In(PropertyName='a',PropertyValues=[\"x\"y])",
    ] {
        assert!(matches!(read(wrong), Err(Fault::Query(_))), "{wrong}");
    }
}
