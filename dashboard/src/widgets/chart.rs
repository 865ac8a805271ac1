//! Lines over time, with a band behind them and marks where something happened.

use egui::{Color32, Id, Role, Sense, Ui, vec2};
use egui_plot::{
    FilledArea, GridMark, HLine, HoverPosition, LineStyle, Plot, PlotPoint, PlotPoints, Text, VLine,
};

use super::named;
use crate::theme::{SMALL, Theme, regular};

/// Height that a step of the value axis has at least, in points: less, and its label would be left
/// out.
const STEP_HEIGHT: f64 = 34.0;

/// A chart lower than this has no room for a time axis.
const LOW: f32 = 96.0;

/// Room at the right for the half of the last time's text, in points.
const LABEL_ROOM: f64 = 16.0;

/// About the width of a letter of a mark's text, and the height of a row of such texts, in points.
const LETTER: f64 = 6.6;
const MARK_ROW: f64 = 15.0;

/// As much of the chart at the left has no time written below it.
const LEFT_FREE: f64 = 0.03;

/// Width that a step of the time axis has at least, in points: less, and its text would be left out.
const TIME_WIDTH: f64 = 78.0;

/// Steps that the time axis has at most.
const TIME_STEPS: f64 = 6.0;

/// Steps of time that people count in, in seconds.
const ROUND_TIMES: [f64; 13] = [
    5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 14_400.0,
];

/// One line of a chart. Points that are too far apart are not joined: there was nothing between.
#[derive(Debug, Clone)]
pub struct Line {
    /// What it shows.
    pub name: String,
    /// Its colour.
    pub color: Color32,
    /// Points as x and y, in the order of x.
    pub points: Vec<[f64; 2]>,
    /// Whether it is drawn with gaps.
    pub is_dashed: bool,
}

/// A moment at which something happened.
#[derive(Debug, Clone)]
pub struct ChartMark {
    /// Where on the x axis.
    pub x: f64,
    /// What happened.
    pub text: String,
    /// Its colour.
    pub color: Color32,
}

/// A chart over time in seconds; x is 0 now and negative before.
pub struct Chart<'a> {
    /// What it shows.
    pub name: &'a str,
    /// From when until when, in seconds.
    pub x: [f64; 2],
    /// The least and the most that is always in sight.
    pub y: [f64; 2],
    /// The farthest two points of a line may be apart and still be joined, in seconds.
    pub longest_step: f64,
    /// The lines, the most important one last.
    pub lines: Vec<Line>,
    /// x, and from where to where.
    pub band: Vec<[f64; 3]>,
    /// What happened when.
    pub marks: Vec<ChartMark>,
    /// A level that everything is compared with, and what it is.
    pub level: Option<(f64, &'a str)>,
    /// In what values are counted: 1, or the bytes of a MiB.
    pub unit: f64,
    /// How a value is written.
    pub format: &'a dyn Fn(f64) -> String,
    /// How a time is written.
    pub time: &'a dyn Fn(f64) -> String,
    /// Charts with the same group show the pointer's moment together.
    pub group: Option<Id>,
}

impl std::fmt::Debug for Chart<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Chart")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Chart<'_> {
    /// Draws it in what is left of `ui`.
    pub fn show(self, ui: &mut Ui) {
        let theme = Theme::of(ui);
        let size = ui.available_size();
        if size.y < 24.0 || size.x < 40.0 {
            return;
        }
        let y = self.bounds();
        let (format, time, unit) = (self.format, self.time, self.unit);
        let names: Vec<_> = self
            .lines
            .iter()
            .map(|line| (line.name.clone(), line.points.clone()))
            .collect();
        let mut plot = Plot::new(self.name)
            .height(size.y)
            .show_background(false)
            .show_axes([size.y >= LOW, true])
            .show_grid([false, true])
            .grid_color(theme.line)
            .allow_drag(false)
            .allow_zoom(false)
            .allow_scroll(false)
            .allow_boxed_zoom(false)
            .allow_double_click_reset(false)
            .allow_axis_zoom_drag(false)
            .set_margin_fraction(vec2(0.0, 0.0))
            .show_crosshair(true)
            .cursor_color(theme.track)
            .sense(Sense::hover())
            .x_axis_formatter(move |mark: GridMark, _| time(mark.value))
            .y_axis_formatter(move |mark: GridMark, _| format(mark.value))
            .y_axis_min_width(46.0)
            .label_formatter(move |hover| {
                let (HoverPosition::NearDataPoint { position, .. }
                | HoverPosition::Elsewhere { position }) = hover;
                Some(reading(&names, position.x, format, time))
            });
        if let Some(group) = self.group {
            plot = plot.link_cursor(group, [true, false]);
        }
        let [left, right] = self.x;
        let steps = (f64::from(size.x) / TIME_WIDTH).clamp(1.0, TIME_STEPS);
        let step = time_step(right - left, steps);
        plot = plot.x_grid_spacer(move |_| {
            let marks = (0..20).map(|place| GridMark {
                value: right - f64::from(place) * step,
                step_size: step,
            });
            // The leftmost would be written over the lowest value.
            let first = left + (right - left) * LEFT_FREE;
            marks.take_while(|mark| mark.value >= first).collect()
        });
        plot = plot.y_grid_spacer(move |_| {
            let steps = (f64::from(size.y) / STEP_HEIGHT).clamp(1.5, 7.0);
            let step = round_up_step((y[1] - y[0]) / steps / unit) * unit;
            let marks = (0..20).map(|place| GridMark {
                value: ((y[0] / step).ceil() + f64::from(place)) * step,
                step_size: step,
            });
            marks.take_while(|mark| mark.value <= y[1]).collect()
        });
        let room = LABEL_ROOM / f64::from(size.x).max(1.0);
        let name = self.summary();
        ui.scope(|ui| {
            // The axes are written in what is the style's ordinary text.
            let styles = &mut ui.style_mut().text_styles;
            styles.insert(egui::TextStyle::Body, regular(SMALL - 0.5));
            ui.visuals_mut().override_text_color = Some(theme.text_faint);
            let shown = plot.show(ui, |plot_ui| {
                plot_ui.set_plot_bounds_x(left..=right + (right - left) * room);
                plot_ui.set_plot_bounds_y(y[0]..=y[1]);
                let point = [
                    (right - left) / f64::from(size.x),
                    (y[1] - y[0]) / f64::from(size.y),
                ];
                self.draw(plot_ui, theme, y[1], point);
            });
            named(shown.response, Role::Image, name);
        });
    }

    /// `point` is what a point on the screen stands for, across and up.
    fn draw<'p>(self, plot: &mut egui_plot::PlotUi<'p>, theme: &Theme, top: f64, point: [f64; 2]) {
        for run in runs(&self.band, self.longest_step) {
            let xs: Vec<_> = run.iter().map(|row| row[0]).collect();
            let low: Vec<_> = run.iter().map(|row| row[1]).collect();
            let high: Vec<_> = run.iter().map(|row| row[2]).collect();
            plot.add(FilledArea::new("band", &xs, &low, &high).fill_color(theme.accent_soft));
        }
        if let Some((level, name)) = self.level {
            let line = HLine::new(name, level).color(theme.track).width(1.0);
            plot.hline(line.style(LineStyle::dashed_loose()));
        }
        let mut taken = Vec::new();
        for mark in self.marks {
            let line = VLine::new(mark.text.clone(), mark.x)
                .color(mark.color)
                .width(1.0);
            plot.vline(line.style(LineStyle::dashed_dense()));
            let text = egui::RichText::new(format!(" {}", mark.text))
                .font(regular(SMALL))
                .color(mark.color);
            let width = LETTER * mark.text.chars().count() as f64 * point[0];
            let is_at_edge = mark.x + width > self.x[1];
            let from = if is_at_edge { mark.x - width } else { mark.x };
            let row = free_row(&mut taken, from, from + width);
            let place = PlotPoint::new(mark.x, top - row as f64 * MARK_ROW * point[1]);
            let anchor = if is_at_edge {
                egui::Align2::RIGHT_TOP
            } else {
                egui::Align2::LEFT_TOP
            };
            plot.text(Text::new(mark.text, place, text).anchor(anchor));
        }
        for line in self.lines {
            for run in runs(&line.points, self.longest_step) {
                let mut drawn =
                    egui_plot::Line::new(line.name.clone(), PlotPoints::from(run.to_vec()))
                        .color(line.color)
                        .width(1.6);
                if line.is_dashed {
                    drawn = drawn.style(LineStyle::dashed_dense());
                }
                plot.line(drawn);
            }
        }
    }

    /// What has to be in sight, with a little room round it.
    fn bounds(&self) -> [f64; 2] {
        let [mut least, mut most] = self.y;
        let lines = self
            .lines
            .iter()
            .flat_map(|line| line.points.iter().map(|point| point[1]));
        let band = self.band.iter().flat_map(|row| [row[1], row[2]]);
        for value in lines.chain(band).filter(|value| value.is_finite()) {
            least = least.min(value);
            most = most.max(value);
        }
        if !(least.is_finite() && most.is_finite()) {
            return [0.0, 1.0];
        }
        // Nothing but zeros: they lie at the bottom of a chart that would also show a one.
        if least >= 0.0 && most <= 0.0 {
            return [0.0, self.unit];
        }
        let room = ((most - least) * 0.08).max(most.abs() * 1e-3).max(1e-9);
        let floor = if least >= 0.0 && least - room < 0.0 {
            0.0
        } else {
            least - room
        };
        [floor, most + room]
    }

    /// The chart in words.
    fn summary(&self) -> String {
        let mut text = format!("chart: {}", self.name);
        for line in &self.lines {
            if let Some(last) = line.points.last() {
                text.push_str(&format!(", {} {}", line.name, (self.format)(last[1])));
            }
        }
        text
    }
}

/// The first row of texts in which nothing stands between `from` and `to`, where something does then.
fn free_row(taken: &mut Vec<Vec<[f64; 2]>>, from: f64, to: f64) -> usize {
    let is_free = |row: &Vec<[f64; 2]>| row.iter().all(|other| to <= other[0] || from >= other[1]);
    let row = taken.iter().position(is_free).unwrap_or(taken.len());
    if row == taken.len() {
        taken.push(Vec::new());
    }
    taken[row].push([from, to]);
    row
}

/// The shortest step that people count in by which a time of this length has few enough.
fn time_step(length: f64, steps: f64) -> f64 {
    let fits = |step: &&f64| length / **step <= steps;
    let longest = ROUND_TIMES[ROUND_TIMES.len() - 1];
    ROUND_TIMES.iter().find(fits).copied().unwrap_or(longest)
}

/// The least of 1, 2 and 5 times a power of ten that is no less than `least`.
fn round_up_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.max(1e-12).log10().floor());
    let steps = [1.0, 2.0, 5.0].map(|factor| factor * power);
    let fitting = steps.into_iter().find(|step| *step >= least * (1.0 - 1e-9));
    fitting.unwrap_or(10.0 * power)
}

/// What every line says at the moment under the pointer.
fn reading(
    lines: &[(String, Vec<[f64; 2]>)],
    x: f64,
    format: &dyn Fn(f64) -> String,
    time: &dyn Fn(f64) -> String,
) -> String {
    let mut text = time(x);
    for (name, points) in lines {
        let nearest = points
            .iter()
            .min_by(|a, b| (a[0] - x).abs().total_cmp(&(b[0] - x).abs()));
        if let Some(nearest) = nearest {
            text.push_str(&format!("\n{name}  {}", format(nearest[1])));
        }
    }
    text
}

/// The stretches whose neighbours are no farther apart than `longest_step`.
fn runs<const N: usize>(
    points: &[[f64; N]],
    longest_step: f64,
) -> impl Iterator<Item = &[[f64; N]]> {
    points.chunk_by(move |a, b| b[0] - a[0] <= longest_step)
}

#[cfg(test)]
mod tests {
    use super::{free_row, round_up_step, runs, time_step};

    #[test]
    fn texts_that_would_overlap_stand_in_rows_of_their_own() {
        let mut taken = Vec::new();
        let spans = [[0.0, 2.0], [1.0, 3.0], [2.0, 4.0], [1.5, 2.5]];
        let rows = spans.map(|[from, to]| free_row(&mut taken, from, to));
        assert_eq!(rows, [0, 1, 0, 2]);
    }

    #[test]
    fn times_are_counted_as_people_do() {
        for (length, step) in [
            (60.0, 10.0),
            (420.0, 120.0),
            (600.0, 120.0),
            (86_400.0, 14_400.0),
        ] {
            assert!((time_step(length, 6.0) - step).abs() < 1e-9, "{length}");
        }
    }

    #[test]
    fn steps_are_round() {
        let steps = [
            (0.7, 1.0),
            (1.0, 1.0),
            (1.1, 2.0),
            (4.9, 5.0),
            (37.0, 50.0),
            (60.0, 100.0),
        ];
        for (least, step) in steps {
            assert!((round_up_step(least) - step).abs() < 1e-9, "{least}");
        }
    }

    #[test]
    fn a_gap_parts_a_line() {
        let points = [[0.0, 1.0], [1.0, 1.0], [5.0, 1.0], [6.0, 1.0]];
        let found: Vec<_> = runs(&points, 1.5).map(<[_]>::len).collect();
        assert_eq!(found, [2, 2]);
    }
}
