"""Files of a repository on the Hugging Face hub, resumed where a download broke off, and checked."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ncnnparam.errors import ConfigError, FileError, NcnnParamError, did_you_mean
from ncnnparam.optional import need

Advance = Callable[[int, int], object]
"""``advance(done, total)`` is told how many bytes are there, and how many there will be."""

_BLOCK = 1 << 20
_SHOWN = 8


@dataclass(frozen=True)
class _File:
    """A file of the repository; its digest is that of git-lfs, or git's own of a blob."""

    name: str
    size: int
    digest: str
    is_lfs: bool

    def hasher(self) -> Any:
        """What makes the digest from the content."""
        if self.is_lfs:
            return hashlib.sha256()
        return hashlib.sha1(b"blob %d\0" % self.size, usedforsecurity=False)


def fetch(
    repository: str,
    patterns: Sequence[str],
    folder: str | os.PathLike[str],
    *,
    revision: str | None = None,
    advance: Advance | None = None,
) -> list[Path]:
    """Fetches files, those that are there and right left out.

    What has come is kept beside the file, named ``.NAME.DIGEST.part``, and the next call goes on from there.
    A file gets its name when its checksum is right. The variable ``HF_ENDPOINT`` names another hub.

    Args:
        repository: ``owner/name``.
        patterns: Which files, ``*`` for any part of a name: ``exp/pretrained*.pt``.
        folder: Where they go, in the folders that they have in the repository.
        revision: A branch, a tag or a commit; by default ``main``.
        advance: Is told how far it is.

    Returns:
        Their paths, by name.

    Raises:
        ConfigError: There is no such repository, revision or file.
        FileError: A file did not come whole, or cannot be written.
        NcnnParamError: The hub cannot be reached, or ``huggingface_hub`` is not installed.
    """
    hub = need("huggingface_hub", "hub")
    endpoint = os.environ.get("HF_ENDPOINT") or None
    info = _asked(
        f"{repository}{'' if revision is None else f' at {revision}'}",
        lambda: hub.HfApi(endpoint=endpoint).model_info(repository, revision=revision, files_metadata=True),
    )
    files = _chosen(repository, patterns, [_file(sibling) for sibling in info.siblings or ()])
    total, before = sum(file.size for file in files), 0
    found: list[Path] = []
    for file in files:
        url = hub.hf_hub_url(repository, file.name, revision=info.sha, endpoint=endpoint)

        def tell(size: int, before: int = before) -> None:
            if advance is not None:
                advance(before + size, total)

        target = _place(Path(folder), file)
        if not _is_right(target, file):
            _download(url, file, target, tell)
        before += file.size
        tell(0, before)
        found.append(target)
    return found


def _file(sibling: Any) -> _File:
    """A file as the hub tells of it."""
    lfs = sibling.lfs
    digest = lfs.sha256 if lfs is not None else sibling.blob_id
    size = lfs.size if lfs is not None else sibling.size
    if not isinstance(digest, str) or not isinstance(size, int):
        raise NcnnParamError(f"the hub tells no size or no checksum of {sibling.rfilename}")
    return _File(sibling.rfilename, size, digest, lfs is not None)


def _chosen(repository: str, patterns: Sequence[str], files: Sequence[_File]) -> list[_File]:
    utils = need("huggingface_hub.utils", "hub")
    names = [file.name for file in files]
    chosen: set[str] = set()
    for pattern in patterns:
        matching = list(utils.filter_repo_objects(names, allow_patterns=[pattern]))
        if not matching:
            shown = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
            hint = did_you_mean(pattern, names) or f"it has {shown or 'no files'}"
            raise ConfigError(f"{repository} has no file '{pattern}'", hint=hint)
        chosen.update(matching)
    return sorted((file for file in files if file.name in chosen), key=lambda file: file.name)


def _place(folder: Path, file: _File) -> Path:
    """Where a file goes; its name is a stranger's, and shall lead nowhere else."""
    name = PurePosixPath(file.name)
    if name.is_absolute() or ".." in name.parts or "\\" in file.name or ":" in file.name:
        raise FileError(f"the repository has a file with the name '{file.name}', which is not taken")
    return folder / name


def _is_right(path: Path, file: _File) -> bool:
    if not path.is_file() or path.stat().st_size != file.size:
        return False
    digest = file.hasher()
    with path.open("rb") as reader:
        while block := reader.read(_BLOCK):
            digest.update(block)
    return bool(digest.hexdigest() == file.digest)


def _download(url: str, file: _File, target: Path, tell: Callable[[int], None]) -> None:
    get = need("huggingface_hub.file_download", "hub").http_get
    utils = need("huggingface_hub.utils", "hub")
    part = target.with_name(f".{target.name}.{file.digest[:12]}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part.touch()
        if part.stat().st_size > file.size:
            os.truncate(part, 0)
        with _Told(part, tell) as writer:
            size = writer.seek(0, os.SEEK_END)
            if size < file.size:
                _asked(
                    file.name,
                    lambda: get(
                        url,
                        writer,
                        resume_size=size,
                        headers=utils.build_hf_headers(),
                        expected_size=file.size,
                    ),
                )
        if not _is_right(part, file):
            part.unlink()
            raise FileError(
                f"{file.name} came with another checksum than the hub tells", hint="fetch it once more"
            )
        os.replace(part, target)
    except OSError as error:
        raise FileError(f"cannot write {target}: {error.strerror or error}") from None


class _Told(io.BufferedWriter):
    """A file that is written on, and tells its size."""

    def __init__(self, path: Path, tell: Callable[[int], None]) -> None:
        super().__init__(io.FileIO(path, "r+"))
        self._tell = tell

    def write(self, data: Any) -> int:
        count = super().write(data)
        self._tell(self.tell())
        return count


def _asked(what: str, ask: Callable[[], Any]) -> Any:
    """What the hub answers; its faults as ours."""
    errors = need("huggingface_hub.errors", "hub")
    with _quiet():
        try:
            return ask()
        except errors.GatedRepoError:
            hint = "ask for access on its page, and log in: hf auth login"
            raise ConfigError(f"{what} is there only for those who have access", hint=hint) from None
        except errors.RevisionNotFoundError:
            raise ConfigError(f"there is no {what}", hint="which revisions are there, see its page") from None
        except errors.RepositoryNotFoundError:
            hint = "write owner/name; for a private one log in: hf auth login"
            raise ConfigError(f"there is no repository {what}", hint=hint) from None
        except errors.HFValidationError as error:
            raise ConfigError(
                f"{what} is no name of a repository: {error}", hint="write owner/name"
            ) from None
        except Exception as error:  # its versions use other libraries, with other errors
            if isinstance(error, OSError) and error.errno is not None:
                raise  # the file: who writes it says which
            said = str(error).strip().splitlines() or [type(error).__name__]
            raise NcnnParamError(
                f"the hub cannot give {what}: {said[0]}", hint="try again: what has come is kept"
            ) from None


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps the hub's own progress bars from showing."""
    utils = need("huggingface_hub.utils", "hub")
    silent = utils.are_progress_bars_disabled()
    utils.disable_progress_bars()
    try:
        yield
    finally:
        if not silent:
            utils.enable_progress_bars()
