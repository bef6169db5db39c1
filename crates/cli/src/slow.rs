//! The document at which a stage is taking long, for whoever watches a run.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tamis_host::{OpenCall, Watchdog, open_calls};
use tamis_stage::RunContext;

use crate::names;

/// How long a stage must be at one document before that is shown. Much less than after what it is warned of: a bar is
/// looked at now, and forgets.
const LIMIT: Duration = Duration::from_secs(3);

/// Calls that take long, as long as they do.
#[derive(Default)]
pub(crate) struct Slow(Mutex<Vec<(OpenCall, Instant)>>);

impl Slow {
    /// Begins to look after the calls of a run, until what is returned is dropped.
    ///
    /// # Errors
    ///
    /// When no thread can be started.
    pub(crate) fn watch(slow: &Arc<Self>, run: &RunContext) -> std::io::Result<Watchdog> {
        let slow = Arc::clone(slow);
        Watchdog::start(run, LIMIT, move |call| slow.note(call, Instant::now()))
    }

    fn note(&self, call: &OpenCall, now: Instant) {
        let since = now.checked_sub(call.lasts).unwrap_or(now);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((call.clone(), since));
    }

    /// The one that has taken longest, in words.
    pub(crate) fn longest(&self) -> Option<String> {
        self.longest_of(&open_calls(None, LIMIT), Instant::now())
    }

    fn longest_of(&self, open: &[OpenCall], now: Instant) -> Option<String> {
        let mut slow = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = |a: &OpenCall, b: &OpenCall| a.stage == b.stage && a.subject == b.subject;
        slow.retain(|(call, _)| open.iter().any(|other| is_same(call, other)));
        let (call, since) = slow.iter().min_by_key(|(_, since)| *since)?;
        let seconds = names::plural(now.duration_since(*since).as_secs(), "second", "seconds");
        Some(format!("slow: `{}` at {}, for {seconds}", call.stage, call.subject))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_shown_as_long_as_it_is_at_the_same_document() {
        let call = |document: &str| OpenCall {
            stage: "clean".to_owned(),
            plugin: "demo".to_owned(),
            subject: format!("document `{document}`"),
            document: Some(document.to_owned()),
            lasts: Duration::from_secs(3),
        };
        let (slow, now) = (Slow::default(), Instant::now());
        slow.note(&call("a"), now);
        slow.note(&call("b"), now + Duration::from_secs(1));
        let later = now + Duration::from_secs(4);
        let said = |open: &[OpenCall]| slow.longest_of(open, later);
        let both = [call("b"), call("a")];
        assert_eq!(said(&both).as_deref(), Some("slow: `clean` at document `a`, for 7 seconds"));
        assert_eq!(said(&both[..1]).as_deref(), Some("slow: `clean` at document `b`, for 6 seconds"));
        assert_eq!(said(&[call("c")]), None);
        assert_eq!(said(&both), None, "what was over does not come back by itself");
    }
}
