"""The examples are found, in a checkout too."""

from __future__ import annotations

from pathlib import Path

from ncnnparam.examples import example_folder


def test_the_examples_of_a_checkout_are_beside_the_package(root: Path) -> None:
    assert example_folder() == root / "examples"
    assert (example_folder() / "demo_transducer" / "export.py").is_file()
