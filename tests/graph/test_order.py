"""The list of layers: order labels, and walks that go on while the list is edited."""

from __future__ import annotations

from itertools import islice, pairwise

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from ncnnparam.errors import GraphError
from ncnnparam.graph import Graph, Layer
from ncnnparam.graph.order import LayerList


def layers(count: int) -> list[Layer]:
    graph = Graph()
    return [Layer(graph, "Noop", f"n{number}", ()) for number in range(count)]


def filled(count: int) -> tuple[LayerList, list[Layer]]:
    order, made = LayerList(), layers(count)
    for layer in made:
        order.append(layer)
    return order, made


def check(order: LayerList, expected: list[Layer]) -> None:
    assert list(order) == expected
    assert list(reversed(order)) == expected[::-1]
    assert len(order) == len(expected)
    labels = [layer._link.label for layer in expected]
    assert labels == sorted(set(labels))
    for one, two in pairwise(expected):
        assert order.before(one, two)
        assert not order.before(two, one)
        assert one.next is two
        assert two.previous is one
    assert [order[position] for position in range(len(expected))] == expected
    blocks = [(block.first.layer, block.count) for block in order._blocks]
    starts = [sum(count for _, count in blocks[:number]) for number in range(len(blocks))]
    assert [layer for layer, _ in blocks] == [expected[start] for start in starts]
    if expected:
        assert expected[0].previous is None
        assert expected[-1].next is None


@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["insert", "remove", "move"]), st.integers(0, 99), st.integers(0, 99))
    )
)
def test_it_is_a_list(steps: list[tuple[str, int, int]]) -> None:
    order = LayerList()
    expected: list[Layer] = []
    spare = layers(len(steps))
    for kind, one, two in steps:
        if kind == "insert":
            at = one % (len(expected) + 1)
            layer = spare.pop()
            order.insert_after(expected[at - 1] if at else None, layer)
            expected.insert(at, layer)
        elif expected:
            layer = expected.pop(one % len(expected))
            order.remove(layer)
            if kind == "move":
                at = two % (len(expected) + 1)
                order.insert_after(expected[at - 1] if at else None, layer)
                expected.insert(at, layer)
    check(order, expected)


@pytest.mark.parametrize("where", ["first", "second", "middle", "behind the newest", "before the newest"])
def test_labels_have_room_for_any_number_in_one_place(where: str) -> None:
    order, expected = filled(10)
    newest = 5
    for layer in layers(3000):
        at = {"first": 0, "second": 1, "middle": 5}.get(where, newest)
        order.insert_after(expected[at - 1] if at else None, layer)
        expected.insert(at, layer)
        newest = at + (where == "behind the newest")
    check(order, expected)


def test_room_is_made_among_crowded_labels() -> None:
    order, expected = filled(500)
    for position, layer in enumerate(expected):
        layer._link.label = position - 250  # no room anywhere, and some labels below zero
    for at in (1, 250, 499, 3):
        (layer,) = layers(1)
        order.insert_after(expected[at - 1], layer)
        expected.insert(at, layer)
    check(order, expected)


def test_arrange() -> None:
    order, expected = filled(5)
    order.arrange(expected[::-1])
    check(order, expected[::-1])
    with pytest.raises(GraphError, match="all layers"):
        order.arrange(expected[:4])
    check(order, expected[::-1])


def test_index() -> None:
    order, expected = filled(5)
    for index in range(-5, 5):
        assert order[index] is expected[index]
    for index in (5, -6):
        with pytest.raises(IndexError, match="has 5 layers, none at"):
            order[index]


def test_contains() -> None:
    order, expected = filled(2)
    assert expected[1] in order
    assert layers(1)[0] not in order
    assert "n0" not in order


# ---- walks -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("backward", [False, True])
def test_removing_all_while_walking(backward: bool) -> None:
    order, expected = filled(20)
    seen = []
    for layer in reversed(order) if backward else order:
        order.remove(layer)
        seen.append(layer)
    assert seen == (expected[::-1] if backward else expected)
    check(order, [])


@pytest.mark.parametrize("backward", [False, True])
@given(data=st.data())
@settings(max_examples=50)
def test_any_edit_while_walking(backward: bool, data: st.DataObject) -> None:
    """What stays is seen once, what has gone is not seen again, and the walk ends."""
    order, stay = filled(12)
    rest = list(stay)
    seen: list[Layer] = []
    for layer in islice(reversed(order) if backward else order, 200):
        assert layer in rest
        seen.append(layer)
        gone = data.draw(st.lists(st.sampled_from(rest), unique=True, max_size=4)) if rest else []
        for other in gone:
            order.remove(other)
            rest.remove(other)
    untouched = [layer for layer in stay if layer in rest]
    assert [layer for layer in seen if layer in rest] == (untouched[::-1] if backward else untouched)
    assert len(set(map(id, seen))) == len(seen)
    check(order, rest)


def test_what_is_inserted_ahead_is_walked_over_and_behind_is_not() -> None:
    order, expected = filled(3)
    ahead, behind = layers(2)
    seen = []
    for layer in order:
        seen.append(layer)
        if layer is expected[1]:
            order.insert_after(layer, ahead)
            order.insert_after(expected[0], behind)
    assert seen == [expected[0], expected[1], ahead, expected[2]]


def test_standing_on_a_layer_that_moves() -> None:
    order, expected = filled(4)
    seen = []
    for layer in order:
        seen.append(layer.name)
        if layer is expected[0]:
            order.remove(layer)
            order.insert_after(expected[3], layer)
    assert seen == ["n0", "n1", "n2", "n3", "n0"]
