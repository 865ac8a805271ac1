//! What to do about a finding, and commands to copy. They are text: nothing runs them.

use crate::model::wording::shell_word;

/// What to do about a finding.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remedy {
    /// In a sentence.
    pub text: String,
    /// A shell command to copy, where one helps.
    pub command: Option<String>,
}

impl Remedy {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            command: None,
        }
    }

    pub(super) fn with(text: impl Into<String>, command: String) -> Self {
        Self {
            text: text.into(),
            command: Some(command),
        }
    }
}

/// The port that a name without one means.
const DEFAULT_PORT: &str = "11211";

/// A shell command that sends one line of memcached's protocol to a node and prints the answer.
pub(super) fn send(line: &str, node: &str) -> String {
    format!("printf '{line}\\r\\n' | nc -w 2 {}", destination(node))
}

/// The node's name as arguments of `nc`. Names are `host:port`, `[v6]:port` or `unix:/path`.
fn destination(node: &str) -> String {
    let path = node
        .strip_prefix("unix:")
        .or_else(|| node.starts_with('/').then_some(node));
    if let Some(path) = path {
        return format!("-U {}", shell_word(path));
    }
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let (host, port) = match node.rsplit_once(':') {
        Some((host, port)) if is_port(port) => (host, port),
        _ => (node, DEFAULT_PORT),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    format!("{} {port}", shell_word(host))
}

#[cfg(test)]
mod tests {
    use super::send;

    #[test]
    fn a_command_goes_to_the_node_and_nowhere_else() {
        let expected = r"printf 'version\r\n' | nc -w 2 10.0.0.1 11212";
        assert_eq!(send("version", "10.0.0.1:11212"), expected);
        assert!(send("version", "cache-01").ends_with("nc -w 2 cache-01 11211"));
        assert!(send("version", "[::1]:11211").ends_with("nc -w 2 ::1 11211"));
        assert!(send("version", "unix:/run/m c").ends_with("nc -w 2 -U '/run/m c'"));
        assert!(send("version", "a;reboot:1").ends_with("nc -w 2 'a;reboot' 1"));
    }
}
