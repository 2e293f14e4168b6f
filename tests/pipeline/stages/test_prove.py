"""What the proof tells the report."""

from __future__ import annotations

import pytest

from ncnnparam.errors import NcnnParamError
from ncnnparam.export.prove import Proof
from ncnnparam.pipeline.report.facts import Proof as Fact
from ncnnparam.pipeline.stages.prove import _facts, _require
from ncnnparam.runtime.expected import Verdict

LIMIT = 0.03


def proof(error: float, scale: float) -> Proof:
    return Proof((Verdict("chunk0", "out0", error, scale, ((2,), (2,))),), LIMIT)


@pytest.mark.parametrize(("error", "scale"), [(0.04, 2.0), (0.02, 0.1), (0.04, 1.0), (float("inf"), 1.0)])
def test_the_report_holds_what_the_stage_lets_pass(error: float, scale: float) -> None:
    made = proof(error, scale)
    (fact,) = (Fact(**row) for row in _facts("encoder", "fp16", made))
    assert fact.holds is not bool(made.wrong)
    if made.wrong:
        with pytest.raises(NcnnParamError, match="are not what PyTorch"):
            _require("encoder", "fp16", made)
    else:
        _require("encoder", "fp16", made)
