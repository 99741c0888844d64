"""One GRPO step of the shipped architecture in PyTorch, on as many threads as asked for.

    python3 tests/bench/grpo_torch.py [--threads 2] [--steps 3] assets/models/leg_counting/base

needs `torch` and `safetensors`. The step is that of `leash train rlvr`: 16 prompts, 32
completions each, drawn at T = 1 with a key-value cache, 0/1 rewards, two updates. It is
written as one would write it for speed: one batch for all completions, finished rows
dropped from it, the prompt's cache shared, fused attention, microbatches for training. What
is measured is the step; the verifier is only the answer's last number.
"""

import argparse
import json
import re
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

parser = argparse.ArgumentParser()
parser.add_argument("folder", type=Path)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--steps", type=int, default=3)
args = parser.parse_args()
torch.set_num_threads(args.threads)
torch.manual_seed(1)

config = json.loads((args.folder / "config.json").read_text())
vocab = json.loads((args.folder / "tokenizer.json").read_text())["model"]["vocab"]
words = [w for w, _ in sorted(vocab.items(), key=lambda item: item[1])]
pattern = re.compile("|".join(re.escape(w) for w in sorted(words[2:], key=len, reverse=True)))
w = {k: v.float().requires_grad_() for k, v in load_file(args.folder / "model.safetensors").items()}
D, L, H = config["hidden_size"], config["num_hidden_layers"], config["num_attention_heads"]
HD, END, EPS = D // H, config["eos_token_id"], config["rms_norm_eps"]
PROMPTS, GROUP, MAX_TOKENS, MICRO = 16, 32, 100, 64

angle = torch.arange(192)[:, None] * 10_000.0 ** (-torch.arange(HD // 2) / (HD // 2))
COS, SIN = angle.cos(), angle.sin()


def norm(x, weight):
    return F.rms_norm(x, (D,), weight, EPS)


def rotate(x, positions):
    cos, sin = COS[positions][:, None], SIN[positions][:, None]
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


def forward(tokens, positions, mask, cache=None):
    """Hidden states of `tokens` (batch, length); `cache` holds keys and values by layer."""
    x = F.embedding(tokens, w["model.embed_tokens.weight"])
    b, n = tokens.shape
    for layer in range(L):
        p = f"model.layers.{layer}."
        h = norm(x, w[p + "input_layernorm.weight"])
        q, k, v = (F.linear(h, w[p + f"self_attn.{m}_proj.weight"]).view(b, n, H, HD).transpose(1, 2) for m in "qkv")
        q, k = rotate(q, positions), rotate(k, positions)
        if cache is not None:
            if cache[layer] is not None:
                k, v = torch.cat([cache[layer][0], k], 2), torch.cat([cache[layer][1], v], 2)
            cache[layer] = (k, v)
        o = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        x = x + F.linear(o.transpose(1, 2).reshape(b, n, D), w[p + "self_attn.o_proj.weight"])
        h = norm(x, w[p + "post_attention_layernorm.weight"])
        gate = F.silu(F.linear(h, w[p + "mlp.gate_proj.weight"])) * F.linear(h, w[p + "mlp.up_proj.weight"])
        x = x + F.linear(gate, w[p + "mlp.down_proj.weight"])
    return norm(x, w["model.norm.weight"])


ANIMALS = [m for m in words if re.fullmatch(r" [a-z]+s", m) and m not in (" legs",)]


def problem():
    kinds = torch.randperm(len(ANIMALS))[: 2 + int(torch.randint(3, ()))].tolist()
    text = "Q:" + ",".join(f" {int(torch.randint(2, 10, ()))}{ANIMALS[i]}" for i in kinds) + " How many legs?\nA:"
    return [vocab[m] for m in pattern.findall(text)]


@torch.no_grad()
def rollout(prompt):
    n = len(prompt)
    cache = [None] * L
    positions = torch.arange(n).expand(1, n)
    causal = torch.ones(n, n, dtype=torch.bool).tril()
    last = forward(torch.tensor([prompt]), positions, causal, cache)[:, -1].expand(GROUP, -1)
    cache = [(k.expand(GROUP, -1, -1, -1), v.expand(GROUP, -1, -1, -1)) for k, v in cache]
    texts, logprobs = [[] for _ in range(GROUP)], [[] for _ in range(GROUP)]
    alive = torch.arange(GROUP)
    for i in range(MAX_TOKENS):
        lp = F.linear(last, w["model.embed_tokens.weight"]).log_softmax(-1)
        drawn = torch.multinomial(lp.exp(), 1)
        for row, token, value in zip(alive.tolist(), drawn[:, 0].tolist(), lp.gather(1, drawn)[:, 0].tolist()):
            texts[row].append(token)
            logprobs[row].append(value)
        going = drawn[:, 0] != END
        if not going.any() or i + 1 == MAX_TOKENS:
            break
        if not going.all():
            alive, drawn = alive[going], drawn[going]
            cache = [(k[going], v[going]) for k, v in cache]
        last = forward(drawn, torch.full_like(drawn, n + i), None, cache)[:, -1]
    return texts, logprobs


def update(part, optimiser):
    tokens = sum(len(t) for t in part[1])
    optimiser.zero_grad()
    order = sorted(range(len(part[0])), key=lambda i: len(part[0][i]) + len(part[1][i]))
    for at in range(0, len(order), MICRO):
        rows = order[at : at + MICRO]
        length = max(len(part[0][i]) + len(part[1][i]) for i in rows)
        ids = torch.zeros(len(rows), length, dtype=torch.long)
        weight, old = torch.zeros(len(rows), length - 1), torch.zeros(len(rows), length - 1)
        learned = torch.zeros(len(rows), length - 1)
        for r, i in enumerate(rows):
            p, t = part[0][i], part[1][i]
            ids[r, : len(p) + len(t)] = torch.tensor(p + t)
            span = slice(len(p) - 1, len(p) + len(t) - 1)
            learned[r, span], weight[r, span], old[r, span] = 1.0, part[3][i], torch.tensor(part[2][i])
        n = length - 1
        causal = torch.ones(n, n, dtype=torch.bool).tril()
        x = forward(ids[:, :-1], torch.arange(n).expand(len(rows), n), causal)
        lp = F.linear(x, w["model.embed_tokens.weight"]).log_softmax(-1).gather(2, ids[:, 1:, None])[..., 0]
        ratio = ((lp - old) * learned).exp()
        loss = -torch.minimum(ratio * weight, ratio.clamp(0.8, 1.2) * weight).sum() / tokens
        loss.backward()
    torch.nn.utils.clip_grad_norm_(w.values(), 1.0)
    optimiser.step()


def step(optimiser):
    prompts, texts, logprobs, advantages = [], [], [], []
    for _ in range(PROMPTS):
        prompt = problem()
        drawn, lps = rollout(prompt)
        rewards = torch.tensor([float(t[-2] % 2) if len(t) > 2 else 0.0 for t in drawn])
        a = (rewards - rewards.mean()) / (rewards.std(correction=0) + 1e-6)
        prompts += [prompt] * GROUP
        texts, logprobs, advantages = texts + drawn, logprobs + lps, advantages + a.tolist()
    half = len(texts) // 2
    for part in (slice(0, half), slice(half, None)):
        update((prompts[part], texts[part], logprobs[part], advantages[part]), optimiser)
    return sum(len(t) for t in texts)


optimiser = torch.optim.AdamW(w.values(), lr=5e-4, betas=(0.9, 0.95), weight_decay=0.0)
step(optimiser)
for _ in range(args.steps):
    before, cpu = time.perf_counter(), time.process_time()
    tokens = step(optimiser)
    seconds = time.perf_counter() - before
    print(f"{seconds:.2f} s a step ({time.process_time() - cpu:.2f} s of processor time), {tokens} tokens")
