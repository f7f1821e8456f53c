//! The connector as a real process, killed at 200 points: nothing is lost, and nothing is made twice.
//!
//! A point is a number of exchanges with the simulated systems, so that a slow machine is killed at the same places as a fast one. The
//! process is killed with the signal that cannot be heard; what it leaves behind is its memory on the disk.

mod process;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Child;

use cosell::record::{Book, Field};
use cosell::scenario::Crm;
use cosell_sim::identity::Authority;
use cosell_sim::partner_center::MicrosoftAct;
use cosell_sim::transport::socket::{self, ServeSettings, Served};
use process::{Folder, free_port, pause, settings, start};

/// How often the process is killed on each CRM.
const KILLS: u64 = 100;
/// How many deals there are.
const DEALS: u64 = 20;
/// How many looks at the systems a wait takes at most: with the pause between two, some 30 seconds.
const LOOKS: u32 = 6_000;

fn control(served: &Served, request: &str) -> String {
    let host = served.control().trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(host).expect("the control port listens");
    stream
        .write_all(request.replace("HOST", host).as_bytes())
        .expect("the control port reads");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).expect("the control port answers");
    reply
}

/// How many exchanges there were.
fn exchanges(served: &Served) -> u64 {
    let reply = control(
        served,
        "GET /control/journal?limit=1 HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n",
    );
    let after = reply
        .split("\"total\"")
        .nth(1)
        .unwrap_or_else(|| panic!("no total in {reply}"));
    let digits: String = after
        .chars()
        .skip_while(|sign| !sign.is_ascii_digit())
        .take_while(char::is_ascii_digit)
        .collect();
    digits.parse().expect("a number")
}

/// Waits until so many exchanges have been made; not when the process ends before.
fn wait_for(served: &Served, process: &mut Child, count: u64) -> bool {
    for _ in 0..LOOKS {
        if exchanges(served) >= count {
            return true;
        }
        if process.try_wait().expect("the process can be asked for").is_some() {
            return false;
        }
        pause();
    }
    false
}

fn share(served: &Served, number: u64) -> String {
    served.microsoft(process::share(number)).expect("Microsoft may share")
}

fn edit(served: &Served, referral: &str, value: u64) {
    let changes = vec![("/details/dealValue".to_owned(), serde_json::json!(value))];
    let act = MicrosoftAct::Edit {
        referral: referral.to_owned(),
        changes,
    };
    served.microsoft(act).expect("Microsoft may edit");
}

/// What is wrong with both sides: nothing when each referral has one opportunity that names it and holds its values.
fn faults(crm: Crm, served: &Served) -> Vec<String> {
    let book = Book::of_rows(crm, "On Hold", &served.rows());
    let mut faults = Vec::new();
    let mut found: BTreeMap<String, u32> = BTreeMap::new();
    for (id, opportunity) in &book.opportunities {
        let referral = book.referral_of(opportunity).to_owned();
        *found.entry(referral.clone()).or_default() += 1;
        match book.referrals.get(&referral) {
            None => faults.push(format!("opportunity {id} names no referral")),
            Some(record) => {
                for field in Field::ALL {
                    let (here, there) = (book.crm_value(opportunity, field), book.pc_value(record, field));
                    if here != there {
                        faults.push(format!(
                            "{} of {referral}: {there:?} there, {here:?} here",
                            field.name()
                        ));
                    }
                }
            }
        }
    }
    let own = book
        .referrals
        .iter()
        .filter(|(_, record)| !cosell::record::is_microsoft_side(record));
    for (id, _) in own {
        match found.get(id) {
            Some(1) => {}
            count => faults.push(format!(
                "referral {id} has {} opportunities",
                count.copied().unwrap_or_default()
            )),
        }
    }
    faults
}

fn survives(crm: Crm) {
    let folder = Folder::new(crm.name());
    let served = socket::serve(&ServeSettings::default()).expect("loopback ports are free");
    let settings = settings(crm, &served, &folder.0, free_port());
    let mut deals: Vec<String> = Vec::new();
    let mut chance = 0x2026_u64;
    let mut killed = 0;
    for kill in 0..KILLS {
        if deals.len() < usize::try_from(DEALS).expect("a small number") && kill % 3 == 0 {
            deals.push(share(&served, kill));
        } else if let Some(referral) = deals.get(usize::try_from(kill).expect("a small number") % deals.len()) {
            edit(&served, referral, 2_000 + kill);
        }
        chance = chance
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let point = exchanges(&served) + 1 + (chance >> 33) % 24;
        let mut process = start(&settings, &folder.0);
        let reached = wait_for(&served, &mut process, point);
        let ended = process.try_wait().expect("the process can be asked for");
        assert!(
            ended.is_none(),
            "the connector ended by itself: {ended:?}\n{}",
            log(&folder.0)
        );
        // SIGKILL on Unix: nothing is said to the process, and nothing is tidied up.
        process.kill().expect("the process can be killed");
        process.wait().expect("the process can be waited for");
        killed += u64::from(reached);
    }
    assert_eq!(killed, KILLS, "every point was reached");
    let mut process = start(&settings, &folder.0);
    let mut wrong = faults(crm, &served);
    for _ in 0..LOOKS {
        if wrong.is_empty() {
            break;
        }
        pause();
        wrong = faults(crm, &served);
    }
    process.kill().expect("the process can be killed");
    process.wait().expect("the process can be waited for");
    assert!(wrong.is_empty(), "{}: {wrong:#?}\n{}", crm.name(), log(&folder.0));
    let log = fs::read_to_string(folder.0.join("log")).expect("the log can be read");
    let token = Authority::refresh_token_of("connector");
    assert!(!log.contains(&token), "the refresh token stands in the log");
    let memory = fs::read(folder.0.join("memory.db")).expect("the memory can be read");
    let holds = memory.windows(token.len()).any(|part| part == token.as_bytes());
    assert!(!holds, "the refresh token stands in the memory");
}

/// The last lines of the log.
fn log(folder: &Path) -> String {
    let text = fs::read_to_string(folder.join("log")).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(25)..].join("\n")
}

#[test]
fn a_process_that_is_killed_a_hundred_times_keeps_salesforce_in_step() {
    survives(Crm::Salesforce);
}

#[test]
fn a_process_that_is_killed_a_hundred_times_keeps_dynamics_in_step() {
    survives(Crm::Dynamics);
}
