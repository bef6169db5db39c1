//! An expression as others hold it: read, typed, evaluated.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::check::{self, AnyNames, Names};
use crate::evaluate::{self, Scope, Trouble};
use crate::function::Function;
use crate::mistake::Mistake;
use crate::parser;
use crate::syntax::{Comparison, Kind, Name, Node};
use crate::types::Type;

/// An expression without mistakes of syntax, ready to be typed and evaluated.
#[derive(Debug, Clone)]
pub struct Expression {
    source: String,
    root: Node,
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

    /// The strings with which it compares what it reads (`language == "zh"`, `language in ["zh", "en"]`), in the order of
    /// the source, each with where it stands there, in bytes.
    pub fn compared(&self) -> Vec<(&Name, &str, Range<usize>)> {
        let mut compared = Vec::new();
        let mut nodes = vec![&self.root];
        while let Some(node) = nodes.pop() {
            let with: Vec<(&Node, &Node)> = match &node.kind {
                Kind::Compare(Comparison::Equal | Comparison::NotEqual, left, right) => {
                    vec![(&**left, &**right), (&**right, &**left)]
                }
                Kind::In(left, right) => match &right.kind {
                    Kind::List(items) => items.iter().map(|item| (&**left, item)).collect(),
                    _ => Vec::new(),
                },
                _ => Vec::new(),
            };
            compared.extend(with.into_iter().filter_map(|(name, text)| match (&name.kind, &text.kind) {
                (Kind::Name(name), Kind::Text(written)) => Some((name, written.as_str(), text.span.clone())),
                _ => None,
            }));
            nodes.extend(node.children());
        }
        compared.sort_by_key(|(.., span)| span.start);
        compared
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_that_names_are_compared_with_are_found_where_they_stand() {
        let source = "language == \"zh\" || !(\"en\" != lang) && title in [\"a\", 1] && x > \"b\" && has(y)";
        let condition = Expression::parse(source).expect("no mistake");
        let compared = condition.compared();
        let found: Vec<_> = compared
            .iter()
            .map(|(name, text, span)| match name {
                Name::Either(name) => (name.as_str(), *text, source.get(span.clone()).unwrap_or_default()),
                other => panic!("{other:?}"),
            })
            .collect();
        let expected = [("language", "zh", "\"zh\""), ("lang", "en", "\"en\""), ("title", "a", "\"a\"")];
        assert_eq!(found, expected);
    }
}
