//! What goes into the core and what comes out of it: events, commands, decisions, memory.
//!
//! Nothing happens here: [`crate::connector::Connector`] takes the ones and gives the others.

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;

use crate::flow::FlowAct;
use crate::id::{CallId, HookId, OpportunityId, ReferralId};

/// Something that happened outside.
#[derive(Debug)]
pub enum Event {
    /// A call was answered.
    Reply {
        /// Which call.
        call: CallId,
        /// The response.
        response: http::Response<Bytes>,
    },
    /// A call will not be answered.
    Failed {
        /// Which call.
        call: CallId,
        /// Why.
        failure: Failure,
    },
    /// A webhook arrived. It is answered by a [`Command::Answer`].
    Hook {
        /// The delivery, to be answered under this number.
        hook: HookId,
        /// The body as it was sent.
        body: Bytes,
        /// What the driver found out about its signature.
        signature: Signature,
    },
    /// A person does something with the flows. What comes of it is a decision whose code begins with `flow.`.
    Flow(FlowAct),
}

/// Why a call has no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// There was no connection: the request did not leave.
    NotSent,
    /// The connection broke after the request left: its outcome is unknown.
    Broken,
    /// No reply in time: its outcome is unknown.
    TimedOut,
}

impl Failure {
    /// The words in decisions.
    pub fn words(self) -> &'static str {
        match self {
            Self::NotSent => "no connection",
            Self::Broken => "the connection broke",
            Self::TimedOut => "no reply in time",
        }
    }
}

/// What a webhook's signature is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signature {
    /// Partner Center's, over this body.
    Verified,
    /// Somebody else's, or over another body.
    Forged,
    /// There is none.
    Absent,
    /// It cannot be checked, because of this.
    Unchecked(Distrust),
}

/// Why a webhook's signature cannot be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distrust {
    /// A header that belongs to it is missing, or cannot be read.
    Headers,
    /// It is made in another way than `rsa-sha256`.
    Algorithm,
    /// Its certificate is at a host that is not among the named ones, or not over HTTPS.
    Host,
    /// Its certificate cannot be fetched.
    Unreachable,
    /// Its certificate is none.
    Unreadable,
    /// Its certificate is issued by somebody else.
    Issuer,
    /// Its certificate has ended, or has not begun.
    OutOfTime,
    /// The certificate's key is not one for RSA.
    Key,
    /// Nobody who is trusted vouches for its certificate.
    Chain,
}

impl Distrust {
    /// The code of the decision.
    pub fn code(self) -> &'static str {
        match self {
            Self::Headers => "hook.headers",
            Self::Algorithm => "hook.algorithm",
            Self::Host => "hook.certificate_host",
            Self::Unreachable => "hook.certificate_unreachable",
            Self::Unreadable => "hook.certificate_unreadable",
            Self::Issuer => "hook.certificate_issuer",
            Self::OutOfTime => "hook.certificate_out_of_time",
            Self::Key => "hook.certificate_key",
            Self::Chain => "hook.certificate_chain",
        }
    }

    /// What is wrong, and which setting is about it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Headers => "a webhook whose signature or certificate header is missing or cannot be read",
            Self::Algorithm => "a webhook that is signed in another way than rsa-sha256",
            Self::Host => {
                "a webhook whose certificate is at a host that is not named (see the setting `certificate hosts`)"
            }
            Self::Unreachable => "a webhook whose certificate cannot be fetched: can this machine reach its host?",
            Self::Unreadable => "a webhook whose certificate cannot be read",
            Self::Issuer => "a webhook whose certificate has another issuer (see the setting `certificate issuer`)",
            Self::OutOfTime => "a webhook whose certificate has ended or not begun: is this machine's clock right?",
            Self::Key => "a webhook whose certificate holds no RSA key",
            Self::Chain => {
                "a webhook whose certificate nobody vouches for who is trusted (see the setting `certificate roots`, which takes \
                 the certificate of its issuer)"
            }
        }
    }

    /// The status to answer with: what may be better the next time is asked for again.
    pub fn status(self) -> u16 {
        match self {
            Self::Headers | Self::Algorithm => 400,
            Self::Unreachable => 503,
            Self::Host | Self::Unreadable | Self::Issuer | Self::OutOfTime | Self::Key | Self::Chain => 401,
        }
    }
}

/// A remote system as the connector sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum System {
    /// Microsoft Entra ID.
    Entra,
    /// The referrals API.
    PartnerCenter,
    /// The webhook registration API.
    PartnerCenterEvents,
    /// The CRM.
    Crm,
}

impl System {
    /// The name in decisions.
    pub fn name(self) -> &'static str {
        match self {
            Self::Entra => "Entra ID",
            Self::PartnerCenter => "Partner Center",
            Self::PartnerCenterEvents => "Partner Center events",
            Self::Crm => "CRM",
        }
    }
}

/// Something that the driver must do, in this order.
#[derive(Debug)]
pub enum Command {
    /// Send a request. Its reply comes back as an event under the same number.
    Call {
        /// The call's number.
        call: CallId,
        /// Where to.
        system: System,
        /// The request, with an absolute URL.
        request: http::Request<Bytes>,
    },
    /// Keep a value, durably, before the next command is carried out.
    Persist {
        /// Its key.
        key: String,
        /// Its value; none removes the key.
        value: Option<String>,
    },
    /// Answer a webhook.
    Answer {
        /// Which delivery.
        hook: HookId,
        /// The HTTP status.
        status: u16,
    },
    /// A choice was made. It needs no action; logs and reports show it.
    Record(Decision),
}

/// A choice of the core, with a stable code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// When it was made.
    pub at: Timestamp,
    /// What was chosen, e.g. `conflict.pc_wins`.
    pub code: &'static str,
    /// The referral that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referral: Option<ReferralId>,
    /// The opportunity that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opportunity: Option<OpportunityId>,
    /// The field that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<&'static str>,
    /// What a person needs to understand it.
    pub detail: String,
}

/// Everything that was persisted: key → JSON text, exactly what the [`Command::Persist`] commands built up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory(BTreeMap<String, String>);

impl Memory {
    /// Carries one [`Command::Persist`] out.
    pub fn apply(&mut self, key: String, value: Option<String>) {
        match value {
            Some(value) => self.0.insert(key, value),
            None => self.0.remove(&key),
        };
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// All entries in the order of their keys.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

/// Why a timer is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A call waits for its reply.
    CallTimeout,
    /// A system asked for patience, or failed: nothing is sent to it before.
    Gate,
    /// A deal is tried again.
    Retry,
    /// A second must pass before a Salesforce row's time can be trusted as a precondition.
    Precondition,
    /// The CRM is polled: routine.
    Poll,
    /// Partner Center is read again: routine.
    Reconcile,
    /// The webhook registration is tried again.
    Register,
    /// The webhook registration is looked at: routine.
    RegistrationCheck,
    /// The calls of the day are used up.
    Budget,
}

impl Reason {
    /// Whether the timer is part of the connector's routine, set whether or not there is work.
    pub fn is_routine(self) -> bool {
        matches!(self, Self::Poll | Self::Reconcile | Self::RegistrationCheck)
    }
}
