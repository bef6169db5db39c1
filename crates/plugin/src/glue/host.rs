//! The host's functions, as safe as they can be made.

use std::ffi::c_void;
use std::io::{self, Read, Write};
use std::marker::PhantomData;
use std::sync::Arc;

use tamis_document::{Form, Limit, Measure, Metadata, ValueRef};
use tamis_stage::{
    Edits, Emit, Failure, Flat, Forms, Lookup, NewDocument, Notes, Place, RandomAccess, Shared, Split,
    SplitOff, View,
};

use crate::abi::{self, Str};
use crate::guard;

/// UTF-8 text from the host.
///
/// # Safety
///
/// `text` must come from the host, which passes valid UTF-8 only, and live for `'a`.
pub(super) unsafe fn text<'a>(text: Str) -> &'a str {
    // SAFETY: see above.
    unsafe { std::str::from_utf8_unchecked(text.bytes()) }
}

fn str(text: &str) -> Str {
    Str::new(text.as_bytes())
}

/// The table of the host during one call.
///
/// A pointer and no reference, because the table of an older host is shorter than the structure.
#[derive(Clone, Copy)]
pub(super) struct HostRef<'a> {
    table: *const abi::Host,
    call: PhantomData<&'a abi::Host>,
}

/// A function that ABI 1.0 does not have, if this host does: those of 1.1 to 1.3 alike, because a host says how
/// far its table reaches.
macro_rules! if_offered {
    ($host:expr, $function:ident) => {{
        let table = $host.table;
        let end = std::mem::offset_of!(abi::Host, $function) + size_of::<usize>();
        // SAFETY: every host has `struct_size`, and every member that lies below it.
        unsafe { ((*table).struct_size as usize >= end).then(|| (*table).$function) }
    }};
}

impl<'a> HostRef<'a> {
    /// # Safety
    ///
    /// `table` must be the pointer that the host passed to the call that is going on.
    pub(super) unsafe fn new(table: *const abi::Host) -> Self {
        Self { table, call: PhantomData }
    }

    pub(super) fn ctx(self) -> *mut c_void {
        // SAFETY: valid during the call, as `new` demands; a member of ABI 1.0, as are all below that are read
        // without `if_offered`.
        unsafe { (*self.table).ctx }
    }

    pub(super) fn abi_minor(self) -> u32 {
        // SAFETY: as in `ctx`.
        unsafe { (*self.table).abi_minor }
    }

    pub(super) fn error(self, place: &str, message: &str) {
        // SAFETY: the context belongs to the table; the strings live until the function returns.
        unsafe { ((*self.table).error)(self.ctx(), str(place), str(message)) }
    }

    /// Tells with which document the call goes on, as `Begin` holds it.
    pub(super) fn begin(self) -> Begin<'a> {
        Begin { host: self, function: if_offered!(self, begin) }
    }

    /// An optional table of the host; NULL when it does not know it.
    pub(super) fn extension(self, name: &str) -> *const c_void {
        // SAFETY: as in `error`.
        unsafe { ((*self.table).extension)(self.ctx(), str(name)) }
    }

    pub(super) fn fail(self, doc: u32, message: &str) {
        self.verdict(doc, abi::FAIL, message);
    }

    pub(super) fn verdict(self, doc: u32, verdict: u32, reason: &str) {
        // SAFETY: as in `error`. The result only says whether the host took it; it notes a refusal itself.
        let _ = unsafe { ((*self.table).verdict)(self.ctx(), doc, verdict, str(reason)) };
    }

    /// Says something that may be wrong.
    pub(super) fn warn(self, message: &str) {
        const WARNING: u32 = 2;
        // SAFETY: as in `error`.
        unsafe { ((*self.table).log)(self.ctx(), WARNING, str(message)) };
    }

    pub(super) fn count(self, name: &str, n: u64) {
        // SAFETY: as in `error`.
        unsafe { ((*self.table).count)(self.ctx(), str(name), n) };
    }

    /// Says what an instance takes and gives; an older host does not ask.
    pub(super) fn forms(self, forms: Forms) {
        let Some(function) = if_offered!(self, forms) else { return };
        if forms == Forms::new() {
            return;
        }
        let [takes, gives, needs, destroys, makes, _] = forms.to_bits();
        let cleans = forms.cleans().into();
        let struct_size = size_of::<abi::Forms>() as u32;
        let forms = abi::Forms { struct_size, cleans, takes, gives, needs, destroys, makes };
        // SAFETY: as in `error`.
        let _ = unsafe { function(self.ctx(), &raw const forms) };
    }

    /// The bits of a form in the flags of a new document: an older host refuses what it does not know.
    fn form(self, form: Option<Form>) -> u64 {
        if self.abi_minor() >= 3 { abi::form_bits(form) } else { 0 }
    }

    /// Hands over measures and counts of one document.
    pub(super) fn notes(self, doc: u32, notes: &Notes) {
        for measure in notes.measures() {
            let (limit_kind, limit) = match measure.limit {
                Limit::None => (abi::NO_LIMIT, 0.0),
                Limit::Min(limit) => (abi::MIN, limit),
                Limit::Max(limit) => (abi::MAX, limit),
            };
            let measure = abi::Measure {
                name: str(&measure.name),
                value: measure.value,
                limit,
                limit_kind,
                reserved: 0,
            };
            // SAFETY: as in `error`.
            let _ = unsafe { ((*self.table).measure)(self.ctx(), doc, &raw const measure) };
        }
        for (name, n) in notes.counts() {
            self.count(name, *n);
        }
        for message in notes.warnings() {
            self.warn(message);
        }
    }

    /// Hands over the changes of one document.
    pub(super) fn edits(self, doc: u32, edits: &Edits) -> Result<(), String> {
        if let Some(id) = &edits.id {
            self.set_id(doc, id)?;
        }
        if let Some(text) = &edits.text {
            self.set_text(doc, text)?;
        }
        for (name, version, bytes) in &edits.attachments {
            self.attach(doc, name, *version, bytes);
        }
        for (name, value) in &edits.metadata {
            let value = value.as_ref().map(|value| abi::Value::new(value.as_ref()));
            let pointer = value.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
            // SAFETY: as in `error`; NULL removes.
            let _ = unsafe { ((*self.table).set_field)(self.ctx(), doc, str(name), pointer) };
        }
        for split in &edits.split {
            if !split.inherits || self.abi_minor() >= 2 {
                self.split(doc, split);
            } else {
                self.split(doc, &self.with_fields_of_parent(doc, split, edits));
            }
        }
        Ok(())
    }

    /// What an older host cannot do itself: a document that is split off gets the fields of its parent here.
    fn with_fields_of_parent(self, doc: u32, split: &SplitOff, edits: &Edits) -> SplitOff {
        let lookup = HostLookup::new(self, doc);
        let fields = (0..).map_while(|index| lookup.field_at(index));
        let mut parent: Metadata = fields.map(|(name, value)| (name.to_owned(), value.to_value())).collect();
        parent.apply(edits.metadata.iter().map(|(name, value)| (name.clone().into_owned(), value.clone())));
        let mut document = split.document.clone();
        document.metadata.inherit(&parent);
        SplitOff { document, inherits: false }
    }

    fn set_id(self, doc: u32, id: &str) -> Result<(), String> {
        let set_id = if_offered!(self, set_id)
            .ok_or("this version of tamis cannot give a document another id: update tamis")?;
        // SAFETY: as in `error`. The host notes what is wrong with an id itself.
        let _ = unsafe { set_id(self.ctx(), doc, str(id)) };
        Ok(())
    }

    /// Attaches bytes; an older host cannot, and any host may refuse.
    fn attach(self, doc: u32, name: &str, version: u64, bytes: &[u8]) {
        let Some(attach) = if_offered!(self, attach) else { return };
        let attachment = abi::Attachment { name: str(name), version, bytes: Str::new(bytes) };
        // SAFETY: as in `error`.
        let _ = unsafe { attach(self.ctx(), doc, &raw const attachment) };
    }

    fn set_text(self, doc: u32, text: &str) -> Result<(), String> {
        // SAFETY: as in `error`.
        let target = unsafe { ((*self.table).reserve_text)(self.ctx(), doc, text.len()) };
        if target.is_null() {
            return Err(format!("the host refused a text of {} bytes", text.len()));
        }
        // SAFETY: the host has reserved `text.len()` bytes at `target`, which are not part of `text`.
        unsafe { std::ptr::copy_nonoverlapping(text.as_ptr(), target, text.len()) };
        // SAFETY: as in `error`.
        let _ = unsafe { ((*self.table).commit_text)(self.ctx(), doc, text.len()) };
        Ok(())
    }

    fn split(self, doc: u32, SplitOff { document, inherits }: &SplitOff) {
        let inherits = if *inherits { abi::INHERITS } else { 0 };
        let fields = fields(&document.metadata);
        let origin = &document.origin;
        let new = abi::NewDocument {
            id: str(&document.id),
            text: str(&document.text),
            raw: document.raw.as_deref().map_or(Str::EMPTY, Str::new),
            flags: inherits
                | self.form(document.form)
                | if document.raw.is_some() { abi::HAS_RAW } else { 0 },
            fields: fields.as_ptr(),
            n_fields: fields.len(),
            ordinal: origin.ordinal,
            offset: origin.offset,
            length: origin.length,
            attachments: std::ptr::null(),
            n_attachments: 0,
        };
        // SAFETY: as in `error`; `fields` lives until the function returns.
        let _ = unsafe { ((*self.table).split)(self.ctx(), doc, &raw const new) };
    }

    /// The file of the call, if there is one and this host can read files anywhere.
    pub(super) fn file(self) -> Option<HostFile<'a>> {
        let (size, read_at) = (if_offered!(self, file_size)?, if_offered!(self, read_at)?);
        // SAFETY: as in `error`.
        let size = unsafe { size(self.ctx()) };
        Some(HostFile { ctx: self.ctx(), read_at, size, call: PhantomData })
    }

    /// Adds a part to the file that is being opened; the host notes what is wrong with it.
    pub(super) fn push_split(self, split: &Split) -> Result<(), ()> {
        let push_split = if_offered!(self, push_split).ok_or(())?;
        let split = abi::Split {
            first_ordinal: split.first_ordinal,
            records: split.records,
            weight: split.weight,
            bytes: split.bytes,
            token: split.token,
            reserved: [std::ptr::null(); 2],
        };
        // SAFETY: as in `error`.
        let pushed = unsafe { push_split(self.ctx(), &raw const split) };
        if pushed == abi::OK { Ok(()) } else { Err(()) }
    }

    pub(super) fn emit(self, document: &NewDocument<'_>) {
        let fields: Vec<_> = document
            .metadata
            .iter()
            .map(|(name, value)| abi::Field { name: str(name), value: abi::Value::new(*value) })
            .collect();
        // What they fill was reserved before 1.2, and an older host refuses a document in which it is not 0.
        let attachments: Vec<_> = if document.attachments.is_empty() || self.abi_minor() < 2 {
            Vec::new()
        } else {
            let flat = |flat: &Flat<'_>| abi::Attachment {
                name: str(flat.name),
                version: flat.version,
                bytes: Str::new(flat.bytes),
            };
            document.attachments.iter().map(flat).collect()
        };
        let new = abi::NewDocument {
            id: document.id.map_or(Str::EMPTY, str),
            text: str(document.text),
            raw: document.raw.map_or(Str::EMPTY, Str::new),
            flags: self.form(document.form) | if document.raw.is_some() { abi::HAS_RAW } else { 0 },
            fields: fields.as_ptr(),
            n_fields: fields.len(),
            ordinal: document.ordinal,
            offset: document.offset,
            length: document.length,
            attachments: if attachments.is_empty() { std::ptr::null() } else { attachments.as_ptr() },
            n_attachments: attachments.len(),
        };
        // SAFETY: as in `error`; everything lives until the function returns.
        let _ = unsafe { ((*self.table).emit)(self.ctx(), &raw const new) };
    }

    pub(super) fn emit_failed(self, ordinal: u64, offset: u64, raw: &[u8], failure: &Failure) {
        let message = failure.to_string();
        let new = abi::NewDocument {
            id: Str::EMPTY,
            text: Str::EMPTY,
            raw: Str::new(raw),
            flags: abi::HAS_RAW,
            fields: std::ptr::null(),
            n_fields: 0,
            ordinal,
            offset,
            length: raw.len() as u64,
            attachments: std::ptr::null(),
            n_attachments: 0,
        };
        // SAFETY: as in `error`.
        let _ = unsafe { ((*self.table).emit_failed)(self.ctx(), &raw const new, str(&message)) };
    }

    pub(super) fn put(self, doc: u32, bytes: &[u8]) {
        // SAFETY: as in `error`.
        let _ = unsafe { ((*self.table).put)(self.ctx(), doc, Str::new(bytes)) };
    }

    /// Bytes of a part, if there are any: whoever writes its file itself may put none, not even nothing.
    pub(super) fn put_all(self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.put(0, bytes);
        }
    }

    /// Bytes of a saved state, as they come.
    pub(super) fn writer(self) -> impl Write {
        io::BufWriter::with_capacity(STATE_BYTES, HostWriter(self))
    }

    /// A saved state, if this host hands it on as a stream.
    pub(super) fn reader(self) -> Option<impl Read> {
        let read = if_offered!(self, read)?;
        Some(io::BufReader::with_capacity(STATE_BYTES, HostReader { host: self, read }))
    }

    pub(super) fn put_file(self, doc: u32, path: &str, content: &[u8]) {
        // SAFETY: as in `error`.
        let _ = unsafe { ((*self.table).put_file)(self.ctx(), doc, str(path), Str::new(content)) };
    }

    /// What became of a document, and its measures.
    pub(super) fn fate(self, doc: u32) -> Option<(abi::Fate, Vec<Measure>)> {
        let mut fate = std::mem::MaybeUninit::<abi::Fate>::uninit();
        // SAFETY: as in `error`; the host fills `fate` when it returns OK.
        if unsafe { ((*self.table).fate)(self.ctx(), doc, fate.as_mut_ptr()) } != abi::OK {
            return None;
        }
        // SAFETY: filled, see above.
        let fate = unsafe { fate.assume_init() };
        let measures = (0..fate.n_measures).map_while(|index| self.measure_at(doc, index)).collect();
        Some((fate, measures))
    }

    fn measure_at(self, doc: u32, index: u32) -> Option<Measure> {
        let (measure, name) = self.measure_view(doc, index)?;
        let limit = match measure.limit_kind {
            abi::MIN => Limit::Min(measure.limit),
            abi::MAX => Limit::Max(measure.limit),
            _ => Limit::None,
        };
        Some(Measure { name: name.to_owned().into(), value: measure.value, limit })
    }

    /// A measure and its name, which lives until the call returns.
    fn measure_view(self, doc: u32, index: u32) -> Option<(abi::Measure, &'a str)> {
        let mut measure = std::mem::MaybeUninit::<abi::Measure>::uninit();
        // SAFETY: as in `fate`.
        if unsafe { ((*self.table).measure_at)(self.ctx(), doc, index, measure.as_mut_ptr()) } != abi::OK {
            return None;
        }
        // SAFETY: filled, see above; the name is UTF-8 from the host.
        unsafe {
            let measure = measure.assume_init();
            Some((measure, text(measure.name)))
        }
    }
}

/// How the host is told with which document a call goes on; looked up once a call.
#[derive(Clone, Copy)]
pub(super) struct Begin<'a> {
    host: HostRef<'a>,
    function: Option<abi::BeginFn>,
}

impl Begin<'_> {
    pub(super) fn document(self, doc: u32) {
        if let Some(begin) = self.function {
            // SAFETY: as in `error`.
            unsafe { begin(self.host.ctx(), doc) };
        }
    }
}

/// Where the documents of a block go.
pub(super) struct HostEmit<'a>(pub(super) HostRef<'a>);

impl Emit for HostEmit<'_> {
    fn document(&mut self, document: &NewDocument<'_>) {
        self.0.emit(document);
    }

    fn failed(&mut self, ordinal: u64, offset: u64, raw: &[u8], failure: &Failure) {
        self.0.emit_failed(ordinal, offset, raw, failure);
    }

    fn count(&mut self, name: &str, n: u64) {
        self.0.count(name, n);
    }
}

/// The file of a call.
pub(super) struct HostFile<'a> {
    ctx: *mut c_void,
    read_at: abi::ReadAtFn,
    size: u64,
    call: PhantomData<&'a abi::Host>,
}

// SAFETY: of the functions of the host only `read_at` is called, which any thread may, also in parallel
// (header); the borrow of the call keeps it from being called after that has returned.
unsafe impl Send for HostFile<'_> {}
// SAFETY: as above.
unsafe impl Sync for HostFile<'_> {}

impl RandomAccess for HostFile<'_> {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        // SAFETY: the context belongs to the call that is going on; the buffer may be written until the function
        // returns.
        match unsafe { (self.read_at)(self.ctx, offset, buffer.as_mut_ptr(), buffer.len()) } {
            abi::OK => Ok(()),
            _ if !within(offset, buffer.len(), self.size) => Err(io::ErrorKind::UnexpectedEof.into()),
            // The host knows better why, and says so.
            _ => Err(io::Error::other("the file could not be read")),
        }
    }
}

fn within(offset: u64, length: usize, size: u64) -> bool {
    offset.checked_add(length as u64).is_some_and(|end| end <= size)
}

/// How much of a state crosses the boundary at once.
const STATE_BYTES: usize = 64 << 10;

struct HostWriter<'a>(HostRef<'a>);

impl Write for HostWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // SAFETY: the context belongs to the table; the bytes live until the function returns.
        match unsafe { ((*self.0.table).put)(self.0.ctx(), 0, Str::new(bytes)) } {
            abi::OK => Ok(bytes.len()),
            // The host knows better why, and says so.
            _ => Err(io::Error::other("the host did not take the bytes")),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct HostReader<'a> {
    host: HostRef<'a>,
    read: abi::ReadFn,
}

impl Read for HostReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // SAFETY: the context belongs to the table; the buffer may be written until the function returns.
        let n = unsafe { (self.read)(self.host.ctx(), buffer.as_mut_ptr(), buffer.len()) };
        match usize::try_from(n) {
            Ok(n) if n <= buffer.len() => Ok(n),
            _ => Err(io::Error::other("the host could not read the state")),
        }
    }
}

fn fields(metadata: &Metadata) -> Vec<abi::Field> {
    metadata
        .iter()
        .map(|(name, value)| abi::Field { name: str(name), value: abi::Value::new(value.as_ref()) })
        .collect()
}

/// What is asked of the host about one document, and only when a stage asks: one that reads no metadata pays nothing.
pub(super) struct HostLookup<'a> {
    host: HostRef<'a>,
    doc: u32,
}

impl<'a> HostLookup<'a> {
    pub(super) fn new(host: HostRef<'a>, doc: u32) -> Self {
        Self { host, doc }
    }
}

impl Lookup for HostLookup<'_> {
    fn begin(&self) {
        self.host.begin().document(self.doc);
    }

    fn field(&self, name: &str) -> Option<ValueRef<'_>> {
        let mut value = std::mem::MaybeUninit::<abi::Value>::uninit();
        // SAFETY: the context belongs to the table; the host fills `value` when it returns 1.
        let found =
            unsafe { ((*self.host.table).field)(self.host.ctx(), self.doc, str(name), value.as_mut_ptr()) };
        // SAFETY: filled, see above; what it points to is valid until the call returns.
        (found == 1).then(|| unsafe { value_ref(value.assume_init()) })
    }

    fn field_at(&self, index: usize) -> Option<(&str, ValueRef<'_>)> {
        let index = u32::try_from(index).ok()?;
        let mut field = std::mem::MaybeUninit::<abi::Field>::uninit();
        // SAFETY: as in `field`.
        let found =
            unsafe { ((*self.host.table).field_at)(self.host.ctx(), self.doc, index, field.as_mut_ptr()) };
        if found != 1 {
            return None;
        }
        // SAFETY: as in `field`.
        unsafe {
            let field = field.assume_init();
            Some((text(field.name), value_ref(field.value)))
        }
    }

    fn origin(&self) -> Option<Place<'_>> {
        let origin = if_offered!(self.host, origin)?;
        let mut place = std::mem::MaybeUninit::<abi::Origin>::uninit();
        // SAFETY: as in `field`; filled when it returns OK.
        if unsafe { origin(self.host.ctx(), self.doc, place.as_mut_ptr()) } != abi::OK {
            return None;
        }
        // SAFETY: as in `field`.
        unsafe {
            let place = place.assume_init();
            Some(Place { file: text(place.file), offset: place.offset, length: place.length })
        }
    }

    /// A host before 1.3 offers measures to exporters only, and refuses.
    fn measured(&self, name: &str) -> Option<f64> {
        let measures = (0..).map_while(|index| self.host.measure_view(self.doc, index));
        measures.filter(|(_, of)| *of == name).last().map(|(measure, _)| measure.value)
    }

    fn flat(&self, name: &str, version: u64) -> Option<&[u8]> {
        let attached = if_offered!(self.host, attached)?;
        let mut bytes = Str::EMPTY;
        // SAFETY: as in `field`.
        let found = unsafe { attached(self.host.ctx(), self.doc, str(name), version, &raw mut bytes) };
        // SAFETY: from the host, and valid until the call returns, whatever is attached until then.
        (found == 1).then(|| unsafe { bytes.bytes() })
    }

    fn attach(&self, name: &str, version: u64, bytes: &[u8]) {
        self.host.attach(self.doc, name, version, bytes);
    }

    fn value(&self, key: &str) -> Option<Shared> {
        let attached_value = if_offered!(self.host, attached_value)?;
        // SAFETY: as in `field`.
        let value = unsafe { attached_value(self.host.ctx(), self.doc, str(key)) };
        // SAFETY: what the host keeps for this library under any key was made by `attach_value` below, and it is
        // not given up before the call returns.
        (!value.is_null()).then(|| unsafe { Arc::clone(&*value.cast::<Shared>()) })
    }

    fn attach_value(&self, key: &str, value: Shared, bytes: usize) {
        let Some(attach_value) = if_offered!(self.host, attach_value) else { return };
        let value: *mut Shared = Box::into_raw(Box::new(value));
        // SAFETY: as in `field`.
        let taken = unsafe {
            attach_value(self.host.ctx(), self.doc, str(key), value.cast(), bytes as u64, Some(drop_shared))
        };
        if taken != abi::OK {
            // SAFETY: made above, and the host has not taken it.
            drop(unsafe { Box::from_raw(value) });
        }
    }
}

/// Gives up a value that the host has kept.
unsafe extern "C-unwind" fn drop_shared(value: *mut c_void) {
    // SAFETY: made by `attach_value`, and given up once.
    let value = unsafe { Box::from_raw(value.cast::<Shared>()) };
    // A panicking `drop` has nobody left to tell.
    drop(guard::catch(|| drop(value)));
}

/// # Safety
///
/// `value` must come from the host and live for `'a`.
unsafe fn value_ref<'a>(value: abi::Value) -> ValueRef<'a> {
    // SAFETY: the caller vouches for it.
    let content = unsafe { text(value.text) };
    match value.kind {
        abi::BOOL => ValueRef::Bool(value.bits != 0),
        abi::INTEGER => ValueRef::Integer(value.bits.cast_signed()),
        abi::FLOAT => ValueRef::Float(f64::from_bits(value.bits)),
        abi::STRING => ValueRef::String(content),
        abi::JSON => ValueRef::Json(content),
        _ => ValueRef::Null,
    }
}

/// The documents of a call.
///
/// # Safety
///
/// `docs` must point to `n` documents from the host that live for `'a`.
pub(super) unsafe fn documents<'a>(docs: *const abi::Document, n: usize) -> &'a [abi::Document] {
    if n == 0 {
        return &[];
    }
    // SAFETY: the caller vouches for it.
    unsafe { std::slice::from_raw_parts(docs, n) }
}

/// A view of one document.
///
/// # Safety
///
/// `document` must come from the host and be valid for `'a`.
pub(super) unsafe fn view<'a>(document: &abi::Document, lookup: &'a dyn Lookup) -> View<'a> {
    // SAFETY: the caller vouches for it.
    let (id, content, raw) = unsafe { (text(document.id), text(document.text), document.raw.bytes()) };
    let raw = (document.flags & abi::HAS_RAW != 0).then_some(raw);
    let [high, low] = document.position;
    let position = u128::from(high) << 64 | u128::from(low);
    let view = View::new(id, content, raw, document.ordinal, lookup);
    view.with_position(position).with_form(abi::form_of(document.flags))
}
