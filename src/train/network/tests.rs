use super::*;
use crate::model::config::tests::tiny;
use crate::model::decoder::{Cache, Decoder, log_softmax};
use crate::model::weights::tests::random;
use candle_core::{Device, Tensor, Var};
use std::collections::HashMap;

/// A prompt with continuations that agree in part, and a text that stands alone, as one packed
/// batch; and the same as whole texts, with the first target of each.
fn packed() -> (Batch, Vec<(Vec<u32>, usize)>) {
    let prompt = [5, 9, 2, 30];
    let continuations: [&[u32]; 6] =
        [&[7, 7, 1], &[8, 0, 36, 4, 11], &[8, 0, 36, 5, 9, 9, 2], &[8, 0, 36, 5, 3], &[7, 7, 1], &[8]];
    let alone = [3, 20, 6];
    let mut batch = crate::train::rollout::continued(&prompt, continuations.iter().map(|c| c.to_vec()));
    assert_eq!(batch.tokens.len(), 4 + 2 + 3 + 1 + 1 + 2);
    let rows = batch.push(&alone, &[]);
    batch.targets.extend(alone[1..].iter().enumerate().map(|(i, t)| (rows.start + i, *t)));
    let continued = continuations.iter().map(|c| ([&prompt[..], c].concat(), 4));
    let texts = continued.chain([(alone.to_vec(), 1)]).collect();
    (batch, texts)
}

/// Log-probabilities of the targets, by candle.
fn reference(decoder: &Decoder, texts: &[(Vec<u32>, usize)]) -> Tensor {
    let all: Vec<Tensor> = texts
        .iter()
        .map(|(tokens, first)| {
            let row = Tensor::new(tokens.as_slice(), &Device::Cpu).unwrap().unsqueeze(0).unwrap();
            let logits = decoder.forward(&row, &mut Cache::default()).unwrap();
            let lp = log_softmax(&logits).unwrap().squeeze(0).unwrap();
            let wanted = Tensor::new(&tokens[*first..], &Device::Cpu).unwrap().unsqueeze(1).unwrap();
            let lp = lp.narrow(0, first - 1, tokens.len() - first).unwrap().contiguous().unwrap();
            lp.gather(&wanted, 1).unwrap().squeeze(1).unwrap()
        })
        .collect();
    Tensor::cat(&all, 0).unwrap()
}

#[test]
fn forward_and_gradient_equal_candles() {
    for config in [tiny(), Config { kv_heads: 3, ..tiny() }] {
        let weights = random(&config, 8);
        let variables: HashMap<String, Var> = weights
            .iter()
            .map(|(n, s, d)| {
                (n.to_owned(), Var::from_tensor(&Tensor::from_slice(&d, s, &Device::Cpu).unwrap()).unwrap())
            })
            .collect();
        let tensors = variables.iter().map(|(n, v)| (n.clone(), v.as_tensor().clone())).collect();
        let decoder = Decoder::from_tensors(&config, &tensors).unwrap();
        let (batch, texts) = packed();
        let lp = reference(&decoder, &texts);
        // A loss that is no plain sum, so that each target's own slope counts.
        let loss = lp.exp().unwrap().sum_all().unwrap();
        let want = loss.backward().unwrap();

        let network = Network::new(&config);
        let flat = network.pack(&weights).unwrap();
        let (mut gradient, mut ours) = (vec![0.0; network.parameters()], vec![0.0; batch.targets.len()]);
        let mut space = Workspace::default();
        // A first, larger batch leaves its traces in the workspace.
        let mut larger = batch.clone();
        larger.push(&[1; 40], &[]);
        network.step(&flat, &larger, &mut space, &mut gradient, |_, _| 1.0);
        gradient.fill(0.0);
        network.step(&flat, &batch, &mut space, &mut gradient, |i, lp| {
            ours[i] = lp;
            lp.exp()
        });
        for (a, b) in ours.iter().zip(lp.to_vec1::<f32>().unwrap()) {
            assert!((a - b).abs() < 1e-4, "log-probability {a}, candle says {b}");
        }
        for t in network.tensors() {
            let want =
                want.get(&variables[&t.name]).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
            let size = want.iter().fold(0.0f32, |m, x| m.max(x.abs()));
            assert!(size > 0.0, "{} has no gradient", t.name);
            for (a, b) in gradient[t.range.clone()].iter().zip(&want) {
                assert!((a - b).abs() < 1e-4 * size.max(0.01), "{}: {a}, candle says {b}", t.name);
            }
        }
    }
}

#[test]
fn weights_are_packed_and_unpacked() {
    let (network, weights) = (Network::new(&tiny()), random(&tiny(), 9));
    let flat = network.pack(&weights).unwrap();
    assert_eq!(flat.len(), tiny().parameters());
    assert!(network.unpack(&flat, "random").iter().eq(weights.iter()));
}
