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
  gpt2: { title: "GPT-2", about: "of 2019; 0.2 MB to load" },
  cl100k: { title: "cl100k (GPT-4)", about: "of 2022; 0.5 MB to load" },
  o200k: { title: "o200k (GPT-4o)", about: "of 2024; 1 MB to load" },
};
