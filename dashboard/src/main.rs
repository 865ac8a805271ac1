//! The `memlens` program.

use std::process::ExitCode;

use clap::Parser;
use memlens_dashboard::cli::Options;
use memlens_dashboard::run::run;

/// Frames allocate and free large buffers, which the system's allocator gives back to the kernel
/// each time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match run(&Options::parse()) {
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
