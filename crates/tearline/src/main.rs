//! The `tearline` command: plans of safe warnings, and questions about them.

mod args;
mod certificate;
mod check;
mod failure;
mod generate;
mod load;
mod names;
mod output;
mod plan;
mod policy;
mod render;
mod watch;
mod what_if;

use args::{Cli, Command};
use clap::Parser;
use failure::Ending;
use render::text::Look;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let look = Look::of_stdout(cli.color);
    let (ended, json) = match &cli.command {
        Command::Plan(args) => (plan::run(args, look), args.json),
        Command::Policy(args) => (policy::run(args, look), args.json),
        Command::WhatIf(args) => (what_if::run(args, look), args.json),
        Command::Check(args) => (check::run(args, look), args.json),
        Command::Completions { shell } => (generate::completions(*shell), false),
        Command::Man { dir } => (generate::man(dir.as_deref()), false),
    };
    let code = match ended {
        Ok(Ending::Done) => 0,
        Ok(Ending::No) => 3,
        Err(error) => failure::report(&error, json),
    };
    ExitCode::from(code)
}
