//! Parts of the engine whose code the page fetches when it is first needed.
//!
//! Rule: what a first look at a running Job does not need (the terminal's commands, the shells of containers, the tz
//! database's rules) can only be reached through one function of that part, marked `#[wasm_split]`, which hands out a table
//! of functions. The page's build cuts its wasm there (`xtask/src/split.rs`). Who awaits the function fetches the part;
//! natively nothing is cut and everything is there. Whether a part has come decides nothing but when a host may go on: a
//! run is the same either way.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// The part's file did not come: no connection, or the server has it no more.
pub use wasm_split_helpers::SplitLoaderError as NotFetched;

/// Whether a part has been fetched. To ask begins to fetch it.
pub fn is_here<T: 'static>(part: impl Future<Output = Result<&'static T, NotFetched>>) -> bool {
    matches!(pin!(part).poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(Ok(_)))
}

/// The functions of a part that is known to be there.
///
/// # Panics
/// If the host let the engine go on without the part.
pub fn fetched<T>(part: impl Future<Output = Result<&'static T, NotFetched>>) -> &'static T {
    match pin!(part).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(functions)) => functions,
        Poll::Ready(Err(_)) | Poll::Pending => panic!("a part of the engine is needed that has not been fetched"),
    }
}
