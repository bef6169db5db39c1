//! Panics end on the plugin's side of the boundary.
//!
//! Every library carries its own copy of the standard library, so a hook that the host installs never sees a
//! panic in here; without one of our own the default hook would write into the middle of a progress bar.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

#[cfg(panic = "abort")]
compile_error!(
    "tamis plugins must be built with panic = \"unwind\": with \"abort\" one bad document would end the whole run; \
     remove `panic = \"abort\"` from the profile"
);

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
    static MESSAGE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs `call`; a panic becomes its message and place.
///
/// The state that `call` borrows may be half-changed after a panic: drop it, or let it be immutable.
pub(crate) fn catch<R>(call: impl FnOnce() -> R) -> Result<R, String> {
    install_hook();
    let outer = GUARDED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(call));
    GUARDED.set(outer);
    result.map_err(|payload| {
        // A payload whose own `drop` panics would take the process down after all.
        std::mem::forget(payload);
        MESSAGE.take().unwrap_or_else(|| "the stage panicked without a message".to_owned())
    })
}

fn install_hook() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if GUARDED.get() {
                MESSAGE.set(Some(message(panic)));
            } else {
                previous(panic);
            }
        }));
    });
}

fn message(panic: &std::panic::PanicHookInfo<'_>) -> String {
    let text = panic.payload_as_str().unwrap_or("no message");
    match panic.location() {
        Some(place) => format!("the stage panicked: {text} ({}:{})", place.file(), place.line()),
        None => format!("the stage panicked: {text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_its_message_and_place() {
        let result: Result<(), String> = catch(|| panic!("no {}", "luck"));
        let message = result.expect_err("panics");
        assert!(message.starts_with("the stage panicked: no luck ("), "{message}");
        assert!(message.contains("guard.rs:"), "{message}");
        assert_eq!(catch(|| 7), Ok(7));
    }
}
