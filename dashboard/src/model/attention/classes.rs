//! Rules about a node's slab classes.

use super::remedy::send;
use super::{Advice, AdviceKind, Known, Remedy, Severity, Subject};
use crate::model::growth::{GrowthAdvice, SlabLayout};
use crate::model::memory::PAGE_SIZE;
use crate::model::monitor::Snapshot;
use crate::model::node::NodeSnapshot;
use crate::model::slab_class::ClassDetail;
use crate::model::wording::{bytes, lasting, percent, rate};
use std::time::Duration;

/// A class starves when what it evicts is younger than this share of the cluster's median tail age.
const STARVING_SHARE_OF_MEDIAN: f64 = 0.1;

/// Share of the used chunks from which waste is worth a finding. The usual factor of 1.25 wastes
/// about a tenth.
const MUCH_WASTE: f64 = 0.15;

/// Waste below this is not worth changing anything for.
const LEAST_WASTE: u64 = 2 * PAGE_SIZE;

/// Share of unread items among the evicted from which they are worth a finding.
const MOSTLY_UNREAD: f64 = 0.8;

/// Finds what is the matter with a node's classes.
pub(super) fn find(known: &Known<'_>, node: &NodeSnapshot, found: &mut Vec<Advice>) {
    found.extend(out_of_memory(known.snapshot, node));
    let too_many = too_many_classes(known.snapshot, node);
    if too_many.is_none() {
        found.extend(starvation(known.snapshot, node));
    }
    found.extend(too_many);
    found.extend(evicted_before_expiry(known, node));
    found.extend(evicted_unread(known.snapshot, node));
    found.extend(waste(known, node));
}

fn advice(known: &Snapshot, subject: Subject, kind: AdviceKind, severity: Severity) -> Advice {
    Advice {
        kind,
        severity,
        subject,
        title: String::new(),
        evidence: String::new(),
        formula: "",
        remedy: Remedy::default(),
        weight: 0.0,
        since: known.at,
    }
}

fn class_of(node: &NodeSnapshot, class: u32) -> Subject {
    Subject::Class {
        node: node.name.clone(),
        class,
    }
}

/// The class with most of something, and how much it has.
fn most<'a>(
    node: &'a NodeSnapshot,
    figure: impl Fn(&ClassDetail<'a>) -> Option<f64>,
) -> Option<(ClassDetail<'a>, f64)> {
    ClassDetail::all(node)
        .filter_map(|class| Some((class, figure(&class).filter(|value| *value > 0.0)?)))
        .max_by(|one, other| one.1.total_cmp(&other.1))
}

fn out_of_memory(snapshot: &Snapshot, node: &NodeSnapshot) -> Option<Advice> {
    let (class, refused) = most(node, |class| class.rates?.out_of_memory_per_second)?;
    let evicts = node
        .settings
        .as_ref()
        .and_then(|settings| settings.evictions);
    let text = if evicts == Some(false) {
        "It was started with -M, so it refuses instead of evicting. Give it more memory (-m), or \
         start it without -M."
    } else {
        "The class has no page of its own and found none to take. Give the server more memory (-m)."
    };
    Some(Advice {
        title: format!("{} refuses to store: out of memory", node.name),
        evidence: format!(
            "{} stores refused in class {} (chunks of {})",
            rate(refused),
            class.class,
            bytes(class.chunk_size())
        ),
        formula: "Δoutofmemory / time of the class, in stats items",
        remedy: Remedy::new(text),
        weight: refused,
        ..advice(
            snapshot,
            class_of(node, class.class),
            AdviceKind::OutOfMemory,
            Severity::Critical,
        )
    })
}

/// The median tail age over all classes of all nodes that hold items, in seconds.
fn median_tail_age(snapshot: &Snapshot) -> Option<u64> {
    let answering = snapshot
        .nodes
        .iter()
        .filter(|node| node.state.is_answering());
    let classes = answering.flat_map(|node| ClassDetail::all(node));
    let mut ages: Vec<u64> = classes.filter_map(|class| class.tail_age()).collect();
    let middle = ages.len() / 2;
    (!ages.is_empty()).then(|| *ages.select_nth_unstable(middle).1)
}

fn starvation(snapshot: &Snapshot, node: &NodeSnapshot) -> Option<Advice> {
    let median = median_tail_age(snapshot)?;
    let starves = |class: &ClassDetail<'_>| {
        let young = class
            .tail_age()
            .is_some_and(|age| (age as f64) < median as f64 * STARVING_SHARE_OF_MEDIAN);
        class.evictions_per_second().filter(|_| young)
    };
    let (class, evictions) = most(node, starves)?;
    let others = || ClassDetail::all(node).filter(|other| other.class != class.class);
    let spare: u64 = others().map(|other| other.spare_pages()).sum();
    let pool = node
        .current()
        .and_then(|general| general.slab_global_page_pool)
        .unwrap_or(0);
    if spare + pool == 0 {
        return None;
    }
    let donor = others().max_by_key(ClassDetail::spare_pages)?;
    let age = class.tail_age().unwrap_or(0);
    let automove = node
        .settings
        .as_ref()
        .and_then(|settings| settings.slab_automove);
    let (text, line) = if automove == Some(0) {
        (
            "Let the server move pages by itself, or move one.",
            "slabs automove 1".to_owned(),
        )
    } else {
        (
            "Move a page to the class that lacks one.",
            format!("slabs reassign {} {}", donor.class, class.class),
        )
    };
    Some(Advice {
        title: format!(
            "Class {} evicting {} on {}",
            class.class,
            rate(evictions),
            node.name
        ),
        evidence: format!(
            "tail age {} against {} in the median, while {} free pages sit in other classes, {} of \
             them in class {}",
            lasting(Duration::from_secs(age)),
            lasting(Duration::from_secs(median)),
            spare + pool,
            donor.spare_pages(),
            donor.class,
        ),
        formula: "Δevicted > 0 and age < 10 % of the median age of all classes, while \
                  ⌊free_chunks / chunks_per_page⌋ of others > 0",
        remedy: Remedy::with(text, send(&line, &node.name)),
        weight: evictions,
        ..advice(
            snapshot,
            class_of(node, class.class),
            AdviceKind::Starvation,
            Severity::Warning,
        )
    })
}

fn too_many_classes(snapshot: &Snapshot, node: &NodeSnapshot) -> Option<Advice> {
    let (class, evictions) = most(node, ClassDetail::evictions_per_second)?;
    let classes = node.slabs.as_ref()?.active_slabs?;
    let limit = node.current()?.limit_maxbytes?;
    if classes.saturating_mul(PAGE_SIZE) < limit {
        return None;
    }
    let free = node.memory.map_or(0, |memory| memory.free_chunks);
    let factor = node
        .settings
        .as_ref()
        .and_then(|settings| settings.growth_factor);
    let growth = factor.map_or_else(String::new, |factor| format!(" (now -f {factor})"));
    Some(Advice {
        title: format!("Too many slab classes for the memory of {}", node.name),
        evidence: format!(
            "{classes} classes take a page each, {} of a limit of {} · class {} evicts {} while {} \
             lie free in others",
            bytes(classes * PAGE_SIZE),
            bytes(limit),
            class.class,
            rate(evictions),
            bytes(free),
        ),
        formula: "active_slabs · 1 MiB ≥ limit_maxbytes, and Δevicted > 0",
        remedy: Remedy::new(format!(
            "Give it more memory (-m {}), or start it with a larger growth factor{growth}: fewer \
             classes leave each more pages.",
            (classes * PAGE_SIZE * 4).div_ceil(PAGE_SIZE)
        )),
        weight: evictions,
        ..advice(
            snapshot,
            Subject::Node(node.name.clone()),
            AdviceKind::TooManyClasses,
            Severity::Warning,
        )
    })
}

fn evicted_before_expiry(known: &Known<'_>, node: &NodeSnapshot) -> Option<Advice> {
    let usual = known.usual_time_to_live?;
    let age = Duration::from_secs(node.tail_age?);
    if age >= usual {
        return None;
    }
    let evictions = node.rate(|deltas| deltas.per_second(deltas.evictions))?;
    Some(Advice {
        title: format!("{} forgets before items expire", node.name),
        evidence: format!(
            "items live {} unread, the usual expiry is {} · {} evicted",
            lasting(age),
            lasting(usual),
            rate(evictions)
        ),
        formula: "smallest age of the classes that evict < median time to live of a scan or watch",
        remedy: Remedy::new(
            "Give it more memory, or store less: shorter expiries cost nothing that is not lost \
             already.",
        ),
        weight: evictions,
        ..advice(
            known.snapshot,
            Subject::Node(node.name.clone()),
            AdviceKind::EvictedBeforeExpiry,
            Severity::Warning,
        )
    })
}

fn evicted_unread(snapshot: &Snapshot, node: &NodeSnapshot) -> Option<Advice> {
    let (mut all, mut unread) = (0.0, 0.0);
    for class in node.class_rates.values() {
        all += class.evictions_per_second.unwrap_or(0.0);
        unread += class.unfetched_evictions_per_second.unwrap_or(0.0);
    }
    // A handful of evictions says nothing.
    if all < 1.0 || unread / all < MOSTLY_UNREAD {
        return None;
    }
    let (worst, _) = most(node, |class| class.rates?.unfetched_evictions_per_second)?;
    Some(Advice {
        title: format!("Most of what {} evicts was never read", node.name),
        evidence: format!(
            "{} of {} evictions, most of them in class {} (chunks of {})",
            percent(unread / all),
            rate(all),
            worst.class,
            bytes(worst.chunk_size())
        ),
        formula: "Δevicted_unfetched / Δevicted, over all classes",
        remedy: Remedy::with(
            "Such evictions cost no hits, but what is stored once and never read pushes out what \
             is. See who writes it: the Live view shows evictions, or watch them here.",
            format!(
                "printf 'watch evictions\\r\\n' | nc {}",
                watch_destination(&node.name)
            ),
        ),
        weight: unread,
        ..advice(
            snapshot,
            Subject::Node(node.name.clone()),
            AdviceKind::EvictedUnread,
            Severity::Notice,
        )
    })
}

/// As [`send`], without its time limit: a watch goes on until it is interrupted.
fn watch_destination(node: &str) -> String {
    let command = send("", node);
    let (_, destination) = command.split_once("nc -w 2 ").unwrap_or(("", node));
    destination.to_owned()
}

fn waste(known: &Known<'_>, node: &NodeSnapshot) -> Option<Advice> {
    let memory = node.memory?;
    let wasted = memory.waste_in_chunks?;
    let share = wasted as f64 / memory.used_chunks.max(1) as f64;
    if wasted < LEAST_WASTE || share < MUCH_WASTE {
        return None;
    }
    let (worst, in_worst) = most(node, |class| class.waste_bytes().map(|bytes| bytes as f64))?;
    let mut evidence = format!(
        "{} of {} in used chunks ({}), {} of it in class {} (chunks of {})",
        bytes(wasted),
        bytes(memory.used_chunks),
        percent(share),
        bytes(in_worst as u64),
        worst.class,
        bytes(worst.chunk_size())
    );
    let layout = node.settings.as_deref().and_then(SlabLayout::of);
    if let Some(last) = layout.and_then(|layout| layout.runs_out_at()) {
        evidence.push_str(&format!(
            " · the classes of its growth factor end at {}: what is larger takes the largest chunk",
            bytes(last)
        ));
    }
    Some(Advice {
        title: format!("{} wastes {} inside chunks", node.name, percent(share)),
        evidence,
        formula: "Σ (chunk_size · used_chunks − mem_requested) / Σ chunk_size · used_chunks",
        remedy: remedy_for_waste(known, node),
        weight: wasted as f64,
        ..advice(
            known.snapshot,
            class_of(node, worst.class),
            AdviceKind::Waste,
            Severity::Notice,
        )
    })
}

fn remedy_for_waste(known: &Known<'_>, node: &NodeSnapshot) -> Remedy {
    let Some(sizes) = known.sizes.get(&node.name).filter(|sizes| sizes.enabled) else {
        return Remedy::with(
            "Which growth factor would fit shows in the sizes of the items. The server counts them \
             when started with -o track_sizes.",
            send("stats sizes", &node.name),
        );
    };
    let settings = node.settings.as_deref();
    match settings.and_then(|settings| GrowthAdvice::find(settings, sizes)) {
        Some(advice) => Remedy::with(
            format!(
                "A growth factor of {} would waste {} instead of {} on the items there are now (an \
                 estimate from stats sizes), in {} classes.",
                advice.factor,
                bytes(advice.with_it.waste),
                bytes(advice.now.waste),
                advice.with_it.classes,
            ),
            format!("memcached -f {}", advice.factor),
        ),
        None => Remedy::new("No other growth factor would waste much less on these item sizes."),
    }
}
