//! One connection through the proxy: what the client sends, what the server answers, and what is done to
//! either.

use std::collections::VecDeque;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::{Mutex as AsyncMutex, Notify};

use super::frames::{self, Ending};
use super::proxy::Shared;
use super::{Fault, Injection, Stage};

const DELAY: Duration = Duration::from_millis(20);

/// What the server receives of a request that is cut short, in bytes: less than any request has.
const FIRST_BYTES: usize = 4;

/// How much of something long arrives byte by byte.
const LONGEST_SPLIT: usize = 64;

const GARBAGE: &[u8] = b"\x00\xff this is no reply\r\n";
const EXTRA: &[u8] = b"nobody asked\r\n";
const ERROR: &[u8] = b"SERVER_ERROR out of memory storing object\r\n";
const HALF_AN_ERROR: &[u8] = b"SERVER_ERR";

/// How a relay ends.
enum End {
    /// The client has closed its side.
    ClientGone,
    /// The client sees the end of the stream.
    Close,
    /// The client sees a reset.
    Reset,
}

/// A fault for the replies to some requests.
struct Tampering {
    /// The number of the first request.
    first: u64,
    injection: Injection,
    /// Releases at the time of the injection: it lasts until there are more.
    releases: u64,
}

#[derive(Default)]
struct Conversation {
    /// How the replies will end that are still to come.
    endings: VecDeque<Ending>,
    requests: u64,
    replies: u64,
    tampering: Option<Tampering>,
}

struct Relay<'a> {
    shared: &'a Shared,
    conversation: Mutex<Conversation>,
    /// A reply was passed on.
    replied: Notify,
    to_client: AsyncMutex<WriteHalf<'a>>,
}

/// Passes bytes between `client` and the server until one of them goes, or a fault ends it.
pub(super) async fn relay(mut client: TcpStream, shared: &Shared) {
    let Ok(mut server) = TcpStream::connect(shared.upstream).await else {
        return;
    };
    let _ = client.set_nodelay(true);
    let _ = server.set_nodelay(true);
    let end = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let relay = Relay {
            shared,
            conversation: Mutex::default(),
            replied: Notify::new(),
            to_client: AsyncMutex::new(to_client),
        };
        let requests = Requests {
            relay: &relay,
            from_client,
            to_server,
            inbox: Vec::new(),
        };
        tokio::select! {
            end = requests.run() => end.unwrap_or(End::ClientGone),
            end = relay.replies(from_server) => end.unwrap_or(End::Close),
        }
    };
    match end {
        // What the server has received is carried out before the relay counts as ended.
        End::ClientGone => finish(&mut server).await,
        // Closing with unread bytes would be a reset.
        End::Close => finish(&mut client).await,
        End::Reset => {
            let _ = set_socket_linger(&client, Some(Duration::ZERO));
        }
    }
}

/// Ends the sending side, and reads until the other one ends too.
async fn finish(stream: &mut TcpStream) {
    let _ = stream.shutdown().await;
    let mut rest = [0; 16 * 1024];
    while matches!(stream.read(&mut rest).await, Ok(length) if length > 0) {}
}

impl Relay<'_> {
    fn conversation(&self) -> MutexGuard<'_, Conversation> {
        self.conversation
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    async fn to_client(&self, bytes: &[u8]) -> io::Result<()> {
        self.to_client.lock().await.write_all(bytes).await
    }

    async fn to_client_split(&self, bytes: &[u8]) -> io::Result<()> {
        let (single, rest) = bytes.split_at(bytes.len().min(LONGEST_SPLIT));
        for byte in single {
            self.to_client(&[*byte]).await?;
            tokio::task::yield_now().await;
        }
        self.to_client(rest).await
    }

    /// Waits until every request that was passed on is answered, so that what is sent next stands where
    /// the next reply would.
    async fn all_answered(&self) {
        loop {
            let replied = self.replied.notified();
            let is_answered = {
                let conversation = self.conversation();
                conversation.replies == conversation.requests
            };
            if is_answered {
                return;
            }
            replied.await;
        }
    }

    async fn released(&self, since: u64) {
        self.shared
            .wait_for(|progress| progress.releases > since)
            .await;
    }

    async fn replies(&self, mut from_server: ReadHalf<'_>) -> io::Result<End> {
        let mut inbox = Vec::with_capacity(64 * 1024);
        loop {
            if from_server.read_buf(&mut inbox).await? == 0 {
                self.to_client(&inbox).await?;
                return Ok(End::Close);
            }
            while let Some((length, tampering)) = self.next_replies(&inbox) {
                let replies: Vec<u8> = inbox.drain(..length).collect();
                let Some(tampering) = tampering else {
                    self.to_client(&replies).await?;
                    self.replied.notify_one();
                    continue;
                };
                if let Some(end) = self.tamper(&replies, &tampering).await? {
                    return Ok(end);
                }
                self.replied.notify_one();
            }
        }
    }

    /// The length of whole replies at the front that are to be treated alike.
    fn next_replies(&self, inbox: &[u8]) -> Option<(usize, Option<Tampering>)> {
        let mut conversation = self.conversation();
        let (mut limit, mut is_due) = (u64::MAX, false);
        if let Some(tampering) = &conversation.tampering {
            is_due = tampering.first == conversation.replies;
            limit = match is_due {
                true => tampering.injection.requests as u64,
                false => tampering.first - conversation.replies,
            };
        }
        let (mut length, mut count) = (0, 0);
        while count < limit
            && let Some(ending) = conversation.endings.get(count as usize)
            && let Some(more) = frames::reply(&inbox[length..], *ending)
        {
            length += more;
            count += 1;
        }
        if is_due && count < limit {
            return None;
        }
        if count == 0 {
            // What the server says unasked goes through as it is.
            let is_unasked = conversation.endings.is_empty() && !inbox.is_empty();
            return is_unasked.then_some((inbox.len(), None));
        }
        conversation.endings.drain(..count as usize);
        conversation.replies += count;
        let tampering = is_due.then(|| conversation.tampering.take()).flatten();
        Some((length, tampering))
    }

    /// Does to the replies what was ordered.
    async fn tamper(&self, replies: &[u8], tampering: &Tampering) -> io::Result<Option<End>> {
        let Injection {
            fault,
            requests,
            stage,
        } = tampering.injection;
        if stage == Stage::Sent {
            self.shared.struck(fault);
        }
        let half = replies.len() / requests / 2;
        match fault {
            Fault::Refuse => {
                self.shared.refuse().await;
                return Ok(Some(End::Reset));
            }
            Fault::Reset => return Ok(Some(End::Reset)),
            Fault::Close => return Ok(Some(End::Close)),
            Fault::Truncate => {
                self.to_client(&replies[..half]).await?;
                return Ok(Some(End::Close));
            }
            Fault::Stall => {
                self.released(tampering.releases).await;
                self.to_client(replies).await?;
            }
            Fault::Delay => {
                tokio::time::sleep(DELAY).await;
                self.to_client(replies).await?;
            }
            Fault::Garbage => self.to_client(GARBAGE).await?,
            Fault::Extra => self.to_client(&[replies, EXTRA].concat()).await?,
            Fault::Split => self.to_client_split(replies).await?,
            Fault::Duplicate => self.to_client(&replies.repeat(2)).await?,
            Fault::EarlyError => self.to_client(&ERROR.repeat(requests)).await?,
            Fault::Drip => {
                self.to_client_split(&replies[..half]).await?;
                self.released(tampering.releases).await;
                self.to_client(&replies[half..]).await?;
            }
        }
        Ok(None)
    }
}

/// The direction from the client to the server.
struct Requests<'a> {
    relay: &'a Relay<'a>,
    from_client: ReadHalf<'a>,
    to_server: WriteHalf<'a>,
    inbox: Vec<u8>,
}

impl Requests<'_> {
    async fn run(mut self) -> io::Result<End> {
        loop {
            if self.inbox.is_empty() {
                self.read().await?;
            }
            let end = match self.relay.shared.take_injection() {
                Some(injection) => self.inject(injection).await?,
                None => self.pass_on().await?,
            };
            if let Some(end) = end {
                return Ok(end);
            }
        }
    }

    async fn read(&mut self) -> io::Result<()> {
        self.inbox.reserve(64 * 1024);
        match self.from_client.read_buf(&mut self.inbox).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    /// Passes on every request that is there, and the last one to its end.
    async fn pass_on(&mut self) -> io::Result<Option<End>> {
        let mut length = 0;
        while length < self.inbox.len() && !(length > 0 && self.relay.shared.has_injection()) {
            let Some(request) = frames::request(&self.inbox[length..]) else {
                if length > 0 {
                    break;
                }
                self.read().await?;
                continue;
            };
            self.expect(request.ending);
            length += request.length;
        }
        self.pass(length).await?;
        Ok(None)
    }

    fn expect(&self, ending: Ending) {
        let mut conversation = self.relay.conversation();
        conversation.endings.push_back(ending);
        conversation.requests += 1;
    }

    /// Passes on `length` bytes, as they come.
    async fn pass(&mut self, mut length: usize) -> io::Result<()> {
        loop {
            let now = length.min(self.inbox.len());
            self.to_server.write_all(&self.inbox[..now]).await?;
            self.inbox.drain(..now);
            length -= now;
            if length == 0 {
                return Ok(());
            }
            self.read().await?;
        }
    }

    async fn pass_split(&mut self, length: usize) -> io::Result<()> {
        for _ in 0..length {
            self.pass(1).await?;
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    async fn swallow(&mut self, mut length: usize) -> io::Result<()> {
        loop {
            let now = length.min(self.inbox.len());
            self.inbox.drain(..now);
            length -= now;
            if length == 0 {
                return Ok(());
            }
            self.read().await?;
        }
    }

    /// Reads until the lines of `count` requests are there, and all of them if `whole`. Returns their
    /// endings and their length.
    async fn gather(&mut self, count: usize, whole: bool) -> io::Result<(Vec<Ending>, usize)> {
        let (mut endings, mut length) = (Vec::new(), 0);
        loop {
            while endings.len() < count
                && let Some(rest) = self.inbox.get(length..)
                && let Some(request) = frames::request(rest)
            {
                endings.push(request.ending);
                length += request.length;
            }
            let is_there = endings.len() == count;
            if is_there && (!whole || self.inbox.len() >= length) {
                return Ok((endings, length));
            }
            self.read().await?;
        }
    }

    async fn inject(&mut self, injection: Injection) -> io::Result<Option<End>> {
        let progress = self.relay.shared.progress();
        let whole = matches!(injection.stage, Stage::Sending | Stage::Sent);
        let (endings, length) = self.gather(injection.requests, whole).await?;
        if injection.stage == Stage::BegunByHand {
            self.relay.shared.held();
            self.relay
                .shared
                .wait_for(|now| now.strikes > progress.strikes)
                .await;
        }
        let tampering = Tampering {
            first: self.relay.conversation().requests,
            injection,
            releases: progress.releases,
        };
        if injection.stage == Stage::Sent {
            self.relay.conversation().tampering = Some(tampering);
            endings.into_iter().for_each(|ending| self.expect(ending));
            self.pass(length).await?;
            return Ok(None);
        }
        self.relay.shared.struck(injection.fault);
        self.disturb(tampering, endings, length).await
    }

    /// Does to requests on their way what was ordered.
    async fn disturb(
        &mut self,
        tampering: Tampering,
        endings: Vec<Ending>,
        length: usize,
    ) -> io::Result<Option<End>> {
        let relay = self.relay;
        let Tampering {
            injection,
            releases,
            ..
        } = tampering;
        let errors = ERROR.repeat(injection.requests);
        let answer_first: &[u8] = match injection.fault {
            Fault::Truncate => HALF_AN_ERROR,
            Fault::Garbage => GARBAGE,
            Fault::Extra => EXTRA,
            Fault::Duplicate => &errors.repeat(2),
            Fault::EarlyError => &errors,
            _ => b"",
        };
        if !answer_first.is_empty() {
            relay.all_answered().await;
            relay.to_client(answer_first).await?;
        }
        let ends = matches!(injection.fault, Fault::Close | Fault::Truncate);
        if ends {
            self.pass_split(FIRST_BYTES).await?;
            relay.to_client.lock().await.shutdown().await?;
        }
        let breaks = matches!(
            injection.fault,
            Fault::Garbage | Fault::Extra | Fault::Duplicate
        );
        let is_held = match injection.stage {
            Stage::BegunByHand => ends || breaks,
            Stage::Begun => injection.fault == Fault::Extra,
            Stage::Sending | Stage::Sent => false,
        };
        if is_held {
            // Reading would make room for what has to stay unsent.
            relay.released(releases).await;
        }
        match injection.fault {
            Fault::Close | Fault::Truncate => return Ok(Some(End::Close)),
            Fault::Garbage | Fault::Duplicate => {
                self.swallow(usize::MAX).await?;
                return Ok(Some(End::ClientGone));
            }
            Fault::EarlyError => {
                self.swallow(length).await?;
                return Ok(None);
            }
            Fault::Split => relay.conversation().tampering = Some(tampering),
            _ => {}
        }
        let first = match injection.fault {
            Fault::Split | Fault::Drip => LONGEST_SPLIT.min(length / injection.requests / 2),
            _ => FIRST_BYTES,
        };
        let passes_on = matches!(
            injection.fault,
            Fault::Stall | Fault::Delay | Fault::Extra | Fault::Split | Fault::Drip
        );
        if passes_on {
            endings.into_iter().for_each(|ending| self.expect(ending));
        }
        self.pass_split(first).await?;
        match injection.fault {
            Fault::Refuse => {
                relay.shared.refuse().await;
                return Ok(Some(End::Reset));
            }
            Fault::Reset => return Ok(Some(End::Reset)),
            Fault::Stall | Fault::Drip => relay.released(releases).await,
            Fault::Delay => tokio::time::sleep(DELAY).await,
            _ => {}
        }
        self.pass(length - first).await?;
        Ok(None)
    }
}
