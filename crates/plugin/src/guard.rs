//! Panics end on the plugin's side of the boundary.
//!
//! Every library carries its own copy of the standard library, so a hook that the host installs never sees a
//! panic in here; without one of our own the default hook would write into the middle of a progress bar.

use std::any::Any;
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
    // A panic that the stage caught itself must not speak for the one that ends the next call.
    drop(MESSAGE.take());
    let result = catch_inside(call);
    GUARDED.set(outer);
    result
}

/// The same inside of a call that [`catch`] runs, such as for one document of a batch: without what has to be
/// done once a call, which costs more than a small stage does.
pub(crate) fn catch_inside<R>(call: impl FnOnce() -> R) -> Result<R, String> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|payload| {
        let message = explain(MESSAGE.take(), text(&*payload));
        discard(payload);
        message
    })
}

/// The message of the hook, unless the payload says that it belongs to another panic: one that was resumed, or
/// came from a thread that the stage joined, never met the hook on this thread.
fn explain(hooked: Option<String>, payload: Option<&str>) -> String {
    match (hooked, payload) {
        (Some(message), Some(payload)) if message.contains(payload) => message,
        (_, Some(payload)) => format!("the stage panicked: {payload}"),
        (Some(message), None) => message,
        (None, None) => "the stage panicked without a message".to_owned(),
    }
}

fn text(payload: &(dyn Any + Send)) -> Option<&str> {
    payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str))
}

/// A payload of another type may have a `drop` that panics and would take the process down after all.
fn discard(payload: Box<dyn Any + Send>) {
    if text(&*payload).is_none() {
        std::mem::forget(payload);
    }
}

fn install_hook() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !GUARDED.get() {
                return previous(panic);
            }
            // A second panic before the first was caught ends the process: then it must not do so in silence.
            if MESSAGE.replace(Some(message(panic))).is_some() {
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

    #[test]
    fn a_panic_that_was_caught_inside_does_not_speak_for_another() {
        let result: Result<(), String> = catch(|| {
            let inner = catch_unwind(|| panic!("inner")).expect_err("panics");
            drop(inner);
            std::panic::resume_unwind(Box::new("outer".to_owned()));
        });
        assert_eq!(result, Err("the stage panicked: outer".to_owned()));
    }

    #[test]
    fn a_payload_without_a_text_is_told_all_the_same() {
        let result: Result<(), String> = catch(|| std::panic::resume_unwind(Box::new(7)));
        assert_eq!(result, Err("the stage panicked without a message".to_owned()));
    }
}
