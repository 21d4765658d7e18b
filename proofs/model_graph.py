"""The graph of a model against the one that TensorBoard's writer makes."""

import tempfile
import warnings

import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import nn
from torch.utils.tensorboard import SummaryWriter

from proofs import Pairs, proof
from snippets.digit_classifier import DigitMLP
from snippets.model_graph import model_graph


@proof(
    "Graph of a model",
    ours="snippets.model_graph.model_graph",
    theirs="torch.utils.tensorboard.SummaryWriter.add_graph",
    page="pytorch/day-7/tensorboard-going-deeper.md",
    bound=0,
)
def graph() -> Pairs:
    """The operations, in their order, with the shapes of their results."""
    image = torch.zeros(2, 1, 8, 8)
    layers = nn.Flatten(), nn.Linear(64, 9), nn.BatchNorm1d(9), nn.GELU()
    for model in (DigitMLP(), nn.Sequential(*layers)):
        model.eval()  # as add_graph does
        ours = [
            (f"aten::{node.op.split('.')[1]}", shape_of(node))
            for node in model_graph(model, image).node
            if node.op.startswith("aten.")
        ]
        with tempfile.TemporaryDirectory() as folder:
            with SummaryWriter(folder) as writer, warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it is made with torch.jit.trace
                writer.add_graph(model, image)
            reader = EventAccumulator(folder).Reload()
            nodes = reader.Graph().node
        theirs = [(n.op, shape_of(n)) for n in nodes if n.op.startswith("aten::")]
        yield ours, theirs


def shape_of(node) -> list[list[int]]:
    """The shapes of a node's results."""
    shapes = node.attr["_output_shapes"].list.shape
    return [[axis.size for axis in shape.dim] for shape in shapes]
