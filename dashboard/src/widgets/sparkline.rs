//! A small line without axes: how a figure went lately.

use egui::{Color32, Pos2, Rect, Shape, Stroke, Ui, pos2, remap};

/// Paints `values`, oldest first, evenly over `rect`; `None` is a gap. A line of equal values lies
/// in the middle.
pub fn sparkline(ui: &Ui, rect: Rect, values: &[Option<f32>], color: Color32) {
    let known = values.iter().flatten().copied();
    let (least, most) = known.fold(
        (f32::INFINITY, f32::NEG_INFINITY),
        |(least, most), value| (least.min(value), most.max(value)),
    );
    if least > most || values.len() < 2 {
        return;
    }
    let last = (values.len() - 1) as f32;
    let mut run: Vec<Pos2> = Vec::with_capacity(values.len());
    let stroke = Stroke::new(1.5, color);
    for (index, value) in values.iter().enumerate() {
        match value {
            Some(value) => {
                let x = rect.left() + rect.width() * index as f32 / last;
                let y = if most > least {
                    remap(*value, least..=most, rect.bottom()..=rect.top())
                } else {
                    rect.center().y
                };
                run.push(pos2(x, y));
            }
            None => draw_run(ui, &mut run, stroke),
        }
    }
    draw_run(ui, &mut run, stroke);
}

fn draw_run(ui: &Ui, run: &mut Vec<Pos2>, stroke: Stroke) {
    match run.len() {
        0 => {}
        1 => {
            ui.painter()
                .circle_filled(run[0], stroke.width, stroke.color);
        }
        _ => {
            ui.painter().add(Shape::line(std::mem::take(run), stroke));
        }
    }
    run.clear();
}
