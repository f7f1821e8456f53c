//! What can be seen of a world: the closed list of everything that a trace may hold.
//!
//! Observations carry no secrets and are never read back by the world: replies and deliveries for the connector are
//! taken from it directly. The serialised form is a trace's on-disk format.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::happening::{Commit, Lapse, Refusal};
use crate::network::wire::{WireRequest, WireResponse};
use crate::site::Site;

/// One thing that was seen, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// Virtual time.
    pub at: Timestamp,
    /// What was seen.
    pub what: Observed,
}

/// Everything that can be seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Observed {
    /// A request left the connector.
    Sent {
        /// The exchange's number.
        exchange: u64,
        /// The connector's own number for the call.
        caller: u64,
        /// The system it is for.
        site: Site,
        /// The request.
        request: Arc<WireRequest>,
    },
    /// The connector called a URL at which no system of this world lives. Nothing will come of it.
    Unreachable {
        /// The connector's own number for the call.
        caller: u64,
        /// The request.
        request: Arc<WireRequest>,
    },
    /// A rule decided the fate of an exchange or of a delivery.
    Faulted {
        /// The exchange, when it is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        exchange: Option<u64>,
        /// The delivery, when it is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        delivery: Option<u64>,
        /// The fate: `lose-reply`, `delay 20s`, `answer 429`.
        fate: String,
        /// The rule's name.
        rule: String,
    },
    /// The network made a second copy of an exchange or of a delivery. The copy has a number of its own.
    Duplicated {
        /// The exchange, when it is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        exchange: Option<u64>,
        /// The delivery, when it is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        delivery: Option<u64>,
        /// The copy's number.
        copy: u64,
    },
    /// A system answered. The response has not travelled yet.
    Handled {
        /// The exchange's number.
        exchange: u64,
        /// The response.
        response: Arc<WireResponse>,
    },
    /// A response reached the connector: `World::take_reply` has it.
    Replied {
        /// The exchange's number.
        exchange: u64,
        /// The connector's own number for the call.
        caller: u64,
        /// The response.
        response: Arc<WireResponse>,
    },
    /// A request or its response never arrives.
    Lost {
        /// The exchange's number.
        exchange: u64,
        /// Which of the two.
        leg: Leg,
    },
    /// A system stored a row.
    Committed {
        /// The exchange that caused it; none for people, Microsoft and the system itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        exchange: Option<u64>,
        /// The write. Apart: there are few, and every other entry of a trace would be as large.
        commit: Box<Commit>,
    },
    /// A system refused what is not simulated.
    Refused {
        /// The exchange that asked for it; none for people at a screen.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        exchange: Option<u64>,
        /// What was refused.
        refusal: Refusal,
    },
    /// A system in strict mode understood a request that the vendor's would refuse or misunderstand.
    Lapsed {
        /// The exchange; none for people at a screen.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        exchange: Option<u64>,
        /// What was wrong with the request.
        lapse: Lapse,
    },
    /// A person at a screen did something.
    Asked {
        /// The user's name.
        who: String,
        /// The system.
        site: Site,
        /// The request.
        request: Arc<WireRequest>,
        /// The response.
        response: Arc<WireResponse>,
    },
    /// Partner Center owes the connector a webhook.
    DeliveryDue {
        /// The delivery's number.
        delivery: u64,
        /// The exchange whose write caused it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        exchange: Option<u64>,
        /// The event's name.
        event: String,
        /// The registered URL.
        url: String,
    },
    /// A webhook reached the connector: `World::take_delivery` has it, `World::answer_hook` answers it.
    Delivering {
        /// The delivery's number.
        delivery: u64,
        /// The attempt, from 1.
        attempt: u32,
        /// The event's name.
        event: String,
        /// The request; its signature is left out.
        request: Arc<WireRequest>,
        /// What the signature is worth.
        signature: SignatureState,
    },
    /// An attempt to deliver is over, as Partner Center sees it.
    Delivered {
        /// The delivery's number.
        delivery: u64,
        /// The attempt, from 1.
        attempt: u32,
        /// The connector's answer; none when there was none.
        status: Option<u16>,
    },
    /// Partner Center gave a delivery up.
    DeliveryAbandoned {
        /// The delivery's number.
        delivery: u64,
        /// The event's name.
        event: String,
        /// How many attempts there were.
        attempts: u32,
    },
    /// The connector's process ended. What was on its way to it is lost.
    ConnectorDown,
    /// The connector's process is there again.
    ConnectorUp,
    /// Every rule was removed.
    Healed,
    /// A bound of the world was hit, and something was dropped.
    BoundHit {
        /// Which bound.
        bound: Bound,
        /// Its value.
        limit: u64,
    },
    /// The carrier broke: a fault of the harness, never of the connector.
    CarrierBroke {
        /// The exchange, when it carried one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        exchange: Option<u64>,
        /// The delivery, when it carried one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        delivery: Option<u64>,
        /// What went wrong.
        error: String,
    },
}

/// One of the two halves of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Leg {
    /// Towards the system.
    Request,
    /// Back from it.
    Reply,
}

/// What the signature of a delivery is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignatureState {
    /// Partner Center's, over this body.
    Valid,
    /// Somebody else's, or over another body.
    Forged,
    /// There is none.
    Absent,
}

/// A bound of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bound {
    /// Items that are due: what came on top was dropped.
    EventQueue,
    /// Observations that nobody polled: the oldest were dropped.
    Observations,
    /// Replies that nobody took: the oldest were dropped.
    Replies,
    /// Deliveries that are open at once: new ones are dropped.
    Deliveries,
}
