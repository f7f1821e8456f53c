//! A batch as text to its operations.
//!
//! The reader is tolerant, as clients differ (dataverse.md section 2.7): lines end in CRLF or LF, the boundary is quoted
//! or not, text before the first delimiter is skipped, a `Content-ID` stands in the part or in the request.

use bytes::Bytes;
use http::header::HeaderName;
use http::{HeaderMap, HeaderValue, Method};

use super::super::error::Fault;
use super::{Item, MAX_OPERATIONS, Operation};

/// What the server says when a body cannot be taken apart (dataverse.md section 2.7).
const NOT_READABLE: &str = "System.ArgumentException: Stream was not readable.";

/// Reads a batch. `content_type` is the header of the request.
pub(in super::super) fn read(content_type: Option<&str>, body: &Bytes) -> Result<Vec<Item>, Fault> {
    let boundary = boundary(content_type.unwrap_or_default())?;
    let mut items = Vec::new();
    let mut operations = 0;
    for section in sections(body, &boundary).ok_or_else(unreadable)? {
        let item = item(body, section)?;
        operations += item.operations();
        if operations > MAX_OPERATIONS {
            // Assumed text: the limit is documented, the answer beyond it is not.
            return Err(odata(&format!(
                "The current batch message contains too many parts. Only batch messages with a maximum number of \
                 '{MAX_OPERATIONS}' query operations and change sets are allowed."
            )));
        }
        items.push(item);
    }
    Ok(items)
}

fn unreadable() -> Fault {
    Fault::Batch(NOT_READABLE.to_owned())
}

fn odata(text: &str) -> Fault {
    Fault::Batch(format!("Microsoft.OData.ODataException: {text}"))
}

/// The boundary that a `Content-Type` names. Assumed: both texts, which are those of the `OData` library.
fn boundary(content_type: &str) -> Result<String, Fault> {
    let mut parameters = content_type.split(';').map(str::trim);
    let essence = parameters.next().unwrap_or_default();
    if !essence.eq_ignore_ascii_case("multipart/mixed") {
        return Err(odata(
            "The batch request must have 'multipart/mixed' as the media type.",
        ));
    }
    let named = parameters.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches('"');
        (name.trim().eq_ignore_ascii_case("boundary") && !value.is_empty()).then(|| value.to_owned())
    });
    let missing = "The batch request must have a boundary specification in the \"Content-Type\" header.";
    named.ok_or_else(|| odata(missing))
}

/// What stands between the delimiters; `None` without a first or a last one.
fn sections<'a>(body: &'a [u8], boundary: &str) -> Option<Vec<&'a [u8]>> {
    let mut found = Vec::new();
    let (mut at, mut begin) = (0, None);
    while at < body.len() {
        let (line, next) = line(body, at);
        let delimiter = line
            .strip_prefix(b"--")
            .and_then(|line| line.strip_prefix(boundary.as_bytes()));
        let closes = match delimiter.map(<[u8]>::trim_ascii_end) {
            Some(b"") => Some(false),
            Some(b"--") => Some(true),
            Some(_) | None => None,
        };
        if let Some(closes) = closes {
            if let Some(begin) = begin {
                found.push(before_line_end(body, begin, at));
            }
            if closes {
                return Some(found);
            }
            begin = Some(next);
        }
        at = next;
    }
    None
}

/// The line that begins at a place, without its end, and where the next one begins.
fn line(body: &[u8], at: usize) -> (&[u8], usize) {
    let rest = body.get(at..).unwrap_or_default();
    let (line, next) = match rest.iter().position(|byte| *byte == b'\n') {
        Some(length) => (&rest[..length], at + length + 1),
        None => (rest, body.len()),
    };
    (line.strip_suffix(b"\r").unwrap_or(line), next)
}

/// What stands from a place to a delimiter, without the line end that belongs to the delimiter.
fn before_line_end(body: &[u8], begin: usize, delimiter: usize) -> &[u8] {
    let section = body.get(begin..delimiter).unwrap_or_default();
    let section = section.strip_suffix(b"\n").unwrap_or(section);
    section.strip_suffix(b"\r").unwrap_or(section)
}

fn item(whole: &Bytes, section: &[u8]) -> Result<Item, Fault> {
    let (headers, at) = headers(section, 0)?;
    let content_type = text(&headers, "content-type");
    if !is_essence(content_type, "multipart/mixed") {
        return operation(whole, section, (&headers, at)).map(Item::One);
    }
    let inner = section.get(at..).unwrap_or_default();
    let mut set = Vec::new();
    for section in sections(inner, &boundary(content_type)?).ok_or_else(unreadable)? {
        let (headers, at) = self::headers(section, 0)?;
        let operation = operation(whole, section, (&headers, at))?;
        if operation.method == Method::GET {
            // Assumed text: that it is forbidden is documented.
            return Err(odata(
                "An invalid HTTP method 'GET' was detected for a request in a change set. Requests in change sets only \
                 support the HTTP methods 'POST', 'PUT', 'DELETE', and 'PATCH'.",
            ));
        }
        set.push(operation);
    }
    Ok(Item::ChangeSet(set))
}

fn operation(whole: &Bytes, section: &[u8], (part, mut at): (&HeaderMap, usize)) -> Result<Operation, Fault> {
    if !is_essence(text(part, "content-type"), "application/http") {
        return Err(odata(&format!(
            "The content-type '{}' is not valid for a part of a batch; 'application/http' is expected.",
            text(part, "content-type")
        )));
    }
    while at < section.len() && line(section, at).0.is_empty() {
        at = line(section, at).1;
    }
    let (request, next) = line(section, at);
    let (method, url) = request_line(request)?;
    let (headers, body) = headers(section, next)?;
    let id = part.get("content-id").or_else(|| headers.get("content-id"));
    Ok(Operation {
        content_id: id.and_then(|id| id.to_str().ok()).map(str::to_owned),
        method,
        url,
        headers,
        body: whole.slice_ref(section.get(body..).unwrap_or_default()),
    })
}

/// `POST /api/data/v9.2/accounts HTTP/1.1`. Spaces inside the URL are kept.
fn request_line(line: &[u8]) -> Result<(Method, String), Fault> {
    let read = || -> Option<(Method, String)> {
        let text = str::from_utf8(line).ok()?;
        let (method, rest) = text.split_once(' ')?;
        let (url, version) = rest.trim_end().rsplit_once(' ')?;
        let url = url.trim();
        let well = version.starts_with("HTTP/") && !url.is_empty();
        well.then_some((method.parse().ok()?, url.to_owned()))
    };
    // Assumed text: that of the `OData` library.
    read().ok_or_else(|| {
        odata(&format!(
            "The request line '{}' is invalid. The request line at the start of each operation must be of the format \
             'HttpMethod RequestUrl HttpVersion'.",
            String::from_utf8_lossy(line)
        ))
    })
}

/// Header lines up to an empty line or the end, and where what follows begins.
fn headers(section: &[u8], mut at: usize) -> Result<(HeaderMap, usize), Fault> {
    let mut headers = HeaderMap::new();
    while at < section.len() {
        let (header, next) = line(section, at);
        at = next;
        if header.is_empty() {
            break;
        }
        let read = || -> Option<(HeaderName, HeaderValue)> {
            let colon = header.iter().position(|byte| *byte == b':')?;
            let name = HeaderName::from_bytes(header[..colon].trim_ascii()).ok()?;
            Some((name, HeaderValue::from_bytes(header[colon + 1..].trim_ascii()).ok()?))
        };
        // Assumed text: that of the `OData` library.
        let wrong = || {
            odata(&format!(
                "The message header '{}' is invalid. The header value must be of the format '<header name>: <header \
                 value>'.",
                String::from_utf8_lossy(header)
            ))
        };
        let (name, value) = read().ok_or_else(wrong)?;
        headers.try_append(name, value).map_err(|_| unreadable())?;
    }
    Ok((headers, at))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

fn is_essence(content_type: &str, essence: &str) -> bool {
    let found = content_type.split(';').next().unwrap_or_default();
    found.trim().eq_ignore_ascii_case(essence)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARTS: &str = "--b\nContent-Type: application/http\nContent-Transfer-Encoding: binary\n\nGET \
                         accounts?$filter=name eq 'a b' HTTP/1.1\nAccept: application/json\n\n\n--b\nContent-Type: \
                         multipart/mixed;boundary=\"c\"\n\n--c\nContent-Type:application/http\nContent-ID: 1\n\nPOST \
                         /api/data/v9.2/accounts HTTP/1.1\nContent-Type: application/json\n\n{\"name\":\"a\"}\n--c--\n\n\
                         --b--";

    fn described(content_type: &str, body: &str) -> Result<Vec<String>, Fault> {
        let describe = |operation: &Operation| {
            let Operation {
                content_id,
                method,
                url,
                body,
                ..
            } = operation;
            format!("{method} {url} {content_id:?} {}", String::from_utf8_lossy(body))
        };
        let items = read(Some(content_type), &Bytes::from(body.to_owned()))?;
        Ok(items
            .iter()
            .map(|item| match item {
                Item::One(operation) => describe(operation),
                Item::ChangeSet(set) => set.iter().map(describe).collect::<Vec<_>>().join(" + "),
            })
            .collect())
    }

    #[test]
    fn line_ends_quotes_and_text_before_the_first_delimiter_make_no_difference() {
        let wanted = [
            "GET accounts?$filter=name eq 'a b' None ",
            "POST /api/data/v9.2/accounts Some(\"1\") {\"name\":\"a\"}",
        ];
        for kind in [
            "multipart/mixed; boundary=b",
            "multipart/mixed;boundary=\"b\"",
            "Multipart/Mixed; charset=x; BOUNDARY=b",
        ] {
            for lead in ["", "\r\n", "preamble\n"] {
                for end in ["\n", "\r\n"] {
                    let body = format!("{lead}{}", PARTS.replace('\n', end));
                    assert_eq!(described(kind, &body).unwrap(), wanted, "{kind} {lead:?} {end:?}");
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_taken_apart_is_refused_and_nothing_panics() {
        let good = "multipart/mixed; boundary=b";
        for kind in [
            "application/json",
            "multipart/mixed",
            "multipart/mixed; boundary=",
            "multipart/mixed; boundary=x",
            "",
        ] {
            assert!(matches!(described(kind, PARTS), Err(Fault::Batch(_))), "{kind}");
        }
        for cut in 0..PARTS.len() - 1 {
            if PARTS.is_char_boundary(cut) {
                assert!(described(good, &PARTS[..cut]).is_err(), "{}", &PARTS[..cut]);
            }
        }
        for bad in [
            PARTS.replace("GET accounts", "GETaccounts"),
            PARTS.replace(" HTTP/1.1", ""),
            PARTS.replace("Accept: application/json", "no colon"),
            PARTS.replace("POST /api", "GET /api"),
            PARTS.replace("--c--", "--c"),
            PARTS.replace("application/http", "text/plain"),
        ] {
            assert!(matches!(described(good, &bad), Err(Fault::Batch(_))), "{bad}");
        }
        let part = "--b\nContent-Type: application/http\n\nGET accounts HTTP/1.1\n\n";
        assert_eq!(
            described(good, &format!("{}--b--", part.repeat(1_000))).unwrap().len(),
            1_000
        );
        assert!(described(good, &format!("{}--b--", part.repeat(1_001))).is_err());
    }
}
