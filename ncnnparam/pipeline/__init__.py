"""From a PyTorch checkpoint to a verified int8 model: stages, their cache, and the report."""
