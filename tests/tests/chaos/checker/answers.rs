//! No client hears anything that it cannot read, and trouble only of what is in trouble.

use super::Violations;
use crate::history::{Answered, Exchange, Heard, History, Question};

pub(super) fn check(history: &History) -> Violations {
    history
        .exchanges
        .iter()
        .filter_map(|exchange| Some(format!("{}: {exchange:?}", judge(history, exchange)?)))
        .collect()
}

fn judge(history: &History, exchange: &Exchange) -> Option<String> {
    match &exchange.answer {
        Answered::NotJson { status, start } => Some(format!("an answer that is no JSON, {status} {start:?}")),
        Answered::Broken(error) => Some(format!("a broken connection, {error}")),
        Answered::Json(heard) => judge_heard(history, exchange, heard).map(str::to_owned),
    }
}

fn judge_heard(history: &History, exchange: &Exchange, heard: &Heard) -> Option<&'static str> {
    let excused = |hurts: fn(&crate::history::Hurts) -> bool| history.excused(exchange.begun, exchange.ended, hurts);
    match heard.status {
        // Whether they are right is for others to say.
        200 | 202 | 404 => None,
        500 if heard.hash.is_some() => None,
        502 | 504 if !heard.by_nginx => Some("a service that speaks like nginx"),
        502 | 504 => (!excused(|hurts| hurts.api)).then_some("a process does not answer, and none was away"),
        503 | 529 | 429 if !heard.retry_after => Some("told to come again, and not when"),
        503 if history.was_blind(exchange.begun, exchange.ended) => None,
        503 => (!excused(|hurts| hurts.dependency)).then_some("something is said to be away, and nothing was"),
        429 | 529 if exchange.question == Question::Poll => Some("who polls is told about load"),
        429 | 529 => None,
        _ => Some("an answer that no client should get"),
    }
}
