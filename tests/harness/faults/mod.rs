//! Faults between a client and a server, injected by a proxy on demand.
//!
//! [`FaultProxy`] passes everything on until it is told to [inject](FaultProxy::inject) a fault into the
//! next request. It knows where requests and replies begin and end, so a fault strikes at a stage that is
//! the same in every run: while the request is on its way, or when the server has carried it out.

mod frames;
mod proxy;
mod relay;

use fastrand::Rng;

pub use proxy::FaultProxy;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The server is gone: the connection is reset, and dials are refused until
    /// [`FaultProxy::release`].
    Refuse,
    /// The connection is reset.
    Reset,
    /// The connection is closed in order.
    Close,
    /// Nothing more goes through until [`FaultProxy::release`].
    Stall,
    /// What is on its way arrives later.
    Delay,
    /// A reply ends in the middle, with the connection.
    Truncate,
    /// A line that is no reply to anything stands in place of the reply.
    Garbage,
    /// A line that nobody asked for comes with the reply.
    Extra,
    /// Everything arrives byte by byte.
    Split,
    /// The reply comes twice.
    Duplicate,
    /// `SERVER_ERROR` before the request has arrived, or in place of the reply.
    EarlyError,
    /// Byte by byte up to the middle; the rest after [`FaultProxy::release`].
    Drip,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 12] = [
        Self::Refuse,
        Self::Reset,
        Self::Close,
        Self::Stall,
        Self::Delay,
        Self::Truncate,
        Self::Garbage,
        Self::Extra,
        Self::Split,
        Self::Duplicate,
        Self::EarlyError,
        Self::Drip,
    ];

    /// The name in tables and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Reset => "reset",
            Self::Close => "close",
            Self::Stall => "stall",
            Self::Delay => "delay",
            Self::Truncate => "truncate",
            Self::Garbage => "garbage",
            Self::Extra => "extra bytes",
            Self::Split => "split",
            Self::Duplicate => "duplicate reply",
            Self::EarlyError => "early error",
            Self::Drip => "slow drip",
        }
    }

    /// Whether it lasts until [`FaultProxy::release`].
    #[must_use]
    pub const fn lasts(self) -> bool {
        matches!(self, Self::Refuse | Self::Stall | Self::Drip)
    }
}

/// When a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// The client has written the requests to their end, and the server has received a few bytes at most.
    Sending,
    /// The client is in the middle of writing: the proxy has taken the request's line and little more.
    Begun,
    /// As [`Stage::Begun`], and not before [`FaultProxy::strike`]. A fault that makes the client give the
    /// connection up then reads nothing more before [`FaultProxy::release`].
    BegunByHand,
    /// The server has carried out the requests and has answered.
    Sent,
}

/// One fault to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Injection {
    /// What goes wrong.
    pub fault: Fault,
    /// When.
    pub stage: Stage,
    /// How many requests it is about, as one; 1 for those that are only begun.
    pub requests: usize,
}

impl Injection {
    /// A fault that strikes one request.
    #[must_use]
    pub const fn new(fault: Fault, stage: Stage) -> Self {
        Self {
            fault,
            stage,
            requests: 1,
        }
    }

    /// Any fault at any stage that needs no hand, but for one: a reply that comes twice may be just what
    /// the next request expects, and then no client of this protocol can tell.
    pub fn random(random: &mut Rng) -> Self {
        let fault = Fault::ALL[random.usize(..Fault::ALL.len())];
        let stages = [Stage::Sending, Stage::Begun, Stage::Sent, Stage::Sent];
        match (fault, stages[random.usize(..stages.len())]) {
            (Fault::Duplicate, Stage::Sent) => Self::new(Fault::Extra, Stage::Sent),
            (fault, stage) => Self::new(fault, stage),
        }
    }
}
