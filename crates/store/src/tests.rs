use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use object_store::memory::InMemory;
use object_store::path::Path as Key;

use super::*;
use crate::connect::Bucket;
use crate::objects::Objects;

/// Somebody who waits for files of the run `mine`, and notes uploads.
#[derive(Default)]
struct Waiting {
    is_stopped: AtomicBool,
    is_forbidden: AtomicBool,
    noted: Mutex<Vec<String>>,
}

impl Sending for Waiting {
    fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::Relaxed)
    }

    fn may_replace(&self, run: &str) -> bool {
        run == "mine"
    }

    fn check(&self) -> io::Result<()> {
        if self.is_forbidden.load(Ordering::Relaxed) { Err(io::Error::other("lost")) } else { Ok(()) }
    }

    fn begun(&self, name: &str, upload: &str) -> io::Result<()> {
        self.noted.lock().expect("nobody panics").push(format!("+ {name} {upload}"));
        Ok(())
    }

    fn ended(&self, name: &str) {
        self.noted.lock().expect("nobody panics").push(format!("- {name}"));
    }
}

fn outlet() -> Objects {
    let store = Arc::new(InMemory::new());
    let bucket = Bucket { objects: store.clone(), pages: None, pieces: store };
    Objects::over(bucket, Key::from("out"), Address::new("s3://bucket/out"))
}

fn marks(run: &str, content: &[u8]) -> Marks {
    Marks { run: run.to_owned(), blake3: blake3::hash(content).to_hex().to_string() }
}

#[test]
fn an_object_is_written_on_condition() {
    let outlet = outlet();
    let put = |run: &str, content: &[u8], condition: &Condition| {
        outlet.put("a/b.txt", content.to_vec(), &marks(run, content), condition).unwrap()
    };
    assert!(matches!(put("mine", b"one", &Condition::New), Placed::Done(_)));
    // As after an answer that was lost: it is ours already.
    assert!(matches!(put("mine", b"one", &Condition::New), Placed::Done(_)));
    let Placed::Refused(Some(head)) = put("other", b"two", &Condition::New) else { panic!() };
    assert_eq!((head.bytes, head.marks), (3, marks("mine", b"one")));
    let replaces = Condition::Replaces(head.version);
    assert!(matches!(put("other", b"two", &replaces), Placed::Done(_)));
    assert!(matches!(put("third", b"three", &replaces), Placed::Refused(Some(_))));
    assert_eq!(outlet.read("a/b.txt").unwrap().unwrap().0, b"two");
    assert_eq!(outlet.names().unwrap(), ["a/b.txt"]);
    let names = ["a/b.txt".to_owned(), "nothing".to_owned()];
    assert!(matches!(outlet.heads(&names).unwrap().as_slice(), [Some(_), None]));
    outlet.remove(&names).unwrap();
    assert!(outlet.read("a/b.txt").unwrap().is_none());
    assert_eq!(outlet.address("a/b.txt"), "s3://bucket/out/a/b.txt");
}

#[test]
fn files_replace_what_their_run_has_left_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    for length in [10, 20 << 20] {
        let outlet = outlet();
        let content: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
        let file: PathBuf = folder.path().join("file");
        std::fs::write(&file, &content).unwrap();
        let waiting = Waiting::default();
        let send = || outlet.put_file("part", &file, &marks("mine", &content), &waiting);
        let there = |run: &str, content: &[u8]| {
            outlet.put("part", content.to_vec(), &marks(run, content), &Condition::Any).unwrap();
        };
        there("other", b"other");
        assert_eq!(send().unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        there("mine", b"earlier");
        send().unwrap();
        let (found, head) = outlet.read("part").unwrap().unwrap();
        assert!(found == content);
        assert_eq!(head.marks, marks("mine", &content));
        if length < 100 {
            continue;
        }
        let noted = std::mem::take(&mut *waiting.noted.lock().unwrap());
        assert!(
            matches!(noted.as_slice(), [begun, ended] if begun.starts_with("+ part ") && ended == "- part")
        );
        outlet.remove(&["part".to_owned()]).unwrap();
        for (flag, kind) in
            [(&waiting.is_stopped, io::ErrorKind::Interrupted), (&waiting.is_forbidden, io::ErrorKind::Other)]
        {
            flag.store(true, Ordering::Relaxed);
            assert_eq!(send().unwrap_err().kind(), kind);
            flag.store(false, Ordering::Relaxed);
            assert!(outlet.read("part").unwrap().is_none());
            // What was noted was aborted.
            assert_eq!(waiting.noted.lock().unwrap().pop().unwrap(), "- part");
        }
    }
}
