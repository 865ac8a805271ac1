//! What works behind the window: commands go in, and what comes of them is published.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "these are tests"
)]

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use memlens_dashboard::backend::{Backend, DemoSettings, Settings};
use memlens_dashboard::load::WorkloadSettings;
use memlens_dashboard::model::{AdviceKind, MarkKind, NodeState};
use memlens_dashboard::published::{Command, DemoCommand, Published, Write, WriteCommand};

/// How long something may take before the test fails. Only a failure takes that long.
const PATIENCE: Duration = Duration::from_secs(60);

struct Watched {
    backend: Backend,
    news: Receiver<()>,
}

impl Watched {
    fn start(first: Command) -> Self {
        let demo = DemoSettings {
            nodes: 3,
            memory_mib: 8,
            workload: WorkloadSettings {
                items: 2_000,
                seed: 1,
            },
            rate: 2_000,
        };
        let settings = Settings {
            interval: Duration::from_millis(100),
            demo,
            may_write: false,
            first: vec![first],
        };
        let backend = Backend::start(settings).unwrap();
        let (tell, news) = channel();
        backend.on_news(move || {
            let _ = tell.send(());
        });
        Self { backend, news }
    }

    /// Waits until what is published is as wanted.
    fn until(&self, what: &str, wanted: impl Fn(&Published) -> bool) -> Arc<Published> {
        loop {
            let published = self.backend.published();
            if wanted(&published) {
                return published;
            }
            let told = self.news.recv_timeout(PATIENCE);
            assert!(told.is_ok(), "never {what}: {published:?}");
        }
    }

    fn send(&self, command: DemoCommand) {
        self.backend.send(Command::Demo(command));
    }
}

fn state(published: &Published, node: &str) -> Option<NodeState> {
    let nodes = &published.snapshot.as_ref()?.nodes;
    let node = nodes.iter().find(|known| &*known.name == node)?;
    Some(node.state.clone())
}

fn nodes(published: &Published) -> usize {
    published
        .snapshot
        .as_ref()
        .map_or(0, |snapshot| snapshot.nodes.len())
}

#[test]
fn nodes_of_the_demo_come_and_go_and_what_is_known_of_the_others_stays() {
    let watched = Watched::start(Command::StartDemo);
    let published = watched.until("all up", |published| {
        let snapshot = published.snapshot.as_ref();
        snapshot.is_some_and(|snapshot| {
            snapshot.nodes.len() == 3 && snapshot.nodes.iter().all(|node| node.deltas.is_some())
        })
    });
    let first = published.snapshot.as_ref().unwrap().nodes[0].name.clone();
    let second = published.snapshot.as_ref().unwrap().nodes[1].name.clone();

    watched.send(DemoCommand::Add { weight: 1 });
    let published = watched.until("a fourth node", |published| nodes(published) == 4);
    let snapshot = published.snapshot.as_ref().unwrap();
    assert!(snapshot.changes[0].text.starts_with("added 127.0.0.1:"));
    assert!(
        snapshot.nodes[0].general.is_some(),
        "what was known of the first node is gone"
    );
    assert_eq!(published.cluster.as_ref().unwrap().node_names().len(), 4);

    watched.send(DemoCommand::Stop(first.clone()));
    watched.until("down", |published| {
        matches!(state(published, &first), Some(NodeState::Down(_)))
    });
    watched.send(DemoCommand::Start(first.clone()));
    let published = watched.until("up again", |published| {
        state(published, &first) == Some(NodeState::Up)
    });
    let marks = &published.snapshot.as_ref().unwrap().nodes[0].marks;
    let kinds: Vec<_> = marks.iter().map(|mark| mark.kind).collect();
    assert!(
        kinds.contains(&MarkKind::WentDown) && kinds.contains(&MarkKind::CameBack),
        "{kinds:?}"
    );

    watched.send(DemoCommand::Hang(second.clone()));
    watched.until("out of reach", |published| {
        matches!(
            state(published, &second),
            Some(NodeState::Stale | NodeState::Down(_))
        )
    });
    watched.send(DemoCommand::Resume(second.clone()));
    watched.until("back", |published| {
        state(published, &second) == Some(NodeState::Up)
    });

    watched.send(DemoCommand::SetRing("crc32-modulo"));
    watched.until("another ring", |published| {
        let cluster = published.cluster.as_ref();
        cluster.is_some_and(|cluster| cluster.config().ring.name() == "crc32-modulo")
    });
    watched.send(DemoCommand::Remove(second.clone()));
    let published = watched.until("three nodes", |published| nodes(published) == 3);
    assert_eq!(state(&published, &second), None);
}

#[test]
fn a_server_is_never_changed_unless_that_was_allowed() {
    let watched = Watched::start(Command::StartDemo);
    let published = watched.until("up", |published| nodes(published) == 3);
    let node = published.snapshot.as_ref().unwrap().nodes[0].name.clone();
    watched.backend.send(Command::Write(WriteCommand {
        node,
        write: Write::FlushAll,
    }));
    let published = watched.until("refused", |published| !published.notices.is_empty());
    assert!(published.notices[0].is_error, "{published:?}");
    assert!(published.audit.is_empty());
}

#[test]
fn a_pause_asks_nobody_and_nothing_grows_stale() {
    let watched = Watched::start(Command::StartDemo);
    watched.until("up", |published| nodes(published) == 3);
    watched.backend.send(Command::Pause(true));
    let paused = watched.until("paused", |published| published.is_paused);
    let at = paused.snapshot.as_ref().unwrap().at;
    watched.backend.send(Command::Pause(false));
    watched.until("going on", |published| {
        let snapshot = published.snapshot.as_ref().unwrap();
        !published.is_paused
            && snapshot.at > at
            && snapshot
                .nodes
                .iter()
                .all(|node| node.state == NodeState::Up)
    });
}

#[test]
fn what_was_asked_for_is_written_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.csv");
    let watched = Watched::start(Command::Save {
        path: path.clone(),
        bytes: b"Node\r\n".as_slice().into(),
    });
    watched.until("written", |published| !published.notices.is_empty());
    assert_eq!(std::fs::read(path).unwrap(), b"Node\r\n");
    watched.backend.send(Command::Save {
        path: folder.path().join("no/such/folder"),
        bytes: Arc::default(),
    });
    let published = watched.until("failed", |published| published.notices.len() == 2);
    assert!(published.notices[1].is_error);
}

#[test]
fn servers_that_make_no_sense_are_told_and_leave_everything_as_it_was() {
    let watched = Watched::start(Command::Connect {
        name: String::new(),
        servers: "a:b:c".to_owned(),
    });
    let published = watched.until("told", |published| !published.notices.is_empty());
    assert!(published.notices[0].is_error && published.cluster.is_none());
}

fn found(published: &Published, kind: AdviceKind) -> bool {
    published.advice.iter().any(|advice| advice.kind == kind)
}

#[test]
fn a_client_that_missed_a_roll_out_is_found_out() {
    let watched = Watched::start(Command::StartDemo);
    let published = watched.until("a client", |published| published.client.is_some());
    assert!(!found(&published, AdviceKind::ClientRing));
    watched.send(DemoCommand::SetStray(true));
    let published = watched.until("found out", |published| {
        found(published, AdviceKind::ClientRing)
    });
    let last = published.cluster.as_ref().unwrap().node_names()[2].clone();
    let advice = published
        .advice
        .iter()
        .find(|advice| advice.kind == AdviceKind::ClientRing);
    let evidence = &advice.unwrap().evidence;
    assert!(
        evidence.contains(&format!("the client lacks {last}")),
        "{evidence}"
    );
}

#[test]
fn a_client_whose_reads_fail_gets_less_than_the_servers_find() {
    let watched = Watched::start(Command::StartDemo);
    let published = watched.until("a client's hit rate", |published| {
        let client = published.client.as_ref();
        client.is_some_and(|client| client.hit_rate.is_some())
    });
    let node = published.snapshot.as_ref().unwrap().nodes[0].name.clone();
    watched.send(DemoCommand::Hang(node));
    let published = watched.until("less", |published| {
        found(published, AdviceKind::ClientMisses)
    });
    let client = published.client.as_ref().unwrap();
    assert!(client.failures_per_second.is_some());
}

#[test]
fn servers_of_somebodys_own_have_no_client_that_could_be_asked() {
    let watched = Watched::start(Command::Connect {
        name: String::new(),
        servers: "127.0.0.1:1".to_owned(),
    });
    let published = watched.until("watched", |published| published.snapshot.is_some());
    assert!(published.client.is_none() && published.demo.is_none());
}

#[test]
fn what_polling_costs_is_told() {
    let watched = Watched::start(Command::StartDemo);
    watched.until("a cost", |published| {
        let cost = &published.cost;
        let processor_is_told =
            cost.cores.is_some_and(|cores| cores > 0.0) || !cfg!(target_os = "linux");
        cost.requests_per_second > 0.0 && cost.bytes_per_second > 0.0 && processor_is_told
    });
}
