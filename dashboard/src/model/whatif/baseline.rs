//! The cluster as it is, ready to be asked what changes would do to it.

use std::sync::Arc;

use memlens::ring::Ring;

use super::change::ChangeError;
use super::che::{Keys, Lifetime, gather};
use super::cluster::ClusterSpec;
use super::forecast::Forecast;
use super::hit_rate::NoHitRate;
use super::load::{ClusterLoad, NodeLoad};
use super::movement::Movement;
use super::plan::Plan;
use super::popularity::Popularity;
use super::transient::{Group, HandOver};

/// Of its limit, how much a server can fill with items where nothing tells better: the rest is lost in
/// chunks that are larger than their items.
const USUALLY_USABLE: f64 = 0.85;

/// The cluster as it is: its ring, what the servers measured, and which keys are read how often.
///
/// Cheap to make anew whenever there are news.
#[derive(Clone, Debug)]
pub struct Baseline {
    pub(super) spec: ClusterSpec,
    /// As in the spec.
    pub(super) nodes: Vec<NodeLoad>,
    pub(super) load: ClusterLoad,
    pub(super) model: Result<Arc<Model>, NoHitRate>,
    /// Seconds that one measured point stands for.
    pub(super) interval: f64,
}

/// What is needed to compute hit rates.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) popularity: Popularity,
    pub(super) reads: f64,
    pub(super) hit_rate: f64,
    /// The named keys at that rate.
    named: Vec<Keys>,
    /// Who holds each of them now.
    owners: Vec<u32>,
    /// How the three guesses at the rest say it is read.
    rest: [Vec<Keys>; 3],
}

impl Baseline {
    /// The cluster `spec` as `load` says it is doing. Without a popularity, or while the servers do not
    /// tell enough, forecasts have no hit rate but all the rest.
    ///
    /// `interval` is how many seconds one measured point of a hit rate stands for: a dip shorter than
    /// that is never seen in full.
    #[must_use]
    pub fn new(
        spec: &ClusterSpec,
        load: &ClusterLoad,
        popularity: Option<Popularity>,
        interval: f64,
    ) -> Self {
        let nodes: Vec<NodeLoad> = spec
            .members()
            .iter()
            .map(|member| {
                let name = member.name();
                load.node(&name).cloned().unwrap_or(NodeLoad {
                    name,
                    ..NodeLoad::default()
                })
            })
            .collect();
        let load = ClusterLoad {
            nodes: nodes.clone(),
        };
        let model = Model::new(spec.ring(), &load, popularity);
        Self {
            spec: spec.clone(),
            nodes,
            load,
            model: model.map(Arc::new),
            interval: interval.max(1e-3),
        }
    }

    /// The cluster as it is.
    #[must_use]
    pub const fn spec(&self) -> &ClusterSpec {
        &self.spec
    }

    /// What the servers measured.
    #[must_use]
    pub const fn load(&self) -> &ClusterLoad {
        &self.load
    }

    /// What the plan would do.
    ///
    /// # Errors
    ///
    /// When a change of the plan cannot be made to this cluster.
    pub fn forecast(&self, plan: &Plan) -> Result<Forecast, ChangeError> {
        Ok(self.forecast_of(&plan.apply(&self.spec)?, HandOver::Cold))
    }

    /// What becoming `after` would do, however it comes to that.
    #[must_use]
    pub fn forecast_of(&self, after: &ClusterSpec, hand_over: HandOver) -> Forecast {
        Forecast::new(self, after, hand_over)
    }

    /// Bytes that the server can hold: what it holds if it throws out items, else what can be expected
    /// of its limit.
    pub(super) fn capacity(&self, node: &NodeLoad) -> f64 {
        let stored = node.stored_bytes.unwrap_or(0.0);
        if node.is_evicting {
            return stored;
        }
        let limit = node.limit_bytes.or_else(|| self.typical_limit());
        limit.map_or(f64::INFINITY, |limit| {
            (limit * self.usable(node)).max(stored)
        })
    }

    /// Bytes that a server which is not there yet can be expected to hold: as the others.
    pub(super) fn capacity_of_new(&self) -> f64 {
        let known: Vec<f64> = self
            .nodes
            .iter()
            .map(|node| self.capacity(node))
            .filter(|capacity| capacity.is_finite() && *capacity > 0.0)
            .collect();
        if known.is_empty() {
            return f64::INFINITY;
        }
        known.iter().sum::<f64>() / known.len() as f64
    }

    /// The mean of the limits that are known.
    pub(super) fn typical_limit(&self) -> Option<f64> {
        let limits: Vec<f64> = self
            .nodes
            .iter()
            .filter_map(|node| node.limit_bytes)
            .collect();
        (!limits.is_empty()).then(|| limits.iter().sum::<f64>() / limits.len() as f64)
    }

    /// The usable part of a limit: as on those that are full, or as in what the server has taken.
    fn usable(&self, node: &NodeLoad) -> f64 {
        let full: Vec<f64> = self
            .nodes
            .iter()
            .filter(|node| node.is_evicting)
            .filter_map(|node| Some(node.stored_bytes? / node.limit_bytes?))
            .collect();
        if !full.is_empty() {
            return full.iter().sum::<f64>() / full.len() as f64;
        }
        match (node.stored_bytes, node.allocated_bytes) {
            (Some(stored), Some(allocated)) if allocated > 0.0 => {
                (stored / allocated).clamp(0.5, 0.95)
            }
            _ => USUALLY_USABLE,
        }
    }
}

impl Model {
    fn new(
        ring: &Ring,
        load: &ClusterLoad,
        popularity: Option<Popularity>,
    ) -> Result<Self, NoHitRate> {
        let reads = load.reads_per_second();
        let hit_rate = load.hit_rate().filter(|_| reads > 0.0);
        let hit_rate = hit_rate.ok_or(NoHitRate::NothingRead)?;
        let popularity = popularity.ok_or(NoHitRate::NoFigures)?;
        let named = popularity.named.iter().map(|key| Keys {
            number: 1.0,
            rate: key.share * reads,
            bytes: key.bytes,
        });
        let [fewer, more] = &popularity.rest_if;
        Ok(Self {
            named: named.collect(),
            owners: owners(ring, &popularity),
            rest: [&popularity.rest, fewer, more].map(|rest| Popularity::rest_at(rest, reads)),
            reads,
            hit_rate,
            popularity,
        })
    }

    pub(super) const fn lifetime(&self) -> Lifetime {
        self.popularity.lifetime
    }

    pub(super) fn owners_in(&self, ring: &Ring) -> Vec<u32> {
        owners(ring, &self.popularity)
    }

    pub(super) fn owners(&self) -> &[u32] {
        &self.owners
    }

    pub(super) fn named(&self) -> &[Keys] {
        &self.named
    }

    pub(super) fn rest(&self, guess: usize) -> &[Keys] {
        &self.rest[guess]
    }

    /// The named keys that `owners` gives to the server, those alike put together, and the server's
    /// part of the rest.
    pub(super) fn keys_of(&self, owners: &[u32], server: usize, share: f64) -> Vec<Keys> {
        let owned = self.named.iter().zip(owners);
        let owned = owned.filter(|(_, owner)| **owner as usize == server);
        let mut keys = gather(owned.map(|(keys, _)| *keys));
        keys.extend(self.rest[0].iter().map(|rest| rest.part(share)));
        keys
    }
}

fn owners(ring: &Ring, popularity: &Popularity) -> Vec<u32> {
    let keys: Vec<&[u8]> = popularity.named.iter().map(|named| &*named.key).collect();
    let mut owners = Vec::new();
    ring.nodes_for_keys(&keys, &mut owners);
    owners.into_iter().map(|owner| owner as u32).collect()
}

/// What becomes of a server, as far as the hit rate is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    New,
    Untouched,
    Full,
    Roomy,
}

/// The servers after a change in groups, and those that leave.
#[derive(Debug)]
pub(super) struct Groups {
    pub(super) groups: Vec<Group>,
    pub(super) gone: Group,
}

/// A change as the model sees it: a movement of the hash space, and of the named keys.
#[derive(Debug)]
pub(super) struct Shift<'a> {
    pub(super) movement: &'a Movement,
    pub(super) owners_before: &'a [u32],
    pub(super) owners_after: &'a [u32],
}

impl Baseline {
    /// The groups of a change, with one of the guesses at keys without a name.
    pub(super) fn groups(&self, model: &Model, shift: &Shift<'_>, guess: usize) -> Groups {
        let movement = shift.movement;
        let kinds = self.kinds(shift);
        let former = former(movement);
        let mut parts = [[0.0_f64; 3]; 4];
        let mut capacity = [0.0_f64; 4];
        let mut was_full = [false; 4];
        for (server, kind) in kinds.iter().enumerate() {
            let kind = *kind as usize;
            let gets = movement.gets[server];
            parts[kind][0] += (movement.shares_after[server] - gets).max(0.0);
            parts[kind][1] += gets;
            let Some(former) = former[server] else {
                capacity[kind] += self.capacity_of_new();
                continue;
            };
            parts[kind][2] += movement.gives[former];
            capacity[kind] += self.capacity(&self.nodes[former]);
            was_full[kind] |= self.nodes[former].is_evicting;
        }
        let mut named: Vec<[Vec<Keys>; 3]> = vec![Default::default(); 4];
        let mut gone_named = Vec::new();
        for (place, keys) in model.named().iter().enumerate() {
            let before = shift.owners_before[place] as usize;
            let after = shift.owners_after[place] as usize;
            let stays = movement.stays[before];
            if stays == Some(after) {
                named[kinds[after] as usize][0].push(*keys);
                continue;
            }
            named[kinds[after] as usize][1].push(*keys);
            match stays {
                Some(former) => named[kinds[former] as usize][2].push(*keys),
                None => gone_named.push(*keys),
            }
        }
        let fill = |named: Vec<Keys>, part: f64| {
            let mut keys = gather(named.into_iter());
            if part > 1e-12 {
                keys.extend(model.rest(guess).iter().map(|rest| rest.part(part)));
            }
            keys
        };
        let groups = named.into_iter().enumerate().map(|(kind, keys)| {
            let [stay, arrive, leave] = keys;
            let [stay_part, arrive_part, leave_part] = parts[kind];
            Group {
                stay: fill(stay, stay_part),
                arrive: fill(arrive, arrive_part),
                leave: fill(leave, leave_part),
                capacity: capacity[kind],
                was_full: was_full[kind],
            }
        });
        Groups {
            groups: groups.collect(),
            gone: self.gone(movement, |part| fill(gone_named, part)),
        }
    }

    fn gone(&self, movement: &Movement, keys: impl FnOnce(f64) -> Vec<Keys>) -> Group {
        let leaving = || {
            let stays = movement.stays.iter().enumerate();
            stays
                .filter(|(_, stays)| stays.is_none())
                .map(|(server, _)| server)
        };
        Group {
            leave: keys(leaving().map(|server| movement.shares_before[server]).sum()),
            capacity: leaving()
                .map(|server| self.capacity(&self.nodes[server]))
                .sum(),
            was_full: leaving().any(|server| self.nodes[server].is_evicting),
            ..Group::default()
        }
    }

    fn kinds(&self, shift: &Shift<'_>) -> Vec<Kind> {
        let movement = shift.movement;
        let mut touched: Vec<bool> = movement.gets.iter().map(|gets| *gets > 0.0).collect();
        for (server, stays) in movement.stays.iter().enumerate() {
            if let Some(after) = stays {
                touched[*after] |= movement.gives[server] > 0.0;
            }
        }
        for (before, after) in shift.owners_before.iter().zip(shift.owners_after) {
            let stays = movement.stays[*before as usize];
            if stays != Some(*after as usize) {
                touched[*after as usize] = true;
                if let Some(former) = stays {
                    touched[former] = true;
                }
            }
        }
        former(movement)
            .into_iter()
            .zip(touched)
            .map(|(former, touched)| match former {
                None => Kind::New,
                Some(_) if !touched => Kind::Untouched,
                Some(former) if self.nodes[former].is_evicting => Kind::Full,
                Some(_) => Kind::Roomy,
            })
            .collect()
    }
}

/// For each server after the change its index before, if it was there.
pub(super) fn former(movement: &Movement) -> Vec<Option<usize>> {
    let mut former = vec![None; movement.shares_after.len()];
    for (before, after) in movement.stays.iter().enumerate() {
        if let Some(after) = after {
            former[*after] = Some(before);
        }
    }
    former
}
