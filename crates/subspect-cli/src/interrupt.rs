//! Ctrl-C and SIGTERM: the first asks the work to stop at the next panel, the second stops at once.

use std::sync::atomic::{AtomicBool, Ordering};

static ASKED: AtomicBool = AtomicBool::new(false);

/// Whether the user asked to stop.
pub(crate) fn asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}

/// Installs the handler. A platform that refuses it keeps its default behaviour.
pub(crate) fn install() {
    let _ = ctrlc::set_handler(|| {
        if ASKED.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        crate::failure::line("note", "stopping as soon as possible; press Ctrl-C again to stop at once");
    });
}
