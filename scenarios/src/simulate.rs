//! Runs a plan: the world and the reference connector on one event queue, in virtual time.
//!
//! It decides nothing about right and wrong. It carries commands, moves the clock, lets people act, and writes the
//! trace.

#![expect(clippy::wildcard_enum_match_arm, reason = "each actor knows few of the many acts")]

use cosell_connector::{Command, Connector, Event, Memory, Signature};
use cosell_sim::site::Site;
use cosell_sim::world::World;
use cosell_sim::world::observation::{Observation, Observed, SignatureState};
use jiff::{SignedDuration, Timestamp};

use crate::board::Board;
use crate::hands::dataverse::DynamicsSeller;
use crate::hands::salesforce::SalesforceSeller;
use crate::hands::{Refused, Seller, Stages, partner_center};
use crate::plan::{Plan, PlannedStep};
use crate::scenario::Crm;
use crate::scenario::act::{Act, Expectation};
use crate::setup;
use crate::trace::{Entry, FORMAT, Header, Trace, What};

/// How many rounds of settling are tried.
const SETTLE_ROUNDS: u32 = 200;

/// How long a round is: longer than any timer of a quiet connector, so that a round holds a poll and a reconcile.
const SETTLE_ROUND: SignedDuration = SignedDuration::from_mins(16);

/// How many entries a trace may hold before the run is cut off.
const ENTRIES_MAX: usize = 400_000;

/// How a plan is run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Stops and restarts the connector once, after it has issued so many commands.
    pub crash_after: Option<u64>,
    /// Carries each exchange over a real socket on loopback, in lock-step with virtual time.
    pub sockets: bool,
}

/// Why a plan could not be run at all: the harness or the settings are at fault, not the connector under test.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The connector refuses its settings.
    #[error("the connector refuses its settings: {0}")]
    Settings(String),
    /// The sockets could not be opened.
    #[error("the sockets of the simulators could not be opened")]
    Sockets(#[source] std::io::Error),
}

/// Runs a plan to its end.
pub fn run(plan: &Plan, options: &Options) -> Result<Trace, RunError> {
    let mut run = Run::new(plan, options)?;
    let rows = run.world.rows();
    run.record(What::Stored { rows });
    run.start_connector()?;
    run.pump();
    for (number, step) in plan.steps.iter().enumerate() {
        run.step(number, step)?;
        if run.cut_off {
            break;
        }
    }
    run.finish()?;
    Ok(Trace {
        header: header(plan),
        entries: run.entries,
    })
}

fn header(plan: &Plan) -> Header {
    Header {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        title: plan.title.clone(),
        path: plan.path.clone(),
        crm: plan.crm,
        seed: plan.seed,
        on_hold_stage: plan.settings.on_hold_stage.clone(),
        profile: plan.settings.profile.name().to_owned(),
        display_check_mark: plan.settings.display_check_mark,
        sync_cosell_only: plan.settings.sync_cosell_only,
        planted: plan.planted.clone(),
    }
}

struct Run<'a> {
    plan: &'a Plan,
    world: World,
    connector: Option<Connector>,
    memory: Memory,
    entries: Vec<Entry>,
    board: Board,
    seller: Box<dyn Seller>,
    /// Commands until the crash that the options ask for.
    crash_in: Option<u64>,
    crash_due: bool,
    /// Writes that left the connector in this round of settling.
    writes: u32,
    cut_off: bool,
}

impl<'a> Run<'a> {
    fn new(plan: &'a Plan, options: &Options) -> Result<Self, RunError> {
        let settings = setup::world(plan);
        let world = if options.sockets {
            World::on_sockets(settings).map_err(RunError::Sockets)?
        } else {
            World::new(settings)
        };
        let stages = Stages {
            active: plan.settings.active_stage.clone(),
            on_hold: plan.settings.on_hold_stage.clone(),
        };
        let seller: Box<dyn Seller> = match plan.crm {
            Crm::Salesforce => Box::new(SalesforceSeller {
                stages,
                multi_currency: plan.world.salesforce_multi_currency,
            }),
            Crm::Dynamics => Box::new(DynamicsSeller),
        };
        Ok(Self {
            plan,
            world,
            connector: None,
            memory: Memory::default(),
            entries: Vec::new(),
            board: Board::new(&header(plan)),
            seller,
            crash_in: options.crash_after,
            crash_due: false,
            writes: 0,
            cut_off: false,
        })
    }

    fn record(&mut self, what: What) {
        let at = self.world.now();
        self.record_at(at, what);
    }

    fn record_at(&mut self, at: Timestamp, what: What) {
        if self.cut_off {
            return;
        }
        let entry = Entry { at, what };
        self.board.apply(&entry);
        self.entries.push(entry);
        if self.entries.len() >= ENTRIES_MAX {
            self.cut_off = true;
            let bound = format!("{ENTRIES_MAX} entries of the trace");
            self.entries.push(Entry {
                at,
                what: What::BoundHit { bound },
            });
        }
    }

    // The connector's process.

    fn start_connector(&mut self) -> Result<(), RunError> {
        if self.connector.is_some() {
            return Ok(());
        }
        let settings = setup::connector(self.plan, &self.world.ground().bases).map_err(RunError::Settings)?;
        let connector = Connector::new(settings, &self.memory, self.plan.seed, self.world.now())
            .map_err(|error| RunError::Settings(error.to_string()))?;
        self.connector = Some(connector);
        self.world.connector_down(false);
        Ok(())
    }

    fn stop_connector(&mut self) {
        if self.connector.take().is_some() {
            self.world.connector_down(true);
        }
    }

    // The event loop.

    /// Carries commands and observations until nothing moves at this moment.
    fn pump(&mut self) {
        while !self.cut_off {
            let mut moved = false;
            while let Some(command) = self.connector.as_mut().and_then(Connector::poll_command) {
                moved = true;
                self.carry_out(command);
                self.crash_if_due();
            }
            while let Some(observation) = self.world.poll_observation() {
                moved = true;
                self.observe(observation);
            }
            if !moved {
                break;
            }
        }
    }

    fn carry_out(&mut self, command: Command) {
        match command {
            Command::Call { call, request, .. } => self.world.send(call.0, request),
            Command::Persist { key, value } => self.memory.apply(key, value),
            Command::Answer { hook, status } => self.world.answer_hook(hook.0, status),
            Command::Record(decision) => self.record(What::Decided {
                code: decision.code.to_owned(),
                referral: decision.referral.map(|id| id.to_string()),
                opportunity: decision.opportunity.map(|id| id.to_string()),
                field: decision.field.map(str::to_owned),
                detail: decision.detail,
            }),
        }
    }

    /// The crash that the options ask for: between one command and the next.
    fn crash_if_due(&mut self) {
        match &mut self.crash_in {
            Some(0) => {
                self.crash_in = None;
                self.crash_due = true;
                self.stop_connector();
            }
            Some(left) => *left -= 1,
            None => {}
        }
    }

    fn observe(&mut self, observation: Observation) {
        let Observation { at, what } = observation;
        match &what {
            Observed::Replied { caller, .. } => {
                let (caller, response) = (*caller, self.world.take_reply(*caller));
                self.record_at(at, What::Observed(what));
                if let (Some(connector), Some(response)) = (&mut self.connector, response) {
                    connector.handle_event(
                        Event::Reply {
                            call: cosell_connector::id::CallId(caller),
                            response,
                        },
                        at,
                    );
                }
            }
            Observed::Delivering {
                delivery, signature, ..
            } => {
                let delivery = *delivery;
                let signature = match signature {
                    SignatureState::Valid => Signature::Verified,
                    SignatureState::Forged => Signature::Forged,
                    SignatureState::Absent => Signature::Absent,
                };
                // Only the body: the signature is worth what the world says, and costs when it is computed.
                let body = self
                    .world
                    .take_delivery(delivery)
                    .map(|delivery| delivery.body)
                    .unwrap_or_default();
                self.record_at(at, What::Observed(what));
                if let Some(connector) = &mut self.connector {
                    let hook = cosell_connector::id::HookId(delivery);
                    connector.handle_event(Event::Hook { hook, body, signature }, at);
                }
            }
            Observed::Sent { site, request, .. } => {
                self.writes += u32::from(is_write(*site, &request.method, &request.url));
                self.record_at(at, What::Observed(what));
            }
            _ => self.record_at(at, What::Observed(what)),
        }
    }

    /// Lets everything happen that is due up to a time, and moves the clock there.
    fn run_until(&mut self, until: Timestamp) -> Result<(), RunError> {
        self.pump();
        while !self.cut_off {
            if self.crash_due {
                self.crash_due = false;
                self.start_connector()?;
                self.pump();
            }
            let timer = self
                .connector
                .as_ref()
                .and_then(Connector::poll_timeout)
                .map(|(due, _)| due);
            let world = self.world.next_due();
            match (world, timer) {
                (Some(due), timer) if due <= until && timer.is_none_or(|timer| due <= timer) => {
                    self.world.step();
                }
                (_, Some(due)) if due <= until => {
                    self.world.advance_to(due);
                    let now = self.world.now();
                    if let Some(connector) = &mut self.connector {
                        connector.handle_timeout(now);
                    }
                }
                _ => break,
            }
            self.pump();
        }
        self.world.advance_to(until);
        Ok(())
    }

    fn wait(&mut self, lasts: SignedDuration) -> Result<(), RunError> {
        let until = self.world.now().checked_add(lasts).unwrap_or(Timestamp::MAX);
        self.run_until(until)
    }

    /// Runs until a whole round passes without a write, at most [`SETTLE_ROUNDS`].
    fn settle(&mut self) -> Result<(), RunError> {
        let reconcile = self.plan.settings.reconcile_every.unwrap_or_default();
        let round_lasts = SETTLE_ROUND.max(reconcile.saturating_add(SignedDuration::from_mins(1)));
        for round in 1..=SETTLE_ROUNDS {
            self.writes = 0;
            self.wait(round_lasts)?;
            let writes = self.writes;
            self.record(What::SettleRound { round, writes });
            if writes == 0 {
                self.record(What::Settled);
                return Ok(());
            }
            if self.cut_off {
                return Ok(());
            }
        }
        self.record(What::NeverSettled { rounds: SETTLE_ROUNDS });
        Ok(())
    }

    // The steps.

    fn step(&mut self, number: usize, step: &PlannedStep) -> Result<(), RunError> {
        if step.act == Act::Expect(Expectation::Converged) {
            self.settle()?;
        }
        self.record(What::Step {
            step: number,
            verb: step.verb.clone(),
            deal: step.deal.clone(),
            detail: step.detail.clone(),
        });
        if let Err(Refused { status, body }) = self.act(step)? {
            self.record(What::ActRefused {
                step: number,
                status,
                body,
            });
        }
        self.pump();
        Ok(())
    }

    fn act(&mut self, step: &PlannedStep) -> Result<Result<(), Refused>, RunError> {
        match &step.act {
            Act::Wait(lasts) => self.wait(*lasts)?,
            Act::Settle => self.settle()?,
            Act::Heal => self.heal()?,
            Act::Fault(fault) => {
                let now = self.world.now();
                for rule in setup::rules(fault, self.plan.crm, now) {
                    self.world.add_rule(rule);
                }
            }
            Act::RestartConnector => {
                self.stop_connector();
                self.start_connector()?;
            }
            Act::StopConnector => self.stop_connector(),
            Act::StartConnector => self.start_connector()?,
            Act::Expect(_) => {}
            person => return Ok(self.person_acts(step.deal.as_deref().unwrap_or_default(), person)),
        }
        Ok(Ok(()))
    }

    fn heal(&mut self) -> Result<(), RunError> {
        self.world.heal();
        self.start_connector()
    }

    fn person_acts(&mut self, deal: &str, act: &Act) -> Result<(), Refused> {
        match act {
            Act::MicrosoftShares(new) => {
                let id = self.microsoft(setup::share(new))?;
                if let Some(claimed) = &new.external_reference {
                    self.microsoft(setup::claim(&id, claimed))?;
                }
                self.name(deal, Site::PartnerCenter, id);
                Ok(())
            }
            Act::MicrosoftEdits(_)
            | Act::MicrosoftAccepts
            | Act::MicrosoftDeclines(_)
            | Act::MicrosoftSetsMsxId(_)
            | Act::MicrosoftAddsTeamMember(_) => {
                let referral = self.referral(deal)?;
                match setup::microsofts(&referral, act) {
                    Some(act) => self.microsoft(act).map(drop),
                    None => Ok(()),
                }
            }
            Act::PartnerEdits(edit) => {
                let referral = self.referral(deal)?;
                partner_center::edit(&mut self.world, &referral, edit)
            }
            Act::PartnerAccepts => {
                let referral = self.referral(deal)?;
                partner_center::accept(&mut self.world, &referral)
            }
            Act::PartnerDeclines(reason) => {
                let referral = self.referral(deal)?;
                partner_center::decline(&mut self.world, &referral, reason.as_deref())
            }
            Act::PartnerCloses(outcome, reason) => {
                let referral = self.referral(deal)?;
                partner_center::close(&mut self.world, &referral, *outcome, reason.as_deref())
            }
            Act::SellerCreates(new) => {
                let id = self.seller.create(&mut self.world, new)?;
                self.name(deal, self.plan.crm.site(), id);
                Ok(())
            }
            other => {
                let opportunity = self.opportunity(deal)?;
                self.seller_acts(&opportunity, other)
            }
        }
    }

    fn seller_acts(&mut self, opportunity: &str, act: &Act) -> Result<(), Refused> {
        let world = &mut self.world;
        match act {
            Act::SellerEdits(edit) => self.seller.edit(world, opportunity, edit),
            Act::SellerCloses(outcome) => self.seller.close(world, opportunity, *outcome),
            Act::SellerReopens => self.seller.reopen(world, opportunity),
            Act::SellerDeletes => self.seller.delete(world, opportunity),
            other => Err(Refused {
                status: 0,
                body: format!("nobody knows how to do {other:?}"),
            }),
        }
    }

    fn microsoft(&mut self, act: cosell_sim::partner_center::MicrosoftAct) -> Result<String, Refused> {
        self.world.microsoft(act).map_err(|error| Refused {
            status: 0,
            body: error.to_string(),
        })
    }

    /// Binds a symbolic name before the commits that made the record are folded, so that the log can use it.
    fn name(&mut self, deal: &str, site: Site, id: String) {
        self.record(What::Named {
            deal: deal.to_owned(),
            site,
            id,
        });
    }

    fn referral(&self, deal: &str) -> Result<String, Refused> {
        let found = self.board.referrals_of(deal).next().map(|(id, _)| id.to_owned());
        found.ok_or_else(|| Refused {
            status: 0,
            body: format!("{deal} has no referral in Partner Center at this time"),
        })
    }

    fn opportunity(&self, deal: &str) -> Result<String, Refused> {
        let found = self.board.opportunities_of(deal).next().map(|(id, _)| id.to_owned());
        found.ok_or_else(|| Refused {
            status: 0,
            body: format!("{deal} has no opportunity in the CRM at this time"),
        })
    }

    /// Heals, settles, watches the quiet for one more round, and notes what is stored.
    fn finish(&mut self) -> Result<(), RunError> {
        self.heal()?;
        self.settle()?;
        if matches!(
            self.entries.last(),
            Some(Entry {
                what: What::Settled,
                ..
            })
        ) {
            self.wait(SETTLE_ROUND)?;
        }
        self.pump();
        let rows = self.world.rows();
        self.record(What::Stored { rows });
        Ok(())
    }
}

/// Whether a request of the connector may change a record: not sign-in, not the webhook's registration.
fn is_write(site: Site, method: &str, url: &str) -> bool {
    method != "GET" && site != Site::Entra && !url.contains("/webhooks/") && !url.contains("/oauth2/")
}
