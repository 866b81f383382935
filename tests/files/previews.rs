//! Previews: what one has of its own, what it shares, and what must differ from its base.

use insta::assert_snapshot;
use shipit::model::{Environment, Name};

use super::project::{TestProject, shown};

const INVENTORY: &str = r#"
recipes = ["lb", "web"]

[hosts]
a = { address = "192.0.2.1" }
b = { address = "192.0.2.2" }

[consul]
address = "127.0.0.1:8500"

[vars]
version = "1"

[previews]
recipes = ["web"]
"#;

const LB: &str = r#"
hosts = ["b"]
[container]
image = "lb"
publish = ["80:80"]
env = { SEEN = "{{environment}} {{preview}}" }
volumes = ["certificates:/certificates"]
[balancer]
upstreams = "docker exec {{container}} nginx -T"
"#;

const WEB: &str = r#"
hosts = ["a"]
[container]
image = "web:{{version}}"
publish_all = true
env = { SEEN = "{{environment}} {{preview}}", SERVICE_NAME = "web{{#if preview}}-{{preview}}{{/if}}", SERVICE_CHECK_HTTP = "/" }
volumes = ["data:/data", "/srv/shared:/shared", "/cache"]
[ready]
consul = "web{{#if preview}}-{{preview}}{{/if}}"
[drain]
balancers = ["lb"]
[probe]
url = "http://{{#if preview}}{{preview}}.{{/if}}{{environment}}.test/"
"#;

fn project(inventory: &str, web: &str) -> TestProject {
    TestProject::new(&[
        ("inventory/test.toml", inventory),
        ("recipes/lb.toml", LB),
        ("recipes/web.toml", web),
    ])
}

fn loaded(name: &str) -> Environment {
    let loaded = project(INVENTORY, WEB).load(name);
    let loaded = loaded.unwrap_or_else(|problems| panic!("{problems}"));
    loaded.environment
}

fn names<'a>(recipes: impl IntoIterator<Item = &'a shipit::model::Recipe>) -> Vec<&'a str> {
    recipes.into_iter().map(|recipe| &*recipe.name).collect()
}

#[test]
fn a_preview_has_its_own_recipes_and_shares_the_others() {
    let preview = loaded("test.pr-42");
    assert_eq!(&*preview.name, "test.pr-42");
    assert_eq!(names(&preview.recipes), ["web"]);
    assert_eq!(names(&preview.shared), ["lb"]);
    let of = |recipe: &str| preview.owner_of(recipe).to_string();
    assert_eq!((of("web"), of("lb")), ("test.pr-42".into(), "test".into()));

    let on = &preview.recipes[0].by_host["a"];
    let spec = on.container.as_ref().expect("a container");
    assert_eq!(spec.env["SEEN"], "test pr-42");
    assert_eq!(spec.env["SERVICE_NAME"], "web-pr-42");
    let volumes = ["test.pr-42.data:/data", "/srv/shared:/shared", "/cache"];
    assert_eq!(spec.volumes, volumes);
    let probe = preview.recipes[0].probe.as_ref().expect("a probe");
    assert_eq!(probe.url, "http://pr-42.test.test/");

    let lb = preview.shared[0].by_host["b"].container.as_ref();
    let lb = lb.expect("a container");
    assert_eq!(lb.env["SEEN"], "test ", "what it shares is the base's");
    assert_eq!(lb.volumes, ["certificates:/certificates"]);
}

#[test]
fn the_base_is_no_preview() {
    let base = loaded("test");
    assert_eq!(names(&base.recipes), ["lb", "web"]);
    assert_eq!(names(&base.shared), [] as [&str; 0]);
    let spec = base.recipes[1].by_host["a"].container.as_ref();
    let spec = spec.expect("a container");
    assert_eq!(spec.env["SEEN"], "test ");
    assert_eq!(spec.env["SERVICE_NAME"], "web");
    assert_eq!(spec.volumes[0], "data:/data");
    let settings = base.previews.as_ref().expect("previews");
    assert_eq!((settings.keep.as_secs(), settings.limit), (604_800, 20));
}

#[test]
fn what_is_only_removed_needs_no_template() {
    let preview = "pr-42".parse().expect("a name");
    let removed = loaded("test").preview_to_remove(&preview);
    let whole = loaded("test.pr-42");
    assert_eq!(removed.name, whole.name);
    assert_eq!(removed.preview, whole.preview);
    assert_eq!(names(&removed.recipes), names(&whole.recipes));
    assert_eq!(names(&removed.shared), names(&whole.shared));
}

#[test]
fn each_inventory_says_for_itself_whether_it_has_previews() {
    let project = project(INVENTORY, WEB);
    project.write("inventory/production.toml", "extends = \"test\"\n");
    let production = project.load("production");
    let production = production.unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(production.environment.previews, None);
    let known: Vec<Name> = shipit::model::environments_with_previews(&project.project());
    assert_eq!(
        known.iter().map(|name| &**name).collect::<Vec<_>>(),
        ["test"]
    );
    assert_snapshot!(shown(project.load("production.pr-42")));
}

#[test]
fn an_inventory_goes_before_a_preview() {
    let project = project(INVENTORY, WEB);
    project.write("inventory/test.eu.toml", "extends = \"test\"\n");
    let own = project.load("test.eu").map(|it| it.environment.preview);
    assert_eq!(own.unwrap_or_else(|problems| panic!("{problems}")), None);
}

#[test]
fn what_the_base_has_a_preview_must_not_have_as_well() {
    let shared = WEB
        .replace("-{{preview}}", "")
        .replace("{{#if preview}}{{/if}}", "");
    assert_snapshot!(shown(project(INVENTORY, &shared).load("test.pr-42")));
    let registered = shared.replace("[ready]\nconsul = \"web\"\n", "");
    assert_snapshot!(shown(project(INVENTORY, &registered).load("test.pr-42")));
    let port = WEB.replace("publish_all = true", "publish = [\"8080:80\"]");
    assert_snapshot!(shown(project(INVENTORY, &port).load("test.pr-42")));
}

#[test]
fn a_balancer_that_shipit_tells_of_its_backends_has_one_list() {
    let lb = LB.replace(
        "upstreams = \"docker exec {{container}} nginx -T\"",
        "backends = { template = \"files/list.conf\", to = \"/etc/list.conf\", reload = \"true\" }",
    );
    let project = TestProject::new(&[
        ("inventory/test.toml", INVENTORY),
        ("recipes/lb.toml", &lb),
        (
            "recipes/web.toml",
            &WEB.replace("publish_all = true", "publish = [\"auto:80\"]"),
        ),
        (
            "files/list.conf",
            "{{#each backends.web}}{{address}}:{{port}} {{/each}}",
        ),
    ]);
    assert_snapshot!(shown(project.load("test.pr-42")));
}

#[test]
fn mistakes_in_previews() {
    let none = INVENTORY.replace("recipes = [\"web\"]", "keep = \"0s\"\nlimit = 0");
    assert_snapshot!(shown(project(&none, WEB).load("test")));
    let unknown = INVENTORY.replace(
        "recipes = [\"web\"]",
        "recipes = [\"wbe\"]\nkeep = \"400d\"",
    );
    assert_snapshot!(shown(project(&unknown, WEB).load("test")));
}

#[test]
fn a_day_is_24_hours() {
    let days = INVENTORY.to_owned() + "keep = \"3d\"\n";
    let loaded = project(&days, WEB).load("test");
    let loaded = loaded.unwrap_or_else(|problems| panic!("{problems}"));
    let keep = loaded.environment.previews.map(|it| it.keep.as_secs());
    assert_eq!(keep, Some(3 * 86_400));
}
