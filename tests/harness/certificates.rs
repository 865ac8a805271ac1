//! Certificates made while the test runs, so that none expires in a drawer.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, io};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use tempfile::TempDir;

/// How many authorities were made.
static MADE: AtomicUsize = AtomicUsize::new(0);

/// An authority with a folder of its own, where everything it signs is put as PEM files.
#[derive(Debug)]
pub struct Authority {
    folder: TempDir,
    issuer: Issuer<'static, KeyPair>,
}

/// The files of a certificate and its key.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The certificate.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl Authority {
    /// An authority nobody trusts yet.
    pub fn new() -> Self {
        let folder = TempDir::new().expect("create a temporary folder");
        let mut params = CertificateParams::new(Vec::new()).expect("no names are legal names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        // A name of its own: by that, who verifies finds out who should have signed.
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("memlens test authority {number}");
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().expect("make a key");
        let certificate = params.self_signed(&key).expect("sign itself");
        write(&folder.path().join("ca.pem"), &certificate.pem());
        Self {
            folder,
            issuer: Issuer::new(params, key),
        }
    }

    /// The file of its own certificate: what to trust.
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A certificate for servers and clients of these names and addresses.
    pub fn sign(&self, names: &[&str]) -> Identity {
        self.sign_until(names, 2100)
    }

    /// A certificate that ended with this year's first day.
    pub fn sign_until(&self, names: &[&str], year: i32) -> Identity {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let stem = format!("{}-{year}", names.join("+"));
        let mut params = CertificateParams::new(names).expect("legal names");
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(year, 1, 1);
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        let key = KeyPair::generate().expect("make a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("sign it");
        let identity = Identity {
            certificate: self.folder.path().join(format!("{stem}.pem")),
            key: self.folder.path().join(format!("{stem}.key")),
        };
        write(&identity.certificate, &certificate.pem());
        write(&identity.key, &key.serialize_pem());
        identity
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

impl Identity {
    /// The arguments with which memcached shows this certificate, and these options besides.
    pub fn memcached_arguments(&self, options: &[String]) -> Vec<String> {
        let mut all = vec![
            format!("ssl_chain_cert={}", self.certificate.display()),
            format!("ssl_key={}", self.key.display()),
        ];
        all.extend_from_slice(options);
        vec!["-Z".to_owned(), "-o".to_owned(), all.join(",")]
    }
}

fn write(path: &Path, text: &str) {
    let written: io::Result<()> = fs::write(path, text);
    written.unwrap_or_else(|error| panic!("write {}: {error}", path.display()));
}
