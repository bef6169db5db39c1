//! A server that speaks S3 (moto, of Python), and a proxy before it that does what networks do.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

/// A Python that has moto; CI makes one and names it in this variable.
const PYTHON: &str = "TAMIS_TEST_PYTHON";
/// What a test says that has no server.
pub(crate) const SKIPPED: &str = "SKIPPED: no Python with moto[server]; `TAMIS_TEST_PYTHON` may name one";
/// The server ends with its standard input: no test that dies leaves one.
const SERVE: &str = "import sys; from moto.server import ThreadedMotoServer as S\n\
    s = S(port=0, verbose=False); s.start(); print(s.get_host_and_port()[1], flush=True); sys.stdin.read()";
/// Moto wants to see somebody, and believes it.
const SOMEBODY: &str = "Authorization: AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/s3/aws4_request\r\n";

pub(crate) struct Server {
    process: Child,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Server {
    /// One with an empty bucket `bucket`; none where there is no moto.
    pub(crate) fn start() -> Option<Self> {
        let named = std::env::var_os(PYTHON);
        let python = PathBuf::from(named.clone().unwrap_or_else(|| "python3".into()));
        let has_moto = Command::new(&python).args(["-c", "import moto.server"]).output();
        if !has_moto.is_ok_and(|output| output.status.success()) {
            assert!(named.is_none(), "`{PYTHON}` lacks moto[server]");
            return None;
        }
        let command = ["-c", SERVE];
        let mut process = Command::new(python)
            .args(command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut port = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut port).unwrap();
        let server = Self { process, port: port.trim().parse().unwrap() };
        server.ask("PUT", "/bucket", b"");
        Some(server)
    }

    pub(crate) fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The body of the answer to a request.
    pub(crate) fn ask(&self, method: &str, target: &str, body: &[u8]) -> Vec<u8> {
        let head = format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n{SOMEBODY}");
        let answer = forward(self.port, &head, body).unwrap();
        let end = answer.windows(4).position(|it| it == b"\r\n\r\n").unwrap();
        answer[end + 4..].to_vec()
    }

    /// What stands between two marks in a list of the server.
    fn listed(&self, query: &str, mark: &str) -> Vec<String> {
        let list = String::from_utf8(self.ask("GET", &format!("/bucket?{query}"), b"")).unwrap();
        let (begin, end) = (format!("<{mark}>"), format!("</{mark}>"));
        list.split(&begin).skip(1).map(|rest| rest.split(&end).next().unwrap().to_owned()).collect()
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        self.listed("list-type=2&max-keys=1000", "Key")
    }

    /// Objects that somebody has begun to send in pieces.
    pub(crate) fn uploads(&self) -> Vec<String> {
        self.listed("uploads", "UploadId")
    }

    pub(crate) fn object(&self, key: &str) -> Vec<u8> {
        let key: String = key
            .bytes()
            .map(|it| {
                if it.is_ascii_alphanumeric() || b"/._-".contains(&it) {
                    (it as char).into()
                } else {
                    format!("%{it:02X}")
                }
            })
            .collect();
        self.ask("GET", &format!("/bucket/{key}"), b"")
    }

    /// The objects below a prefix, by the rest of their keys.
    pub(crate) fn files(&self, prefix: &str) -> BTreeMap<String, Vec<u8>> {
        let below = |key: &String| Some(key.strip_prefix(prefix)?.strip_prefix('/')?.to_owned());
        self.keys().iter().filter_map(|key| Some((below(key)?, self.object(key)))).collect()
    }
}

/// Sends a request to the server and takes the whole answer.
fn forward(port: u16, head: &str, body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    write!(stream, "{head}Connection: close\r\nContent-Length: {}\r\n\r\n", body.len())?;
    stream.write_all(body)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}

/// What the proxy does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    Pass,
    /// The server never hears of it.
    CutBefore,
    /// The server does it, and the client never hears of that.
    CutAfter,
    /// The client waits until the proxy is told to let go, and then it passes.
    Hold,
    /// The server has taken away what the client may do.
    Forbid,
    /// A server that knows no conditions.
    Unconditional,
}

pub(crate) struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

/// Says what to do with a request, by method and target.
type Judge = Box<dyn FnMut(&str, &str) -> Deed + Send>;

struct Shared {
    server: u16,
    judge: Mutex<Judge>,
    seen: Mutex<Vec<(String, Deed)>>,
    is_holding: Mutex<bool>,
}

impl Proxy {
    /// `judge` is asked about each request, by method and target.
    pub(crate) fn start(server: &Server, judge: impl FnMut(&str, &str) -> Deed + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            server: server.port,
            judge: Mutex::new(Box::new(judge)),
            seen: Mutex::default(),
            is_holding: Mutex::new(true),
        });
        let own = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&own);
                // A client that goes away is none of our business.
                std::thread::spawn(move || drop(shared.serve(stream)));
            }
        });
        Self { port, shared }
    }

    pub(crate) fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// How often it did something.
    pub(crate) fn count(&self, deed: Deed) -> usize {
        self.shared.seen.lock().unwrap().iter().filter(|(_, done)| *done == deed).count()
    }

    pub(crate) fn let_go(&self) {
        *self.shared.is_holding.lock().unwrap() = false;
    }
}

impl Shared {
    fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut stream = stream;
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let begin = head.len();
            reader.read_line(&mut head)?;
            let line = head.get(begin..).unwrap_or_default().to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
            if line.trim().is_empty() {
                head.truncate(begin);
                break;
            }
            if line.starts_with("content-length:") || line.starts_with("connection:") {
                head.truncate(begin);
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let mut words = head.split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let deed = (self.judge.lock().unwrap())(method, target);
        self.seen.lock().unwrap().push((format!("{method} {target}"), deed));
        let cut = |stream: &TcpStream| stream.shutdown(Shutdown::Both);
        match deed {
            Deed::CutBefore => return cut(&stream),
            Deed::Forbid => {
                return stream
                    .write_all(b"HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
            }
            Deed::Hold => {
                while *self.is_holding.lock().unwrap() {
                    std::thread::sleep(std::time::Duration::from_millis(5));
                }
            }
            _ => {}
        }
        let head =
            if deed == Deed::Unconditional { head.replace("if-none-match", "x-nothing") } else { head };
        let answer = forward(self.server, &head, &body)?;
        if deed == Deed::CutAfter {
            return cut(&stream);
        }
        stream.write_all(&answer)
    }
}
