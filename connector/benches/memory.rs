//! How many bytes the core holds for each linked deal once it has started: `alloc` less `dealloc`, over the number of deals. The text that
//! it starts from is not counted: the driver drops it.
//!
//! `COSELL_DEALS=100000 cargo bench -p cosell-connector --bench memory` runs the full size.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark stops at the first thing that is not as it should be"
)]

#[expect(dead_code, reason = "the other benchmark changes deals as well")]
mod outside;

use divan::AllocProfiler;
use outside::{memory, sizes, start_with};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// A connector at rest with so many deals.
#[divan::bench(args = sizes(), sample_count = 1, sample_size = 1)]
fn at_rest(bencher: divan::Bencher<'_, '_>, deals: usize) {
    bencher
        .with_inputs(|| memory(deals))
        .bench_local_refs(|memory| start_with(memory).0);
}
