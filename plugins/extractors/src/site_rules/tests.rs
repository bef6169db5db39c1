use std::path::Path;
use std::sync::LazyLock;

use proptest::prelude::*;
use tamis_conformance::cases::check_extractor;
use tamis_plugin::{Document, View};

use super::lazy::LazyRegex;
use super::*;

const BUNDLED: [&str; 19] = [
    "error-pages",
    "wechat-errors",
    "wechat",
    "weibo",
    "toutiao",
    "baijiahao",
    "sina",
    "sohu",
    "netease",
    "qq",
    "ifeng",
    "people",
    "xinhua",
    "thepaper",
    "china-com-cn",
    "youth-cn",
    "digital-newspaper",
    "document-library",
    "gov-cn",
];

/// The bundled rules, opened once: the property tests would spend their time compiling patterns.
static BUNDLED_RULES: LazyLock<SiteRules> = LazyLock::new(|| {
    let rules = BUNDLED.map(|name| format!("../../config/sites/{name}.toml").into()).to_vec();
    SiteRules::open(SiteRulesOptions { rules, ..SiteRulesOptions::default() }).unwrap()
});

fn compiled(rules: &str) -> Result<SiteRules, SetupError> {
    let mut compiler = Compiler::default();
    compiler.add("rules.toml", rules);
    SiteRules::build(compiler, OnUnmatched::Keep)
}

fn cleaned(stage: &SiteRules, text: &str) -> Document {
    let mut document = Document::new("a", text);
    let mut draft = Draft::new(View::from(&document));
    stage.extract(&mut draft).unwrap();
    draft.finish().0.apply(&mut document);
    document
}

#[test]
fn cases() {
    check_extractor::<SiteRules>("rule-language.md", include_str!("cases/rule-language.md"));
    check_extractor::<SiteRules>("wechat.md", include_str!("cases/wechat.md"));
    check_extractor::<SiteRules>("document-library.md", include_str!("cases/document-library.md"));
    check_extractor::<SiteRules>("error-pages.md", include_str!("cases/error-pages.md"));
    check_extractor::<SiteRules>("wechat-errors.md", include_str!("cases/wechat-errors.md"));
    check_extractor::<SiteRules>("portals.md", include_str!("cases/portals.md"));
}

#[test]
fn the_example_of_the_options_page_opens() {
    let page = schemars::schema_for!(SiteRulesOptions);
    let docs = page.get("description").and_then(|docs| docs.as_str()).unwrap().to_owned();
    let example = docs.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    compiled(example).unwrap();
}

#[test]
fn mistakes_in_a_rule_file_are_found_all_at_once_and_with_their_place() {
    for (rules, expected) in [
        (
            "name = 'a'\nneed = 1\ndetct = ['x']",
            vec!["rules.toml:3:1: unknown key `detct`, did you mean `detect`?"],
        ),
        ("name = 'a'\nneed = 1", vec!["rules.toml:1:1: missing field `detect`"]),
        (
            "name = 'a'\nneed = 3\ndetect = ['x', '(']",
            vec![
                "rules.toml:2:8: `need` is 3, but must be from 1 to 2, the number of `detect` patterns",
                "rules.toml:3:16: pattern `(` does not compile: unclosed group",
            ],
        ),
        (
            "name = 'a'\nneed = 1\ndetect = ['x']\n[[tail]]\nname = 't'\nline = '[z-a]'\n[[field]]\nname = 'title'\nline = 'x'\ncopy = 'y'\n[[drop]]\nname = 'd'",
            vec![
                "rules.toml:8:8: field `title` needs exactly one of `line`, `after`, `before`, `constant` and `copy`",
                "rules.toml:6:8: pattern `[z-a]` does not compile: invalid character class range, the start must be <= the end",
                "rules.toml:12:8: drop `d` needs exactly one of `line` and `same_as`",
            ],
        ),
    ] {
        let error = compiled(rules).unwrap_err();
        assert_eq!(error.option(), Some("rules"));
        assert_eq!(error.to_string().lines().collect::<Vec<_>>(), expected, "{rules}");
    }
}

#[test]
fn a_missing_rule_file_is_a_mistake() {
    let options = SiteRulesOptions { rules: vec!["no/such.toml".into()], ..SiteRulesOptions::default() };
    let error = SiteRules::open(options).unwrap_err().to_string();
    assert!(error.starts_with("cannot read rule file `no/such.toml`: "), "{error}");
}

#[test]
fn two_files_of_one_name_are_a_mistake() {
    let mut compiler = Compiler::default();
    compiler.add("one.toml", "name = 'a'\nneed = 1\ndetect = ['x']");
    compiler.add("two.toml", "name = 'a'\nneed = 1\ndetect = ['x']");
    let error = SiteRules::build(compiler, OnUnmatched::Keep).unwrap_err();
    assert_eq!(error.to_string(), "two.toml:1:8: `a` is also the name of an earlier file");
}

#[test]
fn several_cuts_in_one_line_all_go() {
    let rules = "name = 'a'\nneed = 1\ndetect = ['^go$']\n[[cut]]\nname = 'c'\ntext = '\\[\\d+\\]'";
    let stage = compiled(rules).unwrap();
    assert_eq!(cleaned(&stage, "go\n  [1]河[2]水[3] \n[4]").text, "go\n  河水");
}

#[test]
fn the_first_file_that_detects_a_page_wins() {
    let mut compiler = Compiler::default();
    for name in ["one", "two"] {
        compiler.add(name, &format!("name = '{name}'\nneed = 1\ndetect = ['^x$']"));
    }
    let stage = SiteRules::build(compiler, OnUnmatched::Keep).unwrap();
    assert_eq!(cleaned(&stage, "x").metadata.get("site").unwrap().as_str(), Some("one"));
}

#[test]
fn the_bundled_files_name_each_rule_once() {
    for name in BUNDLED {
        let content =
            std::fs::read_to_string(Path::new("../../config/sites").join(format!("{name}.toml"))).unwrap();
        let file = file::parse(&content).unwrap();
        assert_eq!(file.name.get_ref(), name);
        let mut ids: Vec<_> = file.head.iter().map(|rule| ("head", rule.name.get_ref().clone())).collect();
        ids.extend(file.reject.iter().map(|rule| ("reject", rule.name.get_ref().clone())));
        ids.extend(file.tail.iter().map(|rule| ("tail", rule.name.get_ref().clone())));
        ids.extend(file.drop.iter().map(|rule| ("drop", rule.name.get_ref().clone())));
        ids.extend(file.cut.iter().map(|rule| ("cut", rule.name.get_ref().clone())));
        let n_rules = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), n_rules, "{name}");
    }
}

#[test]
fn the_bundled_list_is_the_one_of_the_pipeline() {
    let pipeline = std::fs::read_to_string("../../config/flattened.toml").unwrap();
    let listed: Vec<&str> = pipeline
        .lines()
        .filter_map(|line| line.trim().strip_prefix("\"sites/")?.strip_suffix(".toml\","))
        .collect();
    assert_eq!(listed, BUNDLED);
    let n_files = std::fs::read_dir("../../config/sites").unwrap().count();
    assert_eq!(n_files, BUNDLED.len(), "a rule file is not in the list");
}

#[test]
fn no_bundled_sign_is_tried_on_every_line() {
    for name in BUNDLED {
        let content = std::fs::read_to_string(format!("../../config/sites/{name}.toml")).unwrap();
        let file = file::parse(&content).unwrap();
        let undemanding = file
            .detect
            .iter()
            .filter(|pattern| LazyRegex::new(pattern.get_ref()).expect("a pattern").demanded().is_none())
            .count();
        assert!(undemanding < *file.need.get_ref(), "{name}");
    }
}

#[test]
fn every_removal_says_what_and_where() {
    let rules = "name = 'a'\nneed = 1\ndetect = ['^go$']\n[[head]]\nname = 'h'\nline = '^go$'\n\
        [[tail]]\nname = 't'\nline = '^end$'\n[[cut]]\nname = 'c'\ntext = '\\[\\d\\]'";
    let stage = compiled(rules).unwrap();
    let document = Document::new("a", "go\n 河[1]水[2]\nend\nmore");
    let mut draft = Draft::new(View::from(&document));
    stage.extract(&mut draft).unwrap();
    let (_, notes) = draft.finish();
    let measures: Vec<(&str, usize)> =
        notes.measures().iter().skip(1).map(|measure| (&*measure.name, measure.value as usize)).collect();
    let expected = [
        ("removed_at:a/head/h", 0),
        ("removed_bytes:a/head/h", 3),
        ("removed_at:a/tail/t", 17),
        ("removed_bytes:a/tail/t", 8),
        ("removed_at:a/cut/c", 7),
        ("removed_bytes:a/cut/c", 6),
    ];
    assert_eq!(measures, expected);
}

#[test]
fn all_rules_are_declared_as_counters() {
    let stage = compiled(
        "name = 'a'\nneed = 1\ndetect = ['x']\n[[reject]]\nname = 'r'\nline = 'y'\nreason = 'gone'\n\
        [[head]]\nname = 'h'\nline = 'x'\n[[drop]]\nname = 'd'\nline = 'z'",
    );
    assert_eq!(stage.unwrap().counters(), ["a/reject/r", "a/head/h", "a/drop/d"]);
    let stage = compiled("name = 'a'\nneed = 1\ndetect = ['x']").unwrap();
    assert_eq!(stage.counters(), ["matched:a"], "a file without rules that are counted");
}

/// Whether `part` is what is left of `whole` after removals.
fn is_left_of(part: &str, whole: &str) -> bool {
    let mut whole = whole.chars();
    part.chars().all(|c| whole.any(|other| other == c))
}

proptest! {
    #[test]
    fn any_text_is_accepted_and_none_is_added(text in any::<String>()) {
        let document = cleaned(&BUNDLED_RULES, &text);
        prop_assert!(is_left_of(&document.text, &text));
    }

    #[test]
    fn any_mixture_of_template_lines_only_loses_text(picks in prop::collection::vec((0_usize..36, "[\\s\u{a0}\u{3000}]{0,2}"), 0..40)) {
        const LINES: [&str; 36] = [
            "微信号", "功能介绍", "昨天", "hebianrenjia", "var first_sceen__time = 1", "预览时标签不可点", "阅读", "在看",
            "以下文章来源于渡口", "，作者老船", ".", "河水涨了。来源：渡口", "点击边框调出视频工具条", "清河日报 数字报纸",
            "00003版:专版", "默认", "版权声明", "下面是小编整理的稿子,仅供参考。", "稿子(一):", "稿子的评论条评论",
            "网易首页", "查看网易地图", "2019-09-07 16:28:35 来源: 渡口", "用微信扫码二维码", "分享至好友和朋友圈", "T", "+",
            "河水。返回搜狐，查看更多", "手机搜狐网", "转发 微博 Qzone 微信  渡口 河边 2019-09-09 16:01:46 河水。 收藏 举报 举报文章问题",
            "不感兴趣", "2019年09月09日 18:13:22来源：渡口57人参与11评论河水。推荐0为您推荐", "投资者关系 Investor Relations",
            "(本文来自澎湃新闻，更多原创资讯请下载“澎湃新闻”APP)", "关于澎湃", "安装新浪财经客户端第一时间接收最全面的市场资讯→【",
        ];
        let lines: Vec<_> = picks.iter().map(|(pick, space)| format!("{space}{}", LINES[*pick])).collect();
        let text = lines.join("\n");
        let document = cleaned(&BUNDLED_RULES, &text);
        prop_assert!(is_left_of(&document.text, &text));
    }
}
