//! Several changes in a row, with undo.

use super::change::{Change, ChangeError};
use super::cluster::ClusterSpec;

/// A list of changes, each made to the cluster that the ones before it leave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    changes: Vec<Change>,
    /// What the list was before, the last state at the end.
    past: Vec<Vec<Change>>,
    /// What was undone, the next to do again at the end.
    future: Vec<Vec<Change>>,
}

impl Plan {
    /// The changes in order.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Whether there is no change.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Adds a change, if it can be made to `spec` after those before it. A second weight for the same
    /// server takes the place of the first, and so does a second ring or number of points. Removing a
    /// server that the plan adds takes back its addition.
    ///
    /// # Errors
    ///
    /// When the change cannot be made. The plan stays as it was.
    pub fn add(&mut self, spec: &ClusterSpec, change: Change) -> Result<(), ChangeError> {
        let mut changes = self.changes.clone();
        let added = changes.iter().position(|former| {
            matches!((former, &change), (Change::Add { server }, Change::Remove { node })
                if server.name() == *node)
        });
        if let Some(added) = added {
            let node = change.node();
            changes.remove(added);
            changes.retain(|later| later.node().is_none() || later.node() != node);
        } else if let Some(former) = changes.iter().position(|former| change.replaces(former)) {
            changes.remove(former);
            // Back to what it was: nothing of it is left.
            if change.apply(&apply(&changes, spec)?) != Err(ChangeError::NoChange) {
                changes.push(change);
            }
        } else {
            changes.push(change);
        }
        self.set(spec, changes)
    }

    /// Takes one change out.
    ///
    /// # Errors
    ///
    /// When a later change needs it, like the weight of a server that it adds. The plan stays as it
    /// was.
    pub fn remove(&mut self, spec: &ClusterSpec, position: usize) -> Result<(), ChangeError> {
        let mut changes = self.changes.clone();
        if position < changes.len() {
            changes.remove(position);
        }
        self.set(spec, changes)
    }

    /// Takes all changes out. Can be undone.
    pub fn clear(&mut self) {
        if !self.changes.is_empty() {
            self.keep(Vec::new());
        }
    }

    /// Takes the last step back; false if there is none.
    pub fn undo(&mut self) -> bool {
        let Some(before) = self.past.pop() else {
            return false;
        };
        let undone = std::mem::replace(&mut self.changes, before);
        self.future.push(undone);
        true
    }

    /// Takes the last undone step again; false if there is none.
    pub fn redo(&mut self) -> bool {
        let Some(again) = self.future.pop() else {
            return false;
        };
        let before = std::mem::replace(&mut self.changes, again);
        self.past.push(before);
        true
    }

    /// Whether there is something to undo.
    #[must_use]
    pub const fn can_undo(&self) -> bool {
        !self.past.is_empty()
    }

    /// Whether there is something to do again.
    #[must_use]
    pub const fn can_redo(&self) -> bool {
        !self.future.is_empty()
    }

    /// The cluster after all changes.
    ///
    /// # Errors
    ///
    /// When a change cannot be made, because `spec` is not the cluster that the plan was made for.
    pub fn apply(&self, spec: &ClusterSpec) -> Result<ClusterSpec, ChangeError> {
        apply(&self.changes, spec)
    }

    fn set(&mut self, spec: &ClusterSpec, changes: Vec<Change>) -> Result<(), ChangeError> {
        apply(&changes, spec)?;
        if changes != self.changes {
            self.keep(changes);
        }
        Ok(())
    }

    fn keep(&mut self, changes: Vec<Change>) {
        let before = std::mem::replace(&mut self.changes, changes);
        self.past.push(before);
        self.future.clear();
    }
}

fn apply(changes: &[Change], spec: &ClusterSpec) -> Result<ClusterSpec, ChangeError> {
    changes
        .iter()
        .try_fold(spec.clone(), |spec, change| change.apply(&spec))
}
