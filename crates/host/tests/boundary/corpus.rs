//! Corpus stages: their place on the disk, and states that are streamed.

use std::io::{self, Read, Write};
use std::sync::Mutex;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tamis_document::{Document, Record};
use tamis_plugin::{CorpusStage, Draft, Failure, SetupError, Verdict, View, Workspace};
use tamis_stage::handle::{CorpusHandle, Effects, OpenStage};

use crate::breach;

/// Collects positions.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Options {
    /// How often it observes.
    passes: u32,
    /// What goes wrong.
    trouble: String,
}

/// Remembers the positions of all documents, as often as it is told to.
pub(crate) struct Positions {
    options: Options,
    seen: Mutex<Vec<u128>>,
    place: Mutex<Option<Workspace>>,
}

impl CorpusStage for Positions {
    const NAME: &'static str = "positions";
    const OBSERVING_PASSES: u32 = 2;
    type Options = Options;
    type Local = Vec<u128>;

    fn open(options: Options) -> Result<Self, SetupError> {
        Ok(Self { options, seen: Mutex::default(), place: Mutex::default() })
    }

    fn passes(&self) -> u32 {
        assert_ne!(self.options.trouble, "passes", "no number");
        self.options.passes
    }

    fn prepare(&self, workspace: &Workspace) -> Result<(), Failure> {
        assert_ne!(self.options.trouble, "prepare", "no place");
        *self.place.lock().unwrap() = Some(workspace.clone());
        if workspace.memory < 1000 { Err(Failure::new("1000 bytes are needed")) } else { Ok(()) }
    }

    fn observe(&self, _: u32, local: &mut Self::Local, document: &View<'_>) -> Result<(), Failure> {
        local.push(document.position());
        Ok(())
    }

    fn merge(&self, _: u32, local: Self::Local) {
        let mut seen = self.seen.lock().unwrap();
        seen.extend(local);
        seen.sort_unstable();
    }

    fn apply(&self, draft: &mut Draft<'_>) -> Result<Verdict, Failure> {
        let place = self.place.lock().unwrap();
        let seen = self.seen.lock().unwrap().len();
        draft.set_text(format!("{} of {seen}, {place:?}", draft.original().position()));
        Ok(Verdict::Keep)
    }

    fn save(&self, _: u32, out: &mut dyn Write) -> Result<(), Failure> {
        for position in self.seen.lock().unwrap().iter() {
            let written = out.write_all(&position.to_le_bytes());
            // A stage that does not look writes no half state.
            if self.options.trouble != "careless" {
                written.map_err(Failure::new)?;
            }
            assert_ne!(self.options.trouble, "save", "no state");
        }
        Ok(())
    }

    fn load(&self, _: u32, state: &mut dyn Read) -> Result<(), Failure> {
        assert_ne!(self.options.trouble, "load", "no such state");
        let mut bytes = Vec::new();
        let read = state.read_to_end(&mut bytes);
        if self.options.trouble != "careless" {
            read.map_err(Failure::new)?;
        }
        let (positions, rest) = bytes.as_chunks::<16>();
        self.merge(0, positions.iter().map(|bytes| u128::from_le_bytes(*bytes)).collect());
        if rest.is_empty() { Ok(()) } else { Err(Failure::new("half a position")) }
    }
}

fn try_stage(passes: u32, trouble: &str) -> Result<Box<dyn CorpusHandle>, String> {
    let stages = tamis_host::bundled(crate::plugin()).unwrap();
    let stage = stages.into_iter().find(|stage| stage.info().name == "positions").unwrap();
    match stage.open(&json!({ "passes": passes, "trouble": trouble })) {
        Ok(OpenStage::Corpus(corpus)) => Ok(corpus),
        Ok(_) => panic!("it is a corpus stage"),
        Err(error) => Err(error.to_string()),
    }
}

fn stage(trouble: &str) -> Box<dyn CorpusHandle> {
    try_stage(2, trouble).unwrap()
}

/// Shows so many records to a stage.
fn observe(stage: &dyn CorpusHandle, n: u128) {
    let mut records: Vec<_> =
        (0..n).map(|position| Record { position: position << 70, ..Record::default() }).collect();
    stage.observe(0, &mut records, &mut Effects::default());
    stage.merge(0).unwrap();
}

fn workspace(memory: u64) -> Workspace {
    Workspace { scratch: "/scratch/字".into(), keep: "/keep".into(), memory, threads: 3 }
}

#[test]
fn an_instance_says_how_often_it_observes() {
    for passes in 0..=2 {
        assert_eq!(try_stage(passes, "").unwrap().observing_passes(), passes);
    }
    let too_often = try_stage(3, "").err().unwrap();
    let expected = "it wants to observe 3 times, and its table says at most 2";
    assert!(breach("positions", expected).ends_with(&too_often), "{too_often}");
    assert!(try_stage(2, "passes").err().unwrap().starts_with("the stage panicked: "));
}

#[test]
fn a_stage_gets_its_place() {
    let stage = stage("");
    stage.prepare(&workspace(5000)).unwrap();
    observe(&*stage, 3);
    let mut records = [Record { position: 1 << 70, ..Record::from(Document::new("a", "text")) }];
    stage.apply(&mut records, &mut Effects::default());
    let expected = format!("{} of 3, {:?}", 1u128 << 70, Some(workspace(5000)));
    assert_eq!(records[0].document.text, expected);

    let refused = stage.prepare(&workspace(1)).unwrap_err().to_string();
    assert_eq!(refused, "stage `positions` of plugin `boundary`: 1000 bytes are needed");
    let panicked = self::stage("prepare").prepare(&workspace(1)).unwrap_err().to_string();
    assert!(panicked.contains("the stage panicked: assertion"), "{panicked}");
}

#[test]
fn a_state_of_a_form_of_its_own_has_nothing_for_engines() {
    let stage = stage("");
    observe(&*stage, 3);
    let (mut saved, mut out) = (Vec::new(), Vec::new());
    stage.save(0, &mut saved).unwrap();
    assert_eq!(stage.export_rows(0, &mut &saved[..], &mut out).unwrap(), None);
    let refused = stage.keep_entries(&mut &saved[..], &mut &[1_u8][..], &mut out).unwrap_err().to_string();
    assert_eq!(refused, "its entries have no counts, so all of them stay: merge it as it is");
    assert!(!saved.is_empty() && out.is_empty());
}

/// Takes and gives so many bytes, in small pieces; then the disk is gone.
struct Disk {
    bytes: Vec<u8>,
    left: usize,
    at: usize,
}

impl Disk {
    fn new(bytes: &[u8], left: usize) -> Self {
        Self { bytes: bytes.to_vec(), left, at: 0 }
    }
}

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = bytes.len().min(1000);
        self.left = self.left.checked_sub(n).ok_or_else(|| io::Error::other("the disk is full"))?;
        self.bytes.extend(bytes.iter().take(n));
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Disk {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.at += 1;
        if self.at.is_multiple_of(3) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let n = buffer.len().min(1000).min(self.bytes.len());
        self.left = self.left.checked_sub(n).ok_or_else(|| io::Error::other("the disk is gone"))?;
        for (to, from) in buffer.iter_mut().zip(self.bytes.drain(..n)) {
            *to = from;
        }
        Ok(n)
    }
}

#[test]
fn a_state_is_streamed_out_and_in() {
    const N: u128 = 20_000;
    let (one, other) = (stage(""), stage(""));
    observe(&*one, N);
    let mut disk = Disk::new(&[], usize::MAX);
    one.save(0, &mut disk).unwrap();
    assert_eq!(disk.bytes.len() as u128, N * 16);
    other.load(0, &mut Disk::new(&disk.bytes, usize::MAX)).unwrap();
    let mut again = Vec::new();
    other.save(0, &mut again).unwrap();
    assert!(again == disk.bytes, "the same state comes back");

    let says = |message: &str| format!("stage `positions` of plugin `boundary`: {message}");
    for trouble in ["", "careless"] {
        let stage = stage(trouble);
        observe(&*stage, N);
        let full = stage.save(0, &mut Disk::new(&[], 100_000)).unwrap_err().to_string();
        assert_eq!(full, says("its state could not be written: the disk is full"), "{trouble}");
        let gone = stage.load(0, &mut Disk::new(&again, 100_000)).unwrap_err().to_string();
        assert_eq!(gone, says("its saved state could not be read: the disk is gone"), "{trouble}");
    }
    let half = other.load(0, &mut &again[..17]).unwrap_err().to_string();
    assert_eq!(half, says("half a position"));
    let broken = stage("save");
    observe(&*broken, 3);
    assert!(
        broken.save(0, &mut Vec::new()).unwrap_err().to_string().starts_with(&says("the stage panicked"))
    );
    let broken = stage("load");
    assert!(
        broken.load(0, &mut &again[..]).unwrap_err().to_string().starts_with(&says("the stage panicked"))
    );
}
