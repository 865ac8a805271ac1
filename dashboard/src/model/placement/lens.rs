//! A small part of the circle, large enough to see its arcs.

use memlens::ring::{Ring, RingArc};

/// How many arcs of mean width a lens shows.
const ARCS: f64 = 16.0;

/// A part of the circle with its arcs.
#[derive(Clone, Debug, PartialEq)]
pub struct Lens {
    /// Where it begins, as a fraction of a turn; less than 0 if it reaches over the beginning.
    pub start: f64,
    /// Where it ends; more than 1 if it reaches over the end.
    pub end: f64,
    /// Its arcs without a gap; neighbours that belong to one node are one.
    pub arcs: Vec<LensArc>,
}

/// An arc, from 0 at the lens's start to 1 at its end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LensArc {
    /// Where it begins.
    pub start: f64,
    /// Where it ends.
    pub end: f64,
    /// The index of its node.
    pub node: usize,
}

impl Lens {
    /// The neighbourhood of `turn`, as wide as suits the number of arcs. `None` for a ring without
    /// arcs.
    #[must_use]
    pub fn around(ring: &Ring, turn: f64) -> Option<Self> {
        let arcs: Vec<RingArc> = ring.arcs().collect();
        let half = (ARCS / 2.0 / arcs.len().max(1) as f64).min(0.5);
        Self::between(&arcs, turn - half, turn + half)
    }

    /// The part of another ring that this lens shows, to compare.
    #[must_use]
    pub fn of_other(&self, ring: &Ring) -> Option<Self> {
        let arcs: Vec<RingArc> = ring.arcs().collect();
        Self::between(&arcs, self.start, self.end)
    }

    fn between(arcs: &[RingArc], start: f64, end: f64) -> Option<Self> {
        let width = end - start;
        let mut seen: Vec<LensArc> = Vec::new();
        // Once around in both directions, for the beginning and the end are neighbours.
        for shift in [-1.0, 0.0, 1.0] {
            for arc in arcs {
                let from = (arc.start + shift).max(start);
                let to = (arc.end + shift).min(end);
                if to <= from {
                    continue;
                }
                let (from, to) = ((from - start) / width, (to - start) / width);
                match seen.last_mut() {
                    Some(last) if last.node == arc.node => last.end = to,
                    _ => seen.push(LensArc {
                        start: from,
                        end: to,
                        node: arc.node,
                    }),
                }
            }
        }
        (!seen.is_empty()).then_some(Self {
            start,
            end,
            arcs: seen,
        })
    }
}

#[cfg(test)]
mod tests {
    use memlens::ring::{Member, Profile, Ring};

    use super::Lens;

    fn ring(count: u16, profile: Profile) -> Ring {
        let members: Vec<Member> = (1..=count).map(|port| Member::tcp("a", port)).collect();
        Ring::new(members, profile).unwrap()
    }

    #[test]
    fn a_lens_has_no_gap_and_shows_the_owner_of_its_middle() {
        let ring = ring(20, Profile::default());
        for key in ["user:42", "user:1", "x", "page:7"] {
            let probe = crate::model::placement::Probe::new(&ring, key).unwrap();
            let lens = Lens::around(&ring, probe.turn.unwrap()).unwrap();
            assert_eq!(
                (lens.arcs[0].start, lens.arcs.last().unwrap().end),
                (0.0, 1.0)
            );
            assert!(
                lens.arcs
                    .windows(2)
                    .all(|pair| pair[0].end == pair[1].start)
            );
            let middle = lens.arcs.iter().find(|arc| arc.end >= 0.5).unwrap();
            assert_eq!(middle.node, probe.node, "{key}");
            assert!((3..60).contains(&lens.arcs.len()), "{}", lens.arcs.len());
            assert_eq!(lens.of_other(&ring).as_ref(), Some(&lens));
        }
    }

    #[test]
    fn the_ends_of_the_circle_are_neighbours() {
        let ring = ring(20, Profile::default());
        let lens = Lens::around(&ring, 0.0).unwrap();
        assert!(lens.start < 0.0 && lens.arcs[0].start == 0.0);
        assert_eq!(lens.arcs.last().unwrap().end, 1.0);
        assert!(Lens::around(&ring, 1.0).is_some());
    }

    #[test]
    fn one_node_is_one_arc_and_no_points_are_no_lens() {
        assert_eq!(
            Lens::around(&ring(1, Profile::default()), 0.3)
                .unwrap()
                .arcs
                .len(),
            1
        );
        assert_eq!(Lens::around(&ring(3, Profile::JUMP), 0.3), None);
    }
}
