//! A page that is served to a browser on this machine, and to nobody else.
//!
//! The address is that of the loopback, and its path holds a word that only who has seen the terminal knows: other users
//! of the machine, and pages of the web that ask the browser for it, are not answered. Whoever asks under another name
//! than that of this machine has been led here by a name server, and is not answered either.

use std::convert::Infallible;
use std::hash::{BuildHasher as _, RandomState};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};

use anyhow::Context as _;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::sync::oneshot;

/// So much may be asked, in bytes.
const LONGEST: usize = 64 << 10;
/// Nothing is asked of anybody else, whatever is in the texts that are shown.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; \
                      form-action 'none'; base-uri 'none'";

/// What a page is asked.
pub(crate) enum Question {
    /// For itself.
    Page,
    /// To do something of this name, with these bytes.
    Post(String, Bytes),
}

/// What is answered: HTML, or a message where that cannot be.
pub(crate) type Answer = Result<String, String>;

/// A question on its way to the thread that answers, and where its answer goes.
type Asked = (Question, oneshot::Sender<Answer>);

/// Serves a page on `port`, any free one for 0, until the process is ended; `ready` is told the address. Questions are
/// answered one after the other, by the thread that calls this.
///
/// # Errors
///
/// When nobody may listen there.
pub(crate) fn serve(
    port: u16,
    ready: impl FnOnce(&str),
    answer: impl Fn(Question) -> Answer,
) -> anyhow::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    let listener = listener.with_context(|| format!("cannot listen on port {port} of this machine"))?;
    listener.set_nonblocking(true)?;
    let (ask, asked) = mpsc::channel();
    let page = Page { address: listener.local_addr()?, word: word(), ask };
    ready(&format!("http://{}/{}/", page.address, page.word));
    let server = std::thread::spawn(move || listen(listener, page));
    for (question, answers) in asked {
        // A browser that went away meanwhile does not wait for it.
        let _ = answers.send(answer(question));
    }
    match server.join() {
        Ok(ended) => Ok(ended?),
        Err(_) => anyhow::bail!("the server has panicked"),
    }
}

fn listen(listener: TcpListener, page: Page) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let page = Arc::new(page);
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        loop {
            let (stream, _) = listener.accept().await?;
            let page = Arc::clone(&page);
            let service = service_fn(move |request| {
                let page = Arc::clone(&page);
                async move { Ok::<_, Infallible>(page.respond(request).await) }
            });
            // A connection that breaks is the browser's affair.
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    })
}

/// A word that nobody can guess: the keys of a new hasher are random.
fn word() -> String {
    [0, 1].map(|n| format!("{:016x}", RandomState::new().hash_one(n))).concat()
}

struct Page {
    address: SocketAddr,
    word: String,
    ask: Sender<Asked>,
}

impl Page {
    async fn respond(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let Some(what) = self.wanted(&request) else {
            return response(StatusCode::NOT_FOUND, "there is nothing here".to_owned());
        };
        let method = request.method().clone();
        let Ok(body) = Limited::new(request.into_body(), LONGEST).collect().await else {
            return response(StatusCode::PAYLOAD_TOO_LARGE, "that is too much".to_owned());
        };
        let question = match (method, what.as_str()) {
            (Method::GET, "") => Question::Page,
            (Method::POST, name) if !name.is_empty() => Question::Post(name.to_owned(), body.to_bytes()),
            _ => return response(StatusCode::METHOD_NOT_ALLOWED, "that cannot be asked".to_owned()),
        };
        let (answers, answer) = oneshot::channel();
        let is_asked = self.ask.send((question, answers)).is_ok();
        match answer.await {
            Ok(Ok(text)) if is_asked => response(StatusCode::OK, text),
            Ok(Err(message)) => response(StatusCode::CONFLICT, message),
            _ => response(StatusCode::SERVICE_UNAVAILABLE, "the program has ended".to_owned()),
        }
    }

    /// What is asked for behind the word, by somebody who may.
    fn wanted(&self, request: &Request<Incoming>) -> Option<String> {
        let host = request.headers().get(HOST)?.to_str().ok()?;
        let port = self.address.port();
        let is_here = host == self.address.to_string() || host == format!("localhost:{port}");
        let path = request.uri().path().strip_prefix('/')?.strip_prefix(&self.word)?.strip_prefix('/')?;
        is_here.then(|| path.to_owned())
    }
}

fn response(status: StatusCode, text: String) -> Response<Full<Bytes>> {
    let kind =
        if status == StatusCode::OK { "text/html; charset=utf-8" } else { "text/plain; charset=utf-8" };
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    let headers = [(CONTENT_TYPE, kind), (CONTENT_SECURITY_POLICY, POLICY), (CACHE_CONTROL, "no-store")];
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
