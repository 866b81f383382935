//! Commands that would contact hosts: what is found before, and a host that is not there.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::PermissionsExt,
};

use assert_cmd::Command;
use insta::assert_snapshot;

use super::typed::{INVENTORY, Listener, Shell, WEB};

/// A port of this machine on which nobody listens.
fn closed_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("its address").port()
}

#[test]
fn names_that_there_are_not_are_found_before_anyone_is_contacted() {
    let host = Listener::new();
    let shell = Shell::with_host_at(host.port());
    assert_snapshot!(shell.type_line("deploy staging wbe").shown(), @"
        [stderr]
        error: `staging` has no recipe `wbe`

        hint: its recipes are `web`
        [exit 2]
    ");
    assert_snapshot!(shell.type_line("deploy --limit host-9").shown(), @"
        [stderr]
        error: `host-9` is neither a host nor a group of `staging`

        hint: its hosts are `host-1`
        [exit 2]
    ");
    for line in [
        "plan staging wbe",
        "rollback staging --limit host-9",
        "exec staging --hosts host-9 -- true",
        "logs staging wbe",
        "logs staging web --host host-9",
        "run staging wbe",
        "run staging web",
        "deploy --set version",
        "rollback --to rX",
        "down staging",
        "down staging --yes --accessory web",
        "deploy staging --force",
        "deploy staging --wait 10",
        "check staging --wait 10m",
        "restart staging",
        "restart staging wbe",
        "stop staging",
        "stop staging web --limit host-9",
        "start",
        "start wbe",
    ] {
        let answer = shell.type_line(line);
        answer.is_a_mistake();
        assert!(
            answer.stderr.contains("error: "),
            "{line}: {}",
            answer.stderr
        );
    }
    assert!(!host.was_contacted());
}

#[test]
fn a_recipe_may_stand_in_the_place_of_the_environment() {
    let shell = Shell::with_host_at(closed_port());
    // It is of the only environment: the next mistake is that its host is not there.
    for line in [
        "deploy web",
        "plan web",
        "logs web",
        "deploy web --force",
        "restart web",
        "stop web --limit host-1",
        "stop staging --limit host-1 web",
        "start --wait 1s web",
        "logs staging -n 3 web",
    ] {
        let answer = shell.type_line(line);
        assert_eq!(answer.code, Some(3), "{line}: {}", answer.shown());
    }
    assert_snapshot!(shell.type_line("deploy wbe").shown(), @"
        [stderr]
          error: no environment and no recipe `wbe`

          hint: did you mean the recipe `web`?
        [exit 2]
    ");
    assert_snapshot!(shell.type_line("deploy web staging").shown(), @"
        [stderr]
          error: `web` is a recipe and `staging` an environment, which comes first

          hint: shipit deploy staging web
        [exit 2]
    ");
    assert_snapshot!(shell.type_line("status web").shown(), @"
        [stderr]
          error: `web` is a recipe, and `shipit status` takes an environment

          hint: the environments are `staging`
        [exit 2]
    ");
    assert_snapshot!(shell.type_line("logs staging").shown(), @"
        [stderr]
          error: `staging` is an environment, and no recipe is named

          hint: shipit logs staging RECIPE
        [exit 2]
    ");
    shell.write("inventory/production.toml", "extends = \"staging\"\n");
    assert_snapshot!(shell.type_line("deploy web").shown(), @"
        [stderr]
          error: `web` is a recipe; which environment? there are several, and no default one

          hint: `shipit deploy production web`
          `shipit deploy staging web`
        [exit 2]
    ");
    shell.write(
        "inventory/production.toml",
        "default = true\nextends = \"staging\"\n",
    );
    let answer = shell.type_line("deploy web");
    assert_eq!(answer.code, Some(3), "{}", answer.shown());
    assert!(
        answer.stderr.starts_with("deploy production on"),
        "{}",
        answer.shown()
    );
}

#[test]
fn a_host_must_be_named_and_comes_after_the_environment() {
    let shell = Shell::with_host_at(closed_port());
    assert_snapshot!(shell.type_line("shell staging").shown(), @"
        [stderr]
          error: `staging` is an environment, and no host is named

          hint: shipit shell staging HOST
        [exit 2]
    ");
    assert_snapshot!(shell.type_line("shell host-1 staging").shown(), @"
        [stderr]
          error: `host-1` is a host and `staging` an environment, which comes first

          hint: shipit shell staging host-1
        [exit 2]
    ");
    assert_snapshot!(shell.type_line("shell host-9 staging").shown(), @"
        [stderr]
          error: no environment `host-9`: no file `inventory/host-9.toml`

          hint: the environments here are `staging`
        [exit 2]
    ");
    assert_snapshot!(shell.type_line("shell host-9").shown(), @"
        [stderr]
        error: `host-9` is neither a host nor a group of `staging`

        hint: its hosts are `host-1`
        [exit 2]
    ");
    shell.write("inventory/production.toml", "extends = \"staging\"\n");
    assert_snapshot!(shell.type_line("shell staging").shown(), @"
        [stderr]
          error: `staging` is an environment, and no host is named

          hint: shipit shell staging HOST
        [exit 2]
    ");
    assert_snapshot!(shell.type_line("shell host-1").shown(), @"
        [stderr]
          error: which environment? there are several, and none has `default = true`

          hint: name one of `production` and `staging`
        [exit 2]
    ");
    // A host that is called as an environment is.
    let inventory = INVENTORY.replace("host-1", "staging");
    let inventory = inventory.replace("PORT", &closed_port().to_string());
    let inventory = format!("default = true\n{inventory}");
    shell.write("inventory/production.toml", &inventory);
    let answer = shell.type_line("shell staging");
    assert_eq!(answer.code, Some(3), "{}", answer.shown());
}

#[test]
fn a_recipe_without_a_container_is_neither_restarted_nor_an_accessory() {
    let host = Listener::new();
    let shell = Shell::with_host_at(host.port());
    shell.write(
        "recipes/web.toml",
        "hosts = \"all\"\ncommands = [{ run = \"true\" }]\n",
    );
    assert_snapshot!(shell.type_line("restart staging web").shown(), @"
        [stderr]
        error: `web` has no container, so nothing of it stays running

        hint: shipit run staging web
        [exit 2]
    ");
    assert_snapshot!(shell.type_line("down staging --yes --accessory web").shown(), @"
        [stderr]
        error: `web` is no accessory of `staging`

        hint: it has none: `[container] accessory = true` makes one
        [exit 2]
    ");
    assert!(!host.was_contacted());
}

#[test]
fn a_secret_without_a_value_is_found_before_anyone_is_contacted() {
    let host = Listener::new();
    let shell = Shell::with_host_at(host.port());
    shell.write(
        "recipes/web.toml",
        &format!("{WEB}secrets = {{ TOKEN = {{ env = \"SHIPIT_TEST_TOKEN\" }} }}\n"),
    );
    let answer = shell.type_line("deploy staging");
    assert_eq!(answer.code, Some(2), "{}", answer.shown());
    assert!(
        answer.stderr.contains("the secret `TOKEN` has no value"),
        "{}",
        answer.shown()
    );
    assert!(
        answer.stderr.contains("export SHIPIT_TEST_TOKEN="),
        "{}",
        answer.shown()
    );
    assert!(!host.was_contacted());
}

#[test]
fn a_secret_that_no_variable_can_hold_is_found_before_anyone_is_contacted() {
    let host = Listener::new();
    let shell = Shell::with_host_at(host.port());
    shell.write(
        "recipes/web.toml",
        &format!("{WEB}secrets = {{ TOKEN = {{ file = \"token\" }} }}\n"),
    );
    for (value, why) in [
        (
            "x".repeat(128 * 1024),
            "more than 128 KiB, the most that a variable can hold",
        ),
        (
            "a\0b".to_owned(),
            "its value has a NUL byte, which ends a variable",
        ),
    ] {
        shell.write("token", &value);
        let answer = shell.type_line("deploy staging");
        assert_eq!(answer.code, Some(2), "{}", answer.shown());
        let stderr = &answer.stderr;
        assert!(
            stderr.contains("the secret `TOKEN` cannot be used") && stderr.contains(why),
            "{stderr}"
        );
    }
    assert!(!host.was_contacted());
}

#[test]
fn the_password_of_a_registry_is_read_beforehand_only_for_what_is_to_be_pulled() {
    let shell = Shell::with_host_at(closed_port());
    let inventory = fs::read_to_string(shell.path().join("inventory/staging.toml"));
    let login = "username = \"deploy\"\npassword = { env = \"SHIPIT_TEST_PASSWORD\" }\n";
    shell.write(
        "inventory/staging.toml",
        &format!(
            "{}[registries.\"registry.example\"]\n{login}",
            inventory.expect("the file")
        ),
    );
    let ends = |line: &str, code, says: &str| {
        let answer = shell.type_line(line);
        assert_eq!(answer.code, Some(code), "{line}: {}", answer.shown());
        assert!(
            answer.stderr.contains(says),
            "{line}: {says}: {}",
            answer.shown()
        );
    };
    // Its recipe's image is in no registry with a login.
    ends("deploy staging", 3, "cannot connect to `host-1`");
    let private = WEB.replace("web:1", "registry.example/web:1");
    shell.write("recipes/web.toml", &private);
    let no_value = "the secret `registries.registry.example.password` has no value";
    ends("deploy staging", 2, no_value);
    ends("plan staging", 2, no_value);
    // It goes back to containers that are still there, if the hosts have them.
    ends("rollback staging", 3, "cannot connect to `host-1`");
    shell.write(
        "recipes/web.toml",
        &format!("{private}source = \"local\"\n"),
    );
    ends("deploy staging", 3, "cannot connect to `host-1`");
}

#[test]
fn a_host_that_is_not_there_is_named_and_nothing_is_changed() {
    let port = closed_port();
    let shell = Shell::with_host_at(port);
    for line in [
        "deploy staging",
        "plan",
        "rollback",
        "status",
        "history",
        "exec -- true",
        "check",
    ] {
        let answer = shell.type_line(line);
        assert_eq!(answer.code, Some(3), "{line}: {}", answer.shown());
        for part in ["host-1", "hint:"] {
            assert!(
                answer.stderr.contains(part),
                "{line}: {part}: {}",
                answer.shown()
            );
        }
    }
    let shown = shell.type_line("deploy staging").shown();
    let times = shown.replace(&port.to_string(), "PORT");
    assert_snapshot!(times, @"
        [stderr]
        deploy staging on 1 host
        connecting
        host-1  ✗ connect: could not connect to nobody@127.0.0.1:PORT: Connection refused (os error 111)
        error: cannot connect to `host-1`; nothing was changed on any host
          caused by: `host-1`: could not connect to nobody@127.0.0.1:PORT: Connection refused (os error 111)

          host-1  –  cannot connect

        hint: `ssh -p PORT nobody@127.0.0.1` must work from here; check the address, the port and that sshd runs
        [exit 3]
    ");
}

#[test]
fn as_events_the_end_is_one_line_of_json() {
    let shell = Shell::with_host_at(closed_port());
    let answer = shell.type_line("--output json deploy staging");
    assert_eq!(answer.code, Some(3), "{}", answer.shown());
    let lines: Vec<serde_json::Value> = answer
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let last = lines.last().expect("there are events").to_string();
    assert!(
        last.contains("not-ready") || last.contains("not_ready"),
        "{last}"
    );
    assert!(last.contains("host-1"), "{last}");
}

#[test]
fn a_deploy_leaves_a_log_in_a_folder_that_git_ignores() {
    let shell = Shell::with_host_at(closed_port());
    shell.type_line("deploy staging");
    let logs: Vec<_> = fs::read_dir(shell.path().join(".shipit/log/staging"))
        .expect("logs")
        .collect();
    assert_eq!(logs.len(), 1);
    let ignored = fs::read_to_string(shell.path().join(".shipit/.gitignore")).expect("it is there");
    assert_eq!(ignored, "*\n");
}

/// The modes of the folder of logs and of all in it, after a deploy that was typed under a lax umask.
fn modes_after_a_deploy(shell: &Shell) -> Vec<(String, u32)> {
    let mut deploy = Command::new("sh");
    deploy
        .args(["-c", "umask 000; exec \"$0\" deploy staging"])
        .arg(env!("CARGO_BIN_EXE_shipit"))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", shell.path())
        .current_dir(shell.path());
    let answer = shell.answer(&mut deploy);
    assert_eq!(answer.code, Some(3), "{}", answer.shown());
    let mut modes = Vec::new();
    let mut folders = vec![shell.path().join(".shipit")];
    while let Some(path) = folders.pop() {
        let metadata = fs::metadata(&path).expect("it is there");
        let name = path.file_name().expect("a name").to_string_lossy();
        if metadata.is_dir() {
            let entries = fs::read_dir(&path).expect("a folder");
            folders.extend(entries.map(|entry| entry.expect("an entry").path()));
        }
        let kind = if name.starts_with("20") {
            "LOG"
        } else {
            &*name
        };
        modes.push((kind.to_owned(), metadata.permissions().mode() & 0o777));
    }
    modes.retain(|(name, _)| name != ".gitignore");
    modes.sort();
    modes
}

#[test]
fn no_other_account_reads_the_log_of_a_run() {
    let shell = Shell::with_host_at(closed_port());
    let private = [
        (".shipit", 0o700),
        ("LOG", 0o600),
        ("log", 0o700),
        ("staging", 0o700),
    ];
    let private = private.map(|(name, mode)| (name.to_owned(), mode));
    assert_eq!(modes_after_a_deploy(&shell), private);
    // What an older shipit, or anybody else, has made is closed as well.
    fs::remove_dir_all(shell.path().join(".shipit/log")).expect("removed");
    for folder in [".shipit/log/staging", ".shipit/log", ".shipit"] {
        let folder = shell.path().join(folder);
        fs::create_dir_all(&folder).expect("made");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).expect("opened");
    }
    assert_eq!(modes_after_a_deploy(&shell), private);
}

#[test]
fn without_a_place_for_the_log_it_goes_on_and_says_so() {
    let shell = Shell::with_host_at(closed_port());
    shell.write(".shipit", "a file where the folder would be");
    let answer = shell.type_line("deploy staging");
    assert_eq!(answer.code, Some(3), "{}", answer.shown());
    assert!(
        answer.shown().contains("this run keeps no log"),
        "{}",
        answer.shown()
    );
}
