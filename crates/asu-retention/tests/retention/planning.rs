//! Which images go, decided without any of them.

use std::time::Duration;

use asu_queue::{StoredState, UnixMillis};
use asu_retention::{Inventory, Item, Limits, Plan, Reason};
use asu_store::BinDir;

const HOUR: Duration = Duration::from_secs(3600);

const NO_LIMITS: Limits = Limits { max_size: None, lacking: 0, grace: HOUR };

fn item(number: u64, state: StoredState) -> Item {
    let bin_dir = BinDir::new(&format!("{number:064x}"), "0123456789ab").unwrap();
    Item { bin_dir, stored: Some(10), age: Some(2 * HOUR), is_listed: true, state }
}

/// A build that ended at this time.
fn kept(at: u64) -> Item {
    item(at, StoredState::Kept { finished_at: UnixMillis::new(at), size: None })
}

#[track_caller]
fn check(items: Vec<Item>, limits: Limits, expected: &[(u64, Reason)]) {
    let plan = Plan::of(&Inventory { items, strange: Vec::new() }, &limits);
    let number = |bin_dir: &BinDir| u64::from_str_radix(&bin_dir.request_hash()[48..], 16).unwrap();
    let chosen: Vec<_> = plan.removals.iter().map(|removal| (number(&removal.bin_dir), removal.reason)).collect();
    assert_eq!(chosen, expected);
}

#[test]
fn what_a_record_has_stays_and_what_it_had_goes() {
    let orphan = |number, age| Item { is_listed: false, age, ..item(number, StoredState::Unwanted) };
    let items = vec![
        kept(1),
        item(2, StoredState::Unwanted),
        item(3, StoredState::Reporting),
        Item { age: Some(Duration::ZERO), ..item(4, StoredState::Unwanted) },
        orphan(5, Some(2 * HOUR)),
        orphan(6, Some(HOUR / 2)),
        orphan(7, None),
        Item { stored: None, ..kept(8) },
    ];
    let expected = [(2, Reason::Expired), (4, Reason::Expired), (5, Reason::Orphan), (8, Reason::Vanished)];
    check(items, NO_LIMITS, &expected);
}

#[test]
fn the_oldest_go_until_the_rest_fits() {
    let items = || vec![kept(3), kept(1), kept(4), kept(2)];
    let quota = |most| Limits { max_size: Some(most), ..NO_LIMITS };
    check(items(), quota(40), &[]);
    check(items(), quota(39), &[(1, Reason::Quota)]);
    check(items(), quota(20), &[(1, Reason::Quota), (2, Reason::Quota)]);
    check(items(), quota(1), &[(1, Reason::Quota), (2, Reason::Quota), (3, Reason::Quota)]);
    let lacking = |lacking| Limits { lacking, ..NO_LIMITS };
    check(items(), lacking(1), &[(1, Reason::Space)]);
    check(items(), lacking(11), &[(1, Reason::Space), (2, Reason::Space)]);
    let both = Limits { max_size: Some(30), lacking: 20, ..NO_LIMITS };
    check(items(), both, &[(1, Reason::Quota), (2, Reason::Space)]);
}

#[test]
fn rubbish_counts_and_goes_before_any_build() {
    let items = vec![kept(1), kept(2), item(9, StoredState::Unwanted)];
    check(items, Limits { max_size: Some(20), ..NO_LIMITS }, &[(9, Reason::Expired)]);
    let running = vec![kept(1), kept(2), item(9, StoredState::Reporting)];
    check(running, Limits { max_size: Some(20), ..NO_LIMITS }, &[(1, Reason::Quota)]);
}
