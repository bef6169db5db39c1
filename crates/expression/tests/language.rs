//! The language as its users see it: what holds, what is a mistake, what fails.

use proptest::prelude::*;
use tamis_document::{Document, Json, Value, ValueRef};
use tamis_expression::{Expression, Field, Mistake, Name, Names, Scope, Type};

/// A document with measures.
struct Page {
    document: Document,
    measures: Vec<(&'static str, f64)>,
}

impl Scope for Page {
    fn id(&self) -> &str {
        &self.document.id
    }

    fn text(&self) -> &str {
        &self.document.text
    }

    fn raw(&self) -> Option<&[u8]> {
        self.document.raw.as_deref()
    }

    fn origin(&self) -> Option<(&str, u64, u64)> {
        Some((&self.document.origin.file, self.document.origin.offset, self.document.origin.length))
    }

    fn field(&self, name: &str) -> Option<ValueRef<'_>> {
        self.document.metadata.get(name).map(Value::as_ref)
    }

    fn measure(&self, name: &str) -> Option<f64> {
        self.measures.iter().rfind(|(measure, _)| *measure == name).map(|(_, value)| *value)
    }
}

fn page() -> Page {
    let mut document = Document::new("a/1.html", "磨坊 mill");
    document.raw = Some(b"<p>".to_vec());
    document.origin.file = "dump/a.html".into();
    document.origin.offset = 7;
    for (name, value) in [
        ("title", Value::from("Old Mill, Sold")),
        ("published", Value::from("2024-05-01")),
        ("views", Value::from(12)),
        ("score", Value::from(0.5)),
        ("price", Value::from("7.5")),
        ("free", Value::from(true)),
        ("nothing", Value::Null),
        ("标题", Value::from("磨坊")),
        ("a-b", Value::from("hyphen")),
        ("tags", Value::from(Json::parse(r#"["mill","sale",3]"#).expect("JSON"))),
        ("page", Value::from(Json::parse(r#"{"lang":"zh","deep":{"n":[1,2]},"none":null}"#).expect("JSON"))),
        ("chars", Value::from(3)),
    ] {
        document.metadata.insert(name, value);
    }
    Page { document, measures: vec![("chars", 1.0), ("signs:news", 2.0), ("chars", 40.0)] }
}

fn holds(source: &str) -> Result<bool, String> {
    let expression = Expression::condition(source).map_err(|mistake| format!("mistake: {mistake}"))?;
    expression.holds(&page()).map_err(|trouble| trouble.to_string())
}

#[test]
fn what_holds() {
    for source in [
        r#"id == "a/1.html" && text.contains("mill")"#,
        "size(text) == 7 && text.size() == 7 && size(raw) == 3",
        r#"title.startsWith("Old") && title.endsWith("Sold") && !title.contains("New")"#,
        r#"title.matches(r"(?i)\bMILL\b")"#,
        r#"title.lowerAscii() == "old mill, sold" && title.upperAscii().contains("MILL")"#,
        r#"published >= "2024" && published < "2025""#,
        "views > 11.5 && views <= 12 && score < 1 && -views < 0",
        "views / 8 == 1.5 && views % 5 == 2 && views - 2 * 5 + 1 == 3 && (views - 2) * 5 == 50",
        "views in [1, 12] && !(views in [1, 2])",
        r#""mill" in tags && 3 in tags && !("none" in tags)"#,
        r#"page.lang == "zh" && page["lang"] == "zh" && page.deep.n[1] == 2 && "lang" in page"#,
        r#"tags[0] == "mill" && tags[0].size() == 4 && size(tags) == 3"#,
        r#"标题 == "磨坊" && metadata["a-b"] == "hyphen""#,
        "free && has(free) && !has(nothing) && !has(missing) && !has(page.none) && has(page.deep)",
        r#"origin.file.endsWith(".html") && origin.offset == 7 && origin.length == 0"#,
        // The last measure of a name; the field of this name is asked for by its full name.
        r#"chars == 40 && measures.chars == 40 && metadata.chars == 3 && measures["signs:news"] == 2"#,
        "double(price) > 7 && int(price) == 7 && string(views) == \"12\" && int(score) == 0",
        r#"(free ? "a" : "b") == "a" && (missing ? 1 : 2) == 2"#,
        r#""x" + title == "xOld Mill, Sold" && title + missing != "x" || true"#,
        r"text == '磨坊 mill' // a comment",
        "views == 12.0 && 9007199254740993 + views == 9007199254741005",
        "free == true && free != false",
    ] {
        assert_eq!(holds(source), Ok(true), "{source}");
    }
}

#[test]
fn what_is_missing_decides_nothing() {
    for source in [
        "missing == 1",
        "missing != 1",
        "missing < 1",
        "nothing >= 0",
        "missing",
        "missing && free",
        "missing + 1 > 0",
        "-missing < 0",
        "views / 0 > 0",
        "views % 0 == 0",
        "missing in [1, 2]",
        "1 in missing",
        "missing.deep.deeper == 1",
        "missing[0] == 1",
        "tags[99] == 1",
        "size(missing) >= 0",
        "missing.startsWith(\"\")",
        "missing.matches(\".*\")",
        "double(title) > 0",
        "measures.missing > 0",
        "missing == views",
    ] {
        assert_eq!(holds(source), Ok(false), "{source}");
        if !source.contains(' ') {
            assert_eq!(holds(&format!("!{source}")), Ok(true), "!{source}");
        }
    }
}

#[test]
fn values_that_do_not_go_together_are_told() {
    for (source, message) in [
        (
            "price > 5",
            "in `price > 5`: the string \"7.5\" cannot be compared with the number 5; `double(…)` and `string(…)` \
             make one what the other is",
        ),
        (
            "views == \"12\"",
            "in `views == \"12\"`: the number 12 cannot be compared with the string \"12\"; `double(…)` and \
             `string(…)` make one what the other is",
        ),
        ("free > 1", "in `free > 1`: `true` cannot be compared with the number 1"),
        (
            "views.contains(\"1\")",
            "in `views`: the number 12 is no string; `double(…)` and `string(…)` make one what the other is",
        ),
        ("tags == 1", "in `tags == 1`: a list cannot be compared with the number 1"),
        ("title && free", "in `title`: the string \"Old Mill, Sold\" is no condition"),
        ("title * 2 > 1", "in `title`: the string \"Old Mill, Sold\" is no number"),
        ("views.deep == 1", "in `views`: the number 12 is no table, and has no `deep`"),
        ("title[0] == 1", "in `title`: the string \"Old Mill, Sold\" is no list and no table"),
        ("1 in title", "in `title`: the string \"Old Mill, Sold\" is no list"),
        ("size(views) > 1", "in `views`: the number 12 is no string, list or table"),
    ] {
        assert_eq!(holds(source), Err(message.to_owned()), "{source}");
    }
}

#[test]
fn mistakes_of_syntax_have_a_place_and_a_way_out() {
    for (source, at, message) in [
        ("", "", "the expression is empty"),
        ("views >", ">", "something is missing at the end"),
        ("(views > 1", "views > 1", "`)` is missing at the end"),
        ("views > 1)", ")", "`)` stands where the expression should end"),
        ("free and views > 1", "and", "`and` stands where the expression should end: write `&&`"),
        ("free OR free", "OR", "`OR` stands where the expression should end: write `||`"),
        ("not free", "not", "`not` is no operator: write `!`"),
        ("views not in [1]", "not", "`not` stands where the expression should end: write `!(… in …)`"),
        (
            "title is null",
            "is",
            "`is` stands where the expression should end: write `==`, or `!has(field)` for what is missing",
        ),
        ("1 < views < 5", "<", "comparisons cannot be chained: write `a < b && b < c`"),
        ("free == True", "True", "`True` is no value: write `true`"),
        ("views in [1, 2", "2", "`]` is missing at the end"),
        (
            "title.startswith(\"a\")",
            "startswith",
            "unknown function `startswith`: did you mean `field.startsWith(\"…\")`?",
        ),
        ("len(text) > 1", "len", "unknown function `len`: did you mean `size(text)`?"),
        (
            "quux(text)",
            "quux",
            "unknown function `quux`: there are `has`, `size`, `startsWith`, `endsWith`, `contains`, `matches`, \
             `lowerAscii`, `upperAscii`, `trim`, `double`, `int`, `string`",
        ),
        (
            "title.contains()",
            "title.contains()",
            "`contains` is given 1 value, but takes 2: write `field.contains(\"…\")`",
        ),
        (
            "title.matches(id)",
            "id",
            "the pattern of `matches` must be a string as it stands: a pattern that comes from the data could take \
             any time",
        ),
        ("title.matches(\"(\")", "\"(\"", "the pattern is wrong: unclosed group"),
        (
            "has(\"title\")",
            "has(\"title\")",
            "`has` takes a field, not its name in quotes: write `has(metadata[\"title\"])`",
        ),
        (
            "has(text)",
            "has(text)",
            "`id` and `text` are always there: write `size(text) > 0` if it should not be empty",
        ),
        ("has(1)", "has(1)", "`has` takes a field: write `has(title)`"),
        (
            "origin.path == \"a\"",
            "path",
            "`origin` has no `path`: there are `origin.file`, `origin.offset` and `origin.length`",
        ),
        ("measures > 1", "measures", "`measures` alone is no value: write `measures.chars`"),
        ("metadata[0] == 1", "metadata", "`metadata` alone is no value: write `metadata.title`"),
        (
            "title == {\"a\": 1}",
            "{",
            "`{` is no operator: there are no maps: write a list as `[\"a\", \"b\"]`",
        ),
        (
            "views 5",
            "5",
            "a number stands where the expression should end: put an operator before it, such as `&&`",
        ),
        (
            "title.\"a\"",
            "\"a\"",
            "a string stands where a name is expected: write `field[\"a name\"]` for any name",
        ),
    ] {
        let Err(mistake) = Expression::parse(source) else { panic!("{source} is right") };
        assert_eq!(mistake.to_string(), message, "{source}");
        assert_eq!(source.get(mistake.span.clone()), Some(at), "{source}: {mistake}");
    }
}

/// The names of a pipeline that reads HTML.
struct Html;

impl Names for Html {
    fn field(&self, name: &str) -> Field {
        match name {
            "title" | "language" | "published" => Field::Known(Type::String),
            "views" => Field::Known(Type::Number),
            "links" | "chars" => Field::Known(Type::Any),
            "tags" => Field::Known(Type::List),
            "titel" => Field::Unknown("did you mean `title`?".into()),
            _ => Field::Unknown("written before: `title`".into()),
        }
    }

    fn any_field(&self) -> bool {
        false
    }

    fn measures(&self) -> Option<Vec<String>> {
        Some(vec!["chars".into(), "link_ratio".into(), "signs:*".into()])
    }
}

fn checked(source: &str) -> Vec<String> {
    let expression = Expression::parse(source).expect("no mistake of syntax");
    let in_place =
        |mistake: Mistake| format!("{} @ {}", mistake, &source.get(mistake.span.clone()).unwrap_or("?"));
    expression.check_condition(&Html).into_iter().map(in_place).collect()
}

#[test]
fn names_and_types_are_known_before_anything_runs() {
    for source in [
        "title == \"a\" && views > 1 && link_ratio < 0.5",
        "measures[\"signs:news\"] > 1 || measures.chars > 1",
        "links > 1 || links == \"a\"",
        "\"a\" in tags && title in [\"a\"]",
    ] {
        assert_eq!(checked(source), Vec::<String>::new(), "{source}");
    }
    for (source, mistakes) in [
        (
            "titel == \"a\"",
            &["the field `titel` is written by nothing before this stage: did you mean `title`? @ titel"][..],
        ),
        (
            "link_rato > 1",
            &[
                "the field `link_rato` is written by nothing before this stage: did you mean `link_ratio`? @ link_rato",
            ],
        ),
        (
            "measures.link_rato > 1",
            &[
                "no stage before this one measures `link_rato`: did you mean `link_ratio`? @ measures.link_rato",
            ],
        ),
        (
            "chars > 1",
            &["`chars` is a field and a measure: write `metadata.chars` or `measures.chars` @ chars"],
        ),
        (
            "published > 2020",
            &[
                "`published` is a string and `2020` is a number: they cannot be compared: write `\"2020\"` @ published > 2020",
            ],
        ),
        (
            "views > \"5\"",
            &[
                "`views` is a number and `\"5\"` is a string: they cannot be compared: write `5`, without quotes @ views > \"5\"",
            ],
        ),
        (
            "text > 100",
            &[
                "`text` is a string and `100` is a number: they cannot be compared: did you mean `size(text)`? @ text > 100",
            ],
        ),
        (
            "size(views) > 1",
            &[
                "`size` takes a string or a list or a table or bytes, but `views` is a number: write `string(views)` @ views",
            ],
        ),
        (
            "title",
            &[
                "the condition is a string, not true or false: compare it, as in `… == \"a\"`, or ask with `has(…)` @ title",
            ],
        ),
        (
            "size(text)",
            &["the condition is a number, not true or false: compare it, as in `… > 0` @ size(text)"],
        ),
        (
            "title && views > 1",
            &["`title` is a string, not true or false: compare it, or ask with `has(…)` @ title"],
        ),
        ("title == null", &["comparisons with null are always false: write `!has(title)` @ title == null"]),
        ("null != title", &["comparisons with null are always false: write `has(title)` @ null != title"]),
        (
            "1 == 1",
            &[
                "the condition is the same for every document: it reads nothing of them: name a field, `text` or a measure @ 1 == 1",
            ],
        ),
    ] {
        assert_eq!(checked(source), mistakes, "{source}");
    }
}

#[test]
fn lists_members_and_sums_are_typed_too() {
    for (source, mistakes) in [
        (
            "title in \"abc\"",
            &["`in` looks into lists, and `\"abc\"` is a string: write `\"abc\".contains(title)` @ \"abc\""]
                [..],
        ),
        ("title in []", &["the list is empty: nothing is in it @ []"]),
        ("title in [\"a\", 2]", &["`title` is never in the list: it is a string, not a number @ 2"]),
        ("title.length > 1", &["`title` is a string and has no `length` @ title.length"]),
        (
            "title.trim == \"a\"",
            &["`title` is a string and has no `trim`: write `field.trim()` @ title.trim"],
        ),
        ("title[0] == \"a\"", &["`title` is a string: `[…]` is for lists and tables @ title"]),
        ("tags < tags", &["`tags` is a list: that is neither more nor less than another @ tags < tags"]),
        ("title - 1 > 0", &["`-` takes a number, but `title` is a string: write `double(title)` @ title"]),
        (
            "title + views == \"a\"",
            &["`+` cannot add a string and a number: write `string(…)` around the number @ title + views"],
        ),
        (
            "titel == 1 && nobody == 2",
            &[
                "the field `titel` is written by nothing before this stage: did you mean `title`? @ titel",
                "the field `nobody` is written by nothing before this stage: written before: `title` @ nobody",
            ],
        ),
        (
            "last-modified > 1",
            &[
                "the field `last` is written by nothing before this stage: for the field `last-modified` write \
             `metadata[\"last-modified\"]` @ last",
                "the field `modified` is written by nothing before this stage: written before: `title` @ modified",
            ],
        ),
    ] {
        assert_eq!(checked(source), mistakes, "{source}");
    }
}

#[test]
fn an_expression_tells_what_it_reads() {
    let expression =
        Expression::parse("has(title) && measures.chars > size(text) || lang in [\"a\", id]").expect("right");
    let names: Vec<Name> = expression.names().into_iter().cloned().collect();
    assert_eq!(
        names,
        [
            Name::Id,
            Name::Text,
            Name::Measure("chars".into()),
            Name::Either("lang".into()),
            Name::Either("title".into())
        ]
    );
}

#[test]
fn what_is_asked_for_is_not_relied_on() {
    for (source, relied_on) in [
        ("title == 'a' && status == 200", &["status", "title"][..]),
        ("!has(status) || status == 200", &[]),
        ("has(doc.status) && doc.status == 1", &[]),
        ("has(a) && b > 1", &["b"]),
        ("(has(title) ? title : author) == 'x'", &["author"]),
    ] {
        let expression = Expression::parse(source).expect(source);
        let names: Vec<&str> = expression
            .names_relied_on()
            .into_iter()
            .filter_map(|name| match name {
                Name::Either(name) => Some(name.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(names, relied_on, "{source}");
    }
}

#[test]
fn depth_and_length_are_bounded() {
    for source in [
        "(".repeat(50_000),
        "!".repeat(50_000) + "a",
        "a[".repeat(20_000),
        "a ? ".repeat(10_000),
        "-".repeat(50_000) + "1",
        format!("a{} == 1", ".b".repeat(20_000)),
        format!("1 {} == a", "+ 1".repeat(10_000)),
        "[".repeat(50_000),
    ] {
        let mistake = Expression::parse(&source).expect_err("too deep");
        assert!(mistake.message.contains("nested more than 100 deep"), "{mistake}");
    }
    let long = Expression::parse(&"a".repeat(70_000)).expect_err("too long");
    assert_eq!(long.message, "the expression is longer than 64 KiB");
    // A long chain is not deep.
    let chain = (0..3_000).map(|n| format!("title == \"{n}\"")).collect::<Vec<_>>().join(" || ");
    assert_eq!(holds(&chain), Ok(false));
}

/// Expressions in which everything stands beside everything.
fn expressions() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        prop::sample::select(vec![
            "title",
            "views",
            "missing",
            "tags",
            "page",
            "free",
            "chars",
            "text",
            "id",
            "raw",
            "score",
            "null",
            "true",
            "0",
            "-1",
            "9223372036854775807",
            "1.5",
            "\"磨坊\"",
            "\"\"",
            "[]",
            "origin.offset",
            "measures.chars",
        ])
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(5, 40, 3, |inner| {
        let operator =
            prop::sample::select(vec!["+", "-", "*", "/", "%", "==", "!=", "<", ">=", "in", "&&", "||"]);
        let function = prop::sample::select(vec![
            "size",
            "trim",
            "lowerAscii",
            "double",
            "int",
            "string",
            "has",
            "startsWith",
            "contains",
        ]);
        prop_oneof![
            (inner.clone(), operator, inner.clone()).prop_map(|(a, o, b)| format!("({a} {o} {b})")),
            (function.clone(), inner.clone()).prop_map(|(f, a)| format!("{f}({a})")),
            (function, inner.clone(), inner.clone()).prop_map(|(f, a, b)| format!("{f}({a}, {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a}[{b}]")),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
            prop::collection::vec(inner.clone(), 0..3).prop_map(|items| format!("[{}]", items.join(", "))),
            inner.prop_map(|a| format!("!{a}")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused_with_a_place_inside(source in "\\PC{0,40}") {
        if let Err(mistake) = Expression::parse(&source) {
            prop_assert!(source.get(mistake.span.clone()).is_some(), "{:?} of {source:?}", mistake.span);
            prop_assert!(!mistake.message.is_empty());
        }
    }

    #[test]
    fn words_of_the_language_in_any_order_never_panic(
        words in prop::collection::vec(prop::sample::select(vec![
            "title", "(", ")", "[", "]", "==", "<", "&&", "||", "!", "-", "+", "?", ":", ".", ",", "in", "null", "1",
            "\"a\"", "has", "size", "matches", "origin", "measures", "metadata", "r\"(\"", "not", "and",
        ]), 0..20)
    ) {
        let source = words.join(" ");
        match Expression::parse(&source) {
            Ok(expression) => drop(expression.check_condition(&Html)),
            Err(mistake) => prop_assert!(source.get(mistake.span).is_some()),
        }
    }

    /// What passes the check without names may still meet values that do not go together, but never panics, and
    /// decides the same twice.
    #[test]
    fn evaluation_never_panics(source in expressions()) {
        if let Ok(expression) = Expression::parse(&source) {
            drop(expression.check(&Html));
            prop_assert_eq!(expression.holds(&page()), expression.holds(&page()));
        }
    }

    /// Where all types are known, the check is right: no trouble while it runs.
    #[test]
    fn what_is_typed_gives_no_trouble(source in typed()) {
        let expression = Expression::condition(&source).expect("typed");
        prop_assert!(expression.holds(&page()).is_ok(), "{source}");
    }
}

/// Conditions over what has a known type.
fn typed() -> impl Strategy<Value = String> {
    let numbers =
        prop::sample::select(vec!["size(text)", "measures.chars", "origin.offset", "3", "0.5", "size(raw)"]);
    let numbers = numbers.prop_map(str::to_owned).prop_recursive(3, 12, 2, |inner| {
        let operator = prop::sample::select(vec!["+", "-", "*", "/", "%"]);
        (inner.clone(), operator, inner).prop_map(|(a, o, b)| format!("({a} {o} {b})"))
    });
    let strings = prop::sample::select(vec!["id", "text.trim()", "\"a\"", "origin.file", "(text + id)"]);
    let compare = prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]);
    let leaf = prop_oneof![
        (numbers.clone(), compare.clone(), numbers).prop_map(|(a, o, b)| format!("{a} {o} {b}")),
        (strings.clone(), compare, strings.clone()).prop_map(|(a, o, b)| format!("{a} {o} {b}")),
        (strings.clone(), strings).prop_map(|(a, b)| format!("{a}.contains({b})")),
    ];
    let leaf = leaf.prop_map(|condition| format!("({condition}) && size(text) >= 0"));
    leaf.prop_recursive(3, 12, 2, |inner| {
        let operator = prop::sample::select(vec!["&&", "||"]);
        (inner.clone(), operator, inner).prop_map(|(a, o, b)| format!("(!({a}) {o} ({b}))"))
    })
}
