"""Grade and lint submissions to the distributed-tracing kata."""

__version__ = "0.1.0"
