"""``report.json``: a report as json, the way back, and the schema of it."""

from __future__ import annotations

import json
from typing import Any

from ncnnparam.errors import NcnnParamError
from ncnnparam.optional import need
from ncnnparam.pipeline.report.report import VERSION, Report


def to_json(report: Report) -> str:
    """The text of a ``report.json``.

    Raises:
        NcnnParamError: The package msgspec is not installed.
        ValueError: A number is infinite or none.
    """
    msgspec = need("msgspec", "pipeline")
    text = json.dumps(msgspec.to_builtins(report), indent=1, ensure_ascii=False, allow_nan=False)
    # of bytes that were no UTF-8, in the name of a layer perhaps, question marks are left
    return text.encode("utf-8", "replace").decode("utf-8") + "\n"


def from_json(text: str | bytes) -> Report:
    """A report from the text of a ``report.json``; fields that are not known are left out.

    Raises:
        NcnnParamError: It is no report, or one of another version.
    """
    msgspec = need("msgspec", "pipeline")
    try:
        report: Report = msgspec.json.decode(text, type=Report)
    except msgspec.DecodeError as error:
        raise NcnnParamError(f"this is no report.json: {error}") from None
    if report.version != VERSION:
        raise NcnnParamError(
            f"the report is of version {report.version}, and this ncnnparam reads version {VERSION}",
            hint="ncnnparam pipeline run writes it anew",
        )
    return report


def schema() -> dict[str, Any]:
    """The JSON Schema of ``report.json``, with what each field means."""
    msgspec = need("msgspec", "pipeline")
    made: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(msgspec.json.schema(Report)))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "report.json", **made}
