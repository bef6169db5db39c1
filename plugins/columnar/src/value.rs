//! One value of a column, as metadata knows values.

use std::fmt::Debug;

use arrow_array::cast::AsArray;
use arrow_array::temporal_conversions as temporal;
use arrow_array::types::{
    Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type,
    DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType, DurationSecondType,
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, IntervalDayTimeType,
    IntervalMonthDayNanoType, IntervalYearMonthType, RunEndIndexType, Time32MillisecondType,
    Time32SecondType, Time64MicrosecondType, Time64NanosecondType, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, StructArray, UnionArray};
use arrow_schema::{DataType, IntervalUnit, TimeUnit};
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
    /// A date, a time, a span of time, a decimal number, or binary data as Base64.
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
/// When the file is damaged: a number points to no value.
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
        DataType::Dictionary(..) | DataType::RunEndEncoded(..) | DataType::Union(..) => {
            return match behind(array, row)? {
                Some((values, row)) => cell(values, row),
                None => Ok(Cell::Null),
            };
        }
        DataType::List(_)
        | DataType::LargeList(_)
        | DataType::ListView(_)
        | DataType::LargeListView(_)
        | DataType::FixedSizeList(..)
        | DataType::Struct(_)
        | DataType::Map(..) => {
            let mut json = String::new();
            push_cell(array, row, &mut json)?;
            Cell::Json(json)
        }
        DataType::Date32
        | DataType::Date64
        | DataType::Time32(_)
        | DataType::Time64(_)
        | DataType::Timestamp(..)
        | DataType::Duration(_)
        | DataType::Interval(_) => return moment(array, row),
    })
}

/// Where the value of a row is that other arrays hold: in a dictionary, a run, or a member of a union.
///
/// # Errors
///
/// When the file is damaged: a number points to no value.
fn behind(array: &dyn Array, row: usize) -> Result<Option<(&dyn Array, usize)>, String> {
    fn in_run<K: RunEndIndexType>(array: &dyn Array, row: usize) -> (&dyn Array, usize) {
        let runs = array.as_run::<K>();
        (runs.values().as_ref(), runs.get_physical_index(row))
    }
    Ok(Some(match array.data_type() {
        DataType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            match cell(dictionary.keys(), row)? {
                Cell::Null => return Ok(None),
                Cell::Integer(key) => {
                    let key = usize::try_from(key).map_err(|_| format!("dictionary key {key}"))?;
                    (dictionary.values().as_ref(), key)
                }
                _ => return Err("a dictionary key that is no number".to_owned()),
            }
        }
        DataType::RunEndEncoded(ends, _) => match ends.data_type() {
            DataType::Int16 => in_run::<Int16Type>(array, row),
            DataType::Int32 => in_run::<Int32Type>(array, row),
            _ => in_run::<Int64Type>(array, row),
        },
        DataType::Union(..) => {
            let union = array.as_union();
            (member(union, row)?, union.value_offset(row))
        }
        _ => (array, row),
    }))
}

/// The member of a union that holds the value of a row.
fn member(union: &UnionArray, row: usize) -> Result<&dyn Array, String> {
    let number = union.type_id(row);
    match union.data_type() {
        DataType::Union(members, _) if members.iter().any(|(known, _)| known == number) => {
            Ok(union.child(number).as_ref())
        }
        _ => Err(format!("a union without a member {number}")),
    }
}

/// A date, a time or a span of time, in the forms of ISO 8601; one beyond the calendar stays the number that it is.
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
        DataType::Duration(unit) => {
            let (value, n_a_second) = match unit {
                TimeUnit::Second => (array.as_primitive::<DurationSecondType>().value(row), 1),
                TimeUnit::Millisecond => (array.as_primitive::<DurationMillisecondType>().value(row), 1000),
                TimeUnit::Microsecond => {
                    (array.as_primitive::<DurationMicrosecondType>().value(row), 1_000_000)
                }
                TimeUnit::Nanosecond => {
                    (array.as_primitive::<DurationNanosecondType>().value(row), 1_000_000_000)
                }
            };
            Cell::Owned(span(0, 0, i128::from(value) * (1_000_000_000 / n_a_second)))
        }
        DataType::Interval(IntervalUnit::YearMonth) => {
            Cell::Owned(span(array.as_primitive::<IntervalYearMonthType>().value(row), 0, 0))
        }
        DataType::Interval(IntervalUnit::DayTime) => {
            let value = array.as_primitive::<IntervalDayTimeType>().value(row);
            Cell::Owned(span(0, value.days, i128::from(value.milliseconds) * 1_000_000))
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            let value = array.as_primitive::<IntervalMonthDayNanoType>().value(row);
            Cell::Owned(span(value.months, value.days, value.nanoseconds.into()))
        }
        other => return Err(format!("values of type {other} are no times")),
    })
}

/// A span of time in the form of ISO 8601, such as `P1Y2M3DT4.5S`: part by part, each with its sign, because a
/// month has no number of days and a day no number of seconds.
fn span(months: i32, days: i32, nanoseconds: i128) -> String {
    let mut out = "P".to_owned();
    let (years, months) = (months / 12, months % 12);
    for (number, unit) in [(years, 'Y'), (months, 'M'), (days, 'D')] {
        if number != 0 {
            out += &format!("{number}{unit}");
        }
    }
    if nanoseconds != 0 || out == "P" {
        let sign = if nanoseconds < 0 { "-" } else { "" };
        let (seconds, rest) = (nanoseconds.abs() / 1_000_000_000, nanoseconds.abs() % 1_000_000_000);
        let fraction = if rest == 0 { String::new() } else { format!(".{rest:09}") };
        out += &format!("T{sign}{seconds}{}S", fraction.trim_end_matches('0'));
    }
    out
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
        DataType::ListView(_) => push_list(array.as_list_view::<i32>().value(row).as_ref(), out),
        DataType::LargeListView(_) => push_list(array.as_list_view::<i64>().value(row).as_ref(), out),
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

/// Bytes that the value of `array` at `row` takes, wherever it is stored and in how many rows it stands.
pub(crate) fn size(array: &dyn Array, row: usize) -> u64 {
    /// What a number takes, or what stands around an item of a list.
    const SCALAR: u64 = 8;
    let sum = |values: &dyn Array| {
        (0..values.len())
            .fold(SCALAR, |sum, row| sum.saturating_add(SCALAR).saturating_add(size(values, row)))
    };
    if row >= array.len() || array.is_null(row) {
        return 0;
    }
    match array.data_type() {
        DataType::Null => 0,
        DataType::Utf8 => array.as_string::<i32>().value(row).len() as u64,
        DataType::LargeUtf8 => array.as_string::<i64>().value(row).len() as u64,
        DataType::Utf8View => array.as_string_view().value(row).len() as u64,
        DataType::Binary => array.as_binary::<i32>().value(row).len() as u64,
        DataType::LargeBinary => array.as_binary::<i64>().value(row).len() as u64,
        DataType::BinaryView => array.as_binary_view().value(row).len() as u64,
        DataType::FixedSizeBinary(length) => u64::from(length.unsigned_abs()),
        DataType::Dictionary(..) | DataType::RunEndEncoded(..) | DataType::Union(..) => {
            // Damage is told by whoever reads the value.
            behind(array, row).ok().flatten().map_or(0, |(values, row)| size(values, row))
        }
        DataType::List(_) => sum(array.as_list::<i32>().value(row).as_ref()),
        DataType::LargeList(_) => sum(array.as_list::<i64>().value(row).as_ref()),
        DataType::ListView(_) => sum(array.as_list_view::<i32>().value(row).as_ref()),
        DataType::LargeListView(_) => sum(array.as_list_view::<i64>().value(row).as_ref()),
        DataType::FixedSizeList(..) => sum(array.as_fixed_size_list().value(row).as_ref()),
        DataType::Map(..) => sum(&array.as_map().value(row)),
        DataType::Struct(fields) => {
            let members = fields.iter().zip(array.as_struct().columns());
            members.fold(SCALAR, |sum, (field, values)| {
                sum.saturating_add(field.name().len() as u64 + SCALAR)
                    .saturating_add(size(values.as_ref(), row))
            })
        }
        _ => SCALAR,
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
