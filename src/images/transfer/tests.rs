//! Transfers that are cut off, to an SSH server in this process: it runs our script with this machine's `sh`, with a
//! `docker` that keeps what it is given to load.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::{Arc, Mutex, atomic::Ordering},
};

use async_compression::tokio::bufread::GzipDecoder;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, BufReader};

use super::{load::send_archive, saved::SavedImage, stream::Compressed};
use crate::{
    docker::{self, PinnedImage},
    event::EventKind,
    hosts::{
        HostError,
        testing::{Act, TestFleet, out},
    },
};

/// As `docker load` does: it wants all of an archive, and says what it is called.
const DOCKER: &str = r#"#!/bin/sh
cat >"$HOME/given"
gzip -t <"$HOME/given" || exit
echo "Loaded image ID: sha256:1d"
"#;

const MEBIBYTE: usize = 1024 * 1024;

/// Bytes that cannot be compressed, the same for each `seed`: gzip looks back less than a mebibyte.
fn noise(seed: u64, mebibytes: usize) -> Vec<u8> {
    let mut state = seed;
    let mut bytes = Vec::with_capacity(MEBIBYTE);
    while bytes.len() < MEBIBYTE {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    bytes.repeat(mebibytes)
}

/// An image of this machine's docker, with one layer.
async fn saved(layer: &[u8]) -> SavedImage {
    let config = br#"{"rootfs":{"diff_ids":["sha256:a"]}}"#;
    let manifest = br#"[{"Config":"1d.json","Layers":["a/layer.tar"]}]"#;
    let mut builder = tar::Builder::new(tempfile::tempfile().expect("a file"));
    for (path, content) in [
        ("1d.json", &config[..]),
        ("a/layer.tar", layer),
        ("manifest.json", &manifest[..]),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_cksum();
        let appended = builder.append_data(&mut header, path, content);
        appended.expect("appended");
    }
    let file = builder.into_inner().expect("an archive");
    SavedImage::read(file).await.expect("an archive")
}

async fn large() -> SavedImage {
    saved(&noise(1, 20)).await
}

fn says(text: &str) -> Vec<Act> {
    vec![out(text), Act::Status(0)]
}

/// A host whose connections are cut when so much of an image has come, one after the other.
struct Host {
    home: TempDir,
    fleet: TestFleet,
}

impl Host {
    async fn with_cuts(cuts: &'static [usize]) -> Self {
        Self::with(|_| None, cuts).await
    }

    /// A host that answers these commands so.
    async fn with(
        answer: impl Fn(&str) -> Option<Vec<Act>> + Send + Sync + 'static,
        cuts: &'static [usize],
    ) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let bin = home.path().join("bin");
        fs::create_dir(&bin).expect("a folder");
        fs::write(bin.join("docker"), DOCKER).expect("written");
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(bin.join("docker"), mode).expect("its mode");
        let cuts = Arc::new(Mutex::new(cuts.iter().copied()));
        let at = home.path().to_owned();
        let fleet = TestFleet::of_one(move |command| {
            let next = || cuts.lock().expect("not poisoned").next();
            if let Some(answer) = answer(command) {
                return answer;
            }
            match command {
                _ if command.contains(".RootFS.Layers") => vec![Act::Status(0)],
                _ if command.starts_with("docker tag") => vec![Act::Status(0)],
                _ if command.contains("docker load") => {
                    vec![Act::ShellAt(at.clone(), next().unwrap_or(usize::MAX))]
                }
                _ => vec![Act::ShellAt(at.clone(), usize::MAX)],
            }
        });
        let fleet = fleet.await;
        Self { home, fleet }
    }

    /// Sends an image: what is said of it in the end.
    async fn send(&self, image: &SavedImage) -> Result<String, HostError> {
        let pin = PinnedImage {
            reference: "web:shipit-1d".into(),
            digest: "sha256:1d".into(),
            id: None,
        };
        let reached = &self.fleet.fleet.hosts()[0];
        let sent = send_archive(reached, image, "web:1", &pin, &self.fleet.events).await;
        sent.map(|sent| sent.to_string())
    }

    /// The notes, and the bytes that the bar was moved to.
    fn told(&mut self) -> (Vec<String>, Vec<u64>) {
        let (mut notes, mut bytes) = (Vec::new(), Vec::new());
        while let Some(event) = self.fleet.told.try_next() {
            match event.kind {
                EventKind::Note { message } => notes.push(message),
                EventKind::Transfer { bytes: moved, .. } => bytes.push(moved),
                _ => {}
            }
        }
        (notes, bytes)
    }

    /// What docker was given to load: is it the whole image?
    async fn was_given(&self, image: &SavedImage) -> bool {
        let given = fs::read(self.home.path().join("given")).expect("what was loaded");
        let mut plain = Vec::new();
        let mut decoder = GzipDecoder::new(BufReader::new(&given[..]));
        decoder.read_to_end(&mut plain).await.expect("compressed");
        let mut whole = vec![0; plain.len()];
        let read = std::os::unix::fs::FileExt::read_exact_at(&*image.file, &mut whole, 0);
        read.is_ok() && whole == plain && Compressed::of(image, 0).total == plain.len() as u64
    }

    fn parts(&self) -> Vec<u64> {
        let folder = self.home.path().join(".cache/shipit");
        let length = |path: &Path| fs::metadata(path).expect("a file").len();
        match fs::read_dir(folder) {
            Ok(entries) => entries
                .map(|entry| length(&entry.expect("an entry").path()))
                .collect(),
            Err(_) => Vec::new(),
        }
    }

    fn connections(&self) -> usize {
        self.fleet.servers[0]
            .seen
            .connections
            .load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn an_image_whose_connection_is_cut_goes_on_over_the_next_one() {
    let image = large().await;
    let mut host = Host::with_cuts(&[8 * MEBIBYTE, 6 * MEBIBYTE]).await;
    let sent = host.send(&image).await.expect("it arrives");
    assert_eq!(sent, "6.3 MB after 14.7 MB that were there");
    assert_eq!(host.connections(), 3);
    assert!(host.was_given(&image).await);
    assert!(host.parts().is_empty(), "nothing is left");
    let (notes, bytes) = host.told();
    let lost = "the connection to `host-1` was lost while `web:1` was sent: going on after";
    assert_eq!(
        notes,
        [
            format!("{lost} 8.4 MB (compressed)"),
            format!("{lost} 14.7 MB (compressed)")
        ]
    );
    assert!(bytes.is_sorted(), "a bar never goes back: {bytes:?}");
}

#[tokio::test]
async fn the_next_run_goes_on_where_the_last_one_was_cut_off() {
    // No connection gets another megabyte through: it is given up.
    let image = large().await;
    let mut host = Host::with_cuts(&[9 * MEBIBYTE, 1]).await;
    let error = host.send(&image).await.expect_err("cut off");
    assert!(error.is_unreachable(), "{error}");
    assert_eq!(host.parts(), [9 * MEBIBYTE as u64 + 1]);
    host.told();

    // The next run saves the image anew.
    let sent = host.send(&large().await).await.expect("it arrives");
    assert_eq!(sent, "11.6 MB after 9.4 MB that were there");
    assert!(host.was_given(&image).await && host.parts().is_empty());
    let (notes, bytes) = host.told();
    assert_eq!(
        notes,
        [
            "an earlier transfer of `web:1` to `host-1` was cut off: going on after 9.4 MB (compressed)"
        ]
    );
    assert!(bytes[0] >= 9 * MEBIBYTE as u64, "{bytes:?}");
}

#[tokio::test]
async fn what_is_not_the_same_any_more_is_sent_from_its_start() {
    let mut host = Host::with_cuts(&[9 * MEBIBYTE, 1]).await;
    host.send(&large().await).await.expect_err("cut off");
    host.told();
    let other = saved(&noise(2, 20)).await;
    let sent = host.send(&other).await.expect("it arrives");
    assert_eq!(sent, "21.0 MB");
    assert!(host.was_given(&other).await && host.parts().is_empty());
    let (notes, _) = host.told();
    assert_eq!(
        notes,
        [
            "an earlier transfer of `web:1` to `host-1` was cut off: starting anew, for its first 9.4 MB (compressed) are not the same"
        ]
    );
}

#[tokio::test]
async fn a_small_image_and_one_that_cannot_be_kept_are_sent_again_once() {
    let small = saved(&noise(1, 1)).await;
    let mut host = Host::with_cuts(&[MEBIBYTE / 2]).await;
    assert_eq!(host.send(&small).await.expect("it arrives"), "1.0 MB");
    assert!(host.was_given(&small).await && host.parts().is_empty());
    let (notes, _) = host.told();
    assert_eq!(
        notes,
        ["the connection to `host-1` was lost while `web:1` was sent: starting anew"]
    );

    let host = Host::with_cuts(&[MEBIBYTE / 2; 9]).await;
    host.send(&small).await.expect_err("cut off twice");
    assert_eq!(host.connections(), 2);

    // A file is in the way of the folder.
    let image = large().await;
    let host = Host::with_cuts(&[8 * MEBIBYTE]).await;
    fs::write(host.home.path().join(".cache"), "").expect("written");
    assert_eq!(host.send(&image).await.expect("it arrives"), "21.0 MB");
    assert!(host.was_given(&image).await);
}

#[tokio::test]
async fn layers_that_a_host_has_are_not_sent_unless_containerd_wants_them() {
    let image = saved(&noise(1, 1)).await;
    let with_docker = |status: &'static str| {
        let answer = move |command: &str| match command {
            _ if command.contains(".RootFS.Layers") => Some(says("[\"sha256:a\"]\n")),
            _ if command.contains("docker info") => Some(says(&format!(
                r#"{{"ServerVersion":"28.5.2","DriverStatus":{status}}}"#
            ))),
            _ => None,
        };
        Host::with(answer, &[])
    };
    let host = with_docker(r#"[["Backing Filesystem","extfs"]]"#).await;
    let sent = host.send(&image).await.expect("it arrives");
    assert_eq!(sent, "0.0 MB, 1 of 1 layers were there");

    let host = with_docker(r#"[["driver-type","io.containerd.snapshotter.v1"]]"#).await;
    assert_eq!(host.send(&image).await.expect("it arrives"), "1.0 MB");
    assert!(host.was_given(&image).await);
}

#[tokio::test]
async fn a_host_that_claims_to_have_more_each_time_is_given_up() {
    let image = large().await;
    for each in [2 * MEBIBYTE as u64, u64::MAX] {
        let claimed = Mutex::new(0_u64);
        let answer = move |command: &str| {
            if command.contains("' shipit load ") {
                return Some(vec![Act::Take(MEBIBYTE), Act::Disconnect("enough")]);
            }
            let mut claimed = claimed.lock().expect("not poisoned");
            command.contains("' shipit open ").then(|| {
                *claimed = claimed.saturating_add(each);
                says(&format!("partial image-a-b.c {claimed} 00\n"))
            })
        };
        let host = Host::with(answer, &[8 * MEBIBYTE; 9]).await;
        let error = host.send(&image).await.expect_err("cut off for good");
        assert!(error.is_unreachable(), "{error}");
        assert!(host.connections() <= 3, "{}", host.connections());
    }
}

#[tokio::test]
async fn what_docker_does_not_take_is_not_kept() {
    let image = large().await;
    let host = Host::with_cuts(&[]).await;
    let full = "#!/bin/sh\nhead -c 1000 >/dev/null; echo 'write /x: no space left on device' >&2; exit 1\n";
    fs::write(host.home.path().join("bin/docker"), full).expect("written");
    let error = host.send(&image).await.expect_err("a full disk");
    assert_eq!(
        error.to_string(),
        "`docker load` failed with status 1: write /x: no space left on device"
    );
    assert!(host.parts().is_empty());
}

#[tokio::test]
async fn an_image_is_compressed_to_the_same_bytes_however_they_are_read() {
    let layer: Vec<u8> = noise(3, 1).iter().map(|byte| byte % 7).collect();
    let image = saved(&layer).await;
    let hash = async |sizes: &[usize]| {
        let (mut stream, mut all) = (Compressed::of(&image, 0), Vec::new());
        for size in sizes.iter().cycle() {
            let mut block = vec![0; *size];
            let read = stream.read(&mut block).await.expect("read");
            all.extend(&block[..read]);
            if read == 0 {
                break;
            }
        }
        docker::short_hash(&all, 32)
    };
    let usual = hash(&[32 * 1024]).await;
    for sizes in [&[1, 2, 3, 5000][..], &[256 * 1024], &[777]] {
        assert_eq!(hash(sizes).await, usual, "{sizes:?}");
    }
}
