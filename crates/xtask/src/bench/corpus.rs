//! The documents that are measured with: given, or made.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use super::generate::{Page, page};

/// How large a shard gets, in bytes.
const SHARD_BYTES: u64 = 32_000_000;
/// How hard archives are compressed: what `gzip` does by default.
const GZIP_LEVEL: u32 = 6;

/// A corpus on disk, in several forms of the same pages.
#[derive(Debug)]
pub(crate) struct Corpus {
    pub(crate) folder: PathBuf,
    /// `{id, url, text, metadata}` a line.
    pub(crate) text: PathBuf,
    /// Lines of `text`.
    pub(crate) documents: u64,
    /// Bytes of `text`.
    pub(crate) bytes: u64,
    /// The pages as responses, one gzip member a record.
    pub(crate) warc: Option<PathBuf>,
    pub(crate) html: Option<Tree>,
    /// The pages as JSON lines, `{id, url, html}`.
    pub(crate) pages: Option<PathBuf>,
}

/// A folder of many small files.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) folder: PathBuf,
    /// Globs, relative to nothing, that together name every page once.
    pub(crate) globs: Vec<String>,
    /// How many pages it has.
    pub(crate) files: u64,
}

impl Corpus {
    /// Looks at a folder and reads the text once, so that it is in memory before anything is measured.
    pub(crate) fn open(folder: &Path) -> anyhow::Result<Self> {
        let folder =
            folder.canonicalize().with_context(|| format!("cannot find the corpus {}", folder.display()))?;
        let text = folder.join("text.jsonl");
        let (documents, bytes) = count_lines(&text)
            .with_context(|| format!("cannot read {}; without `--corpus`, one is made", text.display()))?;
        let warc = Some(folder.join("pages.warc.gz")).filter(|path| path.is_file());
        let html = tree(&folder.join("html"))?;
        let pages = Some(folder.join("html.jsonl")).filter(|path| path.is_file());
        Ok(Self { folder, text, documents, bytes, warc, html, pages })
    }
}

/// Lines and bytes of a file.
fn count_lines(path: &Path) -> anyhow::Result<(u64, u64)> {
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 1 << 20];
    let (mut lines, mut bytes) = (0, 0);
    loop {
        let n_read = file.read(&mut buffer)?;
        let Some(read) = buffer.get(..n_read).filter(|read| !read.is_empty()) else {
            return Ok((lines, bytes));
        };
        lines += memchr::memchr_iter(b'\n', read).count() as u64;
        bytes += n_read as u64;
    }
}

/// The pages below a folder; none if there are none.
fn tree(folder: &Path) -> anyhow::Result<Option<Tree>> {
    const ENDINGS: [&str; 2] = [".html", ".htm"];
    let mut files = [0; ENDINGS.len()];
    if !folder.is_dir() {
        return Ok(None);
    }
    // As globs of sources and `find -L` do.
    for entry in walkdir::WalkDir::new(folder).follow_links(true) {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) if error.path().is_some_and(Path::is_symlink) => continue,
            Err(error) => return Err(error).context("cannot list the pages of the corpus"),
        };
        // Not the extension: a file may be called `.html` and no more.
        let name = entry.file_name().to_string_lossy();
        let index = ENDINGS.iter().position(|ending| name.ends_with(ending));
        if let (true, Some(index)) = (entry.file_type().is_file(), index) {
            files[index] += 1;
        }
    }
    let globs = ENDINGS.iter().zip(files).filter(|(_, files)| *files > 0);
    let globs = globs.map(|(ending, _)| format!("{}/**/*{ending}", folder.display())).collect();
    let files = files.iter().sum();
    Ok((files > 0).then(|| Tree { folder: folder.to_owned(), globs, files }))
}

/// Makes a corpus of `documents` invented pages in an empty folder.
pub(crate) fn make(folder: &Path, documents: u64) -> anyhow::Result<()> {
    if documents == 0 {
        bail!("a corpus of 0 documents measures nothing; give `--documents` 1 or more");
    }
    let mut files = Files::create(folder)?;
    for number in 0..documents {
        files.add(&page(number))?;
    }
    files.finish()
}

/// The files of a corpus while it is made.
struct Files {
    folder: PathBuf,
    text: BufWriter<File>,
    html: BufWriter<File>,
    warc: BufWriter<File>,
    shard: Option<(BufWriter<File>, u64)>,
    shards: usize,
    records: u64,
}

impl Files {
    fn create(folder: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder.join("shards"))?;
        Ok(Self {
            folder: folder.to_owned(),
            text: create(&folder.join("text.jsonl"))?,
            html: create(&folder.join("html.jsonl"))?,
            warc: create(&folder.join("pages.warc.gz"))?,
            shard: None,
            shards: 0,
            records: 0,
        })
    }

    fn add(&mut self, page: &Page) -> anyhow::Result<()> {
        let path = self.folder.join("html").join(&page.path);
        std::fs::create_dir_all(path.parent().context("a page lies in a folder")?)?;
        std::fs::write(&path, &page.html).with_context(|| format!("cannot write {}", path.display()))?;

        let text = json!({
            "id": page.path, "url": page.url, "text": page.text, "metadata": { "bytes": page.html.len() },
        });
        let line = format!("{text}\n");
        self.text.write_all(line.as_bytes())?;
        self.add_to_shard(&line)?;
        writeln!(self.html, "{}", json!({ "id": page.path, "url": page.url, "html": page.html }))?;
        self.warc.write_all(&member(page, self.records)?)?;
        self.records += 1;
        Ok(())
    }

    fn add_to_shard(&mut self, line: &str) -> anyhow::Result<()> {
        let (mut shard, mut bytes) = match self.shard.take() {
            Some(shard) => shard,
            None => (create(&self.folder.join(format!("shards/{:03}.jsonl", self.shards)))?, 0),
        };
        shard.write_all(line.as_bytes())?;
        bytes += line.len() as u64;
        if bytes > SHARD_BYTES {
            shard.flush()?;
            self.shards += 1;
        } else {
            self.shard = Some((shard, bytes));
        }
        Ok(())
    }

    fn finish(mut self) -> anyhow::Result<()> {
        let shard = self.shard.as_mut().map(|(shard, _)| shard);
        for file in [&mut self.text, &mut self.html, &mut self.warc].into_iter().chain(shard) {
            file.flush()?;
        }
        Ok(())
    }
}

fn create(path: &Path) -> anyhow::Result<BufWriter<File>> {
    let file = File::create(path).with_context(|| format!("cannot create {}", path.display()))?;
    Ok(BufWriter::with_capacity(1 << 20, file))
}

/// A page as a WARC record (ISO 28500), compressed by itself.
fn member(page: &Page, number: u64) -> std::io::Result<Vec<u8>> {
    let http =
        format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n", page.html.len());
    let head = format!(
        "WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-{number:012x}>\r\n\
         WARC-Target-URI: {}\r\nWARC-Date: 2024-01-01T00:00:00Z\r\n\
         Content-Type: application/http; msgtype=response\r\nContent-Length: {}\r\n\r\n",
        page.url,
        http.len() + page.html.len()
    );
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(GZIP_LEVEL));
    for part in [&head, &http, &page.html, "\r\n\r\n"] {
        encoder.write_all(part.as_bytes())?;
    }
    encoder.finish()
}

/// A compressed copy of `source` in `folder`, made once.
pub(crate) fn zstd_copy(source: &Path, folder: &Path) -> anyhow::Result<PathBuf> {
    made_once(source, folder, "zst", |input, output| Ok(zstd::stream::copy_encode(input, output, 3)?))
}

/// How many folders [`grouped_copy`] shares the documents out to.
pub(crate) const GROUPS: u64 = 200;

/// A copy of `source` in `folder`, made once, whose documents say in `group` which of [`GROUPS`] they belong to.
///
/// They take turns, so that every block has something for nearly every group and little for each: the most that
/// partitions can cost.
pub(crate) fn grouped_copy(source: &Path, folder: &Path) -> anyhow::Result<PathBuf> {
    made_once(source, folder, "grouped", |input, output| {
        let mut output = BufWriter::with_capacity(1 << 20, output);
        for (number, line) in (0_u64..).zip(BufReader::with_capacity(1 << 20, input).lines()) {
            let line = line?;
            let fields = line.strip_prefix('{').context("a line of the corpus is no object")?;
            writeln!(output, "{{\"group\":\"{:03}\",{fields}", number % GROUPS)?;
        }
        Ok(output.flush()?)
    })
}

/// A file in `folder` with what `make` makes of `source`; made again when that has changed.
fn made_once(
    source: &Path,
    folder: &Path,
    ending: &str,
    make: impl FnOnce(File, File) -> anyhow::Result<()>,
) -> anyhow::Result<PathBuf> {
    let name = source.file_name().context("a corpus file has a name")?.to_string_lossy().into_owned();
    let path = folder.join(format!("{name}.{ending}"));
    let unfinished = folder.join(format!("{name}.{ending}.part"));
    let changed = |path: &Path| path.metadata().and_then(|metadata| metadata.modified());
    if changed(&path).is_ok_and(|made| changed(source).is_ok_and(|changed| changed <= made)) {
        return Ok(path);
    }
    let output =
        File::create(&unfinished).with_context(|| format!("cannot create {}", unfinished.display()))?;
    make(File::open(source)?, output)?;
    std::fs::rename(&unfinished, &path)?;
    Ok(path)
}

/// At most `most` of the pages in `source`, as evenly spread as whole steps allow, as `{id, url, text}` in a file
/// in `folder`; and how many they are.
pub(crate) fn sample(source: &Path, folder: &Path, most: u64) -> anyhow::Result<(PathBuf, u64)> {
    let step = count_lines(source)?.0.div_ceil(most).max(1);
    let path = folder.join("extract.jsonl");
    let mut output = create(&path)?;
    let lines = BufReader::with_capacity(1 << 20, File::open(source)?).lines().step_by(step as usize);
    let mut n_pages = 0;
    for line in lines {
        let mut page: serde_json::Map<_, _> = serde_json::from_str(&line?)
            .with_context(|| format!("a line of {} is no object", source.display()))?;
        let html =
            page.remove("html").with_context(|| format!("a line of {} has no html", source.display()))?;
        page.insert("text".to_owned(), html);
        writeln!(output, "{}", json!(page))?;
        n_pages += 1;
    }
    output.flush()?;
    Ok((path, n_pages))
}

/// At most `most` of the documents of a file as they are, spread over it, and the bytes of their texts.
pub(crate) fn text_sample(source: &Path, folder: &Path, most: u64) -> anyhow::Result<(PathBuf, u64)> {
    let step = count_lines(source)?.0.div_ceil(most).max(1);
    let path = folder.join("sample.jsonl");
    let mut output = create(&path)?;
    let mut n_bytes = 0;
    let lines = BufReader::with_capacity(1 << 20, File::open(source)?).lines().step_by(step as usize);
    for line in lines {
        let line = line?;
        let document: serde_json::Value = serde_json::from_str(&line)?;
        n_bytes += document["text"].as_str().map_or(0, str::len) as u64;
        writeln!(output, "{line}")?;
    }
    output.flush()?;
    Ok((path, n_bytes))
}

/// `copies` names of `source` in `folder`: hard links, or copies where the disk has no links.
pub(crate) fn copies(source: &Path, folder: &Path, copies: usize) -> anyhow::Result<Vec<PathBuf>> {
    let folder = folder.join("copies");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir(&folder)?;
    let paths: Vec<PathBuf> = (0..copies).map(|number| folder.join(format!("copy-{number}.jsonl"))).collect();
    for path in &paths {
        if std::fs::hard_link(source, path).is_err() {
            std::fs::copy(source, path).with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every file below a folder with its bytes, in order.
    fn content(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
        let entries = walkdir::WalkDir::new(folder).sort_by_file_name();
        let files = entries.into_iter().map(Result::unwrap).filter(|entry| entry.file_type().is_file());
        files
            .map(|entry| {
                let name = entry.path().strip_prefix(folder).unwrap().to_owned();
                (name, std::fs::read(entry.path()).unwrap())
            })
            .collect()
    }

    #[test]
    fn corpus_is_the_same_every_time() {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        for folder in &folders {
            make(folder.path(), 30).unwrap();
        }
        assert!(content(folders[0].path()) == content(folders[1].path()));
    }

    #[test]
    fn forms_hold_the_same_pages() {
        let folder = tempfile::tempdir().unwrap();
        make(folder.path(), 30).unwrap();
        let corpus = Corpus::open(folder.path()).unwrap();
        assert_eq!(corpus.documents, 30);
        assert_eq!(corpus.bytes, corpus.text.metadata().unwrap().len());
        assert_eq!(corpus.html.unwrap().files, 30);
        for file in ["html.jsonl", "shards/000.jsonl"] {
            assert_eq!(count_lines(&folder.path().join(file)).unwrap().0, 30, "{file}");
        }
        let mut warc = String::new();
        let archive = File::open(corpus.warc.unwrap()).unwrap();
        flate2::read::MultiGzDecoder::new(archive).read_to_string(&mut warc).unwrap();
        assert_eq!(warc.matches("WARC/1.0\r\n").count(), 30);
        assert!(warc.contains(&page(29).html));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_pages_too() {
        let folder = tempfile::tempdir().unwrap();
        let pages = folder.path().join("pages");
        std::fs::create_dir(&pages).unwrap();
        std::fs::write(pages.join("a.html"), "<p>").unwrap();
        std::fs::write(pages.join(".html"), "<p>").unwrap();
        for (target, name) in [("pages", "more"), ("pages/a.html", "b.htm"), ("nowhere", "c.html")] {
            std::os::unix::fs::symlink(target, folder.path().join(name)).unwrap();
        }
        let tree = tree(folder.path()).unwrap().unwrap();
        assert_eq!((tree.files, tree.globs.len()), (5, 2));
    }

    #[test]
    fn lengths_of_archived_records_are_true() {
        let page = page(3);
        let mut record = String::new();
        flate2::read::GzDecoder::new(&*member(&page, 3).unwrap()).read_to_string(&mut record).unwrap();
        let (head, body) = record.split_once("\r\n\r\n").unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap();
        assert_eq!(length.parse::<usize>().unwrap(), body.len() - "\r\n\r\n".len());
    }

    #[test]
    fn no_corpus_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Corpus::open(folder.path()).unwrap_err().to_string().contains("text.jsonl"));
        assert!(make(folder.path(), 0).is_err());
    }

    #[test]
    fn compressed_copy_is_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("a.jsonl");
        std::fs::write(&source, "{}\n").unwrap();
        let path = zstd_copy(&source, folder.path()).unwrap();
        let made = path.metadata().unwrap().modified().unwrap();
        assert_eq!(zstd::decode_all(File::open(&path).unwrap()).unwrap(), b"{}\n");
        assert_eq!(zstd_copy(&source, folder.path()).unwrap().metadata().unwrap().modified().unwrap(), made);
    }

    #[test]
    fn groups_take_turns() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("a.jsonl");
        std::fs::write(&source, "{\"id\":\"a\"}\n".repeat(GROUPS as usize + 1)).unwrap();
        let text = std::fs::read_to_string(grouped_copy(&source, folder.path()).unwrap()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len() as u64, GROUPS + 1);
        assert_eq!(lines[1], r#"{"group":"001","id":"a"}"#);
        assert_eq!(lines.last(), lines.first());
    }

    #[test]
    fn sample_is_spread_and_holds_pages_as_texts() {
        let folder = tempfile::tempdir().unwrap();
        make(folder.path(), 30).unwrap();
        let pages = Corpus::open(folder.path()).unwrap().pages.unwrap();
        for (most, expected) in [(8, 8), (100, 30)] {
            let (path, n_pages) = sample(&pages, folder.path(), most).unwrap();
            let text = std::fs::read_to_string(path).unwrap();
            assert_eq!((n_pages, text.lines().count()), (expected, expected as usize));
            let last: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
            assert!(last["text"].as_str().unwrap().contains("<html"), "{last}");
            assert!(last.get("html").is_none());
        }
    }

    #[test]
    fn a_sample_of_texts_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("a.jsonl");
        std::fs::write(&source, "{\"text\":\"ab\"}\n{\"text\":\"c\"}\n{\"text\":\"字\"}\n").unwrap();
        let (path, n_bytes) = text_sample(&source, folder.path(), 2).unwrap();
        assert_eq!(n_bytes, 5);
        assert_eq!(std::fs::read_to_string(path).unwrap(), "{\"text\":\"ab\"}\n{\"text\":\"字\"}\n");
    }

    #[test]
    fn copies_hold_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("a.jsonl");
        std::fs::write(&source, "{}\n").unwrap();
        for _ in 0..2 {
            let paths = copies(&source, folder.path(), 3).unwrap();
            assert_eq!(paths.len(), 3);
            assert!(paths.iter().all(|path| std::fs::read(path).unwrap() == b"{}\n"));
        }
    }
}
