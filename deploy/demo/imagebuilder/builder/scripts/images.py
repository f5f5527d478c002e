# Makes the firmware images of one profile from the scratch root, and the files that describe them.
# SPDX-License-Identifier: GPL-2.0-or-later
import hashlib
import json
import os
import subprocess
import sys
import zlib

import faults
import layouts
import root

WORK = "build_dir/images"
# What the kernel of a small device takes of its flash, and what xz makes of the files of a root file system.
KERNEL_KB = 1500
COMPRESSION = 0.3


def make(target, profile, installed, manifest):
    head, definition = target["head"], target["profiles"][profile]
    bin_dir = os.path.abspath(os.environ.get("BIN_DIR") or f"bin/targets/{head['target']}")
    os.makedirs(bin_dir, exist_ok=True)
    os.makedirs(WORK, exist_ok=True)
    filesystems = chosen_filesystems(target)
    if filesystems is None:
        return 2
    stem = image_stem(target)
    device = Device(target, profile, f"{stem}-{profile}", bin_dir)
    roots = make_filesystems(target, filesystems, installed)
    if roots is None:
        return 2
    images = [
        device.write(image, roots.get(image.get("filesystem")), installed)
        for image in definition["images"]
        if image.get("filesystem") in (None, *filesystems)
    ]
    images = [image for image in images if image]
    write_text(bin_dir, f"{device.prefix}.manifest", "".join(f"{line}\n" for line in manifest))
    if images:
        profiles_json = {**head, "profiles": {profile: entry(definition, device.prefix, images)}}
        faults.in_profiles_json(installed, profiles_json)
        if "fault-no-json" not in faults.names(installed):
            write_text(bin_dir, "profiles.json", json.dumps(profiles_json, sort_keys=True, separators=(",", ":")))
    else:
        print("JSON info file script could not find any JSON files for target")
    print("Generate checksums...", flush=True)
    write_checksums(bin_dir)
    return faults.after_images(installed, bin_dir)


def chosen_filesystems(target):
    wanted = os.environ.get("ROOTFS_FILESYSTEM")
    if not wanted:
        return target["filesystems"]
    if wanted in target["filesystems"]:
        return [wanted]
    print(f'Filesystem "{wanted}" is not one of this target: {" ".join(target["filesystems"])}', file=sys.stderr)
    return None


def image_stem(target):
    """The real one's order: version, extra name, target. The extra name comes before the target."""
    extra = os.environ.get("EXTRA_IMAGE_NAME", "")
    return "-".join(part for part in (target["image_stem"], extra, target["head"]["target"].replace("/", "-")) if part)


def make_filesystems(target, names, installed):
    """Both kinds are made at the same time, each by its own process."""
    partition = int(os.environ.get("ROOTFS_PARTSIZE") or target["rootfs_partsize"])
    epoch = str(target["head"]["source_date_epoch"])
    running = {}
    for name in names:
        file = f"{WORK}/root.{name}"
        if os.path.exists(file):
            os.unlink(file)
        command = ["mksquashfs", root.ROOT, file, "-all-root", "-noappend", "-no-xattrs", "-quiet", "-no-progress"]
        command += ["-comp", "gzip", "-Xcompression-level", "1", "-b", "256K", "-mkfs-time", epoch, "-all-time", epoch]
        if name == "ext4":
            command = ["mke2fs", "-q", "-F", "-t", "ext4", "-O", "^has_journal,^resize_inode", "-m", "0", "-b", "4096"]
            command += ["-L", "rootfs", "-E", "nodiscard", "-d", root.ROOT, file, f"{partition}M"]
        running[file] = (name, subprocess.Popen(command, stdout=subprocess.DEVNULL))
    for file, (name, process) in running.items():
        if process.wait() != 0 or faults.lacks_space(installed, name, partition):
            blocks = f"error: ext4_allocate_best_fit_partial: failed to allocate {partition * 97} blocks, out of space?"
            rule = f"make[3]: *** [/builder/include/image.mk:367: {os.path.abspath(file)}] Error 1"
            print(blocks, rule, sep="\n", file=sys.stderr, flush=True)
            return None
    return {name: file for file, (name, _) in running.items()}


class Device:
    """The profile whose images are written to BIN_DIR."""

    def __init__(self, target, profile, prefix, bin_dir):
        self.target = target
        self.definition = target["profiles"][profile]
        self.profile = profile
        self.prefix = prefix
        self.bin_dir = bin_dir

    def write(self, image, root_file, installed):
        """The image's entry of profiles.json, or None where the device's flash is too small."""
        name = f"{self.prefix}-{image['suffix']}"
        size, limit = self.size_on_flash(installed), self.definition.get("flash_kb", sys.maxsize)
        if root_file and "fault-too-big" in faults.names(installed):
            size, limit = 999999, min(limit, 16000)
        if root_file and size > limit:
            path = os.path.abspath(f"{WORK}/{name}")
            print(f"WARNING: Image file {path} is too big: {size * 1024} > {limit * 1024}", file=sys.stderr, flush=True)
            return None
        sha256 = hashlib.sha256()
        with open(f"{self.bin_dir}/{name}", "wb", buffering=0) as file:
            out = Out(file, sha256)
            layouts.write(image["layout"], out, root_file, self.profile, self.metadata(installed))
            if image["type"] in ("sysupgrade", "combined"):
                faults.grow_image(installed, out)
        found = {"name": name, "sha256": sha256.hexdigest(), "type": image["type"]}
        if "filesystem" in image:
            found["filesystem"] = image["filesystem"]
        return found

    def size_on_flash(self, installed):
        """In KiB, from the packages' nominal sizes: the real files here are tiny."""
        return int(KERNEL_KB + COMPRESSION * sum(package["size"] for package in installed) / 1024)

    def metadata(self, installed):
        head = self.target["head"]
        return {
            **faults.in_metadata(installed),
            "metadata_version": "1.1",
            "compat_version": "1.0",
            "supported_devices": self.definition["supported_devices"],
            "version": {
                "dist": "OpenWrt",
                "version": head["version_number"],
                "revision": head["version_code"],
                "target": head["target"],
                "board": self.profile,
            },
        }


class Out:
    """Writes and hashes at once, so that no image is read again."""

    def __init__(self, file, sha256):
        self.file = file
        self.sha256 = sha256
        self.checksum = 0
        self.position = 0

    def write(self, data):
        self.sha256.update(data)
        self.checksum = zlib.crc32(data, self.checksum)
        self.position += len(data)
        view = memoryview(data)
        while view:
            view = view[self.file.write(view) :]

    def pad(self, multiple):
        rest = -self.position % multiple
        if rest:
            self.write(b"\xff" * rest)


def entry(definition, prefix, images):
    return {
        "device_packages": definition["device_packages"],
        "image_prefix": prefix,
        "images": images,
        "supported_devices": definition["supported_devices"],
        "titles": definition["titles"],
    }


def write_text(directory, name, text):
    with open(f"{directory}/{name}", "w", encoding="utf-8") as file:
        file.write(text)


def write_checksums(bin_dir):
    lines = []
    for name in sorted(os.listdir(bin_dir)):
        path = f"{bin_dir}/{name}"
        if name != "sha256sums" and os.path.isfile(path):
            sha256 = hashlib.sha256()
            with open(path, "rb") as file:
                while chunk := file.read(1 << 20):
                    sha256.update(chunk)
            lines.append(f"{sha256.hexdigest()} *{name}\n")
    write_text(bin_dir, "sha256sums", "".join(lines))
