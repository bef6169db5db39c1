//! A few bytes beyond ASCII: too few to guess what they are, unless they are Chinese.

use super::{Encoding, detect};

/// So many of the commonest characters there must be, and two in five of all must be such.
const LEAST_COMMON: usize = 2;
/// So many characters are Chinese, even if no byte of theirs is below 0xC0.
const SURE_HAN: usize = 8;

/// The encoding of text in which few bytes are beyond ASCII, if they are Chinese as GB 18030 and its forerunners write
/// it; `None` for everything else.
///
/// A detector of encodings has little to go by in a short table, and one wrong byte of UTF-8 is no other encoding. But
/// pairs of bytes that all are characters of the first level of GB 2312, with the commonest of them among them, are no
/// accident: of short words of Russian, Ukrainian, Thai and Korean in their old encodings one in 500 looks so, and none
/// of languages with Latin letters.
pub fn short_chinese(bytes: &[u8]) -> Option<Encoding> {
    let (mut n_han, mut n_first_level) = (0, 0);
    let mut rest = bytes;
    while let Some((lead, after)) = rest.split_first() {
        rest = after;
        if lead.is_ascii() {
            continue;
        }
        let (trail, behind) = after.split_first()?;
        rest = behind;
        match (lead, trail) {
            // Punctuation and full-width letters.
            (0xA1 | 0xA3, 0xA1..) => {}
            (0xB0..=0xF7, 0xA1..) => {
                n_han += 1;
                n_first_level += usize::from(*lead <= 0xD7);
            }
            _ => return None,
        }
    }
    // Letters of Cyrillic encodings are bytes from 0xC0 on, and small words of them look like Chinese ones.
    if n_han < SURE_HAN && bytes.iter().all(|byte| byte.is_ascii() || *byte >= 0xC0) {
        return None;
    }
    let encoding = Encoding::web(encoding_rs::GBK);
    let n_common =
        encoding.decode(bytes).0.chars().filter(|character| COMMONEST.contains(*character)).count();
    let is_chinese = n_first_level * 8 >= n_han * 7 && n_common >= LEAST_COMMON && n_common * 5 >= n_han * 2;
    // Korean is in pairs of the same bytes.
    let guessed = is_chinese.then(|| detect(bytes, None))?;
    (guessed.is_single_byte() || guessed == encoding || guessed.name() == "gb18030").then_some(encoding)
}

/// The commonest characters of texts, then those of everyday words and of surnames.
const COMMONEST: &str = "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学\
    法所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些然前外\
    天政四日那社义事平形相全表间样与关各重新线内数正心反你明看原又么利比或但质气第向道命此变条只没结解问意建月公无系军很\
    情者最立代想已通并提直题党程展五果料象员革位入常文总次品式活设及管特件长求老头基资边流路级少图山统接知较将组见计别她\
    手角期根论运农指几九区强放决西被干做必战先回则任取据处队南给色光门即保治北造百规热领七海口东导器压志世金增争济阶油思\
    术极交受联什认六共权收证改清己美再采转更单风切打白教速花带安场身车例真务具万每目至达走积示议声报斗完类八离华名确才科\
    张信马节话米整空元况今集温传土许步群广石记需段研界拉林律叫且究观越织装影算低持音众书布复容儿须际商非验连断深难近矿千\
    周委素技备半办青省列习响约支般史感劳便团往酸历市克何除消构府称太准精值号率族维划选标写存候毛亲快效斯院查江型眼王按格\
    养易置派层片始却专状育厂京识适属圆包火住调满县局照参红细引听该铁价严吗哪谁喝吃您呢吧啊爱笑妈爸爷奶哥姐弟妹孩钱买卖城\
    镇村街店楼房屋春夏秋冬早晚夜午星昨饭茶菜鱼肉牛羊鸡鸟狗猫草树木河湖桥站票船飞错黑黄蓝绿远左右男女朋友客师医病药字词句\
    读语英汉歌舞球跑跳游泳园馆刘李陈杨赵吴徐孙朱胡郭罗宋郑谢韩唐冯董萧曹袁邓傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴钟汪田\
    姜范姚谭廖邹熊陆郝孔崔康邱秦顾侯邵孟龙雷汤尹黎武";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handful_of_chinese_characters_is_enough() {
        for (label, text, expected) in [
            ("gbk", "id,text\n1,你好吗\n2,中国人\n", true),
            ("gbk", "1,北京\n", true),
            ("gbk", "编号;正文\n", true),
            ("gbk", "张伟，李娜", true),
            // Two that nobody uses.
            ("gbk", "1,饕餮\n", false),
            ("windows-1252", "Müller\nCafé Größe ÄÖÜ", false),
            ("windows-1251", "привет МОСКВА", false),
            ("koi8-r", "привет мир", false),
            ("windows-1253", "καλημέρα", false),
            ("windows-1255", "שלום עולם", false),
            ("euc-kr", "한국 사람", false),
            ("euc-jp", "東京の人", false),
            ("shift_jis", "東京の人", false),
            ("big5", "我們是中國人", false),
        ] {
            let encoding = encoding_rs::Encoding::for_label(label.as_bytes()).expect("a label");
            assert_eq!(short_chinese(&encoding.encode(text).0).is_some(), expected, "{label} {text}");
        }
        assert_eq!(short_chinese(b"\xB1"), None);
        assert_eq!(short_chinese(b"\xB1\xB1 \xBE\xA9 \xE4 a"), None);
    }
}
