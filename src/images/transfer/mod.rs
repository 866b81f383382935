//! Images that go to a host over its SSH connection, as the archives of `docker save`.

pub mod send;
