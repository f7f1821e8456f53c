//! One router, two transports: a run over real sockets sees what a run in process sees, byte for byte, but for what
//! only a socket has: ports, Host, Date, Connection.

use cosell::plan::Plan;
use cosell::scenario::Crm;
use cosell::scenario::act::{Act, Edit, Stage};
use cosell::simulate::{self, Options};
use cosell::trace::{Trace, What};
use cosell_sim::site::{PARTNER_CENTER_EVENTS, Site};
use cosell_sim::world::Observed;
use cosell_tests::given::{deal, on, plan, value, wait_secs};

fn there_and_back(crm: Crm) -> Plan {
    let mut plan = plan(crm, 21);
    plan.steps = vec![
        on("D1", Act::MicrosoftShares(deal("D1"))),
        on("D2", Act::SellerCreates(deal("D2"))),
        wait_secs(400),
        on(
            "D1",
            Act::SellerEdits(Edit {
                stage: Some(Stage::Active),
                ..value(12_345.0)
            }),
        ),
        on("D2", Act::PartnerEdits(value(54_321.5))),
        wait_secs(400),
    ];
    plan
}

/// One exchange, reduced to what both transports share.
#[derive(Debug, PartialEq)]
struct Seen {
    at: String,
    line: String,
    headers: Vec<(String, String)>,
    body: String,
}

/// Only what the carrier of a transport adds.
const CARRIERS_OWN: [&str; 6] = [
    "host",
    "date",
    "connection",
    "content-length",
    "transfer-encoding",
    "accept",
];

fn seen(trace: &Trace) -> Vec<Seen> {
    let reduce = |text: &str| {
        // On sockets each system has a loopback port of its own; in process, the vendor's host.
        let mut text = text.to_owned();
        for base in Site::ALL
            .map(Site::default_base)
            .into_iter()
            .chain([PARTNER_CENTER_EVENTS])
        {
            text = text.replace(base, "BASE");
        }
        let mut reduced = String::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once("http://127.0.0.1:") {
            reduced.push_str(before);
            reduced.push_str("BASE");
            rest = after.trim_start_matches(|sign: char| sign.is_ascii_digit());
        }
        reduced + rest
    };
    let headers = |headers: &cosell_sim::world::Headers| {
        let mut kept: Vec<(String, String)> = headers
            .iter()
            .filter(|(name, _)| !CARRIERS_OWN.contains(name))
            .map(|(name, value)| (name.to_owned(), reduce(value)))
            .collect();
        kept.sort();
        kept
    };
    trace
        .entries
        .iter()
        .filter_map(|entry| {
            let (line, headers, body) = if let What::Observed(Observed::Sent { request, .. }) = &entry.what {
                let line = format!("{} {}", request.method, reduce(&request.url));
                (line, headers(&request.headers), reduce(&request.body.text()))
            } else if let What::Observed(Observed::Replied { response, .. }) = &entry.what {
                (
                    response.status.to_string(),
                    headers(&response.headers),
                    reduce(&response.body.text()),
                )
            } else {
                return None;
            };
            Some(Seen {
                at: entry.at.to_string(),
                line,
                headers,
                body,
            })
        })
        .collect()
}

#[test]
fn a_run_over_sockets_sees_what_a_run_in_process_sees() {
    for crm in Crm::ALL {
        let plan = there_and_back(crm);
        let in_process = simulate::run(&plan, &Options::default()).expect("a plan can be run");
        let on_sockets = simulate::run(
            &plan,
            &Options {
                sockets: true,
                ..Options::default()
            },
        );
        let on_sockets = on_sockets.expect("loopback sockets can be opened");
        let (left, right) = (seen(&in_process), seen(&on_sockets));
        assert!(left.len() > 20, "only {} messages were seen", left.len());
        for (index, (left, right)) in left.iter().zip(&right).enumerate() {
            assert_eq!(left, right, "message {index} differs on {}", crm.name());
        }
        assert_eq!(left.len(), right.len());
    }
}
