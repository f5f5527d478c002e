//! The pages for people, in a real browser.

use std::{
    process::Command,
    time::{Duration, Instant, SystemTime},
};

use asu_tests::{Deployment, request};
use serde_json::{Value, json};

use crate::browser::Browser;

const DESKTOP: (i64, i64) = (1280, 900);
const PHONE: (i64, i64) = (390, 844);
const HOSTILE: &str = "<script>window.hacked = 1</script><img src=x onerror=\"window.hacked = 2\">";

fn redis(deployment: &Deployment, arguments: &[&str]) {
    let port = deployment.redis.port().to_string();
    let output = Command::new("redis-cli").args(["-p", &port]).args(arguments).output().unwrap();
    let answer = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && !answer.contains("ERR"), "{arguments:?}: {answer}");
}

fn today() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() / 86_400
}

/// The numbers of a server that has been busy for half a year.
fn fill(deployment: &Deployment) {
    let (today, noise) = (today(), |seed: u64, range: u64| seed.wrapping_mul(2_654_435_761) % 9973 % range);
    for age in 0..30 {
        let key = format!("{{asu}}:stats:day:{}", today - age);
        let (requests, hits, failures) = (180 + noise(age + 3, 90), 90 + noise(age + 7, 60), 4 + noise(age + 11, 12));
        let counts = [requests, hits, failures].map(|count| count.to_string());
        redis(deployment, &["HSET", &key, "requests", &counts[0], "hits", &counts[1], "failures", &counts[2]]);
        redis(deployment, &["HSET", &key, "client:owut", &counts[1], "client:luci", &counts[2], "client:ofs", "17"]);
    }
    for age in 0..26 {
        let key = format!("{{asu}}:stats:week:{}", (today + 3) / 7 - age);
        for (index, version) in ["23.05.5", "24.10.4", "24.10.3", "25.12.0", "SNAPSHOT"].into_iter().enumerate() {
            let count = 20 * (index as u64 + 1) + noise(age * 5 + index as u64, 40) + (26 - age) * index as u64;
            redis(deployment, &["HSET", &key, version, &count.to_string()]);
        }
    }
    for branch in ["", "24.10"] {
        let key = format!("{{asu}}:stats:packages:{today}:{branch}");
        for (index, package) in
            ["luci", "luci-app-attendedsysupgrade", "tmux", "wpad-mbedtls", "htop"].iter().enumerate()
        {
            redis(deployment, &["ZADD", &key, &(640 - 110 * index).to_string(), package]);
        }
        for number in 0..30 {
            redis(deployment, &["ZADD", &key, &(140 - 3 * number).to_string(), &format!("kmod-usb-net-{number}")]);
        }
    }
    for (profile, kind, detail) in [
        ("generic", "impossible_packages", "Error: Impossible package selection: missing (no-such-package)"),
        ("tplink_archer-c7-v5", "too_big", "Error: Selected packages exceed device storage"),
    ] {
        fail(deployment, profile, kind, detail);
    }
}

fn fail(deployment: &Deployment, profile: &str, kind: &str, detail: &str) {
    let note = json!({"at": today() * 86_400_000, "version": "24.10.4", "target": "ath79/generic", "profile": profile,
        "kind": kind, "detail": detail});
    redis(deployment, &["LPUSH", "{asu}:stats:errors", &note.to_string()]);
}

async fn text(deployment: &Deployment, path: &str) -> String {
    let response = deployment.client.get(format!("{}{path}", deployment.build.url())).send().await.unwrap();
    assert_eq!(response.status(), 200, "{path}");
    assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
    response.text().await.unwrap()
}

/// The same, asked for until it has what a busy machine may not bring at once.
async fn text_with(deployment: &Deployment, path: &str, part: &str) -> String {
    let begun = Instant::now();
    loop {
        let text = text(deployment, path).await;
        if text.contains(part) || begun.elapsed() > Duration::from_secs(60) {
            return text;
        }
    }
}

/// True if nothing is wider than the screen.
const FITS: &str = "document.documentElement.scrollWidth <= document.documentElement.clientWidth";
const CHARTS: &str = "typeof Chart !== 'undefined' && [...document.querySelectorAll('canvas')].every(Chart.getChart)";

#[tokio::test(flavor = "multi_thread")]
async fn the_api_can_be_read_in_a_browser_at_both_services() {
    let deployment = Deployment::without_workers(&[]).await;
    for (service, name) in [(&deployment.build, "asu-build"), (&deployment.prepare, "asu-prepare")] {
        let browser = Browser::start().await;
        let url = service.url();
        for (page, title) in [("/docs", ".info .title"), ("/redoc", "h1")] {
            browser.open(&format!("{url}{page}")).await;
            browser.until(&format!("document.querySelector('{title}')?.textContent.includes('{name}')")).await;
            browser.until("document.body.textContent.includes('/api/v1/build')").await;
        }
        browser.close_without_trouble(&url).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_a_new_server_have_no_numbers_and_no_trouble() {
    let deployment = Deployment::without_workers(&[("server_stats", "true")]).await;
    let browser = Browser::start().await;
    let url = deployment.build.url();
    let whole = "document.querySelector('[data-number=queue_length]') !== null && \
        document.querySelector('#versions + .scroll') !== null";
    browser.open_with(&format!("{url}/"), whole).await;
    let address: String = browser.value("document.querySelector('#luci ~ pre').textContent").await;
    assert_eq!(address, url, "the examples name the server as its reader does");
    assert_eq!(browser.value::<String>("document.querySelector('[data-number=queue_length]').textContent").await, "0");
    assert_eq!(deployment.submit(&request("24.10.4", &["tmux"])).await.status, 202);
    // The reader comes back to the page.
    let looks = "(() => { document.dispatchEvent(new Event('visibilitychange')); return true; })()";
    assert!(browser.value::<bool>(looks).await);
    browser.until("document.querySelector('[data-number=queue_length]').textContent === '1'").await;
    let versions: String = browser.value("document.querySelector('#versions + .scroll').innerText").await;
    assert!(versions.contains("24.10.4") && versions.contains("SNAPSHOT"), "{versions}");
    let notice: String = browser.value("document.querySelector('.notice').textContent").await;
    assert!(notice.starts_with("No worker is running"), "{notice}");
    browser.open_with(&format!("{url}/stats"), "document.querySelector('canvas') !== null").await;
    browser.until(CHARTS).await;
    assert_eq!(browser.value::<u32>("document.querySelectorAll('canvas').length").await, 1, "of the one request");
    browser.close_without_trouble(&url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn charts_show_what_their_tables_say_and_a_branch_can_be_chosen() {
    let deployment = Deployment::without_workers(&[("server_stats", "true")]).await;
    fill(&deployment);
    let browser = Browser::start().await;
    let url = deployment.build.url();
    browser.look(DESKTOP, "light").await;
    browser.open_with(&format!("{url}/stats"), "document.querySelectorAll('canvas').length === 3").await;
    browser.until(CHARTS).await;
    let days = deployment.get("/api/v1/builds-per-day").await;
    let lines = "(index) => Chart.getChart(document.querySelectorAll('canvas')[index]).data.datasets";
    let drawn: Value = browser.value(&format!("({lines})(0).map((line) => [line.label, line.data])")).await;
    let told = days.body["datasets"].as_array().unwrap().iter().map(|line| json!([line["label"], line["data"]]));
    assert_eq!(drawn, told.collect::<Value>());
    let branches: Vec<String> = browser.value(&format!("({lines})(1).map((line) => line.label)")).await;
    assert_eq!(branches, ["SNAPSHOT", "25.12", "24.10", "23.05"]);
    let packages: Value = browser.value(&format!("({lines})(2)[0].data.slice(0, 3)")).await;
    assert_eq!(packages, json!([640, 530, 420]));
    for index in 0..3 {
        let colors = "(canvas) => new Set(new Uint32Array(canvas.getContext('2d')\
            .getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size";
        let colors: u32 = browser.value(&format!("({colors})(document.querySelectorAll('canvas')[{index}])")).await;
        assert!(colors > 10, "chart {index} is drawn: {colors} colours");
        let box_size = "(canvas) => [canvas.clientWidth, canvas.clientHeight]";
        let size: (u32, u32) =
            browser.value(&format!("({box_size})(document.querySelectorAll('canvas')[{index}])")).await;
        assert!(size.0 > 600 && size.1 > 200, "chart {index} has room: {size:?}");
    }
    assert!(!browser.value::<bool>("document.querySelector('details').open").await, "tables are folded away");

    let choose = "(() => { const select = document.querySelector('select[name=branch]'); select.value = '24.10'; \
        select.dispatchEvent(new Event('change')); return true; })()";
    assert!(browser.value::<bool>(choose).await);
    browser.until("location.search === '?branch=24.10' && document.readyState === 'complete'").await;
    browser.until(CHARTS).await;
    let versions: Vec<String> = browser.value(&format!("({lines})(1).map((line) => line.label)")).await;
    assert_eq!(versions, ["24.10.4", "24.10.3"]);
    assert_eq!(browser.value::<String>("document.querySelector('select').value").await, "24.10");

    for (name, path) in [("home", "/"), ("stats", "/stats")] {
        for (screen, size) in [("desktop", DESKTOP), ("phone", PHONE)] {
            for scheme in ["light", "dark"] {
                browser.look(size, scheme).await;
                browser.open(&format!("{url}{path}")).await;
                if path == "/stats" {
                    browser.until(CHARTS).await;
                }
                assert!(browser.value::<bool>(FITS).await, "{path} is wider than a {screen}");
                browser.picture(&format!("{name}-{screen}-{scheme}.png")).await;
            }
        }
    }
    browser.close_without_trouble(&url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn text_of_strangers_is_shown_as_text() {
    let deployment = Deployment::without_workers(&[("server_stats", "true")]).await;
    fail(&deployment, HOSTILE, "image_builder", HOSTILE);
    redis(&deployment, &["ZADD", &format!("{{asu}}:stats:packages:{}:", today()), "7", HOSTILE]);
    redis(&deployment, &["HSET", &format!("{{asu}}:stats:day:{}", today()), "requests", "7"]);
    let browser = Browser::start().await;
    let url = deployment.build.url();
    let cells = "document.querySelector('#failures + .scroll td') !== null";
    browser.open_with(&format!("{url}/"), cells).await;
    let cells: Vec<String> =
        browser.value("[...document.querySelectorAll('#failures + .scroll td')].map((cell) => cell.textContent)").await;
    assert_eq!((cells[3].as_str(), cells[4].as_str()), (HOSTILE, HOSTILE));
    let hostile = format!("{url}/stats?branch=%3Cscript%3Ewindow.hacked%3D3%3C%2Fscript%3E");
    browser.open_with(&hostile, "document.querySelectorAll('canvas').length > 1").await;
    browser.until(CHARTS).await;
    let labels: Vec<String> = browser.value("Chart.getChart(document.querySelectorAll('canvas')[1]).data.labels").await;
    assert_eq!(labels, [HOSTILE]);
    let notice: String = browser.value("document.querySelector('.notice').textContent").await;
    assert!(notice.contains("not \"<script>window.hacked=3</script>\""), "{notice}");
    assert!(browser.value::<bool>("window.hacked === undefined").await);
    assert_eq!(browser.value::<u32>("document.querySelectorAll('main script, main img').length").await, 0);
    browser.close_without_trouble(&url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_breaks_the_policy_of_a_page_is_noticed() {
    let deployment = Deployment::without_workers(&[]).await;
    let browser = Browser::start().await;
    browser.open(&format!("{}/", deployment.build.url())).await;
    for element in ["script", "style"] {
        let inline = "(name) => { const e = document.createElement(name); e.textContent = 'window.hacked = 1'; \
            window.refused = 0; document.addEventListener('securitypolicyviolation', () => { window.refused = 1; }); \
            document.body.append(e); return true; }";
        assert!(browser.value::<bool>(&format!("({inline})('{element}')")).await);
        browser.until("window.refused === 1").await;
    }
    assert!(browser.value::<bool>("window.hacked === undefined").await);
    browser.until_trouble().await;
    let origin = deployment.build.url();
    let closed = tokio::spawn(async move { browser.close_without_trouble(&origin).await }).await;
    assert!(closed.unwrap_err().is_panic(), "what the browser refused is trouble");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_whole_without_scripts_and_say_when_nothing_is_counted() {
    let deployment = Deployment::without_workers(&[("server_stats", "true"), ("contact", "admin@example.org")]).await;
    fill(&deployment);
    let home = text_with(&deployment, "/", "no-such-package").await;
    for part in ["Impossible package selection: missing (no-such-package)", "mailto:admin@example.org", "20480 bytes"] {
        assert!(home.contains(part), "{part}: {home}");
    }
    let stats = text_with(&deployment, "/stats", "640").await;
    assert!(stats.contains("<td class=\"number\">640</td>") && stats.contains("<details open>"), "{stats}");

    let off = Deployment::without_workers(&[]).await;
    let stats = text(&off, "/stats").await;
    assert!(stats.contains("Statistics are switched off on this server"), "{stats}");
    assert!(!stats.contains("chart.umd"), "{stats}");
    assert!(!text(&off, "/").await.contains("failed lately"));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_come_soon_and_say_what_is_away() {
    let away = [("server_stats", "true"), ("redis_url", "redis://127.0.0.1:1"), ("upstream_url", "http://127.0.0.1:1")];
    let deployment = Deployment::without_workers(&away).await;
    for _ in 0..2 {
        let begun = Instant::now();
        let home = text(&deployment, "/").await;
        assert!(
            home.contains("The build queue is not available") && home.contains("cannot be had from upstream"),
            "{home}"
        );
        assert!(home.contains("owut upgrade"), "what is known is told all the same");
        let stats = text(&deployment, "/stats").await;
        assert!(stats.contains("are not available at the moment"), "{stats}");
        assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_forbid_what_they_do_not_need_and_their_files_are_kept() {
    let deployment = Deployment::without_workers(&[]).await;
    let url = deployment.build.url();
    let get = |path: &str| deployment.client.get(format!("{url}{path}"));
    let response =
        get("/").header("host", "asu.example.org").header("x-forwarded-proto", "https").send().await.unwrap();
    let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'; "), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(response.headers()["referrer-policy"], "no-referrer");
    assert_eq!(response.headers()["cache-control"], "private, no-cache");
    let home = response.text().await.unwrap();
    assert!(home.contains("https://asu.example.org/api/v1/build"), "{home}");
    assert!(!home.contains("style=") && !home.contains("onclick"), "{home}");
    let odd = get("/").header("host", "a$(id).example").send().await.unwrap().text().await.unwrap();
    assert!(odd.contains("https://SERVER/api/v1/build") && !odd.contains("$(id)"), "{odd}");

    let style = home.split('"').find(|text| text.starts_with("/static/asu.css?v=")).unwrap();
    let kept = get(style).send().await.unwrap();
    assert_eq!(kept.headers()["content-type"], "text/css; charset=utf-8");
    assert_eq!(kept.headers()["cache-control"], "public, max-age=31536000, immutable");
    let etag = kept.headers()["etag"].clone();
    let licence = get("/static/chart.LICENSE.md").send().await.unwrap().text().await.unwrap();
    assert!(licence.starts_with("The MIT License"), "{licence}");
    let unchanged = get("/static/asu.css").header("if-none-match", etag).send().await.unwrap();
    assert_eq!(
        (unchanged.status().as_u16(), &unchanged.headers()["cache-control"]),
        (304, &"no-cache".parse().unwrap())
    );
    for path in ["/static/nonesuch.js", "/static/%2e%2e%2fCargo.toml", "/static/README.md"] {
        assert_eq!(deployment.get(path).await.status, 404, "{path}");
    }
}
