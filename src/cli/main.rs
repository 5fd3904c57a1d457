//! The headless program `batchyard`; it takes its place here.

fn main() {}
