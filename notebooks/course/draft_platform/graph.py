"""Read the draft's graph from its jobs."""

from run import JOBS

from shared.graph import Graph, Node


def read_graph() -> Graph:
    """Return a node per job."""
    return Graph("training", tuple(Node(name, job.needs) for name, job in JOBS.items()))
