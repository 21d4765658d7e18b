"""A small GPT-2: model, data, training, sampling. Day 6 of the LLM track builds it.

The model
    model           GPT-2
    modern          a newer architecture that learns faster
    presets         sizes and recipes by name
Training
    first           a whole training in one short file: python first.py mytext.txt
    data            text as ids on the disk, and batches of windows from it
    muon            the optimizer Muon, for the matrices
    optimization    the loss, and the optimizers of a recipe
    plan            what a run does: its text, its model, its recipe
    parallel        one program on one process or many
    run             a run: a step, an evaluation, what diverges
    checkpoints     a run saved, and gone on from
    loop            all steps, with a progress bar and Ctrl-C
    train           the program: python -m snippets.mini_gpt.train
Sampling
    load            a trained model and its tokenizer, read and written
    hugging_face    the same in the files of Hugging Face
    convert         the program: python -m snippets.mini_gpt.convert
    generate        one token after the other
    sample          the program: python -m snippets.mini_gpt.sample
    ship            the program that made the model of the book
"""
