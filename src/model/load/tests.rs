use super::*;
use crate::model::{ConsulReady, ImageSource, LateValues, TaskAction, testing::TestProject};

fn repository() -> Project {
    Project {
        root: env!("CARGO_MANIFEST_DIR").into(),
    }
}

#[test]
fn the_shipped_environment_loads() {
    let loaded = load(&repository(), "staging", &Overrides::default())
        .unwrap_or_else(|problems| panic!("{problems}"));
    assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
    let environment = loaded.environment;

    let names: Vec<_> = environment
        .recipes
        .iter()
        .map(|recipe| &*recipe.name)
        .collect();
    assert_eq!(
        names,
        ["consul", "registrator", "dr-con", "flask-nanoservice"]
    );

    let consul = environment.recipe("consul").expect("consul is there");
    assert_eq!(consul.hosts.len(), 3);
    let on = &consul.by_host["host-2"];
    let container = on.container.as_ref().expect("consul has a container");
    assert_eq!(container.image, "shipit-lab/consul:1.8.7");
    assert_eq!(container.source, ImageSource::Local);
    assert_eq!(
        container.command[5..],
        ["-bind=192.168.50.102", "-bootstrap-expect=3"]
    );
    assert_eq!(on.ready.consul, Some(ConsulReady::Leader));
    let TaskAction::Run(join) = &on.after[0].action else {
        panic!("the task is a command");
    };
    let late = LateValues {
        release: "r7".to_owned(),
        container: "consul-r7".to_owned(),
        image: "consul@sha256:aa".to_owned(),
    };
    assert_eq!(
        join.render(&late).as_deref(),
        Ok("docker exec consul-r7 consul join 192.168.50.101 192.168.50.102 192.168.50.103")
    );

    let app = environment
        .recipe("flask-nanoservice")
        .expect("the app is there");
    let probe = app.probe.as_ref().expect("the app has a probe");
    assert_eq!(probe.url, "http://192.168.50.103/");
    assert_eq!(app.hosts.len(), 2);
}

#[test]
fn a_var_in_a_command_that_tells_a_balancer_is_a_warning_where_it_is_not_quoted() {
    let project = TestProject::new();
    let write = |path: &str, text: &str| project.write(path, text);
    write(
        "inventory/staging.toml",
        "recipes = [\"lb\", \"web\"]\n[hosts]\nhost-1 = { address = \"192.0.2.1\" }\n[vars]\npool = \"web\"\n",
    );
    write(
        "recipes/web.toml",
        "hosts = \"all\"\n[container]\nimage = \"web\"\npublish = [\"auto:80\"]\n[drain]\nbalancers = [\"lb\"]\n",
    );
    write(
        "recipes/lb.toml",
        "hosts = \"all\"\ncontainer.image = \"lb\"\n[balancer]\nupstreams = \"routes\"\nlocal = true\n\
         add = \"add {{pool}} {{backend.endpoint}}\"\ndrain = \"drain {{quote pool}} {{backend.name}}\"\n\
         remove = \"remove {{pool}} {{backend.name}}\"\n",
    );
    let told = project.load().warnings.to_string();
    assert_eq!(
        told.matches("the shell reads what it is set to").count(),
        2,
        "{told}"
    );
}
