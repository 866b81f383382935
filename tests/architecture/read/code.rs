//! The paths and the functions in items.

use std::collections::{BTreeMap, HashMap};

use syn::{Attribute, Item, Meta, Type, Visibility, ext::IdentExt, visit::Visit};

use super::{
    imports::{Imported, imports},
    syntax::{attributes, line, only_for_tests},
    tokens::{TokenPath, paths, quoted_paths},
};
use crate::tree::{FileId, Function, Mention, ModuleId, Tree};

/// Where the reading is.
pub struct Reader<'a> {
    pub texts: &'a BTreeMap<String, String>,
    pub tree: &'a mut Tree,
    pub file: FileId,
    pub module: ModuleId,
    /// Where the files of `mod name;` are, with a slash at its end, or empty.
    pub folder: String,
    pub test: bool,
    /// What the blocks around this place import, the innermost last.
    pub blocks: Vec<HashMap<String, Vec<String>>>,
    /// The type of the `impl` block or the trait around this place.
    pub owner: Option<String>,
}

impl Reader<'_> {
    pub fn mention(
        &mut self,
        mut path: Vec<String>,
        line: usize,
        reexport: bool,
        macro_call: bool,
    ) {
        let head = path[0].as_str();
        // `self` alone is a value; `Self` is a type that was named already.
        if head == "Self" || path == ["self"] {
            return;
        }
        let imported = self.blocks.iter().rev().find_map(|block| block.get(head));
        if let Some(imported) = imported {
            path.splice(..1, imported.iter().cloned());
        }
        let mention = Mention {
            path,
            line,
            test: self.test,
            reexport,
            macro_call,
        };
        self.tree.modules[self.module].mentions.push(mention);
    }

    fn path(&mut self, path: &syn::Path, macro_call: bool) {
        let leading = path.leading_colon.map(|_| String::new());
        let words = path
            .segments
            .iter()
            .map(|part| part.ident.unraw().to_string());
        let words = leading.into_iter().chain(words).collect();
        let Some(first) = path.segments.first() else {
            return;
        };
        self.mention(words, line(first.ident.span()), false, macro_call);
    }

    /// Paths among tokens.
    pub fn token_paths(&mut self, paths: Vec<TokenPath>) {
        for path in paths {
            self.mention(path.words, path.line, false, path.macro_call);
        }
    }

    fn function(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let name = signature.ident.to_string();
        let line = line(signature.fn_token.span);
        let function = Function {
            name: self
                .owner
                .as_ref()
                .map_or(name.clone(), |owner| format!("{owner}::{name}")),
            line,
            lines: block.brace_token.span.close().end().line + 1 - line,
            test: self.test,
        };
        self.tree.files[self.file].functions.push(function);
    }

    /// Goes on inside something that these attributes may leave to tests.
    fn within(&mut self, attributes: &[Attribute], go_on: impl FnOnce(&mut Self)) {
        let outer = self.test;
        self.test |= only_for_tests(attributes);
        go_on(self);
        self.test = outer;
    }

    fn owned_by(&mut self, owner: String, go_on: impl FnOnce(&mut Self)) {
        let outer = self.owner.replace(owner);
        go_on(self);
        self.owner = outer;
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        self.within(attributes(item), |reader| {
            syn::visit::visit_item(reader, item);
        });
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig, &item.block);
        syn::visit::visit_item_fn(self, item);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let owner = match &*item.self_ty {
            Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()),
            _ => None,
        };
        self.owned_by(owner.unwrap_or_else(|| "impl".to_owned()), |reader| {
            syn::visit::visit_item_impl(reader, item);
        });
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.owned_by(item.ident.to_string(), |reader| {
            syn::visit::visit_item_trait(reader, item);
        });
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.within(&item.attrs, |reader| {
            reader.function(&item.sig, &item.block);
            syn::visit::visit_impl_item_fn(reader, item);
        });
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.function(&item.sig, block);
        }
        syn::visit::visit_trait_item_fn(self, item);
    }

    fn visit_block(&mut self, block: &'ast syn::Block) {
        let mut scope = HashMap::new();
        for statement in &block.stmts {
            let syn::Stmt::Item(Item::Use(import)) = statement else {
                continue;
            };
            for import in imports(&import.tree, import.leading_colon.is_some()) {
                self.mention(import.path.clone(), import.line, false, false);
                if let Imported::As(name) = import.name {
                    scope.insert(name, import.path);
                }
            }
        }
        self.blocks.push(scope);
        syn::visit::visit_block(self, block);
        self.blocks.pop();
    }

    /// Read with the module or the block that it is in.
    fn visit_item_use(&mut self, _: &'ast syn::ItemUse) {}

    /// `pub(in some::path)` uses nothing of that path.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_local(&mut self, local: &'ast syn::Local) {
        self.within(&local.attrs, |reader| {
            syn::visit::visit_local(reader, local);
        });
    }

    fn visit_field(&mut self, field: &'ast syn::Field) {
        self.within(&field.attrs, |reader| {
            syn::visit::visit_field(reader, field);
        });
    }

    fn visit_field_value(&mut self, field: &'ast syn::FieldValue) {
        self.within(&field.attrs, |reader| {
            syn::visit::visit_field_value(reader, field);
        });
    }

    fn visit_variant(&mut self, variant: &'ast syn::Variant) {
        self.within(&variant.attrs, |reader| {
            syn::visit::visit_variant(reader, variant);
        });
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        self.within(&arm.attrs, |reader| syn::visit::visit_arm(reader, arm));
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.path(path, false);
        syn::visit::visit_path(self, path);
    }

    fn visit_expr_path(&mut self, path: &'ast syn::ExprPath) {
        match &path.qself {
            // In `<Type>::word` the word is the type's own.
            Some(qualified) if qualified.position == 0 => self.visit_type(&qualified.ty),
            _ => syn::visit::visit_expr_path(self, path),
        }
    }

    fn visit_type_path(&mut self, path: &'ast syn::TypePath) {
        match &path.qself {
            Some(qualified) if qualified.position == 0 => self.visit_type(&qualified.ty),
            _ => syn::visit::visit_type_path(self, path),
        }
    }

    /// A name in a pattern is a constant or a new variable; constants are in capitals.
    fn visit_pat_ident(&mut self, pattern: &'ast syn::PatIdent) {
        let name = pattern.ident.unraw().to_string();
        if name.starts_with(char::is_uppercase) {
            self.mention(vec![name], line(pattern.ident.span()), false, false);
        }
        syn::visit::visit_pat_ident(self, pattern);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.path(&call.path, true);
        self.token_paths(paths(call.tokens.clone(), true));
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if attribute.path().is_ident("doc") {
            return;
        }
        if attribute.path().segments.len() > 1 {
            self.path(attribute.path(), false);
        }
        if let Meta::List(list) = &attribute.meta {
            self.token_paths(paths(list.tokens.clone(), false));
            self.token_paths(quoted_paths(list.tokens.clone()));
        }
    }
}
