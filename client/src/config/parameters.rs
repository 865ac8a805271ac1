//! The parameters of a URL: one row each, for reading and for writing.

use std::borrow::Cow;
use std::path::Path;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use super::address::{Reason, percent_decode};
use super::quantity::{format_duration, format_size, parse_duration, parse_size};
use super::{Config, Credentials, Namespace, Pem, Tls};
use crate::error::Result;
use crate::value::ValueProfile;

/// What may stand in a value without being encoded.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b':')
    .remove(b'/');

/// A parameter of a URL.
pub(super) struct Parameter {
    pub(super) name: &'static str,
    /// Takes the decoded value.
    read: fn(&mut Config, &[u8]) -> Result<(), Reason>,
    write: fn(&Config) -> Cow<'_, [u8]>,
}

impl Parameter {
    pub(super) fn find(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|parameter| parameter.name == name)
    }

    pub(super) fn set(&self, config: &mut Config, value: &str) -> Result<(), Reason> {
        (self.read)(config, &percent_decode(value)?)
    }

    /// The encoded value, unless it is the default.
    pub(super) fn get(&self, config: &Config) -> Option<String> {
        let value = (self.write)(config);
        if value == (self.write)(&Config::default()) {
            return None;
        }
        Some(percent_encode(&value, VALUE).to_string())
    }
}

macro_rules! parameter {
    ($name:literal, $field:ident, $kind:ident) => {
        Parameter {
            name: $name,
            read: |config, value| {
                config.$field = $kind::read(value)?;
                Ok(())
            },
            write: |config| $kind::write(&config.$field),
        }
    };
}

/// A part of [`Config::tls`], which the scheme of the URL has set.
macro_rules! tls_parameter {
    ($name:literal, $kind:ident) => {
        Parameter {
            name: $name,
            read: |config, value| match &mut config.tls {
                Some(tls) => $kind::read(tls, value),
                None => Err("it needs the scheme memcaches".into()),
            },
            write: |config| config.tls.as_ref().map_or(Cow::Borrowed(b""), $kind::write),
        }
    };
}

pub(super) const ALL: &[Parameter] = &[
    parameter!("namespace", namespace, namespace),
    parameter!("ring", ring, ring),
    parameter!("hash_tag", hash_tag, hash_tag),
    parameter!("values", values, values),
    parameter!("compress_above", compress_above, optional_size),
    parameter!("max_unpacked_size", max_unpacked_size, size),
    parameter!("max_value_size", max_value_size, size),
    parameter!("timeout", operation_timeout, duration),
    parameter!("connect_timeout", connect_timeout, duration),
    parameter!("drain_timeout", drain_timeout, duration),
    parameter!("on_failure", on_failure, policy),
    parameter!("eject_after", eject_after, number),
    parameter!("dead_retry", dead_retry, duration),
    parameter!("connections_per_node", connections_per_node, number),
    parameter!("max_operations", max_operations, number),
    parameter!("max_bytes", max_bytes, size),
    parameter!("multi_get_keys", multi_get_keys, number),
    parameter!("multi_get_bytes", multi_get_bytes, size),
    parameter!("backoff_base", backoff_base, duration),
    parameter!("backoff_cap", backoff_cap, duration),
    parameter!("keepalive", keepalive, optional_duration),
    parameter!("user_timeout", user_timeout, optional_duration),
    Parameter {
        name: "login_file",
        read: login_file::read,
        write: login_file::write,
    },
    tls_parameter!("tls_ca", tls_ca),
    tls_parameter!("tls_certificate", tls_certificate),
    tls_parameter!("tls_key", tls_key),
    tls_parameter!("tls_server_name", tls_server_name),
    #[cfg(feature = "dangerous-tls")]
    tls_parameter!("dangerously_trust_anyone", dangerously_trust_anyone),
];

/// The word for a setting that is switched off.
const OFF: &str = "off";

fn text(value: &[u8]) -> Result<&str, Reason> {
    std::str::from_utf8(value).map_err(|_| "it is not UTF-8".into())
}

mod namespace {
    use super::*;

    pub(super) fn read(value: &[u8]) -> Result<Namespace, Reason> {
        Namespace::check(value)
    }

    pub(super) fn write(namespace: &Namespace) -> Cow<'_, [u8]> {
        namespace.as_bytes().into()
    }
}

mod ring {
    use super::*;
    use crate::ring::{Profile, UnknownProfile};

    pub(super) fn read(value: &[u8]) -> Result<Profile, Reason> {
        text(value)?
            .parse()
            .map_err(|error: UnknownProfile| match error.near() {
                [] => "there is no such ring".into(),
                near => {
                    format!("there is no such ring; did you mean {}?", near.join(" or ")).into()
                }
            })
    }

    pub(super) fn write(profile: &Profile) -> Cow<'_, [u8]> {
        profile.name().as_bytes().into()
    }
}

mod hash_tag {
    use super::*;

    pub(super) fn read(value: &[u8]) -> Result<Option<[u8; 2]>, Reason> {
        if value == OFF.as_bytes() {
            return Ok(None);
        }
        let tag = <[u8; 2]>::try_from(value).ok();
        tag.filter(|tag| tag.is_ascii())
            .map(Some)
            .ok_or_else(|| "it is neither two ASCII characters such as {} nor off".into())
    }

    pub(super) fn write(tag: &Option<[u8; 2]>) -> Cow<'_, [u8]> {
        tag.as_ref()
            .map_or(OFF.as_bytes(), <[u8; 2]>::as_slice)
            .into()
    }
}

mod values {
    use super::*;

    pub(super) fn read(value: &[u8]) -> Result<ValueProfile, Reason> {
        ValueProfile::find(text(value)?).ok_or_else(|| {
            let names: Vec<_> = ValueProfile::all()
                .iter()
                .map(|profile| profile.name())
                .collect();
            format!("there is no such profile; there are {}", names.join(", ")).into()
        })
    }

    pub(super) fn write(profile: &ValueProfile) -> Cow<'_, [u8]> {
        profile.name().as_bytes().into()
    }
}

mod policy {
    use super::*;
    use crate::config::FailurePolicy;

    pub(super) fn read(value: &[u8]) -> Result<FailurePolicy, Reason> {
        text(value)?
            .parse()
            .map_err(|_| "it is not fail, miss or next-node".into())
    }

    pub(super) fn write(policy: &FailurePolicy) -> Cow<'_, [u8]> {
        policy.name().as_bytes().into()
    }
}

mod duration {
    use super::*;

    pub(super) fn read(value: &[u8]) -> Result<Duration, Reason> {
        let reason = "it is no duration such as 250ms, 1s or 1.5s";
        parse_duration(text(value)?).ok_or_else(|| reason.into())
    }

    pub(super) fn write(duration: &Duration) -> Cow<'_, [u8]> {
        format_duration(*duration).into_bytes().into()
    }
}

mod optional_duration {
    use super::*;

    pub(super) fn read(value: &[u8]) -> Result<Option<Duration>, Reason> {
        if value == OFF.as_bytes() {
            return Ok(None);
        }
        let reason = "it is neither a duration such as 60s nor off";
        duration::read(value).map(Some).map_err(|_| reason.into())
    }

    pub(super) fn write(duration: &Option<Duration>) -> Cow<'_, [u8]> {
        duration
            .as_ref()
            .map_or(Cow::Borrowed(OFF.as_bytes()), duration::write)
    }
}

mod size {
    use super::*;

    pub(super) fn read(value: &[u8]) -> Result<usize, Reason> {
        let reason = "it is no size such as 4096, 64k or 64KiB";
        parse_size(text(value)?).ok_or_else(|| reason.into())
    }

    pub(super) fn write(size: &usize) -> Cow<'_, [u8]> {
        format_size(*size).into_bytes().into()
    }
}

mod optional_size {
    use super::*;

    pub(super) fn read(value: &[u8]) -> Result<Option<usize>, Reason> {
        if value == OFF.as_bytes() {
            return Ok(None);
        }
        let reason = "it is neither a size such as 4KiB nor off";
        size::read(value).map(Some).map_err(|_| reason.into())
    }

    pub(super) fn write(size: &Option<usize>) -> Cow<'_, [u8]> {
        size.as_ref()
            .map_or(Cow::Borrowed(OFF.as_bytes()), size::write)
    }
}

mod number {
    use super::*;

    pub(super) fn read(value: &[u8]) -> Result<usize, Reason> {
        let digits = text(value)?;
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        let number = if is_number { digits.parse().ok() } else { None };
        number.ok_or_else(|| "it is no whole number".into())
    }

    pub(super) fn write(number: &usize) -> Cow<'_, [u8]> {
        number.to_string().into_bytes().into()
    }
}

mod login_file {
    use super::*;

    pub(super) fn read(config: &mut Config, value: &[u8]) -> Result<(), Reason> {
        if config.credentials.is_some() {
            return Err("there is a user and password already".into());
        }
        config.credentials = Some(Credentials::from_file(path(value)?));
        Ok(())
    }

    pub(super) fn write(config: &Config) -> Cow<'_, [u8]> {
        let file = config.credentials.as_ref().and_then(Credentials::file);
        written(file)
    }
}

/// The path of a file. Nothing is none, and would not be written down again.
fn path(value: &[u8]) -> Result<&str, Reason> {
    match text(value)? {
        "" => Err("it names no file".into()),
        path => Ok(path),
    }
}

/// A path as it stands in a URL; nothing where there is none.
fn written(path: Option<&Path>) -> Cow<'_, [u8]> {
    path.map_or(Cow::Borrowed(b""), |path| {
        path.to_string_lossy().into_owned().into_bytes().into()
    })
}

/// Declares a parameter that names a file with certificates or a key.
macro_rules! pem {
    ($name:ident, $field:ident) => {
        mod $name {
            use super::*;

            pub(super) fn read(tls: &mut Tls, value: &[u8]) -> Result<(), Reason> {
                tls.$field = Some(Pem::file(path(value)?));
                Ok(())
            }

            pub(super) fn write(tls: &Tls) -> Cow<'_, [u8]> {
                written(tls.$field.as_ref().and_then(Pem::path))
            }
        }
    };
}

pem!(tls_ca, roots);
pem!(tls_certificate, certificate);
pem!(tls_key, key);

mod tls_server_name {
    use super::*;

    pub(super) fn read(tls: &mut Tls, value: &[u8]) -> Result<(), Reason> {
        tls.read_names(text(value)?)
    }

    pub(super) fn write(tls: &Tls) -> Cow<'_, [u8]> {
        tls.write_names().into_bytes().into()
    }
}

#[cfg(feature = "dangerous-tls")]
mod dangerously_trust_anyone {
    use super::*;

    pub(super) fn read(tls: &mut Tls, value: &[u8]) -> Result<(), Reason> {
        if value != b"yes" {
            return Err("it is not yes".into());
        }
        tls.dangerously_trust_anyone = true;
        Ok(())
    }

    pub(super) fn write(tls: &Tls) -> Cow<'_, [u8]> {
        let word: &[u8] = if tls.dangerously_trust_anyone {
            b"yes"
        } else {
            b""
        };
        word.into()
    }
}
