"""Declarations of layer types: tables of a json or TOML file become a ``LayerType``, with every fault named.

A param is a table, or in the registry's own files a row ``[id, name, type, default, meaning, {more fields}]``
whose end may be left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ncnnparam.errors import OpsError, did_you_mean
from ncnnparam.ops.arrays import KINDS, WeightSpec
from ncnnparam.ops.formula import CONSTANTS, WORDS, Formula, formula
from ncnnparam.ops.layer_type import ONE, Arity, LayerType
from ncnnparam.ops.params import COMMON_PARAMS, PARAM_TYPES, ParamSpec
from ncnnparam.ops.sizes import is_size

_FLT_MAX = (2.0 - 2.0**-23) * 2.0**127
_INT_MAX = CONSTANTS["INT_MAX"]
_FLOATS = {"FLT_MAX": _FLT_MAX, "-FLT_MAX": -_FLT_MAX}
_ROW = ("id", "name", "type", "default", "meaning")
_ABSENT: dict[str, Any] = {"int": 0, "float": 0.0, "array": [], "string": ""}
_DEFAULTS: dict[str, tuple[type, ...]] = {
    "int": (int, str),
    "float": (float, int, str),
    "array": (list,),
    "string": (str,),
}
_TYPE_FIELDS: dict[str, tuple[type, ...]] = {
    "summary": (str,),
    "inputs": (int, list),
    "outputs": (int, list),
    "one_blob_only": (bool,),
    "inplace": (bool,),
    "params": (list,),
    "terms": (dict,),
    "weights": (list,),
    "int8": (str,),
    "macs": (str, int),
}
_PARAM_FIELDS: dict[str, tuple[type, ...]] = {
    "id": (int,),
    "name": (str,),
    "type": (str,),
    "default": (int, float, str, list),
    "meaning": (str,),
    "values": (list, dict),
    "minimum": (int,),
    "maximum": (int,),
    "items": (str,),
    "requires": (list,),
    "int_bits": (bool,),
}
_WEIGHT_FIELDS: dict[str, tuple[type, ...]] = {
    "name": (str,),
    "kind": (str,),
    "shape": (list,),
    "count": (str, int),
    "when": (str,),
}
_WORDS = {
    bool: "true or false",
    dict: "a table",
    float: "a float",
    int: "an int",
    list: "a list",
    str: "a text",
}


class DeclarationError(OpsError):
    """A declaration that makes no sense.

    Attributes:
        word: A word of the declaration near the fault, to find the line by; or empty.
    """

    def __init__(self, message: str, word: str = "", *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.word = word


def layer_type(
    name: str,
    table: Mapping[str, Any],
    *,
    custom: bool,
    common: Mapping[str, Mapping[str, Any]] | None = None,
) -> LayerType:
    """The layer type that a table declares; ``check`` tells whether it makes sense.

    Args:
        name: The type's name.
        table: The fields of the declaration.
        custom: Whether the type is not ncnn's own.
        common: Fields of params that mean the same in many types, by name; with them a param may be a row.

    Raises:
        DeclarationError: A field is unknown, missing or of the wrong kind.
    """
    _check_fields(table, _TYPE_FIELDS, "type")
    one_blob_only = table.get("one_blob_only", False)
    usual = ONE if one_blob_only else Arity(0, None)
    return LayerType(
        name=name,
        params=tuple(_param(row, common) for row in table.get("params", ())),
        one_blob_only=one_blob_only,
        inplace=table.get("inplace", False),
        custom=custom,
        summary=table.get("summary", ""),
        inputs=_arity(table["inputs"], "inputs") if "inputs" in table else usual,
        outputs=_arity(table["outputs"], "outputs") if "outputs" in table else usual,
        terms={term: str(text) for term, text in table.get("terms", {}).items()},
        weights=tuple(_weight(fields) for fields in table.get("weights", ())),
        int8=table.get("int8", ""),
        macs=str(table.get("macs", "" if custom else 0)),
    )


def check(declared: LayerType) -> None:
    """Looks for what no table shows: ids and names used twice, formulas that cannot be computed.

    Raises:
        DeclarationError: The first fault found.
    """
    if not declared.name or len(declared.name.split()) != 1:
        raise DeclarationError(f"'{declared.name}' cannot be the name of a layer type: it has to be one word")
    _check_names(declared)
    integers = {spec.name for spec in declared.params if spec.type == "int"}
    measurable = {spec.name for spec in declared.params if spec.type in ("array", "string")}
    for spec in declared.params:
        _check_param(spec)
        if isinstance(spec.default, str) and spec.type != "string":
            _check_formula(declared, spec.default, spec.name, integers, measurable)
        for text in spec.requires:
            _check_formula(declared, text, spec.name, integers | set(declared.terms), measurable)
    _check_circles(declared)
    known = set(integers)
    for term, text in declared.terms.items():
        _check_formula(declared, text, term, known, measurable)
        known.add(term)
    for weight in declared.weights:
        for text in weight.formulas:
            _check_formula(declared, text, weight.name, known, measurable)
    for text in (declared.int8, declared.inputs.exact, declared.outputs.exact):
        if text:
            _check_formula(declared, text, text, known, measurable)
    if declared.macs:
        _check_macs(declared, known, measurable)


def _param(row: Any, common: Mapping[str, Mapping[str, Any]] | None) -> ParamSpec:
    fields = row if common is None else _fields_of_row(row, common)
    _check_fields(fields, _PARAM_FIELDS, "param", needed=("id", "name", "type"))
    name, kind = fields["name"], fields["type"]
    where = f"param '{name}'"
    if kind not in PARAM_TYPES:
        raise DeclarationError(f"{where}: type is one of {', '.join(PARAM_TYPES)}, not '{kind}'", name)
    if fields.get("items") not in (None, "int", "float"):
        raise DeclarationError(f"{where}: items is int or float, not '{fields['items']}'", name)
    return ParamSpec(
        id=fields["id"],
        name=name,
        type=kind,
        default=_default(fields.get("default", _ABSENT[kind]), kind, name),
        meaning=fields.get("meaning", ""),
        values=_values(fields.get("values", {}), where, name),
        minimum=fields.get("minimum"),
        maximum=fields.get("maximum"),
        items=fields.get("items"),
        requires=tuple(map(str, fields.get("requires", ()))),
        int_bits=fields.get("int_bits", False),
    )


def _default(default: Any, kind: str, name: str) -> Any:
    if type(default) not in _DEFAULTS[kind]:
        raise DeclarationError(f"param '{name}': {default!r} is no default for type {kind}", name)
    limit = _FLT_MAX if kind == "float" else _INT_MAX
    for item in default if kind == "array" else [default]:
        if type(item) is int and not -limit - 1 <= item <= limit:
            raise DeclarationError(f"param '{name}': its default does not fit into 32 bits", name)
    if kind == "array":
        return tuple(default)
    if kind == "float":
        return _FLOATS.get(default, default) if isinstance(default, str) else float(default)
    return default


def _fields_of_row(row: list[Any], common: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    more = row[-1] if row and isinstance(row[-1], dict) else {}
    fields = dict(zip(_ROW, row[:-1] if more else row, strict=False))
    if "meaning" not in fields:
        fields = {**common.get(fields["name"], {}), **fields}
    return {**fields, **more}


def _values(table: Any, where: str, word: str) -> dict[int, str]:
    """An enumeration: a list of words, the first for 0, or a table value -> word."""
    if isinstance(table, list):
        return {value: str(meaning) for value, meaning in enumerate(table)}
    try:
        return {int(value): str(meaning) for value, meaning in table.items()}
    except ValueError:
        raise DeclarationError(f"{where}: the keys of values are ints", word) from None


def _arity(field: Any, name: str) -> Arity:
    """``2``, or ``[least, most]`` with -1 for no limit, or ``[least, most, formula]``."""
    if isinstance(field, int):
        field = [field, field]
    least, most, exact = (*field, "")[:3] if 2 <= len(field) <= 3 else (None, None, "")
    kinds = (type(least), type(most), type(exact))
    if kinds != (int, int, str) or least < 0 or -1 != most < least:
        raise DeclarationError(f"{name} is a number, or [least, most] with -1 for no limit", name)
    return Arity(least, None if most == -1 else most, exact)


def _weight(fields: Any) -> WeightSpec:
    _check_fields(fields, _WEIGHT_FIELDS, "weight", needed=("name", "kind", "shape"))
    name = fields["name"]
    if fields["kind"] not in KINDS:
        raise DeclarationError(
            f"weight '{name}': kind is one of {', '.join(KINDS)}, not '{fields['kind']}'", name
        )
    if not fields["shape"] or any(isinstance(size, bool) for size in fields["shape"]):
        raise DeclarationError(f"weight '{name}': shape is a list of formulas, one for each size", name)
    return WeightSpec(
        name=name,
        kind=fields["kind"],
        shape=tuple(map(str, fields["shape"])),
        count=str(fields.get("count", "")),
        when=fields.get("when", ""),
    )


def _check_fields(
    table: Any, known: Mapping[str, tuple[type, ...]], what: str, needed: Iterable[str] = ()
) -> None:
    if not isinstance(table, Mapping):
        raise DeclarationError(f"a {what} is a table, not {table!r}")
    name = str(table.get("name", ""))
    what = f"{what} '{name}'" if name and needed else f"the {what}"
    for key, value in table.items():
        if key not in known:
            hint = did_you_mean(key, known) or f"there are {', '.join(known)}"
            raise DeclarationError(f"{what} has no field '{key}'", key, hint=hint)
        if not isinstance(value, known[key]) or (isinstance(value, bool) and bool not in known[key]):
            wanted = " or ".join(_WORDS[kind] for kind in known[key])
            raise DeclarationError(f"{key} of {what} is {wanted}, not {value!r}", key)
    for key in needed:
        if key not in table:
            raise DeclarationError(f"{what} lacks the field '{key}'", name)


def _check_names(declared: LayerType) -> None:
    taken = {spec.name for spec in COMMON_PARAMS} | CONSTANTS.keys() | WORDS
    ids = {spec.id: spec.name for spec in COMMON_PARAMS}
    for spec in declared.params:
        if spec.id in ids or not 0 <= spec.id <= 31:
            why = f"'{ids[spec.id]}' has it" if spec.id in ids else "ids are 0 to 29"
            raise DeclarationError(f"param '{spec.name}' cannot have id {spec.id}: {why}", spec.name)
        ids[spec.id] = spec.name
    for name in (*(spec.name for spec in declared.params), *declared.terms):
        if name in taken or not (name.isascii() and name.isidentifier()):
            why = "it is taken" if name in taken else "a name is letters, digits and _"
            raise DeclarationError(f"'{name}' cannot name a param or a term: {why}", name)
        taken.add(name)


def _check_param(spec: ParamSpec) -> None:
    if spec.minimum is not None and spec.maximum is not None and spec.minimum > spec.maximum:
        raise DeclarationError(f"param '{spec.name}': the minimum is above the maximum", spec.name)


def _check_formula(
    declared: LayerType, text: str, word: str, integers: Iterable[str], measurable: Iterable[str]
) -> None:
    parsed = _parsed(text, word)
    for names, known, kind in (
        (parsed.names, set(integers), "int param or earlier term"),
        (parsed.measured, set(measurable), "array or string param"),
    ):
        for name in sorted(names - known):
            raise DeclarationError(
                f"'{word}': the formula '{text}' uses '{name}', and {declared.name} has no such {kind}",
                word,
                hint=did_you_mean(name, known),
            )


def _parsed(text: str, word: str) -> Formula:
    try:
        return formula(text)
    except OpsError as error:
        raise DeclarationError(f"'{word}': {error.message}", word, hint=error.hint) from None


def _check_macs(declared: LayerType, known: set[str], measurable: set[str]) -> None:
    """Only this formula may speak of blobs: all others belong to the params alone."""
    sizes = {name for name in _parsed(declared.macs, "macs").names if is_size(name)}
    _check_formula(declared, declared.macs, "macs", known | sizes, measurable)


def _check_circles(declared: LayerType) -> None:
    """A default that leads back to itself has no value."""
    by_name = {spec.name: spec for spec in declared.params}
    for spec in declared.params:
        seen, ahead = set[str](), [spec.name]
        while ahead:
            at = by_name[ahead.pop()]
            if isinstance(at.default, str) and at.type != "string":
                ahead += declared.parsed(at.default).names - seen
                seen |= declared.parsed(at.default).names
        if spec.name in seen:
            raise DeclarationError(f"param '{spec.name}': its default leads back to itself", spec.name)
