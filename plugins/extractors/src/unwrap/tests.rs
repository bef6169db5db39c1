use proptest::prelude::*;
use tamis_conformance::cases::check_extractor;

use super::{Unwrap, unwrapped};

#[test]
fn cases() {
    check_extractor::<Unwrap>("unwrap/cases/dumps.md", include_str!("cases/dumps.md"));
}

#[test]
fn only_a_whole_literal_with_a_name_is_one() {
    assert_eq!(unwrapped("text:'a\\nb'"), Some(Ok("a\nb".to_owned())));
    assert_eq!(unwrapped("body = \"\\u6cb3\"\n"), Some(Ok("河".to_owned())));
    for broken in ["text:'a", "text:'a' and more", "text: b'\\xff'", "text:'\\ud800'"] {
        assert_eq!(unwrapped(broken), Some(Err(())), "{broken}");
    }
    for plain in ["", "'a'", "He said: yes", "note: \u{201C}a\u{201D}", "a b: 'c'"] {
        assert_eq!(unwrapped(plain), None, "{plain}");
    }
}

proptest! {
    #[test]
    fn what_json_writes_comes_back(text in "\\PC{0,40}") {
        let written = serde_json::to_string(&text).expect("strings can be written");
        prop_assert_eq!(unwrapped(&format!("text: {written}")), Some(Ok(text)));
    }

    #[test]
    fn any_text_is_accepted(text in "(text:'|[\\PC\\n\\\\'\"]){0,30}") {
        let _ = unwrapped(&text);
    }
}
