//! Reading servers from text. Lists and URLs both end here.
//!
//! The reasons given here never quote the text: it may hold a password.

use std::borrow::Cow;
use std::net::Ipv6Addr;

use percent_encoding::percent_decode_str;

use super::server::{DEFAULT_PORT, Server};
use crate::error::{Error, Result};

/// Why a server cannot be understood.
pub(super) type Reason = Cow<'static, str>;

/// Far more than any plan needs, and few enough that a thousand such servers make no giant ring.
pub(super) const MAX_WEIGHT: u32 = 65_535;

/// The longest name that the Domain Name System has (RFC 1035, 2.3.4, as text).
const MAX_HOST_LENGTH: usize = 253;

pub(super) const LOGIN_ELSEWHERE: &str = "a user and password can only stand before the first server of a URL, as in \
     memcache://user:password@host; in them, write @ as %40 and a comma as %2C";

pub(super) const BAD_PORT: &str = "the port is not a number from 1 to 65535";
pub(super) const BAD_WEIGHT: &str = "the weight is not a number from 1 to 65535";

/// Servers between commas, spaces or line breaks.
pub(super) fn parse_list(text: &str) -> Result<Vec<Server>> {
    let is_separator = |c: char| c == ',' || c.is_ascii_whitespace();
    let entries = text.split(is_separator).filter(|entry| !entry.is_empty());
    let servers = entries.enumerate().map(|(index, entry)| {
        parse_server(entry)
            .map_err(|reason| Error::invalid_input(format!("server {}: {reason}", index + 1)))
    });
    let servers = servers.collect::<Result<Vec<_>>>()?;
    if servers.is_empty() {
        return Err(Error::invalid_input("the list names no server"));
    }
    Ok(servers)
}

/// `host`, `host:port`, `host:port:weight`, `[v6]...`, `unix:/path`, `unix:/path:weight`.
pub(super) fn parse_server(text: &str) -> Result<Server, Reason> {
    if text.contains('@') {
        return Err(LOGIN_ELSEWHERE.into());
    }
    if let Some(path) = text.strip_prefix("unix:") {
        return parse_path(path);
    }
    if text.starts_with('/') {
        return parse_path(text);
    }
    if text.parse::<Ipv6Addr>().is_ok() {
        return tcp(text, None, None);
    }
    let (host, rest) = match text.strip_prefix('[') {
        Some(inside) => {
            let (host, rest) = inside.split_once(']').ok_or("a bracket is not closed")?;
            if host.parse::<Ipv6Addr>().is_err() {
                return Err("there is no IPv6 address in the brackets".into());
            }
            (host, rest)
        }
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    if rest.is_empty() {
        return tcp(host, None, None);
    }
    let rest = rest
        .strip_prefix(':')
        .ok_or("only a colon and a port may follow a bracket")?;
    match rest.split_once(':') {
        None => tcp(host, Some(rest), None),
        Some((_, weight)) if weight.contains(':') => {
            Err("more than host, port and weight; an IPv6 address needs brackets".into())
        }
        Some((port, weight)) => tcp(host, Some(port), Some(weight)),
    }
}

fn tcp(host: &str, port: Option<&str>, weight: Option<&str>) -> Result<Server, Reason> {
    check_host(host)?;
    let port = match port {
        Some(port) => number(port)
            .and_then(|port| u16::try_from(port).ok())
            .ok_or(BAD_PORT)?,
        None => DEFAULT_PORT,
    };
    let server = Server::tcp(host, port).map_err(|_| BAD_PORT)?;
    with_weight(server, weight)
}

fn parse_path(text: &str) -> Result<Server, Reason> {
    let (path, weight) = match text.rsplit_once(':') {
        Some((path, weight)) => (path, Some(weight)),
        None => (text, None),
    };
    let path = percent_decode(path)?;
    let path = String::from_utf8(path).map_err(|_| "the path is not UTF-8")?;
    check_path(&path)?;
    let server = Server::unix(path).map_err(|_| "the path cannot be used")?;
    with_weight(server, weight)
}

fn with_weight(server: Server, weight: Option<&str>) -> Result<Server, Reason> {
    let Some(weight) = weight else {
        return Ok(server);
    };
    let weight = number(weight).ok_or(BAD_WEIGHT)?;
    server.with_weight(weight).map_err(|_| BAD_WEIGHT.into())
}

/// Only digits: `parse` alone would let a sign pass.
fn number(text: &str) -> Option<u32> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

/// A name of the Domain Name System, or an address.
pub(super) fn check_host(host: &str) -> Result<(), Reason> {
    if host.parse::<Ipv6Addr>().is_ok() {
        return Ok(());
    }
    if host.is_empty() {
        return Err("the host is missing".into());
    }
    if host.len() > MAX_HOST_LENGTH {
        return Err(format!("a host name has at most {MAX_HOST_LENGTH} bytes").into());
    }
    let is_legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    if let Some((at, c)) = host.char_indices().find(|(_, c)| !is_legal(*c)) {
        return Err(match c {
            '?' => "a `?` in the host; parameters need the form memcache://host?name=value".into(),
            c if !c.is_ascii() => "a host outside of ASCII; use its punycode form".into(),
            c => format!("a host must not hold {c:?} (at byte {at})").into(),
        });
    }
    if host.starts_with('.') || host.contains("..") {
        return Err("the host has an empty part between dots".into());
    }
    Ok(())
}

/// An absolute path without spaces and control characters, which no ring could name.
pub(super) fn check_path(path: &str) -> Result<(), Reason> {
    if !path.starts_with('/') || path.len() == 1 {
        return Err("the path of a unix socket has to be absolute".into());
    }
    if path.chars().any(|c| c <= ' ' || c == '\x7f') {
        return Err("the path of a unix socket must not hold spaces or control characters".into());
    }
    Ok(())
}

/// Undoes `%41` and its like. A percent sign that begins none is refused.
pub(super) fn percent_decode(text: &str) -> Result<Vec<u8>, Reason> {
    let is_complete = |part: &str| {
        let digits = part.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if !text.split('%').skip(1).all(is_complete) {
        return Err("a % is not followed by two hexadecimal digits".into());
    }
    Ok(percent_decode_str(text).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_form_of_an_address() {
        let tcp = |host: &str, port, weight| {
            Server::tcp(host, port)
                .unwrap()
                .with_weight(weight)
                .unwrap()
        };
        let unix = |path: &str, weight| Server::unix(path).unwrap().with_weight(weight).unwrap();
        for (text, server) in [
            ("cache1", tcp("cache1", 11211, 1)),
            (
                "Cache-1.example.com.",
                tcp("Cache-1.example.com.", 11211, 1),
            ),
            ("cache_1:11212", tcp("cache_1", 11212, 1)),
            ("cache1:11211:2", tcp("cache1", 11211, 2)),
            ("192.0.2.7:65535:65535", tcp("192.0.2.7", 65535, 65535)),
            ("::1", tcp("::1", 11211, 1)),
            ("[::1]", tcp("::1", 11211, 1)),
            ("[2001:DB8::7]:1", tcp("2001:DB8::7", 1, 1)),
            (
                "[::ffff:192.0.2.7]:11211:3",
                tcp("::ffff:192.0.2.7", 11211, 3),
            ),
            ("unix:/run/mc.sock", unix("/run/mc.sock", 1)),
            ("/run/mc.sock", unix("/run/mc.sock", 1)),
            ("unix:/run/mc.sock:2", unix("/run/mc.sock", 2)),
            ("/run/a%3A1%2c%25", unix("/run/a:1,%", 1)),
        ] {
            assert_eq!(parse_server(text), Ok(server), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_says_why() {
        for (text, reason) in [
            ("", "host is missing"),
            (":11211", "host is missing"),
            ("a:", "port"),
            ("a:0", "port"),
            ("a:65536", "port"),
            ("a:+1", "port"),
            ("a:b", "port"),
            ("a:1:", "weight"),
            ("a:1:0", "weight"),
            ("a:1:65536", "weight"),
            ("a:1:-1", "weight"),
            ("a:1:1.5", "weight"),
            ("a:1:2:3", "brackets"),
            ("::1:11211", "brackets"),
            ("2001:db8::7:11211:2", "brackets"),
            ("[::1", "not closed"),
            ("[::1]11211", "colon"),
            ("[cache1]:1", "no IPv6"),
            ("[fe80::1%eth0]", "no IPv6"),
            ("[]", "no IPv6"),
            ("a;b", "';' (at byte 1)"),
            ("a/b", "'/'"),
            ("a?weight=2", "memcache://"),
            ("bücher", "punycode"),
            (".a", "empty part"),
            ("a..b", "empty part"),
            ("unix:run/mc", "absolute"),
            ("unix:/", "absolute"),
            ("unix:", "absolute"),
            ("unix:/a%20b", "spaces"),
            ("unix:/a%", "hexadecimal"),
            ("unix:/a%zz", "hexadecimal"),
            ("unix:/a%ff", "UTF-8"),
            ("unix:/a:b", "weight"),
            ("user:hunter2@a", "user and password"),
        ] {
            let error = parse_server(text).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
            assert!(!error.contains("hunter2"));
        }
        let long = "a".repeat(254);
        assert!(parse_server(&long).unwrap_err().contains("253"));
        assert!(parse_server(&long[..253]).is_ok());
    }

    #[test]
    fn lists() {
        let list = parse_list("a:1, b:2\n\tc:3:2,,unix:/run/mc\r\n").unwrap();
        let texts: Vec<String> = list.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["a:1", "b:2", "c:3:2", "unix:/run/mc"]);
        for text in ["", " ", ",", "\n"] {
            assert!(
                parse_list(text)
                    .unwrap_err()
                    .to_string()
                    .contains("no server")
            );
        }
        let error = parse_list("a, b:hunter2 ,c").unwrap_err().to_string();
        assert!(error.contains("server 2: the port"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }

    fn any_server() -> impl Strategy<Value = Server> {
        let host = prop_oneof![
            "[a-zA-Z0-9_-]{1,20}(\\.[a-z0-9-]{1,10}){0,3}\\.?",
            any::<std::net::Ipv4Addr>().prop_map(|address| address.to_string()),
            any::<Ipv6Addr>().prop_map(|address| address.to_string()),
        ];
        let tcp = (host, 1..=u16::MAX).prop_map(|(host, port)| Server::tcp(host, port).unwrap());
        let path = "/[^\\x00-\\x20\\x7f]{1,30}";
        let unix = path.prop_map(|path| Server::unix(path).unwrap());
        let weight = prop_oneof![Just(1), 1..=MAX_WEIGHT];
        (prop_oneof![tcp, unix], weight)
            .prop_map(|(server, weight)| server.with_weight(weight).unwrap())
    }

    proptest! {
        #[test]
        fn every_server_reads_back(server in any_server()) {
            prop_assert_eq!(server.to_string().parse::<Server>().unwrap(), server);
        }

        #[test]
        fn every_list_reads_back(servers in prop::collection::vec(any_server(), 1..8)) {
            for separator in [",", " ", ", ", "\n"] {
                let texts: Vec<String> = servers.iter().map(ToString::to_string).collect();
                prop_assert_eq!(&parse_list(&texts.join(separator)).unwrap(), &servers);
            }
        }

        #[test]
        fn no_text_panics(text in "(\\PC|[:\\[\\]/%,@.]){0,40}") {
            if let Ok(servers) = parse_list(&text) {
                for server in servers {
                    prop_assert_eq!(server.to_string().parse::<Server>().unwrap(), server);
                }
            }
        }
    }
}
