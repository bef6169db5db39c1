use proptest::prelude::*;
use tamis_conformance::cases::check_filter;
use tamis_plugin::{Document, Filter, Limit, Notes, Verdict, View};

use super::{Length, LengthOptions};

fn judge(options: LengthOptions, text: &str) -> (Verdict, f64, Limit) {
    let stage = Length::open(options).expect("limits that can be met");
    let mut notes = Notes::default();
    let verdict = stage.filter(&View::from(&Document::new("a", text)), &mut notes).expect("never fails");
    let measure = &notes.measures()[0];
    assert_eq!(measure.name, "chars");
    (verdict, measure.value, measure.limit)
}

#[test]
fn cases() {
    check_filter::<Length>("length/cases/limits.md", include_str!("cases/limits.md"));
}

#[test]
fn the_measure_stands_beside_the_limit_that_decided() {
    let options = LengthOptions { min_chars: 2, max_chars: Some(3) };
    assert_eq!(judge(options.clone(), "a"), (Verdict::Drop("too-short".into()), 1.0, Limit::Min(2.0)));
    assert_eq!(judge(options.clone(), "a b c"), (Verdict::Keep, 3.0, Limit::Min(2.0)));
    assert_eq!(judge(options, "一二三四"), (Verdict::Drop("too-long".into()), 4.0, Limit::Max(3.0)));
    let only_max = LengthOptions { min_chars: 0, max_chars: Some(3) };
    assert_eq!(judge(only_max, ""), (Verdict::Keep, 0.0, Limit::Max(3.0)));
}

#[test]
fn limits_that_no_document_meets_are_refused() {
    let error = Length::open(LengthOptions { min_chars: 9, max_chars: Some(8) }).expect_err("8 < 9");
    assert_eq!(error.option(), Some("max_chars"));
    assert_eq!(
        error.to_string(),
        "`max_chars` is 8 characters, less than `min_chars` with 9: no document could pass"
    );
}

proptest! {
    #[test]
    fn white_space_never_decides(text in "(\\PC|\\s){0,60}", min_chars in 0u64..60) {
        let options = LengthOptions { min_chars, max_chars: None };
        let squeezed: String = text.split_whitespace().collect();
        let (verdict, n_chars, _) = judge(options.clone(), &text);
        prop_assert_eq!(n_chars as usize, squeezed.chars().count());
        prop_assert_eq!(verdict, judge(options, &squeezed).0);
    }
}
