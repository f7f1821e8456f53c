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
    use super::*;

    #[test]
    fn a_folder_of_the_catalog_is_all_that_lies_in_it() {
        assert_eq!(under("catalog").count(), FILES.len());
        assert_eq!(under("catalog/canary/").count(), 4);
        assert_eq!(under("catalog/canary/this-one-must-fail.yaml").count(), 1);
        assert_eq!(under("catalog/cana").count(), 0);
    }
}
