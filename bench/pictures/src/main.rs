//! Makes both renditions of one photograph again and again, on as many threads as are named, and says what that cost.
//!
//! `pictures FILE SECONDS THREADS [jpeg|all]`: with `jpeg` what sharp makes beside it, with `all` what an upload makes,
//! which is both as WebP too, a blur and a colour.

use std::{
    env, fs,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use media::image::{Recipe, inspect, jpegs, render};

/// A line of `/proc/self/..`, as a number.
fn proc(file: &str, pick: impl Fn(&str) -> Option<u64>) -> u64 {
    fs::read_to_string(format!("/proc/self/{file}")).ok().and_then(|text| pick(&text)).unwrap_or_default()
}

/// Milliseconds of processor time so far; Linux counts in hundredths of a second.
fn cpu() -> u64 {
    proc("stat", |text| {
        let fields: Vec<&str> = text.rsplit(')').next()?.split_whitespace().collect();
        Some((fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?) * 10)
    })
}

/// The most memory so far, in KiB.
fn peak() -> u64 {
    proc("status", |text| text.lines().find(|line| line.starts_with("VmHWM"))?.split_whitespace().nth(1)?.parse().ok())
}

fn main() {
    let arguments: Vec<String> = env::args().collect();
    let file = fs::read(&arguments[1]).expect("a photograph");
    let length = Duration::from_secs(arguments[2].parse().expect("seconds"));
    let threads: usize = arguments[3].parse().expect("threads");
    let all = arguments.get(4).is_some_and(|what| what == "all");
    let recipe = Recipe::default();
    let work = || {
        let clean = inspect(&file, 50).expect("a picture");
        if all { render(&clean, &recipe).map(drop) } else { jpegs(&clean, &recipe).map(drop) }.expect("renditions");
    };
    work();
    let (made, begin, spent) = (AtomicU64::new(0), Instant::now(), cpu());
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while begin.elapsed() < length {
                    work();
                    made.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    let (made, seconds) = (made.into_inner(), begin.elapsed().as_secs_f64());
    println!(
        "{{\"perSecond\":{:.2},\"cpuMs\":{:.1},\"peakMiB\":{:.0}}}",
        made as f64 / seconds,
        (cpu() - spent) as f64 / made as f64,
        peak() as f64 / 1024.0
    );
}
