"""Packages that only some commands need."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ncnnparam.errors import NcnnParamError


def need(module: str, extra: str) -> Any:
    """An optional module.

    Raises:
        NcnnParamError: It is not installed.
    """
    try:
        return import_module(module)
    except ImportError:
        raise NcnnParamError(
            f"this needs {module}, which is not installed", hint=f'pip install "ncnnparam[{extra}]"'
        ) from None
