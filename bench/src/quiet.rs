//! Makes figures repeatable: client and server on one CPU, and no CPU ever asleep.
//!
//! A wake-up on another CPU costs as much as ten small requests, and its price changes with the
//! scheduler's mood, most of all in a virtual machine, where a sleeping CPU is given away.

use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::thread;

use anyhow::{Context as _, Result};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// While it lives, the lowest-priority spinners keep all CPUs awake.
pub(crate) struct Quiet {
    spinners: Vec<Child>,
}

impl Quiet {
    /// Also keeps this process, and those it starts from now on, on the last CPU it may use.
    pub(crate) fn begin() -> Result<Self> {
        let allowed = sched_getaffinity(None)?;
        let cpus: Vec<usize> = (0..CpuSet::MAX_CPU)
            .filter(|&cpu| allowed.is_set(cpu))
            .collect();
        let mut quiet = Self {
            spinners: Vec::new(),
        };
        for cpu in &cpus {
            quiet.spinners.push(spinner(*cpu)?);
        }
        stay_on(*cpus.last().context("no CPU to run on")?)?;
        Ok(quiet)
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        for spinner in &mut self.spinners {
            // Nothing is to be done if it has ended by itself.
            let _ = spinner.kill();
            let _ = spinner.wait();
        }
    }
}

fn spinner(cpu: usize) -> Result<Child> {
    Command::new("chrt")
        .args(["--idle", "0"])
        .arg(std::env::current_exe()?)
        .args(["spin", &cpu.to_string()])
        .stdin(Stdio::piped())
        .spawn()
        .context("can't start chrt (of util-linux); --spread does without")
}

fn stay_on(cpu: usize) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(cpu);
    Ok(sched_setaffinity(None, &set)?)
}

/// Keeps `cpu` busy until standard input ends, as it does when the starter is gone.
pub(crate) fn spin(cpu: usize) -> Result<()> {
    let starter = thread::spawn(|| std::io::stdin().read_to_end(&mut Vec::new()));
    stay_on(cpu)?;
    while !starter.is_finished() {
        std::hint::spin_loop();
    }
    Ok(())
}
