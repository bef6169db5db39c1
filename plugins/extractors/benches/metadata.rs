//! How fast `metadata` reads pages.
//!
//! `cargo bench -p tamis-extractors --bench metadata`

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tamis_extractors::{Metadata, MetadataOptions};
use tamis_plugin::{Document, Draft, Extractor as _, View};

/// A page of some ten kilobytes: title, menu, scripts, byline, text, comments.
fn page(title: &str, menu: &str, byline: &str, paragraph: &str, n_paragraphs: usize) -> String {
    let menu = menu.split(' ').cycle().take(120).collect::<Vec<_>>().join("\n");
    let script = "window.load = function(id) {\n    if (id == 20190311) { return ads[id]; }\n};\n".repeat(12);
    let body: Vec<String> = (1..=n_paragraphs).map(|n| paragraph.repeat(n % 4 + 1)).collect();
    let body = body.join("\n\n");
    let comments: Vec<String> = (1..=20).map(|n| format!("2019-03-12 10:{n:02}:00")).collect();
    let comments = comments.join("\n");
    format!(
        "{title} - Harbour Gazette\n{menu}\n{script}{title}\n{byline}\n{body}\n{comments}\n© 2019 Harbour Gazette\n"
    )
}

fn metadata(criterion: &mut Criterion) {
    let chinese = page(
        "渡口新桥今日通车 两岸居民步行过江",
        "首页 新闻 体育 财经 娱乐 汽车 登录 注册",
        "2019-03-11 08:30:00　来源：清河日报　作者：李渡舟",
        "渡口新桥今日通车，两岸居民步行过江，看热闹的人从清早排到中午，摆渡的老人说以后要歇下来了。",
        40,
    );
    let english = page(
        "Ferry returns to the harbour after forty years",
        "Home News Sport Weather Business Travel Login Search",
        "By Ann Miller\nMarch 11, 2019, 8:30 AM",
        "The ferry returned to the harbour before dawn, and hundreds of people had come to see it. ",
        40,
    );
    let glued = "渡船在天亮以前离开了港口，没有人看见它回来。".repeat(300);
    let stage = Metadata::open(MetadataOptions::default()).expect("the options are valid");
    let mut group = criterion.benchmark_group("metadata");
    for (name, text) in [("chinese", chinese), ("english", english), ("one line", glued)] {
        group.throughput(Throughput::Bytes(text.len() as u64));
        let document = Document::new("a", text);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut draft = Draft::new(View::from(black_box(&document)));
                stage.extract(&mut draft).expect("any text is accepted");
                black_box(draft.finish())
            });
        });
    }
    group.finish();
}

criterion_group!(benches, metadata);
criterion_main!(benches);
