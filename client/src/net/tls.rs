//! TLS by rustls, as the configuration describes it.

use std::fmt::{self, Display};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore};
use zeroize::Zeroizing;

use super::dial::io_error;
use crate::config::{self, Pem};
use crate::error::{Error, ErrorKind, Result};
use crate::observe::log_of_unusable_certificates;

/// Makes encrypted connections.
#[derive(Debug)]
pub(crate) struct Tls {
    settings: config::Tls,
    made: Mutex<Made>,
}

/// What connections are encrypted with, and what it was made of.
#[derive(Debug)]
struct Made {
    texts: Texts,
    connector: Arc<ClientConfig>,
    /// That the files have changed to what is of no use was told.
    is_told: bool,
}

impl Tls {
    /// Reads roots, certificate and key.
    pub(crate) fn new(settings: &config::Tls) -> Result<Self> {
        #[cfg(feature = "dangerous-tls")]
        super::dangerous_tls::warn(settings);
        let texts = Texts::read(settings)?;
        let connector = texts.connector(settings)?;
        Ok(Self {
            settings: settings.clone(),
            made: Mutex::new(Made {
                texts,
                connector,
                is_told: false,
            }),
        })
    }

    /// What the files say now: certificates are renewed while programs run. Where they are of no use,
    /// perhaps because one of them is written and the other is not yet, what was good before stays.
    fn connector(&self) -> Arc<ClientConfig> {
        let read = Texts::read(&self.settings);
        let mut made = self.made.lock();
        let renewed = match read {
            Ok(texts) if texts == made.texts => None,
            Ok(texts) => Some(
                texts
                    .connector(&self.settings)
                    .map(|connector| (texts, connector)),
            ),
            Err(error) => Some(Err(error)),
        };
        match renewed {
            None => made.is_told = false,
            Some(Ok((texts, connector))) => {
                *made = Made {
                    texts,
                    connector,
                    is_told: false,
                };
            }
            Some(Err(_)) if made.is_told => {}
            Some(Err(_)) => {
                made.is_told = true;
                log_of_unusable_certificates();
            }
        }
        Arc::clone(&made.connector)
    }

    /// Encrypts a connection to the node of that name.
    pub(super) async fn connect(
        &self,
        node: &str,
        host: &str,
        stream: TcpStream,
    ) -> Result<(TcpStream, ClientConnection)> {
        let name = self.settings.name_of(node, host);
        let name = ServerName::try_from(name.to_owned()).map_err(|error| {
            let detail = "the server's name is none that a certificate could be for";
            Error::with_detail(ErrorKind::Tls, detail).caused_by(error)
        })?;
        let connector = TlsConnector::from(self.connector());
        match connector.connect(name, stream).await {
            Ok(stream) => Ok(stream.into_inner()),
            Err(error) => Err(io_error(ErrorKind::Tls, error)),
        }
    }
}

/// The PEM texts of roots, certificate and key, as far as there are any.
#[derive(PartialEq, Eq)]
struct Texts {
    roots: Option<Text>,
    certificate: Option<Text>,
    key: Option<Text>,
}

type Text = Zeroizing<Vec<u8>>;

/// Without what they say.
impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Texts").finish_non_exhaustive()
    }
}

impl Texts {
    fn read(settings: &config::Tls) -> Result<Self> {
        let read = |pem: &Option<Pem>| pem.as_ref().map(Pem::read).transpose();
        Ok(Self {
            roots: read(&settings.roots)?,
            certificate: read(&settings.certificate)?,
            key: read(&settings.key)?,
        })
    }

    fn connector(&self, settings: &config::Tls) -> Result<Arc<ClientConfig>> {
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable("tls", &error))?
            .with_root_certificates(self.root_store(settings)?);
        let connector = match (&settings.certificate, &self.certificate) {
            (Some(pem), Some(text)) => {
                let key = match (&settings.key, &self.key) {
                    (Some(pem), Some(text)) => private_key(pem, text)?,
                    _ => private_key(pem, text)?,
                };
                builder
                    .with_client_auth_cert(certificates(pem, text)?, key)
                    .map_err(|error| unusable(pem, &error))?
            }
            _ => builder.with_no_client_auth(),
        };
        #[cfg(feature = "dangerous-tls")]
        let connector = super::dangerous_tls::trusting(settings, connector);
        Ok(Arc::new(connector))
    }

    fn root_store(&self, settings: &config::Tls) -> Result<RootCertStore> {
        let mut store = RootCertStore::empty();
        #[cfg(feature = "dangerous-tls")]
        if settings.dangerously_trust_anyone {
            return Ok(store);
        }
        if let (Some(pem), Some(text)) = (&settings.roots, &self.roots) {
            for certificate in certificates(pem, text)? {
                store
                    .add(certificate)
                    .map_err(|error| unusable(pem, &error))?;
            }
            return Ok(store);
        }
        // Stores of real systems have certificates that rustls can't read; those don't matter.
        let found = rustls_native_certs::load_native_certs();
        store.add_parsable_certificates(found.certs);
        if store.is_empty() {
            return Err(Error::invalid_input(
                "tls: the system has no root certificates; name some with tls_ca",
            ));
        }
        Ok(store)
    }
}

/// All of a text, of which there has to be at least one.
fn certificates(pem: &Pem, text: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    let found = found.map_err(|error| unusable(pem, &error))?;
    if found.is_empty() {
        return Err(unusable(pem, &"there is no certificate in it"));
    }
    Ok(found)
}

fn private_key(pem: &Pem, text: &[u8]) -> Result<PrivateKeyDer<'static>> {
    PrivateKeyDer::from_pem_slice(text)
        .map_err(|error| unusable(pem, &format_args!("its private key: {error}")))
}

fn unusable(what: impl Display, reason: &dyn Display) -> Error {
    Error::invalid_input(format!("tls: {what}: {reason}"))
}
