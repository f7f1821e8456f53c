//! The connector as a process: a folder, settings, a start.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cosell::scenario::Crm;
use cosell_sim::identity::Authority;
use cosell_sim::partner_center::{Customer, CustomerContact, MicrosoftAct, SharedDeal};
use cosell_sim::site::Site;
use cosell_sim::transport::socket::Served;

/// A folder of this test, gone at its end.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("cosell-process-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder for temporary files");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed does no harm.
        drop(fs::remove_dir_all(&self.0));
    }
}

#[expect(clippy::disallowed_methods, reason = "a real process is waited for in real time")]
pub(crate) fn pause() {
    std::thread::sleep(Duration::from_millis(5));
}

/// A port that nobody uses now, for a process that must come back at the same place.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("an address").port()
}

/// The settings of a connector for simulated systems, as a file.
pub(crate) fn settings(crm: Crm, served: &Served, folder: &Path, port: u16) -> PathBuf {
    let bases = served.bases();
    let login = bases.of(Site::Entra);
    let org = bases.of(crm.site());
    let token = Authority::refresh_token_of("connector");
    let events = bases.partner_center_events();
    let host = events.split("://").nth(1).unwrap_or_default().to_owned();
    let authorities = served.authority().map_or_else(String::new, |pem| {
        let file = folder.join("authority.pem");
        fs::write(&file, pem).expect("the authority can be written");
        format!("  authorities: [{}]\n", file.display())
    });
    let crm = match crm {
        Crm::Salesforce => format!("{{kind: salesforce, org: {org}, client id: connector, client secret: secret}}"),
        Crm::Dynamics => format!(
            "{{kind: dynamics, org: {org}, login: {login}, tenant: contoso.example, client id: connector, client secret: secret}}"
        ),
    };
    let root = folder.join("simulator.cer");
    fs::write(&root, cosell_sim::partner_center::signature::certificate()).expect("the certificate can be written");
    let text = format!(
        "partner center:
  login: {login}
  api: {}
  events: {}
  tenant: contoso.example
  client id: connector
  client secret: secret
  refresh token: \"{token}\"
crm: {crm}
webhook: {{url: \"http://127.0.0.1:{port}/hooks/partner-center\"}}
times: {{poll every: 500ms, reconcile every: 1s, longest back-off: 1s, unknown create wait: 1s}}
process:
  listen: 127.0.0.1:{port}
  store: {}
  certificate hosts: [\"{host}\"]
  certificate issuer: Cosell Simulator
  certificate roots: [{}]
{authorities}",
        bases.of(Site::PartnerCenter),
        bases.partner_center_events(),
        folder.join("memory.db").display(),
        root.display(),
    );
    let path = folder.join("settings.yaml");
    fs::write(&path, text).expect("the settings can be written");
    path
}

/// Starts the connector; its log goes to a file, its standard output nowhere.
pub(crate) fn start(settings: &Path, folder: &Path) -> Child {
    let log = fs::File::options()
        .create(true)
        .append(true)
        .open(folder.join("log"))
        .expect("a log file");
    Command::new(env!("CARGO_BIN_EXE_cosell"))
        .args(["connector", "run", "--settings"])
        .arg(settings)
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("the connector can be started")
}

/// A deal that Microsoft shares; every seventh has the same customer.
pub(crate) fn share(number: u64) -> MicrosoftAct {
    MicrosoftAct::Share(SharedDeal {
        name: format!("Deal {number}"),
        customer: Customer {
            name: format!("Customer {}", number % 7),
            postal_code: Some("98052".to_owned()),
            country: Some("US".to_owned()),
            contact: Some(CustomerContact {
                first_name: "Sue".to_owned(),
                last_name: "Smith".to_owned(),
                email: format!("sue@customer{}.example", number % 7),
                ..CustomerContact::default()
            }),
            ..Customer::default()
        },
        value: Some(1_000.0),
        currency: "USD".to_owned(),
        closing: "2030-06-30T00:00:00Z".parse().expect("a time"),
        notes: None,
        solutions: vec![("SOL-1".to_owned(), "One".to_owned())],
        help: None,
    })
}
