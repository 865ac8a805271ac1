//! TLS by rustls, as the configuration describes it.

use std::fmt::Display;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore};

use super::dial::io_error;
use crate::config::{self, Pem};
use crate::error::{Error, ErrorKind, Result};

/// Makes encrypted connections.
#[derive(Debug)]
pub(crate) struct Tls {
    settings: config::Tls,
    connector: Arc<ClientConfig>,
}

impl Tls {
    /// Reads roots, certificate and key.
    pub(crate) fn new(settings: &config::Tls) -> Result<Self> {
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable("tls", &error))?
            .with_root_certificates(roots(settings)?);
        let connector = match &settings.certificate {
            None => builder.with_no_client_auth(),
            Some(certificate) => {
                let key = private_key(settings.key.as_ref().unwrap_or(certificate))?;
                builder
                    .with_client_auth_cert(certificates(certificate)?, key)
                    .map_err(|error| unusable(certificate, &error))?
            }
        };
        #[cfg(feature = "dangerous-tls")]
        let connector = super::dangerous_tls::trusting(settings, connector);
        Ok(Self {
            settings: settings.clone(),
            connector: Arc::new(connector),
        })
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
        let connector = TlsConnector::from(Arc::clone(&self.connector));
        match connector.connect(name, stream).await {
            Ok(stream) => Ok(stream.into_inner()),
            Err(error) => Err(io_error(ErrorKind::Tls, error)),
        }
    }
}

fn roots(settings: &config::Tls) -> Result<RootCertStore> {
    let mut store = RootCertStore::empty();
    #[cfg(feature = "dangerous-tls")]
    if settings.dangerously_trust_anyone {
        return Ok(store);
    }
    match &settings.roots {
        Some(pem) => {
            for certificate in certificates(pem)? {
                store
                    .add(certificate)
                    .map_err(|error| unusable(pem, &error))?;
            }
        }
        None => {
            // Stores of real systems have certificates that rustls can't read; those don't matter.
            let found = rustls_native_certs::load_native_certs();
            store.add_parsable_certificates(found.certs);
            if store.is_empty() {
                return Err(Error::invalid_input(
                    "tls: the system has no root certificates; name some with tls_ca",
                ));
            }
        }
    }
    Ok(store)
}

/// All of a file, of which there has to be at least one.
fn certificates(pem: &Pem) -> Result<Vec<CertificateDer<'static>>> {
    let text = pem.read()?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let found = found.map_err(|error| unusable(pem, &error))?;
    if found.is_empty() {
        return Err(unusable(pem, &"there is no certificate in it"));
    }
    Ok(found)
}

fn private_key(pem: &Pem) -> Result<PrivateKeyDer<'static>> {
    PrivateKeyDer::from_pem_slice(&pem.read()?)
        .map_err(|error| unusable(pem, &format_args!("its private key: {error}")))
}

fn unusable(what: impl Display, reason: &dyn Display) -> Error {
    Error::invalid_input(format!("tls: {what}: {reason}"))
}
