//! Filling one triangle.

use egui::{Color32, ColorImage};

use super::Bounds;
use super::texture::{Texture, channels};

/// Parts of a pixel that corners are rounded to, so that edges which two triangles share are the
/// same for both and no pixel between them is drawn twice or not at all.
const SUBPIXELS: f32 = 256.0;

/// Corners farther out than this many pixels are not drawn; products of them would overflow.
const FARTHEST: f32 = 1e6;

/// A corner in pixels, with what is spread between corners.
#[derive(Debug, Clone, Copy)]
pub(super) struct Corner {
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) u: f32,
    pub(super) v: f32,
    pub(super) color: Color32,
}

/// A line from one corner to the next: positive on the triangle's side.
#[derive(Debug, Clone, Copy)]
struct Edge {
    per_column: i64,
    per_row: i64,
    at_origin: i64,
}

/// A triangle that covers an area, its corners clockwise on the screen.
#[derive(Debug)]
pub(super) struct Triangle {
    corners: [Corner; 3],
    edges: [Edge; 3],
    area: f32,
}

impl Triangle {
    /// `None` for a triangle without area, or with a corner out of this world.
    pub(super) fn new(mut corners: [Corner; 3]) -> Option<Self> {
        let fixed = |value: f32| (value * SUBPIXELS).round() as i64;
        if !corners
            .iter()
            .all(|corner| corner.x.abs() < FARTHEST && corner.y.abs() < FARTHEST)
        {
            return None;
        }
        let mut points = corners.map(|corner| (fixed(corner.x), fixed(corner.y)));
        let doubled_area =
            |[a, b, c]: [(i64, i64); 3]| (b.0 - a.0) * (c.1 - a.1) - (b.1 - a.1) * (c.0 - a.0);
        let mut area = doubled_area(points);
        if area < 0 {
            corners.swap(1, 2);
            points.swap(1, 2);
            area = -area;
        }
        if area == 0 {
            return None;
        }
        let [a, b, c] = points;
        Some(Self {
            corners,
            edges: [Edge::new(b, c), Edge::new(c, a), Edge::new(a, b)],
            area: area as f32,
        })
    }

    pub(super) fn fill(&self, image: &mut ColorImage, texture: &Texture, bounds: Bounds) {
        let xs = self.corners.map(|corner| corner.x);
        let ys = self.corners.map(|corner| corner.y);
        let left = (least(xs).floor() as i32).max(bounds.left);
        let right = (most(xs).ceil() as i32).min(bounds.right);
        let top = (least(ys).floor() as i32).max(bounds.top);
        let bottom = (most(ys).ceil() as i32).min(bounds.bottom);
        let flat = self.flat_color(texture);
        let width = image.width();
        for row in top..bottom {
            let Some((from, to)) = self.span(row, left, right) else {
                continue;
            };
            let start = row as usize * width;
            let pixels = &mut image.pixels[start + from as usize..start + to as usize];
            match flat {
                Some(color) => fill_flat(pixels, color),
                None => self.fill_shaded(pixels, texture, row, from),
            }
        }
    }

    /// The colour of the whole triangle, when it has but one.
    fn flat_color(&self, texture: &Texture) -> Option<[f32; 4]> {
        let [a, b, c] = &self.corners;
        let is_same = |other: &Corner| a.color == other.color && a.u == other.u && a.v == other.v;
        (is_same(b) && is_same(c))
            .then(|| tinted(channels(texture.nearest(a.u, a.v)), channels(a.color)))
    }

    /// The columns of a row whose centres lie inside: the triangle has no holes.
    fn span(&self, row: i32, left: i32, right: i32) -> Option<(i32, i32)> {
        let (mut from, mut to) = (i64::from(left), i64::from(right));
        for edge in &self.edges {
            let at_zero = edge.at_origin + edge.per_row * i64::from(row);
            match edge.per_column {
                0 if at_zero < 0 => return None,
                0 => {}
                // at_zero + per_column · column ≥ 0
                step if step > 0 => {
                    let rounded_up = i64::from((-at_zero).rem_euclid(step) != 0);
                    from = from.max((-at_zero).div_euclid(step) + rounded_up);
                }
                step => to = to.min(at_zero.div_euclid(-step) + 1),
            }
        }
        (from < to).then_some((from as i32, to as i32))
    }

    fn fill_shaded(&self, pixels: &mut [Color32], texture: &Texture, row: i32, from: i32) {
        let shares = self.edges.map(|edge| edge.exact(from, row) / self.area);
        let steps = self.edges.map(|edge| edge.per_column as f32 / self.area);
        let colors = self.corners.map(|corner| channels(corner.color));
        let one_texel = self
            .corners
            .iter()
            .all(|corner| corner.u == self.corners[0].u && corner.v == self.corners[0].v);
        let texel = channels(texture.nearest(self.corners[0].u, self.corners[0].v));
        for (pixel, column) in pixels.iter_mut().zip(0..) {
            let shares: [f32; 3] = std::array::from_fn(|i| shares[i] + steps[i] * column as f32);
            let mean = |values: [f32; 3]| {
                shares[0] * values[0] + shares[1] * values[1] + shares[2] * values[2]
            };
            let color = std::array::from_fn(|i| mean(colors.map(|color| color[i])));
            let texel = if one_texel {
                texel
            } else {
                let u = mean(self.corners.map(|corner| corner.u));
                let v = mean(self.corners.map(|corner| corner.v));
                texture.sample(u, v)
            };
            *pixel = over(tinted(texel, color), *pixel);
        }
    }
}

impl Edge {
    fn new(from: (i64, i64), to: (i64, i64)) -> Self {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let scale = SUBPIXELS as i64;
        let half = scale / 2;
        // Positive on the right of the way from one corner to the next, y pointing down.
        let at_first_centre = dx * (half - from.1) - dy * (half - from.0);
        // A pixel centre right on an edge belongs to the triangle below it or on its right.
        let owns_edge = dy < 0 || (dy == 0 && dx > 0);
        Self {
            per_column: -dy * scale,
            per_row: dx * scale,
            at_origin: at_first_centre - i64::from(!owns_edge),
        }
    }

    fn exact(&self, column: i32, row: i32) -> f32 {
        let value =
            self.at_origin + self.per_row * i64::from(row) + self.per_column * i64::from(column);
        value as f32
    }
}

fn fill_flat(pixels: &mut [Color32], color: [f32; 4]) {
    if color[3] >= 254.5 {
        pixels.fill(over(color, Color32::TRANSPARENT));
    } else if color[3] > 0.0 || color[..3].iter().any(|channel| *channel > 0.0) {
        for pixel in pixels {
            *pixel = over(color, *pixel);
        }
    }
}

fn tinted(texel: [f32; 4], color: [f32; 4]) -> [f32; 4] {
    std::array::from_fn(|i| texel[i] * color[i] / 255.0)
}

/// `color` over what is there, both premultiplied.
fn over(color: [f32; 4], below: Color32) -> Color32 {
    let kept = 1.0 - color[3] / 255.0;
    let below = channels(below);
    let [r, g, b, a] = std::array::from_fn(|i| (color[i] + below[i] * kept + 0.5) as u8);
    Color32::from_rgba_premultiplied(r, g, b, a)
}

fn least(values: [f32; 3]) -> f32 {
    values.into_iter().fold(f32::INFINITY, f32::min)
}

fn most(values: [f32; 3]) -> f32 {
    values.into_iter().fold(f32::NEG_INFINITY, f32::max)
}
