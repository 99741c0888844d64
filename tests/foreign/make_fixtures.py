"""Writes the fixtures beside this file with the tools' own code.

Each part needs its tool (versions of the committed files in brackets) and is left out
where the tool is not installed:

    inspect-ai [0.3.285]   lm-eval [0.4.13]   lighteval [0.13.0]   datasets [5.2.0]
    verifiers [0.4.0 for traces, 0.2.1 for results]   reasoning-gym [0.1.25]

Reasoning Gym's eval.py, limit-of-RLVR's math_eval.py and verl's ray_trainer.py are in no
package: their repositories' folders are named by RG_REPO, LIMIT_REPO and VERL_REPO.

    python make_fixtures.py [part ...]
"""

import asyncio
import json
import os
import re
import sys
import types
from pathlib import Path

OUT = Path(__file__).parent / "fixtures"
ITEMS = [("How many legs do 4 spiders and 3 dogs have?", "44"), ("What is 17 + 25?", "42"), ("Wie viel ist 6 · 7 – genau?", "42")]
TEXTS = [
    ["4 * 8 = 32, 3 * 4 = 12.\n32 + 12 = 44.\n#### 44", "32 + 12 = 44\n#### 44", "I count 46.\n#### 46", "no idea 🐙"],
    ["17 + 25 = 42\n#### 42", "#### 42", "17 + 25 = 32\n#### 32", "#### 42"],
    ["6 · 7 = 42\n#### 42", "#### 13", "\u202e#### 42", "#### 13"],
]


def right(problem, text):
    return text.endswith("#### " + ITEMS[problem][1])


def verifiers_traces():
    from verifiers.v1.episode import EnvInfo, Episode
    from verifiers.v1.graph import MessageNode
    from verifiers.v1.configs.agent import AgentConfig
    from verifiers.v1.task import TaskData
    from verifiers.v1.trace import AgentInfo, ModelCall, Reward, Trace, TraceTask
    from verifiers.v1.types import AssistantMessage, SystemMessage, Usage, UserMessage
    from verifiers.v1.utils.trace_store import write_episode

    class Sum(TaskData):
        answer: str

    folder = OUT / "verifiers-traces"
    folder.mkdir(exist_ok=True)
    (folder / "traces.jsonl").unlink(missing_ok=True)
    for i, (question, answer) in enumerate(ITEMS[:2]):
        for j, text in enumerate(TEXTS[i]):
            task = TraceTask(type="SumTask", data=Sum(idx=i, prompt=question, system_prompt="Think.", answer=answer), key=f"sum-{i}")
            nodes = [
                MessageNode(message=SystemMessage(content="Think."), timestamp=1.0),
                MessageNode(parent=0, message=UserMessage(content=question), timestamp=1.0),
                MessageNode(parent=1, message=AssistantMessage(content=text, reasoning_content="Hm." if j == 0 else None), sampled=True, timestamp=2.0,
                            token_ids=[9, 5, 6], mask=[False, True, True], logprobs=[-0.25, -0.5]),
            ]
            call = ModelCall(node=2, model="org/tiny", sampling={"temperature": 0.7, "max_tokens": 64}, finish_reason="length" if j == 3 else "stop",
                             usage=Usage(prompt_tokens=11, completion_tokens=2, total_tokens=13))
            trace = Trace(id=f"{i}{j}", task=task, agent=AgentInfo(config=AgentConfig()), nodes=nodes, calls=[call], is_completed=True, ok=True)
            trace.record_reward("correct", float(right(i, text)))
            trace.timing.start = 0.0
            write_episode(folder, Episode(id=f"e{i}{j}", env=EnvInfo(id="sums"), task=task, ok=True, traces=[trace]))


def verifiers_results():
    from verifiers.types import State
    from verifiers.utils import save_utils

    folder = OUT / "verifiers-results"
    folder.mkdir(exist_ok=True)
    outputs = []
    for i, (question, answer) in enumerate(ITEMS):
        for text in TEXTS[i]:
            state = State(
                example_id=i, prompt=[{"role": "system", "content": "Think."}, {"role": "user", "content": question}],
                completion=[{"role": "assistant", "content": text}], answer=answer, info={"source": "sums"},
                reward=float(right(i, text)), metrics={"correct": float(right(i, text))}, task="sums",
                timing={"start_time": 0.0, "generation_ms": 1.0, "scoring_ms": 1.0, "total_ms": 2.0},
                is_completed=True, is_truncated=False, stop_condition=None, error=None, trajectory=[],
                usage={"input_tokens": 20.0, "output_tokens": 7.0},
            )
            outputs.append(save_utils.state_to_output(state, []))
    save = getattr(save_utils, "save_outputs")
    save(outputs, folder)
    metadata = dict(
        env_id="sums", env_args={}, model="org/tiny", base_url="http://localhost/v1", num_examples=3, rollouts_per_example=4,
        sampling_args={"temperature": 0.7, "max_tokens": 64, "top_p": 0.9}, date="2026-01-01", time_ms=1.0, avg_reward=0.5,
        avg_metrics={"correct": 0.5}, avg_error=0.0, pass_at_k={"1": 0.5}, pass_all_k={"1": 0.5}, pass_threshold=0.5,
        usage=None, version_info={}, state_columns=[], path_to_save=folder, tools=None,
    )
    save_utils.save_metadata(metadata, folder)
    text = (folder / "metadata.json").read_text().replace(str(folder), "sums")
    (folder / "metadata.json").write_text(text)


def inspect():
    os.environ["INSPECT_LOG_DIR"] = "/tmp/inspect-fixtures"
    import tiktoken
    # The mock model counts tokens with an encoding that would be downloaded.
    tiktoken.get_encoding = lambda name: types.SimpleNamespace(encode=lambda text, **_: text.split())
    from inspect_ai import Task, eval
    from inspect_ai.dataset import Sample
    from inspect_ai.model import ChatMessageSystem, ChatMessageUser, GenerateConfig, ModelOutput, get_model
    from inspect_ai.scorer import includes, Score, mean, scorer
    from inspect_ai.solver import generate

    @scorer(metrics=[mean()])
    def odd():
        async def score(state, target):
            return Score.unscored(reason="grade-parse") if "idea" in state.output.completion else Score(value=0.5)
        return score

    for form in ["eval", "json"]:
        outputs = [ModelOutput.from_content("mockllm/model", TEXTS[i][e]) for e in range(4) for i in range(3)]
        outputs[2].choices[0].stop_reason = "max_tokens"
        model = get_model("mockllm/model", custom_outputs=outputs, config=GenerateConfig(temperature=0.7, max_tokens=64))
        samples = [Sample(id=f"s{i}", input=[ChatMessageSystem(content="Think."), ChatMessageUser(content=q)] if i == 1 else q, target="#### " + a)
                   for i, (q, a) in enumerate(ITEMS)]
        log = eval(Task(name="sums", dataset=samples, solver=[generate()], scorer=[includes(), odd()]), model=model, epochs=4,
                   log_format=form, log_dir="/tmp/inspect-fixtures", max_samples=1, max_connections=1, display="none", log_buffer=5)[0]
        data = Path(log.location.replace("file://", "")).read_bytes()
        if form == "json":
            # Transcripts are long, and not read.
            data = json.loads(data)
            for sample in data["samples"]:
                sample.update(events=[], events_data=None, timelines=None)
            data = json.dumps(data, indent=2).encode()
        (OUT / f"inspect.{form}").write_bytes(data)


def lm_eval():
    from lm_eval.api.instance import Instance
    from lm_eval.api.task import ConfigurableTask
    from lm_eval.loggers import EvaluationTracker
    from lm_eval import evaluator
    from lm_eval.api.model import LM

    class Fixed(LM):
        def __init__(self):
            super().__init__()
            self.seen = {}

        def generate_until(self, requests, disable_tqdm=False):
            out = []
            for r in requests:
                i = r.doc_id
                n = self.seen[i] = self.seen.get(i, -1) + 1
                out.append(TEXTS[i][n % 4])
            return out

        def loglikelihood(self, requests):
            return [(-1.0, True) for _ in requests]

        loglikelihood_rolling = loglikelihood

    import datasets
    data = datasets.Dataset.from_list([{"question": q, "answer": a} for q, a in ITEMS])
    data_dir = Path("/tmp/lm-eval-fixtures"); data_dir.mkdir(exist_ok=True)
    data.to_json(data_dir / "sums.jsonl")
    for name, repeats in [("sums", 1), ("sums_many", 4)]:
        config = dict(
            task=name, dataset_path="json", dataset_kwargs={"data_files": {"test": str(data_dir / "sums.jsonl")}}, test_split="test",
            output_type="generate_until", doc_to_text="Q: {{question}}\nA:", doc_to_target="{{answer}}", repeats=repeats,
            generation_kwargs={"until": ["Q:"], "do_sample": True, "temperature": 0.7, "max_gen_toks": 64},
            filter_list=[
                {"name": "strict", "filter": [{"function": "regex", "regex_pattern": "#### ([0-9]+)"}, {"function": "take_first"}]},
                {"name": "flexible", "filter": [{"function": "regex", "regex_pattern": "([0-9]+)", "group_select": -1}, {"function": "take_first"}]},
            ],
            metric_list=[{"metric": "exact_match", "aggregation": "mean", "higher_is_better": True}], metadata={"version": 1.0},
        )
        result = evaluator.simple_evaluate(model=Fixed(), tasks=[config], log_samples=True, bootstrap_iters=0)
        tracker = EvaluationTracker(output_path="/tmp/lm-eval-fixtures/out")
        tracker.general_config_tracker.model_name_sanitized = "tiny"
        tracker.date_id = "2026-01-01"
        for f in Path("/tmp/lm-eval-fixtures/out/tiny").glob(f"samples_{name}_2026*"):
            f.unlink()
        tracker.save_results_samples(task_name=name, samples=result["samples"][name])
        made = Path(f"/tmp/lm-eval-fixtures/out/tiny/samples_{name}_2026-01-01.jsonl")
        (OUT / f"lm_eval_{name}.jsonl").write_bytes(made.read_bytes())


def lighteval():
    from dataclasses import asdict
    from datasets import Dataset
    import importlib.util
    try:
        import torch  # noqa
    except ImportError:
        # Only a type in an annotation.
        torch = types.ModuleType("torch"); torch.Tensor = object; sys.modules["torch"] = torch
    import lighteval as package
    root = Path(package.__file__).parent

    def load(path, name):
        spec = importlib.util.spec_from_file_location(name, root / path)
        module = importlib.util.module_from_spec(spec); sys.modules[name] = module
        spec.loader.exec_module(module)
        return module

    Response = load("models/model_output.py", "model_output").ModelResponse
    Doc = load("tasks/requests.py", "requests_").Doc
    if not hasattr(sys.modules["torch"], "__version__"):
        del sys.modules["torch"]
    rows = []
    for i, (question, answer) in enumerate(ITEMS):
        doc = Doc(query=f"Q: {question}\nA:", choices=[answer], gold_index=0, id=str(i), task_name="sums|0", generation_size=64, num_samples=4, specific={"level": i})
        response = Response(input=f"Q: {question}\nA:", input_tokens=[1, 2], text=TEXTS[i], output_tokens=[[5, 6, 7]] * 4, reasonings=[None] * 4, logprobs=[])
        rows.append(dict(doc=asdict(doc), model_response=asdict(response), metric={"pass@k:k=1": sum(right(i, t) for t in TEXTS[i]) / 4}))
        rows[-1]["doc"]["sampling_methods"] = []
    dataset = Dataset.from_list(rows)
    dataset.select_columns(sorted(dataset.column_names)).to_parquet(OUT / "lighteval.parquet")


def reasoning_gym():
    sys.path.insert(0, os.environ["RG_REPO"] + "/eval")
    import tempfile
    from eval import AsyncModelEvaluator
    from eval_config import EvalConfig
    import reasoning_gym

    data = reasoning_gym.create_dataset("leg_counting", seed=7, size=2)
    with open(OUT / "reasoning_gym_items.jsonl", "w") as f:
        f.writelines(json.dumps(item) + "\n" for item in data)
    config = EvalConfig._process_config_data(dict(model="org/tiny", output_dir=tempfile.mkdtemp(), system_prompt_id="default", save_metadata=True, completions_per_prompt=3,
        categories=[dict(category="arithmetic", datasets=[dict(dataset="leg_counting", size=2, seed=7)])]))
    evaluator = AsyncModelEvaluator(config=config, api_key="none")
    answers = {item["question"]: item["answer"] for item in data}
    count = {}

    async def response(prompt):
        n = count[prompt] = count.get(prompt, -1) + 1
        return [f"<think>sum</think><answer>{answers[prompt]}</answer>", "<answer>1</answer>", "no answer"][n]

    evaluator.get_single_response = response
    evaluator.output_dir = evaluator.create_output_dir()
    from eval import CheckpointManager
    evaluator.checkpoint_manager = CheckpointManager(evaluator.output_dir)
    asyncio.run(evaluator.evaluate_category(config.categories[0]))
    made = evaluator.output_dir / "arithmetic" / "leg_counting.json"
    (OUT / "reasoning_gym_eval.json").write_bytes(made.read_bytes())


def limit():
    """The fields of main() in math_eval.py and of evaluate() in evaluate.py, in their order."""
    source = (Path(os.environ["LIMIT_REPO"]) / "math/examples/math_eval/math_eval.py").read_text()
    assert 'sample.update({"code": code, "pred": preds, "report": reports, "finish_reason": finish_reason_list  })' in source
    with open(OUT / "test_qwen-boxed_-1_seed1_t0.6_s0_e-1.jsonl", "w", encoding="utf-8") as f:
        for i, (question, answer) in enumerate(ITEMS):
            sample = {"idx": i, "question": question, "gt_cot": f"#### {answer}", "gt": answer, "level": 1, "solution": answer, "answer": answer}
            preds = [(re.findall(r"#### (\d+)", t) or [""])[-1] for t in TEXTS[i]]
            sample.update({"code": TEXTS[i], "pred": preds, "report": [None] * 4, "finish_reason": ["stop", "stop", "stop", "length"]})
            sample["score"] = [p == answer for p in preds]
            f.write(json.dumps(sample, ensure_ascii=False) + "\n")


def verl():
    source = (Path(os.environ["VERL_REPO"]) / "verl/trainer/ppo/ray_trainer.py").read_text()
    body = re.search(r"    def _dump_generations\(.*?(?=\n    def )", source, re.S).group(0)
    scope = {"os": os, "json": json}
    exec("class Trainer:\n    global_steps = 40\n" + body, scope)
    rows = [(i, t) for i in range(3) for t in TEXTS[i]]
    scope["Trainer"]()._dump_generations(
        [f"user\n{ITEMS[i][0]}\nassistant\n" for i, _ in rows], [t for _, t in rows], [ITEMS[i][1] for i, _ in rows],
        [float(right(i, t)) for i, t in rows], {"acc": [float(right(i, t)) for i, t in rows], "request_id": [str(n) for n in range(12)]}, "/tmp/verl-fixtures")
    (OUT / "verl.jsonl").write_bytes(Path("/tmp/verl-fixtures/40.jsonl").read_bytes())


if __name__ == "__main__":
    OUT.mkdir(exist_ok=True)
    parts = [verifiers_traces, verifiers_results, inspect, lm_eval, lighteval, reasoning_gym, limit, verl]
    for part in parts:
        if len(sys.argv) > 1 and part.__name__ not in sys.argv[1:]:
            continue
        try:
            part()
            print(part.__name__, "written")
        except (ImportError, KeyError) as error:
            print(part.__name__, "left out:", repr(error))
