//! Lines of output in a temporary file. It has no name, so it goes with the process, however that ends.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
};

use jiff::Timestamp;
use tokio::sync::OwnedSemaphorePermit;

use crate::event::{Event, EventKind, OutputStream, Unshown};

/// How much is written and read at a time.
const BLOCK: usize = 64 * 1024;

/// What stands before each line: its room, its time, its stream, and the lengths of host and text.
const HEADER: usize = 4 + 16 + 1 + 4 + 4 + 4;

/// Lines of output in a file, first in, first out.
pub(super) struct Spill {
    file: File,
    /// Where the next block is read, and where it is written.
    read: u64,
    written: u64,
    /// What was read, from this position on.
    head: Vec<u8>,
    position: usize,
    /// What is not written yet.
    tail: Vec<u8>,
    /// The room of all lines in here.
    room: Option<OwnedSemaphorePermit>,
}

impl Spill {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            file: tempfile::tempfile()?,
            read: 0,
            written: 0,
            head: Vec::new(),
            position: 0,
            tail: Vec::new(),
            room: None,
        })
    }

    /// Adds a line; returns what is no line, and what the disk does not take.
    pub(super) fn write(&mut self, unshown: Unshown) -> Option<Unshown> {
        let Unshown {
            event:
                Event {
                    at,
                    kind:
                        EventKind::Output {
                            host,
                            container,
                            stream,
                            line,
                        },
                },
            room: Some(room),
            ..
        } = &unshown
        else {
            return Some(unshown);
        };
        if self.tail.len() >= BLOCK && self.flush().is_err() {
            return Some(unshown);
        }
        let length = |text: &str| u32::try_from(text.len());
        // A container always has a name, so an empty one is none.
        let container = container.as_deref().unwrap_or_default();
        let (Ok(room), Ok(host_length), Ok(container_length), Ok(line_length)) = (
            u32::try_from(room.num_permits()),
            length(host),
            length(container),
            length(line),
        ) else {
            return Some(unshown);
        };
        self.tail.extend(room.to_le_bytes());
        self.tail.extend(at.as_nanosecond().to_le_bytes());
        self.tail.push(u8::from(*stream == OutputStream::Stderr));
        self.tail.extend(host_length.to_le_bytes());
        self.tail.extend(container_length.to_le_bytes());
        self.tail.extend(line_length.to_le_bytes());
        self.tail.extend(host.as_bytes());
        self.tail.extend(container.as_bytes());
        self.tail.extend(line.as_bytes());
        if let Some(room) = unshown.room {
            match &mut self.room {
                Some(all) => all.merge(room),
                none => *none = Some(room),
            }
        }
        None
    }

    /// Takes the first line out.
    pub(super) fn read(&mut self) -> io::Result<Unshown> {
        let header = self.take(HEADER)?;
        let (room, rest) = header.split_at(4);
        let (at, rest) = rest.split_at(16);
        let (stream, lengths) = rest.split_at(1);
        let (host, lengths) = lengths.split_at(4);
        let (container, line) = lengths.split_at(4);
        let (room, host, line) = (number(room)?, number(host)?, number(line)?);
        let container = number(container)?;
        let at = i128::from_le_bytes(at.try_into().map_err(invalid)?);
        let stream = if stream == [1] {
            OutputStream::Stderr
        } else {
            OutputStream::Stdout
        };
        let host = String::from_utf8(self.take(host)?).map_err(invalid)?;
        let container = String::from_utf8(self.take(container)?).map_err(invalid)?;
        let line = String::from_utf8(self.take(line)?).map_err(invalid)?;
        let event = Event {
            at: Timestamp::from_nanosecond(at).map_err(invalid)?,
            kind: EventKind::Output {
                host,
                container: Some(container).filter(|name| !name.is_empty()),
                stream,
                line,
            },
        };
        let room = self.room.as_mut().and_then(|all| all.split(room));
        Ok(Unshown::output(event, room))
    }

    fn take(&mut self, length: usize) -> io::Result<Vec<u8>> {
        while self.head.len() - self.position < length {
            self.fill()?;
        }
        let start = self.position;
        self.position += length;
        Ok(self.head[start..self.position].to_vec())
    }

    /// Reads the next block, or takes what was not written yet.
    fn fill(&mut self) -> io::Result<()> {
        self.head.drain(..self.position);
        self.position = 0;
        if self.read == self.written {
            if self.tail.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.head.append(&mut self.tail);
            // All of it was read: the disk gets its space back.
            self.file.set_len(0)?;
            (self.read, self.written) = (0, 0);
            return Ok(());
        }
        self.file.seek(SeekFrom::Start(self.read))?;
        let block = (&self.file)
            .take(BLOCK as u64)
            .read_to_end(&mut self.head)?;
        if block == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.read += block as u64;
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.written))?;
        self.file.write_all(&self.tail)?;
        self.written += self.tail.len() as u64;
        self.tail.clear();
        Ok(())
    }
}

fn number(bytes: &[u8]) -> io::Result<usize> {
    let number = u32::from_le_bytes(bytes.try_into().map_err(invalid)?);
    usize::try_from(number).map_err(invalid)
}

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
