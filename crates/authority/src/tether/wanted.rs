//! Certificates that somebody waits to be written down: who has the lock first does it for all who wait, so that many who
//! ask when many objects have changed wait for a few transactions and not each for those of all others.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use lanyard_pki::SerialNumber;

/// How many are written down at once.
const AT_ONCE: usize = 128;

/// Those that wait, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Wanted(Mutex<VecDeque<SerialNumber>>);

impl Wanted {
    /// Asks for a certificate.
    pub(super) fn ask(&self, serial: &SerialNumber) {
        let mut wanted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !wanted.contains(serial) {
            wanted.push_back(serial.clone());
        }
    }

    /// The next that are to be written down, while this one is among those that wait; none once somebody has taken it.
    pub(super) fn next(&self, serial: &SerialNumber) -> Option<Vec<SerialNumber>> {
        let mut wanted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let many = wanted.len().min(AT_ONCE);
        wanted.contains(serial).then(|| wanted.drain(..many).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serial(number: u16) -> SerialNumber {
        SerialNumber::from_bytes(&(0x4000 | number).to_be_bytes()).unwrap()
    }

    #[test]
    fn who_comes_first_takes_all_and_the_others_find_it_done() {
        let wanted = Wanted::default();
        for number in [1, 2, 1, 3] {
            wanted.ask(&serial(number));
        }
        assert_eq!(wanted.next(&serial(2)), Some([1, 2, 3].map(serial).to_vec()));
        assert_eq!(wanted.next(&serial(2)), None);
        assert_eq!(wanted.next(&serial(3)), None);
        wanted.ask(&serial(3));
        assert_eq!(wanted.next(&serial(3)), Some(vec![serial(3)]), "it was asked for anew");
    }

    #[test]
    fn those_before_come_first_and_nobody_is_left_out() {
        let wanted = Wanted::default();
        let every: Vec<_> = (0..300).map(serial).collect();
        for one in &every {
            wanted.ask(one);
        }
        let mut taken = Vec::new();
        while let Some(some) = wanted.next(&serial(299)) {
            assert!(some.len() <= AT_ONCE);
            taken.extend(some);
        }
        assert_eq!(taken, every);
    }
}
