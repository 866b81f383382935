//! What users write: the files of a project, and what is said of mistakes in them.

use std::{fs, path::Path, sync::OnceLock};

use tempfile::TempDir;

use super::input::{parts, shows_only};
use crate::{
    diagnostic::{Problem, Problems, SourceFile, Style},
    model::{
        Environment, HostRecipe, LateValues, Loaded, Overrides, Project, TaskAction,
        check_the_rest, load,
    },
};

/// A project of these files.
struct Written {
    project: Project,
    /// Removed in the end.
    _folder: TempDir,
}

/// Writes a project; in memory where there is such a place.
fn write(files: &[(&str, &str)]) -> Written {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    let folder = folder.expect("a folder");
    for name in ["inventory", "recipes"] {
        fs::create_dir(folder.path().join(name)).expect("a folder");
    }
    for (path, text) in files {
        fs::write(folder.path().join(path), text).expect("written");
    }
    let project = Project {
        root: folder.path().to_owned(),
    };
    Written {
        project,
        _folder: folder,
    }
}

/// Three hosts and one recipe.
pub(super) fn environment() -> &'static Environment {
    static ENVIRONMENT: OnceLock<Environment> = OnceLock::new();
    ENVIRONMENT.get_or_init(|| {
        let hosts = (1..=3).map(|at| format!("host-{at} = {{ address = \"192.0.2.{at}\" }}\n"));
        let hosts: String = hosts.collect();
        let inventory = format!("recipes = [\"web\"]\n[hosts]\n{hosts}");
        let recipe = "hosts = \"all\"\ncontainer.image = \"web\"\n";
        let written = write(&[
            ("inventory/staging.toml", &inventory),
            ("recipes/web.toml", recipe),
        ]);
        let loaded = load(&written.project, "staging", &Overrides::default());
        loaded.unwrap_or_else(|it| panic!("{it}")).environment
    })
}

/// The inventories `staging` and `base`, the recipes `web` and `lb`. What loads can be rendered for a deploy; what
/// does not has errors, each at a place that there is, in a text of a bearable length.
pub fn project(input: &[u8]) {
    let [staging, web, lb, base] = parts(input);
    let written = write(&[
        ("inventory/staging.toml", &staging),
        ("inventory/base.toml", &base),
        ("recipes/web.toml", &web),
        ("recipes/lb.toml", &lb),
    ]);
    let project = &written.project;
    let look = || load(project, "staging", &Overrides::default());
    let problems = match (look(), look()) {
        (Ok(loaded), Ok(again)) => {
            let [one, other] = [&loaded, &again].map(|it| format!("{:?}", it.environment));
            assert!(one == other, "another look: {one}\n{other}");
            rendered(&loaded);
            loaded.warnings
        }
        (Err(problems), Err(again)) => {
            assert!(problems.has_errors());
            assert!(shown(&problems) == shown(&again), "another look");
            problems
        }
        _ => panic!("another look"),
    };
    for problems in [&problems, &check_the_rest(project)] {
        let places = problems.iter().filter_map(Problem::place);
        for place in places {
            assert!(
                place.file.text().get(place.span.clone()).is_some(),
                "{place:?}"
            );
        }
        let length = shown(problems).len();
        assert!(length <= 1 << 20, "{length} bytes");
    }
}

fn shown(problems: &Problems) -> String {
    problems.render(Style::Plain, 100)
}

/// Every template of an environment has a text.
fn rendered(loaded: &Loaded) {
    let Environment { hosts, recipes, .. } = &loaded.environment;
    assert!(!hosts.is_empty());
    let late = LateValues {
        release: "r12345".to_owned(),
        container: "web-r12345-2".to_owned(),
        image: "web@sha256:aa".to_owned(),
    };
    for HostRecipe {
        before,
        after,
        commands,
        balancer,
        ..
    } in recipes.iter().flat_map(|it| it.by_host.values())
    {
        for task in before.iter().chain(after).chain(commands) {
            let texts = match &task.action {
                TaskAction::Run(script) => std::slice::from_ref(script),
                TaskAction::RunInNew(words) => words,
                TaskAction::Upload { .. } => &[],
            };
            for text in texts {
                text.render(&late).expect("it was tried");
            }
            if let Some(script) = &task.unless {
                script.render(&late).expect("it was tried");
            }
        }
        if let Some(view) = balancer
            && let Some(upstreams) = &view.upstreams
        {
            upstreams.render(&late).expect("it was tried");
        }
    }
}

/// Two places and a width as numbers, then a text: mistakes there, in every style. What is shown has the fact, is of
/// a bearable length, and has no control characters but those of the text.
pub fn diagnostics(input: &[u8]) {
    let [numbers, text] = parts(input);
    let mut numbers = numbers
        .split_whitespace()
        .map(|word| word.parse().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0_usize);
    let (one, another, width) = (next()..next(), next()..next(), next() % 300);
    let file = SourceFile::new("inventory/staging.toml", text.clone());
    let elsewhere = SourceFile::new("recipes/web.toml", text.clone());
    let problem = Problem::error("a fact")
        .at(&file.place(one.clone()), "here")
        .at(&file.place(another.clone()), "and there")
        .at(&elsewhere.place(another), "elsewhere")
        .hint("some advice");
    let mut problems = Problems::from(problem);
    problems.push(Problem::warning("a warning").at(&file.place(one), ""));
    for style in [Style::Plain, Style::Boxes, Style::Colours] {
        let shown = problems.render(style, width);
        assert!(shown.len() <= 200_000, "{} bytes", shown.len());
        if style != Style::Colours {
            assert!(shows_only(&shown, &format!("\n{text}")), "{shown:?}");
        }
        if width >= 20 {
            assert!(shown.contains("a fact"), "{shown}");
        }
    }
}
