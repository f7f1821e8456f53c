//! The same core as a real process: the driver with the wall clock and real sockets, against the simulators on loopback
//! ports, webhooks signed and verified. Judged on what both sides store in the end.

use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use cosell::record::{Book, Field, Record};
use cosell::scenario::Crm;
use cosell::setup;
use cosell_connector::driver::sqlite::Sqlite;
use cosell_connector::driver::store::{InMemory, Store};
use cosell_connector::driver::{self, DriverError, DriverSettings};
use cosell_sim::happening::{Commit, Happening};
use cosell_sim::partner_center::MicrosoftAct;
use cosell_sim::site::Site;
use cosell_sim::transport::socket::{self, Seen, ServeSettings, Served};
use cosell_tests::given::{deal, plan, value};
use jiff::SignedDuration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// How long anything may take on a busy machine. Nothing waits for it but a failure.
const PATIENCE: Duration = Duration::from_mins(2);

/// What the test waits for.
enum News {
    Committed(Commit),
    Delivered(u16),
}

fn serve() -> (Served, Receiver<News>) {
    let (sender, news) = mpsc::channel();
    let sender = Mutex::new(sender);
    let watch = move |seen: &Seen<'_>| {
        let told = if let Seen::Happening(Happening::Committed(commit)) = seen {
            News::Committed(commit.clone())
        } else if let Seen::Delivered {
            outcome: Ok(status), ..
        } = seen
        {
            News::Delivered(*status)
        } else {
            return;
        };
        // The test may have heard enough.
        drop(sender.lock().expect("nobody panics with the lock").send(told));
    };
    let settings = ServeSettings {
        watch: Arc::new(watch),
        ..ServeSettings::default()
    };
    (socket::serve(&settings).expect("loopback ports are free"), news)
}

/// The driver in a thread of its own; it stops when this is dropped.
struct Process {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // Whoever has stopped already cannot be told.
            let _unheard = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            // A panic there has been shown already, and a second one here would hide the first failure.
            drop(thread.join());
        }
    }
}

fn start(crm: Crm, served: &Served) -> Process {
    let (stop, stopped) = oneshot::channel::<()>();
    let thread = run(crm, served, InMemory::default(), async move { drop(stopped.await) });
    let thread = std::thread::spawn(move || {
        let done = thread.join().expect("the driver does not panic");
        done.expect("the driver stops when told, and not before");
    });
    Process {
        stop: Some(stop),
        thread: Some(thread),
    }
}

/// Runs the driver in a thread until it is told to stop, or cannot go on.
fn run(
    crm: Crm,
    served: &Served,
    mut store: impl Store + Send + 'static,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> JoinHandle<Result<(), DriverError>> {
    let mut settings = setup::connector(&plan(crm, 1), served.bases()).expect("the settings are complete");
    settings.poll_interval = SignedDuration::from_millis(300);
    settings.reconcile_interval = SignedDuration::from_secs(2);
    let certificates = served.bases().partner_center_events();
    let host = certificates.trim_start_matches("http://").to_owned();
    let driver_settings = DriverSettings {
        trusted_certificate_hosts: vec![host],
        certificate_issuer: "Cosell Simulator".to_owned(),
        certificate_roots: vec![cosell_sim::partner_center::signature::certificate().to_vec()],
        ..DriverSettings::default()
    };
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
            let address = listener.local_addr().expect("an address");
            settings.hook_url = Some(format!("http://{address}/hooks/partner-center"));
            driver::run(settings, driver_settings, &mut store, listener, |_| {}, shutdown).await
        })
    })
}

/// Waits until the connector has committed a field on a site.
fn await_commit(news: &Receiver<News>, site: Site, field: &str, hooks: &mut Vec<u16>) {
    loop {
        match news
            .recv_timeout(PATIENCE)
            .unwrap_or_else(|_| panic!("{field} was never written on {}", site.name()))
        {
            News::Delivered(status) => hooks.push(status),
            News::Committed(commit) => {
                let wrote = commit.changes.iter().any(|change| change.field == field);
                if commit.site == site && commit.actor == cosell::board::CONNECTOR && wrote {
                    return;
                }
            }
        }
    }
}

fn there_over_sockets(crm: Crm) {
    let (served, news) = serve();
    let _process = start(crm, &served);
    let mut hooks = Vec::new();
    let referral = served
        .microsoft(setup::share(&deal("D1")))
        .expect("Microsoft may share");
    await_commit(&news, Site::PartnerCenter, "/externalReferenceId", &mut hooks);
    let edit: MicrosoftAct = setup::microsoft_edit(&referral, &value(77_700.0));
    served.microsoft(edit).expect("Microsoft may edit");
    await_commit(&news, crm.site(), Field::Value.column(crm), &mut hooks);
    while hooks.is_empty() {
        match news.recv_timeout(PATIENCE).expect("a webhook is delivered") {
            News::Delivered(status) => hooks.push(status),
            News::Committed(_) => {}
        }
    }
    assert!(
        hooks.iter().all(|status| *status == 200),
        "every signature is good: {hooks:?}"
    );
    let book = Book::of_rows(crm, "On Hold", &served.rows());
    assert_eq!(book.opportunities.len(), 1);
    let opportunity = book.opportunities.values().next().expect("there is one");
    assert_eq!(book.referral_of(opportunity), referral);
    let record = &book.referrals[&referral];
    for field in Field::ALL {
        assert_eq!(
            book.crm_value(opportunity, field),
            book.pc_value(record, field),
            "{} differs",
            field.name()
        );
    }
}

#[test]
fn the_driver_keeps_salesforce_in_step_over_sockets() {
    there_over_sockets(Crm::Salesforce);
}

#[test]
fn the_driver_keeps_dynamics_in_step_over_sockets() {
    there_over_sockets(Crm::Dynamics);
}

#[test]
fn a_full_disk_stops_the_driver_and_with_room_again_nothing_is_lost_or_made_twice() {
    const DEALS: usize = 30;
    let folder = std::env::temp_dir().join(format!("cosell-full-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder for temporary files");
    let file = folder.join("memory.db");
    let (served, news) = serve();
    for number in 0..DEALS {
        let shared = setup::share(&deal(&format!("D{number}")));
        served.microsoft(shared).expect("Microsoft may share");
    }
    let store = Sqlite::open(&file, "o").expect("a new memory");
    store.limit(6).expect("it can be limited");
    let ended = run(Crm::Dynamics, &served, store, std::future::pending()).join();
    let error = ended.expect("the driver does not panic").expect_err("it cannot go on");
    let said = std::error::Error::source(&error)
        .map(ToString::to_string)
        .unwrap_or_default();
    assert!(said.contains("the disk is full: make room, then start again"), "{said}");
    let (stop, stopped) = oneshot::channel::<()>();
    let store = Sqlite::open(&file, "o").expect("the memory is whole");
    let going = run(Crm::Dynamics, &served, store, async move { drop(stopped.await) });
    let linked = || {
        let book = Book::of_rows(Crm::Dynamics, "On Hold", &served.rows());
        let named = |record: &Record| !record.text("/externalReferenceId").is_empty();
        let linked = book.referrals.values().filter(|record| named(record)).count();
        (linked, book.opportunities.len())
    };
    while linked().0 < DEALS {
        drop(news.recv_timeout(PATIENCE).expect("the driver goes on"));
    }
    drop(stop);
    going
        .join()
        .expect("the driver does not panic")
        .expect("it stops when told");
    assert_eq!(linked(), (DEALS, DEALS));
    std::fs::remove_dir_all(&folder).expect("the folder can be removed");
}
