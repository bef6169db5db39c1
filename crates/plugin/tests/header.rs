//! `tamis_plugin.h` and `abi.rs` say the same: size and offset of every member, and every constant.

#![expect(clippy::print_stderr, reason = "a test, whose helpers are not marked as such")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use tamis_plugin::abi;

const HEADER: &str = tamis_plugin::HEADER;

/// A C expression and the value that it must have.
struct Fact {
    expression: String,
    value: i128,
}

/// Facts about a structure. The pattern has no `..`, so a member that is missing here does not compile.
macro_rules! structure {
    ($facts:ident, $rust:ident, $c:ident { $($member:ident $(as $name:ident)?),* $(,)? }) => {{
        let _all_members = |it: abi::$rust| {
            let abi::$rust { $($member: _),* } = it;
        };
        let name = stringify!($c);
        $facts.push(Fact { expression: format!("sizeof({name})"), value: size_of::<abi::$rust>() as i128 });
        $(
            let member = [stringify!($member) $(, stringify!($name))?].into_iter().last().unwrap_or_default();
            $facts.push(Fact {
                expression: format!("offsetof({name}, {member})"),
                value: std::mem::offset_of!(abi::$rust, $member) as i128,
            });
        )*
    }};
}

/// Facts about constants: `TAMIS_X` is `abi::X`, unless another name is given.
macro_rules! constants {
    ($facts:ident, $($rust:ident $(as $c:ident)?),* $(,)?) => {
        $(
            let name = [concat!("TAMIS_", stringify!($rust)) $(, stringify!($c))?].into_iter().last();
            $facts.push(Fact { expression: name.unwrap_or_default().to_owned(), value: abi::$rust.into() });
        )*
    };
}

fn facts() -> Vec<Fact> {
    let mut facts = Vec::new();
    structures(&mut facts);
    constants!(facts, MAJOR as TAMIS_ABI_MAJOR, MINOR as TAMIS_ABI_MINOR, MAGIC);
    constants!(
        facts,
        NULL,
        BOOL,
        INTEGER,
        FLOAT,
        STRING,
        JSON,
        HAS_RAW,
        INHERITS,
        FORM,
        FORM_MARKUP,
        FORM_FLATTENED,
        FORM_CLEAN,
        MORE,
        NO_LIMIT,
        MIN,
        MAX,
        NEITHER,
        HIGHER,
        LOWER,
        KEEP,
        DROP,
        FAIL
    );
    constants!(facts, MARKUP, FLATTENED, CLEAN, WHITE_SPACE, NO_BREAK_SPACES, LINES, MARKDOWN, CLEANED);
    constants!(facts, OK, ERROR, PANIC, UNSUPPORTED, CANCELLED);
    constants!(facts, READER, FILTER, EXTRACTOR, CORPUS, EXPORTER);
    constants!(
        facts,
        PURE,
        UTF8_TRUSTED,
        WHOLE_FILE,
        NAMED_FILES,
        REPLAYABLE,
        BY_LINE,
        RANDOM_ACCESS,
        PARTS,
        OWN_FILE,
        KEYED
    );
    facts
}

#[rustfmt::skip]
fn structures(facts: &mut Vec<Fact>) {
    structure!(facts, Str, tamis_str { ptr, len });
    structure!(facts, Value, tamis_value { kind as type, reserved, bits, text });
    structure!(facts, Field, tamis_field { name, value });
    structure!(facts, Document, tamis_document { id, text, raw, flags, ordinal, position });
    structure!(facts, NewDocument, tamis_new_document {
        id, text, raw, flags, fields, n_fields, ordinal, offset, length, attachments, n_attachments,
    });
    structure!(facts, Attachment, tamis_attachment { name, version, bytes });
    structure!(facts, Origin, tamis_origin { file, offset, length, reserved });
    structure!(facts, Measure, tamis_measure { name, value, limit, limit_kind, reserved });
    structure!(facts, MeasureInfo, tamis_measure_info { name, unit, min_option, max_option, summary, better, reserved });
    structure!(facts, Fate, tamis_fate {
        verdict, n_measures, stage, reason, file, offset, length, reserved,
    });
    structure!(facts, Block, tamis_block { file, bytes, offset, first_ordinal, head });
    structure!(facts, Workspace, tamis_workspace { scratch, keep, memory, threads, reserved });
    structure!(facts, Split, tamis_split { first_ordinal, records, weight, bytes, token, reserved });
    structure!(facts, Cut, tamis_cut { bytes, records, reserved });
    structure!(facts, Host, tamis_host {
        struct_size, abi_minor, ctx, error, log, count, cancelled, extension, field, field_at, verdict, measure,
        reserve_text, commit_text, set_field, split, emit, emit_failed, fate, measure_at, put, put_file, read,
        push_split, file_size, read_at, begin, origin, attach, attached, attach_value, attached_value, set_id,
        forms,
    });
    structure!(facts, Forms, tamis_forms { struct_size, cleans, takes, gives, needs, destroys, makes });
    structure!(facts, Reader, tamis_reader { struct_size, reserved, sniff, cut, decode, head, file_open, file_decode, file_close });
    structure!(facts, Transform, tamis_transform { struct_size, reserved, local_new, local_free, process });
    structure!(facts, Corpus, tamis_corpus {
        struct_size, observing_passes, local_new, local_free, observe, merge, end_pass, apply, state_save,
        state_load, passes, prepare, state_load_stream,
    });
    structure!(facts, Keyed, tamis_keyed {
        struct_size, reserved, rounds, local_new, local_free, observe, visit, apply,
    });
    structure!(facts, KeyedHost, tamis_keyed_host { struct_size, reserved, row, known, id, next });
    structure!(facts, Exporter, tamis_exporter { struct_size, reserved, 
        extension, head, tail, encode, part_begin, part_add, part_end, part_free,
    });
    structure!(facts, Stage, tamis_stage {
        struct_size, kind, flags, name, summary, docs, options_schema, reads, n_reads, writes, n_writes, open,
        close, reader, transform, corpus, exporter, measures, n_measures, keyed,
    });
    structure!(facts, Plugin, tamis_plugin {
        magic, struct_size, abi_major, abi_minor, flags, name, version, license, sdk, stages, n_stages,
    });
}

/// A program that prints the value of every expression, a line each, and last the name of an entry function.
fn program(facts: &[Fact]) -> String {
    let mut source = String::from(
        "#include <stdio.h>\n#include \"tamis_plugin.h\"\n#include \"tamis_plugin.h\"\n\
         #define TEXT(x) #x\n#define EXPANDED(x) TEXT(x)\n\
         TAMIS_ENTRY(demo);\n\
         int main(void) {\n",
    );
    for Fact { expression, .. } in facts {
        let _ = writeln!(source, "  printf(\"%llu\\n\", (unsigned long long)({expression}));");
    }
    source += "  puts(EXPANDED(TAMIS_ENTRY(demo)));\n  return 0;\n}\n";
    source
}

/// Compiles and runs the program; none if there is no such compiler.
fn printed(compiler: &str, language: &[&str], source: &Path) -> Option<String> {
    let program = source.with_extension(std::env::consts::EXE_EXTENSION);
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("include");
    let output = Command::new(compiler)
        .args(language)
        .args(["-pedantic", "-Wall", "-Wextra", "-Werror", "-I"])
        .arg(include)
        .arg(source)
        .arg("-o")
        .arg(&program)
        .output();
    let output = match output {
        Ok(output) => output,
        Err(error) => {
            eprintln!(
                "SKIPPED: no compiler `{compiler}` ({error}), so the header was not compared with abi.rs"
            );
            return None;
        }
    };
    assert!(output.status.success(), "{compiler}: {}", String::from_utf8_lossy(&output.stderr));
    let run = Command::new(&program).output().expect("the program was just built");
    Some(String::from_utf8(run.stdout).expect("it prints numbers and a name"))
}

fn compare(compiler: &str, language: &[&str], file: &str) {
    let facts = facts();
    let source = Path::new(env!("CARGO_TARGET_TMPDIR")).join(file);
    std::fs::write(&source, program(&facts)).expect("the folder is there for this");
    let Some(printed) = printed(compiler, language, &source) else { return };
    let mut lines = printed.lines();
    for Fact { expression, value } in &facts {
        assert_eq!(lines.next(), Some(value.to_string().as_str()), "{expression} in the header");
    }
    let entry = lines.next().unwrap_or_default();
    assert!(entry.contains(&format!("{}demo(void)", abi::ENTRY_PREFIX)), "{entry}");
}

#[test]
fn c99_lays_it_out_as_rust_does() {
    compare("cc", &["-std=c99", "-x", "c"], "header_c.c");
}

#[test]
fn cpp17_lays_it_out_as_rust_does() {
    compare("c++", &["-std=c++17", "-x", "c++"], "header_cpp.cpp");
}

#[test]
fn nothing_in_the_header_is_left_out_here() {
    let facts: BTreeSet<String> = facts().into_iter().map(|fact| fact.expression).collect();
    let of_the_preprocessor = ["TAMIS_PLUGIN_H", "TAMIS_EXPORT", "TAMIS_ENTRY", "TAMIS_STR"];
    let code = without_comments(HEADER);
    let words = code.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let mut seen = 0;
    for word in words.filter(|word| word.starts_with("TAMIS_") && !of_the_preprocessor.contains(word)) {
        assert!(facts.contains(word), "{word} is not compared");
        seen += 1;
    }
    for line in code.lines().filter_map(|line| line.split_once("} tamis_")) {
        let name = line.1.trim_end().trim_end_matches(';');
        assert!(facts.contains(&format!("sizeof(tamis_{name})")), "tamis_{name} is not compared");
        seen += 1;
    }
    assert!(seen > 40, "the header was not understood: {seen} names");
}

fn without_comments(source: &str) -> String {
    let mut code = String::new();
    let mut rest = source;
    while let Some((before, after)) = rest.split_once("/*") {
        code += before;
        rest = after.split_once("*/").map_or("", |(_, after)| after);
    }
    code + rest
}
