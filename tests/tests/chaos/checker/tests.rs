//! The checker on histories that were made up: a good one, and each way in which one can be bad.

use std::collections::BTreeMap;

use super::check;
use crate::history::{
    Answered, Attempt, Directory, Exchange, Heard, History, Hold, Hurts, Question, Record, Sighting, Trouble, Visit,
};

const MOST: usize = 2;

fn hash(name: char) -> String {
    name.to_string().repeat(64)
}

fn heard(status: u16, name: char) -> Heard {
    let bin_dir = (status == 200).then(|| format!("{}-{}", hash(name), "1".repeat(12)));
    Heard { status, hash: Some(hash(name)), bin_dir, ..Heard::default() }
}

fn exchange(at: u64, heard: Heard) -> Exchange {
    let answer = Answered::Json(heard);
    Exchange { client: 0, wanted: 0, question: Question::Post, begun: at, ended: at + 5, answer }
}

fn sighting(at: u64, pending: &[char], running: &[(char, &str)]) -> Sighting {
    let hold = |(name, token): &(char, &str)| {
        (hash(*name), Hold { token: (*token).to_owned(), worker: format!("of {token}"), lease_end: at + 1000 })
    };
    Sighting {
        at,
        run_id: "1".to_owned(),
        now: at,
        pending: pending.iter().map(|name| hash(*name)).collect(),
        running: running.iter().map(hold).collect(),
        ..Sighting::default()
    }
}

fn attempt(token: &str, begun: u64, ended: Option<(u64, &str)>) -> Attempt {
    let ended = ended.map(|(at, result)| (at, result.to_owned()));
    Attempt { worker: format!("of {token}"), hash: hash('a'), begun, ended }
}

/// One build that waits behind another, is taken, ends, and is all there.
fn good() -> History {
    let files = BTreeMap::from([("image".to_owned(), 7)]);
    let name = format!("{}-{}", hash('a'), "1".repeat(12));
    let mut history = History {
        exchanges: vec![
            exchange(100, Heard { position: Some(1), ..heard(202, 'a') }),
            exchange(200, Heard { position: Some(0), ..heard(202, 'a') }),
            exchange(900, heard(200, 'a')),
        ],
        visits: vec![Visit {
            wanted: 0,
            hash: Some(hash('a')),
            accepted: Some(105),
            ended: Some((905, 200)),
            expected: 200,
            damaged: Vec::new(),
            downloads: 1,
        }],
        sightings: vec![
            sighting(100, &['b', 'a'], &[]),
            sighting(200, &['a'], &[('b', "9")]),
            sighting(300, &[], &[('a', "1")]),
            sighting(880, &[], &[]),
        ],
        attempts: vec![attempt("1", 290, Some((870, "done")))],
        directories: vec![Directory { name: name.clone(), seen: 860, at_first: files.clone(), at_last: Some(files) }],
        ..History::default()
    };
    history.rest.came = true;
    history.rest.records = vec![Record {
        hash: hash('a'),
        state: "done".to_owned(),
        token: "1".repeat(32),
        status: 200,
        bin_dir: Some(name),
        images: 1,
        damaged: Vec::new(),
    }];
    history.rest.keys = BTreeMap::from([("{asu}:seq".to_owned(), false), ("{asu}:b:a".to_owned(), true)]);
    history
}

fn trouble(hurts: Hurts) -> Trouble {
    Trouble { kind: "test", hurts, begun: 0, healed: 500, recovered: Some(2000) }
}

fn violations(history: &History) -> Vec<String> {
    check(history, MOST).into_iter().flat_map(|(_, found)| found).collect()
}

#[test]
fn a_good_history_is_good() {
    assert_eq!(violations(&good()), [""; 0]);
}

/// Each one alone makes the checker fail, with the sentence that names it.
#[test]
fn every_way_to_be_bad_is_found() {
    type Spoil = fn(&mut History);
    let cases: Vec<(&str, Spoil)> = vec![
        ("no JSON", |h| h.exchanges[1].answer = Answered::NotJson { status: 502, start: "<html>".to_owned() }),
        ("a broken connection", |h| h.exchanges[1].answer = Answered::Broken("reset".to_owned())),
        ("none was away", |h| h.exchanges.push(exchange(1, Heard { by_nginx: true, ..heard(502, 'a') }))),
        ("and not when", |h| h.exchanges.push(exchange(1, heard(503, 'a')))),
        ("and nothing was", |h| h.exchanges.push(exchange(1, Heard { retry_after: true, ..heard(503, 'a') }))),
        ("told about load", |h| {
            let mut polled = exchange(1, Heard { retry_after: true, ..heard(529, 'a') });
            polled.question = Question::Poll;
            h.exchanges.push(polled);
        }),
        ("that no client should get", |h| h.exchanges.push(exchange(1, heard(400, 'a')))),
        ("accepted, and no outcome", |h| h.visits[0].ended = None),
        ("never accepted", |h| (h.visits[0].ended, h.visits[0].accepted) = (None, None)),
        ("another outcome", |h| h.visits[0].expected = 500),
        ("not known any more", |h| h.exchanges.push(exchange(950, Heard { hash: None, ..heard(404, 'a') }))),
        ("taken back", |h| h.exchanges.push(exchange(950, heard(202, 'a')))),
        ("two outcomes", |h| {
            let other = Some(format!("{}-{}", hash('a'), "2".repeat(12)));
            h.exchanges.push(exchange(950, Heard { bin_dir: other, ..heard(200, 'a') }));
        }),
        ("was ended by workers", |h| h.attempts.push(attempt("2", 900, Some((990, "done"))))),
        ("no record of", |h| h.rest.records.clear()),
        ("is not for", |h| h.rest.records[0].status = 500),
        ("not fenced", |h| h.rest.records[0].token = "2".repeat(32)),
        ("before its lease was over", |h| {
            h.sightings[3] = sighting(880, &[], &[('a', "2")]);
        }),
        ("two at work", |h| h.attempts.push(attempt("2", 500, None))),
        ("overtook", |h| h.sightings[1].pending = vec![hash('c'), hash('a')]),
        ("overtook", |h| h.sightings[1].pending = vec![hash('a'), hash('b')]),
        ("became 1", |h| h.exchanges.insert(2, exchange(250, Heard { position: Some(1), ..heard(202, 'a') }))),
        ("were let in", |h| h.sightings[1].pending = vec![hash('b'), hash('a'), hash('c')]),
        ("before it was whole", |h| {
            h.directories[0].at_first.clear();
        }),
        ("a client got", |h| h.visits[0].damaged.push("half of an image".to_owned())),
        ("the store has", |h| h.rest.records[0].damaged.push("half of an image".to_owned())),
        ("done without images", |h| h.rest.records[0].images = 0),
        ("that no record names", |h| {
            let name = format!("{}-{}", hash('a'), "2".repeat(12));
            let orphan = Directory { name, ..h.directories[0].clone() };
            h.directories.push(orphan);
        }),
        ("still wait or run", |h| h.rest.came = false),
        ("without a human", |h| h.troubles.push(Trouble { recovered: None, ..trouble(Hurts::default()) })),
        ("a container is left", |h| h.rest.containers.push("asu-1".to_owned())),
        ("left in the store", |h| h.rest.half_made.push("a.tmp-1".to_owned())),
        ("a key is left", |h| h.rest.keys.extend([("{asu}:running".to_owned(), false)])),
        ("a key is left", |h| h.rest.keys.extend([("{asu}:b:x".to_owned(), false)])),
        ("without an end", |h| h.rest.records[0].state = "started".to_owned()),
    ];
    for (named, spoil) in cases {
        let mut history = good();
        spoil(&mut history);
        let found = violations(&history);
        assert!(found.iter().any(|violation| violation.contains(named)), "{named}: {found:#?}");
    }
}

/// What is no fault of the server while something is done to it.
#[test]
fn what_a_trouble_excuses_is_excused_while_it_lasts() {
    let away = |hurts| {
        let mut history = good();
        history.troubles.push(trouble(hurts));
        history
    };
    let mut history = away(Hurts { api: true, ..Hurts::default() });
    history.exchanges.push(exchange(400, Heard { by_nginx: true, ..heard(502, 'a') }));
    assert_eq!(violations(&history), [""; 0]);
    history.exchanges.push(exchange(2001, Heard { by_nginx: true, ..heard(502, 'a') }));
    assert_eq!(violations(&history).len(), 1);

    let mut history = away(Hurts { memory: true, ..Hurts::default() });
    history.exchanges.insert(2, exchange(300, Heard { hash: None, ..heard(404, 'a') }));
    assert_eq!(violations(&history), [""; 0]);

    let mut history = away(Hurts { evicts: true, ..Hurts::default() });
    history.rest.records.clear();
    history.directories[0].at_last = None;
    assert_eq!(violations(&history), [""; 0]);

    let mut history = good();
    history.sightings[3] = sighting(880, &[], &[('a', "2")]);
    history.attempts = vec![attempt("1", 290, Some((850, "given_back"))), attempt("2", 870, Some((990, "done")))];
    history.rest.records[0].token = "1".repeat(32);
    assert_eq!(violations(&history), [""; 0], "a build that was given back is somebody else's to take");
}
