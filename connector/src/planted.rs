//! Deliberately broken variants of the connector, which a harness must catch. They can be switched on behind the
//! non-default feature `planted` only.
//!
//! It decides nothing by itself: the places that can break ask
//! [`Settings::is_planted`](crate::settings::Settings). Each says which invariant of the harness must speak.

/// What is said of a bug: its name, its area, the invariant that claims it, the profile of histories that brings it out,
/// and what it does.
#[cfg(feature = "planted")]
type Told = (&'static str, &'static str, &'static str, &'static str, &'static str);

/// Lists every bug once: the variants, and what is told of each.
macro_rules! planted {
    ($($variant:ident = ($name:literal, $area:literal, $claim:literal, $profile:literal, $about:literal),)*) => {
        /// One way in which the connector can be broken on purpose.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[cfg_attr(not(feature = "planted"), expect(unreachable_pub, reason = "public with the feature only"))]
        pub enum Planted {
            $(#[doc = $about] $variant,)*
        }

        #[cfg(feature = "planted")]
        impl Planted {
            /// Every variant.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            fn told(self) -> Told {
                match self {
                    $(Self::$variant => ($name, $area, $claim, $profile, $about),)*
                }
            }
        }
    };
}

planted! {
    NoLookUpAfterLostReply = ("no-look-up-after-lost-reply", "outbox", "one-to-one", "faults", "creates again after a lost reply without looking first"),
    CreatesAgainAtOnce = ("creates-again-at-once", "outbox", "one-to-one", "faults", "looks, but does not wait for a create that may still arrive"),
    NoJournalBeforeCreate = ("no-journal-before-create", "journal", "one-to-one", "faults", "writes no intention to the journal before it creates a referral"),
    DueMarksInMemory = ("due-marks-in-memory", "journal", "converged", "chaos", "keeps in memory only which deals are due"),
    BaseInMemory = ("base-in-memory", "journal", "nothing-lost", "crashes", "forgets at a restart what both sides had agreed on"),
    InvitesAgain = ("invites-again", "outbox", "quiet", "faults", "invites Microsoft again without looking whether it is there"),
    GivesUpAtOnce = ("gives-up-at-once", "outbox", "converged", "faults", "never tries again what failed for a passing reason"),
    GivesUpAfterThree = ("gives-up-after-three", "back-off", "converged", "throttled", "gives a deal up after three failures in a row"),
    NoBackOff = ("no-back-off", "back-off", "conduct", "throttled", "tries again at once, whatever fails"),
    IgnoresRetryAfter = ("ignores-retry-after", "back-off", "conduct", "throttled", "goes by its own pauses where a system says when to come back"),
    NoEchoCheck = ("no-echo-check", "echo", "quiet", "calm", "takes its own writes for changes: each hit of the poll writes an Audit line"),
    EchoByTime = ("echo-by-time", "echo", "converged", "calm", "takes every change of the CRM within a minute for its own"),
    LoserWins = ("loser-wins", "merge", "converged", "calm", "lets the loser of a conflict win"),
    OverwritesTheCrm = ("overwrites-the-crm", "merge", "nothing-lost", "calm", "copies Partner Center over edits of the CRM"),
    BaseStaysBehind = ("base-stays-behind", "merge", "nothing-lost", "calm", "does not move the base after it has written to the CRM"),
    IgnoresClosingDate = ("ignores-closing-date", "dates", "converged", "calm", "never carries the closing date"),
    DayBefore = ("day-before", "dates", "nothing-invented", "calm", "sends the closing date as the day before"),
    IgnoresNotes = ("ignores-notes", "merge", "converged", "calm", "never carries the notes"),
    IgnoresCurrency = ("ignores-currency", "currency", "nothing-invented", "calm", "carries an amount without its currency"),
    AmountInCents = ("amount-in-cents", "currency", "nothing-invented", "calm", "sends amounts in hundredths of their unit"),
    CutsCents = ("cuts-cents", "currency", "nothing-invented", "calm", "sends amounts without what stands after the point"),
    SwapsWonAndLost = ("swaps-won-and-lost", "merge", "converged", "calm", "closes the other side as lost when a deal is won, and as won when it is lost"),
    LeavesClosedApart = ("leaves-closed-apart", "merge", "converged", "calm", "leaves deals alone that both sides closed differently"),
    LeavesOpportunityOpen = ("leaves-opportunity-open", "merge", "converged", "calm", "takes a deal that Partner Center closed for one that the seller opened again"),
    UpdatesClosedDeals = ("updates-closed-deals", "merge", "closed-is-terminal", "calm", "sends late edits to closed referrals"),
    NoPreconditionInCrm = ("no-precondition-in-crm", "merge", "nothing-lost", "faults", "writes to the CRM whatever was changed since it read"),
    NoPreconditionInPartnerCenter = ("no-precondition-in-partner-center", "merge", "converged", "faults", "writes to Partner Center whatever was changed since it read"),
    NoExternalReference = ("no-external-reference", "links", "converged", "calm", "never tells Partner Center which opportunity belongs to a referral"),
    NoReferralIdentifier = ("no-referral-identifier", "links", "nothing-lost", "calm", "never tells the CRM which referral it made for an opportunity"),
    ForgetsSolutions = ("forgets-solutions", "links", "nothing-lost", "calm", "makes opportunities without their solutions"),
    SendsWhileOnHold = ("sends-while-on-hold", "on-hold", "no-leak", "calm", "sends the CRM's values to Partner Center while the deal is on hold"),
    SendsBeforeAccepting = ("sends-before-accepting", "on-hold", "no-leak", "calm", "sends values of a deal that left on-hold without accepting it first"),
    OverwritesOnHold = ("overwrites-on-hold", "on-hold", "nothing-lost", "calm", "copies Partner Center over edits that wait on hold"),
    StaysOnHold = ("stays-on-hold", "on-hold", "converged", "calm", "leaves the opportunity on hold when the referral was accepted in the portal"),
    NeverDeclines = ("never-declines", "on-hold", "converged", "calm", "does not decline a referral whose opportunity was lost from on-hold"),
    KeepsDroppedEdits = ("keeps-dropped-edits", "on-hold", "no-leak", "calm", "sends edits made on hold though they are to be dropped"),
    SyncsWithoutLeave = ("syncs-without-leave", "visibility", "no-leak", "calm", "synchronises deals with Sync = No"),
    NeverShows = ("never-shows", "visibility", "converged", "calm", "never makes a deal visible to Microsoft that the seller shows"),
    NotPutBack = ("not-put-back", "visibility", "converged", "calm", "leaves it as it is when a seller takes back help or visibility"),
    NoMark = ("no-mark", "marks", "audited", "calm", "never marks names"),
    MarksStack = ("marks-stack", "marks", "audited", "calm", "adds a mark to the one that is there"),
    CrossAfterSuccess = ("cross-after-success", "marks", "audited", "calm", "shows the cross after a success"),
    MarkReachesPartnerCenter = ("mark-reaches-partner-center", "marks", "nothing-invented", "calm", "sends names with their mark"),
    NoAuditOfSending = ("no-audit-of-sending", "audit", "audited", "calm", "leaves no Audit line of what it sends to Partner Center"),
    AuditStartsAnew = ("audit-starts-anew", "audit", "audited", "calm", "writes each Audit line over the ones before"),
    StopsAfterFirstPage = ("stops-after-first-page", "paging", "nothing-lost", "chaos", "reads the first page of a list and ignores that there are more"),
    BuildsPagingLinks = ("builds-paging-links", "paging", "conduct", "calm", "changes the links to further pages"),
    CursorRunsAhead = ("cursor-runs-ahead", "cursor", "converged", "calm", "moves the cursor of the CRM's changes ahead of what it has read"),
    PartnerCenterCursorRunsAhead = ("partner-center-cursor-runs-ahead", "cursor", "converged", "faults", "moves the cursor of Partner Center's changes ahead of what it has read"),
    TrustsWebhooksAlone = ("trusts-webhooks-alone", "webhooks", "nothing-lost", "calm", "never reconciles what webhooks have lost"),
    RefusesSignedWebhooks = ("refuses-signed-webhooks", "webhooks", "conduct", "calm", "refuses webhooks with a good signature"),
    KeepsRefusedToken = ("keeps-refused-token", "tokens", "conduct", "faults", "uses a token again that was refused"),
    RefreshesTokensAlways = ("refreshes-tokens-always", "tokens", "budget", "calm", "signs in anew for every call"),
    WorksWhileOff = ("works-while-off", "flows", "conduct", "faults", "goes on with the work of a flow that is off"),
    SwitchesInMemory = ("switches-in-memory", "flows", "conduct", "chaos", "forgets at a restart which flows are off"),
    ForgetsWhatMetOff = ("forgets-what-met-off", "flows", "converged", "faults", "does not make up for what a flow missed while it was off"),
    HidesAgain = ("hides-again", "visibility", "no-leak", "calm", "tries to hide a deal again that Microsoft may see"),
    NeverInvites = ("never-invites", "visibility", "converged", "calm", "asks for help in Partner Center and invites nobody"),
    SendsNotesThatStay = ("sends-notes-that-stay", "visibility", "no-leak", "calm", "sends Description though notes and Description are no pair"),
    AcceptsAtOnce = ("accepts-at-once", "on-hold", "nothing-invented", "calm", "accepts what Microsoft shares, whatever the seller does"),
    CreatesActive = ("creates-active", "on-hold", "nothing-invented", "calm", "makes opportunities in the active stage before they are accepted"),
    CreatesUnsynced = ("creates-unsynced", "links", "nothing-lost", "calm", "makes opportunities with Sync = No"),
    AccountForEachDeal = ("account-for-each-deal", "links", "one-to-one", "calm", "makes an account for each deal, whether the customer has one or not"),
    ContactForEachDeal = ("contact-for-each-deal", "links", "one-to-one", "calm", "makes a contact for each deal, whether the person has one or not"),
    NoReferralLink = ("no-referral-link", "links", "audited", "calm", "never fills Referral Link"),
    IgnoresMsxId = ("ignores-msx-id", "links", "converged", "calm", "never carries the number in Microsoft's own CRM"),
    AddsRemovedSolutions = ("adds-removed-solutions", "links", "nothing-lost", "calm", "puts solutions back that the seller has removed"),
    IgnoresSolutions = ("ignores-solutions", "links", "converged", "calm", "never carries the CRM's solutions to Partner Center"),
    LetsLeadsIn = ("lets-leads-in", "links", "nothing-invented", "calm", "makes opportunities of leads though only co-sell deals are to be synced"),
    SwapsDeals = ("swaps-deals", "merge", "nothing-invented", "calm", "sends the value of another deal"),
    TakesRaceForSuccess = ("takes-race-for-success", "merge", "nothing-lost", "faults", "takes a failed precondition for a success"),
    OpensClosedAgain = ("opens-closed-again", "merge", "closed-is-terminal", "calm", "sends a closed referral back to Active when the seller opens the deal again"),
    WrongReason = ("wrong-reason", "merge", "nothing-invented", "calm", "closes with the reason of the other outcome"),
    CutsNotes = ("cuts-notes", "merge", "nothing-invented", "calm", "carries the first 255 letters of notes"),
    DropsAccents = ("drops-accents", "merge", "nothing-invented", "calm", "carries notes without the signs that are not ASCII"),
    EmptyIsZero = ("empty-is-zero", "currency", "nothing-invented", "calm", "writes 0 to the CRM where Partner Center has no value"),
    MonthEndsSlip = ("month-ends-slip", "dates", "nothing-invented", "calm", "carries the last day of a month as the first of the next"),
    NoOverlap = ("no-overlap", "cursor", "converged", "faults", "asks the CRM only for what is newer than the last row, by the second"),
    RegistersAgain = ("registers-again", "webhooks", "conduct", "calm", "registers its webhook again with every look at the registration"),
    HammersWhenDenied = ("hammers-when-denied", "back-off", "conduct", "faults", "tries again at once what it may not do"),
    ReconcilesWithoutPause = ("reconciles-without-pause", "budget", "budget", "calm", "reads the whole list of referrals every second"),
    ForgetsWhileOff = ("forgets-while-off", "visibility", "nothing-lost", "calm", "takes what the CRM holds for agreed while Sync is No"),
    DropsKeptEdits = ("drops-kept-edits", "on-hold", "nothing-lost", "calm", "drops edits made on hold though they are to be kept"),
    LeavesLostOpen = ("leaves-lost-open", "merge", "converged", "calm", "closes opportunities that were won, and not those that were lost"),
    IgnoresNames = ("ignores-names", "merge", "converged", "calm", "never carries a new name"),
    GoesBothWays = ("goes-both-ways", "merge", "nothing-lost", "calm", "carries every field both ways, whatever the directions are"),
    PartnerCenterAlwaysWins = ("partner-center-always-wins", "merge", "converged", "calm", "lets Partner Center win whatever the policy says"),
    NeverConverts = ("never-converts", "visibility", "audited", "calm", "does not ask Microsoft for help that the seller wants later"),
    NoLeapDays = ("no-leap-days", "dates", "nothing-invented", "calm", "sends 28 February for 29 February"),
    RoundsAmounts = ("rounds-amounts", "currency", "nothing-invented", "calm", "sends amounts in whole thousands"),
    AlwaysDollars = ("always-dollars", "currency", "nothing-invented", "calm", "sends every amount as dollars"),
    OneLineNotes = ("one-line-notes", "merge", "nothing-invented", "calm", "carries notes without their line breaks"),
    StripsNotes = ("strips-notes", "merge", "nothing-invented", "calm", "carries notes without the signs that look like a tag"),
    CutsNames = ("cuts-names", "merge", "nothing-invented", "calm", "carries the first 40 letters of a name"),
    DayLateInCrm = ("day-late-in-crm", "dates", "nothing-invented", "calm", "writes the closing date to the CRM as the day after"),
    AddsNotes = ("adds-notes", "merge", "nothing-invented", "calm", "adds new notes to the old ones in the CRM"),
    NeverCrosses = ("never-crosses", "marks", "audited", "calm", "shows no cross after a failure"),
    MarksUnasked = ("marks-unasked", "marks", "audited", "calm", "marks names though the setting says no"),
    FirstSolutionOnly = ("first-solution-only", "links", "nothing-lost", "calm", "makes opportunities with the first of their solutions"),
    ShowsAll = ("shows-all", "visibility", "no-leak", "calm", "makes referrals that Microsoft sees though the seller shows them to nobody"),
    NoPostalCode = ("no-postal-code", "links", "nothing-invented", "calm", "makes accounts without their postal code"),
    SwapsNames = ("swaps-names", "links", "nothing-invented", "calm", "swaps first and last names of contacts"),
    BusyIsNo = ("busy-is-no", "back-off", "converged", "throttled", "takes 429 for a refusal for good"),
    BrokenIsDone = ("broken-is-done", "outbox", "converged", "faults", "takes the answer of a broken system for a success"),
    NoAuditOfFailure = ("no-audit-of-failure", "audit", "nothing-lost", "calm", "leaves no Audit line of what failed"),
    TakesForgedWebhooks = ("takes-forged-webhooks", "webhooks", "conduct", "faults", "takes webhooks with a wrong signature"),
    LeavesLeads = ("leaves-leads", "links", "nothing-lost", "calm", "leaves an accepted lead as it is"),
    FirstRowOnly = ("first-row-only", "paging", "converged", "calm", "reads the first row of each page of the CRM's changes"),
    KeepsRemovedSolutions = ("keeps-removed-solutions", "links", "converged", "calm", "does not take solutions away in Partner Center that the seller has removed"),
}

#[cfg(feature = "planted")]
impl Planted {
    /// The name that people and files use.
    pub fn name(self) -> &'static str {
        self.told().0
    }

    /// The part of the connector that is broken.
    pub fn area(self) -> &'static str {
        self.told().1
    }

    /// The code of the invariant that must catch it.
    pub fn claimed_by(self) -> &'static str {
        self.told().2
    }

    /// The profile of random histories that brings it out.
    pub fn hunted_with(self) -> &'static str {
        self.told().3
    }

    /// What it does.
    pub fn about(self) -> &'static str {
        self.told().4
    }

    /// The variant of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|planted| planted.name() == name)
    }
}

#[cfg(all(test, feature = "planted"))]
mod tests {
    use super::*;

    #[test]
    fn each_variant_is_found_by_its_name() {
        for planted in Planted::ALL {
            assert_eq!(Planted::from_name(planted.name()), Some(planted));
        }
        assert_eq!(Planted::from_name("none"), None);
    }
}
