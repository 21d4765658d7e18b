"""The tokenizers of day 4 against tiktoken, 🤗 tokenizers and SentencePiece."""

import io

import sentencepiece
import tiktoken
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from proofs import Pairs, proof
from snippets.corpus import load_text, tales
from snippets.tokenizers.bpe import BPETokenizer
from snippets.tokenizers.bpe_training import learn_merges, rank_tokens
from snippets.tokenizers.bpe_words import GPT2_PATTERN, count_words, printable
from snippets.tokenizers.unigram import UnigramTokenizer
from snippets.tokenizers.wordpiece import WordPieceTokenizer

HARD = (
    "It's a dog's life, they'd say; we'll see.\n\n\tx = {'a': [1, 22, 333]}  # ok\r\n"
    "naïve e\u0301 我喜欢读书。 مرحبا नमस्ते 👩‍👩‍👧 🇩🇪 \x00\x1f "
    "<|endoftext|> 3.14159   end "
)
BPE, WORDPIECE, SENTENCEPIECE = (
    f"llm/day-4/{name}.md" for name in ("bpe", "wordpiece", "sentencepiece")
)


@proof(
    "Byte-level BPE: ids with the vocabularies of GPT-2, cl100k and o200k",
    ours="snippets.tokenizers.bpe.BPETokenizer",
    theirs="tiktoken.Encoding",
    page=BPE,
    bound=0,
)
def bpe_ids() -> Pairs:
    """The tales and hard strings."""
    for name in ("gpt2", "cl100k_base", "o200k_base"):
        theirs = tiktoken.get_encoding(name)
        ours = BPETokenizer.from_tiktoken(theirs)
        for text in (HARD, load_text("tales")):
            ids = ours.encode(text, allowed_special="all")
            yield ids, theirs.encode(text, allowed_special="all")
            yield ours.decode(ids), theirs.decode(ids)


@proof(
    "Byte-level BPE: the merges that training learns, and their order",
    ours="snippets.tokenizers.bpe_training.learn_merges",
    theirs="tokenizers.trainers.BpeTrainer",
    page=BPE,
    bound=0,
)
def bpe_training() -> Pairs:
    """A thousand tokens of the tales."""
    text = load_text("tales")
    theirs = Tokenizer(models.BPE())
    theirs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=1000,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    theirs.train_from_iterator([text], trainer)
    ids = theirs.get_vocab()
    ranks = rank_tokens(learn_merges(count_words([text], GPT2_PATTERN), 744))
    yield [printable(token) for token in ranks], sorted(ids, key=ids.__getitem__)


@proof(
    "WordPiece: pieces of a text",
    ours="snippets.tokenizers.wordpiece.WordPieceTokenizer",
    theirs="tokenizers.models.WordPiece",
    page=WORDPIECE,
    bound=0,
)
def wordpiece() -> Pairs:
    """The tales and hard strings, in lower case and as written."""
    text = load_text("tales")
    for lowercase in (True, False):
        texts = [text[:30_000], HARD]
        ours = WordPieceTokenizer.train(texts, 600, lowercase=lowercase)
        theirs = ours.to_hugging_face()
        for some in (HARD, text):
            yield ours.tokens(some), theirs.encode(some).tokens


def trained_sentencepiece() -> sentencepiece.SentencePieceProcessor:
    """SentencePiece's own unigram model of the tales."""
    written = io.BytesIO()
    paragraphs = (p for tale in tales() for p in tale.paragraphs)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=paragraphs,
        model_writer=written,
        vocab_size=1000,
        byte_fallback=True,
        minloglevel=2,
    )
    return sentencepiece.SentencePieceProcessor(model_proto=written.getvalue())


@proof(
    "Unigram: the most probable segmentation",
    ours="snippets.tokenizers.unigram.UnigramTokenizer",
    theirs="sentencepiece.SentencePieceProcessor",
    page=SENTENCEPIECE,
    bound=0,
)
def unigram() -> Pairs:
    """From SentencePiece's pieces and scores; hard text normalised by it."""
    theirs = trained_sentencepiece()
    ours = UnigramTokenizer(
        (theirs.id_to_piece(i), theirs.get_score(i)) for i in range(len(theirs))
    )
    yield ours.encode_normalized(theirs.normalize(HARD)), theirs.encode(HARD)
    loose = [ours.ids[f"<0x{byte:02X}>"] for byte in b"\xe7\x8cA\xe7\x8c\xab\xf4"]
    for ids in (theirs.encode(HARD), loose, [0, 1, 2]):
        yield ours.decode(ids), theirs.decode(ids)
    for tale in tales():
        for paragraph in tale.paragraphs:
            yield ours.encode(paragraph), theirs.encode(paragraph)


@proof(
    "Unigram: the same pieces in Hugging Face tokenizers",
    ours="snippets.tokenizers.unigram.UnigramTokenizer.to_hugging_face",
    theirs="tokenizers.models.Unigram",
    page=SENTENCEPIECE,
    bound=0,
)
def unigram_hugging_face() -> Pairs:
    """Pieces that our own training learned, exported."""
    texts = [" ".join(tale.paragraphs) for tale in tales()[:20]]
    ours = UnigramTokenizer.train(texts, 500)
    theirs = ours.to_hugging_face()
    for text in (*texts, HARD, "<unk> <s>a</s>"):
        yield ours.encode(text), theirs.encode(text).ids


@proof(
    "Byte-level BPE: the same merges in Hugging Face tokenizers",
    ours="snippets.tokenizers.bpe.BPETokenizer.to_hugging_face",
    theirs="tokenizers.models.BPE",
    page=BPE,
    bound=0,
)
def bpe_hugging_face() -> Pairs:
    """Merges that our own training learned, exported; a special token in the text."""
    text = load_text("tales")
    ours = BPETokenizer.train(text, 800, special_tokens=["<|endoftext|>"])
    theirs = ours.to_hugging_face()
    for some in (HARD, text):
        ids = ours.encode(some, allowed_special="all")
        yield ids, theirs.encode(some).ids
        yield ours.decode(ids), theirs.decode(ids, skip_special_tokens=False)
