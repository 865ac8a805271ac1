//! Those environment variables that the OpenTelemetry crates leave to the application.

use crate::Error;

/// Where one signal goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Otlp,
    Console,
    Prometheus,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Grpc,
    Http,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Propagator {
    TraceContext,
    Baggage,
}

/// What the environment asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) is_disabled: bool,
    /// Whether the environment names the service.
    pub(crate) has_service_name: bool,
    pub(crate) traces: Vec<Target>,
    pub(crate) metrics: Vec<Target>,
    pub(crate) traces_protocol: Protocol,
    pub(crate) metrics_protocol: Protocol,
    pub(crate) propagators: Vec<Propagator>,
    /// Propagators that nobody knows.
    pub(crate) unknown_propagators: Vec<String>,
    /// Where traces go by OTLP.
    pub(crate) traces_endpoint: String,
    pub(crate) prometheus_address: (String, u16),
}

const TRACES_EXPORTER: &str = "OTEL_TRACES_EXPORTER";
const METRICS_EXPORTER: &str = "OTEL_METRICS_EXPORTER";
const PROMETHEUS_PORT: &str = "OTEL_EXPORTER_PROMETHEUS_PORT";

impl Settings {
    pub(crate) fn from_env() -> Result<Self, Error> {
        Self::read(&|name| std::env::var(name).ok())
    }

    /// Reads the variables that `lookup` finds. An empty one counts as absent, as the specification
    /// says.
    pub(crate) fn read(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let get = |name: &str| lookup(name).filter(|value| !value.trim().is_empty());
        let resource = get("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default();
        let names_service = |pair: &str| pair.trim().starts_with("service.name=");
        let (propagators, unknown_propagators) = propagators(get("OTEL_PROPAGATORS"));
        let protocol = |names: [&'static str; 2]| protocol(names, &get);
        let traces_protocol = protocol([
            "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
            "OTEL_EXPORTER_OTLP_PROTOCOL",
        ])?;
        let metrics_protocol = protocol([
            "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL",
            "OTEL_EXPORTER_OTLP_PROTOCOL",
        ])?;
        let endpoint = get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
            .or_else(|| get("OTEL_EXPORTER_OTLP_ENDPOINT"));
        let default_endpoint = match traces_protocol {
            Protocol::Grpc => "http://localhost:4317",
            Protocol::Http => "http://localhost:4318",
        };
        let port = get(PROMETHEUS_PORT).unwrap_or_else(|| "9464".to_owned());
        let host = get("OTEL_EXPORTER_PROMETHEUS_HOST").unwrap_or_else(|| "localhost".to_owned());
        Ok(Self {
            is_disabled: get("OTEL_SDK_DISABLED").is_some_and(|it| it.eq_ignore_ascii_case("true")),
            has_service_name: get("OTEL_SERVICE_NAME").is_some()
                || resource.split(',').any(names_service),
            traces: targets(TRACES_EXPORTER, get(TRACES_EXPORTER), false)?,
            metrics: targets(METRICS_EXPORTER, get(METRICS_EXPORTER), true)?,
            traces_protocol,
            metrics_protocol,
            propagators,
            unknown_propagators,
            traces_endpoint: endpoint.unwrap_or_else(|| default_endpoint.to_owned()),
            prometheus_address: (
                host,
                port.trim().parse().map_err(|_| Error::Variable {
                    name: PROMETHEUS_PORT,
                    value: port,
                    expected: "a port number",
                })?,
            ),
        })
    }
}

fn targets(
    name: &'static str,
    value: Option<String>,
    are_metrics: bool,
) -> Result<Vec<Target>, Error> {
    let Some(value) = value else {
        return Ok(vec![Target::Otlp]);
    };
    let mut targets = Vec::new();
    for word in value.split(',').map(str::trim) {
        match word {
            "otlp" => targets.push(Target::Otlp),
            "console" => targets.push(Target::Console),
            "none" => {}
            "prometheus" if are_metrics && cfg!(feature = "prometheus") => {
                targets.push(Target::Prometheus);
            }
            _ => {
                return Err(Error::Variable {
                    name,
                    value: word.to_owned(),
                    expected: match (are_metrics, cfg!(feature = "prometheus")) {
                        (false, _) => "otlp, console or none",
                        (true, true) => "otlp, prometheus, console or none",
                        (true, false) => {
                            "otlp, console or none (prometheus needs the feature of that name)"
                        }
                    },
                });
            }
        }
    }
    Ok(targets)
}

fn protocol(
    names: [&'static str; 2],
    get: &dyn Fn(&str) -> Option<String>,
) -> Result<Protocol, Error> {
    let found = names.into_iter().find_map(|name| Some((name, get(name)?)));
    let Some((name, value)) = found else {
        return Ok(Protocol::Http);
    };
    match value.trim() {
        "http/protobuf" => Ok(Protocol::Http),
        "grpc" if cfg!(feature = "grpc") => Ok(Protocol::Grpc),
        _ => Err(Error::Variable {
            name,
            value,
            expected: if cfg!(feature = "grpc") {
                "http/protobuf or grpc"
            } else {
                "http/protobuf (grpc needs the feature of that name)"
            },
        }),
    }
}

fn propagators(value: Option<String>) -> (Vec<Propagator>, Vec<String>) {
    let value = value.unwrap_or_else(|| "tracecontext,baggage".to_owned());
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for word in value.split(',').map(str::trim) {
        match word {
            "tracecontext" => known.push(Propagator::TraceContext),
            "baggage" => known.push(Propagator::Baggage),
            "none" | "" => {}
            _ => unknown.push(word.to_owned()),
        }
    }
    known.dedup();
    (known, unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Settings, Error> {
        Settings::read(&|name| {
            let mut variables = variables.iter();
            let (_, value) = variables.find(|(known, _)| *known == name)?;
            Some((*value).to_owned())
        })
    }

    #[test]
    fn the_defaults_are_those_of_the_specification() {
        let settings = read(&[("OTEL_TRACES_EXPORTER", ""), ("OTEL_SDK_DISABLED", " ")]).unwrap();
        assert!(!settings.is_disabled && !settings.has_service_name);
        assert_eq!(settings.traces, [Target::Otlp]);
        assert_eq!(settings.metrics, [Target::Otlp]);
        assert_eq!(settings.traces_protocol, Protocol::Http);
        assert_eq!(settings.traces_endpoint, "http://localhost:4318");
        assert_eq!(
            settings.propagators,
            [Propagator::TraceContext, Propagator::Baggage]
        );
        assert_eq!(settings.prometheus_address, ("localhost".to_owned(), 9464));
    }

    #[test]
    fn variables_of_one_signal_come_first() {
        let settings = read(&[
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "http/protobuf"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://a:1"),
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://b:2"),
            ("OTEL_TRACES_EXPORTER", "console, otlp"),
            ("OTEL_METRICS_EXPORTER", "none"),
            ("OTEL_SDK_DISABLED", "TRUE"),
            ("OTEL_RESOURCE_ATTRIBUTES", "a=b,service.name=shop"),
            ("OTEL_PROPAGATORS", "b3,baggage"),
        ])
        .unwrap();
        assert_eq!(settings.traces, [Target::Console, Target::Otlp]);
        assert_eq!(settings.metrics, []);
        assert_eq!(settings.traces_endpoint, "http://b:2");
        assert!(settings.is_disabled && settings.has_service_name);
        assert_eq!(settings.propagators, [Propagator::Baggage]);
        assert_eq!(settings.unknown_propagators, ["b3"]);
    }

    #[test]
    fn what_can_not_be_done_is_named() {
        for (name, value) in [
            ("OTEL_TRACES_EXPORTER", "zipkin"),
            ("OTEL_TRACES_EXPORTER", "prometheus"),
            ("OTEL_METRICS_EXPORTER", "statsd"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "udp"),
            ("OTEL_EXPORTER_PROMETHEUS_PORT", "many"),
        ] {
            let error = read(&[(name, value)]).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains(value), "{error}");
        }
    }
}
