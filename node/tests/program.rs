//! The program: its output, its end, its refusals.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_memlens-node"));
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

#[test]
fn it_says_where_it_listens_and_ends_on_a_signal() {
    let mut child = program().args(["-p", "0"]).spawn().expect("the program");
    let mut line = String::new();
    let stderr = child.stderr.take().expect("its output");
    BufReader::new(stderr).read_line(&mut line).expect("a line");
    let addr = line
        .trim()
        .strip_prefix("listening on ")
        .expect("an address")
        .to_owned();
    let mut stream = TcpStream::connect(addr).expect("it listens");
    stream.write_all(b"version\r\nquit\r\n").expect("it reads");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).expect("it answers");
    assert_eq!(reply, "VERSION 1.6.18\r\n");
    let killed = Command::new("kill")
        .arg(child.id().to_string())
        .status()
        .expect("kill");
    assert!(killed.success());
    assert!(child.wait().expect("an end").success());
}

#[test]
fn refusals_are_clear_and_fail() {
    for (arguments, reason) in [
        (&["-d"][..], "foreground"),
        (&["-U", "11211"], "no UDP"),
        (&["-l", "0.0.0.0"], "allow_remote"),
        (&["-l", "0.0.0.0", "--allow-remote"], "without a login"),
        (&["-I", "700k"], "item size limit"),
        (&["-o", "hashpower=20"], "hashpower"),
    ] {
        let output = program().args(arguments).output().expect("the program");
        assert!(!output.status.success());
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(message.contains(reason), "{message}");
    }
}
