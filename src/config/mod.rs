//! Raw file structs.
