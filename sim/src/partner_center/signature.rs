//! Signs webhook deliveries the way Partner Center does (partner-center.md section 6.3).
//!
//! The key is a throw-away that everybody can read: made for this simulator, it protects nothing, and its certificate is
//! issued by `O=Cosell Simulator`, never by a name that looks like Microsoft's.

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};

use crate::happening::Hook;

/// Where the simulator serves [`certificate`], below the base URL of the events API.
pub const CERTIFICATE_PATH: &str = "/cert/pcnotifications-dispatch.microsoft.com.cer";

/// The throw-away private key: PKCS#8, RSA with 2048 bits.
const THROW_AWAY_KEY: &[u8] = include_bytes!("throwaway.pk8");
/// The certificate of its public half: X.509 in DER, signed by itself, valid from 2020 to 2120.
const CERTIFICATE: &[u8] = include_bytes!("throwaway.cer");

/// The certificate that a receiver checks deliveries with, in DER.
pub fn certificate() -> &'static [u8] {
    CERTIFICATE
}

/// Signs a body: base64 of RSA PKCS#1 v1.5 with SHA-256 over the bytes exactly as they are sent.
///
/// The same body gives the same signature always: this scheme has no chance in it. It costs about a millisecond, so
/// call it when somebody is going to read the bytes.
pub fn sign(body: &[u8]) -> String {
    let key = key();
    let mut signature = vec![0; key.public().modulus_len()];
    // The randomness blinds the arithmetic and does not reach the result.
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), body, &mut signature)
        .expect("the compiled-in key signs: its length and the buffer's are fixed");
    STANDARD.encode(signature)
}

fn key() -> &'static RsaKeyPair {
    static KEY: OnceLock<RsaKeyPair> = OnceLock::new();
    KEY.get_or_init(|| RsaKeyPair::from_pkcs8(THROW_AWAY_KEY).expect("the compiled-in key is well formed"))
}

/// The headers of a delivery: the signature in `Authorization`, or in `x-ms-signature` when the registration asks so.
/// Both carry `Signature <base64>`. No signature leaves the header out.
pub fn headers(hook: &Hook, certificate_url: &str, signature: Option<&str>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let place = if hook.signature_in_ms_header {
        HeaderName::from_static("x-ms-signature")
    } else {
        header::AUTHORIZATION
    };
    if let Some(value) = signature.and_then(|signature| HeaderValue::try_from(format!("Signature {signature}")).ok()) {
        headers.insert(place, value);
    }
    if let Ok(url) = HeaderValue::from_str(certificate_url) {
        headers.insert("x-ms-certificate-url", url);
    }
    headers.insert("x-ms-signature-algorithm", HeaderValue::from_static("rsa-sha256"));
    headers
}

#[cfg(test)]
mod tests {
    use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

    use super::*;

    #[test]
    fn a_signature_verifies_with_the_key_of_the_certificate() {
        let body = br#"{"EventName":"test-created"}"#;
        let signature = STANDARD.decode(sign(body)).unwrap();
        // The certificate holds the public key byte for byte: PKCS#1 inside a SubjectPublicKeyInfo.
        let public = key().public().as_ref();
        assert!(certificate().windows(public.len()).any(|window| window == public));
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public);
        assert!(public.verify(body, &signature).is_ok());
        assert!(public.verify(b"another body", &signature).is_err());
    }

    #[test]
    fn the_same_body_is_signed_the_same_way_twice() {
        assert_eq!(sign(b"body"), sign(b"body"));
    }

    #[test]
    fn the_signature_goes_into_the_header_that_the_registration_asks_for() {
        let hook = |signature_in_ms_header| Hook {
            number: None,
            manner: None,
            event: "referral-created".to_owned(),
            url: "https://connector.example/hook".to_owned(),
            body: "{}".to_owned(),
            signature_in_ms_header,
            at: jiff::Timestamp::UNIX_EPOCH,
        };
        let plain = headers(&hook(false), "https://x.example/c.cer", Some("c2ln"));
        assert_eq!(plain["authorization"], "Signature c2ln");
        assert!(!plain.contains_key("x-ms-signature"));
        let other = headers(&hook(true), "https://x.example/c.cer", Some("c2ln"));
        assert_eq!(other["x-ms-signature"], "Signature c2ln");
        assert!(!other.contains_key("authorization"));
        assert_eq!(other["x-ms-signature-algorithm"], "rsa-sha256");
    }

    #[test]
    fn the_certificate_does_not_look_like_microsofts() {
        let holds = |text: &str| {
            certificate()
                .windows(text.len())
                .any(|window| window == text.as_bytes())
        };
        assert!(holds("Cosell Simulator"));
        assert!(!holds("Microsoft Corporation"));
    }
}
