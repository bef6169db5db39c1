//! Libraries that must not be loaded, and what the host says instead.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tamis_host::Request;
use tamis_stage::Registry;
use tamis_tests::program::{root, tamis};

use crate::support::{Run, c_library, folder, has_cc, lines, loader, loader_within, run};

/// A definition for `broken.c`, and parts of the message that it must lead to.
type Case = (&'static [&'static str], &'static [&'static str]);

const DESCRIPTORS: &[Case] = &[
    (
        &["MAJOR=2"],
        &[
            "it was built for plugin ABI 2 and this program knows ABI 1",
            "build the plugin against `tamis_plugin.h`",
        ],
    ),
    (&["MAGIC=7"], &["begins with 0x0000000000000007", "returns something else than a `tamis_plugin`"]),
    (
        &["PLUGIN_SIZE=88"],
        &[
            "struct_size of tamis_plugin is 88 bytes, but ABI 1.0 has 104",
            "set struct_size to sizeof the structure",
        ],
    ),
    (&["PLUGIN_SIZE=0x7fffffff"], &["struct_size of tamis_plugin is 2147483647 bytes, which cannot be"]),
    (&["STAGE_SIZE=152"], &["struct_size of tamis_stage of stage 0 is 152 bytes, but ABI 1.0 has 160"]),
    (
        &["TABLE_SIZE=24"],
        &["stage `broken-stage`", "struct_size of tamis_transform is 24 bytes, but ABI 1.0 has 32"],
    ),
    (&["NAME=TAMIS_STR(\"other\")"], &["it says that its name is `other`, but its file stands for `broken`"]),
    (&["NAME={NULL,0}"], &["the plugin has no name"]),
    (&["NAME={NULL,5}"], &["name of the plugin is NULL with length 5"]),
    (&["VERSION=TAMIS_STR(\"\\xff\")"], &["version of the plugin is not UTF-8 at byte 0"]),
    (&["DESCRIPTOR=NULL"], &["the descriptor is NULL"]),
    (&["DESCRIPTOR=ASKEW(tamis_plugin,&plugin)"], &["the descriptor is at the misaligned address 0x"]),
    (&["N_STAGES=0"], &["it says that it has 0 stages; a plugin has 1 to 1024"]),
    (&["N_STAGES=5000"], &["it says that it has 5000 stages"]),
    (&["STAGES=NULL"], &["its list of stages is NULL"]),
    (&["FIRST=NULL"], &["stage 0 is NULL"]),
    (&["FIRST=ASKEW(tamis_stage,&first)"], &["stage 0 is at the misaligned address 0x"]),
    (&["TABLE=NULL"], &["stage `broken-stage`", "its table `transform` is NULL"]),
    (&["TABLE=ASKEW(tamis_transform,&table)"], &["its table `transform` is at the misaligned address 0x"]),
    (&["KIND=9"], &["stage `broken-stage`", "kind 9 is unknown"]),
    (&["KIND=TAMIS_READER"], &["its table `reader` is NULL"]),
    (
        &["FLAGS=0x10000000000ull"],
        &[
            "stage `broken-stage`",
            "needs features that this program does not have (0x10000000000)",
            "update tamis",
        ],
    ),
    (
        &["STAGE_NAME=TAMIS_STR(\"Broken Stage\")"],
        &["stage 0 is called `Broken Stage`", "lower-case letters"],
    ),
    (&["STAGE_NAME={NULL,0}"], &["stage 0 is called ``"]),
    (&["STAGE_NAME={fields[0].ptr,65}"], &["name of stage 0 is 65 bytes long; at most 64 are allowed"]),
    (&["SUMMARY={NULL,9}"], &["stage `broken-stage`", "summary is NULL with length 9"]),
    (&["SCHEMA=TAMIS_STR(\"{\")"], &["stage `broken-stage`", "options_schema is not JSON"]),
    (&["SCHEMA=TAMIS_STR(\"[]\")"], &["options_schema is not the schema of an object"]),
    (&["SCHEMA=TAMIS_STR(\"{\\\"type\\\":\\\"string\\\"}\")"], &["it needs `\"type\": \"object\"`"]),
    (
        &["SCHEMA=TAMIS_STR(\"{\\\"type\\\":\\\"object\\\",\\\"properties\\\":7}\")"],
        &["stage `broken-stage`", "`properties` of options_schema"],
    ),
    (&["READS=NULL"], &["stage `broken-stage`", "`reads` is NULL"]),
    (&["N_READS=9999"], &["`reads` lists 9999 fields"]),
    (&["OPEN=NULL"], &["stage `broken-stage`", "the function `open` is missing"]),
    (&["CLOSE=NULL"], &["the function `close` is missing"]),
    (&["PROCESS=NULL"], &["the function `transform.process` is missing"]),
    (&["LOCAL_NEW=local_new"], &["the function `transform.local_free` is missing"]),
    (
        &["N_STAGES=2", "SECOND_NAME=TAMIS_STR(\"broken-stage\")"],
        &["two of its stages for [[stage]] are called `broken-stage`"],
    ),
];

/// As above, but not of the descriptor: entry functions, constructors, symbols.
const LIBRARIES: &[Case] = &[
    (
        &["ENTRY=tamis_plugin_v2_broken"],
        &[
            "does not export `tamis_plugin_v1_broken`",
            "it exports `tamis_plugin_v2_broken`",
            "another version of the plugin ABI",
        ],
    ),
    (
        &["ENTRY=tamis_plugin_v1_sound"],
        &["it exports plugin `sound`; the file must be called `libsound.so`: was it renamed?"],
    ),
    (&["ENTRY=something_else"], &["it is not a tamis plugin", "`TAMIS_ENTRY(broken)`"]),
    // Bound now, not at the first call, where it would end the run.
    (&["UNRESOLVED"], &["undefined symbol: nobody_has_this", "it needs a function that no library provides"]),
    (
        &["CONSTRUCTOR=*(volatile int*)NULL=1"],
        &["crashed while it was inspected (signal 11, SIGSEGV): nothing of it was used"],
    ),
    (&["CONSTRUCTOR=abort()"], &["crashed while it was inspected (signal 6, SIGABRT)"]),
    (&["CONSTRUCTOR=exit(0)"], &["crashed while it was inspected (it ended the process by calling `exit`)"]),
    (&["CONSTRUCTOR=_exit(7)"], &["crashed while it was inspected (exit status: 7)"]),
    (&["DESTRUCTOR=abort()"], &["crashed while it was inspected (signal 6, SIGABRT)"]),
];

#[track_caller]
fn refused(path: PathBuf, pin: Option<&str>) -> String {
    let mut registry = Registry::new();
    let error = loader().register(&Request::Path(path), pin, &mut registry).expect_err("refused");
    assert_eq!(registry.iter().count(), 0, "nothing of a refused library is registered");
    error.to_string()
}

#[track_caller]
fn assert_says(message: &str, library: &Path, parts: &[&str]) {
    let library = library.canonicalize().unwrap_or_else(|_| library.to_owned()).display().to_string();
    for part in parts.iter().chain([&library.as_str()]) {
        assert!(message.contains(part), "`{part}` is not in: {message}");
    }
}

fn check(cases: &[Case]) {
    if !has_cc() {
        return;
    }
    let folder = folder();
    for (defines, parts) in cases {
        let library = c_library(folder.path(), "broken.c", "broken", defines);
        assert_says(&refused(library.clone(), None), &library, parts);
    }
}

#[test]
fn a_broken_descriptor_is_refused_with_what_to_do() {
    check(DESCRIPTORS);
}

#[test]
fn a_broken_library_is_refused_with_what_to_do() {
    check(LIBRARIES);
}

#[test]
fn a_sound_library_is_taken_whatever_it_prints_and_however_new_it_is() {
    if !has_cc() {
        return;
    }
    let folder = folder();
    let noise = "CONSTRUCTOR=if(write(1,\"tamis-plugin-description {}\",27)){}";
    for defines in [&[][..], &[noise], &["MINOR=9"], &["N_STAGES=2"]] {
        let library = c_library(folder.path(), "broken.c", "broken", defines);
        let description = loader().describe(&Request::Path(library), None).unwrap();
        assert_eq!(description.plugin.name, "broken", "{defines:?}");
        assert_eq!(description.stages[0].name, "broken-stage", "{defines:?}");
    }
}

#[test]
fn a_library_that_hangs_is_ended() {
    if !has_cc() {
        return;
    }
    let folder = folder();
    // The second leaves a process behind that keeps the pipe to the program open.
    for constructor in ["CONSTRUCTOR=for(;;)pause()", "CONSTRUCTOR=if(fork()==0)sleep(10),_exit(0)"] {
        let library = c_library(folder.path(), "broken.c", "broken", &[constructor]);
        let loader = loader_within(Duration::from_millis(500));
        let start = Instant::now();
        let error = loader.describe(&Request::Path(library.clone()), None).expect_err("refused").to_string();
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
        let parts = ["did not finish loading within 0.5 s and was ended", "must not wait for anything"];
        assert_says(&error, &library, &parts);
    }
}

#[test]
fn a_file_that_is_no_library_is_refused() {
    let folder = folder();
    let path = folder.path().join("libbroken.so");
    let mut cases: Vec<(Vec<u8>, &[&str])> = vec![
        (b"just a text\n".repeat(100), &["invalid ELF header", "the file is not a dynamic library"]),
        (Vec::new(), &["file too short", "or only a part of one: copy or build it again"]),
    ];
    if has_cc() {
        let whole = std::fs::read(c_library(folder.path(), "broken.c", "broken", &[])).unwrap();
        // Only the beginning of a copy arrived.
        cases.push((whole[..whole.len() / 4].to_vec(), &["libbroken.so"]));
    }
    for (bytes, parts) in cases {
        std::fs::write(&path, bytes).unwrap();
        assert_says(&refused(path.clone(), None), &path, parts);
    }
    assert_says(
        &refused(folder.path().join("libnone.so"), None),
        &folder.path().join("libnone.so"),
        &["was not found"],
    );
    assert!(refused(folder.path().to_owned(), None).contains("was not found"));
}

#[test]
fn the_pin_is_checked_before_anything_runs() {
    if !has_cc() {
        return;
    }
    let folder = folder();
    let trace = folder.path().join("trace");
    let library = c_library(folder.path(), "broken.c", "broken", &[&tracing(&trace)]);
    let hash = blake3::hash(&std::fs::read(&library).unwrap()).to_hex().to_string();
    let pin = "0".repeat(64);
    let message = refused(library.clone(), Some(&pin));
    let parts = [hash.as_str(), &pin, "restore the pinned file, or check the new one and change the pin"];
    assert_says(&message, &library, &parts);
    assert!(!trace.exists(), "the library was loaded");
    loader().describe(&Request::Path(library), Some(&hash.to_uppercase())).unwrap();
    assert!(trace.exists());
}

#[test]
fn a_file_that_everybody_may_write_is_refused() {
    if !has_cc() {
        return;
    }
    let folder = folder();
    let library = c_library(folder.path(), "broken.c", "broken", &[]);
    let set = |path: &Path, mode| std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    set(&library, 0o666);
    let advice = format!("chmod o-w {}", library.canonicalize().unwrap().display());
    assert_says(
        &refused(library.clone(), None),
        &library,
        &["every user of this machine may write", &advice],
    );
    set(&library, 0o644);
    set(folder.path(), 0o777);
    let advice = format!("chmod o-w {}", folder.path().canonicalize().unwrap().display());
    assert_says(&refused(library.clone(), None), &library, &[&advice]);
    // In a sticky folder nobody else can replace the file.
    set(folder.path(), 0o1777);
    loader().describe(&Request::Path(library), None).unwrap();
}

#[test]
fn a_folder_far_above_that_everybody_may_write_is_refused_also_with_a_pin() {
    if !has_cc() {
        return;
    }
    let folder = folder();
    let deep = folder.path().join("a/b/c");
    std::fs::create_dir_all(&deep).unwrap();
    let library = c_library(&deep, "broken.c", "broken", &[]);
    let pin = blake3::hash(&std::fs::read(&library).unwrap()).to_hex().to_string();
    let above = folder.path().canonicalize().unwrap().join("a");
    std::fs::set_permissions(&above, PermissionsExt::from_mode(0o777)).unwrap();
    let advice = format!(
        "every user of this machine may write `{0}`: take the right away with `chmod o-w {0}`",
        above.display()
    );
    for pin in [None, Some(pin.as_str())] {
        assert_says(&refused(library.clone(), pin), &library, &[&advice]);
    }
    std::fs::set_permissions(&above, PermissionsExt::from_mode(0o755)).unwrap();
    loader().describe(&Request::Path(library), Some(&pin)).unwrap();
}

#[test]
fn what_belongs_to_another_user_or_group_is_refused() {
    if !has_cc() {
        return;
    }
    let folder = folder();
    let deep = folder.path().join("a/b");
    std::fs::create_dir_all(&deep).unwrap();
    let library = c_library(&deep, "broken.c", "broken", &[]);
    let folder = folder.path().canonicalize().unwrap();
    // A number that nobody has.
    let nobody = 61_234;
    if let Err(error) = std::os::unix::fs::chown(&library, Some(nobody), None) {
        eprintln!("SKIPPED: only root may give files away: {error}");
        return;
    }
    let copy = "copy the library to a folder of your own";
    assert_says(
        &refused(library.clone(), None),
        &library,
        &["belongs to the user `61234`, who may change it", copy],
    );
    std::os::unix::fs::chown(&library, Some(0), Some(nobody)).unwrap();
    loader().describe(&Request::Path(library.clone()), None).unwrap();
    std::fs::set_permissions(&library, PermissionsExt::from_mode(0o775)).unwrap();
    let says = format!(
        "the group `61234` may write `{0}`: take the right away with `chmod g-w {0}`",
        library.canonicalize().unwrap().display()
    );
    assert_says(&refused(library.clone(), None), &library, &[&says, copy]);
    std::fs::set_permissions(&library, PermissionsExt::from_mode(0o755)).unwrap();
    std::os::unix::fs::chown(folder.join("a"), Some(nobody), None).unwrap();
    let says = format!(
        "`{}` belongs to the user `61234`, who may exchange what is in it",
        folder.join("a").display()
    );
    assert_says(&refused(library.clone(), None), &library, &[&says, copy]);
    // That user may take it; what belongs to root, too, and nobody else's.
    let inspect = |user: u32| -> Run {
        let mut command = Command::new(tamis());
        command.args(["plugin", "inspect"]).arg(&library).uid(user).gid(user).current_dir("/");
        command.output().unwrap().into()
    };
    std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o755)).unwrap();
    inspect(nobody).exits(0);
    assert!(inspect(nobody + 1).exits(2).stderr.contains("belongs to the user `61234`"));
    // The group of one user alone, as a container has it that is started with numbers.
    std::os::unix::fs::chown(&library, Some(nobody), Some(nobody)).unwrap();
    std::fs::set_permissions(&library, PermissionsExt::from_mode(0o775)).unwrap();
    inspect(nobody).exits(0);
}

#[test]
fn what_was_hashed_is_what_is_loaded_whatever_happens_to_the_name() {
    if !has_cc() {
        return;
    }
    let folder = folder();
    let (good, evil) = (folder.path().join("good"), folder.path().join("evil"));
    std::fs::create_dir(&good).unwrap();
    std::fs::create_dir(&evil).unwrap();
    let trace = folder.path().join("trace");
    let good = c_library(&good, "broken.c", "broken", &[]);
    let evil = c_library(&evil, "broken.c", "broken", &[&tracing(&trace)]);
    let name = folder.path().join("libbroken.so");
    std::fs::copy(&good, &name).unwrap();
    let pin = blake3::hash(&std::fs::read(&good).unwrap()).to_hex().to_string();
    std::fs::write(folder.path().join("a.txt"), "text").unwrap();
    let text = format!(
        "plugin = [{{ path = \"libbroken.so\", blake3 = \"{pin}\" }}]\n\
         [[source]]\nuse = \"text\"\npaths = [\"a.txt\"]\n[[stage]]\nuse = \"broken-stage\"\n\
         [[export]]\nuse = \"jsonl\"\npath = \"out\"\n"
    );
    let file = folder.path().join("pipeline.toml");
    std::fs::write(&file, text).unwrap();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // Names are exchanged whole: there is always one of the two.
            while !is_over.load(Ordering::Relaxed) {
                for source in [&evil, &good] {
                    let next = folder.path().join("next");
                    let _ = std::fs::remove_file(&next);
                    std::fs::hard_link(source, &next).unwrap();
                    std::fs::rename(&next, &name).unwrap();
                }
            }
        });
        let codes: Vec<_> = (0..12).map(|_| run(&[Path::new("check"), &file]).code).collect();
        is_over.store(true, Ordering::Relaxed);
        assert!(codes.iter().all(|code| matches!(code, Some(0 | 2))), "{codes:?}");
    });
    assert!(!trace.exists(), "another library than the pinned one was loaded");
}

#[test]
fn a_library_finds_others_beside_itself() {
    if !has_cc() {
        return;
    }
    let folder = folder();
    let source = folder.path().join("beside.c");
    std::fs::write(&source, "int beside(void) { return 7; }\n").unwrap();
    let cc = |arguments: &[&str], source: &Path, library: &str| {
        let output = Command::new("cc")
            .args(["-shared", "-fPIC"])
            .arg(source)
            .args(arguments)
            .arg("-o")
            .arg(folder.path().join(library))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    cc(&[], &source, "libbeside.so");
    let include = root().join("crates/plugin/include");
    let place = folder.path().to_str().unwrap();
    let (include, beside) = (format!("-I{}", include.display()), format!("-L{place}"));
    let constructor = "-DCONSTRUCTOR=extern int beside(void);if(beside()!=7)abort()";
    let needs = [include.as_str(), constructor, &beside, "-lbeside", "-Wl,-rpath,$ORIGIN"];
    cc(&needs, &root().join("tests/plugins/c/broken.c"), "libbroken.so");
    let mut registry = Registry::new();
    let library = folder.path().join("libbroken.so");
    loader().register(&Request::Path(library), None, &mut registry).unwrap();
    registry.get("stage", "broken-stage").unwrap().open(&serde_json::json!({})).unwrap();
}

#[test]
fn a_stage_whose_name_is_taken_is_refused_and_the_others_stay() {
    if !has_cc() {
        return;
    }
    let folder = folder();
    let library =
        c_library(folder.path(), "broken.c", "broken", &["STAGE_NAME=TAMIS_STR(\"length\")", "N_STAGES=2"]);
    let mut registry = Registry::new();
    for stage in tamis_host::bundled(tamis_filters::plugin()).unwrap() {
        registry.add(stage).unwrap();
    }
    let before = registry.iter().count();
    let error = loader().register(&Request::Path(library), None, &mut registry).expect_err("refused");
    assert_eq!(
        error.to_string(),
        "stage `length` of plugin `broken` has the name of a stage of plugin `tamis_filters`: \
         a pipeline could not tell them apart; rename one, or leave one plugin out"
    );
    assert_eq!(registry.iter().count(), before, "its other stage is not there either");
}

#[test]
fn a_library_that_changed_after_it_was_described_is_not_loaded() {
    if !has_cc() {
        return;
    }
    let folder = folder();
    let library = c_library(folder.path(), "broken.c", "broken", &[]);
    let mut registry = Registry::new();
    loader().register(&Request::Path(library.clone()), None, &mut registry).unwrap();
    std::fs::remove_file(&library).unwrap();
    c_library(folder.path(), "broken.c", "broken", &["CONSTRUCTOR=abort()"]);
    let stage = registry.get("stage", "broken-stage").unwrap();
    let error = stage.open(&serde_json::json!({})).err().unwrap().to_string();
    assert_says(&error, &library, &["changed after it was checked: run again"]);
}

#[test]
fn the_same_file_is_loaded_once_however_often_it_is_named() {
    if !has_cc() {
        return;
    }
    let folder = folder();
    let trace = folder.path().join("trace");
    let library = c_library(folder.path(), "broken.c", "broken", &[&tracing(&trace), "N_STAGES=2"]);
    let link = folder.path().join("link.so");
    std::os::unix::fs::symlink(&library, link).unwrap();
    std::fs::write(folder.path().join("a.txt"), "text").unwrap();
    let file = folder.path().join("pipeline.toml");
    let text = "plugin = [{ path = \"libbroken.so\" }, { path = \"link.so\" }, { path = \"libbroken.so\" }]\n\
                [[source]]\nuse = \"text\"\npaths = [\"a.txt\"]\n\
                [[stage]]\nuse = \"broken-stage\"\n[[stage]]\nuse = \"second\"\n\
                [[stage]]\nid = \"again\"\nuse = \"second\"\n\
                [[export]]\nuse = \"jsonl\"\npath = \"out\"\n";
    std::fs::write(&file, text).unwrap();
    run(&[Path::new("run"), &file]).exits(0);
    assert_eq!(lines(&folder.path().join("out")).len(), 1);
    let loads = std::fs::read_to_string(&trace).unwrap();
    assert_eq!(loads.len(), 2, "once in the child process that describes it, and once to run");
}

/// A constructor that adds a byte to a file.
fn tracing(file: &Path) -> String {
    format!("CONSTRUCTOR=if(system(\"printf x >> {}\")){{}}", file.display())
}

#[test]
fn the_pipeline_shows_which_plugin_is_at_fault() {
    if !has_cc() {
        return;
    }
    let folder = folder();
    c_library(folder.path(), "broken.c", "broken", &["CONSTRUCTOR=abort()"]);
    let file = folder.path().join("pipeline.toml");
    let text = "[[plugin]]\npath = \"libnone.so\"\n[[plugin]]\npath = \"libbroken.so\"\n\
                [[source]]\nuse = \"text\"\npaths = [\".\"]\n\
                [[stage]]\nuse = \"length\"\nmin_char = 3\n[[export]]\nuse = \"jsonl\"\npath = \"out\"\n";
    std::fs::write(&file, text).unwrap();
    let run = run(&[Path::new("run"), &file]).exits(2);
    for part in
        ["libnone.so", "was not found", "crashed while it was inspected (signal 6, SIGABRT)", "min_chars"]
    {
        assert!(run.stderr.contains(part), "{part}: {}", run.stderr);
    }
    assert!(!folder.path().join("out").exists(), "nothing ran");
}
