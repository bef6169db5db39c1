//! The tree of an expression.

use std::ops::Range;

use regex::Regex;

use crate::function::Function;

/// A name in an expression.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    /// `id`.
    Id,
    /// `text`.
    Text,
    /// `raw`.
    Raw,
    /// `origin.file`.
    File,
    /// `origin.offset`.
    Offset,
    /// `origin.length`.
    Length,
    /// `metadata.title`.
    Field(String),
    /// `measures.chars`.
    Measure(String),
    /// `title`: a measure if the document has one of this name, else a field.
    Either(String),
}

/// A part of an expression and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) span: Range<usize>,
    /// The longest way down from here.
    pub(crate) depth: usize,
}

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Name(Name),
    /// `a.b`, of a nested field.
    Member(Box<Node>, String),
    /// `a[b]`.
    Index(Box<Node>, Box<Node>),
    Not(Box<Node>),
    Negate(Box<Node>),
    /// `a && b && c`.
    All(Vec<Node>),
    /// `a || b || c`.
    Any(Vec<Node>),
    Compare(Comparison, Box<Node>, Box<Node>),
    In(Box<Node>, Box<Node>),
    Compute(Operator, Box<Node>, Box<Node>),
    If(Box<[Node; 3]>),
    Call(Function, Vec<Node>),
    Matches(Box<Node>, Regex),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Operator {
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }
}

impl Node {
    /// The name of which this is the value, or a part of the value.
    pub(crate) fn root_name(&self) -> Option<&Name> {
        match &self.kind {
            Kind::Name(name) => Some(name),
            Kind::Member(node, _) | Kind::Index(node, _) => node.root_name(),
            _ => None,
        }
    }

    /// The nodes directly below.
    pub(crate) fn children(&self) -> Vec<&Self> {
        match &self.kind {
            Kind::Null
            | Kind::Bool(_)
            | Kind::Integer(_)
            | Kind::Float(_)
            | Kind::Text(_)
            | Kind::Name(_) => Vec::new(),
            Kind::List(nodes) | Kind::All(nodes) | Kind::Any(nodes) | Kind::Call(_, nodes) => {
                nodes.iter().collect()
            }
            Kind::Member(node, _) | Kind::Not(node) | Kind::Negate(node) | Kind::Matches(node, _) => {
                vec![node]
            }
            Kind::Index(one, other)
            | Kind::Compare(_, one, other)
            | Kind::In(one, other)
            | Kind::Compute(_, one, other) => vec![one, other],
            Kind::If(nodes) => nodes.iter().collect(),
        }
    }
}
