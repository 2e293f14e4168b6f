"""Stage ``quantize``: int8."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ncnnparam.errors import ConfigError, ParseError
from ncnnparam.pipeline.config import Model
from ncnnparam.pipeline.files import Files, pair_roles
from ncnnparam.pipeline.stage import Job, Result, Stage


class Quantize(Stage):
    """Makes encoder and joiner int8."""

    name = "quantize"

    def unwanted(self, model: Model) -> str:
        """Nothing is to be int8."""
        return "" if model.quantize.parts else "nothing is to be int8"

    def check(self, model: Model) -> None:
        """Reads the selectors."""
        super().check(model)
        for key in ("skip", "only"):
            text = getattr(model.quantize, key)
            if text:
                _require_selector(text, f"{key} in {model.file} under [quantize]")

    def settings(self, model: Model) -> Any:
        """What is to be int8, and for which runtime."""
        how = model.quantize
        return {"nets": list(how.parts), "skip": how.skip, "only": how.only, "target": model.repair.target}

    def reads(self, model: Model, files: Files) -> Iterable[str]:
        """Nets with float32 weights, and their tables."""
        for part in model.quantize.parts:
            yield from (*pair_roles(part, "fp32"), f"{part}.table")

    def needs(self, files: Files, read: Iterable[Path]) -> int:
        """Half of the fp32 weights at most."""
        return sum(path.stat().st_size for path in read) // 2

    def run(self, job: Job) -> Result:
        """Quantises the nets; the decoder never is."""
        from ncnnparam.checks import Severity
        from ncnnparam.checks.report import Checked, as_text
        from ncnnparam.model import load
        from ncnnparam.passes.pnnx import named_target
        from ncnnparam.quantize.int8 import Options, quantize
        from ncnnparam.quantize.table import Table
        from ncnnparam.quantize.table_rules import check_table

        how, result = job.model.quantize, Result()
        options = Options(how.only or None, how.skip or None, named_target(job.model.repair.target))
        for part in how.parts:
            model = load(*job.files.pair(part, "fp32"))
            table = Table.read(job.files[f"{part}.table"].path)
            findings = check_table(table, model.graph, native=True)
            errors = [one for one in findings if one.severity is Severity.ERROR]
            if errors:
                raise ConfigError(as_text([Checked(f"{part}.table", errors)]).rstrip())
            made = quantize(model.graph, table, options)
            if not any(layer.int8 for layer in made.layers):
                raise ConfigError(
                    f"no layer of the {part} can be quantised", hint=f"set {part} = false under [quantize]"
                )
            param, weights = pair_roles(part, "int8")
            result.files[param] = job.folder / f"{part}.int8.ncnn.param"
            result.files[weights] = job.folder / f"{part}.int8.ncnn.bin"
            model.save(result.files[param], result.files[weights])
            result.facts[part] = {
                "layers": [asdict(layer) for layer in made.layers],
                "bytes_before": made.bytes_before,
                "bytes_after": made.bytes_after,
            }
            count = sum(layer.int8 for layer in made.layers)
            job.tell.line(f"{part}: {count} of {len(made.layers)} layers with weights are int8")
            result.problems += [
                f"{part}: {one.overflowed:,} numbers of {one.layer} are too large for {one.after}"
                for one in made.converted
                if one.overflowed
            ]
        return result


def _require_selector(text: str, where: str) -> None:
    from ncnnparam.selectors import parse  # with the language of patterns, which takes a while

    try:
        parse(text)
    except ParseError as error:
        raise ConfigError(f"{where} is no selector: {error.message}", hint=error.hint) from None
