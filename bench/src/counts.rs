//! Counts that noise does not touch: what N operations more take, divided by N. So neither the
//! start of the process nor the connecting is in them.

use std::net::SocketAddr;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use crate::Selection;
use crate::meter::Tally;
use crate::server::Server;
use crate::table::{Table, number};
use crate::workload::Workload;

pub(crate) fn run(selection: &Selection, operations: u64) -> Result<()> {
    let contenders = selection.contenders()?;
    let workloads = selection.workloads();
    let server = Server::start(&selection.memcached, &workloads)?;
    println!(
        "{}, counted over {operations} operations.",
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
            .filter(|contender| contender.takes_part_in(workload))
        {
            let name = contender.name();
            let trial = Trial {
                contender: &name,
                workload,
                server: server.address,
            };
            let per_operation = |count: &dyn Fn(u64) -> Result<u64>| -> Result<f64> {
                let more = count(2 * operations)? as f64 - count(operations)? as f64;
                Ok(more / operations as f64)
            };
            let allocations = per_operation(&|operations| trial.allocations(operations))?;
            let calls = per_operation(&|operations| trial.system_calls(operations));
            let instructions = per_operation(&|operations| trial.instructions(operations));
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

struct Trial<'a> {
    contender: &'a str,
    workload: Workload,
    server: SocketAddr,
}

impl Trial<'_> {
    /// Makes `command` carry out the measurement, and returns what it printed to standard output
    /// and standard error.
    fn run(&self, mut command: Command, operations: u64) -> Result<(Vec<u8>, String)> {
        let program = command.get_program().to_owned();
        let output = command
            .args([
                "measure",
                self.contender,
                self.workload.name(),
                &self.server.to_string(),
            ])
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

    fn allocations(&self, operations: u64) -> Result<u64> {
        let command = Command::new(std::env::current_exe()?);
        let (tally, _) = self.run(command, operations)?;
        let tally: Tally = serde_json::from_slice(&tally)?;
        Ok(tally.allocations)
    }

    fn system_calls(&self, operations: u64) -> Result<u64> {
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

    fn instructions(&self, operations: u64) -> Result<u64> {
        let mut command = Command::new("valgrind");
        command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
        command.arg(std::env::current_exe()?);
        let (_, messages) = self.run(command, operations)?;
        let (_, collected) = messages.split_once("Collected :").context("no count")?;
        let count = collected.split_whitespace().next().context("no count")?;
        Ok(count.parse()?)
    }
}
