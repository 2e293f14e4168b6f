"""A checkpoint that comes from a hub on loopback, traced."""

from __future__ import annotations

from pathlib import Path

import pytest

from ncnnparam.errors import NcnnParamError
from ncnnparam.examples import example_folder
from ncnnparam.pipeline.runner import Options
from tests.export.hub_server import REPOSITORY, serve

from ..conftest import ran, run_all

for package in ("huggingface_hub", "torch", "sentencepiece"):
    pytest.importorskip(package)
FILES = {"exp/model.pt": "lstm/model.pt", "lang/bpe.model": "bpe.model"}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "ncnnparam.toml"
    path.write_text(f"""[source]
repository = "{REPOSITORY}"
files = ["exp/*.pt", "lang/*.model"]
folder = "fetched"
[trace]
how = "factory"
factory = "demo_transducer.export:lstm"
path = '{example_folder()}'
checkpoint = "fetched/exp/model.pt"
[tokens]
bpe-model = "fetched/lang/bpe.model"
""")
    return path


def test_fetched_and_traced_and_not_twice(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = {name: (example_folder() / path).read_bytes() for name, path in FILES.items()}
    with serve({**shipped, "README.md": b"# about\n"}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        monkeypatch.setenv("NO_PROXY", "*")
        assert ran(run_all(config, Options(end="tokens"))) == ["source", "trace", "tokens"]
        assert (config.parent / "fetched/exp/model.pt").read_bytes() == shipped["exp/model.pt"]
        assert not (config.parent / "fetched/README.md").exists()
        hub.requests.clear()
        assert ran(run_all(config, Options(end="tokens"))) == []
        assert hub.requests == []


def test_a_hub_without_the_checkpoint(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve({"exp/other.pt": b"x", "lang/bpe.model": b"y"}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        monkeypatch.setenv("NO_PROXY", "*")
        with pytest.raises(NcnnParamError, match=r"exp.model\.pt"):
            run_all(config, Options(end="tokens"))
