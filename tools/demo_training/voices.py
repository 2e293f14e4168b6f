"""Who speaks: accents and voices of espeak-ng, and which of them training never hears."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.random import Generator

ACCENTS = (
    *("en-us", "en-gb", "en-gb-x-rp", "en-gb-scotland", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-us-nyc"),
    "en-029",
)
"""Accents of English."""

VARIANTS = (
    *("f1", "f2", "f3", "f4", "m1", "m2", "m3", "m4", "m5", "m6", "m7"),
    *("Alex", "Alicia", "Andy", "Denis", "Diogo", "Gene", "Henrique", "Hugo", "Jacky", "Lee", "Marco"),
    *("Mario", "Michael", "Mike", "Storm", "Tweaky", "adam", "anika", "aunty", "belinda", "benjamin"),
    *("boris", "caleb", "david", "ed", "edward", "grandma", "grandpa", "gustave", "iven2", "john", "klatt"),
    *("klatt2", "klatt4", "marcelo", "michel", "miguel", "norbert", "pablo", "paul", "pedro", "quincy"),
    *("rob", "robert", "sandro", "shelby", "steph", "travis", "antonio", "linda", "steph2", "iven", "klatt3"),
    *("RicishayMax", "RicishayMax2", "Nguyen", "zac", "AnxiousAndy", "kaukovalta"),
)
"""Voices in training; each speaks with every accent."""

HELD_OUT = (
    "en-us+f5",
    "en-gb+m8",
    "en-gb-x-rp+Andrea",
    "en-us+Annie",
    "en-gb-scotland+max",
    "en-gb-x-gbcwmd+victor",
)
"""Voices for measuring. None of them is in training under any accent."""


@dataclass(frozen=True)
class Speaking:
    """How a sentence is spoken.

    Attributes:
        voice: Name of the voice, `accent+variant`.
        speed: Words a minute.
        pitch: From 0 to 99; 50 is the voice's own.
    """

    voice: str
    speed: int
    pitch: int


def speaking(voice: str, random: Generator) -> Speaking:
    """How a voice speaks this time."""
    return Speaking(voice, int(random.integers(125, 200)), int(random.integers(25, 75)))


def training_voice(random: Generator) -> str:
    """A voice in training."""
    return f"{random.choice(ACCENTS)}+{random.choice(VARIANTS)}"
