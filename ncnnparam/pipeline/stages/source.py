"""Stage ``source``: files come from the Hugging Face hub."""

from __future__ import annotations

from typing import Any

from ncnnparam.pipeline.config import Model
from ncnnparam.pipeline.stage import Job, Result, Stage


class Source(Stage):
    """Fetches files, so that the config can name them as if they had been there."""

    name = "source"
    tools = ("huggingface_hub",)
    modules = (("huggingface_hub", "hub"),)
    brings_files = True

    def unwanted(self, model: Model) -> str:
        """All is there."""
        return "" if model.source.repository else "no repository is named under [source]"

    def settings(self, model: Model) -> Any:
        """Which files, from where, and where they go."""
        how = model.source
        return {
            "repository": how.repository,
            "revision": how.revision,
            "files": list(how.files),
            "folder": str(how.folder),
        }

    def run(self, job: Job) -> Result:
        """Fetches what is not there yet."""
        from ncnnparam.export import fetch

        how = job.model.source
        found = fetch(how.repository, how.files, how.folder, revision=how.revision, advance=job.tell.advance)
        names = {path.relative_to(how.folder).as_posix(): path for path in found}
        return Result(
            {f"source/{name}": path for name, path in names.items()},
            {"repository": how.repository, "revision": how.revision, "files": sorted(names)},
        )
