//! What is asked on a terminal.

use super::arguments;
use crate::{
    scaffold::{Host, Recipe},
    terminal::{self, Terminal},
};

/// The hosts; an empty answer ends them.
pub fn hosts(terminal: &Terminal) -> Vec<Host> {
    let mut hosts = Vec::<Host>::new();
    loop {
        let number = hosts.len() + 1;
        let end = if hosts.is_empty() { "" } else { ", or nothing" };
        let question = format!("Host {number} (ADDRESS or NAME=ADDRESS{end}): ");
        let Some(answer) = terminal.line(&question) else {
            return hosts;
        };
        if answer.is_empty() {
            if hosts.is_empty() {
                continue;
            }
            return hosts;
        }
        let named = if answer.contains('=') {
            answer
        } else {
            format!("host-{number}={answer}")
        };
        match arguments::pair(&named) {
            Ok((name, _)) if hosts.iter().any(|known| known.name == name) => {
                terminal::note(&format!("there is a host `{name}` already"));
            }
            Ok((name, address)) => hosts.push(Host {
                name,
                address,
                groups: Vec::new(),
            }),
            Err(why) => terminal::note(&why),
        }
    }
}

/// The account; `root` where nothing is answered.
pub fn user(terminal: &Terminal) -> Option<String> {
    let answer = terminal.line("Account to log in as [root]: ")?;
    Some(if answer.is_empty() {
        "root".to_owned()
    } else {
        answer
    })
}

/// The recipes, each with its port; an empty answer ends them.
pub fn recipes(terminal: &Terminal) -> Vec<Recipe> {
    let mut recipes = Vec::<Recipe>::new();
    loop {
        let number = recipes.len() + 1;
        let (example, end) = match number {
            1 => (", such as web=nginx:1.27", ""),
            _ => ("", ", or nothing"),
        };
        let question = format!("Recipe {number} (NAME=IMAGE{example}{end}): ");
        let Some(answer) = terminal.line(&question) else {
            return recipes;
        };
        if answer.is_empty() {
            if recipes.is_empty() {
                continue;
            }
            return recipes;
        }
        match arguments::recipe(&answer) {
            Ok((name, _)) if recipes.iter().any(|known| known.name == name) => {
                terminal::note(&format!("there is a recipe `{name}` already"));
            }
            Ok((name, image)) => {
                let publish = port(terminal, &name);
                recipes.push(Recipe {
                    name,
                    image,
                    publish,
                });
            }
            Err(why) => terminal::note(&why),
        }
    }
}

/// The port of a recipe, if it publishes one.
fn port(terminal: &Terminal, recipe: &str) -> Vec<String> {
    loop {
        let question = format!("Port of {recipe} (HOST:CONTAINER such as 8080:80, or nothing): ");
        match terminal.line(&question) {
            None => return Vec::new(),
            Some(answer) if answer.is_empty() => return Vec::new(),
            Some(answer) => match arguments::ports(&answer) {
                Ok(port) => return vec![port],
                Err(why) => terminal::note(&why),
            },
        }
    }
}
