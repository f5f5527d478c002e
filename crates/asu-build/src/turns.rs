//! Whose turn it is to ask the queue.
//!
//! Of thousands that ask at the same time each has to wait. If all of them waited for Redis, the time limit of its answers
//! would run while they do, and they would hear that Redis is away. Here they wait without one, in their order.

use std::sync::Arc;

use tokio::sync::{Semaphore, SemaphorePermit};

/// Those who post new requests have a part of their own, so that they never hold up who polls.
const PART_OF_POSTS: usize = 4;

/// Turns at the queue.
#[derive(Debug, Clone)]
pub(crate) struct Turns {
    polls: Arc<Semaphore>,
    posts: Arc<Semaphore>,
}

impl Turns {
    /// So many who poll at the same time, and a part of that who post.
    pub(crate) fn new(most: u32) -> Self {
        let most = usize::try_from(most).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        let semaphore = |permits: usize| Arc::new(Semaphore::new(permits.max(1)));
        Self { polls: semaphore(most), posts: semaphore(most / PART_OF_POSTS) }
    }

    /// Waits for the turn of one who polls.
    pub(crate) async fn of_poll(&self) -> SemaphorePermit<'_> {
        self.polls.acquire().await.expect("the semaphore is never closed")
    }

    /// Waits for the turn of one who posts.
    pub(crate) async fn of_post(&self) -> SemaphorePermit<'_> {
        self.posts.acquire().await.expect("the semaphore is never closed")
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn who_posts_never_holds_up_who_polls() {
        let turns = Turns::new(8);
        let posts = [turns.of_post().now_or_never(), turns.of_post().now_or_never()];
        assert!(posts.iter().all(Option::is_some) && turns.of_post().now_or_never().is_none());
        let polls: Vec<_> = (0..8).map(|_| turns.of_poll().now_or_never()).collect();
        assert!(polls.iter().all(Option::is_some) && turns.of_poll().now_or_never().is_none());
        drop((posts, polls));
        assert!(turns.of_post().now_or_never().is_some() && turns.of_poll().now_or_never().is_some());
    }
}
