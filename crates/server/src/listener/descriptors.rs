//! File descriptors: connections may take what the system grants, less what everything else needs.
//!
//! Without this, whoever opens a thousand connections and says nothing would leave none for the store and the commands.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors for the store, files, sockets of ours, and libraries.
const OTHERS: u64 = 256;

/// How many of the `wanted` connections there is room for. Asks the system for all that it grants first.
pub(super) fn room_for(wanted: usize) -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    let granted = if raised.is_ok() { maximum } else { current };
    let room = within(wanted, granted);
    if room < wanted {
        tracing::warn!(
            wanted,
            room,
            "The system grants fewer file descriptors than listen.connections would take"
        );
    }
    room
}

/// As many of `wanted` as `granted` descriptors leave room for; all where there is no limit. At least one.
fn within(wanted: usize, granted: Option<u64>) -> usize {
    let left = granted.map_or(u64::MAX, |granted| granted.saturating_sub(OTHERS).max(1));
    wanted.min(usize::try_from(left).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_descriptors_for_everything_else() {
        assert_eq!(within(10_000, Some(1024)), 768);
        assert_eq!(within(500, Some(1024)), 500);
        assert_eq!(within(500, Some(100)), 1);
        assert_eq!(within(500, None), 500);
    }

    #[test]
    fn what_the_system_grants_is_taken() {
        let room = room_for(usize::MAX);
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        assert_eq!(current, maximum);
        assert_eq!(room, within(usize::MAX, maximum));
    }
}
