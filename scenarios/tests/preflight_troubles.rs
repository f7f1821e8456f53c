//! `cosell preflight` where something stands in the way, on real sockets: each message says over which connection what was asked,
//! what came, and what to do.

mod command;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;

use command::{Folder, text};
use cosell_sim::clock::default_start;
use cosell_sim::site::Site;
use cosell_sim::transport::socket::{self, ServeSettings, Served};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;

fn serve(change: impl FnOnce(&mut ServeSettings)) -> Served {
    let mut settings = ServeSettings::default();
    change(&mut settings);
    socket::serve(&settings).expect("the simulators can be served")
}

/// A profile for served simulators.
fn profile(served: &Served, crm: &str) -> String {
    let base = |site| served.bases().of(site);
    let sign_in = format!(
        "authority = \"{}\"\ntenant = \"contoso.example\"\nclient-id = \"cosell\"\nclient-secret = {{ env = \"COSELL_TEST_SECRET\" }}\n",
        base(Site::Entra)
    );
    format!(
        "name = \"stage\"\nkind = \"simulator\"\ncrm = \"{crm}\"\ntimeout-seconds = 5\n[partner-center]\nreferrals-base = \"{0}\"\n\
         events-base = \"{0}\"\n[partner-center.sign-in]\n{sign_in}refresh-token = {{ command = \"echo refresh-connector\" }}\n\
         [salesforce]\nlogin-base = \"{1}\"\nclient-id = \"cosell\"\nclient-secret = {{ env = \"COSELL_TEST_SECRET\" }}\n\
         [dataverse]\nbase = \"{2}\"\n[dataverse.sign-in]\n{sign_in}\
         [connector]\non-hold-stage = \"On Hold\"\nactive-stage = \"Qualification\"\n",
        base(Site::PartnerCenter),
        base(Site::Salesforce),
        base(Site::Dataverse)
    )
}

/// A check as it came out: its outcome, what was seen, what to do.
fn check(profile: &str, code: &str) -> (String, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_cosell"))
        .args(["preflight", "--profile", profile, "--format", "json"])
        .env("COSELL_TEST_SECRET", "secret")
        .env_remove("COSELL_UNSET")
        .env("COSELL_EMPTY", " ")
        .output()
        .expect("cosell can be started");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output.stderr)));
    assert_eq!(output.status.code(), Some(1), "{document:#}");
    assert!(!text(&output.stderr).contains("panicked"), "{}", text(&output.stderr));
    let found = document["checks"].as_array().expect("checks").iter();
    let check = found.clone().find(|check| check["code"] == code).expect(code);
    let word = |name: &str| check[name].as_str().unwrap_or_default().to_owned();
    (word("outcome"), word("seen"), word("fix"))
}

/// Expects a failed check, and that both sentences hold these parts.
fn fails(folder: &Folder, profile: &str, code: &str, seen: &[&str], fix: &str) {
    let file = folder.write("profile.toml", profile);
    let (outcome, told, advice) = check(&file, code);
    assert_eq!(outcome, "failed", "{code}: {told}");
    for part in seen {
        assert!(told.contains(part), "{code}: {part:?} is not in {told:?}");
    }
    assert!(advice.contains(fix), "{code}: {fix:?} is not in {advice:?}");
}

/// Answers every request alike; never, when the answer is empty.
fn answering(answer: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        let mut silent = Vec::new();
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            if answer.is_empty() {
                silent.push(stream);
                continue;
            }
            drop(stream.read(&mut [0; 8192]));
            drop(stream.write_all(answer.as_bytes()));
        }
    });
    format!("http://{address}")
}

fn http(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}")
}

const JSON: &str = "content-type: application/json\r\n";

#[test]
fn addresses_that_lead_nowhere_are_told_with_their_connection_and_the_key_to_correct() {
    let folder = Folder::new("troubles-addresses");
    let served = serve(|_| {});
    let whole = profile(&served, "salesforce");
    let (entra, pc) = (served.bases().of(Site::Entra), served.bases().of(Site::PartnerCenter));
    let salesforce = served.bases().of(Site::Salesforce);
    let login = format!("login-base = \"{salesforce}\"");
    let at = |base: &str| whole.replace(&login, &format!("login-base = \"{base}\""));
    let asked = "the Salesforce connection, POST";
    let refused = [
        "the Salesforce connection, POST http://127.0.0.1:9/services/oauth2/token",
        "cannot be reached",
    ];
    fails(
        &folder,
        &at("http://127.0.0.1:9"),
        "crm.sign-in",
        &refused,
        "`salesforce.login-base`, or start what",
    );
    let name = [asked, "no-such-host.invalid cannot be reached"];
    fails(
        &folder,
        &at("https://no-such-host.invalid"),
        "crm.sign-in",
        &name,
        "DNS and VPN",
    );
    let plain = at(&salesforce.replace("http://127.0.0.1", "https://localhost"));
    fails(&folder, &plain, "crm.sign-in", &[asked, "TLS: "], "does it speak TLS");
    let slow = at(&answering(String::new())).replace("timeout-seconds = 5", "timeout-seconds = 1");
    fails(
        &folder,
        &slow,
        "crm.sign-in",
        &[asked, "did not answer in time (1 seconds)"],
        "raise `timeout-seconds`",
    );
    // The right host, and the wrong system.
    fails(
        &folder,
        &whole.replace(&login, &format!("login-base = \"{entra}\"")),
        "crm.sign-in",
        &[asked, "answered"],
        "the right URL",
    );
    let other = whole.replace(
        &format!("referrals-base = \"{pc}\""),
        &format!("referrals-base = \"{salesforce}\""),
    );
    let seen = ["the Partner Center connection, GET", "answered 501"];
    fails(&folder, &other, "pc.referrals", &seen, "partner-center.referrals-base");
}

/// The profile with a token for Dataverse that somebody has already: one for the stub would be for an unknown audience.
fn with_a_token(profile: &str) -> String {
    let (before, sign_in) = profile.split_once("[dataverse.sign-in]\n").expect("a sign-in");
    let rest = sign_in.split_once("[connector]").expect("settings").1;
    let token = "access-token = { env = \"COSELL_TEST_SECRET\" }";
    format!("{before}[dataverse.sign-in]\n{token}\n[connector]{rest}")
}

#[test]
fn answers_that_no_system_gives_are_told_as_what_they_are() {
    let folder = Folder::new("troubles-answers");
    let served = serve(|_| {});
    let whole = profile(&served, "dynamics");
    let dataverse = format!("base = \"{}\"", served.bases().of(Site::Dataverse));
    let page = "<!DOCTYPE html><html><title>Sign in to the proxy</title></html>";
    for (answer, seen, fix) in [
        (
            http("200 OK", "content-type: text/html\r\n", page),
            "no JSON (text/html): \"<!DOCTYPE html>",
            "HTTPS_PROXY",
        ),
        (
            http("407 Proxy Authentication Required", "content-type: text/html\r\n", page),
            "answered 407 with no JSON",
            "a login page",
        ),
        (
            http("302 Found", "location: https://login.example/sso\r\n", ""),
            "302 sends elsewhere, to https://login.example/sso",
            "a page for people",
        ),
        (
            http("500 Internal Server Error", JSON, "{\"error\":{\"message\":\"oops\"}}"),
            "answered 500 oops",
            "try again later",
        ),
        (
            http("503 Service Unavailable", "", ""),
            "answered 503 with an empty body",
            "try again later",
        ),
        (
            http("200 OK", JSON, ""),
            "answered 200 with an empty body",
            "the right URL",
        ),
        (
            http("200 OK", JSON, "{\"hello\":1}"),
            "without a UserId",
            "`dataverse.base` the right URL",
        ),
        (
            http("200 OK", JSON, "{\"cut"),
            "no JSON (application/json)",
            "dataverse.base",
        ),
        (
            "SSH-2.0-OpenSSH_9.2\r\n".to_owned(),
            "cannot be reached",
            "dataverse.base",
        ),
    ] {
        let wrong = with_a_token(&whole.replace(&dataverse, &format!("base = \"{}\"", answering(answer))));
        let seen = ["the Dataverse connection, GET http://127.0.0.1", seen];
        fails(&folder, &wrong, "crm.sign-in", &seen, fix);
    }
}

#[test]
fn sign_ins_that_are_refused_say_which_secret_to_renew() {
    let folder = Folder::new("troubles-sign-in");
    let served = serve(|settings| settings.systems.identity.tenants = ["contoso.example".to_owned()].into());
    let whole = profile(&served, "salesforce");
    let pc = "the Partner Center connection";
    for (from, to, code, seen, fix) in [
        (
            "tenant = \"contoso.example\"",
            "tenant = \"fabrikam.example\"",
            "pc.sign-in",
            "AADSTS90002: Tenant 'fabrikam.example' not found",
            "correct `partner-center.sign-in.tenant`",
        ),
        (
            "echo refresh-connector",
            "echo refresh-nobody",
            "pc.sign-in",
            "AADSTS70000",
            "put the new one where `partner-center.sign-in.refresh-token` points",
        ),
        (
            "env = \"COSELL_TEST_SECRET\"",
            "command = \"echo wrong\"",
            "pc.sign-in",
            "AADSTS7000215",
            "its value, not its identifier",
        ),
    ] {
        assert!(whole.contains(from), "{from}");
        fails(&folder, &whole.replace(from, to), code, &[pc, seen], fix);
    }
}

#[test]
fn places_of_secrets_that_hold_none_are_named() {
    let folder = Folder::new("troubles-places");
    let served = serve(|_| {});
    let whole = profile(&served, "salesforce");
    let pc = "the Partner Center connection";
    for (from, to, code, seen, fix) in [
        (
            "COSELL_TEST_SECRET",
            "COSELL_UNSET",
            "pc.sign-in",
            "the environment variable COSELL_UNSET is not set",
            "`partner-center.sign-in.client-secret`",
        ),
        (
            "COSELL_TEST_SECRET",
            "COSELL_EMPTY",
            "pc.sign-in",
            "COSELL_EMPTY is empty",
            "name another place",
        ),
        (
            "echo refresh-connector",
            "exit 3",
            "pc.sign-in",
            "the command of the profile ended with exit status: 3",
            "`partner-center.sign-in.refresh-token`",
        ),
        (
            "echo refresh-connector",
            "true",
            "pc.sign-in",
            "the command of the profile printed nothing",
            "put the secret there",
        ),
        (
            "echo refresh-connector",
            "no-such-command-here",
            "pc.sign-in",
            "exit status: 127",
            "name another place",
        ),
        (
            "{ command = \"echo refresh-connector\" }",
            "{ file = \"/no/such/file\" }",
            "pc.sign-in",
            "/no/such/file cannot be read",
            "refresh-token",
        ),
    ] {
        assert!(whole.contains(from), "{from}");
        fails(&folder, &whole.replace(from, to), code, &[pc, seen], fix);
    }
}

#[test]
fn secrets_that_are_wrong_or_too_old_say_which() {
    let folder = Folder::new("troubles-secrets");
    let served = serve(|_| {});
    let whole = profile(&served, "salesforce");
    let pc = "the Partner Center connection";
    let salesforce = whole.replace(
        "client-id = \"cosell\"\nclient-secret = { env = \"COSELL_TEST_SECRET\" }\n[dataverse]",
        "client-id = \"cosell\"\nclient-secret = { command = \"echo wrong\" }\n[dataverse]",
    );
    fails(
        &folder,
        &salesforce,
        "crm.sign-in",
        &["the Salesforce connection, POST", "answered 400"],
        "consumer secret",
    );
    let expired = serve(|settings| settings.systems.identity.secret_expires = Some(default_start()));
    fails(
        &folder,
        &profile(&expired, "dynamics"),
        "crm.sign-in",
        &["the Dataverse connection", "AADSTS7000222"],
        "make a new one",
    );
    // What Entra ID says of a password that is wrong or old, in the words of its error list.
    for (number, fix) in [
        ("50126", "password is wrong"),
        ("50055", "password has expired"),
        ("50076", "second factor"),
        ("700016", "client-id"),
    ] {
        let body =
            format!("{{\"error\":\"invalid_grant\",\"error_description\":\"AADSTS{number}: no.\\r\\nTrace ID: x\"}}");
        let stub = answering(http("400 Bad Request", JSON, &body));
        let at = whole.replace(&served.bases().of(Site::Entra), &stub);
        fails(
            &folder,
            &at,
            "pc.sign-in",
            &[pc, &format!("answered 400 AADSTS{number}: no.")],
            fix,
        );
    }
}

/// Certificates of a test: an authority that nobody trusts yet, and what it signed for a name.
fn signed(name: &str, expired: bool) -> (String, Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let mut own = CertificateParams::default();
    own.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().expect("a key");
    let authority = own.self_signed(&authority_key).expect("a certificate");
    let issuer = Issuer::new(own, authority_key);
    let mut leaf = CertificateParams::new([name.to_owned()]).expect("a name");
    if expired {
        (leaf.not_before, leaf.not_after) = (date_time_ymd(2019, 1, 1), date_time_ymd(2020, 1, 1));
    }
    let key = KeyPair::generate().expect("a key");
    let certificate = leaf.signed_by(&key, &issuer).expect("a certificate");
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    (authority.pem(), vec![certificate.der().clone()], key)
}

/// Serves TLS, and answers every request alike.
fn speaking_tls(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> String {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions of TLS")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("a certificate with its key");
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = ServerConnection::new(Arc::clone(&config)).expect("a connection");
            let mut stream = StreamOwned::new(connection, stream);
            // A client that does not trust the certificate goes away here.
            if stream.read(&mut [0; 8192]).is_ok() {
                drop(stream.write_all(http("200 OK", JSON, "{}").as_bytes()));
                stream.conn.send_close_notify();
                drop(stream.flush());
            }
        }
    });
    format!("https://localhost:{port}")
}

/// The profile with a Salesforce elsewhere, and a further authority to trust.
fn trusting(folder: &Folder, whole: &str, login: &str, (pem, base): (&str, &str)) -> String {
    let file = folder.write("authority.pem", pem);
    let there = whole.replace(login, &format!("login-base = \"{base}\""));
    there.replace(
        "timeout-seconds = 5",
        &format!("timeout-seconds = 5\nauthorities = ['{file}']"),
    )
}

#[test]
fn certificates_that_are_not_in_order_are_told_apart() {
    let folder = Folder::new("troubles-tls");
    let served = serve(|_| {});
    let whole = profile(&served, "salesforce");
    let login = format!("login-base = \"{}\"", served.bases().of(Site::Salesforce));
    let trusting = |pem: &str, base: &str| trusting(&folder, &whole, &login, (pem, base));
    let asked = "the Salesforce connection, POST https://localhost:";
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(own.signing_key.serialize_der()));
    let base = speaking_tls(vec![own.cert.der().clone()], key);
    let self_signed = whole.replace(&login, &format!("login-base = \"{base}\""));
    let seen = [
        asked,
        "localhost cannot be reached: TLS: nobody whom this machine trusts signed its certificate",
    ];
    fails(
        &folder,
        &self_signed,
        "crm.sign-in",
        &seen,
        "name the authority's file under `authorities`",
    );
    let (pem, chain, key) = signed("localhost", true);
    let base = speaking_tls(chain, key);
    fails(
        &folder,
        &trusting(&pem, &base),
        "crm.sign-in",
        &[asked, "its certificate has expired"],
        "renew the certificate",
    );
    let (pem, chain, key) = signed("other.example", false);
    let base = speaking_tls(chain, key);
    fails(
        &folder,
        &trusting(&pem, &base),
        "crm.sign-in",
        &[asked, "its certificate is for", "other.example"],
        "the name that the certificate has",
    );
}

#[test]
fn an_authority_of_the_profile_is_trusted() {
    let folder = Folder::new("troubles-authority");
    let served = serve(|_| {});
    let whole = profile(&served, "salesforce");
    let login = format!("login-base = \"{}\"", served.bases().of(Site::Salesforce));
    let trusting = |pem: &str, base: &str| trusting(&folder, &whole, &login, (pem, base));
    let asked = "the Salesforce connection, POST https://localhost:";
    // With its authority in the profile a good one is taken, and only the answer is wrong.
    let (pem, chain, key) = signed("localhost", false);
    let base = speaking_tls(chain, key);
    fails(
        &folder,
        &trusting(&pem, &base),
        "crm.sign-in",
        &[asked, "answered 200, without a token"],
        "the right URL",
    );
    fails(
        &folder,
        &trusting("no certificate", &base),
        "crm.sign-in",
        &["it holds no certificate"],
        "BEGIN CERTIFICATE",
    );
}
