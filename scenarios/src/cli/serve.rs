//! `cosell serve`: the simulated systems as servers on loopback ports, for anybody's client.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};
use cosell_sim::clock::default_start;
use cosell_sim::happening::Happening;
use cosell_sim::seed::Seed;
use cosell_sim::site::Site;
use cosell_sim::systems::SystemSettings;
use cosell_sim::transport::socket::{self, Seen, ServeClock, ServeSettings, Served};

use super::Ui;
use crate::diagnostic::{Sources, render};
use crate::exit::Exit;
use crate::plan::DEFAULT_SEED;
use crate::ready::{self, Tokens, remove, write};
use crate::scenario::org;

/// Start the simulated systems on loopback ports and print how to reach them
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// The first of four ports in a row: sign-in, Partner Center, Salesforce, Dataverse; the next is the control port
    ///
    /// Without it the operating system chooses free ports.
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..=65_531))]
    port: Option<u16>,
    /// Whose time the systems tell
    #[arg(long, value_enum, default_value_t = ClockChoice::Wall)]
    clock: ClockChoice,
    /// The seed of identifiers and tokens
    #[arg(long, value_name = "NUMBER", default_value_t = DEFAULT_SEED)]
    seed: u64,
    /// Speak TLS: the systems are at https://localhost:PORT, for clients that take nothing else
    ///
    /// A certificate authority is made at each start and forgotten at its end; clients have to trust its certificate. The
    /// control port stays plain HTTP.
    #[arg(long)]
    tls: bool,
    /// Where the certificate of that authority goes, as PEM; without it, into the folder for temporary files
    #[arg(long, value_name = "FILE", requires = "tls")]
    tls_ca: Option<PathBuf>,
    /// Say on standard error which requests to Dataverse are understood here and not by the real server
    #[arg(long)]
    strict: bool,
    /// A tenant that exists, by domain or identifier; others are refused as unknown; may be repeated. Without it any exists
    #[arg(long, value_name = "TENANT")]
    tenant: Vec<String>,
    /// How the Salesforce org is set: a YAML file with switches, custom fields and objects, duplicate rules and the like
    ///
    /// The keys are those of `world: {salesforce: …}` in a scenario, and `host` and `login host`: where the org says that it is.
    #[arg(long, value_name = "FILE")]
    org: Option<PathBuf>,
    /// A file for scripts to wait for: JSON with base URLs, tokens and whatever a client must be told
    ///
    /// It appears when everything can be reached; one that is there before is removed first.
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
}

/// Whose time it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ClockChoice {
    /// The machine's
    Wall,
    /// Nobody's: it starts on 2026-01-05 at 09:00 UTC and moves when the control port says so
    Manual,
}

pub(crate) fn run(args: &ServeArgs, ui: Ui) -> Result<Exit, Exit> {
    if let Some(path) = &args.ready_file {
        remove(path).map_err(|error| unwritten(ui, "--ready-file", path, &error))?;
    }
    let settings = ServeSettings {
        seed: Seed(args.seed),
        clock: match args.clock {
            ClockChoice::Wall => ServeClock::Wall,
            ClockChoice::Manual => ServeClock::Manual(default_start()),
        },
        ports: ready::ports(args.port),
        control_port: args.port.map(|port| port + 4),
        tls: args.tls,
        systems: systems(args, ui)?,
        watch: Arc::new(move |seen| {
            if let Seen::Happening(Happening::Lapsed(lapse)) = seen {
                ui.note(&format!("{}: {}: {}", lapse.site.name(), lapse.request, lapse.what));
            }
        }),
        ..ServeSettings::default()
    };
    let served = socket::serve(&settings).map_err(|error| {
        ui.note(&format!("error: {error}"));
        ui.note("help: choose another with `--port`, or leave it out to get free ports");
        Exit::Usage
    })?;
    let authority = match served.authority() {
        Some(pem) => {
            let path = args.tls_ca.clone().unwrap_or_else(default_authority_file);
            write(&path, pem).map_err(|error| unwritten(ui, "--tls-ca", &path, &error))?;
            Some(std::path::absolute(&path).unwrap_or(path))
        }
        None => None,
    };
    let tokens = Tokens::of(&served);
    for line in greeting(
        &served,
        &tokens,
        args.clock == ClockChoice::Manual,
        authority.as_deref(),
    ) {
        ui.out(&line)?;
    }
    if let Some(path) = &args.ready_file {
        let text = format!(
            "{:#}\n",
            ready::document(&served, &tokens, args.seed, authority.as_deref())
        );
        write(path, &text).map_err(|error| unwritten(ui, "--ready-file", path, &error))?;
    }
    served.wait();
    Ok(Exit::Passed)
}

fn systems(args: &ServeArgs, ui: Ui) -> Result<SystemSettings, Exit> {
    let mut systems = SystemSettings::default();
    systems.dataverse.strict = args.strict;
    systems.identity.tenants = args.tenant.iter().cloned().collect();
    if let Some(file) = &args.org {
        let path = file.display().to_string();
        let text = std::fs::read_to_string(file).map_err(|error| {
            ui.note(&format!("error: {path} of `--org` cannot be read: {error}"));
            Exit::Usage
        })?;
        systems.salesforce = org::read(&path, &text).map_err(|diagnostics| {
            let mut sources = Sources::default();
            sources.add(&path, &text);
            ui.note(render(&diagnostics, &sources, ui.note_style()).trim_end());
            Exit::Usage
        })?;
    }
    Ok(systems)
}

fn default_authority_file() -> PathBuf {
    std::env::temp_dir().join(format!("cosell-ca-{}.pem", std::process::id()))
}

fn unwritten(ui: Ui, option: &str, path: &Path, error: &std::io::Error) -> Exit {
    ui.note(&format!(
        "error: {} of `{option}` cannot be written: {error}",
        path.display()
    ));
    ui.note("help: name a file in a folder that exists and may be written to");
    Exit::Usage
}

/// Base URLs, a token for each, and three commands that work as they stand.
fn greeting(served: &Served, tokens: &Tokens, manual: bool, authority: Option<&Path>) -> Vec<String> {
    let bases = served.bases();
    let Tokens {
        referrals,
        webhooks,
        salesforce,
        dataverse,
    } = tokens;
    let (pc, sf, dv) = (
        bases.of(Site::PartnerCenter),
        bases.of(Site::Salesforce),
        bases.of(Site::Dataverse),
    );
    let mut lines = vec![
        format!("sign-in (Entra ID)  {}", bases.of(Site::Entra)),
        format!("Partner Center      {pc}"),
        format!("Salesforce          {sf}"),
        format!("Dataverse           {dv}"),
    ];
    let control = served.control();
    let curl = match authority {
        Some(path) => format!("curl -s --cacert '{}'", path.display()),
        None => "curl -s".to_owned(),
    };
    lines.push(format!(
        "control             {control}  (calls: {control}/control/openapi.json)"
    ));
    lines.extend(authority.iter().flat_map(|path| trust(path)));
    lines.extend([
        String::new(),
        "tokens of the user `connector`, good for 30 days:".to_owned(),
        format!("  Partner Center referrals  {referrals}"),
        format!("  Partner Center webhooks   {webhooks}"),
        format!("  Salesforce                {salesforce}"),
        format!("  Dataverse                 {dataverse}"),
        String::new(),
        "try:".to_owned(),
        format!("  {curl} -H 'Authorization: Bearer {referrals}' '{pc}/v1.0/engagements/referrals'"),
        format!(
            "  {curl} -H 'Authorization: Bearer {salesforce}' '{sf}/services/data/v60.0/query?q=SELECT+Id,Name+FROM+Opportunity'"
        ),
        format!(
            "  {curl} -H 'Authorization: Bearer {dataverse}' '{dv}/api/data/v9.2/transactioncurrencies?$select=isocurrencycode'"
        ),
    ]);
    lines.push(if manual {
        format!("  curl -s -X POST {control}/control/clock -d '{{\"advance\":\"2d\"}}'")
    } else {
        format!("  curl -s '{control}/control/journal?limit=5'")
    });
    lines.extend([String::new(), "serving until Ctrl-C".to_owned()]);
    lines
}

/// What a client must be told before it believes the certificates: a line for the common ones.
fn trust(authority: &Path) -> [String; 4] {
    let path = authority.display();
    [
        String::new(),
        format!("certificate authority to trust, made for this run: {path}"),
        format!("  export NODE_EXTRA_CA_CERTS='{path}' REQUESTS_CA_BUNDLE='{path}' SSL_CERT_FILE='{path}'"),
        "  (Node.js; Python requests and msal; OpenSSL, Python ssl and httpx, Ruby, Go, curl with OpenSSL)".to_owned(),
    ]
}
