use super::*;

fn marked(before: &str, after: &str) -> String {
    let mark = |piece: &Piece| match piece.kind {
        Kind::Same => piece.text.clone(),
        Kind::Removed => format!("[-{}-]", piece.text),
        Kind::Added => format!("{{+{}+}}", piece.text),
    };
    difference(before, after).iter().map(mark).collect()
}

#[test]
fn lines_that_went_stand_as_a_whole_and_words_inside_others() {
    assert_eq!(marked("home\nthe mill\nabout\n", "the mill\n"), "[-home\n-]the mill\n[-about\n-]");
    assert_eq!(marked("布臵完毕，就这样。", "布置完毕，就这样。"), "布[-臵-]{+置+}完毕，就这样。\n");
    assert_eq!(
        marked("the mill stands by the river", "the mill stood by the river"),
        "the mill [-stands-]{+stood+} by the river\n"
    );
    // Nothing in common: no patchwork.
    assert_eq!(marked("abc def\n", "一二三四\n"), "[-abc def\n-]{+一二三四\n+}");
    assert_eq!((marked("", ""), marked("", "a")), (String::new(), "{+a\n+}".to_owned()));
}

#[test]
fn both_texts_can_be_read_from_the_pieces() {
    let texts = ["a\nb b\n\nc", "b c\nc\n", "", "\n\n", "一 二\n三", "二 一\n三 \n四\n"];
    for (before, after) in texts.iter().flat_map(|a| texts.iter().map(move |b| (a, b))) {
        let pieces = difference(before, after);
        let without = |kind: Kind| -> String {
            pieces.iter().filter(|piece| piece.kind != kind).map(|piece| piece.text.as_str()).collect()
        };
        let ended = |text: &str| {
            if text.is_empty() || text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") }
        };
        assert_eq!((without(Kind::Added), without(Kind::Removed)), (ended(before), ended(after)));
    }
}

#[test]
fn what_stayed_is_folded_and_long_cuts_are_too() {
    let text = (0..20).map(|n| format!("line {n}\n")).collect::<Vec<_>>().concat();
    let (cut, rest) = (text.replace("line 9\n", ""), text.replacen("line 0\n", "", 1));
    let shown = |pieces: &[Piece], most| {
        let line = |line: &Line| match line {
            Line::Gap(kind, n) => format!("({kind:?} {n})"),
            Line::Text(pieces) => pieces.iter().map(|piece| piece.text.as_str()).collect(),
        };
        lines(pieces, 1, most).iter().map(line).collect::<Vec<_>>()
    };
    assert_eq!(shown(&difference(&text, &cut), 9), ["(Same 8)", "line 8", "line 9", "line 10", "(Same 9)"]);
    assert_eq!(shown(&difference(&text, &rest), 9), ["line 0", "line 1", "(Same 18)"]);
    assert_eq!(shown(&difference(&text, ""), 2), ["line 0", "(Removed 18)", "line 19"]);
}

/// What an observer sees of a page that an extractor takes and a filter drops.
fn explained() -> Explanation {
    let mut before = Document::new("a.html", "");
    before.raw = Some(b"<nav>Home</nav><p>The <b>mill</b> &amp; more</p><script>x()</script>".to_vec());
    before.form = Some(Form::Markup);
    let explainer = Explainer::new(Vec::new(), None);
    explainer.event(&Event::Entered { record: &Record::from(before.clone()) });
    let mut after = Record::from(Document { text: "The mill & more".into(), ..before.clone() });
    after.document.form = Some(Form::Clean);
    after.document.metadata.insert("title", "<i>");
    let stage = |stage: &str, before: &Document, after: &Record| {
        let time = tamis_runner::Spent { wall: Duration::from_micros(400), ..Default::default() };
        explainer.event(&Event::Stage { stage, before, after, split: 0, time });
    };
    stage("main", &before, &after);
    let kept = after.document.clone();
    let limit = Limit::Min(50.0);
    after.measures.push(Measure { name: "chars".into(), value: 15.0, limit });
    after.fate = Fate::Dropped("too-short".into());
    stage("length", &kept, &after);
    Explanation { pipeline: "p".into(), notes: vec!["seen <alone>".into()], documents: explainer.finish() }
}

#[test]
fn a_page_is_shown_with_what_was_kept_of_it() {
    let explanation = explained();
    let [document] = explanation.documents.as_slice() else { panic!("{explanation:?}") };
    let change = document.steps[0].change.as_ref().unwrap();
    assert!(change.is_page && change.before == Size::Bytes(68), "{change:?}");
    let kinds: Vec<_> = change.pieces.iter().map(|piece| (piece.kind, piece.text.as_str())).collect();
    assert_eq!(kinds, [(Kind::Removed, "Home\n"), (Kind::Same, "The mill & more\n")]);
    assert_eq!(
        (&document.fate, document.decided_by.as_deref()),
        (&Fate::Dropped("too-short".into()), Some("length"))
    );
    assert_eq!(document.steps[1].measures[0].limit(), "at least 50");
    assert!(!document.steps[1].is_quiet() && document.steps[1].change.is_none());
}

#[test]
fn the_page_escapes_what_it_shows() {
    let page = page(&explained()).unwrap();
    for part in [
        "<del>Home</del>",
        "The mill &amp; more",
        "<ins>&lt;i&gt;</ins>",
        "seen &lt;alone&gt;",
        "400 µs",
        "too-short",
    ] {
        assert!(page.contains(part), "{part}:\n{page}");
    }
    for part in ["<script", "http:", "https:", "url(", "src=", "<i>"] {
        assert!(!page.contains(part), "{part}");
    }
}
