"""Small torch modules built like icefall's encoders, in any size, and their way through the real pnnx."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from ncnnparam.export.convert import pnnx_program

FEATURES = 19


@dataclass(frozen=True)
class Converted:
    """What pnnx made of a module, and what the module itself gives.

    Attributes:
        folder: Where ``m.ncnn.param`` and the rest are.
        inputs: The example it was traced with.
        outputs: What it gives for that.
    """

    folder: Path
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


def convert(module: nn.Module, inputs: Sequence[Tensor], folder: Path, *, with_shapes: bool) -> Converted:
    """Runs pnnx.

    Args:
        module: What to convert.
        inputs: An example.
        folder: Where to work.
        with_shapes: Let pnnx know the shapes of the example. Recipes that pass their states as a list have to
            go without: the file is loaded and saved once more, which drops them.
    """
    module.eval()
    path = folder / "m.pt"
    with torch.no_grad():
        torch.jit.trace(module, tuple(inputs), check_trace=False).save(str(path))
        outputs = module(*inputs)
    options = [f"inputshape={','.join(str(list(x.shape)).replace(' ', '') for x in inputs)}"]
    if not with_shapes:
        torch.jit.load(str(path)).save(str(path))
        options = []
    subprocess.run(
        [pnnx_program(), path.name, "fp16=0", *options],
        cwd=folder,
        check=True,
        capture_output=True,
        timeout=120,
    )
    return Converted(folder, tuple(inputs), tuple(outputs))


class Convolution(nn.Module):
    """The convolution module of all three: pointwise, GLU, a cache, depthwise, pointwise."""

    def __init__(self, width: int, kernel: int) -> None:
        super().__init__()
        self.cached = kernel - 1
        self.first = nn.Conv1d(width, 2 * width, 1)
        self.middle = nn.Conv1d(width, width, kernel, groups=width)
        self.last = nn.Conv1d(width, width, 1)

    def forward(self, x: Tensor, cache: Tensor) -> tuple[Tensor, Tensor]:
        x = nn.functional.glu(self.first(x.permute(1, 2, 0)), dim=1)
        x = torch.cat([cache, x], dim=2)
        cache = x[..., -self.cached :]
        return self.last(torch.sigmoid(self.middle(x))).permute(2, 0, 1), cache


class ZipformerLike(nn.Module):
    """Stacked states, a running mean, attention with relative positions, repeated frames."""

    def __init__(
        self, frames: int, left: int, width: int, attention: int, heads: int, kernel: int, layers: int
    ) -> None:
        super().__init__()
        self.frames, self.left, self.attention, self.heads, self.kernel = (
            frames,
            left,
            attention,
            heads,
            kernel,
        )
        self.width, self.layers, self.place = width, layers, 4
        parts = (attention, attention, attention // 2, self.place * heads)
        self.parts = list(parts)
        self.projections = nn.ModuleList(nn.Linear(width, sum(parts)) for _ in range(layers))
        self.results = nn.ModuleList(nn.Linear(attention // 2, width) for _ in range(layers))
        self.means = nn.ModuleList(nn.Linear(width, width, bias=False) for _ in range(layers))
        self.places = nn.ModuleList(nn.Linear(7, self.place * heads, bias=False) for _ in range(layers))
        self.convolutions = nn.ModuleList(Convolution(width, kernel) for _ in range(layers))
        self.register_buffer("positions", torch.randn(1, 2 * frames - 1 + left, 7))

    def example(self) -> list[Tensor]:
        layers, attention = self.layers, self.attention
        return [
            torch.randn(1, self.frames, self.width),
            torch.rand(layers, 1) * 9,
            torch.randn(layers, 1, self.width),
            torch.randn(layers, self.left, 1, attention),
            torch.randn(layers, self.left, 1, attention // 2),
            torch.randn(layers, 1, self.width, self.kernel - 1),
        ]

    batch_axes = (0, 1, 1, 2, 2, 1)

    def forward(
        self, x: Tensor, lengths: Tensor, means: Tensor, keys: Tensor, values: Tensor, caches: Tensor
    ) -> tuple[Tensor, ...]:
        x = x.permute(1, 0, 2)
        new: list[list[Tensor]] = [[], [], [], [], []]
        for layer in range(self.layers):
            y = x.cumsum(dim=0) + (means[layer] * lengths[layer].unsqueeze(1)).unsqueeze(0)
            counts = torch.arange(1, self.frames + 1).unsqueeze(1) + lengths[layer].unsqueeze(0)
            y = y * counts.reciprocal().unsqueeze(2)
            new[0].append(lengths[layer] + self.frames)
            new[1].append(y[-1])
            x = x + self.means[layer](y)
            mixed, key, value = self.attend(layer, x, keys[layer], values[layer])
            new[2].append(key)
            new[3].append(value)
            x = x + mixed
            y, cache = self.convolutions[layer](x, caches[layer])
            new[4].append(cache)
            x = x + y
        return (x.permute(1, 0, 2), *(torch.stack(states) for states in new))

    def attend(self, layer: int, x: Tensor, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        rows, columns, heads = self.frames, self.left + self.frames, self.heads
        q, k, v, p = self.projections[layer](x).split(self.parts, dim=2)
        k, v = torch.cat([keys, k], dim=0), torch.cat([values, v], dim=0)
        kept = k[rows:], v[rows:]
        q = q.reshape(rows, heads, self.attention // heads).permute(1, 0, 2)
        p = p.reshape(rows, heads, self.place).permute(1, 0, 2)
        k = k.reshape(columns, heads, self.attention // heads).permute(1, 2, 0)
        v = v.reshape(columns, heads, self.attention // 2 // heads).permute(1, 0, 2)
        places = self.places[layer](self.positions).reshape(1, -1, heads, self.place)
        scores = torch.matmul(p, places.permute(0, 2, 3, 1).squeeze(0))
        across, down, along = scores.stride()
        sizes = (heads, rows, columns)
        scores = scores.as_strided(sizes, (across, down - along, along), storage_offset=along * (rows - 1))
        shares = (torch.matmul(q, k) + scores).softmax(dim=-1)
        mixed = torch.bmm(shares, v).permute(1, 0, 2).reshape(rows, 1, self.attention // 2)
        return self.results[layer](mixed), *kept


class Embedding(nn.Module):
    """Half as many frames, as wide as wanted."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(1, 4, 3, stride=2)
        self.inner = 4 * ((FEATURES - 1) // 2)
        self.projection = nn.Linear(self.inner, width)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.sigmoid(self.convolution(x.unsqueeze(1)))
        return self.projection(x.permute(0, 2, 1, 3).reshape(1, -1, self.inner)).permute(1, 0, 2)


class EmformerLike(nn.Module):
    """Flat states, attention, convolutions; converted without shapes."""

    def __init__(self, width: int, heads: int, left: int, frames: int, kernel: int, layers: int) -> None:
        super().__init__()
        self.width, self.heads, self.left, self.frames, self.kernel = width, heads, left, frames, kernel
        self.embedding = Embedding(width)
        self.queries = nn.ModuleList(nn.Linear(width, width) for _ in range(layers))
        self.pairs = nn.ModuleList(nn.Linear(width, 2 * width) for _ in range(layers))
        self.results = nn.ModuleList(nn.Linear(width, width) for _ in range(layers))
        self.convolutions = nn.ModuleList(Convolution(width, kernel) for _ in range(layers))
        self.batch_axes = (0, *(1, 0) * layers)

    def example(self) -> list[Tensor]:
        states = [torch.randn(self.left, 1, self.width), torch.randn(1, self.width, self.kernel - 1)]
        return [torch.randn(1, 2 * self.frames + 1, FEATURES), *states * len(self.queries)]

    def forward(self, x: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        x = self.embedding(x)
        new: list[Tensor] = []
        for layer, convolution in enumerate(self.convolutions):
            before, cache = states[2 * layer], states[2 * layer + 1]
            key, value = self.pairs[layer](x).chunk(2, dim=2)
            key, value = torch.cat([before, key], dim=0), torch.cat([before, value], dim=0)
            new.append(key[self.frames : self.frames + self.left])
            x = x + self.results[layer](self.attend(self.queries[layer](x), key, value))
            y, cache = convolution(x, cache)
            new.append(cache)
            x = x + y
        return (x.permute(1, 0, 2), *new)

    def attend(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        rows, columns, each = self.frames, self.frames + self.left, self.width // self.heads
        q = query.contiguous().view(rows, self.heads, each).permute(1, 0, 2)
        k, v = (x.contiguous().view(columns, self.heads, each).permute(1, 0, 2) for x in (key, value))
        shares = torch.bmm(q * each**-0.5, k.transpose(1, 2)).softmax(dim=-1)
        return torch.bmm(shares, v).permute(1, 0, 2).reshape(-1, self.width).unsqueeze(1)


class LstmLike(nn.Module):
    """A count of frames that is cast to integers, and LSTMs with projections."""

    batch_axes = (0, None, 1, 1)

    def __init__(self, width: int, cells: int, frames: int, layers: int) -> None:
        super().__init__()
        self.width, self.cells, self.frames = width, cells, frames
        self.embedding = Embedding(width)
        self.lstms = nn.ModuleList(nn.LSTM(width, cells, 1, proj_size=width) for _ in range(layers))

    def example(self) -> list[Tensor]:
        layers = len(self.lstms)
        states = [torch.randn(layers, 1, self.width), torch.randn(layers, 1, self.cells)]
        return [torch.randn(1, self.frames, FEATURES), torch.tensor([float(self.frames)]), *states]

    def forward(self, x: Tensor, length: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, ...]:
        x = self.embedding(x)
        new: tuple[list[Tensor], list[Tensor]] = ([], [])
        for layer, lstm in enumerate(self.lstms):
            y, states = lstm(x, (hidden[layer : layer + 1], cell[layer : layer + 1]))
            x = x + y
            for kept, state in zip(new, states, strict=True):
                kept.append(state)
        length = ((length - 1) / 2).floor().to(torch.int64)
        return x.permute(1, 0, 2), length, torch.cat(new[0], dim=0), torch.cat(new[1], dim=0)
