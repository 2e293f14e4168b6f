"""What a config says, as typed tables; ``config_read`` makes them of a file.

Keys are written with dashes. A path is seen from the config's folder. A table that is left out has its
defaults.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from msgspec import Meta, Struct, field

from ncnnparam.speech.nets import NETS

Count: TypeAlias = Annotated[int, Meta(ge=1)]
Above: TypeAlias = Annotated[float, Meta(gt=0)]
"""A number above 0."""


class Table(Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """A table of a config; keys that it does not know are errors."""


class Flag(Table, frozen=True):
    """A flag of icefall's export, from ``[model]``.

    Attributes:
        name: As it was written.
        value: What was written.
        place: Where, as ``file:line``.
    """

    name: str
    value: Any
    place: str


class Source(Table, frozen=True):
    """``[source]``: what is fetched from the Hugging Face hub before anything else.

    Attributes:
        repository: Such as ``owner/name``; empty if nothing is fetched.
        revision: A branch, a tag or a commit.
        files: Patterns of the files to fetch; all by default.
        folder: Where they go.
    """

    repository: str = ""
    revision: str = "main"
    files: tuple[str, ...] = ("*",)
    folder: Path = Path("source")


class Trace(Table, frozen=True):
    """``[trace]``: where the three traced modules come from.

    Attributes:
        how: ``files``: TorchScript files that exist; ``icefall``: icefall's own export is run; ``factory``: a
            function in Python makes the modules; ``converted``: what pnnx wrote is there already.
        encoder: With ``files`` its TorchScript, with ``converted`` its ``.ncnn.param`` with float32 weights.
        decoder: The same of the decoder.
        joiner: The same of the joiner.
        checkout: icefall's folder.
        recipe: Folder of the recipe, seen from ``checkout``, or its name under ``egs/librispeech/ASR``.
        python: The Python that can import icefall; by default the one that runs this.
        flags: More flags of the export: ``{ epoch = 30, avg = 1, exp-dir = "exp" }``. Those in ``[model]``
            are passed on as well.
        timeout: Seconds that icefall's export may take.
        factory: ``package.module:function``.
        path: Folder that ``factory`` is imported from.
        checkpoint: Weights to load into the modules.
        trust: Load files that hold more than weights, and may do what code can do.
    """

    how: Literal["files", "icefall", "factory", "converted"] = "files"
    encoder: Path | None = None
    decoder: Path | None = None
    joiner: Path | None = None
    checkout: Path | None = None
    recipe: str = ""
    python: Path | None = None
    flags: dict[str, Any] = field(default_factory=dict)
    timeout: Above = 3600.0
    factory: str = ""
    path: Path | None = None
    checkpoint: Path | None = None
    trust: bool = False

    def given(self) -> dict[str, Path]:
        """The nets that are named."""
        named = {part: getattr(self, part) for part in NETS}
        return {part: path for part, path in named.items() if path is not None}


class Tokens(Table, frozen=True):
    """``[tokens]``: what the joiner's numbers mean.

    Attributes:
        bpe_model: A model of sentencepiece.
        tokens: A ``tokens.txt``.
    """

    bpe_model: Path | None = None
    tokens: Path | None = None


class Convert(Table, frozen=True):
    """``[convert]``: pnnx.

    Attributes:
        timeout: Seconds that it may take for a net.
        memory: Bytes of address space that it may take.
        fp16: Who makes the fp16 weights: ``pnnx`` in a run of its own, or ``ncnnparam`` from the fp32 ones,
            which takes no run and rounds to the nearest number where pnnx does not.
    """

    timeout: Above = 1800.0
    memory: Count = 16 << 30
    fp16: Literal["pnnx", "ncnnparam"] = "pnnx"


class Repair(Table, frozen=True):
    """``[repair]``: what pnnx writes is mended.

    Attributes:
        target: What shall run the model: ``sherpa-ncnn``, ``ncnn``, or a release of one.
        allow_left: Go on when something is still wrong.
    """

    target: str = "sherpa-ncnn"
    allow_left: bool = False


class Prove(Table, frozen=True):
    """``[prove]``: the numbers of the mended nets are compared with PyTorch's.

    Attributes:
        chunks: Runs in a row, each on the states of the one before.
        tolerance: How far an fp32 number may be off; relative where it is above 1.
        half_tolerance: The same with fp16 weights.
        timeout: Seconds that PyTorch may take for a net.
        expected: An ``.npz`` with inputs and outputs of the encoder, where there is no TorchScript to ask.
    """

    chunks: Count = 3
    tolerance: Above = 1e-4
    half_tolerance: Above = 1e-2
    timeout: Above = 600.0
    expected: Path | None = None


class Calibrate(Table, frozen=True):
    """``[calibrate]``: the scales of int8 are found.

    Attributes:
        wavs: A folder of wavs, a list of them, or one.
        method: How a scale follows from what was seen.
        percent: With ``percentile``: how much of the numbers is not clipped.
        skip_bad: Go on without wavs that cannot be used.
    """

    wavs: Path | None = None
    method: Literal["kl", "aciq", "percentile", "mse", "minmax"] = "mse"
    percent: Annotated[float, Meta(gt=0, le=100)] = 99.99
    skip_bad: bool = False


class Quantize(Table, frozen=True):
    """``[quantize]``: int8.

    Attributes:
        encoder: Make an int8 encoder.
        joiner: Make an int8 joiner.
        skip: A selector: layers that stay in float.
        only: A selector: nothing but these layers.
    """

    encoder: bool = True
    joiner: bool = True
    skip: str = ""
    only: str = ""

    @property
    def parts(self) -> tuple[str, ...]:
        """The nets that become int8; the decoder never does."""
        return tuple(part for part in NETS if part != "decoder" and getattr(self, part))


class Verify(Table, frozen=True):
    """``[verify]``: the real sherpa-ncnn decodes speech.

    Attributes:
        wavs: As in ``[calibrate]``, whose wavs are taken if none are named here.
        transcripts: A file with a name of a wav and its text on each line.
        threads: Threads of the runtime.
    """

    wavs: Path | None = None
    transcripts: Path | None = None
    threads: Count = 1


class Output(Table, frozen=True):
    """``[output]``: where the files go.

    Attributes:
        folder: The folder; with several models each has one of its name in it.
        fp32: Keep the fp32 models too.
    """

    folder: Path = Path("out")
    fp32: bool = True


class Model(Table, frozen=True):
    """All that is said of one model.

    Attributes:
        name: Its name.
        kind: Kind of its encoder, or empty for what the flags or the graph tell.
        flags: Flags of icefall's export that become metadata.
        file: The config.
        source: Where it is fetched from.
        trace: Where the traced modules come from.
        tokens: What the tokens mean.
        convert: pnnx.
        repair: Mending.
        prove: The proof by numbers.
        calibrate: Scales of int8.
        quantize: int8.
        verify: Decoding.
        output: Where the files go.
    """

    name: str
    kind: str = ""
    flags: tuple[Flag, ...] = ()
    file: Path = Path()
    source: Source = Source()
    trace: Trace = Trace()
    tokens: Tokens = Tokens()
    convert: Convert = Convert()
    repair: Repair = Repair()
    prove: Prove = Prove()
    calibrate: Calibrate = Calibrate()
    quantize: Quantize = Quantize()
    verify: Verify = Verify()
    output: Output = Output()

    @property
    def verify_wavs(self) -> Path | None:
        """The wavs that are decoded."""
        return self.verify.wavs or self.calibrate.wavs
