//! The rows of a scan.

use std::sync::Arc;

/// Rows in a shared block: what one more row may have to copy.
const BLOCK_ROWS: usize = 4096;

/// Stands for "never expires".
const NEVER: u32 = u32::MAX;

/// What `metadump` tells of one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScannedKey<'a> {
    /// The key, decoded.
    pub key: &'a [u8],
    /// Index of the node in the scan.
    pub node: u16,
    /// Its slab class.
    pub class: u8,
    /// What it takes in memory, in bytes: header, key and value.
    pub size: u64,
    /// Seconds until it expires; 0 when that is over, `None` for never.
    pub time_to_live: Option<u64>,
    /// Seconds since it was read last, or stored if it was never read.
    pub idle: u64,
    /// Whether it was read since it was stored.
    pub is_fetched: bool,
}

impl ScannedKey<'_> {
    /// The time to live that it was stored with, as far as that can be told: of an item that was
    /// never read, the last access is the storing.
    #[must_use]
    pub fn original_time_to_live(&self) -> Option<u64> {
        let left = self.time_to_live.filter(|left| *left > 0)?;
        (!self.is_fetched).then(|| left.saturating_add(self.idle))
    }
}

#[derive(Debug, Clone, Copy)]
struct Row {
    key_start: u32,
    key_length: u16,
    node: u16,
    class: u8,
    is_fetched: bool,
    size: u32,
    time_to_live: u32,
    idle: u32,
}

#[derive(Debug, Clone, Default)]
struct Block {
    keys: Vec<u8>,
    rows: Vec<Row>,
}

/// One row, as it is read.
pub type KeyRow<'a> = ScannedKey<'a>;

/// The keys of a scan, in the order in which they came. Cloning is cheap.
#[derive(Debug, Clone, Default)]
pub struct KeyTable {
    blocks: Vec<Arc<Block>>,
    rows: usize,
}

impl KeyTable {
    /// Adds a key.
    pub fn push(&mut self, scanned: &ScannedKey<'_>) {
        if self.rows.is_multiple_of(BLOCK_ROWS) {
            self.blocks.push(Arc::default());
        }
        let Some(block) = self.blocks.last_mut().map(Arc::make_mut) else {
            return;
        };
        let narrow = |value: u64| u32::try_from(value).unwrap_or(u32::MAX - 1);
        block.rows.push(Row {
            // 4096 keys of at most 250 bytes fit; longer ones can only come from something that is
            // no memcached, and are cut.
            key_start: u32::try_from(block.keys.len()).unwrap_or(u32::MAX),
            key_length: u16::try_from(scanned.key.len()).unwrap_or(u16::MAX),
            node: scanned.node,
            class: scanned.class,
            is_fetched: scanned.is_fetched,
            size: narrow(scanned.size),
            time_to_live: scanned.time_to_live.map_or(NEVER, narrow),
            idle: narrow(scanned.idle),
        });
        let shown = scanned.key.len().min(usize::from(u16::MAX));
        block.keys.extend_from_slice(&scanned.key[..shown]);
        self.rows += 1;
    }

    /// How many keys there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.rows
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The key with this index.
    #[must_use]
    pub fn row(&self, index: usize) -> Option<KeyRow<'_>> {
        let block = self.blocks.get(index / BLOCK_ROWS)?;
        let row = block.rows.get(index % BLOCK_ROWS)?;
        let start = row.key_start as usize;
        Some(ScannedKey {
            key: block.keys.get(start..start + usize::from(row.key_length))?,
            node: row.node,
            class: row.class,
            size: u64::from(row.size),
            time_to_live: (row.time_to_live != NEVER).then(|| u64::from(row.time_to_live)),
            idle: u64::from(row.idle),
            is_fetched: row.is_fetched,
        })
    }

    /// All keys, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = KeyRow<'_>> {
        (0..self.rows).filter_map(|index| self.row(index))
    }
}

#[cfg(test)]
mod tests {
    use super::{BLOCK_ROWS, KeyTable, ScannedKey};

    fn scanned(key: &[u8]) -> ScannedKey<'_> {
        ScannedKey {
            key,
            node: 3,
            class: 9,
            size: 451,
            time_to_live: None,
            idle: 7,
            is_fetched: true,
        }
    }

    #[test]
    fn rows_come_back_as_they_went_in_and_a_clone_keeps_what_it_saw() {
        let mut table = KeyTable::default();
        for number in 0..BLOCK_ROWS + 10 {
            table.push(&scanned(format!("key:{number}").as_bytes()));
        }
        let published = table.clone();
        let odd = ScannedKey {
            time_to_live: Some(0),
            is_fetched: false,
            size: u64::MAX,
            ..scanned(b"\xff odd")
        };
        table.push(&odd);
        assert_eq!(
            (published.len(), table.len()),
            (BLOCK_ROWS + 10, BLOCK_ROWS + 11)
        );
        assert_eq!(table.row(BLOCK_ROWS + 1), Some(scanned(b"key:4097")));
        let found = table.row(BLOCK_ROWS + 10).unwrap();
        assert_eq!((found.key, found.time_to_live), (odd.key, Some(0)));
        assert_eq!(found.size, u64::from(u32::MAX) - 1);
        assert_eq!(published.row(BLOCK_ROWS + 10), None);
        assert_eq!(table.iter().count(), table.len());
    }

    #[test]
    fn the_original_life_shows_in_items_never_read() {
        let unread = ScannedKey {
            time_to_live: Some(270),
            idle: 30,
            is_fetched: false,
            ..scanned(b"k")
        };
        assert_eq!(unread.original_time_to_live(), Some(300));
        let read = ScannedKey {
            is_fetched: true,
            ..unread
        };
        assert_eq!(read.original_time_to_live(), None);
    }
}
