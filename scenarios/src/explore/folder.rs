//! A campaign on disk: what it is, how far it is, what failed. It can be gone on with, and nobody else's folder is written
//! into.
//!
//! `campaign.json` says what is explored, `runs.jsonl` grows by a line for each failure and each stretch of runs,
//! `failures/*.yaml` are scenarios, `summary.json` is written at the end and whenever somebody stops it.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::campaign::{Campaign, Failure};
use super::draft::quoted;

/// The version of the files. It rises when what they mean changes.
const FORMAT: u32 = 1;

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It cannot be written.
    #[error("the folder {path} cannot be written: {source}")]
    Unwritable {
        /// The folder or file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// It holds something that is no campaign.
    #[error("the folder {0} holds something else; name an empty or a new one")]
    Foreign(PathBuf),
    /// It holds a campaign with other choices.
    #[error(
        "the folder {path} holds another campaign ({found}); name another folder, or repeat its choices to go on with it"
    )]
    Other {
        /// The folder.
        path: PathBuf,
        /// Its choices.
        found: String,
    },
    /// It holds a campaign of another version, whose seeds mean other histories.
    #[error("the folder {path} holds a campaign of version {found}, this is {}: its seeds mean other histories", env!("CARGO_PKG_VERSION"))]
    Version {
        /// The folder.
        path: PathBuf,
        /// Its version.
        found: String,
    },
}

/// What a campaign is, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Identity {
    format: u32,
    version: String,
    first: u64,
    end: Option<u64>,
    crms: Vec<crate::scenario::Crm>,
    profile: String,
    uniform: bool,
    planted: Option<String>,
}

impl Identity {
    fn of(campaign: &Campaign) -> Self {
        Self {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            first: campaign.first,
            end: campaign.end,
            crms: campaign.crms.clone(),
            profile: campaign.profile.name().to_owned(),
            uniform: campaign.uniform,
            planted: campaign.planted.clone(),
        }
    }

    fn words(&self) -> String {
        let end = self.end.map_or_else(String::new, |end| end.to_string());
        let crms: Vec<&str> = self.crms.iter().map(|crm| crm.name()).collect();
        let (first, profile) = (self.first, &self.profile);
        format!("seeds {first}..{end}, profile {profile}, {}", crms.join(" and "))
    }
}

/// Failures of one shape.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// The invariant.
    pub code: String,
    /// The steps that are left.
    pub shape: String,
    /// What was found first.
    pub text: String,
    /// The first seed.
    pub seed: u64,
    /// The CRM.
    pub crm: crate::scenario::Crm,
    /// How many steps are left.
    pub steps: usize,
    /// How many runs failed so.
    pub times: u64,
    /// The scenario's file, where one was written.
    pub file: Option<String>,
}

/// How far a campaign is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// All runs below this number are done.
    pub done: u64,
    /// Messages so far.
    pub exchanges: u64,
    /// Virtual seconds so far.
    pub virtual_seconds: i64,
    /// Failures by shape.
    pub groups: BTreeMap<String, Group>,
    /// What the simulators refused, and how often.
    pub missing: BTreeMap<String, u64>,
}

impl Progress {
    /// Counts a failure; whether it is the first of its shape.
    pub fn fail(&mut self, failure: &Failure) -> bool {
        let shape = failure.shape();
        if let Some(group) = self.groups.get_mut(&shape) {
            group.times += 1;
            return false;
        }
        let group = Group {
            code: failure.finding.code.name().to_owned(),
            shape: shape.clone(),
            text: failure.finding.text.clone(),
            seed: failure.seed,
            crm: failure.crm,
            steps: failure.draft.steps.len(),
            times: 1,
            file: None,
        };
        self.groups.insert(shape, group);
        true
    }
}

/// A campaign's folder.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    lines: fs::File,
}

impl Folder {
    /// Opens a folder for a campaign: a new one, an empty one, or one that holds this campaign, with what it has done.
    pub fn open(path: &Path, campaign: &Campaign) -> Result<(Self, Progress), FolderError> {
        let unwritable = |path: &Path| {
            let path = path.to_path_buf();
            move |source| FolderError::Unwritable { path, source }
        };
        fs::create_dir_all(path.join("failures")).map_err(unwritable(path))?;
        let identity = Identity::of(campaign);
        let file = path.join("campaign.json");
        let mut progress = Progress::default();
        if file.exists() {
            progress = known(path, &file, &identity)?;
        } else {
            let others = fs::read_dir(path).map_err(unwritable(path))?;
            let others = others
                .filter_map(Result::ok)
                .filter(|entry| entry.file_name() != "failures");
            if others.count() > 0 {
                return Err(FolderError::Foreign(path.to_path_buf()));
            }
            let text = serde_json::to_string_pretty(&identity).unwrap_or_default();
            fs::write(&file, text + "\n").map_err(unwritable(&file))?;
        }
        let lines = path.join("runs.jsonl");
        let opened = fs::OpenOptions::new().create(true).append(true).open(&lines);
        let folder = Self {
            path: path.to_path_buf(),
            lines: opened.map_err(unwritable(&lines))?,
        };
        Ok((folder, progress))
    }

    /// Writes a failure's scenario; gives the file's name.
    pub fn failure(&mut self, failure: &Failure, profile: &str) -> Result<PathBuf, FolderError> {
        let shape = failure.shape();
        let hash = shape.bytes().fold(0xcbf2_9ce4_u32, |hash, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        });
        let name = format!("{}-{}-{hash:08x}.yaml", failure.finding.code.name(), failure.crm.name());
        let path = self.path.join("failures").join(name);
        fs::write(&path, scenario_of(failure, profile)).map_err(|source| FolderError::Unwritable {
            path: path.clone(),
            source,
        })?;
        Ok(path)
    }

    /// Adds a line about how far it is, and keeps the summary.
    pub fn keep(&mut self, progress: &Progress, line: &serde_json::Value) -> Result<(), FolderError> {
        let failed = |source| FolderError::Unwritable {
            path: self.path.clone(),
            source,
        };
        writeln!(self.lines, "{line}").map_err(failed)?;
        let text = serde_json::to_string_pretty(progress).unwrap_or_default();
        // Whoever is interrupted while it is written leaves the old one.
        let (new, whole) = (self.path.join("summary.json.new"), self.path.join("summary.json"));
        fs::write(&new, text + "\n").map_err(failed)?;
        fs::rename(&new, &whole).map_err(failed)
    }
}

/// What a folder knows of this campaign.
fn known(path: &Path, file: &Path, identity: &Identity) -> Result<Progress, FolderError> {
    let found = fs::read_to_string(file).map_err(|source| FolderError::Unwritable {
        path: file.to_path_buf(),
        source,
    })?;
    let foreign = || FolderError::Foreign(path.to_path_buf());
    let found: Identity = serde_json::from_str(&found).map_err(|_| foreign())?;
    if found.version != identity.version || found.format != identity.format {
        return Err(FolderError::Version {
            path: path.to_path_buf(),
            found: found.version,
        });
    }
    if found != *identity {
        return Err(FolderError::Other {
            path: path.to_path_buf(),
            found: found.words(),
        });
    }
    let summary = path.join("summary.json");
    match fs::read_to_string(summary) {
        Ok(text) => serde_json::from_str(&text).map_err(|_| foreign()),
        Err(_) => Ok(Progress::default()),
    }
}

/// A title that the language takes: a finding may quote a whole URL.
fn short_title(text: &str) -> String {
    const LONGEST: usize = 160;
    let mut title: String = text.chars().take(LONGEST).collect();
    if title.len() < text.len() {
        title.push('…');
    }
    title
}

/// The scenario file of a failure.
pub fn scenario_of(failure: &Failure, profile: &str) -> String {
    let mut draft = failure.draft.clone();
    draft.title = short_title(&failure.finding.text);
    let compared = failure
        .finding
        .expected
        .as_deref()
        .zip(failure.finding.actual.as_deref());
    let compared = compared.map_or_else(String::new, |(expected, actual)| {
        format!("# expected {}, found {}\n", quoted(expected), quoted(actual))
    });
    format!(
        "# Found by `cosell explore --profile {profile}`, seed {}, version {}. It fails with `{}`:\n\
         # `cosell run` on this file shows it, and passes once the defect is gone.\n{compared}{}",
        failure.seed,
        env!("CARGO_PKG_VERSION"),
        failure.finding.code.name(),
        draft.text()
    )
}
