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
