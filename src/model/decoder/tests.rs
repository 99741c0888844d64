use super::*;
use crate::model::{config::tests::tiny, weights::tests::random};
use candle_transformers::models::llama;

fn row(tokens: &[u32]) -> Tensor {
    Tensor::new(tokens, &Device::Cpu).unwrap().unsqueeze(0).unwrap()
}

fn difference(a: &Tensor, b: &Tensor) -> f32 {
    (a - b).unwrap().abs().unwrap().max_all().unwrap().to_scalar().unwrap()
}

#[test]
fn logits_equal_those_of_candles_llama() {
    for config in [tiny(), Config { tied: false, kv_heads: 3, ..tiny() }] {
        let weights = random(&config, 5);
        let tensors: HashMap<String, Tensor> = weights
            .iter()
            .map(|(n, s, d)| (n.to_owned(), Tensor::from_slice(&d, s, &Device::Cpu).unwrap()))
            .collect();
        let file: llama::LlamaConfig = serde_json::from_str(&config.to_json()).unwrap();
        let file = file.into_config(false);
        let builder = candle_nn::VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu);
        let theirs = llama::Llama::load(builder, &file).unwrap();
        let mut cache = llama::Cache::new(true, DType::F32, &file, &Device::Cpu).unwrap();
        let tokens = row(&[3, 1, 36, 0, 7, 7, 20]);
        let want = theirs.forward(&tokens, 0, &mut cache).unwrap();
        let ours = Decoder::new(&config, &weights).unwrap();
        let got = ours.forward(&tokens, &mut Cache::default()).unwrap().narrow(1, 6, 1).unwrap();
        assert!(difference(&got.squeeze(1).unwrap(), &want) < 1e-4);
    }
}

#[test]
fn a_cache_changes_nothing() {
    let decoder = Decoder::new(&tiny(), &random(&tiny(), 6)).unwrap();
    let tokens = [3, 1, 36, 0, 7, 7, 20];
    let whole = decoder.forward(&row(&tokens), &mut Cache::default()).unwrap();
    let mut cache = Cache::default();
    let first = decoder.forward(&row(&tokens[..4]), &mut cache).unwrap();
    let mut cache = cache.rows(&[0, 0]).unwrap();
    let both = Tensor::cat(&[row(&tokens[4..]), row(&[1, 2, 3])], 0).unwrap();
    let rest = decoder.forward(&both, &mut cache).unwrap().narrow(0, 0, 1).unwrap();
    assert_eq!(cache.len(), 7);
    assert!(difference(&Tensor::cat(&[first, rest], 1).unwrap(), &whole) < 1e-5);
}
