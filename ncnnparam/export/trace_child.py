"""The child process of ``trace.trace_factory``: reads an order from stdin, and answers in a file."""

from __future__ import annotations

import json
import pickle
import sys
from importlib import import_module
from pathlib import Path
from typing import Any


class _OrderError(Exception):
    """A fault of who asked; the answer tells it."""


def main() -> None:
    """Carries out one order."""
    order = json.load(sys.stdin)
    try:
        answer = _trace(order)
    except _OrderError as problem:
        answer = problem.args[0]
    Path(order["answer"]).write_text(json.dumps(answer))


def _trace(order: dict[str, Any]) -> dict[str, str]:
    factory = _factory(order)
    made = factory(_load(order) if order["checkpoint"] is not None else None)
    names = order["names"]
    if not isinstance(made, dict) or not names.keys() <= made.keys():
        raise _OrderError({"problem": f"it returns no dict with {', '.join(names)}"})
    import torch

    trace: Any = torch.jit.trace
    for part, name in names.items():
        try:
            module, example = made[part]
        except (TypeError, ValueError):
            raise _OrderError({"problem": f"its '{part}' is no pair of a module and an example"}) from None
        if not isinstance(module, torch.nn.Module):
            raise _OrderError({"problem": f"the module of its '{part}' is a {type(module).__name__}"})
        print(f"tracing the {part}", flush=True)
        module.eval()
        with torch.no_grad():
            traced = trace(module, example, check_trace=False)
        traced.save(str(Path(order["folder"], name)))
    return {}


def _load(order: dict[str, Any]) -> Any:
    import torch

    path = order["checkpoint"]
    try:
        return torch.load(path, map_location="cpu", weights_only=not order["trust"])
    except pickle.UnpicklingError as error:
        if order["trust"]:
            raise _OrderError({"problem": f"{path} is no checkpoint: {error}"}) from None
        why = next((line.strip() for line in str(error).splitlines() if "GLOBAL" in line), str(error))
        raise _OrderError({"refused": path, "why": why[:300]}) from None
    except (RuntimeError, EOFError) as error:
        raise _OrderError({"problem": f"{path} cannot be loaded: {str(error).splitlines()[0]}"}) from None


def _factory(order: dict[str, Any]) -> Any:
    if order["path"] is not None:
        sys.path.insert(0, order["path"])
    module, function = order["module"], order["function"]
    try:
        found = import_module(module)
    except ModuleNotFoundError as error:
        where = order["path"] or "the packages that are installed"
        raise _OrderError({"problem": f"there is no module '{error.name}' in {where}"}) from None
    try:
        return getattr(found, function)
    except AttributeError:
        raise _OrderError({"problem": f"{found.__file__} has no '{function}'"}) from None


if __name__ == "__main__":
    main()
