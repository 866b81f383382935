//! Commands on a session: what they print, how they end, and what happens when nothing happens.

use std::{
    fs,
    future::ready,
    os::unix::fs::PermissionsExt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures::future::join_all;
use russh::Sig;
use shipit::{
    command::RemoteCommand,
    event::OutputStream,
    transport::{Deadline, HeldEnd, Refusal, SessionError},
};
use tokio::io::AsyncReadExt;

use super::{
    home::Home,
    server::{Act, Behaviour, out},
};

const LONG: Duration = Duration::from_secs(20);
/// Long enough for a server to begin, on the slowest machine.
const SHORT: Duration = Duration::from_secs(1);

fn command() -> RemoteCommand {
    RemoteCommand::new("docker").arg("ps")
}

#[tokio::test]
async fn a_command_leaves_its_status_and_both_streams() {
    let home = Home::new();
    let behaviour = Behaviour::new(&home.key).script(|_| {
        vec![
            out("some\n"),
            Act::Err(b"bad \xff\n".to_vec()),
            out("more"),
            Act::Status(3),
        ]
    });
    let (server, session) = home.session(behaviour).await;

    let output = session
        .run(&RemoteCommand::new("a").arg("b c"), LONG)
        .await
        .unwrap();

    assert_eq!((output.status, output.success()), (3, false));
    assert_eq!(output.stdout, "some\nmore");
    assert_eq!(output.stderr, "bad \u{fffd}\n");
    assert_eq!(*server.seen.commands.lock().unwrap(), ["a 'b c'"]);
    assert_eq!(session.host(), &"host-1".into());
}

#[tokio::test]
async fn a_command_that_prints_more_than_is_read_is_ended_and_named() {
    let home = Home::new();
    let behaviour = Behaviour::new(&home.key).script(|command| match command {
        "many" => vec![Act::Flood(vec![b'x'; 32_000], 1_000), Act::Status(0)],
        "errors" => vec![Act::FloodErr(vec![b'x'; 32_000], 1_000), Act::Status(1)],
        _ => vec![out("fine"), Act::Status(0)],
    });
    let (_server, session) = home.session(behaviour).await;

    let error = session
        .run(&RemoteCommand::new("many"), LONG)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "`many` on `host-1` printed more than 16 MiB, which is more than shipit reads"
    );
    let hint = "run it on `host-1` by hand to see what it prints";
    assert_eq!(error.hint().as_deref(), Some(hint));
    assert!(!error.is_unreachable());
    // Of what it complains the end is kept, and the session goes on.
    let output = session
        .run(&RemoteCommand::new("errors"), LONG)
        .await
        .unwrap();
    assert_eq!(
        (output.status, output.stderr.len()),
        (1, "…".len() + 64 * 1024)
    );
    let output = session
        .run(&RemoteCommand::new("fine"), LONG)
        .await
        .unwrap();
    assert_eq!(output.stdout, "fine");
}

#[tokio::test]
async fn a_signal_and_a_close_without_a_status_are_failures() {
    let home = Home::new();
    let behaviour = Behaviour::new(&home.key).script(|command| match command {
        "killed" => vec![Act::Err(b"out of memory".to_vec()), Act::Signal(Sig::KILL)],
        "refused" => vec![Act::Refuse],
        _ => vec![out("half"), Act::Err(b"oops".to_vec())],
    });
    let (_server, session) = home.session(behaviour).await;

    let killed = session.run(&RemoteCommand::new("killed"), LONG).await;
    let lost = session.run(&RemoteCommand::new("lost"), LONG).await;
    let refused = session.run(&RemoteCommand::new("refused"), LONG).await;

    match killed {
        Err(SessionError::Killed { signal, stderr, .. }) => {
            assert_eq!((&signal[..], &stderr[..]), ("KILL", "out of memory"));
        }
        other => panic!("{other:?}"),
    }
    let lost = lost.unwrap_err();
    assert_eq!(
        lost.to_string(),
        "`lost` ended on `host-1` without an exit status"
    );
    assert!(!lost.is_unreachable());
    assert!(matches!(
        refused,
        Err(SessionError::Refused {
            refusal: Refusal::Exec,
            ..
        })
    ));
}

#[tokio::test]
async fn a_command_that_stalls_ends_in_a_timeout_and_the_session_goes_on() {
    let home = Home::new();
    let behaviour = Behaviour::new(&home.key).script(|command| match command {
        "stall" => vec![out("so far"), Act::Stall],
        "exited" => vec![Act::Status(0), Act::Stall],
        _ => vec![Act::Status(0)],
    });
    let (server, session) = home.session(behaviour).await;

    let stalled = session.run(&RemoteCommand::new("stall"), SHORT).await;
    let exited = session.run(&RemoteCommand::new("exited"), SHORT).await;
    let after = session.run(&command(), LONG).await;

    let stalled = stalled.unwrap_err();
    assert_eq!(
        stalled.to_string(),
        "`host-1`: timed out after 1 s waiting for `stall` to end"
    );
    assert!(!stalled.is_unreachable());
    assert_eq!(
        exited.unwrap_err().to_string(),
        "`host-1`: timed out after 1 s waiting for the output of `exited` to close after it exited \
         with status 0"
    );
    assert!(after.unwrap().success());
    assert!(!session.is_closed());
    assert_eq!(server.seen.signals.lock().unwrap()[0], "TERM");
}

#[tokio::test]
async fn given_up_commands_give_their_places_back() {
    let home = Home::new();
    let behaviour = Behaviour::new(&home.key).script(|command| match command {
        "stall" => vec![Act::Stall],
        _ => vec![Act::Status(0)],
    });
    let (server, session) = home.session(behaviour).await;

    let stalled = RemoteCommand::new("stall");
    for run in join_all((0..9).map(|_| session.run(&stalled, SHORT))).await {
        assert!(matches!(run, Err(SessionError::Timeout { .. })));
    }
    let next = command();
    for run in join_all((0..9).map(|_| session.run(&next, LONG))).await {
        assert!(run.unwrap().success());
    }
    assert!(server.seen.most_sessions.load(Ordering::SeqCst) <= 10);
}

#[tokio::test]
async fn a_dropped_command_is_ended() {
    let home = Home::new();
    let behaviour = Behaviour::new(&home.key).script(|_| vec![out("up\n"), Act::Stall]);
    let (server, session) = home.session(behaviour).await;

    let next = command();
    let mut printed = tokio::sync::mpsc::unbounded_channel();
    let on_line = |_: OutputStream, line: String| {
        printed.0.send(line).unwrap();
        ready(())
    };
    tokio::select! {
        ended = session.run_streaming(&next, Deadline::Total(LONG), on_line) => panic!("{ended:?}"),
        line = printed.1.recv() => assert_eq!(line.as_deref(), Some("up")),
    }

    let deadline = Instant::now() + LONG;
    while server.seen.signals.lock().unwrap().is_empty() {
        assert!(Instant::now() < deadline);
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_server_that_opens_no_channel_counts_as_unreachable() {
    let home = Home::new();
    let behaviour = Behaviour {
        no_channels: usize::MAX,
        ..Behaviour::new(&home.key)
    };
    let (_server, session) = home.session(behaviour).await;

    let error = session.run(&command(), SHORT).await.unwrap_err();

    assert!(error.is_unreachable());
    assert_eq!(
        error.to_string(),
        "`host-1`: timed out after 1 s waiting for a channel for `docker ps`"
    );
}

#[tokio::test]
async fn a_server_that_opens_no_further_session_is_named_as_such() {
    let home = Home::new();
    let behaviour = Behaviour {
        max_sessions: 0,
        ..Behaviour::new(&home.key)
    };
    let (_server, session) = home.session(behaviour).await;

    let error = session.run(&command(), LONG).await.unwrap_err();

    assert!(!error.is_unreachable());
    assert!(error.to_string().contains("MaxSessions"), "{error}");
    assert!(error.hint().unwrap().contains("sshd_config"));
}

#[tokio::test]
async fn a_connection_that_ends_says_why() {
    let home = Home::new();
    let behaviour = Behaviour::new(&home.key)
        .script(|_| vec![Act::Status(0), Act::Disconnect("going down for reboot")]);
    let (_server, session) = home.session(behaviour).await;

    let error = session.run(&command(), LONG).await.unwrap_err();

    assert!(error.is_unreachable());
    assert_eq!(
        error.to_string(),
        "lost the connection to `host-1` while waiting for `docker ps`: the server said: going \
         down for reboot"
    );
    let after = session.run(&command(), LONG).await.unwrap_err();
    assert!(after.is_unreachable());
    assert!(session.is_closed());
}

#[tokio::test]
async fn closing_ends_the_session() {
    let home = Home::new();
    let (_server, session) = home.session(Behaviour::new(&home.key)).await;

    session.close().await;

    let error = session.run(&command(), LONG).await.unwrap_err();
    assert!(error.is_unreachable(), "{error}");
}

#[tokio::test]
async fn standard_input_arrives_byte_by_byte() {
    let home = Home::new();
    let behaviour = Behaviour::new(&home.key).script(|_| vec![Act::Echo, Act::Status(0)]);
    let (server, session) = home.session(behaviour).await;
    let secret = "hunter2\0 'quoted' \"$(id)\" = ü\r\n";

    let output = session
        .run(
            &RemoteCommand::new("login").with_stdin(secret.to_owned()),
            LONG,
        )
        .await
        .unwrap();
    assert_eq!(output.stdout, secret);
    assert_eq!(*server.seen.commands.lock().unwrap(), ["login"]);

    let bytes: Vec<u8> = (0..=255).cycle().take(3_000_000).collect();
    let mut counts = Vec::new();
    let output = session
        .send(&RemoteCommand::new("load"), &bytes[..], LONG, &mut |sent| {
            counts.push(sent);
        })
        .await
        .unwrap();
    assert_eq!(output.stdout, String::from_utf8_lossy(&bytes));
    assert_eq!(counts.last(), Some(&3_000_000));
    assert!(counts.is_sorted());
}

#[tokio::test]
async fn a_command_may_end_without_reading_its_input() {
    let home = Home::new();
    let behaviour = Behaviour::new(&home.key).script(|_| {
        vec![
            Act::Take(1),
            Act::Err(b"no space left on device".to_vec()),
            Act::Status(1),
        ]
    });
    let (_server, session) = home.session(behaviour).await;

    let endless = tokio::io::repeat(7);
    let load = RemoteCommand::new("docker").arg("load");
    let output = session
        .send(&load, endless, LONG, &mut |_| {})
        .await
        .unwrap();

    assert_eq!(output.status, 1);
    assert_eq!(output.stderr, "no space left on device");
    assert!(session.run(&command(), LONG).await.is_ok());
}

#[tokio::test]
async fn a_command_that_takes_no_more_input_ends_in_a_timeout() {
    let home = Home::new();
    let behaviour = Behaviour::new(&home.key).script(|_| vec![Act::Stall]);
    let (_server, session) = home.session(behaviour).await;
    let mut last = 0;

    let load = RemoteCommand::new("docker").arg("load");
    let (reader, _writer) = tokio::io::duplex(64);
    let error = session
        .send(&load, reader, SHORT, &mut |sent| last = sent)
        .await
        .unwrap_err();

    assert_eq!(
        error.to_string(),
        "`host-1`: timed out after 1 s waiting for `docker load` to take more than the first 0 bytes, \
         or to end"
    );
}

#[tokio::test]
async fn an_input_that_cannot_be_read_is_our_own_failure() {
    let home = Home::new();
    let behaviour = Behaviour::new(&home.key).script(|_| vec![Act::Echo, Act::Status(0)]);
    let (_server, session) = home.session(behaviour).await;

    let broken = tokio_util::io::StreamReader::new(futures::stream::iter([
        Ok(&b"some"[..]),
        Err(std::io::Error::other("disk error")),
    ]));
    let load = RemoteCommand::new("docker").arg("load");
    let error = session.send(&load, broken, LONG, &mut |_| {}).await;

    assert!(
        matches!(error, Err(SessionError::Input { .. })),
        "{error:?}"
    );
}

#[tokio::test]
async fn what_a_command_prints_is_read_as_it_comes() {
    let home = Home::new();
    let bytes: Vec<u8> = (0..=255).cycle().take(5_000_000).collect();
    let printed = bytes.clone();
    let behaviour = Behaviour::new(&home.key).script(move |_| {
        vec![
            Act::Out(printed[..1000].to_vec()),
            Act::Err(b"half way".to_vec()),
            Act::Out(printed[1000..].to_vec()),
            Act::Status(0),
        ]
    });
    let (_server, session) = home.session(behaviour).await;

    let mut stdout = session.stdout(RemoteCommand::new("save"), LONG);
    let mut got = Vec::new();
    stdout.read_to_end(&mut got).await.unwrap();

    assert!(got == bytes);
    let end = stdout.into_end().unwrap().unwrap();
    assert_eq!((end.status, &end.stderr[..]), (0, "half way"));
    assert!(session.run(&command(), LONG).await.unwrap().success());
}

#[tokio::test]
async fn what_a_failing_command_printed_does_not_pass_for_all_of_it() {
    let home = Home::new();
    let behaviour = Behaviour::new(&home.key).script(|command| match command {
        "fails" => vec![
            out("some"),
            Act::Err(b"no such image".to_vec()),
            Act::Status(1),
        ],
        "stalls" => vec![out("some"), Act::Stall],
        _ => vec![out("some"), Act::Disconnect("going down")],
    });
    let (_server, session) = home.session(behaviour).await;
    let read = async |command: &str| {
        let mut stdout = session.stdout(RemoteCommand::new(command), SHORT);
        let mut got = String::new();
        let error = stdout.read_to_string(&mut got).await.unwrap_err();
        (error.to_string(), stdout.into_end().unwrap())
    };

    let (error, end) = read("fails").await;
    assert_eq!(error, "the command failed with status 1");
    assert_eq!(end.unwrap().stderr, "no such image");
    let (error, end) = read("stalls").await;
    assert_eq!(
        error,
        "`host-1`: timed out after 1 s waiting for `stalls` to print more, or to end"
    );
    assert!(!end.unwrap_err().is_unreachable());
    let (_, end) = read("breaks").await;
    assert!(end.unwrap_err().is_unreachable());
}

#[tokio::test]
async fn a_command_whose_output_nobody_reads_any_more_is_ended() {
    let home = Home::new();
    let behaviour = Behaviour::new(&home.key).script(|_| vec![out("some"), Act::Stall]);
    let (server, session) = home.session(behaviour).await;

    let mut stdout = session.stdout(command(), LONG);
    let mut some = [0; 4];
    stdout.read_exact(&mut some).await.unwrap();
    drop(stdout);

    let deadline = Instant::now() + LONG;
    while server.seen.signals.lock().unwrap().is_empty() {
        assert!(Instant::now() < deadline);
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn lines_come_as_they_are_printed() {
    let home = Home::new();
    let behaviour = Behaviour::new(&home.key).script(|_| {
        vec![
            out("one\ntw"),
            Act::Err(b"warn".to_vec()),
            out("o\r\nlast"),
            Act::Status(0),
        ]
    });
    let (_server, session) = home.session(behaviour).await;
    let mut lines = Vec::new();

    let status = session
        .run_streaming(&command(), Deadline::Total(LONG), |stream, line| {
            lines.push((stream, line));
            ready(())
        })
        .await
        .unwrap();

    let of = |wanted| {
        let of_stream = lines.iter().filter(move |(stream, _)| *stream == wanted);
        of_stream.map(|(_, line)| &line[..]).collect::<Vec<_>>()
    };
    assert_eq!(status, 0);
    assert_eq!(of(OutputStream::Stdout), ["one", "two", "last"]);
    assert_eq!(of(OutputStream::Stderr), ["warn"]);
}

#[tokio::test]
async fn a_command_waits_for_the_reader_of_its_lines_and_the_time_is_not_its_own() {
    let home = Home::new();
    let bytes = "a line of a log\n".repeat(200_000).into_bytes();
    let behaviour =
        Behaviour::new(&home.key).script(move |_| vec![Act::Out(bytes.clone()), Act::Status(0)]);
    let (_server, session) = home.session(behaviour).await;

    for deadline in [Deadline::Total(LONG), Deadline::Idle(LONG)] {
        let (mut taken, mut most_at_once) = (0, 0);
        let under_way = Arc::new(AtomicUsize::new(0));
        let status = session
            .run_streaming(&command(), deadline, |_, line| {
                assert_eq!(line, "a line of a log");
                taken += 1;
                most_at_once = most_at_once.max(under_way.fetch_add(1, Ordering::SeqCst) + 1);
                let (is_first, under_way) = (taken == 1, Arc::clone(&under_way));
                async move {
                    // As long as the deadline and longer.
                    if is_first {
                        tokio::time::pause();
                        tokio::time::advance(2 * LONG).await;
                        tokio::time::resume();
                    }
                    tokio::task::yield_now().await;
                    under_way.fetch_sub(1, Ordering::SeqCst);
                }
            })
            .await;
        assert_eq!(status.unwrap(), 0);
        assert_eq!((taken, most_at_once), (200_000, 1));
    }
}

#[tokio::test]
async fn much_output_comes_whole() {
    let home = Home::new();
    let text = "a line of a log\n".repeat(1_000_000);
    let bytes = text.clone().into_bytes();
    let behaviour =
        Behaviour::new(&home.key).script(move |_| vec![Act::Out(bytes.clone()), Act::Status(0)]);
    let (_server, session) = home.session(behaviour).await;

    let output = session.run(&command(), 3 * LONG).await.unwrap();

    assert!(output.stdout == text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forty_commands_at_once_share_nine_channels() {
    let home = Home::new();
    let behaviour = Behaviour::new(&home.key).script(|command| vec![out(command), Act::Status(0)]);
    let (server, session) = home.session(behaviour).await;

    let runs = (0..40).map(|number| {
        let session = session.clone();
        tokio::spawn(async move {
            let command = RemoteCommand::new(format!("command-{number}"));
            (
                command.to_wire(),
                session.run(&command, LONG).await.unwrap(),
            )
        })
    });
    for run in join_all(runs).await {
        let (command, output) = run.unwrap();
        assert_eq!(output.stdout, command);
    }
    let most = server.seen.most_sessions.load(Ordering::SeqCst);
    assert!((2..=10).contains(&most), "{most}");
    assert_eq!(server.seen.connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_server_with_fewer_sessions_gets_fewer_at_once() {
    let home = Home::new();
    let behaviour = Behaviour {
        max_sessions: 2,
        ..Behaviour::new(&home.key)
    };
    let (server, session) = home.session(behaviour).await;

    let command = command();
    for run in join_all((0..30).map(|_| session.run(&command, LONG))).await {
        assert!(run.unwrap().success());
    }
    assert_eq!(server.seen.most_sessions.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_held_command_is_talked_to_and_tells_its_end() {
    let home = Home::new();
    let behaviour = Behaviour::new(&home.key).script(|command| match command {
        "lock" => vec![out("locked\n"), Act::Echo, Act::Status(0)],
        "taken" => vec![Act::Err(b"taken by anna".to_vec()), Act::Status(75)],
        "dies" => vec![out("locked\n"), Act::Take(4), Act::Signal(Sig::KILL)],
        "cut" => vec![out("locked\n"), Act::Take(4), Act::Disconnect("reboot")],
        _ => vec![Act::Refuse],
    });
    let (_server, session) = home.session(behaviour).await;
    let start = async |name: &str| session.hold(&RemoteCommand::new(name), LONG).await;

    let mut held = start("lock").await.unwrap();
    assert_eq!(held.line(LONG).await.unwrap().as_deref(), Some("locked"));
    held.write(b"beat\n", LONG).await.unwrap();
    assert_eq!(held.line(LONG).await.unwrap().as_deref(), Some("beat"));
    assert!(matches!(
        held.line(SHORT).await,
        Err(SessionError::Timeout { .. })
    ));
    assert_eq!(held.end(), None);
    drop(held);

    let mut taken = start("taken").await.unwrap();
    assert_eq!(taken.line(LONG).await.unwrap(), None);
    assert_eq!(
        taken.ended().await.to_string(),
        "it exited with status 75: taken by anna"
    );

    let mut dies = start("dies").await.unwrap();
    dies.write(b"beat", LONG).await.unwrap();
    assert_eq!(dies.ended().await, HeldEnd::Killed("KILL".to_owned()));
    let after = dies.write(b"beat", LONG).await.unwrap_err();
    assert!(
        after.to_string().ends_with("it was ended by signal KILL"),
        "{after}"
    );

    assert!(matches!(
        start("refused").await,
        Err(SessionError::Refused { .. })
    ));

    let mut cut = start("cut").await.unwrap();
    cut.write(b"beat", LONG).await.unwrap();
    assert_eq!(
        cut.ended().await,
        HeldEnd::Disconnected("the server said: reboot".to_owned())
    );
}

#[tokio::test]
async fn an_upload_places_a_file_in_one_step() {
    let home = Home::new();
    let behaviour = Behaviour::new(&home.key).script(|_| vec![Act::Shell]);
    let (server, session) = home.session(behaviour).await;
    let folder = home.path("it's a $(folder)");
    fs::create_dir(&folder).unwrap();
    let to = folder.join("nginx.conf");
    let content: Vec<u8> = (0..=255).cycle().take(200_000).collect();

    for content in [&content[..], b"", b"secret"] {
        let to = to.to_str().unwrap();
        session
            .upload(content, to, 0o640, false, LONG)
            .await
            .unwrap();
        assert_eq!(fs::read(to).unwrap(), content);
    }
    let mode = fs::metadata(&to).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);

    let nowhere = home.path("nowhere/file");
    let error = session
        .upload(b"x", nowhere.to_str().unwrap(), 0o600, false, LONG)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("nowhere/file"), "{error}");
    let error = session
        .upload(b"x", folder.to_str().unwrap(), 0o600, false, LONG)
        .await
        .unwrap_err();
    assert!(error.to_string().ends_with("it is a folder"), "{error}");
    assert!(
        !server
            .seen
            .commands
            .lock()
            .unwrap()
            .concat()
            .contains("secret")
    );
}
