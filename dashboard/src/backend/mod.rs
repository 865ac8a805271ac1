//! What works behind the window: a thread that polls and carries out [`Command`]s, and a few that run
//! the demo and what is asked for on top of the polls. The window never waits for it; it sees what is [`Published`].

mod judge;
mod manager;
mod on_demand;
mod processor_time;
mod watching;

use std::io;
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::runtime::Builder;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::published::{Command, Published};
use manager::Manager;

pub use crate::demo::DemoSettings;

/// Threads for the demo and for what is asked for on top of the polls. Polling has a thread of its own:
/// nothing else makes it late, and what it costs can be told.
const WORKERS: usize = 2;

/// How long what cannot be interrupted may still take at the end.
const LAST_WORK: Duration = Duration::from_secs(1);

/// Called whenever something new is published.
type Wake = Box<dyn Fn() + Send + Sync>;

/// How the backend begins.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How often each node is asked.
    pub interval: Duration,
    /// What the demo is like, should somebody start it.
    pub demo: DemoSettings,
    /// Whether servers may be changed.
    pub may_write: bool,
    /// What to do first.
    pub first: Vec<Command>,
}

/// Where the backend publishes, and whom it tells.
pub(crate) struct Outlet {
    published: ArcSwap<Published>,
    wake: OnceLock<Wake>,
}

impl Outlet {
    fn publish(&self, published: Published) {
        self.published.store(Arc::new(published));
        if let Some(wake) = self.wake.get() {
            wake();
        }
    }
}

/// The running backend. Dropping it ends it, and waits until it has ended.
pub struct Backend {
    commands: Option<UnboundedSender<Command>>,
    outlet: Arc<Outlet>,
    thread: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for Backend {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Backend").finish_non_exhaustive()
    }
}

impl Backend {
    /// Starts the threads.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub fn start(settings: Settings) -> io::Result<Self> {
        let polling = Builder::new_current_thread().enable_all().build()?;
        let workers = Builder::new_multi_thread()
            .worker_threads(WORKERS)
            .thread_name("worker")
            .enable_all()
            .build()?;
        let outlet = Arc::new(Outlet {
            published: ArcSwap::default(),
            wake: OnceLock::new(),
        });
        let (commands, received) = unbounded_channel();
        for command in settings.first.iter().cloned() {
            // The receiver is right here.
            let _ = commands.send(command);
        }
        let manager = Manager::new(settings, Arc::clone(&outlet), workers.handle().clone());
        let thread = thread::Builder::new()
            .name("polling".to_owned())
            .spawn(move || {
                polling.block_on(manager.run(received));
                polling.shutdown_timeout(LAST_WORK);
                workers.shutdown_timeout(LAST_WORK);
            })?;
        Ok(Self {
            commands: Some(commands),
            outlet,
            thread: Some(thread),
        })
    }

    /// What there is to show right now.
    #[must_use]
    pub fn published(&self) -> Arc<Published> {
        self.outlet.published.load_full()
    }

    /// Calls `wake`, from another thread, whenever there is something new. Only the first caller is
    /// heard.
    pub fn on_news(&self, wake: impl Fn() + Send + Sync + 'static) {
        // A second window over one backend does not exist.
        let _ = self.outlet.wake.set(Box::new(wake));
    }

    /// Asks for something; the outcome will be published.
    pub fn send(&self, command: Command) {
        if let Some(commands) = &self.commands {
            // It only stops listening at its end, when nobody looks any more either.
            let _ = commands.send(command);
        }
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.commands = None;
        if let Some(thread) = self.thread.take() {
            // A panic in there has been reported by its own thread.
            let _ = thread.join();
        }
    }
}
