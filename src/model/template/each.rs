//! `each` over what is no list. handlebars calls it a name that is not there, although it is.

use std::{mem, sync::LazyLock};

use handlebars::{
    Context, Handlebars, Helper, HelperResult, Output, RenderContext, RenderErrorReason,
    template::{HelperTemplate, Template, TemplateElement},
};

/// What is called before each `each`, with its arguments.
const LIST: &str = "shipit-list";

/// Adds what the elements of [`check_in`] call.
pub(super) fn register(handlebars: &mut Handlebars<'_>) {
    let check = |helper: &Helper<'_>,
                 _: &Handlebars<'_>,
                 _: &Context,
                 _: &mut RenderContext<'_, '_>,
                 _: &mut dyn Output|
     -> HelperResult {
        match helper.params().as_slice() {
            // Hosts have maps, too; a name that is not there is for `each` itself to tell.
            [one] if one.value().is_array() || one.value().is_object() => Ok(()),
            [one] if one.is_value_missing() => Ok(()),
            _ => {
                let fact = "`each` wants a list, such as `groups.web`".to_owned();
                Err(RenderErrorReason::Other(fact).into())
            }
        }
    };
    handlebars.register_helper(LIST, Box::new(check));
}

/// Has every `each` checked right before it.
pub(super) fn check_in(template: &mut Template) {
    let mappings = mem::take(&mut template.mapping);
    let elements = mem::take(&mut template.elements);
    for (mut element, at) in elements.into_iter().zip(mappings) {
        if let TemplateElement::HelperBlock(helper) = &mut element {
            let inside = [&mut helper.template, &mut helper.inverse];
            inside.into_iter().flatten().for_each(check_in);
            if helper.name.as_name() == Some("each")
                && let Some(check) = check_of(helper)
            {
                template.elements.push(check);
                template.mapping.push(at.clone());
            }
        }
        template.elements.push(element);
        template.mapping.push(at);
    }
}

fn check_of(each: &HelperTemplate) -> Option<TemplateElement> {
    static CHECK: LazyLock<Template> =
        LazyLock::new(|| Template::compile(&format!("{{{{{LIST} 0}}}}")).unwrap_or_default());

    let mut check = CHECK.elements.first()?.clone();
    if let TemplateElement::Expression(helper) = &mut check {
        helper.params.clone_from(&each.params);
    }
    Some(check)
}
