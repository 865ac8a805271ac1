//! What a plan would do to every server.

use serde::Serialize;

use super::baseline::{Baseline, Model, former};
use super::che::reads;
use super::cluster::ClusterSpec;
use super::load::NodeLoad;
use super::movement::Movement;

/// What becomes of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NodeFate {
    /// It stays.
    Stays,
    /// It comes.
    Added,
    /// It leaves.
    Removed,
}

/// What a plan would do to one server. What is unknown is `None`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NodeForecast {
    /// Its name.
    pub name: String,
    /// Whether it stays.
    pub fate: NodeFate,
    /// Share of the hash space before, 0 to 1.
    pub share_before: Option<f64>,
    /// Share of the hash space after.
    pub share_after: Option<f64>,
    /// What it gives to others, as a share of the hash space.
    pub gives: f64,
    /// What it gets from others, as a share of the hash space.
    pub gets: f64,
    /// Operations per second before.
    pub operations_before: Option<f64>,
    /// Operations per second after: what the server had, in proportion to the keys that stay, and the
    /// same of those that arrive. Keys known by name are counted one by one.
    pub operations_after: Option<f64>,
    /// Keys read per second after.
    pub reads_after: Option<f64>,
    /// Bytes stored before.
    pub stored_before: Option<f64>,
    /// Bytes stored after: what stays and what arrives, at most what the server can hold.
    pub stored_after: Option<f64>,
    /// Its memory limit in bytes; of a new server what the others have.
    pub limit: Option<f64>,
    /// Hit rate before, 0 to 1.
    pub hit_rate_before: Option<f64>,
    /// Hit rate in the new steady state.
    pub hit_rate_after: Option<f64>,
    /// How long items live before, in seconds.
    pub tail_age_before: Option<f64>,
    /// How long items live after, in seconds. `None` also where nothing is thrown out.
    pub tail_age_after: Option<f64>,
}

/// All servers with shares, requests and memory; hit rates follow.
pub(super) fn rows(
    baseline: &Baseline,
    after: &ClusterSpec,
    movement: &Movement,
    model: Option<(&Model, &[u32])>,
) -> Vec<NodeForecast> {
    let traffic = Traffic::of(movement, model);
    let nodes = &baseline.nodes;
    let flow = |read: &dyn Fn(&NodeLoad) -> Option<f64>| traffic.deal(movement, nodes, read);
    let operations = flow(&|node| node.operations_per_second);
    let reads = flow(&|node| node.reads_per_second);
    let stored = Traffic::of(movement, None).deal(movement, nodes, &|node| node.stored_bytes);
    let mut rows: Vec<NodeForecast> = nodes
        .iter()
        .enumerate()
        .map(|(before, node)| {
            let stays = movement.stays[before];
            let at = |values: &[Option<f64>]| values[stays?];
            let capacity = baseline.capacity(node);
            NodeForecast {
                name: node.name.clone(),
                fate: match stays {
                    Some(_) => NodeFate::Stays,
                    None => NodeFate::Removed,
                },
                share_before: Some(movement.shares_before[before]),
                share_after: stays.map(|after| movement.shares_after[after]),
                gives: movement.gives[before],
                gets: stays.map_or(0.0, |after| movement.gets[after]),
                operations_before: node.operations_per_second,
                operations_after: at(&operations),
                reads_after: at(&reads),
                stored_before: node.stored_bytes,
                stored_after: at(&stored).map(|bytes| bytes.min(capacity)),
                limit: node.limit_bytes,
                hit_rate_before: node.hit_rate,
                hit_rate_after: None,
                tail_age_before: node.tail_age,
                tail_age_after: None,
            }
        })
        .collect();
    let former = former(movement);
    for (index, member) in after.members().iter().enumerate() {
        if former[index].is_some() {
            continue;
        }
        rows.push(NodeForecast {
            name: member.name(),
            fate: NodeFate::Added,
            share_before: None,
            share_after: Some(movement.shares_after[index]),
            gives: 0.0,
            gets: movement.gets[index],
            operations_before: None,
            operations_after: operations[index],
            reads_after: reads[index],
            stored_before: None,
            stored_after: stored[index].map(|bytes| bytes.min(baseline.capacity_of_new())),
            limit: baseline.typical_limit(),
            hit_rate_before: None,
            hit_rate_after: None,
            tail_age_before: None,
            tail_age_after: None,
        });
    }
    rows
}

/// Which part of each server's traffic goes where.
struct Traffic {
    /// `(from, to, part of what from has)`.
    flows: Vec<(usize, usize, f64)>,
}

impl Traffic {
    fn of(movement: &Movement, model: Option<(&Model, &[u32])>) -> Self {
        let mut traffic = Self { flows: Vec::new() };
        let mut named_rates = vec![0.0; movement.shares_before.len()];
        let mut rest_rate = 1.0;
        if let Some((model, _)) = model {
            rest_rate = reads(model.rest(0));
            for (keys, owner) in model.named().iter().zip(model.owners()) {
                named_rates[*owner as usize] += keys.rate;
            }
        }
        let whole = |from: usize| {
            let whole = movement.shares_before[from].mul_add(rest_rate, named_rates[from]);
            whole.max(f64::MIN_POSITIVE)
        };
        for (from, stays) in movement.stays.iter().enumerate() {
            if let Some(to) = stays {
                let stay = (movement.shares_before[from] - movement.gives[from]).max(0.0);
                traffic
                    .flows
                    .push((from, *to, stay * rest_rate / whole(from)));
            }
        }
        for flow in &movement.moved.flows {
            let part = flow.fraction * rest_rate / whole(flow.from);
            traffic.flows.push((flow.from, flow.to, part));
        }
        if let Some((model, owners_after)) = model {
            let owners = model.owners().iter().zip(owners_after);
            for (keys, (from, to)) in model.named().iter().zip(owners) {
                let from = *from as usize;
                traffic
                    .flows
                    .push((from, *to as usize, keys.rate / whole(from)));
            }
        }
        traffic
    }

    /// What each server has after the change of what all have before; unknown where a server's giver
    /// does not tell.
    fn deal(
        &self,
        movement: &Movement,
        nodes: &[NodeLoad],
        read: &dyn Fn(&NodeLoad) -> Option<f64>,
    ) -> Vec<Option<f64>> {
        let mut dealt = vec![Some(0.0); movement.shares_after.len()];
        for (from, to, part) in &self.flows {
            let given = read(&nodes[*from]).map(|value| value * part);
            dealt[*to] = dealt[*to].zip(given).map(|(sum, given)| sum + given);
        }
        dealt
    }
}

/// The servers' hit rates and tail ages, one by one.
pub(super) struct Rows<'a> {
    pub(super) baseline: &'a Baseline,
    pub(super) model: &'a Model,
    pub(super) movement: &'a Movement,
    pub(super) owners_after: &'a [u32],
}

impl Rows<'_> {
    /// Fills in what the model says of each server. Together they are the cluster, whose new steady
    /// state is `steady`.
    pub(super) fn fill_hit_rates(&self, rows: &mut [NodeForecast], steady: f64) {
        let (mut hits, mut reads) = (0.0, 0.0);
        let mut added = self.movement.shares_before.len()..;
        for (server, former) in former(self.movement).into_iter().enumerate() {
            // Servers that come have their rows behind those of the list before.
            let Some(row) = former.or_else(|| added.next()) else {
                continue;
            };
            let (hit_rate, of_reads) = self.one(former, server, &mut rows[row]);
            rows[row].hit_rate_after = Some(hit_rate);
            hits += hit_rate * of_reads;
            reads += of_reads;
        }
        let correction = steady - hits / reads.max(f64::MIN_POSITIVE);
        for row in rows {
            row.hit_rate_after = row
                .hit_rate_after
                .map(|rate| (rate + correction).clamp(0.0, 1.0));
        }
    }

    /// The hit rate after, and the reads that it is of.
    fn one(&self, former: Option<usize>, server: usize, row: &mut NodeForecast) -> (f64, f64) {
        let (baseline, lifetime) = (self.baseline, self.model.lifetime());
        let share = self.movement.shares_after[server];
        let keys = self.model.keys_of(self.owners_after, server, share);
        let all = reads(&keys).max(f64::MIN_POSITIVE);
        let Some(before) = former else {
            let capacity = baseline.capacity_of_new();
            let window = lifetime.window(&keys, capacity, 1.0);
            row.tail_age_after = Some(window).filter(|window| window.is_finite());
            return (lifetime.hits(&keys, window) / all, all);
        };
        let node = &baseline.nodes[before];
        let capacity = baseline.capacity(node);
        let share = self.movement.shares_before[before];
        let keys_before = self.model.keys_of(self.model.owners(), before, share);
        let window_before = match node.is_evicting {
            true => lifetime.window(&keys_before, capacity, 1.0),
            false => f64::INFINITY,
        };
        let window = lifetime.window(&keys, capacity, window_before);
        let modelled = lifetime.hits(&keys_before, window_before) / reads(&keys_before);
        let hit_rate = lifetime.hits(&keys, window) / all;
        let error = node.hit_rate.map_or(0.0, |measured| measured - modelled);
        if window.is_finite() {
            let stretch = window / window_before;
            let measured = node.tail_age.filter(|_| stretch > 0.0);
            row.tail_age_after = measured.map(|age| age * stretch).or(Some(window));
            // Full: it was, or it gets there.
            row.stored_after = row.stored_after.map(|_| capacity);
        } else if node.is_evicting {
            let fits = lifetime.bytes(&keys, window);
            row.stored_after = row.stored_after.map(|_| fits.min(capacity));
        }
        ((hit_rate + error).clamp(0.0, 1.0), all)
    }
}
