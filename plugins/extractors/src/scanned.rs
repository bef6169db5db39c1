//! The lines of a document, found by the first stage that asks for them.

use tamis_plugin::{Draft, View};
use tamis_text::scan::{LAYOUT, Pieces, Scan};

/// The lines of the text of a document as it came to the stage: as a stage before it has left them, or found here and left
/// for those behind it.
pub(crate) fn scan(document: View<'_>) -> Scan<'_> {
    Scan::shared(
        document.text(),
        |name, version| document.flat(name, version),
        |name, version, ends| document.attach(name, version, ends),
    )
}

/// Makes what was kept of a text the text of the document, and leaves its lines for the next stage.
pub(crate) fn set_text(draft: &mut Draft<'_>, kept: Pieces<'_, '_>) {
    let (text, ends) = kept.finish();
    draft.set_text(text);
    if let Some(ends) = ends {
        let (name, version) = LAYOUT;
        draft.attach(name, version, ends);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::OnceCell;

    use tamis_plugin::{BatchExtractor, Document, Edits, Lookup, Place, ValueRef};

    use super::*;
    use crate::{Boilerplate, Metadata, NewspaperPage, RecoverParagraphs, RepairText};

    /// A document with what is attached to its text.
    struct Held {
        document: Document,
        ends: OnceCell<Vec<u8>>,
    }

    impl Lookup for Held {
        fn field(&self, name: &str) -> Option<ValueRef<'_>> {
            self.document.field(name)
        }

        fn field_at(&self, index: usize) -> Option<(&str, ValueRef<'_>)> {
            self.document.field_at(index)
        }

        fn origin(&self) -> Option<Place<'_>> {
            Lookup::origin(&self.document)
        }

        fn flat(&self, name: &str, version: u64) -> Option<&[u8]> {
            self.ends.get().filter(|_| (name, version) == LAYOUT).map(Vec::as_slice)
        }

        fn attach(&self, _: &str, _: u64, bytes: &[u8]) {
            self.ends.set(bytes.to_vec()).expect("what is attached is found, and not made again");
        }
    }

    fn run<S: BatchExtractor<Options: Default>>(view: View<'_>) -> Edits {
        let stage = S::open(S::Options::default()).expect("defaults are allowed");
        let mut draft = Draft::new(view);
        stage.extract_one(&mut S::Local::default(), &mut draft).expect("no document fails");
        draft.finish().0
    }

    /// Runs a stage with and without lines that somebody has left, and makes its text and lines those of the document.
    fn pass<S: BatchExtractor<Options: Default>>(held: &mut Held) -> bool {
        let Document { id, text, .. } = &held.document;
        let edits = run::<S>(View::new(id, text, None, 0, held));
        let without = run::<S>(View::from(&held.document));
        assert_eq!((&edits.text, &edits.metadata), (&without.text, &without.metadata), "{}", S::NAME);
        let cuts = edits.text.is_some();
        if let Some(text) = &edits.text {
            let of_text = edits.attachments.iter().map(|(_, _, ends)| Scan::read(text, ends));
            assert!(of_text.eq(edits.attachments.iter().map(|_| Some(Scan::of(text)))), "{}", S::NAME);
            held.ends =
                edits.attachments.first().map_or_else(OnceCell::new, |(_, _, ends)| ends.clone().into());
        }
        edits.apply(&mut held.document);
        cuts
    }

    #[test]
    fn stages_do_the_same_with_lines_that_were_left() {
        let sentence = "一、昨天下午，老渡口重新开放。早上八点，第一班渡船载着二十多位乘客离开码头，岸上的人敲锣打鼓，孩子们跑着追了很远。";
        let page = format!(
            "{1}\n老渡口重新开放\n2019-05-06 10:20 来源：清河日报\n{0}\u{A0}\u{A0}{0}二、{0}\n\n{0}\n{1}",
            sentence.repeat(3),
            "首页\n新闻\n登录\n注册\n\n分享到微博\n相关阅读\n上一篇\n下一篇\n网站地图\n版权所有 未经许可不得转载\n".repeat(2),
        );
        let mut held = Held { document: Document::new("a", page), ends: OnceCell::new() };
        pass::<NewspaperPage>(&mut held);
        pass::<Metadata>(&mut held);
        assert!(held.ends.get().is_some());
        assert!(pass::<Boilerplate>(&mut held) && held.ends.get().is_some());
        assert!(pass::<RecoverParagraphs>(&mut held) && held.ends.get().is_some());
        pass::<RepairText>(&mut held);
    }
}
