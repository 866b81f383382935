//! `[[before]]`, `[[after]]` and `[[commands]]`.

use super::super::{
    section::section,
    values::{DurationValue, Line, Script, TaskPlace, Word},
};
use crate::diagnostic::Located;

section! {
    /// A command or an upload: one of `run`, `command` and `upload`.
    "the command" TaskSection as "command", "commands" in spec_hash {
        /// A script for `sh -c`: the host's, or the container's with `in = "new"`.
        #[needed = "one of the three"]
        run: Script,
        /// With `in = "new"`: the program and its arguments, without a shell and without the image's entrypoint.
        #[needed = "one of the three"]
        command: Vec<Located<Word>>,
        /// A file to place on the host.
        #[needed = "one of the three"]
        upload: UploadSection,
        /// Where the command runs: on the host, or in a new container of the recipe's image, which is removed
        /// afterwards.
        #[default(TaskPlace::Host)]
        r#in: TaskPlace,
        /// What it is for, shown while it runs.
        #[default = "the command"]
        #[hash(no)]
        name: Line,
        /// Run it on the recipe's first host only, once in a deploy.
        #[default(false)]
        #[hash(no)]
        once: bool,
        /// Skip it when this command exits 0. It runs on the host.
        #[hash(no)]
        unless: Script,
        /// The longest that one try may take.
        #[default(DurationValue::seconds(300))]
        #[range(1.., "no time to run")]
        #[hash(no)]
        timeout: DurationValue,
        /// How many times to retry after a failure, one second apart.
        #[default(0)]
        #[hash(no)]
        retry: u32,
    }
}

section! {
    /// A file to place on the host.
    "`upload`" UploadSection in spec_hash {
        /// The file, from the project's root.
        #[needed = "needed"]
        from: Line,
        /// Its absolute path on the host.
        #[needed = "needed"]
        to: Line,
        /// Its permission bits in octal.
        #[default("0644".to_owned())]
        mode: String,
        /// Whether the file is a template itself.
        #[default(false)]
        template: bool,
    }
}
