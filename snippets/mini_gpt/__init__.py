"""A small GPT-2: model, data, training, sampling. Day 6 of the LLM track builds it."""
