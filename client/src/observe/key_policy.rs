//! What spans may tell of keys.

use std::hash::Hasher as _;

use opentelemetry::KeyValue;
use siphasher::sip::SipHasher24;

/// What the spans of operations on one key tell of it. Nothing, unless one of the others is chosen;
/// and never anything of a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyPolicy {
    /// Nothing.
    #[default]
    Hidden,
    /// `memcached.key.hash`: SipHash-2-4 of the key with this secret, as 16 hexadecimal digits.
    ///
    /// It shows which operations concern the same key. Who knows the secret can find the key by
    /// trying likely ones.
    Hash([u8; 16]),
    /// `memcached.key.prefix`: what stands before the first of this character; nothing for keys
    /// without it.
    ///
    /// For keys like `session:5f3a…`, where the part in front only names the kind.
    Prefix(char),
    /// `memcached.key`: the whole key.
    ///
    /// Keys often name people or hold tokens; this hands them to whoever can see traces.
    UnsafeFull,
}

impl KeyPolicy {
    pub(super) fn attribute(&self, key: &[u8]) -> Option<KeyValue> {
        match self {
            Self::Hidden => None,
            Self::Hash(secret) => {
                let mut hasher = SipHasher24::new_with_key(secret);
                hasher.write(key);
                let digits = format!("{:016x}", hasher.finish());
                Some(KeyValue::new("memcached.key.hash", digits))
            }
            Self::Prefix(delimiter) => {
                let text = String::from_utf8_lossy(key);
                let (prefix, _) = text.split_once(*delimiter)?;
                let is_told = !prefix.is_empty();
                is_told.then(|| KeyValue::new("memcached.key.prefix", prefix.to_owned()))
            }
            Self::UnsafeFull => {
                let text = String::from_utf8_lossy(key).into_owned();
                (!text.is_empty()).then(|| KeyValue::new("memcached.key", text))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(policy: &KeyPolicy, key: &str) -> Option<(String, String)> {
        let attribute = policy.attribute(key.as_bytes())?;
        Some((attribute.key.to_string(), attribute.value.to_string()))
    }

    #[test]
    fn each_policy_tells_what_it_names() {
        assert_eq!(told(&KeyPolicy::default(), "user:7"), None);
        let prefix = KeyPolicy::Prefix(':');
        let expected = ("memcached.key.prefix".to_owned(), "user".to_owned());
        assert_eq!(told(&prefix, "user:7:x"), Some(expected));
        assert_eq!(told(&prefix, "token"), None);
        assert_eq!(told(&prefix, ":7"), None);
        let expected = ("memcached.key".to_owned(), "user:7".to_owned());
        assert_eq!(told(&KeyPolicy::UnsafeFull, "user:7"), Some(expected));
    }

    #[test]
    fn the_hash_depends_on_the_secret() {
        let hash = |secret| told(&KeyPolicy::Hash([secret; 16]), "user:7").unwrap().1;
        assert_eq!(hash(1).len(), 16);
        assert_eq!(hash(1), hash(1));
        assert_ne!(hash(1), hash(2));
    }
}
