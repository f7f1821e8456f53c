//! The go-live checks: scenarios of the catalog under numbers and codes that stay.
//!
//! A number is never given to another check; one that is dropped leaves a gap. The scenarios carry the tag `go-live`.

/// What people are told to do before go-live, on which every check rests (partner-center.md: best practices).
pub const PRACTICE: &str = "Test the solution on a staging CRM instance before it is used in production.";

/// One check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its number, from 1.
    pub number: u16,
    /// Its stable code.
    pub code: &'static str,
    /// The scenario of the catalog, with `#` and its row where it has rows.
    pub scenario: &'static str,
    /// The promise of the documentation that it tries on the staging instance.
    pub practice: &'static str,
}

const NEW: &str = "a new deal arrives on the other side, once, within ten minutes, and both records name each other";
const MISSING: &str = "a deal that lacks a required piece stays in the CRM, and its Audit says which";
const HOLD: &str = "a deal that Microsoft shares waits on hold until somebody accepts or declines it";
const UPDATE: &str = "what one side changes arrives on the other, as the field's direction says";
const PRIVACY: &str = "what a seller keeps back does not leave the CRM";
const CLOSE: &str = "a deal that is won or lost on one side is closed on the other, for good";
const MICROSOFT: &str = "what Microsoft does with a shared deal is seen in the CRM";
const TROUBLE: &str = "what goes wrong on the way loses nothing and makes nothing twice";

/// Every check, in the order of the numbers.
pub const CHECKS: [Check; 40] = [
    check(
        1,
        "new.from-crm",
        "catalog/new-deals/from-crm-without-help-stays-with-partner.yaml",
        NEW,
    ),
    check(
        2,
        "new.ten-minutes.from-crm",
        "catalog/new-deals/ten-minutes.yaml#2",
        NEW,
    ),
    check(
        3,
        "new.ten-minutes.from-microsoft",
        "catalog/new-deals/ten-minutes.yaml#1",
        NEW,
    ),
    check(
        4,
        "new.from-microsoft",
        "catalog/new-deals/from-microsoft-lands-on-hold.yaml",
        NEW,
    ),
    check(
        5,
        "new.shared-with-microsoft",
        "catalog/go-live/shared-with-microsoft.yaml",
        NEW,
    ),
    check(6, "new.link", "catalog/new-deals/link-both-ways.yaml", NEW),
    check(
        7,
        "new.same-account",
        "catalog/new-deals/same-customer-one-account.yaml",
        NEW,
    ),
    check(8, "new.contact", "catalog/new-deals/contact-arrives.yaml", NEW),
    check(
        9,
        "new.made-on-hold",
        "catalog/new-deals/made-on-hold-in-the-crm.yaml",
        NEW,
    ),
    check(10, "missing.solution", "catalog/missing-pieces/solution.yaml", MISSING),
    check(11, "missing.country", "catalog/missing-pieces/country.yaml", MISSING),
    check(
        12,
        "missing.closing-date",
        "catalog/missing-pieces/closing-date.yaml",
        MISSING,
    ),
    check(13, "missing.contact", "catalog/missing-pieces/contact.yaml", MISSING),
    check(
        14,
        "missing.value-added-later",
        "catalog/missing-pieces/value-added-later.yaml",
        MISSING,
    ),
    check(
        15,
        "missing.solution-added-later",
        "catalog/missing-pieces/solution-added-later.yaml",
        MISSING,
    ),
    check(
        16,
        "hold.leaving-accepts",
        "catalog/on-hold/leaving-on-hold-accepts.yaml",
        HOLD,
    ),
    check(
        17,
        "hold.accepted-in-partner-center",
        "catalog/on-hold/accepted-in-partner-center.yaml",
        HOLD,
    ),
    check(
        18,
        "hold.declined-in-partner-center",
        "catalog/on-hold/declined-in-partner-center.yaml",
        HOLD,
    ),
    check(
        19,
        "hold.declined-in-crm",
        "catalog/on-hold/declined-from-crm.yaml",
        HOLD,
    ),
    check(20, "hold.no-leak", "catalog/go-live/no-leak-on-hold.yaml", HOLD),
    check(21, "hold.expires", "catalog/on-hold/nobody-answers.yaml", HOLD),
    check(22, "update.name", "catalog/updates/name-from-crm.yaml", UPDATE),
    check(23, "update.mark", "catalog/updates/marks-never-stack.yaml", UPDATE),
    check(24, "update.value", "catalog/go-live/value-both-ways.yaml", UPDATE),
    check(
        25,
        "update.closing-date",
        "catalog/go-live/closing-date-from-partner-center.yaml",
        UPDATE,
    ),
    check(26, "update.solutions", "catalog/updates/solutions-added.yaml", UPDATE),
    check(
        27,
        "privacy.sync-no",
        "catalog/go-live/sync-no-never-leaves.yaml",
        PRIVACY,
    ),
    check(
        28,
        "privacy.sync-on-later",
        "catalog/new-deals/sync-turned-on-later.yaml",
        PRIVACY,
    ),
    check(
        29,
        "privacy.sync-off",
        "catalog/privacy/sync-turned-off-stops-updates.yaml",
        PRIVACY,
    ),
    check(
        30,
        "privacy.visible-stays",
        "catalog/privacy/visible-once-visible-always.yaml",
        PRIVACY,
    ),
    check(31, "close.won-in-crm", "catalog/go-live/won-in-crm.yaml", CLOSE),
    check(32, "close.lost-in-crm", "catalog/closing/lost-in-crm.yaml", CLOSE),
    check(
        33,
        "close.won-in-partner-center",
        "catalog/go-live/won-in-partner-center.yaml",
        CLOSE,
    ),
    check(
        34,
        "close.lost-in-partner-center",
        "catalog/go-live/lost-in-partner-center.yaml",
        CLOSE,
    ),
    check(
        35,
        "close.reopened-stays-closed",
        "catalog/closing/reopened-in-crm.yaml",
        CLOSE,
    ),
    check(
        36,
        "microsoft.number",
        "catalog/microsofts-side/number-arrives.yaml",
        MICROSOFT,
    ),
    check(
        37,
        "microsoft.declines",
        "catalog/microsofts-side/declines.yaml",
        MICROSOFT,
    ),
    check(
        38,
        "trouble.webhooks-twice",
        "catalog/trouble/webhooks-twice-and-out-of-order.yaml",
        TROUBLE,
    ),
    check(
        39,
        "trouble.disconnected",
        "catalog/trouble/two-days-disconnected.yaml",
        TROUBLE,
    ),
    check(
        40,
        "trouble.lost-reply",
        "catalog/trouble/lost-reply-on-create-in-crm.yaml",
        TROUBLE,
    ),
];

const fn check(number: u16, code: &'static str, scenario: &'static str, practice: &'static str) -> Check {
    Check {
        number,
        code,
        scenario,
        practice,
    }
}

/// The check of a number or a code.
pub fn find(word: &str) -> Option<Check> {
    let number = word.parse::<u16>().ok();
    CHECKS
        .into_iter()
        .find(|check| Some(check.number) == number || check.code == word)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::load;

    #[test]
    fn numbers_rise_and_codes_are_unique() {
        assert!(CHECKS.windows(2).all(|pair| pair[0].number < pair[1].number));
        let codes: BTreeSet<&str> = CHECKS.iter().map(|check| check.code).collect();
        assert_eq!(codes.len(), CHECKS.len());
        assert_eq!(find("27"), find("privacy.sync-no"));
        assert_eq!(find("0"), None);
    }

    #[test]
    fn the_checks_are_the_scenarios_with_the_tag_go_live() {
        let tagged: BTreeSet<String> = load::catalog()
            .scenarios
            .iter()
            .filter(|scenario| scenario.has_tag("go-live"))
            .map(crate::scenario::Scenario::address)
            .collect();
        let checks: BTreeSet<String> = CHECKS.iter().map(|check| check.scenario.to_owned()).collect();
        assert_eq!(tagged, checks);
    }
}
