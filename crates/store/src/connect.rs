//! Connections to stores, and waiting for what is asked of them.
//!
//! The stores are asynchronous, the rest is not: requests run on threads of their own and hand over what they get
//! through channels, so that nothing here blocks, or is blocked by, an asynchronous program around it.
//! Credentials and endpoints come from the environment variables that each store defines (`AWS_…`, `GOOGLE_…`,
//! `AZURE_…`).

use std::collections::BTreeMap;
use std::error::Error as _;
use std::future::Future;
use std::io;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, Once, OnceLock, PoisonError};
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::list::PaginatedListStore;
use object_store::multipart::MultipartStore;
use object_store::{Error, ObjectStore, Result, RetryConfig};
use tokio::runtime::{Builder, Runtime};

/// A connection, for all objects of a bucket.
#[derive(Clone)]
pub struct Bucket {
    /// Reads and writes.
    pub objects: Arc<dyn ObjectStore>,
    /// The same store, where it lists keys page by page and goes on behind any of them.
    pub pages: Option<Arc<dyn PaginatedListStore>>,
    /// The same store, for objects that are sent in pieces.
    pub(crate) pieces: Arc<dyn MultipartStore>,
}

impl Bucket {
    fn of(store: impl ObjectStore + PaginatedListStore + MultipartStore) -> Self {
        let store = Arc::new(store);
        Self {
            objects: Arc::clone(&store) as Arc<dyn ObjectStore>,
            pages: Some(store.clone()),
            pieces: store,
        }
    }
}

/// The bucket of an address of S3, Google Cloud Storage or Azure that ends with it: `s3://bucket`.
///
/// # Errors
///
/// When what the environment says of the store makes no sense. Nothing is asked of it.
pub fn bucket(base: &str) -> Result<Bucket> {
    static BUCKETS: Mutex<BTreeMap<String, Bucket>> = Mutex::new(BTreeMap::new());
    choose_cryptography();
    // Connections and credentials are for all objects of a bucket.
    let mut buckets = BUCKETS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(bucket) = buckets.get(base) {
        return Ok(bucket.clone());
    }
    let retry = retry();
    let bucket = match tamis_address::scheme(base) {
        Some("s3") => Bucket::of(AmazonS3Builder::from_env().with_url(base).with_retry(retry).build()?),
        Some("gs") => {
            Bucket::of(GoogleCloudStorageBuilder::from_env().with_url(base).with_retry(retry).build()?)
        }
        _ => {
            let builder = MicrosoftAzureBuilder::from_env().with_url(base);
            let store = Arc::new(builder.with_retry(retry).build()?);
            // It does not go on behind a key, only where a page ended.
            Bucket { objects: Arc::clone(&store) as Arc<dyn ObjectStore>, pages: None, pieces: store }
        }
    };
    buckets.insert(base.to_owned(), bucket.clone());
    Ok(bucket)
}

/// How often a request is repeated at once, for some seconds: whoever mistypes an address does not want to wait. Whoever has
/// had answers of a store before and may wait longer repeats more than a request.
pub fn retry() -> RetryConfig {
    RetryConfig { max_retries: 5, retry_timeout: Duration::from_mins(1), ..RetryConfig::default() }
}

/// Encrypts with `ring`, unless the program that embeds this has chosen for the process.
///
/// rustls has one provider a process, and without its default, aws-lc, somebody must name it before the first client is
/// built. aws-lc is as fast, but compiling its C was the longest single step of a full build.
pub fn choose_cryptography() {
    static CHOSEN: Once = Once::new();
    // It is refused where one is installed, and that one is as good.
    CHOSEN.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
}

/// The threads that requests run on.
///
/// # Errors
///
/// When the system gives none.
pub fn runtime() -> io::Result<&'static Runtime> {
    static RUNTIME: OnceLock<std::result::Result<Runtime, String>> = OnceLock::new();
    let build = || Builder::new_multi_thread().worker_threads(2).thread_name("remote").enable_all().build();
    let runtime = RUNTIME.get_or_init(|| build().map_err(|error| error.to_string()));
    runtime.as_ref().map_err(|error| io::Error::other(format!("cannot start threads for requests: {error}")))
}

/// A request that runs.
pub struct Pending<T>(Receiver<T>);

impl<T> Pending<T> {
    /// Waits for its answer.
    ///
    /// # Errors
    ///
    /// When it ended without one.
    pub fn wait(self) -> io::Result<T> {
        self.0.recv().map_err(|_| io::Error::other("a request to a store ended without an answer"))
    }
}

/// Begins a request, on any thread.
///
/// # Errors
///
/// When the system gives no threads for requests.
pub fn start<T: Send + 'static>(request: impl Future<Output = T> + Send + 'static) -> io::Result<Pending<T>> {
    let (sender, receiver) = channel();
    runtime()?.spawn(async move {
        // Nobody waits any more when the receiver is gone.
        let _ = sender.send(request.await);
    });
    Ok(Pending(receiver))
}

/// Runs a request and waits for it, on any thread.
///
/// # Errors
///
/// When it ended without an answer.
pub fn wait<T: Send + 'static>(request: impl Future<Output = T> + Send + 'static) -> io::Result<T> {
    start(request)?.wait()
}

/// The last cause of an error, which says what happened in the fewest words.
pub fn innermost(error: &Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let mut message = cause.to_string();
    if let Some(source) = error.source().filter(|source| !source.to_string().contains(&message)) {
        message = format!("{source}: {message}");
    }
    if message.ends_with(NOT_ENCRYPTED) {
        return ENCRYPTION_WANTED.to_owned();
    }
    message
}

/// What to say instead.
const ENCRYPTION_WANTED: &str = "the endpoint begins with `http:`, which is not encrypted: set `AWS_ALLOW_HTTP=true` \
                                 (`AZURE_ALLOW_HTTP` for Azure) if that is meant";

/// What the library says of an endpoint without encryption, in the words of the one below it.
const NOT_ENCRYPTED: &str = "URL scheme is not allowed";

#[cfg(test)]
mod tests {
    use object_store::ObjectStoreExt;

    use super::*;

    /// The words are those of a library of the library, which may find others.
    #[test]
    fn an_endpoint_without_encryption_is_told_with_the_variable_that_allows_it() {
        choose_cryptography();
        let store = AmazonS3Builder::new()
            .with_endpoint("http://127.0.0.1:1")
            .with_bucket_name("bucket")
            .with_access_key_id("somebody")
            .with_secret_access_key("something")
            .build()
            .unwrap();
        let error = wait(async move { store.head(&"object".into()).await }).unwrap().unwrap_err();
        let told = innermost(&error);
        assert!(told.starts_with("the endpoint begins with `http:`"), "{told}");
    }
}
