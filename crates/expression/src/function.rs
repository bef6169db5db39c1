//! The functions of the language.

use crate::types::Type;

/// A function, of which the first argument may stand in front: `size(title)` is `title.size()`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Function {
    /// `has(title)`: whether a field is there and not null.
    Has,
    /// `size(text)`: characters (Unicode scalar values) of a string, entries of a list or an object, bytes of `raw`.
    Size,
    /// `title.startsWith("a")`.
    StartsWith,
    /// `title.endsWith("a")`.
    EndsWith,
    /// `title.contains("a")`.
    Contains,
    /// `title.matches(r"\d+")`: whether a regular expression occurs; its source must be a string as it stands.
    Matches,
    /// `title.lowerAscii()`: with `A` to `Z` as `a` to `z`.
    LowerAscii,
    /// `title.upperAscii()`.
    UpperAscii,
    /// `title.trim()`: without white space around it.
    Trim,
    /// `double(score)`: a number, also from a string; null if it is none.
    Double,
    /// `int(score)`: the same without its fraction.
    Int,
    /// `string(score)`: as it would be written.
    String,
}

/// All of them.
pub(crate) const ALL: [Function; 12] = [
    Function::Has,
    Function::Size,
    Function::StartsWith,
    Function::EndsWith,
    Function::Contains,
    Function::Matches,
    Function::LowerAscii,
    Function::UpperAscii,
    Function::Trim,
    Function::Double,
    Function::Int,
    Function::String,
];

/// What people write who come from other languages, and what there is.
pub(crate) const OTHERWISE: [(&str, &str); 14] = [
    ("len", "size"),
    ("length", "size"),
    ("count", "size"),
    ("lower", "lowerAscii"),
    ("tolower", "lowerAscii"),
    ("tolowercase", "lowerAscii"),
    ("upper", "upperAscii"),
    ("toupper", "upperAscii"),
    ("strip", "trim"),
    ("regex", "matches"),
    ("match", "matches"),
    ("exists", "has"),
    ("float", "double"),
    ("number", "double"),
];

impl Function {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Has => "has",
            Self::Size => "size",
            Self::StartsWith => "startsWith",
            Self::EndsWith => "endsWith",
            Self::Contains => "contains",
            Self::Matches => "matches",
            Self::LowerAscii => "lowerAscii",
            Self::UpperAscii => "upperAscii",
            Self::Trim => "trim",
            Self::Double => "double",
            Self::Int => "int",
            Self::String => "string",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        ALL.into_iter().find(|function| function.name() == name)
    }

    /// How it is written, for messages.
    pub(crate) fn usage(self) -> &'static str {
        match self {
            Self::Has => "has(field)",
            Self::Size => "size(text)",
            Self::StartsWith => "field.startsWith(\"…\")",
            Self::EndsWith => "field.endsWith(\"…\")",
            Self::Contains => "field.contains(\"…\")",
            Self::Matches => "field.matches(r\"…\")",
            Self::LowerAscii => "field.lowerAscii()",
            Self::UpperAscii => "field.upperAscii()",
            Self::Trim => "field.trim()",
            Self::Double => "double(field)",
            Self::Int => "int(field)",
            Self::String => "string(field)",
        }
    }

    /// What its arguments must be; each may also be of any type before it is known.
    pub(crate) fn takes(self) -> &'static [&'static [Type]] {
        const TEXT: &[Type] = &[Type::String];
        const ANY: &[Type] = &[];
        const SCALAR: &[Type] = &[Type::String, Type::Number, Type::Bool];
        match self {
            Self::Has => &[ANY],
            Self::Size => &[&[Type::String, Type::List, Type::Map, Type::Bytes]],
            Self::StartsWith | Self::EndsWith | Self::Contains | Self::Matches => &[TEXT, TEXT],
            Self::LowerAscii | Self::UpperAscii | Self::Trim => &[TEXT],
            Self::Double | Self::Int | Self::String => &[SCALAR],
        }
    }

    pub(crate) fn gives(self) -> Type {
        match self {
            Self::Has | Self::StartsWith | Self::EndsWith | Self::Contains | Self::Matches => Type::Bool,
            Self::Size | Self::Double | Self::Int => Type::Number,
            Self::LowerAscii | Self::UpperAscii | Self::Trim | Self::String => Type::String,
        }
    }
}
