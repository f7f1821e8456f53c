//! Every suite of the workspace, in one binary.

mod bad_files;
mod structure;
