//! A memcached on a host of its own, at the other end of a cable that can be cut. Only for tests that run
//! [apart](crate::apart::Apart::Machine).

use std::io::Write;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use crate::RawClient;
use crate::apart::call;

const HERE: &str = "10.213.0.1";
const THERE: &str = "10.213.0.2";
const PORT: u16 = 11211;

/// A memcached on a distant host; it ends when dropped.
#[derive(Debug)]
pub struct DistantMemcached {
    child: Child,
}

impl DistantMemcached {
    /// Makes the host, lays the cable, and starts memcached there.
    pub fn start() -> Self {
        // The process waits with its own network until the cable is laid, then becomes memcached.
        let address = THERE.to_owned();
        let memcached = format!("read go && exec memcached -u root -U 0 -l {address} -p {PORT}");
        let mut child = Command::new("unshare")
            .args(["--net", "sh", "-c", &memcached])
            .stdin(Stdio::piped())
            .spawn()
            .expect("start a process with a network of its own");
        let pid = child.id().to_string();
        while std::fs::read_link(format!("/proc/{pid}/ns/net")).ok()
            == std::fs::read_link("/proc/self/ns/net").ok()
        {
            std::thread::yield_now();
        }
        call("ip", &["link", "set", "lo", "up"]);
        let cable = [
            "link", "add", "here", "type", "veth", "peer", "name", "there",
        ];
        call("ip", &[&cable[..], &["netns", &pid]].concat());
        call("ip", &["addr", "add", &format!("{HERE}/24"), "dev", "here"]);
        call("ip", &["link", "set", "here", "up"]);
        let mut stdin = child.stdin.take().expect("it is piped");
        let host = Self { child };
        host.ip(&["addr", "add", &format!("{THERE}/24"), "dev", "there"]);
        host.ip(&["link", "set", "there", "up"]);
        stdin.write_all(b"go\n").expect("tell it to go on");
        while RawClient::try_connect(host.address()).is_err() {
            std::thread::yield_now();
        }
        host
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::new(THERE.parse().expect("an address"), PORT)
    }

    /// From now on nothing that the host sends arrives, not even that it got something.
    pub fn vanish(&self) {
        self.ip(&["route", "add", "blackhole", &format!("{HERE}/32")]);
    }

    /// Undoes [`DistantMemcached::vanish`].
    pub fn come_back(&self) {
        self.ip(&["route", "del", "blackhole", &format!("{HERE}/32")]);
    }

    /// Runs `ip` on the host.
    fn ip(&self, arguments: &[&str]) {
        let network = format!("--net=/proc/{}/ns/net", self.child.id());
        call("nsenter", &[&[&*network, "ip"], arguments].concat());
    }
}

impl Drop for DistantMemcached {
    fn drop(&mut self) {
        // An error means that it has exited already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
