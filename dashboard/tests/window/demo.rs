//! The window over the running demo: what is planned is really done, and measured beside what was
//! predicted.

use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use egui_kittest::kittest::Queryable;
use memlens_dashboard::backend::{Backend, DemoSettings, Settings};
use memlens_dashboard::load::WorkloadSettings;
use memlens_dashboard::model::whatif::Change;
use memlens_dashboard::published::{Command, Published};
use memlens_dashboard::views::View;

use super::stand::{Stand, stand};

/// How long something may take before the test fails. Only a failure takes that long.
const PATIENCE: Duration = Duration::from_secs(60);

/// So much may happen meanwhile. Polls alone are ten a second.
const MOST_NEWS: usize = 1_000;

/// A window and the backend behind it.
struct Window {
    stand: Stand,
    backend: Backend,
    news: Receiver<()>,
}

impl Window {
    fn on_demo() -> Self {
        let settings = Settings {
            interval: Duration::from_millis(100),
            demo: DemoSettings {
                nodes: 3,
                memory_mib: 8,
                workload: WorkloadSettings {
                    items: 5_000,
                    seed: 1,
                },
                rate: 4_000,
            },
            may_write: false,
            first: vec![Command::StartDemo],
        };
        let backend = Backend::start(settings).unwrap();
        let (tell, news) = channel();
        backend.on_news(move || {
            let _ = tell.send(());
        });
        let mut window = Self {
            stand: stand(View::WhatIf, Published::default(), egui::Theme::Dark),
            backend,
            news,
        };
        window.until("a hit rate", |window| {
            let snapshot = window.stand.state().published.snapshot.as_ref();
            snapshot.is_some_and(|snapshot| snapshot.totals.hit_rate.is_some())
        });
        window
    }

    /// Draws what is published and hands commands over, until it is as wanted.
    fn until(&mut self, what: &str, wanted: impl Fn(&Self) -> bool) {
        for _ in 0..MOST_NEWS {
            self.stand.state_mut().published = self.backend.published().as_ref().clone();
            self.stand.run();
            for command in std::mem::take(&mut self.stand.state_mut().commands) {
                self.backend.send(command);
            }
            if wanted(self) {
                return;
            }
            let told = self.news.recv_timeout(PATIENCE);
            assert!(told.is_ok(), "never {what}");
        }
        panic!("never {what}: {:?}", self.stand.root());
    }

    fn servers(&self) -> Vec<(String, u32)> {
        let cluster = self.stand.state().published.cluster.as_ref().unwrap();
        let members = cluster.ring().members().iter();
        members
            .map(|member| (member.name(), member.weight()))
            .collect()
    }

    /// Plans a change, does it in the demo, and waits for the measured curve.
    fn carry_out(&mut self, change: Change) {
        self.stand.state_mut().shell.simulate(change);
        let button = "Do it in the demo";
        self.until("planned", |window| {
            window.stand.query_by_label(button).is_some()
        });
        self.stand.get_by_label(button).click();
        self.until("measured beside predicted", |window| {
            // The chart tells both in words.
            let both = " %, measured ";
            window.stand.query_by_label_contains(both).is_some()
        });
    }
}

#[test]
fn an_addition_a_weight_and_a_removal_are_done_and_measured() {
    let mut window = Window::on_demo();
    let before = window.servers();

    // The demo gives the new node an address of its own.
    window.carry_out(Change::add("10.0.0.9:11211:2").unwrap());
    let after = window.servers();
    assert_eq!(after[..3], before);
    assert_eq!((after.len(), after[3].1), (4, 2));

    let node = before[0].0.clone();
    window.carry_out(Change::Weight {
        node: node.clone(),
        weight: 3,
    });
    assert_eq!(window.servers()[0], (node.clone(), 3));

    window.carry_out(Change::Remove { node: node.clone() });
    assert!(window.servers().iter().all(|(name, _)| *name != node));

    let profile = memlens::ring::Profile::CRC32_MODULO;
    window.carry_out(Change::Ring { profile });
    let cluster = window.stand.state().published.cluster.clone().unwrap();
    assert_eq!(cluster.config().ring, profile);
}
