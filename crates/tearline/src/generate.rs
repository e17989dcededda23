//! Completion scripts and manual pages, made from the command line's own definition.

use crate::args::Cli;
use crate::failure::Ending;
use crate::output;
use anyhow::{Context, Result};
use clap::CommandFactory;
use std::path::Path;

/// Prints the completion script for a shell.
pub(crate) fn completions(shell: clap_complete::Shell) -> Result<Ending> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "tearline", &mut script);
    output::to_stdout(&String::from_utf8(script).context("the completion script is not UTF-8")?)?;
    Ok(Ending::Done)
}

/// Prints the main manual page, or writes those of all subcommands into a directory.
pub(crate) fn man(dir: Option<&Path>) -> Result<Ending> {
    let Some(dir) = dir else {
        let page = page(Cli::command())?;
        output::to_stdout(&String::from_utf8(page).context("the manual page is not UTF-8")?)?;
        return Ok(Ending::Done);
    };
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    output::to_file(&dir.join("tearline.1"), &page(command.clone())?)?;
    for subcommand in command.get_subcommands() {
        let name = format!("tearline-{}", subcommand.get_name());
        output::to_file(&dir.join(format!("{name}.1")), &page(subcommand.clone().display_name(name))?)?;
    }
    Ok(Ending::Done)
}

fn page(command: clap::Command) -> Result<Vec<u8>> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page).context("the manual page cannot be made")?;
    Ok(page)
}
