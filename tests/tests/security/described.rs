//! A hostile profiles.json: it decides nothing that is the server's to say, and what it describes must be there.

use asu_tests::Deployment;
use serde_json::Value;

use crate::hostile::{SETTINGS, nothing_is_broken, run};

/// Changes of the file, which `p` holds as an object, or the file as a whole; and the answer: a kind of failure, or "".
const ATTACKS: &[(&str, &str, &str)] = &[
    ("no JSON", "text = '{'", "unusable_images"),
    ("nothing", "text = ''", "unusable_images"),
    ("deep lists", "text = '{\"version_code\": ' + '[' * 100000 + ']' * 100000 + '}'", "unusable_images"),
    ("two megabytes", "p['x'] = 'x' * (2 << 20)", "unusable_images"),
    ("no profiles", "p.pop('profiles')", "unusable_images"),
    ("another profile", "p['profiles'] = {'another': image_of(p)}", "profile_not_found"),
    ("profiles twice, the last one empty", "text = json.dumps(p)[:-1] + ', \"profiles\": {}}'", "profile_not_found"),
    ("an image outside", "image(p)['name'] = '../../../../etc/passwd'", "unusable_images"),
    ("the directory itself", "image(p)['name'] = '..'", "unusable_images"),
    ("a name with a line end", "image(p)['name'] = 'a\\r\\nX-Evil: 1'", "unusable_images"),
    ("NUL in a name", "image(p)['name'] += '\\0'", "unusable_images"),
    ("an image that is not there", "image(p)['name'] = 'missing.bin'", "unusable_images"),
    ("another digest", "image(p)['sha256'] = '0' * 64", "unusable_images"),
    ("a digest that is none", "image(p)['sha256'] = '../x'", "unusable_images"),
    ("images that are no list", "image_of(p)['images'] = {'name': 'a'}", "unusable_images"),
    ("a revision that is none", "p['version_code'] = '$(id)\\n'", "unusable_images"),
    ("a date beyond all", "text = json.dumps({**p, 'source_date_epoch': 9223372036854775807})", ""),
    ("what is the server's to say", "for k in OURS: p[k] = image_of(p)[k] = 'forged'", ""),
    ("HTML in every title", "image_of(p)['titles'] = [{'title': '<script>forged</script>'}]", ""),
];

/// Fields of an answer that come from the server alone.
const OURS: [&str; 9] =
    ["id", "bin_dir", "build_at", "build_cmd", "status", "detail", "request_hash", "imagebuilder_status", "stdout"];

fn script(change: &str) -> String {
    format!(
        "import json\nOURS = {OURS:?}\ntext, p = None, json.load(open('profiles.json'))\n\
         def image_of(p): return p['profiles']['8dev_carambola2']\n\
         def image(p): return image_of(p)['images'][0]\n\
         {change}\nopen('profiles.json', 'w').write(json.dumps(p) if text is None else text)\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_build_says_of_itself_is_input() {
    let deployment = Deployment::start_with(&SETTINGS).await;
    let scripts: Vec<_> = ATTACKS.iter().map(|(_, change, _)| script(change)).collect();
    let ends = run(&deployment, scripts.iter().map(String::as_str)).await;
    for ((name, _, kind), end) in ATTACKS.iter().zip(&ends) {
        if kind.is_empty() {
            assert_eq!((end.status.as_u16(), &end.body["detail"]), (200, &Value::from("done")), "{name}: {end:?}");
            let forged = OURS.iter().filter(|field| end.body[**field].to_string().contains("forged\""));
            assert_eq!(forged.count(), 0, "{name}: {end:?}");
            assert_eq!(end.header("content-type"), "application/json", "{name}");
        } else {
            assert_eq!((end.status.as_u16(), &end.body["error"]), (500, &Value::from(*kind)), "{name}: {end:?}");
        }
    }
    nothing_is_broken(&deployment).await;
}
