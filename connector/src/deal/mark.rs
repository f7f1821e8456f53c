//! The mark in an opportunity's name: a check when the last sync succeeded, a cross when it failed.
//!
//! Documented is that it is shown (partner-center.md section 8.5); that it follows the name after a blank, and the cross's
//! glyph, are assumed. It never reaches Partner Center: everything that compares or sends a name strips it first.

/// Shown after a success.
pub const CHECK: char = '\u{2714}';
/// Shown after a failure.
pub const CROSS: char = '\u{2717}';
/// A second form of the cross that people and other connectors write.
const HEAVY_CROSS: char = '\u{2716}';
/// Asks for the emoji form of the character before it.
const VARIATION: char = '\u{FE0F}';

fn is_mark(letter: char) -> bool {
    matches!(letter, CHECK | CROSS | HEAVY_CROSS | VARIATION)
}

/// The name without marks at either end, trimmed.
pub fn strip(name: &str) -> &str {
    name.trim_matches(|letter: char| is_mark(letter) || letter.is_whitespace())
}

/// The name with a mark, unless it would not fit.
pub fn put(name: &str, mark: char, longest: usize) -> String {
    let bare = strip(name);
    if bare.chars().count() + 2 > longest {
        return bare.to_owned();
    }
    format!("{bare} {mark}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_stripped_at_either_end_with_and_without_variation() {
        for name in [
            "Deal ✔",
            "✔ Deal",
            "Deal ✔\u{FE0F}",
            "✖\u{FE0F} Deal ✗ ✔",
            "  Deal  ",
            "Deal",
        ] {
            assert_eq!(strip(name), "Deal", "{name}");
        }
        assert_eq!(strip("A ✔ B"), "A ✔ B");
        assert_eq!(strip("✔"), "");
    }

    #[test]
    fn marks_never_stack_and_never_overflow() {
        assert_eq!(put("Deal ✔", CROSS, 120), "Deal ✗");
        assert_eq!(put("Deal", CHECK, 5), "Deal");
    }
}
