//! A plan and what it would do, to hand on: as JSON for programs, as text for people.

use std::fmt::Write;

use memlens::ring::Accuracy;
use serde::Serialize;

use super::advice::Advice;
use super::baseline::Baseline;
use super::compare::Comparison;
use super::forecast::Forecast;
use super::hit_rate::HitForecast;
use super::nodes::{NodeFate, NodeForecast};
use super::plan::Plan;

/// A plan and what it would do. Holds no key.
#[derive(Debug, Serialize)]
pub struct PlanReport<'a> {
    /// What this is, so that nobody takes it for something that happened.
    pub note: &'static str,
    /// How keys are dealt out now.
    pub ring_before: RingReport,
    /// How keys are dealt out after the plan.
    pub ring_after: RingReport,
    /// The changes, in order.
    pub changes: Vec<String>,
    /// The part of the hash space that moves, 0 to 1.
    pub moved: f64,
    /// How that was found: `exact`, `ideal` or `sampled`.
    pub accuracy: &'static str,
    /// From whom to whom, the largest first.
    pub flows: Vec<FlowReport<'a>>,
    /// Every server.
    pub nodes: &'a [NodeForecast],
    /// The hit rate, if it can be predicted.
    pub hit_rate: Option<&'a HitForecast>,
    /// Why it can't be.
    pub no_hit_rate: Option<String>,
    /// The same changes under other ways of dealing out keys.
    pub compared: &'a [Comparison],
    /// How to go about it step by step.
    pub advice: Option<&'a Advice>,
}

/// How keys are dealt out.
#[derive(Debug, Serialize)]
pub struct RingReport {
    /// The profile's name.
    pub profile: &'static str,
    /// In few words.
    pub summary: String,
    /// The servers with their weights.
    pub servers: Vec<String>,
}

/// What goes from one server to another.
#[derive(Debug, Serialize)]
pub struct FlowReport<'a> {
    /// Who gives.
    pub from: &'a str,
    /// Who gets.
    pub to: String,
    /// The part of the hash space.
    pub fraction: f64,
}

const NOTE: &str = "a simulation: nothing was sent to any server";

impl<'a> PlanReport<'a> {
    /// Puts together what was computed.
    #[must_use]
    pub fn new(
        baseline: &'a Baseline,
        plan: &Plan,
        forecast: &'a Forecast,
        compared: &'a [Comparison],
        advice: Option<&'a Advice>,
    ) -> Self {
        let ring = |spec: &super::ClusterSpec| RingReport {
            profile: spec.profile().name(),
            summary: spec.summary(),
            servers: spec
                .members()
                .iter()
                .map(|member| match member.weight() {
                    1 => member.name(),
                    weight => format!("{} (weight {weight})", member.name()),
                })
                .collect(),
        };
        let flows = forecast.movement.moved.flows.iter().map(|flow| FlowReport {
            from: &baseline.nodes[flow.from].name,
            to: forecast.after.members()[flow.to].name(),
            fraction: flow.fraction,
        });
        Self {
            note: NOTE,
            ring_before: ring(&baseline.spec),
            ring_after: ring(&forecast.after),
            changes: plan.changes().iter().map(ToString::to_string).collect(),
            moved: forecast.movement.moved.fraction,
            accuracy: match forecast.movement.accuracy {
                Accuracy::Exact => "exact",
                Accuracy::Ideal => "ideal",
                Accuracy::Sampled { .. } => "sampled",
            },
            flows: flows.collect(),
            nodes: &forecast.nodes,
            hit_rate: forecast.hit_rate.as_ref().ok(),
            no_hit_rate: forecast.hit_rate.as_ref().err().map(ToString::to_string),
            compared,
            advice,
        }
    }
}

/// The report for people.
#[must_use]
pub fn plan_as_text(report: &PlanReport<'_>) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write_plan(&mut text, report);
    text
}

fn write_plan(text: &mut String, report: &PlanReport<'_>) -> std::fmt::Result {
    writeln!(text, "Plan ({})\n", report.note)?;
    for (number, change) in (1..).zip(&report.changes) {
        writeln!(text, "  {number}. {change}")?;
    }
    let (before, after) = (&report.ring_before, &report.ring_after);
    writeln!(
        text,
        "\nRing     {}, {} servers: {}",
        before.profile,
        before.servers.len(),
        before.summary
    )?;
    writeln!(
        text,
        "after    {}, {} servers: {}",
        after.profile,
        after.servers.len(),
        after.summary
    )?;
    writeln!(
        text,
        "\nMoves    {} of the keys ({})",
        percent(report.moved, 2),
        report.accuracy
    )?;
    match (report.hit_rate, &report.no_hit_rate) {
        (Some(hit_rate), _) => write_hit_rate(text, hit_rate)?,
        (None, Some(reason)) => writeln!(text, "\nHit rate unknown: {reason}")?,
        (None, None) => {}
    }
    write_comparisons(text, report.compared)?;
    if let Some(advice) = report.advice {
        write_advice(text, advice)?;
    }
    write_nodes(text, report.nodes)
}

fn write_hit_rate(text: &mut String, hit_rate: &HitForecast) -> std::fmt::Result {
    writeln!(
        text,
        "\nHit rate {} now, lowest {}, steady {}, 99 % of that after {}, all of it after {}",
        percent(hit_rate.before, 1),
        percent(hit_rate.lowest, 1),
        percent(hit_rate.steady, 1),
        seconds(hit_rate.back_in),
        seconds(hit_rate.steady_in)
    )?;
    writeln!(
        text,
        "         ±{} at most, of which {} are chance",
        percent(hit_rate.uncertainty, 1),
        percent(hit_rate.by_chance, 1)
    )?;
    writeln!(
        text,
        "         with a warm hand-over lowest {}",
        percent(hit_rate.lowest_warm, 1)
    )?;
    let backend = &hit_rate.backend;
    writeln!(
        text,
        "Back end {:.0} misses/s now, {:.0} at worst, {:.0} steady; {:.0} extra misses in all",
        backend.misses_before, backend.misses_at_worst, backend.misses_steady, backend.extra_misses
    )?;
    writeln!(
        text,
        "Model    Che's approximation, within {:.1} points: {}",
        hit_rate.uncertainty * 100.0,
        hit_rate.inputs
    )
}

fn write_comparisons(text: &mut String, compared: &[Comparison]) -> std::fmt::Result {
    if compared.is_empty() {
        return Ok(());
    }
    writeln!(
        text,
        "\n{:16}{:>9}{:>9}{:>9}",
        "Compared", "moved", "lowest", "back in"
    )?;
    for comparison in compared {
        let lowest = comparison
            .lowest
            .map_or("–".to_owned(), |rate| percent(rate, 1));
        writeln!(
            text,
            "{:16}{:>9}{:>9}{:>9}{}",
            comparison.method,
            percent(comparison.moved, 2),
            lowest,
            comparison
                .lowest
                .map_or("–".to_owned(), |_| seconds(comparison.back_in)),
            comparison
                .note
                .map(|note| format!("  {note}"))
                .unwrap_or_default()
        )?;
    }
    Ok(())
}

fn write_advice(text: &mut String, advice: &Advice) -> std::fmt::Result {
    writeln!(
        text,
        "\nStep by step lowest {} instead of {}, {:.0} misses/s at worst instead of {:.0}:",
        percent(advice.lowest_in_steps, 1),
        percent(advice.lowest_at_once, 1),
        advice.misses_in_steps,
        advice.misses_at_once
    )?;
    for (number, step) in (1..).zip(&advice.steps) {
        writeln!(
            text,
            "  {number}. {}: moves {}, lowest {}, then wait {}",
            step.what,
            percent(step.moved, 2),
            percent(step.lowest, 1),
            seconds(step.wait)
        )?;
    }
    Ok(())
}

fn write_nodes(text: &mut String, nodes: &[NodeForecast]) -> std::fmt::Result {
    let width = nodes
        .iter()
        .map(|node| node.name.chars().count())
        .max()
        .unwrap_or(0)
        .max(6);
    writeln!(
        text,
        "\n{:width$}  {:8}{:>9}{:>9}{:>10}{:>10}{:>9}{:>9}{:>8}{:>8}",
        "Server", "", "share", "after", "ops/s", "after", "memory", "after", "hit", "after"
    )?;
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    for node in nodes {
        let fate = match node.fate {
            NodeFate::Stays => "",
            NodeFate::Added => "added",
            NodeFate::Removed => "removed",
        };
        let share = |share: Option<f64>| or_dash(share.map(|share| percent(share, 2)));
        let rate = |rate: Option<f64>| or_dash(rate.map(|rate| format!("{rate:.0}")));
        let filled = |bytes: Option<f64>| {
            or_dash(
                bytes
                    .zip(node.limit)
                    .map(|(bytes, limit)| percent(bytes / limit, 0)),
            )
        };
        let hit = |hit: Option<f64>| or_dash(hit.map(|hit| percent(hit, 1)));
        writeln!(
            text,
            "{:width$}  {fate:8}{:>9}{:>9}{:>10}{:>10}{:>9}{:>9}{:>8}{:>8}",
            node.name,
            share(node.share_before),
            share(node.share_after),
            rate(node.operations_before),
            rate(node.operations_after),
            filled(node.stored_before),
            filled(node.stored_after),
            hit(node.hit_rate_before),
            hit(node.hit_rate_after)
        )?;
    }
    Ok(())
}

fn percent(part: f64, decimals: usize) -> String {
    format!("{:.decimals$} %", part * 100.0)
}

fn seconds(seconds: Option<f64>) -> String {
    match seconds {
        None => "more than 30 days".to_owned(),
        Some(seconds) if seconds < 10.0 => format!("{seconds:.1} s"),
        Some(seconds) if seconds < 120.0 => format!("{seconds:.0} s"),
        Some(seconds) if seconds < 7200.0 => format!("{:.0} min", seconds / 60.0),
        Some(seconds) if seconds < 172_800.0 => format!("{:.1} h", seconds / 3600.0),
        Some(seconds) => format!("{:.1} days", seconds / 86_400.0),
    }
}
