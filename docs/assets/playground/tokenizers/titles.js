// @ts-check
// The tokenizers that the site brings along: what they are called.

/** @type {Record<string, {title: string, about: string}>} */
export const TITLES = {
  bpe: {
    title: "The book’s BPE",
    about: "1,000 tokens, learned from the book’s tales",
  },
  wordpiece: {
    title: "The book’s WordPiece",
    about: "of the same tales, in lower case, as BERT’s",
  },
  unigram: {
    title: "The book’s unigram model",
    about: "of the same tales: 1,000 pieces, and 256 for bytes",
  },
  gpt2: { title: "GPT-2", about: "50,257 tokens; 0.2 MB to load" },
  cl100k: { title: "cl100k (GPT-4)", about: "100,261 tokens; 0.5 MB to load" },
  o200k: { title: "o200k (GPT-4o)", about: "200,000 tokens; 1 MB to load" },
};
