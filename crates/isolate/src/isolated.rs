//! The parent's side.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tamis_child::{Child, Framing, Starts};
use tamis_document::{Fate, Record};
use tamis_stage::handle::{Effects, OpenStage, TransformHandle};
use tamis_stage::{Forms, Isolation, Kind, LogLevel, RunContext, SetupError, StageInfo};

use crate::frames::{Setup, Welcome, apply, frame, json, request};

/// The counter of children that ended before they had answered.
const RESTARTS: &str = "isolate:restarts";
/// So many records are asked about at once, and about so many bytes: a child that ends costs what has to be asked again.
const BATCH: (usize, usize) = (256, 4 << 20);
/// The setting of the limit.
const SET_BY: &str = "stage_timeout_secs";
/// The child finds out itself that a document takes too long and says which; the parent waits for that so much longer.
const MARGIN: Duration = Duration::from_secs(10);
/// How long a stage may take to open.
const OPENING: Duration = Duration::from_mins(10);

/// A program that serves a stage ([`crate::serve()`]) when it is started with these arguments.
#[derive(Debug, Clone)]
pub struct Program {
    /// The file.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
}

impl Isolation for Program {
    fn open_in(
        &self,
        run: &RunContext,
        info: &StageInfo,
        options: &serde_json::Value,
        limit: Option<Duration>,
    ) -> Result<OpenStage, SetupError> {
        let setup = Setup {
            origin: info.plugin.origin.clone(),
            table: info.kind.table().to_owned(),
            name: info.name.clone(),
            options: options.clone(),
            limit_secs: limit.map(|limit| limit.as_secs_f64()),
        };
        let says = format!("stage `{}` of plugin `{}`, in a process of its own", info.name, info.plugin.name);
        let family = Family { program: self.clone(), setup, kind: info.kind, limit, says, run: run.clone() };
        let (child, forms, counters) = family.start()?;
        let isolated = Isolated {
            family,
            forms,
            counters,
            starts: Starts::default(),
            // The one that was asked whether it opens is the first to work.
            idle: Mutex::new(vec![child]),
        };
        Ok(OpenStage::Transform(Box::new(isolated)))
    }
}

/// Children of one kind.
struct Family {
    program: Program,
    setup: Setup,
    kind: Kind,
    limit: Option<Duration>,
    /// Begins messages.
    says: String,
    run: RunContext,
}

/// A stage whose work children do: as many as there are workers that need one at once.
struct Isolated {
    family: Family,
    forms: Forms,
    counters: Vec<String>,
    starts: Starts,
    idle: Mutex<Vec<Child>>,
}

impl Family {
    /// Starts a child, and asks it to open the stage.
    fn start(&self) -> Result<(Child, Forms, Vec<String>), SetupError> {
        let mut command = Command::new(&self.program.program);
        command.args(&self.program.arguments);
        let mut child = Child::start(command, Framing::Sized).map_err(SetupError::new)?;
        child.send(frame(&json(&self.setup)));
        let answered = child.answer(OPENING, "isolate").map_err(SetupError::new)?;
        match serde_json::from_slice(&answered) {
            Ok(Welcome::Open { forms, counters }) => Ok((child, Forms::from_bits(forms), counters)),
            Ok(Welcome::Refused { message, option: Some(option) }) => {
                Err(SetupError::in_option(option, message))
            }
            Ok(Welcome::Refused { message, option: None }) => Err(SetupError::new(message)),
            Err(error) => {
                Err(SetupError::new(child.with_errors(&format!("its first answer cannot be read: {error}"))))
            }
        }
    }

    /// Asks a child about records.
    fn ask(&self, child: &mut Child, records: &mut [Record], effects: &mut Effects) -> Result<(), String> {
        child.send(frame(&request(records)));
        let all = |limit: Duration| limit.saturating_mul(u32::try_from(records.len()).unwrap_or(u32::MAX));
        let timeout = self.limit.map_or(Duration::MAX, |limit| all(limit).saturating_add(MARGIN));
        let answered = child.answer(timeout, SET_BY);
        for line in child.take_errors() {
            self.run.log(LogLevel::Warning, &format!("{}: {line}", self.says));
        }
        apply(self.kind, &answered?, records, effects).ok_or_else(|| "its answer cannot be read".to_owned())
    }
}

impl Isolated {
    /// Has a child process records; if it cannot, they are as they were and the child is gone.
    fn ask(&self, records: &mut [Record], effects: &mut Effects) -> Result<(), String> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = idle().pop();
        let start = || self.family.start().map(|(child, ..)| child).map_err(|error| error.to_string());
        let mut child = waiting.map_or_else(|| self.starts.start(start), Ok)?;
        let asked = self.family.ask(&mut child, records, effects);
        match asked {
            Ok(()) => idle().push(child),
            Err(_) => *effects.counts.entry(RESTARTS.to_owned()).or_default() += 1,
        }
        asked
    }

    /// What to do when a batch was not answered: the documents come again alone, so that only one is to blame.
    fn ask_alone(&self, records: &mut [Record], first: usize, effects: &mut Effects) {
        for (index, record) in records.iter_mut().enumerate() {
            let mut alone = Effects::default();
            let asked = self.ask(std::slice::from_mut(record), &mut alone);
            absorb(alone, first + index, effects);
            if let Err(why) = asked {
                record.fate = Fate::Failed(format!("{}: {why}", self.family.says).into());
            }
        }
    }
}

impl TransformHandle for Isolated {
    fn forms(&self) -> Forms {
        self.forms
    }

    fn counters(&self) -> &[String] {
        &self.counters
    }

    fn process(&self, records: &mut [Record], effects: &mut Effects) {
        let mut first = 0;
        while first < records.len() {
            let n = batch(&records[first..]);
            let records = &mut records[first..first + n];
            let mut together = Effects::default();
            let asked = self.ask(records, &mut together);
            absorb(together, first, effects);
            if asked.is_err() {
                self.ask_alone(records, first, effects);
            }
            first += n;
        }
    }
}

/// How many of these records are asked about at once; at least one.
fn batch(records: &[Record]) -> usize {
    let mut bytes = 0;
    let fits = |record: &&Record| {
        bytes += record.document.size();
        bytes <= BATCH.1
    };
    records.iter().take(BATCH.0).take_while(fits).count().max(1)
}

/// Adds what was done to records of which the first is that with this index.
fn absorb(part: Effects, first: usize, effects: &mut Effects) {
    for (name, n) in part.counts {
        *effects.counts.entry(name).or_default() += n;
    }
    for (name, sketch) in part.measures {
        effects.measures.entry(name).or_default().add(sketch);
    }
    effects.split.extend(part.split.into_iter().map(|(parent, document)| (first + parent, document)));
}
