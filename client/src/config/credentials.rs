//! What a client logs in with.

use std::fmt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::address::{LOGIN_ELSEWHERE, Reason, percent_decode};
use crate::error::{Error, Result};
use crate::key;

/// What stands for user and password in a URL that is shown. It is refused where a URL is read, so
/// that nobody tries to log in with it.
pub(super) const MASK: &str = "***";

/// memcached 1.6 reads lines of at most 256 bytes from the file of its option `-Y`.
const LONGEST: usize = 255;

/// A user and password, for servers that want a login in the text protocol (memcached's option
/// `-Y`).
///
/// Neither is ever shown: not by `Debug`, not in a URL that a [`Config`](super::Config) is written
/// as, not in errors, logs or telemetry. The memory that held the password is overwritten when it is
/// given up.
///
/// ```
/// use memlens::config::{Config, Credentials};
///
/// let mut config: Config = "memcaches://cache1,cache2".parse()?;
/// config.credentials = Some(Credentials::new("app1", "correct-horse")?);
/// assert_eq!(config.to_string(), "memcaches://***@cache1:11211,cache2:11211");
/// # Ok::<(), memlens::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials(Source);

#[derive(Clone, PartialEq, Eq)]
enum Source {
    Given(Login),
    File(PathBuf),
}

/// What is sent to the server.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Login {
    user: Zeroizing<String>,
    password: Zeroizing<String>,
}

impl Credentials {
    /// This user and password.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when one of them is empty, longer
    /// than 255 bytes, or holds spaces or control characters, or the user a colon: memcached takes
    /// both as words, and its file of users separates them by a colon.
    pub fn new(user: impl Into<String>, password: impl Into<String>) -> Result<Self> {
        let (user, password) = (Zeroizing::new(user.into()), Zeroizing::new(password.into()));
        Login::check(user, password)
            .map(|login| Self(Source::Given(login)))
            .map_err(Error::invalid_input)
    }

    /// What the first line of this file says, as `user:password`: the form of the file that
    /// memcached itself reads with `-Y`.
    ///
    /// The file is read when a client is made, and again for every connection, so a password can be
    /// changed under a running client.
    #[must_use]
    pub fn from_file(path: impl Into<PathBuf>) -> Self {
        Self(Source::File(path.into()))
    }

    /// The file they are read from, if they are.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match &self.0 {
            Source::Given(_) => None,
            Source::File(path) => Some(path),
        }
    }

    /// Reads the file, where there is one.
    pub(crate) fn login(&self) -> Result<Login> {
        let path = match &self.0 {
            Source::Given(login) => return Ok(login.clone()),
            Source::File(path) => path,
        };
        let shown = path.display();
        let text = std::fs::read_to_string(path).map(Zeroizing::new);
        let text = text.map_err(|error| {
            // The source is not kept: for text that is not UTF-8, nothing of it may be shown.
            Error::invalid_input(format!("the login file {shown}: {}", error.kind()))
        })?;
        let line = text.lines().find(|line| !line.is_empty());
        let line = line.unwrap_or_default();
        let login = match line.split_once(':') {
            Some((user, password)) => {
                Login::check(user.to_owned().into(), password.to_owned().into())
            }
            None => Err("its first line is not user:password".into()),
        };
        login.map_err(|reason| Error::invalid_input(format!("the login file {shown}: {reason}")))
    }

    /// `user:password` in front of the servers of a URL.
    pub(super) fn parse(text: &str) -> Result<Self, Reason> {
        if text == MASK {
            return Err(
                "the user and password were left out when this URL was written down".into(),
            );
        }
        if text.starts_with('/') {
            return Err("in the path of a unix socket, write @ as %40".into());
        }
        if text.contains(|c: char| c == ',' || c.is_ascii_whitespace()) {
            return Err(LOGIN_ELSEWHERE.into()); // It stands behind the first server.
        }
        let (user, password) = text
            .split_once(':')
            .ok_or("a user in a URL needs a password: user:password@host")?;
        let decode = |part: &str| {
            let bytes = percent_decode(part)?;
            let text = String::from_utf8(bytes).map(Zeroizing::new);
            text.map_err(|_| Reason::from("the user and password are not UTF-8"))
        };
        Login::check(decode(user)?, decode(password)?).map(|login| Self(Source::Given(login)))
    }
}

impl Login {
    fn check(user: Zeroizing<String>, password: Zeroizing<String>) -> Result<Self, Reason> {
        for (name, word) in [("user", &user), ("password", &password)] {
            if word.is_empty() {
                return Err(format!("the {name} is empty").into());
            }
            if word.len() > LONGEST {
                return Err(format!("the {name} has more than {LONGEST} bytes").into());
            }
            if !word.bytes().all(key::is_legal) {
                return Err(format!("the {name} holds spaces or control characters").into());
            }
        }
        if user.contains(':') {
            return Err("the user holds a colon".into());
        }
        Ok(Self { user, password })
    }

    /// `user password`, as memcached wants it in the data block of a `set`.
    pub(crate) fn to_block(&self) -> Zeroizing<Vec<u8>> {
        // Of its full size at once: a vector that grows leaves copies behind.
        let mut block = Vec::with_capacity(self.user.len() + 1 + self.password.len());
        block.extend_from_slice(self.user.as_bytes());
        block.push(b' ');
        block.extend_from_slice(self.password.as_bytes());
        Zeroizing::new(block)
    }
}

/// Shows the file, and of a user and password nothing.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::Given(_) => f.debug_tuple("Credentials").field(&MASK).finish(),
            Source::File(path) => f.debug_tuple("Credentials").field(path).finish(),
        }
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn block(credentials: &Credentials) -> String {
        String::from_utf8(credentials.login().unwrap().to_block().to_vec()).unwrap()
    }

    #[test]
    fn a_url_may_encode_what_it_cannot_hold() {
        assert!(Credentials::parse("app1").is_err(), "a user alone");
        let credentials = Credentials::parse("app1:p%40ss%3Aw%2Frd").unwrap();
        assert_eq!(block(&credentials), "app1 p@ss:w/rd");
        assert_eq!(credentials, Credentials::new("app1", "p@ss:w/rd").unwrap());
    }

    #[test]
    fn what_memcached_would_not_understand_is_refused_without_being_shown() {
        for (user, password) in [
            ("", "hunter2"),
            ("hunter2", ""),
            ("two hunter2", "x"),
            ("hunter2", "line\r\nflush_all"),
            ("a:hunter2", "x"),
            ("x", &"hunter2".repeat(40)),
        ] {
            let error = Credentials::new(user, password).unwrap_err();
            assert!(error.is_invalid_input());
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
        assert!(Credentials::parse(MASK).is_err());
        assert!(Credentials::parse("a:%ff").is_err());
    }

    #[test]
    fn a_file_is_read_anew_each_time_and_blamed_by_name() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let credentials = Credentials::from_file(file.path());
        assert!(credentials.login().is_err(), "empty");
        file.write_all(b"\napp1:hunter2:3\r\nother:x\n").unwrap();
        assert_eq!(block(&credentials), "app1 hunter2:3");
        file.write_all(b"\xff").unwrap();
        let error = credentials.login().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
        let missing = Credentials::from_file("/nonexistent/login");
        let error = missing.login().unwrap_err().to_string();
        assert!(error.contains("/nonexistent/login"), "{error}");
    }

    #[test]
    fn debug_shows_neither_user_nor_password() {
        let credentials = Credentials::new("adalovelace", "hunter2").unwrap();
        let shown = format!("{credentials:?} {:?}", credentials.login());
        assert!(
            !shown.contains("adalovelace") && !shown.contains("hunter2"),
            "{shown}"
        );
    }
}
