//! What may stand at the cursor of a command line that is being typed. The scripts of the shells ask for it by
//! `shipit complete`. It contacts no host, and says nothing of what is wrong in the files.

mod candidates;
mod line;
mod project;
mod script;

pub use candidates::complete;
pub use script::script;
