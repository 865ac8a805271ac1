//! The model against simulated nodes, and the arithmetic against counted keys.

use memlens::ring::{Accuracy, Member, Profile};

use super::simulation::{Simulation, members};
use super::*;

fn spec(count: usize) -> ClusterSpec {
    ClusterSpec::new(members(count), Profile::default()).unwrap()
}

fn name(number: usize) -> String {
    format!("10.0.0.{number}:11211")
}

fn remove(number: usize) -> Change {
    Change::Remove { node: name(number) }
}

fn plan(spec: &ClusterSpec, changes: impl IntoIterator<Item = Change>) -> Plan {
    let mut plan = Plan::default();
    for change in changes {
        plan.add(spec, change).unwrap();
    }
    plan
}

/// What a change did to a simulated cluster, beside what was predicted before it.
struct Trial {
    forecast: HitForecast,
    measured: Vec<f64>,
}

impl Trial {
    fn run(mut simulation: Simulation, change: Change, with_sample: bool) -> Self {
        let (load, sample) = simulation.observe(15.0, 20.0);
        let popularity = if with_sample {
            Popularity::from_sample(&sample, &load)
        } else {
            Popularity::from_figures(&load)
        };
        let baseline = Baseline::new(&simulation.spec, &load, popularity, 1.0);
        let plan = plan(&simulation.spec, [change]);
        let forecast = baseline.forecast(&plan).unwrap();
        simulation.change_to(&forecast.after);
        let measured = (0..40).map(|_| simulation.run(1.0, |_, _| {})).collect();
        let forecast = forecast.hit_rate.unwrap();
        Self { forecast, measured }
    }

    /// Of steady state, of the dip, and in the mean over time, in points.
    fn errors(&self) -> (f64, f64, f64) {
        let steady = self.measured[20..].iter().sum::<f64>() / 20.0;
        let lowest = self.measured.iter().copied().fold(f64::INFINITY, f64::min);
        let measured = (0..)
            .map(|second| f64::from(second) + 0.5)
            .zip(self.measured.iter().copied());
        let verdict = Verdict::of(&self.forecast, measured).unwrap();
        (
            (self.forecast.steady - steady).abs() * 100.0,
            (self.forecast.lowest - lowest).abs() * 100.0,
            verdict.mean_error * 100.0,
        )
    }

    #[track_caller]
    fn assert_within(&self, steady: f64, dip: f64, mean: f64) {
        let errors = self.errors();
        let within = errors.0 <= steady && errors.1 <= dip && errors.2 <= mean;
        assert!(within, "errors in steady state, dip and mean: {errors:?}");
    }
}

fn ketama() -> Simulation {
    Simulation::new(8, Profile::default(), 20_000, 0.95, 0.45)
}

#[test]
fn a_removal_is_predicted() {
    Trial::run(ketama(), remove(3), true).assert_within(0.5, 1.0, 0.6);
}

#[test]
fn an_addition_is_predicted() {
    let add = Change::add("10.0.0.9").unwrap();
    Trial::run(ketama(), add, true).assert_within(0.5, 1.0, 0.6);
}

#[test]
fn a_removal_from_modulo_is_predicted() {
    let modulo = Simulation::new(8, Profile::CRC32_MODULO, 20_000, 0.95, 0.45);
    Trial::run(modulo, remove(3), true).assert_within(0.5, 2.0, 0.8);
}

#[test]
fn the_figures_alone_predict_nearly_as_well() {
    Trial::run(ketama(), remove(3), false).assert_within(2.0, 4.0, 2.0);
}

#[test]
fn a_sample_of_few_reads_is_completed_from_the_figures() {
    // Each read stands for fifty: most keys are never seen.
    let mut simulation = Simulation::new(8, Profile::default(), 60_000, 0.9, 0.3);
    simulation.per_second = 1000;
    let (_, sample) = simulation.observe(400.0, 4.0);
    assert!(sample.unseen_share() > 0.3, "{}", sample.unseen_share());
    simulation.reset_counters();
    simulation.run(40.0, |_, _| {});
    let load = simulation.load(40.0);
    let popularity = Popularity::from_sample(&sample, &load).unwrap();
    let baseline = Baseline::new(&simulation.spec, &load, Some(popularity), 1.0);
    let forecast = baseline
        .forecast(&plan(&simulation.spec, [remove(3)]))
        .unwrap();
    simulation.change_to(&forecast.after);
    simulation.run(200.0, |_, _| {});
    let steady = simulation.run(100.0, |_, _| {});
    let predicted = forecast.hit_rate.unwrap();
    assert!(
        (predicted.steady - steady).abs() < 0.015,
        "{} {steady}",
        predicted.steady
    );
}

#[test]
fn moved_shares_are_those_of_counted_keys() {
    let keys: Vec<String> = (0..40_000)
        .map(|number| format!("user:{number}:name"))
        .collect();
    let owners = |spec: &ClusterSpec| -> Vec<String> {
        let names: Vec<String> = spec.members().iter().map(Member::name).collect();
        let owner = |key: &String| names[spec.ring().node_for(key.as_bytes())].clone();
        keys.iter().map(owner).collect()
    };
    let owners_before = owners(&spec(12));
    let changes = [
        remove(5),
        Change::add("10.0.1.1:11211:2").unwrap(),
        Change::Weight {
            node: name(2),
            weight: 3,
        },
        Change::Points { per_server: 320 },
        Change::Ring {
            profile: Profile::CRC32_MODULO,
        },
        Change::Ring {
            profile: Profile::RENDEZVOUS,
        },
        Change::Ring {
            profile: Profile::JUMP,
        },
    ];
    for change in changes {
        let before = spec(12);
        let after = change.apply(&before).unwrap();
        let movement = Movement::between(before.ring(), after.ring());
        let both = owners_before.iter().zip(owners(&after));
        let moved = both.filter(|(before, after)| *before != after).count();
        let counted = moved as f64 / keys.len() as f64;
        let error = (movement.moved.fraction - counted).abs();
        assert!(
            error <= 0.005,
            "{change}: {} {counted}",
            movement.moved.fraction
        );
        let exact = !matches!(change, Change::Ring { .. });
        assert_eq!(movement.accuracy == Accuracy::Exact, exact, "{change}");
    }
}

#[test]
fn every_share_and_every_request_arrives_somewhere() {
    let mut simulation = ketama();
    let (load, sample) = simulation.observe(20.0, 10.0);
    let popularity = Popularity::from_sample(&sample, &load);
    let baseline = Baseline::new(&simulation.spec, &load, popularity, 1.0);
    let changes = [remove(1), Change::add("10.0.0.9").unwrap(), remove(6)];
    let forecast = baseline.forecast(&plan(&simulation.spec, changes)).unwrap();
    let sum = |read: fn(&NodeForecast) -> Option<f64>| -> f64 {
        forecast.nodes.iter().filter_map(read).sum()
    };
    assert!((sum(|node| node.share_before) - 1.0).abs() < 1e-9);
    assert!((sum(|node| node.share_after) - 1.0).abs() < 1e-9);
    let (before, after) = (
        sum(|node| node.operations_before),
        sum(|node| node.operations_after),
    );
    assert!((after / before - 1.0).abs() < 1e-6, "{before} {after}");
    for node in &forecast.nodes {
        let left = node.share_before.unwrap_or(0.0) - node.gives + node.gets;
        assert!(
            (left - node.share_after.unwrap_or(0.0)).abs() < 1e-9,
            "{node:?}"
        );
        assert!(node.stored_after.unwrap_or(0.0) <= node.limit.unwrap() + 1e-6);
        assert_eq!(
            node.hit_rate_after.is_some(),
            node.fate != NodeFate::Removed
        );
    }
    let weighted: f64 =
        sum(|node| Some(node.hit_rate_after? * node.reads_after?)) / sum(|node| node.reads_after);
    let steady = forecast.hit_rate.as_ref().unwrap().steady;
    assert!((weighted - steady).abs() < 0.005, "{weighted} {steady}");
}

#[test]
fn without_figures_all_but_the_hit_rate_is_told() {
    let spec = spec(4);
    let baseline = Baseline::new(&spec, &ClusterLoad::default(), None, 1.0);
    let forecast = baseline.forecast(&plan(&spec, [remove(2)])).unwrap();
    assert_eq!(forecast.hit_rate, Err(NoHitRate::NothingRead));
    assert!(forecast.movement.moved.fraction > 0.1);
    assert!(
        forecast
            .nodes
            .iter()
            .all(|node| node.operations_after.is_none())
    );
    assert_eq!(
        baseline.compare(&plan(&spec, [remove(2)])).unwrap()[0].lowest,
        None
    );
}

#[test]
fn a_cluster_with_room_stays_at_its_hit_rate_until_memory_is_full() {
    let mut simulation = Simulation::new(8, Profile::default(), 5_000, 0.9, 2.0);
    let (load, sample) = simulation.observe(60.0, 20.0);
    assert!(!load.is_evicting());
    let popularity = Popularity::from_sample(&sample, &load);
    let baseline = Baseline::new(&simulation.spec, &load, popularity, 1.0);
    let one = baseline
        .forecast(&plan(&simulation.spec, [remove(2)]))
        .unwrap();
    let one = one.hit_rate.unwrap();
    assert!((one.steady - one.before).abs() < 0.01, "{one:?}");
    assert!(one.lowest < one.before - 0.02, "{one:?}");
    assert!(one.lowest_warm > one.before - 0.01, "{one:?}");
    // Five of eight leave, and what is stored no longer fits.
    let most = plan(&simulation.spec, (1..=5).map(remove));
    let most = baseline.forecast(&most).unwrap().hit_rate.unwrap();
    assert!(most.steady < one.before - 0.02, "{most:?}");
}

#[test]
fn modulo_costs_more_than_ketama_and_hand_over_less() {
    let mut simulation = ketama();
    let (load, sample) = simulation.observe(20.0, 10.0);
    let popularity = Popularity::from_sample(&sample, &load);
    let baseline = Baseline::new(&simulation.spec, &load, popularity, 1.0);
    let compared = baseline
        .compare(&plan(&simulation.spec, [remove(3)]))
        .unwrap();
    let find = |method: &str| {
        compared
            .iter()
            .find(|other| other.method == method)
            .unwrap()
    };
    let lowest = |method: &str| find(method).lowest.unwrap();
    assert!((find("modulo").moved - 0.875).abs() < 0.01);
    assert!(find("ketama").is_current && !find("modulo").is_current);
    assert!(find("jump").note.is_some());
    assert!(lowest("modulo") < lowest("ketama") - 0.1, "{compared:?}");
    assert!(lowest("ketama") < lowest("warm hand-over"), "{compared:?}");
}

#[test]
fn step_by_step_is_gentler() {
    let mut simulation = ketama();
    let (load, sample) = simulation.observe(20.0, 10.0);
    let popularity = Popularity::from_sample(&sample, &load);
    let baseline = Baseline::new(&simulation.spec, &load, popularity, 1.0);
    let plan = plan(
        &simulation.spec,
        [remove(3), remove(4), Change::add("10.0.0.9").unwrap()],
    );
    let forecast = baseline.forecast(&plan).unwrap();
    let advice = baseline.advise(&plan, &forecast).unwrap().unwrap();
    let order: Vec<usize> = advice.steps.iter().map(|step| step.change).collect();
    assert_eq!(order, [2, 0, 1]);
    assert!(advice.gain() > 0.01, "{advice:?}");
    assert!(advice.misses_in_steps < advice.misses_at_once, "{advice:?}");
    assert!(advice.takes.unwrap() > 0.0);
}

#[test]
fn plans_can_be_undone_and_refuse_nonsense() {
    let spec = spec(3);
    let mut plan = Plan::default();
    assert!(!plan.undo() && !plan.redo());
    plan.add(&spec, remove(1)).unwrap();
    plan.add(&spec, Change::weight(&name(2), "2").unwrap())
        .unwrap();
    plan.add(&spec, Change::weight(&name(2), "3").unwrap())
        .unwrap();
    assert_eq!(plan.changes().len(), 2);
    let error = |plan: &mut Plan, change| plan.add(&spec, change).unwrap_err().to_string();
    assert_eq!(
        error(&mut plan, remove(1)),
        "no server is called \"10.0.0.1:11211\""
    );
    assert!(error(&mut plan, Change::add("10.0.0.3").unwrap()).contains("already"));
    assert!(
        Change::weight("a", "0.5")
            .unwrap_err()
            .to_string()
            .contains("double")
    );
    assert!(Change::add("10.0.0.5:x").is_err());
    let points = |per_server| Change::Points { per_server };
    assert!(error(&mut plan, points(161)).contains("makes 4 at once"));
    assert_eq!(error(&mut plan, points(160)), "that is how it is already");
    // A second number of points takes the place of the first, and the old one of neither.
    plan.add(&spec, points(320)).unwrap();
    plan.add(&spec, points(640)).unwrap();
    assert_eq!(plan.changes().len(), 3);
    plan.add(&spec, points(160)).unwrap();
    assert_eq!(plan.changes().len(), 2);

    let before = plan.clone();
    plan.add(&spec, Change::add("10.0.0.7").unwrap()).unwrap();
    plan.add(&spec, Change::weight(&name(7), "4").unwrap())
        .unwrap();
    assert!(
        plan.remove(&spec, 2).is_err(),
        "its weight is changed later"
    );
    plan.add(&spec, remove(7)).unwrap();
    assert_eq!(plan.changes(), before.changes());
    assert!(plan.undo());
    assert_eq!(plan.changes().len(), 4);
    assert!(plan.redo());
    plan.clear();
    assert!(plan.is_empty() && plan.undo() && plan.can_redo());
    assert_eq!(plan.changes(), before.changes());

    let mut last = Plan::default();
    last.add(&spec, remove(1)).unwrap();
    last.add(&spec, remove(2)).unwrap();
    assert!(error(&mut last, remove(3)).contains("last server"));
    let pymemcache = ClusterSpec::new(members(2), Profile::PYMEMCACHE).unwrap();
    let weight = Change::weight(&name(1), "2").unwrap();
    assert!(
        weight
            .apply(&pymemcache)
            .unwrap_err()
            .to_string()
            .contains("ignore weights")
    );
    assert!(
        points(100)
            .apply(&pymemcache)
            .unwrap_err()
            .to_string()
            .contains("no points")
    );
}

#[test]
fn a_plan_can_be_handed_on() {
    let mut simulation = ketama();
    let (load, sample) = simulation.observe(20.0, 10.0);
    let popularity = Popularity::from_sample(&sample, &load);
    let baseline = Baseline::new(&simulation.spec, &load, popularity, 1.0);
    let plan = plan(
        &simulation.spec,
        [remove(3), Change::add("10.0.0.9").unwrap()],
    );
    let forecast = baseline.forecast(&plan).unwrap();
    let compared = baseline.compare(&plan).unwrap();
    let advice = baseline.advise(&plan, &forecast).unwrap();
    let report = PlanReport::new(&baseline, &plan, &forecast, &compared, advice.as_ref());
    let text = plan_as_text(&report);
    for part in [
        "a simulation",
        "1. remove 10.0.0.3:11211",
        "2. add 10.0.0.9:11211",
        "modulo",
        "Step by step",
        "reads of",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let json: serde_json::Value = serde_json::to_value(&report).unwrap();
    assert_eq!(json["accuracy"], "exact");
    assert_eq!(json["nodes"].as_array().unwrap().len(), 9);
    assert!(json["hit_rate"]["curve"][0]["hit_rate"].is_number());
    assert!(
        !json.to_string().contains("item:"),
        "no key leaves the program"
    );
}
