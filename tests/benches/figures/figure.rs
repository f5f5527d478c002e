//! One line of the output, and what its samples are.

use std::time::Duration;

/// How often each load is applied.
pub(crate) const ROUNDS: usize = 5;
/// How many builds and starts are timed.
pub(crate) const SAMPLES: usize = 20;

/// The head of the output.
pub(crate) fn head() {
    println!(
        "{:<52} {:>10}   {:>10} .. {:<10} unit",
        "figure (median of rounds or samples)", "median", "least", "most"
    );
}

/// Prints one line.
pub(crate) fn figure(name: &str, unit: &str, mut samples: Vec<f64>) {
    samples.sort_by(f64::total_cmp);
    let (least, median, most) = (samples[0], samples[samples.len() / 2], samples[samples.len() - 1]);
    println!("{name:<52} {median:>10.1}   {least:>10.1} .. {most:<10.1} {unit}");
}

/// Milliseconds with what is less than one.
pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
