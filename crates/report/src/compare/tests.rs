use super::*;

fn row(id: &str, position: u128, fate: Fate, stage: Option<&str>) -> FateRow {
    FateRow { id: id.into(), position, fate, stage: stage.map(Into::into), measures: Vec::new() }
}

#[test]
fn what_stands_at_one_position_is_one_document_unless_it_was_split() {
    let mut both = Both::default();
    let short = || Fate::Dropped("too-short".into());
    // The id was changed by a stage of the second pipeline.
    both.group(vec![row("a", 1, Fate::Kept, None)], vec![row("A", 1, short(), Some("length"))]);
    let chunks = |n: usize| (0..n).map(|n| row(&format!("b/{n}"), 2, Fate::Kept, None)).collect::<Vec<_>>();
    both.group(chunks(2), chunks(3));
    assert_eq!((both.n_common, both.n_same, both.only[0].n, both.only[1].n), (3, 2, 0, 1));
    let (outcomes, (n, samples)) = both.moved.first_key_value().unwrap();
    let told = format!("{} → {}", outcomes.0, outcomes.1);
    assert_eq!((told.as_str(), *n, samples[0].id.as_str()), ("kept → dropped by length: too-short", 1, "A"));
}

#[test]
fn a_folder_without_fates_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let error = compare(folder.path(), folder.path()).unwrap_err().to_string();
    assert!(error.contains("holds no output of a run"), "{error}");
    std::fs::create_dir(folder.path().join(".tamis")).unwrap();
    let write = |manifest: &Manifest| {
        let manifest = serde_json::to_string(manifest).unwrap();
        std::fs::write(folder.path().join(".tamis/manifest.json"), manifest).unwrap();
    };
    write(&Manifest::default());
    let error = compare(folder.path(), folder.path()).unwrap_err().to_string();
    assert!(error.contains("has not finished: run the same command again"), "{error}");
    write(&Manifest { complete: true, ..Manifest::default() });
    let error = compare(folder.path(), folder.path()).unwrap_err().to_string();
    assert!(error.contains("fates = true"), "{error}");
}

/// A folder with a manifest of one file of kept documents, each an id and a text.
fn kept(documents: &[(&str, &str)]) -> (tempfile::TempDir, Manifest) {
    let folder = tempfile::tempdir().unwrap();
    let lines = documents.iter().map(|(id, text)| format!("{{\"id\":\"{id}\",\"text\":\"{text}\"}}\n"));
    std::fs::write(folder.path().join("part-00000.jsonl"), lines.collect::<String>()).unwrap();
    let manifest = serde_json::json!({
        "tamis": "", "pipeline": "", "fingerprint": { "plan": "", "inputs": "" }, "complete": true,
        "input_files": 0, "input_bytes": 0, "tally": Manifest::default().tally,
        "exports": [{
            "id": "kept", "folder": "", "from": "kept", "records": documents.len(),
            "files": [{ "name": "part-00000.jsonl", "bytes": 0, "records": documents.len(), "blake3": "" }],
        }],
    });
    (folder, serde_json::from_value(manifest).unwrap())
}

#[test]
fn texts_of_ids_that_repeat_meet_their_like() {
    let cases: [(&[_], &[_], _, &[&str]); 5] = [
        // The same documents: nothing has changed, however often an id is there.
        (&[("a", "1"), ("a", "2"), ("b", "3")], &[("a", "1"), ("a", "2"), ("b", "3")], (3, 0), &[]),
        // The first of them was dropped.
        (&[("a", "1"), ("a", "2"), ("a", "3")], &[("a", "2"), ("a", "3")], (2, 0), &[]),
        // One of them was changed, and stands before one that was not.
        (&[("a", "1"), ("a", "2"), ("b", "3")], &[("a", "0"), ("a", "1"), ("b", "3")], (3, 1), &["a"]),
        // The same text under one id more than once.
        (
            &[("a", "1"), ("a", "1"), ("a", "2")],
            &[("a", "1"), ("a", "2"), ("a", "1"), ("a", "1")],
            (3, 0),
            &[],
        ),
        // More of an id than before: what has no partner is not common.
        (&[("a", "1")], &[("a", "0"), ("a", "9")], (1, 1), &["a"]),
    ];
    for (before, after, expected, changed) in cases {
        let [(a, first), (b, second)] = [kept(before), kept(after)];
        let texts = texts::compare([(a.path(), &first), (b.path(), &second)]).unwrap();
        assert_eq!((texts.n_common, texts.n_changed), expected, "{before:?} {after:?}");
        let ids: Vec<&str> = texts.samples.iter().map(|sample| sample.id.as_str()).collect();
        assert_eq!(ids, changed, "{before:?} {after:?}");
    }
    let many: Vec<(String, String)> = (0..500).map(|n| (format!("d{n}"), n.to_string())).collect();
    let with =
        |end: &str| many.iter().map(|(id, text)| (id.clone(), format!("{text}{end}"))).collect::<Vec<_>>();
    let of = |all: &[(String, String)]| {
        kept(&all.iter().map(|(id, text)| (id.as_str(), text.as_str())).collect::<Vec<_>>())
    };
    let [(a, first), (b, second)] = [of(&many), of(&with("!"))];
    let texts = texts::compare([(a.path(), &first), (b.path(), &second)]).unwrap();
    assert_eq!((texts.n_common, texts.n_changed, texts.samples.len()), (500, 500, 20));
    // Shown from all over, and each beside its own text.
    assert_eq!(texts.samples[19].id, "d475");
    let pieces: String = texts.samples[19].pieces.iter().map(|piece| piece.text.as_str()).collect();
    assert_eq!(pieces.trim_end(), "475!");
}
