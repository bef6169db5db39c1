//! The tree of an expression.

use std::collections::BTreeSet;
use std::ops::Range;

use regex::Regex;

use crate::check::{self, AnyNames, Names, Type};
use crate::evaluate::{self, Scope, Trouble};
use crate::function::Function;
use crate::mistake::Mistake;
use crate::parser;

/// An expression without mistakes of syntax, ready to be typed and evaluated.
#[derive(Debug, Clone)]
pub struct Expression {
    source: String,
    root: Node,
}

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
    fn root_name(&self) -> Option<&Name> {
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

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    ///
    /// The first mistake of syntax; also when the source is longer than 64 KiB or nested more than 100 deep.
    pub fn parse(source: &str) -> Result<Self, Mistake> {
        Ok(Self { source: source.to_owned(), root: parser::parse(source)? })
    }

    /// Reads a condition, where nothing is known of a pipeline: what can be said of its types is said.
    ///
    /// # Errors
    ///
    /// As [`Expression::parse`], and when it cannot be true or false, or never depends on a document.
    pub fn condition(source: &str) -> Result<Self, Mistake> {
        let expression = Self::parse(source)?;
        match expression.check_condition(&AnyNames).into_iter().next() {
            Some(mistake) => Err(mistake),
            None => Ok(expression),
        }
    }

    /// What is wrong with it as a condition over these names, in the order of the source.
    pub fn check_condition(&self, names: &dyn Names) -> Vec<Mistake> {
        check::condition(&self.root, &self.source, names)
    }

    /// Its type over these names, or what is wrong with it.
    ///
    /// # Errors
    ///
    /// The mistakes, in the order of the source.
    pub fn check(&self, names: &dyn Names) -> Result<Type, Vec<Mistake>> {
        check::check(&self.root, &self.source, names)
    }

    /// Whether it holds for a document; null does not.
    ///
    /// # Errors
    ///
    /// When values are of types that do not go together.
    pub fn holds(&self, scope: &dyn Scope) -> Result<bool, Trouble> {
        evaluate::holds(&self.root, &self.source, scope)
    }

    /// The source.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What it reads.
    pub fn names(&self) -> BTreeSet<&Name> {
        let mut names = BTreeSet::new();
        let mut nodes = vec![&self.root];
        while let Some(node) = nodes.pop() {
            if let Kind::Name(name) = &node.kind {
                names.insert(name);
            }
            nodes.extend(node.children());
        }
        names
    }

    /// What it takes to be there: what it reads without asking whether there is such a thing, by `has(title)`.
    pub fn names_relied_on(&self) -> BTreeSet<&Name> {
        let mut names = self.names();
        let mut nodes = vec![&self.root];
        while let Some(node) = nodes.pop() {
            if let Kind::Call(Function::Has, arguments) = &node.kind
                && let Some(name) = arguments.first().and_then(Node::root_name)
            {
                names.remove(name);
            }
            nodes.extend(node.children());
        }
        names
    }
}
