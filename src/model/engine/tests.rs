//! The engine against a plain forward pass in f64, and against itself.

use super::simd::Level;
use super::*;
use crate::completion::{Finish, Token};
use crate::model::config::tests::{families, tiny};
use crate::model::decoder::{Cache, Decoder};
use crate::model::weights::tests::random;
use crate::model::{Generated, Running, Sampler, Sampling, Scorer, embedded};
use crate::random::Stream;
use candle_core::{Device, Tensor};
use std::ops::{ControlFlow, Range};

/// Of log-probabilities and entropies, nats. Nearly all of it is what 16 bits for keys and
/// values cost.
const TOLERANCE: f32 = 2e-4;

/// Gathers what is finished, by index; stops after some steps where asked.
#[derive(Default)]
struct Gather {
    finished: Vec<Generated>,
    drawn: usize,
    steps: usize,
    stop_after: Option<usize>,
}

impl Observer for Gather {
    fn finished(&mut self, completion: Generated) {
        self.finished.push(completion);
    }

    fn stepped(&mut self, drawn: usize, running: Option<Running<'_>>) -> ControlFlow<()> {
        self.drawn += drawn;
        self.steps += 1;
        assert!(running.is_none_or(|r| !r.tokens.is_empty()));
        if self.stop_after == Some(self.steps) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

fn sampling(max_tokens: usize) -> Sampling {
    Sampling { max_tokens, ..Sampling::default() }
}

fn gather(engine: &Engine, prompt: &[u32], indices: Range<u32>, sampling: &Sampling) -> Gather {
    let mut gather = Gather::default();
    let stream = Stream::new(sampling.seed).with("test");
    let request = Request { prompt, indices, stream, sampling, stop: &engine.config().eos };
    engine.generate(&request, &mut gather).unwrap();
    gather.finished.sort_by_key(|g| g.index);
    gather
}

fn draw(engine: &Engine, prompt: &[u32], indices: Range<u32>, sampling: &Sampling) -> Vec<Generated> {
    gather(engine, prompt, indices, sampling).finished
}

fn prompt(config: &Config, length: usize) -> Vec<u32> {
    let mut stream = Stream::new(11);
    (0..length).map(|_| stream.below(config.vocab_size) as u32).collect()
}

/// Shapes that differ in all that the engine treats apart.
fn shapes() -> Vec<Config> {
    vec![
        tiny(),
        Config { heads: 4, kv_heads: 2, head_dim: 16, tied: false, ..tiny() },
        Config { hidden_size: 48, heads: 2, kv_heads: 2, head_dim: 24, layers: 3, ..tiny() },
        Config { vocab_size: 300, heads: 6, kv_heads: 2, head_dim: 32, max_positions: 250, ..tiny() },
        Config { vocab_size: 5, hidden_size: 2, heads: 1, kv_heads: 1, head_dim: 2, layers: 1, ..tiny() },
    ]
}

/// The log-probabilities after each of `tokens`, computed the plain way in f64.
fn reference(config: &Config, weights: &Weights, tokens: &[u32]) -> Vec<Vec<f64>> {
    let (d, hd) = (config.hidden_size, config.head_dim);
    let get = |name: &str| {
        let name = format!("{name}.weight");
        weights.iter().find(|(n, _, _)| *n == name).map(|(_, _, data)| data).unwrap()
    };
    let times = |name: &str, x: &[f64]| -> Vec<f64> {
        let all = get(name);
        let rows = all.chunks_exact(x.len());
        rows.map(|w| w.iter().zip(x).map(|(w, x)| f64::from(*w) * x).sum()).collect()
    };
    let norm = |name: &str, x: &[f64]| -> Vec<f64> {
        let square = x.iter().map(|x| x * x).sum::<f64>() / x.len() as f64 + config.norm_eps;
        x.iter().zip(get(name).iter()).map(|(x, w)| x / square.sqrt() * f64::from(*w)).collect()
    };
    let turn = |x: &mut [f64], position: usize| {
        for head in x.chunks_exact_mut(hd) {
            for i in 0..hd / 2 {
                let angle = position as f64 * config.rope_theta.powf(-2.0 * i as f64 / hd as f64);
                let (a, b) = (head[i], head[i + hd / 2]);
                head[i] = a * angle.cos() - b * angle.sin();
                head[i + hd / 2] = b * angle.cos() + a * angle.sin();
            }
        }
    };
    let mut past = vec![Vec::<(Vec<f64>, Vec<f64>)>::new(); config.layers];
    let mut all = Vec::new();
    for (position, token) in tokens.iter().enumerate() {
        let row = &get("model.embed_tokens")[*token as usize * d..][..d];
        let mut x: Vec<f64> = row.iter().map(|x| f64::from(*x)).collect();
        for (layer, past) in past.iter_mut().enumerate() {
            let name = |name: &str| format!("model.layers.{layer}.{name}");
            let h = norm(&name("input_layernorm"), &x);
            let [mut q, mut k, v] = ["q", "k", "v"].map(|p| times(&name(&format!("self_attn.{p}_proj")), &h));
            turn(&mut q, position);
            turn(&mut k, position);
            past.push((k, v));
            let mut attended = Vec::new();
            for (head, q) in q.chunks_exact(hd).enumerate() {
                let at = head / (config.heads / config.kv_heads) * hd;
                let dot = |k: &[f64]| q.iter().zip(&k[at..]).map(|(q, k)| q * k).sum::<f64>();
                let e: Vec<f64> = past.iter().map(|(k, _)| (dot(k) / (hd as f64).sqrt()).exp()).collect();
                let sum = e.iter().sum::<f64>();
                attended.extend(
                    (0..hd).map(|i| {
                        e.iter().zip(past.iter()).map(|(e, (_, v))| e / sum * v[at + i]).sum::<f64>()
                    }),
                );
            }
            let add = |x: &mut [f64], y: Vec<f64>| x.iter_mut().zip(y).for_each(|(x, y)| *x += y);
            add(&mut x, times(&name("self_attn.o_proj"), &attended));
            let h = norm(&name("post_attention_layernorm"), &x);
            let (gate, up) = (times(&name("mlp.gate_proj"), &h), times(&name("mlp.up_proj"), &h));
            let h: Vec<f64> = gate.iter().zip(up).map(|(g, u)| g / (1.0 + (-g).exp()) * u).collect();
            add(&mut x, times(&name("mlp.down_proj"), &h));
        }
        let head = if config.tied { "model.embed_tokens" } else { "lm_head" };
        let logits = times(head, &norm("model.norm", &x));
        let top = logits.iter().copied().fold(f64::MIN, f64::max);
        let sum = logits.iter().map(|l| (l - top).exp()).sum::<f64>().ln() + top;
        all.push(logits.into_iter().map(|l| l - sum).collect());
    }
    all
}

#[test]
fn figures_agree_with_a_plain_forward_pass_in_f64() {
    for (config, length) in shapes().into_iter().zip([1, 5, 33, 150, 64]) {
        let weights = random(&config, 5);
        let prompt = prompt(&config, length);
        for level in Level::all() {
            let engine = Engine::with_level(&config, &weights, level).unwrap();
            for completion in draw(&engine, &prompt, 0..5, &sampling(40)) {
                let tokens: Vec<u32> =
                    prompt.iter().copied().chain(completion.tokens.iter().map(|t| t.id)).collect();
                let exact = reference(&config, &weights, &tokens);
                for (token, logp) in completion.tokens.iter().zip(&exact[length - 1..]) {
                    let entropy = -logp.iter().map(|l| l * l.exp()).sum::<f64>();
                    let tolerance = f64::from(TOLERANCE);
                    assert!((f64::from(token.logprob) - logp[token.id as usize]).abs() < tolerance);
                    assert!((f64::from(token.entropy) - entropy).abs() < tolerance);
                }
            }
        }
    }
}

/// A completion drawn with candle, one token at a time.
fn draw_with_candle(decoder: &Decoder, prompt: &[u32], index: u32, sampling: &Sampling) -> Vec<Token> {
    let config = decoder.config();
    let limit = sampling.max_tokens.min(config.max_positions - prompt.len());
    let mut sampler = Sampler::new(Level::plain(), config.vocab_size);
    let mut stream = Stream::new(sampling.seed).with("test").at(u64::from(index));
    let mut cache = Cache::new(prompt.len() + limit);
    let (mut input, mut tokens) = (prompt.to_vec(), Vec::<Token>::new());
    while tokens.len() < limit && tokens.last().is_none_or(|t| !config.eos.contains(&t.id)) {
        let rows = Tensor::new(input.as_slice(), &Device::Cpu).unwrap().unsqueeze(0).unwrap();
        let logits: Vec<Vec<Vec<f32>>> = decoder.forward(&rows, &mut cache).unwrap().to_vec3().unwrap();
        tokens.push(sampler.draw(&logits[0][input.len() - 1], sampling, stream.unit()).unwrap());
        input = vec![tokens[tokens.len() - 1].id];
    }
    tokens
}

#[test]
fn the_same_seed_draws_the_same_tokens_with_candle() {
    let lengths = [1, 5, 33, 70, 64].into_iter().chain([1, 66, 40, 70, 33, 95, 20]);
    for (config, length) in shapes().into_iter().chain(families()).zip(lengths) {
        let weights = random(&config, 13);
        let prompt = prompt(&config, length);
        let decoder = Decoder::new(&config, &weights).unwrap();
        for sampling in
            [sampling(30), Sampling { temperature: 0.7, top_k: Some(20), top_p: 0.9, ..sampling(30) }]
        {
            let drawn = |index| draw_with_candle(&decoder, &prompt, index, &sampling);
            let theirs: Vec<_> = (0..20).map(drawn).collect();
            for level in Level::all() {
                let engine = Engine::with_level(&config, &weights, level).unwrap();
                for completion in draw(&engine, &prompt, 0..20, &sampling) {
                    let theirs = &theirs[completion.index as usize];
                    assert_eq!(completion.tokens.len(), theirs.len());
                    for (our, their) in completion.tokens.iter().zip(theirs) {
                        assert_eq!(our.id, their.id);
                        assert!((our.logprob - their.logprob).abs() < TOLERANCE, "{our:?} {their:?}");
                        assert!((our.entropy - their.entropy).abs() < TOLERANCE, "{our:?} {their:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn the_embedded_policies_draw_the_same_with_every_instruction_set_and_with_candle() {
    let mut apart_by = Vec::new();
    let prompts = ["Q: 4 cats, 1 scorpion.", "Q: 3 spiders, 2 dogs, 1 crab.", "Q: 12 bees."];
    for spec in ["embedded:base", "embedded:rlvr"] {
        let model = embedded::open(spec).unwrap().unwrap();
        let decoder = Decoder::new(&model.config, &model.weights).unwrap();
        let engines: Vec<_> = Level::all()
            .into_iter()
            .map(|level| Engine::with_level(&model.config, &model.weights, level).unwrap())
            .collect();
        for prompt in prompts {
            let prompt = model.tokenizer.encode_prompt(&format!("{prompt} How many legs?\nA:")).unwrap();
            let theirs: Vec<_> =
                (0..8).map(|index| draw_with_candle(&decoder, &prompt, index, &sampling(100))).collect();
            for engine in &engines {
                for ours in draw(engine, &prompt, 0..8, &sampling(100)) {
                    let theirs = &theirs[ours.index as usize];
                    let alike = ours.tokens.iter().zip(theirs).take_while(|(o, t)| o.id == t.id).count();
                    for (our, their) in ours.tokens.iter().zip(theirs).take(alike) {
                        for apart in [our.logprob - their.logprob, our.entropy - their.entropy] {
                            assert!(apart.abs() < TOLERANCE, "{our:?} {their:?}");
                            apart_by.push(apart.abs());
                        }
                    }
                    if alike < ours.tokens.len().max(theirs.len()) {
                        assert_tie(&decoder, &prompt, theirs, alike, ours.index);
                    }
                }
            }
        }
    }
    apart_by.sort_by(f32::total_cmp);
    let [middle, most] = [apart_by.len() / 2, apart_by.len() - 1].map(|i| apart_by[i]);
    eprintln!("figures are {middle:.1e} apart in the middle, {most:.1e} at most");
    assert!(middle < 1e-5);
}

/// A draw may differ only where it fell on the border of two tokens, within rounding; says so.
fn assert_tie(decoder: &Decoder, prompt: &[u32], tokens: &[Token], place: usize, index: u32) {
    let text: Vec<u32> = prompt.iter().copied().chain(tokens[..place].iter().map(|t| t.id)).collect();
    let mut stream = Stream::new(0).with("test").at(u64::from(index));
    let unit = (0..=place).map(|_| stream.unit()).last().unwrap();
    let weighed =
        decoder.score(&text[..1], &[&text[1..], &[0]].concat(), decoder.config().vocab_size).unwrap();
    let mut likely = weighed[text.len() - 1].top.clone();
    likely.sort_by_key(|(id, _)| *id);
    let mut below = 0.0;
    let borders = likely.iter().map(|(_, logprob)| {
        below += logprob.exp();
        (below - unit).abs()
    });
    let nearest = borders.fold(1.0, f64::min);
    assert!(nearest < 1e-5, "completion {index} differs at token {place}, {nearest} from a border");
    eprintln!("completion {index} differs at token {place}: a tie within {nearest}");
}

#[test]
fn a_completion_is_the_same_whatever_is_drawn_beside_it() {
    let every = shapes().into_iter().map(|config| (config, 1));
    for (config, step) in every.chain(families().into_iter().map(|config| (config, 13))) {
        let engine = Engine::new(&config, &random(&config, 6)).unwrap();
        let prompt = prompt(&config, 40);
        let all = draw(&engine, &prompt, 0..130, &sampling(30));
        assert_eq!(all.iter().map(|g| g.index).collect::<Vec<_>>(), (0..130).collect::<Vec<_>>());
        assert!(all.iter().any(|g| g.tokens.len() > 1));
        for n in (1..=130).step_by(step) {
            assert!(draw(&engine, &prompt, 0..n, &sampling(30)) == all[..n as usize], "{n} of {config:?}");
        }
        for from in (1..130).step_by(7 * step) {
            assert!(draw(&engine, &prompt, from..130, &sampling(30)) == all[from as usize..]);
        }
    }
}

#[test]
fn completions_that_agree_are_computed_once() {
    let config = Config { eos: vec![2, 3, 5, 8, 13], ..tiny() };
    let weights = random(&config, 6);
    let prompt = prompt(&config, 7);
    for temperature in [0.0, 0.2, 0.4, 1.0] {
        let sampling = Sampling { temperature, ..sampling(30) };
        let engine = Engine::new(&config, &weights).unwrap();
        let drawn = draw(&engine, &prompt, 0..200, &sampling);
        let prefixes: std::collections::HashSet<Vec<u32>> = drawn
            .iter()
            .flat_map(|g| (1..g.tokens.len()).map(|n| g.tokens[..n].iter().map(|t| t.id).collect()))
            .collect();
        assert_eq!(engine.rows(), prefixes.len() as u64);
        // With few places, some are read again.
        let few = Workspace::bytes(&engine, 2, 2, 7, 30);
        let again = Engine::new(&config, &weights).unwrap().with_call_memory(few);
        assert!(draw(&again, &prompt, 0..200, &sampling) == drawn);
        assert!(again.rows() >= engine.rows());
        if temperature > 0.0 {
            assert!(prefixes.len() > 30, "{temperature}");
        }
    }
}

#[test]
fn threads_share_one_engine_and_draw_the_same() {
    let config = tiny();
    let engine = Engine::new(&config, &random(&config, 7)).unwrap();
    let prompt = prompt(&config, 9);
    let alone = draw(&engine, &prompt, 0..90, &sampling(50));
    std::thread::scope(|scope| {
        let parts: Vec<_> = (0..3)
            .map(|i| (&engine, &prompt, i * 30..(i + 1) * 30))
            .map(|(engine, prompt, range)| scope.spawn(move || draw(engine, prompt, range, &sampling(50))))
            .collect();
        let together: Vec<_> = parts.into_iter().flat_map(|p| p.join().unwrap()).collect();
        assert!(together == alone);
    });
}

#[test]
fn levels_with_fused_products_draw_the_same_bits() {
    let config = tiny();
    let weights = random(&config, 8);
    let prompt = prompt(&config, 5);
    let mut drawn = Level::all().into_iter().filter(|level| *level != Level::plain()).map(|level| {
        let engine = Engine::with_level(&config, &weights, level).unwrap();
        draw(&engine, &prompt, 0..20, &sampling(60))
    });
    let Some(first) = drawn.next() else { return };
    assert!(drawn.all(|other| other == first));
}

#[test]
fn a_completion_ends_at_a_stop_token_or_at_the_limit() {
    let config = tiny();
    let engine = Engine::new(&config, &random(&config, 9)).unwrap();
    let stop = |g: &Generated| engine.config().eos.contains(&g.tokens[g.tokens.len() - 1].id);
    let prompt = prompt(&config, 3);
    let drawn = draw(&engine, &prompt, 0..200, &sampling(20));
    assert!(drawn.iter().any(|g| g.finish == Finish::Stop));
    assert!(drawn.iter().any(|g| g.finish == Finish::Length));
    for g in &drawn {
        let inside = &g.tokens[..g.tokens.len() - 1];
        assert!(inside.iter().all(|t| !engine.config().eos.contains(&t.id)));
        assert_eq!(g.finish == Finish::Stop, stop(g));
        assert!(g.finish == Finish::Stop || g.tokens.len() == 20);
    }
    assert!(draw(&engine, &prompt, 0..70, &sampling(1)).iter().all(|g| g.tokens.len() == 1));
    assert!(draw(&engine, &prompt, 3..5, &sampling(0)).iter().all(|g| g.tokens.is_empty()));
}

#[test]
fn the_context_limits_a_completion() {
    let config = Config { eos: vec![], ..tiny() };
    let engine = Engine::new(&config, &random(&config, 9)).unwrap();
    for length in [1, 64, 65, 95] {
        let drawn = draw(&engine, &prompt(&config, length), 0..3, &sampling(1000));
        assert!(drawn.iter().all(|g| g.tokens.len() == 96 - length && g.finish == Finish::Length));
    }
}

#[test]
fn temperature_zero_takes_the_most_likely_token() {
    let config = tiny();
    let weights = random(&config, 10);
    let engine = Engine::new(&config, &weights).unwrap();
    let prompt = prompt(&config, 4);
    let greedy = Sampling { temperature: 0.0, ..sampling(10) };
    let drawn = draw(&engine, &prompt, 0..2, &greedy);
    assert_eq!(drawn[0].tokens, drawn[1].tokens);
    let tokens: Vec<u32> = prompt.iter().copied().chain(drawn[0].tokens.iter().map(|t| t.id)).collect();
    let exact = reference(&config, &weights, &tokens);
    for (token, logp) in drawn[0].tokens.iter().zip(&exact[prompt.len() - 1..]) {
        assert!(logp.iter().all(|l| *l <= logp[token.id as usize] + 1e-5));
    }
}

#[test]
fn every_token_is_reported_and_a_break_ends_within_a_step() {
    let config = Config { eos: vec![], ..tiny() };
    let engine = Engine::new(&config, &random(&config, 9)).unwrap();
    let prompt = prompt(&config, 4);
    let all = gather(&engine, &prompt, 0..100, &sampling(12));
    assert_eq!(all.drawn, all.finished.iter().map(|g| g.tokens.len()).sum::<usize>());
    let mut some = Gather { stop_after: Some(5), ..Gather::default() };
    let request = Request {
        prompt: &prompt,
        indices: 0..100,
        stream: Stream::new(0),
        sampling: &sampling(12),
        stop: &[],
    };
    engine.generate(&request, &mut some).unwrap();
    assert_eq!((some.steps, some.finished.len()), (5, 0));
}

#[test]
fn bad_prompts_are_refused_in_words() {
    let config = tiny();
    let engine = Engine::new(&config, &random(&config, 9)).unwrap();
    let refuse = |prompt: &[u32], says: &str| {
        let request =
            Request { prompt, indices: 0..1, stream: Stream::new(0), sampling: &sampling(1), stop: &[] };
        let error = engine.generate(&request, &mut Gather::default()).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    };
    refuse(&[], "the prompt is empty");
    refuse(&[1, 37], "holds token 37, outside the vocabulary of 37");
    refuse(&[1; 96], "has 96 tokens, and the model's 96 positions leave no room");
}

#[test]
fn extreme_weights_give_numbers_or_an_error() {
    let scales = [0.0, 1e-30, 1e6, 1e18, f32::INFINITY, f32::NAN];
    let models = families().into_iter().chain([tiny()]);
    for (config, scale) in models.flat_map(|config| scales.map(|scale| (config.clone(), scale))) {
        let mut weights = Weights::new("extreme");
        for (name, shape, data) in random(&config, 12).iter() {
            weights.insert(name, shape, data.iter().map(|x| x * scale).collect());
        }
        let engine = Engine::new(&config, &weights).unwrap();
        let mut gather = Gather::default();
        let request = Request {
            prompt: &[1, 2, 3],
            indices: 0..3,
            stream: Stream::new(0),
            sampling: &sampling(5),
            stop: &[],
        };
        match engine.generate(&request, &mut gather) {
            Err(error) => assert!(error.to_string().contains("no logit is a number"), "{error}"),
            Ok(()) => assert!(gather.finished.iter().flat_map(|g| &g.tokens).all(|t| {
                t.logprob <= 0.0 && t.logprob.is_finite() && (0.0..=37f32.ln() + 1e-5).contains(&t.entropy)
            })),
        }
    }
}

#[test]
fn memory_is_foretold_and_kept_to() {
    for config in shapes().into_iter().chain(families()) {
        let weights = random(&config, 3);
        let engine = Engine::new(&config, &weights).unwrap();
        assert_eq!(Engine::weight_bytes(&config, &weights), engine.bytes(), "{config:?}");
    }
    let config = Config { eos: vec![], ..tiny() };
    let engine = Engine::new(&config, &random(&config, 9)).unwrap();
    let prompt = prompt(&config, 40);
    let all = draw(&engine, &prompt, 0..40, &sampling(20));
    let three = Workspace::bytes(&engine, 3, 3, 40, 20);
    let engine = engine.with_call_memory(three);
    assert_eq!(engine.places(40, 20).unwrap(), 3);
    assert!(draw(&engine, &prompt, 0..40, &sampling(20)) == all);
    let engine = engine.with_call_memory(1000);
    let sampling = sampling(20);
    let request =
        Request { prompt: &prompt, indices: 0..1, stream: Stream::new(0), sampling: &sampling, stop: &[] };
    let error = engine.generate(&request, &mut Gather::default()).unwrap_err().to_string();
    assert!(error.starts_with("one completion of 60 tokens needs ") && error.contains("--memory"), "{error}");
}

#[test]
fn weights_of_sixteen_bits_draw_what_their_values_draw() {
    // Too large to be kept in 32 bits.
    let config = Config { vocab_size: 6000, hidden_size: 352, tied: false, ..tiny() };
    let bytes = random(&config, 4).to_safetensors(true).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    std::fs::write(&path, &bytes).unwrap();
    let prompt = prompt(&config, 9);
    let [half, full] =
        [Weights::open(&[&path], "half").unwrap(), Weights::from_safetensors(&bytes, "full").unwrap()].map(
            |weights| {
                let engine = Engine::new(&config, &weights).unwrap();
                assert_eq!(Engine::weight_bytes(&config, &weights), engine.bytes());
                (engine.bytes(), draw(&engine, &prompt, 0..9, &sampling(6)))
            },
        );
    assert_eq!(2 * half.0, full.0);
    assert!(half.1 == full.1);
}
