//! The command line: clap's types and nothing else. What is wrong on it exits with 2, as clap does by
//! itself.

use std::{path::PathBuf, time::Duration};

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;

use super::value;
use crate::model::Name;

/// clap cannot group subcommands; a test holds this list against them.
pub(super) const TEMPLATE: &str = "\
{about}

{usage-heading} {usage}

Deploy:
  deploy       Bring an environment up to date
  plan         Show what a deploy would change, and change nothing
  rollback     Return to an earlier release
  run          Run a recipe that is only commands

Look:
  status       Show what runs on every host
  history      List the releases
  logs         Show the logs of a recipe's containers

Operate:
  exec         Run a command on all hosts
  lock         Keep everyone from deploying until it is unlocked
  unlock       Take such a lock away
  down         Remove everything that shipit runs in an environment
  check        Compare recipes, Docker, Consul and balancers, and say what does not match

Project:
  validate     Check the files; contacts no host
  schema       Print the JSON Schemas of the files, for editors
  completions  Print the completions for a shell

Options:
{options}

Examples:
  shipit deploy staging          # changed recipes only; a second time does nothing
  shipit plan staging            # what it would do, field by field
  shipit rollback                # the previous release of the default environment

`shipit COMMAND --help` tells more.
";

/// Deploys containers to Docker hosts over SSH: no agent, no lost request, a rollback that works.
#[derive(Debug, Parser)]
#[command(
    name = "shipit",
    version,
    help_template = TEMPLATE,
    disable_help_subcommand = true,
    disable_help_flag = true
)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The project's folder or one below it [default: the current one]
    #[arg(short = 'C', long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub directory: Option<PathBuf>,
    /// Tell more; twice also the SSH sessions
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "quiet")]
    pub verbose: u8,
    /// Tell only warnings, errors and the result
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// How to tell it: auto, bars, plain (lines) or json (one event a line)
    #[arg(
        long,
        global = true,
        value_name = "FORM",
        default_value = "auto",
        hide_default_value = true,
        hide_possible_values = true
    )]
    pub output: OutputForm,
    /// Use colours: auto (unless `NO_COLOR` is set), always or never
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_default_value = true,
        hide_possible_values = true
    )]
    pub color: ColorWhen,
    /// Print help
    // clap's own `--help` gives each option three lines where `-h` gives it one.
    #[arg(short, long, global = true, action = ArgAction::HelpShort)]
    help: Option<bool>,
}

/// `--output`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "a doc comment would become help text")]
pub enum OutputForm {
    Auto,
    Plain,
    Json,
    Bars,
}

/// `--color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "a doc comment would become help text")]
pub enum ColorWhen {
    Auto,
    Always,
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
#[expect(missing_docs, reason = "each type has them")]
pub enum Command {
    Deploy(Deploy),
    Plan(Plan),
    Rollback(Rollback),
    Run(Run),
    Status(Status),
    History(History),
    Logs(Logs),
    Exec(Exec),
    Lock(Lock),
    Unlock(Unlock),
    Down(Down),
    Check(Check),
    Validate(Validate),
    Schema(Schema),
    Completions(Completions),
    #[command(hide = true)]
    Man(Man),
}

/// An environment that may be left out.
#[derive(Debug, Args)]
pub struct DefaultEnvironment {
    /// The environment [default: the only one, or the one with `default = true`]
    #[arg(value_name = "ENV")]
    pub environment: Option<Name>,
}

/// Which part of an environment, and with which variables.
#[derive(Debug, Args)]
pub struct Selection {
    /// Only these hosts and groups
    #[arg(long, value_name = "HOST|GROUP", value_delimiter = ',')]
    pub limit: Vec<String>,
    /// Set a variable, above all files; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = value::assignment)]
    pub set: Vec<(String, String)>,
}

/// Bring an environment up to date
#[derive(Debug, Args)]
#[command(after_help = "\
Nothing is changed before every host is checked and has every image. What is as wanted stays untouched.

Examples:
  shipit deploy staging
  shipit deploy staging flask-nanoservice --set version=1.3
  shipit deploy production --limit host-1,balancers --dry-run
  shipit deploy production --promote --output json")]
pub struct Deploy {
    /// The environment.
    #[command(flatten)]
    pub environment: DefaultEnvironment,
    /// Only these recipes; those they require are checked [default: all]
    #[arg(value_name = "RECIPE")]
    pub recipes: Vec<Name>,
    /// The part of the environment.
    #[command(flatten)]
    pub selection: Selection,
    /// Show what would be done, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Let the others follow healthy canaries without asking
    #[arg(long)]
    pub promote: bool,
}

/// Show what a deploy would change, and change nothing
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  shipit plan staging
  shipit plan staging flask-nanoservice --set version=1.3")]
pub struct Plan {
    /// The environment.
    #[command(flatten)]
    pub environment: DefaultEnvironment,
    /// Only these recipes [default: all]
    #[arg(value_name = "RECIPE")]
    pub recipes: Vec<Name>,
    /// The part of the environment.
    #[command(flatten)]
    pub selection: Selection,
}

/// Return to an earlier release
#[derive(Debug, Args)]
#[command(after_help = "\
As careful as a deploy, and a release of its own: rolling back twice goes forth again. It starts the
containers that were kept, so that no registry is needed.

Examples:
  shipit rollback staging
  shipit rollback staging --to r41")]
pub struct Rollback {
    /// The environment.
    #[command(flatten)]
    pub environment: DefaultEnvironment,
    /// The release, `r41` or `41` [default: the newest earlier one that succeeded]
    #[arg(long, value_name = "rN", value_parser = value::release)]
    pub to: Option<u64>,
    /// Only these hosts and groups
    #[arg(long, value_name = "HOST|GROUP", value_delimiter = ',')]
    pub limit: Vec<String>,
    /// Show what would be done, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Run a recipe that is only commands
#[derive(Debug, Args)]
#[command(
    allow_missing_positional = true,
    after_help = "\
Examples:
  shipit run staging migrate
  shipit run migrate --set version=1.3"
)]
pub struct Run {
    /// The environment.
    #[command(flatten)]
    pub environment: DefaultEnvironment,
    /// The recipe
    #[arg(value_name = "RECIPE")]
    pub recipe: Name,
    /// The part of the environment.
    #[command(flatten)]
    pub selection: Selection,
}

/// Show what runs on every host
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  shipit status staging
  shipit status --output json")]
pub struct Status {
    /// The environment.
    #[command(flatten)]
    pub environment: DefaultEnvironment,
}

/// List the releases
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  shipit history staging
  shipit history -n 50")]
pub struct History {
    /// The environment.
    #[command(flatten)]
    pub environment: DefaultEnvironment,
    /// How many, the newest first
    #[arg(short = 'n', long, value_name = "NUMBER", default_value = "10")]
    pub number: usize,
}

/// Show the logs of a recipe's containers
#[derive(Debug, Args)]
#[command(
    allow_missing_positional = true,
    after_help = "\
Examples:
  shipit logs staging flask-nanoservice
  shipit logs staging flask-nanoservice --release r42 -n 500
  shipit logs flask-nanoservice --host host-2 -f"
)]
pub struct Logs {
    /// The environment.
    #[command(flatten)]
    pub environment: DefaultEnvironment,
    /// The recipe
    #[arg(value_name = "RECIPE")]
    pub recipe: Name,
    /// Of this release, also when it no longer runs [default: the one that runs]
    #[arg(long, value_name = "rN", value_parser = value::release)]
    pub release: Option<u64>,
    /// Only of this host
    #[arg(long, alias = "limit", value_name = "HOST")]
    pub host: Option<String>,
    /// How many lines of each container
    #[arg(short = 'n', long, value_name = "NUMBER", default_value = "100")]
    pub lines: u64,
    /// Go on with new lines until interrupted
    #[arg(short, long)]
    pub follow: bool,
}

/// Run a command on all hosts
#[derive(Debug, Args)]
#[command(after_help = "\
All hosts run it at once. The words reach the command as they are; for a pipe or a variable of the
host, run `sh -c`.

Examples:
  shipit exec staging -- docker ps
  shipit exec staging --hosts apps,host-3 --timeout 30s -- df -h /var/lib/docker
  shipit exec staging -- sh -c 'uptime | cut -d, -f1'")]
pub struct Exec {
    /// The environment.
    #[command(flatten)]
    pub environment: DefaultEnvironment,
    /// Only on these hosts and groups
    #[arg(
        long,
        alias = "limit",
        value_name = "HOST|GROUP",
        value_delimiter = ','
    )]
    pub hosts: Vec<String>,
    /// The longest it may take on a host: 30s, 5m, 1h
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = value::duration)]
    pub timeout: Duration,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// Keep everyone from deploying until it is unlocked
#[derive(Debug, Args)]
#[command(after_help = "\
A deploy locks by itself while it runs, and lets go however it ends. This lock is for longer.

Example:
  shipit lock production -m 'no deploys before the sale ends'")]
pub struct Lock {
    /// The environment.
    #[command(flatten)]
    pub environment: DefaultEnvironment,
    /// Why; shown to everyone who tries
    #[arg(short, long, value_name = "TEXT")]
    pub message: String,
}

/// Take such a lock away
#[derive(Debug, Args)]
#[command(after_help = "\
It takes away what `shipit lock` left; a deploy that runs keeps its own lock.

Example:
  shipit unlock production")]
pub struct Unlock {
    /// The environment.
    #[command(flatten)]
    pub environment: DefaultEnvironment,
}

/// Remove everything that shipit runs in an environment
#[derive(Debug, Args)]
#[command(after_help = "\
It asks first. Containers that shipit did not start are left alone.

Examples:
  shipit down staging
  shipit down staging --yes")]
pub struct Down {
    /// The environment; never taken by default
    #[arg(value_name = "ENV")]
    pub environment: Name,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

/// Compare recipes, Docker, Consul and balancers, and say what does not match
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  shipit check staging
  shipit check staging --fix")]
pub struct Check {
    /// The environment.
    #[command(flatten)]
    pub environment: DefaultEnvironment,
    /// Also deregister Consul services whose container is gone
    #[arg(long)]
    pub fix: bool,
}

/// Check the files; contacts no host
#[derive(Debug, Args)]
#[command(after_help = "\
All mistakes of all files are shown at once.

Examples:
  shipit validate
  shipit validate staging --set version=1.3")]
pub struct Validate {
    /// Only this environment and its recipes [default: all]
    #[arg(value_name = "ENV")]
    pub environment: Option<Name>,
    /// Set a variable, above all files; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = value::assignment)]
    pub set: Vec<(String, String)>,
}

/// Print the JSON Schemas of the files, for editors
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  shipit schema --dir schema     # writes schema/inventory.json and schema/recipe.json")]
pub struct Schema {
    /// Write them as files into this folder instead
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub dir: Option<PathBuf>,
}

/// Print the completions for a shell
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  shipit completions bash > ~/.local/share/bash-completion/completions/shipit")]
pub struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

/// Write the manual pages, for packages
#[derive(Debug, Args)]
pub struct Man {
    /// Where to
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub into: PathBuf,
}
