//! The command `cosell`.

fn main() {}
