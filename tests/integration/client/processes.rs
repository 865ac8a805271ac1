//! `get_or_compute` by several processes: they are this program again, told what to do by their
//! environment and their standard input.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use futures_util::future::{join_all, pending};
use memlens::{Client, Expiry, Freshness};
use memlens_tests::Memcached;
use tokio::time::timeout;

use super::patient;

const PROCESSES: usize = 4;
const CALLERS: usize = 125;

const SERVER: &str = "MEMLENS_TEST_PROCESS_SERVER";
const ROLE: &str = "MEMLENS_TEST_PROCESS_ROLE";

/// What begins the lines of a process that are meant for its parent.
const MARK: &str = "process:";

const MINUTE: Duration = Duration::from_secs(60);

/// A process that runs [`process`], killed when dropped.
struct Process {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Process {
    fn start(server: &Memcached, role: &str) -> Self {
        let program = std::env::current_exe().unwrap();
        let mut child = Command::new(program)
            .args([
                "client::processes::process",
                "--exact",
                "--ignored",
                "--nocapture",
            ])
            .env(SERVER, server.address().to_string())
            .env(ROLE, role)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// The next line that is meant for this process.
    fn says(&mut self) -> String {
        loop {
            let line = self.lines.next().expect("the process goes on").unwrap();
            if let Some((_, told)) = line.split_once(MARK) {
                return told.trim().to_owned();
            }
        }
    }

    fn tell_to_go(&mut self) {
        writeln!(self.child.stdin.as_mut().unwrap(), "go").unwrap();
    }

    fn kill(&mut self) {
        // An error means that it has ended already.
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

#[expect(clippy::print_stdout, reason = "its parent reads it")]
fn tell(text: &str) {
    // Behind whatever the test runner has written without a line's end.
    println!("\n{MARK} {text}");
}

/// Not a test, but what the processes of the tests below do.
#[tokio::test]
#[ignore = "the other tests of this file run it, in processes of its own"]
async fn process() {
    let server = std::env::var(SERVER).expect("run by another test");
    let client = Client::with_config(patient(&server)).await.unwrap();
    let _ = client.version().await;
    tell("ready");
    match std::env::var(ROLE).unwrap().as_str() {
        "many" => {
            tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new()))
                .await
                .unwrap()
                .unwrap();
            let callers = (0..CALLERS).map(|_| {
                client.get_or_compute("report", MINUTE, || async {
                    client
                        .incr_or_init("computations", 1, 1, Expiry::Never)
                        .await?;
                    // Long enough for all processes to have asked.
                    tokio::time::sleep(Duration::from_millis(300)).await;
                    Ok::<_, memlens::Error>(format!("by {}", std::process::id()))
                })
            });
            let values: Vec<String> = join_all(callers)
                .await
                .into_iter()
                .map(Result::unwrap)
                .collect();
            assert!(values.iter().all(|value| *value == values[0]));
            tell(&format!("{} {}", values.len(), values[0]));
        }
        "die" => {
            let freshness = Freshness::new(MINUTE).lease(Duration::from_secs(1));
            let compute = || async {
                tell("computing");
                pending::<Result<String, &str>>().await
            };
            let _ = client.get_or_compute("report", freshness, compute).await;
        }
        role => panic!("no such role: {role}"),
    }
}

#[tokio::test]
async fn five_hundred_callers_in_four_processes_compute_an_expired_value_once() {
    let server = Memcached::start();
    let client = Client::with_config(patient(&server.address().to_string()));
    let client = client.await.unwrap();
    client
        .set("report", "expired", Expiry::secs(1))
        .await
        .unwrap();
    while client.get::<String>("report").await.unwrap().is_some() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut processes: Vec<Process> = (0..PROCESSES)
        .map(|_| Process::start(&server, "many"))
        .collect();
    for process in &mut processes {
        assert_eq!(process.says(), "ready");
    }
    for process in &mut processes {
        process.tell_to_go();
    }
    let mut told: Vec<String> = processes.iter_mut().map(Process::says).collect();
    told.dedup();
    assert_eq!(told.len(), 1, "{told:?}");
    let winner = processes.iter().map(|process| process.child.id());
    let told_by = winner.map(|id| format!("{CALLERS} by {id}"));
    assert!(told_by.collect::<Vec<_>>().contains(&told[0]), "{told:?}");
    assert_eq!(client.get::<u64>("computations").await.unwrap(), Some(1));
}

#[tokio::test]
async fn a_winner_that_dies_is_replaced_when_its_lease_ends() {
    let server = Memcached::start();
    let client = Client::with_config(patient(&server.address().to_string()));
    let client = client.await.unwrap();
    let mut winner = Process::start(&server, "die");
    assert_eq!(winner.says(), "ready");
    assert_eq!(winner.says(), "computing");
    let compute = || async { Ok::<_, &str>("replaced".to_owned()) };
    let waiting = client.get_or_compute("report", MINUTE, compute);
    tokio::pin!(waiting);
    // Its lease is a second long, but as long as it lives, it is renewed.
    let wait = timeout(Duration::from_millis(2500), &mut waiting);
    assert!(wait.await.is_err(), "it waits");
    winner.kill();
    let value = timeout(Duration::from_secs(30), waiting).await;
    assert_eq!(value.expect("the lease ends").unwrap(), "replaced");
}
