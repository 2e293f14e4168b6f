"""Users' own layer types: the examples of the documentation, and every mistake with its place."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ncnnparam.errors import ConfigError, FileError, NcnnParamError
from ncnnparam.ops import Arity, LayerType, ParamSpec, WeightSpec, registry

TOML, EXAMPLE, IN_PYTHON = range(3)  # the examples in the order of the page


@pytest.fixture(autouse=True)
def _forget(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(registry, "_registered", {})
    return


@pytest.fixture
def examples(root: Path) -> list[str]:
    page = (root / "docs" / "custom-ops.md").read_text(encoding="utf-8")
    return re.findall(r"```(?:toml|python)\n(.*?)```", page, re.DOTALL)


def load(folder: Path, text: str) -> tuple[LayerType, ...]:
    path = folder / "my_ops.toml"
    path.write_text(text, encoding="utf-8")
    return registry.load_ops(path)


def test_the_documented_file(tmp_path: Path, examples: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_ops.toml").write_text(examples[TOML], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(examples[EXAMPLE], {})
    promised = re.search(r"^# (.*)$", examples[EXAMPLE], re.MULTILINE)
    assert promised is not None
    assert printed.getvalue().strip() == promised[1]

    layer_type = registry.get("GroupedScale")
    assert layer_type is not None
    assert layer_type.custom
    assert registry.names()[-1] == "GroupedScale"
    assert "GroupedScale" in str(registry.suggest("GroupedScal"))
    assert layer_type.suggest("group") == "did you mean groups?"
    spec = layer_type.param("mode")
    assert spec is not None
    assert spec.values == {0: "multiply", 2: "divide"}
    assert (layer_type.inputs, layer_type.outputs) == (Arity(1, 1), Arity(1, 1))
    assert layer_type.weight_layout({1: 6})[0].shape == (1, 6)
    (violation,) = layer_type.violations({0: 4, 1: 6})
    assert violation.message == "ncnn demands channels % groups == 0, but groups is 4, channels is 6"


def test_the_documented_mistake(tmp_path: Path, examples: list[str], root: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, examples[TOML].replace("minimum", "minimun"))
    page = " ".join((root / "docs" / "custom-ops.md").read_text(encoding="utf-8").split())
    assert str(tmp_path) in caught.value.message
    promised = caught.value.message.replace(f"{tmp_path}/", "")
    assert f"`{promised}`, and `{caught.value.hint}`" in page


def test_the_documented_python(examples: list[str]) -> None:
    exec(examples[IN_PYTHON], {})
    layer_type = registry.get("RowBias")
    assert layer_type is not None
    assert layer_type.custom
    assert [array.shape for array in layer_type.weight_layout({0: 5})] == [(5,)]


def test_every_field_is_documented(root: Path) -> None:
    from ncnnparam.ops import declare

    page = (root / "docs" / "custom-ops.md").read_text(encoding="utf-8")
    for fields in (declare._TYPE_FIELDS, declare._PARAM_FIELDS, declare._WEIGHT_FIELDS):
        assert [field for field in fields if f"`{field}`" not in page] == []


def test_a_type_may_say_little(tmp_path: Path) -> None:
    (layer_type,) = load(tmp_path, "[Nothing]\n")
    assert layer_type == LayerType("Nothing", (), custom=True, inputs=Arity(0, None), outputs=Arity(0, None))


def test_defaults_by_type(tmp_path: Path) -> None:
    (layer_type,) = load(
        tmp_path,
        """[T]
params = [
  { id = 0, name = "a", type = "int" },
  { id = 1, name = "b", type = "float" },
  { id = 2, name = "c", type = "array", items = "float" },
  { id = 3, name = "d", type = "string" },
  { id = 4, name = "e", type = "float", default = 2 },
  { id = 5, name = "f", type = "int", default = "a * 2" },
  { id = 6, name = "g", type = "array", default = [1, 2] },
]
""",
    )
    assert [layer_type.value(id, {0: 4}) for id in range(7)] == [4, 0.0, (), "", 2.0, 8, (1, 2)]
    assert type(layer_type.value(4, {})) is float


def test_defaults_at_the_limits(tmp_path: Path) -> None:
    (layer_type,) = load(
        tmp_path,
        """[T]
params = [
  { id = 0, name = "a", type = "int", default = -2147483648 },
  { id = 1, name = "b", type = "array", default = [2147483647] },
  { id = 2, name = "c", type = "float", default = 99999999999 },
]
""",
    )
    assert [layer_type.value(id, {}) for id in range(3)] == [-(2**31), (2**31 - 1,), 99999999999.0]


def test_macs(tmp_path: Path) -> None:
    text = '[T]\nparams = [{ id = 0, name = "taps", type = "int" }]\nterms = { twice = "2 * taps" }\n'
    (layer_type,) = load(tmp_path, text + 'macs = "twice * out_size if inputs == 1 else in1_w"\n')
    assert layer_type.count_macs({0: 3}, [(7,)], [(4, 5)]) == 120
    assert layer_type.count_macs({0: 3}, [(7,), (2, 9)], [(4, 5)]) == 9
    assert layer_type.count_macs({0: 3}, [(7,)], [None]) is None


def test_macs_that_are_not_declared_are_unknown(tmp_path: Path) -> None:
    silent, free = load(tmp_path, "[Silent]\n[Free]\nmacs = 0\n")
    assert silent.count_macs({}, [(7,)], [(7,)]) is None
    assert free.count_macs({}, [None], [None]) == 0


@pytest.mark.parametrize("formula", ["in_w - 9", "inv_sqrt(in_w)", "in_w // (in_w - 7)"])
def test_macs_that_are_no_count_are_unknown(tmp_path: Path, formula: str) -> None:
    (layer_type,) = load(tmp_path, f'[T]\nmacs = "{formula}"\n')
    assert layer_type.count_macs({}, [(7,)], []) is None


def test_a_param_named_like_a_size_is_the_param(tmp_path: Path) -> None:
    text = '[T]\nparams = [{ id = 0, name = "in_w", type = "int" }]\nmacs = "in_w * in_h"\n'
    (layer_type,) = load(tmp_path, text)
    assert layer_type.count_macs({0: 100}, [(2, 3)], []) == 200


def test_the_same_twice_is_no_fault(tmp_path: Path, examples: list[str]) -> None:
    first = load(tmp_path, examples[TOML])
    assert load(tmp_path, examples[TOML]) == first
    assert registry.register(first[0]) == first[0]


def test_a_file_registers_all_types_or_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        load(tmp_path, "[One]\n[Two]\nweight = 3\n")
    assert registry.get("One") is None


BAD = [
    ("[A\n", "1:3: this is no TOML:", None),
    ("[A]\nx = \n", "2:5: this is no TOML:", None),
    ("\nA = 3\n", "2: 'A' stands outside of a layer type", "begin each type with a line [TypeName]"),
    ("[ReLU]\n", "1: there is a layer type 'ReLU' already", None),
    ("[B]\n[A]\nwieghts = []\n", "3: layer type A: the type has no field 'wieghts'", "did you mean weights?"),
    ("[A]\ninplace = 1\n", "2: layer type A: inplace of the type is true or false, not 1", None),
    (
        "[A]\ninputs = [1]\n",
        "2: layer type A: inputs is a number, or [least, most] with -1 for no limit",
        None,
    ),
    ("[A]\ninputs = true\n", "2: layer type A: inputs of the type is an int or a list, not True", None),
    ('["A B"]\n', "1: layer type A B: 'A B' cannot be the name of a layer type: it has to be one word", None),
    ("[A]\nparams = [3]\n", "1: layer type A: a param is a table, not 3", None),
    (
        '[A]\nparams = [\n  { id = 0, name = "x" },\n]\n',
        "3: layer type A: param 'x' lacks the field 'type'",
        None,
    ),
    (
        '[A]\n[[A.params]]\nid = 0\nname = "x"\ntype = "integer"\n',
        "4: layer type A: param 'x': type is one of int, float, array, string, not 'integer'",
        None,
    ),
    (
        '[A]\nparams = [\n  { id = 0, name = "x", type = "int", default = 0.5 },\n]\n',
        "3: layer type A: param 'x': 0.5 is no default for type int",
        None,
    ),
    (
        '[A]\nparams = [\n  { id = 0, name = "x", type = "int", default = 99999999999 },\n]\n',
        "3: layer type A: param 'x': its default does not fit into 32 bits",
        None,
    ),
    (
        '[A]\nparams = [{ id = 0, name = "x", type = "array", default = [1, -2147483649] }]\n',
        "2: layer type A: param 'x': its default does not fit into 32 bits",
        None,
    ),
    (
        f'[A]\nparams = [{{ id = 0, name = "x", type = "float", default = 1{"0" * 400} }}]\n',
        "2: layer type A: param 'x': its default does not fit into 32 bits",
        None,
    ),
    (
        '[A]\nparams = [{ id = 30, name = "x", type = "int" }]\n',
        "2: layer type A: param 'x' cannot have id 30: 'shape_hints' has it",
        None,
    ),
    (
        '[A]\nparams = [{ id = 32, name = "x", type = "int" }]\n',
        "2: layer type A: param 'x' cannot have id 32: ids are 0 to 29",
        None,
    ),
    (
        '[A]\nparams = [\n{ id = 0, name = "x", type = "int" },\n{ id = 0, name = "y", type = "int" }]\n',
        "4: layer type A: param 'y' cannot have id 0: 'x' has it",
        None,
    ),
    (
        '[A]\nparams = [{ id = 0, name = "x-y", type = "int" }]\n',
        "2: layer type A: 'x-y' cannot name a param or a term: a name is letters, digits and _",
        None,
    ),
    (
        '[A]\nparams = [{ id = 0, name = "featmask", type = "int" }]\n',
        "2: layer type A: 'featmask' cannot name a param or a term: it is taken",
        None,
    ),
    (
        '[A]\nparams = [{ id = 0, name = "if", type = "int" }]\n',
        "2: layer type A: 'if' cannot name a param or a term: it is taken",
        None,
    ),
    (
        '[A]\nparams = [{ id = 0, name = "x", type = "int", minimum = 3, maximum = 2 }]\n',
        "2: layer type A: param 'x': the minimum is above the maximum",
        None,
    ),
    (
        '[A]\nparams = [{ id = 0, name = "x", type = "int", values = { one = "1" } }]\n',
        "2: layer type A: param 'x': the keys of values are ints",
        None,
    ),
    (
        '[A]\nparams = [{ id = 0, name = "x", type = "array", items = "text" }]\n',
        "2: layer type A: param 'x': items is int or float, not 'text'",
        None,
    ),
    (
        '[A]\nparams = [{ id = 0, name = "x", type = "int", default = "y" }, '
        '{ id = 1, name = "y", type = "int", default = "x + 1" }]\n',
        "2: layer type A: param 'x': its default leads back to itself",
        None,
    ),
    (
        '[A]\nparams = [{ id = 0, name = "size", type = "int" }]\nweights = [\n'
        '  { name = "w", kind = "raw", shape = ["sise"] }]\n',
        "4: layer type A: 'w': the formula 'sise' uses 'sise', and A has no such int param or earlier term",
        "did you mean size?",
    ),
    (
        '[A]\nparams = [{ id = 0, name = "x", type = "float" }]\nweights = [\n'
        '  { name = "w", kind = "raw", shape = ["x"] }]\n',
        "4: layer type A: 'w': the formula 'x' uses 'x', and A has no such int param or earlier term",
        None,
    ),
    (
        '[A]\nparams = [{ id = 0, name = "x", type = "int" }]\nint8 = "len(x)"\n',
        "3: layer type A: 'len(x)': the formula 'len(x)' uses 'x', and A has no such array or string param",
        None,
    ),
    (
        '[A]\nterms = { a = "b", b = "1" }\n',
        "2: layer type A: 'a': the formula 'b' uses 'b', and A has no such int param or earlier term",
        None,
    ),
    (
        '[A]\nweights = [\n  { name = "w", kind = "raw", shape = ["2 *"] }]\n',
        "3: layer type A: 'w': '2 *' is no formula: it ends too early",
        "a formula is made of",
    ),
    (
        '[A]\nmacs = "in_w * out_x"\n',
        "2: layer type A: 'macs': the formula 'in_w * out_x' uses 'out_x', and A has no such int param or",
        None,
    ),
    (
        '[A]\ninputs = 1\nmacs = "in_w *"\n',
        "3: layer type A: 'macs': 'in_w *' is no formula: it ends too early",
        "a formula is made of",
    ),
    (
        '[A]\nweights = [\n  { name = "w", kind = "raw", shape = ["in_w"] }]\n',
        "3: layer type A: 'w': the formula 'in_w' uses 'in_w', and A has no such int param or earlier term",
        None,
    ),
    (
        '[A]\nweights = [{ name = "w", kind = "int8", shape = [3] }]\n',
        "2: layer type A: weight 'w': kind is one of tagged, raw, bytes, not 'int8'",
        None,
    ),
    (
        '[A]\nweights = [{ name = "w", kind = "raw", shape = [] }]\n',
        "2: layer type A: weight 'w': shape is a list of formulas, one for each size",
        None,
    ),
    (
        '[A]\nweights = [{ kind = "raw", shape = [1] }]\n',
        "1: layer type A: the weight lacks the field 'name'",
        None,
    ),
]


@pytest.mark.parametrize(("text", "complaint", "hint"), BAD)
def test_mistakes(tmp_path: Path, text: str, complaint: str, hint: str | None) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert caught.value.message.startswith(f"{tmp_path / 'my_ops.toml'}:{complaint}")
    assert (caught.value.hint or "").startswith(hint or "")
    assert registry.get("A") is None


@pytest.mark.parametrize(
    "text",
    [
        "A = [1, 2]",
        "[A]\nparams = [[0, 1, 2, 3]]",
        "[A]\nparams = [[]]",
        '[A]\nparams = [[0, "x", "int", 0, "meaning", "more"]]',
        "[A]\nterms = { a = [] }",
        "[A]\nweights = [[]]",
        '[A]\nweights = [{ name = "w", kind = "raw", shape = [[1]] }]',
        '[A]\nparams = [{ id = 0, name = "x", type = "int", requires = [1.5] }]',
        '[A]\nparams = [{ id = 0, name = "x", type = "int", default = 99999999999 }]',
        "[A]\ninputs = [2, 1]",
        "[A]\ninputs = [-3, -1]",
        '[A]\noutputs = [1, 2, ""]\nsummary = "\\u0000"',
        "[[A]]",
        "[A.B]",
    ],
)
def test_strange_files_are_errors_or_types(tmp_path: Path, text: str) -> None:
    declared: tuple[LayerType, ...] = ()
    complaint = ""
    try:
        declared = load(tmp_path, text)
    except NcnnParamError as error:
        complaint = str(error)
    assert bool(declared) != ("my_ops.toml" in complaint)  # a type that is known, or an error that says where
    assert [registry.get(layer_type.name) for layer_type in declared] == list(declared)
    assert [layer_type.weight_layout({}) for layer_type in declared] == [[] for _ in declared]


@pytest.mark.parametrize("value", ["9" * 5000, "[" * 20000])
def test_what_python_cannot_read(tmp_path: Path, value: str) -> None:
    with pytest.raises(ConfigError, match=r"my_ops\.toml"):
        load(tmp_path, f"[A]\nx = {value}\n")


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot read"):
        registry.load_ops(tmp_path / "none.toml")
    with pytest.raises(FileError, match="cannot read"):
        registry.load_ops(tmp_path)


@pytest.mark.parametrize(
    ("layer_type", "complaint"),
    [
        (LayerType("ReLU", ()), "there is a layer type 'ReLU' already"),
        (LayerType("", ()), "cannot be the name of a layer type"),
        (
            LayerType("A", (ParamSpec(0, "x", "int", "y"),)),
            "layer type A: 'x': the formula 'y' uses 'y', and A has no such int param",
        ),
        (
            LayerType("A", (), weights=(WeightSpec("w", "raw", ("n",)),)),
            "layer type A: 'w': the formula 'n' uses 'n', and A has no such int param",
        ),
    ],
)
def test_register_checks_too(layer_type: LayerType, complaint: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(complaint)):
        registry.register(layer_type)
    assert registry.get("A") is None
