//! From tokens to the tree, by recursive descent; each level of precedence is a function.

use std::ops::Range;

use regex::RegexBuilder;

use crate::function::{self, Function};
use crate::lexer::{Token, TokenKind, tokens};
use crate::mistake::{Mistake, closest};
use crate::syntax::{Comparison, Kind, Name, Node, Operator};

/// Nobody writes so much by hand, and what a program writes belongs into a list.
const MAX_BYTES: usize = 64 * 1024;

/// Deeper trees would be a danger to the stack: of whoever evaluates, and of the parser itself.
const MAX_DEPTH: usize = 100;

/// The memory that a regular expression may take when it is compiled.
const MAX_PATTERN_BYTES: usize = 4 << 20;

pub(crate) fn parse(source: &str) -> Result<Node, Mistake> {
    if source.len() > MAX_BYTES {
        let message = format!("the expression is longer than {} KiB", MAX_BYTES / 1024);
        return Err(Mistake::new(&(0..0), message, "put long lists into a file of their own"));
    }
    let mut parser = Parser { tokens: tokens(source)?, at: 0, nesting: 0 };
    if parser.peek() == &TokenKind::End {
        return Err(Mistake::new(&(0..source.len()), "the expression is empty", ""));
    }
    let root = parser.expression()?;
    match parser.peek() {
        TokenKind::End => Ok(root),
        _ => Err(parser.left_over()),
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    nesting: usize,
}

impl Parser {
    fn token(&self) -> &Token {
        // The last token is the end, which is never passed.
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    fn peek(&self) -> &TokenKind {
        &self.token().kind
    }

    fn next(&mut self) -> Token {
        let token = self.token().clone();
        self.at += 1;
        token
    }

    fn is(&self, symbol: &str) -> bool {
        matches!(self.peek(), TokenKind::Symbol(it) if *it == symbol)
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), TokenKind::Word(it) if it == word)
    }

    fn take(&mut self, symbol: &str) -> bool {
        let is_it = self.is(symbol);
        self.at += usize::from(is_it);
        is_it
    }

    fn expect(&mut self, symbol: &str, behind: &Range<usize>) -> Result<Range<usize>, Mistake> {
        if self.is(symbol) {
            return Ok(self.next().span);
        }
        if self.peek() == &TokenKind::End {
            return Err(Mistake::new(behind, format!("`{symbol}` is missing at the end"), ""));
        }
        let found = written(&self.token().kind);
        Err(Mistake::new(&self.token().span, format!("{found} stands where `{symbol}` is expected"), ""))
    }

    /// What stands behind a whole expression.
    fn left_over(&self) -> Mistake {
        let token = self.token();
        let message = format!("{} stands where the expression should end", written(&token.kind));
        let help = match &token.kind {
            TokenKind::Word(word) if word.eq_ignore_ascii_case("and") => "write `&&`",
            TokenKind::Word(word) if word.eq_ignore_ascii_case("or") => "write `||`",
            TokenKind::Word(word) if word == "not" => "write `!(… in …)`",
            TokenKind::Word(word) if word == "is" => "write `==`, or `!has(field)` for what is missing",
            TokenKind::Word(word) if word == "like" => "write `field.matches(r\"…\")`",
            TokenKind::Word(_) | TokenKind::Text(_) | TokenKind::Integer(_) | TokenKind::Float(_) => {
                "put an operator before it, such as `&&`"
            }
            _ => "",
        };
        Mistake::new(&token.span, message, help)
    }

    fn expression(&mut self) -> Result<Node, Mistake> {
        self.nesting += 1;
        if self.nesting > MAX_DEPTH {
            return Err(too_deep(&self.token().span));
        }
        let condition = self.any()?;
        let node = if self.take("?") {
            let yes = self.expression()?;
            self.expect(":", &yes.span)?;
            let no = self.expression()?;
            let span = condition.span.start..no.span.end;
            node(Kind::If(Box::new([condition, yes, no])), span)?
        } else {
            condition
        };
        self.nesting -= 1;
        Ok(node)
    }

    fn any(&mut self) -> Result<Node, Mistake> {
        self.chain("||", Self::all, Kind::Any)
    }

    fn all(&mut self) -> Result<Node, Mistake> {
        self.chain("&&", Self::comparison, Kind::All)
    }

    /// Parts with a symbol between them, as one node, so that a long chain is not a deep tree.
    fn chain(
        &mut self,
        symbol: &str,
        part: fn(&mut Self) -> Result<Node, Mistake>,
        kind: fn(Vec<Node>) -> Kind,
    ) -> Result<Node, Mistake> {
        let first = part(self)?;
        if !self.is(symbol) {
            return Ok(first);
        }
        let start = first.span.start;
        let mut parts = vec![first];
        while self.take(symbol) {
            parts.push(part(self)?);
        }
        let end = parts.last().map_or(start, |last| last.span.end);
        node(kind(parts), start..end)
    }

    fn comparison(&mut self) -> Result<Node, Mistake> {
        let left = self.sum()?;
        let comparison = match self.peek() {
            TokenKind::Symbol("==") => Some(Comparison::Equal),
            TokenKind::Symbol("!=") => Some(Comparison::NotEqual),
            TokenKind::Symbol("<") => Some(Comparison::Less),
            TokenKind::Symbol("<=") => Some(Comparison::LessOrEqual),
            TokenKind::Symbol(">") => Some(Comparison::Greater),
            TokenKind::Symbol(">=") => Some(Comparison::GreaterOrEqual),
            _ => None,
        };
        if comparison.is_none() && !self.is_word("in") {
            return Ok(left);
        }
        self.next();
        let right = self.sum()?;
        let is_chained = matches!(self.peek(), TokenKind::Symbol("==" | "!=" | "<" | "<=" | ">" | ">="));
        if is_chained || self.is_word("in") {
            let message = "comparisons cannot be chained";
            return Err(Mistake::new(&self.token().span, message, "write `a < b && b < c`"));
        }
        let span = left.span.start..right.span.end;
        let (left, right) = (Box::new(left), Box::new(right));
        node(
            match comparison {
                Some(comparison) => Kind::Compare(comparison, left, right),
                None => Kind::In(left, right),
            },
            span,
        )
    }

    fn sum(&mut self) -> Result<Node, Mistake> {
        let operator = |symbol: &str| match symbol {
            "+" => Some(Operator::Add),
            "-" => Some(Operator::Subtract),
            _ => None,
        };
        self.computed(Self::product, operator)
    }

    fn product(&mut self) -> Result<Node, Mistake> {
        let operator = |symbol: &str| match symbol {
            "*" => Some(Operator::Multiply),
            "/" => Some(Operator::Divide),
            "%" => Some(Operator::Remainder),
            _ => None,
        };
        self.computed(Self::unary, operator)
    }

    fn computed(
        &mut self,
        part: fn(&mut Self) -> Result<Node, Mistake>,
        operator: impl Fn(&str) -> Option<Operator>,
    ) -> Result<Node, Mistake> {
        let mut left = part(self)?;
        while let TokenKind::Symbol(symbol) = self.peek()
            && let Some(operator) = operator(symbol)
        {
            self.next();
            let right = part(self)?;
            let span = left.span.start..right.span.end;
            left = node(Kind::Compute(operator, Box::new(left), Box::new(right)), span)?;
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Node, Mistake> {
        let is_not = self.is("!");
        if !is_not && !self.is("-") {
            return self.postfix();
        }
        self.nesting += 1;
        let start = self.next().span.start;
        if self.nesting > MAX_DEPTH {
            return Err(too_deep(&(start..start + 1)));
        }
        let inner = self.unary()?;
        self.nesting -= 1;
        let span = start..inner.span.end;
        let kind = match (is_not, inner.kind) {
            (true, kind) => Kind::Not(Box::new(Node { kind, ..inner })),
            (false, Kind::Integer(whole)) => Kind::Integer(whole.wrapping_neg()),
            (false, Kind::Float(float)) => Kind::Float(-float),
            (false, kind) => Kind::Negate(Box::new(Node { kind, ..inner })),
        };
        node(kind, span)
    }

    /// A value with members, indices and calls behind it.
    fn postfix(&mut self) -> Result<Node, Mistake> {
        let mut value = self.primary()?;
        loop {
            let start = value.span.start;
            if self.take(".") {
                let token = self.next();
                let TokenKind::Word(word) = token.kind else {
                    let message = format!("{} stands where a name is expected", written(&token.kind));
                    return Err(Mistake::new(&token.span, message, "write `field[\"a name\"]` for any name"));
                };
                if self.is("(") {
                    value = self.call(&word, &token.span, Some(value))?;
                } else {
                    value = node(Kind::Member(Box::new(value), word), start..token.span.end)?;
                }
            } else if self.take("[") {
                let index = self.expression()?;
                let end = self.expect("]", &index.span)?.end;
                value = node(Kind::Index(Box::new(value), Box::new(index)), start..end)?;
            } else {
                return Ok(value);
            }
        }
    }

    fn primary(&mut self) -> Result<Node, Mistake> {
        let Token { kind, span } = self.next();
        match kind {
            TokenKind::Integer(whole) => node(Kind::Integer(whole), span),
            TokenKind::Float(float) => node(Kind::Float(float), span),
            TokenKind::Text(text) => node(Kind::Text(text), span),
            TokenKind::Symbol("(") => {
                let inner = self.expression()?;
                let end = self.expect(")", &inner.span)?.end;
                // The parentheses belong to it, so that messages show them.
                Ok(Node { span: span.start..end, ..inner })
            }
            TokenKind::Symbol("[") => {
                let (items, end) = self.list("]", &span)?;
                node(Kind::List(items), span.start..end)
            }
            TokenKind::Word(word) => self.word(&word, span),
            other => {
                let message = if other == TokenKind::End {
                    "something is missing at the end".to_owned()
                } else {
                    format!("{} stands where a value is expected", written(&other))
                };
                Err(Mistake::new(&span, message, ""))
            }
        }
    }

    fn word(&mut self, word: &str, span: Range<usize>) -> Result<Node, Mistake> {
        let kind = match word {
            "true" => Kind::Bool(true),
            "false" => Kind::Bool(false),
            "null" => Kind::Null,
            "in" => {
                return Err(Mistake::new(
                    &span,
                    "`in` has nothing before it",
                    "write `field in [\"a\", \"b\"]`",
                ));
            }
            "True" | "False" | "None" => {
                let meant = if word == "None" { "null".to_owned() } else { word.to_lowercase() };
                return Err(Mistake::new(&span, format!("`{word}` is no value"), format!("write `{meant}`")));
            }
            "not" if !self.is("(") && self.starts_value() => {
                return Err(Mistake::new(&span, "`not` is no operator", "write `!`"));
            }
            _ if self.is("(") => return self.call(word, &span, None),
            "id" => Kind::Name(Name::Id),
            "text" => Kind::Name(Name::Text),
            "raw" => Kind::Name(Name::Raw),
            "origin" | "metadata" | "measures" => return self.space(word, &span),
            _ => Kind::Name(Name::Either(word.to_owned())),
        };
        node(kind, span)
    }

    fn starts_value(&self) -> bool {
        matches!(
            self.peek(),
            TokenKind::Word(_) | TokenKind::Text(_) | TokenKind::Integer(_) | TokenKind::Float(_)
        )
    }

    /// `origin.file`, `metadata.title`, `measures["a:b"]`.
    fn space(&mut self, space: &str, span: &Range<usize>) -> Result<Node, Mistake> {
        let example = match space {
            "origin" => "`origin.file`",
            "measures" => "`measures.chars`",
            _ => "`metadata.title`",
        };
        let bare = || Mistake::new(span, format!("`{space}` alone is no value"), format!("write {example}"));
        let (name, at) = if self.take(".") {
            let token = self.next();
            let TokenKind::Word(name) = token.kind else { return Err(bare()) };
            (name, token.span)
        } else if self.take("[") {
            let token = self.next();
            let TokenKind::Text(name) = token.kind else { return Err(bare()) };
            let end = self.expect("]", &token.span)?.end;
            (name, token.span.start..end)
        } else {
            return Err(bare());
        };
        let kind = match (space, name.as_str()) {
            ("origin", "file") => Name::File,
            ("origin", "offset") => Name::Offset,
            ("origin", "length") => Name::Length,
            ("origin", _) => {
                let help = "there are `origin.file`, `origin.offset` and `origin.length`";
                return Err(Mistake::new(&at, format!("`origin` has no `{name}`"), help));
            }
            ("measures", _) => Name::Measure(name),
            _ => Name::Field(name),
        };
        node(Kind::Name(kind), span.start..at.end)
    }

    fn call(&mut self, name: &str, span: &Range<usize>, receiver: Option<Node>) -> Result<Node, Mistake> {
        let Some(function) = Function::named(name) else { return Err(unknown_function(name, span)) };
        let open = self.next().span;
        let start = receiver.as_ref().map_or(span.start, |receiver| receiver.span.start);
        let (given, end) = self.list(")", &open)?;
        let arguments: Vec<Node> = receiver.into_iter().chain(given).collect();
        let span = start..end;
        let n_wanted = function.takes().len();
        if arguments.len() != n_wanted {
            let message = format!("`{name}` is given {}, but takes {n_wanted}", values(arguments.len()));
            return Err(Mistake::new(&span, message, format!("write `{}`", function.usage())));
        }
        if function == Function::Has {
            has_of(&arguments, &span)?;
        }
        if function != Function::Matches {
            return node(Kind::Call(function, arguments), span);
        }
        let mut arguments = arguments.into_iter();
        match (arguments.next(), arguments.next()) {
            (Some(subject), Some(Node { kind: Kind::Text(pattern), span: at, .. })) => {
                let compiled = RegexBuilder::new(&pattern).size_limit(MAX_PATTERN_BYTES).build();
                let pattern = compiled.map_err(|error| bad_pattern(&error, &at))?;
                node(Kind::Matches(Box::new(subject), pattern), span)
            }
            (_, pattern) => {
                let at = pattern.map_or(span, |pattern| pattern.span);
                let message = "the pattern of `matches` must be a string as it stands";
                Err(Mistake::new(&at, message, "a pattern that comes from the data could take any time"))
            }
        }
    }

    /// Values between commas, up to the closing symbol, and where that ends; a comma may stand behind the last.
    fn list(&mut self, close: &'static str, open: &Range<usize>) -> Result<(Vec<Node>, usize), Mistake> {
        let mut items = Vec::new();
        let mut behind = open.clone();
        while !self.is(close) {
            if self.peek() == &TokenKind::End {
                break;
            }
            let item = self.expression()?;
            behind = item.span.clone();
            items.push(item);
            if !self.take(",") {
                break;
            }
        }
        let end = self.expect(close, &behind)?.end;
        Ok((items, end))
    }
}

/// A node, unless the tree gets too deep by it.
fn node(kind: Kind, span: Range<usize>) -> Result<Node, Mistake> {
    let mut node = Node { kind, span, depth: 0 };
    node.depth = 1 + node.children().into_iter().map(|child| child.depth).max().unwrap_or_default();
    if node.depth > MAX_DEPTH { Err(too_deep(&node.span)) } else { Ok(node) }
}

fn values(n: usize) -> String {
    if n == 1 { "1 value".to_owned() } else { format!("{n} values") }
}

/// `has` asks for what may be missing.
fn has_of(arguments: &[Node], span: &Range<usize>) -> Result<(), Mistake> {
    let example = "write `has(title)`";
    match arguments.first().map(|argument| &argument.kind) {
        Some(Kind::Name(Name::Text | Name::Id)) => {
            let help = "write `size(text) > 0` if it should not be empty";
            Err(Mistake::new(span, "`id` and `text` are always there", help))
        }
        Some(Kind::Name(Name::File | Name::Offset | Name::Length)) => {
            Err(Mistake::new(span, "`origin` is always there", example))
        }
        Some(Kind::Name(_) | Kind::Member(..) | Kind::Index(..)) => Ok(()),
        Some(Kind::Text(name)) => {
            let help = format!("write `has(metadata[\"{name}\"])`");
            Err(Mistake::new(span, "`has` takes a field, not its name in quotes", help))
        }
        _ => Err(Mistake::new(span, "`has` takes a field", example)),
    }
}

fn unknown_function(name: &str, span: &Range<usize>) -> Mistake {
    let folded = name.to_lowercase().replace('_', "");
    let said = function::OTHERWISE.iter().find(|(said, _)| *said == folded).map(|(_, meant)| *meant);
    let meant = said.or_else(|| closest(name, function::ALL.iter().map(|function| function.name())));
    let all = || function::ALL.iter().map(|it| format!("`{}`", it.name())).collect::<Vec<_>>().join(", ");
    let meant = meant.and_then(Function::named).map(|it| format!("did you mean `{}`?", it.usage()));
    let help = meant.unwrap_or_else(|| format!("there are {}", all()));
    Mistake::new(span, format!("unknown function `{name}`"), help)
}

/// The last line of the error of a regular expression says what is wrong; those before it show the place.
fn bad_pattern(error: &regex::Error, span: &Range<usize>) -> Mistake {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    let why = last.strip_prefix("error: ").unwrap_or(last).to_owned();
    Mistake::new(span, format!("the pattern is wrong: {why}"), "")
}

fn too_deep(span: &Range<usize>) -> Mistake {
    Mistake::new(span, format!("the expression is nested more than {MAX_DEPTH} deep"), "")
}

fn written(kind: &TokenKind) -> String {
    match kind {
        TokenKind::Word(word) => format!("`{word}`"),
        TokenKind::Text(_) => "a string".to_owned(),
        TokenKind::Integer(_) | TokenKind::Float(_) => "a number".to_owned(),
        TokenKind::Symbol(symbol) => format!("`{symbol}`"),
        TokenKind::End => "the end".to_owned(),
    }
}
