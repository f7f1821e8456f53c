//! Random histories, as strategies: what people do on both sides, and what goes wrong meanwhile.
//!
//! A history is data and becomes a `Plan`; shrinking drops events and shortens pauses.

use cosell::plan::{Plan, PlannedStep};
use cosell::scenario::Crm;
use cosell::scenario::act::{Act, Call, CallFate, Edit, Fault, HookFate, Money, NewDeal, Outcome, Stage, System};
use cosell::scenario::settings::Profile;
use jiff::SignedDuration;
use jiff::civil::date;
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;

use crate::given;

/// How many deals a history has at most.
const DEALS: usize = 3;

/// Everything that decides a run.
#[derive(Clone, Debug)]
pub struct History {
    /// Decides latencies, identifiers, jitter.
    pub seed: u64,
    /// Whether the connector runs the profile `documented-2023`.
    pub documented_2023: bool,
    /// Rows of a page, to make lists span pages.
    pub page_size: Option<u32>,
    /// Who makes each deal.
    pub origins: Vec<Origin>,
    /// What happens, each after a pause.
    pub events: Vec<(Pause, Event)>,
}

/// Who makes a deal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Microsoft shares it.
    Microsoft,
    /// The seller makes it, with help asked of Microsoft.
    SellerWithHelp,
    /// The seller makes it alone.
    SellerAlone,
    /// The seller makes it and does not sync it.
    SellerUnsynced,
}

/// How long nothing happens before an event, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Pause(pub u64);

/// What happens.
#[derive(Clone, Debug)]
pub enum Event {
    /// The partner changes fields in the portal.
    PartnerEdits(usize, Edit),
    /// The seller changes fields.
    SellerEdits(usize, Edit),
    /// Both change the same fields before a sync, each to a value of their own, so far apart in milliseconds.
    BothEdit(usize, Edit, Edit, u64),
    /// The seller moves the deal.
    SellerMoves(usize, Stage),
    /// The seller closes it.
    SellerCloses(usize, Outcome),
    /// The seller opens it again.
    SellerReopens(usize),
    /// The seller switches sync.
    SellerSyncs(usize, bool),
    /// The partner accepts it in the portal.
    PartnerAccepts(usize),
    /// The partner declines it.
    PartnerDeclines(usize),
    /// The partner closes it.
    PartnerCloses(usize, Outcome),
    /// Something goes wrong from here on.
    Fault(Fault),
    /// The connector's process stops and starts.
    Restart,
}

impl History {
    /// The history as a plan for one CRM.
    pub fn plan(&self, crm: Crm) -> Plan {
        let mut plan = given::plan(crm, self.seed);
        if self.documented_2023 {
            plan.settings.profile = Profile::Documented2023;
        }
        plan.world.page_size = self.page_size;
        for (number, origin) in self.origins.iter().enumerate() {
            plan.steps.push(make(number, *origin));
        }
        for (Pause(millis), event) in &self.events {
            let pause = SignedDuration::from_millis(i64::try_from(*millis).unwrap_or(0));
            plan.steps.push(given::step(Act::Wait(pause)));
            plan.steps.extend(event.steps(self.origins.len()));
        }
        plan
    }
}

fn name(number: usize) -> String {
    format!("D{}", number + 1)
}

fn make(number: usize, origin: Origin) -> PlannedStep {
    let deal = given::deal(&name(number));
    let act = match origin {
        Origin::Microsoft => Act::MicrosoftShares(NewDeal {
            stage: Stage::OnHold,
            ..deal
        }),
        Origin::SellerWithHelp => Act::SellerCreates(deal),
        Origin::SellerAlone => Act::SellerCreates(NewDeal { help: None, ..deal }),
        Origin::SellerUnsynced => Act::SellerCreates(NewDeal { sync: false, ..deal }),
    };
    given::on(&name(number), act)
}

impl Event {
    fn steps(&self, deals: usize) -> Vec<PlannedStep> {
        let on = |deal: usize, act: Act| vec![given::on(&name(deal % deals), act)];
        match self {
            Self::PartnerEdits(deal, edit) => on(*deal, Act::PartnerEdits(edit.clone())),
            Self::SellerEdits(deal, edit) => on(*deal, Act::SellerEdits(edit.clone())),
            Self::BothEdit(deal, in_pc, in_crm, apart) => {
                let mut steps = on(*deal, Act::PartnerEdits(in_pc.clone()));
                let apart = SignedDuration::from_millis(i64::try_from(*apart).unwrap_or(0));
                steps.push(given::step(Act::Wait(apart)));
                steps.extend(on(*deal, Act::SellerEdits(in_crm.clone())));
                steps
            }
            Self::SellerMoves(deal, stage) => on(
                *deal,
                Act::SellerEdits(Edit {
                    stage: Some(stage.clone()),
                    ..Edit::default()
                }),
            ),
            Self::SellerCloses(deal, outcome) => on(*deal, Act::SellerCloses(*outcome)),
            Self::SellerReopens(deal) => on(*deal, Act::SellerReopens),
            Self::SellerSyncs(deal, sync) => on(
                *deal,
                Act::SellerEdits(Edit {
                    sync: Some(*sync),
                    ..Edit::default()
                }),
            ),
            Self::PartnerAccepts(deal) => on(*deal, Act::PartnerAccepts),
            Self::PartnerDeclines(deal) => on(*deal, Act::PartnerDeclines(None)),
            Self::PartnerCloses(deal, outcome) => on(*deal, Act::PartnerCloses(*outcome, None)),
            Self::Fault(fault) => vec![given::step(Act::Fault(fault.clone()))],
            Self::Restart => vec![given::step(Act::RestartConnector)],
        }
    }
}

/// Any history.
pub fn history() -> impl Strategy<Value = History> {
    let head = (
        any::<u64>(),
        prop::bool::weighted(0.2),
        weighted(0.3, 1_u32..4),
        vec(origin(), 1..=DEALS),
    );
    (head, vec((pause(), event()), 3..16)).prop_map(|((seed, documented_2023, page_size, origins), events)| History {
        seed,
        documented_2023,
        page_size,
        origins,
        events,
    })
}

fn origin() -> impl Strategy<Value = Origin> {
    prop_oneof![
        5 => Just(Origin::Microsoft),
        3 => Just(Origin::SellerWithHelp),
        2 => Just(Origin::SellerAlone),
        1 => Just(Origin::SellerUnsynced),
    ]
}

/// Pauses of all sizes: within one sync, between two polls, over an outage.
fn pause() -> impl Strategy<Value = Pause> {
    prop_oneof![
        3 => 0_u64..400,
        3 => 400_u64..30_000,
        3 => 30_000_u64..600_000,
        1 => 600_000_u64..90_000_000,
    ]
    .prop_map(Pause)
}

fn event() -> impl Strategy<Value = Event> {
    let deal = || 0..DEALS;
    prop_oneof![
        4 => (deal(), edit()).prop_map(|(deal, edit)| Event::PartnerEdits(deal, edit)),
        5 => (deal(), edit()).prop_map(|(deal, edit)| Event::SellerEdits(deal, edit)),
        4 => (deal(), money(), money(), 0_u64..5000).prop_map(|(deal, one, other, apart)| {
            let edit = |money| Edit { value: Some(money), ..Edit::default() };
            Event::BothEdit(deal, edit(one), edit(other), apart)
        }),
        3 => (deal(), text(), text(), 0_u64..5000).prop_map(|(deal, one, other, apart)| {
            let edit = |notes| Edit { notes: Some(notes), ..Edit::default() };
            Event::BothEdit(deal, edit(one), edit(other), apart)
        }),
        3 => (deal(), prop_oneof![3 => Just(Stage::Active), 1 => Just(Stage::OnHold)])
            .prop_map(|(deal, stage)| Event::SellerMoves(deal, stage)),
        2 => (deal(), outcome()).prop_map(|(deal, outcome)| Event::SellerCloses(deal, outcome)),
        1 => deal().prop_map(Event::SellerReopens),
        2 => (deal(), any::<bool>()).prop_map(|(deal, sync)| Event::SellerSyncs(deal, sync)),
        2 => deal().prop_map(Event::PartnerAccepts),
        1 => deal().prop_map(Event::PartnerDeclines),
        1 => (deal(), outcome()).prop_map(|(deal, outcome)| Event::PartnerCloses(deal, outcome)),
        5 => fault().prop_map(Event::Fault),
        1 => Just(Event::Restart),
    ]
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![Just(Outcome::Won), Just(Outcome::Lost)]
}

fn money() -> impl Strategy<Value = Money> {
    let amount = prop_oneof![
        Just(0.0),
        Just(0.01),
        (1_u32..100_000).prop_map(f64::from),
        Just(123_456.78)
    ];
    let currency = prop_oneof![4 => Just("USD"), 1 => Just("EUR")];
    (amount, currency).prop_map(|(amount, currency)| Money {
        amount,
        currency: currency.to_owned(),
    })
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("second notes"),
        Just("Oil & Gas"),
        Just("Zürich ☃"),
        Just("it's \"quoted\""),
        Just("line\nbreak")
    ]
    .prop_map(str::to_owned)
}

fn edit() -> impl Strategy<Value = Edit> {
    let closes = (1_i8..=12, 1_i8..=28).prop_map(|(month, day)| date(2026, month, day));
    let name = (0_u8..20).prop_map(|number| format!("Renamed {number}"));
    (
        weighted(0.3, name),
        weighted(0.5, money()),
        weighted(0.4, closes),
        weighted(0.4, text()),
    )
        .prop_map(|(name, value, closes, notes)| Edit {
            name,
            value,
            closes,
            notes,
            ..Edit::default()
        })
        .prop_filter("an edit changes something", |edit| *edit != Edit::default())
}

fn fault() -> impl Strategy<Value = Fault> {
    let system = prop_oneof![
        Just(System::PartnerCenter),
        Just(System::Crm),
        Just(System::Webhooks),
        Just(System::SignIn)
    ];
    let call = prop_oneof![
        Just(Call::CreateReferral),
        Just(Call::UpdateReferral),
        Just(Call::ReadReferral),
        Just(Call::ListReferrals),
        Just(Call::CreateOpportunity),
        Just(Call::UpdateOpportunity),
        Just(Call::ReadOpportunity),
        Just(Call::CreateAccount),
        Just(Call::CreateContact),
        Just(Call::CloseOpportunity),
        Just(Call::Any),
    ];
    let fate = prop_oneof![
        2 => Just(CallFate::LoseRequest),
        4 => Just(CallFate::LoseReply),
        1 => (1_i64..120).prop_map(|seconds| CallFate::Delay(SignedDuration::from_secs(seconds))),
        1 => Just(CallFate::Answer { status: 429, retry_after: Some(SignedDuration::from_secs(60)) }),
        1 => Just(CallFate::Answer { status: 503, retry_after: None }),
    ];
    let hook = prop_oneof![
        Just(HookFate::Lose),
        Just(HookFate::Duplicate),
        Just(HookFate::Reorder),
        (1_i64..1200).prop_map(|seconds| HookFate::Delay(SignedDuration::from_secs(seconds))),
    ];
    prop_oneof![
        2 => (system, 1_i64..200_000)
            .prop_map(|(system, seconds)| Fault::Disconnect { system, lasts: SignedDuration::from_secs(seconds) }),
        5 => (call, 0_u32..3, 1_u32..3, fate)
            .prop_map(|(call, after, times, fate)| Fault::Calls { call, after, times, fate }),
        3 => (1_u32..4, hook).prop_map(|(times, fate)| Fault::Hooks { times, fate }),
    ]
}
