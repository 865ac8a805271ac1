//! A circle of arcs, as one mesh: thousands of shapes would cost more than all the rest of a frame.

use std::f32::consts::{FRAC_PI_2, TAU};
use std::sync::Arc;

use egui::{Color32, Mesh, Pos2, Rect, Shape, Stroke, Ui, Vec2};

use crate::theme::Theme;

/// The longest piece of an arc that is drawn straight, as a part of a turn.
const STRAIGHT: f32 = 1.0 / 360.0;

/// A stretch of the circle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stretch {
    /// Where it begins, as a part of a turn from the top, clockwise.
    pub start: f32,
    /// Where it ends.
    pub end: f32,
    /// Its colour.
    pub color: Color32,
}

/// Where a circle of arcs lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Donut {
    /// The middle.
    pub centre: Pos2,
    /// Radius of the outer edge, in points.
    pub outer: f32,
    /// Radius of the inner edge, in points.
    pub inner: f32,
}

impl Donut {
    /// The largest one in `rect`, with room around it for marks.
    #[must_use]
    pub fn within(rect: Rect, margin: f32) -> Self {
        let outer = (rect.width().min(rect.height()) / 2.0 - margin).max(8.0);
        Self {
            centre: rect.center(),
            outer,
            inner: outer * 0.80,
        }
    }

    /// The same with other radii, for a ring of marks around it.
    #[must_use]
    pub const fn with_radii(self, inner: f32, outer: f32) -> Self {
        Self {
            inner,
            outer,
            ..self
        }
    }

    /// The direction of a place on the circle.
    #[must_use]
    pub fn direction(turn: f32) -> Vec2 {
        Vec2::angled(turn * TAU - FRAC_PI_2)
    }

    /// A point at this turn and radius.
    #[must_use]
    pub fn point(&self, turn: f32, radius: f32) -> Pos2 {
        self.centre + Self::direction(turn) * radius
    }

    /// Which place of the circle lies under `position`; `None` beside the ring.
    #[must_use]
    pub fn turn_at(&self, position: Pos2) -> Option<f32> {
        let from_centre = position - self.centre;
        let slack = 6.0;
        let on_ring = (self.inner - slack..=self.outer + slack).contains(&from_centre.length());
        on_ring.then(|| ((from_centre.angle() + FRAC_PI_2) / TAU).rem_euclid(1.0))
    }

    /// The stretches as one mesh.
    #[must_use]
    pub fn mesh(&self, stretches: impl IntoIterator<Item = Stretch>) -> Mesh {
        let mut mesh = Mesh::default();
        for stretch in stretches {
            self.add(&mut mesh, stretch);
        }
        mesh
    }

    /// How wide a part of a turn has to be to be as wide as this many points.
    #[must_use]
    pub fn turn_of(&self, points: f32) -> f32 {
        points / (TAU * self.outer)
    }

    fn add(&self, mesh: &mut Mesh, stretch: Stretch) {
        let width = stretch.end - stretch.start;
        let pieces = (width / STRAIGHT).ceil().max(1.0) as u32;
        let first = mesh.vertices.len() as u32;
        for edge in 0..=pieces {
            let direction = Self::direction(stretch.start + width * edge as f32 / pieces as f32);
            mesh.colored_vertex(self.centre + direction * self.inner, stretch.color);
            mesh.colored_vertex(self.centre + direction * self.outer, stretch.color);
        }
        for piece in 0..pieces {
            let corner = first + piece * 2;
            mesh.add_triangle(corner, corner + 1, corner + 2);
            mesh.add_triangle(corner + 1, corner + 3, corner + 2);
        }
    }

    /// Paints a mesh of this circle, with smooth edges.
    pub fn paint(&self, ui: &Ui, mesh: &Arc<Mesh>) {
        let background = Theme::of(ui).panel;
        let painter = ui.painter();
        painter.add(Shape::Mesh(Arc::clone(mesh)));
        let edge = Stroke::new(1.5, background);
        painter.circle_stroke(self.centre, self.outer, edge);
        painter.circle_stroke(self.centre, self.inner, edge);
    }
}

#[cfg(test)]
mod tests {
    use egui::{Color32, Rect, pos2, vec2};

    use super::{Donut, Stretch};

    fn donut() -> Donut {
        Donut::within(
            Rect::from_min_size(pos2(0.0, 0.0), vec2(300.0, 200.0)),
            10.0,
        )
    }

    #[test]
    fn a_place_is_found_where_it_is_painted() {
        let donut = donut();
        assert_eq!((donut.centre, donut.outer), (pos2(150.0, 100.0), 90.0));
        for turn in [0.0, 0.1, 0.25, 0.6, 0.99] {
            let found = donut.turn_at(donut.point(turn, 80.0)).unwrap();
            assert!((found - turn).abs() < 1e-4, "{turn} {found}");
        }
        assert_eq!(donut.turn_at(donut.centre), None);
        assert!(donut.point(0.0, 90.0).y < 11.0, "it begins at the top");
        assert!(donut.point(0.25, 90.0).x > 239.0, "and goes on clockwise");
    }

    #[test]
    fn all_stretches_are_one_mesh_that_stays_within_the_ring() {
        let donut = donut();
        let stretch = |start: f32, end: f32| Stretch {
            start,
            end,
            color: Color32::WHITE,
        };
        let mesh = donut.mesh([stretch(0.0, 0.5), stretch(0.5, 0.5001), stretch(0.6, 1.0)]);
        assert!(mesh.is_valid());
        for vertex in &mesh.vertices {
            let radius = (vertex.pos - donut.centre).length();
            assert!((donut.inner - 0.01..=donut.outer + 0.01).contains(&radius));
        }
    }
}
