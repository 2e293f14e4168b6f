"""A plugin with one pass."""

from ncnnparam.patterns import Rewrite


class SwapActivations(Rewrite):
    """Makes activations of one type those of another, as far as the first has no params"""

    name = "swap-activations"

    def __init__(self, old: str = "Sigmoid", new: str = "TanH") -> None:
        self.pattern = f"{old} a 1 1 x y"
        self.replacement = f"{new} a 1 1 x y"
