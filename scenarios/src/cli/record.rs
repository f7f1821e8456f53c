//! `cosell record`: a reverse proxy that writes what a connector and real or simulated systems say to each other.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use cosell_sim::site::Site;
use serde_json::json;

use super::Ui;
use crate::exit::Exit;
use crate::preflight::profile::Crm;
use crate::proxy::{Proxy, ProxySettings, Upstream, origin_of, site_of};
use crate::ready;

/// Stand between a connector and its systems, and record what they say to each other
///
/// Point the connector at the ports that are printed. Links in answers are rewritten, so that it stays there. Tokens, passwords,
/// cookies and signatures are not written down; customers' names and amounts are. Ctrl-C ends it; `cosell replay`, `cosell
/// show` and `cosell drift` read the trace.
#[derive(Debug, Args)]
pub(crate) struct RecordArgs {
    /// A system: its URL, with its name before it where the host does not tell, such as salesforce=http://127.0.0.1:9002
    ///
    /// Names are entra, partner-center, salesforce, dataverse. Any number of them.
    #[arg(long, value_name = "[NAME=]URL", value_parser = upstream, required_unless_present = "profile")]
    to: Vec<(Site, String)>,
    /// The proxy's port for each `--to`, in the same order; free ones when there are fewer
    #[arg(long, value_name = "PORT", requires = "to")]
    listen: Vec<u16>,
    /// The systems of a profile: sign-in, Partner Center, the CRM
    #[arg(long, value_name = "FILE", conflicts_with = "to")]
    profile: Option<PathBuf>,
    /// The first of as many ports as the profile has systems
    #[arg(long, value_name = "PORT", requires = "profile", value_parser = clap::value_parser!(u16).range(1..=65_530))]
    port: Option<u16>,
    /// The trace to write; one that is there is kept
    #[arg(long, value_name = "FILE", default_value = "recording.jsonl")]
    out: PathBuf,
    /// Replace the trace when it is there
    #[arg(long)]
    force: bool,
    /// Certificates of an authority to trust besides the machine's own, as PEM
    #[arg(long, value_name = "FILE")]
    ca: Vec<PathBuf>,
    /// A file for scripts to wait for: JSON with the proxy's base URLs
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
}

fn upstream(text: &str) -> Result<(Site, String), String> {
    let named = text.split_once('=').filter(|(name, _)| !name.contains("://"));
    let url = named.map_or(text, |(_, url)| url);
    let Some(origin) = origin_of(url) else {
        return Err(format!("{url:?} is no URL that begins with http:// or https://"));
    };
    if origin.len() < url.trim_end_matches('/').len() {
        return Err(format!("{url:?} goes on behind its host: name {origin} alone"));
    }
    let site = match named {
        Some((name, _)) => Site::ALL.into_iter().find(|site| site.name() == name).ok_or_else(|| {
            let known = Site::ALL.map(Site::name).join(", ");
            format!("there is no system {name:?}; there are {known}")
        })?,
        None => site_of(&origin)
            .ok_or_else(|| format!("which system is at {origin}? Say so: partner-center={origin}, or another name"))?,
    };
    Ok((site, origin))
}

fn of_profile(args: &RecordArgs, path: &std::path::Path, ui: Ui) -> Result<Vec<Upstream>, Exit> {
    let usage = |told: String| {
        ui.note(&format!("error: {told}"));
        Exit::Usage
    };
    let profile = super::profile(path, ui)?;
    let pc = &profile.partner_center;
    let mut bases = vec![
        (Site::Entra, pc.sign_in.authority.clone()),
        (Site::PartnerCenter, pc.referrals_base.clone()),
        (Site::PartnerCenter, pc.events_base.clone()),
    ];
    match (profile.crm, &profile.salesforce, &profile.dataverse) {
        (Crm::Salesforce, Some(salesforce), _) => bases.push((Site::Salesforce, salesforce.login_base.clone())),
        (Crm::Dynamics, _, Some(dataverse)) => {
            bases.push((Site::Dataverse, dataverse.base.clone()));
            bases.push((Site::Entra, dataverse.sign_in.authority.clone()));
        }
        _ => {}
    }
    let mut upstreams: Vec<Upstream> = Vec::new();
    for (site, base) in bases {
        let base = origin_of(&base).ok_or_else(|| usage(format!("{base:?} of the profile is no URL of a host")))?;
        if !upstreams.iter().any(|upstream| upstream.base == base) {
            let number = u16::try_from(upstreams.len()).unwrap_or_default();
            let port = args.port.map(|port| port + number);
            upstreams.push(Upstream { site, base, port });
        }
    }
    Ok(upstreams)
}

pub(crate) fn run(args: &RecordArgs, ui: Ui) -> Result<Exit, Exit> {
    let upstreams = if let Some(path) = &args.profile {
        of_profile(args, path, ui)?
    } else {
        let ports = args.listen.iter().copied().map(Some).chain(std::iter::repeat(None));
        let named = args.to.iter().zip(ports);
        named
            .map(|((site, base), port)| Upstream {
                site: *site,
                base: base.clone(),
                port,
            })
            .collect()
    };
    let mut authorities = Vec::new();
    for path in &args.ca {
        authorities.push(std::fs::read(path).map_err(|error| {
            ui.note(&format!(
                "error: the certificate {} cannot be read: {error}",
                path.display()
            ));
            Exit::Usage
        })?);
    }
    let settings = ProxySettings {
        upstreams,
        file: args.out.clone(),
        replace: args.force,
        authorities,
        tell: Arc::new(move |told| ui.note(&format!("note: {told}"))),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            ui.note(&format!("error: nothing can be carried: {error}"));
            Exit::Harness
        })?;
    runtime.block_on(record(args, &settings, ui))
}

async fn record(args: &RecordArgs, settings: &ProxySettings, ui: Ui) -> Result<Exit, Exit> {
    let (stop, mut stopped) = tokio::sync::mpsc::channel::<()>(1);
    let told = ctrlc::set_handler(move || {
        // A second signal finds that the first was heard.
        let _heard = stop.try_send(());
    });
    if let Err(error) = told {
        ui.note(&format!(
            "warning: signals cannot be heard ({error}); what was answered is in the trace all the same"
        ));
    }
    let proxy = Proxy::start(settings).await.map_err(|error| {
        ui.note(&format!("error: {error}"));
        if let crate::proxy::ProxyError::Tape { source, .. } = &error
            && source.kind() == std::io::ErrorKind::AlreadyExists
        {
            ui.note("help: name another with `--out`, or replace it with `--force`");
        }
        Exit::Usage
    })?;
    greet(args, &proxy, ui)?;
    if stopped.recv().await.is_none() {
        // No signal can be heard: nobody stops it but the system.
        std::future::pending::<()>().await;
    }
    match proxy.stop().await {
        Ok(exchanges) => {
            ui.out(&format!("{exchanges} requests recorded in {}", args.out.display()))?;
            Ok(Exit::Passed)
        }
        Err(error) => {
            ui.note(&format!(
                "error: the trace {} is not whole: {error}",
                args.out.display()
            ));
            Err(Exit::Harness)
        }
    }
}

/// Says where the proxy is.
fn greet(args: &RecordArgs, proxy: &Proxy, ui: Ui) -> Result<(), Exit> {
    let routes = proxy.routes();
    for route in &routes {
        ui.out(&format!(
            "{:<15} {}  for  {}",
            route.site.name(),
            route.local,
            route.upstream
        ))?;
    }
    ui.out(&format!("recording to {} until Ctrl-C", args.out.display()))?;
    let Some(path) = &args.ready_file else {
        return Ok(());
    };
    let bases: Vec<_> = routes
        .iter()
        .map(|route| json!({"site": route.site.name(), "base": route.local, "upstream": route.upstream}))
        .collect();
    let text = format!(
        "{:#}\n",
        json!({"routes": bases, "trace": args.out, "pid": std::process::id()})
    );
    ready::write(path, &text).map_err(|error| {
        ui.note(&format!(
            "error: {} of `--ready-file` cannot be written: {error}",
            path.display()
        ));
        Exit::Usage
    })
}
