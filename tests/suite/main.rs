//! Every suite of the workspace, in one binary.

mod structure;
