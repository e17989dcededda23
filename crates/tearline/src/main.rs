//! The `tearline` command: plans of safe warnings, their release, and the proof of what was said.

mod args;
mod certificate;
mod check;
mod desk;
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
        Command::Key(command) => {
            (desk::keys::key(command), matches!(command, args::KeyCommand::Show { json: true, .. }))
        }
        Command::Desk(command) => {
            (desk::keys::desk(command), matches!(command, args::DeskCommand::List { json: true, .. }))
        }
        Command::Release(args) => (desk::release::run(args, look), args.json),
        Command::Verify(args) => (desk::verify::run(args, look), args.json),
        Command::Seal(args) => (desk::seal::seal(args), false),
        Command::Open(args) => (desk::seal::open(args), false),
        Command::Receipt(args) => (desk::answer::receipt(args), false),
        Command::Finding(args) => (desk::answer::finding(args), false),
        Command::Accept(args) => (desk::accept::run(args), args.json),
        Command::Log(command) => (desk::log::run(command), command.json()),
        Command::Evidence(args) => (desk::evidence::run(args), false),
        Command::Determine(command) => (desk::determine::run(command), false),
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
