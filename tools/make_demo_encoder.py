"""Make the demo encoder that ships in `ncnnparam/demo`: torch -> pnnx -> ncnn, checked number by number.

    python tools/make_demo_encoder.py [--output FOLDER] [--seed N]

Needs torch, pnnx (20261020 made the shipped files) and ncnn. The work is done in a temporary folder; the four
files are written only when the real ncnn, given the converted pair, repeats what torch computed:

    encoder.ncnn.param  the graph as pnnx wrote it, without SherpaMetaData
    encoder.ncnn.bin    the weights, float16
    ncnnparam.toml      the sizes under icefall's flag names, for `ncnnparam inject-meta --from-config`
    expected.npz        two calls in a row, inputs and torch's outputs (see `expected_calls`)

The same seed and the same versions give the same bytes.
"""

from __future__ import annotations

import argparse
import faulthandler
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import ncnn
import numpy as np
import numpy.typing as npt
import pnnx
import torch
from demo_encoder_model import DemoEncoder, Sizes, make_encoder

DEFAULT_OUTPUT = Path(__file__).resolve().parent.parent / "ncnnparam" / "demo"
TOLERANCE = 1e-4
PNNX_SECONDS = 300

Arrays = dict[str, npt.NDArray[np.float32]]


class DemoError(Exception):
    """The demo encoder could not be made; the message says why."""


def random_inputs(sizes: Sizes, generator: torch.Generator) -> list[torch.Tensor]:
    """Return random features and random states, none of them zero, in the order of the blobs in0, in1, ..."""
    return [torch.randn(shape, generator=generator) for shape in sizes.input_shapes]


def convert(encoder: DemoEncoder, example: list[torch.Tensor], folder: Path) -> tuple[Path, Path]:
    """Trace `encoder` with the inputs `example`, run pnnx in `folder`, return its ncnn pair."""
    traced = folder / "encoder.pt"
    with torch.no_grad():
        module = torch.jit.trace(encoder, tuple(example))
    module.save(str(traced))
    run = subprocess.run(
        [pnnx.EXEC_PATH, traced.name, "fp16=1"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PNNX_SECONDS,
        check=False,
    )
    param, binary = folder / "encoder.ncnn.param", folder / "encoder.ncnn.bin"
    if run.returncode != 0 or not param.is_file() or not binary.is_file():
        raise DemoError(f"pnnx ended with status {run.returncode}, its output is not usable:\n{run.stdout}")
    return param, binary


def expected_calls(encoder: DemoEncoder, sizes: Sizes, generator: torch.Generator) -> Arrays:
    """Return what torch computes in two calls in a row, by names `<call>.<blob>`.

    `chunk0` has all inputs and outputs. `chunk1` has new features (`chunk1.in0`) and the encoder frames
    (`chunk1.out0`) only: its states are the outputs of `chunk0`, `in1` being `out1` and so on.
    """
    inputs = random_inputs(sizes, generator)
    features = torch.randn(inputs[0].shape, generator=generator)
    with torch.no_grad():
        outputs = encoder(*inputs)
        frames = encoder(features, *outputs[1:])[0]
    calls = {f"chunk0.in{index}": tensor for index, tensor in enumerate(inputs)}
    calls |= {f"chunk0.out{index}": tensor for index, tensor in enumerate(outputs)}
    calls |= {"chunk1.in0": features, "chunk1.out0": frames}
    return {name: tensor.numpy().copy() for name, tensor in calls.items()}


def load(param: Path, binary: Path) -> ncnn.Net:
    """Return the pair as a net of the real ncnn."""
    net = ncnn.Net()
    if net.load_param(str(param)) != 0 or net.load_model(str(binary)) != 0:
        raise DemoError(f"ncnn refuses what pnnx wrote, for the reason above:\n{param.read_text()}")
    return net


def run_net(net: ncnn.Net, inputs: list[npt.NDArray[np.float32]]) -> list[npt.NDArray[np.float32]]:
    """Feed in0, in1, ... and return copies of out0, out1, ..., as many as there are inputs."""
    extractor = net.create_extractor()
    for index, array in enumerate(inputs):
        # A Mat made from an array only points at its memory; the clone owns a copy.
        extractor.input(f"in{index}", ncnn.Mat(array).clone())
    outputs = []
    for index in range(len(inputs)):
        status, mat = extractor.extract(f"out{index}")
        if status != 0:
            raise DemoError(f"ncnn could not compute out{index}: status {status}")
        outputs.append(np.array(mat))
    return outputs


def worst_difference(net: ncnn.Net, expected: Arrays, count: int) -> float:
    """Return the largest absolute difference between `net` and `expected` over both calls.

    Args:
        net: The converted encoder.
        expected: As from `expected_calls`.
        count: Number of inputs, which is the number of outputs.
    """
    first = run_net(net, [expected[f"chunk0.in{index}"] for index in range(count)])
    second = run_net(net, [expected["chunk1.in0"], *first[1:]])
    pairs = [(f"chunk0.out{index}", array) for index, array in enumerate(first)]
    pairs.append(("chunk1.out0", second[0]))
    worst = 0.0
    for name, array in pairs:
        if array.shape != expected[name].shape:
            raise DemoError(f"{name}: ncnn gives shape {array.shape}, torch gives {expected[name].shape}")
        difference = float(np.abs(array - expected[name]).max())
        if not difference <= TOLERANCE:  # written so that NaN fails too
            raise DemoError(f"{name}: ncnn and torch differ by {difference:.2g}, more than {TOLERANCE:.0e}")
        worst = max(worst, difference)
    return worst


def config_text(sizes: Sizes) -> str:
    """Return `ncnnparam.toml`: the flags that the metadata needs, icefall's names with icefall's values."""
    flags = {
        "num-encoder-layers": sizes.num_encoder_layers,
        "memory-size": sizes.memory_size,
        "cnn-module-kernel": sizes.cnn_module_kernel,
        "left-context-length": sizes.left_context_length,
        "chunk-length": sizes.chunk_length,
        "right-context-length": sizes.right_context_length,
        "encoder-dim": sizes.encoder_dim,
    }
    lines = [
        "# The flags that an export of encoder.ncnn.param from icefall would have had.",
        "# Lengths count feature frames before subsampling; ncnnparam divides where the metadata wants it.",
        "",
        "[model]",
        'kind = "conv-emformer"',
        *(f"{name} = {value}" for name, value in flags.items()),
    ]
    return "\n".join(lines) + "\n"


def make(output: Path, seed: int) -> float:
    """Make the demo encoder and write its four files to the folder `output`.

    Returns:
        The largest absolute difference between ncnn and torch.

    Raises:
        DemoError: pnnx fails, or ncnn does not compute what torch does; nothing was written.
    """
    sizes = Sizes()
    encoder = make_encoder(sizes, seed)
    generator = torch.Generator().manual_seed(seed + 1)
    with tempfile.TemporaryDirectory(prefix="demo-encoder-") as name:
        folder = Path(name)
        param, binary = convert(encoder, random_inputs(sizes, generator), folder)
        expected = expected_calls(encoder, sizes, generator)
        worst = worst_difference(load(param, binary), expected, len(sizes.input_shapes))

        config = folder / "ncnnparam.toml"
        config.write_bytes(config_text(sizes).encode())
        arrays = folder / "expected.npz"
        np.savez_compressed(arrays, **expected)
        output.mkdir(parents=True, exist_ok=True)
        for made in (param, binary, config, arrays):
            replace(output / made.name, made)
    return worst


def replace(target: Path, made: Path) -> None:
    """Put a copy of `made` in the place of `target`; an interruption leaves the old file."""
    temporary = target.with_name(f".{target.name}.tmp")
    shutil.copyfile(made, temporary)
    os.replace(temporary, target)


def main() -> int:
    """Run the command line; return its exit status."""
    faulthandler.enable()  # a wrongly converted graph may end ncnn by a signal; this shows where
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--output", type=Path, default=DEFAULT_OUTPUT, help="folder to write to [%(default)s]"
    )
    parser.add_argument("--seed", type=int, default=1, help="seed of weights and inputs [%(default)s]")
    arguments = parser.parse_args()
    try:
        worst = make(arguments.output, arguments.seed)
    except (DemoError, OSError, subprocess.TimeoutExpired) as error:
        print(f"make_demo_encoder: {error}", file=sys.stderr)
        return 2
    print(f"wrote {arguments.output}; ncnn and torch differ by at most {worst:.1g}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
