"""Small random models of every family, with the logits and greedy tokens that transformers
gives them, and tokenizers with what `tokenizers` makes of some texts.

    python3 -m venv /tmp/parity && /tmp/parity/bin/pip install torch transformers tokenizers safetensors
    /tmp/parity/bin/python tests/parity/models.py

writes tests/parity/models/NAME/ with config.json, model.safetensors (or shards) and
expected.json, tests/parity/tokenizers.json and tests/parity/templates.json. The same
versions give the same files.
"""

import json
import os
import shutil
from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoConfig, AutoModelForCausalLM

HERE = Path(__file__).parent
BASE = dict(
    vocab_size=96, hidden_size=32, intermediate_size=48, num_hidden_layers=2,
    num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=128,
    rms_norm_eps=1e-5, bos_token_id=None, eos_token_id=0, pad_token_id=None,
    tie_word_embeddings=False,
)
LLAMA3 = dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
              original_max_position_embeddings=32, rope_theta=500000.0)
YARN = dict(rope_type="yarn", factor=4.0, original_max_position_embeddings=32, rope_theta=10000.0)
LINEAR = dict(rope_type="linear", factor=2.5, rope_theta=10000.0)

# Name: model type, what differs, element type, shards.
MODELS = {
    "llama": ("llama", dict(), torch.bfloat16, 1),
    "llama-llama3": ("llama", dict(rope_parameters=LLAMA3, head_dim=16, tie_word_embeddings=True), torch.float16, 1),
    "llama-linear-bias": ("llama", dict(rope_parameters=LINEAR, attention_bias=True), torch.float32, 1),
    "qwen2": ("qwen2", dict(tie_word_embeddings=True), torch.bfloat16, 2),
    "qwen2-yarn": ("qwen2", dict(rope_parameters=YARN, hidden_size=48), torch.bfloat16, 1),
    "qwen2-window": ("qwen2", dict(use_sliding_window=True, sliding_window=10, max_window_layers=1), torch.float16, 1),
    "qwen3": ("qwen3", dict(head_dim=24, num_key_value_heads=1), torch.bfloat16, 1),
    "mistral": ("mistral", dict(sliding_window=12), torch.bfloat16, 1),
    "olmo2": ("olmo2", dict(num_key_value_heads=4), torch.bfloat16, 1),
    "olmo2-grouped": ("olmo2", dict(), torch.float16, 1),
    "phi3": ("phi3", dict(sliding_window=24), torch.bfloat16, 1),
    "phi3-partial-long": ("phi3", dict(
        head_dim=None, hidden_size=64, partial_rotary_factor=0.75, original_max_position_embeddings=32,
        rope_parameters=dict(rope_type="longrope", rope_theta=10000.0, partial_rotary_factor=0.75,
                             original_max_position_embeddings=32,
                             short_factor=[1.0, 1.02, 1.05, 1.1, 1.2, 1.5], long_factor=[1.0, 1.1, 1.5, 2.0, 3.0, 4.0])),
        torch.bfloat16, 1),
}


def make(name, kind, differs, dtype, shards, seed):
    torch.manual_seed(seed)
    fields = {k: v for k, v in {**BASE, **differs}.items() if not (k == "head_dim" and v is None)}
    config = AutoConfig.for_model(kind, **fields)
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager", dtype=torch.float32).eval()
    with torch.no_grad():
        for key, weight in model.named_parameters():
            if weight.dim() == 1 and key.endswith("weight"):
                weight.copy_(1 + 0.2 * torch.randn_like(weight))
            elif weight.dim() == 1:
                weight.copy_(0.3 * torch.randn_like(weight))
            else:
                weight.copy_(torch.randn_like(weight) / weight.shape[1] ** 0.5 * 1.5)
            weight.copy_(weight.to(dtype).float())
    folder = HERE / "models" / name
    shutil.rmtree(folder, ignore_errors=True)
    model.config.architectures = [type(model).__name__]
    stored = model.to(dtype)
    stored.save_pretrained(folder, max_shard_size="20KB" if shards > 1 else "1GB")
    (folder / "generation_config.json").unlink(missing_ok=True)
    # Read back: a conversion in place would round the frequencies too.
    model = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()
    # A text of the whole window and more; the long factors need more than the original context.
    tokens = [int(t) for t in torch.randint(0, BASE["vocab_size"], (40,))]
    with torch.no_grad():
        logits = model(torch.tensor([tokens])).logits[0]
        prompt, greedy = tokens[:20], []
        long = "longrope" in json.dumps(model.config.to_dict(), default=str)
        for _ in range(12 if long else 24):
            # Afresh each time: no cache whose keys were turned otherwise.
            greedy.append(int(model(torch.tensor([prompt + greedy])).logits[0, -1].argmax()))
    some = [0, 19, 39]
    expected = {
        "tokens": tokens,
        "logits": {str(i): [float(f"{x:.6g}") for x in logits[i].tolist()] for i in some},
        "prompt": prompt,
        "greedy": greedy,
    }
    (folder / "expected.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n")


TEXTS = [
    "Hello, world!", "  two  spaces\n\n\nand lines\t\ttabs ", "It's 12345 + 67.89 = ?", "naïve café — 東京 🦀 ½",
    "<|user|>hi<|end|>\n<|assistant|>", "don't WON'T I'll", "def f(x):\n    return x**2  # ok\n", "", " ", "a",
]
CORPUS = [
    "Question: a spider has 8 legs and a dog has 4 legs, how many legs are there in all? ",
    "Answer: 8 + 4 = 12. The café isn't naïve; don't think they've 12345 numbers.\n\n  def f(x): return x ",
    "東京 is a city. 🦀 crabs have 10 legs — ½ of 20.\n",
] * 3
GPT4 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"


def tokenizers():
    def byte_level(split):
        t = Tokenizer(models.BPE())
        byte = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=split is None)
        t.pre_tokenizer = byte if split is None else pre_tokenizers.Sequence(
            [pre_tokenizers.Split(Regex(split), "isolated"), byte])
        t.decoder = decoders.ByteLevel()
        t.train_from_iterator(CORPUS, trainers.BpeTrainer(
            vocab_size=340, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False,
            special_tokens=["<|end|>", "<|user|>", "<|assistant|>"]))
        return t

    def metaspace():
        t = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
        t.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
        t.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(),
                                       decoders.Strip(" ", 1, 0)])
        t.train_from_iterator(CORPUS, trainers.BpeTrainer(
            vocab_size=420, show_progress=False, special_tokens=["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)]))
        t.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
        return t

    cases = []
    for name, t in [("gpt2", byte_level(None)), ("gpt4", byte_level(GPT4)), ("llama2", metaspace())]:
        texts = []
        for text in TEXTS:
            ids = t.encode(text, add_special_tokens=False).ids
            texts.append({"text": text, "ids": ids, "decoded": t.decode(ids)})
        cases.append({"name": name, "tokenizer": json.loads(t.to_str()), "texts": texts})
    (HERE / "tokenizers.json").write_text(json.dumps(cases, separators=(",", ":"), ensure_ascii=False) + "\n")


# Name: template, with what the families' own templates make use of.
TEMPLATES = {
    "chatml": """{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}""",
    "default system": """{%- if messages[0]['role'] == 'system' -%}
    {{- '<|im_start|>system\n' + messages[0]['content'] + '<|im_end|>\n' }}
{%- else -%}
    {{- '<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n' }}
{%- endif -%}
{%- for message in messages %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) %}
        {{- '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>' + '\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\n' }}
{%- endif %}
""",
    "llama 3": """{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}""",
    "no system": """{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'].strip() + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token }}{% endif %}{% endfor %}""",
    "namespace and think": """{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}{% set ns = namespace(is_first=false, system_prompt='') %}{%- for message in messages %}{%- if message['role'] == 'system' %}{% set ns.system_prompt = message['content'] %}{%- endif %}{%- endfor %}{{bos_token}}{{ns.system_prompt}}{%- for message in messages %}{%- if message['role'] == 'user' %}{{'<|User|>' + message['content'].split('</think>')[-1]}}{%- endif %}{%- endfor %}{% if add_generation_prompt %}{{'<|Assistant|><think>\\n'}}{% endif %}""",
    "json and tests": """{%- if tools is defined and tools %}TOOLS{% endif %}{{ messages[0].content | tojson }}
{{ [1, messages[0].role] | tojson(indent=2) }}
    {%- for m in messages[::-1] if m.content is string %}
{{ m.role.upper() }} {{ m.content.startswith('a') }} {{ m['content'].replace('a', 'o') | trim }}{{ ' ' ~ loop.length }}
    {%- endfor %}
    {% if strftime_now is defined %}dated{% endif %}
    {%- set x = {'a': [1, 2.5, none, true], 'b': 'é<&>'} %}
{{ x | tojson }}{{ x.items() | list | length }}""",
}


def templates():
    from transformers import PreTrainedTokenizerFast
    bare = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.BPE()), bos_token="<s>", eos_token="</s>")
    cases = []
    for name, template in TEMPLATES.items():
        for system in [None, "Be brief."]:
            user = "  a spider's legs: “8” <b>\n\thow many?  "
            messages = ([{"role": "system", "content": system}] if system else []) + [{"role": "user", "content": user}]
            case = {"name": name, "template": template, "bos": "<s>", "eos": "</s>", "system": system, "user": user}
            try:
                case["expected"] = bare.apply_chat_template(
                    messages, chat_template=template, tokenize=False, add_generation_prompt=True)
            except Exception as e:
                case["says"] = str(e)
            cases.append(case)
    (HERE / "templates.json").write_text(json.dumps(cases, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    for seed, (name, (kind, differs, dtype, shards)) in enumerate(MODELS.items()):
        make(name, kind, differs, dtype, shards, seed)
    tokenizers()
    templates()
    total = sum(f.stat().st_size for f in HERE.rglob("*") if f.is_file())
    print(f"{len(MODELS)} models, {total} bytes")
