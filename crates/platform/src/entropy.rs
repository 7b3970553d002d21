//! The system's randomness.

use std::cell::RefCell;

use domain::clock::Entropy;

/// Bytes fetched at a time. Ids take ten or sixteen, and asking the system for each cost as much as all else about them.
const FETCHED: usize = 512;

/// Random bytes of the operating system. Each is given out once.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

thread_local! {
    static STORE: RefCell<Store> = const { RefCell::new(Store { bytes: [0; FETCHED], left: 0 }) };
}

/// What a thread has fetched: the first `left` bytes were not given out yet.
struct Store {
    bytes: [u8; FETCHED],
    left: usize,
}

impl Entropy for SystemEntropy {
    /// # Panics
    /// When the operating system has no randomness: every id and key made after that could be guessed, so nothing
    /// may go on.
    fn fill(&self, bytes: &mut [u8]) {
        STORE.with_borrow_mut(|store| match store.take(bytes.len()) {
            Some(stored) => {
                bytes.copy_from_slice(stored);
                // What was given out is not kept: a key is nobody else's.
                stored.fill(0);
            }
            None => fetch(bytes),
        });
    }
}

impl Store {
    /// So many bytes; `None` for more than are fetched at a time.
    fn take(&mut self, number: usize) -> Option<&mut [u8]> {
        if number > self.left && number <= FETCHED {
            fetch(&mut self.bytes);
            self.left = FETCHED;
        }
        let rest = self.left.checked_sub(number)?;
        let taken = self.bytes.get_mut(rest..self.left)?;
        self.left = rest;
        Some(taken)
    }
}

#[expect(clippy::panic, reason = "going on without randomness would be worse than ending")]
fn fetch(bytes: &mut [u8]) {
    if let Err(error) = getrandom::fill(bytes) {
        panic!("the operating system gives no random bytes: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_differ_from_call_to_call() {
        let (mut one, mut two) = ([0; 16], [0; 16]);
        SystemEntropy.fill(&mut one);
        SystemEntropy.fill(&mut two);
        assert_ne!(one, two);
    }

    #[test]
    fn no_byte_is_given_twice_and_none_is_left_behind() {
        let mut seen = std::collections::HashSet::new();
        for _ in 0..200 {
            let mut bytes = [0; 24];
            SystemEntropy.fill(&mut bytes);
            assert!(bytes != [0; 24] && seen.insert(bytes.to_vec()));
            STORE.with_borrow(|store| {
                assert!(store.bytes[store.left..].iter().all(|byte| *byte == 0));
                assert!(store.bytes[..store.left].chunks_exact(24).all(|chunk| !seen.contains(chunk)));
            });
        }
        let mut large = [0; 3 * FETCHED];
        SystemEntropy.fill(&mut large);
        assert!(large.chunks_exact(24).all(|chunk| chunk != [0; 24]));
        SystemEntropy.fill(&mut []);
    }
}
