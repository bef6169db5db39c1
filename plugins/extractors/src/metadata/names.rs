//! Names of people: what may be one, and where a list of them ends.

use std::ops::Range;

use tamis_text::chars::{is_han, is_latin};

use super::page::is_space;

/// The common Chinese family names of one character, simplified and traditional; about four hundred, which
/// nearly everybody has.
const FAMILY_NAMES: &str = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖萧田董袁潘于蒋蔡余杜叶程苏魏\
    吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付傅方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严\
    覃武戴莫孔向汤常温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒\
    阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古\
    吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇\
    桑郎甄丛仲虞敖巩明佘池查麻苑迟邝封官谈匡鞠惠荆乐冀郁胥南班储原栗燕楚鄢劳谌奚皮粟冼蔺楼盘满闻位厉\
    慕\
    張劉陳楊黃趙吳孫馬羅鄭許韓馮鄧蕭葉蘇呂盧姜鍾譚陸範賈韋鄒閆龍賀顧龔邵萬錢嚴湯龐顏莊聶魯嶽歐關蘭寧\
    紀畢單塗駱藍遊華饒陽時農簡車項連蘆麥婁竇黨宮費衛應閔鄔邊師倉榮叢鞏佘遲鄺談樂闞";

const DOUBLE_FAMILY_NAMES: [&str; 12] =
    ["欧阳", "上官", "司马", "诸葛", "司徒", "东方", "皇甫", "尉迟", "公孙", "慕容", "歐陽", "諸葛"];

/// Words of two to four characters that begin like a name and are none.
const NO_NAMES: [&str; 26] = [
    "时间", "来源", "编辑", "关注", "联系", "连线", "时评", "文章", "简介", "介绍", "全文", "全部", "成员",
    "高级", "管理", "方面", "于是", "向前", "和平", "明天", "安全", "金融", "文化", "房产", "原创", "时政",
];

/// A name of two to four Chinese characters that begins with a family name.
pub(super) fn is_chinese_name(word: &str) -> bool {
    let n_chars = word.chars().count();
    if !(2..=4).contains(&n_chars) || !word.chars().all(is_han) || NO_NAMES.contains(&word) {
        return false;
    }
    if DOUBLE_FAMILY_NAMES.iter().any(|name| word.starts_with(name)) {
        return n_chars >= 3;
    }
    n_chars <= 3 && word.chars().next().is_some_and(|first| FAMILY_NAMES.contains(first))
}

/// What may stand between two names of a list.
fn is_between(c: char) -> bool {
    is_blank(c) || matches!(c, '、' | '，' | ',')
}

fn is_blank(c: char) -> bool {
    is_space(c) && c != '\n'
}

/// The names at the beginning of `text`, written in Chinese characters and parted by blanks or `、`.
///
/// Words count as names up to four characters; what follows the last one is not looked at.
pub(super) fn chinese_names(text: &str) -> Option<Range<usize>> {
    let start = text.len() - text.trim_start_matches(|c| is_blank(c) || matches!(c, ':' | '：')).len();
    let mut end = None;
    let mut at = start;
    // A name of two characters is often set with a blank between them: `方　敏`.
    let mut after_single = false;
    loop {
        let rest = text.get(at..)?;
        let run = rest.find(|c| !is_han(c) && c != '·').unwrap_or(rest.len());
        let run = rest.get(..run)?;
        let word_end = AFTER_NAMES.iter().filter_map(|word| run.find(word)).min().unwrap_or(run.len());
        let word = run.get(..word_end)?;
        let n_chars = word.chars().count();
        let is_name = match n_chars {
            0 => break,
            1 if after_single => true,
            1 => FAMILY_NAMES.contains(word),
            _ => !after_single && (is_chinese_name(word) || (word.contains('·') && n_chars <= 14)),
        };
        if !is_name {
            break;
        }
        after_single = n_chars == 1 && !after_single;
        if !after_single {
            end = Some(at + word_end);
        }
        let behind = rest.get(word_end..)?;
        let gap = behind.len() - behind.trim_start_matches(is_between).len();
        // A wide gap parts a name from other things, but not the two halves of one.
        if gap == 0 || (gap > MAX_GAP && !after_single) {
            break;
        }
        at += word_end + gap;
    }
    end.map(|end| start..end)
}

/// What runs on behind a name without a blank.
const AFTER_NAMES: [&str; 16] = [
    "报道",
    "摄",
    "素材",
    "来源",
    "编辑",
    "责编",
    "责任",
    "通讯员",
    "校对",
    "实习生",
    "本报",
    "记者",
    "整理",
    "发自",
    "综合",
    "制图",
];

/// Two ideographic spaces.
const MAX_GAP: usize = 6;

/// The names at the beginning of `text` written in letters with capitals: `Ann B. Miller and Karl Östlund`.
pub(super) fn latin_names(text: &str) -> Option<Range<usize>> {
    let start = text.len() - text.trim_start_matches(|c| is_blank(c) || c == ':').len();
    let mut end = start;
    let mut n_words = 0;
    let mut at = start;
    while let Some(rest) = text.get(at..) {
        let word_end = rest
            .find(|c: char| is_space(c) || matches!(c, ',' | '|' | '(' | '/' | ';'))
            .unwrap_or(rest.len());
        let word = rest.get(..word_end)?;
        let joins = matches!(
            word,
            "and" | "&" | "und" | "et" | "y" | "e" | "de" | "da" | "do" | "dos" | "van" | "von" | "di" | "la"
        );
        if !joins {
            if !is_part_of_name(word) || n_words >= MAX_WORDS {
                break;
            }
            n_words += 1;
            end = at + word_end;
        }
        let behind = rest.get(word_end..)?;
        let gap = behind.len() - behind.trim_start_matches(is_blank).len();
        if gap == 0 || gap > 2 {
            break;
        }
        at += word_end + gap;
    }
    (1..=MAX_WORDS).contains(&n_words).then_some(start..end)
}

/// Two people with three names each.
const MAX_WORDS: usize = 6;

fn is_part_of_name(word: &str) -> bool {
    let is_letter =
        |c: char| is_latin(c) || matches!(c, '.' | '-' | '\'' | '’') || matches!(c, '\u{400}'..='\u{4FF}');
    word.chars().next().is_some_and(char::is_uppercase) && word.chars().all(is_letter) && word.len() <= 40
}
