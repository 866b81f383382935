//! The command line as users see it.

use std::time::Duration;

mod toy;

use clap::{Args, FromArgMatches, ValueHint, error::ErrorKind};

use super::{
    arguments::Kind,
    command::Lock,
    global::{Global, OutputForm},
    inspect::Logs,
    operate::Exec,
    parser,
    program::parser_for,
    release::{Deploy, Rollback},
    table::TABLE,
};

fn parse(line: &str) -> Result<clap::ArgMatches, clap::Error> {
    parser().try_get_matches_from(words(line))
}

/// What a line gives the command that it names.
fn typed<C: Args>(line: &str) -> C {
    let matches = parse(line).expect(line);
    let (_, matches) = matches.subcommand().expect(line);
    C::from_arg_matches(matches).expect(line)
}

/// The words of a line in which only single quotes quote.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (number, part) in line.split('\'').enumerate() {
        if number % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

#[test]
fn clap_finds_no_mistake() {
    parser().debug_assert();
}

#[test]
fn every_command_that_takes_the_lock_can_wait_for_it() {
    for row in TABLE.iter().flat_map(|group| group.rows) {
        let parser = row.parser();
        let has = parser.get_arguments().any(|it| it.get_id() == "wait");
        let takes = row.needs.lock != Lock::Never;
        assert_eq!(has, takes, "`shipit {}` and `--wait`", row.name);
    }
}

/// What the values of arguments are that name nothing which a shell could list.
const NAMES_NOTHING: [&str; 15] = [
    "COMMAND",
    "NAME",
    "NAME=ADDRESS",
    "NAME=IMAGE",
    "NUMBER",
    "RE",
    "RECIPE=PORT",
    "TEXT",
    "TIME",
    "USER",
    "WORD",
    "SHELL",
    "FORM",
    "WHEN",
    "STACK",
];

#[test]
fn every_argument_says_what_shells_complete_it_with() {
    for row in TABLE.iter().flat_map(|group| group.rows) {
        for argument in row.parser().get_arguments() {
            let has_kind = argument.get::<Kind>().is_some();
            let is_path = matches!(
                argument.get_value_hint(),
                ValueHint::FilePath | ValueHint::DirPath
            );
            // The environment that `init` makes is not there yet.
            let is_new = row.name == "init" && argument.get_id() == "environment";
            let names = argument.get_value_names().unwrap_or_default();
            let is_free = names
                .iter()
                .all(|name| NAMES_NOTHING.contains(&name.as_str()));
            assert!(
                !argument.get_action().takes_values() || has_kind || is_path || is_new || is_free,
                "`{}` of `shipit {}` names {names:?}: `add = Kind::…`",
                argument.get_id(),
                row.name
            );
        }
    }
}

#[test]
fn the_help_of_every_command() {
    let mut command = parser();
    command.build();
    let mut helps = vec![command.render_help().to_string()];
    for subcommand in command.get_subcommands_mut() {
        helps.push(subcommand.render_help().to_string());
        let below = subcommand.get_subcommands_mut();
        helps.extend(below.map(|below| below.render_help().to_string()));
    }
    insta::assert_snapshot!(helps.join("\n------------------------------------------------\n"));
}

/// The commands that a day's work needs, whose help is kept at the widths that terminals have.
const EVERY_DAY: [&str; 17] = [
    "restart",
    "stop",
    "start",
    "previews",
    "show",
    "diff",
    "setup",
    "console",
    "shell",
    "prune",
    "secret set",
    "secret list",
    "secret edit",
    "secret show",
    "secret rotate",
    "init",
    "explain",
];

/// The help of each command in a terminal of so many columns, with the words that are typed.
fn helps(columns: usize) -> Vec<(String, String)> {
    let mut program = parser_for(TABLE, columns);
    program.build();
    let mut helps = vec![(String::new(), program.render_help().to_string())];
    for command in program.get_subcommands_mut() {
        let name = command.get_name().to_owned();
        for below in command.get_subcommands_mut() {
            let name = format!("{name} {}", below.get_name());
            helps.push((name, below.render_help().to_string()));
        }
        helps.push((name, command.render_help().to_string()));
    }
    helps
}

#[test]
fn help_fits_the_terminal() {
    for columns in [40, 80, 120] {
        let helps = helps(columns);
        for (name, help) in &helps {
            for line in help.lines() {
                // clap breaks no usage, and nobody breaks a word that is to be typed.
                let is_usage = line.starts_with("Usage:");
                let is_one_word = line.split_whitespace().count() == 1;
                let fits = console::measure_text_width(line) <= columns;
                assert!(fits || is_usage || is_one_word, "{name}, {columns}: {line}");
            }
        }
        if columns < 120 {
            let is_kept = |name: &str| name.is_empty() || EVERY_DAY.contains(&name);
            let kept = helps.iter().filter(|(name, _)| is_kept(name));
            let kept: Vec<_> = kept.map(|(_, help)| help.trim_end()).collect();
            assert_eq!(kept.len(), EVERY_DAY.len() + 1);
            let line = "-".repeat(columns);
            let kept = kept.join(&format!("\n\n{line}\n"));
            insta::assert_snapshot!(format!("help_in_{columns}_columns"), kept);
        }
    }
}

#[test]
fn limit_is_taken_for_what_exec_and_logs_call_it() {
    let exec: Exec = typed("shipit exec staging --limit apps,host-3 -- true");
    assert_eq!(exec.hosts, ["apps", "host-3"]);
    let logs: Logs = typed("shipit logs web --limit host-2");
    assert_eq!(logs.host.as_deref(), Some("host-2"));
}

#[test]
fn every_example_parses() {
    let mut command = parser();
    let mut texts = vec![command.render_help().to_string()];
    for subcommand in command.get_subcommands_mut() {
        texts.extend(subcommand.get_after_help().map(ToString::to_string));
        let below = subcommand.get_subcommands();
        texts.extend(below.filter_map(|below| below.get_after_help().map(ToString::to_string)));
    }
    let mut examples = 0;
    for line in texts.iter().flat_map(|text| text.lines()) {
        if let Some(example) = line.strip_prefix("  shipit ") {
            let example = example.split(" # ").next().unwrap_or_default();
            let example = example.split(" > ").next().unwrap_or_default();
            assert!(parse(&format!("shipit {example}")).is_ok(), "{line}");
            examples += 1;
        }
    }
    assert!(examples > 25, "{examples}");
}

#[test]
fn what_is_wrong_exits_with_2() {
    for (line, kind) in [
        (
            "shipit",
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand,
        ),
        ("shipit deplo", ErrorKind::InvalidSubcommand),
        ("shipit deploy --nothing", ErrorKind::UnknownArgument),
        ("shipit deploy a/b", ErrorKind::ValueValidation),
        ("shipit console staging web db", ErrorKind::TooManyValues),
        ("shipit deploy -v -q", ErrorKind::ArgumentConflict),
        ("shipit deploy --set x", ErrorKind::ValueValidation),
        ("shipit deploy --output xml", ErrorKind::InvalidValue),
        ("shipit rollback --to r0", ErrorKind::ValueValidation),
        ("shipit rollback --to last", ErrorKind::ValueValidation),
        ("shipit exec staging", ErrorKind::MissingRequiredArgument),
        ("shipit exec staging uptime", ErrorKind::UnknownArgument),
        (
            "shipit exec --timeout 30 -- uptime",
            ErrorKind::ValueValidation,
        ),
        (
            "shipit exec --timeout -3s -- uptime",
            ErrorKind::UnknownArgument,
        ),
        ("shipit down", ErrorKind::MissingRequiredArgument),
        ("shipit lock staging", ErrorKind::MissingRequiredArgument),
    ] {
        let error = parse(line).expect_err(line);
        assert_eq!((error.kind(), error.exit_code()), (kind, 2), "{line}");
    }
}

#[test]
fn values_are_read_as_meant() {
    let deploy: Deploy =
        typed("shipit deploy staging web db --limit a,b --limit c --set k=v=w --set e=");
    assert_eq!(deploy.environment.environment.as_deref(), Some("staging"));
    let recipes: Vec<_> = deploy.recipes.iter().map(|name| &**name).collect();
    assert_eq!(recipes, ["web", "db"]);
    assert_eq!(deploy.limit.limit, ["a", "b", "c"]);
    let set = [("k", "v=w"), ("e", "")].map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(deploy.variables.set, set);

    for line in ["shipit rollback --to r41", "shipit rollback --to 41"] {
        assert_eq!(typed::<Rollback>(line).to, Some(41), "{line}");
    }
    let exec: Exec = typed("shipit exec --timeout 90s -- ls -l");
    assert_eq!(exec.timeout, Duration::from_secs(90));
    assert_eq!(exec.command, ["ls", "-l"]);
}

#[test]
fn an_environment_may_be_left_out_before_a_recipe() {
    for (line, environment) in [
        ("shipit logs web", None),
        ("shipit logs staging web", Some("staging")),
    ] {
        let logs: Logs = typed(line);
        assert_eq!(logs.environment.environment.as_deref(), environment);
        let recipes: Vec<_> = logs.recipes.iter().map(|name| &**name).collect();
        assert_eq!(recipes, ["web"]);
    }
}

#[test]
fn help_is_the_same_short_and_long() {
    let help = |line| parse(line).expect_err("help is no command").to_string();
    assert_eq!(help("shipit deploy -h"), help("shipit deploy --help"));
    assert_eq!(
        parse("shipit exec --help").expect_err("help").exit_code(),
        0
    );
}

#[test]
fn global_options_may_stand_anywhere() {
    for line in [
        "shipit -vv -C /srv/app --output json deploy",
        "shipit deploy staging -v -C /srv/app -v --output=json",
    ] {
        let global = Global::from_arg_matches(&parse(line).expect(line)).expect(line);
        assert_eq!(
            (global.verbose, global.output),
            (2, OutputForm::Json),
            "{line}"
        );
        assert_eq!(global.directory, Some("/srv/app".into()), "{line}");
    }
}
