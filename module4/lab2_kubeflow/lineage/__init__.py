"""Which data produced which model? Answered from the files of a local run, as text and as a picture."""

from module4.lab2_kubeflow.lineage.history import Node, answer, last_run, read_run, table
from module4.lab2_kubeflow.lineage.picture import to_markdown

__all__ = ["Node", "answer", "last_run", "read_run", "table", "to_markdown"]
