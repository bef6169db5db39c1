//! Names of elements and attributes, as small numbers.

/// The most letters of a name that is told apart; longer ones are [`Tag::Other`].
const MOST_LETTERS: usize = 16;

/// A name packed into a number, lower case, so that a lookup is a few comparisons of numbers.
const fn key(name: &[u8]) -> u128 {
    let mut packed = 0;
    let mut at = 0;
    while at < name.len() {
        packed = packed << 8 | name[at].to_ascii_lowercase() as u128;
        at += 1;
    }
    packed
}

/// The key of a name as it stands in a page; 0 for one that is too long to be known.
pub(crate) fn key_of(name: &[u8]) -> u128 {
    if name.len() > MOST_LETTERS {
        return 0;
    }
    // Numbers of 128 bits are shifted in three steps, and few names are that long.
    match name.split_at_checked(name.len().saturating_sub(size_of::<u64>())) {
        Some((start, end)) if !start.is_empty() => u128::from(packed(start)) << 64 | u128::from(packed(end)),
        _ => packed(name).into(),
    }
}

/// The key of eight letters at most.
fn packed(name: &[u8]) -> u64 {
    match (name.first_chunk(), name.last_chunk()) {
        // The first four and the last four; where both have a letter it comes to the same place.
        (Some(first), Some(last)) => {
            let [first, last] = [*first, *last].map(|part| u64::from(u32::from_be_bytes(part)));
            small_letters(first << (8 * (name.len() - size_of::<u32>())) | last)
        }
        _ => name.iter().fold(0, |it, byte| it << 8 | u64::from(byte.to_ascii_lowercase())),
    }
}

/// Capitals of ASCII among eight bytes made small.
fn small_letters(bytes: u64) -> u64 {
    const fn all(byte: u8) -> u64 {
        u64::from_le_bytes([byte; size_of::<u64>()])
    }
    let low = bytes & all(0x7F);
    // The highest bit of each byte that is `A` or more, and of each that is more than `Z`.
    let (from_a, above_z) = (low + all(0x80 - b'A'), low + all(0x80 - b'Z' - 1));
    let is_capital = from_a & !above_z & !bytes & all(0x80);
    bytes | is_capital >> 2
}

/// Places of a table of names: four times as many as there are elements, so that most looks are at one.
const PLACES: usize = 512;

/// Where the search for a key begins.
const fn place_of(key: u128) -> usize {
    let mixed = (key as u64 ^ (key >> 64) as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> 55) as usize % PLACES
}

/// For each place the number of the key that stands there, or the number of keys where none does.
const fn table_of(keys: &[u128]) -> [u8; PLACES] {
    let mut table = [keys.len() as u8; PLACES];
    let mut at = 0;
    while at < keys.len() {
        let mut place = place_of(keys[at]);
        while table[place] as usize != keys.len() {
            place = (place + 1) % PLACES;
        }
        table[place] = at as u8;
        at += 1;
    }
    table
}

macro_rules! names {
    ($(#[$docs:meta])* $type:ident, $other:ident: $($variant:ident $name:literal)*) => {
        $(#[$docs])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        #[expect(missing_docs, reason = "the variants are named like what they stand for")]
        pub enum $type { $($variant,)* $other }

        impl $type {
            /// All of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)* Self::$other];

            /// What a packed name stands for.
            pub(crate) fn from_key(key: u128) -> Self {
                const KEYS: &[u128] = &[$(self::key($name.as_bytes())),*];
                static TABLE: [u8; PLACES] = table_of(KEYS);
                let mut place = place_of(key);
                loop {
                    let at = usize::from(TABLE[place]);
                    if KEYS.get(at).is_none_or(|known| *known == key) {
                        return Self::ALL[at];
                    }
                    place = (place + 1) % PLACES;
                }
            }

            /// The name in lower case, empty for one that is not told apart.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* Self::$other => "" }
            }
        }
    };
}

names! {
    /// The elements that make a difference to the tree or to its text.
    Tag, Other:
    Root "#root" Text "#text"
    A "a" Abbr "abbr" Address "address" Annotation "annotation" Applet "applet" Area "area" Article "article" Aside "aside" Audio "audio"
    B "b" Base "base" Basefont "basefont" Bgsound "bgsound" Big "big" Blockquote "blockquote" Body "body" Br "br"
    Button "button" Canvas "canvas" Caption "caption" Center "center" Cite "cite" Code "code" Col "col"
    Colgroup "colgroup" Dd "dd" Del "del" Details "details" Dialog "dialog" Dir "dir" Div "div" Dl "dl" Dt "dt"
    Em "em" Embed "embed" Fieldset "fieldset" Figcaption "figcaption" Figure "figure" Font "font" Footer "footer"
    Form "form" Frame "frame" Frameset "frameset" H1 "h1" H2 "h2" H3 "h3" H4 "h4" H5 "h5" H6 "h6" Head "head"
    Header "header" Hgroup "hgroup" Hr "hr" Html "html" I "i" Iframe "iframe" Img "img" Input "input" Ins "ins"
    Kbd "kbd" Keygen "keygen" Label "label" Legend "legend" Li "li" Link "link" Listing "listing" Main "main"
    Map "map" Mark "mark" Marquee "marquee" Math "math" Menu "menu" Meta "meta" Nav "nav" Nobr "nobr"
    Noembed "noembed" Noframes "noframes" Noscript "noscript" Object "object" Ol "ol" Optgroup "optgroup"
    Option "option" Output "output" P "p" Param "param" Picture "picture" Plaintext "plaintext" Pre "pre" Q "q"
    Rp "rp" Rt "rt" Ruby "ruby" S "s" Samp "samp" Script "script" Search "search" Section "section"
    Select "select" Slot "slot" Small "small" Source "source" Span "span" Strike "strike" Strong "strong"
    Style "style" Sub "sub" Summary "summary" Sup "sup" Svg "svg" Table "table" Tbody "tbody" Td "td"
    Template "template" Textarea "textarea" Tfoot "tfoot" Th "th" Thead "thead" Time "time" Title "title" Tr "tr"
    Track "track" Tt "tt" U "u" Ul "ul" Var "var" Video "video" Wbr "wbr" Xmp "xmp"
}

names! {
    /// The attributes that are kept.
    Name, Other:
    AriaHidden "aria-hidden" Class "class" Colspan "colspan" Content "content" DataSrc "data-src"
    DateTime "datetime" Encoding "encoding" Hidden "hidden" Href "href" Id "id" ItemProp "itemprop" ItemType "itemtype"
    Lang "lang" Name "name" Property "property" Rel "rel" Role "role" Src "src" Style "style" Title "title" Type "type"
    Alt "alt" AltText "alttext"
}

/// An element without content: no end tag is waited for.
const VOID: u8 = 1;
/// What follows is text up to the end tag, whatever it holds.
const RAW: u8 = 2;
/// Begins and ends a block of text.
const BLOCK: u8 = 4;
/// The HTML standard's class of elements that misplaced end tags of others do not close.
const SPECIAL: u8 = 8;
/// Closes an open paragraph.
const CLOSES_P: u8 = 16;
/// End tags of elements outside do not reach in.
const SCOPE: u8 = 32;
/// An inline element that changes the look of text.
const FORMATTING: u8 = 64;

impl Tag {
    const fn properties(self) -> u8 {
        match self {
            Self::Area
            | Self::Base
            | Self::Basefont
            | Self::Bgsound
            | Self::Col
            | Self::Embed
            | Self::Frame
            | Self::Img
            | Self::Input
            | Self::Keygen
            | Self::Link
            | Self::Meta
            | Self::Param
            | Self::Source
            | Self::Track
            | Self::Wbr => VOID,
            Self::Br => VOID | BLOCK,
            Self::Hr => VOID | BLOCK | CLOSES_P,
            Self::Script | Self::Style | Self::Iframe | Self::Noembed | Self::Noframes => RAW,
            Self::Title | Self::Textarea => RAW | BLOCK,
            Self::Xmp => RAW | BLOCK | CLOSES_P,
            Self::Address
            | Self::Article
            | Self::Aside
            | Self::Blockquote
            | Self::Center
            | Self::Details
            | Self::Dialog
            | Self::Dir
            | Self::Div
            | Self::Dl
            | Self::Fieldset
            | Self::Figcaption
            | Self::Figure
            | Self::Footer
            | Self::Form
            | Self::H1
            | Self::H2
            | Self::H3
            | Self::H4
            | Self::H5
            | Self::H6
            | Self::Header
            | Self::Hgroup
            | Self::Listing
            | Self::Main
            | Self::Menu
            | Self::Nav
            | Self::Ol
            | Self::P
            | Self::Plaintext
            | Self::Pre
            | Self::Search
            | Self::Section
            | Self::Summary
            | Self::Ul
            | Self::Li
            | Self::Dd
            | Self::Dt => BLOCK | SPECIAL | CLOSES_P,
            Self::Table => BLOCK | SPECIAL | CLOSES_P | SCOPE,
            Self::Td
            | Self::Th
            | Self::Caption
            | Self::Applet
            | Self::Object
            | Self::Marquee
            | Self::Template => BLOCK | SPECIAL | SCOPE,
            Self::Tr
            | Self::Tbody
            | Self::Thead
            | Self::Tfoot
            | Self::Colgroup
            | Self::Body
            | Self::Head
            | Self::Html
            | Self::Root
            | Self::Noscript
            | Self::Select
            | Self::Frameset => BLOCK | SPECIAL,
            Self::Button => SPECIAL | BLOCK,
            Self::Legend | Self::Option | Self::Optgroup | Self::Video | Self::Audio | Self::Canvas => BLOCK,
            Self::A
            | Self::B
            | Self::Big
            | Self::Code
            | Self::Em
            | Self::Font
            | Self::I
            | Self::Nobr
            | Self::S
            | Self::Small
            | Self::Strike
            | Self::Strong
            | Self::Tt
            | Self::U => FORMATTING,
            _ => 0,
        }
    }

    const fn has(self, property: u8) -> bool {
        PROPERTIES[self as usize] & property != 0
    }

    /// Whether the element has no content.
    pub const fn is_void(self) -> bool {
        self.has(VOID)
    }

    /// Whether the content of the element is text alone, whatever tags it seems to hold.
    pub const fn is_raw(self) -> bool {
        self.has(RAW)
    }

    /// Whether the element begins and ends a block of text.
    pub const fn is_block(self) -> bool {
        self.has(BLOCK)
    }

    pub(crate) const fn is_special(self) -> bool {
        self.has(SPECIAL)
    }

    pub(crate) const fn closes_p(self) -> bool {
        self.has(CLOSES_P)
    }

    pub(crate) const fn is_scope(self) -> bool {
        self.has(SCOPE)
    }

    /// Whether the element only changes the look of its text, or links it.
    pub const fn is_formatting(self) -> bool {
        self.has(FORMATTING)
    }

    /// The level of a heading, 1 to 6.
    pub const fn heading_level(self) -> Option<u8> {
        match self {
            Self::H1 => Some(1),
            Self::H2 => Some(2),
            Self::H3 => Some(3),
            Self::H4 => Some(4),
            Self::H5 => Some(5),
            Self::H6 => Some(6),
            _ => None,
        }
    }
}

/// The properties of all tags; a function would compare its way to the tag each time.
static PROPERTIES: [u8; 256] = {
    let mut table = [0; 256];
    let mut at = 0;
    while at < Tag::ALL.len() {
        table[Tag::ALL[at] as usize] = Tag::ALL[at].properties();
        at += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::{MOST_LETTERS, key, key_of};

    #[test]
    fn names_are_packed_at_once_as_they_are_letter_by_letter() {
        let bytes = b"aZ@[`{\x00\x7F\x80\xC1\xDA\xFFAdiV-xMz9";
        for start in 0..bytes.len() {
            for end in start..=bytes.len().min(start + MOST_LETTERS) {
                let name = &bytes[start..end];
                assert_eq!(key_of(name), key(name), "{name:?}");
            }
        }
    }
}
