//! The built-in alert rules, on snapshots made of answers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "these are tests"
)]

mod captured;

use std::sync::Arc;
use std::time::Duration;

use captured::{Capture, SECOND, general};
use memlens::stats::General;
use memlens_dashboard::model::{
    AlertRule, AlertState, Alerts, Failure, Monitor, Observation, Rule, Rules, Subject,
};

/// One node whose answers a test makes up, polled each second.
struct Node {
    monitor: Monitor,
    alerts: Alerts,
    now: Duration,
    counters: [u64; 2],
}

impl Node {
    fn new() -> Self {
        Self {
            monitor: Monitor::new(["a:1".into()], SECOND),
            alerts: Alerts::default(),
            now: Duration::ZERO,
            counters: [0; 2],
        }
    }

    /// A second passes, with so many hits and misses. Gives what fired and what was over.
    fn second(&mut self, hits: u64, misses: u64) -> Vec<(Rule, bool)> {
        self.counters[0] += hits;
        self.counters[1] += misses;
        let [hits, misses] = self.counters.map(|counter| counter.to_string());
        let general = General::parse([
            ("pid", "1"),
            ("cmd_get", hits.as_str()),
            ("cmd_set", "0"),
            ("get_hits", &hits),
            ("get_misses", &misses),
        ]);
        self.observe(Observation::General {
            general: Arc::new(general),
            round_trip: None,
        })
    }

    fn observe(&mut self, observation: Observation) -> Vec<(Rule, bool)> {
        self.now += SECOND;
        self.monitor.observe(0, self.now, observation);
        self.publish()
    }

    fn publish(&mut self) -> Vec<(Rule, bool)> {
        let snapshot = self.monitor.publish(self.now);
        let changes = self.alerts.update(&snapshot, None);
        changes
            .iter()
            .map(|change| (change.rule, change.fires))
            .collect()
    }
}

#[test]
fn a_node_that_times_out_fires_at_the_third_poll_and_is_over_when_it_is_back() {
    let mut node = Node::new();
    node.second(100, 0);
    let timed_out = || Observation::Failed(Failure::TimedOut);
    assert_eq!(node.observe(timed_out()), []);
    assert_eq!(node.observe(timed_out()), []);
    assert_eq!(node.observe(timed_out()), [(Rule::NodeDown, true)]);
    assert_eq!(node.observe(timed_out()), []);
    assert_eq!(node.alerts.firing(), 1);
    assert!(node.alerts.active()[0].text.starts_with("timed out"));

    let mut over = Vec::new();
    for _ in 0..12 {
        over.extend(node.second(100, 0));
    }
    assert_eq!(over, [(Rule::NodeDown, false)]);
    let episode = node.alerts.episodes().next().unwrap();
    assert_eq!((episode.fired, episode.over.is_some()), (SECOND * 4, true));
    assert_eq!(node.alerts.firing(), 0);
}

#[test]
fn a_hit_rate_below_the_usual_fires_after_two_minutes_and_not_for_a_dip() {
    let mut node = Node::new();
    for _ in 0..400 {
        assert_eq!(node.second(95, 5), []);
    }
    // A dip of a minute is no alert.
    for _ in 0..60 {
        assert_eq!(node.second(80, 20), []);
    }
    assert_eq!(node.alerts.active()[0].state, AlertState::Pending);
    for _ in 0..10 {
        assert_eq!(node.second(95, 5), []);
    }
    assert_eq!(node.alerts.active().len(), 0);
    let fired: Vec<usize> = (0..=120)
        .filter(|_| !node.second(80, 20).is_empty())
        .collect();
    assert_eq!(fired, [120]);
    let alert = node.alerts.active()[0].clone();
    assert_eq!(
        (alert.rule, alert.subject),
        (Rule::HitRateFell, Subject::Cluster)
    );
    assert_eq!(alert.text, "80 % against 95 % usually");
}

#[test]
fn no_usual_hit_rate_is_made_up_in_the_first_minutes() {
    let mut node = Node::new();
    for _ in 0..60 {
        node.second(95, 5);
    }
    for _ in 0..130 {
        assert_eq!(node.second(10, 90), []);
    }
}

#[test]
fn captured_servers_meet_the_rules_that_they_should() {
    let mut capture = Capture::new(&['a', 'b', 'd']);
    let mut alerts = Alerts::default();
    let changes = alerts.update(&capture.snapshot(), None);
    let fired: Vec<_> = changes
        .iter()
        .map(|c| (c.rule, c.subject.clone()))
        .collect();
    let class = |node: &str, class| Subject::Class {
        node: node.into(),
        class,
    };
    assert_eq!(fired, [(Rule::OutOfMemory, class("d:1", 12))]);
    let pending: Vec<_> = alerts
        .active()
        .into_iter()
        .filter(|alert| alert.state == AlertState::Pending)
        .map(|alert| (alert.rule, alert.subject.clone(), alert.value))
        .collect();
    let node = |name: &str| Subject::Node(name.into());
    assert_eq!(
        pending,
        [
            (Rule::EvictsYoung, node("a:1"), 3.0),
            (Rule::EvictsYoung, node("b:1"), 6.0)
        ]
    );
    let later = alerts.update(&capture.later(Duration::from_secs(60)), None);
    assert_eq!(
        later
            .iter()
            .filter(|c| c.fires && c.rule == Rule::EvictsYoung)
            .count(),
        2
    );
}

#[test]
fn refused_connections_fire_at_once() {
    let mut capture = Capture::new(&['d']);
    let mut refusing = general("d_stats");
    refusing.listen_disabled_num = Some(2);
    capture.observe(0, refusing);
    let mut alerts = Alerts::default();
    let changes = alerts.update(&capture.snapshot(), None);
    assert!(
        changes.iter().any(|c| c.rule == Rule::Refusing && c.fires),
        "{changes:?}"
    );
}

#[test]
fn thresholds_can_be_changed_and_rules_turned_off() {
    let mut rules = Rules::default();
    for rule in rules.all_mut() {
        match rule.rule {
            Rule::EvictsYoung => rule.threshold = 5.0,
            Rule::OutOfMemory => rule.enabled = false,
            _ => {}
        }
    }
    let mut capture = Capture::new(&['a', 'b', 'd']);
    let mut alerts = Alerts::default();
    alerts.update(&capture.snapshot(), None);
    alerts.set_rules(rules);
    let changes = alerts.update(&capture.later(SECOND), None);
    let over: Vec<_> = changes.iter().map(|c| (c.rule, c.fires)).collect();
    assert_eq!(over, [(Rule::OutOfMemory, false)]);
    let subjects: Vec<_> = alerts
        .active()
        .iter()
        .map(|alert| alert.subject.clone())
        .collect();
    assert_eq!(subjects, [Subject::Node("a:1".into())]);
}

#[test]
fn rules_survive_being_saved_and_read_by_another_version() {
    let mut rules = Rules::default();
    rules.all_mut()[0].threshold = 7.0;
    rules.all_mut()[1].enabled = false;
    let text = serde_json::to_string(&rules).unwrap();
    assert_eq!(serde_json::from_str::<Rules>(&text).unwrap(), rules);

    let foreign = text
        .replace("\"skew\"", "\"of_another_version\"")
        .replace("7.0", "-7.0");
    let read: Rules = serde_json::from_str(&foreign).unwrap();
    assert_eq!(read.all().len(), Rule::ALL.len());
    assert!(read.all()[0].is_built_in());
    assert_eq!(read.all()[6], AlertRule::built_in(Rule::Skew));
    assert!(!read.all()[1].enabled);
}
