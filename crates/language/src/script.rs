//! Scripts, by blocks of Unicode.

/// A script that tells a language, or narrows it down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Script {
    Latin,
    Greek,
    Cyrillic,
    Armenian,
    Hebrew,
    Arabic,
    Thaana,
    Devanagari,
    Bengali,
    Gurmukhi,
    Gujarati,
    Oriya,
    Tamil,
    Telugu,
    Kannada,
    Malayalam,
    Sinhala,
    Thai,
    Lao,
    Tibetan,
    Myanmar,
    Georgian,
    Hangul,
    Ethiopic,
    Khmer,
    Mongolian,
    Kana,
    Han,
}

/// How many there are.
pub(crate) const N_SCRIPTS: usize = Script::Han as usize + 1;

/// All of them, in the order of their numbers.
pub(crate) const ALL: [Script; N_SCRIPTS] = [
    Script::Latin,
    Script::Greek,
    Script::Cyrillic,
    Script::Armenian,
    Script::Hebrew,
    Script::Arabic,
    Script::Thaana,
    Script::Devanagari,
    Script::Bengali,
    Script::Gurmukhi,
    Script::Gujarati,
    Script::Oriya,
    Script::Tamil,
    Script::Telugu,
    Script::Kannada,
    Script::Malayalam,
    Script::Sinhala,
    Script::Thai,
    Script::Lao,
    Script::Tibetan,
    Script::Myanmar,
    Script::Georgian,
    Script::Hangul,
    Script::Ethiopic,
    Script::Khmer,
    Script::Mongolian,
    Script::Kana,
    Script::Han,
];

impl Script {
    /// The script of a letter, or of a mark that is written with one; `None` for everything else.
    pub(crate) fn of(c: char) -> Option<Self> {
        let code = u32::from(c);
        // Half of all text, and the digits and signs in all other.
        if code < 0x80 {
            return c.is_ascii_alphabetic().then_some(Self::Latin);
        }
        Some(match code {
            0xAA | 0xBA | 0xC0..=0xD6 | 0xD8..=0xF6 | 0xF8..=0x2AF | 0x1E00..=0x1EFF | 0xFF21..=0xFF5A => {
                Self::Latin
            }
            0x370..=0x3FF | 0x1F00..=0x1FFF => Self::Greek,
            0x400..=0x52F => Self::Cyrillic,
            0x531..=0x587 => Self::Armenian,
            0x591..=0x5F4 => Self::Hebrew,
            0x620..=0x65F
            | 0x66E..=0x6D3
            | 0x6D5..=0x6DC
            | 0x750..=0x77F
            | 0xFB50..=0xFDFF
            | 0xFE70..=0xFEFC => Self::Arabic,
            0x780..=0x7BF => Self::Thaana,
            0x900..=0x963 | 0x970..=0x97F => Self::Devanagari,
            0x980..=0x9E3 | 0x9F0 | 0x9F1 => Self::Bengali,
            0xA01..=0xA5E | 0xA70..=0xA75 => Self::Gurmukhi,
            0xA81..=0xAE3 => Self::Gujarati,
            0xB01..=0xB63 | 0xB71 => Self::Oriya,
            0xB82..=0xBD7 => Self::Tamil,
            0xC00..=0xC63 => Self::Telugu,
            0xC80..=0xCE3 => Self::Kannada,
            0xD00..=0xD63 | 0xD7A..=0xD7F => Self::Malayalam,
            0xD81..=0xDDF => Self::Sinhala,
            0xE01..=0xE3A | 0xE40..=0xE4E => Self::Thai,
            0xE81..=0xECD | 0xEDC..=0xEDF => Self::Lao,
            0xF00 | 0xF40..=0xFBC => Self::Tibetan,
            0x1000..=0x103F | 0x1050..=0x109F => Self::Myanmar,
            0x10A0..=0x10FF | 0x1C90..=0x1CBF => Self::Georgian,
            0x1100..=0x11FF | 0x3131..=0x318E | 0xAC00..=0xD7A3 => Self::Hangul,
            0x1200..=0x135A => Self::Ethiopic,
            0x1780..=0x17D3 => Self::Khmer,
            0x1820..=0x18AA => Self::Mongolian,
            0x3041..=0x3096
            | 0x309D..=0x309F
            | 0x30A1..=0x30FA
            | 0x30FC..=0x30FF
            | 0x31F0..=0x31FF
            | 0xFF66..=0xFF9D => Self::Kana,
            0x3005 | 0x3007 | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x2_0000..=0x3_FFFD => {
                Self::Han
            }
            _ => return None,
        })
    }

    /// The script of a model, by the name of its files.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "latin" => Self::Latin,
            "cyrillic" => Self::Cyrillic,
            "arabic" => Self::Arabic,
            "devanagari" => Self::Devanagari,
            _ => return None,
        })
    }

    /// The language that is alone in writing with it, or all but alone; `None` if there are several.
    pub(crate) fn language(self) -> Option<&'static str> {
        Some(match self {
            Self::Latin | Self::Cyrillic | Self::Arabic | Self::Devanagari | Self::Han => return None,
            Self::Greek => "el",
            Self::Armenian => "hy",
            Self::Hebrew => "he",
            Self::Thaana => "dv",
            Self::Bengali => "bn",
            Self::Gurmukhi => "pa",
            Self::Gujarati => "gu",
            Self::Oriya => "or",
            Self::Tamil => "ta",
            Self::Telugu => "te",
            Self::Kannada => "kn",
            Self::Malayalam => "ml",
            Self::Sinhala => "si",
            Self::Thai => "th",
            Self::Lao => "lo",
            Self::Tibetan => "bo",
            Self::Myanmar => "my",
            Self::Georgian => "ka",
            Self::Hangul => "ko",
            Self::Ethiopic => "am",
            Self::Khmer => "km",
            Self::Mongolian => "mn",
            Self::Kana => "ja",
        })
    }

    /// How many letters of an alphabet a character says as much as. A Chinese character is about a word of two
    /// syllables, a kana or a Hangul syllable about two letters; without this a Chinese page that names five products
    /// in Latin letters would be taken for English.
    pub(crate) fn weight(self) -> u32 {
        match self {
            Self::Han => 3,
            Self::Kana | Self::Hangul | Self::Ethiopic => 2,
            _ => 1,
        }
    }
}
