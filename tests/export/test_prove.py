"""Numbers of TorchScript, and of what was made of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ncnnparam.errors import FileError, NcnnParamError
from ncnnparam.export import convert, decoder_calls, encoder_calls, joiner_calls, prove
from ncnnparam.model import load, save
from ncnnparam.passes.pnnx import named_target, read_pnnx, repair
from ncnnparam.speech import Lstm
from ncnnparam.speech.streaming import streaming

torch = pytest.importorskip("torch")
pytest.importorskip("ncnn")
small = pytest.importorskip("tests.export.small_transducer")
pytestmark = pytest.mark.filterwarnings("ignore")
HOW = streaming(small.METADATA)


def save_traced(module: Any, example: Any, path: Path) -> Path:
    torch.jit.trace(module.eval(), example, check_trace=False).save(str(path))
    return path


@pytest.fixture(scope="module")
def numbers(traced: Any) -> dict[str, Any]:
    """What TorchScript gives, for each net."""
    return {
        "encoder": encoder_calls(traced.encoder, HOW),
        "decoder": decoder_calls(traced.decoder, small.VOCABULARY),
        "joiner": joiner_calls(traced.joiner),
    }


def test_states_go_from_chunk_to_chunk(numbers: dict[str, Any]) -> None:
    calls = numbers["encoder"]
    assert [call.name for call in calls] == ["chunk0", "chunk1", "chunk2"]
    assert all((state != 0).all() for blob, state in calls[0].inputs.items() if blob != "in0")
    encoder, _ = small.transducer()["encoder"]
    for call in calls:
        given = [torch.from_numpy(call.inputs[f"in{number}"]) for number in range(5)]
        with torch.no_grad():
            wanted = encoder(*given)
        for number, output in enumerate(wanted):
            np.testing.assert_allclose(call.outputs[f"out{number}"], output.numpy(), atol=1e-6)
    np.testing.assert_array_equal(calls[1].inputs["in4"], calls[0].outputs["out4"])
    assert not np.array_equal(calls[1].inputs["in0"], calls[0].inputs["in0"])


def test_states_in_a_list_give_the_same(numbers: dict[str, Any], tmp_path: Path) -> None:
    path = save_traced(*small.listed(), tmp_path / "listed.pt")
    for flat, listed in zip(numbers["encoder"], encoder_calls(path, HOW), strict=True):
        assert flat.inputs.keys() == listed.inputs.keys()
        for blob, array in flat.outputs.items():
            np.testing.assert_allclose(array.ravel(), listed.outputs[blob].ravel(), atol=1e-6)


def test_states_in_a_tuple_and_more_frames(tmp_path: Path) -> None:
    states = torch.zeros(1, 1, 4), torch.zeros(1, 1, 6)
    example = (torch.zeros(1, 20, 80), torch.tensor([20]), states)
    path = save_traced(small.Tupled(), example, tmp_path / "tupled.pt")
    how = streaming(Lstm(num_encoder_layers=1, encoder_dim=4, rnn_hidden_size=6))
    calls = encoder_calls(path, how, chunks=2)
    assert [call.name for call in calls] == ["chunk0", "chunk1", "long0"]
    assert [call.inputs["in0"].shape for call in calls] == [(9, 80), (9, 80), (20, 80)]
    assert [call.inputs["in1"].tolist() for call in calls] == [[9], [9], [20]]
    assert [call.outputs["out1"].tolist() for call in calls] == [[4], [4], [10]]
    np.testing.assert_array_equal(calls[1].inputs["in3"].ravel(), 2 * calls[0].inputs["in3"].ravel())
    assert calls[2].inputs["in2"].shape == (1, 4)


def test_decoder_and_joiner(numbers: dict[str, Any]) -> None:
    contexts = numbers["decoder"]
    assert contexts[0].inputs["in0"].tolist() == [0, 0]
    assert all(call.inputs["in0"].dtype == np.int32 for call in contexts)
    assert {call.outputs["out0"].shape for call in contexts} == {(1, 1, small.WIDTH)}
    assert not np.array_equal(contexts[1].outputs["out0"], contexts[2].outputs["out0"])
    frames = numbers["joiner"]
    assert [call.inputs.keys() for call in frames] == [{"in0", "in1"}] * 5
    assert {call.outputs["out0"].shape for call in frames} == {(1, small.VOCABULARY)}


def mended(made: Any) -> tuple[Path, Path]:
    account = repair(load(made.param, made.weights), read_pnnx(made.pnnx_param), named_target("ncnn"))
    assert account.left == []
    paths = made.param.with_name("r.param"), made.param.with_name("r.bin")
    save(account.model, *paths)
    return paths


@pytest.mark.parametrize(
    ("part", "fp16", "outputs"),
    [("encoder", False, 15), ("encoder", True, 15), ("decoder", True, 5), ("joiner", False, 5)],
)
def test_what_pnnx_makes_is_proven(
    part: str, fp16: bool, outputs: int, traced: Any, numbers: dict[str, Any], tmp_path: Path
) -> None:
    pytest.importorskip("pnnx")
    made = convert(traced.parts[part], tmp_path, fp16=fp16)
    proof = prove(*mended(made), numbers[part], tolerance=1e-2 if fp16 else 1e-4)
    assert len(proof.verdicts) == outputs
    assert proof.wrong == []
    assert proof.worst.error > 0


def test_a_net_of_other_weights_is_wrong(traced: Any, numbers: dict[str, Any], tmp_path: Path) -> None:
    pytest.importorskip("pnnx")
    made = convert(traced.joiner, tmp_path, fp16=False)
    model = load(made.param, made.weights)
    (layer,) = model.graph.find("InnerProduct")
    layer.weights["bias_data"] = layer.weights["bias_data"].numpy() + np.float32(0.5)
    save(model, tmp_path / "m.param", tmp_path / "m.bin")
    proof = prove(tmp_path / "m.param", tmp_path / "m.bin", numbers["joiner"])
    assert len(proof.wrong) == 5
    assert proof.worst.error == pytest.approx(0.5, abs=1e-4)


def test_a_net_that_lacks_an_output(numbers: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "m.param").write_text("7767517\n2 2\nInput in0 0 1 in0\nReLU r 1 1 in0 other\n")
    (tmp_path / "m.bin").write_bytes(b"")
    with pytest.raises(NcnnParamError, match=r"m\.param has no out0, which its TorchScript gives"):
        prove(tmp_path / "m.param", tmp_path / "m.bin", numbers["joiner"])


def test_metadata_of_another_model(traced: Any) -> None:
    with pytest.raises(FileError, match="takes 5 inputs, and the metadata says 4"):
        encoder_calls(traced.encoder, streaming(Lstm(1, 4, 6)))
    with pytest.raises(FileError, match=r"takes 2 inputs, and the metadata says 5"):
        encoder_calls(traced.joiner, HOW)


def test_a_state_of_another_size(traced: Any) -> None:
    how = streaming(replace(small.METADATA, memory_size=9))
    with pytest.raises(FileError, match=r"in1 of .* is \(4, 16\), and the metadata says \(9, 16\)"):
        encoder_calls(traced.encoder, how)


def test_a_file_that_was_saved_again(traced: Any, tmp_path: Path) -> None:
    torch.jit.load(str(traced.joiner)).save(str(tmp_path / "again.pt"))
    with pytest.raises(FileError, match="does not tell the shapes of its inputs"):
        joiner_calls(tmp_path / "again.pt")


def test_a_limit_on_time(traced: Any) -> None:
    with pytest.raises(FileError, match="was stopped after"):
        joiner_calls(traced.joiner, timeout=0.01)
