//! Settings of the simulators that stand where sources conflict or say nothing, under names: what a difference may come from.

use cosell_sim::site::Site;
use cosell_sim::systems::SystemSettings;

/// A setting that can be turned to its other value.
#[derive(Clone, Copy, Debug)]
pub struct Switch {
    /// Its name on the command line.
    pub name: &'static str,
    /// The system.
    pub site: Site,
    /// What it decides.
    pub about: &'static str,
    turn: fn(&mut SystemSettings),
}

impl PartialEq for Switch {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Switch {
    /// Turns it to its other value.
    pub fn turn(&self, settings: &mut SystemSettings) {
        (self.turn)(settings);
    }

    /// The switch of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        SWITCHES.into_iter().find(|switch| switch.name == name)
    }
}

const fn switch(name: &'static str, site: Site, about: &'static str, turn: fn(&mut SystemSettings)) -> Switch {
    Switch {
        name,
        site,
        about,
        turn,
    }
}

/// Every switch, in the order in which they are tried.
pub const SWITCHES: [Switch; 17] = [
    switch(
        "create-answers-201",
        Site::PartnerCenter,
        "whether a create of a referral answers 201 and not 200",
        |all| all.partner_center.create_answers_201 ^= true,
    ),
    switch(
        "put-needs-no-if-match",
        Site::PartnerCenter,
        "whether a PUT without If-Match is taken",
        |all| all.partner_center.put_requires_if_match ^= true,
    ),
    switch(
        "closing-date-must-be-ahead",
        Site::PartnerCenter,
        "whether a closing date that has passed is refused",
        |all| all.partner_center.closing_date_may_be_past ^= true,
    ),
    switch(
        "bulk-requirements",
        Site::PartnerCenter,
        "whether a create must hold all that a row of a bulk file must",
        |all| all.partner_center.bulk_requirements ^= true,
    ),
    switch(
        "reasons-are-checked",
        Site::PartnerCenter,
        "whether the reason of an end must be one of a list",
        |all| all.partner_center.reasons_are_checked ^= true,
    ),
    switch(
        "undocumented-filters",
        Site::PartnerCenter,
        "whether filters may use or, not, ne and ranges",
        |all| all.partner_center.undocumented_filters ^= true,
    ),
    switch(
        "list-shows-related",
        Site::PartnerCenter,
        "whether the plain list holds Microsoft's referrals too",
        |all| all.partner_center.list_shows_related ^= true,
    ),
    switch(
        "one-row-a-page",
        Site::PartnerCenter,
        "whether a page of the list holds one row",
        |all| all.partner_center.page_size = if all.partner_center.page_size == 1 { 100 } else { 1 },
    ),
    switch(
        "lead-stages-gate-won",
        Site::PartnerCenter,
        "whether a deal is won only when Microsoft's lead has gone through its stages",
        |all| all.partner_center.lead_stages_gate_won ^= true,
    ),
    switch(
        "validation-rules",
        Site::Salesforce,
        "whether the package's validation rules are active",
        |all| all.salesforce.validation_rules ^= true,
    ),
    switch(
        "one-currency",
        Site::Salesforce,
        "whether the org has one currency and no CurrencyIsoCode",
        |all| all.salesforce.schema.multi_currency ^= true,
    ),
    switch(
        "no-package",
        Site::Salesforce,
        "whether the co-sell package is missing",
        |all| all.salesforce.schema.package_installed ^= true,
    ),
    switch(
        "no-teams",
        Site::Salesforce,
        "whether opportunities have no teams",
        |all| all.salesforce.schema.team_selling ^= true,
    ),
    switch("no-notes", Site::Salesforce, "whether notes are off", |all| {
        all.salesforce.schema.notes ^= true;
    }),
    switch(
        "country-picklists",
        Site::Salesforce,
        "whether countries and states are picklists with codes beside them",
        |all| all.salesforce.schema.state_country_picklists ^= true,
    ),
    switch(
        "closed-rows-are-writable",
        Site::Dataverse,
        "whether a won or lost opportunity takes updates",
        |all| all.dataverse.closed_rows_are_read_only ^= true,
    ),
    switch(
        "two-rows-a-page",
        Site::Dataverse,
        "whether a page holds two rows",
        |all| all.dataverse.page_size = if all.dataverse.page_size == 2 { 5_000 } else { 2 },
    ),
];
