//! Ctrl-C: the first asks a command to come to its end, the second ends it at once.

use std::sync::atomic::{AtomicBool, Ordering};

use super::Ui;
use crate::exit::Exit;

/// Sets `stop` on the first Ctrl-C; a second one ends the process.
pub(super) fn on_ctrl_c(stop: &'static AtomicBool, ui: Ui) {
    let set = ctrlc::set_handler(move || {
        if stop.swap(true, Ordering::Relaxed) {
            std::process::exit(Exit::Interrupted.code().into());
        }
    });
    if let Err(error) = set {
        ui.note(&format!("note: Ctrl-C will end the command without a report: {error}"));
    }
}
