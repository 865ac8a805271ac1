//! The `memlens` program.

use std::process::ExitCode;

use clap::Parser;
use memlens_dashboard::cli::Options;
use memlens_dashboard::run::run;

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Options::parse()).await {
        Ok(status) => ExitCode::from(status),
        #[expect(
            clippy::print_stderr,
            reason = "this is where a program tells why it failed"
        )]
        Err(error) => {
            eprintln!("memlens: {error}");
            ExitCode::from(error.exit_status())
        }
    }
}
