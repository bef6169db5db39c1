use proptest::prelude::*;
use tamis_conformance::cases::check_extractor;

use super::options::{Kind, MaskOptions};
use super::{Mask, find::find, masked};

const ALL: [Kind; 10] = [
    Kind::Email,
    Kind::Ip,
    Kind::Credentials,
    Kind::CnIdCard,
    Kind::CnMobile,
    Kind::Phone,
    Kind::BankCard,
    Kind::CnSocialCredit,
    Kind::CnPlate,
    Kind::Account,
];

fn mask(text: &str) -> String {
    masked(text, &find(text, &ALL))
}

#[test]
fn cases() {
    check_extractor::<Mask>("mask/cases/mask.md", include_str!("cases/mask.md"));
}

#[test]
fn every_kind_is_found() {
    for (text, expected) in [
        ("Write to anna.m@mill.example.org.", "Write to [EMAIL]."),
        ("邮箱：miller@mill.cn，欢迎来信", "邮箱：[EMAIL]，欢迎来信"),
        ("from 198.52.100.7 at noon", "from [IP] at noon"),
        ("IP 81.2.69.1", "IP [IP]"),
        ("登录IP：81.2.69.1，client_ip: 81.2.69.1", "登录IP：[IP]，client_ip: [IP]"),
        ("IP地址为81.2.69.1", "IP地址为[IP]"),
        ("the chip 81.2.69.1 and 81.2.69.1", "the chip 81.2.69.1 and 81.2.69.1"),
        ("https://anna:geheim1@mill.example/x", "https://[SECRET]@mill.example/x"),
        ("GET /a?api_key=abcdef123456&b=1", "GET /a?api_key=[SECRET]&b=1"),
        ("身份证号11010519491231002X。", "身份证号[ID-CARD]。"),
        ("电话：13800138000", "电话：[PHONE]"),
        ("请拨打 138-0013-8000 联系", "请拨打 [PHONE] 联系"),
        ("+86 138 0013 8000", "[PHONE]"),
        ("Call +44 20 7946 0958 today", "Call [PHONE] today"),
        ("Karte 4111 1111 1111 1111", "Karte [BANK-CARD]"),
        ("统一社会信用代码：91350100M000100Y43", "统一社会信用代码：[CREDIT-CODE]"),
        ("车牌京A12345被拍到", "车牌[PLATE]被拍到"),
        ("新能源粤BD12345", "新能源[PLATE]"),
        ("加微信mill_river88，备注", "加微信[ACCOUNT]，备注"),
        ("QQ：123456789", "QQ：[ACCOUNT]"),
        ("电话：010-62300000，传真：（0571）8230 0000", "电话：[PHONE]，传真：[PHONE]"),
        ("请致电0755-26300000-801或02062300000", "请致电[PHONE]或02062300000"),
        ("座机 02062300000", "座机 [PHONE]"),
        ("Call (555) 230-0100 or fax: 555-230-0101", "Call [PHONE] or fax: [PHONE]"),
        ("手机：１３８００１３８０００，邮箱ａｎｎａ＠ｍｉｌｌ．ｃｎ。", "手机：[PHONE]，邮箱[EMAIL]。"),
        ("身份证１１０１０５１９４９１２３１００２Ｘ", "身份证[ID-CARD]"),
        ("电话０１０－６２３０００００转８", "电话[PHONE]转８"),
    ] {
        assert_eq!(mask(text), expected, "{text}");
    }
}

#[test]
fn numbers_that_are_nobody_stay() {
    for text in [
        "The price is 13800138.00 and not 13,800,138",
        "order 138001380001, item 4111111111111112",
        "ISBN 978-7-302-51231-4",
        "2021-03-14 15:09:26",
        "192.168.1.1 and 127.0.0.1",
        "version 198.52.100.7",
        "瑞友 7.0.2.1",
        "Math.random()+60466176",
        "http://user:pass@mill.example",
        "/a?token=${token}&b=1",
        "https://mill.example/p/13800138000.html",
        "id=13800138000",
        "icon@2x.png",
        "https://mill.example/@anna@mill.social",
        "总价13800138000元",
        "2023年营收15800000000美元，约合 13912345678 万日元",
        "￥13912345678",
        "订单号：13912345678，金额 4111111111111111",
        "4111111111111111元",
        "股票代码 600519，成交额 1234567890 元",
        "1.2.3.4.5",
        "第110105194912310021号文件",
        "微信公众号发布了QQ音乐",
        "0.13800138000",
        // No area code, no number of any length there, no label.
        "000-62300000",
        "010-1230000",
        "010-12300000",
        "026-62300000",
        "0571-82300000123456",
        "hotel 555-230-0101",
        "服务热线：400-230-0101",
        "555-230-0101",
        "(1999) 230-0100",
        "02062300000",
        "2019-0571-8230",
        "共０１０－６２３０００００元",
        "第１３８００１３８０００１号",
    ] {
        assert_eq!(mask(text), text);
    }
}

#[test]
fn kinds_have_the_names_of_their_options() {
    for kind in ALL {
        assert_eq!(serde_json::to_value(kind).expect("a name"), kind.name());
    }
    assert!(MaskOptions::default().kinds.iter().all(|kind| ALL.contains(kind)));
}

proptest! {
    #[test]
    fn what_is_masked_is_not_found_again(text in "([a-z@.:/=?&微信号QQ ：0-9+()０-９＠-]|13800138000|010-62300000|电话|a@b.cn|198.52.100.7){0,40}") {
        let once = mask(&text);
        prop_assert_eq!(mask(&once), once.clone());
        let found = find(&text, &ALL);
        for pair in found.windows(2) {
            prop_assert!(pair[0].range.end <= pair[1].range.start);
        }
    }
}
