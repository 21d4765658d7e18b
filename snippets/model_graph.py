"""A model as the graph that TensorBoard draws: one node for each operation."""

# --8<-- [start:imports]
import torch
from tensorboard.compat.proto.attr_value_pb2 import AttrValue
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.graph_pb2 import GraphDef
from tensorboard.compat.proto.node_def_pb2 import NodeDef
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from torch import Tensor, nn
from torch.fx import Node
from torch.utils.tensorboard import SummaryWriter

# --8<-- [end:imports]


# --8<-- [start:graph]
def node_name(node: Node, root: str) -> str:
    """`DigitMLP/hidden/linear`: the modules around an operation, and its own name."""
    stack = node.meta.get("nn_module_stack", {})
    path = list(stack.values())[-1][0] if stack else ""  # the innermost: "hidden"
    inside = [root, *path.split(".")] if node.op == "call_function" else []
    return "/".join([*filter(None, inside), node.name])


def shape_attribute(value: object) -> dict[str, AttrValue]:
    """The shape of a node's result, which TensorBoard writes on the edge."""
    if not isinstance(value, Tensor):
        return {}
    axes = [TensorShapeProto.Dim(size=size) for size in value.shape]
    shapes = AttrValue.ListValue(shape=[TensorShapeProto(dim=axes)])
    return {"_output_shapes": AttrValue(list=shapes)}


def model_graph(model: nn.Module, *inputs: Tensor) -> GraphDef:
    """The operations of `model(*inputs)`, grouped by the modules that they are in.

    Made by `torch.export`, so it holds one way through the code: the one that these
    inputs took. Raises what `torch.export.export` raises.
    """
    nodes = torch.export.export(model, inputs, strict=False).graph.nodes
    root = type(model).__name__
    names = {node: node_name(node, root) for node in nodes}
    return GraphDef(
        node=[
            NodeDef(
                name=names[node],
                op=node.op if node.op != "call_function" else str(node.target),
                input=[names[source] for source in node.all_input_nodes],
                attr=shape_attribute(node.meta.get("val")),
            )
            for node in nodes
        ]
    )


# --8<-- [end:graph]


# --8<-- [start:add-graph]
def add_graph(writer: SummaryWriter, model: nn.Module, *inputs: Tensor) -> None:
    """Write the graph of a model, as `SummaryWriter.add_graph` does.

    That one uses `torch.jit.trace`, which is deprecated; this one `model_graph`.
    """
    event = Event(graph_def=model_graph(model, *inputs).SerializeToString())
    # for PyTorch's types a new writer has no file yet
    writer.file_writer.add_event(event)  # type: ignore[attr-defined]


# --8<-- [end:add-graph]
