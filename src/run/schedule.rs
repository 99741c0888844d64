//! What is drawn next: pure book-keeping, no thread and no clock.
//!
//! The problem in focus comes first, then its neighbours by distance, then the rest. At a
//! problem the policy that is furthest behind comes first, so that all policies stay at
//! equal k to within one chunk. Chunks are small at first, for a quick first look, and
//! grow, because a sampler fills its batch better from a long range.

use std::ops::Range;

/// Completions `indices` of one problem under one policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub policy: usize,
    pub problem: usize,
    pub indices: Range<u32>,
}

/// Work that was handed out; its id is never used again by the same schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    pub id: u64,
    pub item: Item,
}

/// What is drawn, what is being drawn, and what is still to draw.
///
/// An index is in exactly one of three places: free in its lane, in a job, or drawn.
#[derive(Clone, Debug)]
pub struct Schedule {
    policies: usize,
    k: u32,
    focus: usize,
    /// One a problem and policy, the policies of a problem side by side.
    lanes: Vec<Lane>,
    /// Problems that a policy failed on: nothing more is drawn there.
    failed: Vec<bool>,
    jobs: Vec<Job>,
    next_id: u64,
}

impl Schedule {
    /// Nothing drawn; `k` completions of each problem under each policy to draw.
    pub fn new(policies: usize, problems: usize, k: u32) -> Self {
        Self {
            policies,
            k,
            focus: 0,
            lanes: vec![Lane::default(); policies * problems],
            failed: vec![false; problems],
            jobs: Vec::new(),
            next_id: 0,
        }
    }

    /// Makes room for one more policy, of which nothing is drawn.
    pub fn grow(&mut self) {
        let before = std::mem::take(&mut self.lanes);
        for lanes in before.chunks(self.policies.max(1)) {
            self.lanes.extend_from_slice(lanes);
            self.lanes.push(Lane::default());
        }
        self.policies += 1;
    }

    /// Marks completions as drawn before the campaign began. Out of range is ignored.
    pub fn skip(&mut self, item: &Item) {
        if item.policy < self.policies && item.problem < self.failed.len() {
            self.lane(item.policy, item.problem).take(&item.indices);
        }
    }

    /// The next work, which is in flight from now on. `None` if all is drawn or in flight.
    pub fn next_job(&mut self) -> Option<Job> {
        let problem = self.by_distance().find(|&p| self.is_open(p))?;
        let lanes = &self.lanes[problem * self.policies..][..self.policies];
        let policy = (0..self.policies).min_by_key(|&p| (lanes[p].first(), p))?;
        let start = lanes[policy].first();
        let end = lanes[policy].free[0].end.min(chunk_end(start)).min(self.k);
        self.lane(policy, problem).take(&(start..end));
        let job = Job { id: self.next_id, item: Item { policy, problem, indices: start..end } };
        self.next_id += 1;
        self.jobs.push(job.clone());
        Some(job)
    }

    /// Ends a job: the indices in `finished` are drawn, its others are free again.
    /// Unknown ids are ignored.
    pub fn end_job(&mut self, id: u64, finished: &[u32]) {
        let Some(at) = self.jobs.iter().position(|j| j.id == id) else { return };
        let Item { policy, problem, indices } = self.jobs.swap_remove(at).item;
        let mut finished: Vec<u32> = finished.iter().copied().filter(|i| indices.contains(i)).collect();
        finished.sort_unstable();
        let mut start = indices.start;
        for end in finished.into_iter().chain([indices.end]) {
            if start < end {
                self.lane(policy, problem).give(start..end);
            }
            start = start.max(end.saturating_add(1));
        }
    }

    /// Puts a problem in focus (the last one if there is no such problem), and names the
    /// jobs that should be cancelled for it: the most distant ones, as many as the problem
    /// has chunks waiting.
    pub fn focus(&mut self, problem: usize) -> Vec<u64> {
        self.focus = problem.min(self.failed.len().saturating_sub(1));
        if self.failed.is_empty() || self.failed[self.focus] {
            return Vec::new();
        }
        let waiting = self.waiting_chunks(self.focus);
        let mut others: Vec<(usize, u64)> = self
            .jobs
            .iter()
            .map(|j| (j.item.problem.abs_diff(self.focus), j.id))
            .filter(|(distance, _)| *distance > 0)
            .collect();
        others.sort_unstable_by(|a, b| b.cmp(a));
        others.into_iter().take(waiting).map(|(_, id)| id).collect()
    }

    /// Sets the completions to draw of each problem under each policy, and names the jobs
    /// that are wholly beyond it. What is drawn beyond it stays drawn.
    pub fn set_k(&mut self, k: u32) -> Vec<u64> {
        self.k = k;
        self.jobs.iter().filter(|j| j.item.indices.start >= k).map(|j| j.id).collect()
    }

    /// Draws nothing more of a problem, because a policy failed on it.
    pub fn fail(&mut self, problem: usize) {
        self.failed[problem] = true;
    }

    /// Tries the failed problems again.
    pub fn forgive(&mut self) {
        self.failed.fill(false);
    }

    /// Whether nothing is left to hand out and nothing is in flight.
    pub fn is_done(&self) -> bool {
        self.jobs.is_empty() && !(0..self.failed.len()).any(|p| self.is_open(p))
    }

    /// The problem in focus.
    pub fn focused(&self) -> usize {
        self.focus
    }

    /// What is in flight.
    pub fn jobs(&self) -> &[Job] {
        &self.jobs
    }

    /// Problems by distance from the focus: it, the next, the one before, …
    fn by_distance(&self) -> impl Iterator<Item = usize> + use<> {
        let (focus, problems) = (self.focus, self.failed.len());
        (0..problems).flat_map(move |d| {
            let after = (focus + d < problems).then_some(focus + d);
            let before = focus.checked_sub(d).filter(|_| d > 0);
            after.into_iter().chain(before)
        })
    }

    /// Whether a problem has indices to hand out.
    fn is_open(&self, problem: usize) -> bool {
        let lanes = &self.lanes[problem * self.policies..][..self.policies];
        !self.failed[problem] && lanes.iter().any(|l| l.first() < self.k)
    }

    fn waiting_chunks(&self, problem: usize) -> usize {
        let lanes = &self.lanes[problem * self.policies..][..self.policies];
        // More than there are jobs to cancel is never needed.
        lanes.iter().flat_map(|l| l.chunks_below(self.k)).take(self.jobs.len()).count()
    }

    fn lane(&mut self, policy: usize, problem: usize) -> &mut Lane {
        &mut self.lanes[problem * self.policies + policy]
    }
}

/// Where the chunk that holds index `start` ends: at 32, 64, 128, 256, then every 256.
fn chunk_end(start: u32) -> u32 {
    match start {
        0..32 => 32,
        32..256 => (start + 1).next_power_of_two(),
        _ => (start / 256 + 1).saturating_mul(256),
    }
}

/// The free indices of one problem under one policy: sorted ranges that do not touch.
#[derive(Clone, Debug)]
struct Lane {
    free: Vec<Range<u32>>,
}

impl Default for Lane {
    fn default() -> Self {
        Self { free: vec![0..u32::MAX; 1] }
    }
}

impl Lane {
    /// The smallest free index.
    fn first(&self) -> u32 {
        self.free.first().map_or(u32::MAX, |r| r.start)
    }

    fn take(&mut self, taken: &Range<u32>) {
        if taken.is_empty() {
            return;
        }
        self.free = self
            .free
            .iter()
            .flat_map(|r| [r.start..r.end.min(taken.start), r.start.max(taken.end)..r.end])
            .filter(|r| !r.is_empty())
            .collect();
    }

    fn give(&mut self, given: Range<u32>) {
        let at = self.free.partition_point(|r| r.start < given.start);
        self.free.insert(at, given);
        self.free.dedup_by(|later, earlier| {
            let touch = later.start <= earlier.end;
            if touch {
                earlier.end = earlier.end.max(later.end);
            }
            touch
        });
    }

    /// The chunks that the free indices below `k` make, by their starts.
    fn chunks_below(&self, k: u32) -> impl Iterator<Item = u32> {
        self.free.iter().flat_map(move |range| {
            let end = range.end.min(k);
            std::iter::successors(Some(range.start), |&start| Some(chunk_end(start)))
                .take_while(move |&start| start < end)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    fn item(policy: usize, problem: usize, indices: Range<u32>) -> Item {
        Item { policy, problem, indices }
    }

    fn all(schedule: &mut Schedule) -> Vec<Item> {
        std::iter::from_fn(|| schedule.next_job()).map(|j| j.item).collect()
    }

    #[test]
    fn the_focus_comes_first_then_its_neighbours_with_policies_in_step() {
        let mut s = Schedule::new(2, 4, 100);
        assert!(s.focus(2).is_empty());
        let items = all(&mut s);
        let chunks = [0..32, 32..64, 64..100];
        let want = [2, 3, 1, 0].into_iter().flat_map(|problem| {
            chunks.clone().into_iter().flat_map(move |c| [item(0, problem, c.clone()), item(1, problem, c)])
        });
        assert_eq!(items, want.collect::<Vec<_>>());
    }

    #[test]
    fn chunks_grow_and_stay_aligned() {
        let mut s = Schedule::new(1, 1, 1000);
        s.skip(&item(0, 0, 0..5));
        let ends: Vec<u32> = all(&mut s).into_iter().map(|i| i.indices.end).collect();
        assert_eq!(ends, [32, 64, 128, 256, 512, 768, 1000]);
    }

    #[test]
    fn unfinished_indices_go_back_and_finished_ones_do_not() {
        let mut s = Schedule::new(1, 1, 32);
        let job = s.next_job().unwrap();
        assert!(s.next_job().is_none() && !s.is_done());
        s.end_job(job.id, &[4, 0, 1, 31, 99]);
        let again = all(&mut s);
        assert_eq!(again, [item(0, 0, 2..4), item(0, 0, 5..31)]);
        for job in s.jobs().to_vec() {
            s.end_job(job.id, &job.item.indices.clone().collect::<Vec<_>>());
        }
        assert!(s.is_done());
        assert!(s.set_k(40).is_empty());
        assert_eq!(all(&mut s), [item(0, 0, 32..40)]);
    }

    #[test]
    fn stepping_away_cancels_the_most_distant_work_and_only_as_much_as_needed() {
        let mut s = Schedule::new(2, 10, 32);
        let jobs: Vec<Job> = (0..6).filter_map(|_| s.next_job()).collect();
        let problems: Vec<usize> = jobs.iter().map(|j| j.item.problem).collect();
        assert_eq!(problems, [0, 0, 1, 1, 2, 2]);
        let mut cancelled = s.focus(9);
        cancelled.sort_unstable();
        assert_eq!(cancelled, [jobs[0].id, jobs[1].id]);
        assert!(s.focus(1).is_empty(), "all of it is in flight already");
    }

    #[test]
    fn a_failed_problem_rests_until_it_is_forgiven() {
        let mut s = Schedule::new(2, 2, 10);
        s.fail(0);
        assert!(all(&mut s).iter().all(|i| i.problem == 1));
        s.forgive();
        assert!(all(&mut s).iter().all(|i| i.problem == 0));
    }

    #[test]
    fn an_empty_campaign_is_done() {
        for mut s in [Schedule::new(0, 3, 5), Schedule::new(2, 0, 5), Schedule::new(2, 3, 0)] {
            assert!(s.is_done() && s.next_job().is_none() && s.focus(7).is_empty());
        }
    }

    #[derive(Clone, Debug)]
    enum Act {
        Next,
        Finish(usize),
        Cancel(usize, u32),
        Focus(usize),
        SetK(u32),
    }

    fn acts() -> impl Strategy<Value = Vec<Act>> {
        let act = prop_oneof![
            4 => Just(Act::Next),
            2 => any::<usize>().prop_map(Act::Finish),
            2 => (any::<usize>(), any::<u32>()).prop_map(|(a, m)| Act::Cancel(a, m)),
            1 => (0usize..5).prop_map(Act::Focus),
            1 => (0u32..300).prop_map(Act::SetK),
        ];
        proptest::collection::vec(act, 0..80)
    }

    proptest! {
        #[test]
        fn every_index_is_drawn_exactly_once(acts in acts(), policies in 1usize..4, problems in 1usize..5) {
            let mut s = Schedule::new(policies, problems, 150);
            let mut drawn = HashSet::new();
            let mut finish = |s: &mut Schedule, job: Job, keep: &dyn Fn(u32) -> bool| {
                let done: Vec<u32> = job.item.indices.clone().filter(|&i| keep(i)).collect();
                for &i in &done {
                    assert!(drawn.insert((job.item.policy, job.item.problem, i)), "drawn twice");
                }
                s.end_job(job.id, &done);
            };
            let mut k = 150;
            for act in acts {
                let pick = |s: &Schedule, at: usize| (!s.jobs().is_empty()).then(|| s.jobs()[at % s.jobs().len()].clone());
                match act {
                    Act::Next => if let Some(job) = s.next_job() {
                        prop_assert!(!job.item.indices.is_empty() && job.item.indices.end <= k);
                        let nearer = |s: &Schedule| (0..problems)
                            .filter(|p| p.abs_diff(s.focused()) < job.item.problem.abs_diff(s.focused()))
                            .any(|p| s.is_open(p));
                        prop_assert!(!nearer(&s), "a nearer problem was waiting");
                    },
                    Act::Finish(at) => if let Some(job) = pick(&s, at) { finish(&mut s, job, &|_| true); },
                    Act::Cancel(at, mask) => if let Some(job) = pick(&s, at) {
                        finish(&mut s, job, &|i| mask >> (i % 32) & 1 == 1);
                    },
                    Act::Focus(problem) => for id in s.focus(problem) {
                        let job = s.jobs().iter().find(|j| j.id == id).unwrap().clone();
                        finish(&mut s, job, &|_| false);
                    },
                    Act::SetK(to) => { s.set_k(to); k = to; }
                }
            }
            s.set_k(150);
            while !s.is_done() {
                let fresh = s.next_job();
                if let Some(job) = fresh.or_else(|| s.jobs().first().cloned()) {
                    finish(&mut s, job, &|_| true);
                }
            }
            let wanted = drawn.iter().filter(|(_, _, i)| *i < 150).count();
            prop_assert_eq!(wanted, policies * problems * 150);
        }

        #[test]
        fn policies_stay_within_one_chunk(steps in 0usize..40, problems in 1usize..3) {
            let mut s = Schedule::new(3, problems, 2000);
            let mut given = vec![[0u32; 3]; problems];
            for _ in 0..steps {
                let Some(job) = s.next_job() else { break };
                given[job.item.problem][job.item.policy] = job.item.indices.end;
                s.end_job(job.id, &job.item.indices.collect::<Vec<_>>());
                for g in &given {
                    let (low, high) = (g.iter().min().unwrap(), g.iter().max().unwrap());
                    prop_assert!(*high <= chunk_end(*low));
                }
            }
        }
    }
}
