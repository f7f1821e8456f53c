//! Variants of the settings of connector and simulators, each in a part of the runs.

use cosell_sim::seed::Stream;

use super::profile::{Kind, Profile};
use super::swarm::Swarm;
use super::words::pick;

/// Keys of a file with their values.
type Keys = Vec<(&'static str, String)>;

/// One chance in so many.
fn rarely(stream: &mut Stream, one_in: u64) -> bool {
    stream.between(1, one_in) == 1
}

/// Variants of the settings, each in a part of the runs.
pub(super) fn options(stream: &mut Stream, profile: Profile, swarm: &Swarm) -> (Keys, Keys) {
    let mut settings = Vec::new();
    if rarely(stream, 5) {
        let profiles = [
            "documented-2023",
            "documented-2023",
            "documented-2021",
            "documented-2020",
        ];
        settings.push(("profile", (*pick(stream, &profiles)).to_owned()));
    }
    if rarely(stream, 8) {
        settings.push(("display check mark", "no".to_owned()));
    }
    if rarely(stream, 6) {
        settings.push(("on-hold edits", "drop".to_owned()));
    }
    if rarely(stream, 4) {
        let winner = |stream: &mut Stream| *pick(stream, &["pc wins", "crm wins", "crm wins", "latest"]);
        let conflicts = format!(
            "{{value: {}, closes: {}, notes: {}}}",
            winner(stream),
            winner(stream),
            winner(stream)
        );
        settings.push(("conflicts", conflicts));
    }
    if rarely(stream, 12) {
        let field = *pick(stream, &["name", "value", "closes", "notes"]);
        let way = *pick(stream, &["both", "pc to crm", "crm to pc", "never"]);
        settings.push(("directions", format!("{{{field}: {way}}}")));
    }
    minor(stream, &mut settings);
    if swarm.leads && settings.iter().all(|(key, _)| *key != "sync co-sell only") {
        settings.push(("sync co-sell only", "no".to_owned()));
    }
    let mut world = Vec::new();
    if rarely(stream, 4) {
        world.push(("page size", stream.between(1, 3).to_string()));
    }
    if profile.allows(Kind::Load) && rarely(stream, 10) {
        world.push(("daily calls", stream.between(60, 400).to_string()));
    }
    if profile.allows(Kind::Load) && rarely(stream, 10) {
        world.push(("calls per minute", stream.between(10, 60).to_string()));
    }
    (settings, world)
}

/// What few operators set.
fn minor(stream: &mut Stream, settings: &mut Keys) {
    let switches = [
        ("sync co-sell only", "no"),
        ("webhooks", "no"),
        ("notes are description", "no"),
        ("reopen to link", "no"),
    ];
    for (key, value) in switches {
        if rarely(stream, 12) {
            settings.push((key, value.to_owned()));
        }
    }
    let variants: [(&'static str, &[&str]); 8] = [
        ("poll every", &["1m", "1m", "10m", "30m"]),
        ("reconcile every", &["5m", "1h"]),
        ("overlap", &["5s", "1m", "30m"]),
        ("call timeout", &["10s", "1m"]),
        ("longest back-off", &["1m", "30m"]),
        ("denied pause", &["1m", "1h"]),
        ("deals at once", &["1", "2"]),
        ("closing date zone", &["UTC+2", "UTC-8", "UTC+13"]),
    ];
    for (key, values) in variants {
        if rarely(stream, 12) {
            settings.push((key, (*pick(stream, values)).to_owned()));
        }
    }
}
