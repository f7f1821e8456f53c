//! What one change costs among many linked deals, and a day of changes on both sides: the growth with the number of deals is what
//! is looked at. The systems outside are a few lines of JSON, so that nothing but the core is measured.
//!
//! `COSELL_DEALS=100000 cargo bench -p cosell-connector` runs the full size; without it the sizes are small.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark stops at the first thing that is not as it should be"
)]

mod outside;

use bytes::Bytes;
use cosell_connector::id::HookId;
use cosell_connector::{Connector, Event, Signature};
use jiff::{SignedDuration, Timestamp};
use outside::{Outside, guid, sizes, start};
use serde_json::json;

fn main() {
    divan::main();
}

fn partner_center_changes(core: &mut Connector, outside: &mut Outside, deal: usize, turn: u64, now: Timestamp) {
    let row = outside.pc.entry(deal).or_insert((1_000, 0));
    *row = (2_000 + turn, row.1 + 1);
    let uri = format!(
        "https://api.partnercenter.microsoft.com/engagements/v1/referrals/{}",
        guid(1, deal)
    );
    let body = json!({"EventName": "referral-updated", "ResourceUri": uri});
    let hook = Event::Hook {
        hook: HookId(turn),
        body: Bytes::from(body.to_string()),
        signature: Signature::Verified,
    };
    core.handle_event(hook, now);
    outside.carry_out(core, now);
    assert_eq!(outside.crm[&deal].0, 2_000 + turn, "the change has arrived in the CRM");
}

/// One change in Partner Center, from the webhook to the acknowledged write in the CRM.
#[divan::bench(args = sizes())]
fn one_change(bencher: divan::Bencher<'_, '_>, deals: usize) {
    let (mut core, mut outside, now) = start(deals);
    let mut turn = 0_u64;
    bencher.bench_local(|| {
        turn += 1;
        let deal = usize::try_from(turn).unwrap().wrapping_mul(7_919) % deals;
        partner_center_changes(&mut core, &mut outside, deal, turn, now);
    });
}

/// A day: 5,000 changes on each side (50 of each in a small round), and every poll and reconciliation in between.
#[divan::bench(args = sizes(), sample_count = 1, sample_size = 1)]
fn a_day(bencher: divan::Bencher<'_, '_>, deals: usize) {
    let changes: u64 = if std::env::var_os("COSELL_DEALS").is_some() {
        5_000
    } else {
        50
    };
    bencher
        .with_inputs(|| start(deals))
        .bench_local_values(|(mut core, mut outside, start)| {
            let step = SignedDuration::from_millis(i64::try_from(86_400_000 / changes).unwrap());
            let mut now = start;
            for turn in 1..=changes {
                let until = now.checked_add(step).unwrap();
                while let Some((at, _)) = core.poll_timeout().filter(|(at, _)| *at <= until) {
                    core.handle_timeout(at);
                    outside.carry_out(&mut core, at);
                }
                now = until;
                let deal = usize::try_from(turn).unwrap().wrapping_mul(7_919) % deals;
                partner_center_changes(&mut core, &mut outside, deal, turn, now);
                let other = usize::try_from(turn).unwrap().wrapping_mul(104_729) % deals;
                let row = outside.crm.entry(other).or_insert((1_000, 0, String::new()));
                *row = (50_000 + turn, row.1 + 1, std::mem::take(&mut row.2));
                outside.changed.push(other);
            }
            outside.memory_writes
        });
}

/// The start with so many deals in memory.
#[divan::bench(args = sizes(), sample_count = 3, sample_size = 1)]
fn starting(bencher: divan::Bencher<'_, '_>, deals: usize) {
    bencher.bench_local(|| start(deals).2);
}
