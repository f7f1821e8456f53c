//! What the compiled-in tables promise to everything that reads them.

use super::*;
use crate::dataverse::Settings;

#[test]
fn lookups_are_read_under_their_value_name_and_bound_under_their_navigation_property() {
    let model = Model::standard();
    let opportunity = model.by_set("opportunities").unwrap();
    assert!(opportunity.column("customerid").is_none());
    let column = opportunity.expect("_customerid_value");
    let (bound, way) = opportunity.navigation("customerid_contact").unwrap();
    assert_eq!((column, &*way.target), (bound, "contact"));
    let solution = model.by_set("msft_partnercentersolutions").unwrap();
    assert!(solution.navigation("msft_Opportunity").is_some());
    assert!(
        solution.navigation("msft_opportunity").is_none(),
        "names of custom lookups are case-sensitive"
    );
    let owners: Vec<&str> = opportunity.ways("ownerid").map(|(_, way)| &*way.target).collect();
    assert_eq!(owners, ["systemuser", "team"]);
}

#[test]
fn every_money_column_has_its_base_twin_right_behind_it() {
    for table in Model::standard().tables() {
        for (at, column) in table.columns.iter().enumerate() {
            if matches!(column.kind, Kind::Money { .. }) {
                assert_eq!(table.columns[at + 1].wire, format!("{}_base", column.name));
                assert!(table.system.currency.is_some());
            }
        }
    }
}

#[test]
fn every_lookup_is_a_collection_on_the_other_side() {
    let model = Model::standard();
    let account = model.expect("account");
    let deals = &account.collections["opportunity_customer_accounts"];
    let opportunity = model.expect("opportunity");
    assert_eq!(deals.table, opportunity.index);
    assert_eq!(deals.via, Via::Lookup(opportunity.expect("_customerid_value")));
    let roles = &model.expect("systemuser").collections["systemuserroles_association"];
    assert_eq!(roles.table, model.expect("role").index);
    assert!(matches!(roles.via, Via::Intersect { .. }));
    assert!(
        model
            .expect("role")
            .collections
            .contains_key("systemuserroles_association")
    );
}

#[test]
fn no_name_of_a_table_stands_twice() {
    let model = Model::standard();
    for table in model.tables() {
        let mut names: Vec<&str> = table.columns.iter().map(|column| &*column.wire).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count, "{}", table.logical);
        assert_eq!(table.columns.len(), count);
        let has_name = table.primary_name.is_some();
        assert!(has_name || table.intersect, "{} has a primary name", table.logical);
    }
    let mut relationships: Vec<(&str, usize)> = Vec::new();
    for table in model.tables() {
        for (at, column) in table.columns.iter().enumerate() {
            let mut own: Vec<&str> = column.navigations.iter().map(|way| &*way.relationship).collect();
            own.dedup();
            relationships.extend(own.into_iter().map(|name| (name, table.index * 1_000 + at)));
        }
    }
    relationships.sort_unstable();
    for pair in relationships.windows(2) {
        assert_ne!(pair[0].0, pair[1].0, "a relationship's name stands once");
    }
}

#[test]
fn the_solutions_table_can_be_named_anew_with_its_columns() {
    let settings = Settings {
        solutions_table: "abc_cosellsolution".to_owned(),
        ..Settings::default()
    };
    let model = Model::of(&settings);
    let table = model.by_set("abc_cosellsolutions").unwrap();
    assert!(model.by_logical(SOLUTIONS_TABLE).is_none());
    assert!(table.column("abc_solutionidentifier").is_some());
    assert!(table.column("_abc_opportunity_value").is_some());
    assert!(table.navigation("abc_Opportunity").is_some());
    assert_eq!(table.columns[0].name, "abc_cosellsolutionid");
    assert_eq!(table.columns[table.primary_name.unwrap()].name, "abc_name");
}

#[test]
fn alternate_keys_are_what_the_settings_say() {
    let model = Model::standard();
    let account = model.expect("account");
    let key = &account.keys[0];
    assert_eq!(key.columns, [account.expect("accountnumber")]);
    assert!(account.columns[key.columns[0]].indexed);
    assert!(model.expect("contact").keys.is_empty());
}
