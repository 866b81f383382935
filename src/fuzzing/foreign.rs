//! Other tools' files, which `shipit init --from` reads.

use std::path::Path;

use crate::{
    diagnostic::SourceFile,
    scaffold::{Beside, Foreign, Host, check},
};

/// A Compose file, or a configuration of Kamal's with that of a destination. Whatever becomes a project is one that loads.
pub fn foreign(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let mut parts = text.split("\n%%\n");
    let file = SourceFile::new("file.yml", parts.next().unwrap_or_default().to_owned());
    let destination = parts.next().map(|text| {
        let name = "staging".parse().expect("a name");
        (name, SourceFile::new("file.staging.yml", text.to_owned()))
    });
    let Ok(foreign) = Foreign::read(&file) else {
        return;
    };
    let host = Host {
        name: "web-1".to_owned(),
        address: "192.0.2.1".to_owned(),
        groups: Vec::new(),
    };
    let nowhere = Path::new("/nonexistent");
    let draft = foreign.draft(&Beside {
        environment: &"test".parse().expect("a name"),
        folder: "app",
        hosts: &[host],
        user: "deploy",
        destinations: destination.as_slice(),
        root: nowhere,
    });
    if let Ok(draft) = draft {
        check(&draft, nowhere).unwrap_or_else(|problems| panic!("{problems}"));
    }
}
