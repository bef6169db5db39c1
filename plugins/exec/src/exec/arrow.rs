//! Documents as record batches of an Arrow IPC stream, and answers as those of another.

use std::io::{BufRead, Read as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, LargeBinaryArray, LargeStringArray, RecordBatch};
use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use arrow_ipc::root_as_message;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, DataType, Field, Schema};
use serde::de::DeserializeOwned;
use tamis_child::{Child, Framing};
use tamis_plugin::View;

use super::ExecOptions;
use super::protocol::{self, Answer};

/// Whether this build speaks it.
pub(super) const IS_BUILT_IN: bool = true;

/// What a message begins with.
const CONTINUATION: u8 = 0xFF;
/// The largest description of a message that is read: that of seven columns takes some hundred bytes.
const MOST_DESCRIPTION: u64 = 16 << 20;
/// The columns of answers.
const COLUMNS: [&str; 7] = ["id", "drop", "fail", "text", "metadata", "split", "counts"];

/// The talk with a process: the stream to it, and the one back.
pub(super) struct Batches {
    schema: Arc<Schema>,
    /// What it has written so far goes to the program.
    requests: StreamWriter<Vec<u8>>,
    decoder: StreamDecoder,
    answers: Answers,
}

/// The answers of a batch that came, and how many of them were looked at.
#[derive(Default)]
struct Answers {
    columns: [Option<ArrayRef>; COLUMNS.len()],
    n: usize,
    next: usize,
}

/// How answers are told apart: the first is a line, all others are messages.
pub(super) const FRAMING: Framing = Framing::By(frame);

impl Batches {
    /// Begins both streams.
    pub(super) fn new(options: &ExecOptions) -> Result<Self, String> {
        let mut fields = vec![
            Field::new("id", DataType::LargeUtf8, false),
            Field::new("text", DataType::LargeUtf8, false),
            Field::new("metadata", DataType::LargeUtf8, false),
        ];
        if options.raw {
            fields.push(Field::new("raw", DataType::LargeBinary, true));
        }
        let schema = Arc::new(Schema::new(fields));
        let requests = StreamWriter::try_new(Vec::new(), &schema).map_err(unwritable)?;
        Ok(Self { schema, requests, decoder: StreamDecoder::new(), answers: Answers::default() })
    }

    /// The bytes that ask about some documents.
    pub(super) fn request(
        &mut self,
        documents: &[View<'_>],
        options: &ExecOptions,
    ) -> Result<Vec<u8>, String> {
        let strings = |of: &dyn Fn(&View<'_>) -> String| -> ArrayRef {
            Arc::new(documents.iter().map(|it| Some(of(it))).collect::<LargeStringArray>())
        };
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(documents.iter().map(|it| Some(it.id())).collect::<LargeStringArray>()),
            Arc::new(documents.iter().map(|it| Some(it.text())).collect::<LargeStringArray>()),
            strings(&|it| protocol::metadata_json(it, options)),
        ];
        if options.raw {
            columns.push(Arc::new(documents.iter().map(View::raw).collect::<LargeBinaryArray>()));
        }
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(unwritable)?;
        self.requests.write(&batch).map_err(unwritable)?;
        Ok(std::mem::take(self.requests.get_mut()))
    }

    /// The answer to the document `id`, for which `read` gives what the program writes next.
    pub(super) fn answer(
        &mut self,
        child: &mut Child,
        id: &str,
        read: impl Fn(&mut Child) -> Result<Vec<u8>, String>,
    ) -> Result<Answer, String> {
        while self.answers.next == self.answers.n {
            let message = read(child)?;
            if let Some(batch) = self.decode(message)? {
                self.answers = Answers::new(&batch)?;
            }
        }
        self.answers.take(id)
    }

    fn decode(&mut self, message: Vec<u8>) -> Result<Option<RecordBatch>, String> {
        if message.first() != Some(&CONTINUATION) {
            let shown = protocol::shown(&message);
            return Err(format!("the program writes `{shown}` where a record batch of Arrow is due"));
        }
        let mut message = Buffer::from_vec(message);
        // What makes no sense may panic in there.
        let decoded = catch_unwind(AssertUnwindSafe(|| self.decoder.decode(&mut message)));
        let decoded = decoded.unwrap_or_else(|_| Err(ArrowError::ParseError("it makes no sense".to_owned())));
        decoded.map_err(|error| format!("what the program writes is no record batch of Arrow: {error}"))
    }
}

impl Answers {
    fn new(batch: &RecordBatch) -> Result<Self, String> {
        if batch.num_rows() == 0 {
            return Err("the program answers with a record batch without rows".to_owned());
        }
        let mut answers = Self { n: batch.num_rows(), ..Self::default() };
        for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
            let name = field.name();
            let Some(at) = COLUMNS.iter().position(|known| known == name) else {
                let all = COLUMNS.join("`, `");
                return Err(format!(
                    "the program answers with a column `{name}`, which nobody knows; there are `{all}`"
                ));
            };
            match column.data_type() {
                DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                    answers.columns[at] = Some(Arc::clone(column));
                }
                DataType::Null => {}
                other => {
                    return Err(format!(
                        "the column `{name}` of the program's answers has the type {other} and must be one of strings"
                    ));
                }
            }
        }
        Ok(answers)
    }

    /// Takes the next answer, which must be that to the document `id`.
    fn take(&mut self, id: &str) -> Result<Answer, String> {
        let row = self.next;
        self.next += 1;
        let [own, drop, fail, text, metadata, split, counts] = &self.columns;
        protocol::is_about(string(own.as_ref(), row).unwrap_or_default(), id)?;
        Answer {
            id: id.to_owned(),
            drop: string(drop.as_ref(), row).map(str::to_owned),
            fail: string(fail.as_ref(), row).map(str::to_owned),
            text: string(text.as_ref(), row).map(str::to_owned),
            metadata: json("metadata", metadata.as_ref(), row)?,
            split: json("split", split.as_ref(), row)?,
            counts: json("counts", counts.as_ref(), row)?,
        }
        .checked()
    }
}

fn string(column: Option<&ArrayRef>, row: usize) -> Option<&str> {
    let column = column.filter(|column| column.is_valid(row))?;
    Some(match column.data_type() {
        DataType::Utf8 => column.as_string::<i32>().value(row),
        DataType::LargeUtf8 => column.as_string::<i64>().value(row),
        _ => column.as_string_view().value(row),
    })
}

fn json<T: DeserializeOwned + Default>(
    name: &str,
    column: Option<&ArrayRef>,
    row: usize,
) -> Result<T, String> {
    let Some(text) = string(column, row) else { return Ok(T::default()) };
    serde_json::from_str(text).map_err(|error| {
        let shown = protocol::shown(text.as_bytes());
        format!("`{name}` in an answer of the program cannot be read: {error}: {shown}")
    })
}

#[expect(clippy::needless_pass_by_value, reason = "as `map_err` hands it on")]
fn unwritable(error: ArrowError) -> String {
    format!("the documents are no record batch of Arrow: {error}")
}

/// Reads a line or a message with its body.
fn frame(stdout: &mut dyn BufRead) -> Result<Option<Vec<u8>>, String> {
    let first = stdout.fill_buf().map_err(|error| tamis_child::unreadable(&error))?.first().copied();
    if first != Some(CONTINUATION) {
        return tamis_child::line(stdout);
    }
    // The mark, and the length of the description behind it; 0 ends the stream.
    let mut message = Vec::new();
    if !read_on(stdout, 8, &mut message)? {
        return Ok(None);
    }
    let length = u32::from_le_bytes([message[4], message[5], message[6], message[7]]);
    if length == 0 {
        return Ok(None);
    }
    if message[..4] != [CONTINUATION; 4] || u64::from(length) > MOST_DESCRIPTION {
        return Err("what the program writes is no message of Arrow".to_owned());
    }
    if !read_on(stdout, length.into(), &mut message)? {
        return Ok(None);
    }
    let body = root_as_message(&message[8..])
        .map_err(|error| format!("what the program writes is no message of Arrow: {error}"))?
        .bodyLength();
    let body =
        u64::try_from(body).map_err(|_| "a message of the program has less than no bytes".to_owned())?;
    if body > tamis_child::LONGEST {
        return Err(tamis_child::too_long(body));
    }
    Ok(read_on(stdout, body, &mut message)?.then_some(message))
}

/// Reads so many bytes more, and says whether there were so many.
fn read_on(stdout: &mut dyn BufRead, n: u64, message: &mut Vec<u8>) -> Result<bool, String> {
    let n_read = stdout.take(n).read_to_end(message).map_err(|error| tamis_child::unreadable(&error))?;
    Ok(n_read as u64 == n)
}

#[cfg(test)]
mod tests {
    use arrow_array::{Int64Array, StringArray, StringViewArray};

    use super::*;

    fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, it)| (name, it, true)))
            .expect("columns of one length")
    }

    fn stream(batch: &RecordBatch) -> Vec<u8> {
        let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).expect("a stream");
        writer.write(batch).expect("written");
        writer.finish().expect("ended");
        std::mem::take(writer.get_mut())
    }

    /// What is read of some bytes, cut as they come from a program.
    fn decoded(mut bytes: &[u8]) -> Result<Vec<RecordBatch>, String> {
        let mut batches = Batches::new(&ExecOptions::default())?;
        let mut found = Vec::new();
        while let Some(message) = frame(&mut bytes)? {
            found.extend(batches.decode(message)?);
        }
        Ok(found)
    }

    #[test]
    fn answers_are_read_whatever_strings_they_are_in() {
        let answers = batch(vec![
            ("id", Arc::new(StringArray::from(vec!["a", "b", "c"])) as ArrayRef),
            ("text", Arc::new(LargeStringArray::from(vec![None, Some("改了"), None])) as ArrayRef),
            ("drop", Arc::new(StringViewArray::from(vec![Some("short"), None, None])) as ArrayRef),
            ("counts", Arc::new(StringArray::from(vec![None, None, Some(r#"{"seen":2}"#)])) as ArrayRef),
            ("fail", Arc::new(arrow_array::NullArray::new(3)) as ArrayRef),
        ]);
        let read = decoded(&stream(&answers)).expect("a stream");
        assert_eq!(read, [answers]);
        let mut answers = Answers::new(&read[0]).expect("answers");
        let lines = [
            r#"{"id":"a","drop":"short"}"#,
            r#"{"id":"b","text":"改了"}"#,
            r#"{"id":"c","counts":{"seen":2}}"#,
        ];
        for (id, line) in ["a", "b", "c"].into_iter().zip(lines) {
            assert_eq!(answers.take(id), Answer::read(line.as_bytes(), id));
        }
    }

    #[test]
    fn what_is_no_answer_is_told() {
        let ids = || Arc::new(StringArray::from(vec!["a"])) as ArrayRef;
        let text = |text: &str| Arc::new(StringArray::from(vec![text])) as ArrayRef;
        let none = Arc::new(StringArray::from(Vec::<&str>::new())) as ArrayRef;
        let cases = [
            (batch(vec![("id", none)]), "without rows"),
            (batch(vec![("id", ids()), ("txet", ids())]), "`txet`"),
            (batch(vec![("id", Arc::new(Int64Array::from(vec![1])) as ArrayRef)]), "Int64"),
            (batch(vec![("text", ids())]), "asked about `a`"),
            (batch(vec![("id", text("b"))]), "answers to `b`"),
            (batch(vec![("id", ids()), ("drop", ids()), ("fail", ids())]), "exclude each other"),
            (batch(vec![("id", ids()), ("metadata", text("[1]"))]), "`metadata`"),
            (batch(vec![("id", ids()), ("split", text(r#"[{"txt":""}]"#))]), "txt"),
        ];
        for (batch, expected) in cases {
            let why = Answers::new(&batch).and_then(|mut answers| answers.take("a")).expect_err(expected);
            assert!(why.contains(expected), "{why}");
        }
    }

    #[test]
    fn bytes_that_are_damaged_are_an_error_or_the_end_and_no_panic() {
        let answers = batch(vec![
            ("id", Arc::new(StringArray::from(vec!["a", "b"])) as ArrayRef),
            (
                "text",
                Arc::new(StringViewArray::from(vec![None, Some("a text that is not short")])) as ArrayRef,
            ),
        ]);
        let whole = stream(&answers);
        for at in 0..whole.len() {
            // Cut: what is whole before it counts, and nothing else.
            let n_whole = decoded(&whole[..at]).map(|batches| batches.len());
            assert!(n_whole.is_ok_and(|n| n <= 1), "cut at {at}");
            for flip in [0x01, 0x80, 0xFF] {
                let mut damaged = whole.clone();
                damaged[at] ^= flip;
                if let Ok(batches) = decoded(&damaged) {
                    for batch in batches {
                        let _ = Answers::new(&batch).and_then(|mut answers| answers.take("a"));
                    }
                }
            }
        }
        let why = decoded(b"hello\n").expect_err("no batch");
        assert!(why.contains("`hello`"), "{why}");
    }
}
