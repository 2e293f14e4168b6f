"""What is spoken: strings of digits and commands to a house."""

from __future__ import annotations

from numpy.random import Generator

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
DEVICES = ("light", "lamp", "heating", "fan", "radio", "music", "television", "alarm")
ROOMS = ("kitchen", "bedroom", "bathroom", "garden", "office", "hall")
OPENINGS = ("door", "window", "curtains", "garage")
COLOURS = ("red", "green", "blue", "yellow", "white")
PLAIN = (
    "yes",
    "no",
    "stop",
    "start",
    "help",
    "cancel",
    "repeat",
    "thank you",
    "good morning",
    "good night",
    "next song",
    "previous song",
    "volume up",
    "volume down",
    "what time is it",
    "what is the weather today",
    "play music",
    "call home",
    "lock the door",
    "unlock the door",
)
"""Commands without a part that varies."""


def any_order(random: Generator) -> str:
    """Some words in any order, which keep a model from relying on what commonly comes next."""
    words = [*f"{command(random)} {command(random)}".split(), *random.choice(DIGITS, size=2)]
    random.shuffle(words)
    return " ".join(words[: random.integers(2, 8)])


def sentence(random: Generator) -> str:
    """A sentence: digits, or one or two commands."""
    kind = random.choice(("digits", "command", "commands"), p=(0.4, 0.45, 0.15))
    if kind == "digits":
        return " ".join(random.choice(DIGITS, size=random.integers(1, 9)))
    if kind == "command":
        return command(random)
    return f"{command(random)} {command(random)}"


def command(random: Generator) -> str:
    """A command."""
    digit, room, colour = random.choice(DIGITS), random.choice(ROOMS), random.choice(COLOURS)
    device, opening = random.choice(DEVICES), random.choice(OPENINGS)
    state = random.choice(("on", "off"))
    return str(
        random.choice(
            (
                random.choice(PLAIN),
                f"turn {state} the {device}",
                f"turn {state} the {device} in the {room}",
                f"switch the {room} {device} {state}",
                f"{random.choice(('open', 'close'))} the {opening}",
                f"set the {room} light to {colour}",
                f"set the alarm for {digit} in the morning",
                f"set a timer for {digit} minutes",
                f"make it {random.choice(('warmer', 'colder', 'louder', 'quieter'))} in the {room}",
                f"channel {digit}",
                f"call number {' '.join(random.choice(DIGITS, size=3))}",
            )
        )
    )
