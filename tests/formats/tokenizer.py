"""A real tokenizer without a hub: SmolLM2's, put together from the tables in its GGUF file."""

import gguf
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers


def texts(reader, name):
    field = reader.fields[name]
    return [bytes(field.parts[i]).decode("utf-8") for i in field.data]


def of_gguf(path):
    """As transformers builds it: single digits, byte-level BPE, control tokens as special ones."""
    reader = gguf.GGUFReader(path)
    tokens = texts(reader, "tokenizer.ggml.tokens")
    merges = [tuple(merge.split(" ", 1)) for merge in texts(reader, "tokenizer.ggml.merges")]
    kinds = reader.fields["tokenizer.ggml.token_type"]
    kinds = [int(kinds.parts[i][0]) for i in kinds.data]
    tokenizer = Tokenizer(models.BPE({token: i for i, token in enumerate(tokens)}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    control = [AddedToken(token, special=True, normalized=False) for token, kind in zip(tokens, kinds) if kind == 3]
    tokenizer.add_special_tokens(control)
    return tokenizer
