//! The kernel's table of TCP sockets, as `/proc/net/tcp` and `tcp6` print it.

/// A row of the table.
pub(super) struct Socket<'a> {
    /// The local address, in hexadecimal.
    pub address: &'a str,
    /// The local port.
    pub port: u16,
    /// The state: 01 established, 08 close-wait, 0A listening.
    pub state: &'a str,
}

/// The rows of what one or both files print; their headings are none. The columns are those of proc(5):
/// `local_address` is hexadecimal `ADDRESS:PORT`, `st` the state.
pub(super) fn sockets(table: &str) -> impl Iterator<Item = Socket<'_>> {
    table.lines().filter_map(|line| {
        let mut columns = line.split_ascii_whitespace().skip(1);
        let (address, port) = columns.next()?.rsplit_once(':')?;
        Some(Socket {
            address,
            port: u16::from_str_radix(port, 16).ok()?,
            state: columns.nth(1)?,
        })
    })
}
