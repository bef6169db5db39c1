//! One value of a column, as metadata knows values.

use std::fmt::Debug;

use arrow_array::cast::AsArray;
use arrow_array::temporal_conversions as temporal;
use arrow_array::types::{
    Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, Float16Type,
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, Time32MillisecondType,
    Time32SecondType, Time64MicrosecondType, Time64NanosecondType, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, StructArray};
use arrow_schema::{DataType, TimeUnit};
use base64::Engine;
use tamis_plugin::{ValueRef, push_json};

/// A value of a column, borrowed where its form allows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell<'a> {
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Str(&'a str),
    Bytes(&'a [u8]),
    /// A date, a time, a decimal number, or binary data as Base64.
    Owned(String),
    /// A nested value, or a number beyond `i64`.
    Json(String),
}

impl Cell<'_> {
    /// The value for metadata; bytes must have been made text.
    pub(crate) fn as_value(&self) -> ValueRef<'_> {
        match self {
            Self::Null | Self::Bytes(_) => ValueRef::Null,
            Self::Bool(value) => ValueRef::Bool(*value),
            Self::Integer(value) => ValueRef::Integer(*value),
            Self::Float(value) => ValueRef::Float(*value),
            Self::Str(text) => ValueRef::String(text),
            Self::Owned(text) => ValueRef::String(text),
            Self::Json(text) => ValueRef::Json(text),
        }
    }

    /// With bytes as Base64, for where there are only strings.
    pub(crate) fn without_bytes(self) -> Self {
        match self {
            Self::Bytes(bytes) => Self::Owned(base64::engine::general_purpose::STANDARD.encode(bytes)),
            other => other,
        }
    }
}

/// The value of `array` at `row`.
///
/// # Errors
///
/// When the type of the column has no counterpart, such as an interval.
pub(crate) fn cell(array: &dyn Array, row: usize) -> Result<Cell<'_>, String> {
    if row >= array.len() {
        return Err(format!("there is no value at {row}: the column has {}", array.len()));
    }
    if array.is_null(row) {
        return Ok(Cell::Null);
    }
    macro_rules! at {
        ($type:ty) => {
            array.as_primitive::<$type>().value(row)
        };
    }
    Ok(match array.data_type() {
        DataType::Null => Cell::Null,
        DataType::Boolean => Cell::Bool(array.as_boolean().value(row)),
        DataType::Int8 => Cell::Integer(at!(Int8Type).into()),
        DataType::Int16 => Cell::Integer(at!(Int16Type).into()),
        DataType::Int32 => Cell::Integer(at!(Int32Type).into()),
        DataType::Int64 => Cell::Integer(at!(Int64Type)),
        DataType::UInt8 => Cell::Integer(at!(UInt8Type).into()),
        DataType::UInt16 => Cell::Integer(at!(UInt16Type).into()),
        DataType::UInt32 => Cell::Integer(at!(UInt32Type).into()),
        DataType::UInt64 => {
            let value = at!(UInt64Type);
            i64::try_from(value).map_or_else(|_| Cell::Json(value.to_string()), Cell::Integer)
        }
        DataType::Float16 => short_float(at!(Float16Type).to_f32()),
        DataType::Float32 => short_float(at!(Float32Type)),
        DataType::Float64 => float(at!(Float64Type)),
        DataType::Utf8 => Cell::Str(array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => Cell::Str(array.as_string::<i64>().value(row)),
        DataType::Utf8View => Cell::Str(array.as_string_view().value(row)),
        DataType::Binary => Cell::Bytes(array.as_binary::<i32>().value(row)),
        DataType::LargeBinary => Cell::Bytes(array.as_binary::<i64>().value(row)),
        DataType::BinaryView => Cell::Bytes(array.as_binary_view().value(row)),
        DataType::FixedSizeBinary(_) => Cell::Bytes(array.as_fixed_size_binary().value(row)),
        DataType::Decimal32(..) => Cell::Owned(array.as_primitive::<Decimal32Type>().value_as_string(row)),
        DataType::Decimal64(..) => Cell::Owned(array.as_primitive::<Decimal64Type>().value_as_string(row)),
        DataType::Decimal128(..) => Cell::Owned(array.as_primitive::<Decimal128Type>().value_as_string(row)),
        DataType::Decimal256(..) => Cell::Owned(array.as_primitive::<Decimal256Type>().value_as_string(row)),
        DataType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            let key = match cell(dictionary.keys(), row)? {
                Cell::Integer(key) => usize::try_from(key).map_err(|_| format!("dictionary key {key}"))?,
                _ => return Err("a dictionary key that is no number".to_owned()),
            };
            return cell(dictionary.values().as_ref(), key);
        }
        DataType::List(_)
        | DataType::LargeList(_)
        | DataType::FixedSizeList(..)
        | DataType::Struct(_)
        | DataType::Map(..) => {
            let mut json = String::new();
            push_cell(array, row, &mut json)?;
            Cell::Json(json)
        }
        _ => return moment(array, row),
    })
}

/// A date or a time, in the forms of ISO 8601; one beyond the calendar stays the number that it is.
fn moment(array: &dyn Array, row: usize) -> Result<Cell<'_>, String> {
    macro_rules! iso {
        ($type:ty, $convert:path, $zone:expr) => {{
            let value = array.as_primitive::<$type>().value(row);
            iso($convert(value), value.into(), $zone)
        }};
    }
    let zone = |zone: &Option<std::sync::Arc<str>>| if zone.is_some() { "Z" } else { "" };
    Ok(match array.data_type() {
        DataType::Date32 => {
            let value = array.as_primitive::<Date32Type>().value(row);
            iso(temporal::date32_to_datetime(value).map(|moment| moment.date()), value.into(), "")
        }
        DataType::Date64 => {
            let value = array.as_primitive::<Date64Type>().value(row);
            iso(temporal::date64_to_datetime(value).map(|moment| moment.date()), value, "")
        }
        DataType::Timestamp(TimeUnit::Second, tz) => {
            iso!(TimestampSecondType, temporal::timestamp_s_to_datetime, zone(tz))
        }
        DataType::Timestamp(TimeUnit::Millisecond, tz) => {
            iso!(TimestampMillisecondType, temporal::timestamp_ms_to_datetime, zone(tz))
        }
        DataType::Timestamp(TimeUnit::Microsecond, tz) => {
            iso!(TimestampMicrosecondType, temporal::timestamp_us_to_datetime, zone(tz))
        }
        DataType::Timestamp(TimeUnit::Nanosecond, tz) => {
            iso!(TimestampNanosecondType, temporal::timestamp_ns_to_datetime, zone(tz))
        }
        DataType::Time32(TimeUnit::Second) => iso!(Time32SecondType, temporal::time32s_to_time, ""),
        DataType::Time32(TimeUnit::Millisecond) => {
            iso!(Time32MillisecondType, temporal::time32ms_to_time, "")
        }
        DataType::Time64(TimeUnit::Microsecond) => {
            iso!(Time64MicrosecondType, temporal::time64us_to_time, "")
        }
        DataType::Time64(TimeUnit::Nanosecond) => iso!(Time64NanosecondType, temporal::time64ns_to_time, ""),
        other => return Err(format!("values of type {other} have no counterpart in metadata")),
    })
}

/// The calendar's own `Debug` form is that of ISO 8601, with the `T`.
fn iso(moment: Option<impl Debug>, number: i64, zone: &str) -> Cell<'static> {
    moment.map_or(Cell::Integer(number), |moment| Cell::Owned(format!("{moment:?}{zone}")))
}

/// Not a number and infinities have no JSON form; they read as null.
fn float(value: f64) -> Cell<'static> {
    if value.is_finite() { Cell::Float(value) } else { Cell::Null }
}

/// A short float with the digits that it is written with, not with those of its nearest long one.
fn short_float(value: f32) -> Cell<'static> {
    value.to_string().parse().map_or(Cell::Null, float)
}

fn push_cell(array: &dyn Array, row: usize, out: &mut String) -> Result<(), String> {
    if array.is_null(row) {
        out.push_str("null");
        return Ok(());
    }
    match array.data_type() {
        DataType::List(_) => push_list(array.as_list::<i32>().value(row).as_ref(), out),
        DataType::LargeList(_) => push_list(array.as_list::<i64>().value(row).as_ref(), out),
        DataType::FixedSizeList(..) => push_list(array.as_fixed_size_list().value(row).as_ref(), out),
        DataType::Struct(_) => push_struct(array.as_struct(), row, out),
        DataType::Map(..) => push_map(&array.as_map().value(row), out),
        _ => {
            let cell = cell(array, row)?.without_bytes();
            push_json(cell.as_value(), out);
            Ok(())
        }
    }
}

fn push_list(values: &dyn Array, out: &mut String) -> Result<(), String> {
    out.push('[');
    for row in 0..values.len() {
        if row > 0 {
            out.push(',');
        }
        push_cell(values, row, out)?;
    }
    out.push(']');
    Ok(())
}

fn push_struct(fields: &StructArray, row: usize, out: &mut String) -> Result<(), String> {
    out.push('{');
    for (index, (field, values)) in fields.fields().iter().zip(fields.columns()).enumerate() {
        if index > 0 {
            out.push(',');
        }
        push_json(ValueRef::String(field.name()), out);
        out.push(':');
        push_cell(values.as_ref(), row, out)?;
    }
    out.push('}');
    Ok(())
}

/// A map is an object; keys that are no strings are written as such.
fn push_map(entries: &StructArray, out: &mut String) -> Result<(), String> {
    let [keys, values] = entries.columns() else { return Err("a map without keys and values".to_owned()) };
    out.push('{');
    for row in 0..entries.len() {
        if row > 0 {
            out.push(',');
        }
        match cell(keys.as_ref(), row)?.without_bytes().as_value() {
            ValueRef::String(key) => push_json(ValueRef::String(key), out),
            other => {
                let mut key = String::new();
                push_json(other, &mut key);
                push_json(ValueRef::String(&key), out);
            }
        }
        out.push(':');
        push_cell(values.as_ref(), row, out)?;
    }
    out.push('}');
    Ok(())
}
