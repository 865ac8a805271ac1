//! What a frame costs the processor: layout, painting and tessellation of every view, at 1600 × 1000
//! points, with the program's own allocator.
//!
//! ```text
//! cargo bench -p memlens-dashboard --bench frames
//! ```
//!
//! `N nodes` are frames that somebody moves the pointer in: nothing new came. `N nodes, new figures`
//! are frames with another snapshot each, as at every poll. A plan is computed anew then, over three
//! frames: the forecast, the comparison, the advice. Its figure there is for all three together.

#![allow(
    missing_docs,
    reason = "criterion's macros generate undocumented items"
)]

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use memlens_dashboard::model::whatif::Change;
use memlens_dashboard::preferences::Preferences;
use memlens_dashboard::published::Published;
use memlens_dashboard::rehearsal::{Trouble, asked, published};
use memlens_dashboard::shell::Shell;
use memlens_dashboard::stage::Stage;
use memlens_dashboard::views::View;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A view with what is planned on it.
type Scene = (String, View, Option<Change>);

fn scenes() -> Vec<Scene> {
    let mut scenes: Vec<Scene> = View::ALL
        .into_iter()
        .map(|view| (view.slug().to_owned(), view, None))
        .collect();
    let removal = Change::Remove {
        node: "cache-07:11211".to_owned(),
    };
    scenes.push(("what-if removal".to_owned(), View::WhatIf, Some(removal)));
    if let Ok(addition) = Change::add("cache-new:11211") {
        scenes.push(("what-if addition".to_owned(), View::WhatIf, Some(addition)));
    }
    scenes
}

fn stage(view: View, plan: Option<&Change>) -> Stage {
    let mut shell = Shell::new(view, Preferences::default(), false);
    if let Some(change) = plan {
        shell.simulate(change.clone());
    }
    Stage::new(shell, [1600.0, 1000.0], 1.0, true)
}

/// The same a moment later, so that what was computed of one is not good for the other.
fn later(published: &Published) -> Published {
    let mut later = published.clone();
    if let Some(snapshot) = &published.snapshot {
        let mut snapshot = snapshot.as_ref().clone();
        snapshot.at += Duration::from_secs(6);
        later.snapshot = Some(snapshot.into());
    }
    later
}

fn frames(criterion: &mut Criterion) {
    for nodes in [64, 200] {
        let mut published = published(nodes, 900, Trouble::ALL);
        published.asked = asked(&published);
        let both = [published.clone(), later(&published)];
        let mut group = criterion.benchmark_group(format!("{nodes} nodes"));
        for (name, view, plan) in scenes() {
            let mut stage = stage(view, plan.as_ref());
            // The first frames lay out text and fill the font's texture.
            let _ = stage.settle(&published);
            group.bench_function(name, |bencher| {
                bencher.iter(|| stage.frame(&published));
            });
        }
        group.finish();
        let mut group = criterion.benchmark_group(format!("{nodes} nodes, new figures"));
        for (name, view, plan) in scenes() {
            let mut stage = stage(view, plan.as_ref());
            let _ = stage.settle(&published);
            let frames = if plan.is_some() { 3 } else { 1 };
            let mut turn = 0;
            group.bench_function(name, |bencher| {
                bencher.iter(|| {
                    turn += 1;
                    for _ in 0..frames {
                        stage.frame(&both[turn % 2]);
                    }
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, frames);
criterion_main!(benches);
