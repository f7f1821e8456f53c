//! `$expand` as written: which navigation properties, each with its own options (dataverse.md section 2.6).
//!
//! Names are not resolved here.

use super::error::Fault;

/// The most properties that a request may expand, nested ones included (dataverse.md section 2.6).
const MOST: usize = 15;
/// Levels of nesting. Assumed: the server has a limit too; its value is not documented.
const MAX_DEPTH: usize = 10;

/// One expanded navigation property.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Expand {
    pub(super) name: String,
    /// `nav/$ref`: links instead of rows.
    pub(super) links: bool,
    pub(super) select: Option<String>,
    pub(super) filter: Option<String>,
    pub(super) order_by: Option<String>,
    pub(super) top: Option<String>,
    pub(super) inner: Vec<Expand>,
}

/// Reads `a,b($select=x;$expand=c($top=1))`.
pub(super) fn read(text: &str) -> Result<Vec<Expand>, Fault> {
    let found = level(text, 0)?;
    if found.iter().map(count).sum::<usize>() > MOST {
        // Assumed text.
        return Err(Fault::Query(format!(
            "The number of expanded navigation properties exceeds the maximum of {MOST}."
        )));
    }
    Ok(found)
}

fn count(expand: &Expand) -> usize {
    1 + expand.inner.iter().map(count).sum::<usize>()
}

fn level(text: &str, depth: usize) -> Result<Vec<Expand>, Fault> {
    if depth > MAX_DEPTH {
        return Err(Fault::Query("Recursion depth exceeded allowed limit.".to_owned()));
    }
    parts(text, ',')
        .ok_or_else(|| syntax(text))?
        .into_iter()
        .map(|part| one(part, depth))
        .collect()
}

fn one(text: &str, depth: usize) -> Result<Expand, Fault> {
    let text = text.trim();
    let (name, options) = match text.split_once('(') {
        Some((name, rest)) => (name, Some(rest.strip_suffix(')').ok_or_else(|| syntax(text))?)),
        None => (text, None),
    };
    let (name, links) = match name.trim().strip_suffix("/$ref") {
        Some(name) => (name, true),
        None => (name.trim(), false),
    };
    if name == "*" || name.contains('/') {
        return Err(Fault::NotSimulated(format!("`{name}` in `$expand`")));
    }
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Err(syntax(text));
    }
    let mut expand = Expand {
        name: name.to_owned(),
        links,
        ..Expand::default()
    };
    for option in parts(options.unwrap_or_default(), ';').ok_or_else(|| syntax(text))? {
        if !option.trim().is_empty() {
            expand.take(option.trim(), depth)?;
        }
    }
    Ok(expand)
}

impl Expand {
    fn take(&mut self, option: &str, depth: usize) -> Result<(), Fault> {
        let (name, value) = option.split_once('=').ok_or_else(|| syntax(option))?;
        let value = value.trim().to_owned();
        match name.trim() {
            "$select" => self.select = Some(value),
            "$filter" => self.filter = Some(value),
            "$orderby" => self.order_by = Some(value),
            "$top" => self.top = Some(value),
            "$expand" => self.inner = level(&value, depth + 1)?,
            // Assumed text: the documented list of options has neither of them.
            other @ ("$levels" | "$count" | "$skip" | "$search" | "$compute" | "$apply") => {
                return Err(Fault::Query(format!(
                    "The query option '{other}' is not supported inside $expand."
                )));
            }
            _ => return Err(syntax(option)),
        }
        Ok(())
    }
}

/// Parts between separators outside of quotes and parentheses. `None` when those do not match.
pub(super) fn parts(text: &str, separator: char) -> Option<Vec<&str>> {
    let (mut depth, mut quoted, mut start) = (0_usize, false, 0);
    let mut found = Vec::new();
    for (at, character) in text.char_indices() {
        match character {
            '\'' => quoted = !quoted,
            _ if quoted => {}
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.checked_sub(1)?,
            other if other == separator && depth == 0 => {
                found.push(&text[start..at]);
                start = at + other.len_utf8();
            }
            _ => {}
        }
    }
    found.push(&text[start..]);
    (depth == 0 && !quoted).then_some(found)
}

fn syntax(text: &str) -> Fault {
    Fault::Query(format!("Syntax error in $expand at '{text}'."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_nest_and_quotes_hide_separators() {
        let text = "primarycontactid($select=fullname,contactid),Account_Tasks($filter=subject eq 'a;b,(c';$top=2;\
                    $orderby=createdon desc;$expand=ownerid($select=fullname)),parentaccountid/$ref";
        let found = read(text).unwrap();
        assert_eq!(found.len(), 3);
        assert_eq!(found[1].filter.as_deref(), Some("subject eq 'a;b,(c'"));
        assert_eq!(found[1].inner[0].select.as_deref(), Some("fullname"));
        assert!(found[2].links);
        for wrong in ["", "a(", "a)", "a($select=b", "a(b)", "a($levels=2)", "a,,b", "a b"] {
            assert!(matches!(read(wrong), Err(Fault::Query(_))), "{wrong}");
        }
        let many = vec!["a"; 16].join(",");
        assert!(read(&many).is_err());
        let deep = format!("{}a{}", "a($expand=".repeat(5_000), ")".repeat(5_000));
        assert!(read(&deep).is_err());
    }
}
