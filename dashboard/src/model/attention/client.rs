//! Rules that compare what a client says with what the servers say.

use memlens::ring::{Member, Ring};

use super::{Advice, AdviceKind, Known, Remedy, Severity, Subject, cluster, recent};
use crate::model::client_side::ClientSide;
use crate::model::history::Series;
use crate::model::wording::{percent, rate};

/// How much less a client may get than the servers found, as a difference of hit rates. Polls and
/// looks at the client are some moments apart, so the two are never quite the same.
const LESS: f64 = 0.02;

/// Servers named in a text; the rest is counted.
const NAMED: usize = 3;

/// Finds in what a client and the servers disagree.
pub(super) fn find(known: &Known<'_>, found: &mut Vec<Advice>) {
    let Some(client) = known.client else { return };
    if let Some(ring) = known.cluster_ring {
        found.extend(other_ring(known, ring, client));
    }
    found.extend(fewer_hits(known, client));
}

fn advice(known: &Known<'_>, kind: AdviceKind) -> Advice {
    cluster::advice(known, Subject::Cluster, kind, Severity::Warning)
}

fn other_ring(known: &Known<'_>, ring: &Ring, client: &ClientSide) -> Option<Advice> {
    let difference = difference(ring, &client.ring)?;
    let moved = client.ring.moved(ring).fraction;
    Some(Advice {
        title: "A client finds keys by another list of servers".to_owned(),
        evidence: format!("{difference}; {} of the keys go elsewhere", percent(moved)),
        formula: "the client's servers, weights and ring, against those of this cluster",
        remedy: Remedy::new(
            "Clients that disagree miss what others stored, and leave old values behind. Give all \
             of them, and memlens, the same servers in the same order, with the same weights and \
             the same ring.",
        ),
        weight: moved,
        ..advice(known, AdviceKind::ClientRing)
    })
}

/// What a client has otherwise, in words; `None` if all is alike.
fn difference(ours: &Ring, theirs: &Ring) -> Option<String> {
    let missing = without(ours.members(), theirs.members());
    let added = without(theirs.members(), ours.members());
    if !missing.is_empty() {
        return Some(format!("the client lacks {}", listed(&missing)));
    }
    if !added.is_empty() {
        return Some(format!("the client also has {}", listed(&added)));
    }
    let has_weight = |server: &&Member| {
        let mut theirs = theirs.members().iter();
        theirs.any(|other| other.name() == server.name() && other.weight() == server.weight())
    };
    let reweighted: Vec<&Member> = ours.members().iter().filter(|it| !has_weight(it)).collect();
    if !reweighted.is_empty() {
        return Some(format!(
            "the client has other weights for {}",
            listed(&reweighted)
        ));
    }
    if ours.distribution() != theirs.distribution() {
        return Some(format!(
            "the client deals out keys by {}, here it is {}",
            theirs.distribution().method().name(),
            ours.distribution().method().name()
        ));
    }
    let is_reordered = ours.members() != theirs.members();
    is_reordered.then(|| "the client has them in another order".to_owned())
}

/// The servers whose names are not among the others.
fn without<'a>(servers: &'a [Member], others: &[Member]) -> Vec<&'a Member> {
    let is_missing = |server: &&Member| others.iter().all(|other| other.name() != server.name());
    servers.iter().filter(is_missing).collect()
}

fn listed(servers: &[&Member]) -> String {
    let named: Vec<String> = servers.iter().take(NAMED).map(|it| it.name()).collect();
    match servers.len().saturating_sub(NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

fn fewer_hits(known: &Known<'_>, client: &ClientSide) -> Option<Advice> {
    let now = known.snapshot.at;
    let servers = recent(&known.snapshot.history, Series::HitRate, now)?;
    let got = recent(&client.history, Series::HitRate, now)?;
    let less = servers - got;
    if less < LESS {
        return None;
    }
    let failures = client
        .failures_per_second
        .filter(|failures| *failures > 0.0);
    let failures = failures.map_or_else(String::new, |failures| {
        format!("; {} of reads failed", rate(failures))
    });
    Some(Advice {
        title: "A client gets less than the servers find".to_owned(),
        evidence: format!(
            "{} of its reads end with a value, {} hit on the servers{failures}",
            percent(got),
            percent(servers)
        ),
        formula: "client: hits / (hits + misses + failures); servers: Δget_hits / Δ(get_hits + \
                  get_misses)",
        remedy: Remedy::new(
            "Reads that time out or cannot be sent look like misses to the application. See which \
             node is slow or down, and whether the client's time-out is shorter than its answers \
             take.",
        ),
        weight: less,
        ..advice(known, AdviceKind::ClientMisses)
    })
}

#[cfg(test)]
mod tests {
    use memlens::ring::{Member, Profile, Ring};

    use super::difference;

    fn ring(servers: &[(&str, u32)], profile: Profile) -> Ring {
        let member = |(host, weight): &(&str, u32)| Member::tcp(*host, 1).with_weight(*weight);
        Ring::new(servers.iter().map(member).collect::<Vec<_>>(), profile).unwrap()
    }

    #[test]
    fn each_difference_is_called_by_its_name() {
        let ketama = Profile::default();
        let ours = ring(&[("a", 1), ("b", 1), ("c", 1)], ketama);
        let told = |servers: &[(&str, u32)], profile| difference(&ours, &ring(servers, profile));
        assert_eq!(told(&[("a", 1), ("b", 1), ("c", 1)], ketama), None);
        let text = |servers: &[(&str, u32)], profile| told(servers, profile).unwrap();
        let all = [("a", 1), ("b", 1), ("c", 1)];
        assert_eq!(text(&all[..2], ketama), "the client lacks c:1");
        let more = [("a", 1), ("b", 1), ("c", 1), ("d", 1)];
        assert_eq!(text(&more, ketama), "the client also has d:1");
        let heavy = [("a", 1), ("b", 2), ("c", 1)];
        assert_eq!(text(&heavy, ketama), "the client has other weights for b:1");
        let turned = [("b", 1), ("a", 1), ("c", 1)];
        assert!(text(&turned, ketama).contains("another order"));
        assert!(text(&all, Profile::CRC32_MODULO).contains("deals out keys by modulo"));
    }
}
