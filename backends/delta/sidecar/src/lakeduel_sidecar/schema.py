"""lakeduel's column types in Arrow, and which types a staged column may be cast from."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from deltalake import Schema as DeltaSchema

from .errors import SidecarError
from .wire import Column, Json

SCALARS: dict[str, pa.DataType] = {
    "bool": pa.bool_(),
    "int8": pa.int8(),
    "int16": pa.int16(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "float32": pa.float32(),
    "float64": pa.float64(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "timestamptz": pa.timestamp("us", tz="UTC"),
    "string": pa.string(),
    "json": pa.string(),
    "binary": pa.binary(),
}
KINDS = {kind_type: kind for kind, kind_type in SCALARS.items() if kind != "json"}


def arrow_type(lake_type: Json) -> pa.DataType:
    kind = lake_type.get("kind")
    if kind == "decimal":
        return pa.decimal128(lake_type["precision"], lake_type["scale"])
    if kind == "list":
        return pa.list_(pa.field("element", arrow_type(lake_type["element"])))
    if kind == "struct":
        fields = lake_type["fields"]
        return pa.struct([pa.field(f["name"], arrow_type(f["type"]), f["nullable"]) for f in fields])
    if kind not in SCALARS:
        raise SidecarError("USAGE", f'there is no column type "{kind}"', kind=kind)
    return SCALARS[kind]


def arrow_field(column: Column) -> pa.Field:
    return pa.field(column.name, arrow_type(column.type), column.nullable)


def lake_type_of(stored: pa.DataType) -> dict[str, Any]:
    """The type as JSON. JSON text comes back as a string, since Delta knows no difference."""
    if pa.types.is_decimal(stored):
        return {"kind": "decimal", "precision": stored.precision, "scale": stored.scale}
    if pa.types.is_list(stored) or pa.types.is_large_list(stored):
        return {"kind": "list", "element": lake_type_of(stored.value_type)}
    if pa.types.is_struct(stored):
        fields = [{"name": f.name, "type": lake_type_of(f.type), "nullable": f.nullable} for f in stored]
        return {"kind": "struct", "fields": fields}
    if stored not in KINDS:
        raise SidecarError("SCHEMA_MISMATCH", f"lakeduel has no column type for {stored}", type=str(stored))
    return {"kind": KINDS[stored]}


def stored_schema(delta: DeltaSchema) -> pa.Schema:
    return pa.schema(delta.to_arrow())


def widens(source: pa.DataType, target: pa.DataType) -> bool:
    """Whether every value of `source` can be cast to `target`: a narrower or unsigned number, another form of text."""
    types = pa.types
    if source == target or types.is_null(source):
        return True
    if isinstance(source, pa.BaseExtensionType):
        return widens(source.storage_type, target)
    if types.is_dictionary(source):
        return widens(source.value_type, target)
    if types.is_struct(target):
        return types.is_struct(source) and struct_widens(source, target)
    if types.is_list(target):
        lists = types.is_list(source) or types.is_large_list(source)
        return lists and widens(source.value_type, target.value_type)
    return scalar_widens(source, target)


def struct_widens(source: pa.StructType, target: pa.StructType) -> bool:
    names = [f.name for f in source]
    return names == [f.name for f in target] and all(
        widens(source.field(name).type, target.field(name).type) for name in names
    )


def scalar_widens(source: pa.DataType, target: pa.DataType) -> bool:
    types = pa.types
    if types.is_integer(source):
        return integer_widens(source, target)
    if types.is_decimal(source) and types.is_decimal(target):
        whole_digits = source.precision - source.scale <= target.precision - target.scale
        return bool(whole_digits and source.scale <= target.scale)
    if types.is_floating(source) and types.is_floating(target):
        return bool(source.bit_width <= target.bit_width)
    if types.is_timestamp(source) and types.is_timestamp(target):
        return (source.tz is None) == (target.tz is None)
    text = types.is_large_string(source) or types.is_string_view(source)
    binary = types.is_large_binary(source) or types.is_binary_view(source) or types.is_fixed_size_binary(source)
    return bool((text and types.is_string(target)) or (binary and types.is_binary(target)))


def integer_widens(source: pa.DataType, target: pa.DataType) -> bool:
    bits = int(source.bit_width) + (1 if pa.types.is_unsigned_integer(source) else 0)
    if pa.types.is_integer(target):
        return bool(bits <= target.bit_width)
    if pa.types.is_decimal(target):
        return bool(len(str(2 ** (bits - 1))) <= target.precision - target.scale)
    # A float32 holds 24 bits of a whole number exactly, a float64 53.
    return bool(pa.types.is_floating(target) and bits <= target.bit_width // 2)
