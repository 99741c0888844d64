//! How much memory this machine has free.

use std::fs;

/// Bytes that could be taken now without swapping, within the limit of the process's control
/// group; `None` where the system does not say.
pub fn available() -> Option<usize> {
    let free = fs::read_to_string("/proc/meminfo").ok().and_then(|text| meminfo(&text));
    let number = |path: &str| fs::read_to_string(path).ok()?.trim().parse::<usize>().ok();
    let limit = number("/sys/fs/cgroup/memory.max");
    let group = limit.map(|max| max.saturating_sub(number("/sys/fs/cgroup/memory.current").unwrap_or(0)));
    match (free, group) {
        (Some(free), Some(group)) => Some(free.min(group)),
        (free, group) => free.or(group),
    }
}

/// The available memory that `/proc/meminfo` tells.
fn meminfo(text: &str) -> Option<usize> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<usize>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_memory_is_read_where_the_system_tells_it() {
        assert_eq!(meminfo("MemTotal: 9 kB\nMemAvailable:   2048 kB\n"), Some(2 << 20));
        assert_eq!(meminfo("MemAvailable: many\n"), None);
        assert_eq!(meminfo("MemAvailable: 18446744073709551615 kB"), None);
    }
}
