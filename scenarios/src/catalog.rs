//! The scenarios that come with the binary, grouped in folders by the promise that they test.
//!
//! Paths begin with `catalog/`, as in the sources; nothing is read from the disk.

/// Path and text of every file, sorted by path.
pub const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/catalog.rs"));

/// The files of a folder or the file of a path; all of them for `catalog`.
pub fn under(path: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let path = path.trim_end_matches('/').to_owned();
    FILES.iter().copied().filter(move |(name, _)| {
        name.strip_prefix(path.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::diagnostic::{Sources, Style, render};
    use crate::scenario::file::parse;

    #[test]
    fn every_scenario_of_the_catalog_is_in_order_and_titled_once() {
        let mut titles = BTreeSet::new();
        for (path, text) in FILES {
            let scenario = parse(path, text).unwrap_or_else(|diagnostics| {
                let mut sources = Sources::default();
                sources.add(path, text);
                panic!("\n{}", render(&diagnostics, &sources, Style::PLAIN))
            });
            assert!(titles.insert(scenario.title.clone()), "{path}: this title stands twice");
            assert!(
                scenario.title.starts_with(char::is_uppercase) && !scenario.title.ends_with('.'),
                "{path}"
            );
        }
        assert!(FILES.len() >= 20);
    }

    #[test]
    fn a_folder_of_the_catalog_is_all_that_lies_in_it() {
        assert_eq!(under("catalog").count(), FILES.len());
        assert_eq!(under("catalog/canary/").count(), 2);
        assert_eq!(under("catalog/canary/this-one-must-fail.yaml").count(), 1);
        assert_eq!(under("catalog/cana").count(), 0);
    }
}
