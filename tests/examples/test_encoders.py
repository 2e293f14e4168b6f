"""The encoders: streaming is what was trained, and the contract that sherpa-ncnn has with them is held."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ncnnparam.speech import read_config, resolve
from ncnnparam.speech.streaming import streaming

torch = pytest.importorskip("torch")


def untrained(modules: SimpleNamespace, kind: str) -> Any:
    torch.manual_seed(7)
    if kind == "lstm":
        sizes = modules.lstm.LstmSizes(
            num_encoder_layers=2, encoder_dim=8, rnn_hidden_size=12, dim_feedforward=16
        )
        return modules.lstm.LstmEncoder(sizes).eval()
    sizes = modules.conv_emformer.ConvEmformerSizes(
        num_encoder_layers=3,
        memory_size=3,
        cnn_module_kernel=7,
        left_context_length=20,
        chunk_length=16,
        right_context_length=8,
        encoder_dim=8,
        nhead=2,
        dim_feedforward=16,
    )
    return modules.conv_emformer.ConvEmformer(sizes).eval()


def chunk_by_chunk(encoder: Any, features: Any, segment: int, offset: int) -> Any:
    """The encoder's frames of an utterance, as sherpa-ncnn has them computed."""
    _, *states = encoder.example()
    length = states[0] if segment == 9 else None
    frames = []
    for start in range(0, len(features) - segment, offset):
        encoded, *states = encoder(features[start : start + segment], *states)
        if length is not None:
            states[0] = length
        frames.append(encoded)
    return torch.cat(frames)


@pytest.mark.parametrize("frames", [100, 101, 117, 138])
@torch.no_grad()
def test_streaming_is_what_was_trained(modules: SimpleNamespace, kind: str, frames: int) -> None:
    encoder = untrained(modules, kind)
    segment = len(encoder.example()[0])
    features = torch.randn(2, frames, 80) * 4 - 8
    whole = encoder.encode(features)
    for each, encoded in zip(features, whole, strict=True):
        streamed = chunk_by_chunk(encoder, each, segment, 4 if kind == "lstm" else 16)
        assert len(streamed) == encoder.frames(torch.tensor(frames))
        torch.testing.assert_close(streamed, encoded[: len(streamed)], rtol=0, atol=1e-5)


@torch.no_grad()
def test_frames_of_an_utterance_do_not_depend_on_what_is_padded(modules: SimpleNamespace, kind: str) -> None:
    encoder = untrained(modules, kind)
    features = torch.randn(1, 130, 80)
    count = int(encoder.frames(torch.tensor(100)))
    padded = encoder.encode(features)[:, :count]
    torch.testing.assert_close(padded, encoder.encode(features[:, :103])[:, :count], rtol=0, atol=1e-5)


@torch.no_grad()
def test_states_are_what_sherpa_feeds(folder: Path, kind: str, model: Any) -> None:
    how = streaming(resolve(read_config(folder / kind / "ncnnparam.toml")).metadata)
    features, *states = model.encoder.example()
    assert tuple(features.shape) == (how.segment, 80)
    if how.length is not None:
        assert states.pop(0).tolist() == [how.segment]
    assert [tuple(state.shape) for state in states] == list(how.states.values())
    outputs = dict(
        zip(how.feeds.values(), model.encoder(*model.encoder.example())[-len(states) :], strict=True)
    )
    assert {name: tuple(outputs[how.feeds[name]].shape) for name in how.states} == dict(how.states)


@torch.no_grad()
def test_the_lstm_counts_its_frames(modules: SimpleNamespace) -> None:
    encoder = untrained(modules, "lstm")
    _, _, hidden, cell = encoder.example()
    for frames in (9, 12, 13, 100):
        encoded, count, *_ = encoder(torch.randn(frames, 80), torch.tensor([float(frames)]), hidden, cell)
        assert len(encoded) == count
