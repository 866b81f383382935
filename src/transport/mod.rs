//! SSH sessions. The only module that knows russh.
