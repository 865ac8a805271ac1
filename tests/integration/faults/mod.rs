//! Faults between a client and real memcached processes: what each does to each kind of operation.

mod cell;
mod kind;
mod limits;
mod matrix;
mod oracle;
mod outages;
mod slow;
