//! The servers over TLS, met by a client that checks certificates.

use super::*;

/// A client that trusts nothing but that certificate, on a connection of its own.
fn over_tls(base: &str, authority: &str) -> impl io::Read + io::Write {
    use tokio_rustls::rustls::pki_types::CertificateDer;
    use tokio_rustls::rustls::pki_types::pem::PemObject as _;
    use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, crypto};
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_slice(authority.as_bytes()).unwrap();
    roots.add(certificate).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let (host, port) = base.trim_start_matches("https://").split_once(':').unwrap();
    let connection = ClientConnection::new(Arc::new(config), host.to_owned().try_into().unwrap()).unwrap();
    let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port.parse().unwrap())).unwrap();
    StreamOwned::new(connection, socket)
}

/// A GET over TLS: the answer, or why there is none.
fn get_over_tls(base: &str, path: &str, authority: &str) -> io::Result<String> {
    let mut stream = over_tls(base, authority);
    write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[test]
fn over_tls_every_link_is_https_and_only_the_authoritys_certificate_opens_it() {
    let settings = ServeSettings {
        tls: true,
        ..ServeSettings::default()
    };
    let (served, other) = (serve(&settings).unwrap(), serve(&settings).unwrap());
    let authority = served.authority().unwrap();
    let base = served.bases().of(Site::Entra);
    // Somebody who never finishes a handshake holds up nobody.
    let _idle = TcpStream::connect(base.trim_start_matches("https://").replace("localhost", "127.0.0.1")).unwrap();
    for host in ["localhost", "127.0.0.1"] {
        let base = base.replace("localhost", host);
        let answer = get_over_tls(&base, "/contoso/v2.0/.well-known/openid-configuration", authority).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.contains("\"token_endpoint\":\"https://localhost:"), "{answer}");
        assert!(!answer.contains("http://"), "{answer}");
    }
    for site in Site::ALL {
        assert!(served.bases().of(site).starts_with("https://localhost:"));
    }
    let stranger = get_over_tls(&base, "/", other.authority().unwrap()).unwrap_err();
    assert!(stranger.to_string().contains("certificate"), "{stranger}");
    assert!(serve(&ServeSettings::default()).unwrap().authority().is_none());
}

#[test]
fn plain_http_on_a_tls_port_is_answered_in_words_in_however_many_pieces_it_comes() {
    let served = serve(&ServeSettings {
        tls: true,
        ..ServeSettings::default()
    })
    .unwrap();
    let port: u16 = served
        .bases()
        .of(Site::Entra)
        .rsplit_once(':')
        .unwrap()
        .1
        .parse()
        .unwrap();
    for pieces in [
        vec!["GET / HTTP/1.1\r\nhost: x\r\n\r\n"],
        vec!["GET", " / HTTP/1.1\r", "\nhost: x\r\n", "\r", "\n"],
        vec!["POST /token HTTP/1.1\r\ncontent-length: 3\r\n\r\na=b"],
    ] {
        let mut socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        socket.set_nodelay(true).unwrap();
        for piece in pieces {
            socket.write_all(piece.as_bytes()).unwrap();
            std::thread::yield_now();
        }
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
        assert!(answer.contains("use https://"), "{answer}");
    }
}
