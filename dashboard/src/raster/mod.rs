//! Draws what egui tessellated into an image, with the processor alone.
//!
//! So a view can be rendered where there is neither a graphics card nor a display: for
//! `--screenshot`, and for the tests that compare images. It follows the rules by which graphics
//! cards fill triangles (a pixel belongs to the triangle that its centre lies in, and an edge to
//! the triangle on its lower right), and blends premultiplied colours in gamma space as egui's own
//! painters do.

mod texture;
mod triangle;

use std::collections::HashMap;

use egui::epaint::{Mesh, Primitive};
use egui::{ClippedPrimitive, Color32, ColorImage, Rect, TextureId, TexturesDelta};

use texture::Texture;
use triangle::{Corner, Triangle};

/// A painter with the textures that egui told it of.
#[derive(Debug, Default)]
pub struct Rasterizer {
    textures: HashMap<TextureId, Texture>,
}

/// The part of the image that may be drawn to, in whole pixels.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    left: i32,
    top: i32,
    right: i32,
    bottom: i32,
}

impl Rasterizer {
    /// Takes in new and changed textures, and forgets those that are gone.
    pub fn apply(&mut self, delta: &mut TexturesDelta) {
        for (id, changes) in delta.set.drain() {
            for change in changes {
                match change.pos {
                    None => {
                        self.textures.insert(id, Texture::new(change.image));
                    }
                    Some(position) => {
                        if let Some(texture) = self.textures.get_mut(&id) {
                            texture.patch(position, &change.image);
                        }
                    }
                }
            }
        }
        for id in delta.free.drain() {
            self.textures.remove(&id);
        }
    }

    /// Draws one frame of `size` pixels over `background`.
    ///
    /// A shape whose texture is unknown is left out, and so are paint callbacks, which need a
    /// graphics card.
    #[must_use]
    pub fn draw(
        &self,
        size: [usize; 2],
        pixels_per_point: f32,
        primitives: &[ClippedPrimitive],
        background: Color32,
    ) -> ColorImage {
        let mut image = ColorImage::filled(size, background);
        for clipped in primitives {
            let Primitive::Mesh(mesh) = &clipped.primitive else {
                continue;
            };
            let Some(texture) = self.textures.get(&mesh.texture_id) else {
                continue;
            };
            let bounds = Bounds::of(clipped.clip_rect, pixels_per_point, size);
            draw_mesh(&mut image, mesh, texture, pixels_per_point, bounds);
        }
        image
    }
}

impl Bounds {
    fn of(clip: Rect, pixels_per_point: f32, [width, height]: [usize; 2]) -> Self {
        let pixel = |points: f32, most: usize| {
            ((points * pixels_per_point).round() as i32).clamp(0, most as i32)
        };
        Self {
            left: pixel(clip.min.x, width),
            top: pixel(clip.min.y, height),
            right: pixel(clip.max.x, width),
            bottom: pixel(clip.max.y, height),
        }
    }
}

fn draw_mesh(image: &mut ColorImage, mesh: &Mesh, texture: &Texture, scale: f32, bounds: Bounds) {
    for indices in mesh.indices.chunks_exact(3) {
        let corner = |index: u32| {
            let vertex = mesh.vertices.get(index as usize)?;
            Some(Corner {
                x: vertex.pos.x * scale,
                y: vertex.pos.y * scale,
                u: vertex.uv.x,
                v: vertex.uv.y,
                color: vertex.color,
            })
        };
        let (Some(a), Some(b), Some(c)) =
            (corner(indices[0]), corner(indices[1]), corner(indices[2]))
        else {
            continue;
        };
        if let Some(triangle) = Triangle::new([a, b, c]) {
            triangle.fill(image, texture, bounds);
        }
    }
}

#[cfg(test)]
mod tests {
    use egui::epaint::{ImageDelta, Mesh, Primitive};
    use egui::{
        ClippedPrimitive, Color32, ColorImage, Rect, TextureId, TextureOptions, TexturesDelta,
        pos2, vec2,
    };

    use super::Rasterizer;

    const WHITE: TextureId = TextureId::Managed(0);

    fn painter() -> Rasterizer {
        let mut delta = TexturesDelta::default();
        let white = ColorImage::filled([1, 1], Color32::WHITE);
        delta
            .set
            .entry(WHITE)
            .or_default()
            .push(ImageDelta::full(white, TextureOptions::LINEAR));
        let mut painter = Rasterizer::default();
        painter.apply(&mut delta);
        painter
    }

    fn draw(painter: &Rasterizer, mesh: Mesh, clip: Rect) -> ColorImage {
        let primitive = ClippedPrimitive {
            clip_rect: clip,
            primitive: Primitive::Mesh(mesh),
        };
        painter.draw([8, 8], 1.0, &[primitive], Color32::BLACK)
    }

    fn everything() -> Rect {
        Rect::from_min_size(pos2(0.0, 0.0), vec2(8.0, 8.0))
    }

    #[test]
    fn a_rectangle_covers_its_pixels_once_and_no_others() {
        let mut mesh = Mesh::with_texture(WHITE);
        let half = Color32::from_rgba_premultiplied(100, 0, 0, 100);
        mesh.add_colored_rect(Rect::from_min_max(pos2(2.0, 1.0), pos2(5.0, 4.0)), half);
        let image = draw(&painter(), mesh, everything());
        for y in 0..8 {
            for x in 0..8 {
                // Where both triangles meet, a pixel drawn twice would be brighter than 100.
                let expected = if (2..5).contains(&x) && (1..4).contains(&y) {
                    100
                } else {
                    0
                };
                assert_eq!(image[(x, y)].r(), expected, "{x},{y}");
            }
        }
    }

    #[test]
    fn nothing_is_drawn_outside_the_clip_rectangle_or_the_image() {
        let mut mesh = Mesh::with_texture(WHITE);
        mesh.add_colored_rect(
            Rect::from_min_max(pos2(-1e5, -50.0), pos2(1e5, 50.0)),
            Color32::WHITE,
        );
        let clip = Rect::from_min_max(pos2(3.0, 3.0), pos2(4.0, 100.0));
        let image = draw(&painter(), mesh, clip);
        let drawn = image.pixels.iter().filter(|pixel| pixel.r() > 0).count();
        assert_eq!(drawn, 5);
    }

    #[test]
    fn colours_change_evenly_between_corners() {
        let mut mesh = Mesh::with_texture(WHITE);
        mesh.add_rect_with_uv(everything(), everything(), Color32::WHITE);
        for vertex in mesh.vertices.iter_mut().filter(|vertex| vertex.pos.x < 1.0) {
            vertex.color = Color32::BLACK;
        }
        let image = draw(&painter(), mesh, everything());
        let row: Vec<_> = (0..8).map(|x| image[(x, 3)].r()).collect();
        assert!(row.is_sorted() && row[0] < 32 && row[7] > 223, "{row:?}");
    }

    #[test]
    fn corners_that_are_no_numbers_are_left_out() {
        let mut mesh = Mesh::with_texture(WHITE);
        mesh.add_colored_rect(everything(), Color32::WHITE);
        mesh.vertices[0].pos.x = f32::NAN;
        mesh.vertices[3].pos.y = f32::INFINITY;
        let image = draw(&painter(), mesh, everything());
        assert!(image.pixels.iter().all(|pixel| *pixel == Color32::BLACK));
    }
}
