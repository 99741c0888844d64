"""Serves a model's folder with llama.cpp's own server, for the tests.

    python llama_cpp.py FOLDER    prints the address, and serves until its input ends

Needs the package xllamacpp, which is llama.cpp with its server. The folder is one of our
embedded models: a small Llama in Hugging Face layout whose tokenizer takes the longest word
that fits. It is written as a GGUF file with 32-bit weights beside nothing else.
"""

import json
import struct
import sys
import tempfile
from array import array
from pathlib import Path

import xllamacpp


def tensors(path):
    """Name to (shape, 32-bit values) of a safetensors file of 16-bit weights."""
    data = path.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    out = {}
    for name, entry in header.items():
        if name != "__metadata__":
            start, end = entry["data_offsets"]
            halves = struct.unpack(f"<{(end - start) // 2}e", data[8 + length + start : 8 + length + end])
            out[name] = (entry["shape"], array("f", halves))
    return out


def permuted(values, shape, heads):
    """llama.cpp turns neighbours by one angle, Hugging Face elements that are half a head apart."""
    rows, columns = shape
    half = rows // heads // 2
    out = array("f")
    for head in range(heads):
        for i in range(half):
            for side in (0, 1):
                row = (2 * head + side) * half + i
                out.extend(values[row * columns : (row + 1) * columns])
    return out


def text(s):
    raw = s.encode()
    return struct.pack("<Q", len(raw)) + raw


def field(name, kind, value):
    """One entry of the metadata: u32 4, i32 5, f32 6, bool 7, string 8; lists as 9."""
    form = {"u32": 4, "i32": 5, "f32": 6, "bool": 7, "str": 8}
    pack = {
        "u32": lambda v: struct.pack("<I", v),
        "i32": lambda v: struct.pack("<i", v),
        "f32": lambda v: struct.pack("<f", v),
        "bool": lambda v: struct.pack("<?", v),
        "str": text,
    }
    if isinstance(value, list):
        body = struct.pack("<IIQ", 9, form[kind], len(value)) + b"".join(map(pack[kind], value))
    else:
        body = struct.pack("<I", form[kind]) + pack[kind](value)
    return text(name) + body


def gguf(folder):
    """The bytes of a GGUF file."""
    config = json.loads((folder / "config.json").read_text())
    vocab = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
    words = sorted(vocab, key=vocab.get)
    heads, kv_heads = config["num_attention_heads"], config["num_key_value_heads"]
    # T5's tokenizer takes the words of the highest score together: with one score for all,
    # the fewest words, which are the longest. It writes a space as a low line.
    escaped = [w.replace(" ", "\u2581") for w in words]
    metadata = [
        ("general.architecture", "str", "llama"),
        ("general.name", "str", folder.name),
        ("llama.block_count", "u32", config["num_hidden_layers"]),
        ("llama.context_length", "u32", config["max_position_embeddings"]),
        ("llama.embedding_length", "u32", config["hidden_size"]),
        ("llama.feed_forward_length", "u32", config["intermediate_size"]),
        ("llama.attention.head_count", "u32", heads),
        ("llama.attention.head_count_kv", "u32", kv_heads),
        ("llama.attention.layer_norm_rms_epsilon", "f32", config["rms_norm_eps"]),
        ("llama.rope.freq_base", "f32", config["rope_theta"]),
        ("llama.rope.dimension_count", "u32", config["head_dim"]),
        ("llama.vocab_size", "u32", config["vocab_size"]),
        ("tokenizer.ggml.model", "str", "t5"),
        ("tokenizer.ggml.tokens", "str", escaped),
        ("tokenizer.ggml.scores", "f32", [-1.0] * len(words)),
        ("tokenizer.ggml.token_type", "i32", [3, 2] + [1] * (len(words) - 2)),
        ("tokenizer.ggml.unknown_token_id", "u32", 1),
        ("tokenizer.ggml.padding_token_id", "u32", 0),
        ("tokenizer.ggml.eos_token_id", "u32", config["eos_token_id"]),
        ("tokenizer.ggml.add_bos_token", "bool", False),
        ("tokenizer.ggml.add_eos_token", "bool", False),
        ("tokenizer.ggml.add_space_prefix", "bool", False),
        ("tokenizer.ggml.remove_extra_whitespaces", "bool", False),
    ]
    names = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight"}
    inside = {
        "input_layernorm": "attn_norm",
        "self_attn.q_proj": "attn_q",
        "self_attn.k_proj": "attn_k",
        "self_attn.v_proj": "attn_v",
        "self_attn.o_proj": "attn_output",
        "post_attention_layernorm": "ffn_norm",
        "mlp.gate_proj": "ffn_gate",
        "mlp.up_proj": "ffn_up",
        "mlp.down_proj": "ffn_down",
    }
    for layer in range(config["num_hidden_layers"]):
        for theirs, ours in inside.items():
            names[f"model.layers.{layer}.{theirs}.weight"] = f"blk.{layer}.{ours}.weight"
    infos, data = [], b""
    for name, (shape, values) in tensors(folder / "model.safetensors").items():
        if ".q_proj" in name or ".k_proj" in name:
            values = permuted(values, shape, heads if ".q_proj" in name else kv_heads)
        dims = b"".join(struct.pack("<Q", d) for d in reversed(shape))
        infos.append(text(names[name]) + struct.pack("<I", len(shape)) + dims + struct.pack("<IQ", 0, len(data)))
        data += values.tobytes()
        data += b"\0" * (-len(data) % 32)
    head = b"GGUF" + struct.pack("<IQQ", 3, len(infos), len(metadata))
    head += b"".join(field(*entry) for entry in metadata) + b"".join(infos)
    return head + b"\0" * (-len(head) % 32) + data


def main():
    folder = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "model.gguf"
        file.write_bytes(gguf(folder))
        params = xllamacpp.CommonParams()
        params.model.path = str(file)
        params.hostnames = ["127.0.0.1"]
        params.port = int(sys.argv[2]) if len(sys.argv) > 2 else 0
        params.n_parallel = 4
        params.n_ctx = 1024
        params.warmup = False
        params.cpuparams.n_threads = 1
        params.model_alias = ["tiny"]
        server = xllamacpp.Server(params)
        print(server.listening_address, flush=True)
        sys.stdin.read()


main()
