//! Inputs on a web server and in an object store, each a few lines of code on this machine.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::world::{PIPELINE, World, line, ran};

/// Serves files by their path, with ranges, and lists them as S3 does; breaks off the first long body.
struct Server {
    address: String,
    n_cut: Arc<AtomicUsize>,
}

impl Server {
    fn start(files: BTreeMap<String, Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let n_cut = Arc::new(AtomicUsize::new(0));
        let (files, cut) = (Arc::new(files), Arc::clone(&n_cut));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (files, cut) = (Arc::clone(&files), Arc::clone(&cut));
                // A client that goes away is none of our business.
                std::thread::spawn(move || drop(serve(stream, &files, &cut)));
            }
        });
        Self { address, n_cut }
    }
}

fn serve(stream: TcpStream, files: &BTreeMap<String, Vec<u8>>, n_cut: &AtomicUsize) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    loop {
        let mut request = String::new();
        if reader.read_line(&mut request)? == 0 {
            return Ok(());
        }
        let mut range = None;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header)?;
            let header = header.trim().to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(value) = header.strip_prefix("range: bytes=") {
                let (from, to) = value.split_once('-').unwrap_or((value, ""));
                range = Some((from.parse().unwrap_or(0), to.parse().unwrap_or(usize::MAX - 1) + 1));
            }
        }
        let mut words = request.split(' ');
        let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        if query.contains("list-type=2") {
            respond(&mut stream, "200 OK", "", listing(files).as_bytes(), method)?;
            continue;
        }
        let Some(bytes) = files.get(path) else {
            respond(&mut stream, "404 Not Found", "", b"", method)?;
            continue;
        };
        let (from, to) = range.unwrap_or((0, bytes.len()));
        let body = bytes.get(from..to.min(bytes.len())).unwrap_or_default();
        let end = (from + body.len()).saturating_sub(1);
        let (status, headers) = match range {
            Some(_) => {
                ("206 Partial Content", format!("Content-Range: bytes {from}-{end}/{}\r\n", bytes.len()))
            }
            None => ("200 OK", String::new()),
        };
        if method == "GET" && body.len() > 100_000 && n_cut.fetch_add(1, Ordering::Relaxed) == 0 {
            write!(
                stream,
                "HTTP/1.1 {status}\r\nETag: \"1\"\r\nContent-Length: {}\r\n{headers}\r\n",
                body.len()
            )?;
            return stream.write_all(&body[..50_000]);
        }
        respond(&mut stream, status, &headers, body, method)?;
    }
}

fn respond(
    stream: &mut TcpStream,
    status: &str,
    headers: &str,
    body: &[u8],
    method: &str,
) -> std::io::Result<()> {
    let length = body.len();
    let date = "Last-Modified: Mon, 02 Nov 2026 08:00:00 GMT\r\nETag: \"1\"\r\nAccept-Ranges: bytes\r\n";
    write!(stream, "HTTP/1.1 {status}\r\n{date}Content-Length: {length}\r\n{headers}\r\n")?;
    if method == "HEAD" { Ok(()) } else { stream.write_all(body) }
}

fn listing(files: &BTreeMap<String, Vec<u8>>) -> String {
    let mut xml = "<?xml version=\"1.0\"?><ListBucketResult><IsTruncated>false</IsTruncated>".to_owned();
    for (path, bytes) in files {
        let key = path.trim_start_matches("/bucket/");
        let _ = write!(
            xml,
            "<Contents><Key>{key}</Key><Size>{}</Size><ETag>\"1\"</ETag>\
             <LastModified>2026-11-02T08:00:00.000Z</LastModified></Contents>",
            bytes.len()
        );
    }
    xml + "</ListBucketResult>"
}

fn lines(from: usize, n: usize) -> String {
    (from..from + n).map(|n| line(n, 400)).collect()
}

#[test]
fn a_web_server_that_breaks_off_is_asked_again() {
    let content = lines(0, 1_000);
    let server = Server::start([("/dump/a.jsonl".to_owned(), content.clone().into_bytes())].into());
    let (web, local) = (World::new(), World::new());
    local.write("in/a.jsonl", &content);
    local.run(&[]).exits(0);
    web.run(&[&format!("http://{}/dump/a.jsonl", server.address)]).exits(0);
    assert_eq!(web.tally(), (1_000, 1_000, 0, 0));
    assert!(server.n_cut.load(Ordering::Relaxed) > 1, "nothing was broken off");
    assert!(web.files("out")["part-00000.jsonl"] == local.files("out")["part-00000.jsonl"]);
    let missing = format!("http://{}/dump/b.jsonl", server.address);
    web.run(&[&missing, "--fresh"]).exits(2).says(&["error: cannot read the inputs", "b.jsonl"]);
}

#[test]
fn a_folder_of_an_object_store_is_read_like_any_other() {
    let files = [("/bucket/dump/a.jsonl", lines(0, 700)), ("/bucket/dump/b/c.jsonl", lines(700, 300))];
    let server = Server::start(files.clone().map(|(path, text)| (path.to_owned(), text.into_bytes())).into());
    let (store, local) = (World::with(&PIPELINE.replace("\"in\"", "\"s3://bucket/dump/\"")), World::new());
    for (path, text) in &files {
        local.write(path.replace("/bucket/dump", "in"), text);
    }
    local.run(&[]).exits(0);
    let mut command = store.command(&["run", "p.toml"]);
    for (name, value) in [
        ("AWS_ENDPOINT", format!("http://{}", server.address)),
        ("AWS_ALLOW_HTTP", "true".to_owned()),
        ("AWS_ACCESS_KEY_ID", "somebody".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "something".to_owned()),
        ("AWS_REGION", "here-1".to_owned()),
    ] {
        command.env(name, value);
    }
    ran(&mut command).exits(0);
    assert_eq!(store.tally(), (1_000, 1_000, 0, 0));
    assert!(store.files("out")["part-00000.jsonl"] == local.files("out")["part-00000.jsonl"]);
}

#[test]
fn secrets_of_an_address_are_nowhere() {
    let server = Server::start([("/dump/a.jsonl".to_owned(), b"no JSON at all\n".to_vec())].into());
    let world = World::new();
    let address = |path: &str, query: &str| {
        format!("http://bob:SECRETPW@{}/dump/{path}?X-Amz-Signature=SIGTOKEN{query}#SIGTOKEN", server.address)
    };
    let (first, second) = (address("a.jsonl", "1"), address("a.jsonl", "2"));
    let mut said = Vec::new();
    for arguments in [
        &["plan", "p.toml", "--json", first.as_str()][..],
        &["run", "p.toml", first.as_str(), second.as_str()],
        &["run", "p.toml", "--fresh", &address("missing.jsonl", "")],
        &["run", "p.toml", &first.replace("http:", "ftp:")],
    ] {
        let output = world.command(arguments).output().unwrap();
        said.extend([output.stdout, output.stderr]);
    }
    // Two queries of one path are two inputs: each has its dead letter.
    world.run(&["--fresh", &first, &second]);
    let manifest = world.manifest();
    assert_eq!(manifest["input_files"].as_u64(), Some(2));
    said.extend(world.files(".").into_values());
    assert!(said.iter().any(|bytes| String::from_utf8_lossy(bytes).contains("?X-Amz-Signature=~")));
    for bytes in said {
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("SECRETPW") && !text.contains("SIGTOKEN"), "{text}");
    }
}
