//! What a frame costs the processor: layout, painting and tessellation of every view, at 1600 × 1000
//! points, with the program's own allocator.
//!
//! ```text
//! cargo bench -p memlens-dashboard --bench frames
//! ```

#![allow(
    missing_docs,
    reason = "criterion's macros generate undocumented items"
)]

use criterion::{Criterion, criterion_group, criterion_main};
use memlens_dashboard::preferences::Preferences;
use memlens_dashboard::rehearsal::{Trouble, asked, published};
use memlens_dashboard::shell::Shell;
use memlens_dashboard::stage::Stage;
use memlens_dashboard::views::View;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn frames(criterion: &mut Criterion) {
    for nodes in [64, 200] {
        let mut group = criterion.benchmark_group(format!("{nodes} nodes"));
        let mut published = published(nodes, 900, Trouble::ALL);
        published.asked = asked(&published);
        for view in View::ALL {
            let shell = Shell::new(view, Preferences::default(), false);
            let mut stage = Stage::new(shell, [1600.0, 1000.0], 1.0, true);
            // The first frames lay out text and fill the font's texture.
            let _ = stage.settle(&published);
            group.bench_function(view.slug(), |bencher| {
                bencher.iter(|| stage.frame(&published));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, frames);
criterion_main!(benches);
