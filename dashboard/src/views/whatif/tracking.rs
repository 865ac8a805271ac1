//! A plan that was carried out: what was measured beside what was predicted.

use std::sync::Arc;
use std::time::Duration;

use egui::Ui;
use memlens::ring::Member;

use super::super::ViewContext;
use super::compute::Computed;
use super::curve::chart;
use crate::model::whatif::{Baseline, ClusterSpec, HandOver, HitForecast, Verdict};
use crate::model::{Series, Tier};
use crate::published::DemoCommand;
use crate::theme::Theme;

/// A plan whose changes are being made, by the demo or by somebody else.
#[derive(Debug)]
pub(super) struct Underway {
    what: String,
    /// The cluster as it was, and what was known of it.
    baseline: Baseline,
    planned: ClusterSpec,
    /// When the changes were asked for; unknown when somebody else makes them.
    since: Option<Duration>,
}

impl Underway {
    pub(super) fn of(computed: &Computed, since: Option<Duration>) -> Self {
        Self {
            what: computed.what(),
            baseline: computed.baseline.clone(),
            planned: computed.forecast.after.clone(),
            since,
        }
    }

    /// Whether more changes are to come.
    pub(super) const fn was_asked_for(&self) -> bool {
        self.since.is_some()
    }

    pub(super) fn is_done(&self, spec: &ClusterSpec) -> bool {
        spec.is_as_planned(&self.planned, self.baseline.spec())
    }
}

/// What the demo has to do so that its cluster becomes what is planned: what comes first, then what
/// leaves.
pub(super) fn demo_commands(
    before: &ClusterSpec,
    after: &ClusterSpec,
) -> Result<Vec<DemoCommand>, &'static str> {
    let mut commands = Vec::new();
    let is_other_ring = before.profile() != after.profile();
    if !is_other_ring && before.distribution() != after.distribution() {
        return Err("the demo cannot set the number of points");
    }
    for member in after.members() {
        let (name, weight) = (member.name(), member.weight());
        match before.position(&name).map(|place| &before.members()[place]) {
            None => commands.push(DemoCommand::Add { weight }),
            Some(former) if former.weight() != weight => {
                let node = Arc::from(name);
                commands.push(DemoCommand::SetWeight { node, weight });
            }
            Some(_) => {}
        }
    }
    let leave = before.members().iter().map(Member::name);
    for name in leave.filter(|name| after.position(name).is_none()) {
        commands.push(DemoCommand::Remove(name.into()));
    }
    if is_other_ring {
        commands.push(DemoCommand::SetRing(after.profile().name()));
    }
    Ok(commands)
}

/// A prediction whose change was made.
#[derive(Debug)]
pub(super) struct Tracked {
    what: String,
    forecast: HitForecast,
    /// When it was made, since the watch began.
    since: Duration,
    is_warm: bool,
}

impl Tracked {
    /// The plan is done, and the cluster is `spec` now: new servers may have other names than planned,
    /// and so other keys. The prediction is made for those, from what was known before. `None` if it
    /// had no hit rate.
    pub(super) fn begin(plan: Underway, spec: &ClusterSpec, cx: &ViewContext<'_>) -> Option<Self> {
        let is_warm = cx.published.demo.as_ref().is_some_and(|demo| demo.is_warm);
        let hand_over = if is_warm {
            HandOver::Warm
        } else {
            HandOver::Cold
        };
        let forecast = plan.baseline.forecast_of(spec, hand_over).hit_rate.ok()?;
        let mut noted = cx.snapshot.changes.iter().map(|change| change.at);
        let first = match plan.since {
            Some(since) => noted.find(|at| *at >= since),
            None => noted.next_back(),
        };
        Some(Self {
            what: plan.what,
            forecast,
            since: first.unwrap_or(cx.snapshot.at),
            is_warm,
        })
    }

    pub(super) fn ui(&self, ui: &mut Ui, cx: &ViewContext<'_>) {
        let theme = Theme::of(ui);
        let measured = self.measured(cx);
        let verdict = Verdict::of(&self.forecast, measured.iter().copied());
        let how = if self.is_warm {
            ", keys handed over"
        } else {
            ""
        };
        let text = match verdict {
            None => format!("{}{how}: waiting for the first measured second", self.what),
            Some(verdict) => format!(
                "{}{how}: lowest {:.1} % measured, {:.1} % predicted; {:.1} points apart in the mean, \
                 {:.0} % of seconds within the band",
                self.what,
                verdict.lowest_measured * 100.0,
                self.forecast.lowest * 100.0,
                verdict.mean_error * 100.0,
                verdict.inside_band * 100.0
            ),
        };
        ui.add(egui::Label::new(theme.soft(text)).wrap());
        chart(
            ui,
            &self.forecast,
            &measured,
            "Predicted and measured hit rate",
        );
    }

    /// Seconds after the change and hit rate. While keys are handed over, servers count the look-up at
    /// the former owner beside the miss, so only the client knows how many of its reads were found.
    fn measured(&self, cx: &ViewContext<'_>) -> Vec<(f64, f64)> {
        let since = self.since.as_secs_f64();
        let interval = cx.snapshot.interval.as_secs_f64();
        let client = cx.published.client.as_ref().filter(|_| self.is_warm);
        let history = client.map_or(&cx.snapshot.history, |client| &client.history);
        history
            .points(Tier::Seconds, Series::HitRate)
            .map(|point| {
                (
                    point.at.as_secs_f64() - since - interval / 2.0,
                    f64::from(point.value),
                )
            })
            .filter(|(seconds, _)| *seconds > 0.0)
            .collect()
    }
}
