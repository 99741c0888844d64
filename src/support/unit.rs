//! How a user looks at support: what is counted, and when it counts as in support.

/// What is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Solved or not: the paper's tables.
    #[default]
    Problem,
    /// Distinct correct answers.
    Answer,
    /// Distinct methods of correct completions; a completion without a method is no item.
    Method,
    /// Distinct correct texts.
    Completion,
}

impl Unit {
    /// Every unit, from the coarsest.
    pub const ALL: [Unit; 4] = [Unit::Problem, Unit::Answer, Unit::Method, Unit::Completion];

    /// The unit's name, as on screen and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Unit::Problem => "problem",
            Unit::Answer => "answer",
            Unit::Method => "method",
            Unit::Completion => "completion",
        }
    }

    /// The unit of a name.
    pub fn from_name(name: &str) -> Option<Unit> {
        Unit::ALL.into_iter().find(|u| u.name() == name)
    }
}

/// When an item is in a policy's support.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Criterion {
    /// At least `min_hits` hits in k draws (0 is read as 1). One hit is what the paper's
    /// tables count.
    Found { min_hits: u32 },
    /// p̂ = hits/k above ε = −ln ζ/k, the paper's definition 3.2 and appendix C.4. As k
    /// cancels, it asks for more than −ln ζ hits: 3 at ζ = 0.05.
    Threshold { zeta: f64 },
}

impl Criterion {
    /// The least number of hits that puts an item in support, at least 1.
    pub fn min_hits(self) -> u32 {
        match self {
            Criterion::Found { min_hits } => min_hits.max(1),
            // `as` saturates: at ζ = 0 nothing is ever in support; ζ ≥ 1 or NaN asks for one hit.
            Criterion::Threshold { zeta } => {
                (-zeta.ln()).max(0.0).floor().min(f64::from(u32::MAX - 1)) as u32 + 1
            }
        }
    }

    /// The criterion's name, as on screen and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Criterion::Found { .. } => "found",
            Criterion::Threshold { .. } => "threshold",
        }
    }
}

impl Default for Criterion {
    fn default() -> Self {
        Criterion::Found { min_hits: 1 }
    }
}

/// What became of an item under RLVR (the paper's definition 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// In both supports.
    Preserved,
    /// In the RLVR policy's only.
    Expanded,
    /// In the base's only.
    Shrunk,
    /// In neither.
    OutOfSupport,
}

impl Status {
    /// Every status, in the paper's order.
    pub const ALL: [Status; 4] = [Status::Preserved, Status::Expanded, Status::Shrunk, Status::OutOfSupport];

    /// The status of an item that is in the base's support or not, and in the other's or not.
    pub fn of(base: bool, rlvr: bool) -> Status {
        match (base, rlvr) {
            (true, true) => Status::Preserved,
            (false, true) => Status::Expanded,
            (true, false) => Status::Shrunk,
            (false, false) => Status::OutOfSupport,
        }
    }

    /// `P`, `E`, `S` or `O`.
    pub fn letter(self) -> char {
        match self {
            Status::Preserved => 'P',
            Status::Expanded => 'E',
            Status::Shrunk => 'S',
            Status::OutOfSupport => 'O',
        }
    }

    /// The word for people.
    pub fn word(self) -> &'static str {
        match self {
            Status::Preserved => "preserved",
            Status::Expanded => "gained",
            Status::Shrunk => "lost",
            Status::OutOfSupport => "out of support",
        }
    }
}

/// The two policies of a comparison, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pair {
    /// The reference policy: always 0 in a [`Ledger`](super::Ledger).
    pub base: usize,
    pub rlvr: usize,
}

impl Pair {
    /// Policy `rlvr` against the base.
    pub fn with_base(rlvr: usize) -> Pair {
        Pair { base: 0, rlvr }
    }
}

/// How a user looks.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Lens {
    pub unit: Unit,
    pub criterion: Criterion,
    /// Only completions whose steps derive the answer count as correct. A completion whose
    /// steps nobody can check counts as not sound; [`Ledger::unchecked`](super::Ledger::unchecked)
    /// says how many there are.
    pub sound: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threshold_is_a_number_of_hits() {
        for (zeta, hits) in [(0.05, 3), (0.01, 5), (0.5, 1), (1.0, 1), (0.0, u32::MAX), (f64::NAN, 1)] {
            assert_eq!(Criterion::Threshold { zeta }.min_hits(), hits, "{zeta}");
        }
        // The same as p̂ > ε, whatever k.
        for k in [1u32, 7, 1024, 16384] {
            let epsilon = -(0.05f64.ln()) / f64::from(k);
            for hits in 0..=k.min(6) {
                let in_support = f64::from(hits) / f64::from(k) > epsilon;
                assert_eq!(
                    in_support,
                    hits >= Criterion::Threshold { zeta: 0.05 }.min_hits(),
                    "{hits} of {k}"
                );
            }
        }
    }

    #[test]
    fn names_are_read_back() {
        for unit in Unit::ALL {
            assert_eq!(Unit::from_name(unit.name()), Some(unit));
        }
        assert_eq!(Unit::from_name("token"), None);
        let letters: String = Status::ALL.iter().map(|s| s.letter()).collect();
        assert_eq!(letters, "PESO");
    }
}
