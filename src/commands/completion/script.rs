//! The scripts that the shells read.

use clap_complete::Shell;

/// The completions of a shell. Bash, zsh and fish ask the program at every TAB; the scripts of the others know the
/// commands and options of this version.
pub fn script(shell: Shell, program: &clap::Command) -> String {
    match shell {
        Shell::Bash => include_str!("scripts/shipit.bash").to_owned(),
        Shell::Zsh => include_str!("scripts/shipit.zsh").to_owned(),
        Shell::Fish => include_str!("scripts/shipit.fish").to_owned(),
        _ => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut program.clone(), "shipit", &mut text);
            String::from_utf8_lossy(&text).into_owned()
        }
    }
}
