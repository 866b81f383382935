//! The paths of a `use`.

use syn::{UseTree, ext::IdentExt};

use super::syntax::line;

/// One path of a `use`.
pub struct Import {
    pub path: Vec<String>,
    pub name: Imported,
    pub line: usize,
}

pub enum Imported {
    As(String),
    /// `as _`
    Unnamed,
    /// `*`
    All,
}

/// The paths of a `use`, its groups taken apart.
pub fn imports(tree: &UseTree, leading_colon: bool) -> Vec<Import> {
    fn walk(tree: &UseTree, before: &[String], found: &mut Vec<Import>) {
        let with = |name: &syn::Ident| {
            let mut path = before.to_vec();
            // `{self}` is the module before it.
            if name != "self" || path.is_empty() {
                path.push(name.unraw().to_string());
            }
            path
        };
        match tree {
            UseTree::Path(path) => walk(&path.tree, &with(&path.ident), found),
            UseTree::Group(group) => group
                .items
                .iter()
                .for_each(|item| walk(item, before, found)),
            UseTree::Glob(glob) => found.push(Import {
                path: before.to_vec(),
                name: Imported::All,
                line: line(glob.star_token.span),
            }),
            UseTree::Name(name) => {
                let path = with(&name.ident);
                let last = path.last().cloned().unwrap_or_default();
                found.push(Import {
                    path,
                    name: Imported::As(last),
                    line: line(name.ident.span()),
                });
            }
            UseTree::Rename(rename) => found.push(Import {
                path: with(&rename.ident),
                name: if rename.rename == "_" {
                    Imported::Unnamed
                } else {
                    Imported::As(rename.rename.unraw().to_string())
                },
                line: line(rename.ident.span()),
            }),
        }
    }
    let before = if leading_colon {
        vec![String::new()]
    } else {
        Vec::new()
    };
    let mut found = Vec::new();
    walk(tree, &before, &mut found);
    found
}
