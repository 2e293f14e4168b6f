"""Stage ``tokens``: what the joiner's numbers mean."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from shutil import copyfile

from ncnnparam.errors import ConfigError
from ncnnparam.pipeline.config import Model
from ncnnparam.pipeline.files import Files
from ncnnparam.pipeline.stage import Job, Result, Stage


class Tokens(Stage):
    """Writes ``tokens.txt``."""

    name = "tokens"
    tools = ("sentencepiece",)
    does = "writes tokens.txt"

    def check(self, model: Model) -> None:
        """Makes sure that something tells the tokens."""
        if model.tokens.tokens is None and model.tokens.bpe_model is None:
            raise ConfigError(
                f"{model.name}: nothing tells the tokens",
                hint=f"name bpe-model or tokens under [tokens] in {model.file}",
            )

    def sources(self, model: Model, files: Files) -> Mapping[str, Path]:
        """What tells them."""
        return {} if model.tokens.tokens is None else {"tokens": model.tokens.tokens}

    def run(self, job: Job) -> Result:
        """Writes them."""
        place = job.folder / "tokens.txt"
        assert job.model.tokens.tokens is not None
        copyfile(job.model.tokens.tokens, place)
        return Result({"tokens": place})
