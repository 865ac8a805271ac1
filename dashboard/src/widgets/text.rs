//! Painting text where it belongs, and giving names to what is painted.

use egui::text::{LayoutJob, TextWrapping};
use egui::{Align2, Color32, FontId, Rect, Response, Role, TextFormat, Ui, WidgetInfo};

/// Paints one line inside `rect`, cut with "…" where it does not fit. Returns the place it takes.
pub fn paint_text(
    ui: &Ui,
    rect: Rect,
    align: Align2,
    text: &str,
    font: FontId,
    color: Color32,
) -> Rect {
    let galley = elided(ui, text, font, color, rect.width());
    let place = align.align_size_within_rect(galley.size(), rect);
    ui.painter().galley(place.min, galley, color);
    place
}

/// Lays out one line of at most `width` points.
pub fn elided(
    ui: &Ui,
    text: &str,
    font: FontId,
    color: Color32,
    width: f32,
) -> std::sync::Arc<egui::Galley> {
    let mut job = LayoutJob::single_section(text.to_owned(), TextFormat::simple(font, color));
    job.wrap = TextWrapping::truncate_at_width(width.max(0.0));
    ui.fonts_mut(|fonts| fonts.layout_job(job))
}

/// As [`named`], with a name that is only made when somebody listens: for what there are hundreds of.
pub fn named_by(response: Response, kind: Role, name: impl Fn() -> String) -> Response {
    let enabled = response.enabled();
    response.widget_info(|| WidgetInfo::labeled(kind, enabled, name()));
    response
}

/// Names what was painted, for screen readers and tests.
pub fn named(response: Response, kind: Role, name: impl Into<String>) -> Response {
    let (name, enabled) = (name.into(), response.enabled());
    response.widget_info(|| WidgetInfo::labeled(kind, enabled, &name));
    response
}
