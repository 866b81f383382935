//! The helpers of templates: about lists, of hosts or of plain values, and about words for a shell.

use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, Output, RenderContext, RenderError,
    RenderErrorReason, ScopedJson,
};
use serde_json::Value;

use crate::command::quote;

/// Every word that a template calls a helper by, ours and handlebars' own: no var may have such a name.
pub const HELPERS: [&str; 23] = [
    "address",
    "addresses",
    "and",
    "count",
    "each",
    "eq",
    "gt",
    "gte",
    "if",
    "join",
    "len",
    "log",
    "lookup",
    "lt",
    "lte",
    "names",
    "ne",
    "not",
    "or",
    "quote",
    "raw",
    "unless",
    "with",
];

/// Adds our helpers.
pub(super) fn register(handlebars: &mut Handlebars<'_>) {
    for (name, compute) in [
        (
            "count",
            (|arguments| Ok(arguments.list.len().into())) as Compute,
        ),
        ("addresses", addresses),
        ("address", address),
        ("names", names),
        ("join", join),
    ] {
        handlebars.register_helper(name, Box::new(ListHelper { name, compute }));
    }
    handlebars.register_helper("quote", Box::new(Quote));
}

/// `{{quote version}}`: the value as one word for `sh`. Of a list, each of its items is a word.
struct Quote;

impl HelperDef for Quote {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let fail = |what: &str| -> RenderError {
            RenderErrorReason::Other(format!("`quote` wants {what}, such as `version`")).into()
        };
        let [value] = helper.params().as_slice() else {
            return Err(fail("one value"));
        };
        let words = match value.value() {
            Value::Object(_) => return Err(fail("a plain value or a list of them")),
            Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
                return Err(fail("a plain value or a list of them"));
            }
            Value::Array(items) => items.iter().map(|item| quote(&plain(item))).collect(),
            one => vec![quote(&plain(one))],
        };
        Ok(ScopedJson::Derived(words.join(" ").into()))
    }
}

type Compute = fn(&Arguments<'_>) -> Result<Value, String>;

/// A helper that makes a value of a list. Within another helper it gives the value itself
/// (`{{join (addresses groups.consul) ","}}`); on its own a list is written with spaces between.
struct ListHelper {
    name: &'static str,
    compute: Compute,
}

struct Arguments<'a> {
    list: &'a [Value],
    separator: Option<&'a str>,
}

impl ListHelper {
    fn value(&self, helper: &Helper<'_>) -> Result<Value, RenderError> {
        let fail = |why: String| -> RenderError {
            RenderErrorReason::Other(format!("`{}` {why}", self.name)).into()
        };
        let first = helper
            .param(0)
            .ok_or_else(|| fail("wants a list, such as `groups.web`".to_owned()))?;
        let Value::Array(list) = first.value() else {
            return Err(fail("wants a list, such as `groups.web`".to_owned()));
        };
        let wanted = if self.name == "join" { 2 } else { 1 };
        if helper.params().len() > wanted || !helper.hash().is_empty() {
            return Err(fail(format!("wants no more than {wanted} arguments")));
        }
        let separator = helper.param(1).and_then(|param| param.value().as_str());
        (self.compute)(&Arguments { list, separator }).map_err(fail)
    }
}

impl HelperDef for ListHelper {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        self.value(helper).map(ScopedJson::Derived)
    }

    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        context: &'rc Context,
        render_context: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        // handlebars takes a helper's name before a field's: `{{#each hosts}}{{address}}{{/each}}`.
        if helper.params().is_empty() {
            let field = render_context.evaluate(context, self.name)?;
            if !field.is_missing() {
                return Ok(out.write(&plain(field.as_json()))?);
            }
        }
        let text = match self.value(helper)? {
            Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(" "),
            other => plain(&other),
        };
        Ok(out.write(&text)?)
    }
}

fn addresses(arguments: &Arguments<'_>) -> Result<Value, String> {
    fields(arguments.list, "address").map(Value::Array)
}

fn names(arguments: &Arguments<'_>) -> Result<Value, String> {
    fields(arguments.list, "name").map(Value::Array)
}

fn address(arguments: &Arguments<'_>) -> Result<Value, String> {
    let first = arguments.list.get(..1).ok_or("got an empty list")?;
    Ok(fields(first, "address")?.swap_remove(0))
}

fn join(arguments: &Arguments<'_>) -> Result<Value, String> {
    let separator = arguments
        .separator
        .ok_or("wants a list and a separator: `join LIST \",\"`")?;
    if arguments.list.iter().any(Value::is_object) {
        return Err("wants a list of plain values, such as `(addresses groups.web)`".to_owned());
    }
    let items: Vec<_> = arguments.list.iter().map(plain).collect();
    Ok(items.join(separator).into())
}

fn fields(list: &[Value], field: &str) -> Result<Vec<Value>, String> {
    list.iter()
        .map(|item| item.get(field).cloned())
        .collect::<Option<_>>()
        .ok_or_else(|| "wants a list of hosts, such as `groups.web`".to_owned())
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
