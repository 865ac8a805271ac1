//! The exporters that the settings ask for.

use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use opentelemetry_otlp::{MetricExporter, SpanExporter, WithExportConfig as _};

use crate::Error;
use crate::settings::Protocol;

pub(crate) fn spans(protocol: Protocol) -> Result<SpanExporter, Error> {
    let built = match protocol {
        Protocol::Http => SpanExporter::builder()
            .with_http()
            .with_protocol(opentelemetry_otlp::Protocol::HttpBinary)
            .build(),
        #[cfg(feature = "grpc")]
        Protocol::Grpc => SpanExporter::builder().with_tonic().build(),
        #[cfg(not(feature = "grpc"))]
        Protocol::Grpc => return Err(no_grpc()),
    };
    built.map_err(|error| Error::Exporter(error.into()))
}

pub(crate) fn metrics(protocol: Protocol) -> Result<MetricExporter, Error> {
    let built = match protocol {
        Protocol::Http => MetricExporter::builder()
            .with_http()
            .with_protocol(opentelemetry_otlp::Protocol::HttpBinary)
            .build(),
        #[cfg(feature = "grpc")]
        Protocol::Grpc => MetricExporter::builder().with_tonic().build(),
        #[cfg(not(feature = "grpc"))]
        Protocol::Grpc => return Err(no_grpc()),
    };
    built.map_err(|error| Error::Exporter(error.into()))
}

#[cfg(not(feature = "grpc"))]
fn no_grpc() -> Error {
    Error::Exporter("the feature grpc is off".into())
}

/// Whether somebody takes connections at this endpoint.
pub(crate) fn is_listening(endpoint: &str, timeout: Duration) -> bool {
    let Some((scheme, rest)) = endpoint.split_once("://") else {
        return false;
    };
    let authority = rest.split('/').next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let has_port = host
        .rsplit_once(':')
        .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let host = match (has_port, scheme) {
        (true, _) => host.to_owned(),
        (false, "https") => format!("{host}:443"),
        (false, _) => format!("{host}:80"),
    };
    let addresses = host.to_socket_addrs().into_iter().flatten();
    addresses
        .into_iter()
        .any(|address| TcpStream::connect_timeout(&address, timeout).is_ok())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_listener_is_found() {
        const SECOND: Duration = Duration::from_secs(1);
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        assert!(is_listening(&format!("http://{address}/v1/traces"), SECOND));
        drop(listener);
        assert!(!is_listening(&format!("http://{address}"), SECOND));
        assert!(!is_listening("no endpoint", SECOND));
    }
}
