//! Files that are written for a program: in its container, or on the host.

use super::docker::docker;
use crate::command::RemoteCommand;

/// Puts what comes by standard input in the place of a file (`$1`), runs `$2`, which must find it right, and `$3`, which
/// makes it take effect; both may be empty. `$4` is how many bytes come.
///
/// The new file lies beside the old one before it takes its place, so that nobody reads half of it; names that begin with
/// a dot are in no pattern such as `*.conf`. The old one is kept until both commands have succeeded, and comes back
/// otherwise: exit code 65 says that the first has failed, 66 the second, and the last line is how it exited. Where it is still there from a try that
/// ended in the middle, a file that is right already may never have taken effect.
///
/// Where another account may write to the folder, what lies beside the file may be a link of theirs: none is followed.
const WRITE: &str = r#"
folder=${1%/*} name=${1##*/}
new=$folder/.$name.shipit-new old=$folder/.$name.shipit-old
rm -f "$new" || exit
(set -C; : >"$new") || exit
[ ! -f "$1" ] || cp -p "$1" "$new" || exit
cat >"$new" || exit
[ ! -L "$old" ] || rm -f "$old" || exit
if [ "$(wc -c <"$new")" -ne "$4" ]; then rm -f "$new"; echo 'only a part of the file came' >&2; exit 64; fi
if [ -f "$1" ] && [ ! -f "$old" ] && [ "$(cat "$new"; echo .)" = "$(cat "$1"; echo .)" ]; then rm -f "$new"; exit 0; fi
[ ! -f "$1" ] || [ -f "$old" ] || cp -p "$1" "$old" || exit
mv -f "$new" "$1" || exit
back() { if [ -f "$old" ]; then mv -f "$old" "$1"; else rm -f "$1"; fi; }
if [ -n "$2" ]; then sh -c "$2" </dev/null; status=$?
  if [ $status -ne 0 ]; then back "$1"; printf '\n%s\n' $status; exit 65; fi
fi
if [ -n "$3" ]; then sh -c "$3" </dev/null; status=$?
  if [ $status -ne 0 ]; then
    back "$1"
    sh -c "$3" </dev/null >/dev/null 2>&1
    printf '\n%s\n' $status
    exit 66
  fi
fi
rm -f "$old"
"#;

/// How [`write_file`] exits when the new file was found wrong.
pub const WAS_REFUSED: u32 = 65;

/// How [`write_file`] exits when the new file did not take effect.
pub const HAD_NO_EFFECT: u32 = 66;

/// Prints a file of a running container, or of the host.
pub fn read_file(container: Option<&str>, path: &str) -> RemoteCommand {
    match container {
        Some(container) => docker(&["exec", container, "cat", path]),
        None => RemoteCommand::new("cat").arg(path),
    }
}

/// Writes a file in a running container, or on the host: checked by one script and made to take effect by another, or
/// put back. A file that is right already is left alone.
pub fn write_file(
    container: Option<&str>,
    path: &str,
    content: &str,
    (check, effect): (&str, &str),
) -> RemoteCommand {
    let command = match container {
        Some(container) => docker(&["exec", "--interactive", container, "sh"]),
        None => RemoteCommand::new("sh"),
    };
    let length = content.len().to_string();
    command
        .args(["-c", WRITE, "shipit", path, check, effect, &length])
        .with_stdin(content.to_owned())
}

/// Puts a file into a container that does not run.
pub fn place_file(container: &str, path: &str, content: &str) -> RemoteCommand {
    const PLACE: &str = r#"
file=$(mktemp) || exit
trap 'rm -f "$file"' EXIT
cat >"$file" && chmod 644 "$file" && docker cp "$file" "$1" >/dev/null"#;
    RemoteCommand::script(PLACE, [format!("{container}:{path}")]).with_stdin(content.to_owned())
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        io::Write as _,
        path::Path,
        process::{Command, Stdio},
    };

    use secrecy::ExposeSecret as _;

    use super::*;

    fn run(command: &RemoteCommand, input: &str) -> (Option<i32>, String) {
        let mut child = Command::new("sh")
            .args(["-c", &command.to_wire()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("sh");
        let stdin = child.stdin.as_mut().expect("its input");
        stdin.write_all(input.as_bytes()).expect("it reads");
        let output = child.wait_with_output().expect("its end");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.code(), said)
    }

    fn write(path: &Path, content: &str, check: &str, effect: &str) -> (Option<i32>, String) {
        let path = path.to_str().expect("UTF-8");
        let command = write_file(None, path, content, (check, effect));
        let input = command
            .stdin()
            .expect("the content")
            .expose_secret()
            .to_owned();
        run(&command, &input)
    }

    fn there(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder");
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        let mut names: Vec<_> = names.map(|it| it.to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_written_checked_and_takes_effect() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("list.conf");
        let effect = format!("echo loaded; cat '{}'", path.display());
        let (code, said) = write(&path, "one\n", "true", &effect);
        assert_eq!((code, &*said), (Some(0), "loaded\none\n"));
        // What is right already is left alone.
        assert_eq!(
            write(&path, "one\n", "true", &effect),
            (Some(0), String::new())
        );
        let (code, said) = write(&path, "two\n", "", &effect);
        assert_eq!((code, &*said), (Some(0), "loaded\ntwo\n"));
        assert_eq!(there(folder.path()), ["list.conf"]);
    }

    #[test]
    fn a_file_that_is_refused_or_has_no_effect_is_put_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("list.conf");
        let refused = write(&path, "bad\n", "echo no; exit 7", "true");
        assert_eq!(refused, (Some(65), "no\n\n7\n".to_owned()));
        assert_eq!(there(folder.path()), [""; 0], "there was none before");
        fs::write(&path, "good\n").expect("a file");
        let refuses_bad = format!("! grep bad '{}'", path.display());
        assert_eq!(write(&path, "bad\n", &refuses_bad, "true").0, Some(65));
        assert_eq!(write(&path, "other\n", &refuses_bad, "exit 3").0, Some(66));
        assert_eq!(fs::read_to_string(&path).expect("it"), "good\n");
        assert_eq!(there(folder.path()), ["list.conf"]);
    }

    #[test]
    fn a_try_that_ended_in_the_middle_is_done_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("list.conf");
        fs::write(&path, "new\n").expect("a file");
        fs::write(folder.path().join(".list.conf.shipit-old"), "old\n").expect("a file");
        // It was cut off before the new file took effect: that is not lost, and what was before comes back.
        assert_eq!(write(&path, "new\n", "", "exit 1").0, Some(66));
        assert_eq!(fs::read_to_string(&path).expect("it"), "old\n");
        let (code, said) = write(&path, "new\n", "", "echo loaded");
        assert_eq!((code, &*said), (Some(0), "loaded\n"));
        assert_eq!(there(folder.path()), ["list.conf"]);
    }

    #[test]
    fn a_link_that_another_account_has_made_beside_it_is_not_followed() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("list.conf");
        let victim = folder.path().join("victim");
        for has_file in [false, true] {
            fs::write(&victim, "its own\n").expect("a file");
            if has_file {
                fs::write(&path, "before\n").expect("a file");
            }
            symlink(&victim, folder.path().join(".list.conf.shipit-new")).expect("a link");
            symlink(&victim, folder.path().join(".list.conf.shipit-old")).expect("a link");
            // What comes back is what was there, and not what the link names.
            assert_eq!(write(&path, "bad\n", "exit 1", "").0, Some(65));
            let back = fs::read_to_string(&path).ok();
            assert_eq!(back.as_deref(), has_file.then_some("before\n"));
            assert_eq!(fs::read_to_string(&victim).expect("it"), "its own\n");
            assert_eq!(write(&path, "one\n", "", "").0, Some(0));
            assert_eq!(fs::read_to_string(&path).expect("it"), "one\n");
            assert_eq!(fs::read_to_string(&victim).expect("it"), "its own\n");
            fs::remove_file(&path).expect("removed");
        }
    }

    #[test]
    fn half_a_file_is_not_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("list.conf");
        let command = write_file(None, path.to_str().expect("UTF-8"), "one two\n", ("", ""));
        assert_eq!(run(&command, "one").0, Some(64));
        assert_eq!(there(folder.path()), [""; 0]);
    }

    #[test]
    fn a_file_in_a_container_is_written_there() {
        let command = write_file(Some("lb"), "/list", "x", ("nginx -t", "nginx -s reload"));
        let words = command.words();
        assert_eq!(
            words[..6],
            ["docker", "exec", "--interactive", "lb", "sh", "-c"]
        );
        assert_eq!(
            words[7..],
            ["shipit", "/list", "nginx -t", "nginx -s reload", "1"]
        );
        let place = place_file("lb", "/list", "x");
        assert_eq!(place.words().last().map(|it| &**it), Some("lb:/list"));
        assert_eq!(
            read_file(Some("lb"), "/list").to_wire(),
            "docker exec lb cat /list"
        );
        assert_eq!(read_file(None, "/list").to_wire(), "cat /list");
    }
}
