//! The child's side.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};

use tamis_stage::handle::{Effects, OpenStage, TransformHandle};
use tamis_stage::{Kind, SetupError};

use crate::frames::{Setup, Welcome, answer, frame, json, requested};

/// An opened stage, and of which kind it is.
type Opened = (OpenStage, Kind);

/// Answers on `output` what is asked on `input`, until that ends: the first frame says which stage it is, `open` opens it,
/// and each one behind it holds records.
///
/// `gone` is called when the input ends while an answer is owed, so when the parent is no longer there: a stage that does
/// not come back would work for nobody, for ever.
///
/// # Errors
///
/// When the answers cannot be written, or what comes is no question.
pub fn serve(
    input: impl Read + Send + 'static,
    mut output: impl Write,
    open: impl FnOnce(&Setup) -> Result<Opened, SetupError>,
    gone: impl Fn() + Send + 'static,
) -> io::Result<()> {
    let is_busy = Arc::new(AtomicBool::new(false));
    let (read, frames) = mpsc::channel();
    let busy = Arc::clone(&is_busy);
    std::thread::spawn(move || {
        hear(input, &read, &busy);
        if busy.load(Ordering::SeqCst) {
            gone();
        }
    });
    let mut stage = None;
    let mut open = Some(open);
    for bytes in frames {
        let answered = match (&stage, open.take()) {
            (Some(stage), _) => process(stage, &bytes)?,
            (None, Some(open)) => {
                let setup: Setup = serde_json::from_slice(&bytes)?;
                let (welcome, opened) = welcome(open(&setup));
                stage = opened;
                json(&welcome)
            }
            // The stage was refused, and that was said.
            (None, None) => return Ok(()),
        };
        // Before the answer, behind which the parent may go.
        is_busy.store(false, Ordering::SeqCst);
        output.write_all(&frame(&answered))?;
        output.flush()?;
    }
    Ok(())
}

/// Hands on frames until the input ends.
fn hear(mut input: impl Read, read: &Sender<Vec<u8>>, is_busy: &AtomicBool) {
    loop {
        let mut length = [0; 8];
        if input.read_exact(&mut length).is_err() {
            return;
        }
        let mut bytes = Vec::new();
        let length = u64::from_le_bytes(length);
        // Nobody asks before he was answered, so this is the only question.
        is_busy.store(true, Ordering::SeqCst);
        let n = input.by_ref().take(length).read_to_end(&mut bytes);
        if n.ok().is_none_or(|n| n as u64 != length) || read.send(bytes).is_err() {
            return;
        }
    }
}

/// An open filter or extractor.
struct Stage {
    handle: Box<dyn TransformHandle>,
    kind: Kind,
}

fn welcome(opened: Result<Opened, SetupError>) -> (Welcome, Option<Stage>) {
    let refused = |message: String, option| (Welcome::Refused { message, option }, None);
    match opened {
        Ok((OpenStage::Transform(handle), kind)) => {
            let open =
                Welcome::Open { forms: handle.forms().to_bits(), counters: handle.counters().to_vec() };
            (open, Some(Stage { handle, kind }))
        }
        Ok(_) => refused("it is no filter and no extractor".to_owned(), None),
        Err(error) => refused(error.to_string(), error.option().map(str::to_owned)),
    }
}

fn process(stage: &Stage, bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut records = requested(bytes).ok_or_else(|| io::Error::other("these are no records"))?;
    let mut effects = Effects::default();
    stage.handle.process(&mut records, &mut effects);
    Ok(answer(stage.kind, &records, effects))
}
