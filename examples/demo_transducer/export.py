"""The modules of a trained checkpoint, ready to be traced.

A checkpoint is what `torch.load(path, weights_only=True)` gives: the sizes of the encoder (`sizes`), the size
of the vocabulary (`vocabulary`) and the weights (`model`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from demo_transducer.conv_emformer import ConvEmformer, ConvEmformerSizes
from demo_transducer.lstm import LstmEncoder, LstmSizes
from demo_transducer.transducer import CONTEXT, Transducer

Checkpoint = Mapping[str, Any]
Traceable = tuple[nn.Module, tuple[Tensor, ...]]


def conv_emformer(checkpoint: Checkpoint) -> dict[str, Traceable]:
    """Encoder, decoder and joiner of a ConvEmformer, each with example inputs."""
    return modules(conv_emformer_transducer(checkpoint))


def lstm(checkpoint: Checkpoint) -> dict[str, Traceable]:
    """Encoder, decoder and joiner of an LSTM model, each with example inputs."""
    return modules(lstm_transducer(checkpoint))


def conv_emformer_transducer(checkpoint: Checkpoint) -> Transducer:
    """The whole ConvEmformer."""
    return _load(ConvEmformer(ConvEmformerSizes(**checkpoint["sizes"])), checkpoint)


def lstm_transducer(checkpoint: Checkpoint) -> Transducer:
    """The whole LSTM model."""
    return _load(LstmEncoder(LstmSizes(**checkpoint["sizes"])), checkpoint)


def modules(model: Transducer) -> dict[str, Traceable]:
    """The three parts of a transducer, each with example inputs of the shapes that sherpa-ncnn feeds."""
    dim = model.encoder.sizes.encoder_dim
    return {
        "encoder": (model.encoder, model.encoder.example()),
        "decoder": (model.decoder, (torch.zeros(1, CONTEXT, dtype=torch.int64),)),
        "joiner": (model.joiner, (torch.zeros(dim), torch.zeros(dim))),
    }


def _load(encoder: ConvEmformer | LstmEncoder, checkpoint: Checkpoint) -> Transducer:
    model = Transducer(encoder, checkpoint["vocabulary"])
    model.load_state_dict(checkpoint["model"])
    return model.eval()
