//! One run: the crowd comes, things break one after the other, everything comes to rest.

use std::time::{Duration, Instant};

use rand::{RngExt, rngs::StdRng};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::{
    client::{Crowd, live},
    collect::{attempts, rest},
    faults::Fault,
    history::{History, Moment, Trouble},
    observer::Observer,
    plan::Plan,
    scene::Scene,
};

/// The longest that anything may need to be well again without a human.
const RECOVERY: Duration = Duration::from_secs(60);

pub(crate) async fn run(plan: &Plan) -> History {
    let mut scene = Scene::start().await;
    let started = Instant::now();
    let observer = Observer::start(scene.redis.port(), scene.store(), started);
    let crowd = Crowd {
        url: scene.nginx.url(),
        plan: plan.clone(),
        started,
        closing: CancellationToken::new(),
        newest: Default::default(),
        exchanges: Default::default(),
        visits: Default::default(),
    };
    all_are_ready(&scene, Instant::now() + RECOVERY).await;
    let clients: Vec<_> = (0..plan.clients).map(|number| tokio::spawn(live(crowd.clone(), number))).collect();
    let troubles = break_things(plan, &mut scene, &observer).await;
    crowd.closing.cancel();
    for client in clients {
        client.await.expect("a client lives to its end");
    }
    let rest = rest(&scene, &crowd).await;
    let (sightings, directories) = observer.finish().await;
    let (exchanges, visits) = (crowd.exchanges.lock().unwrap().clone(), crowd.visits.lock().unwrap().clone());
    History { exchanges, visits, sightings, attempts: attempts(&scene, started), troubles, directories, rest }
}

async fn break_things(plan: &Plan, scene: &mut Scene, observer: &Observer) -> Vec<Trouble> {
    let mut random = plan.random(1);
    let (mut troubles, mut coming) = (Vec::new(), Vec::new());
    let http = reqwest::Client::new();
    while observer.now() < u64::try_from(plan.length.as_millis()).unwrap_or(u64::MAX) {
        pause(&mut random).await;
        if coming.is_empty() {
            coming = Fault::shuffled(scene, plan, &mut random);
        }
        let fault: Fault = coming.pop().expect("there are faults that are possible everywhere");
        let begun = observer.now();
        fault.strike(scene, &mut random).await;
        let healed = observer.now();
        let recovered = recovered(scene, observer, &http, healed).await;
        troubles.push(Trouble { kind: fault.name(), hurts: fault.hurts(), begun, healed, recovered });
    }
    troubles
}

async fn pause(random: &mut StdRng) {
    sleep(Duration::from_millis(random.random_range(200..900))).await;
}

/// When every process said that it is ready and images were published after the trouble.
async fn recovered(scene: &Scene, observer: &Observer, http: &reqwest::Client, healed: Moment) -> Option<Moment> {
    let deadline = Instant::now() + RECOVERY;
    while Instant::now() < deadline {
        if observer.published_since(healed) && are_ready(scene, http).await {
            return Some(observer.now());
        }
        sleep(Duration::from_millis(50)).await;
    }
    None
}

async fn are_ready(scene: &Scene, http: &reqwest::Client) -> bool {
    for actor in scene.actors() {
        match http.get(format!("{}/ready", actor.url())).send().await {
            Ok(answer) if answer.status() == 200 => {}
            Ok(_) | Err(_) => return false,
        }
    }
    true
}

async fn all_are_ready(scene: &Scene, deadline: Instant) {
    let http = reqwest::Client::new();
    while !are_ready(scene, &http).await {
        assert!(Instant::now() < deadline, "the server does not become ready");
        sleep(Duration::from_millis(50)).await;
    }
}
