//! Faults of hosts, of the network, and of what runs on hosts.

use super::{
    case::{At, nothing},
    outside::{leave_running, on, outlives_its_services, to},
};
use crate::lab::{self, HOST_1, HOST_2, HOST_3, HOSTS, Host};

/// A fault that is laid on a host.
pub struct HostFault {
    pub name: &'static str,
    pub at: At,
    pub lay: fn(),
    pub lift: fn(),
    pub may_lose: bool,
    pub keeps_state: bool,
}

/// While the first container of the new version is not ready yet.
const FIRST: At = At::Step("host-1", "to be ready");
/// The same on the last host, with the first one done.
const LAST: At = At::Step("host-2", "to be ready");

const fn fault(name: &'static str, at: At, lay: fn(), lift: fn()) -> HostFault {
    HostFault {
        name,
        at,
        lay,
        lift,
        may_lose: false,
        keeps_state: false,
    }
}

impl HostFault {
    const fn loses(mut self) -> Self {
        self.may_lose = true;
        self
    }

    const fn keeps_state(mut self) -> Self {
        self.keeps_state = true;
        self
    }
}

/// Those that are tried in `make test`, too.
pub const TELLING: &[HostFault] = &[
    fault(
        "RST to every packet for sshd, first host",
        FIRST,
        || reset(HOST_1),
        || open(HOST_1),
    ),
    fault(
        "dockerd is killed, last host",
        LAST,
        kill_dockerd,
        start_dockerd,
    )
    .loses(),
    fault(
        "the Consul agent stops, last host",
        LAST,
        || stop(HOST_2, "consul"),
        || start(HOST_2, "consul"),
    ),
];

/// Those that only `make faults` tries.
pub const FURTHER: &[HostFault] = &[
    fault(
        "Registrator stops, last host",
        LAST,
        || stop(HOST_2, "registrator"),
        || start(HOST_2, "registrator"),
    ),
    fault(
        "packets for sshd are dropped, last host",
        LAST,
        || drop_packets(HOST_2),
        || open(HOST_2),
    ),
    fault(
        "packets for sshd are dropped, the lock's host",
        FIRST,
        || drop_packets(HOST_1),
        || open(HOST_1),
    ),
    fault(
        "packets for sshd are dropped, balancer",
        FIRST,
        || drop_packets(HOST_3),
        || open(HOST_3),
    ),
    fault(
        "RST to every packet for sshd, last host",
        LAST,
        || reset(HOST_2),
        || open(HOST_2),
    ),
    fault(
        "sshd is killed with all its sessions, last host",
        LAST,
        kill_sshd,
        start_sshd,
    ),
    fault(
        "the last host is paused",
        LAST,
        || to(HOST_2, &["pause"]),
        || to(HOST_2, &["unpause"]),
    )
    .loses()
    .keeps_state(),
    fault(
        "the last host is killed",
        LAST,
        || to(HOST_2, &["kill"]),
        || to(HOST_2, &["start"]),
    )
    .loses(),
    fault(
        "the balancer's host is killed",
        LAST,
        || to(HOST_3, &["kill"]),
        || to(HOST_3, &["start"]),
    )
    .loses(),
    fault("the last host is emptied", LAST, empty, nothing).loses(),
];

/// Those of what runs on a host, which only `make faults` tries as well.
pub const SERVICES: &[HostFault] = &[
    fault(
        "dockerd hangs, last host",
        LAST,
        || dockerd("STOP"),
        || dockerd("CONT"),
    )
    .keeps_state(),
    fault(
        "the disk is full, last host",
        At::Step("host-1", "stop routing"),
        fill,
        unfill,
    ),
    fault(
        "the Consul agent stops, first host",
        FIRST,
        || stop(HOST_1, "consul"),
        || start(HOST_1, "consul"),
    ),
    fault(
        "two of three Consul servers stop",
        FIRST,
        stop_two,
        start_two,
    ),
    fault("Consul's leader stops", FIRST, stop_leader, start_all),
    fault(
        "Registrator stops, first host",
        FIRST,
        || stop(HOST_1, "registrator"),
        || start(HOST_1, "registrator"),
    ),
    fault(
        "Registrator stops before the last host's container starts",
        At::Step("host-1", "keep "),
        || stop(HOST_2, "registrator"),
        || start(HOST_2, "registrator"),
    ),
    fault(
        "DR-CoN stops",
        FIRST,
        || stop(HOST_3, "dr-con"),
        || start(HOST_3, "dr-con"),
    )
    .loses(),
];

fn stop(host: Host, container: &str) {
    on(
        host,
        &format!("docker stop --time 2 {container} >/dev/null"),
    );
}

fn start(host: Host, container: &str) {
    on(host, &format!("docker start {container} >/dev/null"));
    consul_is_whole();
}

/// What becomes of a packet for sshd.
const DROPPED: &str = "INPUT -p tcp --dport 22 -j DROP";
const RESET: &str = "INPUT -p tcp --dport 22 -j REJECT --reject-with tcp-reset";

fn drop_packets(host: Host) {
    on(host, &format!("iptables -I {DROPPED}"));
}

fn reset(host: Host) {
    on(host, &format!("iptables -I {RESET}"));
}

fn open(host: Host) {
    on(
        host,
        &format!("iptables -D {DROPPED} 2>/dev/null || iptables -D {RESET}"),
    );
}

fn kill_sshd() {
    outlives_its_services(HOST_2);
    on(HOST_2, "kill -KILL $(pidof sshd)");
}

fn start_sshd() {
    leave_running(HOST_2, "exec /usr/sbin/sshd -D");
}

fn dockerd(signal: &str) {
    on(HOST_2, &format!("kill -{signal} $(pidof dockerd)"));
}

fn kill_dockerd() {
    outlives_its_services(HOST_2);
    dockerd("KILL");
}

fn start_dockerd() {
    // Nobody reaps what has ended, so its number is still taken; a dockerd takes that for a live one.
    on(
        HOST_2,
        "rm -f /run/docker.pid /run/docker.sock /run/docker/containerd/containerd.pid",
    );
    leave_running(
        HOST_2,
        "exec dockerd --mtu $(cat /sys/class/net/eth0/mtu) >>/var/log/dockerd.log 2>&1",
    );
    super::outside::wait_until_all_answer();
    consul_is_whole();
}

fn empty() {
    on(
        HOST_2,
        "docker ps -aq | xargs -r docker rm --force --volumes >/dev/null
        docker volume ls -q | xargs -r docker volume rm --force >/dev/null
        rm -rf /mnt/*",
    );
}

/// No new layer can be made, as on a disk without room for one more file.
fn fill() {
    on(
        HOST_2,
        "mount -t tmpfs -o size=4k,nr_inodes=1 full /var/lib/docker/overlay2",
    );
}

fn unfill() {
    on(HOST_2, "umount /var/lib/docker/overlay2");
}

fn stop_two() {
    stop(HOST_1, "consul");
    stop(HOST_2, "consul");
}

fn start_two() {
    on(HOST_1, "docker start consul >/dev/null");
    on(HOST_2, "docker start consul >/dev/null");
    consul_is_whole();
}

fn stop_leader() {
    let leader = lab::consul(HOST_3, "status/leader");
    let leader = leader.as_str().unwrap_or_default().to_owned();
    for host in HOSTS {
        if leader.starts_with(&format!("{}:", host.address())) {
            stop(host, "consul");
        }
    }
}

fn start_all() {
    for host in HOSTS {
        on(host, "docker start consul >/dev/null");
    }
    consul_is_whole();
}

/// A fault is lifted when Consul is what it was.
fn consul_is_whole() {
    crate::recovery::consul_is_whole();
}
