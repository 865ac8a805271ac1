//! Counts that noise does not touch: what N operations more take, divided by N. So neither the
//! start of the process nor the connecting is in them.

use std::net::SocketAddr;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use crate::Selection;
use crate::contenders::Kind;
use crate::meter::Tally;
use crate::server::Server;
use crate::table::{Table, number};
use crate::workload::Workload;

pub(crate) fn run(selection: &Selection, operations: u64) -> Result<()> {
    let contenders = selection.contenders()?;
    let workloads = selection.workloads();
    let servers = selection.start()?;
    let addresses = servers.addresses();
    println!(
        "{} × {}, counted over {operations} operations.",
        addresses.len(),
        Server::version(&selection.memcached)?
    );
    for workload in workloads {
        let mut table = Table::new([
            "contender",
            "allocations/op",
            "system calls/op",
            "instructions/op",
        ]);
        for contender in contenders
            .iter()
            .filter(|contender| contender.takes_part_in(workload, addresses.len()))
            .filter(|contender| contender.kind() != Kind::Foreign)
        {
            let name = contender.name();
            let trial = Trial {
                contender: &name,
                workload,
                servers: &addresses,
                operations,
            };
            let allocations = trial.allocations()?;
            let calls = trial.system_calls();
            let instructions = trial.instructions();
            table.row([
                name.clone(),
                rounded(allocations),
                calls.map_or_else(|error| unknown(&error), rounded),
                instructions.map_or_else(|error| unknown(&error), number),
            ]);
        }
        print!(
            "\n## {} (`{}`)\n\n{table}",
            workload.title(),
            workload.name()
        );
    }
    Ok(())
}

/// To hundredths, of which what is next to nothing has no sign.
fn rounded(count: f64) -> String {
    let hundredths = (count * 100.0).round() + 0.0;
    format!("{:.2}", hundredths / 100.0)
}

/// What stands in the place of a count that could not be had, because its tool is missing, say.
fn unknown(error: &anyhow::Error) -> String {
    eprintln!("{error:#}");
    "unknown".to_owned()
}

pub(crate) struct Trial<'a> {
    pub(crate) contender: &'a str,
    pub(crate) workload: Workload,
    pub(crate) servers: &'a [SocketAddr],
    pub(crate) operations: u64,
}

impl Trial<'_> {
    pub(crate) fn allocations(&self) -> Result<f64> {
        self.per_operation(|operations| self.count_allocations(operations))
    }

    pub(crate) fn system_calls(&self) -> Result<f64> {
        self.per_operation(|operations| self.count_system_calls(operations))
    }

    pub(crate) fn instructions(&self) -> Result<f64> {
        self.per_operation(|operations| self.count_instructions(operations))
    }

    fn per_operation(&self, count: impl Fn(u64) -> Result<u64>) -> Result<f64> {
        let more = count(2 * self.operations)? as f64 - count(self.operations)? as f64;
        Ok(more / self.operations as f64)
    }

    /// Makes `command` carry out the measurement, and returns what it printed to standard output
    /// and standard error.
    fn run(&self, mut command: Command, operations: u64) -> Result<(Vec<u8>, String)> {
        let program = command.get_program().to_owned();
        let output = command
            .args(["measure", self.contender, self.workload.name()])
            .args(self.servers.iter().map(ToString::to_string))
            .args(["--operations", &operations.to_string()])
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("no {}", program.display()))?;
        let messages = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(
            output.status.success(),
            "{} failed: {messages}",
            self.contender
        );
        Ok((output.stdout, messages))
    }

    fn count_allocations(&self, operations: u64) -> Result<u64> {
        let command = Command::new(std::env::current_exe()?);
        let (tally, _) = self.run(command, operations)?;
        let tally: Tally = serde_json::from_slice(&tally)?;
        Ok(tally.allocations)
    }

    fn count_system_calls(&self, operations: u64) -> Result<u64> {
        let report = tempfile::NamedTempFile::new()?;
        let mut command = Command::new("strace");
        command
            .args(["-f", "-c", "-o"])
            .arg(report.path())
            .arg(std::env::current_exe()?);
        self.run(command, operations)?;
        let report = std::fs::read_to_string(report.path())?;
        // The last line: "100.00 <seconds> <microseconds a call> <calls> [<errors>] total".
        let total = report
            .lines()
            .rfind(|line| line.ends_with("total"))
            .context("no total")?;
        let calls = total
            .split_whitespace()
            .nth(3)
            .context("no number of calls")?;
        Ok(calls.parse()?)
    }

    fn count_instructions(&self, operations: u64) -> Result<u64> {
        let mut command = Command::new("valgrind");
        command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
        command.arg(std::env::current_exe()?);
        let (_, messages) = self.run(command, operations)?;
        let (_, collected) = messages.split_once("Collected :").context("no count")?;
        let count = collected.split_whitespace().next().context("no count")?;
        Ok(count.parse()?)
    }
}
