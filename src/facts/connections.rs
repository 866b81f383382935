//! How many connections a container still serves, read from its network namespace's socket table.

use super::sockets::{Socket, sockets};
use crate::command::RemoteCommand;

/// Prints `/proc/PID/net/tcp` and `tcp6`: the sockets of the network namespace that process `pid` is in.
/// Needs nothing inside the container's image, and no privilege on the host.
pub fn read_sockets(pid: u32) -> RemoteCommand {
    let path = |table: &str| format!("/proc/{pid}/net/{table}");
    RemoteCommand::new("cat").args([path("tcp"), path("tcp6")])
}

/// How many connections to one of `ports` have not ended, in what [`read_sockets`] printed.
///
/// Established (01) and close-wait (08: the client is done, the server still answers) count. Listening
/// sockets and those that the kernel closes by itself do not.
pub fn open_connections(table: &str, ports: &[u16]) -> usize {
    let is_open =
        |socket: &Socket| ports.contains(&socket.port) && matches!(socket.state, "01" | "08");
    sockets(table).filter(is_open).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_open_connections_to_the_ports_count() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue\n\
            \x20  0: 00000000:1388 00000000:0000 0A 00000000:00000000\n\
            \x20  1: 020011AC:1388 010011AC:9C40 01 00000000:00000000\n\
            \x20  2: 020011AC:1388 010011AC:9C41 06 00000000:00000000\n\
            \x20  3: 020011AC:1388 010011AC:9C42 08 00000000:00000000\n\
            \x20  4: 020011AC:9C43 010011AC:1388 01 00000000:00000000\n";
        assert_eq!(open_connections(table, &[5000]), 2);
        assert_eq!(open_connections(table, &[]), 0);
    }
}
