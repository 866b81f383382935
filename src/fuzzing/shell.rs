//! Words, on their way through a shell.

use std::{
    io::Write as _,
    process::{Command, Stdio},
    sync::Arc,
};

use secrecy::SecretString;

use crate::{
    command::RemoteCommand,
    model::{LateValues, Template},
};

/// Linux takes no longer word.
const LONGEST: usize = 100_000;

/// Words with NUL between them: a real shell gets each as it is, as an argument, by `{{quote}}` of a template, and as
/// a secret's value.
pub fn quoting(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let words: Vec<&str> = text.split('\0').collect();
    if text.len() > LONGEST {
        return;
    }
    let expected = format!("{text}\0");
    let print = r#"printf '%s\0' "$@""#;
    let command = RemoteCommand::script(print, words.iter().copied());
    assert_eq!(printed(&command), expected, "as arguments");

    let holes: Vec<_> = (0..words.len())
        .map(|at| format!("{{{{quote w{at}}}}}"))
        .collect();
    let source = format!("printf '%s\\0' {}", holes.join(" "));
    let values = words.iter().enumerate();
    let values = values.map(|(at, word)| (format!("w{at}"), (*word).into()));
    let template = Template {
        source,
        context: Arc::new(serde_json::Value::Object(values.collect())),
    };
    // One with very many expressions is refused.
    if let Ok(script) = template.render(&LateValues::dummy()) {
        assert_eq!(
            printed(&RemoteCommand::shell(script)),
            expected,
            "by `quote`"
        );
    }

    let value = SecretString::from(words[0].to_owned());
    let command = RemoteCommand::shell(r#"printf '%s\0' "$VALUE""#);
    let command = command.with_secret_env([("VALUE", &value)]);
    assert_eq!(printed(&command), format!("{}\0", words[0]), "as a secret");
}

/// What a shell on this machine prints for a command.
fn printed(command: &RemoteCommand) -> String {
    use secrecy::ExposeSecret as _;

    let mut child = Command::new("sh")
        .args(["-c", &command.to_wire()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("sh runs");
    let given = command.stdin().map_or("", |text| text.expose_secret());
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(given.as_bytes()).expect("sh reads");
    drop(stdin);
    let output = child.wait_with_output().expect("sh ends");
    assert!(output.status.success(), "{command}");
    String::from_utf8(output.stdout).expect("text")
}
