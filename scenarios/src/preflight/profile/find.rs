//! A profile by its name: where it is looked for, and what is told when it is not there.

use std::path::{Path, PathBuf};

use super::Profile;
use crate::diagnostic::nearest;

/// Why there is no profile.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// No such file.
    #[error("there is no profile `{name}`{near}")]
    Missing {
        /// What was asked for.
        name: String,
        /// A name that is there, as an end of the sentence.
        near: String,
    },
    /// The file cannot be read.
    #[error("the profile {} cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the machine says.
        source: std::io::Error,
    },
    /// The file is not in order.
    #[error("the profile {} is not in order: {why}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What is wrong, with its line.
        why: String,
    },
}

impl ProfileError {
    /// What to do.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Missing { .. } | Self::Unreadable { .. } => {
                "`cosell new profile PRESET FILE` makes one; `cosell preflight --example` prints every key"
            }
            Self::Wrong { .. } => "`cosell preflight --example` prints a profile with every key",
        }
    }
}

/// The folder in which profiles are looked for besides the one at hand.
const FOLDER: &str = "profiles";

/// The file behind a name: a path, or `NAME.toml` here or in `profiles`.
fn file_of(name: &Path) -> Option<PathBuf> {
    let ending = |path: PathBuf| {
        let mut path = path.into_os_string();
        path.push(".toml");
        PathBuf::from(path)
    };
    let beside = Path::new(FOLDER).join(name);
    [name.to_owned(), ending(name.to_owned()), beside.clone(), ending(beside)]
        .into_iter()
        .find(|path| path.is_file())
}

/// Names of profiles that could have been meant.
fn known() -> Vec<String> {
    let entries = [Path::new("."), Path::new(FOLDER)]
        .into_iter()
        .filter_map(|folder| std::fs::read_dir(folder).ok())
        .flat_map(|entries| entries.flatten().take(1_000));
    let mut names: Vec<String> = entries
        .filter_map(|entry| Some(entry.file_name().to_str()?.strip_suffix(".toml")?.to_owned()))
        .collect();
    names.sort();
    names
}

/// The profile of that name: a file, or `NAME.toml` in this folder or in `profiles`.
///
/// # Errors
/// No such file, or what is wrong with it.
pub fn load(name: &Path) -> Result<Profile, ProfileError> {
    let Some(path) = file_of(name) else {
        let known = known();
        let wanted = name.display().to_string();
        let near = nearest(wanted.trim_end_matches(".toml"), known.iter().map(String::as_str));
        return Err(ProfileError::Missing {
            name: wanted,
            near: near.map_or_else(String::new, |near| format!("; did you mean `{near}`?")),
        });
    };
    let text = std::fs::read_to_string(&path).map_err(|source| ProfileError::Unreadable {
        path: path.clone(),
        source,
    })?;
    Profile::parse(&text).map_err(|why| ProfileError::Wrong { path, why })
}
