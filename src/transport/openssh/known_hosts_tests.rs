use super::*;

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB9dG4kjRhQTtWTVzd2t27+t0DEHBPW7iOD23TUiYLio";
const OTHER: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";

fn key(text: &str) -> PublicKey {
    PublicKey::from_openssh(text).expect("a key")
}

fn known(text: &str) -> KnownHosts {
    let mut known = KnownHosts::default();
    known.add(Path::new("known_hosts"), text);
    known
}

fn line(line: usize) -> Place {
    Place {
        file: PathBuf::from("known_hosts"),
        line,
    }
}

fn check(text: &str, names: &Names) -> Verdict {
    known(text).check(names, &key(KEY))
}

fn unknown() -> Verdict {
    Verdict::Unknown { others: Vec::new() }
}

#[test]
fn patterns_follow_openssh() {
    let web = Names::new("Web.Example.com", 22, None);
    let other_port = Names::new("web.example.com", 2222, None);
    for (patterns, on_22, on_2222) in [
        ("web.example.com", true, true),
        ("WEB.example.COM", true, true),
        ("[web.example.com]:2222", false, true),
        ("[web.example.com]:22", false, false),
        ("*.example.com", true, true),
        ("*.example.com,!web.*", false, false),
        ("!web.example.com,*", false, true),
        ("we?.example.com", true, true),
        ("a,b,web.example.com", true, true),
        ("web", false, false),
        ("!other", false, false),
        // What `ssh-keygen -H` makes of web.example.com.
        (
            "|1|5n5Spd1SJX7iyVQD/xPpyQAYZP8=|BFIRmKEPWKUSSPKkuRB7LlZAzB8=",
            true,
            true,
        ),
        (
            "|1|6n5Spd1SJX7iyVQD/xPpyQAYZP8=|BFIRmKEPWKUSSPKkuRB7LlZAzB8=",
            false,
            false,
        ),
    ] {
        let text = format!("{patterns} {KEY}\n");
        let found = |names| check(&text, names) == Verdict::Known;
        assert_eq!(
            (found(&web), found(&other_port)),
            (on_22, on_2222),
            "{patterns}"
        );
    }
}

#[test]
fn an_alias_replaces_name_and_port() {
    let names = Names::new("10.0.0.1", 2222, Some("Prod"));
    assert_eq!(check(&format!("prod {KEY}"), &names), Verdict::Known);
    assert_eq!(check(&format!("[10.0.0.1]:2222 {KEY}"), &names), unknown());
}

#[test]
fn one_of_several_keys_is_enough() {
    let web = Names::new("web", 22, None);
    let text = format!("web {OTHER}\nweb {KEY}\n");
    assert_eq!(check(&text, &web), Verdict::Known);
}

#[test]
fn lines_are_counted_whatever_stands_in_them() {
    let web = Names::new("web", 22, None);
    let text = format!(
        "# comment\n\nweb nonsense\nweb ssh-ed25519 AAAA\n  # indented\nweb  \t{OTHER} with a comment\nx {KEY}\n"
    );
    assert_eq!(check(&text, &web), Verdict::Changed(line(6)));
}

#[test]
fn a_revoked_key_is_revoked_wherever_else_it_stands() {
    let web = Names::new("web", 22, None);
    let text = format!("web {KEY}\n@revoked * {KEY}\n");
    assert_eq!(check(&text, &web), Verdict::Revoked(line(2)));
    let elsewhere = format!("web {KEY}\n@revoked db {KEY}\n@revoked web {OTHER}\n");
    assert_eq!(check(&elsewhere, &web), Verdict::Known);
}

#[test]
fn an_authority_s_key_is_no_host_s_key() {
    let web = Names::new("web", 22, None);
    let text = format!("@cert-authority * {KEY}\n");
    assert_eq!(check(&text, &web), unknown());
    let known = known(&text);
    assert_eq!(known.authorities(&web).len(), 1);
    assert!(known.algorithms(&web).is_empty());
}

#[test]
fn an_authority_for_a_host_is_one_for_its_other_ports() {
    let web = Names::new("web", 2222, None);
    let alias = Names::new("web", 2222, Some("prod"));
    for (pattern, of_web, of_alias) in [
        ("web", 1, 0),
        ("[web]:2222", 1, 0),
        ("[web]:2223", 0, 0),
        ("prod", 0, 1),
    ] {
        let known = known(&format!("@cert-authority {pattern} {KEY}\n"));
        let found = (
            known.authorities(&web).len(),
            known.authorities(&alias).len(),
        );
        assert_eq!(found, (of_web, of_alias), "{pattern}");
    }
}

#[test]
fn a_missing_file_is_empty_and_an_unreadable_one_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(KnownHosts::read(&[folder.path().join("missing")]).is_ok());
    assert!(KnownHosts::read(&[folder.path().to_owned()]).is_err());
    assert!(KnownHosts::read(&["/dev/zero".into()]).is_err());
    // People name it to know no host.
    assert!(KnownHosts::read(&["/dev/null".into()]).is_ok());
}

#[test]
fn what_a_host_is_known_by_are_the_types_of_its_plain_keys() {
    let web = Names::new("web", 22, None);
    let other_port = Names::new("web", 2222, None);
    let algorithms = |text: &str, names: &Names| {
        let found = known(text).algorithms(names).into_iter();
        found.map(|it| it.to_string()).collect::<Vec<_>>().join(" ")
    };
    let plain = format!("web {KEY}\n");
    let with_port = format!("[web]:2222 {KEY}\n[web]:2222 {OTHER}\n");
    let authority = format!("@cert-authority web {KEY}\n");
    assert_eq!(algorithms(&plain, &web), "ssh-ed25519");
    assert_eq!(algorithms("", &web), "");
    assert_eq!(algorithms(&authority, &web), "");
    // Those with the port, else those without.
    let both = format!("{plain}{with_port}");
    assert_eq!(algorithms(&both, &other_port), "ssh-ed25519 ssh-ed25519");
    assert_eq!(algorithms(&plain, &other_port), "ssh-ed25519");
    assert_eq!(algorithms(&with_port, &web), "");
}

#[test]
fn comments_and_empty_lines_are_no_entries_and_count_as_lines() {
    let text = format!("# web {OTHER}\n\n   \nweb   {KEY}\nnonsense\n");
    let names = Names::new("web", 22, None);
    assert_eq!(check(&text, &names), Verdict::Known);
    let changed = known(&text).check(&names, &key(OTHER));
    assert_eq!(changed, Verdict::Changed(line(4)));
}
