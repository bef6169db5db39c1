//! Records as bytes, for as long as a run lasts: put aside on its disk, or handed to another of its processes.
//!
//! The form is ours alone and no two versions of the program need to agree on it. Numbers are 8 bytes, least
//! significant first; texts and bytes stand behind their number. Whoever writes it to a disk adds a sum of his own.

use std::sync::Arc;

use tamis_document::{Document, Form, Json, Limit, Measure, Origin, Record, Value, ValueRef};

/// Appends bytes behind their number.
pub fn put(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
    out.extend_from_slice(bytes);
}

/// Appends a number.
pub fn put_word(word: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(&word.to_le_bytes());
}

/// Appends a record to `out`: its document, position and measures. Its fate is left out, since only what is kept goes on.
pub fn pack(record: &Record, out: &mut Vec<u8>) {
    let document = &record.document;
    out.extend_from_slice(&record.position.to_le_bytes());
    put(document.id.as_bytes(), out);
    put(document.text.as_bytes(), out);
    out.push(document.form.map_or(0, |form| form as u8 + 1));
    out.push(u8::from(document.raw.is_some()));
    if let Some(raw) = &document.raw {
        put(raw, out);
    }
    let origin = &document.origin;
    put(origin.file.as_bytes(), out);
    for word in [origin.offset, origin.length, origin.ordinal, document.metadata.len() as u64] {
        put_word(word, out);
    }
    for (name, value) in document.metadata.iter() {
        put(name.as_bytes(), out);
        put_value(value.as_ref(), out);
    }
    put_measures(&record.measures, out);
}

/// Appends measures.
pub fn put_measures(measures: &[Measure], out: &mut Vec<u8>) {
    put_word(measures.len() as u64, out);
    for measure in measures {
        put(measure.name.as_bytes(), out);
        put_word(measure.value.to_bits(), out);
        let (kind, limit) = match measure.limit {
            Limit::None => (0, 0.0),
            Limit::Min(limit) => (1, limit),
            Limit::Max(limit) => (2, limit),
        };
        out.push(kind);
        put_word(f64::to_bits(limit), out);
    }
}

fn put_value(value: ValueRef<'_>, out: &mut Vec<u8>) {
    let (kind, word, text) = match value {
        ValueRef::Null => (0, 0, None),
        ValueRef::Bool(value) => (1, u64::from(value), None),
        ValueRef::Integer(value) => (2, value.cast_unsigned(), None),
        ValueRef::Float(value) => (3, value.to_bits(), None),
        ValueRef::String(text) => (4, 0, Some(text)),
        ValueRef::Json(text) => (5, 0, Some(text)),
    };
    out.push(kind);
    match text {
        Some(text) => put(text.as_bytes(), out),
        None => put_word(word, out),
    }
}

/// Takes off bytes again what was packed; each call gives `None` when the bytes do not hold that.
#[derive(Debug)]
pub struct Unpacker<'a> {
    bytes: &'a [u8],
    /// The last file, which most records share with the one before.
    file: Arc<str>,
}

impl<'a> Unpacker<'a> {
    /// Begins with the first of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, file: Arc::from("") }
    }

    /// Whether all was taken.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(n)?;
        self.bytes = rest;
        Some(taken)
    }

    /// A byte.
    pub fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    /// A number.
    pub fn word(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    /// Bytes behind their number.
    pub fn sized(&mut self) -> Option<&'a [u8]> {
        let n = self.word()?;
        self.take(usize::try_from(n).ok()?)
    }

    /// A text behind the number of its bytes.
    pub fn text(&mut self) -> Option<&'a str> {
        simdutf8::basic::from_utf8(self.sized()?).ok()
    }

    /// A record; its fate is that it is kept.
    pub fn record(&mut self) -> Option<Record> {
        let position = u128::from_le_bytes(self.take(16)?.try_into().ok()?);
        let mut document = Document::new(self.text()?, self.text()?);
        document.form = match self.byte()? {
            0 => None,
            form => Some(*Form::ALL.get(usize::from(form) - 1)?),
        };
        if self.byte()? == 1 {
            document.raw = Some(self.sized()?.to_vec());
        }
        let file = self.text()?;
        if *self.file != *file {
            self.file = Arc::from(file);
        }
        let (offset, length, ordinal) = (self.word()?, self.word()?, self.word()?);
        document.origin = Origin { file: Arc::clone(&self.file), offset, length, ordinal };
        for _ in 0..self.word()? {
            let name = self.text()?.to_owned();
            let value = self.value()?;
            document.metadata.insert(name, value);
        }
        let measures = self.measures()?;
        Some(Record { position, measures, ..Record::from(document) })
    }

    /// Measures.
    pub fn measures(&mut self) -> Option<Vec<Measure>> {
        let n_measures = self.word()?;
        (0..n_measures).map(|_| self.measure()).collect()
    }

    fn value(&mut self) -> Option<Value> {
        Some(match self.byte()? {
            0 => self.word().map(|_| Value::Null)?,
            1 => Value::Bool(self.word()? != 0),
            2 => Value::Integer(self.word()?.cast_signed()),
            3 => Value::Float(f64::from_bits(self.word()?)),
            4 => Value::String(self.text()?.to_owned()),
            _ => Value::Json(Json::parse(self.text()?).ok()?),
        })
    }

    fn measure(&mut self) -> Option<Measure> {
        let name = self.text()?.to_owned();
        let value = f64::from_bits(self.word()?);
        let kind = self.byte()?;
        let limit = f64::from_bits(self.word()?);
        let limit = match kind {
            0 => Limit::None,
            1 => Limit::Min(limit),
            _ => Limit::Max(limit),
        };
        Some(Measure { name: name.into(), value, limit })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        let mut document = Document::new("a.jsonl#7", "文本 and text");
        document.raw = Some(vec![0xFF, 0]);
        document.form = Some(Form::Flattened);
        document.origin = Origin { file: Arc::from("a.jsonl"), offset: 1, length: 2, ordinal: 3 };
        let values = [
            Value::Null,
            Value::Bool(true),
            Value::Integer(-7),
            Value::Float(0.1),
            Value::String("值".to_owned()),
            Value::Json(Json::parse("[1, {}]").expect("JSON")),
        ];
        for (at, value) in values.into_iter().enumerate() {
            document.metadata.insert(format!("field {at}"), value);
        }
        let measure = |limit| Measure { name: "chars".into(), value: 4.5, limit };
        let measures = [Limit::None, Limit::Min(1.0), Limit::Max(9.0)].map(measure).into();
        Record { position: 1 << 100, measures, ..Record::from(document) }
    }

    #[test]
    fn what_was_packed_comes_back() {
        let records = [record(), Record::from(Document::new("", "")), record()];
        let mut bytes = Vec::new();
        for record in &records {
            pack(record, &mut bytes);
        }
        let mut rest = Unpacker::new(&bytes);
        let back: Vec<_> = std::iter::from_fn(|| rest.record()).collect();
        assert_eq!(back, records);
        assert!(rest.is_empty());
    }

    #[test]
    fn bytes_that_were_cut_short_hold_no_record() {
        let mut bytes = Vec::new();
        pack(&record(), &mut bytes);
        for length in 0..bytes.len() {
            assert_eq!(Unpacker::new(&bytes[..length]).record(), None, "{length}");
        }
    }
}
