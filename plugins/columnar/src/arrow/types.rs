//! One column of each type: none may cost the row.

use std::sync::Arc;

use arrow_array::builder::{FixedSizeListBuilder, Int32Builder, MapBuilder, StringBuilder, UnionBuilder};
use arrow_array::types::{Float64Type, Int32Type, IntervalDayTime, IntervalMonthDayNano};
use arrow_array::{
    Array, ArrayRef, BinaryArray, BinaryViewArray, BooleanArray, Date32Array, Date64Array, Decimal32Array,
    Decimal64Array, Decimal128Array, Decimal256Array, DictionaryArray, DurationMicrosecondArray,
    DurationMillisecondArray, DurationNanosecondArray, DurationSecondArray, FixedSizeBinaryArray,
    Float16Array, Float32Array, Float64Array, Int8Array, Int16Array, Int32Array, Int64Array,
    IntervalDayTimeArray, IntervalMonthDayNanoArray, IntervalYearMonthArray, LargeBinaryArray,
    LargeListArray, LargeListViewArray, LargeStringArray, ListArray, ListViewArray, NullArray, RecordBatch,
    RunArray, StringArray, StringViewArray, StructArray, Time32MillisecondArray, Time32SecondArray,
    Time64MicrosecondArray, Time64NanosecondArray, TimestampMicrosecondArray, TimestampNanosecondArray,
    TimestampSecondArray, UInt8Array, UInt16Array, UInt32Array, UInt64Array,
};
use arrow_ipc::writer::IpcWriteOptions;
use arrow_schema::{DataType, Field, TimeUnit};

use super::tests::{read_all, stream};

/// A column of one row, and the JSON that its value becomes.
type Column = (ArrayRef, &'static str);

fn one<A: Array + 'static>(array: A) -> ArrayRef {
    Arc::new(array)
}

fn int(value: i32) -> ArrayRef {
    one(Int32Array::from(vec![value]))
}

fn plain() -> Vec<Column> {
    vec![
        (one(NullArray::new(1)), "null"),
        (one(BooleanArray::from(vec![true])), "true"),
        (one(Int8Array::from(vec![-1])), "-1"),
        (one(Int16Array::from(vec![-2])), "-2"),
        (int(-3), "-3"),
        (one(Int64Array::from(vec![-4])), "-4"),
        (one(UInt8Array::from(vec![1])), "1"),
        (one(UInt16Array::from(vec![2])), "2"),
        (one(UInt32Array::from(vec![3])), "3"),
        (one(UInt64Array::from(vec![u64::MAX])), "18446744073709551615"),
        (one(Float16Array::new(arrow_buffer::Buffer::from_vec(vec![0x3C00_u16]).into(), None)), "1.0"),
        (one(Float32Array::from(vec![0.1])), "0.1"),
        (one(Float64Array::from(vec![f64::INFINITY])), "null"),
        (one(StringArray::from(vec!["a"])), r#""a""#),
        (one(LargeStringArray::from(vec!["a"])), r#""a""#),
        (one(StringViewArray::from(vec!["a"])), r#""a""#),
        (one(BinaryArray::from(vec![[0xFF].as_slice()])), r#""/w==""#),
        (one(LargeBinaryArray::from(vec![[0xFF].as_slice()])), r#""/w==""#),
        (one(BinaryViewArray::from(vec![[0xFF].as_slice()])), r#""/w==""#),
        (one(FixedSizeBinaryArray::try_from_iter([[0xFF_u8]].into_iter()).expect("bytes")), r#""/w==""#),
        (
            one(Decimal32Array::from(vec![-123]).with_precision_and_scale(9, 2).expect("a scale")),
            r#""-1.23""#,
        ),
        (one(Decimal64Array::from(vec![123]).with_precision_and_scale(9, 2).expect("a scale")), r#""1.23""#),
        (one(Decimal128Array::from(vec![123]).with_precision_and_scale(9, 2).expect("a scale")), r#""1.23""#),
        (
            one(Decimal256Array::from(vec![arrow_buffer::i256::from(123)])
                .with_precision_and_scale(9, 2)
                .expect("a scale")),
            r#""1.23""#,
        ),
    ]
}

fn times() -> Vec<Column> {
    vec![
        (one(Date32Array::from(vec![19_783])), r#""2024-03-01""#),
        (one(Date64Array::from(vec![19_783 * 86_400_000])), r#""2024-03-01""#),
        (one(Time32SecondArray::from(vec![61])), r#""00:01:01""#),
        (one(Time32MillisecondArray::from(vec![61_500])), r#""00:01:01.500""#),
        (one(Time64MicrosecondArray::from(vec![61_000_001])), r#""00:01:01.000001""#),
        (one(Time64NanosecondArray::from(vec![61_000_000_001])), r#""00:01:01.000000001""#),
        (one(TimestampSecondArray::from(vec![0])), r#""1970-01-01T00:00:00""#),
        (one(TimestampMicrosecondArray::from(vec![1])), r#""1970-01-01T00:00:00.000001""#),
        (
            one(TimestampNanosecondArray::from(vec![1]).with_timezone("+08:00")),
            r#""1970-01-01T00:00:00.000000001Z""#,
        ),
        (one(DurationSecondArray::from(vec![90])), r#""PT90S""#),
        (one(DurationMillisecondArray::from(vec![-1500])), r#""PT-1.5S""#),
        (one(DurationMicrosecondArray::from(vec![0])), r#""PT0S""#),
        (one(DurationNanosecondArray::from(vec![i64::MIN])), r#""PT-9223372036.854775808S""#),
        (one(IntervalYearMonthArray::from(vec![-14])), r#""P-1Y-2M""#),
        (one(IntervalDayTimeArray::from(vec![IntervalDayTime::new(1, -250)])), r#""P1DT-0.25S""#),
        (
            one(IntervalMonthDayNanoArray::from(vec![IntervalMonthDayNano::new(13, 2, 3_000_000_001)])),
            r#""P1Y1M2DT3.000000001S""#,
        ),
    ]
}

fn nested() -> Vec<Column> {
    let int_field = |name: &str| Arc::new(Field::new(name, DataType::Int32, true));
    let ends = |end: i32| Int32Array::from(vec![end]);
    let union = |mut builder: UnionBuilder| {
        builder.append::<Float64Type>("f", 1.5).expect("a member");
        builder.build().expect("a union")
    };
    let mut map = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
    map.keys().append_value("k");
    map.values().append_value(1);
    map.append(true).expect("one entry");
    let mut fixed_list = FixedSizeListBuilder::new(Int32Builder::new(), 2);
    fixed_list.values().append_slice(&[1, 2]);
    fixed_list.append(true);
    let (starts, lengths) = (vec![0_i32], vec![1_i32]);
    let list_view = ListViewArray::new(int_field("item"), starts.into(), lengths.into(), int(7), None);
    let (starts, lengths) = (vec![0_i64], vec![1_i64]);
    let large_list_view =
        LargeListViewArray::new(int_field("item"), starts.into(), lengths.into(), int(7), None);
    let members = StructArray::from(vec![
        (
            Arc::new(Field::new("d", DataType::Duration(TimeUnit::Second), true)),
            one(DurationSecondArray::from(vec![90])),
        ),
        (int_field("i"), int(1)),
    ]);
    vec![
        (one(["a"].into_iter().collect::<DictionaryArray<Int32Type>>()), r#""a""#),
        (one(RunArray::try_new(&ends(1), &StringArray::from(vec!["a"])).expect("a run")), r#""a""#),
        (one(union(UnionBuilder::new_dense())), "1.5"),
        (one(union(UnionBuilder::new_sparse())), "1.5"),
        (one(ListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1), None])])), "[1,null]"),
        (one(LargeListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1), None])])), "[1,null]"),
        (one(fixed_list.finish()), "[1,2]"),
        (one(list_view), "[7]"),
        (one(large_list_view), "[7]"),
        (one(map.finish()), r#"{"k":1}"#),
        (one(members), r#"{"d":"PT90S","i":1}"#),
    ]
}

#[test]
fn every_type_has_a_form() {
    let columns = [plain(), times(), nested()].concat();
    let names: Vec<_> = (0..columns.len()).map(|number| format!("c{number:02}")).collect();
    let mut all = vec![("text", one(StringArray::from(vec!["t"])))];
    all.extend(names.iter().zip(&columns).map(|(name, (values, _))| (name.as_str(), Arc::clone(values))));
    let batch = RecordBatch::try_from_iter(all).expect("columns of one length");
    let collected = read_all(stream(&[batch], IpcWriteOptions::default()));
    assert_eq!(collected.failed, []);
    let [document] = collected.documents.as_slice() else { panic!("{collected:?}") };
    for (name, (values, expected)) in names.iter().zip(&columns) {
        let value = document.metadata.get(name).expect("every column is there");
        let written = serde_json::to_string(value).expect("a value has a form in JSON");
        assert_eq!(written, *expected, "{}", values.data_type());
    }
}
