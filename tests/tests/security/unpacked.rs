//! Hostile files in the directory of the images: what is neither a plain file nor a directory of plain names fails the
//! build, and nothing is ever written outside of the store.

use asu_tests::Deployment;

use crate::hostile::{SETTINGS, nothing_is_broken, run};

/// What a build leaves, and the kind of failure that it gets.
const ATTACKS: &[(&str, &str, &str)] = &[
    ("an absolute link", "import os; os.symlink('/etc/passwd', 'a.bin')", "unusable_images"),
    ("a relative link", "import os; os.symlink('../../../../etc/passwd', 'a.bin')", "unusable_images"),
    (
        "a link to a directory, and a file in it",
        "import os; os.symlink('/', 'd'); os.mkdir('e'); open('e/f', 'w')",
        "unusable_images",
    ),
    ("a hard link", "import os; os.link('sha256sums', 'a.bin')", "unusable_images"),
    (
        "a link in place of an image",
        "import glob, os; f = glob.glob('*.bin')[0]; os.unlink(f); os.symlink('/etc/passwd', f)",
        "unusable_images",
    ),
    (
        "a link in place of profiles.json",
        "import os; os.unlink('profiles.json'); os.symlink('/etc/passwd', 'profiles.json')",
        "unusable_images",
    ),
    ("a pipe", "import os; os.mkfifo('a.bin')", "unusable_images"),
    ("many directories in one another", "import os; os.makedirs('/'.join('d' * 60))", "unusable_images"),
    (
        "a path of 4,000 characters",
        "import os\nfor n in range(20): os.mkdir('d' * 200); os.chdir('d' * 200)",
        "unusable_images",
    ),
    ("too many files", "for n in range(300): open(f'{n}.bin', 'w')", "unusable_images"),
    ("too many directories", "import os\nfor n in range(300): os.mkdir(f'd{n}')", "unusable_images"),
    ("a line end in a name", "open('a\\n.bin', 'w')", "unusable_images"),
    ("a terminal's control in a name", "open('a\\x1b[2J.bin', 'w')", "unusable_images"),
    ("a name that reads backwards", "open('a\\u202egnp.exe', 'w')", "unusable_images"),
    ("a name that is no text", "open(b'a\\xff.bin', 'w')", "unusable_images"),
    ("a backslash in a name", "open('..\\\\..\\\\a.bin', 'w')", "unusable_images"),
    ("too many bytes", "open('a.bin', 'wb').write(bytes(100 << 20))", "unusable_images"),
    ("a hole of 200 MiB", "open('a.bin', 'wb').truncate(200 << 20)", "unusable_images"),
    ("a file that is larger than any may be", "open('a.bin', 'wb').truncate(1 << 40)", "image_builder"),
    ("a device", "import os, stat; os.mknod('a.bin', 0o666 | stat.S_IFBLK, os.makedev(8, 0))", "image_builder"),
    (
        "everything that there is, in place of the images",
        "import os; d = os.getcwd(); os.chdir('/'); os.rename(d, d + 'x'); os.symlink('/', d)",
        "unusable_images",
    ),
    (
        "a file in place of the directory",
        "import os; d = os.getcwd(); os.chdir('/'); os.rename(d, d + 'x'); open(d, 'w')",
        "unusable_images",
    ),
    (
        "nothing in place of the directory",
        "import os; d = os.getcwd(); os.chdir('/'); os.rename(d, d + 'x')",
        "no_json",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_plain_files_comes_out_of_a_build() {
    let deployment = Deployment::start_with(&SETTINGS).await;
    let ends = run(&deployment, ATTACKS.iter().map(|(_, script, _)| *script)).await;
    let wrong = ATTACKS.iter().zip(&ends).filter(|((_, _, kind), end)| end.status != 500 || end.body["error"] != *kind);
    let wrong: Vec<_> = wrong.map(|((name, ..), end)| (name, &end.body["error"], &end.body["detail"])).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    for end in &ends {
        assert!(!end.body["detail"].to_string().contains("\\u001b["), "{end:?}");
    }
    let left: Vec<_> = std::fs::read_dir(deployment.store()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.is_empty(), "a failed build stores nothing: {left:?}");
    let beside: Vec<_> = std::fs::read_dir(deployment.store().parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(beside, ["store"], "nothing is written beside the store");
    nothing_is_broken(&deployment).await;
}
