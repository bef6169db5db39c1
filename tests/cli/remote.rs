//! Inputs on a web server and in an object store, each a few lines of code on this machine.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read as _, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::world::{PIPELINE, Ran, World, line, ran};

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

/// Speaks as the hub of Hugging Face does: of a data set it says which commit a branch is at, lists its files in pages,
/// and redirects to another host for what is in them, which has tags of its own and must not see the token.
struct Hub {
    address: String,
    state: Arc<Mutex<HubState>>,
}

struct HubState {
    commit: String,
    files: BTreeMap<String, Vec<u8>>,
    n_asked: usize,
    /// What was asked with a token where none belongs, or without one where it does.
    wrong: Vec<String>,
}

const TOKEN: &str = "hf_of_this_test";

impl Hub {
    fn start(files: &[(&str, String)]) -> Self {
        let files =
            files.iter().map(|(path, text)| ((*path).to_owned(), text.clone().into_bytes())).collect();
        let state = HubState { commit: "c0ffee".to_owned(), files, n_asked: 0, wrong: Vec::new() };
        let state = Arc::new(Mutex::new(state));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                std::thread::spawn(move || drop(answer(stream, port, &state)));
            }
        });
        Self { address: format!("http://127.0.0.1:{port}"), state }
    }

    fn run(&self, world: &World, token: &str, arguments: &[&str]) -> Ran {
        let mut command = world.command(&[&["run", "p.toml"], arguments].concat());
        ran(command.env("HF_ENDPOINT", &self.address).env("HF_TOKEN", token))
    }
}

/// Answers one request.
fn answer(stream: TcpStream, port: u16, state: &Mutex<HubState>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut request = String::new();
    reader.read_line(&mut request)?;
    let mut headers = BTreeMap::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let Some((name, value)) = header.trim().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").and_then(|it| it.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let mut stream = stream;
    let mut say = |status: &str, headers: &str, body: &[u8]| {
        let length = body.len();
        write!(
            stream,
            "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
        )?;
        stream.write_all(body)
    };
    let mut state = state.lock().unwrap();
    state.n_asked += 1;
    let target = request.split(' ').nth(1).unwrap_or_default().to_owned();
    let has_token = headers.get("authorization").is_some_and(|it| it.ends_with(TOKEN));
    let is_elsewhere = target.starts_with("/elsewhere/");
    if has_token == is_elsewhere {
        state.wrong.push(request.clone());
        return say("401 Unauthorized", "", b"");
    }
    let commit = state.commit.clone();
    let entry = |path: &str, bytes: &[u8]| {
        let hash = blake3::hash(bytes).to_hex();
        serde_json::json!({ "type": "file", "oid": "pointer", "size": bytes.len(), "path": path,
            "lfs": { "oid": hash.as_str(), "size": bytes.len(), "pointerSize": 130 } })
    };
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let tree = format!("/api/datasets/mill/river/tree/{commit}/data");
    let resolve = format!("/datasets/mill/river/resolve/{commit}/");
    if path == "/api/datasets/mill/river/revision/main" {
        say("200 OK", "", format!("{{\"sha\":\"{commit}\",\"private\":true}}").as_bytes())
    } else if path == tree {
        // A page for each file, and one that is busy before the last.
        let at: usize = query.split_once("cursor=").map_or(0, |(_, at)| at.parse().unwrap());
        if at == 2 && state.n_asked.is_multiple_of(2) {
            return say("503 Service Unavailable", "", b"");
        }
        let (file, bytes) = state.files.iter().nth(at).unwrap();
        let folder = serde_json::json!({ "type": "directory", "oid": "0", "size": 0, "path": "data/b" });
        let link = format!(
            "Link: <http://127.0.0.1:{port}{tree}?recursive=true&cursor={}>; rel=\"next\"\r\n",
            at + 1
        );
        let link = if at + 1 < state.files.len() { link } else { String::new() };
        say("200 OK", &link, serde_json::json!([folder, entry(file, bytes)]).to_string().as_bytes())
    } else if path == format!("/api/datasets/mill/river/paths-info/{commit}") {
        let asked: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let name = asked["paths"][0].as_str().unwrap();
        let found: Vec<_> = state.files.get(name).map(|bytes| entry(name, bytes)).into_iter().collect();
        say("200 OK", "", serde_json::Value::from(found).to_string().as_bytes())
    } else if let Some(file) = path.strip_prefix(&resolve) {
        // Another name of this machine is another host.
        let place = format!("Location: http://localhost:{port}/elsewhere/{file}?signature=x\r\n");
        say("302 Found", &format!("ETag: \"{}\"\r\n{place}", state.n_asked), b"")
    } else if let Some(bytes) = path.strip_prefix("/elsewhere/").and_then(|file| state.files.get(file)) {
        let asked = headers.get("range").and_then(|it| it.strip_prefix("bytes=")?.split_once('-'));
        let (from, to): (usize, usize) = asked
            .map_or((0, bytes.len()), |(from, to)| (from.parse().unwrap(), to.parse::<usize>().unwrap() + 1));
        let range = format!("Content-Range: bytes {from}-{}/{}\r\n", to - 1, bytes.len());
        let tag = format!("Last-Modified: Mon, 02 Nov 2026 08:00:00 GMT\r\nETag: \"{}\"\r\n", state.n_asked);
        let status = if asked.is_some() { "206 Partial Content" } else { "200 OK" };
        say(status, &format!("{tag}{range}"), &bytes[from..to])
    } else {
        say("404 Not Found", "", b"")
    }
}

#[test]
fn a_data_set_of_the_hub_is_read_like_a_folder() {
    let files = [
        ("data/a.jsonl", lines(0, 700)),
        ("data/b/c.jsonl", lines(700, 300)),
        ("data/b/d.jsonl", lines(0, 9)),
    ];
    let hub = Hub::start(&files);
    let address = "hf://datasets/mill/river/data/";
    let (remote, local) = (World::with(&PIPELINE.replace("\"in\"", &format!("\"{address}\""))), World::new());
    for (path, text) in &files {
        local.write(path.replace("data/", "in/"), text);
    }
    local.run(&[]).exits(0);
    hub.run(&remote, TOKEN, &[]).exits(0);
    assert_eq!(remote.tally(), (1_009, 1_009, 0, 0));
    assert!(remote.files("out")["part-00000.jsonl"] == local.files("out")["part-00000.jsonl"]);
    assert!(hub.run(&remote, TOKEN, &[]).exits(0).stdout.starts_with("nothing to do"));
    // One file, and a glob.
    for (paths, n) in [("data/b/c.jsonl", 300), ("data/**/[cd].jsonl", 309)] {
        let address = format!("hf://datasets/mill/river@main/{paths}");
        if n == 300 {
            hub.run(&remote, TOKEN, &["--fresh", &address]).exits(0);
            assert_eq!(remote.tally().0, n);
        } else {
            let world = World::with(&PIPELINE.replace("\"in\"", &format!("\"{address}\"")));
            hub.run(&world, TOKEN, &[]).exits(0);
            assert_eq!(world.tally().0, n);
        }
    }
    assert_eq!(hub.state.lock().unwrap().wrong, Vec::<String>::new());
    // A commit that changes a file is another input.
    hub.run(&remote, TOKEN, &["--fresh"]).exits(0);
    {
        let mut state = hub.state.lock().unwrap();
        state.commit = "decade".to_owned();
        let mut bytes = state.files["data/a.jsonl"].clone();
        bytes.swap(12, 13);
        state.files.insert("data/a.jsonl".to_owned(), bytes);
    }
    hub.run(&remote, TOKEN, &[]).exits(2).says(&["the inputs have changed since", "--fresh"]);
    hub.run(&remote, "hf_of_nobody", &["--fresh"]).exits(2).says(&["HF_TOKEN"]);
    let missing = "hf://datasets/mill/lake/";
    hub.run(&remote, TOKEN, &["--fresh", missing]).exits(2).says(&["there is no `hf://datasets/mill/lake/`"]);
    hub.run(&remote, TOKEN, &["--fresh", "hf://mill/river"]).exits(2).says(&["OWNER/NAME"]);
}
