//! Whole lines on the standard error.
//!
//! The standard library holds a lock while it writes, and so makes the workers wait for each other at every request. A
//! short line is whole by itself, since the system takes it in one piece; only a long one needs the others to wait.

use std::{
    fs::File,
    io::{self, Write},
    os::fd::AsFd,
    sync::{PoisonError, RwLock},
};

use tracing_subscriber::fmt::MakeWriter;

/// Bytes that a pipe takes in one piece; POSIX promises as many as elsewhere.
const WHOLE: usize = if cfg!(target_os = "linux") { 4096 } else { 512 };

/// Where logs go; each write is a line.
#[derive(Debug)]
pub(crate) struct Lines {
    out: File,
    /// Held alone for a long line, together for short ones.
    turn: RwLock<()>,
}

impl Lines {
    pub(crate) fn on_standard_error() -> io::Result<Self> {
        let out = File::from(io::stderr().as_fd().try_clone_to_owned()?);
        Ok(Self { out, turn: RwLock::default() })
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

impl Write for &Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.write_all(line).map(|()| line.len())
    }

    fn write_all(&mut self, line: &[u8]) -> io::Result<()> {
        if line.len() <= WHOLE {
            let _with_others = self.turn.read().unwrap_or_else(PoisonError::into_inner);
            (&self.out).write_all(line)
        } else {
            let _alone = self.turn.write().unwrap_or_else(PoisonError::into_inner);
            (&self.out).write_all(line)
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Read, thread};

    use super::*;

    #[test]
    fn lines_of_many_threads_stay_whole() {
        let (mut from, to) = io::pipe().unwrap();
        let lines = Lines { out: File::from(std::os::fd::OwnedFd::from(to)), turn: RwLock::default() };
        let writing = thread::spawn(move || {
            thread::scope(|scope| {
                for letter in b'a'..b'i' {
                    let lines = &lines;
                    scope.spawn(move || {
                        for length in [1, 80, WHOLE - 1, 3 * WHOLE, 20 * WHOLE].into_iter().cycle().take(100) {
                            let mut line = vec![letter; length];
                            line.push(b'\n');
                            let mut writer = lines.make_writer();
                            writer.write_all(&line).unwrap();
                        }
                    });
                }
            });
        });
        let mut read = String::new();
        from.read_to_string(&mut read).unwrap();
        writing.join().unwrap();
        assert_eq!(read.lines().count(), 800);
        for line in read.lines() {
            assert!(line.bytes().all(|byte| Some(byte) == line.bytes().next()), "two lines got into each other");
        }
    }
}
