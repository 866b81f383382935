//! From the text of files to a [`Tree`].

mod code;
mod imports;
mod syntax;
mod tokens;

use std::collections::{BTreeMap, HashMap, HashSet};

use syn::{Item, Visibility, ext::IdentExt, visit::Visit};

use self::{
    code::Reader,
    imports::{Import, Imported, imports},
    syntax::{attributes, defined, line, only_for_tests, path_attribute},
};
use crate::tree::{FileId, Module, ModuleId, Named, Tree};

/// Adds the modules of `lib.rs` or `main.rs`.
///
/// # Panics
///
/// On a file that is not Rust, as the compiler would.
pub fn root(path: &str, texts: &BTreeMap<String, String>, tree: &mut Tree) {
    let file = tree.file(path).expect("the file of the root");
    let folder = String::new();
    let module = add_module(tree, None, file);
    let mut reader = Reader {
        texts,
        tree,
        file,
        module,
        folder,
        test: false,
        blocks: Vec::new(),
        owner: None,
    };
    reader.file();
}

fn add_module(tree: &mut Tree, parent: Option<ModuleId>, file: FileId) -> ModuleId {
    let id = tree.modules.len();
    tree.modules.push(Module {
        parent,
        root: parent.map_or(id, |parent| tree.modules[parent].root),
        file,
        names: HashMap::new(),
        globs: Vec::new(),
        generated: HashSet::new(),
        mentions: Vec::new(),
    });
    id
}

impl Reader<'_> {
    fn file(&mut self) {
        let path = &self.tree.files[self.file].path;
        let parsed = syn::parse_file(&self.texts[path])
            .unwrap_or_else(|error| panic!("{path}: {error}, at {:?}", error.span().start()));
        self.test |= only_for_tests(&parsed.attrs);
        let file = &mut self.tree.files[self.file];
        file.test = self.test;
        file.declared = true;
        self.items(&parsed.items);
    }

    fn items(&mut self, items: &[Item]) {
        for item in items {
            let outer = self.test;
            self.test |= only_for_tests(attributes(item));
            match item {
                Item::Mod(module) => self.module(module),
                Item::Use(import) => {
                    let reexport = !matches!(import.vis, Visibility::Inherited);
                    for import in imports(&import.tree, import.leading_colon.is_some()) {
                        self.import(&import, reexport);
                    }
                }
                Item::Macro(call) => self.item_macro(call),
                other => {
                    if let Some(name) = defined(other) {
                        self.define(&name, Named::Item);
                    }
                    self.visit_item(other);
                }
            }
            self.test = outer;
        }
    }

    fn define(&mut self, name: &str, named: Named) {
        let module = &mut self.tree.modules[self.module];
        let entry = module.names.entry(name.to_owned());
        entry.or_default().push(named);
    }

    fn import(&mut self, import: &Import, reexport: bool) {
        self.mention(import.path.clone(), import.line, reexport, false);
        let module = &mut self.tree.modules[self.module];
        match &import.name {
            Imported::All => module.globs.push(import.path.clone()),
            Imported::As(name) => self.define(name, Named::Import(import.path.clone())),
            Imported::Unnamed => {}
        }
    }

    fn item_macro(&mut self, item: &syn::ItemMacro) {
        if let Some(name) = &item.ident {
            let name = name.unraw().to_string();
            self.define(&name, Named::Item);
            self.tree.macros.insert(name, self.file);
            self.token_paths(tokens::paths(item.mac.tokens.clone(), false));
        } else {
            tokens::words(
                item.mac.tokens.clone(),
                &mut self.tree.modules[self.module].generated,
            );
            self.visit_item_macro(item);
        }
    }

    fn module(&mut self, item: &syn::ItemMod) {
        let name = item.ident.unraw().to_string();
        let path = item.attrs.iter().find_map(path_attribute);
        let (file, folder) = if item.content.is_some() {
            (self.file, format!("{}{name}/", self.folder))
        } else {
            match self.file_of(&name, path.as_deref()) {
                Some(found) => found,
                // A test may share a file with those in `tests/`, which is not below `src/`.
                None if self.test && path.is_some() => return,
                None => panic!(
                    "{}: no file of `mod {name};`",
                    self.tree.files[self.file].path
                ),
            }
        };
        if let (Some((braces, _)), true) = (&item.content, self.test) {
            let end = braces.span.close().end().line;
            let tests = end + 1 - line(item.mod_token.span);
            self.tree.files[file].test_lines += tests;
        }
        let module = add_module(self.tree, Some(self.module), file);
        self.define(&name, Named::Module(module));
        let mut reader = Reader {
            texts: self.texts,
            tree: self.tree,
            file,
            module,
            folder,
            test: self.test,
            blocks: Vec::new(),
            owner: None,
        };
        match &item.content {
            Some((_, items)) => reader.items(items),
            None => reader.file(),
        }
    }

    /// The file of `mod name;`, and the folder of that module's own files.
    fn file_of(&self, name: &str, path: Option<&str>) -> Option<(FileId, String)> {
        if let Some(path) = path {
            let here = &self.tree.files[self.file].path;
            let beside = here.rsplit_once('/').map_or("", |(folder, _)| folder);
            let file = normal(&format!("{beside}/{path}"))?;
            let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
            return Some((self.tree.file(&file)?, format!("{folder}/")));
        }
        let folder = format!("{}{name}/", self.folder);
        let candidates = [
            format!("{}{name}.rs", self.folder),
            format!("{folder}mod.rs"),
        ];
        let file = candidates.iter().find_map(|path| self.tree.file(path))?;
        Some((file, folder))
    }
}

/// A path without `.` and `..`; none if it leaves `src/`.
fn normal(path: &str) -> Option<String> {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}
