//! The transport against an SSH server in this process, whose answers are scripted. All on 127.0.0.1, on
//! ports that the kernel chooses, with OpenSSH's files in temporary folders.

mod agent;
mod commands;
mod configuration;
mod home;
mod host_keys;
mod interactive;
mod jumps;
mod login;
mod memory;
mod reconnect;
mod server;
mod tunnels;
