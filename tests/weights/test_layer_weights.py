"""``layer.weights``."""

from __future__ import annotations

import numpy as np
import pytest

import ncnnparam as nnp
from ncnnparam.weights import Storage

from .conftest import Pair


def test_looking(pair: Pair) -> None:
    weights = nnp.load(*pair).graph.layer("fc").weights
    assert list(weights) == ["weight_data", "bias_data"]
    assert len(weights) == 2
    weight = weights["weight_data"]
    assert weight.storage is Storage.FLOAT16
    assert weight.dtype == np.float16
    assert weight.offset == 0
    with pytest.raises(nnp.NotFoundError, match="did you mean bias_data"):
        weights["bias_dat"]
    assert not nnp.load(*pair).graph.layer("relu").weights


def test_new_numbers_keep_the_storage(pair: Pair) -> None:
    model = nnp.load(*pair)
    weights = model.graph.layer("fc").weights
    weights["weight_data"] = np.full((3, 5), 0.25)
    assert weights["weight_data"].storage is Storage.FLOAT16
    weights.put("weight_data", weights["weight_data"].numpy(np.float32), Storage.BFLOAT16)
    model.save()
    again = nnp.load(*pair).graph
    assert again.layer("fc").weights["weight_data"].storage is Storage.BFLOAT16
    np.testing.assert_array_equal(again.layer("fc").weights["weight_data"].numpy(np.float32), 0.25)
    assert again.layer("last").weights["weight_data"].numpy().tolist() == [[0, 1, 2], [3, 4, 5]]


def test_an_array_nobody_asked_for(pair: Pair) -> None:
    weights = nnp.load(*pair).graph.layer("last").weights
    with pytest.raises(nnp.WeightsError, match="ask for no array 'bias_data'"):
        weights["bias_data"] = np.zeros(2)
    with pytest.raises(nnp.WeightsError, match=r"layer 'last' \(InnerProduct\): .* shape"):
        weights["weight_data"] = np.zeros(5)


def test_params_and_weights_change_together(pair: Pair) -> None:
    model = nnp.load(*pair)
    fc, last = model.graph.layer("fc"), model.graph.layer("last")
    last["bias_term"] = 1
    with pytest.raises(nnp.WeightsError, match=r"'last' .* has no bias_data: ncnn wants 2 elements"):
        model.save()
    last.weights["bias_data"] = [7, 8]
    fc["bias_term"] = 0
    with pytest.raises(nnp.WeightsError, match=r"'fc' .* bias_data that its params do not ask for"):
        model.save()
    del fc.weights["bias_data"]
    model.save()
    again = nnp.load(*pair).graph
    assert list(again.layer("fc").weights) == ["weight_data"]
    assert again.layer("last").weights["bias_data"].numpy().tolist() == [7, 8]


def test_a_size_changed_without_its_weights(pair: Pair) -> None:
    before = pair[1].read_bytes()
    model = nnp.load(*pair)
    model.graph.layer("last")["weight_data_size"] = 8
    with pytest.raises(nnp.WeightsError, match=r"ask for 8 elements of weight_data .* it has 6"):
        model.save()
    assert pair[1].read_bytes() == before
