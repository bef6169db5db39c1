//! Evaluates an expression for one document.

use std::borrow::Cow;

use tamis_document::ValueRef;

use crate::function::Function;
use crate::syntax::{Comparison, Kind, Name, Node, Operator};
use crate::types::Type;
use crate::value::Value;

/// What names stand for: the document.
pub trait Scope {
    /// The identifier.
    fn id(&self) -> &str;

    /// The text.
    fn text(&self) -> &str;

    /// The bytes as scraped, if they were kept.
    fn raw(&self) -> Option<&[u8]>;

    /// The file that it was read from, and the first byte and the length of the record in it; `None` if that is not
    /// known.
    fn origin(&self) -> Option<(&str, u64, u64)>;

    /// A field of metadata.
    fn field(&self, name: &str) -> Option<ValueRef<'_>>;

    /// What a stage has measured under this name, the last if several have.
    fn measure(&self, name: &str) -> Option<f64>;
}

/// Values of one document that do not go together, in words: a message for a dead letter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Trouble {
    message: String,
}

pub(crate) fn holds(root: &Node, source: &str, scope: &dyn Scope) -> Result<bool, Trouble> {
    Evaluation { source, scope }.holds(root)
}

struct Evaluation<'a> {
    source: &'a str,
    scope: &'a dyn Scope,
}

type Evaluated<'a> = Result<Value<'a>, Trouble>;

impl<'a> Evaluation<'a> {
    fn written(&self, node: &Node) -> &'a str {
        self.source.get(node.span.clone()).unwrap_or_default()
    }

    fn trouble<T>(&self, node: &Node, why: &str) -> Result<T, Trouble> {
        Err(Trouble { message: format!("in `{}`: {why}", self.written(node)) })
    }

    /// What a node is and what it ought to be.
    fn wrong<T>(&self, node: &Node, value: &Value<'_>, wanted: &str) -> Result<T, Trouble> {
        self.trouble(node, &format!("{} is no {wanted}", shown(value)))
    }

    fn holds(&self, node: &'a Node) -> Result<bool, Trouble> {
        match self.value(node)? {
            Value::Bool(value) => Ok(value),
            // What is not there decides nothing.
            Value::Null => Ok(false),
            other => self.wrong(node, &other, "condition"),
        }
    }

    fn value(&self, node: &'a Node) -> Evaluated<'a> {
        Ok(match &node.kind {
            Kind::Null => Value::Null,
            Kind::Bool(value) => Value::Bool(*value),
            Kind::Integer(value) => Value::Integer(*value),
            Kind::Float(value) => Value::Float(*value),
            Kind::Text(text) => Value::Text(Cow::Borrowed(text)),
            Kind::List(items) => self.list(items)?,
            Kind::Name(name) => self.name(name),
            Kind::Member(inner, member) => self.member(inner, member)?,
            Kind::Index(inner, index) => self.index(inner, index)?,
            Kind::Not(inner) => Value::Bool(!self.holds(inner)?),
            Kind::Negate(inner) => self.negated(inner)?,
            Kind::All(parts) => Value::Bool(self.all(parts)?),
            Kind::Any(parts) => Value::Bool(self.any(parts)?),
            Kind::Compare(comparison, left, right) => {
                Value::Bool(self.compare(*comparison, left, right, node)?)
            }
            Kind::In(left, right) => Value::Bool(self.is_in(left, right)?),
            Kind::Compute(operator, left, right) => self.compute(*operator, left, right)?,
            Kind::If(parts) => {
                let [condition, yes, no] = &**parts;
                self.value(if self.holds(condition)? { yes } else { no })?
            }
            Kind::Call(function, arguments) => self.call(*function, arguments)?,
            Kind::Matches(subject, pattern) => match self.text(subject)? {
                Some(text) => Value::Bool(pattern.is_match(&text)),
                None => Value::Bool(false),
            },
        })
    }

    fn all(&self, parts: &'a [Node]) -> Result<bool, Trouble> {
        for part in parts {
            if !self.holds(part)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn any(&self, parts: &'a [Node]) -> Result<bool, Trouble> {
        for part in parts {
            if self.holds(part)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn name(&self, name: &'a Name) -> Value<'a> {
        let number = |number: u64| i64::try_from(number).map_or(Value::Float(number as f64), Value::Integer);
        let field = |name| self.scope.field(name).map_or(Value::Null, Value::of_field);
        let measure = |name| self.scope.measure(name).map(Value::float);
        let origin = self.scope.origin();
        match name {
            Name::Id => Value::Text(Cow::Borrowed(self.scope.id())),
            Name::Text => Value::Text(Cow::Borrowed(self.scope.text())),
            Name::Raw => self.scope.raw().map_or(Value::Null, Value::Bytes),
            Name::File => origin.map_or(Value::Null, |(file, ..)| Value::Text(Cow::Borrowed(file))),
            Name::Offset => origin.map_or(Value::Null, |(_, offset, _)| number(offset)),
            Name::Length => origin.map_or(Value::Null, |(.., length)| number(length)),
            Name::Field(name) => field(name),
            Name::Measure(name) => measure(name).unwrap_or(Value::Null),
            Name::Either(name) => measure(name).unwrap_or_else(|| field(name)),
        }
    }

    /// A list as data has them, for the rare case that it is not only looked into.
    fn list(&self, items: &'a [Node]) -> Evaluated<'a> {
        let items = items.iter().map(|item| self.value(item).map(to_json)).collect::<Result<_, _>>()?;
        Ok(Value::Json(serde_json::Value::Array(items)))
    }

    fn member(&self, inner: &'a Node, member: &str) -> Evaluated<'a> {
        match self.value(inner)? {
            Value::Null => Ok(Value::Null),
            Value::Json(serde_json::Value::Object(mut fields)) => {
                Ok(fields.remove(member).map_or(Value::Null, Value::of_json))
            }
            other => self.wrong(inner, &other, &format!("table, and has no `{member}`")),
        }
    }

    fn index(&self, inner: &'a Node, index: &'a Node) -> Evaluated<'a> {
        let (inner_value, index_value) = (self.value(inner)?, self.value(index)?);
        match (inner_value, index_value) {
            (Value::Null, _) | (_, Value::Null) => Ok(Value::Null),
            (Value::Json(serde_json::Value::Object(mut fields)), Value::Text(name)) => {
                Ok(fields.remove(name.as_ref()).map_or(Value::Null, Value::of_json))
            }
            (Value::Json(serde_json::Value::Array(mut items)), Value::Integer(at)) => {
                let at = usize::try_from(at).ok().filter(|at| *at < items.len());
                Ok(at.map_or(Value::Null, |at| Value::of_json(items.swap_remove(at))))
            }
            (Value::Json(_), index_value) => self.wrong(index, &index_value, "index of it"),
            (other, _) => self.wrong(inner, &other, "list and no table"),
        }
    }

    fn negated(&self, inner: &'a Node) -> Evaluated<'a> {
        match self.value(inner)? {
            Value::Null => Ok(Value::Null),
            Value::Integer(whole) => {
                Ok(whole.checked_neg().map_or(Value::Float(-(whole as f64)), Value::Integer))
            }
            Value::Float(float) => Ok(Value::Float(-float)),
            other => self.wrong(inner, &other, "number"),
        }
    }

    fn compare(
        &self,
        comparison: Comparison,
        left: &'a Node,
        right: &'a Node,
        whole: &Node,
    ) -> Result<bool, Trouble> {
        let (one, other) = (self.value(left)?, self.value(right)?);
        if matches!(one, Value::Null) || matches!(other, Value::Null) {
            return Ok(false);
        }
        let differ = || {
            let why = format!("{} cannot be compared with {}", shown(&one), shown(&other));
            self.trouble(whole, &(why + convert(&one, &other)))
        };
        if let Comparison::Equal | Comparison::NotEqual = comparison {
            let Some(equal) = one.equals(&other) else { return differ() };
            return Ok(equal == (comparison == Comparison::Equal));
        }
        let has_order = |value: &Value<'_>| matches!(value.of(), Type::Number | Type::String);
        let Some(order) = one.compare(&other).filter(|_| has_order(&one)) else { return differ() };
        Ok(match comparison {
            Comparison::Less => order.is_lt(),
            Comparison::LessOrEqual => order.is_le(),
            Comparison::Greater => order.is_gt(),
            _ => order.is_ge(),
        })
    }

    fn is_in(&self, left: &'a Node, right: &'a Node) -> Result<bool, Trouble> {
        let wanted = self.value(left)?;
        if matches!(wanted, Value::Null) {
            return Ok(false);
        }
        // Nearly always a list as it stands: no list is made for it.
        if let Kind::List(items) = &right.kind {
            for item in items {
                if wanted.equals(&self.value(item)?) == Some(true) {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        match (self.value(right)?, &wanted) {
            (Value::Null, _) => Ok(false),
            (Value::Json(serde_json::Value::Array(items)), _) => {
                Ok(items.into_iter().any(|item| wanted.equals(&Value::of_json(item)) == Some(true)))
            }
            (Value::Json(serde_json::Value::Object(fields)), Value::Text(name)) => {
                Ok(fields.contains_key(name.as_ref()))
            }
            (other, _) => self.wrong(right, &other, "list"),
        }
    }

    fn compute(&self, operator: Operator, left: &'a Node, right: &'a Node) -> Evaluated<'a> {
        let (one, other) = (self.value(left)?, self.value(right)?);
        match (one, other) {
            (Value::Null, _) | (_, Value::Null) => Ok(Value::Null),
            (Value::Text(one), Value::Text(other)) if operator == Operator::Add => {
                Ok(Value::Text(Cow::Owned(one.into_owned() + &other)))
            }
            (one, other) => {
                let wanted = if operator == Operator::Add { "number and no string" } else { "number" };
                let Some(first) = one.as_f64() else { return self.wrong(left, &one, wanted) };
                let Some(second) = other.as_f64() else { return self.wrong(right, &other, wanted) };
                let whole = match (&one, &other) {
                    (Value::Integer(one), Value::Integer(other)) => exact(operator, *one, *other),
                    _ => None,
                };
                Ok(whole.map_or_else(|| Value::float(rounded(operator, first, second)), Value::Integer))
            }
        }
    }

    /// A string, if it is there.
    fn text(&self, node: &'a Node) -> Result<Option<Cow<'a, str>>, Trouble> {
        match self.value(node)? {
            Value::Null => Ok(None),
            Value::Text(text) => Ok(Some(text)),
            other => {
                let why =
                    format!("{} is no string{}", shown(&other), convert(&other, &Value::Text("".into())));
                self.trouble(node, &why)
            }
        }
    }

    fn call(&self, function: Function, arguments: &'a [Node]) -> Evaluated<'a> {
        let [first, rest @ ..] = arguments else { return Ok(Value::Null) };
        match function {
            Function::Has => Ok(Value::Bool(!matches!(self.value(first)?, Value::Null))),
            Function::Size => self.size(first),
            Function::Double | Function::Int | Function::String => {
                Ok(converted(function, self.value(first)?).map_or(Value::Null, |value| value))
            }
            Function::LowerAscii | Function::UpperAscii | Function::Trim => {
                let text = self.text(first)?;
                Ok(text.map_or(Value::Null, |text| Value::Text(changed(function, text))))
            }
            Function::StartsWith | Function::EndsWith | Function::Contains | Function::Matches => {
                let Some(second) = rest.first() else { return Ok(Value::Null) };
                let (Some(text), Some(part)) = (self.text(first)?, self.text(second)?) else {
                    return Ok(Value::Bool(false));
                };
                Ok(Value::Bool(match function {
                    Function::StartsWith => text.starts_with(part.as_ref()),
                    Function::EndsWith => text.ends_with(part.as_ref()),
                    _ => text.contains(part.as_ref()),
                }))
            }
        }
    }

    fn size(&self, node: &'a Node) -> Evaluated<'a> {
        let size = match self.value(node)? {
            Value::Null => return Ok(Value::Null),
            Value::Text(text) => text.chars().count(),
            Value::Bytes(bytes) => bytes.len(),
            Value::Json(serde_json::Value::Array(items)) => items.len(),
            Value::Json(serde_json::Value::Object(fields)) => fields.len(),
            other => return self.wrong(node, &other, "string, list or table"),
        };
        Ok(Value::Integer(i64::try_from(size).unwrap_or(i64::MAX)))
    }
}

/// The result where it is a whole number that fits: large ids stay exact.
fn exact(operator: Operator, one: i64, other: i64) -> Option<i64> {
    match operator {
        Operator::Add => one.checked_add(other),
        Operator::Subtract => one.checked_sub(other),
        Operator::Multiply => one.checked_mul(other),
        Operator::Remainder => one.checked_rem(other),
        Operator::Divide => {
            one.checked_rem(other).filter(|rest| *rest == 0).and_then(|_| one.checked_div(other))
        }
    }
}

fn rounded(operator: Operator, one: f64, other: f64) -> f64 {
    match operator {
        Operator::Add => one + other,
        Operator::Subtract => one - other,
        Operator::Multiply => one * other,
        Operator::Divide => one / other,
        Operator::Remainder => one % other,
    }
}

fn changed(function: Function, text: Cow<'_, str>) -> Cow<'_, str> {
    match (function, text) {
        (Function::Trim, Cow::Borrowed(text)) => Cow::Borrowed(text.trim()),
        (Function::Trim, Cow::Owned(text)) => Cow::Owned(text.trim().to_owned()),
        (Function::LowerAscii, text) => Cow::Owned(text.to_ascii_lowercase()),
        (_, text) => Cow::Owned(text.to_ascii_uppercase()),
    }
}

/// A scalar as one of another type; `None` if it has no such form.
fn converted(function: Function, value: Value<'_>) -> Option<Value<'_>> {
    if function == Function::String {
        return Some(match value {
            Value::Integer(whole) => Value::Text(Cow::Owned(whole.to_string())),
            Value::Float(float) => Value::Text(Cow::Owned(float.to_string())),
            Value::Bool(value) => Value::Text(Cow::Borrowed(if value { "true" } else { "false" })),
            Value::Json(json) => Value::Text(Cow::Owned(json.to_string())),
            Value::Text(text) => Value::Text(text),
            Value::Null | Value::Bytes(_) => return None,
        });
    }
    let number = match value {
        Value::Text(text) => {
            let text = text.trim();
            match text.parse() {
                Ok(whole) => Value::Integer(whole),
                Err(_) => Value::float(text.parse().ok()?),
            }
        }
        Value::Bool(value) => Value::Integer(value.into()),
        number @ (Value::Integer(_) | Value::Float(_)) => number,
        Value::Null | Value::Bytes(_) | Value::Json(_) => return None,
    };
    match number {
        Value::Float(float) if function == Function::Int => Some(whole(float.trunc())),
        other => Some(other),
    }
}

/// A number without fraction, exact where it fits.
fn whole(float: f64) -> Value<'static> {
    // 2^63 is the first that does not fit, and a float itself.
    const BOUND: f64 = 9_223_372_036_854_775_808.0;
    if (-BOUND..BOUND).contains(&float) {
        #[expect(clippy::cast_possible_truncation, reason = "it has no fraction and fits")]
        return Value::Integer(float as i64);
    }
    Value::float(float)
}

fn to_json(value: Value<'_>) -> serde_json::Value {
    match value {
        Value::Null | Value::Bytes(_) => serde_json::Value::Null,
        Value::Bool(value) => value.into(),
        Value::Integer(value) => value.into(),
        Value::Float(value) => value.into(),
        Value::Text(text) => text.into_owned().into(),
        Value::Json(json) => json,
    }
}

/// How two values could be made comparable, to go on after a message.
fn convert(one: &Value<'_>, other: &Value<'_>) -> &'static str {
    match (one.of(), other.of()) {
        (Type::String, Type::Number) | (Type::Number, Type::String) => {
            "; `double(…)` and `string(…)` make one what the other is"
        }
        _ => "",
    }
}

/// A value in a message: its type, and a string as it begins.
fn shown(value: &Value<'_>) -> String {
    const MOST: usize = 40;
    match value {
        Value::Text(text) if text.chars().count() <= MOST => format!("the string {text:?}"),
        Value::Text(text) => format!("the string {:?}…", text.chars().take(MOST).collect::<String>()),
        Value::Integer(whole) => format!("the number {whole}"),
        Value::Float(float) => format!("the number {float}"),
        Value::Bool(value) => format!("`{value}`"),
        other => other.of().to_string(),
    }
}
