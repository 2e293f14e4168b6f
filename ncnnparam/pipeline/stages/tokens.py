"""Stage ``tokens``: what the joiner's numbers mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from ncnnparam.errors import ConfigError
from ncnnparam.pipeline.config import Model
from ncnnparam.pipeline.files import Files
from ncnnparam.pipeline.stage import Job, Result, Stage


class Tokens(Stage):
    """Writes ``tokens.txt``, from a model of sentencepiece or from another one."""

    name = "tokens"
    tools = ("sentencepiece",)

    def check(self, model: Model) -> None:
        """Makes sure that something tells the tokens."""
        super().check(model)
        if token_source(model) is None:
            raise ConfigError(
                f"{model.name}: nothing tells the tokens",
                hint=f"name bpe-model or tokens under [tokens] in {model.file}",
            )

    def imports(self, model: Model) -> Iterable[tuple[str, str]]:
        """A ``bpe.model`` is read by sentencepiece."""
        return () if model.tokens.bpe_model is None else (("sentencepiece", "export"),)

    def sources(self, model: Model, files: Files) -> Mapping[str, Path]:
        """What tells them."""
        source = token_source(model)
        return {} if source is None else {"tokens": source}

    def run(self, job: Job) -> Result:
        """Writes them."""
        from ncnnparam.export import read_tokens, write_tokens

        source = token_source(job.model)
        assert source is not None
        tokens = read_tokens(source)
        place = write_tokens(tokens, job.folder / "tokens.txt")
        job.tell.line(f"{tokens.size} tokens, the blank is {tokens.blank}")
        return Result({"tokens": place}, {"size": tokens.size, "blank": tokens.blank})


def token_source(model: Model) -> Path | None:
    """The file that tells the tokens."""
    return model.tokens.bpe_model or model.tokens.tokens
