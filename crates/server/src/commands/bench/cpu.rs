//! Processor time as the kernel counts it: the figure that neighbours on a shared machine hardly move.

use std::fs;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Clock ticks a second in `/proc/<pid>/stat`; 100 on every Linux platform we build for.
const TICKS_PER_SECOND: u64 = 100;

/// Processor time that the process `pid` has used, user and system together; none where `/proc` does not tell.
pub(crate) fn of_process(pid: u32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis((user + system) * 1000 / TICKS_PER_SECOND))
}

/// Processor time that the calling thread has used, to the nanosecond.
pub(crate) fn of_this_thread() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Memory that the process `pid` holds, in bytes (resident set); none where `/proc` does not tell.
pub(crate) fn resident_bytes(pid: u32) -> Option<u64> {
    status_bytes(pid, "VmRSS:")
}

/// The most memory that it has held; none where `/proc` does not tell.
pub(crate) fn peak_resident_bytes(pid: u32) -> Option<u64> {
    status_bytes(pid, "VmHWM:")
}

fn status_bytes(pid: u32, name: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_takes_time_of_its_own_thread() {
        let before = of_this_thread();
        let sum: u64 = (0..100_000_u64).map(std::hint::black_box).sum();
        assert!(of_this_thread() > before, "summing up to {sum} took no time");
    }

    #[test]
    fn this_process_can_be_measured_and_one_that_is_not_there_cannot() {
        let own = std::process::id();
        assert!(of_process(own).is_some());
        assert!(resident_bytes(own).is_some_and(|bytes| bytes > 1 << 20));
        assert!(peak_resident_bytes(own) >= resident_bytes(own));
        assert_eq!(of_process(u32::MAX), None);
        assert_eq!(resident_bytes(u32::MAX), None);
    }
}
