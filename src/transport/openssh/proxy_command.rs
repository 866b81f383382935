//! The `ProxyCommand` that is a `ProxyJump`.

use super::ssh_config::{ConfigProblem, Value};
use crate::model::JumpHost;

/// `ssh -W %h:%p HOST` is a jump in its older form, with its options in any order; what else a `ProxyCommand`
/// does, we cannot do.
pub(in crate::transport) fn jumps_of_command(
    value: &Value,
    expand: impl Fn(&str) -> Result<String, ConfigProblem>,
) -> Result<Vec<JumpHost>, ConfigProblem> {
    if value.is_none() {
        return Ok(Vec::new());
    }
    let unsupported = |what: &str| {
        value.problem(format!(
            "`ProxyCommand` is not supported{what}; `ProxyJump` is"
        ))
    };
    let words: Vec<_> = value.words.iter().map(String::as_str).collect();
    let words = words.strip_prefix(&["exec"]).unwrap_or(&words);
    let words = words.strip_suffix(&["2>/dev/null"]).unwrap_or(words);
    let Some((program, words)) = words.split_first() else {
        return Err(unsupported(""));
    };
    if *program != "ssh" && !program.ends_with("/ssh") {
        return Err(unsupported(""));
    }
    let command = SshCommand::parse(words)
        .map_err(|option| unsupported(&format!(" with `{option}` of `ssh`")))?;
    if !matches!(command.forward, Some("%h:%p" | "[%h]:%p")) {
        return Err(unsupported(" without `-W %h:%p`"));
    }
    let parse = |text: &str| JumpHost::parse_list(&expand(text)?).map_err(|it| value.problem(it));
    let mut hops = command.jumps.map_or_else(|| Ok(Vec::new()), parse)?;
    let mut last = parse(command.host.unwrap_or_default())?;
    let ([last_hop], Some(_)) = (&mut last[..], command.host) else {
        return Err(unsupported(" without a host"));
    };
    if let Some(user) = command.user {
        last_hop.user = Some(expand(user)?);
    }
    if let Some(port) = command.port {
        let port = port.parse().ok().filter(|port| *port != 0);
        last_hop.port = Some(port.ok_or_else(|| unsupported(" with this port"))?);
    }
    hops.append(&mut last);
    Ok(hops)
}

/// The words after `ssh`.
#[derive(Debug, Default)]
struct SshCommand<'a> {
    forward: Option<&'a str>,
    user: Option<&'a str>,
    port: Option<&'a str>,
    jumps: Option<&'a str>,
    host: Option<&'a str>,
}

impl<'a> SshCommand<'a> {
    /// Takes the options that do not change how the jump host is reached, or change only what we know as
    /// well. The error is the first other word.
    fn parse(words: &[&'a str]) -> Result<Self, &'a str> {
        let mut command = Self::default();
        let mut words = words.iter().copied();
        while let Some(word) = words.next() {
            let Some(mut options) = word.strip_prefix('-').filter(|rest| !rest.is_empty()) else {
                if command.host.replace(word).is_some() {
                    return Err(word);
                }
                continue;
            };
            while let Some(option) = options.chars().next() {
                options = &options[option.len_utf8()..];
                let place = match option {
                    '4' | '6' | 'A' | 'a' | 'C' | 'k' | 'n' | 'N' | 'q' | 'T' | 'v' | 'x' => {
                        continue;
                    }
                    'J' => &mut command.jumps,
                    'l' => &mut command.user,
                    'p' => &mut command.port,
                    'W' => &mut command.forward,
                    _ => return Err(word),
                };
                let argument = if options.is_empty() {
                    words.next().ok_or(word)?
                } else {
                    std::mem::take(&mut options)
                };
                // As in `ssh`, the first of each counts.
                place.get_or_insert(argument);
            }
        }
        Ok(command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_is_a_jump_is_one_and_every_other_is_refused() {
        let expand = |text: &str| Ok(text.replace("%r", "deploy"));
        let table = [
            "none",
            "ssh -W %h:%p bastion",
            "ssh -W [%h]:%p bastion",
            "exec ssh -W %h:%p bastion 2>/dev/null",
            "/usr/bin/ssh bastion -W%h:%p",
            "ssh -46AaCknNqTvxW %h:%p me@bastion:2222",
            "ssh -l other -p 2200 -W %h:%p me@bastion:2222",
            "ssh -l %r -W %h:%p bastion",
            "ssh -J first,second -W %h:%p bastion",
            "ssh -W %h:%p -W other:22 bastion",
            "ssh -W other:22 -W %h:%p bastion",
            "ssh bastion",
            "ssh -W %h:22 bastion",
            "ssh -W %h:%p",
            "ssh -W %h:%p bastion nc",
            "ssh -W %h:%p none",
            "ssh -W %h:%p a,b",
            "ssh -p 0 -W %h:%p bastion",
            "ssh -p x -W %h:%p bastion",
            "ssh -o X=y -W %h:%p bastion",
            "ssh -qo X=y -W %h:%p bastion",
            "ssh -W",
            "ssh - -W %h:%p",
            "ssh -W %h:%p -a- bastion",
            "exec",
            "nc %h %p",
            "notssh -W %h:%p bastion",
            "ssh/x -W %h:%p bastion",
        ];
        let shown = table.map(|text| {
            let value = Value::for_tests("proxycommand", text);
            match jumps_of_command(&value, expand) {
                Ok(hops) => {
                    let hops: Vec<_> = hops.iter().map(ToString::to_string).collect();
                    format!("{text}: [{}]", hops.join(", "))
                }
                Err(problem) => format!("{text}: {}", problem.reason),
            }
        });
        insta::assert_snapshot!(shown.join("\n"));
    }
}
