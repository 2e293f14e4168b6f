"""The three encoders of ../shared/vectors: raw pnnx output, and the numbers that PyTorch gave."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from ncnnparam.model import Model, dump, load, save
from ncnnparam.passes.pnnx import Account, Repair, named_target, read_pnnx, repair
from ncnnparam.runtime.expected import Call, Verdict, prove, read_calls

KINDS = ("lstm", "conv-emformer", "zipformer")
TARGETS = ("ncnn", "sherpa-ncnn")
STEM = "encoder_jit_trace_pnnx"


@cache
def _repair(vectors: Vectors, target: str, storage: str) -> Account:
    return repair(vectors.load(storage), read_pnnx(vectors.raw("pnnx.param")), named_target(target))


@dataclass(frozen=True)
class Vectors:
    """One encoder."""

    folder: Path

    @cached_property
    def meta(self) -> dict[str, Any]:
        return json.loads((self.folder / "meta.json").read_text())

    def raw(self, kind: str, storage: str = "fp32") -> Path:
        return self.folder / "raw" / storage / f"{STEM}.{kind}"

    def load(self, storage: str = "fp32") -> Model:
        return load(self.raw("ncnn.param", storage), self.raw("ncnn.bin", storage))

    def repair(self, target: str, storage: str = "fp32") -> Account:
        """The account is the same object each time: copy the model before you change it."""
        return _repair(self, target, storage)

    def repair_by(self, passes: Iterable[type[Repair]]) -> Model:
        """With these repairs and no others."""
        model, pnnx = self.load(), read_pnnx(self.raw("pnnx.param"))
        for one in passes:
            one(pnnx)(model)
        return model

    def calls(self, model: Model) -> list[Call]:
        return read_calls(self.folder / "expected.npz", model.graph)[0]

    def prove(self, account: Account, folder: Path, storage: str = "fp32") -> list[Verdict]:
        """Writes the repaired model; the old ``.bin`` goes with it if the weights are as they were."""
        param, weights = folder / "repaired.param", folder / "repaired.bin"
        if account.weights_changed:
            save(account.model, param, weights)
        else:
            dump(account.model, param)
            weights = self.raw("ncnn.bin", storage)
        return prove(param, weights, account.model.graph, self.calls(account.model))
