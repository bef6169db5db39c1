//! The C boundary, type by type as in `include/tamis_plugin.h`, where every member is explained.
//!
//! Only a host needs this module, and whoever writes a plugin by hand; a Rust author uses the traits and
//! [`export_plugin!`](crate::export_plugin).
//! A test compiles the header and compares size and offset of every member with this file.

#![allow(
    missing_docs,
    reason = "the header beside this file documents every member; two texts would drift apart"
)]

use std::ffi::c_void;

use tamis_document::Form;

pub const MAJOR: u32 = 1;
pub const MINOR: u32 = 3;
pub const MAGIC: u64 = 0x3153_494d_4154_4c50;
/// The exported symbol is this, followed by the stem of the library file.
pub const ENTRY_PREFIX: &str = "tamis_plugin_v1_";

pub const NULL: u32 = 0;
pub const BOOL: u32 = 1;
pub const INTEGER: u32 = 2;
pub const FLOAT: u32 = 3;
pub const STRING: u32 = 4;
pub const JSON: u32 = 5;

pub const HAS_RAW: u64 = 1;
pub const INHERITS: u64 = 2;
/// The two bits in which the form of a text stands; 0 is none.
pub const FORM: u64 = 12;
pub const FORM_MARKUP: u64 = 4;
pub const FORM_FLATTENED: u64 = 8;
pub const FORM_CLEAN: u64 = 12;

/// Sets of [`Forms`].
pub const MARKUP: u64 = 1;
pub const FLATTENED: u64 = 2;
pub const CLEAN: u64 = 4;
pub const WHITE_SPACE: u64 = 1;
pub const NO_BREAK_SPACES: u64 = 2;
pub const LINES: u64 = 4;
pub const MARKDOWN: u64 = 8;
/// In the set of what a stage needs: it compares whole texts, so whoever takes away templates belongs before it.
pub const CLEANED: u64 = 1 << 63;

/// Of [`Reader::head`]: more bytes are needed to tell.
pub const MORE: u64 = u64::MAX;

pub const NO_LIMIT: u32 = 0;
pub const MIN: u32 = 1;
pub const MAX: u32 = 2;

pub const NEITHER: u32 = 0;
pub const HIGHER: u32 = 1;
pub const LOWER: u32 = 2;

pub const KEEP: u32 = 0;
pub const DROP: u32 = 1;
pub const FAIL: u32 = 2;

pub const OK: i32 = 0;
pub const ERROR: i32 = 1;
pub const PANIC: i32 = 2;
pub const UNSUPPORTED: i32 = 3;
pub const CANCELLED: i32 = 4;

pub const READER: u32 = 1;
pub const FILTER: u32 = 2;
pub const EXTRACTOR: u32 = 3;
pub const CORPUS: u32 = 4;
pub const EXPORTER: u32 = 5;

pub const PURE: u64 = 1;
pub const UTF8_TRUSTED: u64 = 2;
pub const WHOLE_FILE: u64 = 4;
pub const NAMED_FILES: u64 = 8;
pub const REPLAYABLE: u64 = 16;
pub const BY_LINE: u64 = 32;
pub const RANDOM_ACCESS: u64 = 1 << 32;
pub const PARTS: u64 = 1 << 33;
pub const OWN_FILE: u64 = 1 << 34;
pub const KEYED: u64 = 1 << 35;
/// A host refuses a stage with one of these bits that it does not know.
pub const MUST_UNDERSTAND: u64 = 0xffff_ffff_0000_0000;

/// A pointer and a length; may be NULL and 0.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Str {
    pub ptr: *const u8,
    pub len: usize,
}

#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Value {
    pub kind: u32,
    pub reserved: u32,
    pub bits: u64,
    pub text: Str,
}

#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Field {
    pub name: Str,
    pub value: Value,
}

#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Document {
    pub id: Str,
    pub text: Str,
    pub raw: Str,
    pub flags: u64,
    pub ordinal: u64,
    pub position: [u64; 2],
}

#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct NewDocument {
    pub id: Str,
    pub text: Str,
    pub raw: Str,
    pub flags: u64,
    pub fields: *const Field,
    pub n_fields: usize,
    pub ordinal: u64,
    pub offset: u64,
    pub length: u64,
    pub attachments: *const Attachment,
    pub n_attachments: usize,
}

#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Attachment {
    pub name: Str,
    pub version: u64,
    pub bytes: Str,
}

#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Origin {
    pub file: Str,
    pub offset: u64,
    pub length: u64,
    pub reserved: [*const c_void; 2],
}

#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Measure {
    pub name: Str,
    pub value: f64,
    pub limit: f64,
    pub limit_kind: u32,
    pub reserved: u32,
}

#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct MeasureInfo {
    pub name: Str,
    pub unit: Str,
    pub min_option: Str,
    pub max_option: Str,
    pub summary: Str,
    pub better: u32,
    pub reserved: u32,
}

#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Fate {
    pub verdict: u32,
    pub n_measures: u32,
    pub stage: Str,
    pub reason: Str,
    pub file: Str,
    pub offset: u64,
    pub length: u64,
    pub reserved: [*const c_void; 2],
}

#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Block {
    pub file: Str,
    pub bytes: Str,
    pub offset: u64,
    pub first_ordinal: u64,
    pub head: Str,
}

#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Cut {
    pub bytes: u64,
    pub records: u64,
    pub reserved: [*const c_void; 2],
}

#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Workspace {
    pub scratch: Str,
    pub keep: Str,
    pub memory: u64,
    pub threads: u64,
    pub reserved: [*const c_void; 2],
}

#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Split {
    pub first_ordinal: u64,
    pub records: u64,
    pub weight: u64,
    pub bytes: u64,
    pub token: [u64; 2],
    pub reserved: [*const c_void; 2],
}

#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Forms {
    pub struct_size: u32,
    pub cleans: u32,
    pub takes: u64,
    pub gives: u64,
    pub needs: u64,
    pub destroys: u64,
    pub makes: u64,
}

pub type ReadFn = unsafe extern "C" fn(*mut c_void, *mut u8, usize) -> i64;

pub type PushSplitFn = unsafe extern "C" fn(*mut c_void, *const Split) -> i32;
pub type FileSizeFn = unsafe extern "C" fn(*mut c_void) -> u64;
pub type BeginFn = unsafe extern "C" fn(*mut c_void, u32);
pub type OriginFn = unsafe extern "C" fn(*mut c_void, u32, *mut Origin) -> i32;
pub type AttachFn = unsafe extern "C" fn(*mut c_void, u32, *const Attachment) -> i32;
pub type AttachedFn = unsafe extern "C" fn(*mut c_void, u32, Str, u64, *mut Str) -> i32;
/// Gives up a value that was attached.
pub type DropFn = unsafe extern "C-unwind" fn(*mut c_void);
pub type AttachValueFn = unsafe extern "C" fn(*mut c_void, u32, Str, *mut c_void, u64, Option<DropFn>) -> i32;
pub type AttachedValueFn = unsafe extern "C" fn(*mut c_void, u32, Str) -> *mut c_void;
pub type FormsFn = unsafe extern "C" fn(*mut c_void, *const Forms) -> i32;
pub type SetIdFn = unsafe extern "C" fn(*mut c_void, u32, Str) -> i32;
pub type ReadAtFn = unsafe extern "C" fn(*mut c_void, u64, *mut u8, usize) -> i32;

#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Host {
    pub struct_size: u32,
    pub abi_minor: u32,
    pub ctx: *mut c_void,
    pub error: unsafe extern "C" fn(*mut c_void, Str, Str),
    pub log: unsafe extern "C" fn(*mut c_void, u32, Str),
    pub count: unsafe extern "C" fn(*mut c_void, Str, u64),
    pub cancelled: unsafe extern "C" fn(*mut c_void) -> i32,
    pub extension: unsafe extern "C" fn(*mut c_void, Str) -> *const c_void,
    pub field: unsafe extern "C" fn(*mut c_void, u32, Str, *mut Value) -> i32,
    pub field_at: unsafe extern "C" fn(*mut c_void, u32, u32, *mut Field) -> i32,
    pub verdict: unsafe extern "C" fn(*mut c_void, u32, u32, Str) -> i32,
    pub measure: unsafe extern "C" fn(*mut c_void, u32, *const Measure) -> i32,
    pub reserve_text: unsafe extern "C" fn(*mut c_void, u32, usize) -> *mut u8,
    pub commit_text: unsafe extern "C" fn(*mut c_void, u32, usize) -> i32,
    pub set_field: unsafe extern "C" fn(*mut c_void, u32, Str, *const Value) -> i32,
    pub split: unsafe extern "C" fn(*mut c_void, u32, *const NewDocument) -> i32,
    pub emit: unsafe extern "C" fn(*mut c_void, *const NewDocument) -> i32,
    pub emit_failed: unsafe extern "C" fn(*mut c_void, *const NewDocument, Str) -> i32,
    pub fate: unsafe extern "C" fn(*mut c_void, u32, *mut Fate) -> i32,
    pub measure_at: unsafe extern "C" fn(*mut c_void, u32, u32, *mut Measure) -> i32,
    pub put: unsafe extern "C" fn(*mut c_void, u32, Str) -> i32,
    pub put_file: unsafe extern "C" fn(*mut c_void, u32, Str, Str) -> i32,
    pub read: ReadFn,
    pub push_split: PushSplitFn,
    pub file_size: FileSizeFn,
    pub read_at: ReadAtFn,
    pub begin: BeginFn,
    pub origin: OriginFn,
    pub attach: AttachFn,
    pub attached: AttachedFn,
    pub attach_value: AttachValueFn,
    pub attached_value: AttachedValueFn,
    pub set_id: SetIdFn,
    pub forms: FormsFn,
}

// `C-unwind`, because a C++ plugin may break the rule that nothing unwinds across the boundary: that is then a
// defined abort and not undefined behaviour. The calling convention is that of `C`.
pub type OpenFn = unsafe extern "C-unwind" fn(Str, *const Host, *mut *mut c_void) -> i32;
pub type CloseFn = unsafe extern "C-unwind" fn(*mut c_void);
pub type SniffFn = unsafe extern "C-unwind" fn(*mut c_void, *const Block, u32, *const Host) -> u32;
pub type CutFn = unsafe extern "C-unwind" fn(*mut c_void, *const Block, u32, *mut Cut, *const Host) -> i32;
pub type DecodeFn = unsafe extern "C-unwind" fn(*mut c_void, *const Block, *const Host) -> i32;
pub type ReaderHeadFn =
    unsafe extern "C-unwind" fn(*mut c_void, *const Block, u32, *mut u64, *const Host) -> i32;
pub type FileOpenFn =
    unsafe extern "C-unwind" fn(*mut c_void, Str, u64, *const Host, *mut *mut c_void) -> i32;
pub type FileDecodeFn =
    unsafe extern "C-unwind" fn(*mut c_void, *mut c_void, *const Split, *const Host) -> i32;
pub type FileCloseFn = unsafe extern "C-unwind" fn(*mut c_void, *mut c_void);
pub type LocalNewFn = unsafe extern "C-unwind" fn(*mut c_void, *const Host, *mut *mut c_void) -> i32;
pub type LocalFreeFn = unsafe extern "C-unwind" fn(*mut c_void, *mut c_void);
pub type ProcessFn =
    unsafe extern "C-unwind" fn(*mut c_void, *mut c_void, *const Document, usize, *const Host) -> i32;
pub type PassLocalNewFn = unsafe extern "C-unwind" fn(*mut c_void, u32, *const Host, *mut *mut c_void) -> i32;
pub type ObserveFn =
    unsafe extern "C-unwind" fn(*mut c_void, *mut c_void, u32, *const Document, usize, *const Host) -> i32;
pub type MergeFn = unsafe extern "C-unwind" fn(*mut c_void, *mut c_void, u32, *const Host) -> i32;
pub type EndPassFn = unsafe extern "C-unwind" fn(*mut c_void, u32, *const Host) -> i32;
pub type BatchFn = unsafe extern "C-unwind" fn(*mut c_void, *const Document, usize, *const Host) -> i32;
/// Also of `state_load_stream`.
pub type StateSaveFn = unsafe extern "C-unwind" fn(*mut c_void, u32, *const Host) -> i32;
pub type StateLoadFn = unsafe extern "C-unwind" fn(*mut c_void, u32, Str, *const Host) -> i32;
pub type PassesFn = unsafe extern "C-unwind" fn(*mut c_void, *mut u32, *const Host) -> i32;
pub type PrepareFn = unsafe extern "C-unwind" fn(*mut c_void, *const Workspace, *const Host) -> i32;
pub type PutFn = unsafe extern "C-unwind" fn(*mut c_void, *const Host) -> i32;
pub type PartBeginFn = unsafe extern "C-unwind" fn(*mut c_void, Str, *const Host, *mut *mut c_void) -> i32;
pub type PartAddFn = unsafe extern "C-unwind" fn(*mut c_void, *mut c_void, Str, *const Host) -> i32;
pub type PartEndFn = unsafe extern "C-unwind" fn(*mut c_void, *mut c_void, *const Host) -> i32;
pub type PartFreeFn = unsafe extern "C-unwind" fn(*mut c_void, *mut c_void);
pub type KeyedVisitFn = unsafe extern "C-unwind" fn(*mut c_void, *mut c_void, u32, *const Host) -> i32;
pub type EntryFn = unsafe extern "C-unwind" fn() -> *const Plugin;

#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Reader {
    pub struct_size: u32,
    pub reserved: u32,
    pub sniff: Option<SniffFn>,
    pub cut: Option<CutFn>,
    pub decode: Option<DecodeFn>,
    pub head: Option<ReaderHeadFn>,
    pub file_open: Option<FileOpenFn>,
    pub file_decode: Option<FileDecodeFn>,
    pub file_close: Option<FileCloseFn>,
}

#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Transform {
    pub struct_size: u32,
    pub reserved: u32,
    pub local_new: Option<LocalNewFn>,
    pub local_free: Option<LocalFreeFn>,
    pub process: Option<ProcessFn>,
}

#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Corpus {
    pub struct_size: u32,
    pub observing_passes: u32,
    pub local_new: Option<PassLocalNewFn>,
    pub local_free: Option<LocalFreeFn>,
    pub observe: Option<ObserveFn>,
    pub merge: Option<MergeFn>,
    pub end_pass: Option<EndPassFn>,
    pub apply: Option<ProcessFn>,
    pub state_save: Option<StateSaveFn>,
    pub state_load: Option<StateLoadFn>,
    pub passes: Option<PassesFn>,
    pub prepare: Option<PrepareFn>,
    pub state_load_stream: Option<StateSaveFn>,
}

#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Keyed {
    pub struct_size: u32,
    pub reserved: u32,
    pub rounds: Option<PutFn>,
    pub local_new: Option<LocalNewFn>,
    pub local_free: Option<LocalFreeFn>,
    pub observe: Option<ObserveFn>,
    pub visit: Option<KeyedVisitFn>,
    pub apply: Option<ProcessFn>,
}

/// The name by which a keyed stage asks its host for [`KeyedHost`].
pub const KEYED_EXTENSION: &str = "tamis.keyed.1";

#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct KeyedHost {
    pub struct_size: u32,
    pub reserved: u32,
    pub row: unsafe extern "C" fn(*mut c_void, u32, Str) -> i32,
    pub known: unsafe extern "C" fn(*mut c_void, u32, Str, *mut Str) -> i32,
    pub id: unsafe extern "C" fn(*mut c_void, u32, u64, u64, *mut Str) -> i32,
    pub next: unsafe extern "C" fn(*mut c_void, *mut Str) -> i32,
}

#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Exporter {
    pub struct_size: u32,
    pub reserved: u32,
    pub extension: Option<PutFn>,
    pub head: Option<PutFn>,
    pub tail: Option<PutFn>,
    pub encode: Option<BatchFn>,
    pub part_begin: Option<PartBeginFn>,
    pub part_add: Option<PartAddFn>,
    pub part_end: Option<PartEndFn>,
    pub part_free: Option<PartFreeFn>,
}

#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Stage {
    pub struct_size: u32,
    pub kind: u32,
    pub flags: u64,
    pub name: Str,
    pub summary: Str,
    pub docs: Str,
    pub options_schema: Str,
    pub reads: *const Str,
    pub n_reads: usize,
    pub writes: *const Str,
    pub n_writes: usize,
    pub open: Option<OpenFn>,
    pub close: Option<CloseFn>,
    pub reader: *const Reader,
    pub transform: *const Transform,
    pub corpus: *const Corpus,
    pub exporter: *const Exporter,
    pub measures: *const MeasureInfo,
    pub n_measures: usize,
    pub keyed: *const Keyed,
}

#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Plugin {
    pub magic: u64,
    pub struct_size: u32,
    pub abi_major: u32,
    pub abi_minor: u32,
    pub flags: u32,
    pub name: Str,
    pub version: Str,
    pub license: Str,
    pub sdk: Str,
    pub stages: *const *const Stage,
    pub n_stages: usize,
}

// Members of 64 bits have taken the place of pointers that ABI 1.0 had reserved.
const _: () = assert!(size_of::<usize>() == 8, "the plugin boundary needs pointers of 64 bits");

// SAFETY: a descriptor and all it points to is static and never written to after the entry function has
// returned it (rule OWNERSHIP of the header).
unsafe impl Send for Plugin {}
// SAFETY: as above.
unsafe impl Sync for Plugin {}
// SAFETY: as above.
unsafe impl Send for Stage {}
// SAFETY: as above.
unsafe impl Sync for Stage {}

/// The end of the last member that ABI 1.0 has: the least `struct_size` of a plugin. Frozen, while the
/// structures may grow.
macro_rules! size_1_0 {
    ($($structure:ident: $last:ident,)*) => {
        $(impl $structure {
            pub const SIZE_1_0: usize = std::mem::offset_of!($structure, $last) + size_of::<usize>();
        })*
    };
}

size_1_0! {
    Plugin: n_stages,
    Stage: exporter,
    Reader: decode,
    Transform: process,
    Corpus: state_load,
    Exporter: encode,
    Host: put_file,
}

impl Forms {
    /// The end of the last member that ABI 1.3 has, which brought it.
    pub const SIZE_1_3: usize = std::mem::offset_of!(Self, makes) + size_of::<u64>();
}

/// The bits of a form; none has no bits.
pub fn form_bits(form: Option<Form>) -> u64 {
    match form {
        None => 0,
        Some(Form::Markup) => FORM_MARKUP,
        Some(Form::Flattened) => FORM_FLATTENED,
        Some(Form::Clean) => FORM_CLEAN,
    }
}

/// The form that stands in flags.
pub fn form_of(flags: u64) -> Option<Form> {
    match flags & FORM {
        FORM_MARKUP => Some(Form::Markup),
        FORM_FLATTENED => Some(Form::Flattened),
        FORM_CLEAN => Some(Form::Clean),
        _ => None,
    }
}

impl Keyed {
    /// The end of the last member that ABI 1.2 has, which brought the table.
    pub const SIZE_1_2: usize = std::mem::offset_of!(Self, apply) + size_of::<usize>();
}

impl Str {
    /// The empty string.
    pub const EMPTY: Self = Self { ptr: std::ptr::null(), len: 0 };

    /// A view of `bytes`; whoever passes it on keeps them alive.
    pub const fn new(bytes: &[u8]) -> Self {
        Self { ptr: bytes.as_ptr(), len: bytes.len() }
    }

    /// The bytes.
    ///
    /// # Safety
    ///
    /// `ptr` must point to `len` bytes that live and stay unchanged for `'a`, or `len` must be 0.
    pub const unsafe fn bytes<'a>(self) -> &'a [u8] {
        if self.len == 0 || self.ptr.is_null() {
            return &[];
        }
        // SAFETY: not NULL, and the caller vouches for the rest.
        unsafe { std::slice::from_raw_parts(self.ptr, self.len) }
    }
}

impl Value {
    /// A value that borrows from `value`.
    pub fn new(value: crate::ValueRef<'_>) -> Self {
        use crate::ValueRef;

        let (kind, bits, text) = match value {
            ValueRef::Null => (NULL, 0, Str::EMPTY),
            ValueRef::Bool(value) => (BOOL, value.into(), Str::EMPTY),
            ValueRef::Integer(value) => (INTEGER, value.cast_unsigned(), Str::EMPTY),
            // NaN and the infinities have no JSON form.
            ValueRef::Float(value) if !value.is_finite() => (NULL, 0, Str::EMPTY),
            ValueRef::Float(value) => (FLOAT, value.to_bits(), Str::EMPTY),
            ValueRef::String(text) => (STRING, 0, Str::new(text.as_bytes())),
            ValueRef::Json(text) => (JSON, 0, Str::new(text.as_bytes())),
        };
        Self { kind, reserved: 0, bits, text }
    }
}
