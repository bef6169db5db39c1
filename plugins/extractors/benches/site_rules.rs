//! What the rule files of this repository cost a page that belongs to no site, and one that does.
//!
//! `cargo bench -p tamis-extractors --bench site_rules`

use std::fmt::Write;
use std::hint::black_box;
use std::path::PathBuf;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tamis_extractors::{SiteRules, SiteRulesOptions};
use tamis_plugin::{Document, Draft, Extractor, View};

/// All rule files of this repository.
fn stage() -> SiteRules {
    let folder = std::fs::read_dir("../../config/sites").expect("benches run in the folder of the crate");
    let mut rules: Vec<PathBuf> = folder.map(|file| file.expect("the folder is readable").path()).collect();
    rules.sort();
    SiteRules::open(SiteRulesOptions { rules, ..SiteRulesOptions::default() }).expect("the files are valid")
}

/// A page between a menu and a footer: short lines around paragraphs.
fn page(menu: &[&str], paragraph: &str, footer: &[&str]) -> Document {
    let mut text = menu.join("\n");
    for n in 0..24 {
        write!(text, "\n\n{n}. {}", paragraph.repeat(n % 4 + 1)).expect("a string takes everything");
    }
    text += "\n\n";
    text += &footer.join("\n");
    Document::new("a", text)
}

fn extract(criterion: &mut Criterion) {
    let english = "The ferry left the harbour before dawn, and nobody had seen it return. ";
    let chinese = "渡船在天亮以前离开了港口，没有人看见它回来，内容和来源都不清楚。";
    let menu = ["首页", "新闻", "体育", "财经", "更多", "登录", "注册", "渡口的早市", "2020-05-01 10:00"];
    let footer = ["上一篇", "下一篇", "阅读", "评论", "分享", "联系我们", "版权所有 渡口网"];
    let wechat =
        ["渡口的早市", "河边人家", "河边人家", "微信号", "hebianrenjia", "功能介绍", "河边的事", "昨天"];
    let script = ["var first_sceen__time = (+new Date());", "阅读", "在看", "已推荐到看一看"];
    let netease =
        ["网易首页", "查看网易地图", "渡口的早市", "2019-09-07 16:28:35 来源: 渡口", "用微信扫码二维码"];
    let statement = ["本文来源：渡口", "责任编辑：老船_NB1234", "分享到：", "网易新闻客户端下载"];
    let stage = stage();
    for (name, document) in [
        ("unknown, chinese", page(&menu, chinese, &footer)),
        ("unknown, english", page(&["Home", "News", "Login"], english, &["Contact", "Imprint"])),
        ("wechat", page(&wechat, chinese, &script)),
        ("netease", page(&netease, chinese, &statement)),
    ] {
        let mut group = criterion.benchmark_group("site-rules");
        group.throughput(Throughput::Bytes(document.text.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut draft = Draft::new(View::from(&document));
                black_box(stage.extract(&mut draft).expect("any document can be cleaned"));
                black_box(draft.finish())
            });
        });
        group.finish();
    }
}

criterion_group!(benches, extract);
criterion_main!(benches);
