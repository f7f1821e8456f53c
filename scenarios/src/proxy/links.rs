//! Absolute links in messages: the systems' own base URLs become the proxy's on the way to the client, and back on the way to the
//! system, in text, in JSON with escaped slashes, and percent-encoded.

use cosell_sim::site::Site;

/// A system, and where the proxy stands in for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Which system.
    pub site: Site,
    /// Its base URL: scheme, host, port.
    pub upstream: String,
    /// The proxy's.
    pub local: String,
}

/// A text with the systems' base URLs replaced by the proxy's.
pub(super) fn to_local(text: &str, routes: &[Route]) -> String {
    let mut text = text.to_owned();
    for route in routes {
        text = swap(&text, &route.upstream, &route.local);
        // The documents print links with http where the service has https.
        if let Some(host) = route.upstream.strip_prefix("https://") {
            text = swap(&text, &format!("http://{host}"), &route.local);
        }
    }
    text
}

/// A text with the proxy's base URLs replaced by the systems'.
pub fn to_upstream(text: &str, routes: &[Route]) -> String {
    let mut text = text.to_owned();
    for route in routes {
        text = swap(&text, &route.local, &route.upstream);
        let other_name = route.local.replacen("127.0.0.1", "localhost", 1);
        text = swap(&text, &other_name, &route.upstream);
    }
    text
}

/// The ways in which a URL is written, one for both sides.
fn forms(url: &str) -> [String; 3] {
    [
        url.to_owned(),
        url.replace('/', "\\/"),
        url.replace(':', "%3A").replace('/', "%2F"),
    ]
}

fn swap(text: &str, from: &str, to: &str) -> String {
    let mut text = text.to_owned();
    for (from, to) in forms(from).iter().zip(forms(to)) {
        text = swap_form(&text, from, &to);
    }
    text
}

/// Replaces a base URL where it ends there: neither the host nor the port goes on.
fn swap_form(text: &str, from: &str, to: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.to_ascii_lowercase().find(&from.to_ascii_lowercase()) {
        let (before, found) = rest.split_at(at);
        let after = &found[from.len()..];
        let goes_on = |next: char| next.is_ascii_alphanumeric() || matches!(next, '.' | '-' | ':' | '_');
        out.push_str(before);
        out.push_str(if after.starts_with(goes_on) {
            &found[..from.len()]
        } else {
            to
        });
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes() -> Vec<Route> {
        let route = |site, upstream: &str, port: u16| Route {
            site,
            upstream: upstream.to_owned(),
            local: format!("http://127.0.0.1:{port}"),
        };
        vec![
            route(Site::PartnerCenter, "https://api.partner.microsoft.com", 9001),
            route(Site::Salesforce, "https://contoso.my.salesforce.com", 9002),
            route(Site::Dataverse, "http://127.0.0.1:900", 9003),
        ]
    }

    #[test]
    fn links_stay_on_the_proxy_in_every_spelling() {
        for (there, here) in [
            (
                r#"{"@odata.nextLink":"https://api.partner.microsoft.com/v1.0?$skiptoken=1"}"#,
                r#"{"@odata.nextLink":"http://127.0.0.1:9001/v1.0?$skiptoken=1"}"#,
            ),
            (
                r#"{"instance_url":"https:\/\/contoso.my.salesforce.com"}"#,
                r#"{"instance_url":"http:\/\/127.0.0.1:9002"}"#,
            ),
            (
                "scope=https%3A%2F%2Fcontoso.my.salesforce.com%2F.default",
                "scope=http%3A%2F%2F127.0.0.1%3A9002%2F.default",
            ),
        ] {
            assert_eq!(to_local(there, &routes()), here);
            assert_eq!(to_upstream(here, &routes()), there);
        }
        assert_eq!(
            to_local("http://api.partner.microsoft.com/v1.0", &routes()),
            "http://127.0.0.1:9001/v1.0"
        );
        assert_eq!(
            to_upstream("http://localhost:9002/services", &routes()),
            "https://contoso.my.salesforce.com/services"
        );
    }

    #[test]
    fn another_host_or_port_that_begins_alike_is_left_alone() {
        for text in [
            "https://api.partner.microsoft.com.evil.example/x",
            "http://127.0.0.1:9004/x",
            "http://127.0.0.1:90011/x",
        ] {
            assert_eq!(to_local(text, &routes()), text);
            assert_eq!(to_upstream(text, &routes()), text);
        }
    }
}
