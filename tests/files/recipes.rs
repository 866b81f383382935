//! Mistakes in recipes and between them.

use insta::assert_snapshot;
use shipit::model::{Count, ImageSource, LateValues, SecretSource, TaskAction};

use super::project::TestProject;

#[test]
fn recipes_are_checked_against_each_other() {
    let project = TestProject::new(&[
        (
            "inventory/test.toml",
            "recipes = [\"a\", \"b\", \"c\", \"app\", \"self\"]\n[hosts]\nx = { address = \"192.0.2.1\", groups = [\"web\"] }\n",
        ),
        (
            "recipes/a.toml",
            "hosts = \"web\"\nrequires = [\"b\"]\ncontainer.image = \"a\"\n",
        ),
        (
            "recipes/b.toml",
            "hosts = \"web\"\nrequires = [\"c\"]\ncontainer.image = \"b\"\n",
        ),
        (
            "recipes/c.toml",
            "hosts = \"web\"\nrequires = [\"a\", \"ap\"]\ncontainer.image = \"c\"\n",
        ),
        (
            "recipes/app.toml",
            "hosts = [\"web\", \"wbe\", \"database\"]\nrequires = [\"unused\", \"nothing-like-it\"]\ncontainer.image = \"c\"\ncontainer.publish_all = true\ndrain.balancers = [\"a\", \"lb\"]\n",
        ),
        (
            "recipes/self.toml",
            "hosts = \"web\"\nrequires = [\"self\"]\ncontainer.image = \"c\"\n",
        ),
        (
            "recipes/unused.toml",
            "hosts = \"web\"\ncontainer.image = \"u\"\n",
        ),
    ]);
    assert_snapshot!(project.shown());
}

#[test]
fn a_container_is_checked() {
    let shown = TestProject::of_recipe(
        r##"
hosts = "web"

[container]
publish = ["80:80", "80-90:80", 443, "80:80"]
restart = "allways"
volumes = ["", "a\nb:/c"]
env = { "A B" = "1", "A=B" = "2", "#A" = "3", TOKEN = "x" }
secrets = { TOKEN = { env = "T", file = "t" }, KEY = {}, "K K" = { env = "OK" } }
labels = { "shipit.recipe" = "x" }
options = ["--name=x", "--rm", "--cap-add", "NET_ADMIN"]
instances = 2

[rollout]
order = "start-first"
min_healthy_time = "2m"
progress_deadline = "30s"
canary = 9

[ready]
http = { path = "health", status = 99, port = 0, host = "https://app.example/" }
tcp = 0

[probe]
url = "ftp://example.com/"
rate = 0
through = "web-2"
"##,
    )
    .shown();
    assert_snapshot!(shown);
}

#[test]
fn a_number_of_instances_is_written_or_comes_from_a_template() {
    let shown = |instances: &str| {
        let recipe = format!(
            "hosts = \"web\"\nvars = {{ many = 3, none = 0, word = \"some\" }}\n[container]\nimage = \"w\"\n\
             publish_all = true\ninstances = {instances}\n",
        );
        TestProject::of_recipe(&recipe).shown()
    };
    for instances in ["3", "\"3\"", "\"{{many}}\"", "\"{{count hosts}}\""] {
        assert_eq!(shown(instances), "no mistakes\n", "{instances}");
    }
    let wrong = [
        "0",
        "70000",
        "-1",
        "true",
        "\"{{none}}\"",
        "\"{{word}}\"",
        "\"{{nobody}}\"",
        "\"\"",
    ];
    assert_snapshot!(wrong.map(shown).join("\n"));
}

#[test]
fn options_that_a_key_stands_for_are_refused() {
    let hint_of = |option: &str| {
        let recipe =
            format!("hosts = \"web\"\n[container]\nimage = \"w\"\noptions = [{option:?}, \"x\"]\n");
        let project = TestProject::of_recipe(&recipe).load("test");
        let problems = project.err()?;
        let problem = problems.iter().next()?;
        let at = problem.place().expect("a place").text();
        assert_eq!(at, format!("{option:?}"));
        Some(problem.advice().unwrap_or(problem.message()).to_owned())
    };
    for (options, hint) in [
        (
            &["-p", "--publish", "-p80:80", "--publish=80:80", "-itp"][..],
            "write `publish = [",
        ),
        (
            &["-P", "--publish-all", "--publish-all=true"],
            "write `publish_all = true`",
        ),
        (
            &["-e", "--env", "-eA=b", "--env=A=b c", "--env-file=x"],
            "write `env = {",
        ),
        (&["--net", "--network", "--net=host"], "write `network ="),
        (&["--restart", "--restart=always"], "write `restart ="),
        (
            &["-v", "--volume", "-v/a:/b", "--volume=/a:/b"],
            "write `volumes = [",
        ),
        (&["-u", "--user", "-u0"], "write `user ="),
        (&["-h", "--hostname", "-hx"], "write `hostname ="),
        (&["-w", "--workdir", "-w/x"], "write `workdir ="),
        (&["-l", "--label", "--label=a=b"], "write `labels = {"),
        (&["--entrypoint", "--entrypoint=/x"], "write `entrypoint ="),
        (
            &["-d", "--detach", "-itd"],
            "every container runs in the background",
        ),
        (&["--memory 512m"], "split it: `\"--memory\", \"512m\"`"),
        (&["--sysctl a=b"], "split it: `\"--sysctl\", \"a=b\"`"),
    ] {
        for option in options {
            let found = hint_of(option).unwrap_or_default();
            assert!(found.contains(hint), "{option}: {found}");
        }
    }
    for options in [
        r#""--memory=512m""#,
        r#""-m", "512m""#,
        r#""-m512m", "-it""#,
        r#""--health-cmd=a b""#,
        r#""--health-cmd", "a b""#,
        r#""--network-alias", "x""#,
        r#""--pids-limit", "-1""#,
        r#""--label-file", "a", "--init", "--unheard-of", "x""#,
        r#""--unheard-of", "--init""#,
    ] {
        let shown = TestProject::of_recipe(&format!(
            "hosts = \"web\"\n[container]\nimage = \"w\"\noptions = [{options}]\n"
        ))
        .shown();
        assert_eq!(shown, "no mistakes\n", "{options}");
    }
}

#[test]
fn a_text_for_a_list_is_told_its_words() {
    for (line, hint) in [
        ("command = \"agent -ip\"", "write `[\"agent\", \"-ip\"]`"),
        (
            "options = '--memory 512m'",
            "write `[\"--memory\", \"512m\"]`",
        ),
        ("options = '--init'", "write `['--init']`"),
        (
            "command = \"sh -c 'a b'\"",
            "write each word as a string of its own: `[\"sh\", …]`",
        ),
    ] {
        let recipe = format!("hosts = \"web\"\n[container]\nimage = \"w\"\n{line}\n");
        let shown = TestProject::of_recipe(&recipe).shown();
        assert!(shown.contains(&format!("hint: {hint}")), "{shown}");
    }
}

#[test]
fn a_secrets_name_is_one_for_the_shell_that_starts_docker() {
    let shown = TestProject::of_recipe(
        r#"
hosts = "web"

[container]
image = "web"
env = { "app.log-level" = "info", HOME = "/srv" }

[container.secrets]
_KEY_2 = { env = "K" }
"A;reboot" = { env = "K" }
"app.key" = { env = "K" }
2_KEY = { env = "K" }
PATH = { env = "K" }
DOCKER_HOST = { env = "K" }
"#,
    )
    .shown();
    assert_snapshot!(shown);
}

#[test]
fn a_secret_changes_nothing_that_runs_on_the_host() {
    for name in [
        "LD_PRELOAD",
        "LD_LIBRARY_PATH",
        "BASH_ENV",
        "IFS",
        "GCONV_PATH",
        "SUDO_ASKPASS",
    ] {
        let secret = format!("secrets = {{ {name} = {{ env = \"K\" }} }}");
        let recipe = format!("hosts = \"web\"\n[container]\nimage = \"w\"\n{secret}\n");
        let shown = TestProject::of_recipe(&recipe).shown();
        assert!(
            shown.contains(&format!("a secret cannot be called `{name}`")),
            "{shown}"
        );
    }
}

#[test]
fn an_image_is_needed() {
    assert_snapshot!(
        "no_image",
        TestProject::of_recipe("hosts = \"web\"\n[container]\n").shown()
    );
    assert_snapshot!(
        "nothing_to_run",
        TestProject::of_recipe("description = \"x\"\n").shown()
    );
}

#[test]
fn warnings_stop_nothing() {
    let shown = TestProject::of_recipe(
        r#"
hosts = "web"

[container]
image = "web"
publish_all = true
instances = 2
env = { SERVICE_NAME = "web", SERVICE_CHECKED = "no" }

[ready]
consul = "web"

[rollout]
canary = 3
"#,
    )
    .shown();
    assert_snapshot!(shown);
}

#[test]
fn containers_that_all_stop_before_new_ones_start_are_warned_of() {
    let rollout = |port: &str, rollout: &str| {
        TestProject::of_recipe(&format!(
            "hosts = \"web\"\ncontainer.image = \"web\"\ncontainer.publish = [\"{port}\"]\ncontainer.instances = 2\n\
            ready.tcp = 80\nrollout = {{ {rollout} }}\ndrain = {{ wait = \"2s\", run = \"true\" }}\n"
        ))
        .shown()
    };
    assert_snapshot!(rollout(
        "auto:80",
        "order = \"stop-first\", max_parallel = \"100%\""
    ));
    for serves_on in [
        "order = \"stop-first\", max_parallel = 1",
        "order = \"stop-first\", max_parallel = 9, canary = 1",
        "max_parallel = \"100%\"",
    ] {
        let shown = rollout("auto:80", serves_on);
        assert!(!shown.contains("stop before"), "{serves_on}: {shown}");
    }
}

#[test]
fn blue_green_goes_all_at_once_behind_a_balancer() {
    let shown = TestProject::of_recipe(
        r#"
hosts = "web"

[container]
image = "web"
publish = ["80:80"]

[rollout]
order = "blue-green"
max_parallel = 2
canary = 1
max_failures = 1
auto_revert = false
"#,
    )
    .shown();
    assert_snapshot!(shown);
}

#[test]
fn canaries_have_a_share_only_behind_balancers_that_know_of_weights() {
    let inventory = "recipes = [\"lb\", \"web\"]\n[hosts]\nweb-1.address = \"192.0.2.1\"\nweb-2.address = \"192.0.2.2\"\n";
    let app = |canaries: &str, more: &str| {
        format!(
            "hosts = \"all\"\n[container]\nimage = \"web\"\npublish = [\"auto:80\"]\n[rollout]\n{canaries}\n{more}"
        )
    };
    let drained = "[drain]\nbalancers = [\"lb\"]\n";
    let lb = |balancer: &str| {
        format!(
            "hosts = \"all\"\ncontainer.image = \"lb\"\n[balancer]\nupstreams = \"routes\"\n{balancer}\n"
        )
    };
    let consul = lb("");
    let commands = lb("add = \"a {{backend.name}}\"\nremove = \"r\"");
    let weighs = lb(
        "add = \"a {{backend.name}} {{backend.weight}}\"\nremove = \"r\"\nweight = \"w {{backend.weight}}\"\nerrors = \"e\"",
    );
    let half =
        lb("add = \"a {{backend.name}}\"\nremove = \"r\"\nweight = \"w {{backend.weight}}\"");
    let list = lb("backends = { template = \"list\", to = \"/list\", reload = \"true\" }");
    let canary = "canary = 1\ncanary_weight = \"5%\"";
    let rate = "[probe]\nurl = \"http://web\"\nmax_error_rate = \"1%\"\n";
    let each = "{{#each backends.web}}{{endpoint}} {{/each}}";
    let weighted = "{{#each backends.web}}{{endpoint}} {{weight}} {{/each}}";
    let cases = [
        (
            "without canaries",
            &weighs,
            app("canary_weight = \"5%\"", drained),
            each,
        ),
        (
            "too few containers",
            &weighs,
            app("canary = 2\ncanary_weight = \"5%\"", drained),
            each,
        ),
        ("without a balancer", &weighs, app(canary, ""), each),
        ("behind Consul", &consul, app(canary, drained), each),
        (
            "commands that give the weight too late",
            &half,
            app(canary, drained),
            each,
        ),
        (
            "commands without a weight",
            &commands,
            app(canary, &format!("{drained}{rate}")),
            each,
        ),
        ("a list without a weight", &list, app(canary, drained), each),
        (
            "a list with a weight",
            &list,
            app(canary, drained),
            weighted,
        ),
        (
            "commands with a weight, and a rate",
            &weighs,
            app(canary, &format!("{drained}{rate}")),
            each,
        ),
        (
            "a time for nothing",
            &weighs,
            app("canary_time = \"5s\"", drained),
            each,
        ),
        (
            "no percentages",
            &weighs,
            app(
                "canary = 1\ncanary_weight = 5",
                &format!("{drained}{}", rate.replace("1%", "1")),
            ),
            each,
        ),
    ];
    let shown = cases.iter().map(|(case, lb, web, list)| {
        let project = TestProject::new(&[
            ("inventory/test.toml", inventory),
            ("recipes/lb.toml", lb),
            ("recipes/web.toml", web),
            ("list", list),
        ]);
        format!("== {case}\n{}\n", project.shown())
    });
    assert_snapshot!(
        "canaries_have_a_share_only_behind_balancers_that_know_of_weights",
        shown.collect::<String>()
    );
}

#[test]
fn a_check_for_one_port_is_a_check() {
    for name in [
        "SERVICE_CHECK_TCP",
        "SERVICE_8080_CHECK_HTTP",
        "SERVICE_CHECK_SCRIPT",
    ] {
        let shown = TestProject::of_recipe(&format!(
            "hosts = \"web\"\ncontainer = {{ image = \"w\", publish_all = true, env = {{ {name} = \"x\" }} }}\nready.consul = \"web\"\n",
        ))
        .shown();
        assert_eq!(shown, "no mistakes\n", "{name}");
    }
}

#[test]
fn commands_are_checked() {
    let shown = TestProject::of_recipe(
        r#"
hosts = "web"
ready = { run = "true" }

[[commands]]
name = "neither"

[[commands]]
run = "true"
upload = { from = "a", to = "/a" }

[[commands]]
run = "  "
timeout = "0s"
retry = 1.5

[[commands]]
upload = { from = "missing.conf", to = "etc/x.conf", mode = "0999" }

[[commands]]
upload = { to = "/etc/x.conf" }
"#,
    )
    .shown();
    assert_snapshot!(shown);
}

#[test]
fn commands_in_a_one_off_container_are_checked() {
    let shown = TestProject::of_recipe(
        r#"
hosts = "web"
container.image = "web"

[[before]]
in = "new"
command = ["./manage", "migrate", "{{verison}}"]

[[before]]
command = ["./manage", "migrate"]

[[before]]
in = "new"
command = []

[[before]]
in = "container"
run = "true"

[[after]]
in = "new"
run = "true"
command = ["true"]

[[after]]
in = "new"
upload = { from = "a", to = "/a" }
"#,
    )
    .shown();
    assert_snapshot!(shown);
    let task = "hosts = \"web\"\n[[commands]]\nin = \"new\"\nrun = \"true\"\n";
    assert_snapshot!(
        "a_one_off_without_image",
        TestProject::of_recipe(task).shown()
    );
}

#[test]
fn a_command_in_a_one_off_container_is_words_or_a_script() {
    let loaded = TestProject::of_recipe(
        r#"
hosts = "web"
vars.level = "it's 2"
container.image = "web"
before = [
    { in = "new", command = ["./manage", "migrate", "--of={{image}}", "{{level}}"], once = true },
    { in = "new", run = "./manage check | tee {{container}}" },
]
"#,
    )
    .load("test")
    .unwrap_or_else(|problems| panic!("{problems}"));
    assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
    let tasks = &loaded.environment.recipes[0].by_host["web-1"].before;
    let late = LateValues {
        release: "r2".into(),
        container: "web-r2".into(),
        image: "web@sha256:aa".into(),
    };
    let words: Vec<Vec<_>> = tasks
        .iter()
        .map(|task| match &task.action {
            TaskAction::RunInNew(words) => words
                .iter()
                .map(|word| word.render(&late).expect("a word"))
                .collect(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        words,
        [
            vec!["./manage", "migrate", "--of=web@sha256:aa", "it's 2"],
            vec!["sh", "-c", "./manage check | tee web-r2"],
        ]
    );
    assert_eq!(tasks[0].name, "./manage migrate --of={{image}} {{level}}");
}

#[test]
fn a_var_called_image_means_what_it_meant() {
    let loaded = TestProject::of_recipe(
        "hosts = \"web\"\nvars.image = \"shop\"\ncontainer.image = \"{{image}}:1\"\n[[before]]\nrun = \"echo {{quote image}}\"\n",
    )
    .load("test")
    .unwrap_or_else(|problems| panic!("{problems}"));
    let on = &loaded.environment.recipes[0].by_host["web-1"];
    assert_eq!(on.container.as_ref().expect("one").image, "shop:1");
    let TaskAction::Run(script) = &on.before[0].action else {
        panic!("it is a script");
    };
    assert_eq!(
        script.render(&LateValues::dummy()).as_deref(),
        Ok("echo shop")
    );
}

#[test]
fn an_http_check_needs_a_port_to_ask() {
    for (name, container) in [
        ("http_without_port", "image = \"w\""),
        ("http_on_host_network", "image = \"w\", network = \"host\""),
    ] {
        let recipe =
            format!("hosts = \"web\"\ncontainer = {{ {container} }}\nready.http = \"/\"\n");
        assert_snapshot!(name, TestProject::of_recipe(&recipe).shown());
    }
}

#[test]
fn the_keys_of_a_request_and_of_tls() {
    let recipe = r#"
hosts = "web"
[container]
image = "w"
publish_all = true
[ready.http]
path = "/health"
scheme = "http"
headers = { Host = "app.example", "a b" = "1", Connection = "close", X-Line = "a\nb", X-Fine = "{{host.name}}" }
method = "get"
ca_file = "files/no-such.pem"
insecure = true
[probe]
url = "https://lb/"
server_name = "app.example"
insecure = true
"#;
    assert_snapshot!("requests_and_tls", TestProject::of_recipe(recipe).shown());
}

#[test]
fn a_task_has_its_uploads_read() {
    let project = TestProject::of_recipe(
        r#"
hosts = "web"

[[commands]]
upload = { from = "files/{{environment}}.conf", to = "/etc/{{host.name}}.conf", mode = "0600", template = true }

[[commands]]
upload = { from = "files/plain", to = "/plain" }
once = true

[[commands]]
name = "all at once"
run = "echo {{host.name}} {{release}}"
unless = "test -e /x"
timeout = "1m30s"
retry = 3
"#,
    );
    project.write("files/test.conf", "listen {{host.address}}\n");
    project.write("files/plain", "{{literal}}\n");
    let loaded = project
        .load("test")
        .unwrap_or_else(|problems| panic!("{problems}"));
    let tasks = &loaded.environment.recipes[0].by_host["web-1"].commands;
    let TaskAction::Upload {
        to, mode, content, ..
    } = &tasks[0].action
    else {
        panic!("an upload");
    };
    assert_eq!((to.as_str(), *mode), ("/etc/web-1.conf", 0o600));
    assert_eq!(content, b"listen 192.0.2.1\n");
    let TaskAction::Upload { content, mode, .. } = &tasks[1].action else {
        panic!("an upload");
    };
    assert_eq!(
        (content.as_slice(), *mode),
        (b"{{literal}}\n".as_slice(), 0o644)
    );
    assert!(tasks[1].once);
    assert_eq!((tasks[2].timeout.as_secs(), tasks[2].retry), (90, 3));
}

#[test]
fn recipes_come_after_what_they_require_and_else_in_the_inventorys_order() {
    let project = TestProject::new(&[
        (
            "inventory/test.toml",
            "recipes = [\"app\", \"lb\", \"base\"]\nimages.source = \"local\"\n[hosts]\nb = { address = \"192.0.2.1\" }\na = { address = \"192.0.2.2\" }\n",
        ),
        (
            "recipes/base.toml",
            "hosts = \"all\"\ncontainer.image = \"base\"\n",
        ),
        (
            "recipes/lb.toml",
            "hosts = \"a\"\ncontainer.image = \"lb\"\n",
        ),
        (
            "recipes/app.toml",
            "hosts = [\"a\", \"b\"]\nrequires = [\"base\"]\ncontainer = { image = \"app\", source = \"registry\" }\nrollout.max_parallel = \"25%\"\n",
        ),
    ]);
    let environment = project
        .load("test")
        .unwrap_or_else(|problems| panic!("{problems}"))
        .environment;
    let names: Vec<_> = environment
        .recipes
        .iter()
        .map(|recipe| &*recipe.name)
        .collect();
    assert_eq!(names, ["base", "app", "lb"]);
    let app = &environment.recipes[1];
    let hosts: Vec<_> = app.hosts.iter().map(|host| &**host).collect();
    assert_eq!(hosts, ["b", "a"], "in the inventory's order");
    assert_eq!(app.rollout.max_parallel, Count::Percent(25));
    let source = |recipe: usize| {
        let on = &environment.recipes[recipe].by_host["a"];
        on.container.as_ref().map(|container| container.source)
    };
    assert_eq!(source(0), Some(ImageSource::Local));
    assert_eq!(source(1), Some(ImageSource::Registry));
}

/// The recipes `web`, which drains through `proxy`, and `proxy` with what it requires.
fn web_behind_proxy(requires: &str) -> TestProject {
    TestProject::new(&[
        (
            "inventory/test.toml",
            "recipes = [\"web\", \"proxy\"]\n[hosts]\na = { address = \"192.0.2.1\" }\n",
        ),
        (
            "recipes/web.toml",
            "hosts = \"all\"\ncontainer = { image = \"w\", publish_all = true }\ndrain.balancers = [\"proxy\"]\n",
        ),
        (
            "recipes/proxy.toml",
            &format!(
                "hosts = \"all\"\n{requires}container.image = \"p\"\nbalancer.upstreams = \"true\"\n"
            ),
        ),
    ])
}

#[test]
fn balancers_come_before_what_drains_through_them() {
    let environment = web_behind_proxy("")
        .load("test")
        .unwrap_or_else(|problems| panic!("{problems}"))
        .environment;
    let recipes = environment.recipes.iter();
    let names: Vec<_> = recipes.map(|recipe| &*recipe.name).collect();
    assert_eq!(names, ["proxy", "web"]);
}

#[test]
fn a_balancer_cannot_require_what_drains_through_it() {
    let shown = web_behind_proxy("requires = [\"web\"]\n").shown();
    assert_snapshot!("a_balancer_requires_its_app", shown);
}

#[test]
fn a_balancer_whose_backends_are_written_is_checked() {
    let app = |name: &str, more: &str| {
        (
            format!("recipes/{name}.toml"),
            format!("hosts = \"all\"\n[container]\nimage = \"a\"\n{more}"),
        )
    };
    let lb = |name: &str, more: &str| {
        (
            format!("recipes/{name}.toml"),
            format!("hosts = \"all\"\n[balancer]\n{more}"),
        )
    };
    let names = "recipes = [\"l1\", \"l2\", \"l3\", \"l4\", \"web\", \"api\", \"fixed\", \"none\"]\n[hosts]\na = { address = \"192.0.2.1\" }\n";
    let drain = "[drain]\nbalancers = [\"l1\", \"l2\", \"l3\", \"l4\"]\n";
    let files: Vec<(String, String)> = vec![
        (
            "inventory/test.toml".into(),
            format!("{names}[ports]\nrange = \"30000-20000\"\n"),
        ),
        (
            "list".into(),
            "{{#each backends.wbe}}{{endpoint}}{{/each}}".into(),
        ),
        ("empty".into(), "upstream web {\n}\n".into()),
        lb(
            "l1",
            "upstreams = \"true\"\nbackends = { template = \"list\", to = \"list\", reload = \"true\" }\n",
        ),
        lb(
            "l2",
            "upstreams = \"true\"\nbackends = { template = \"missing\", check = \"true\" }\n",
        ),
        lb(
            "l3",
            "upstreams = \"true\"\nbackends = { template = \"missing\", to = \"/list\", reload = \"true\" }\n",
        ),
        lb(
            "l4",
            "backends = { template = \"empty\", to = \"/list\", reload = \"true\" }\n",
        ),
        app("web", &format!("publish = [\"auto:80\"]\n{drain}")),
        app(
            "api",
            &format!("publish_all = true\n{drain}wait = \"5s\"\n"),
        ),
        app(
            "fixed",
            &format!("publish = [\"80\", \"auto:auto\"]\n{drain}wait = \"5s\"\n"),
        ),
        app("none", "[drain]\nbalancers = [\"l4\"]\nwait = \"5s\"\n"),
    ];
    let files: Vec<_> = files
        .iter()
        .map(|(path, text)| (&**path, &**text))
        .collect();
    assert_snapshot!(TestProject::new(&files).shown());
}

#[test]
fn a_balancer_that_is_told_by_commands_is_checked() {
    let lb = |more: &str| format!("hosts = \"all\"\n[balancer]\nupstreams = \"true\"\n{more}");
    let app = |drain: &str| {
        format!(
            "hosts = \"all\"\n[container]\nimage = \"a\"\npublish = [\"auto:80\"]\n[drain]\n{drain}"
        )
    };
    let (l1, l2, l3) = (
        lb("add = \"add {{backend.nmae}}\"\nremove = \"remove {{backends.web}}\"\n"),
        lb("drain = \"drain\"\n"),
        lb(
            "add = \"add\"\nbackends = { template = \"list\", to = \"/list\", reload = \"true\" }\n",
        ),
    );
    let web = app("balancers = [\"l1\", \"l2\", \"l3\"]\nundo = \"stay\"\n");
    let api = app("run = \"leave\"\n");
    let project = TestProject::new(&[
        (
            "inventory/test.toml",
            "recipes = [\"l1\", \"l2\", \"l3\", \"web\", \"api\"]\n[hosts]\na = { address = \"192.0.2.1\" }\n",
        ),
        ("list", "{{#each backends.web}}{{endpoint}}{{/each}}"),
        ("recipes/l1.toml", &l1),
        ("recipes/l2.toml", &l2),
        ("recipes/l3.toml", &l3),
        ("recipes/web.toml", &web),
        ("recipes/api.toml", &api),
    ]);
    assert_snapshot!(project.shown());
}

#[test]
fn without_consul_nothing_speaks_of_it() {
    let project = TestProject::new(&[
        (
            "inventory/test.toml",
            "recipes = [\"lb\", \"web\"]\n[hosts]\na = { address = \"192.0.2.1\" }\n",
        ),
        (
            "list",
            "{{#each backends.web}}server {{address}}:{{port}};{{/each}}",
        ),
        (
            "recipes/lb.toml",
            "hosts = \"all\"\n[balancer]\nupstreams = \"true\"\nbackends = { template = \"list\", to = \"/list\", reload = \"true\" }\n",
        ),
        (
            "recipes/web.toml",
            "hosts = \"all\"\n[container]\nimage = \"w\"\npublish = [\"auto:80\"]\n[drain]\nbalancers = [\"lb\"]\n",
        ),
    ]);
    assert_eq!(project.shown(), "no mistakes\n");
    let environment = project
        .load("test")
        .unwrap_or_else(|problems| panic!("{problems}"))
        .environment;
    assert!(
        !environment
            .recipes
            .iter()
            .any(shipit::model::Recipe::is_registered)
    );
    assert_eq!(environment.ports, 20000..=29999);
}

#[test]
fn what_docker_would_refuse_is_found_before_anything_stops() {
    let project = TestProject::of_recipe(
        r#"
hosts = "web"

[container]
image = "https://registry.example/app:1"
publish = [
    "localhost:8080:80", "10.0.0.300:8081:80", "::1:8082:80", "[::1]:8083:80", "8084:70000", "8085:80/icmp",
    "8090-8092:80-82", "8091:81", "8100-8110:80",
]
volumes = ["./data:/data", "data:/data", "/srv:/data:ro", "cache", "name:/x:wr"]
workdir = "app"
options = ["--init", "sleep", "--memory", "512m", "-it", "1", "--pids-limit", "-1", "--memry", "1g", "--", "--cpus"]
"#,
    );
    assert_snapshot!(project.shown());
}

#[test]
fn an_image_is_what_docker_takes_for_one() {
    for (image, is_image) in [
        ("docker.io/library/nginx:1.27", true),
        ("localhost:5000/team/app", true),
        ("Registry.example/app", true),
        ("app:", false),
        ("app:{{tag}}", false),
        ("team/App", false),
        ("app@sha256:12", false),
    ] {
        let shown = TestProject::of_recipe(&format!(
            "hosts = \"web\"\nvars = {{ tag = \"\" }}\n[container]\nimage = \"{image}\"\n"
        ))
        .shown();
        assert_eq!(shown == "no mistakes\n", is_image, "{image}: {shown}");
    }
}

#[test]
fn a_sealed_secret_is_named_like_a_file() {
    let recipe = |secret: &str| {
        TestProject::of_recipe(&format!(
            "hosts = \"web\"\ncontainer.image = \"web:1\"\n[container.secrets]\nTOKEN = {secret}\n"
        ))
    };
    let loaded = recipe("{ sealed = \"{{environment}}-token.2\" }").load("test");
    let loaded = loaded.unwrap_or_else(|problems| panic!("{problems}"));
    let on = &loaded.environment.recipes[0].by_host["web-1"];
    let expected = "test-token.2".parse().expect("a name");
    assert_eq!(on.secrets["TOKEN"], SecretSource::Sealed(expected));
    for name in ["", ".hidden", "../token", "a b"] {
        let shown = recipe(&format!("{{ sealed = \"{name}\" }}")).shown();
        assert!(
            shown.contains(&format!("error: `{name}` is not a name")),
            "{shown}"
        );
        assert!(shown.contains("the name of `secrets/NAME.age`"), "{shown}");
    }
    let shown = recipe("{ sealed = \"{{nothing}}\" }").shown();
    assert!(!shown.contains("is not a name"), "{shown}");
    let shown = recipe("{ sealed = \"a\", env = \"A\" }").shown();
    assert!(
        shown.contains("one of `env`, `file`, `command` and `sealed`"),
        "{shown}"
    );
}

#[test]
fn what_shipit_registers_in_consul_is_checked() {
    let app = |name: &str, container: &str, more: &str| {
        (
            format!("recipes/{name}.toml"),
            format!(
                "hosts = \"all\"\n[container]\nimage = \"a\"\n{container}\n[register.consul]\n{more}"
            ),
        )
    };
    let files: Vec<(String, String)> = vec![
        (
            "inventory/test.toml".into(),
            "recipes = [\"good\", \"nameless\", \"closed\", \"moves\", \"waits\", \"task\"]\n[hosts]\na = { address = \"192.0.2.1\" }\n\
             [consul]\naddress = \"127.0.0.1:8500\"\n"
                .into(),
        ),
        app(
            "good",
            "publish = [\"auto:80\"]",
            "name = \"good-{{environment}}\"\ntags = [\"{{host.name}}\"]\ncheck = \"/health\"\n",
        ),
        app("nameless", "publish = [\"auto:80\"]", "interval = \"0s\"\n"),
        app("closed", "", "name = \"closed\"\n"),
        app("moves", "publish_all = true", "name = \"moves\"\n"),
        app(
            "waits",
            "publish = [\"81:80\"]",
            "name = \"waits\"\n[ready]\nconsul = \"waits\"\n",
        ),
        (
            "recipes/task.toml".into(),
            "hosts = \"all\"\n[[commands]]\nrun = \"true\"\n[register.consul]\nname = \"task\"\n".into(),
        ),
    ];
    let files: Vec<_> = files
        .iter()
        .map(|(path, text)| (&**path, &**text))
        .collect();
    insta::assert_snapshot!(TestProject::new(&files).shown());
}

#[test]
fn a_check_of_a_port_that_is_not_published_is_found_with_the_files() {
    let shown = |container: &str, ready: &str| {
        TestProject::of_recipe(&format!(
            "hosts = \"web\"\n[container]\nimage = \"web\"\n{container}\n[ready]\n{ready}\n"
        ))
        .shown()
    };
    let one = "publish = [\"8080:80\"]";
    for ready in [
        "tcp = 81",
        "grpc = 81",
        "http = { path = \"/\", port = 81 }",
    ] {
        let shown = shown(one, ready);
        assert!(
            shown.contains("of port 81, which is not published"),
            "{shown}"
        );
        assert!(shown.contains("the container publishes `80`"), "{shown}");
    }
    let several = "publish = [\"8080:80\", \"8081:81\", \"53:53/udp\"]";
    assert!(
        shown(several, "http = \"/\"").contains("say which `port`: it publishes `80` and `81`")
    );
    assert!(shown("", "tcp = 80").contains("a TCP check of a container that publishes no port"));
    for (container, ready) in [
        (one, "http = \"/\""),
        (one, "tcp = 80"),
        (several, "http = { path = \"/\", port = 81 }"),
        ("publish_all = true", "tcp = 81"),
        ("network = \"host\"", "tcp = 81"),
    ] {
        assert_eq!(
            shown(container, ready),
            "no mistakes\n",
            "{container} {ready}"
        );
    }
}

#[test]
fn a_request_that_cannot_be_sent_or_answered_is_found_with_the_files() {
    let shown = |table: &str| {
        TestProject::of_recipe(&format!(
            "hosts = \"web\"\ncontainer.image = \"web\"\ncontainer.publish = [\"8080:80\"]\n{table}\n"
        ))
        .shown()
    };
    for (table, fact) in [
        (
            "ready.http = { path = \"/\", method = \"HEAD\", body = \"x\" }",
            "an answer to `HEAD` has no body",
        ),
        ("ready.http = \"/a b\"", "`/a b` is not a path"),
        (
            "ready.http = { path = \"/\", host = \"a:99999\" }",
            "`a:99999` is not a host",
        ),
        ("probe.url = \"http://lb:99999/\"", "it has no valid port"),
        (
            "probe.url = \"http://a b/\"",
            "is not an `http://` or `https://` URL",
        ),
        (
            "probe.url = \"http://[::1/\"",
            "is not an `http://` or `https://` URL",
        ),
        (
            "probe.url = \"http:///x\"",
            "is not an `http://` or `https://` URL",
        ),
        (
            "probe = { url = \"http://lb/\", method = \"HEAD\", body = \"x\" }",
            "an answer to `HEAD` has no body",
        ),
    ] {
        let shown = shown(table);
        assert!(shown.contains(fact), "{table}: {shown}");
    }
    for table in [
        "ready.http = { path = \"/a?b=c\", host = \"fd00::1\" }",
        "ready.http = { path = \"/\", host = \"[fd00::1]:80\" }",
        "probe.url = \"https://lb:8443/health?x=1\"",
    ] {
        assert_eq!(shown(table), "no mistakes\n", "{table}");
    }
}

#[test]
fn what_docker_would_refuse_to_run_is_found_with_the_files() {
    let shown = |line: &str| {
        TestProject::of_recipe(&format!(
            "hosts = \"web\"\n[container]\nimage = \"web\"\n{line}\n"
        ))
        .shown()
    };
    for (line, fact) in [
        (
            "volumes = [\"ab:/d:ro,rw\"]",
            "`ro` and `rw` exclude each other",
        ),
        (
            "volumes = [\"/a:/b:nocopy\"]",
            "`nocopy` is for volumes of docker",
        ),
        (
            "volumes = [\"ab:/c:rshared\"]",
            "`rshared` is for paths of the host",
        ),
        ("options = [\"--attach\", \"stdout\"]", "with nobody"),
        ("options = [\"-a\", \"stdout\"]", "with nobody"),
        ("options = [\"--help\"]", "start nothing"),
        (
            "options = [\"--init=maybe\"]",
            "`maybe` is not true or false",
        ),
        ("options = [\"--=x\"]", "is no option of docker"),
        (
            "options = [\"---memory\", \"1g\"]",
            "is no option of docker",
        ),
        (
            "options = [\"--stop-timeout\", \"5\"]",
            "write `stop_timeout = \"30s\"`",
        ),
        (
            "options = [\"--no-healthcheck\", \"--health-cmd\", \"x\"]",
            "docker refuses both together",
        ),
        (
            "network = \"container:x\"\npublish = [\"80:80\"]",
            "in another container's network",
        ),
        (
            "network = \"container:x\"\nhostname = \"y\"",
            "in another container's network",
        ),
        (
            "publish = [\"80:80\", \"127.0.0.1:80:81\"]",
            "want the same port of the host",
        ),
        (
            "publish = [\"8000-8010:8000-8010\", \"8005:1\"]",
            "want the same port of the host",
        ),
    ] {
        let shown = shown(line);
        assert!(shown.contains(fact), "{line}: {shown}");
    }
    for line in [
        "volumes = [\"ab:/d:ro,nocopy\", \"/a:/b:ro,rslave,z\"]",
        "options = [\"--init=true\", \"--no-healthcheck\"]",
        "network = \"container:x\"",
        "publish = [\"80:80\", \"80:80/udp\"]",
        "publish = [\"127.0.0.1:80:80\", \"127.0.0.2:80:80\", \"[::1]:80:80\"]",
        "publish = [\"auto:80\", \"81\"]",
    ] {
        assert_eq!(shown(line), "no mistakes\n", "{line}");
    }
}
