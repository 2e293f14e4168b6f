"""TorchScript modules of every signature hear what the same modules hear in PyTorch itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ncnnparam.errors import FileError, NcnnParamError
from ncnnparam.speech import ConvEmformer, Lstm, Metadata, Zipformer, torchscript
from ncnnparam.speech.audio import read_wav
from ncnnparam.speech.child import Limits
from ncnnparam.speech.features import fbank
from ncnnparam.speech.streaming import Streaming, chunks, streaming
from ncnnparam.speech.torchscript import TorchFiles

torch = pytest.importorskip("torch")
pytest.importorskip("kaldi_native_fbank")
soundfile = pytest.importorskip("soundfile")
nn, Tensor = torch.nn, torch.Tensor
pytestmark = pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning", "ignore::DeprecationWarning")

KINDS = {
    "conv-emformer": ConvEmformer(
        num_encoder_layers=2,
        memory_size=4,
        cnn_module_kernel=5,
        left_context_length=8,
        chunk_length=16,
        right_context_length=8,
        encoder_dim=12,
    ),
    "lstm": Lstm(num_encoder_layers=2, encoder_dim=12, rnn_hidden_size=7),
    "zipformer": Zipformer(
        decode_chunk_len=16,
        num_left_chunks=2,
        num_encoder_layers=(1, 2, 1, 1, 1),
        encoder_dims=(6,) * 5,
        attention_dims=(8,) * 5,
        zipformer_downsampling_factors=(1, 2, 4, 2, 1),
        cnn_module_kernels=(3,) * 5,
    ),
}
WIDTH, TOKENS = 12, 9


class Encoder(nn.Module):
    """Frames that hang on features and on all states, without batch axes."""

    def __init__(self, how: Streaming) -> None:
        super().__init__()
        self.frames = how.offset // 4
        self.conv = nn.Conv1d(80, WIDTH, 5, stride=4)

    def forward(self, x: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        x = x - x.mean(1, keepdim=True)
        frames = self.conv(x.t().unsqueeze(0))[0].t()[: self.frames]
        past = sum(state.mean() for state in states)
        frames = torch.tanh(nn.functional.layer_norm(frames, (WIDTH,)) + past)
        return frames, [state * 0.9 + frames[-1, number % WIDTH] for number, state in enumerate(states)]


class WithBatch(nn.Module):
    """With a batch axis in features and states."""

    def __init__(self, how: Streaming) -> None:
        super().__init__()
        self.inner = Encoder(how)
        self.axes = list(how.batch_axes.values())

    def run(self, x: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        bare = [state.select(axis, 0) for state, axis in zip(states, self.axes, strict=True)]
        frames, new = self.inner(x[0], bare)
        return frames[None], [state.unsqueeze(axis) for state, axis in zip(new, self.axes, strict=True)]


class Listed(WithBatch):
    """As icefall's ConvEmformer and Zipformer."""

    def forward(self, x: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        return self.run(x, states)


class Paired(WithBatch):
    """As icefall's LSTM."""

    def forward(self, x: Tensor, x_lens: Tensor, states: tuple[Tensor, Tensor]) -> tuple[object, ...]:
        frames, (h, c) = self.run(x, list(states))
        return frames, (x_lens - 5) // 4, (h, c)


class Flat(WithBatch):
    """Each state an argument of its own."""

    def forward(self, x: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        frames, new = self.run(x, list(states))
        return (frames, *new)


class Bare(nn.Module):
    """Each state an argument of its own, and no batch axis; with the number of frames or without."""

    def __init__(self, how: Streaming) -> None:
        super().__init__()
        self.inner = Encoder(how)
        self.counts = how.length is not None

    def forward(self, x: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        if self.counts:
            frames, new = self.inner(x, list(states[1:]))
            return (frames, states[0] // 4, *new)
        frames, new = self.inner(x, list(states))
        return (frames, *new)


class Decoder(nn.Module):
    """As icefall's, which looks back on two tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(TOKENS, WIDTH)
        self.conv = nn.Conv1d(WIDTH, WIDTH, 2)

    def forward(self, y: Tensor, need_pad: Tensor) -> Tensor:
        return self.conv(self.embedding(y).permute(0, 2, 1)).permute(0, 2, 1)


class BareDecoder(Decoder):
    """Without a batch axis, and with one argument."""

    def forward(self, y: Tensor) -> Tensor:
        return self.conv(self.embedding(y).t().unsqueeze(0))[0, :, 0]


class Joiner(nn.Module):
    """A frame and what the decoder gave."""

    def __init__(self) -> None:
        super().__init__()
        self.out = nn.Linear(WIDTH, TOKENS)
        nn.init.normal_(self.out.weight)

    def forward(self, frame: Tensor, decoded: Tensor) -> Tensor:
        return self.out(torch.tanh(frame + decoded))


SIGNATURES = [
    ("conv-emformer", Listed),
    ("conv-emformer", Flat),
    ("conv-emformer", Bare),
    ("lstm", Paired),
    ("lstm", Bare),
    ("zipformer", Listed),
    ("zipformer", Bare),
]


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    rising = 0.3 * np.sin(np.linspace(0, 100, 16_000) ** 2)
    soundfile.write(tmp_path / "rising.wav", rising.astype(np.float32), 16_000, "PCM_16")
    return tmp_path / "rising.wav"


def example(how: Streaming, cls: type) -> tuple[object, ...]:
    """Inputs to trace an encoder with."""
    x = torch.zeros(how.segment, 80)
    states = [torch.zeros(shape) for shape in how.states.values()]
    length = [torch.tensor([how.segment])] if how.length else []
    if cls is Bare:
        return (x, *length, *states)
    states = [state.unsqueeze(axis) for state, axis in zip(states, how.batch_axes.values(), strict=True)]
    if cls is Flat:
        return (x[None], *length, *states)
    return (x[None], *length, tuple(states) if cls is Paired else states)


def export(folder: Path, metadata: Metadata, cls: type) -> tuple[TorchFiles, object, object, object]:
    """The files, and the modules that are in them."""
    torch.manual_seed(2)
    how = streaming(metadata)
    encoder, joiner = cls(how).eval(), Joiner().eval()
    decoder = BareDecoder().eval() if cls is Bare else Decoder().eval()
    tokens = (torch.zeros(2).long(),) if cls is Bare else (torch.zeros(10, 2).long(), torch.tensor([False]))
    vector = torch.zeros(WIDTH) if cls is Bare else torch.zeros(1, WIDTH)
    files = TorchFiles(*(str(folder / f"{net}_jit_trace-pnnx.pt") for net in TorchFiles._fields))
    for module, inputs, file in zip(
        (encoder, decoder, joiner), (example(how, cls), tokens, (vector, vector)), files, strict=True
    ):
        torch.jit.trace(module, inputs).save(file)
    (folder / "tokens.txt").write_text(
        "".join(f"{'abcdefghi'[number]} {number}\n" for number in range(TOKENS))
    )
    return files, encoder.inner, decoder, joiner


def greedy(wav: Path, tail: int, how: Streaming, encoder: object, decoder: object, joiner: object) -> list:
    """Greedy search with the modules themselves: tokens and frames."""
    found, frame, context = [], 0, [0, 0]
    states = [torch.zeros(shape) for shape in how.states.values()]
    with torch.no_grad():
        for features in chunks(fbank(np.concatenate([read_wav(wav), np.zeros(tail, np.float32)])), how):
            frames, states = encoder(torch.from_numpy(features), states)
            for vector in frames:
                decoded = Decoder.forward(decoder, torch.tensor([context[-2:]]), None)[0, 0]
                token = int(joiner(vector, decoded).argmax())
                if token not in (0, 2):
                    context.append(token)
                    found.append((token, frame))
                frame += 1
    return found


@pytest.mark.parametrize(("kind", "cls"), SIGNATURES, ids=lambda each: getattr(each, "__name__", each))
def test_signatures(tmp_path: Path, wav: Path, kind: str, cls: type) -> None:
    metadata = KINDS[kind]
    files, *modules = export(tmp_path, metadata, cls)
    wanted = greedy(wav, 4800, streaming(metadata), *modules)
    (heard,) = torchscript.decode(files, metadata, tmp_path / "tokens.txt", [wav])
    assert len({token for token, _ in wanted}) > 2
    assert heard.tokens == tuple(token for token, _ in wanted)
    assert heard.timestamps == tuple(frame * 4 / 100 for _, frame in wanted)
    assert heard.text == "".join("abcdefghi"[token] for token, _ in wanted)
    assert (heard.name, heard.audio_seconds) == (str(wav), 1)
    assert heard.seconds > 0


def test_a_beam_of_one_is_greedy_search(tmp_path: Path, wav: Path) -> None:
    metadata = KINDS["conv-emformer"]
    files, *modules = export(tmp_path, metadata, Listed)
    wanted = greedy(wav, 0, streaming(metadata), *modules)
    told: list[str] = []
    options = {"method": "modified-beam", "beam": 1, "tail": 0}
    (heard,) = torchscript.decode(
        files,
        metadata,
        tmp_path / "tokens.txt",
        [wav],
        **options,
        advance=lambda one: told.append(one.text),
    )
    assert heard.tokens == tuple(token for token, _ in wanted)
    assert told == [heard.text]


def test_metadata_of_another_model(tmp_path: Path, wav: Path) -> None:
    files, *_ = export(tmp_path, KINDS["conv-emformer"], Listed)
    with pytest.raises(NcnnParamError, match=r"pnnx\.pt cannot be run as part of such a") as caught:
        torchscript.decode(files, KINDS["zipformer"], tmp_path / "tokens.txt", [wav])
    assert "do the metadata belong to them?" in str(caught.value)


def test_files_that_are_none(tmp_path: Path, wav: Path) -> None:
    files, *_ = export(tmp_path, KINDS["lstm"], Paired)
    words = tmp_path / "tokens.txt"
    with pytest.raises(FileError, match=r"there is no gone\.pt"):
        torchscript.decode(files._replace(joiner="gone.pt"), KINDS["lstm"], words, [wav])
    with pytest.raises(FileError, match=r"tokens\.txt is no TorchScript"):
        torchscript.decode(files._replace(joiner=str(words)), KINDS["lstm"], words, [wav])


class Endless(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        while bool(x.sum() < 1):
            x = x * 1
        return x


def test_a_module_that_does_not_end(tmp_path: Path, wav: Path) -> None:
    files, *_ = export(tmp_path, KINDS["lstm"], Paired)
    torch.jit.script(Endless()).save(files.decoder)
    with pytest.raises(NcnnParamError, match="PyTorch was stopped after 1 seconds while it loaded the model"):
        torchscript.decode(files, KINDS["lstm"], tmp_path / "tokens.txt", [wav], limits=Limits(16 << 30, 1.0))


def test_too_little_memory(tmp_path: Path, wav: Path) -> None:
    files, *_ = export(tmp_path, KINDS["lstm"], Paired)
    with pytest.raises(NcnnParamError, match=r"PyTorch died by .* while it loaded the model"):
        torchscript.decode(
            files, KINDS["lstm"], tmp_path / "tokens.txt", [wav], limits=Limits(64 << 20, 60.0)
        )
