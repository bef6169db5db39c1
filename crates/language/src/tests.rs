use proptest::prelude::*;

use crate::{UNDETERMINED, identify, languages};

/// Sentences of our own about one mill, and what language they are in.
const SENTENCES: &[(&str, &str)] = &[
    ("en", "The mill stands by the river, and its wheel has not turned since the spring flood."),
    ("de", "Die Mühle steht am Fluss, und ihr Rad hat sich seit dem Hochwasser nicht mehr gedreht."),
    ("fr", "Le moulin est au bord de la rivière, et sa roue ne tourne plus depuis la crue."),
    ("es", "El molino está junto al río y su rueda no ha girado desde la última crecida."),
    ("pt", "O moinho fica à beira do rio e a sua roda não girou desde a última cheia."),
    ("it", "Il mulino si trova vicino al fiume e la sua ruota non gira più dalla piena."),
    ("nl", "De molen staat aan de rivier en het rad heeft sinds het hoogwater niet gedraaid."),
    ("sv", "Kvarnen står vid ån och hjulet har inte snurrat sedan vårfloden."),
    ("pl", "Młyn stoi nad rzeką, a jego koło nie obraca się od czasu powodzi."),
    ("cs", "Mlýn stojí u řeky a jeho kolo se od povodně netočí."),
    ("tr", "Değirmen nehrin kıyısında duruyor ve çarkı selden beri dönmüyor."),
    ("vi", "Cối xay nằm bên bờ sông và bánh xe của nó không quay kể từ trận lụt."),
    ("fi", "Mylly seisoo joen rannalla, eikä sen ratas ole pyörinyt kevättulvan jälkeen."),
    ("hu", "A malom a folyó partján áll, és a kereke az árvíz óta nem forog."),
    ("ru", "Мельница стоит у реки, и её колесо не вращается со времени половодья."),
    ("uk", "Млин стоїть біля річки, і його колесо не обертається від часу повені."),
    ("bg", "Мелницата стои край реката и колелото ѝ не се върти от наводнението."),
    ("ar", "تقع الطاحونة على ضفة النهر ولم تدر عجلتها منذ الفيضان."),
    ("fa", "آسیاب در کنار رودخانه است و چرخ آن از زمان سیل نچرخیده است."),
    ("hi", "चक्की नदी के किनारे है और बाढ़ के बाद से उसका पहिया नहीं घूमा है।"),
    ("el", "Ο μύλος βρίσκεται δίπλα στο ποτάμι και η ρόδα του δεν γυρίζει πια."),
    ("he", "הטחנה עומדת על גדת הנהר והגלגל שלה לא הסתובב מאז השיטפון."),
    ("th", "โรงสีตั้งอยู่ริมแม่น้ำ และกังหันไม่ได้หมุนอีกเลยหลังน้ำท่วม"),
    ("ko", "방앗간은 강가에 있고 홍수 이후로 물레방아가 돌지 않았다."),
    ("ja", "水車小屋は川のほとりにあり、春の洪水から水車は回っていない。"),
    ("zh-Hans", "磨坊在河边，自从春天的洪水以后，水轮就没有转过。"),
    ("zh-Hant", "磨坊在河邊，自從春天的洪水以後，水輪就沒有轉過。"),
];

#[test]
fn sentences_are_in_their_language() {
    for (tag, sentence) in SENTENCES {
        let found = identify(sentence);
        assert_eq!(found.tag, *tag, "{sentence}");
        assert!(found.confidence > 0.6, "{found:?}: {sentence}");
    }
}

#[test]
fn the_main_language_of_a_page_is_that_of_its_script() {
    let page = "新款 iPhone Pro Max 与 Galaxy Ultra 的对比：拍照、续航和屏幕都有进步，价格也涨了。";
    assert_eq!(identify(page).tag, "zh-Hans");
    assert_eq!(identify("日本経済新聞 電子版").tag, "ja");
    // Nothing in it tells which form.
    assert_eq!(identify("山水人家").tag, "zh");
}

#[test]
fn code_numbers_and_formulas_are_no_language() {
    for text in [
        "",
        "12 340 · 56,7 % — 2024/11/03",
        "for (int i = 0; i < n; i++) { sum += a[i] * b[i]; } return sum;",
        "fn main() {\n    let x: Vec<u8> = input.iter().map(|b| b ^ 0x20).collect();\n}\n",
        "x^2 + y^2 = z^2, \\frac{a}{b} = \\sqrt{c_1}",
        "🙂🙂🙂",
    ] {
        assert_eq!(identify(text).tag, UNDETERMINED, "{text}");
    }
}

#[test]
fn a_long_text_is_told_by_head_middle_and_end() {
    let body = "Die Mühle steht am Fluss, und ihr Rad dreht sich nicht mehr. ".repeat(400);
    let page = format!("Home Login Register Contact us about our new terms of service\n{body}");
    assert_eq!(identify(&page).tag, "de");
}

#[test]
fn every_tag_is_known_once() {
    let all = languages();
    assert!(all.len() >= 50 && all.is_sorted(), "{all:?}");
    for (tag, _) in SENTENCES {
        assert!(all.contains(tag), "{tag}");
    }
}

proptest! {
    #[test]
    fn any_text_has_a_tag_and_a_confidence(text in "(\\PC|\\s){0,80}", times in 1usize..60) {
        let found = identify(&text.repeat(times));
        prop_assert!(found.tag == UNDETERMINED || languages().contains(&found.tag));
        prop_assert!((0.0..=1.0).contains(&found.confidence));
        prop_assert_eq!(found.tag == UNDETERMINED, found.confidence == 0.0);
    }
}
