//! The `shipit` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    shipit::app::run()
}
