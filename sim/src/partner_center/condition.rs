//! What a `$filter` asks of a referral (partner-center.md section 1.2).
//!
//! Documented are `eq`, `and`, parentheses and `any` over a handful of fields. What `OData` has beyond that is simulated
//! behind [`super::Settings::undocumented_filters`], and else refused by its name.

use std::ops::Bound;

use jiff::Timestamp;

use super::error::Problem;
use super::field;
use super::filter::{Expression, Literal};
use super::guid::Guid;
use super::index::Facet;
use super::packed::Glimpse;

/// A filter that can be asked of a referral.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Condition {
    /// All hold.
    All(Vec<Self>),
    /// One holds.
    Any(Vec<Self>),
    /// It does not hold.
    Not(Box<Self>),
    /// The referral belongs to the engagement.
    Engagement(Guid),
    /// A word or text equals; `None` for `null`.
    Equal(Field, Option<String>),
    /// Changed before, at, or after a moment.
    Updated(Relation, Timestamp),
    /// Holds for no referral: an engagement that is no guid.
    Never,
}

/// A field whose text is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// `status`.
    Status,
    /// `substatus`.
    Substatus,
    /// `direction`.
    Direction,
    /// `type`.
    Type,
    /// `qualification`.
    Qualification,
    /// `customerProfile/address/country`.
    Country,
    /// `email` and `team/any(t:t/email …)`: the e-mail address of somebody in the team.
    TeamEmail,
}

/// How two times are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    /// `eq`.
    Equal,
    /// `lt`.
    Before,
    /// `le`.
    NotAfter,
    /// `gt`.
    After,
    /// `ge`.
    NotBefore,
}

type Asked = Result<Condition, Problem>;

/// Reads expressions, with or without what is not documented.
#[derive(Clone, Copy, Debug)]
struct Asking {
    undocumented: bool,
}

impl Condition {
    /// What the expression asks; refused by name where it asks what is not simulated.
    pub(super) fn of(expression: &Expression, undocumented: bool) -> Asked {
        Asking { undocumented }.condition(expression)
    }

    /// The engagement that every answer belongs to, when the condition names one.
    pub(super) fn engagement(&self) -> Option<Guid> {
        self.required().find_map(|part| {
            if let Self::Engagement(engagement) = part {
                return Some(*engagement);
            }
            None
        })
    }

    /// The text that every answer has in a field.
    pub(super) fn text_of(&self, wanted: Field) -> Option<&str> {
        self.required().find_map(|part| {
            if let Self::Equal(field, Some(text)) = part
                && *field == wanted
            {
                return Some(text.as_str());
            }
            None
        })
    }

    /// The first and the last time of change that an answer can have.
    pub(super) fn updated(&self) -> (Bound<Timestamp>, Bound<Timestamp>) {
        let mut edges = (Bound::Unbounded, Bound::Unbounded);
        for part in self.required() {
            if let Self::Updated(relation, moment) = part {
                match relation {
                    Relation::Equal => edges = (Bound::Included(*moment), Bound::Included(*moment)),
                    Relation::Before => edges.1 = Bound::Excluded(*moment),
                    Relation::NotAfter => edges.1 = Bound::Included(*moment),
                    Relation::After => edges.0 = Bound::Excluded(*moment),
                    Relation::NotBefore => edges.0 = Bound::Included(*moment),
                }
            }
        }
        edges
    }

    /// The conditions that must all hold.
    fn required(&self) -> Box<dyn Iterator<Item = &Self> + '_> {
        if let Self::All(parts) = self {
            return Box::new(parts.iter().flat_map(Self::required));
        }
        Box::new(std::iter::once(self))
    }

    /// Whether it holds for all referrals of a facet, for none, or (`None`) for some perhaps.
    pub(super) fn of_facet(&self, facet: Facet) -> Option<bool> {
        match self {
            Self::All(parts) => every(parts.iter().map(|part| part.of_facet(facet))),
            Self::Any(parts) => {
                every(parts.iter().map(|part| part.of_facet(facet).map(|holds| !holds))).map(|none| !none)
            }
            Self::Not(inner) => inner.of_facet(facet).map(|holds| !holds),
            Self::Never => Some(false),
            Self::Engagement(_) | Self::Updated(..) => None,
            Self::Equal(field, text) => {
                let word = match field {
                    Field::Status => facet.status.as_str(),
                    Field::Substatus => facet.substatus.as_str(),
                    Field::Direction => facet.direction.as_str(),
                    Field::Type => facet.kind.as_str(),
                    Field::Qualification => facet.qualification.as_str(),
                    Field::Country | Field::TeamEmail => return None,
                };
                Some(text.as_deref() == Some(word))
            }
        }
    }

    /// Whether it holds for a referral of a facet.
    pub(super) fn holds(&self, facet: Facet, glimpse: &Glimpse<'_>) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(facet, glimpse)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(facet, glimpse)),
            Self::Not(inner) => !inner.holds(facet, glimpse),
            Self::Engagement(engagement) => glimpse.engagement == *engagement,
            Self::Updated(relation, moment) => relation.holds(glimpse.updated, *moment),
            Self::Equal(Field::Country, text) => glimpse.country == text.as_deref(),
            Self::Equal(Field::TeamEmail, text) => glimpse.emails.contains(&text.as_deref()),
            Self::Equal(..) | Self::Never => self.of_facet(facet) == Some(true),
        }
    }
}

/// Whether all of some decisions are true, as far as they have been made.
fn every(mut decisions: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let all = decisions.try_fold(Some(true), |all, one| match one {
        // One that does not hold settles it.
        Some(false) => Err(()),
        Some(true) => Ok(all),
        None => Ok(None),
    });
    all.unwrap_or(Some(false))
}

impl Relation {
    fn of(operator: &str) -> Option<Self> {
        Some(match operator {
            "eq" => Self::Equal,
            "lt" => Self::Before,
            "le" => Self::NotAfter,
            "gt" => Self::After,
            "ge" => Self::NotBefore,
            _ => return None,
        })
    }

    fn holds(self, one: Timestamp, other: Timestamp) -> bool {
        match self {
            Self::Equal => one == other,
            Self::Before => one < other,
            Self::NotAfter => one <= other,
            Self::After => one > other,
            Self::NotBefore => one >= other,
        }
    }
}

fn refused(what: String) -> Asked {
    Err(Problem::NotSimulated(what))
}

fn invalid(message: String) -> Problem {
    Problem::invalid("$filter", message)
}

/// Assumed: the words of `OData` libraries for a field that the resource does not have. A field that it has, and that no
/// document filters by, is refused as not simulated.
fn unknown_field(path: &str) -> Problem {
    if field::exists(path) {
        return Problem::NotSimulated(format!("filter field `{path}`"));
    }
    let name = path.rsplit('/').next().unwrap_or_default();
    invalid(format!("Could not find a property named '{name}' on type 'Referral'."))
}

impl Asking {
    fn condition(self, expression: &Expression) -> Asked {
        match expression {
            Expression::And(parts) => Ok(Condition::All(self.all(parts)?)),
            Expression::Or(_) if !self.undocumented => refused("filter operator `or`".to_owned()),
            Expression::Not(_) if !self.undocumented => refused("filter operator `not`".to_owned()),
            Expression::Or(parts) => Ok(Condition::Any(self.all(parts)?)),
            Expression::Not(inner) => Ok(Condition::Not(Box::new(self.condition(inner)?))),
            Expression::Call(function) => refused(format!("filter function `{function}`")),
            Expression::Any {
                collection,
                variable,
                condition,
            } => Self::lambda(collection, variable, condition),
            Expression::Compare { path, operator, value } => self.compare(path, operator, value),
        }
    }

    fn all(self, parts: &[Expression]) -> Result<Vec<Condition>, Problem> {
        parts.iter().map(|part| self.condition(part)).collect()
    }

    /// `team/any(t:t/email eq '…')`, the one documented lambda.
    fn lambda(collection: &str, variable: &str, condition: &Expression) -> Asked {
        if let Expression::Compare { path, operator, value } = condition
            && (collection == "team" && operator == "eq" && *path == format!("{variable}/email"))
        {
            return Ok(Condition::Equal(Field::TeamEmail, text(path, value)?));
        }
        if field::exists(collection) {
            return refused(format!("filter lambda `{collection}/any`"));
        }
        Err(unknown_field(collection))
    }

    fn compare(self, path: &str, operator: &str, value: &Literal) -> Asked {
        let relation = Relation::of(operator);
        if relation.is_none() && operator != "ne" {
            let known = matches!(operator, "in" | "has" | "add" | "sub" | "mul" | "div" | "mod");
            if known {
                return refused(format!("filter operator `{operator}`"));
            }
            return Err(invalid(format!(
                "The filter is not valid: unknown operator '{operator}'."
            )));
        }
        let equal = Self::equal(path, relation.unwrap_or(Relation::Equal), value);
        match relation {
            // An unknown field is worse than an operator that nobody documents.
            Some(Relation::Equal) | None if self.undocumented || operator == "eq" => {
                let negated = |condition| Condition::Not(Box::new(condition));
                if operator == "ne" { equal.map(negated) } else { equal }
            }
            _ if self.undocumented && path == "updatedDateTime" => equal,
            _ => match equal {
                Err(problem @ Problem::Invalid { .. }) => Err(problem),
                _ => refused(format!("filter operator `{operator}`")),
            },
        }
    }

    fn equal(path: &str, relation: Relation, value: &Literal) -> Asked {
        let field = match path {
            "engagementId" => {
                return Ok(Guid::parse(value.text()).map_or(Condition::Never, Condition::Engagement));
            }
            "updatedDateTime" => {
                let moment = value.text().parse();
                let message = || invalid("updatedDateTime is compared with a time.".to_owned());
                return moment
                    .map(|moment| Condition::Updated(relation, moment))
                    .map_err(|_| message());
            }
            "status" => Field::Status,
            "substatus" => Field::Substatus,
            "direction" => Field::Direction,
            "type" => Field::Type,
            "qualification" => Field::Qualification,
            "customerProfile/address/country" => Field::Country,
            "email" => Field::TeamEmail,
            _ => return Err(unknown_field(path)),
        };
        Ok(Condition::Equal(field, text(path, value)?))
    }
}

/// A text in apostrophes, or null. Assumed: a word without apostrophes is taken for a field, as `OData` does, and there is
/// none of that name.
fn text(path: &str, value: &Literal) -> Result<Option<String>, Problem> {
    match value {
        Literal::Quoted(text) => Ok(Some(text.clone())),
        Literal::Bare(word) if word == "null" => Ok(None),
        Literal::Bare(word) => Err(invalid(format!(
            "The value '{word}' that '{path}' is compared with must stand in apostrophes."
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::filter::parse;
    use super::*;

    fn condition(text: &str) -> Asked {
        Condition::of(&parse(text)?, false)
    }

    #[test]
    fn the_documented_filters_are_read() {
        for text in [
            "(type eq 'Shared' and direction eq 'Incoming')",
            "(direction eq 'Incoming' and substatus eq 'Pending')",
            "status eq 'Active' and direction eq 'Outgoing' and type eq 'Shared' and team/any(t:t/email eq 'r2d2@contoso.com')",
            "customerProfile/address/country eq 'US'",
            "engagementId eq '65edc0b5-3485-41b7-a17e-dfa9ef4706e2'",
            "engagementId eq 65edc0b5-3485-41b7-a17e-dfa9ef4706e2",
            "updatedDateTime eq 2026-01-01T00:00:00Z",
            "qualification eq 'Direct'",
        ] {
            assert!(condition(text).is_ok(), "{text}: {:?}", condition(text));
        }
    }

    #[test]
    fn what_is_well_formed_and_not_simulated_is_refused_by_name() {
        for (text, name) in [
            ("status eq 'New' or status eq 'Active'", "`or`"),
            ("not (status eq 'New')", "`not`"),
            ("status ne 'New'", "`ne`"),
            ("updatedDateTime ge 2026-01-01T00:00:00Z", "`ge`"),
            ("externalReferenceId eq '1'", "`externalReferenceId`"),
            ("contains(name,'x')", "`contains`"),
            ("team/any(t:t/firstName eq 'x')", "`team/any`"),
        ] {
            let problem = condition(text).unwrap_err();
            assert!(
                matches!(&problem, Problem::NotSimulated(what) if what.contains(name)),
                "{text}: {problem:?}"
            );
        }
    }

    #[test]
    fn what_makes_no_sense_is_invalid() {
        for text in [
            "closeDate eq '2026-01-01'",
            "customerProfile/industry eq 'x'",
            "people/any(t:t/email eq 'x')",
            "status is 'New'",
            "status eq New",
            "updatedDateTime eq 'yesterday'",
            "updatedDateTime gt 'yesterday'",
        ] {
            assert!(matches!(condition(text), Err(Problem::Invalid { .. })), "{text}");
        }
    }

    #[test]
    fn what_is_not_documented_can_be_switched_on() {
        for text in [
            "status eq 'New' or status eq 'Active'",
            "not (status eq 'New')",
            "status ne 'New'",
            "updatedDateTime ge 2026-01-01T00:00:00Z and updatedDateTime lt 2026-02-01T00:00:00Z",
        ] {
            assert!(Condition::of(&parse(text).unwrap(), true).is_ok(), "{text}");
        }
        let text = "status gt 'New'";
        let refused = Condition::of(&parse(text).unwrap(), true);
        assert!(matches!(refused, Err(Problem::NotSimulated(_))), "{refused:?}");
    }

    #[test]
    fn two_apostrophes_stand_for_one() {
        assert_eq!(
            condition("email eq 'o''neil@contoso.com'").unwrap(),
            Condition::Equal(Field::TeamEmail, Some("o'neil@contoso.com".to_owned()))
        );
    }
}
