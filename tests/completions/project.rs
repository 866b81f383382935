//! A project to complete in: two environments, one of them the default, with hosts that nobody answers for.

use std::{
    fs,
    path::{Path, PathBuf},
};

use assert_cmd::Command;
use tempfile::TempDir;

const FILES: &[(&str, &str)] = &[
    (
        "inventory/staging.toml",
        r#"default = true
recipes = ["web", "worker", "db", "migrate"]
[hosts]
"web-[1:2]" = { address = "192.0.2.[1:2]", groups = ["apps"] }
db-1 = { address = "192.0.2.9" }
[vars]
version = "1.2"
"#,
    ),
    (
        "inventory/production.toml",
        r#"recipes = ["web"]
[hosts]
live-1 = { address = "192.0.2.30", groups = ["front"] }
[vars]
version = "1.1"
"#,
    ),
    (
        "recipes/web.toml",
        r#"description = "the shop"
hosts = "all"
[vars]
version = "1"
[container]
image = "web:{{version}}"
env = { LEVEL = "{{log_level}}", HOST = "{{host.name}}" }
"#,
    ),
    (
        "recipes/worker.toml",
        "hosts = \"all\"\n[container]\nimage = \"worker:1\"\n",
    ),
    (
        "recipes/db.toml",
        "hosts = \"db-1\"\n[container]\nimage = \"db:1\"\naccessory = true\n",
    ),
    (
        "recipes/migrate.toml",
        "hosts = \"db-1\"\n[[commands]]\nrun = [\"migrate\"]\n",
    ),
    ("secrets/api-token.age", ""),
    (
        ".shipit/log/staging/r9.log",
        "2026-11-20T08:00:00.000Z  deploying\n",
    ),
    (
        ".shipit/log/staging/r10.log",
        "2026-11-21T09:30:00.000Z  deploying\n",
    ),
    (".shipit/log/staging/2026-11-22T10-00-00-deploy.log", ""),
    (
        ".shipit/log/production/r3.log",
        "2026-11-19T07:00:00.000Z  deploying\n",
    ),
];

/// The project's folder, and beside it a home.
pub struct Project {
    folder: TempDir,
}

impl Project {
    pub fn new() -> Self {
        let project = Self {
            folder: TempDir::new().expect("a temporary folder"),
        };
        for (path, text) in FILES {
            project.write(path, text);
        }
        project
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
        fs::write(path, text).expect("the file");
    }

    /// The folder that the user is in.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("shop")
    }

    /// The user's home, with the project in it.
    pub fn home(&self) -> &Path {
        self.folder.path()
    }

    /// What `shipit completions SHELL` prints, in a file.
    pub fn script(&self, shell: &str) -> PathBuf {
        let output = self.shipit(&self.path(), &["completions", shell]);
        let path = self.home().join(format!("completions.{shell}"));
        fs::write(&path, output).expect("the script");
        path
    }

    /// What `shipit WORDS` prints, which ends well and has nothing to complain about.
    pub fn shipit(&self, folder: &Path, words: &[&str]) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_shipit"))
            .env_clear()
            .env("HOME", self.home())
            .current_dir(folder)
            .args(words)
            .output()
            .expect("it runs");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        let (stdout, stderr) = (text(output.stdout), text(output.stderr));
        assert_eq!((output.status.code(), &*stderr), (Some(0), ""), "{words:?}");
        stdout
    }
}

/// The search path with the folder of this build's `shipit` first.
pub fn search_path() -> String {
    let shipit = Path::new(env!("CARGO_BIN_EXE_shipit"));
    let folder = shipit.parent().expect("a folder").display();
    format!("{folder}:{}", std::env::var("PATH").unwrap_or_default())
}

/// That a shell is there; without it the tests here fail and say what to do.
pub fn require(shell: &str) {
    let found = Command::new(shell).arg("--version").output();
    assert!(
        found.is_ok(),
        "`{shell}` is not there: lab/requirements installs it, or `apt-get install {shell}`"
    );
}
