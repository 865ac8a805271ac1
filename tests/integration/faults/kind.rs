//! The kinds of operation that faults strike, and what is to be seen of each on the server.

use futures_util::future::join_all;
use memlens::{Cas, CasOutcome, Client, Error, ErrorKind, Expiry, MetaSet, MetaStatus};

/// So large that no socket takes it whole, in bytes.
pub(super) const LARGE: usize = 7 << 20;

/// How many requests a batch sends.
const BATCH: usize = 3;

const BEFORE: &str = "10";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Get,
    Set,
    Incr,
    Cas,
    Delete,
    /// A read of several keys.
    Multi,
    /// Several meta commands, one behind the other.
    Batch,
    Stats,
}

impl Kind {
    pub(super) const ALL: [Self; 8] = [
        Self::Get,
        Self::Set,
        Self::Incr,
        Self::Cas,
        Self::Delete,
        Self::Multi,
        Self::Batch,
        Self::Stats,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Set => "set",
            Self::Incr => "incr",
            Self::Cas => "cas",
            Self::Delete => "delete",
            Self::Multi => "multi",
            Self::Batch => "batch",
            Self::Stats => "stats",
        }
    }

    pub(super) const fn requests(self) -> usize {
        match self {
            Self::Batch => BATCH,
            _ => 1,
        }
    }
}

/// One operation to come: its kind, and keys that no other has.
pub(super) struct Operation {
    kind: Kind,
    key: String,
    is_large: bool,
    cas: Option<Cas>,
}

/// What an operation came to: `answer` if that was the right one, else the errors' names.
pub(super) struct Outcome {
    pub(super) word: String,
    /// Of errors; `true` for an answer.
    pub(super) was_sent: bool,
}

impl Outcome {
    fn of(results: &[Result<bool, Error>]) -> Self {
        let mut words: Vec<&str> = Vec::new();
        let mut was_sent = false;
        for result in results {
            let word = match result {
                Ok(true) => "answer",
                Ok(false) => "WRONG ANSWER",
                Err(error) => word(error.kind()),
            };
            was_sent |= result.as_ref().err().is_none_or(Error::was_sent);
            if !words.contains(&word) {
                words.push(word);
            }
        }
        Self {
            word: words.join("+"),
            was_sent,
        }
    }
}

fn word(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Timeout => "timeout",
        ErrorKind::ConnectionClosed => "closed",
        ErrorKind::Connect => "refused",
        ErrorKind::Protocol => "protocol",
        ErrorKind::ServerError => "error",
        other => other.as_str(),
    }
}

/// What has become of the items that an operation changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Done,
    Undone,
    /// The operation changes nothing.
    None,
}

impl Operation {
    pub(super) fn new(kind: Kind, key: String, is_large: bool) -> Self {
        Self {
            kind,
            key,
            is_large,
            cas: None,
        }
    }

    fn keys(&self) -> Vec<String> {
        (0..BATCH)
            .map(|number| format!("{}-{number}", self.key))
            .collect()
    }

    /// Puts onto the server what the operation finds there.
    pub(super) async fn prepare(&mut self, direct: &Client) {
        for key in self.keys() {
            let value = match self.kind {
                Kind::Multi => format!("of {key}"),
                _ => BEFORE.into(),
            };
            direct.set(&key, value, Expiry::Never).await.expect("set");
        }
        direct
            .set(&self.key, BEFORE, Expiry::Never)
            .await
            .expect("set");
        let (_, cas) = direct
            .gets::<String>(&self.key)
            .await
            .expect("gets")
            .expect("a hit");
        self.cas = Some(cas);
    }

    pub(super) async fn run(&self, client: &Client) -> Outcome {
        let key = self.key.as_str();
        let results = match self.kind {
            Kind::Get => {
                let found = client.get::<String>(key).await;
                vec![found.map(|found| found.as_deref() == Some(BEFORE))]
            }
            Kind::Set => {
                let value = match self.is_large {
                    true => "x".repeat(LARGE),
                    false => "after".into(),
                };
                vec![client.set(key, value, Expiry::Never).await.map(|()| true)]
            }
            Kind::Incr => {
                let now = client.incr(key, 5).await;
                vec![now.map(|now| now == Some(15))]
            }
            Kind::Cas => {
                let cas = self.cas.expect("it is prepared");
                let outcome = client.cas(key, "after", Expiry::Never, cas).await;
                vec![outcome.map(|outcome| outcome == CasOutcome::Stored)]
            }
            Kind::Delete => vec![client.delete(key).await],
            Kind::Multi => {
                let answers = client.get_multi::<String, _>(self.keys()).await;
                let is_right = |(key, found): &(String, Result<Option<String>, Error>)| {
                    let found = found.as_ref().map_err(Clone::clone)?;
                    Ok(found.as_deref() == Some(&*format!("of {key}")))
                };
                answers.iter().map(is_right).collect()
            }
            Kind::Batch => {
                let keys = self.keys();
                let flags = MetaSet::new();
                let sets = keys.iter().map(|key| client.meta_set(key, "after", &flags));
                let outcomes = join_all(sets).await.into_iter();
                outcomes
                    .map(|outcome| outcome.map(|outcome| outcome.status == MetaStatus::Done))
                    .collect()
            }
            Kind::Stats => {
                let stats = client.nodes()[0].stats().await;
                vec![stats.map(|stats| stats.curr_connections.is_some())]
            }
        };
        Outcome::of(&results)
    }

    /// What the server has now.
    pub(super) async fn effect(&self, direct: &Client) -> Effect {
        let keys = match self.kind {
            Kind::Get | Kind::Multi | Kind::Stats => return Effect::None,
            Kind::Batch => self.keys(),
            _ => vec![self.key.clone()],
        };
        let mut effects = Vec::new();
        for key in keys {
            let found: Option<String> = direct.get(&key).await.expect("get");
            effects.push(match (self.kind, found.as_deref()) {
                (Kind::Delete, None)
                | (Kind::Incr, Some("15"))
                | (Kind::Set | Kind::Cas | Kind::Batch, Some("after")) => Effect::Done,
                (Kind::Set, Some(large)) if large.len() == LARGE => Effect::Done,
                (_, Some(BEFORE)) => Effect::Undone,
                (kind, found) => panic!("{kind:?} left {found:?}"),
            });
        }
        assert!(
            effects.iter().all(|effect| *effect == effects[0]),
            "a part of a batch was carried out: {effects:?}"
        );
        effects[0]
    }
}
