//! What a page is called, without the name of the site.

use tamis_text::likeness::say_the_same;

use super::options::Field;
use super::statement::{Statement, Statements, believed, letters};

/// Between the title of a page and the name of its site. Those with blanks also stand within titles.
const MARKS: &[&str] =
    &["_", "|", "｜", "--", " » ", " « ", " - ", " – ", " — ", " · ", " • ", " › ", " ‹ ", " :: ", " : "];
/// Marks that stand nowhere but between the parts of a title.
const SURE: &[&str] = &["_", "|", "｜", "--"];
/// Marks that end a title before the name of the site if the heading ends there, too.
const CONFIRMED: &[&str] = &["-", "–", "—", "：", ":", "·", "•", "›", "‹", ">", "»", "«", "<", "/", ","];
/// Longer titles are left alone, bytes.
const MOST_TITLE_BYTES: usize = 1000;
/// A longer part is no name of a site, words.
const MOST_SITE_WORDS: usize = 4;
/// How names of Chinese sites and channels end; before them a mark needs no blanks.
const SITE_ENDS: &[&str] =
    &["网", "網", "网站", "频道", "新闻", "财经", "资讯", "博客", "论坛", "在线", "日报", "晚报", "早报"];

/// What systems and crawlers' walls put where a title belongs, in letters: a page that shows a heading is called by that.
const NO_TITLES: &[&str] = &[
    "untitled",
    "untitleddocument",
    "untitledpage",
    "newpage",
    "newpage1",
    "index",
    "home",
    "homepage",
    "startseite",
    "accueil",
    "inicio",
    "главная",
    "login",
    "signin",
    "signintocontinue",
    "signup",
    "loginrequired",
    "pleaselogin",
    "pleaselogintocontinue",
    "microsoftword",
    "microsoftpowerpoint",
    "powerpointpresentation",
    "anmelden",
    "connexion",
    "вход",
    "404",
    "404notfound",
    "error",
    "error404",
    "notfound",
    "pagenotfound",
    "accessdenied",
    "justamoment",
    "attentionrequired",
    "pleasewait",
    "loading",
    "redirecting",
    "首页",
    "首頁",
    "登录",
    "登入",
    "登錄",
    "请登录",
    "請登入",
    "用户登录",
    "会员登录",
    "用户登陆",
    "安全验证",
    "提示信息",
    "系统提示",
    "页面不存在",
    "无标题文档",
    "无标题",
    "無標題",
    "無題",
    "新建网页1",
    "ログイン",
    "ホーム",
    "로그인",
    "홈",
];
/// How much less is believed what is no title.
const NONE: f64 = 0.3;

/// The title to believe; `sites` are names of the site, as the page or its address say, and `homes` the texts of links to
/// the first page of the site.
pub(super) fn choose(statements: &Statements, sites: &[String], homes: &[String]) -> Option<Statement> {
    let titles = || statements.about(Field::Title);
    let headings: Vec<String> =
        titles().filter(|said| matches!(said.rule, "h1" | "h2")).map(|said| letters(&said.value)).collect();
    let is_home = |said: &Statement| is_site(&said.value, homes);
    // The page that the name of the site links to may be this one, which has no other title.
    let has_other = titles().any(|said| !is_home(said) && !is_no_title(&said.value));
    let is_word = |home: &&String| NO_TITLES.contains(&home.as_str());
    let known: Vec<String> =
        sites.iter().chain(homes.iter().filter(|home| !is_word(home))).cloned().collect();
    let statements = titles().map(|said| {
        let value = bare(&said.value, &known, &headings).to_owned();
        let is_none = is_site(&said.value, sites) || has_other && is_home(said) || is_no_title(&value);
        let confidence = if is_none { said.confidence * NONE } else { said.confidence };
        Statement { value, confidence, ..said.clone() }
    });
    believed(&statements.collect::<Vec<_>>(), say_the_same)
}

fn is_site(text: &str, sites: &[String]) -> bool {
    let text = letters(text);
    sites.contains(&text)
}

/// Whether a title is a word of a system, or the address of the page.
pub(super) fn is_no_title(title: &str) -> bool {
    let is_address = || {
        let has_scheme = ["http://", "https://", "file://"].iter().any(|start| title.starts_with(start));
        let is_path = || title.split_once('/').is_some_and(|(host, path)| !path.is_empty() && is_host(host));
        has_scheme
            || title.strip_prefix("www.").is_some_and(|host| host.contains('.'))
            || is_path()
            || is_file(title)
    };
    // `404 | Courier`, `Login - Courier`.
    let first = MARKS.iter().filter_map(|mark| title.find(mark)).min().and_then(|end| title.get(..end));
    let is_word = |text: &str| NO_TITLES.contains(&letters(text).as_str());
    is_word(title) || first.is_some_and(is_word) || !title.contains(char::is_whitespace) && is_address()
}

/// Whether a text is the name of a computer: parts with points between them, the last of letters.
fn is_host(text: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    let last = text.rsplit('.').next().unwrap_or_default();
    text.contains('.')
        && text.split('.').all(is_part)
        && last.len() > 1
        && !last.contains(|c: char| c.is_ascii_digit())
}

/// Whether a text is the name of a file with a page or document in it.
fn is_file(text: &str) -> bool {
    const ENDS: [&str; 14] = [
        "html", "htm", "shtml", "xhtml", "php", "asp", "aspx", "jsp", "pdf", "doc", "docx", "rtf", "ppt",
        "pptx",
    ];
    text.rsplit_once('.').is_some_and(|(name, end)| {
        !name.is_empty() && ENDS.iter().any(|known| end.eq_ignore_ascii_case(known))
    })
}

/// The title without any name of the site.
fn bare<'a>(title: &'a str, sites: &[String], headings: &[String]) -> &'a str {
    let mut title = title;
    if title.len() > MOST_TITLE_BYTES {
        return title;
    }
    loop {
        let shorter = without_site(title, sites, headings);
        if shorter.len() == title.len() || shorter.is_empty() {
            return title;
        }
        title = shorter;
    }
}

/// The title up to where the last name of the site begins.
fn without_site<'a>(title: &'a str, sites: &[String], headings: &[String]) -> &'a str {
    let cuts: Vec<(usize, &str)> = MARKS.iter().flat_map(|mark| title.match_indices(mark)).collect();
    let cuts = || cuts.iter().copied();
    let before = |at: usize| title.get(..at).unwrap_or_default();
    // What the page shows as its heading is whole, however many dashes it has.
    if headings.contains(&letters(title)) {
        let is_named =
            |(at, mark): &(usize, &str)| is_site(title.get(at + mark.len()..).unwrap_or_default(), sites);
        let site = cuts().filter(is_named).map(|(at, _)| at).max().filter(|at| size(before(*at)) >= 2);
        return site.map_or(title, |at| before(at).trim());
    }
    // It also tells best where the title ends; then a mark needs no blanks.
    let tight = CONFIRMED.iter().flat_map(|mark| title.match_indices(mark));
    let shown =
        cuts().chain(tight).map(|(at, _)| before(at)).find(|start| headings.contains(&letters(start)));
    if let Some(shown) = shown {
        return shown.trim();
    }
    // `(3) Ferry back`: so many messages wait for whoever saved the page. `【图】渡口通车`: there are pictures, too.
    let counted =
        || title.strip_prefix('(')?.split_once(')').filter(|(n, _)| n.bytes().all(|b| b.is_ascii_digit()));
    let marked = || title.strip_prefix('【')?.split_once('】');
    let behind_mark = counted().or_else(marked).map(|(_, behind)| behind);
    if let Some(shown) = behind_mark.filter(|behind| headings.contains(&letters(behind))) {
        return shown.trim();
    }
    let last = cuts().map(|(at, mark)| title.get(at + mark.len()..).unwrap_or_default());
    if let Some(shown) = last.into_iter().find(|end| headings.contains(&letters(end))) {
        return shown.trim();
    }
    let behind = |at: usize, mark: &str| title.get(at + mark.len()..).unwrap_or_default();
    if let Some((at, mark)) = cuts().filter(|(at, _)| is_site(before(*at), sites)).max() {
        return behind(at, mark).trim();
    }
    if let Some((start, site)) = title.rsplit_once('-')
        && SITE_ENDS.iter().any(|end| site.ends_with(end))
        && size(site) <= MOST_SITE_WORDS
        && size(start) > size(site)
    {
        return start.trim_end_matches(['-', ' ']);
    }
    let last = cuts().max();
    let Some((mut at, mark)) = last.filter(|(at, _)| !before(*at).trim().is_empty()) else { return title };
    let site = behind(at, mark);
    let named = is_site(site, sites);
    let (title_size, site_size) = (size(before(at)), size(site));
    let ends_as_site = SITE_ENDS.iter().any(|end| site.ends_with(end));
    let most = if ends_as_site { 2 * MOST_SITE_WORDS } else { MOST_SITE_WORDS };
    let short = site_size <= most && title_size >= site_size.max(2);
    if !(named || short) {
        return title;
    }
    // `标题_频道_网站`: all parts behind the first are names.
    if SURE.contains(&mark) {
        let first = title.match_indices(mark).map(|(first, _)| first).find(|first| size(before(*first)) >= 2);
        at = first.unwrap_or(at);
    }
    before(at).trim()
}

/// About how many words a text has: two Chinese characters make one.
fn size(text: &str) -> usize {
    let n_cjk = text.chars().filter(|c| tamis_text::chars::is_cjk(*c)).count();
    text.split_whitespace().filter(|word| word.is_ascii()).count() + n_cjk.div_ceil(2)
}
