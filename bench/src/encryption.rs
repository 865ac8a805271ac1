//! What encryption costs: memlens beside itself, on one server that takes both kinds of connection.

use std::fs::Permissions;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use memlens::{Client, Config};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustix::time::{ClockId, clock_gettime};
use tempfile::TempDir;

use crate::contenders::{ROOTS, list, settings};
use crate::meter::Tally;
use crate::quiet::Quiet;
use crate::rounds::Quartiles;
use crate::server::Server;
use crate::table::{Table, number};
use crate::workload::Workload;

const WORKLOADS: [Workload; 4] = [
    Workload::Get,
    Workload::Get64,
    Workload::MultiGet,
    Workload::Large,
];

/// How often a client is made and connects, of each kind.
const HANDSHAKES: usize = 200;

pub(crate) fn run(memcached: &str, rounds: u32, seconds: f64) -> Result<()> {
    let certificates = Certificates::new()?;
    let _quiet = Quiet::begin()?;
    let (certificate, key) = (
        certificates.file("server.pem"),
        certificates.file("server.key"),
    );
    let (server, encrypted_at) = Server::encrypting(memcached, &WORKLOADS, (&certificate, &key))?;
    let version = Server::version(memcached)?;
    println!("{version}, {rounds} rounds of {seconds} s, all on one CPU kept awake.\n");
    let mut table = Table::new([
        "workload",
        "plain ops/s",
        "TLS ops/s",
        "TLS / plain",
        "plain CPU µs/op",
        "TLS CPU µs/op",
    ]);
    for workload in WORKLOADS {
        let (mut plain, mut encrypted) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            let one = |name, address| measure(name, workload, address, seconds, &certificates);
            plain.push(one("memlens@current", server.address())?);
            encrypted.push(one("memlens-tls@current", encrypted_at)?);
        }
        let ratios = std::iter::zip(&encrypted, &plain).map(|(one, other)| rate(one) / rate(other));
        let Quartiles { low, median, high } = Quartiles::of(ratios);
        table.row([
            workload.title().to_owned(),
            number(Quartiles::of(plain.iter().map(rate)).median),
            number(Quartiles::of(encrypted.iter().map(rate)).median),
            format!("{median:.2} ({low:.2}–{high:.2})"),
            format!("{:.2}", Quartiles::of(plain.iter().map(cpu)).median),
            format!("{:.2}", Quartiles::of(encrypted.iter().map(cpu)).median),
        ]);
    }
    print!(
        "{table}\n{}",
        handshakes(server.address(), encrypted_at, &certificates)?
    );
    Ok(())
}

fn rate(tally: &Tally) -> f64 {
    tally.operations as f64 / tally.seconds
}

fn cpu(tally: &Tally) -> f64 {
    tally.cpu_seconds * 1e6 / tally.operations as f64
}

fn measure(
    contender: &str,
    workload: Workload,
    server: SocketAddr,
    seconds: f64,
    certificates: &Certificates,
) -> Result<Tally> {
    let output = Command::new(std::env::current_exe()?)
        .args(["measure", contender, workload.name(), &server.to_string()])
        .args(["--seconds", &seconds.to_string()])
        .env(ROOTS, certificates.roots())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()?;
    ensure!(output.status.success(), "{contender} failed");
    serde_json::from_slice(&output.stdout).context("no tally")
}

/// What a new client's first request takes, which connects.
fn handshakes(
    plain: SocketAddr,
    encrypted: SocketAddr,
    certificates: &Certificates,
) -> Result<Table> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let plain: Config = list(&[plain]).parse()?;
    let encrypted = settings(&[encrypted], certificates.roots())?;
    let kinds = [("plain", plain), ("TLS, full handshake", encrypted)];
    let mut taken = kinds.each_ref().map(|_| Vec::new());
    for _ in 0..HANDSHAKES {
        for ((_, config), taken) in std::iter::zip(&kinds, &mut taken) {
            taken.push(runtime.block_on(first_request(config.clone()))?);
        }
    }
    let mut table = Table::new(["a client's first request", "µs", "its CPU µs"]);
    for ((kind, _), taken) in std::iter::zip(kinds, &taken) {
        let median = |part: fn(&(Duration, Duration)) -> Duration| {
            Quartiles::of(taken.iter().map(|both| part(both).as_secs_f64() * 1e6)).median
        };
        table.row([
            kind.to_owned(),
            number(median(|both| both.0)),
            number(median(|both| both.1)),
        ]);
    }
    Ok(table)
}

/// How long it takes, and how much time of the CPU.
async fn first_request(config: Config) -> Result<(Duration, Duration)> {
    // Reading roots is not connecting.
    let client = Client::with_config(config).await?;
    let (began, cpu) = (Instant::now(), cpu_time());
    let found = client.get::<Vec<u8>>("nothing").await?;
    let taken = (began.elapsed(), cpu_time() - cpu);
    ensure!(found.is_none(), "a value that nobody stored");
    client.close().await;
    Ok(taken)
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// An authority, and a certificate of the server's that it has signed. Both keys are of P-256.
struct Certificates {
    folder: TempDir,
}

impl Certificates {
    fn new() -> Result<Self> {
        let folder = TempDir::new()?;
        let write = |name: &str, text: String| std::fs::write(folder.path().join(name), text);
        let mut authority = CertificateParams::new(Vec::new())?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority_key = KeyPair::generate()?;
        write("roots.pem", authority.self_signed(&authority_key)?.pem())?;
        let issuer = Issuer::new(authority, authority_key);
        let key = KeyPair::generate()?;
        let server = CertificateParams::new(vec!["127.0.0.1".to_owned()])?;
        write("server.pem", server.signed_by(&key, &issuer)?.pem())?;
        write("server.key", key.serialize_pem())?;
        // The server reads them as `nobody`. They are worth nothing after this run.
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755))?;
        Ok(Self { folder })
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn roots(&self) -> PathBuf {
        self.file("roots.pem")
    }
}
