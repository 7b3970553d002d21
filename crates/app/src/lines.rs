//! Whole lines on the standard error, gathered for a moment.
//!
//! Every request has its line, and a write for each costs a busy server more than making it does. So lines wait for a
//! hundredth of a second and go out together; one that somebody should see (a warning, an error) goes at once, with all
//! before it. What a killed process loses is that hundredth of a second.

use std::{
    fs::File,
    io::{self, Write},
    os::fd::AsFd,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// Bytes that a pipe takes in one piece; POSIX promises as many as elsewhere. Lines of several processes that share a pipe
/// do not get into each other when no write is longer.
const WHOLE: usize = if cfg!(target_os = "linux") { 4096 } else { 512 };
/// For how long lines wait for others.
const PAUSE: Duration = Duration::from_millis(10);
/// With so many bytes waiting, whoever adds a line writes them all: a log that is read slowly slows us down.
const MOST: usize = 256 * 1024;

/// Where logs go; each write is a line. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Lines(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Held while writing. Taken before what waits is, so that lines keep their order.
    out: Mutex<Out>,
    waiting: Mutex<Vec<u8>>,
    more: Condvar,
}

#[derive(Debug)]
struct Out {
    file: File,
    /// What was written last, emptied: its place is used again.
    spare: Vec<u8>,
}

impl Lines {
    pub(crate) fn on_standard_error() -> io::Result<Self> {
        Self::on(File::from(io::stderr().as_fd().try_clone_to_owned()?))
    }

    fn on(file: File) -> io::Result<Self> {
        let out = Mutex::new(Out { file, spare: Vec::new() });
        let lines = Self(Arc::new(Shared { out, waiting: Mutex::default(), more: Condvar::new() }));
        let shared = Arc::clone(&lines.0);
        thread::Builder::new().name("log".to_owned()).spawn(move || shared.write_now_and_then())?;
        Ok(lines)
    }

    /// Sees to it that nothing waits when the process ends.
    pub(crate) fn to_the_last(&self) -> ToTheLast {
        ToTheLast(self.clone())
    }
}

/// Writes what waits when it is dropped.
#[derive(Debug)]
pub(crate) struct ToTheLast(Lines);

impl Drop for ToTheLast {
    fn drop(&mut self) {
        self.0.0.flush();
    }
}

impl Shared {
    fn add(&self, line: &[u8], urgent: bool) {
        let mut waiting = held(&self.waiting);
        let first = waiting.is_empty();
        waiting.extend_from_slice(line);
        let full = waiting.len() >= MOST;
        drop(waiting);
        if urgent || full {
            self.flush();
        } else if first {
            self.more.notify_one();
        }
    }

    /// A log nobody can write to has no place to complain.
    fn flush(&self) {
        let mut out = held(&self.out);
        let spare = std::mem::take(&mut out.spare);
        let mut text = std::mem::replace(&mut *held(&self.waiting), spare);
        for piece in pieces(&text) {
            drop(out.file.write_all(piece));
        }
        text.clear();
        out.spare = text;
    }

    fn write_now_and_then(&self) {
        loop {
            let waiting = self.more.wait_while(held(&self.waiting), |text| text.is_empty());
            drop(waiting.unwrap_or_else(PoisonError::into_inner));
            thread::sleep(PAUSE);
            self.flush();
        }
    }
}

/// As many whole lines at a time as a pipe takes in one piece; a longer line by itself.
fn pieces(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = match rest.get(..WHOLE) {
            None => rest.len(),
            Some(most) => match most.iter().rposition(|byte| *byte == b'\n') {
                Some(last) => last + 1,
                None => rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |first| first + 1),
            },
        };
        let (piece, after) = rest.split_at(end);
        rest = after;
        Some(piece).filter(|piece| !piece.is_empty())
    })
}

/// Nothing that panics is done with what is locked here.
fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A writer of one line.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    lines: &'a Lines,
    urgent: bool,
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line { lines: self, urgent: true }
    }

    fn make_writer_for(&'a self, event: &Metadata<'_>) -> Line<'a> {
        Line { lines: self, urgent: *event.level() <= Level::WARN }
    }
}

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.lines.0.add(line, self.urgent);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.lines.0.flush();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, PipeReader, Read as _};

    use super::*;

    fn lines() -> (PipeReader, Lines) {
        let (from, to) = io::pipe().unwrap();
        (from, Lines::on(File::from(std::os::fd::OwnedFd::from(to))).unwrap())
    }

    fn write(lines: &Lines, line: &[u8], urgent: bool) {
        Line { lines, urgent }.write_all(line).unwrap();
    }

    #[test]
    fn lines_of_many_threads_stay_whole_and_each_thread_keeps_its_order() {
        let (mut from, lines) = lines();
        let writing = thread::spawn(move || {
            thread::scope(|scope| {
                for letter in b'a'..b'i' {
                    let lines = &lines;
                    scope.spawn(move || {
                        for n in 0..100 {
                            let length = [1, 80, WHOLE - 8, 3 * WHOLE, 20 * WHOLE][n % 5];
                            let mut line = format!("{n:03}").into_bytes();
                            line.extend(vec![letter; length]);
                            line.push(b'\n');
                            write(lines, &line, n % 7 == 0);
                        }
                    });
                }
            });
            drop(lines.to_the_last());
            lines
        });
        let mut read = vec![0; 8 * 20 * (1 + 80 + WHOLE - 8 + 23 * WHOLE + 5 * 4)];
        from.read_exact(&mut read).unwrap();
        drop(writing.join().unwrap());
        let text = String::from_utf8(read).unwrap();
        let mut next = [0; 8];
        for line in text.lines() {
            let (number, letters) = line.split_at(3);
            let letter = letters.as_bytes()[0];
            assert!(letters.bytes().all(|byte| byte == letter), "two lines got into each other");
            let next = &mut next[usize::from(letter - b'a')];
            assert_eq!(number.parse::<usize>().unwrap(), *next, "of one thread, in its order");
            *next += 1;
        }
        assert_eq!(next, [100; 8]);
    }

    #[test]
    fn what_waits_goes_out_by_itself_and_before_what_is_urgent() {
        let (from, lines) = lines();
        let mut read = BufReader::new(from).lines();
        write(&lines, b"alone\n", false);
        assert_eq!(read.next().unwrap().unwrap(), "alone");
        write(&lines, b"before\n", false);
        write(&lines, b"now\n", true);
        assert!(held(&lines.0.waiting).is_empty(), "an urgent line waits for nobody");
        assert_eq!([read.next().unwrap().unwrap(), read.next().unwrap().unwrap()], ["before", "now"]);
    }

    #[test]
    fn no_piece_is_longer_than_a_pipe_takes_but_a_line_that_is() {
        let mut text = Vec::new();
        for length in [10, WHOLE - 1, 1, WHOLE, 3 * WHOLE, 5] {
            text.extend(vec![b'x'; length]);
            text.push(b'\n');
        }
        let all: Vec<&[u8]> = pieces(&text).collect();
        assert_eq!(all.concat(), text);
        for piece in all {
            let lines = std::str::from_utf8(piece).unwrap().lines().count();
            assert!(piece.ends_with(b"\n") && (piece.len() <= WHOLE || lines == 1), "{} in {lines}", piece.len());
        }
    }
}
