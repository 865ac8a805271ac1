//! Carries out commands one after the other, and publishes what there is to show.

use std::future::pending;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use memlens::config::Config;
use tokio::runtime::Handle;
use tokio::select;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::judge::{Judge, told};
use super::on_demand::OnDemand;
use super::watching::Watching;
use super::{Outlet, Settings};
use crate::demo::{Demo, DemoError};
use crate::model::{ClientSide, Cluster};
use crate::poller::ReadWatch;
use crate::published::{
    AuditEntry, Command, DemoCommand, DemoState, Notice, Published, WriteCommand,
};

/// Notices kept for whoever was not looking.
const NOTICES_KEPT: usize = 32;

/// How long ending in good order may take. A server that hangs would hold it up.
const STOP_PATIENCE: Duration = Duration::from_secs(1);

/// The demo's name.
const DEMO: &str = "demo";

pub(super) struct Manager {
    outlet: Arc<Outlet>,
    settings: Settings,
    /// Where the demo and streams work.
    workers: Handle,
    watching: Option<Watching>,
    demo: Option<Demo>,
    demo_state: Option<Arc<DemoState>>,
    client: Option<Arc<ClientSide>>,
    judge: Judge,
    on_demand: OnDemand,
    reads: Option<ReadWatch>,
    audit: Arc<Vec<AuditEntry>>,
    notices: Arc<Vec<Notice>>,
    next_notice: u64,
}

impl Manager {
    pub(super) fn new(settings: Settings, outlet: Arc<Outlet>, workers: Handle) -> Self {
        Self {
            outlet,
            settings,
            workers,
            watching: None,
            demo: None,
            demo_state: None,
            client: None,
            judge: Judge::default(),
            on_demand: OnDemand::default(),
            reads: None,
            audit: Arc::default(),
            notices: Arc::default(),
            next_notice: 0,
        }
    }

    /// Works until nobody can send commands any more.
    pub(super) async fn run(mut self, mut commands: UnboundedReceiver<Command>) {
        loop {
            let wake = select! {
                command = commands.recv() => match command {
                    Some(command) => Wake::Command(command),
                    None => break,
                },
                () = news(&mut self.watching) => Wake::Snapshot,
                () = self.on_demand.news() => Wake::Answer,
            };
            match wake {
                Wake::Command(command) => {
                    if let Err(error) = self.carry_out(command).await {
                        self.tell(true, error);
                    }
                }
                Wake::Snapshot => self.look_at_demo().await,
                Wake::Answer => {}
            }
            self.publish();
        }
        // What still runs when the patience ends, ends with the runtime.
        let _ = timeout(STOP_PATIENCE, self.disconnect()).await;
    }

    async fn carry_out(&mut self, command: Command) -> Result<(), String> {
        match command {
            Command::Connect { name, servers } => self.connect(name, &servers).await,
            Command::StartDemo => self.start_demo().await,
            Command::Disconnect => {
                self.disconnect().await;
                Ok(())
            }
            Command::Pause(pause) => {
                if let Some(watching) = &mut self.watching {
                    watching.pause(pause);
                }
                Ok(())
            }
            Command::Refresh => {
                if let Some(watching) = &self.watching {
                    watching.refresh();
                }
                Ok(())
            }
            Command::SetInterval(interval) => {
                self.settings.interval = interval;
                self.change_watch(None).await
            }
            Command::SetRules(rules) => {
                self.judge.set_rules(rules);
                Ok(())
            }
            Command::WatchReads(length) => {
                let _workers = self.workers.enter();
                self.reads = self
                    .watching
                    .as_ref()
                    .map(|watching| watching.reads(length));
                Ok(())
            }
            Command::StopWatchingReads => {
                self.reads = None;
                Ok(())
            }
            Command::Demo(command) => self.change_demo(command).await,
            Command::Ask(ask) => {
                if let Some(watching) = &self.watching {
                    let _workers = self.workers.enter();
                    let config = watching.cluster.config();
                    self.on_demand.carry_out(ask, watching.client(), config);
                }
                Ok(())
            }
            Command::Write(command) => self.write(command).await,
            Command::Save { path, bytes } => self.save(&path, &bytes).await,
        }
    }

    async fn connect(&mut self, name: String, servers: &str) -> Result<(), String> {
        let config: Config = servers
            .trim()
            .parse()
            .map_err(|error: memlens::Error| error.to_string())?;
        let name = if name.is_empty() {
            config_name(&config)
        } else {
            name
        };
        let cluster = Cluster::new(name, config).map_err(|error| error.to_string())?;
        let interval = self.settings.interval;
        let watching = Watching::begin(cluster, interval)
            .await
            .map_err(|error| error.to_string())?;
        self.disconnect().await;
        self.watching = Some(watching);
        Ok(())
    }

    async fn start_demo(&mut self) -> Result<(), String> {
        self.disconnect().await;
        let starting = self.workers.spawn(Demo::start(self.settings.demo));
        let demo = done(starting).await?.map_err(|error| error.to_string())?;
        let cluster = demo_cluster(&demo)?;
        let watching = Watching::begin(cluster, self.settings.interval)
            .await
            .map_err(|error| error.to_string())?;
        self.watching = Some(watching);
        self.demo = Some(demo);
        Ok(())
    }

    async fn change_demo(&mut self, command: DemoCommand) -> Result<(), String> {
        let Some(mut demo) = self.demo.take() else {
            return Err("the demo is not running".to_owned());
        };
        let changing = self.workers.spawn(async move {
            let changed = demo.carry_out(command).await;
            (demo, changed)
        });
        let (demo, changed) = done(changing).await?;
        self.demo = Some(demo);
        self.look_at_demo().await;
        let changed = changed.map_err(|error| error.to_string())?;
        if changed.is_some() {
            self.change_watch(changed).await?;
        }
        Ok(())
    }

    async fn look_at_demo(&mut self) {
        let now = watching_time(&self.watching);
        if let Some(demo) = &mut self.demo {
            self.demo_state = Some(Arc::new(demo.look(now).await));
            self.client = demo.client_side();
        }
    }

    /// Makes the poller follow what changed.
    async fn change_watch(&mut self, note: Option<String>) -> Result<(), String> {
        let Some(watching) = self.watching.take() else {
            return Ok(());
        };
        let cluster = match &self.demo {
            Some(demo) => demo_cluster(demo)?,
            None => watching.cluster.as_ref().clone(),
        };
        // Scans and watches go by the client that is about to be closed.
        self.on_demand = OnDemand::default();
        let changed = watching.change(cluster, self.settings.interval, note).await;
        self.watching = Some(changed.map_err(|error| error.to_string())?);
        Ok(())
    }

    async fn disconnect(&mut self) {
        self.judge.forget();
        self.on_demand = OnDemand::default();
        self.reads = None;
        (self.demo_state, self.client) = (None, None);
        if let Some(watching) = self.watching.take() {
            watching.end().await;
        }
        if let Some(demo) = self.demo.take() {
            demo.stop().await;
        }
    }

    async fn write(&mut self, command: WriteCommand) -> Result<(), String> {
        let Some(watching) = self.watching.as_ref().filter(|_| self.settings.may_write) else {
            return Err("changing servers is not allowed: see --allow-writes".to_owned());
        };
        let line = command.write.line();
        let outcome = watching.write(&command).await;
        let told = match &outcome {
            Ok(()) => format!("{}: {line}", command.node),
            Err(error) => format!("{}: {line}: {error}", command.node),
        };
        self.tell(outcome.is_err(), told);
        Arc::make_mut(&mut self.audit).push(AuditEntry {
            at: watching_time(&self.watching),
            node: command.node,
            line,
            outcome,
        });
        Ok(())
    }

    async fn save(&mut self, path: &Path, bytes: &[u8]) -> Result<(), String> {
        let place = path.display();
        tokio::fs::write(path, bytes)
            .await
            .map_err(|error| format!("cannot write {place}: {error}"))?;
        self.tell(false, format!("wrote {place}"));
        Ok(())
    }

    fn tell(&mut self, is_error: bool, text: String) {
        let notices = Arc::make_mut(&mut self.notices);
        if notices.len() == NOTICES_KEPT {
            notices.remove(0);
        }
        notices.push(Notice {
            number: self.next_notice,
            is_error,
            text,
        });
        self.next_notice += 1;
    }

    /// Judges the newest snapshot, and tells which alerts began or ended by it.
    fn judge(&mut self) {
        let Some(watching) = &mut self.watching else {
            return;
        };
        let snapshot = Arc::clone(&watching.snapshots.borrow_and_update());
        let changes = self.judge.look(
            &watching.cluster,
            &snapshot,
            self.client.as_deref(),
            &self.on_demand,
        );
        for change in &changes {
            let (is_bad, text) = told(change);
            self.tell(is_bad, text);
        }
    }

    fn publish(&mut self) {
        self.judge();
        let mut published = Published {
            client: self.client.clone(),
            demo: self.demo_state.clone(),
            audit: Arc::clone(&self.audit),
            notices: Arc::clone(&self.notices),
            ..Published::default()
        };
        if let Some(watching) = &mut self.watching {
            published.cluster = Some(Arc::clone(&watching.cluster));
            published.asked = self.on_demand.asked();
            let snapshot = Arc::clone(&watching.snapshots.borrow_and_update());
            published.advice = self.judge.advice();
            published.alerts = self.judge.alerts();
            published.snapshot = Some(snapshot);
            published.reads = self.reads.as_ref().map(ReadWatch::state);
            published.is_paused = watching.is_paused;
            published.cost = watching.cost();
        }
        self.outlet.publish(published);
    }
}

/// What there is to do.
enum Wake {
    Command(Command),
    Snapshot,
    Answer,
}

/// Waits for a new snapshot; for ever while nothing is watched.
async fn news(watching: &mut Option<Watching>) {
    let waited = match watching {
        Some(watching) => watching.snapshots.changed().await,
        None => pending().await,
    };
    if waited.is_err() {
        // The collector is gone, which it only is after a panic of its own.
        pending::<()>().await;
    }
}

fn watching_time(watching: &Option<Watching>) -> Duration {
    watching
        .as_ref()
        .map_or(Duration::ZERO, |watching| watching.snapshots.borrow().at)
}

fn demo_cluster(demo: &Demo) -> Result<Cluster, String> {
    let config = demo
        .config()
        .map_err(|error: DemoError| error.to_string())?;
    Cluster::new(DEMO, config).map_err(|error| error.to_string())
}

/// Waits for work of the other threads.
async fn done<T>(work: JoinHandle<T>) -> Result<T, String> {
    work.await
        .map_err(|error| format!("the demo failed: {error}"))
}

/// A cluster that nobody gave a name is called after its first server.
fn config_name(config: &Config) -> String {
    match config.servers.as_slice() {
        [] => String::new(),
        [only] => only.to_string(),
        [first, others @ ..] => format!("{first} and {} more", others.len()),
    }
}
