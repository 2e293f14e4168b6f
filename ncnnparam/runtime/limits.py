"""Limits that a child process sets itself before it touches what may crash."""

from __future__ import annotations


def limit_memory(size: int) -> None:
    """Limits this process's address space, and lets it write no core file; has no effect on Windows.

    Args:
        size: In bytes.
    """
    try:
        import resource
    except ImportError:  # Windows has no such limits
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (size, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
