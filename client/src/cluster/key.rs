//! A key with its namespace in front, in one piece, as rings hash it.

use crate::key::{Key, MAX_KEY_LENGTH};

pub(crate) struct WholeKey {
    bytes: [u8; MAX_KEY_LENGTH],
    length: usize,
}

impl WholeKey {
    /// A key that is too long is cut: it is refused before it is sent anywhere.
    pub(crate) fn new(namespace: &[u8], key: Key<'_>) -> Self {
        let mut bytes = [0; MAX_KEY_LENGTH];
        let mut length = 0;
        for part in [namespace, key.as_bytes()] {
            let fits = part.len().min(MAX_KEY_LENGTH - length);
            bytes[length..length + fits].copy_from_slice(&part[..fits]);
            length += fits;
        }
        Self { bytes, length }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_namespace_comes_first_and_nothing_overflows() {
        let key = [b'k'; MAX_KEY_LENGTH];
        let key = Key::new(&key).unwrap();
        assert_eq!(WholeKey::new(b"", key).as_bytes(), key.as_bytes());
        let cut = WholeKey::new(b"ns:", key);
        assert_eq!(
            (cut.as_bytes().len(), &cut.as_bytes()[..4]),
            (MAX_KEY_LENGTH, &b"ns:k"[..])
        );
    }
}
