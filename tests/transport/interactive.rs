//! Commands that are talked to: terminals, their sizes, and how they end.

use std::time::Duration;

use russh::Sig;
use shipit::{
    command::RemoteCommand,
    transport::{InteractiveEnd, PseudoTerminal, SessionError, Streams, WindowSize},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
    sync::mpsc,
};

use super::{
    home::Home,
    server::{Act, Behaviour, out},
};

const LONG: Duration = Duration::from_secs(20);

/// The ends that a person has.
struct Person {
    keyboard: DuplexStream,
    screen: DuplexStream,
    errors: DuplexStream,
    corner: mpsc::Sender<WindowSize>,
}

fn streams() -> (Person, Streams<'static>) {
    let (keyboard, input) = duplex(1024);
    let (screen, stdout) = duplex(1024);
    let (errors, stderr) = duplex(1024);
    let (corner, sizes) = mpsc::channel(1);
    let person = Person {
        keyboard,
        screen,
        errors,
        corner,
    };
    let streams = Streams {
        input: Box::new(input),
        stdout: Box::new(stdout),
        stderr: Box::new(stderr),
        sizes,
    };
    (person, streams)
}

fn terminal() -> PseudoTerminal {
    PseudoTerminal {
        term: "xterm".to_owned(),
        size: WindowSize {
            columns: 80,
            rows: 24,
        },
        modes: vec![(1, 3), (53, 1), (200, 9)],
    }
}

#[tokio::test]
async fn what_is_typed_goes_there_and_what_is_printed_comes_and_the_window_changes() {
    let home = Home::new();
    let behaviour = Behaviour::new(&home.key).script(|_| vec![Act::Echo, Act::Status(7)]);
    let (server, session) = home.session(behaviour).await;
    let (mut person, streams) = streams();
    let command = RemoteCommand::new("docker").args(["exec", "web", "sh"]);
    let terminal = terminal();

    let talking = session.interact(Some(&command), Some(&terminal), streams, LONG);
    let typing = async {
        let larger = WindowSize {
            columns: 120,
            rows: 40,
        };
        person.corner.send(larger).await.unwrap();
        // Ctrl-C is a byte like any other.
        person.keyboard.write_all(b"\x03").await.unwrap();
        let mut shown = [0];
        person.screen.read_exact(&mut shown).await.unwrap();
        assert_eq!(shown, [3]);
        while server.seen.terminals.lock().unwrap().len() < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        drop(person.keyboard);
    };
    let (ended, ()) = tokio::join!(talking, typing);

    assert_eq!(ended.unwrap(), InteractiveEnd::Status(7));
    assert_eq!(
        *server.seen.commands.lock().unwrap(),
        ["docker exec web sh"]
    );
    let terminals = server.seen.terminals.lock().unwrap();
    assert_eq!(*terminals, ["xterm 80x24 VINTR=3 ECHO=1", "120x40"]);
}

#[tokio::test]
async fn without_a_terminal_streams_stay_apart() {
    let home = Home::new();
    let behaviour = Behaviour::new(&home.key).script(|_| {
        let err = Act::Err(b"two\n".to_vec());
        vec![out("one\n"), err, Act::Echo, Act::Status(0)]
    });
    let (server, session) = home.session(behaviour).await;
    let (mut person, streams) = streams();

    let talking = session.interact(None, None, streams, LONG);
    let typing = async {
        person.keyboard.write_all(b"three\n").await.unwrap();
        drop(person.keyboard);
        let (mut stdout, mut stderr) = (String::new(), String::new());
        person.screen.read_to_string(&mut stdout).await.unwrap();
        person.errors.read_to_string(&mut stderr).await.unwrap();
        (stdout, stderr)
    };
    let (ended, (stdout, stderr)) = tokio::join!(talking, typing);

    assert_eq!(ended.unwrap(), InteractiveEnd::Status(0));
    assert_eq!((&*stdout, &*stderr), ("one\nthree\n", "two\n"));
    assert_eq!(*server.seen.commands.lock().unwrap(), ["(login shell)"]);
    assert!(server.seen.terminals.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_signal_a_refusal_and_a_lost_connection_are_told_apart() {
    let home = Home::new();
    let behaviour = Behaviour::new(&home.key).script(|command| match command {
        "killed" => vec![Act::Signal(Sig::TERM)],
        "refused" => vec![Act::Refuse],
        _ => vec![Act::Disconnect("power cut")],
    });
    let (_server, session) = home.session(behaviour).await;
    let talk = async |word: &str| {
        let (person, streams) = streams();
        let command = RemoteCommand::new(word);
        let ended = session
            .interact(Some(&command), Some(&terminal()), streams, LONG)
            .await;
        drop(person);
        ended
    };

    let killed = talk("killed").await.unwrap();
    assert_eq!(killed, InteractiveEnd::Signal("TERM".to_owned()));
    let refused = talk("refused").await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "`host-1` refused `refused`: this account may not run commands"
    );
    let lost = talk("lost").await.unwrap_err();
    assert!(matches!(lost, SessionError::Disconnected { .. }), "{lost}");
    assert!(
        lost.to_string().contains("lost the connection to `host-1`"),
        "{lost}"
    );
}
