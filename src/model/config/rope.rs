//! Rotary positions, and how families stretch them beyond the context they were trained on.

use serde_json::Value;
use std::f64::consts::TAU;

/// How the frequencies of rotary positions are changed for a longer context; the
/// formulas are those of Hugging Face's `rope_scaling` kinds.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Scaling {
    #[default]
    None,
    /// All frequencies divided by `factor` (Chen et al. 2023).
    Linear { factor: f64 },
    /// Llama 3.1: low frequencies divided, high ones kept, a ramp between.
    Llama3 { factor: f64, low: f64, high: f64, original: f64 },
    /// YaRN (Peng et al. 2023), with the factor on attention.
    Yarn { factor: f64, fast: f64, slow: f64, original: f64, attention: f64, truncate: bool },
    /// A factor for each frequency: one list for contexts up to `original`, one beyond.
    LongRope { short: Vec<f64>, long: Vec<f64>, original: f64, attention: f64 },
}

/// The turn of each pair of a head at a position.
#[derive(Clone, Debug, PartialEq)]
pub struct Rotation {
    /// Radians a position, for each pair.
    pub frequencies: Vec<f64>,
    /// Cosines and sines are multiplied by this.
    pub factor: f64,
}

impl Rotation {
    /// Cosines and sines of a position, one a pair.
    pub fn at(&self, position: usize) -> (Vec<f32>, Vec<f32>) {
        let turn = |frequency: &f64| {
            let (sin, cos) = (position as f64 * frequency).sin_cos();
            ((cos * self.factor) as f32, (sin * self.factor) as f32)
        };
        self.frequencies.iter().map(turn).unzip()
    }
}

impl Scaling {
    /// The rotation of heads whose first `rotary` dimensions turn, for a text of up to
    /// `extent` positions.
    pub fn rotation(&self, rotary: usize, theta: f64, extent: usize) -> Rotation {
        let half = rotary / 2;
        let plain = (0..half).map(|i| theta.powf(-(i as f64) / half as f64));
        let (frequencies, factor) = match self {
            Scaling::None => (plain.collect(), 1.0),
            Scaling::Linear { factor } => (plain.map(|f| f / factor).collect(), 1.0),
            Scaling::Llama3 { factor, low, high, original } => {
                let scale = |f: f64| {
                    let turns = original * f / TAU;
                    let kept = ((turns - low) / (high - low)).clamp(0.0, 1.0);
                    f * kept + f / factor * (1.0 - kept)
                };
                (plain.map(scale).collect(), 1.0)
            }
            Scaling::Yarn { factor, fast, slow, original, attention, truncate } => {
                // The pair that turns so often over the original context.
                let pair = |turns: f64| rotary as f64 * (original / (turns * TAU)).ln() / (2.0 * theta.ln());
                let (mut from, mut to) = (pair(*fast), pair(*slow));
                if *truncate {
                    (from, to) = (from.floor(), to.ceil());
                }
                let (from, mut to) = (from.max(0.0), to.min(rotary as f64 - 1.0));
                if from == to {
                    to += 0.001;
                }
                let scale = |(i, f): (usize, f64)| {
                    let stretched = ((i as f64 - from) / (to - from)).clamp(0.0, 1.0);
                    f / factor * stretched + f * (1.0 - stretched)
                };
                (plain.enumerate().map(scale).collect(), *attention)
            }
            Scaling::LongRope { short, long, original, attention } => {
                let factors = if extent as f64 > *original { long } else { short };
                (plain.zip(factors).map(|(f, by)| f / by).collect(), *attention)
            }
        };
        Rotation { frequencies, factor }
    }

    /// Whether texts of these two extents turn alike.
    pub fn alike(&self, one: usize, other: usize) -> bool {
        let Scaling::LongRope { original, .. } = self else { return true };
        (one as f64 > *original) == (other as f64 > *original)
    }

    /// Positions that the stretched context has, where the file counts the original ones.
    pub(super) fn positions(&self) -> usize {
        match self {
            Scaling::Yarn { factor, original, .. } => (factor * original).min(1e9) as usize,
            _ => 0,
        }
    }

    /// Reads `rope_scaling` (or `rope_parameters`) of a `config.json`. `positions` is its
    /// `max_position_embeddings`, `original` its own `original_max_position_embeddings`.
    pub(super) fn from_json(
        value: &Value,
        rotary: usize,
        positions: usize,
        original: Option<f64>,
    ) -> Result<Self, String> {
        let kind = value.get("rope_type").or_else(|| value.get("type")).and_then(Value::as_str);
        let number = |name: &str| value.get(name).and_then(Value::as_f64);
        let needed = |name: &str| {
            let found = number(name).filter(|x| x.is_finite() && *x > 0.0);
            found.ok_or_else(|| format!("rope_scaling has no {name} above 0"))
        };
        let original =
            || number("original_max_position_embeddings").or(original).unwrap_or(positions as f64).max(1.0);
        Ok(match kind.unwrap_or("default") {
            "default" => Scaling::None,
            "linear" => Scaling::Linear { factor: needed("factor")? },
            "llama3" => {
                let (low, high) = (needed("low_freq_factor")?, needed("high_freq_factor")?);
                if low >= high {
                    return Err(format!(
                        "rope_scaling: low_freq_factor {low} is not below high_freq_factor {high}"
                    ));
                }
                Scaling::Llama3 { factor: needed("factor")?, low, high, original: original() }
            }
            "yarn" => {
                let factor = needed("factor")?;
                let scale = |by: f64| if factor <= 1.0 { 1.0 } else { 0.1 * by * factor.ln() + 1.0 };
                let attention = number("attention_factor").unwrap_or_else(|| {
                    match (number("mscale"), number("mscale_all_dim")) {
                        (Some(one), Some(all)) if one != 0.0 && all != 0.0 => scale(one) / scale(all),
                        _ => scale(1.0),
                    }
                });
                Scaling::Yarn {
                    factor,
                    fast: number("beta_fast").filter(|x| *x > 0.0).unwrap_or(32.0),
                    slow: number("beta_slow").filter(|x| *x > 0.0).unwrap_or(1.0),
                    original: original(),
                    attention,
                    truncate: value.get("truncate").and_then(Value::as_bool).unwrap_or(true),
                }
            }
            "longrope" | "su" => {
                let list = |name: &str| {
                    let list: Option<Vec<f64>> = value
                        .get(name)
                        .and_then(Value::as_array)
                        .and_then(|list| list.iter().map(Value::as_f64).collect());
                    let fits = |list: &Vec<f64>| list.len() == rotary / 2 && list.iter().all(|x| *x > 0.0);
                    list.filter(fits)
                        .ok_or_else(|| format!("rope_scaling: {name} needs {} factors above 0", rotary / 2))
                };
                let original = original();
                let stretch = number("factor").unwrap_or(positions as f64 / original);
                let attention = number("attention_factor").unwrap_or(if stretch <= 1.0 {
                    1.0
                } else {
                    (1.0 + stretch.ln() / original.ln()).sqrt()
                });
                Scaling::LongRope {
                    short: list("short_factor")?,
                    long: list("long_factor")?,
                    original,
                    attention,
                }
            }
            other => {
                return Err(format!(
                    "rope_scaling {other:?} is not supported; linear, llama3, yarn and longrope are"
                ));
            }
        })
    }

    /// As `rope_scaling`; `None` for none.
    pub(super) fn to_json(&self) -> Option<Value> {
        Some(match self {
            Scaling::None => return None,
            Scaling::Linear { factor } => serde_json::json!({"rope_type": "linear", "factor": factor}),
            Scaling::Llama3 { factor, low, high, original } => serde_json::json!({
                "rope_type": "llama3", "factor": factor, "low_freq_factor": low,
                "high_freq_factor": high, "original_max_position_embeddings": original,
            }),
            Scaling::Yarn { factor, fast, slow, original, attention, truncate } => serde_json::json!({
                "rope_type": "yarn", "factor": factor, "beta_fast": fast, "beta_slow": slow,
                "original_max_position_embeddings": original, "attention_factor": attention,
                "truncate": truncate,
            }),
            Scaling::LongRope { short, long, original, attention } => serde_json::json!({
                "rope_type": "longrope", "short_factor": short, "long_factor": long,
                "original_max_position_embeddings": original, "attention_factor": attention,
            }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotation_without_scaling_is_that_of_the_paper() {
        let turn = Scaling::None.rotation(8, 10_000.0, 1);
        for (i, f) in turn.frequencies.iter().enumerate() {
            assert!((f - 10_000f64.powf(-2.0 * i as f64 / 8.0)).abs() < 1e-12);
        }
        let (cos, sin) = turn.at(3);
        assert!((cos[0] - 3f32.cos()).abs() < 1e-6 && (sin[0] - 3f32.sin()).abs() < 1e-6);
    }

    #[test]
    fn yarn_keeps_fast_pairs_and_stretches_slow_ones() {
        let value = serde_json::json!({"rope_type": "yarn", "factor": 4.0});
        let scaling = Scaling::from_json(&value, 64, 2048, None).unwrap();
        let plain = Scaling::None.rotation(64, 10_000.0, 1);
        let turn = scaling.rotation(64, 10_000.0, 1);
        assert_eq!(turn.frequencies[0], plain.frequencies[0]);
        assert!((turn.frequencies[31] - plain.frequencies[31] / 4.0).abs() < 1e-12);
        assert!((turn.factor - (0.1 * 4f64.ln() + 1.0)).abs() < 1e-12);
        assert_eq!(scaling.positions(), 8192);
    }

    #[test]
    fn a_long_rotation_depends_on_the_extent() {
        let value = serde_json::json!({"type": "su", "short_factor": [1.0, 1.0], "long_factor": [2.0, 4.0]});
        let scaling = Scaling::from_json(&value, 4, 64, Some(16.0)).unwrap();
        assert_eq!(scaling.rotation(4, 100.0, 16).frequencies, [1.0, 0.1]);
        assert_eq!(scaling.rotation(4, 100.0, 17).frequencies, [0.5, 0.1 / 4.0]);
        assert!(scaling.alike(3, 16) && !scaling.alike(16, 17));
    }

    #[test]
    fn a_bad_scaling_is_refused_in_words() {
        for (value, says) in [
            (serde_json::json!({"type": "dynamic", "factor": 2.0}), "\"dynamic\" is not supported"),
            (serde_json::json!({"type": "linear"}), "no factor above 0"),
            (serde_json::json!({"type": "linear", "factor": -1}), "no factor above 0"),
            (serde_json::json!({"type": "longrope", "short_factor": [1]}), "short_factor needs 2"),
            (
                serde_json::json!({"type": "llama3", "low_freq_factor": 4, "high_freq_factor": 1}),
                "is not below",
            ),
        ] {
            let error = Scaling::from_json(&value, 4, 64, None).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }
}
