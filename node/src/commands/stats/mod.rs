//! `stats`, with every argument.

mod cachedump;
mod conns;
mod detail;
mod general;
mod items;
mod settings;
mod sizes;
mod slabs;

use std::fmt::{Arguments, Display};

use super::Context;
use crate::proto::Tokens;

/// `STAT` lines in the making.
#[derive(Debug, Default)]
pub(super) struct Report(String);

impl Report {
    /// `STAT <name> <value>`
    pub(super) fn stat(&mut self, name: impl Display, value: impl Display) {
        self.write(format_args!("STAT {name} {value}\r\n"));
    }

    fn write(&mut self, line: Arguments<'_>) {
        // Writing to a String does not fail.
        let _ = std::fmt::Write::write_fmt(&mut self.0, line);
    }

    fn end(mut self, context: &mut Context<'_>) {
        self.0.push_str("END\r\n");
        context.replies.shared(self.0.into());
    }
}

pub(super) fn stats(context: &mut Context<'_>, tokens: &Tokens<'_>) {
    let mut report = Report::default();
    match tokens.get(1) {
        b"" => general::general(context, &mut report),
        b"reset" => {
            context.shared.reset_stats();
            return context.replies.line("RESET");
        }
        b"detail" => return detail::detail(context, tokens.get(2)),
        b"cachedump" => return cachedump::cachedump(context, tokens),
        b"settings" => settings::settings(context, &mut report),
        b"conns" => conns::conns(context, &mut report),
        // There is no external storage to report on.
        b"extstore" => {}
        b"items" => items::items(context, &mut report),
        b"slabs" => slabs::slabs(context, &mut report),
        b"sizes" => sizes::sizes(context, &mut report),
        b"sizes_enable" => return sizes::enable(context),
        b"sizes_disable" => return sizes::disable(context),
        _ => return context.replies.line("ERROR"),
    }
    report.end(context);
}

fn on_off(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

fn yes_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}
