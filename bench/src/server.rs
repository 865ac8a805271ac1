//! A memcached of its own for every run.

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
#[cfg(feature = "tls")]
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use crate::contenders::store;
use crate::workload::Workload;

/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(10);

/// On how many ports to try.
const TRIES: usize = 3;

/// Several, each with the same items.
pub(crate) struct Servers {
    all: Vec<Server>,
}

impl Servers {
    pub(crate) fn start(program: &str, count: usize, workloads: &[Workload]) -> Result<Self> {
        let all = (0..count).map(|_| Server::start(program, workloads));
        Ok(Self {
            all: all.collect::<Result<_>>()?,
        })
    }

    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.all.iter().map(|server| server.address).collect()
    }

    /// The first one's process.
    pub(crate) fn process(&self) -> Option<u32> {
        self.all.first().map(|server| server.process.id())
    }
}

/// A running memcached; it is stopped when this is dropped.
pub(crate) struct Server {
    process: Child,
    address: SocketAddr,
}

impl Server {
    /// Starts `program` with one thread on a free port, and stores the items of all `workloads`.
    fn start(program: &str, workloads: &[Workload]) -> Result<Self> {
        let mut tries = 1;
        loop {
            let address = free_address()?;
            let port = address.port().to_string();
            let arguments = ["-l", "127.0.0.1", "-p", &port];
            match Self::listening(program, workloads, address, &arguments) {
                // Somebody else may have got the port in the meantime.
                Err(_) if tries < TRIES => tries += 1,
                outcome => return outcome,
            }
        }
    }

    /// As the others, and on another free port it encrypts, with this certificate and its key.
    #[cfg(feature = "tls")]
    pub(crate) fn encrypting(
        program: &str,
        workloads: &[Workload],
        (certificate, key): (&Path, &Path),
    ) -> Result<(Self, SocketAddr)> {
        let (plain, encrypted) = (free_address()?, free_address()?);
        let ports = format!("notls:{plain},{encrypted}");
        let certificate = format!("ssl_chain_cert={}", certificate.display());
        let key = format!("ssl_key={}", key.display());
        let arguments = ["-l", &ports, "-Z", "-o", &certificate, "-o", &key];
        let server = Self::listening(program, workloads, plain, &arguments)?;
        Ok((server, encrypted))
    }

    #[cfg(feature = "tls")]
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    fn listening(
        program: &str,
        workloads: &[Workload],
        address: SocketAddr,
        arguments: &[&str],
    ) -> Result<Self> {
        let process = Command::new(program)
            .args(arguments)
            .args([
                "-U", "0", "-t", "1", "-m", "256", "-c", "4096", "-u", "nobody",
            ])
            .stdin(Stdio::null())
            .spawn()
            .with_context(|| format!("can't start {program}"))?;
        let mut server = Self { process, address };
        server.wait_until_ready()?;
        for workload in workloads {
            store(server.address, workload.items())?;
        }
        Ok(server)
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let since = Instant::now();
        while since.elapsed() < PATIENCE {
            if let Some(status) = self.process.try_wait()? {
                bail!("memcached ended with {status}");
            }
            if let Ok(mut stream) = TcpStream::connect(self.address) {
                stream.write_all(b"quit\r\n")?;
                return Ok(());
            }
            thread::sleep(Duration::from_millis(10));
        }
        bail!("memcached did not start within {PATIENCE:?}")
    }

    /// What it says of itself.
    pub(crate) fn version(program: &str) -> Result<String> {
        let output = Command::new(program).arg("-V").output()?;
        ensure!(output.status.success(), "{program} -V failed");
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}

fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nothing is to be done if it has ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
