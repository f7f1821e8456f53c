//! What every job works with: settings, deals, tokens, and how a call is made and its failure understood.
//!
//! It knows no deal's content.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};
use jiff::{SignedDuration, Timestamp};

use super::feed::Feeds;
use super::health::Health;
use super::solution_rows::SolutionRows;
use crate::board::{Board, Causes, due_key, record_key};
use crate::contract::{Decision, Memory, System};
use crate::engine::Engine;
use crate::flow::Flow;
use crate::flow::history::History;
use crate::flow::switches::Switches;
use crate::id::DealNumber;
use crate::planted::Planted;
use crate::record::Record;
use crate::settings::Settings;
use crate::system::dataverse::Currencies;
use crate::system::identity::{self, Audience, Token, read_token, token_request};
use crate::system::{Ask, Unreadable, error_text};

/// One request and its reply.
mod calls;

/// The cursor of the CRM's changes.
pub(crate) const CRM_CURSOR: &str = "crm";
/// The cursor of the CRM's changed solution rows.
pub(crate) const SOLUTIONS_CURSOR: &str = "solutions";
/// The cursor of Partner Center's changes.
pub(crate) const PC_CURSOR: &str = "pc";
/// Since when Partner Center may not show everything.
const DOUBT: &str = "doubt";

/// Why a job cannot go on.
#[derive(thiserror::Error, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It may work later. `unknown`: the call may have had its effect.
    #[error("{why}")]
    Passing {
        why: String,
        until: Option<Timestamp>,
        unknown: bool,
    },
    /// Somebody else changed the record since it was read.
    #[error("somebody else changed the record since it was read")]
    Raced,
    /// It exists already, or stands against something that does.
    #[error("it exists already, or stands against something that does")]
    Conflict,
    /// The record does not exist.
    #[error("the record does not exist")]
    Missing,
    /// There is no right to do it.
    #[error("{why}")]
    Denied { why: String },
    /// It cannot work until something changes.
    #[error("{why}")]
    Refused { why: String, by: Option<System> },
    /// A flow that it needs is off: the deal waits for it.
    #[error("the flow `{}` is off", flow.slug())]
    Off { flow: Flow },
    /// The opportunity lacks these pieces: a code and the text for Audit.
    #[error("the opportunity lacks something that Partner Center needs")]
    Incomplete { pieces: Vec<(&'static str, &'static str)> },
}

impl Trouble {
    pub(crate) fn refused(why: impl Into<String>) -> Self {
        Self::Refused {
            why: why.into(),
            by: None,
        }
    }

    /// Whether the call may have had its effect.
    pub(crate) fn is_unknown(&self) -> bool {
        matches!(self, Self::Passing { unknown: true, .. })
    }
}

impl Trouble {
    /// A write was answered by success in words that cannot be read: it has happened, and what it made is looked for.
    pub(crate) fn after_write(unreadable: &Unreadable) -> Self {
        Self::Passing {
            why: unreadable.to_string(),
            until: None,
            unknown: true,
        }
    }
}

impl From<Unreadable> for Trouble {
    fn from(unreadable: Unreadable) -> Self {
        match unreadable {
            // On the way something broke off: the call may have had its effect.
            Unreadable::Broken(_) => Self::after_write(&unreadable),
            Unreadable::Lacks(why) => Self::refused(why),
        }
    }
}

/// Nothing is sent to a system before its gate opens.
#[derive(Clone, Copy, Debug, Default)]
struct Gate {
    until: Option<Timestamp>,
    failures: u32,
}

/// The calls of Partner Center that were made on a day of UTC. It starts again with the process: the vendor's own answer is the
/// last word.
#[derive(Clone, Copy, Debug, Default)]
struct Spent {
    day: i64,
    calls: u64,
    /// Whether it was said that none are left.
    told: bool,
}

/// The switches of the flows and their run history.
#[derive(Debug, Default)]
pub(crate) struct Flows {
    pub(crate) switches: Switches,
    pub(crate) history: History,
}

struct Inner {
    engine: Engine,
    settings: Settings,
    board: Mutex<Board>,
    tokens: Mutex<BTreeMap<Audience, Token>>,
    gates: Mutex<BTreeMap<System, Gate>>,
    currencies: Mutex<Arc<Currencies>>,
    feeds: Mutex<Feeds>,
    stages: Mutex<Option<Vec<String>>>,
    cursors: Mutex<BTreeMap<&'static str, Timestamp>>,
    rows: Mutex<SolutionRows>,
    flows: Mutex<Flows>,
    spent: Mutex<Spent>,
    clocks: Mutex<BTreeMap<System, HeaderValue>>,
    health: Mutex<Health>,
}

/// What every job works with. Clones share one state.
#[derive(Clone)]
pub(crate) struct Desk(Arc<Inner>);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Desk {
    pub(crate) fn new(engine: Engine, settings: Settings, board: Board, memory: &Memory) -> Self {
        let cursor = |name| Some((name, memory.get(&format!("cursor/{name}"))?.parse().ok()?));
        let cursors = [CRM_CURSOR, PC_CURSOR, SOLUTIONS_CURSOR, DOUBT].map(cursor);
        let cursors = cursors.into_iter().flatten().collect();
        Self(Arc::new(Inner {
            engine,
            settings,
            board: Mutex::new(board),
            tokens: Mutex::default(),
            gates: Mutex::default(),
            currencies: Mutex::default(),
            feeds: Mutex::default(),
            stages: Mutex::default(),
            cursors: Mutex::new(cursors),
            rows: Mutex::default(),
            spent: Mutex::default(),
            clocks: Mutex::default(),
            health: Mutex::default(),
            flows: Mutex::new(Flows {
                switches: Switches::load(memory.entries()),
                history: History::load(memory.entries()),
            }),
        }))
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.engine.now()
    }

    pub(crate) fn board(&self) -> MutexGuard<'_, Board> {
        lock(&self.0.board)
    }

    pub(crate) fn flows(&self) -> MutexGuard<'_, Flows> {
        lock(&self.0.flows)
    }

    pub(crate) fn health(&self) -> MutexGuard<'_, Health> {
        lock(&self.0.health)
    }

    /// The currencies that were read last.
    pub(crate) fn currencies(&self) -> Arc<Currencies> {
        Arc::clone(&lock(&self.0.currencies))
    }

    /// Keeps the currencies; rows are read by them.
    pub(crate) fn keep_currencies(&self, currencies: Arc<Currencies>) {
        *lock(&self.0.currencies) = currencies;
        self.feeds().opportunities.forget();
    }

    /// The change feeds as they were read last.
    pub(super) fn feeds(&self) -> MutexGuard<'_, Feeds> {
        lock(&self.0.feeds)
    }

    /// The stages that were read last.
    pub(crate) fn stages(&self) -> Option<Vec<String>> {
        lock(&self.0.stages).clone()
    }

    pub(crate) fn keep_stages(&self, stages: Vec<String>) {
        *lock(&self.0.stages) = Some(stages);
    }

    pub(crate) fn forget_stages(&self) {
        *lock(&self.0.stages) = None;
    }

    /// Up to where a change feed was read.
    pub(crate) fn cursor(&self, name: &'static str) -> Option<Timestamp> {
        lock(&self.0.cursors).get(name).copied()
    }

    /// The rows of the CRM's solutions as they were read last, where the CRM tells which were deleted.
    pub(crate) fn solution_rows(&self) -> MutexGuard<'_, SolutionRows> {
        lock(&self.0.rows)
    }

    /// Partner Center did not show a referral that it had named: until a day has passed, its changes from where the last pass came
    /// to are read again with every pass, because the connection's user may see less than all of them.
    pub(crate) fn doubt(&self) {
        if !self.is_doubted() {
            self.move_cursor(DOUBT, self.now());
        }
    }

    fn is_doubted(&self) -> bool {
        let since = self.cursor(DOUBT);
        since.is_some_and(|since| self.now().duration_since(since) < SignedDuration::from_hours(24))
    }

    /// Moves a cursor forward, durably.
    pub(crate) fn move_cursor(&self, name: &'static str, to: Timestamp) {
        let held = (name == PC_CURSOR && self.is_doubted())
            .then(|| self.cursor(PC_CURSOR))
            .flatten();
        let to = held.unwrap_or(to);
        let before = lock(&self.0.cursors).insert(name, to);
        if before != Some(to) {
            self.0.engine.persist(format!("cursor/{name}"), Some(to.to_string()));
        }
    }

    /// A deal's record as it is now.
    pub(crate) fn record(&self, deal: DealNumber) -> Record {
        self.board().record(deal).cloned().unwrap_or_default()
    }

    /// Changes a deal's record and persists it if that changed anything.
    pub(crate) fn change(&self, deal: DealNumber, change: impl FnOnce(&mut Record)) {
        let mut board = self.board();
        let before = board.record(deal).cloned().unwrap_or_default();
        let mut after = before.clone();
        change(&mut after);
        if after != before {
            let text = serde_json::to_string(&after).unwrap_or_default();
            board.put(deal, after);
            drop(board);
            self.0.engine.persist(record_key(deal), Some(text));
        }
    }

    /// Keeps a new deal. None when there are as many as there may be.
    pub(crate) fn add(&self, record: Record) -> Option<DealNumber> {
        let mut board = self.board();
        if board.len() >= self.settings().most_deals {
            drop(board);
            self.say(&record, "bound.deals", None, "as many deals are known as there may be");
            return None;
        }
        let deal = board.next();
        let text = serde_json::to_string(&record).unwrap_or_default();
        board.put(deal, record);
        drop(board);
        self.0.engine.persist(record_key(deal), Some(text));
        Some(deal)
    }

    /// Forgets a deal that turned out to be another one.
    pub(crate) fn forget(&self, deal: DealNumber) {
        self.board().forget(deal);
        self.0.engine.persist(record_key(deal), None);
        self.0.engine.persist(due_key(deal), None);
    }

    /// Makes a deal due, durably.
    pub(crate) fn mark(&self, deal: DealNumber, causes: Causes) {
        let now = self.now();
        if self.board().mark(deal, causes, now) && !self.settings().is_planted(Planted::DueMarksInMemory) {
            self.0.engine.persist(due_key(deal), Some("1".to_owned()));
        }
    }

    /// Makes a deal due at once, durably, even if it waits after a failure.
    pub(crate) fn hasten(&self, deal: DealNumber, causes: Causes) {
        let now = self.now();
        if self.board().hasten(deal, causes, now) {
            self.0.engine.persist(due_key(deal), Some("1".to_owned()));
        }
    }

    /// Records a decision about a deal.
    pub(crate) fn say(
        &self,
        record: &Record,
        code: &'static str,
        field: Option<&'static str>,
        detail: impl Into<String>,
    ) {
        let detail = self.settings().without_secrets(detail.into());
        let task = self.0.engine.task();
        self.flows().history.decided(task, code);
        self.note_error(code, &detail);
        self.0.engine.record(Decision {
            at: self.now(),
            code,
            referral: record.referral.clone(),
            opportunity: record.opportunity.clone(),
            field,
            detail,
        });
    }

    /// Records a decision about a deal unless exactly this was said before; whether it was said now.
    pub(crate) fn say_once(
        &self,
        deal: DealNumber,
        code: &'static str,
        field: Option<&'static str>,
        detail: &str,
    ) -> bool {
        let key = format!("{code}:{}", field.unwrap_or_default());
        let mut record = self.record(deal);
        let new = record.say(&key, detail);
        if new {
            // Said before it is remembered as said: a crash in between repeats it, and never swallows it.
            self.say(&record, code, field, detail);
            self.change(deal, |record| {
                record.say(&key, detail);
            });
        }
        new
    }

    /// Sends a request with a token and gives its successful reply, or why there is none.
    pub(crate) async fn ask(&self, audience: Audience, ask: Ask) -> Result<Response<Bytes>, Trouble> {
        let mut renewed = false;
        loop {
            let token = match self.token_at_hand(audience) {
                Some(token) => token,
                None => Box::pin(self.admitted_token(audience)).await?,
            };
            let request = ask.clone().into_request(Some(&token.authorization));
            let request = request.map_err(|error| Trouble::refused(format!("the request cannot be built: {error}")))?;
            let response = self.send(audience.system(), request).await?;
            if response.status() == StatusCode::UNAUTHORIZED {
                if !self.settings().is_planted(Planted::KeepsRefusedToken) {
                    self.drop_token(audience, &token);
                }
                if !renewed {
                    renewed = true;
                    continue;
                }
            }
            let status = response.status();
            let understood = self.understand(audience.system(), response);
            match &understood {
                Err(Trouble::Denied { why }) => {
                    let state = identity::state(status.as_u16(), why);
                    self.connection(audience, Some(format!("{state}: {why}")));
                }
                Ok(_) => self.connection(audience, None),
                Err(_) => {}
            }
            return understood;
        }
    }

    /// The same for a request to which a conflict (409) is an answer: none then.
    pub(crate) async fn ask_with_conflict(
        &self,
        audience: Audience,
        ask: Ask,
    ) -> Result<Option<Response<Bytes>>, Trouble> {
        match self.ask(audience, ask).await {
            Ok(response) => Ok(Some(response)),
            Err(Trouble::Conflict) => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// The token that is kept, where a request may leave at once.
    fn token_at_hand(&self, audience: Audience) -> Option<Token> {
        self.kept_token(audience)
            .filter(|_| self.is_admitted(audience.system()))
    }

    /// A good token at the moment at which its request may leave: one that was taken before a wait may be refused after it.
    async fn admitted_token(&self, audience: Audience) -> Result<Token, Trouble> {
        loop {
            self.admitted(audience.system()).await;
            let token = self.token(audience).await?;
            if self.is_admitted(audience.system()) {
                return Ok(token);
            }
        }
    }

    /// The token for an audience: the one that is kept, or a new one.
    async fn token(&self, audience: Audience) -> Result<Token, Trouble> {
        // Whoever has the turn is asking for one: nobody waits behind them who has a good one.
        if let Some(token) = self.kept_token(audience) {
            return Ok(token);
        }
        let turn = self.engine().turn(&format!("token {audience:?}")).await;
        if let Some(token) = self.kept_token(audience) {
            return Ok(token);
        }
        let (system, ask) = token_request(self.settings(), audience);
        let request = ask
            .into_request(None)
            .map_err(|error| Trouble::refused(error.to_string()))?;
        let response = self.exchange(system, request).await?;
        if !response.status().is_success() {
            let text = error_text(response.body());
            let state = identity::state(response.status().as_u16(), &text);
            let why = self
                .settings()
                .without_secrets(format!("signing in failed, {state}: {text}"));
            if response.status().is_client_error() {
                self.connection(audience, Some(format!("{state}: {text}")));
            }
            self.say(&Record::default(), "sign_in.refused", None, why.clone());
            return Err(match self.understand(system, response) {
                Err(passing @ Trouble::Passing { .. }) => passing,
                _ => Trouble::Denied { why },
            });
        }
        let token = read_token(self.settings(), response.body(), self.now())?;
        lock(&self.0.tokens).insert(audience, token.clone());
        drop(turn);
        Ok(token)
    }

    /// The token that is kept, while it is good.
    fn kept_token(&self, audience: Audience) -> Option<Token> {
        let now = self.now();
        let tokens = lock(&self.0.tokens);
        let anew = self.settings().is_planted(Planted::RefreshesTokensAlways);
        tokens
            .get(&audience)
            .filter(|token| now < token.until && !anew)
            .cloned()
    }

    fn drop_token(&self, audience: Audience, token: &Token) {
        let mut tokens = lock(&self.0.tokens);
        if tokens.get(&audience) == Some(token) {
            tokens.remove(&audience);
        }
    }
}
