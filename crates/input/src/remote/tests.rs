use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Mutex;

use super::*;
use crate::{
    Candidate, Content, Excludes, InputError, InputFile, ListOptions, Location, OpenOptions, Pattern, open,
};

/// A server that speaks as much S3 and HTTP as is needed here, and misbehaves as it is told.
struct Server {
    address: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    objects: BTreeMap<String, Vec<u8>>,
    tag: u32,
    /// Bodies are cut after so many bytes, so many times.
    cuts: Vec<usize>,
    /// So many requests are answered with 503.
    busy: usize,
    /// The object changes when it was asked for so often.
    changes_after: Option<usize>,
    knows_ranges: bool,
    knows_head: bool,
    requests: Vec<String>,
}

impl Server {
    fn start(objects: &[(&str, &[u8])], state: State) -> Self {
        let objects = objects.iter().map(|(key, bytes)| ((*key).to_owned(), bytes.to_vec())).collect();
        let state = Arc::new(Mutex::new(State { objects, ..state }));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                std::thread::spawn(move || {
                    let _ = answer(stream, &state);
                });
            }
        });
        Self { address, state }
    }

    fn object(&self, key: &str, part: u64) -> Object {
        let store = AmazonS3Builder::new()
            .with_bucket_name("bucket")
            .with_endpoint(&self.address)
            .with_allow_http(true)
            .with_access_key_id("a")
            .with_secret_access_key("b")
            .with_retry(quick())
            .build()
            .unwrap();
        let url = format!("s3://bucket/{key}").into();
        Object { store: Arc::new(store), key: Key::parse(key).unwrap(), url, part }
    }
}

fn quick() -> RetryConfig {
    let mut retry = RetryConfig { max_retries: 4, ..RetryConfig::default() };
    retry.backoff.init_backoff = Duration::from_millis(1);
    retry.backoff.max_backoff = Duration::from_millis(5);
    retry
}

fn good() -> State {
    State { knows_ranges: true, knows_head: true, ..State::default() }
}

/// Answers one request.
fn answer(mut stream: TcpStream, state: &Mutex<State>) -> io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    let mut headers = BTreeMap::new();
    for line in lines {
        let line = line?;
        let Some((name, value)) = line.split_once(": ") else { break };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let mut state = state.lock().unwrap();
    let range = headers.get("range").cloned().unwrap_or_default();
    state.requests.push(format!("{request} {range}"));
    let mut words = request.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut say = |status: &str, headers: &str, body: &[u8]| {
        let length = if headers.contains("content-length") {
            String::new()
        } else {
            format!("content-length: {}\r\n", body.len())
        };
        write!(stream, "HTTP/1.1 {status}\r\nconnection: close\r\n{length}{headers}\r\n")?;
        stream.write_all(body)
    };
    if state.busy > 0 {
        state.busy -= 1;
        return say("503 Slow Down", "", b"");
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if query.contains("list-type=2") {
        return say("200 OK", "", page(&state, query).as_bytes());
    }
    let key = path.trim_start_matches("/bucket").trim_start_matches('/');
    if key == "secret" {
        return say("403 Forbidden", "", b"<Error><Code>AccessDenied</Code></Error>");
    }
    if method == "HEAD" && !state.knows_head {
        return say("501 Not Implemented", "", b"");
    }
    let Some(bytes) = state.objects.get(key).cloned() else { return say("404 Not Found", "", b"") };
    if let Some(left) = &mut state.changes_after {
        if *left == 0 {
            state.tag += 1;
            state.changes_after = None;
        } else {
            *left -= 1;
        }
    }
    let tag = format!("\"{}\"", state.tag);
    if headers.get("if-match").is_some_and(|wanted| *wanted != tag) {
        return say("412 Precondition Failed", "", b"");
    }
    let common = format!("etag: {tag}\r\nlast-modified: Mon, 02 Jan 2023 03:04:05 GMT\r\n");
    if method == "HEAD" {
        return say("200 OK", &format!("{common}content-length: {}\r\n", bytes.len()), b"");
    }
    let asked = range.strip_prefix("bytes=").and_then(|range| range.split_once('-'));
    let (status, body, more) = match asked.filter(|_| state.knows_ranges) {
        Some((from, to)) => {
            let from: usize = from.parse().unwrap();
            let to = to.parse().map_or(bytes.len(), |to: usize| (to + 1).min(bytes.len()));
            let more = format!("content-range: bytes {from}-{}/{}\r\n", to - 1, bytes.len());
            ("206 Partial Content", &bytes[from..to], more)
        }
        None => ("200 OK", &bytes[..], String::new()),
    };
    let headers = format!("{common}{more}content-length: {}\r\n", body.len());
    match state.cuts.pop() {
        Some(cut) => say(status, &headers, &body[..cut.min(body.len())]),
        None => say(status, &headers, body),
    }
}

/// A page of two keys.
fn page(state: &State, query: &str) -> String {
    let value = |name: &str| {
        let found = query.split('&').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
        found.unwrap_or_default().replace("%2F", "/")
    };
    let (prefix, after) = (value("prefix"), value("continuation-token"));
    let keys: Vec<_> = state.objects.keys().filter(|key| key.starts_with(&prefix) && **key > after).collect();
    let mut page = format!("<ListBucketResult><IsTruncated>{}</IsTruncated>", keys.len() > 2);
    for key in keys.iter().take(2) {
        let size = state.objects[*key].len();
        page += &format!(
            "<Contents><Key>{key}</Key><LastModified>2023-01-02T03:04:05.000Z</LastModified>\
             <ETag>\"0\"</ETag><Size>{size}</Size></Contents>"
        );
    }
    if keys.len() > 2 {
        page += &format!("<NextContinuationToken>{}</NextContinuationToken>", keys[1]);
    }
    page + "</ListBucketResult>"
}

fn noise(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i.wrapping_mul(i) >> 3) as u8).collect()
}

fn all(object: Object, version: &str) -> io::Result<Vec<u8>> {
    let (mut reader, size) = object.read(version)?;
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes)?;
    assert!(size.is_none_or(|size| size == bytes.len() as u64));
    Ok(bytes)
}

#[test]
fn an_object_is_read_whole_whatever_happens() {
    let bytes = noise(10_000);
    for (part, state) in [
        (1_000, good()),
        (1 << 20, good()),
        (3_000, State { cuts: vec![10, 0, 1_500], ..good() }),
        (1 << 20, State { cuts: vec![100], ..good() }),
        (3_000, State { busy: 2, ..good() }),
    ] {
        let server = Server::start(&[("a/b.bin", &bytes), ("empty", b"")], state);
        assert!(all(server.object("a/b.bin", part), "").unwrap() == bytes);
        assert!(all(server.object("a/b.bin", part), "\"0\"").unwrap() == bytes);
        assert_eq!(all(server.object("empty", part), "").unwrap(), b"");
    }
}

#[test]
fn what_cannot_be_read_is_said() {
    let bytes = noise(10_000);
    let server = Server::start(&[("a", &bytes)], good());
    for (key, version, kind, expected) in [
        ("b", "", ErrorKind::NotFound, "there is no `s3://bucket/b`"),
        (
            "secret",
            "",
            ErrorKind::PermissionDenied,
            "`s3://bucket/secret` may not be read with these credentials",
        ),
        ("a", "\"7\"", ErrorKind::InvalidData, "`s3://bucket/a` has changed since it was listed"),
    ] {
        let error = all(server.object(key, 1_000), version).unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(error.to_string().starts_with(expected), "{error}");
    }
    let server = Server::start(&[("a", &bytes)], State { changes_after: Some(5), ..good() });
    let error = all(server.object("a", 1_000), "").unwrap_err();
    assert!(error.to_string().contains("has changed since"), "{error}");
    let server = Server::start(&[("a", &bytes)], State { busy: 1_000, ..good() });
    let error = all(server.object("a", 1_000), "").unwrap_err();
    assert!(error.to_string().starts_with("`s3://bucket/a` cannot be read: "), "{error}");
}

#[test]
fn an_object_is_read_anywhere() {
    let bytes = noise(10_000);
    let server = Server::start(&[("a", &bytes)], State { cuts: vec![7], ..good() });
    let access = server.object("a", 1_000).random_access("").unwrap();
    assert_eq!(access.size(), 10_000);
    for (offset, length) in [(0, 10), (9_990, 10), (500, 3_456), (10_000, 0)] {
        let mut buffer = vec![0; length];
        access.read_at(offset as u64, &mut buffer).unwrap();
        assert_eq!(buffer, bytes[offset..offset + length]);
    }
    assert_eq!(access.read_at(9_990, &mut [0; 11]).unwrap_err().kind(), ErrorKind::UnexpectedEof);
}

#[test]
fn a_store_is_listed_page_by_page() {
    let objects: [(&str, &[u8]); 7] = [
        ("d/a.txt", b"1"),
        ("d/b.tmp", b"2"),
        ("d/e", b""),
        ("d/e/f.txt", b"3"),
        ("d/skip/g.txt", b"4"),
        ("d/z.txt", b"55"),
        ("other/x.txt", b"6"),
    ];
    let server = Server::start(&objects, State { busy: 1, ..good() });
    let excludes = Excludes::new(&["*.tmp".to_owned(), "skip/".to_owned()]).unwrap();
    let options = ListOptions {
        is_excluded: &|found: Candidate<'_>| excludes.contains(found.relative, found.is_folder),
        is_stopped: &|| false,
    };
    let names = |written: &str, key: &str| {
        let mut patterns = [Pattern::parse(written, Path::new("/")).unwrap()];
        Pattern::share_root(&mut patterns);
        let object = Object { url: format!("s3://bucket/{key}").into(), ..server.object(key, 1_000) };
        let files = object.list(&patterns[0], "s3://bucket/", true, &options).unwrap();
        let file = |file: &InputFile| format!("{} {} {}", file.name, file.size, file.version);
        files.iter().map(file).collect::<Vec<_>>()
    };
    let below = ["d/a.txt 1 \"0\"", "d/e/f.txt 1 \"0\"", "d/z.txt 2 \"0\""];
    assert_eq!(names("s3://bucket/d/", "d/"), below);
    assert_eq!(names("s3://bucket/d/*.txt", "d/"), [below[0], below[2]]);
    assert_eq!(names("s3://bucket/", "").len(), 4);
    let pattern = Pattern::parse("s3://bucket/d", Path::new("/")).unwrap();
    let error = server.object("d", 1).list(&pattern, "s3://bucket/", false, &options).unwrap_err();
    let expected =
        "`s3://bucket/d`: there is no `s3://bucket/d`: end it in `/` to read all objects that begin so";
    assert_eq!(error.to_string(), expected);
    let stopped = ListOptions { is_stopped: &|| true, ..options };
    let stopped = server.object("d", 1).list(&pattern, "s3://bucket/", true, &stopped);
    assert!(matches!(stopped, Err(InputError::Stopped)));
}

#[test]
fn the_web_is_read_with_and_without_ranges() {
    let bytes = noise(10_000);
    for (knows_ranges, knows_head) in [(true, true), (false, true), (false, false)] {
        let server =
            Server::start(&[("a/b.bin", &bytes)], State { knows_ranges, knows_head, ..State::default() });
        let url = format!("{}/a/b.bin?key=1%2F2", server.address);
        let pattern = Pattern::parse(&url, Path::new("/")).unwrap();
        let options = ListOptions { is_excluded: &|_| false, is_stopped: &|| false };
        if !knows_head {
            // Repeated, as what may pass; that takes a moment.
            let file = InputFile::at(Location::Url(url.clone()));
            assert_eq!(&*file.name, "b.bin?key=1%2F2");
        }
        let file = if knows_head {
            let files = crate::list(&pattern, &options, &mut crate::Seen::default()).unwrap();
            assert_eq!((files.len(), files[0].size, &*files[0].name), (1, 10_000, "b.bin?key=1%2F2"));
            files[0].clone()
        } else {
            InputFile::at(Location::Url(url))
        };
        let Content::Stream(mut input) = open(&file, &OpenOptions::default()).unwrap() else {
            panic!("no stream")
        };
        let mut read = Vec::new();
        input.read_to_end(&mut read).unwrap();
        assert!(read == bytes);
        assert!(server.state.lock().unwrap().requests.iter().all(|it| it.contains("?key=1%2F2")));
    }
}

#[test]
fn a_cut_that_cannot_be_mended_is_said() {
    let bytes = noise(10_000);
    // The last is cut off first: the request that finds out about ranges.
    let server = Server::start(
        &[("a", &bytes)],
        State { cuts: vec![700, 10_000], knows_head: true, ..State::default() },
    );
    let url = format!("{}/a", server.address);
    let mut input =
        crate::Input::open(&InputFile::at(Location::Url(url.clone())), &OpenOptions::default()).unwrap();
    let mut read = Vec::new();
    let error = input.read_to_end(&mut read).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionAborted);
    assert!(
        error.to_string().starts_with(&format!("the connection to `{url}` was cut at byte 700 ")),
        "{error}"
    );
    assert!(read == bytes[..700]);
}

#[test]
fn stores_are_opened_by_their_address() {
    for (url, key) in [
        ("s3://a-bucket/x/y.txt", "x/y.txt"),
        ("s3://a-bucket/z/", "z"),
        ("az://container/字.txt", "字.txt"),
        ("https://host/a/b.txt?x", ""),
    ] {
        // Without credentials in the environment some stores say so at once; none of them may panic.
        if let Ok((_, found)) = store(url) {
            assert_eq!(found.as_ref(), key);
        }
    }
    assert!(store("s3://a-bucket/a//b").is_err());
}
