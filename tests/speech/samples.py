"""Encoders and the truth about them, for the tests of this folder."""

from __future__ import annotations

import json
from pathlib import Path

import ncnnparam as nnp
from ncnnparam.graph import Graph
from ncnnparam.speech import ConvEmformer, Lstm, Metadata, Zipformer

DOCS_CONV_EMFORMER = ConvEmformer(
    num_encoder_layers=12,
    memory_size=32,
    cnn_module_kernel=31,
    left_context_length=32,
    chunk_length=32,
    right_context_length=8,
    encoder_dim=512,
)
DOCS_LSTM = Lstm(num_encoder_layers=12, encoder_dim=512, rnn_hidden_size=1024)
DOCS_ZIPFORMER = Zipformer(
    decode_chunk_len=32,
    num_left_chunks=4,
    num_encoder_layers=(2, 4, 3, 2, 4),
    encoder_dims=(384,) * 5,
    attention_dims=(192,) * 5,
    zipformer_downsampling_factors=(1, 2, 4, 8, 2),
    cnn_module_kernels=(31,) * 5,
)
"""The flags in icefall's documentation of the three exports."""

OLD_ZIPFORMER = Zipformer(
    decode_chunk_len=32,
    num_left_chunks=4,
    num_encoder_layers=(2,) * 5,
    encoder_dims=(256,) * 5,
    attention_dims=(192,) * 5,
    zipformer_downsampling_factors=(1, 2, 4, 8, 2),
    cnn_module_kernels=(31,) * 5,
    version=0,
)
"""A model of 2023, from before there was a version."""

DEMO = ConvEmformer(
    num_encoder_layers=2,
    memory_size=16,
    cnn_module_kernel=15,
    left_context_length=32,
    chunk_length=32,
    right_context_length=8,
    encoder_dim=48,
)
"""The encoder shipped with the package."""

CONV_EMFORMER_LINE = (
    "SherpaMetaData           sherpa_meta_data1        0 0 0=1 1=12 2=32 3=31 4=8 5=32 6=8 7=512\n"
)
LSTM_LINE = "SherpaMetaData           sherpa_meta_data1        0 0 0=3 1=12 2=512 3=1024\n"
ZIPFORMER_LINE = (
    "SherpaMetaData           sherpa_meta_data1        0 0 0=2 1=32 2=4 3=7 15=1 -23316=5,2,4,3,2,4 "
    "-23317=5,384,384,384,384,384 -23318=5,192,192,192,192,192 -23319=5,1,2,4,8,2 -23320=5,31,31,31,31,31\n"
)

ICEFALL = {
    "conv_emformer_encoder": DOCS_CONV_EMFORMER,
    "conv_emformer_encoder_raw": DOCS_CONV_EMFORMER,
    "lstm_encoder_raw": DOCS_LSTM,
    "zipformer_encoder_raw": DOCS_ZIPFORMER,
}
"""Full-size encoders under ../shared/corpus/icefall, exported with the docs' flags."""

VECTORS = ("conv-emformer", "lstm", "zipformer")
"""Small encoders under ../shared/vectors; their meta.json has the flags."""

ALL = (*ICEFALL, *VECTORS, "old-zipformer")


def graph_of(shared: Path, name: str) -> Graph:
    """The encoder of that name."""
    if name in ICEFALL:
        return nnp.load(shared / "corpus" / "icefall" / f"{name}.param").graph
    if name in VECTORS:
        return nnp.load(shared / "vectors" / name / "raw/fp32/encoder_jit_trace_pnnx.ncnn.param").graph
    (old,) = (shared / "corpus").glob("*AudioSer*encoder*.param")
    return nnp.load(old).graph


def truth_of(shared: Path, name: str) -> Metadata:
    """What the encoder of that name was exported with."""
    if name in ICEFALL:
        return ICEFALL[name]
    if name not in VECTORS:
        return OLD_ZIPFORMER
    sizes = vector_meta(shared, name)["sizes"]
    cls: type[Metadata] = {"conv-emformer": ConvEmformer, "lstm": Lstm, "zipformer": Zipformer}[name]
    return cls(
        **{
            field.name: tuple(sizes[field.name]) if field.many else sizes[field.name]
            for field in cls.kind.flags
        }
    )


def vector_meta(shared: Path, name: str) -> dict:
    """The meta.json of a small encoder."""
    return json.loads((shared / "vectors" / name / "meta.json").read_text())


def demo_graph() -> Graph:
    """The encoder shipped with the package."""
    return nnp.load(Path(nnp.__file__).parent / "demo" / "encoder.ncnn.param").graph
