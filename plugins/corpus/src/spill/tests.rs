//! Entries for tests, and what holds for runs of any kind.

use proptest::prelude::*;
use tamis_plugin::{CorpusStage, Document, Draft, Metadata, Verdict, View, Workspace};

use super::*;

/// A workspace in a folder.
pub(crate) fn workspace(folder: &std::path::Path, threads: usize) -> Workspace {
    let (scratch, keep) = (folder.join("scratch"), folder.join("keep"));
    std::fs::create_dir_all(&scratch).unwrap();
    Workspace { scratch, keep, memory: 1 << 30, threads }
}

/// Shows documents to `n_locals` locals in turn and merges them, the last first.
pub(crate) fn observe<'a, T: CorpusStage>(
    stage: &T,
    n_locals: usize,
    documents: impl IntoIterator<Item = (u128, &'a Document)>,
) {
    let mut locals: Vec<T::Local> = (0..n_locals).map(|_| T::Local::default()).collect();
    for (index, (position, document)) in documents.into_iter().enumerate() {
        let view = View::from(document).with_position(position);
        stage.observe(0, &mut locals[index % n_locals], &view).unwrap();
    }
    locals.into_iter().rev().for_each(|local| stage.merge(0, local));
}

/// What becomes of a document: verdict, text, metadata.
pub(crate) fn applied<T: CorpusStage>(
    stage: &T,
    position: u128,
    document: &Document,
) -> (Verdict, String, Metadata) {
    let mut document = document.clone();
    let view = document.clone();
    let mut draft = Draft::new(View::from(&view).with_position(position));
    let verdict = stage.apply(&mut draft).unwrap();
    draft.finish().0.apply(&mut document);
    (verdict, document.text, document.metadata)
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Word {
    key: u16,
    n: u64,
    text: Box<str>,
}

impl Entry for Word {
    fn order(&self, other: &Self) -> Ordering {
        self.key.cmp(&other.key)
    }

    fn combine(&mut self, other: &Self) {
        self.n += other.n;
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.text.len()
    }

    fn encode(&self, out: &mut Vec<u8>) {
        encode_measured(out, |out| {
            out.extend_from_slice(&self.key.to_be_bytes());
            out.extend_from_slice(&self.n.to_le_bytes());
            encode_str(&self.text, out);
        });
    }

    fn decode(input: &mut &[u8]) -> Option<Self> {
        let mut input = decode_measured(input)?;
        let (key, n) = (u16::from_be_bytes(take(&mut input)?), u64::from_le_bytes(take(&mut input)?));
        Some(Self { key, n, text: decode_str(&mut input)? })
    }
}

impl Tallied for Word {
    const KEY_BYTES: usize = 2;
}

const HEADER: Header<'_> = Header { stage: "words", format: 3, options: "none" };

fn word(key: u16) -> Word {
    Word { key, n: 1, text: key.to_string().into() }
}

fn state_of(keys: &[u16]) -> Vec<u8> {
    let runs = Runs::new("words");
    runs.add(keys.iter().map(|key| word(*key)).collect());
    let mut state = Vec::new();
    runs.save(&HEADER, &mut state).unwrap();
    state
}

fn loaded(state: &[u8]) -> Result<Vec<Word>, String> {
    let runs = Runs::new("words");
    runs.load(&HEADER, &mut &*state).map_err(|failure| failure.to_string())?;
    let mut words = Vec::new();
    runs.drain(|word| {
        words.push(word);
        Ok(())
    })
    .unwrap();
    Ok(words)
}

#[test]
fn what_is_no_state_is_refused_by_name() {
    let state = state_of(&[1, 2, 3]);
    let cut = &state[..state.len() - 1];
    let longer = [&state[..], b"x"].concat();
    let mut damaged = state.clone();
    let last = state.len() - 20;
    damaged[last] ^= 1;
    for (bytes, message) in [
        (&b""[..], "these bytes are no saved state of `words`"),
        (b"no state at all", "these bytes are no saved state of `words`"),
        (&[0xFF; 64], "these bytes are no saved state of `words`"),
        (&[0; 4096], "these bytes are no saved state of `words`"),
        (cut, "these bytes are no whole saved state of `words`: the bytes end within block 3"),
        (&longer, "these bytes are no whole saved state of `words`: more bytes follow its end"),
        (
            &damaged,
            "these bytes are no whole saved state of `words`: block 2 has a wrong checksum: its bytes were damaged",
        ),
    ] {
        assert_eq!(loaded(bytes).unwrap_err(), message);
    }
    for (header, message) in [
        (Header { stage: "others", ..HEADER }, "the state was saved by `words`, not by `others`"),
        (
            Header { options: "some", ..HEADER },
            "the state of `words` was saved with other options: none there, some here",
        ),
        (
            Header { format: 4, ..HEADER },
            concat!(
                "the state of `words` was saved by tamis ",
                env!("CARGO_PKG_VERSION"),
                " with format 3, and tamis ",
                env!("CARGO_PKG_VERSION"),
                " reads format 4: run the segment that saved it again with this program"
            ),
        ),
    ] {
        let failure = Runs::<Word>::new("words").load(&header, &mut &state[..]).unwrap_err();
        assert_eq!(failure.to_string(), message);
    }
}

#[test]
fn states_of_earlier_formats_are_refused_with_what_to_do() {
    for (first, said) in
        [("tamis state 1", "(an earlier one) with format 1"), ("tamis state 2 0.9.1", "0.9.1 with format 2")]
    {
        let mut blocks = BlockWriter::new(Vec::new());
        blocks.block(format!("{first}\nwords\nnone").as_bytes()).unwrap();
        let error = loaded(&blocks.finish().unwrap()).unwrap_err();
        assert!(
            error.starts_with(&format!("the state of `words` was saved by tamis {said}, and")),
            "{error}"
        );
        assert!(error.ends_with(": run the segment that saved it again with this program"), "{error}");
    }
}

#[test]
fn a_header_that_was_cut_off_or_declares_another_key_is_none() {
    let whole = String::from_utf8(HEADER.encoded(Word::KEY_BYTES)).unwrap();
    for text in [&whole.replace("\n2\n", "\n4\n"), whole.split("\nformat").next().unwrap()] {
        let mut blocks = BlockWriter::new(Vec::new());
        blocks.block(text.as_bytes()).unwrap();
        assert_eq!(
            loaded(&blocks.finish().unwrap()).unwrap_err(),
            "these bytes are no saved state of `words`"
        );
    }
}

#[test]
fn entries_out_of_order_are_refused() {
    let mut blocks = BlockWriter::new(Vec::new());
    blocks.block(&HEADER.encoded(Word::KEY_BYTES)).unwrap();
    blocks.entry(&word(2)).unwrap();
    blocks.entry(&word(2)).unwrap();
    let error = loaded(&blocks.finish().unwrap()).unwrap_err();
    assert_eq!(error, "these bytes are no whole saved state of `words`: its entries are not in order");
}

#[test]
fn a_full_disk_is_remembered_until_somebody_can_be_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut place = workspace(folder.path(), 1);
    place.scratch = folder.path().join("gone");
    let runs = Runs::new("words");
    runs.place(Scratch::new(&place, 8));
    runs.add(vec![word(1)]);
    runs.add(vec![word(2)]);
    for failure in
        [runs.save(&HEADER, &mut Vec::new()).unwrap_err(), runs.drain(|_: Word| Ok(())).unwrap_err()]
    {
        assert!(failure.to_string().contains("words-000000.run` cannot be written: "), "{failure}");
    }
}

#[test]
fn a_flipped_bit_in_a_work_file_is_an_error_and_no_wrong_entry() {
    let folder = tempfile::tempdir().unwrap();
    let place = workspace(folder.path(), 1);
    let runs = Runs::new("words");
    runs.place(Scratch::new(&place, 64));
    (0..20).for_each(|key| runs.add(vec![word(key)]));
    let file = std::fs::read_dir(&place.scratch).unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[7] ^= 4;
    std::fs::write(&file, bytes).unwrap();
    let failure = runs.drain(|_: Word| Ok(())).unwrap_err().to_string();
    assert!(failure.contains(".run` cannot be read: block 1 has a wrong checksum"), "{failure}");
}

#[test]
fn what_is_put_in_comes_out_in_order_however_little_fits() {
    let folder = tempfile::tempdir().unwrap();
    let scratch = Scratch::new(&workspace(folder.path(), 1), 4096);
    for (n_entries, scratch) in [(0, None), (50, None), (50, Some(&scratch)), (5000, Some(&scratch))] {
        let mut batch = Batch::new("batch", scratch);
        // Twice: it may be used again.
        for _ in 0..2 {
            (0..n_entries).rev().for_each(|key| batch.push(word(key % 1000)));
            let found: Vec<Word> = batch.sorted().unwrap().collect::<Result<_, _>>().unwrap();
            let n_different = usize::from(n_entries.min(1000));
            assert!(found.iter().map(|word| usize::from(word.key)).eq(0..n_different));
            assert_eq!(found.iter().map(|word| word.n).sum::<u64>(), u64::from(n_entries));
        }
    }
}

#[test]
fn many_small_batches_become_few_runs() {
    let runs = Runs::new("words");
    (0..1000).for_each(|key| runs.add(vec![word(key)]));
    assert!(runs.n_resident() <= 10, "{}", runs.n_resident());
}

#[test]
fn the_work_folder_is_empty_again_when_all_is_drained() {
    let folder = tempfile::tempdir().unwrap();
    let place = workspace(folder.path(), 1);
    let runs = Runs::new("words");
    runs.place(Scratch::new(&place, 64).with_fan_in(3));
    (0..50).for_each(|key| runs.add(vec![word(key)]));
    assert!(std::fs::read_dir(&place.scratch).unwrap().count() > 10);
    runs.drain(|_| Ok(())).unwrap();
    assert_eq!(std::fs::read_dir(&place.scratch).unwrap().count(), 0);
}

#[cfg(unix)]
#[test]
fn a_work_file_that_cannot_be_written_says_what_to_raise() {
    for (code, word) in [(24, "`ulimit -n`"), (27, "`ulimit -f`"), (28, "make room there")] {
        let error = std::io::Error::from_raw_os_error(code);
        let said = unwritable("scratch/run".as_ref(), &error).to_string();
        assert!(said.contains(word) && said.ends_with("run the same command again"), "{said}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn runs_are_a_sorted_sum_whatever_the_memory(
        batches in prop::collection::vec(prop::collection::vec(0_u16..50, 0..30), 0..20),
        memory in 0_u64..16_384,
        shard in 0_usize..20,
    ) {
        let mut expected = std::collections::BTreeMap::<u16, u64>::new();
        batches.iter().flatten().for_each(|key| *expected.entry(*key).or_default() += 1);
        let state = state_of(&batches.concat());

        let folder = tempfile::tempdir().unwrap();
        let runs = Runs::new("words");
        runs.place(Scratch::new(&workspace(folder.path(), 2), memory).with_fan_in(3));
        let (here, there) = batches.split_at(shard.min(batches.len()));
        runs.load(&HEADER, &mut &*state_of(&there.concat())).unwrap();
        for keys in here {
            runs.add(keys.iter().map(|key| word(*key)).collect());
        }
        let mut bytes = Vec::new();
        runs.save(&HEADER, &mut bytes).unwrap();
        prop_assert_eq!(&bytes, &state);
        let mut found = Vec::new();
        runs.drain(|word| { found.push((word.key, word.n)); Ok(()) }).unwrap();
        prop_assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn arbitrary_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(loaded(&bytes).is_err());
        // With all checksums right.
        let mut blocks = BlockWriter::new(Vec::new());
        blocks.block(&HEADER.encoded(Word::KEY_BYTES)).unwrap();
        blocks.block(&bytes).unwrap();
        let _ = loaded(&blocks.finish().unwrap());
    }

    #[test]
    fn a_changed_state_is_refused(
        keys in prop::collection::vec(any::<u16>(), 0..20), at in any::<prop::sample::Index>(), bit in 0_u8..8, cut in any::<bool>(),
    ) {
        let mut state = state_of(&keys);
        let at = at.index(state.len());
        if cut { state.truncate(at) } else { state[at] ^= 1_u8 << bit }
        prop_assert!(loaded(&state).is_err());
    }
}
