//! Data sets on the hub of Hugging Face: `hf://datasets/OWNER/NAME@REVISION/path`.
//!
//! The hub lists a repository through an interface of its own, and sends files as any web server does, mostly from
//! another host to which it redirects. A branch moves while it is read; so it is asked once a process which commit it is
//! at, and everything is read from that.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use object_store::http::{HttpBuilder, HttpStore};
use object_store::path::Path as Key;
use object_store::{
    ClientOptions, CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, RetryConfig,
};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, LINK};
use reqwest::{Client, StatusCode};
use serde::Deserialize;

/// How an error names the store.
const STORE: &str = "Hugging Face";
/// Where the hub is, if nobody says otherwise.
const ENDPOINT: &str = "https://huggingface.co";
/// The revision that is meant where none is named.
const MAIN: &str = "main";
/// How often the hub is asked, and how long is waited before it is asked again, twice as long each time.
const ATTEMPTS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(250);

/// The hub, and who asks.
#[derive(Debug, Default)]
struct Access {
    endpoint: Option<String>,
    token: Option<String>,
}

static ACCESS: OnceLock<Access> = OnceLock::new();

/// Says which hub is asked, if not that of Hugging Face, and the token that is shown to it; before anything is read, and
/// once a process: the first word holds.
pub fn set_hub(endpoint: Option<String>, token: Option<String>) {
    ACCESS.get_or_init(|| Access { endpoint, token });
}

/// A data set, at one commit.
pub(super) struct Hub {
    /// Sends the files.
    files: Arc<HttpStore>,
    api: Client,
    /// Where the files of the commit are listed.
    tree: String,
    /// Where some of them are asked for.
    some: String,
}

/// The parts of the address of a data set: `OWNER/NAME`, and the revision.
struct Repository<'a> {
    name: &'a str,
    revision: &'a str,
}

impl<'a> Repository<'a> {
    /// Of `hf://datasets/OWNER/NAME@REVISION`.
    fn of(base: &'a str) -> Result<Self> {
        let rest = base.strip_prefix("hf://datasets/").filter(|rest| rest.contains('/'));
        let rest =
            rest.ok_or_else(|| generic(format!("`{base}` names no data set: `hf://datasets/OWNER/NAME/`")))?;
        let (name, revision) = rest.split_once('@').unwrap_or((rest, MAIN));
        Ok(Self { name, revision })
    }
}

/// The address of a data set, and the path within it.
pub(super) fn parts(url: &str) -> (&str, &str) {
    // Two behind the scheme, then behind `datasets`, `OWNER` and `NAME`.
    match url.match_indices('/').map(|(at, _)| at).nth(4) {
        Some(end) => (url.get(..end).unwrap_or(url), url.get(end + 1..).unwrap_or_default()),
        None => (url, ""),
    }
}

/// What the hub says of a commit.
#[derive(Deserialize)]
struct Commit {
    sha: String,
}

/// What it says of a file or a folder.
#[derive(Deserialize)]
struct Entry {
    r#type: String,
    path: String,
    #[serde(default)]
    size: u64,
    #[serde(default)]
    oid: String,
    lfs: Option<Large>,
}

/// What it says of a file that is too large for Git: the hash of its content.
#[derive(Deserialize)]
struct Large {
    oid: String,
}

impl Hub {
    /// Asks which commit a revision is at.
    pub(super) async fn open(base: String, retry: RetryConfig) -> Result<Self> {
        let Repository { name, revision } = Repository::of(&base)?;
        let access = ACCESS.get_or_init(Access::default);
        let endpoint = access.endpoint.as_deref().unwrap_or(ENDPOINT).trim_end_matches('/');
        let mut headers = HeaderMap::new();
        if let Some(token) = &access.token {
            let value = HeaderValue::from_str(&format!("Bearer {token}"));
            let mut value = value
                .map_err(|_| generic("the token is none: it has letters that no token has".to_owned()))?;
            value.set_sensitive(true);
            // Not sent on to another host, to which the hub redirects.
            headers.insert(AUTHORIZATION, value);
        }
        let api = Client::builder().default_headers(headers.clone()).timeout(Duration::from_mins(1));
        let api = api.build().map_err(|error| generic(error.to_string()))?;
        let commit = format!("{endpoint}/api/datasets/{name}/revision/{revision}");
        let (text, _) = ask(|| api.get(&commit), &base).await?;
        let Commit { sha } = read(&text)?;
        let options = ClientOptions::new()
            .with_allow_http(endpoint.starts_with("http://"))
            .with_default_headers(headers);
        let files = HttpBuilder::new().with_url(format!("{endpoint}/datasets/{name}/resolve/{sha}"));
        let files = Arc::new(files.with_client_options(options).with_retry(retry).build()?);
        let [tree, some] =
            ["tree", "paths-info"].map(|what| format!("{endpoint}/api/datasets/{name}/{what}/{sha}"));
        Ok(Self { files, api, tree, some })
    }

    /// A page of the files below a folder, and where the next one is.
    async fn page(&self, address: &str) -> Result<(Vec<Result<ObjectMeta>>, Option<String>)> {
        let (text, headers) = ask(|| self.api.get(address), address).await?;
        let entries: Vec<Entry> = read(&text)?;
        let files = entries.into_iter().filter(|entry| entry.r#type == "file");
        let next = headers.get_all(LINK).iter().find_map(|link| next(link.to_str().ok()?));
        Ok((files.map(meta).collect(), next))
    }

    /// What is known of one file.
    async fn about(&self, key: &Key) -> Result<ObjectMeta> {
        let path = key.as_ref();
        let body = serde_json::json!({ "paths": [path], "expand": false }).to_string();
        let post = || self.api.post(&self.some).header("content-type", "application/json").body(body.clone());
        let (text, _) = ask(post, path).await?;
        let entries: Vec<Entry> = read(&text)?;
        let found = entries.into_iter().find(|entry| entry.r#type == "file" && entry.path == path);
        found.map_or_else(|| Err(missing(path)), meta)
    }
}

/// Asks the hub, again and again while it is busy.
async fn ask(request: impl Fn() -> reqwest::RequestBuilder, about: &str) -> Result<(String, HeaderMap)> {
    let mut pause = PAUSE;
    for attempt in 1.. {
        let answer = request().send().await;
        let may_pass = match &answer {
            Ok(answer) => {
                answer.status().is_server_error() || answer.status() == StatusCode::TOO_MANY_REQUESTS
            }
            Err(_) => true,
        };
        if may_pass && attempt < ATTEMPTS {
            tokio::time::sleep(pause).await;
            pause *= 2;
            continue;
        }
        let answer = answer.map_err(|error| generic(error.without_url().to_string()))?;
        match answer.status() {
            status if status.is_success() => {
                let headers = answer.headers().clone();
                let text = answer.text().await.map_err(|error| generic(error.without_url().to_string()))?;
                return Ok((text, headers));
            }
            StatusCode::NOT_FOUND => return Err(missing(about)),
            // What nobody may see is said not to be there by some, and to be forbidden by others.
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                let source = "the hub says no".into();
                return Err(Error::PermissionDenied { path: about.to_owned(), source });
            }
            status => return Err(generic(format!("the hub answers {status}"))),
        }
    }
    Err(generic("the hub was not asked".to_owned()))
}

fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T> {
    serde_json::from_str(text)
        .map_err(|error| generic(format!("what the hub answers cannot be read: {error}")))
}

fn meta(entry: Entry) -> Result<ObjectMeta> {
    Ok(ObjectMeta {
        location: Key::parse(&entry.path)?,
        // The hub says when a file has changed only when it is asked for each; what it is says the hash.
        last_modified: std::time::UNIX_EPOCH.into(),
        size: entry.size,
        e_tag: Some(entry.lfs.map_or(entry.oid, |large| large.oid)),
        version: None,
    })
}

/// The next page, in a header such as `<https://…?cursor=…>; rel="next"`.
fn next(link: &str) -> Option<String> {
    let links = link.split(',').map(str::trim);
    let next = links.filter(|link| link.contains("rel=\"next\"")).find_map(|link| link.strip_prefix('<'));
    Some(next?.split_once('>')?.0.to_owned())
}

fn missing(path: &str) -> Error {
    Error::NotFound { path: path.to_owned(), source: "the hub does not have it".into() }
}

fn generic(message: String) -> Error {
    Error::Generic { store: STORE, source: message.into() }
}

fn read_only() -> Error {
    Error::NotImplemented { operation: "writing".to_owned(), implementer: STORE.to_owned() }
}

#[async_trait]
impl ObjectStore for Hub {
    async fn get_opts(&self, location: &Key, mut options: GetOptions) -> Result<GetResult> {
        if options.head {
            let meta = self.about(location).await?;
            let payload = object_store::GetResultPayload::Stream(stream::empty().boxed());
            let (range, attributes) = (0..meta.size, object_store::Attributes::default());
            return Ok(GetResult {
                payload,
                meta,
                range,
                attributes,
                extensions: object_store::Extensions::default(),
            });
        }
        // The hosts to which the hub redirects have tags of their own; the commit says which version it is.
        options.if_match = None;
        let mut found = self.files.get_opts(location, options).await?;
        found.meta.e_tag = None;
        Ok(found)
    }

    fn list(&self, prefix: Option<&Key>) -> BoxStream<'static, Result<ObjectMeta>> {
        let folder = prefix.map(|key| format!("/{}", percent(key.as_ref()))).unwrap_or_default();
        let first = format!("{}{folder}?recursive=true&expand=false", self.tree);
        let lister = Self {
            files: Arc::clone(&self.files),
            api: self.api.clone(),
            tree: self.tree.clone(),
            some: self.some.clone(),
        };
        let pages = stream::unfold((Some(first), lister), |(address, lister)| async move {
            let address = address?;
            Some(match lister.page(&address).await {
                Ok((files, next)) => (files, (next, lister)),
                Err(error) => (vec![Err(error)], (None, lister)),
            })
        });
        pages.flat_map(stream::iter).boxed()
    }

    async fn list_with_delimiter(&self, _: Option<&Key>) -> Result<ListResult> {
        Err(read_only())
    }

    async fn put_opts(&self, _: &Key, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        Err(read_only())
    }

    async fn put_multipart_opts(&self, _: &Key, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        Err(read_only())
    }

    fn delete_stream(&self, _: BoxStream<'static, Result<Key>>) -> BoxStream<'static, Result<Key>> {
        stream::once(async { Err(read_only()) }).boxed()
    }

    async fn copy_opts(&self, _: &Key, _: &Key, _: CopyOptions) -> Result<()> {
        Err(read_only())
    }
}

/// A path as it stands in an address.
fn percent(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'/' | b'-' | b'_' | b'.' | b'~' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

impl fmt::Debug for Hub {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Hub").field(&self.tree).finish()
    }
}

impl fmt::Display for Hub {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{STORE} ({})", self.tree)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_data_sets() {
        for (url, base, key) in [
            ("hf://datasets/o/n/a/b.jsonl", "hf://datasets/o/n", "a/b.jsonl"),
            (
                "hf://datasets/o/n@refs%2Fconvert%2Fparquet/a",
                "hf://datasets/o/n@refs%2Fconvert%2Fparquet",
                "a",
            ),
            ("hf://datasets/o/n/", "hf://datasets/o/n", ""),
            ("hf://datasets/o/n", "hf://datasets/o/n", ""),
        ] {
            assert_eq!(parts(url), (base, key));
        }
        let found = Repository::of("hf://datasets/o/n@v2").unwrap();
        assert_eq!((found.name, found.revision), ("o/n", "v2"));
        assert_eq!(Repository::of("hf://datasets/o/n").unwrap().revision, "main");
        assert!(Repository::of("hf://spaces/o/n").is_err() && Repository::of("hf://datasets/n").is_err());
    }

    #[test]
    fn the_next_page_is_found_among_links() {
        let link = r#"<https://h/a?cursor=x>; rel="prev", <https://h/b?cursor=y>; rel="next""#;
        assert_eq!(next(link).as_deref(), Some("https://h/b?cursor=y"));
        assert_eq!(next(r#"<https://h/a>; rel="prev""#), None);
        assert_eq!(percent("a b/字.jsonl"), "a%20b/%E5%AD%97.jsonl");
    }
}
