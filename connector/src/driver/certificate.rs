//! Whether the certificate that a webhook names may be trusted, and which key it holds (partner-center.md section 6.3).
//!
//! It reads no network: the file comes from [`super::webhook`]. The public authorities are those that the machine trusts; what the
//! operator adds vouches beside them.

use jiff::Timestamp;
use rustls::pki_types::{CertificateDer, TrustAnchor, UnixTime};
use x509_parser::oid_registry::OID_PKCS1_RSAENCRYPTION;
use x509_parser::pem::Pem;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::contract::Distrust;

/// How many certificates of one file are read: the one that signs, and who vouches for it.
const MOST_CERTIFICATES: usize = 8;

/// Who may vouch for a webhook's certificate.
#[derive(Clone, Debug)]
pub(super) struct Trust {
    /// What the issuer must name as its organisation.
    pub(super) issuer: String,
    /// The operator's own roots, in DER.
    pub(super) own: Vec<Vec<u8>>,
    /// The public authorities, in DER.
    pub(super) public: Vec<CertificateDer<'static>>,
}

/// The authorities that this machine trusts.
pub(super) fn public_authorities() -> Vec<CertificateDer<'static>> {
    // What cannot be read vouches for nothing: a certificate that needs it is refused with a code of its own.
    rustls_native_certs::load_native_certs().certs
}

/// A key that may sign webhooks, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    /// PKCS#1 in DER.
    pub(super) public: Vec<u8>,
    /// The end of its certificate, in seconds since the Unix epoch.
    pub(super) until: i64,
}

impl Trust {
    /// The key of the first certificate of a file in DER or PEM. What follows it in the file may lead to an authority.
    pub(super) fn key(&self, file: &[u8], now: Timestamp) -> Result<Key, Distrust> {
        let all = certificates(file);
        let (leaf, others) = all.split_first().ok_or(Distrust::Unreadable)?;
        let (_, certificate) = X509Certificate::from_der(leaf).map_err(|_| Distrust::Unreadable)?;
        let issuer = certificate.issuer();
        let expected = |name: &x509_parser::x509::AttributeTypeAndValue<'_>| name.as_str() == Ok(self.issuer.as_str());
        if !issuer.iter_organization().any(expected) {
            return Err(Distrust::Issuer);
        }
        let validity = certificate.validity();
        let (from, until) = (validity.not_before.timestamp(), validity.not_after.timestamp());
        if !(from..=until).contains(&now.as_second()) {
            return Err(Distrust::OutOfTime);
        }
        if certificate.public_key().algorithm.algorithm != OID_PKCS1_RSAENCRYPTION {
            return Err(Distrust::Key);
        }
        let own = self.own.iter().any(|root| has_signed(root, &certificate));
        if !own && !self.is_public(leaf, others, now) {
            return Err(Distrust::Chain);
        }
        Ok(Key {
            public: certificate.public_key().subject_public_key.data.to_vec(),
            until,
        })
    }

    /// Whether a public authority vouches for a certificate, by way of the others or of the operator's own roots.
    fn is_public(&self, leaf: &[u8], others: &[Vec<u8>], now: Timestamp) -> bool {
        let anchor = |authority| webpki::anchor_from_trusted_cert(authority).ok();
        let anchors: Vec<TrustAnchor<'_>> = self.public.iter().filter_map(anchor).collect();
        let between: Vec<CertificateDer<'_>> = others
            .iter()
            .chain(&self.own)
            .map(|der| CertificateDer::from(der.as_slice()))
            .collect();
        let leaf = CertificateDer::from(leaf);
        let Ok(leaf) = webpki::EndEntityCert::try_from(&leaf) else {
            return false;
        };
        let seconds = u64::try_from(now.as_second()).unwrap_or_default();
        let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
        let usage = webpki::KeyUsage::server_auth();
        leaf.verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            &anchors,
            &between,
            time,
            usage,
            None,
            None,
        )
        .is_ok()
    }
}

/// The certificates of a file, in DER: one after the other, or as blocks of PEM.
pub(super) fn certificates(file: &[u8]) -> Vec<Vec<u8>> {
    if file.starts_with(b"-----BEGIN") {
        let blocks = Pem::iter_from_buffer(file)
            .map_while(Result::ok)
            .take(MOST_CERTIFICATES);
        return blocks.map(|block| block.contents).collect();
    }
    let mut rest = file;
    let mut all = Vec::new();
    while let Ok((after, _)) = X509Certificate::from_der(rest)
        && all.len() < MOST_CERTIFICATES
    {
        all.push(rest[..rest.len() - after.len()].to_vec());
        rest = after;
    }
    all
}

/// Whether a root in DER has signed a certificate.
fn has_signed(root: &[u8], certificate: &X509Certificate<'_>) -> bool {
    X509Certificate::from_der(root).is_ok_and(|(_, root)| {
        let named = root.subject().as_raw() == certificate.issuer().as_raw();
        named && certificate.verify_signature(Some(root.public_key())).is_ok()
    })
}

#[cfg(test)]
mod tests {
    use rcgen::{
        BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, PKCS_ECDSA_P256_SHA256,
        PKCS_RSA_SHA256,
    };

    use super::*;

    type Authority = CertifiedIssuer<'static, KeyPair>;

    fn params(organisation: &str, name: &str) -> CertificateParams {
        let mut params = CertificateParams::new(vec!["hooks.example".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::OrganizationName, organisation);
        params.distinguished_name.push(DnType::CommonName, name);
        params
    }

    fn authority(name: &str, above: Option<&Authority>) -> Authority {
        let mut params = params("Microsoft Corporation", name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        match above {
            Some(above) => CertifiedIssuer::signed_by(params, key, above).unwrap(),
            None => CertifiedIssuer::self_signed(params, key).unwrap(),
        }
    }

    /// ring makes no RSA keys: this one is the simulator's throw-away.
    fn leaf(by: &Authority) -> Vec<u8> {
        let key = include_bytes!("../../../sim/src/partner_center/throwaway.pk8");
        let key = KeyPair::from_pkcs8_der_and_sign_algo(&key.as_slice().into(), &PKCS_RSA_SHA256).unwrap();
        let made = params("Microsoft Corporation", "pcnotifications-dispatch")
            .signed_by(&key, by)
            .unwrap();
        made.der().to_vec()
    }

    fn trust(own: &[&Authority], public: &[&Authority]) -> Trust {
        Trust {
            issuer: "Microsoft Corporation".to_owned(),
            own: own.iter().map(|authority| authority.der().to_vec()).collect(),
            public: public.iter().map(|authority| authority.der().clone()).collect(),
        }
    }

    fn now() -> Timestamp {
        "2026-01-05T09:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_public_root_and_one_of_the_operators_own_both_vouch() {
        let root = authority("root", None);
        let file = leaf(&root);
        assert!(trust(&[], &[&root]).key(&file, now()).is_ok());
        assert!(trust(&[&root], &[]).key(&file, now()).is_ok());
        assert_eq!(trust(&[], &[]).key(&file, now()), Err(Distrust::Chain));
        assert_eq!(
            trust(&[], &[&authority("root", None)]).key(&file, now()),
            Err(Distrust::Chain)
        );
        assert_eq!(
            trust(&[&authority("root", None)], &[]).key(&file, now()),
            Err(Distrust::Chain)
        );
    }

    #[test]
    fn what_stands_between_comes_with_the_file_or_from_the_operator() {
        let root = authority("root", None);
        let between = authority("between", Some(&root));
        let file = leaf(&between);
        assert_eq!(trust(&[], &[&root]).key(&file, now()), Err(Distrust::Chain));
        assert!(trust(&[&between], &[&root]).key(&file, now()).is_ok());
        let both = [file, between.der().to_vec()];
        assert!(trust(&[], &[&root]).key(&both.concat(), now()).is_ok());
        let block = |der: &Vec<u8>| {
            use base64::Engine as _;
            let text = base64::prelude::BASE64_STANDARD.encode(der);
            format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
        };
        let pem = both.iter().map(block).collect::<String>();
        assert!(trust(&[], &[&root]).key(pem.as_bytes(), now()).is_ok());
    }

    #[test]
    fn each_refusal_says_what_was_wrong() {
        let root = authority("root", None);
        let trust = trust(&[&root], &[]);
        let file = leaf(&root);
        for nothing in [
            b"no certificate".as_slice(),
            b"",
            b"-----BEGIN CERTIFICATE-----\n!",
            &file[..40],
        ] {
            assert_eq!(trust.key(nothing, now()), Err(Distrust::Unreadable));
        }
        let elsewhere = Trust {
            issuer: "Contoso".to_owned(),
            ..trust.clone()
        };
        assert_eq!(elsewhere.key(&file, now()), Err(Distrust::Issuer));
        for when in ["1970-01-01T00:00:00Z", "9000-01-01T00:00:00Z"] {
            assert_eq!(trust.key(&file, when.parse().unwrap()), Err(Distrust::OutOfTime));
        }
        assert_eq!(trust.key(root.der(), now()), Err(Distrust::Key));
    }
}
