//! Which part of the hash space goes from whom to whom.

use memlens::ring::{Accuracy, Moved, Ring};

/// What a change of the ring does to the hash space.
#[derive(Clone, Debug)]
pub struct Movement {
    /// The part that changes its owner, and between whom.
    pub moved: Moved,
    /// How far shares and moves can be trusted: the lesser of both.
    pub accuracy: Accuracy,
    /// Share of each server before, by its index there.
    pub shares_before: Vec<f64>,
    /// Share of each server after, by its index there.
    pub shares_after: Vec<f64>,
    /// For each server before, its index after, if it stays.
    pub stays: Vec<Option<usize>>,
    /// What each server gives away, by its index before.
    pub gives: Vec<f64>,
    /// What each server gets from others, by its index after.
    pub gets: Vec<f64>,
}

impl Movement {
    /// Compares two rings. Servers are the same if they have the same name.
    #[must_use]
    pub fn between(before: &Ring, after: &Ring) -> Self {
        let moved = before.moved(after);
        let mut gives = vec![0.0; before.members().len()];
        let mut gets = vec![0.0; after.members().len()];
        for flow in &moved.flows {
            gives[flow.from] += flow.fraction;
            gets[flow.to] += flow.fraction;
        }
        let accuracy = [before.shares_accuracy(), after.shares_accuracy()]
            .into_iter()
            .fold(moved.accuracy, lesser);
        Self {
            moved,
            accuracy,
            shares_before: before.shares(),
            shares_after: after.shares(),
            stays: partners(before, after),
            gives,
            gets,
        }
    }

    /// How many servers get keys.
    #[must_use]
    pub fn receivers(&self) -> usize {
        self.gets.iter().filter(|fraction| **fraction > 0.0).count()
    }

    /// The most that one server gets.
    #[must_use]
    pub fn most_received(&self) -> f64 {
        self.gets.iter().copied().fold(0.0, f64::max)
    }

    /// Largest share after the change, against the mean: 1 is perfectly even.
    #[must_use]
    pub fn imbalance_after(&self) -> f64 {
        let largest = self.shares_after.iter().copied().fold(0.0, f64::max);
        largest * self.shares_after.len() as f64
    }
}

fn lesser(one: Accuracy, other: Accuracy) -> Accuracy {
    let doubt = |accuracy| match accuracy {
        Accuracy::Exact => 0,
        Accuracy::Ideal => 1,
        Accuracy::Sampled { .. } => 2,
    };
    if doubt(other) > doubt(one) {
        other
    } else {
        one
    }
}

fn partners(before: &Ring, after: &Ring) -> Vec<Option<usize>> {
    let names: std::collections::HashMap<String, usize> = after
        .members()
        .iter()
        .enumerate()
        .map(|(index, member)| (member.name(), index))
        .collect();
    before
        .members()
        .iter()
        .map(|member| names.get(&member.name()).copied())
        .collect()
}
