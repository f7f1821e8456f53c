//! What happened in a run, in order: the one thing that invariants, verdicts and reports read.
//!
//! A trace is plain data. It can be saved, sent, and judged or rendered again without running anything.

use std::collections::BTreeMap;

use cosell_sim::happening::Row;
use cosell_sim::site::Site;
use cosell_sim::world::observation::Observed;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::record::Columns;
use crate::scenario::Crm;

/// The version of the saved form. It rises with each field that is added.
pub const FORMAT: u32 = 6;

/// A whole run.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// What was run.
    pub header: Header,
    /// What happened, in order.
    pub entries: Vec<Entry>,
}

/// What was run, and with which choices: all that a second run needs to be the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// [`FORMAT`] of the program that wrote it.
    pub format: u32,
    /// The version of that program.
    pub version: String,
    /// The scenario's title.
    pub title: String,
    /// The scenario's file, as it was named on the command line.
    pub path: String,
    /// The CRM.
    pub crm: Crm,
    /// The seed.
    pub seed: u64,
    /// The name of the on-hold stage in the CRM.
    pub on_hold_stage: String,
    /// The CRM's names for what is configured; the standard ones when the trace says none.
    #[serde(default)]
    pub columns: Option<Columns>,
    /// The profile of field directions: `overview`, or `documented-` with the year of an edition.
    pub profile: String,
    /// Whether the connector was to mark names.
    pub display_check_mark: bool,
    /// Whether only co-sell and pipeline-sharing deals go from Partner Center to the CRM.
    pub sync_cosell_only: bool,
    /// Fields with a policy of their own, by the names of the language: who wins when both sides changed one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub conflicts: BTreeMap<String, String>,
    /// Fields with a direction of their own, by the names of the language.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub directions: BTreeMap<String, String>,
    /// Whether what was edited on hold is dropped when the deal leaves it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub drops_edits_on_hold: bool,
    /// The reasons for closing a referral that the settings name, by the substatus in small letters: `won`, `lost`, `declined`.
    /// Empty for a connector whose settings are not known.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reasons: BTreeMap<String, String>,
    /// How many letters the Audit trail may have; the connector's own limit when the trace says none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit_limit: Option<u32>,
    /// The deliberately broken variant of the connector that ran, if any.
    pub planted: Option<String>,
    /// The text of the scenario and of the parts that it may include, by path: in saved traces, so that they can be judged
    /// and shown anywhere.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sources: BTreeMap<String, String>,
    /// Whether the connector was somebody else's process, of which only the calls were seen.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub external: bool,
    /// Whether a proxy recorded it between a connector and systems whose rows nobody sees: only the calls are judged.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recorded: bool,
    /// The options of the command line with which somebody else's connector was run.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub options: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Virtual time.
    pub at: Timestamp,
    /// What it was.
    pub what: What,
}

/// Everything that can happen in a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// A step of the scenario began.
    Step {
        /// Its number, from 0.
        step: usize,
        /// The words that name it in the file.
        verb: String,
        /// The deal that it is about, by its symbolic name.
        deal: Option<String>,
        /// Further words: fields, durations.
        detail: String,
    },
    /// The world saw something.
    Observed(Observed),
    /// A symbolic deal name now stands for a record.
    Named {
        /// The name in the scenario.
        deal: String,
        /// Where the record is stored.
        site: Site,
        /// The record's identifier.
        id: String,
    },
    /// A system refused what a person tried in a step.
    ActRefused {
        /// The step's number.
        step: usize,
        /// The HTTP status.
        status: u16,
        /// The vendor's answer.
        body: String,
    },
    /// The reference connector made a coded choice.
    Decided(Box<Decided>),
    /// What a step put off happened, at a call of the connector.
    AtCall {
        /// The step's number.
        step: usize,
        /// The call's number.
        exchange: u64,
    },
    /// A round of settling ended: so many writes left the connector in it.
    SettleRound {
        /// The round's number, from 1.
        round: u32,
        /// The connector's writes in it.
        writes: u32,
    },
    /// The run was quiet for a whole round.
    Settled,
    /// The run never became quiet within the bound.
    NeverSettled {
        /// How many rounds were tried.
        rounds: u32,
    },
    /// A bound of the harness was hit.
    BoundHit {
        /// Its name.
        bound: String,
    },
    /// A step of the scenario cannot be done with a connector that is somebody else's process.
    CannotBeDone {
        /// The step's number.
        step: usize,
        /// The words that name it in the file.
        verb: String,
        /// Why.
        why: String,
    },
    /// Something is wrong with the process of somebody else's connector itself.
    Process {
        /// What, as a sentence without its full stop.
        trouble: String,
    },
    /// The run never began: something that the scenario names was refused before the first step.
    NeverBegan {
        /// The key of the scenario's file that it is about, such as `settings` or `settings.audit limit`.
        part: String,
        /// Who refused what, as a sentence without its full stop.
        why: String,
    },
    /// The named flows that ran in the connector's process since the last such entry, and how often.
    FlowRuns {
        /// By the flow's name in scenarios.
        counts: BTreeMap<String, u64>,
    },
    /// Every stored row: at the start, what a new system holds; at the end, what has become of it.
    Stored {
        /// The rows of both sides.
        rows: Vec<Row>,
    },
}

/// A coded choice of the reference connector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decided {
    /// The code, such as `conflict.pc_wins`.
    pub code: String,
    /// The referral, when it is about one.
    pub referral: Option<String>,
    /// The opportunity, when it is about one.
    pub opportunity: Option<String>,
    /// The field, when it is about one.
    pub field: Option<String>,
    /// In words.
    pub detail: String,
}

/// Why a saved trace cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The file has no header line.
    #[error("the trace is empty")]
    Empty,
    /// A line is not what this version writes.
    #[error("line {line} of the trace cannot be read")]
    Line {
        /// The line's number, from 1.
        line: usize,
        /// What the decoder says.
        source: serde_json::Error,
    },
    /// A newer program wrote it.
    #[error("version {version} of cosell wrote it, in format {found}; this one reads up to {FORMAT}")]
    Newer {
        /// The format found.
        found: u32,
        /// The program's version.
        version: String,
    },
    /// The end of the run is not in it.
    #[error("it breaks off after line {line}, before the end of the run")]
    BreaksOff {
        /// The number of its last line, from 1.
        line: usize,
    },
}

impl Trace {
    /// The saved form: JSON lines, the header first. The same run gives the same bytes.
    pub fn to_json_lines(&self) -> Result<String, serde_json::Error> {
        self.json_lines_under(&self.header)
    }

    /// The same under another header: one that holds the scenario.
    pub fn json_lines_under(&self, header: &Header) -> Result<String, serde_json::Error> {
        let mut text = serde_json::to_string(header)?;
        text.push('\n');
        for entry in &self.entries {
            text.push_str(&serde_json::to_string(entry)?);
            text.push('\n');
        }
        Ok(text)
    }

    /// Reads the saved form.
    pub fn from_json_lines(text: &str) -> Result<Self, TraceError> {
        let mut lines = text.lines().enumerate();
        let (_, first) = lines.next().ok_or(TraceError::Empty)?;
        let in_first = |source| TraceError::Line { line: 1, source };
        // A newer header may have keys, or lack keys, of which this version knows nothing: its number comes first.
        let made: Made = serde_json::from_str(first).map_err(in_first)?;
        if made.format > FORMAT {
            let (found, version) = (made.format, made.version);
            return Err(TraceError::Newer { found, version });
        }
        let header: Header = serde_json::from_str(first).map_err(in_first)?;
        let entries: Vec<Entry> = lines
            .map(|(index, line)| {
                serde_json::from_str(line).map_err(|source| TraceError::Line {
                    line: index + 1,
                    source,
                })
            })
            .collect::<Result<_, _>>()?;
        let trace = Self { header, entries };
        if trace.is_whole() {
            Ok(trace)
        } else {
            let line = trace.entries.len() + 1;
            Err(TraceError::BreaksOff { line })
        }
    }

    /// Whether the end is there: without it nothing could be found wrong in what was cut away, and every judgement would be
    /// too kind. A recorded trace ends when somebody stops the proxy.
    fn is_whole(&self) -> bool {
        match self.entries.last().map(|entry| &entry.what) {
            _ if self.header.recorded => true,
            Some(What::Stored { .. }) => self.entries.len() > 1,
            Some(What::NeverBegan { .. } | What::CannotBeDone { .. } | What::BoundHit { .. }) => true,
            _ => false,
        }
    }
}

/// Who wrote a trace: the part of a header that every version has.
#[derive(Deserialize)]
struct Made {
    format: u32,
    #[serde(default)]
    version: String,
}
