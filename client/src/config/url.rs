//! Server lists and URLs, read and written.

use std::fmt;
use std::str::FromStr;

use super::credentials::MASK;
use super::parameters::{self, Parameter};
use super::{Config, Credentials, Tls, address};
use crate::error::{Error, Result};

/// The schemes, and whether their connections are encrypted.
const SCHEMES: [(&str, bool); 4] = [
    ("memcache", false),
    ("memcached", false),
    ("memcaches", true),
    ("memcacheds", true),
];

/// How many letters may differ between an unknown parameter and the one that was probably meant.
const NEAR: usize = 2;

/// Reads a server list, or a URL: see [`Config`].
impl FromStr for Config {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        let Some((scheme, rest)) = text.split_once("://") else {
            return Ok(Self::new(address::parse_list(text)?));
        };
        let is_same = |known: &&(&str, bool)| scheme.eq_ignore_ascii_case(known.0);
        let Some((_, is_encrypted)) = SCHEMES.iter().find(is_same) else {
            return Err(Error::invalid_input(
                "the scheme of a URL has to be memcache, or memcaches for TLS",
            ));
        };
        if rest.contains('#') {
            return Err(Error::invalid_input("a `#` in the URL; write it as %23"));
        }
        let (servers, query) = match rest.split_once('?') {
            Some((servers, query)) => (servers, Some(query)),
            None => (rest, None),
        };
        let (login, servers) = match servers.split_once('@') {
            Some((login, servers)) => (Some(login), servers),
            None => (None, servers),
        };
        let mut config = Self::new(address::parse_list(without_final_slash(servers))?);
        config.tls = is_encrypted.then(Tls::default);
        config.credentials = login
            .map(Credentials::parse)
            .transpose()
            .map_err(Error::invalid_input)?;
        if let Some(query) = query {
            read_query(&mut config, query)?;
        }
        Ok(config)
    }
}

/// `memcache://cache1/` is `memcache://cache1`; the path of a unix socket is left alone.
fn without_final_slash(servers: &str) -> &str {
    let last = servers.rsplit(',').next().unwrap_or_default();
    if last.starts_with('/') || last.starts_with("unix:") {
        return servers;
    }
    servers.strip_suffix('/').unwrap_or(servers)
}

fn read_query(config: &mut Config, query: &str) -> Result<()> {
    let mut seen: Vec<&str> = Vec::new();
    for (index, pair) in query.split('&').enumerate() {
        let (name, value) = pair.split_once('=').ok_or_else(|| {
            Error::invalid_input(format!(
                "parameter {} of the URL is no name=value",
                index + 1
            ))
        })?;
        let parameter = Parameter::find(name).ok_or_else(|| unknown(name, index))?;
        if seen.contains(&name) {
            return Err(Error::invalid_input(format!(
                "the parameter {name} is given twice"
            )));
        }
        seen.push(name);
        parameter
            .set(config, value)
            .map_err(|reason| Error::invalid_input(format!("the parameter {name}: {reason}")))?;
    }
    Ok(())
}

/// Names the parameter, unless it does not look like a name, and the one that was probably meant.
#[cold]
fn unknown(name: &str, index: usize) -> Error {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if name.is_empty() || name.len() > 32 || !name.bytes().all(is_word) {
        return Error::invalid_input(format!("parameter {} of the URL is unknown", index + 1));
    }
    let names = || parameters::ALL.iter().map(|parameter| parameter.name);
    let distance = |known: &str| strsim::osa_distance(&name.to_ascii_lowercase(), known);
    let nearest = names().min_by_key(|known| distance(known));
    let near = nearest.filter(|known| distance(known) <= NEAR);
    let contained = names().find(|known| name.contains(known) || known.contains(name));
    match near.or(contained) {
        Some(near) => Error::invalid_input(format!(
            "the parameter {name} is unknown; did you mean {near}?"
        )),
        None => Error::invalid_input(format!(
            "the parameter {name} is unknown; there are {}",
            names().collect::<Vec<_>>().join(", ")
        )),
    }
}

/// A URL that [`FromStr`] reads back as the same configuration, if there is at least one server, no
/// [`Credentials`] but from a file, and no [`Pem`](super::Pem) but in a file. Settings that have their
/// default are left out.
impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls.is_some() {
            "memcaches"
        } else {
            "memcache"
        };
        write!(f, "{scheme}://")?;
        let credentials = self.credentials.as_ref();
        if credentials.is_some_and(|credentials| credentials.file().is_none()) {
            write!(f, "{MASK}@")?;
        }
        for (index, server) in self.servers.iter().enumerate() {
            let separator = if index == 0 { "" } else { "," };
            write!(f, "{separator}{server}")?;
        }
        let mut separator = '?';
        for parameter in parameters::ALL {
            if let Some(value) = parameter.get(self) {
                write!(f, "{separator}{}={value}", parameter.name)?;
                separator = '&';
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::config::{FailurePolicy, Namespace, Pem};
    use crate::ring::Profile;
    use crate::value::ValueProfile;

    #[track_caller]
    fn parse(text: &str) -> Config {
        text.parse().unwrap()
    }

    #[test]
    fn every_parameter_sets_its_field() {
        let config = parse(
            "memcaches://a:1?namespace=app%31%3A&ring=crc32-modulo&hash_tag=%7b%7d&values=pylibmc&compress_above=4k\
             &max_unpacked_size=1g&max_value_size=2m&timeout=250ms&connect_timeout=1.5s\
             &drain_timeout=10s&on_failure=next-node&eject_after=5&dead_retry=30s&connections_per_node=3&max_operations=7&max_bytes=1MiB\
             &multi_get_keys=50&multi_get_bytes=8KiB&backoff_base=10ms&backoff_cap=5s&keepalive=off\
             &user_timeout=1500ms&login_file=/etc/a%20b&tls_ca=/ca&tls_certificate=/certificate\
             &tls_key=/key&tls_server_name=a:1=one,two",
        );
        let tls = Tls {
            roots: Some(Pem::file("/ca")),
            certificate: Some(Pem::file("/certificate")),
            key: Some(Pem::file("/key")),
            server_name: Some("two".to_owned()),
            server_names: [("a:1".to_owned(), "one".to_owned())].into(),
            ..Tls::default()
        };
        let expected = Config {
            servers: vec!["a:1".parse().unwrap()],
            namespace: Namespace::new("app1:").unwrap(),
            ring: Profile::CRC32_MODULO,
            hash_tag: Some(*b"{}"),
            values: ValueProfile::PYLIBMC,
            compress_above: Some(4096),
            max_unpacked_size: 1 << 30,
            max_value_size: 2 << 20,
            operation_timeout: Duration::from_millis(250),
            connect_timeout: Duration::from_millis(1500),
            drain_timeout: Duration::from_secs(10),
            on_failure: FailurePolicy::NextNode,
            eject_after: 5,
            dead_retry: Duration::from_secs(30),
            connections_per_node: 3,
            max_operations: 7,
            max_bytes: 1 << 20,
            multi_get_keys: 50,
            multi_get_bytes: 8 << 10,
            backoff_base: Duration::from_millis(10),
            backoff_cap: Duration::from_secs(5),
            keepalive: None,
            user_timeout: Some(Duration::from_millis(1500)),
            tls: Some(tls),
            credentials: Some(Credentials::from_file("/etc/a b")),
        };
        assert_eq!(config, expected);
        assert_eq!(parse(&config.to_string()), config);
        let set = config.to_string().matches('=').count();
        let dangerous = usize::from(cfg!(feature = "dangerous-tls"));
        let all = parameters::ALL.len() - dangerous;
        assert_eq!(set, all, "every parameter is written");
    }

    #[test]
    fn a_login_stands_in_front_and_is_never_shown() {
        let config = parse("memcaches://ada:hunter%402@a:1,b:2?timeout=2s");
        assert_eq!(config.servers.len(), 2);
        assert_eq!(config.tls, Some(Tls::default()));
        let login = Credentials::new("ada", "hunter@2").unwrap();
        assert_eq!(config.credentials, Some(login));
        let shown = config.to_string();
        assert_eq!(shown, "memcaches://***@a:1,b:2?timeout=2s");
        assert!(!format!("{config:?}").contains("hunter"));
        let error = shown.parse::<Config>().unwrap_err().to_string();
        assert!(error.contains("left out"), "{error}");
    }

    #[cfg(feature = "dangerous-tls")]
    #[test]
    fn the_dangerous_switch_says_what_it_does() {
        let url = "memcaches://a:1?dangerously_trust_anyone=yes";
        let config = parse(url);
        assert!(config.tls.as_ref().unwrap().dangerously_trust_anyone);
        assert_eq!(config.to_string(), url);
    }

    #[test]
    fn lists_and_urls_name_the_same_servers() {
        let list = parse("a:1,b:2:3,[::1]:4,unix:/run/mc");
        for url in [
            "memcache://a:1,b:2:3,[::1]:4,unix:/run/mc",
            "MEMCACHED://a:1,b:2:3,[::1]:4,/run/mc",
            " memcache://a:1, b:2:3, [::1]:4, unix:/run/mc\n",
        ] {
            assert_eq!(parse(url), list, "{url}");
        }
        assert_eq!(parse("memcache://a/"), parse("a"));
        assert_eq!(parse("memcache://a:1/?timeout=1s"), parse("a:1"));
        assert_eq!(parse("memcache:///run/mc"), parse("unix:/run/mc"));
    }

    #[test]
    fn what_cannot_be_read_says_why_and_keeps_secrets() {
        for (text, reason) in [
            ("", "no server"),
            ("memcache://", "no server"),
            ("memcache://?timeout=1s", "no server"),
            ("redis://hunter2", "scheme"),
            ("memcache://a#hunter2", "%23"),
            ("memcache://hunter2@a:1", "a user in a URL needs a password"),
            ("memcache://user:@a:1", "the password is empty"),
            ("memcache://:hunter2@a:1", "the user is empty"),
            ("memcache://user:hunter2@", "no server"),
            ("memcache://user:hunter2@@a", "user and password can only"),
            ("memcache:///run/mc:hunter2@a", "write @ as %40"),
            (
                "memcache://user:hunter2%20hunter2@a",
                "the password holds spaces",
            ),
            (
                "memcache://user:x@a,user:hunter2@b?timeout=1s",
                "server 2: a user and password can only",
            ),
            (
                "memcache://a,user:hunter2@b",
                "user and password can only stand",
            ),
            ("memcache://a?login_file=", "login_file: it names no file"),
            (
                "memcache://user:x@a?login_file=hunter2",
                "login_file: there is a user and password already",
            ),
            (
                "memcache://a?tls_ca=hunter2",
                "tls_ca: it needs the scheme memcaches",
            ),
            ("memcaches://a?tls_server_name=a,b", "more than one name"),
            ("user:hunter2@a", "user and password"),
            ("memcache://a/hunter2", "'/'"),
            ("memcache://a?", "parameter 1 of the URL is no name=value"),
            ("memcache://a?timeout=1s&", "parameter 2"),
            ("memcache://a?timeout", "parameter 1"),
            (
                "memcache://a?timout=hunter2",
                "timout is unknown; did you mean timeout?",
            ),
            ("memcache://a?Timeout=1s", "did you mean timeout?"),
            ("memcache://a?operation_timeout=1s", "did you mean timeout?"),
            (
                "memcache://a?max_value=hunter2",
                "did you mean max_value_size?",
            ),
            (
                "memcache://a?password=hunter2",
                "password is unknown; there are namespace, ring",
            ),
            (
                "memcache://a?x y hunter2=1",
                "parameter 1 of the URL is unknown",
            ),
            (
                "memcache://a?timeout=1s&timeout=1s",
                "timeout is given twice",
            ),
            (
                "memcache://a?timeout=250",
                "timeout: it is no duration such as 250ms",
            ),
            ("memcache://a?timeout=", "timeout: it is no duration"),
            ("memcache://a?max_bytes=1.5k", "max_bytes: it is no size"),
            (
                "memcache://a?max_operations=-1",
                "max_operations: it is no whole number",
            ),
            (
                "memcache://a?max_operations=",
                "max_operations: it is no whole number",
            ),
            ("memcache://a?keepalive=never", "keepalive: it is neither"),
            (
                "memcache://a?compress_above=x",
                "compress_above: it is neither",
            ),
            (
                "memcache://a?namespace=a%20b",
                "namespace: a namespace must not",
            ),
            ("memcache://a?namespace=%", "namespace: a % is not followed"),
            (
                "memcache://a?values=hunter2",
                "there are plain, python-memcached",
            ),
            (
                "memcache://a?ring=hunter2",
                "ring: there is no such ring; did you mean",
            ),
            ("memcache://a?ring=%ff", "ring: it is not UTF-8"),
        ] {
            let error = text.parse::<Config>().unwrap_err();
            assert!(error.is_invalid_input());
            let shown = format!("{error}");
            assert!(shown.contains(reason), "{text}: {shown}");
            assert!(
                !format!("{shown} {error:?}").contains("hunter2"),
                "{text}: {shown}"
            );
        }
    }

    fn any_config() -> impl Strategy<Value = Config> {
        let duration = || {
            (0..100_000_u64, 0..1000_u32)
                .prop_map(|(seconds, millis)| Duration::new(seconds, millis * 1_000_000))
        };
        let namespace = prop::collection::vec(0x21..=0x7e_u8, 0..20);
        (
            (
                namespace,
                prop::option::of(0..100_000_usize),
                duration(),
                duration(),
            ),
            (
                prop::option::of(duration()),
                0..1000_usize,
                any::<usize>(),
                any::<prop::sample::Index>(),
            ),
        )
            .prop_map(
                |((namespace, threshold, first, second), (third, number, size, index))| {
                    let mut config = parse("a:1,[::1]:2:3,unix:/a%3Ab");
                    config.namespace = Namespace::new(namespace).unwrap();
                    config.compress_above = threshold;
                    config.operation_timeout = first;
                    config.backoff_cap = second;
                    config.keepalive = third;
                    config.multi_get_keys = number;
                    config.max_bytes = size;
                    config.values = *index.get(ValueProfile::all());
                    config.ring = *index.get(Profile::all());
                    config
                },
            )
    }

    proptest! {
        #[test]
        fn every_configuration_reads_back(config in any_config()) {
            prop_assert_eq!(parse(&config.to_string()), config);
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,60}", query in "[a-z_=&%0-9]{0,40}") {
            let _ = text.parse::<Config>();
            let _ = format!("memcache://{text}").parse::<Config>();
            let _ = format!("memcache://a?{query}{text}").parse::<Config>();
        }
    }
}
