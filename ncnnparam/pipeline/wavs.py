"""The wavs that a config names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ncnnparam.errors import FileError

_CURE = (
    "ffmpeg -i IN -ar 16000 -ac 1 OUT.wav makes 16 kHz and one channel; skip-bad = true under [calibrate] "
    "leaves out what cannot be used there"
)


def wav_sources(source: Path | None) -> Mapping[str, Path]:
    """The files that a folder, a list or a wav means, by name; empty if it means none."""
    if source is None or not source.exists():
        return {} if source is None else {"wavs": source}
    from ncnnparam.quantize.data import list_files
    from ncnnparam.speech.audio import ENDINGS

    files = list_files(source, ENDINGS)
    named = {f"wavs/{path.name}": path for path in files}
    return named if len(named) == len(files) else {f"wavs/{path}": path for path in files}


def usable_wavs(source: Path, *, skip_bad: bool = False) -> list[Path]:
    """The wavs that can be used. Each is read, for most that is wrong with one is known only then.

    Args:
        source: A folder, a list or a wav.
        skip_bad: Leave out those that cannot be used, if there are others.

    Raises:
        BadItemError: Some cannot be used; the text names all of them, and why.
        FileError: There are none.
    """
    from ncnnparam.quantize.wavs import wav_items

    if not source.exists():
        raise FileError(
            f"there is no {source}", hint="it would be a folder of wavs, a list of them, or one", code="NP801"
        )
    items = wav_items(source)
    if not (skip_bad and items.good):
        items.require_good(_CURE)
    return [Path(item.name) for item in items.good]
