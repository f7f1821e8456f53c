//! `cosell serve`: the simulated systems as servers on loopback ports, for anybody's client.

use std::collections::BTreeMap;

use clap::{Args, ValueEnum};
use cosell_sim::clock::default_start;
use cosell_sim::seed::Seed;
use cosell_sim::site::Site;
use cosell_sim::transport::socket::{self, ServeClock, ServeSettings, Served};

use super::Ui;
use crate::exit::Exit;
use crate::plan::DEFAULT_SEED;

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
    let settings = ServeSettings {
        seed: Seed(args.seed),
        clock: match args.clock {
            ClockChoice::Wall => ServeClock::Wall,
            ClockChoice::Manual => ServeClock::Manual(default_start()),
        },
        ports: ports(args.port),
        control_port: args.port.map(|port| port + 4),
        ..ServeSettings::default()
    };
    let served = socket::serve(&settings).map_err(|error| {
        ui.note(&format!("error: {error}"));
        ui.note("help: choose another with `--port`, or leave it out to get free ports");
        Exit::Usage
    })?;
    for line in greeting(&served, args.clock == ClockChoice::Manual) {
        ui.out(&line)?;
    }
    served.wait();
    Ok(Exit::Passed)
}

fn ports(first: Option<u16>) -> BTreeMap<Site, u16> {
    let numbered = first.into_iter().flat_map(|first| Site::ALL.into_iter().zip(first..));
    numbered.collect()
}

/// Base URLs, a token for each, and three commands that work as they stand.
fn greeting(served: &Served, manual: bool) -> Vec<String> {
    let bases = served.bases();
    let token = |who: &str, site: Site, path: &str| served.token(who, site, path).unwrap_or_default();
    let referrals = token("connector", Site::PartnerCenter, "/v1.0/engagements/referrals");
    let webhooks = token("connector", Site::PartnerCenter, "/webhooks/v1/registration");
    let (salesforce, dataverse) = (
        token("connector", Site::Salesforce, "/services/data"),
        token("connector", Site::Dataverse, "/api/data"),
    );
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
    lines.push(format!(
        "control             {control}  (calls: {control}/control/openapi.json)"
    ));
    lines.extend([
        String::new(),
        "tokens of the user `connector`, good for 30 days:".to_owned(),
        format!("  Partner Center referrals  {referrals}"),
        format!("  Partner Center webhooks   {webhooks}"),
        format!("  Salesforce                {salesforce}"),
        format!("  Dataverse                 {dataverse}"),
        String::new(),
        "try:".to_owned(),
        format!("  curl -s -H 'Authorization: Bearer {referrals}' '{pc}/v1.0/engagements/referrals'"),
        format!(
            "  curl -s -H 'Authorization: Bearer {salesforce}' '{sf}/services/data/v60.0/query?q=SELECT+Id,Name+FROM+Opportunity'"
        ),
        format!(
            "  curl -s -H 'Authorization: Bearer {dataverse}' '{dv}/api/data/v9.2/transactioncurrencies?$select=isocurrencycode'"
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
