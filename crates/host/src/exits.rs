//! A plugin that ends the process is an error, whatever exit code it gives.
//!
//! `exit` asks whoever has registered with `atexit` before the process ends, in the thread that has called it:
//! there the exit code is put right and the call is named.
//! `_exit`, `execve`, `abort` and signals ask nobody. Only another process could guard against these.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

use crate::calls;

/// The exit code of a process that a plugin has ended.
const EARLY_EXIT: i32 = 3;

type Tell = Arc<dyn Fn(&str) + Send + Sync>;

/// Whom to tell, one a guard: an exit ends all runs of the process.
static TELL: Mutex<Vec<Tell>> = Mutex::new(Vec::new());
/// The process that is guarded, or 0: a child that a plugin has forked may end as it likes.
static GUARDED: AtomicU32 = AtomicU32::new(0);

static FIRST: Once = Once::new();

/// The process is guarded until this is dropped, and until all others are that were made meanwhile.
#[must_use]
pub struct ExitGuard(Tell);

/// Makes an early `exit` of a plugin an error: `tell` gets a message that names the call that was going on, and
/// the process ends with exit code 3.
///
/// Whoever guards a process ends it himself with [`exit_now`] or after the guard was dropped: a program that embeds
/// Tamis and goes on afterwards guards as long as it runs plugins and no longer. Several guards are told one after the
/// other. On Windows nothing is guarded.
pub fn guard_exit(tell: impl Fn(&str) + Send + Sync + 'static) -> ExitGuard {
    let tell: Tell = Arc::new(tell);
    guards().push(Arc::clone(&tell));
    GUARDED.store(std::process::id(), Ordering::Release);
    // Libraries that come later do it again: once is enough here, however many runs a process makes.
    FIRST.call_once(register);
    ExitGuard(tell)
}

impl Drop for ExitGuard {
    fn drop(&mut self) {
        let mut guards = guards();
        guards.retain(|tell| !Arc::ptr_eq(tell, &self.0));
        if guards.is_empty() {
            GUARDED.store(0, Ordering::Release);
        }
    }
}

fn guards() -> MutexGuard<'static, Vec<Tell>> {
    // A list of pointers is never half-changed.
    TELL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Asks to be told of an exit before all that has asked so far, such as the libraries that were loaded: what they
/// do at an exit may crash or wait for a thread that does not come back.
pub(crate) fn register() {
    #[cfg(unix)]
    {
        // SAFETY: the function is in the program itself, which is never unloaded. It fails for want of memory
        // only; then those that registered before are asked.
        unsafe { nix::libc::atexit(early_exit) };
        #[cfg(target_os = "linux")]
        // SAFETY: as above.
        unsafe {
            at_quick_exit(early_exit)
        };
    }
}

#[cfg(target_os = "linux")]
unsafe extern "C" {
    fn at_quick_exit(callback: extern "C" fn()) -> nix::libc::c_int;
}

#[cfg(unix)]
extern "C" fn early_exit() {
    let this = std::process::id();
    // Once: what is called below could exit as well.
    if GUARDED.compare_exchange(this, 0, Ordering::AcqRel, Ordering::Acquire).is_err() {
        return;
    }
    let told = std::panic::catch_unwind(|| {
        // Not held while somebody is told, who may drop his guard.
        let tell = guards().clone();
        let message = message();
        for tell in &tell {
            tell(&message);
        }
    });
    // Nobody is left to be told that nothing could be told; the exit code says it.
    drop(told);
    exit_now(EARLY_EXIT)
}

fn message() -> String {
    let advice = "mend or remove it and run again: what was written whole is gone on with";
    if let Some(call) = calls::here() {
        return format!("{call} has ended the process by calling `exit`: {advice}");
    }
    // A thread of its own, or a constructor while it is loaded.
    let open: Vec<_> =
        calls::open_calls(None, std::time::Duration::ZERO).iter().map(ToString::to_string).collect();
    let open = if open.is_empty() { "no call".to_owned() } else { open.join(", ") };
    format!(
        "a plugin has ended the process by calling `exit` outside of a call ({open} was going on): {advice}"
    )
}

/// Ends the process at once: neither destructors nor what libraries have asked for at an exit is run, which could
/// wait for a thread that does not come back.
#[cfg(unix)]
pub fn exit_now(code: i32) -> ! {
    // SAFETY: may be called at any time and by any thread.
    unsafe { nix::libc::_exit(code) }
}
