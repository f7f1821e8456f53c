//! SOQL: text to tree, tree to plan.
//!
//! It knows the schema and no rows: `find` runs a plan.

use super::error::Problem;

/// Functions of fields.
pub(crate) mod function;
/// Date literals.
pub(crate) mod span;
/// The tree.
pub(crate) mod ast;
/// How the tree prints.
mod show;
/// Words, figures, quoted texts and signs.
pub(crate) mod token;
/// Constants.
pub(crate) mod literal;
/// Tokens to tree.
pub(crate) mod parse;
/// Paths to columns.
pub(crate) mod path;
/// Names to places, conditions to typed tests, and which index to use.
pub(crate) mod plan;

/// A refusal that points at a place in the query, in the frame that Salesforce prints (salesforce.md section 2.9).
///
/// Assumed: how much of a long line stands around the place.
pub(crate) fn framed(code: &'static str, text: &str, at: usize, message: &str) -> Problem {
    const AROUND: usize = 60;
    let at = (0..=at.min(text.len()))
        .rev()
        .find(|&at| text.is_char_boundary(at))
        .unwrap_or(0);
    let line_start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let row = text[..line_start].matches('\n').count() + 1;
    let before: Vec<char> = text[line_start..at].chars().collect();
    let after = text[at..].lines().next().unwrap_or_default();
    let shown: String = before[before.len().saturating_sub(AROUND)..]
        .iter()
        .copied()
        .chain(after.chars().take(AROUND))
        .collect();
    let caret = " ".repeat(before.len().min(AROUND));
    let column = before.len() + 1;
    let message = format!("\n{shown}\n{caret}^\nERROR at Row:{row}:Column:{column}\n{message}");
    Problem::bad(code, message)
}

#[cfg(test)]
mod tests;
