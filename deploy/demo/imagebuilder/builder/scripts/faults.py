# What the packages named fault-… do to a build, on purpose. deploy/demo/README.md lists them.
# SPDX-License-Identifier: GPL-2.0-or-later
import os
import sys
import time

MIB = 1 << 20


def names(installed):
    return {package["name"] for package in installed if package["name"].startswith("fault-")}


def in_selection(target, manager, wanted, is_image):
    """True if the packages are not even looked for, after the errors are printed."""
    if "fault-download" in wanted or (is_image and "fault-download-late" in wanted):
        manager.print_download_failure(target)
    elif "fault-signature" in wanted:
        manager.print_bad_signature(target)
    else:
        return False
    return True


def in_downloads(manager, installed):
    damaged = [package for package in installed if package["name"] == "fault-checksum"]
    for package in damaged:
        manager.print_damaged(package)
    return bool(damaged)


def before_images(installed):
    """The exit status with which the build ends here, or 0 to go on."""
    asked = names(installed)
    if not asked:
        return 0
    for name, seconds in (("fault-slow", 5), ("fault-slow-30", 30)):
        if name in asked:
            for second in range(seconds):
                print(f"{name}: {second + 1} of {seconds} s", flush=True)
                time.sleep(1)
    if "fault-hang" in asked:
        while True:
            time.sleep(3600)
    if "fault-fail" in asked:
        print("fault-fail: ld: cannot find the end of the world", file=sys.stderr, flush=True)
        return 2
    if "fault-memory" in asked:
        return take_memory()
    if "fault-output" in asked:
        return print_without_end()
    if "fault-forks" in asked:
        return fork_often()
    if "fault-network" in asked:
        try_network()
    return 0


def take_memory():
    # A machine without limits survives this, and the build says what was wrong.
    taken = []
    for _ in range(4096):
        taken.append(bytearray(os.urandom(4096) * 256))
    print("fault-memory: took 4 GiB and nobody minded", file=sys.stderr, flush=True)
    return 2


def print_without_end():
    line = b"fault-output: the quick brown fox jumps over the lazy dog and does it again and again\n" * 100
    end = time.monotonic() + 600
    while time.monotonic() < end:
        os.write(1, line)
    return 2


def fork_often():
    children = []
    status = 2
    try:
        for _ in range(5000):
            child = os.fork()
            if child == 0:
                time.sleep(60)
                os._exit(0)
            children.append(child)
        print("fault-forks: 5000 processes and nobody minded", file=sys.stderr, flush=True)
    except OSError as error:
        print(f"fault-forks: fork failed after {len(children)}: {error.strerror}", file=sys.stderr, flush=True)
    for child in children:
        os.kill(child, 9)
    for child in children:
        os.waitpid(child, 0)
    return status


def try_network():
    import socket

    for host, port in (*gateways(), ("downloads.openwrt.org", 80)):
        try:
            socket.create_connection((host, port), timeout=2).close()
            answer = "reachable"
        except ConnectionRefusedError:
            answer = "refused"
        except OSError as error:
            answer = f"unreachable ({error})"
        print(f"fault-network: {host}:{port} {answer}", flush=True)


def gateways():
    import socket
    import struct

    with open("/proc/net/route", encoding="ascii") as file:
        rows = [line.split() for line in file.readlines()[1:]]
    for row in rows:
        if row[1] == "00000000":
            address = socket.inet_ntoa(struct.pack("<I", int(row[2], 16)))
            yield from ((address, port) for port in (22, 53, 6379, 8000))


def lacks_space(installed, filesystem, size_mib):
    """A root file system that compresses nothing needs a larger partition than the usual one."""
    return "fault-space" in names(installed) and filesystem == "ext4" and size_mib < 64


def grow_image(installed, out):
    for name, size in (("fault-big-image", 200), ("fault-huge-image", 512)):
        if name in names(installed):
            for _ in range(size):
                out.write(os.urandom(MIB))


def in_profiles_json(installed, profiles_json):
    asked = names(installed)
    for profile in profiles_json["profiles"].values():
        if "fault-bad-sha" in asked:
            profile["images"][0]["sha256"] = "0" * 64
    if "fault-no-profile" in asked:
        profiles_json["profiles"] = {"another_device": next(iter(profiles_json["profiles"].values()))}


def in_metadata(installed):
    """For the tools that sign, which see nothing else of the packages than what stands at the end of an image."""
    found = sorted(name for name in names(installed) if name.startswith("fault-sign-"))
    return {"faults": found} if found else {}


def after_images(installed, bin_dir):
    asked = names(installed)
    if "fault-hostile-links" in asked:
        leave_links(bin_dir)
    if "fault-disk" in asked:
        return fill_disk(bin_dir)
    if "fault-script" in asked:
        return run_first_boot_script(bin_dir)
    return 0


def run_first_boot_script(bin_dir):
    # Whatever somebody could do who has taken over a package, a repository or the build itself.
    import subprocess

    script = f"{os.environ['FILES']}/etc/uci-defaults/99-asu-defaults"
    return subprocess.run([sys.executable, "-I", script], cwd=bin_dir, check=False).returncode & 255


def leave_links(bin_dir):
    os.symlink("/etc/passwd", f"{bin_dir}/absolute-link.bin")
    os.symlink("../../../etc/passwd", f"{bin_dir}/relative-link.bin")
    os.symlink("/etc", f"{bin_dir}/directory-link")
    os.link(f"{bin_dir}/sha256sums", f"{bin_dir}/hard-link.bin")
    os.mkfifo(f"{bin_dir}/pipe.bin")
    for name in ("new\nline.bin", "-dash.bin", "..hidden.bin", "back\\slash.bin", b"not-utf8-\xff.bin"):
        path = os.path.join(os.fsencode(bin_dir), os.fsencode(name))
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o644))
    os.makedirs(f"{bin_dir}/deep/deeper")
    with open(f"{bin_dir}/deep/deeper/file.bin", "w", encoding="ascii") as file:
        file.write("deep\n")


def fill_disk(bin_dir):
    data = os.urandom(MIB)
    with open(f"{bin_dir}/fault-disk.bin", "wb", buffering=0) as file:
        for number in range(3 * 1024):
            file.write(data)
            if number % 256 == 0:
                print(f"fault-disk: {number} MiB", flush=True)
    return 0
