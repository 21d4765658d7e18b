"""The pretrained BERT against the two libraries that read the same weights."""

import torch
from torch import Tensor
from transformers import BertModel

from proofs import Pairs, proof
from snippets.corpus import tales
from snippets.sentence_search import embed, load_minilm, package_folder

PAGE = "llm/day-2/sentence-search.md"


@proof(
    "A pretrained BERT: states and summary",
    ours="snippets.sentence_search.load_minilm",
    theirs="transformers.BertModel",
    page=PAGE,
    bound=1e-5,
)
def states() -> Pairs:
    """Two texts of different lengths, in two segments."""
    model, encode = load_minilm()
    theirs = BertModel.from_pretrained(package_folder()).eval()
    first, second = encode("Three boats were out."), encode("Fog")
    ids = torch.tensor([first, [*second, 0, 0, 0, 0]])
    real, segments = ids != 0, torch.zeros_like(ids)
    segments[0, 3:] = 1
    with torch.no_grad():
        ours: tuple[Tensor, Tensor] = model(ids, segments, real)
        reference = theirs(ids, real, segments)
    yield ours[0][real], reference.last_hidden_state[real]
    yield ours[1], reference.pooler_output


@proof(
    "A pretrained BERT: the vectors of texts",
    ours="snippets.sentence_search.embed",
    theirs="sentence_transformers.SentenceTransformer",
    page=PAGE,
    bound=1e-5,
)
def vectors() -> Pairs:
    """Paragraphs of the tales, a text that is too long, and hard ones."""
    from sentence_transformers import SentenceTransformer  # slow to import

    texts = [tale.paragraphs[0] for tale in tales()[:12]]
    texts += ["boat " * 400, "Ça va? naïve café", "北京 is a city", "don't!!"]
    theirs = SentenceTransformer(str(package_folder()), device="cpu")
    yield embed(*load_minilm(), texts), theirs.encode(texts, convert_to_tensor=True)
