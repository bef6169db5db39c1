//! A reader of lines, a stage and two exporters that tests hook into, and a place to run them in.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex, mpsc};
use std::time::Duration;

use serde_json::{Value, json};
use tamis_config::{Opened, Overrides, Pipeline, Plan};
use tamis_document::{Document, Fate, Origin, Record};
use tamis_runner::{Manifest, Report, RunError, Settings};
use tamis_stage::handle::{
    CorpusHandle, Effects, ExporterHandle, IndexedFile, OpenStage, ReaderHandle, TransformHandle,
};
use tamis_stage::{
    Block, Cut, Failure, Kind, Output, PluginInfo, RandomAccess, Registry, RunContext, SetupError, Split,
    StageFactory, StageFlags, StageInfo,
};

/// Long enough for the slowest machine; a run that takes it hangs.
const HANGS: Duration = Duration::from_mins(1);

type OnRecords = dyn Fn(&mut [Record], &mut Effects) + Send + Sync;
type OnBytes = dyn Fn(&[u8]) -> Result<(), Failure> + Send + Sync;
type OnEncode = dyn Fn(&Record, &mut Output) -> Result<(), Failure> + Send + Sync;
type OnTail = dyn Fn() -> Result<Vec<u8>, Failure> + Send + Sync;

/// What the stages of a test do beside their work.
#[derive(Clone)]
pub(crate) struct Hooks {
    pub(crate) cut: Arc<OnBytes>,
    pub(crate) decode: Arc<OnBytes>,
    pub(crate) process: Arc<OnRecords>,
    pub(crate) encode: Arc<OnEncode>,
    pub(crate) tail: Arc<OnTail>,
}

impl Default for Hooks {
    fn default() -> Self {
        Self {
            cut: Arc::new(|_| Ok(())),
            decode: Arc::new(|_| Ok(())),
            process: Arc::new(|_, _| {}),
            encode: Arc::new(|record, out| {
                out.bytes.extend_from_slice(line(record).as_bytes());
                Ok(())
            }),
            tail: Arc::new(|| Ok(Vec::new())),
        }
    }
}

/// A record as the exporters write it.
fn line(record: &Record) -> String {
    let document = &record.document;
    let fate = match &record.fate {
        Fate::Kept => String::new(),
        Fate::Dropped(reason) => format!(" dropped: {reason}"),
        Fate::Failed(reason) => format!(" failed: {reason}"),
    };
    let origin = &document.origin;
    format!("{} {}+{} {:.20}{fate}\n", document.id, origin.offset, origin.length, document.text)
}

/// One record a line, its text the line; an empty line is none.
struct Lines(Hooks);

impl ReaderHandle for Lines {
    fn sniff(&self, _: &[u8], _: bool, _: &str) -> u8 {
        1
    }

    fn cut(&self, block: &Block<'_>, end: bool) -> Result<Cut, Failure> {
        let bytes = block.bytes;
        (self.0.cut)(bytes)?;
        let length = match bytes.iter().rposition(|byte| *byte == b'\n') {
            _ if end => bytes.len(),
            Some(newline) => newline + 1,
            None => return Ok(Cut::More),
        };
        let records = bytes[..length].split_inclusive(|byte| *byte == b'\n').count() as u64;
        Ok(Cut::At { bytes: length, records })
    }

    fn decode(&self, block: &Block<'_>, records: &mut Vec<Record>, _: &mut Effects) -> Result<(), Failure> {
        (self.0.decode)(block.bytes)?;
        let mut offset = block.offset;
        for (ordinal, line) in (block.first_ordinal..).zip(block.bytes.split_inclusive(|byte| *byte == b'\n'))
        {
            let text = String::from_utf8_lossy(line);
            let mut document = Document::new(format!("{}#{ordinal}", block.file), text.trim_end());
            let length = line.len() as u64;
            document.origin = Origin { file: Arc::from(block.file), offset, length, ordinal };
            offset += length;
            if !document.text.is_empty() {
                records.push(Record::from(document));
            }
        }
        Ok(())
    }
}

/// Takes a file as a whole.
struct Whole(Hooks);

impl ReaderHandle for Whole {
    fn sniff(&self, _: &[u8], _: bool, _: &str) -> u8 {
        1
    }

    fn cut(&self, block: &Block<'_>, end: bool) -> Result<Cut, Failure> {
        Ok(if end { Cut::At { bytes: block.bytes.len(), records: 1 } } else { Cut::More })
    }

    fn decode(&self, block: &Block<'_>, records: &mut Vec<Record>, _: &mut Effects) -> Result<(), Failure> {
        (self.0.decode)(block.bytes)?;
        let text = String::from_utf8_lossy(block.bytes);
        records.push(Record::from(Document::new(format!("{}#{}", block.file, block.first_ordinal), text)));
        Ok(())
    }
}

/// How many lines one part of a file with an index has.
const PART_LINES: usize = 7;

/// One record a line, in parts that can be decoded in any order.
struct Rows;

struct RowsOfFile {
    file: String,
    parts: Vec<String>,
    splits: Vec<Split>,
}

impl ReaderHandle for Rows {
    fn sniff(&self, _: &[u8], _: bool, _: &str) -> u8 {
        1
    }

    fn index(
        &self,
        file: &str,
        bytes: Arc<dyn RandomAccess>,
        _: u64,
    ) -> Result<Box<dyn IndexedFile>, Failure> {
        let mut text = vec![0; usize::try_from(bytes.size()).unwrap()];
        bytes.read_at(0, &mut text).map_err(|error| Failure::new(error.to_string()))?;
        let text = String::from_utf8(text).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let parts: Vec<String> = lines.chunks(PART_LINES).map(|lines| lines.join("\n")).collect();
        let split = |(index, part): (usize, &String)| {
            let bytes = part.len() as u64;
            let (first_ordinal, records) = ((index * PART_LINES) as u64, part.lines().count() as u64);
            Split { token: [0; 2], bytes, weight: bytes, first_ordinal, records }
        };
        let splits = parts.iter().enumerate().map(split).collect();
        Ok(Box::new(RowsOfFile { file: file.to_owned(), parts, splits }))
    }

    fn cut(&self, _: &Block<'_>, _: bool) -> Result<Cut, Failure> {
        Err(Failure::new("files have an index"))
    }

    fn decode(&self, _: &Block<'_>, _: &mut Vec<Record>, _: &mut Effects) -> Result<(), Failure> {
        Err(Failure::new("files have an index"))
    }
}

impl IndexedFile for RowsOfFile {
    fn splits(&self) -> &[Split] {
        &self.splits
    }

    fn decode(&self, split: usize, records: &mut Vec<Record>, _: &mut Effects) -> Result<(), Failure> {
        for (ordinal, line) in (self.splits[split].first_ordinal..).zip(self.parts[split].lines()) {
            let mut document = Document::new(format!("{}#{ordinal}", self.file), line);
            document.origin = Origin { file: Arc::from(self.file.as_str()), offset: 0, length: 0, ordinal };
            records.push(Record::from(document));
        }
        Ok(())
    }
}

struct Hook(Hooks);

impl TransformHandle for Hook {
    fn process(&self, records: &mut [Record], effects: &mut Effects) {
        (self.0.process)(records, effects);
    }
}

struct Writer(Hooks);

impl ExporterHandle for Writer {
    fn extension(&self) -> String {
        "txt".to_owned()
    }

    fn head(&self) -> Result<Vec<u8>, Failure> {
        Ok(Vec::new())
    }

    fn tail(&self) -> Result<Vec<u8>, Failure> {
        (self.0.tail)()
    }

    fn encode(&self, records: &[Record], out: &mut Output) -> Vec<(usize, Failure)> {
        let encode = |(index, record)| Some((index, (self.0.encode)(record, out).err()?));
        records.iter().enumerate().filter_map(encode).collect()
    }
}

/// Drops lines whose first word has come before: learns in a first pass which words come more than once, and in
/// a second, if there is one, which of their lines is the first.
struct Unique {
    passes: u32,
    hooks: Hooks,
    first: Mutex<BTreeMap<String, u128>>,
    ended: AtomicU32,
}

impl Unique {
    fn word(record: &Record) -> String {
        record.document.text.split(' ').nth(1).unwrap_or_default().to_owned()
    }
}

impl CorpusHandle for Unique {
    fn observing_passes(&self) -> u32 {
        self.passes
    }

    fn observe(&self, _: u32, records: &mut [Record], effects: &mut Effects) {
        (self.hooks.process)(records, effects);
        let mut first = self.first.lock().unwrap();
        for record in records {
            let least = first.entry(Self::word(record)).or_insert(record.position);
            *least = record.position.min(*least);
        }
    }

    fn merge(&self, _: u32) -> Result<(), Failure> {
        Ok(())
    }

    fn end_pass(&self, pass: u32) -> Result<(), Failure> {
        let ended = self.ended.fetch_add(1, Ordering::Relaxed);
        if ended == pass { Ok(()) } else { Err(Failure::new(format!("pass {pass} ends as number {ended}"))) }
    }

    fn apply(&self, records: &mut [Record], _: &mut Effects) {
        assert_eq!(self.ended.load(Ordering::Relaxed), self.passes, "applied before all was seen");
        let first = self.first.lock().unwrap();
        for record in records {
            if first.get(&Self::word(record)) != Some(&record.position) {
                record.fate = Fate::Dropped("seen".into());
            }
        }
    }

    fn save(&self, _: u32, out: &mut dyn Write) -> Result<(), Failure> {
        serde_json::to_writer(out, &*self.first.lock().unwrap()).map_err(Failure::new)
    }

    fn load(&self, _: u32, state: &mut dyn Read) -> Result<(), Failure> {
        let state: BTreeMap<String, u128> = serde_json::from_reader(state).map_err(Failure::new)?;
        let mut first = self.first.lock().unwrap();
        for (word, position) in state {
            let least = first.entry(word).or_insert(position);
            *least = position.min(*least);
        }
        Ok(())
    }
}

fn unique(hooks: Hooks, passes: u32) -> OpenStage {
    let (first, ended) = (Mutex::default(), AtomicU32::new(0));
    OpenStage::Corpus(Box::new(Unique { passes, hooks, first, ended }))
}

struct Fake {
    info: StageInfo,
    open: Box<dyn Fn() -> OpenStage + Send + Sync>,
}

impl StageFactory for Fake {
    fn info(&self) -> &StageInfo {
        &self.info
    }

    fn open_in(&self, _: &RunContext, _: &Value) -> Result<OpenStage, SetupError> {
        Ok((self.open)())
    }
}

fn info(name: &str, kind: Kind, flags: StageFlags) -> StageInfo {
    static PLUGIN: LazyLock<Arc<PluginInfo>> = LazyLock::new(Arc::default);
    StageInfo {
        measures: Vec::new(),
        name: name.to_owned(),
        kind,
        summary: String::new(),
        docs: String::new(),
        schema: json!({ "type": "object", "properties": {}, "additionalProperties": false }),
        reads: Vec::new(),
        writes: vec!["text".to_owned(), "*".to_owned()],
        flags,
        plugin: Arc::clone(&PLUGIN),
    }
}

pub(crate) fn registry(hooks: &Hooks) -> Registry {
    let none = StageFlags::default();
    let stream = StageFlags { byte_stream: true, ..none };
    let named = StageFlags { named_files: true, ..none };
    let whole = StageFlags { whole_file: true, ..none };
    let mut registry = Registry::new();
    let mut add = |name, kind, flags, open: Box<dyn Fn() -> OpenStage + Send + Sync>| {
        registry.add(Arc::new(Fake { info: info(name, kind, flags), open })).unwrap();
    };
    let with = |open: fn(Hooks) -> OpenStage| {
        let hooks = hooks.clone();
        Box::new(move || open(hooks.clone()))
    };
    add("lines", Kind::Reader, none, with(|hooks| OpenStage::Reader(Box::new(Lines(hooks)))));
    add("whole", Kind::Reader, whole, with(|hooks| OpenStage::Reader(Box::new(Whole(hooks)))));
    let indexed = StageFlags { random_access: true, ..none };
    add("rows", Kind::Reader, indexed, with(|_| OpenStage::Reader(Box::new(Rows))));
    add("hook", Kind::Extractor, none, with(|hooks| OpenStage::Transform(Box::new(Hook(hooks)))));
    add("unique", Kind::Corpus, none, with(|hooks| unique(hooks, 1)));
    add("unique-twice", Kind::Corpus, none, with(|hooks| unique(hooks, 2)));
    add("unique-known", Kind::Corpus, none, with(|hooks| unique(hooks, 0)));
    add("stream", Kind::Exporter, stream, with(|hooks| OpenStage::Exporter(Box::new(Writer(hooks)))));
    add("named", Kind::Exporter, named, with(|hooks| OpenStage::Exporter(Box::new(Writer(hooks)))));
    registry
}

/// A folder with inputs in `in` and output in `out`.
pub(crate) struct World {
    folder: tempfile::TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("in")).unwrap();
        Self { folder }
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// The plan of a pipeline: `lines`, `hook` and `stream`, unless the text names others.
    pub(crate) fn plan(&self, text: &str, hooks: &Hooks) -> Plan {
        let mut pipeline = String::new();
        for (table, default) in [
            ("[[source]]", "use = \"lines\"\npaths = [\"in\"]"),
            ("[[stage]]", "use = \"hook\""),
            ("[[export]]", "use = \"stream\"\npath = \"out\""),
        ] {
            if !text.contains(table) {
                pipeline += &format!("{table}\n{default}\n");
            }
        }
        pipeline += text;
        let pipeline = Pipeline::from_text("test.toml", &pipeline, self.folder.path(), &Overrides::default());
        let plan = pipeline.and_then(|pipeline| pipeline.plan(&registry(hooks), Vec::new()));
        plan.unwrap_or_else(|mistakes| panic!("{}", mistakes.render(false)))
    }

    /// A plan with its stages open.
    pub(crate) fn open(&self, text: &str, hooks: &Hooks) -> Opened {
        self.open_in(text, hooks, &RunContext::default())
    }

    /// The same for a run that the test may cancel.
    pub(crate) fn open_in(&self, text: &str, hooks: &Hooks, run: &RunContext) -> Opened {
        Opened::new(Arc::new(self.plan(text, hooks)), &registry(hooks), run).unwrap()
    }

    /// Runs a pipeline; panics when it hangs.
    pub(crate) fn run(&self, text: &str, hooks: &Hooks) -> Result<Report, RunError> {
        self.run_with(text, hooks, Settings::default())
    }

    pub(crate) fn run_with(&self, text: &str, hooks: &Hooks, settings: Settings) -> Result<Report, RunError> {
        self.run_in(text, hooks, settings, &RunContext::default())
    }

    pub(crate) fn run_in(
        &self,
        text: &str,
        hooks: &Hooks,
        settings: Settings,
        run: &RunContext,
    ) -> Result<Report, RunError> {
        let opened = self.open_in(text, hooks, run);
        let (sender, result) = mpsc::channel();
        std::thread::spawn(move || {
            let _ = sender.send(tamis_runner::run(opened, &settings, &()));
        });
        result.recv_timeout(HANGS).expect("the run hangs")
    }

    /// All files below a folder with their content, by name.
    pub(crate) fn files(&self, folder: &str) -> BTreeMap<String, String> {
        let mut files = BTreeMap::new();
        collect(&self.path(folder), &self.path(folder), &mut files);
        files
    }

    /// The files that a run wrote into `out`, without its manifest and what became of the records.
    pub(crate) fn output(&self) -> BTreeMap<String, String> {
        let mut files = self.files("out");
        files.retain(|name, _| {
            ![".tamis/fates", ".tamis/inputs", ".tamis/manifest.json"].iter().any(|own| name.ends_with(own))
        });
        files
    }

    pub(crate) fn manifest(&self) -> Manifest {
        Manifest::read(&self.path("out")).unwrap().expect("a manifest")
    }
}

fn collect(base: &Path, folder: &Path, files: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(base, &path, files);
        } else {
            let name = path.strip_prefix(base).unwrap().to_string_lossy().into_owned();
            files.insert(name, String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned());
        }
    }
}

/// `n` lines of some length, of which `line` is the text of one.
pub(crate) fn lines(n: usize) -> String {
    let lines: Vec<_> = (0..n).map(|line| format!("line {line} {}", ".".repeat(line % 90))).collect();
    lines.join("\n") + "\n"
}
