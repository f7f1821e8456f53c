//! `cosell connector`: the reference connector as a process of its own, and what a doctor says about its settings and memory.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use cosell_connector::driver::sqlite::Sqlite;
use cosell_connector::driver::{self, DriverError, DriverSettings, Listeners};
use cosell_connector::settings::variables::VARIABLES;
use cosell_connector::settings::{CrmSettings, Settings};
use tokio::net::TcpListener;

use super::Ui;
use crate::diagnostic::{Sources, render};
use crate::exit::Exit;
use crate::settings_file::{self, Process};

/// Run the reference connector as a process, or examine its settings and memory
#[derive(Debug, Args)]
pub(crate) struct ConnectorArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Keep a CRM in step with Partner Center until told to stop
    ///
    /// SIGINT and SIGTERM stop it; nothing is undone, and what was under way is found again at the next start. Logs go to
    /// standard error as JSON, one line each.
    Run(Files),
    /// Examine settings and memory without starting anything
    Doctor(Files),
}

/// Which files.
#[derive(Debug, Args)]
struct Files {
    /// The settings, as YAML
    #[arg(long, value_name = "FILE")]
    settings: PathBuf,
    /// The connector's memory; without it, the settings name it
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
    /// An exported solution (zip): its environment variables stand instead of those in the settings
    #[arg(long, value_name = "EXPORT")]
    settings_from: Option<PathBuf>,
}

pub(crate) fn run(args: &ConnectorArgs, ui: Ui) -> Result<Exit, Exit> {
    match &args.command {
        Command::Run(files) => go(files, ui),
        Command::Doctor(files) => examine(files, ui),
    }
}

fn read(files: &Files, ui: Ui) -> Result<(Settings, Process), Exit> {
    let path = files.settings.display().to_string();
    let text = std::fs::read_to_string(&files.settings).map_err(|error| {
        ui.note(&format!("error: {path} cannot be read: {error}"));
        Exit::Usage
    })?;
    let variables = match &files.settings_from {
        Some(export) => super::settings::export(export, None, ui)?.settings,
        None => BTreeMap::new(),
    };
    let (settings, mut process) = settings_file::read_over(&path, &text, &variables).map_err(|diagnostics| {
        let mut sources = Sources::default();
        sources.add(&path, &settings_file::covered(&text));
        ui.note(&render(&diagnostics, &sources, ui.note_style()));
        Exit::Usage
    })?;
    process.store = files.store.clone().or(process.store);
    Ok((settings, process))
}

/// The systems that a memory is about.
fn owner(settings: &Settings) -> String {
    let org = match &settings.crm {
        CrmSettings::Salesforce(crm) => &crm.org,
        CrmSettings::Dataverse(crm) => &crm.org,
    };
    format!("tenant {} and {org}", settings.partner_center.tenant)
}

fn open(path: &Path, settings: &Settings, ui: Ui) -> Result<Sqlite, Exit> {
    Sqlite::open(path, &owner(settings)).map_err(|error| {
        told(&error, ui);
        Exit::Usage
    })
}

fn store_of(process: &Process, ui: Ui) -> Result<PathBuf, Exit> {
    process.store.clone().ok_or_else(|| {
        ui.note("error: no file for the connector's memory is named");
        ui.note("help: write `process: {store: FILE}` into the settings, or give `--store FILE`");
        Exit::Usage
    })
}

fn driver_settings(process: &Process, ui: Ui) -> Result<DriverSettings, Exit> {
    let mut settings = DriverSettings {
        seed: process.seed,
        ..DriverSettings::default()
    };
    if let Some(hosts) = &process.certificate_hosts {
        settings.trusted_certificate_hosts.clone_from(hosts);
    }
    if let Some(issuer) = &process.certificate_issuer {
        settings.certificate_issuer.clone_from(issuer);
    }
    for path in &process.certificate_roots {
        if !settings.add_roots(&certificate(path, ui)?) {
            ui.note(&format!("error: {} holds no certificate", path.display()));
            ui.note("help: `process: {certificate roots: [FILE]}` takes certificates in DER or PEM");
            return Err(Exit::Usage);
        }
    }
    for path in &process.authorities {
        let pem = certificate(path, ui)?;
        if !String::from_utf8_lossy(&pem).contains("-----BEGIN CERTIFICATE-----") {
            ui.note(&format!("error: {} holds no certificate in PEM", path.display()));
            ui.note("help: `process: {authorities: [FILE]}` takes files that begin with -----BEGIN CERTIFICATE-----");
            return Err(Exit::Usage);
        }
        settings.authorities.push(pem);
    }
    Ok(settings)
}

fn certificate(path: &Path, ui: Ui) -> Result<Vec<u8>, Exit> {
    std::fs::read(path).map_err(|error| {
        ui.note(&format!(
            "error: the certificate {} cannot be read: {error}",
            path.display()
        ));
        Exit::Usage
    })
}

fn go(files: &Files, ui: Ui) -> Result<Exit, Exit> {
    let (settings, process) = read(files, ui)?;
    let mut store = open(&store_of(&process, ui)?, &settings, ui)?;
    let driver_settings = driver_settings(&process, ui)?;
    // Whoever embeds this may have chosen where logs go already.
    drop(
        tracing_subscriber::fmt()
            .json()
            .with_writer(std::io::stderr)
            .with_ansi(false)
            .try_init(),
    );
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            ui.note(&format!("error: the connector cannot start: {error}"));
            Exit::Harness
        })?;
    runtime.block_on(serve(settings, &process, driver_settings, &mut store, ui))
}

async fn bind(address: &str, what: &str, ui: Ui) -> Result<TcpListener, Exit> {
    TcpListener::bind(address).await.map_err(|error| {
        ui.note(&format!("error: {what} cannot listen at {address}: {error}"));
        Exit::Usage
    })
}

fn address(listener: &TcpListener) -> String {
    listener
        .local_addr()
        .map_or_else(|_| "an unknown address".to_owned(), |address| address.to_string())
}

async fn serve(
    settings: Settings,
    process: &Process,
    driver_settings: DriverSettings,
    store: &mut Sqlite,
    ui: Ui,
) -> Result<Exit, Exit> {
    let hooks = bind(
        process.listen.as_deref().unwrap_or("127.0.0.1:0"),
        "the webhook receiver",
        ui,
    )
    .await?;
    let status = bind(
        process.status.as_deref().unwrap_or("127.0.0.1:0"),
        "the status page",
        ui,
    )
    .await?;
    ui.out(&format!("webhooks  http://{}", address(&hooks)))?;
    ui.out(&format!("status    http://{}/status", address(&status)))?;
    // Whoever waits for these lines reads them through a pipe.
    drop(std::io::stdout().flush());
    let (stop, stopped) = tokio::sync::mpsc::channel::<()>(1);
    let told = ctrlc::set_handler(move || {
        // A second signal finds that the first was heard.
        let _heard = stop.try_send(());
    });
    if let Err(error) = told {
        tracing::warn!(%error, "signals cannot be heard; the connector stops when it is killed");
    }
    let mut stopped = stopped;
    let shutdown = async move {
        if stopped.recv().await.is_none() {
            // No signal can be heard: nobody stops it but the system.
            std::future::pending::<()>().await;
        }
    };
    tracing::info!(owner = owner(&settings), "the connector starts");
    let listeners = Listeners {
        hooks,
        status: Some(status),
    };
    let decided = |decision: &cosell_connector::Decision| {
        tracing::info!(
            code = decision.code,
            referral = decision.referral.as_ref().map(ToString::to_string),
            opportunity = decision.opportunity.as_ref().map(ToString::to_string),
            field = decision.field,
            detail = decision.detail,
            "decision"
        );
    };
    match driver::run_with_status(settings, driver_settings, store, listeners, decided, shutdown).await {
        Ok(()) => {
            tracing::info!("the connector stops");
            Ok(Exit::Passed)
        }
        Err(error) => Err(failed(&error, ui)),
    }
}

/// An error, and what is behind it.
fn told(error: &dyn std::error::Error, ui: Ui) {
    ui.note(&format!("error: {error}"));
    let mut source = error.source();
    while let Some(cause) = source {
        ui.note(&format!("  because {cause}"));
        source = cause.source();
    }
}

fn failed(error: &DriverError, ui: Ui) -> Exit {
    told(error, ui);
    match error {
        DriverError::Settings(_) | DriverError::ClockBack { .. } => Exit::Usage,
        DriverError::Store(_) | DriverError::Receiver(_) | DriverError::Client(_) => Exit::Harness,
    }
}

fn examine(files: &Files, ui: Ui) -> Result<Exit, Exit> {
    let (settings, process) = read(files, ui)?;
    ui.out(&format!("settings   {}: no fault", files.settings.display()))?;
    ui.out(&format!("profile    {}", settings.profile.name()))?;
    ui.out(&format!("systems    {}", owner(&settings)))?;
    for variable in &VARIABLES {
        if let Some(value) = variable.current(&settings) {
            ui.out(&format!("variable   {}: {value}", variable.name))?;
        }
    }
    driver_settings(&process, ui)?;
    if settings.accept_unsigned_hooks {
        ui.out("warning    webhooks without a signature are taken: their URL is the only secret")?;
    }
    let Some(path) = &process.store else {
        ui.out("memory     no file is named: `connector run` needs one")?;
        return Ok(Exit::Failed);
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        ui.note(&format!(
            "error: `process.store` names {}, and the folder {} does not exist: make it, or name another file",
            path.display(),
            folder.display()
        ));
        return Err(Exit::Usage);
    }
    if !path.exists() {
        ui.out(&format!(
            "memory     {}: not there yet; it is made at the first start",
            path.display()
        ))?;
        return Ok(Exit::Passed);
    }
    let store = open(path, &settings, ui)?;
    let examined = store.examine().map_err(|error| {
        told(&error, ui);
        Exit::Failed
    })?;
    let (entries, version) = (examined.entries, examined.version);
    ui.out(&format!(
        "memory     {}: {entries} entries, version {version}",
        path.display()
    ))?;
    for fault in &examined.faults {
        ui.out(&format!("damaged    {fault}"))?;
    }
    if examined.faults.is_empty() {
        ui.out("integrity  whole")?;
        Ok(Exit::Passed)
    } else {
        ui.out("help       put a copy back, or move the file away: the connector finds every deal again by looking")?;
        Ok(Exit::Failed)
    }
}
