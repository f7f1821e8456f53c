//! Sign-ins that are under way: device codes that nobody has typed in yet, authorization codes that nobody has redeemed.
//!
//! It is bounded: the oldest goes first.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use crate::seed::{Seed, Stream};

/// How many of each kind are remembered.
const REMEMBERED: usize = 1_000;
/// How long a device code can be typed in. Assumed: 15 minutes.
pub(super) const DEVICE_LIFETIME: SignedDuration = SignedDuration::from_secs(900);
/// How long an authorization code can be redeemed. Assumed: 10 minutes.
const CODE_LIFETIME: SignedDuration = SignedDuration::from_mins(10);
/// The letters of a user code: none that looks like another.
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

/// Everything that is under way.
#[derive(Debug)]
pub(super) struct Pending {
    devices: VecDeque<Device>,
    codes: VecDeque<Code>,
    chance: Stream,
}

/// A device that waits for somebody.
#[derive(Clone, Debug)]
pub(super) struct Device {
    pub(super) secret: String,
    pub(super) user_code: String,
    pub(super) audience: String,
    /// What was asked for with the code; some clients do not repeat it.
    pub(super) scope: String,
    pub(super) expires: Timestamp,
    pub(super) state: DeviceState,
}

/// How a device code stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum DeviceState {
    Waiting,
    Approved(String),
    Declined,
    Redeemed,
}

/// An authorization code.
#[derive(Clone, Debug)]
pub(super) struct Code {
    pub(super) secret: String,
    pub(super) user: String,
    pub(super) client: String,
    pub(super) redirect: String,
    /// What was asked for with the code; the redemption may leave it out.
    pub(super) scope: String,
    pub(super) nonce: Option<String>,
    /// The PKCE challenge and whether it is a hash.
    pub(super) challenge: Option<(String, bool)>,
    pub(super) expires: Timestamp,
    pub(super) redeemed: bool,
}

impl Pending {
    pub(super) fn new(seed: Seed) -> Self {
        Self {
            devices: VecDeque::new(),
            codes: VecDeque::new(),
            chance: seed.stream("entra sign-ins"),
        }
    }

    /// Another device.
    pub(super) fn device(&mut self, audience: String, scope: &str, now: Timestamp) -> Device {
        let user_code: String = (0..9)
            .map(|_| {
                let last = u64::try_from(LETTERS.len() - 1).unwrap_or(0);
                let letter = usize::try_from(self.chance.between(0, last)).unwrap_or(0);
                char::from(LETTERS[letter])
            })
            .collect();
        let device = Device {
            secret: self.secret("device."),
            user_code,
            audience,
            scope: scope.to_owned(),
            expires: now.checked_add(DEVICE_LIFETIME).unwrap_or(Timestamp::MAX),
            state: DeviceState::Waiting,
        };
        if self.devices.len() >= REMEMBERED {
            self.devices.pop_front();
        }
        self.devices.push_back(device.clone());
        device
    }

    /// The device with that device code.
    pub(super) fn device_of(&mut self, device_code: &str) -> Option<&mut Device> {
        self.devices.iter_mut().find(|device| device.secret == device_code)
    }

    /// Somebody decides about a user code. False when nothing waits under it.
    pub(super) fn decide(&mut self, user_code: &str, state: DeviceState, now: Timestamp) -> bool {
        let waiting = self.devices.iter_mut().find(|device| {
            device.user_code.eq_ignore_ascii_case(user_code.trim())
                && device.state == DeviceState::Waiting
                && device.expires > now
        });
        waiting.map(|device| device.state = state).is_some()
    }

    /// Another authorization code; `secret` and `expires` of the draft are filled in.
    pub(super) fn code(&mut self, mut draft: Code, now: Timestamp) -> String {
        draft.secret = self.secret("code.");
        draft.expires = now.checked_add(CODE_LIFETIME).unwrap_or(Timestamp::MAX);
        let code = draft.secret.clone();
        if self.codes.len() >= REMEMBERED {
            self.codes.pop_front();
        }
        self.codes.push_back(draft);
        code
    }

    /// The authorization code.
    pub(super) fn code_of(&mut self, code: &str) -> Option<&mut Code> {
        self.codes.iter_mut().find(|known| known.secret == code)
    }

    fn secret(&mut self, prefix: &str) -> String {
        format!("{prefix}{:016x}{:016x}", self.chance.bits(), self.chance.bits())
    }
}
