"""From a PyTorch checkpoint to a verified int8 model: stages, their cache, and the report.

``config`` has the tables of a config, ``stage`` says what a stage is, ``stages`` has one a file. ``runner``
runs those that ``plan`` finds stale by their ``key``; ``store`` keeps what they made.
"""
