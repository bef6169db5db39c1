//! Types and names, before anything runs.

use std::ops::Range;

use crate::function::Function;
use crate::mistake::{Mistake, closest};
use crate::syntax::{Comparison, Kind, Name, Node, Operator};
use crate::types::Type;

/// What is known of a field of metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// A document may have it.
    Known(Type),
    /// No document has it, and why, as a help that goes on after a colon; may be empty.
    Unknown(String),
}

/// The names that exist where an expression stands.
pub trait Names {
    /// What is known of a field.
    fn field(&self, name: &str) -> Field;

    /// What is wrong with a name that is none of a field.
    fn unknown(&self, name: &str) -> String {
        format!("the field `{name}` is written by nothing before this stage")
    }

    /// Whether nobody can say which fields there are, so that one may also have the name of a measure.
    fn any_field(&self) -> bool;

    /// What to do about a measure that does not exist by then; may be empty.
    fn unmeasured(&self, _name: &str) -> String {
        String::new()
    }

    /// The measures that exist by then, if that is known. One that ends in `:*` stands for all that begin so.
    fn measures(&self) -> Option<Vec<String>>;
}

/// Whatever name is asked for may exist: where nothing is known of a pipeline.
#[derive(Debug, Clone, Copy)]
pub struct AnyNames;

impl Names for AnyNames {
    fn field(&self, _: &str) -> Field {
        Field::Known(Type::Any)
    }

    fn any_field(&self) -> bool {
        true
    }

    fn measures(&self) -> Option<Vec<String>> {
        None
    }
}

pub(crate) fn condition(root: &Node, source: &str, names: &dyn Names) -> Vec<Mistake> {
    let mut checker =
        Checker { source, names, measures: names.measures(), mistakes: Vec::new(), reads: false };
    let of = checker.of(root);
    if checker.mistakes.is_empty() && !matches!(of, Type::Any | Type::Bool) {
        let help = match of {
            Type::Number => "compare it, as in `… > 0`",
            Type::String => "compare it, as in `… == \"a\"`, or ask with `has(…)`",
            _ => "compare it, or ask with `has(…)`",
        };
        checker.mistake(&root.span, format!("the condition is {of}, not true or false"), help);
    }
    if checker.mistakes.is_empty() && !checker.reads {
        let message = "the condition is the same for every document: it reads nothing of them";
        checker.mistake(&root.span, message, "name a field, `text` or a measure");
    }
    checker.mistakes
}

pub(crate) fn check(root: &Node, source: &str, names: &dyn Names) -> Result<Type, Vec<Mistake>> {
    let mut checker =
        Checker { source, names, measures: names.measures(), mistakes: Vec::new(), reads: false };
    let of = checker.of(root);
    if checker.mistakes.is_empty() { Ok(of) } else { Err(checker.mistakes) }
}

struct Checker<'a> {
    source: &'a str,
    names: &'a dyn Names,
    measures: Option<Vec<String>>,
    mistakes: Vec<Mistake>,
    /// Whether anything of a document is read.
    reads: bool,
}

impl Checker<'_> {
    fn mistake(&mut self, span: &Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.mistakes.push(Mistake::new(span, message, help));
    }

    fn written(&self, node: &Node) -> &str {
        self.source.get(node.span.clone()).unwrap_or_default()
    }

    /// The type of a node; of one with a mistake any, so that one mistake is told once.
    fn of(&mut self, node: &Node) -> Type {
        match &node.kind {
            Kind::Null => Type::Null,
            Kind::Bool(_) => Type::Bool,
            Kind::Integer(_) | Kind::Float(_) => Type::Number,
            Kind::Text(_) => Type::String,
            Kind::List(items) => {
                for item in items {
                    self.of(item);
                }
                Type::List
            }
            Kind::Name(name) => self.name(name, node),
            Kind::Member(inner, member) => self.member(inner, member, node),
            Kind::Index(inner, index) => self.index(inner, index),
            Kind::Not(inner) => {
                self.wants_bool(inner);
                Type::Bool
            }
            Kind::Negate(inner) => {
                self.wants(inner, &[Type::Number], "`-`");
                Type::Number
            }
            Kind::All(parts) | Kind::Any(parts) => {
                for part in parts {
                    self.wants_bool(part);
                }
                Type::Bool
            }
            Kind::Compare(comparison, left, right) => self.comparison(*comparison, left, right),
            Kind::In(left, right) => self.contained(left, right),
            Kind::Compute(operator, left, right) => self.computed(*operator, left, right),
            Kind::If(parts) => {
                let [condition, yes, no] = &**parts;
                self.wants_bool(condition);
                let (yes, no) = (self.of(yes), self.of(no));
                if yes == no { yes } else { Type::Any }
            }
            Kind::Call(function, arguments) => {
                let name = format!("`{}`", function.name());
                for (argument, takes) in arguments.iter().zip(function.takes()) {
                    // `has` of an unknown field is a mistake as any other.
                    if takes.is_empty() {
                        self.of(argument);
                    } else {
                        self.wants(argument, takes, &name);
                    }
                }
                function.gives()
            }
            Kind::Matches(subject, _) => {
                self.wants(subject, &[Type::String], &format!("`{}`", Function::Matches.name()));
                Type::Bool
            }
        }
    }

    fn name(&mut self, name: &Name, node: &Node) -> Type {
        self.reads = true;
        match name {
            Name::Id | Name::Text | Name::File => Type::String,
            Name::Raw => Type::Bytes,
            Name::Offset | Name::Length => Type::Number,
            Name::Field(name) => self.field(name, node),
            Name::Measure(name) => {
                if !self.measured(name) {
                    let measures = self.measures.clone().unwrap_or_default();
                    let known = self.names.unmeasured(name);
                    let help = if known.is_empty() { suggestion(name, &measures) } else { known };
                    self.mistake(&node.span, format!("no stage before this one measures `{name}`"), help);
                }
                Type::Number
            }
            Name::Either(name) => self.either(name, node),
        }
    }

    fn measured(&self, name: &str) -> bool {
        let covers = |measure: &String| match measure.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => measure == name,
        };
        self.measures.as_ref().is_none_or(|measures| measures.iter().any(covers))
    }

    fn either(&mut self, name: &str, node: &Node) -> Type {
        let is_measure = self.measures.is_some() && self.measured(name);
        let field = self.names.field(name);
        match (is_measure, field) {
            (true, Field::Known(_)) if !self.names.any_field() => {
                let message = format!("`{name}` is a field and a measure");
                let help = format!("write `metadata.{name}` or `measures.{name}`");
                self.mistake(&node.span, message, help);
                Type::Any
            }
            (true, _) => Type::Number,
            (false, Field::Known(of)) => of,
            (false, Field::Unknown(help)) => {
                let measures = self.measures.clone().unwrap_or_default();
                let meant = closest(name, measures.iter().map(String::as_str).chain(["text", "id"]));
                let help = meant.map_or(help, |meant| format!("did you mean `{meant}`?"));
                self.unknown_field(name, node, help)
            }
        }
    }

    fn field(&mut self, name: &str, node: &Node) -> Type {
        match self.names.field(name) {
            Field::Known(of) => of,
            Field::Unknown(help) => self.unknown_field(name, node, help),
        }
    }

    fn unknown_field(&mut self, name: &str, node: &Node, help: String) -> Type {
        self.mistake(&node.span, self.names.unknown(name), help);
        Type::Any
    }

    fn member(&mut self, inner: &Node, member: &str, node: &Node) -> Type {
        match self.of(inner) {
            Type::Any | Type::Map => {}
            of => {
                let message = format!("`{}` is {of} and has no `{member}`", self.written(inner));
                let usage = Function::named(member).map(|function| format!("write `{}`", function.usage()));
                self.mistake(&node.span, message, usage.unwrap_or_default());
            }
        }
        Type::Any
    }

    fn index(&mut self, inner: &Node, index: &Node) -> Type {
        let of = self.of(inner);
        match of {
            Type::Any => _ = self.wants(index, &[Type::Number, Type::String], "`[…]`"),
            Type::List => _ = self.wants(index, &[Type::Number], "`[…]` of a list"),
            Type::Map => _ = self.wants(index, &[Type::String], "`[…]` of a table"),
            of => {
                let message = format!("`{}` is {of}: `[…]` is for lists and tables", self.written(inner));
                self.mistake(&inner.span, message, "");
            }
        }
        Type::Any
    }

    fn wants_bool(&mut self, node: &Node) {
        let before = self.mistakes.len();
        let of = self.of(node);
        if self.mistakes.len() > before || matches!(of, Type::Any | Type::Bool) {
            return;
        }
        let message = format!("`{}` is {of}, not true or false", self.written(node));
        self.mistake(&node.span, message, "compare it, or ask with `has(…)`");
    }

    /// Complains if the type of a node is none of those wanted; `by` says who wants them.
    fn wants(&mut self, node: &Node, wanted: &[Type], by: &str) -> Type {
        let before = self.mistakes.len();
        let of = self.of(node);
        if self.mistakes.len() > before || of == Type::Any || wanted.contains(&of) {
            return of;
        }
        let words: Vec<String> = wanted.iter().map(Type::to_string).collect();
        let message = format!("{by} takes {}, but `{}` is {of}", words.join(" or "), self.written(node));
        let help = match (of, wanted) {
            (Type::String, [Type::Number, ..]) => format!("write `double({})`", self.written(node)),
            (Type::Number, [Type::String, ..]) => format!("write `string({})`", self.written(node)),
            _ => String::new(),
        };
        self.mistake(&node.span, message, help);
        Type::Any
    }

    fn comparison(&mut self, comparison: Comparison, left: &Node, right: &Node) -> Type {
        let before = self.mistakes.len();
        let (one, other) = (self.of(left), self.of(right));
        let span = left.span.start..right.span.end;
        if self.mistakes.len() > before {
            self.hint_at_quotes(right, before);
            return Type::Bool;
        }
        if let Some(side) =
            [(one, right), (other, left)].into_iter().find_map(|(of, it)| (of == Type::Null).then_some(it))
        {
            let written = self.written(side).to_owned();
            let help = match comparison {
                Comparison::Equal => format!("write `!has({written})`"),
                _ => format!("write `has({written})`"),
            };
            self.mistake(&span, "comparisons with null are always false", help);
            return Type::Bool;
        }
        if one == Type::Any || other == Type::Any {
            return Type::Bool;
        }
        let is_equality = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
        if one != other {
            let message = format!(
                "`{}` is {one} and `{}` is {other}: they cannot be compared",
                self.written(left),
                self.written(right)
            );
            self.mistake(&span, message, self.converted(left, one, right, other));
        } else if !is_equality && !matches!(one, Type::Number | Type::String) {
            let message =
                format!("`{}` is {one}: that is neither more nor less than another", self.written(left));
            self.mistake(&span, message, "");
        }
        Type::Bool
    }

    /// How one side becomes what the other is.
    fn converted(&self, left: &Node, one: Type, right: &Node, other: Type) -> String {
        match (one, other) {
            (Type::String, Type::Number) => self.string_and_number(left, right),
            (Type::Number, Type::String) => self.string_and_number(right, left),
            _ => String::new(),
        }
    }

    fn string_and_number(&self, string: &Node, number: &Node) -> String {
        match (&string.kind, &number.kind) {
            (Kind::Text(text), _) if text.parse::<f64>().is_ok_and(f64::is_finite) => {
                format!("write `{text}`, without quotes")
            }
            (_, Kind::Integer(_) | Kind::Float(_)) if matches!(string.kind, Kind::Name(Name::Text)) => {
                "did you mean `size(text)`?".to_owned()
            }
            (_, Kind::Integer(_) | Kind::Float(_)) => format!("write `\"{}\"`", self.written(number)),
            _ => format!("write `double({})`", self.written(string)),
        }
    }

    fn contained(&mut self, left: &Node, right: &Node) -> Type {
        let before = self.mistakes.len();
        let of = self.of(left);
        let within = self.of(right);
        if self.mistakes.len() > before {
            return Type::Bool;
        }
        match within {
            Type::Any | Type::Map => {}
            Type::List => self.items(left, of, right),
            Type::String => {
                let message = format!("`in` looks into lists, and `{}` is a string", self.written(right));
                let help = format!("write `{}.contains({})`", self.written(right), self.written(left));
                self.mistake(&right.span, message, help);
            }
            other => {
                let message = format!("`in` looks into lists, and `{}` is {other}", self.written(right));
                self.mistake(&right.span, message, "write `field in [\"a\", \"b\"]`");
            }
        }
        Type::Bool
    }

    /// Items of another type than what is looked for are never found.
    fn items(&mut self, left: &Node, of: Type, list: &Node) {
        let Kind::List(items) = &list.kind else { return };
        if items.is_empty() {
            self.mistake(&list.span, "the list is empty: nothing is in it", "");
        }
        for item in items {
            let is_of = match item.kind {
                Kind::Text(_) => Type::String,
                Kind::Integer(_) | Kind::Float(_) => Type::Number,
                Kind::Bool(_) => Type::Bool,
                Kind::Null => Type::Null,
                _ => continue,
            };
            if is_of == Type::Null || (of != Type::Any && of != is_of) {
                let message =
                    format!("`{}` is never in the list: it is {of}, not {is_of}", self.written(left));
                self.mistake(&item.span, message, "");
                return;
            }
        }
    }

    fn computed(&mut self, operator: Operator, left: &Node, right: &Node) -> Type {
        if operator != Operator::Add {
            let by = format!("`{}`", operator.symbol());
            let before = self.mistakes.len();
            self.wants(left, &[Type::Number], &by);
            self.wants(right, &[Type::Number], &by);
            if operator == Operator::Subtract && self.mistakes.len() > before {
                self.hint_at_hyphen(left, right, before);
            }
            return Type::Number;
        }
        let one = self.wants(left, &[Type::Number, Type::String], "`+`");
        let other = self.wants(right, &[Type::Number, Type::String], "`+`");
        match (one, other) {
            (Type::Any, other) => other,
            (one, Type::Any) => one,
            (one, other) if one == other => one,
            (one, other) => {
                let span = left.span.start..right.span.end;
                self.mistake(
                    &span,
                    format!("`+` cannot add {one} and {other}"),
                    "write `string(…)` around the number",
                );
                Type::Any
            }
        }
    }

    /// `language == zh` reads as a comparison with a field that nobody writes.
    fn hint_at_quotes(&mut self, right: &Node, before: usize) {
        if let (Kind::Name(Name::Either(word)), Some(mistake)) = (&right.kind, self.mistakes.get_mut(before))
            && mistake.span == right.span
            && !mistake.help.starts_with("did you mean")
        {
            mistake.help = format!("if it is a string, write `\"{word}\"`");
        }
    }

    /// `last-modified` reads as a difference of two fields that nobody writes.
    fn hint_at_hyphen(&mut self, left: &Node, right: &Node, before: usize) {
        let (Kind::Name(Name::Either(one)), Kind::Name(Name::Either(other))) = (&left.kind, &right.kind)
        else {
            return;
        };
        if left.span.end + 1 == right.span.start
            && let Some(mistake) = self.mistakes.get_mut(before)
        {
            mistake.help = format!("for the field `{one}-{other}` write `metadata[\"{one}-{other}\"]`");
        }
    }
}

/// The likely measure, or all there are.
fn suggestion(name: &str, known: &[String]) -> String {
    if let Some(meant) = closest(name, known.iter().map(String::as_str)) {
        return format!("did you mean `{meant}`?");
    }
    if known.is_empty() {
        return "nothing has been measured by then".to_owned();
    }
    let known: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
    format!("measured before: {}", known.join(", "))
}
