//! Clients of other languages: programs of their own that do the same work and tell what they
//! measured.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};

use super::super::{Contender, Kind};
use crate::meter::{Meter, Tally, Until};
use crate::workload::Workload;

/// libmemcached, by a program in C.
pub(super) const LIBMEMCACHED: External = External {
    name: "libmemcached",
    most_callers: 1,
    several_servers: true,
    language: Language::C,
};

/// emcache for Python, which puts the reads of one turn of its event loop into one request.
pub(super) const EMCACHE: External = External {
    name: "emcache",
    most_callers: 64,
    several_servers: true,
    language: Language::Python,
};

pub(super) struct External {
    name: &'static str,
    most_callers: usize,
    several_servers: bool,
    language: Language,
}

enum Language {
    C,
    Python,
}

impl External {
    fn source(&self) -> PathBuf {
        let extension = match self.language {
            Language::C => "c",
            Language::Python => "py",
        };
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("peers")
            .join(self.name)
            .with_extension(extension)
    }

    /// The program, built if need be.
    fn command(&self) -> Result<Command> {
        match self.language {
            Language::Python => {
                let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
                let mut command = Command::new(python);
                command.arg(self.source());
                Ok(command)
            }
            Language::C => {
                let own = std::env::current_exe()?;
                let program = own.with_file_name(format!("memlens-bench-{}", self.name));
                if is_older(&program, &self.source()) {
                    let mut compiler = Command::new("cc");
                    compiler.args(["-O2", "-Wall", "-o"]).arg(&program);
                    compiler.arg(self.source()).arg("-lmemcached");
                    let output = compiler.output().context("no C compiler")?;
                    let messages = String::from_utf8_lossy(&output.stderr);
                    ensure!(output.status.success(), "{}", messages.trim());
                }
                Ok(Command::new(program))
            }
        }
    }
}

fn is_older(program: &Path, source: &Path) -> bool {
    let changed = |path: &Path| path.metadata().and_then(|it| it.modified());
    match (changed(program), changed(source)) {
        (Ok(program), Ok(source)) => program < source,
        _ => true,
    }
}

impl Contender for External {
    fn name(&self) -> String {
        self.name.to_owned()
    }

    fn kind(&self) -> Kind {
        Kind::Foreign
    }

    fn takes_part_in(&self, workload: Workload, servers: usize) -> bool {
        workload.callers() <= self.most_callers && (servers == 1 || self.several_servers)
    }

    fn run(&self, _meter: &Arc<Meter>, _servers: &[SocketAddr]) -> Result<()> {
        bail!("it measures itself")
    }

    fn measure_itself(
        &self,
        workload: Workload,
        until: Until,
        servers: &[SocketAddr],
    ) -> Result<Option<Tally>> {
        let Until::Elapsed(time) = until else {
            bail!("{} works for a time only", self.name)
        };
        let output = self
            .command()?
            .args([workload.name(), &time.as_secs_f64().to_string()])
            .args(servers.iter().map(ToString::to_string))
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()?;
        ensure!(output.status.success(), "{} failed", self.name);
        serde_json::from_slice(&output.stdout).context("no tally")
    }

    fn is_missing(&self) -> Option<String> {
        let tried = match self.language {
            Language::C => self.command().map(drop),
            Language::Python => self.command().and_then(|mut python| {
                let found = python.arg("--check").stderr(Stdio::null()).status()?;
                ensure!(found.success(), "Python has no module of that name");
                Ok(())
            }),
        };
        tried.err().map(|error| format!("{error:#}"))
    }
}
