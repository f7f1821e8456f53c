//! Paging cookies: where the next page of a list begins (dataverse.md section 2.6).
//!
//! A cookie carries the values by which the last row was sorted, so a row that moves between two requests can be seen
//! twice or not at all, as on the real server.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::address::decode;
use super::amount::Amount;
use super::cell::{Cell, day, moment};
use super::error::Fault;
use super::guid::Guid;
use super::model::Kind;
use super::sort::Order;

/// Where a page ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cookie {
    /// The number of the page that it leads to.
    pub(super) page: u64,
    /// The last row's sort values, the key last.
    pub(super) last: Vec<Cell>,
    /// For a list whose changes are to be followed: where its first page stood.
    pub(super) tracking: Option<Stand>,
}

/// A version number with the time at which it was the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stand {
    pub(super) version: i64,
    pub(super) at: Timestamp,
}

impl Cookie {
    /// What stands in the inner cookie, for a list sorted so.
    ///
    /// Assumed: the `first` values, which a server needs to page backwards, repeat the `last` ones.
    pub(super) fn inner(&self, order: &Order) -> String {
        let mut inner = format!("<cookie page=\"{}\">", self.page - 1);
        for (key, cell) in order.0.iter().zip(&self.last) {
            let (name, value) = (&key.name, plain(cell));
            // Writing to a String cannot fail.
            let _done = if cell.is_null() {
                write!(inner, "<{name} lastnull=\"1\" firstnull=\"1\" />")
            } else {
                write!(inner, "<{name} last=\"{value}\" first=\"{value}\" />")
            };
        }
        inner.push_str("</cookie>");
        inner
    }

    /// Printed as the value of `$skiptoken`, percent-encoded the way the documented sample is. Assumed: a list whose
    /// changes are followed carries where it began in an attribute of its own.
    pub(super) fn print(&self, order: &Order) -> String {
        let encoded = percent_encoded(&self.inner(order), b"", true);
        let tracking = match self.tracking {
            None => "istracking=\"False\"".to_owned(),
            Some(stand) => format!(
                "istracking=\"True\" trackingtoken=\"{}!{}\"",
                stand.version,
                stand.at.as_second()
            ),
        };
        let outer = format!(
            "<cookie pagenumber=\"{}\" pagingcookie=\"{encoded}\" {tracking} />",
            self.page
        );
        percent_encoded(&outer, b"=/", false)
    }

    /// Reads a decoded `$skiptoken` for a list sorted so. A `/` that some clients append is ignored (dataverse.md section
    /// 7.2).
    pub(super) fn read(token: &str, order: &Order) -> Result<Self, Fault> {
        let read = || -> Option<Self> {
            let page = attribute(token, "pagenumber")?.parse().ok().filter(|page| *page > 1)?;
            let inner = decode(attribute(token, "pagingcookie")?, false)?;
            let tracking = match attribute(token, "trackingtoken") {
                None => None,
                Some(text) => {
                    let (version, at) = text.split_once('!')?;
                    Some(Stand {
                        version: version.parse().ok()?,
                        at: Timestamp::from_second(at.parse().ok()?).ok()?,
                    })
                }
            };
            Some(Self {
                page,
                last: Self::values(&inner, order)?,
                tracking,
            })
        };
        read().ok_or_else(malformed)
    }

    /// The sort values of a decoded inner cookie.
    pub(super) fn values(inner: &str, order: &Order) -> Option<Vec<Cell>> {
        let mut last = Vec::new();
        for key in &order.0 {
            let begin = inner.find(&format!("<{} ", key.name))?;
            let element = &inner[begin..begin + inner[begin..].find("/>")?];
            last.push(match attribute(element, "last") {
                Some(value) => cell(key.kind, &unescaped(value))?,
                None if attribute(element, "lastnull") == Some("1") => Cell::Null,
                None => return None,
            });
        }
        Some(last)
    }
}

/// Assumed text: what the server says to a cookie that it did not make.
pub(super) fn malformed() -> Fault {
    Fault::Argument("Malformed XML in the Paging Cookie".to_owned())
}

fn attribute<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let after = text.split_once(&format!(" {name}=\""))?.1;
    Some(after.split_once('"')?.0)
}

/// A value as text inside an attribute.
fn plain(cell: &Cell) -> String {
    if let Some(guid) = cell.guid() {
        return format!("{{{}}}", guid.to_string().to_uppercase());
    }
    if let Some(text) = cell.as_text() {
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        return text.replace('>', "&gt;").replace('"', "&quot;");
    }
    let mut out = String::new();
    cell.print(10, &mut out);
    out.trim_matches('"').to_owned()
}

pub(super) fn unescaped(text: &str) -> String {
    text.replace("&quot;", "\"")
        .replace("&gt;", ">")
        .replace("&lt;", "<")
        .replace("&amp;", "&")
}

fn cell(kind: Kind, text: &str) -> Option<Cell> {
    Some(match kind {
        Kind::Key | Kind::Lookup | Kind::Guid => Cell::Guid(Guid::parse(text.trim_matches(['{', '}']))?),
        Kind::Text { .. } | Kind::Choices { .. } => Cell::text(text),
        Kind::Bool => Cell::Bool(text.parse().ok()?),
        Kind::Int { .. } | Kind::Choice { .. } | Kind::State | Kind::Status | Kind::Version => {
            Cell::Int(text.parse().ok()?)
        }
        Kind::Money { .. } | Kind::BaseMoney | Kind::Decimal { .. } => Cell::Amount(Amount::parse(text)?),
        Kind::Date => Cell::Date(day(text)?),
        Kind::Time => Cell::Time(moment(text)?),
    })
}

pub(super) fn percent_encoded(text: &str, besides: &[u8], lower: bool) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) || besides.contains(&byte) {
            out.push(char::from(byte));
            continue;
        }
        // Writing to a String cannot fail.
        let _done = if lower {
            write!(out, "%{byte:02x}")
        } else {
            write!(out, "%{byte:02X}")
        };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::model::Model;
    use super::*;

    #[test]
    fn a_cookie_looks_like_the_documented_one_and_reads_back() {
        let model = Model::standard();
        let order = Order::of(model.expect("account"), &[]);
        let id = Guid::parse("01234567-89ab-4def-8000-00000000abcd").unwrap();
        let cookie = Cookie {
            page: 2,
            last: vec![Cell::Guid(id)],
            tracking: None,
        };
        let printed = cookie.print(&order);
        let start = "%3Ccookie%20pagenumber=%222%22%20pagingcookie=%22%253ccookie%2520page%253d%25221%2522%253e\
                     %253caccountid%2520last%253d%2522%257b01234567-89AB-4DEF-8000-00000000ABCD%257d%2522%2520first";
        assert!(printed.starts_with(start), "{printed}");
        assert!(printed.ends_with("%22%20istracking=%22False%22%20/%3E"), "{printed}");
        let decoded = decode(&printed, true).unwrap();
        assert_eq!(Cookie::read(&decoded, &order), Ok(cookie.clone()));
        assert_eq!(Cookie::read(&format!("{decoded}/"), &order), Ok(cookie));
    }

    #[test]
    fn sort_values_of_every_kind_survive_the_way() {
        let model = Model::standard();
        let table = model.expect("opportunity");
        let of = |name: &str, cell: Cell| (table.expect(name), cell);
        let last = [
            of("name", Cell::text("a \"quoted\" <name> & 100 % ☃")),
            of("description", Cell::Null),
            of("estimatedvalue", Cell::Amount(Amount::parse("-12.5").unwrap())),
            of("estimatedclosedate", Cell::Date("2026-01-31".parse().unwrap())),
            of("modifiedon", Cell::Time("2026-01-05T09:00:00Z".parse().unwrap())),
            of("msft_microsoftpartnercenterreferralsync", Cell::Bool(true)),
            of("opportunityid", Cell::Guid(Guid::FIRST)),
        ];
        let sorted_by: Vec<(usize, bool)> = last.iter().map(|(column, _)| (*column, false)).collect();
        let order = Order::of(table, &sorted_by);
        let cookie = Cookie {
            page: 7,
            last: last.into_iter().map(|(_, cell)| cell).collect(),
            tracking: Some(Stand {
                version: 12,
                at: "2026-01-05T09:00:00Z".parse().unwrap(),
            }),
        };
        let decoded = decode(&cookie.print(&order), true).unwrap();
        assert_eq!(Cookie::read(&decoded, &order), Ok(cookie));
        for bad in [
            "",
            "2",
            "<cookie pagenumber=\"2\" />",
            "<cookie pagenumber=\"0\" pagingcookie=\"x\"/>",
        ] {
            assert!(Cookie::read(bad, &order).is_err(), "{bad}");
        }
    }
}
