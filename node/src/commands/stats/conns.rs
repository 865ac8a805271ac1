//! `stats conns`.

use super::Report;
use crate::commands::Context;

pub(super) fn conns(context: &Context<'_>, report: &mut Report) {
    for connection in context.shared.connections.all() {
        let id = connection.id;
        report.stat(format_args!("{id}:addr"), &connection.addr);
        if let Some(listen_addr) = &connection.listen_addr {
            report.stat(format_args!("{id}:listen_addr"), listen_addr);
        }
        report.stat(format_args!("{id}:state"), connection.state().name());
        let idle = context.at.now.wrapping_sub(connection.last_command());
        report.stat(format_args!("{id}:secs_since_last_cmd"), idle);
    }
}
