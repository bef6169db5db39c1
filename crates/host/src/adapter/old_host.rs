//! A library of today under a host of ABI 1.1: it finds that functions are missing and does without.
//!
//! The host is that of today with a table that ends where that of 1.1 did, put between the library and the call.

use std::convert::Infallible;
use std::ffi::c_void;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use tamis_document::{Document, Fate, Record};
use tamis_plugin::{
    Attachment, Block, Draft, Emit, Extractor, Failure, Flat, NewDocument, NoOptions, PluginBuilder, Reader,
    SetupError, Verdict,
};
use tamis_stage::PluginOrigin;
use tamis_stage::handle::{Effects, OpenStage};

use super::*;
use crate::descriptor;

/// Uses what 1.2 brought.
struct Modern;

struct Length;

impl Attachment for Length {
    fn bytes(&self) -> usize {
        0
    }
}

static MADE: AtomicUsize = AtomicUsize::new(0);

impl Extractor for Modern {
    const NAME: &'static str = "modern";
    type Options = NoOptions;

    fn open(_: NoOptions) -> Result<Self, SetupError> {
        Ok(Self)
    }

    fn extract(&self, draft: &mut Draft<'_>) -> Result<Verdict, Failure> {
        for _ in 0..2 {
            let Ok(_) = draft.original().attachment(|_| {
                MADE.fetch_add(1, Ordering::Relaxed);
                Ok::<_, Infallible>(Length)
            });
            draft.original().attach("layout", 1, b"bytes");
        }
        assert_eq!((draft.original().flat("layout", 1), draft.origin()), (None, None));
        let mut part = Document::new("", "part");
        part.metadata.insert("rank", 1);
        draft.split_off(part);
        if draft.text() == "rename" {
            draft.set_id("another");
        }
        draft.set_metadata("seen", true);
        Ok(Verdict::Keep)
    }
}

impl Reader for Modern {
    const NAME: &'static str = "modern-lines";
    type Options = NoOptions;

    fn open(_: NoOptions) -> Result<Self, SetupError> {
        Ok(Self)
    }

    fn decode(&self, _: &Block<'_>, emit: &mut dyn Emit) -> Result<(), Failure> {
        let attachments = [Flat { name: "layout", version: 1, bytes: b"bytes" }];
        emit.document(&NewDocument { text: "text", attachments: &attachments, ..NewDocument::default() });
        Ok(())
    }
}

/// The table of a host as it was in 1.1.
fn as_of_1_1(host: *const abi::Host) -> abi::Host {
    // SAFETY: the host of a call that is going on, of today.
    let mut old = unsafe { *host };
    old.struct_size = std::mem::offset_of!(abi::Host, origin) as u32;
    old.abi_minor = 1;
    old
}

/// The functions of the library, behind those that stand in for the old host.
static TODAY: std::sync::OnceLock<(abi::ProcessFn, abi::DecodeFn)> = std::sync::OnceLock::new();

unsafe extern "C-unwind" fn process(
    instance: *mut c_void,
    local: *mut c_void,
    docs: *const abi::Document,
    n: usize,
    host: *const abi::Host,
) -> i32 {
    let (process, _) = TODAY.get().expect("set before it is called");
    // SAFETY: as the host calls it; the table outlives the call.
    unsafe { process(instance, local, docs, n, &raw const *Box::leak(Box::new(as_of_1_1(host)))) }
}

unsafe extern "C-unwind" fn decode(
    instance: *mut c_void,
    block: *const abi::Block,
    host: *const abi::Host,
) -> i32 {
    let (_, decode) = TODAY.get().expect("set before it is called");
    // SAFETY: as above.
    unsafe { decode(instance, block, &raw const *Box::leak(Box::new(as_of_1_1(host)))) }
}

/// The stages of a library that meets an old host.
fn stages() -> [OpenStage; 2] {
    let plugin =
        PluginBuilder::new("modern", "1.0.0", "MIT").extractor::<Modern>().reader::<Modern>().finish();
    let plugin = Box::leak(Box::new(plugin)).as_abi();
    // SAFETY: made by the SDK, all of it static.
    let checked = unsafe { descriptor::check(plugin, PluginOrigin::Bundled) }.expect("a sound descriptor");
    let [mut extractor, mut reader] = [checked.stages[0], checked.stages[1]];
    // SAFETY: the descriptor was checked.
    let (transform, blocks) = unsafe { (*extractor.stage.transform, *reader.stage.reader) };
    TODAY.get_or_init(|| (transform.process.expect("checked"), blocks.decode.expect("checked")));
    let transform = abi::Transform { process: Some(process), ..transform };
    let blocks = abi::Reader { decode: Some(decode), ..blocks };
    let leak = |stage| &*Box::leak(Box::new(stage));
    extractor.stage = leak(abi::Stage { transform: Box::leak(Box::new(transform)), ..*extractor.stage });
    reader.stage = leak(abi::Stage { reader: Box::leak(Box::new(blocks)), ..*reader.stage });
    let infos = &checked.description.stages;
    [(extractor, &infos[0]), (reader, &infos[1])]
        .map(|(table, info)| open(table, info, &json!({})).expect("it opens with its defaults"))
}

#[test]
fn a_library_of_today_does_without_what_an_older_host_lacks() {
    let [OpenStage::Transform(extractor), OpenStage::Reader(reader)] = stages() else {
        panic!("an extractor and a reader")
    };
    let mut records = ["stay", "rename"].map(|text| {
        let mut document = Document::new("id", text);
        document.metadata.insert("site", "s");
        Record::from(document)
    });
    let mut effects = Effects::default();
    extractor.process(&mut records, &mut effects);
    assert_eq!(MADE.load(Ordering::Relaxed), 4, "nothing can be left with a text, so it is made again");
    assert!(records[0].is_kept() && records[0].attachments.is_empty());
    let [(0, part)] = effects.split.as_slice() else { panic!("{effects:?}") };
    let names: Vec<&str> = part.metadata.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["rank", "seen", "site"], "the library sees to what the host cannot");
    // What cannot be done without is said.
    let Fate::Failed(reason) = &records[1].fate else { panic!("{:?}", records[1]) };
    assert!(reason.contains("cannot give a document another id: update tamis"), "{reason}");

    let mut read = Vec::new();
    let block = Block { file: "file", head: &[], bytes: b"text", offset: 0, first_ordinal: 0 };
    reader.decode(&block, &mut read, &mut Effects::default()).expect("it reads");
    assert!(read[0].is_kept() && read[0].attachments.is_empty());
}
