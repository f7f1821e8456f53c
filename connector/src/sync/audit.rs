//! The lines of the Audit field: time, direction, what, result. They are appended; the oldest go when the field is full.
//!
//! Only "Solution ID is required" is a documented text (product.md M13); all others are assumed.

use jiff::Timestamp;

/// Which way something went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From Partner Center to the CRM.
    PcToCrm,
    /// From the CRM to Partner Center.
    CrmToPc,
}

impl Way {
    fn arrow(self) -> &'static str {
        match self {
            Self::PcToCrm => "PC→CRM",
            Self::CrmToPc => "CRM→PC",
        }
    }
}

/// One line.
pub fn line(now: Timestamp, way: Way, what: &str) -> String {
    let what = what.replace(['\r', '\n'], " ");
    format!("{} {} {what}", now.strftime("%Y-%m-%d %H:%MZ"), way.arrow())
}

/// What a line says, without its time.
fn message(line: &str) -> &str {
    line.split_once("Z ").map_or(line, |(_, message)| message)
}

/// Whether the field already ends with this message, at whatever time it was written.
pub fn ends_with(audit: &str, line: &str) -> bool {
    audit
        .lines()
        .next_back()
        .is_some_and(|last| message(last) == message(line))
}

/// The field with lines appended; none when it holds them all already.
pub fn append(audit: &str, lines: &[String], limit: usize) -> Option<String> {
    let mut whole: Vec<&str> = audit.lines().collect();
    let before = whole.len();
    for line in lines {
        if !whole.contains(&line.as_str()) {
            whole.push(line);
        }
    }
    if whole.len() == before {
        return None;
    }
    let mut letters: usize = whole.iter().map(|line| line.chars().count() + 1).sum();
    let mut from = 0;
    while letters > limit && from + 1 < whole.len() {
        letters -= whole[from].chars().count() + 1;
        from += 1;
    }
    Some(whole[from..].join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_time_direction_and_what() {
        let now = "2026-01-05T09:04:30.5Z".parse().unwrap();
        assert_eq!(line(now, Way::PcToCrm, "created"), "2026-01-05 09:04Z PC→CRM created");
    }

    #[test]
    fn a_line_is_appended_once_and_old_lines_go_first() {
        let lines = vec!["bb".to_owned()];
        assert_eq!(append("aa", &lines, 100).as_deref(), Some("aa\nbb"));
        assert_eq!(append("aa\nbb", &lines, 100), None);
        assert_eq!(append("aa\nxx", &lines, 6).as_deref(), Some("xx\nbb"));
        assert_eq!(append("", &lines, 100).as_deref(), Some("bb"));
    }

    #[test]
    fn the_last_message_is_known_again_at_another_time() {
        let audit = "2026-01-05 09:04Z PC→CRM closed: won";
        assert!(ends_with(audit, "2026-01-05 09:05Z PC→CRM closed: won"));
        assert!(!ends_with(audit, "2026-01-05 09:05Z PC→CRM closed: lost"));
    }
}
