//! `tamis init`: a pipeline for inputs that nobody has described.

mod apart;
mod effects;
mod endings;
mod look;
mod mapping;
mod pipeline;
mod propose;
mod sites;

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::Exit;
use crate::args::{InitArgs, PipelineArgs, PlaceArgs};
use crate::context::Context;
use crate::names::plural;
use crate::output::{self, GOOD, print, print_line, styled};
use crate::summary::shown;
use look::Look;
use propose::{Nature, Tried};

/// So many languages and sites are named.
const MOST_NAMED: usize = 6;
/// From so many bytes on an output of JSON Lines is compressed.
const LARGE: u64 = 256 << 20;

pub(crate) fn init(context: &Context, args: &InitArgs) -> anyhow::Result<Exit> {
    let is_printed = args.output == Path::new("-");
    if !is_printed && !args.force && args.output.exists() {
        anyhow::bail!("`{}` is there: name another file with `-o`, or pass `--force`", args.output.display());
    }
    if args.inputs.iter().any(|input| input == Path::new("-")) {
        anyhow::bail!("standard input can be read once only: write it to a file first");
    }
    let look = match look::look(context, &args.inputs, args.sample)? {
        Ok(look) => look,
        Err(diagnostics) => return Ok(refused(&diagnostics)),
    };
    let tried = match propose::tried(context, &args.inputs, &look)? {
        Ok(tried) => tried,
        Err(diagnostics) => return Ok(refused(&diagnostics)),
    };
    if tried.n_documents == 0 {
        let why = look.failed.as_ref().map(|(_, why)| format!(" ({why})")).unwrap_or_default();
        anyhow::bail!("no document could be read from the inputs{why}");
    }
    let folder =
        args.output.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let text = text(context, args, &look, &tried, folder);
    if is_printed {
        print(text);
        return Ok(Exit::Done);
    }
    for there in propose::write_rules(&folder.join("sites"), &tried.rules)? {
        output::log_line(format_args!("warning: `{}` was there and stays as it is", shown(&there)));
    }
    std::fs::write(&args.output, text)
        .with_context(|| format!("cannot write `{}`", args.output.display()))?;
    Ok(check(context, args, &look, &tried))
}

fn refused(diagnostics: &tamis_config::Diagnostics) -> Exit {
    output::diagnostics(diagnostics);
    Exit::Setup
}

/// The pipeline is checked as any other, because what was written must hold.
fn check(context: &Context, args: &InitArgs, look: &Look, tried: &Tried) -> Exit {
    let pipeline = PipelineArgs { pipeline: args.output.clone(), set: Vec::new() };
    match context.check(&pipeline, &PlaceArgs::default()) {
        Ok(plan) => output::diagnostics(&plan.warnings),
        Err(diagnostics) => return refused(&diagnostics),
    }
    let file = shown(&args.output);
    for line in findings(look, tried) {
        print_line(line);
    }
    let rules: Vec<String> = tried.rules.iter().map(|name| format!("sites/{name}.toml")).collect();
    let rules = if rules.is_empty() { String::new() } else { format!(" with {}", rules.join(", ")) };
    print_line(format_args!("\n{} {file}{rules}\n", styled(GOOD, "wrote")));
    print_line(format_args!(
        "  tamis run {file} --limit 1000 -o -   prints what the first thousand become\n  \
         tamis run {file}                     runs it; `tamis explain {file} ID` follows one document"
    ));
    Exit::Done
}

/// What was found, a line each.
fn findings(look: &Look, tried: &Tried) -> Vec<String> {
    let sample = &look.sample;
    let many = |list: &[(String, usize)], n: usize| {
        let named =
            list.iter().take(MOST_NAMED).map(|(name, n_of)| format!("{name} {} %", percent(*n_of, n)));
        let more = if list.len() > MOST_NAMED {
            format!(" and {} more", list.len() - MOST_NAMED)
        } else {
            String::new()
        };
        named.collect::<Vec<_>>().join(", ") + &more
    };
    let n = tried.n_documents;
    let readers: Vec<(String, usize)> = look.readers.iter().map(|(name, n)| (name.clone(), *n)).collect();
    let n_read = look.readers.values().sum();
    let nature = match tried.nature {
        Nature::Pages => "sources of pages",
        Nature::Both => "sources of pages, and pages that were flattened to text",
        Nature::Flattened => "pages that were flattened to text",
        Nature::Text => "text, with next to nothing around it",
    };
    let mut lines = vec![
        format!(
            "inputs      {}, {}; {} of them in the sample",
            plural(sample.n_files, "file", "files"),
            indicatif::HumanBytes(sample.n_bytes),
            plural(sample.records.len() as u64, "record", "records"),
        ),
        format!("formats     {}", many(&readers, n_read)),
        format!("documents   {nature}"),
        format!("languages   {}", many(&tried.languages, n)),
    ];
    let packed = look.packed();
    if !packed.is_empty() {
        lines.insert(2, format!("packed      {}", many(&packed, sample.files.len())));
    }
    let encodings = look.encodings();
    if !encodings.is_empty() {
        lines.push(format!("encodings   {}", many(&encodings, n_read)));
    }
    if !tried.sites.is_empty() {
        lines.push(format!("sites       {}", many(&tried.sites, n)));
    }
    if tried.n_copies > 0 {
        lines.push(format!("copies      {} % have the text of another one", percent(tried.n_copies, n)));
    }
    if tried.n_framed > 0 {
        lines.push(format!(
            "in common   {} of {n} begin or end as others do behind all of these stages: a rule file for their site cuts that \
             (`tamis stages site-rules`)",
            tried.n_framed
        ));
    }
    if let Some((n_failed, why)) = &look.failed {
        lines.push(format!("unreadable  {n_failed} of {}, the first because: {why}", sample.records.len()));
    }
    lines
}

/// In percent, and at least 1 of what there is.
fn percent(part: usize, whole: usize) -> usize {
    let percent = (100 * part + whole / 2) / whole.max(1);
    if part > 0 { percent.max(1) } else { percent }
}

/// The file.
fn text(context: &Context, args: &InitArgs, look: &Look, tried: &Tried, folder: &Path) -> String {
    let name = args.output.file_stem().filter(|_| args.output != Path::new("-"));
    let name = name.map_or("init".to_owned(), |name| name.to_string_lossy().into_owned());
    let file = if args.output == Path::new("-") { "FILE".to_owned() } else { shown(&args.output) };
    let mut text = format!(
        "# Written by `tamis init` after a look at a sample; change what you know better.\n#\n\
         #   tamis check {file}\n#   tamis run {file} --limit 1000 -o -\n#   tamis run {file}\n#\n"
    );
    text += &findings(look, tried).iter().map(|line| propose::commented(line)).collect::<String>();
    text += &format!("\nname = {}\n\n", pipeline::quoted(&name));
    text += &propose::sources(look, &args.inputs, |path| from_folder(path, folder));
    text += &tried.items.iter().map(|item| propose::stage(item, true)).collect::<String>();
    text + &exports(context, look, tried)
}

/// A path as the pipeline must name it: relative to its own folder, where that is the one in which the command runs.
fn from_folder(input: &Path, folder: &Path) -> String {
    let text = input.to_string_lossy().into_owned();
    let is_here = folder == Path::new(".");
    if is_here || text.contains("://") || input.is_absolute() {
        return text;
    }
    let absolute: PathBuf = std::path::absolute(input).unwrap_or_else(|_| input.to_owned());
    absolute.to_string_lossy().into_owned()
}

/// Where the documents go: as rows by language if they come from a crawl, else as lines.
fn exports(context: &Context, look: &Look, tried: &Tried) -> String {
    let has_parquet = context.registry().get("export", "parquet").is_some();
    let is_crawl = matches!(look.reader(), Some("warc" | "arc"));
    let kept = if is_crawl && has_parquet && tried.items.iter().any(|item| item.name == "language") {
        "# A data set by language, as PyArrow, DuckDB, Spark and Hugging Face read it.\n[[export]]\nuse = \"parquet\"\n\
         path = \"out/language={language:primary}\"\ncolumns = { url = \"string\", title = \"string\", published = \"string\" }\n"
    } else if look.sample.n_bytes > LARGE {
        "[[export]]\nuse = \"jsonl\"\npath = \"out\"\ncompression = \"zstd\"\n"
    } else {
        "[[export]]\nuse = \"jsonl\"\npath = \"out\"\n"
    };
    format!(
        "\n{kept}\n# What is dropped, with the reason: worth a look before a long run.\n[[export]]\nid = \"dropped\"\n\
         use = \"jsonl\"\nfrom = \"dropped\"\npath = \"out/__dropped\"\n"
    )
}
