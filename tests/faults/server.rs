//! Web servers that lie: each file is read or a dead letter, or the run says why it cannot go on, and a later one
//! with a server that does not lie reads everything.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tamis_tests::world::World;

use crate::formats::file;
use crate::trial::{MEMORY, Signal, Trial, adds_up};

/// What a server does that it should not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lie {
    /// Breaks off each body.
    Cut,
    /// Breaks off the first few bodies.
    CutAtFirst,
    /// Says that more comes than there is.
    TooLong,
    /// Says that less comes than there is.
    TooShort,
    /// Has no version of anything.
    NoVersion,
    /// Gives another version each time.
    OtherVersions,
    /// Fails each time that it is asked for bytes.
    Fails,
    /// Fails a few times.
    FailsAtFirst,
    /// Sends elsewhere, where nobody is.
    RedirectsNowhere,
    /// Sends the whole file, whatever part is asked for.
    IgnoresRanges,
    /// Sends a little at a time.
    Slow,
    /// Sends records without end.
    Endless,
    /// Sends one record without end.
    EndlessRecord,
    /// Stops in the middle and keeps the connection.
    Stalls,
}

const LIES: [Lie; 14] = [
    Lie::Cut,
    Lie::CutAtFirst,
    Lie::TooLong,
    Lie::TooShort,
    Lie::NoVersion,
    Lie::OtherVersions,
    Lie::Fails,
    Lie::FailsAtFirst,
    Lie::RedirectsNowhere,
    Lie::IgnoresRanges,
    Lie::Slow,
    Lie::Endless,
    Lie::EndlessRecord,
    Lie::Stalls,
];
pub(crate) const N_CASES: u64 = LIES.len() as u64;

/// Whether the trial of a seed has the client wait and ask again, for seconds.
pub(crate) fn is_patient(seed: u64) -> bool {
    matches!(
        LIES[(seed % N_CASES) as usize],
        Lie::Fails | Lie::RedirectsNowhere | Lie::FailsAtFirst | Lie::Slow
    )
}

/// How long what never ends is let go on.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// Several of the pieces in which objects are asked for.
const LARGE_BYTES: usize = 30 << 20;

const PIPELINE: &str = "\
[[source]]
use = \"jsonl\"
paths = []

[[export]]
id = \"kept\"
use = \"jsonl\"
path = \"out\"

[run]
block_bytes = \"16 KiB\"
checkpoint_secs = 0.02
threads = 2
max_failed_ratio = 1
";

pub(crate) fn run(trial: &mut Trial) {
    let lie = LIES[(trial.seed % N_CASES) as usize];
    let words = |name: &str, n: usize| -> Vec<String> { (0..n).map(|at| format!("{name}-{at}")).collect() };
    let (good, bad) = (words("good", 300), words("bad", 200 + trial.lottery.index(1_500)));
    // Some are so large that they are asked for in pieces, several of them at once.
    let n_pad = if trial.seed % 4 == 1 { LARGE_BYTES / bad.len() } else { 0 };
    let padded = |words: &[String], n_pad: usize| -> Vec<u8> {
        let text = |word: &String| format!("{{\"text\":\"The report {word} says {}\"}}\n", "x".repeat(n_pad));
        words.iter().map(text).collect::<String>().into_bytes()
    };
    let files = BTreeMap::from([("/a/good.jsonl", padded(&good, 0)), ("/b/bad.jsonl", padded(&bad, n_pad))]);
    let server = Server::start(files, lie, trial.lottery.below(1_000_000));
    let addresses = format!("[\"http://{0}/a/good.jsonl\", \"http://{0}/b/bad.jsonl\"]", server.address);
    let world = World::with(&format!("{}{MEMORY}", PIPELINE.replace("[]", &addresses)));
    let is_endless = matches!(lie, Lie::Endless | Lie::EndlessRecord | Lie::Stalls);
    let mut command = world.command(&["run", "p.toml"]);
    let stop = is_endless.then_some((Signal::Term, PATIENCE));
    // 2 where it is asked what there is and says nothing sensible, before anything has run.
    let ran = trial.watch(&mut command, stop, &[0, 2, 3]);
    trial.note(format!("{lie:?}: {ran:#?}"));
    trial.counts.hit += server.shared.n_lies.load(Ordering::Relaxed).min(1);
    if ran.code == Some(0) {
        adds_up(&world, "out");
        let found = found(&world);
        let of = |name: &str| -> Vec<String> {
            found.iter().filter(|word| word.starts_with(name)).cloned().collect()
        };
        trial.same_records(&good, &of("good"));
        let letters = world.records("out/__failed");
        let has_letter = letters.iter().any(|letter| letter["id"].to_string().contains("bad.jsonl"));
        let bad_found = of("bad");
        if has_letter {
            // What came before the lie is kept, once and in order.
            let n_first = bad_found.iter().zip(&bad).take_while(|(found, word)| found == word).count();
            trial.counts.twice += (bad_found.len() - n_first) as u64;
            assert_eq!(n_first, bad_found.len(), "{lie:?}: {letters:#?}");
        } else {
            trial.same_records(&bad, &bad_found);
        }
    } else if ran.code != Some(130) {
        assert!(ran.stderr.contains("error: ") && ran.stderr.trim().len() > 30, "{ran:#?}");
    }
    // From now on it tells the truth.
    server.shared.is_honest.store(true, Ordering::Relaxed);
    trial.run(&world, &["--fresh"], &[0]);
    adds_up(&world, "out");
    trial.same_records(&[good, bad].concat(), &found(&world));
}

/// The words of all records that were kept.
fn found(world: &World) -> Vec<String> {
    let third = |record: &serde_json::Value| -> Option<String> {
        record["text"].as_str()?.split(' ').nth(2).map(str::to_owned)
    };
    world.records("out").iter().filter_map(third).collect()
}

struct Server {
    address: String,
    shared: Arc<Shared>,
}

struct Shared {
    files: BTreeMap<&'static str, Vec<u8>>,
    lie: Lie,
    /// Where bodies are broken off, as a part of them in millionths.
    place: u64,
    /// How often it has lied.
    n_lies: AtomicU64,
    is_honest: AtomicBool,
    /// Clients that are still served what never ends; only one at a time, so that nothing piles up.
    endless: Mutex<()>,
}

impl Server {
    fn start(files: BTreeMap<&'static str, Vec<u8>>, lie: Lie, place: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let shared = Arc::new(Shared {
            files,
            lie,
            place,
            n_lies: AtomicU64::new(0),
            is_honest: AtomicBool::new(false),
            endless: Mutex::new(()),
        });
        let of_thread = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&of_thread);
                // A client that goes away is none of our business.
                std::thread::spawn(move || drop(shared.serve(stream)));
            }
        });
        Self { address, shared }
    }
}

/// What a client asks for.
struct Request {
    is_head: bool,
    path: String,
    range: Option<(usize, usize)>,
}

fn request(reader: &mut impl BufRead) -> std::io::Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split(' ');
    let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let path = target.split('?').next().unwrap_or("").to_owned();
    let mut request = Request { is_head: method == "HEAD", path, range: None };
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header)? == 0 {
            return Ok(None);
        }
        let header = header.trim().to_ascii_lowercase();
        if header.is_empty() {
            return Ok(Some(request));
        }
        if let Some(value) = header.strip_prefix("range: bytes=") {
            let (from, to) = value.split_once('-').unwrap_or((value, ""));
            let end = to.parse::<usize>().map_or(usize::MAX, |to| to + 1);
            request.range = Some((from.parse().unwrap_or(0), end));
        }
    }
}

impl Shared {
    fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        while let Some(request) = request(&mut reader)? {
            let Some(bytes) = self.files.get(request.path.as_str()) else {
                stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")?;
                continue;
            };
            let is_lie = request.path.contains("bad") && !self.is_honest.load(Ordering::Relaxed);
            let stays = if is_lie && !request.is_head {
                self.lie(&mut stream, &request, bytes)?
            } else {
                let version = if is_lie { self.version() } else { VERSION.into() };
                answer(&mut stream, &request, bytes, &version)?;
                true
            };
            if !stays {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The headers that tell one version of a file from another.
    fn version(&self) -> String {
        match self.lie {
            Lie::NoVersion => String::new(),
            Lie::OtherVersions => format!("ETag: \"{}\"\r\n", self.n_lies.fetch_add(1, Ordering::Relaxed)),
            _ => VERSION.into(),
        }
    }

    /// Answers with a lie; whether the connection can be used again.
    fn lie(&self, stream: &mut TcpStream, request: &Request, bytes: &[u8]) -> std::io::Result<bool> {
        if matches!(self.lie, Lie::NoVersion | Lie::OtherVersions) {
            self.n_lies.fetch_add(u64::from(self.lie == Lie::NoVersion), Ordering::Relaxed);
            answer(stream, request, bytes, &self.version())?;
            return Ok(true);
        }
        let n_before = self.n_lies.fetch_add(1, Ordering::Relaxed);
        let (head, body) = head(request, bytes, VERSION);
        let part = (body.len() as u64 * self.place / 1_000_000) as usize;
        let with_length = |length: usize| format!("{head}Content-Length: {length}\r\n\r\n");
        let is_over = n_before >= 3;
        match self.lie {
            Lie::CutAtFirst | Lie::FailsAtFirst if is_over => {
                answer(stream, request, bytes, VERSION)?;
                return Ok(true);
            }
            Lie::Cut | Lie::CutAtFirst => {
                stream.write_all(with_length(body.len()).as_bytes())?;
                stream.write_all(&body[..part])?;
            }
            Lie::Stalls => {
                stream.write_all(with_length(body.len()).as_bytes())?;
                stream.write_all(&body[..part])?;
                while !self.is_honest.load(Ordering::Relaxed) {
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
            Lie::TooLong => {
                stream.write_all(with_length(body.len() + 1_000).as_bytes())?;
                stream.write_all(body)?;
            }
            Lie::TooShort => {
                stream.write_all(with_length(part).as_bytes())?;
                stream.write_all(body)?;
            }
            Lie::Fails | Lie::FailsAtFirst => {
                stream.write_all(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n")?;
                return Ok(true);
            }
            Lie::RedirectsNowhere => {
                // A port that nobody listens on: it was free a moment ago.
                let nowhere = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
                let head = format!(
                    "HTTP/1.1 302 Found\r\nLocation: http://{nowhere}/x\r\nContent-Length: 0\r\n\r\n"
                );
                stream.write_all(head.as_bytes())?;
                return Ok(true);
            }
            Lie::IgnoresRanges => {
                let whole = Request { range: None, path: request.path.clone(), is_head: false };
                answer(stream, &whole, bytes, VERSION)?;
                return Ok(true);
            }
            Lie::Slow => {
                stream.write_all(with_length(body.len()).as_bytes())?;
                for piece in body.chunks(body.len().div_ceil(40).max(1)) {
                    stream.write_all(piece)?;
                    std::thread::sleep(Duration::from_millis(10));
                }
                return Ok(true);
            }
            Lie::Endless | Lie::EndlessRecord => {
                // As the part that was asked for, of a length beyond all reason; in some trials without a length.
                if self.place.is_multiple_of(3) {
                    self.endless(stream, &format!("HTTP/1.1 200 OK\r\n{VERSION}"), true)?;
                } else {
                    self.endless(stream, &format!("{head}Content-Length: 1000000000000000\r\n"), false)?;
                }
            }
            Lie::NoVersion | Lie::OtherVersions => {}
        }
        Ok(false)
    }

    /// Sends until the client has gone.
    fn endless(&self, stream: &mut TcpStream, head: &str, is_chunked: bool) -> std::io::Result<()> {
        let _one = self.endless.lock().unwrap();
        let coding = if is_chunked { "Transfer-Encoding: chunked\r\n" } else { "" };
        stream.write_all(format!("{head}{coding}\r\n").as_bytes())?;
        let record = file("jsonl", &["endless".to_owned()]);
        let mut piece = record.repeat((32 << 10) / record.len());
        if self.lie == Lie::EndlessRecord {
            piece.retain(|byte| *byte != b'\n');
        }
        loop {
            if is_chunked {
                write!(stream, "{:x}\r\n", piece.len())?;
            }
            stream.write_all(&piece)?;
            if is_chunked {
                stream.write_all(b"\r\n")?;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

const VERSION: &str = "ETag: \"1\"\r\nLast-Modified: Mon, 02 Nov 2026 08:00:00 GMT\r\n";

/// Status and headers, without the length, and the body.
fn head<'b>(request: &Request, bytes: &'b [u8], version: &str) -> (String, &'b [u8]) {
    let Some((from, to)) = request.range else {
        return (format!("HTTP/1.1 200 OK\r\n{version}"), bytes);
    };
    let body = bytes.get(from..to.min(bytes.len())).unwrap_or_default();
    let end = (from + body.len()).saturating_sub(1);
    let head = format!(
        "HTTP/1.1 206 Partial Content\r\n{version}Content-Range: bytes {from}-{end}/{}\r\n",
        bytes.len()
    );
    (head, body)
}

fn answer(stream: &mut TcpStream, request: &Request, bytes: &[u8], version: &str) -> std::io::Result<()> {
    let (head, body) = head(request, bytes, version);
    write!(stream, "{head}Accept-Ranges: bytes\r\nContent-Length: {}\r\n\r\n", body.len())?;
    if request.is_head { Ok(()) } else { stream.write_all(body) }
}
