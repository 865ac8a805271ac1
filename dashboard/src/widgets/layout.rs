//! Dividing a rectangle, and drawing inside a part of it.

use egui::{Layout, Rect, Ui, UiBuilder, pos2};

/// How much of the length one part gets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Split {
    /// So many points.
    Exact(f32),
    /// A share of what is left, in proportion to this weight.
    Share(f32),
}

/// Parts of `rect` beside each other, `gap` points apart.
#[must_use]
pub fn columns(rect: Rect, gap: f32, parts: &[Split]) -> Vec<Rect> {
    lengths(rect.width(), gap, parts)
        .map(|(from, length)| {
            let left = rect.left() + from;
            Rect::from_min_max(pos2(left, rect.top()), pos2(left + length, rect.bottom()))
        })
        .collect()
}

/// Parts of `rect` below each other, `gap` points apart.
#[must_use]
pub fn rows(rect: Rect, gap: f32, parts: &[Split]) -> Vec<Rect> {
    lengths(rect.height(), gap, parts)
        .map(|(from, length)| {
            let top = rect.top() + from;
            Rect::from_min_max(pos2(rect.left(), top), pos2(rect.right(), top + length))
        })
        .collect()
}

/// Draws in `rect` and nowhere else, from the top.
pub fn place<R>(ui: &mut Ui, rect: Rect, draw: impl FnOnce(&mut Ui) -> R) -> R {
    // Parts beside each other need names of their own, or what lies in them has the same ones.
    let builder = UiBuilder::new()
        .id_salt(ui.next_auto_id())
        .max_rect(rect)
        .layout(Layout::top_down(egui::Align::Min));
    let mut child = ui.new_child(builder);
    child.set_clip_rect(rect.expand(1.0).intersect(ui.clip_rect()));
    draw(&mut child)
}

/// Where each part begins, and how long it is.
fn lengths(whole: f32, gap: f32, parts: &[Split]) -> impl Iterator<Item = (f32, f32)> {
    let gaps = gap * parts.len().saturating_sub(1) as f32;
    let (mut exact, mut weights) = (0.0, 0.0);
    for part in parts {
        match part {
            Split::Exact(length) => exact += length,
            Split::Share(weight) => weights += weight,
        }
    }
    let left = (whole - gaps - exact).max(0.0);
    let mut next = 0.0;
    parts.iter().map(move |part| {
        let length = match part {
            Split::Exact(length) => *length,
            Split::Share(weight) => left * weight / weights,
        };
        let from = next;
        next += length + gap;
        (from, length)
    })
}

#[cfg(test)]
mod tests {
    use egui::{Rect, pos2, vec2};

    use super::{Split, columns, rows};

    #[test]
    fn exact_parts_get_theirs_and_the_others_share_what_is_left() {
        let rect = Rect::from_min_size(pos2(10.0, 0.0), vec2(320.0, 100.0));
        let parts = [Split::Exact(100.0), Split::Share(1.0), Split::Share(3.0)];
        let widths: Vec<_> = columns(rect, 10.0, &parts)
            .iter()
            .map(|part| (part.left(), part.width()))
            .collect();
        assert_eq!(widths, [(10.0, 100.0), (120.0, 50.0), (180.0, 150.0)]);
    }

    #[test]
    fn too_little_room_leaves_nothing_rather_than_less() {
        let rect = Rect::from_min_size(pos2(0.0, 0.0), vec2(10.0, 50.0));
        let parts = rows(rect, 8.0, &[Split::Exact(60.0), Split::Share(1.0)]);
        assert_eq!(parts[1].height(), 0.0);
    }
}
