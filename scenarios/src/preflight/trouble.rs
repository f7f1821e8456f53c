//! Why a system could not be asked, or gave no answer that can be used: what was asked over which connection, what came, and
//! what to do.

use std::error::Error;
use std::fmt;
use std::io;

use rustls::CertificateError;

use super::reader::Answer;

/// One of a profile's connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Connection {
    /// What people call it.
    pub(super) name: &'static str,
    /// The profile's key of the URL that is asked.
    pub(super) base: &'static str,
    /// The part of the profile with its credentials.
    pub(super) sign_in: &'static str,
}

impl Connection {
    /// The same connection while it signs in, at another host.
    pub(super) fn at(self, base: &'static str) -> Self {
        Self { base, ..self }
    }
}

/// What went wrong, as a person who has to mend it needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The connection, and what was asked over it.
    pub asked: String,
    /// What came instead of an answer.
    pub came: String,
    /// What to do.
    pub advice: String,
}

impl fmt::Display for Trouble {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}; {}", self.asked, self.came, self.advice)
    }
}

impl From<Trouble> for String {
    fn from(trouble: Trouble) -> Self {
        trouble.to_string()
    }
}

impl Trouble {
    /// A place of the profile from which no secret came.
    pub(super) fn of_secret(connection: Connection, key: &str, why: String) -> Self {
        let at = format!("{}.{key}", connection.sign_in);
        Self {
            asked: format!("{}, `{at}`", connection.name),
            came: why,
            advice: format!("put the secret there, or name another place for `{at}` in the profile"),
        }
    }

    /// A part of the profile that names too little.
    pub(super) fn of_profile(connection: Connection, came: &str, advice: impl Into<String>) -> Self {
        Self {
            asked: format!("{}, `{}`", connection.name, connection.sign_in),
            came: came.to_owned(),
            advice: advice.into(),
        }
    }

    /// A sign-in that was refused, or an answer to it that holds no token.
    pub(super) fn of_sign_in(connection: Connection, asked: String, answer: &Answer) -> Self {
        let words = answer.words();
        let came = if answer.status < 300 {
            format!("answered {words}, without a token")
        } else {
            format!("answered {words}")
        };
        let advice = known(answer, &words, connection).unwrap_or_else(|| {
            if answer.status >= 500 && answer.status != 501 {
                "the system is in trouble itself: look at its status page, and try again later".to_owned()
            } else {
                let (base, sign_in) = (connection.base, connection.sign_in);
                format!("is `{base}` the right URL? and see whether the credentials in `{sign_in}` are still good")
            }
        });
        Self { asked, came, advice }
    }

    /// A redirect, which no API answers with: to a login page, mostly.
    pub(super) fn of_redirect(connection: Connection, asked: String, status: u16, to: &str) -> Self {
        Self {
            asked,
            came: format!("{status} sends elsewhere, to {}", shortened(to, 120)),
            advice: format!(
                "is `{}` the right URL? A redirect to a login page means that it is a page for people, or that a proxy wants somebody to sign in",
                connection.base
            ),
        }
    }

    /// An answer without JSON.
    pub(super) fn of_page(connection: Connection, asked: String, answer: &Answer, text: &str) -> Self {
        let kind = answer
            .headers
            .get("content-type")
            .map_or("no content type", String::as_str);
        let start = shortened(text.trim_start().lines().next().unwrap_or_default(), 60);
        Self {
            asked,
            came: format!("answered {} with no JSON ({kind}): {start:?}", answer.status),
            advice: format!(
                "a proxy or a login page stands between: let this machine through it (HTTPS_PROXY, NO_PROXY), or correct `{}`",
                connection.base
            ),
        }
    }

    /// An answer that is too long to be one.
    pub(super) fn of_length(connection: Connection, asked: String, status: u16, longest: usize) -> Self {
        Self {
            asked,
            came: format!("answered {status} with more than {longest} bytes"),
            advice: format!("is `{}` the right URL?", connection.base),
        }
    }

    /// No connection, or none that lasted.
    pub(super) fn of_connection(connection: Connection, asked: String, error: &reqwest::Error, seconds: u64) -> Self {
        let host = error
            .url()
            .and_then(|url| url.host_str())
            .unwrap_or("the system")
            .to_owned();
        let key = connection.base;
        if error.is_timeout() {
            return Self {
                asked,
                came: format!("{host} did not answer in time ({seconds} seconds)"),
                advice: format!(
                    "see whether a firewall drops the connection, correct `{key}`, or raise `timeout-seconds`"
                ),
            };
        }
        let (came, advice) = match Cause::of(error) {
            Cause::Name(words) => (
                words,
                format!("no such host is known here: correct `{key}`, or look at this machine's DNS and VPN"),
            ),
            Cause::Refused(words) => (
                words,
                format!(
                    "nothing listens there, or a firewall refuses it: correct `{key}`, or start what should listen"
                ),
            ),
            Cause::Tls(error) => {
                let (came, advice) = tls(&error, key);
                (format!("TLS: {came}"), advice)
            }
            Cause::Other(words) => (words, format!("correct `{key}`, or look at what stands between")),
        };
        Self {
            asked,
            came: format!("{host} cannot be reached: {came}"),
            advice,
        }
    }
}

/// The first signs of a text from outside.
fn shortened(text: &str, most: usize) -> String {
    text.chars().filter(|sign| !sign.is_control()).take(most).collect()
}

/// Why there was no connection.
enum Cause {
    Name(String),
    Refused(String),
    Tls(rustls::Error),
    Other(String),
}

impl Cause {
    fn of(error: &reqwest::Error) -> Self {
        let (mut next, mut words, mut is_name): (Option<&(dyn Error + 'static)>, _, _) =
            (Some(error), String::new(), false);
        while let Some(cause) = next {
            words = cause.to_string();
            is_name |= words.contains("dns error");
            if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
                return Self::Tls(tls.clone());
            }
            if let Some(io) = cause.downcast_ref::<io::Error>() {
                if let Some(tls) = tls_within(io) {
                    return Self::Tls(tls.clone());
                }
                if io.kind() == io::ErrorKind::ConnectionRefused {
                    return Self::Refused(words);
                }
            }
            next = cause.source();
        }
        if is_name { Self::Name(words) } else { Self::Other(words) }
    }
}

/// The error of TLS within others of the machine.
fn tls_within(error: &io::Error) -> Option<&rustls::Error> {
    let inner = error.get_ref()?;
    let deeper = || inner.downcast_ref::<io::Error>().and_then(tls_within);
    inner.downcast_ref::<rustls::Error>().or_else(deeper)
}

/// What is wrong with a certificate, and what to do.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the library's own words will do for rare faults"
)]
fn tls(error: &rustls::Error, key: &str) -> (String, String) {
    let clock = "or this machine's clock is wrong";
    let rustls::Error::InvalidCertificate(certificate) = error else {
        let advice = format!("does it speak TLS at that port? Correct `{key}`, or look at what stands between");
        return (error.to_string(), advice);
    };
    match certificate {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
            "its certificate has expired".to_owned(),
            format!("whoever runs it must renew the certificate; {clock}"),
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => (
            "its certificate is not valid yet".to_owned(),
            format!("whoever runs it must correct the certificate; {clock}"),
        ),
        CertificateError::NotValidForName => other_name("others", key),
        CertificateError::NotValidForNameContext { presented, .. } => other_name(&presented.join(", "), key),
        CertificateError::UnknownIssuer | CertificateError::Other(_) => (
            format!("nobody whom this machine trusts signed its certificate ({certificate})"),
            "a self-signed certificate, or a proxy that reads along: trust its authority on this machine, or name the authority's file under \
             `authorities` in the profile"
                .to_owned(),
        ),
        _ => (error.to_string(), format!("correct the certificate, or `{key}`")),
    }
}

fn other_name(names: &str, key: &str) -> (String, String) {
    (
        format!("its certificate is for {}", shortened(names, 200)),
        format!("correct `{key}` to the name that the certificate has; or somebody else answers in its place"),
    )
}

/// What to do about errors of sign-ins that are documented: Entra ID's by their number (dataverse.md section 1.2), Salesforce's
/// by their words (salesforce.md section 1).
fn known(answer: &Answer, words: &str, connection: Connection) -> Option<String> {
    let sign_in = connection.sign_in;
    let number = words.split_once("AADSTS").map(|(_, rest)| {
        rest.split(|sign: char| !sign.is_ascii_digit())
            .next()
            .unwrap_or_default()
    });
    let salesforce = answer.body["error"].as_str().unwrap_or_default();
    Some(match number {
        Some("90002") => format!(
            "correct `{sign_in}.tenant`: the directory's name or identifier, of the cloud that `{}` is for",
            connection.base
        ),
        Some("7000215") => {
            format!("put the right secret where `{sign_in}.client-secret` points: its value, not its identifier")
        }
        Some("7000222") => format!(
            "the client secret has expired: make a new one for the application in Entra ID, and put it where `{sign_in}.client-secret` points"
        ),
        Some("7000218") => format!("the application needs a secret: name it as `{sign_in}.client-secret`"),
        Some("700016") => format!("correct `{sign_in}.client-id`, or have the application added to the tenant"),
        Some("500011") => format!("correct `{}`: no such system is known in this tenant", connection.base),
        Some("50126") => {
            "the user name or password is wrong: sign in again by hand, and renew the refresh token".to_owned()
        }
        Some("50055") => {
            "the password has expired: set a new one, sign in again, and renew the refresh token".to_owned()
        }
        Some("50057" | "50034") => {
            "the user is switched off or gone: have the account restored, or sign in as another".to_owned()
        }
        Some("50076") => {
            "Partner Center wants a second factor: sign in by hand with one, and take the refresh token of that sign-in"
                .to_owned()
        }
        Some("70000" | "70008" | "50173") => {
            format!(
                "the refresh token is not good any more: sign in by hand, and put the new one where `{sign_in}.refresh-token` points"
            )
        }
        Some(_) => return None,
        None => match salesforce {
            "invalid_client_id" => format!("correct `{sign_in}.client-id`: the consumer key of the connected app"),
            "invalid_client" => {
                format!("put the consumer secret of the connected app where `{sign_in}.client-secret` points")
            }
            "invalid_grant" => format!(
                "sign in again by hand and renew what `{sign_in}` names; is `{}` right? A sandbox signs in at test.salesforce.com",
                connection.base
            ),
            "inactive_user" => "the user is switched off: have the account restored, or sign in as another".to_owned(),
            _ => return None,
        },
    })
}
