"""Stage ``repair``: what pnnx wrote wrongly is mended."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ncnnparam.errors import PassError
from ncnnparam.pipeline.config import Model
from ncnnparam.pipeline.files import Files, all_pairs, pair_roles
from ncnnparam.pipeline.stage import Job, Result, Stage

if TYPE_CHECKING:
    from ncnnparam.graph import Graph
    from ncnnparam.ops.versions import Target
    from ncnnparam.passes.base import Note
    from ncnnparam.passes.pnnx import Account

STORAGES = ("fp32", "fp16")


class Repair(Stage):
    """Mends the nets for the runtime that shall run them."""

    name = "repair"

    def check(self, model: Model) -> None:
        """Makes sure that there is such a runtime."""
        from ncnnparam.passes.pnnx import named_target

        named_target(model.repair.target)

    def settings(self, model: Model) -> Any:
        """The runtime, and whether all must be mended."""
        return {"target": model.repair.target, "allow-left": model.repair.allow_left}

    def reads(self, model: Model, files: Files) -> Iterable[str]:
        """All that was converted."""
        for part, storage in all_pairs(STORAGES):
            yield from pair_roles(part, storage)
        yield from (role for role in files if role.endswith(".pnnx"))

    def needs(self, files: Files, read: Iterable[Path]) -> int:
        """The weights, if they change."""
        return sum(path.stat().st_size for path in read)

    def run(self, job: Job) -> Result:
        """Mends every net in every storage; weights that stay as they are are not written again."""
        from ncnnparam.passes.pnnx import named_target

        runtime = named_target(job.model.repair.target)
        result = Result(facts={"target": str(runtime), "nets": {}})
        for part, storage in all_pairs(STORAGES):
            twin = _twin(part, storage, job.files, result)
            if twin is not None:
                result.files[pair_roles(part, storage)[0]] = twin
                continue
            account = _mend(part, storage, job, runtime, result)
            if storage == STORAGES[0]:
                result.facts["nets"][part] = _facts(account)
                result.problems += [f"{part} is not mended: {note}" for note in account.left]
                job.tell.line(f"{part}: mended in {len(account.changes)} places")
        return result


def _twin(part: str, storage: str, files: Files, result: Result) -> Path | None:
    """The same graph with other weights, if it was mended and none of its weights changed."""
    first, weights = pair_roles(part, STORAGES[0])
    role, _ = pair_roles(part, storage)
    is_same = role != first and files[role].sha256 == files[first].sha256
    return result.files[first] if is_same and weights not in result.files else None


def _mend(part: str, storage: str, job: Job, runtime: Target, result: Result) -> Account:
    from ncnnparam.model import dump, load, save
    from ncnnparam.passes.pnnx import read_pnnx, repair

    pnnx = job.files.get(f"{part}.pnnx")
    account = repair(
        load(*job.files.pair(part, storage)), None if pnnx is None else read_pnnx(str(pnnx.path)), runtime
    )
    if account.left and not job.model.repair.allow_left:
        raise _left(part, account)
    _name_once(account.model.graph)
    param, weights = pair_roles(part, storage)
    result.files[param] = job.folder / f"{part}.{storage}.ncnn.param"
    if account.weights_changed:
        result.files[weights] = job.folder / f"{part}.{storage}.ncnn.bin"
        save(account.model, result.files[param], result.files[weights])
    else:
        dump(account.model, result.files[param])
    return account


def _name_once(graph: Graph) -> None:
    """Gives layers of one name, which pnnx makes of some Splits, names of their own."""
    seen: set[str] = set()
    for layer in graph:
        if layer.name in seen:
            layer.name = graph.fresh_layer_name(layer.name)
        seen.add(layer.name)


def _left(part: str, account: Account) -> PassError:
    notes = "\n  ".join(str(note) for note in account.left)
    places = "1 place" if len(account.left) == 1 else f"{len(account.left)} places"
    return PassError(
        f"{places} of the {part} cannot be mended:\n  {notes}",
        hint="declare the types that your runtime has (docs/custom-ops.md), change the model, or go on all "
        "the same with allow-left = true under [repair]",
    )


def _facts(account: Account) -> dict[str, Any]:
    graph = account.model.graph
    return {
        "layers": graph.layer_count,
        "blobs": graph.blob_count,
        "changes": [{"repair": name, **_note(note)} for name, note in account.changes],
        "kept": [_note(note) for note in account.kept],
        "left": [_note(note) for note in account.left],
    }


def _note(note: Note) -> dict[str, Any]:
    return {"layers": list(note.layers), "message": note.message}
