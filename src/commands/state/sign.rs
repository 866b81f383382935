//! `shipit state sign`.

use std::time::Duration;

use clap::Args;

use crate::{
    commands::{
        arguments::{DefaultEnvironment, Wait},
        command::{HostCommand, Lock, Needs},
        on_hosts::invocation::Invocation,
    },
    event::{EventKind, Outcome},
    hosts::{Fleet, QUICK, Run, Stop},
    model::Name,
    plan::Scope,
    release::{Reading, Record, RecordKey, Terms},
    run::Context,
    state::{self, StoredRecords, lock},
    text,
};

/// Sign the release records that have no right signature
#[derive(Debug, Args)]
#[command(after_help = "\
For the records from before `[state] key`, or from before a new one. It shows them and asks: what is signed counts as
written by the team. Sign nothing that you do not know.

Examples:
  shipit state sign staging
  shipit state sign staging --yes")]
pub struct Sign {
    #[command(flatten)]
    pub environment: DefaultEnvironment,
    #[command(flatten)]
    pub wait: Wait,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

impl HostCommand for Sign {
    const NAME: &'static str = "state sign";
    const NEEDS: Needs = Needs {
        contacts: "all hosts",
        lock: Lock::Always,
        changes: "records",
        log: false,
        exit_codes: &[0, 1, 2, 3, 4, 130],
    };

    fn environment(&self) -> Option<&Name> {
        self.environment.name()
    }

    fn lock_wait(&self) -> Duration {
        self.wait.time()
    }

    fn scope(&self, invocation: &Invocation<'_>) -> Run<Scope> {
        if !self.yes && !invocation.terminal.can_ask() {
            let message = "cannot ask here whether to sign the records";
            return Err(
                Stop::new(Outcome::Usage, message).hint("`--yes` signs them without asking")
            );
        }
        Ok(Scope::default())
    }

    async fn run(self, invocation: &Invocation<'_>, scope: Scope) -> Run<Outcome> {
        let context = &invocation.context;
        let environment = context.environment;
        let Some(key) = state::key_of(context).await? else {
            let message = format!("`{}` has no key to sign records with", environment.name);
            return Err(Stop::new(Outcome::Usage, message)
                .hint("`shipit state key` makes one and prints the lines for the inventory"));
        };
        let fleet = context.connect(&context.hosts_of(&scope)).await?;
        let lock = lock::take(context, &fleet, Self::NAME).await?;
        let unsigned = find(context, &fleet, &key).await?;
        let state = "nothing was signed";
        let message = if unsigned.is_empty() {
            format!("all records of `{}` are signed", environment.name)
        } else {
            let lines = unsigned.iter().map(describe).collect();
            context.events.send(EventKind::Result { lines });
            let records = text::count(unsigned.len(), "record");
            let question = format!("Sign {records} as written by this team?");
            if self.yes || invocation.confirm(question, state).await? {
                sign(context, &fleet, &unsigned, &key).await?;
                format!("signed {records}")
            } else {
                state.to_owned()
            }
        };
        drop(lock);
        context.events.send(EventKind::Note { message });
        fleet.close().await;
        Ok(Outcome::Done)
    }
}

/// The records that would count if there were no key, and have no right signature.
async fn find(context: &Context<'_>, fleet: &Fleet, key: &RecordKey) -> Run<Vec<Record>> {
    let state = state::open(context.environment, fleet);
    let read = async |key: Option<&RecordKey>| {
        let StoredRecords { reading, failures } = state
            .read_records(Terms { key, strays: false }, QUICK)
            .await;
        if failures.is_empty() {
            return Ok(reading);
        }
        let message = "cannot read the release records of every host; nothing was signed";
        Err(Stop::on_hosts(Outcome::NotReady, message, &failures))
    };
    let signed: Reading = read(Some(key)).await?;
    let all: Reading = read(None).await?;
    // A signed copy on another host says nothing of the record that it is a copy of.
    let is_signed = |record: &Record| {
        let of_host = signed.records.get(&record.host);
        of_host.is_some_and(|records| records.contains(record))
            && !signed.unsigned.contains(&record.volume_name())
    };
    let all = all.records.into_values().flatten();
    Ok(all.filter(|record| !is_signed(record)).collect())
}

fn describe(record: &Record) -> String {
    let recipes = record.recipes.iter();
    let recipes = recipes.map(|(name, recipe)| format!("{name} {}", recipe.image.reference));
    format!(
        "{} {} of {} by {} at {}: {}",
        record.host,
        record.number,
        record.outcome,
        record.by,
        record.started.strftime("%Y-%m-%d %H:%M:%S UTC"),
        recipes.collect::<Vec<_>>().join(", ")
    )
}

async fn sign(
    context: &Context<'_>,
    fleet: &Fleet,
    records: &[Record],
    key: &RecordKey,
) -> Run<()> {
    let state = state::open(context.environment, fleet);
    let failures = state.sign_records(records, key).await;
    if failures.is_empty() {
        return Ok(());
    }
    let names = text::list(failures.iter().map(|(host, _)| host));
    let message = format!("not every record could be signed on {names}");
    Err(
        Stop::on_hosts(Outcome::Failed, message, &failures).hint(format!(
            "run it again: shipit state sign {}",
            context.environment.name
        )),
    )
}
