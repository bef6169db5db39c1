use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Mutex;
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::{Error, RetryConfig};

use super::*;
use crate::list::seen::Seen;
use crate::{
    Candidate, Content, InputError, InputFile, ListOptions, Listing, Location, OpenOptions, Pattern, open,
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
    /// How many keys a page of the listing has.
    page: usize,
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
        let url = Address::new(format!("s3://bucket/{key}"));
        let store = Arc::new(store);
        let pages = Some(Arc::clone(&store) as Arc<dyn PaginatedListStore>);
        Object { store, pages, key: Key::parse(key).unwrap(), url, part }
    }
}

fn quick() -> RetryConfig {
    let mut retry = RetryConfig { max_retries: 4, ..RetryConfig::default() };
    retry.backoff.init_backoff = Duration::from_millis(1);
    retry.backoff.max_backoff = Duration::from_millis(5);
    retry
}

fn good() -> State {
    State { knows_ranges: true, knows_head: true, page: 2, ..State::default() }
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

/// A page of keys.
fn page(state: &State, query: &str) -> String {
    let value = |name: &str| {
        let found = query.split('&').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
        found.unwrap_or_default().replace("%2F", "/")
    };
    let after = value("continuation-token").max(value("start-after"));
    let most = value("max-keys").parse().unwrap_or(state.page).min(state.page);
    let prefix = value("prefix");
    let keys: Vec<_> = state.objects.keys().filter(|key| key.starts_with(&prefix) && **key > after).collect();
    let mut page = format!("<ListBucketResult><IsTruncated>{}</IsTruncated>", keys.len() > most);
    for key in keys.iter().take(most) {
        let size = state.objects[*key].len();
        page += &format!(
            "<Contents><Key>{key}</Key><LastModified>2023-01-02T03:04:05.000Z</LastModified>\
             <ETag>\"0\"</ETag><Size>{size}</Size></Contents>"
        );
    }
    if keys.len() > most {
        page += &format!("<NextContinuationToken>{}</NextContinuationToken>", keys[most - 1]);
    }
    page + "</ListBucketResult>"
}

fn remote(written: &str) -> Pattern {
    Pattern::remote(&Address::new(written)).unwrap()
}

/// Name, size and version of what an object holds.
fn listed(
    object: &Object,
    pattern: &Pattern,
    root: &str,
    options: &ListOptions<'_>,
) -> Result<Vec<String>, InputError> {
    let mut listing = Listing::default();
    object.list(pattern, root, options, &mut Seen::default(), &mut listing)?;
    let file = |file: InputFile| {
        assert_eq!(
            file.location.to_string(),
            format!("s3://bucket/{}", file.location.to_string().rsplit_once("bucket/").unwrap().1)
        );
        format!("{} {} {}", file.name, file.size, file.version)
    };
    Ok(listing.iter().map(file).collect())
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
    let options = ListOptions {
        is_excluded: &|found: Candidate<'_>| {
            found.relative.ends_with("skip") && found.is_folder
                || found.relative.to_string_lossy().ends_with(".tmp")
        },
        is_stopped: &|| false,
    };
    let names = |written: &str, key: &str| {
        let pattern = remote(written);
        let object = Object { url: Address::new(format!("s3://bucket/{key}")), ..server.object(key, 1_000) };
        listed(&object, &pattern, "s3://bucket/", &options).unwrap()
    };
    let below = ["d/a.txt 1 \"0\"", "d/e/f.txt 1 \"0\"", "d/z.txt 2 \"0\""];
    assert_eq!(names("s3://bucket/d/", "d/"), below);
    assert_eq!(names("s3://bucket/d/*.txt", "d/"), [below[0], below[2]]);
    assert_eq!(names("s3://bucket/", "").len(), 4);
    let whole = listed(&server.object("d", 1_000), &remote("s3://bucket/d/"), "", &options).unwrap();
    assert_eq!(whole, below.map(|name| format!("s3://bucket/{name}")));
    let within = listed(&server.object("d", 1_000), &remote("s3://bucket/d/"), "s3://bucket/d/", &options);
    assert_eq!(within.unwrap(), below.map(|name| name.trim_start_matches("d/").to_owned()));
    let error = server.object("d", 1).one("s3://bucket/").unwrap_err();
    let expected = "there is no `s3://bucket/d`: end it in `/` to read all objects that begin so";
    assert_eq!(error.to_string(), expected);
    let stopped = ListOptions { is_stopped: &|| true, ..options };
    let stopped = listed(&server.object("d", 1), &remote("s3://bucket/d"), "s3://bucket/", &stopped);
    assert!(matches!(stopped, Err(InputError::Stopped)));
}

#[test]
fn keys_that_no_request_can_name_cost_themselves() {
    let mut objects: Vec<String> = (0..300).map(|number| format!("d/{number:03}.txt")).collect();
    let unspeakable = ["d/../x.jsonl", "d/100//a.txt", "d/200/./b.txt", "d/200/../b.txt", "d/zzz//c.txt"];
    objects.extend(unspeakable.map(str::to_owned));
    let objects: Vec<(&str, &[u8])> = objects.iter().map(|key| (key.as_str(), &b"1"[..])).collect();
    for page in [1, 2, 100, 1_000] {
        let server = Server::start(&objects, State { page, ..good() });
        let options = ListOptions { is_excluded: &|_| false, is_stopped: &|| false };
        let mut listing = Listing::default();
        let object = server.object("d", 1_000);
        let pattern = remote("s3://bucket/d/");
        object.list(&pattern, "s3://bucket/d/", &options, &mut Seen::default(), &mut listing).unwrap();
        let (bad, good): (Vec<_>, Vec<_>) = listing.iter().partition(|file| file.trouble.is_some());
        let names: Vec<_> = bad.iter().map(|file| &*file.name).collect();
        assert_eq!(
            names,
            ["\\x2E\\x2E/x.jsonl", "100/a.txt", "200/\\x2E\\x2E/b.txt", "200/b.txt", "zzz/c.txt"]
        );
        assert!(bad.iter().all(|file| file.trouble.as_ref().unwrap().contains("copy it to another key")));
        let names: Vec<_> = good.iter().map(|file| file.name.to_string()).collect();
        assert_eq!(names, (0..300).map(|number| format!("{number:03}.txt")).collect::<Vec<_>>());
        let requests = server.state.lock().unwrap().requests.len();
        assert!(page < 1_000 || requests < 100, "{requests} requests");
    }
}

#[test]
fn the_web_is_read_with_and_without_ranges() {
    let bytes = noise(10_000);
    for (knows_ranges, knows_head) in [(true, true), (false, true), (false, false)] {
        let server =
            Server::start(&[("a/b.bin", &bytes)], State { knows_ranges, knows_head, ..State::default() });
        let url = Address::new(format!("{}/a/b.bin?key=1%2F2", server.address));
        let name = tamis_address::shown("http://h/b.bin?key=1%2F2").replace("http://h/", "");
        let options = ListOptions { is_excluded: &|_| false, is_stopped: &|| false };
        // Without `HEAD` listing takes a moment, since requests are repeated.
        let file = if knows_head {
            let mut patterns = [Pattern::remote(&url).unwrap(), Pattern::remote(&url).unwrap()];
            Pattern::share_root(&mut patterns);
            let mut listing = Listing::default();
            listing.add(&patterns, &options).unwrap();
            assert_eq!(listing.len(), 1);
            let file = listing.get(0).unwrap();
            assert_eq!((file.size, &*file.name), (10_000, &*name));
            file
        } else {
            InputFile::at(Location::Url(url))
        };
        assert_eq!(&*file.name, name);
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
fn nothing_tells_a_secret() {
    let bytes = noise(3_000);
    let objects: [(&str, &[u8]); 2] = [("a.jsonl", &bytes), ("cut.jsonl", &bytes)];
    let state = State { cuts: vec![700, 700, 700, 700, 700, 700, 700], knows_head: true, ..State::default() };
    let server = Server::start(&objects, state);
    let host = server.address.trim_start_matches("http://");
    let url = |path: &str| {
        Address::new(format!("http://bob:SECRETPW@{host}/{path}?X-Amz-Signature=SIGTOKEN#SIGTOKEN"))
    };
    let options = ListOptions { is_excluded: &|_| false, is_stopped: &|| false };
    let list = |path: &str| {
        let mut listing = Listing::default();
        let mut patterns = [Pattern::remote(&url(path)).unwrap()];
        Pattern::share_root(&mut patterns);
        listing.add(&patterns, &options).map(|()| listing)
    };
    let mut said = vec![format!("{:?}", Pattern::remote(&url("a.jsonl")).unwrap())];
    let listing = list("a.jsonl").unwrap();
    said.push(format!("{listing:?}"));
    let file = listing.get(0).unwrap();
    said.push(format!("{file:?} {}", file.location));
    for path in ["missing.jsonl", "secret"] {
        let error = list(path).unwrap_err();
        said.push(format!("{error} {error:?}"));
    }
    let changed = InputFile { version: "\"9\"".to_owned(), ..file };
    said.push(open(&changed, &OpenOptions::default()).err().unwrap().to_string());
    let cut = InputFile::at(Location::Url(url("cut.jsonl")));
    let mut input = crate::Input::open(&cut, &OpenOptions::default()).unwrap();
    said.push(input.read_to_end(&mut Vec::new()).unwrap_err().to_string());
    let nobody = Address::new("http://bob:SECRETPW@127.0.0.1:1/a?X-Amz-Signature=SIGTOKEN");
    said.push(
        fetch::explain(&nobody, Error::Generic { store: "http", source: nobody.secret().into() }).to_string(),
    );
    for text in said {
        assert!(!text.contains("SECRETPW") && !text.contains("SIGTOKEN"), "{text}");
        assert!(text.contains("127.0.0.1"), "{text}");
    }
}

#[test]
fn two_queries_of_one_path_are_two_inputs() {
    let server = Server::start(&[("a", b"1")], good());
    let url = |query: &str| Pattern::remote(&Address::new(format!("{}/a?{query}", server.address))).unwrap();
    let mut patterns = [url("page=1"), url("page=2"), url("page=1")];
    Pattern::share_root(&mut patterns);
    let options = ListOptions { is_excluded: &|_| false, is_stopped: &|| false };
    let mut listing = Listing::default();
    listing.add(&patterns, &options).unwrap();
    let names: Vec<_> = listing.iter().map(|file| file.name).collect();
    assert!(names.len() == 2 && names[0] != names[1], "{names:?}");
}

#[test]
fn a_cut_that_cannot_be_mended_is_said() {
    let bytes = noise(10_000);
    // The last is cut off first: the request that finds out about ranges.
    let server = Server::start(
        &[("a", &bytes)],
        State { cuts: vec![700, 10_000], knows_head: true, ..State::default() },
    );
    let url = Address::new(format!("{}/a", server.address));
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
        if let Ok((_, found)) = store(&Address::new(url)) {
            assert_eq!(found.as_ref(), key);
        }
    }
    assert!(store(&Address::new("s3://a-bucket/a//b")).is_err());
}
