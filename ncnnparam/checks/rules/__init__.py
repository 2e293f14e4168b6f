"""The rules, one module per subject; ``all.RULES`` lists them by code."""
