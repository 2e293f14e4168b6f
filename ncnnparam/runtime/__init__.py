"""Nets on the real ncnn, in child processes with limits: its loader may crash on a strange file."""

from ncnnparam.runtime.net import Outcome, blob_shapes, load_net, run_net

__all__ = ["Outcome", "blob_shapes", "load_net", "run_net"]
