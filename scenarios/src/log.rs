//! The story of a run, one line an event: time, who, what, deal, fields, outcome.
//!
//! It shows what changed and what went wrong. Reads that worked are left out, repeated lines are folded, and bodies are
//! in the trace.

#![expect(clippy::wildcard_enum_match_arm, reason = "reads few of the many kinds of entries")]

use cosell_sim::happening::{Commit, CommitKind};
use cosell_sim::network::wire::WireRequest;
use cosell_sim::site::Site;
use cosell_sim::world::observation::Observed;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

use crate::board::Board;
use crate::record::is_microsoft_side;
use crate::trace::{Decided, Entry, Trace, What};

/// How many lines a log has at most; the rest is counted.
const LINES_MAX: usize = 200;

/// Writes the log of a trace.
pub fn lines(trace: &Trace) -> Vec<String> {
    let mut log = Log {
        board: Board::new(&trace.header),
        writes: BTreeMap::new(),
        deliveries: BTreeMap::new(),
        lines: Vec::new(),
    };
    let start = trace.entries.first().map_or(Timestamp::UNIX_EPOCH, |entry| entry.at);
    for entry in &trace.entries {
        log.board.apply(entry);
        if let Some((who, text)) = log.line(entry) {
            log.add(&offset(entry.at.duration_since(start)), who, &text);
        }
    }
    log.finish()
}

/// The last lines about a deal up to a moment: what was written, refused or lost. Of what happens at that very moment, what a
/// later step than the one that asks does comes after it.
pub fn last_about(trace: &Trace, deal: &str, until: Timestamp, asking: Option<usize>, count: usize) -> Vec<String> {
    let later = |entry: &Entry| {
        let after = |step: usize| asking.is_some_and(|asking| step > asking);
        entry.at > until || entry.at == until && matches!(entry.what, What::Step { step, .. } if after(step))
    };
    let before = trace.entries.iter().take_while(|entry| !later(entry));
    let start = trace.entries.first().map_or(Timestamp::UNIX_EPOCH, |entry| entry.at);
    let mut log = Log {
        board: Board::new(&trace.header),
        writes: BTreeMap::new(),
        deliveries: BTreeMap::new(),
        lines: Vec::new(),
    };
    let mut last: Vec<String> = Vec::new();
    for entry in before {
        log.board.apply(entry);
        let Some((who, text)) = log.line(entry) else { continue };
        let about = text.split([' ', ':', ',']).any(|word| word == deal);
        if about && who != "scenario" {
            last.push(format!("{}  {who}: {text}", offset(entry.at.duration_since(start))));
        }
    }
    let from = last.len().saturating_sub(count);
    last.split_off(from)
}

/// A decision in words: its code, the deal, and the field.
pub(crate) fn decided(board: &Board, code: &str, id: Option<&str>, field: Option<&str>) -> String {
    let deal = id.map_or_else(String::new, |id| format!(" {}", board.name_of(id)));
    let field = field.map_or_else(String::new, |field| format!(" ({field})"));
    format!("{code}{deal}{field}")
}

struct Log {
    board: Board,
    /// Writes of the connector that are under way.
    writes: BTreeMap<u64, String>,
    /// Event and referral of the deliveries that reached the connector.
    deliveries: BTreeMap<u64, String>,
    /// Who, text, time of the first, how often.
    lines: Vec<(String, String, String, u32)>,
}

impl Log {
    fn add(&mut self, time: &str, who: &str, text: &str) {
        match self.lines.last_mut() {
            Some((last_who, last_text, _, times)) if last_who == who && last_text == text => *times += 1,
            _ => self.lines.push((who.to_owned(), text.to_owned(), time.to_owned(), 1)),
        }
    }

    fn finish(self) -> Vec<String> {
        let total = self.lines.len();
        let shown = self
            .lines
            .into_iter()
            .take(if total > LINES_MAX { LINES_MAX - 1 } else { total });
        let mut lines: Vec<String> = shown
            .map(|(who, text, time, times)| {
                let times = if times > 1 {
                    format!("  (x {times})")
                } else {
                    String::new()
                };
                format!("{time:>13}  {who:<14}  {text}{times}")
            })
            .collect();
        if total > LINES_MAX {
            lines.push(format!("… and {} more lines", total - LINES_MAX + 1));
        }
        lines
    }

    fn line(&mut self, entry: &Entry) -> Option<(&'static str, String)> {
        match &entry.what {
            What::Step { verb, deal, detail, .. } => {
                let words = [verb.as_str(), deal.as_deref().unwrap_or_default(), detail.as_str()];
                Some((
                    "scenario",
                    words
                        .iter()
                        .filter(|word| !word.is_empty())
                        .copied()
                        .collect::<Vec<_>>()
                        .join(" "),
                ))
            }
            What::Observed(observed) => self.observed(observed),
            What::ActRefused { status, body, .. } => Some(("scenario", format!("refused: {status} {}", short(body)))),
            What::Decided(choice) => {
                let Decided {
                    code,
                    referral,
                    opportunity,
                    field,
                    detail,
                } = &**choice;
                let id = opportunity.as_deref().or(referral.as_deref());
                let decided = decided(&self.board, code, id, field.as_deref());
                // What went wrong is worth its words; the other codes speak for themselves.
                let wrong = [".failed", ".refused", ".later", ".denied"]
                    .iter()
                    .any(|end| code.ends_with(end));
                let why = if wrong {
                    format!(": {}", short(detail))
                } else {
                    String::new()
                };
                Some(("connector", format!("decides {decided}{why}")))
            }
            What::Settled => Some(("scenario", "settled".to_owned())),
            What::NeverSettled { rounds } => Some(("scenario", format!("never settled in {rounds} rounds"))),
            What::BoundHit { bound } => Some(("scenario", format!("cut off: {bound}"))),
            What::CannotBeDone { verb, why, .. } => Some(("scenario", format!("cannot do `{verb}`: {why}"))),
            What::Process { trouble } => Some(("connector", trouble.clone())),
            What::NeverBegan { why, .. } => Some(("scenario", format!("never began: {why}"))),
            What::AtCall { step, .. } => Some(("scenario", format!("at this call: what step {} says", step + 1))),
            What::Named { .. } | What::SettleRound { .. } | What::FlowRuns { .. } | What::Stored { .. } => None,
        }
    }

    fn observed(&mut self, observed: &Observed) -> Option<(&'static str, String)> {
        match observed {
            Observed::Sent {
                exchange,
                site,
                request,
                ..
            } if request.method != "GET" && *site != Site::Entra => {
                let text = self.write(request);
                self.writes.insert(*exchange, text);
                None
            }
            Observed::Replied { exchange, response, .. } => {
                let write = self.writes.remove(exchange)?;
                (response.status >= 300).then(|| ("connector", format!("{write} -> {}", response.status)))
            }
            Observed::Lost { exchange, .. } => {
                let write = self.writes.get(exchange)?;
                Some(("network", format!("{write} -> lost")))
            }
            Observed::Committed { commit, .. } => Some((commit.site.name(), self.commit(commit)?)),
            Observed::Refused { refusal, .. } => Some((
                refusal.site.name(),
                format!("does not simulate {}: {}", refusal.missing, refusal.request),
            )),
            Observed::Lapsed { lapse, .. } => Some((lapse.site.name(), format!("{}: {}", lapse.what, lapse.request))),
            Observed::Delivering {
                delivery,
                event,
                request,
                ..
            } => {
                let id = request
                    .body
                    .json()
                    .and_then(|body| body["ResourceUri"].as_str().map(str::to_owned));
                let id = id.unwrap_or_default();
                let deal = self.board.name_of(id.rsplit('/').next().unwrap_or_default());
                self.deliveries.insert(*delivery, format!("webhook {event} {deal}"));
                None
            }
            Observed::Delivered { delivery, status, .. } => {
                let webhook = self.deliveries.get(delivery).map_or("webhook", String::as_str);
                let outcome = status.map_or_else(|| "lost".to_owned(), |status| status.to_string());
                Some(("partner-center", format!("{webhook} -> {outcome}")))
            }
            Observed::DeliveryAbandoned { event, .. } => Some(("partner-center", format!("webhook {event} abandoned"))),
            Observed::ConnectorDown => Some(("connector", "stopped".to_owned())),
            Observed::ConnectorUp => Some(("connector", "started".to_owned())),
            Observed::Healed => Some(("scenario", "healed".to_owned())),
            Observed::BoundHit { bound, .. } => Some(("network", format!("bound hit: {bound:?}"))),
            Observed::CarrierBroke { error, .. } => Some(("network", format!("the carrier broke: {error}"))),
            _ => None,
        }
    }

    fn write(&self, request: &WireRequest) -> String {
        let path = request
            .url
            .split_once("://")
            .map_or(request.url.as_str(), |(_, rest)| rest);
        let path = path
            .split_once('/')
            .map_or("", |(_, path)| path)
            .split('?')
            .next()
            .unwrap_or_default();
        let words: Vec<&str> = path
            .split(['/', '(', ')'])
            .filter(|word| !word.is_empty())
            .skip_while(|word| !word.contains("referrals") && !word.contains("sobjects") && !word.starts_with("v9"))
            .filter(|word| !matches!(*word, "sobjects") && !word.starts_with("v9"))
            .map(|word| self.board.name_of(word))
            .collect();
        format!(
            "{} {}",
            request.method,
            if words.is_empty() {
                path.to_owned()
            } else {
                words.join(" ")
            }
        )
    }

    fn commit(&self, commit: &Commit) -> Option<String> {
        let verb = match commit.kind {
            CommitKind::Created => "created",
            CommitKind::Updated if commit.changes.is_empty() => return None,
            CommitKind::Updated => "updated",
            CommitKind::Deleted => "deleted",
        };
        let record = self.board.book.referrals.get(&commit.id);
        let table = if record.is_some_and(is_microsoft_side) {
            "Microsoft's referral"
        } else {
            commit.table.as_str()
        };
        let known = record.is_some() || self.board.book.opportunities.contains_key(&commit.id);
        let deal = if known {
            format!(" {}", self.board.name_of(&commit.id))
        } else {
            String::new()
        };
        let fields = match commit.kind {
            CommitKind::Updated => {
                let fields = commit
                    .changes
                    .iter()
                    .map(|change| change.field.rsplit('/').next().unwrap_or_default());
                format!(": {}", fields.collect::<Vec<_>>().join(", "))
            }
            CommitKind::Created | CommitKind::Deleted => String::new(),
        };
        Some(format!("{table}{deal} {verb} by {}{fields}", commit.actor))
    }
}

/// Time since the start as `2d 04:05:06.789`.
fn offset(since: SignedDuration) -> String {
    let millis = since.as_millis();
    let (days, rest) = (millis / 86_400_000, millis % 86_400_000);
    let (hours, minutes, seconds) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60);
    let days = if days > 0 { format!("{days}d ") } else { String::new() };
    format!("{days}{hours:02}:{minutes:02}:{seconds:02}.{:03}", rest % 1000)
}

/// The first line of a body, cut to a readable length.
fn short(body: &str) -> String {
    let line = body.lines().next().unwrap_or_default();
    let cut: String = line.chars().take(120).collect();
    if cut.len() < line.len() {
        format!("{cut}…")
    } else {
        cut
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_written_as_days_and_a_clock() {
        assert_eq!(offset(SignedDuration::from_millis(45)), "00:00:00.045");
        assert_eq!(offset(SignedDuration::from_secs(2 * 86_400 + 61)), "2d 00:01:01.000");
    }
}
