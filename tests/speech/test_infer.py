from __future__ import annotations

import pytest

import ncnnparam as nnp
from ncnnparam.errors import MetadataError
from ncnnparam.speech import infer
from ncnnparam.speech.trace import maker, unsplit

from .samples import ALL, DEMO, OLD_ZIPFORMER, demo_graph, graph_of, truth_of


def test_the_demo_encoder_shows_all():
    shown = infer(demo_graph())
    assert shown.metadata() == DEMO
    assert not shown.unknown


@pytest.mark.parametrize("name", ALL)
def test_real_encoders_show_all(shared, name):
    shown = infer(graph_of(shared, name))
    truth = truth_of(shared, name)
    assert shown.kind is truth.kind
    assert {field: fact.value for field, fact in shown.facts.items()} == {
        field.name: truth.values()[field.name] for field in truth.kind.flags
    }
    assert not shown.unknown
    assert shown.metadata().values() | {"version": 0} == truth.values() | {"version": 0}


@pytest.mark.parametrize("name", ALL)
def test_evidence_names_layers_of_the_graph(shared, name):
    graph = graph_of(shared, name)
    for field, fact in infer(graph).facts.items():
        if field != "num_encoder_layers":
            assert any(layer.name in fact.evidence.replace(",", "").split() for layer in graph), fact


@pytest.mark.parametrize("name", ALL)
def test_names_and_order_of_layers_do_not_matter(shared, name):
    graph = graph_of(shared, name)
    for number, layer in enumerate(graph):
        layer.name = f"l{number}"
    for number, blob in enumerate(list(graph.blobs)):
        if not blob.name.startswith("in"):
            blob.name = f"b{number}"
    # an Input that stands last among the inputs is one of another number
    graph.move(graph.blob("in2").producer, before=graph.layers[0])
    shown = infer(graph)
    assert shown.metadata().values() | {"version": 0} == truth_of(shared, name).values() | {"version": 0}


def test_a_repaired_zipformer_shows_the_same(shared):
    """Repairs in the manner of ``shared/facts/pnnx-icefall.md``: other types, other ids, more layers."""
    graph = graph_of(shared, "zipformer")
    for layer in graph:
        if layer.type == "torch.unbind":
            sizes = (len(layer.outputs), *[-233] * len(layer.outputs))[1:]
            graph.replace(layer, "Slice", params={0: sizes, 1: 0})
        elif layer.type == "torch.as_strided":
            graph.replace(layer, "TensorAsStrided", params={0: (4, 16, 80), 1: (1520, 94, 1), 2: 15})
        elif layer.type == "Reshape" and layer.params.get(12) == 233:
            params = {id: value for id, value in layer.params.items() if id not in (12, 13)}
            behind = graph.replace(layer, "Reshape", params=params)
            graph.insert_after(behind, "Permute", order_type=2)
        elif layer.type == "Softmax":
            layer["axis"] = 2
    shown = infer(graph)
    assert shown.metadata() == truth_of(shared, "zipformer")


@pytest.mark.parametrize("part", ["decoder", "joiner"])
@pytest.mark.parametrize("name", ["conv-emformer", "lstm", "zipformer"])
def test_decoders_and_joiners_are_of_no_kind(shared, name, part):
    path = shared / "vectors" / name / "raw/fp32" / f"{part}_jit_trace_pnnx.ncnn.param"
    shown = infer(nnp.load(path).graph)
    assert shown.kind is None
    with pytest.raises(MetadataError, match="no encoder that sherpa-ncnn knows: it has"):
        shown.metadata()


def test_no_other_file_of_the_corpus_is_taken_for_an_encoder(shared):
    taken = []
    for path in sorted((shared / "corpus").glob("*.param")):
        try:
            graph = nnp.load(path).graph
        except nnp.ParseError:
            continue
        if infer(graph).kind is not None:
            taken.append(path.name)
    assert len(taken) == 1, taken
    assert "AudioSer" in taken[0]


def test_an_empty_graph_is_of_no_kind():
    assert infer(nnp.Graph()).kind is None


def test_says_what_it_cannot_know(shared):
    graph = graph_of(shared, "zipformer")
    for layer in graph.find("Crop"):
        layer.params[9] = (0,)
    shown = infer(graph)
    assert set(shown.unknown) == {"num_left_chunks", "zipformer_downsampling_factors"}
    with pytest.raises(MetadataError, match="does not show --num-left-chunks: stack 0: no Crop") as caught:
        shown.metadata()
    assert "export" in caught.value.hint


def test_layers_that_disagree_make_a_value_unknown():
    graph = demo_graph()
    conv = graph.find("ConvolutionDepthWise1D")[1]
    conv["kernel_w"] = 31
    unknown = infer(graph).unknown["cnn_module_kernel"]
    assert "15 of" in unknown
    assert f"31 of ConvolutionDepthWise1D {conv.name}" in unknown


def test_right_context_is_known_up_to_the_recipes_rounding():
    fact = infer(demo_graph()).facts["right_context_length"]
    assert [value for value in range(20) if fact.allows(value)] == [8, 9, 10, 11]
    assert "8 to 11" in fact.evidence


def test_an_lstm_without_projection():
    text = "Input in{0} 0 1 in{0}\n"
    lines = [text.format(number) for number in range(4)]
    lines.append("LSTM lstm 3 3 in0 in2 in3 out0 out2 out3 0=512 1=1048576\n")
    shown = infer(nnp.loads(f"7767517\n5 7\n{''.join(lines)}").graph)
    assert shown.metadata().values() == {"num_encoder_layers": 1, "encoder_dim": 512, "rnn_hidden_size": 512}


def test_a_circle_of_splits_ends():
    graph = nnp.loads("7767517\n2 3\nSplit s 1 2 b a b\nReLU r 1 1 a c\n").graph
    assert unsplit(graph.blob("a")).name == "b"
    assert maker(graph.blob("a")).type == "Split"
    assert infer(graph).kind is None


def test_an_old_model_has_version_zero(shared):
    from ncnnparam.speech import from_layer, metadata_layers

    (layer,) = metadata_layers(graph_of(shared, "old-zipformer"))
    assert from_layer(layer) == OLD_ZIPFORMER
