//! Slab classes against nodes, for one metric: what a heat map is drawn from.

use std::collections::BTreeMap;

use super::monitor::Snapshot;
use super::slab_class::ClassDetail;
use super::wording::csv_cell;

/// What a cell of the matrix tells of a class on a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClassMetric {
    /// Live items thrown out per second.
    #[default]
    Evictions,
    /// In-chunk waste in bytes.
    Waste,
    /// Seconds since the item that is evicted next was used.
    TailAge,
    /// Bytes of the chunks that hold an item.
    Used,
    /// Hits per store.
    Reuse,
}

impl ClassMetric {
    /// All metrics.
    pub const ALL: [Self; 5] = [
        Self::Evictions,
        Self::Waste,
        Self::TailAge,
        Self::Used,
        Self::Reuse,
    ];

    /// Its short name.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Evictions => "evictions/s",
            Self::Waste => "waste",
            Self::TailAge => "tail age",
            Self::Used => "used",
            Self::Reuse => "reuse",
        }
    }

    /// What it is and how it is computed.
    #[must_use]
    pub const fn formula(self) -> &'static str {
        match self {
            Self::Evictions => "Δevicted / time: live items thrown out to make room",
            Self::Waste => {
                "chunk_size · used_chunks − mem_requested: items smaller than their chunk"
            }
            Self::TailAge => "age of stats items: seconds since the item evicted next was used",
            Self::Used => "chunk_size · used_chunks",
            Self::Reuse => "Δget_hits / Δcmd_set of the class: reads per stored item",
        }
    }

    /// The value of a class. `None` when it is not known.
    #[must_use]
    pub fn of(self, class: &ClassDetail<'_>) -> Option<f64> {
        match self {
            Self::Evictions => class.evictions_per_second(),
            Self::Waste => class.waste_bytes().map(|bytes| bytes as f64),
            Self::TailAge => class.tail_age().map(|seconds| seconds as f64),
            Self::Used => Some(class.used_bytes() as f64),
            Self::Reuse => class.reuse(),
        }
    }

    /// Whether small values are the ones to look at.
    #[must_use]
    pub const fn is_low_bad(self) -> bool {
        matches!(self, Self::TailAge | Self::Reuse)
    }
}

/// One cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MatrixCell {
    /// The class's number on the node.
    pub class: u32,
    /// The metric, when it is known.
    pub value: Option<f32>,
}

/// The matrix. Rows are chunk sizes and not class numbers: class 12 is another size on a server
/// with another growth factor.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ClassMatrix {
    /// The chunk sizes in bytes, ascending: one row each.
    pub chunk_sizes: Vec<u64>,
    /// How many nodes there are: one column each, in the snapshot's order.
    pub nodes: usize,
    /// The largest value, when there is any.
    pub largest: Option<f32>,
    cells: Vec<Option<MatrixCell>>,
}

impl ClassMatrix {
    /// The matrix of a snapshot. Nodes that do not answer have empty columns.
    #[must_use]
    pub fn new(snapshot: &Snapshot, metric: ClassMetric) -> Self {
        let answering = || {
            let nodes = snapshot.nodes.iter().enumerate();
            nodes.filter(|(_, node)| node.state.is_answering())
        };
        let mut rows = BTreeMap::new();
        for (_, node) in answering() {
            for class in ClassDetail::all(node) {
                rows.insert(class.chunk_size(), 0);
            }
        }
        for (row, place) in rows.values_mut().enumerate() {
            *place = row;
        }
        let nodes = snapshot.nodes.len();
        let mut matrix = Self {
            chunk_sizes: rows.keys().copied().collect(),
            nodes,
            largest: None,
            cells: vec![None; rows.len() * nodes],
        };
        for (column, node) in answering() {
            for class in ClassDetail::all(node) {
                let Some(row) = rows.get(&class.chunk_size()) else {
                    continue;
                };
                let value = metric.of(&class).map(|value| value as f32);
                matrix.largest = matrix.largest.into_iter().chain(value).reduce(f32::max);
                matrix.cells[row * nodes + column] = Some(MatrixCell {
                    class: class.class,
                    value,
                });
            }
        }
        matrix
    }

    /// The cell of a row and a node. `None` where the node has no such class.
    #[must_use]
    pub fn cell(&self, row: usize, node: usize) -> Option<MatrixCell> {
        if node >= self.nodes {
            return None;
        }
        self.cells.get(row * self.nodes + node).copied().flatten()
    }

    /// The matrix as comma-separated values: a line for each chunk size, a column for each node.
    /// Cells without a class, or without a value, are empty.
    #[must_use]
    pub fn csv<'a>(&self, node_names: impl Iterator<Item = &'a str>) -> String {
        let names = node_names.map(csv_cell);
        let mut text = "Chunk size in bytes".to_owned();
        for name in names {
            text.push(',');
            text.push_str(&name);
        }
        text.push_str("\r\n");
        for (row, size) in self.chunk_sizes.iter().enumerate() {
            text.push_str(&size.to_string());
            for node in 0..self.nodes {
                text.push(',');
                if let Some(value) = self.cell(row, node).and_then(|cell| cell.value) {
                    text.push_str(&value.to_string());
                }
            }
            text.push_str("\r\n");
        }
        text
    }

    /// A value as a shade, 0 to 1. Counts of bytes and events differ by orders of magnitude, so the
    /// shade follows their logarithm.
    #[must_use]
    pub fn shade(&self, value: f32) -> f32 {
        match self.largest {
            Some(largest) if largest > 0.0 => {
                ((1.0 + value.max(0.0)).ln() / (1.0 + largest).ln()).clamp(0.0, 1.0)
            }
            _ => 0.0,
        }
    }
}
