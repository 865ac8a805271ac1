//! A texture, and its colour at a place between texels.

use egui::{Color32, ColorImage, ImageData};

/// An image to take colours from.
#[derive(Debug)]
pub(super) struct Texture {
    image: ColorImage,
}

impl Texture {
    pub(super) fn new(data: ImageData) -> Self {
        let ImageData::Color(image) = data;
        Self {
            image: image.as_ref().clone(),
        }
    }

    /// Replaces a part. What does not fit is left out.
    pub(super) fn patch(&mut self, [left, top]: [usize; 2], data: &ImageData) {
        let ImageData::Color(patch) = data;
        let [width, height] = self.image.size;
        let columns = patch.width().min(width.saturating_sub(left));
        for row in 0..patch.height().min(height.saturating_sub(top)) {
            let from = row * patch.width();
            let to = (top + row) * width + left;
            self.image.pixels[to..to + columns]
                .copy_from_slice(&patch.pixels[from..from + columns]);
        }
    }

    /// The colour at `u`, `v`, both 0 to 1, each of the four texels round it having its share.
    pub(super) fn sample(&self, u: f32, v: f32) -> [f32; 4] {
        let [width, height] = self.image.size;
        let x = u * width as f32 - 0.5;
        let y = v * height as f32 - 0.5;
        let (left, top) = (x.floor(), y.floor());
        let (right_share, lower_share) = (x - left, y - top);
        let texel = |column: f32, row: f32| {
            let column = column.clamp(0.0, (width - 1) as f32) as usize;
            let row = row.clamp(0.0, (height - 1) as f32) as usize;
            self.image.pixels[row * width + column]
        };
        // Text lies on whole pixels nearly always, where one texel is the answer.
        if right_share < 1e-3 && lower_share < 1e-3 {
            return channels(texel(left, top));
        }
        let upper = blend(texel(left, top), texel(left + 1.0, top), right_share);
        let lower = blend(
            texel(left, top + 1.0),
            texel(left + 1.0, top + 1.0),
            right_share,
        );
        std::array::from_fn(|i| upper[i] + (lower[i] - upper[i]) * lower_share)
    }

    /// The colour of all of it, when it has but one: shapes without a picture use such a place.
    pub(super) fn nearest(&self, u: f32, v: f32) -> Color32 {
        let [width, height] = self.image.size;
        let column = ((u * width as f32) as usize).min(width - 1);
        let row = ((v * height as f32) as usize).min(height - 1);
        self.image.pixels[row * width + column]
    }
}

fn blend(from: Color32, to: Color32, share: f32) -> [f32; 4] {
    let (from, to) = (channels(from), channels(to));
    std::array::from_fn(|i| from[i] + (to[i] - from[i]) * share)
}

/// Red, green, blue and alpha, 0 to 255.
pub(super) fn channels(color: Color32) -> [f32; 4] {
    color.to_array().map(f32::from)
}
