# The files of a miniature ImageBuilder for one version and target: for container images and for upstream's archives.
# SPDX-License-Identifier: GPL-2.0-or-later
import base64
import hashlib
import io
import json
import os
import py_compile
import subprocess
import sys
import tarfile
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "builder", "scripts"))
import ed25519  # noqa: E402
import usign  # noqa: E402

UPSTREAM = "https://downloads.openwrt.org"
# What signs images, where the real ImageBuilder has it.
TOOLS = ("fwtool", "ucert", "usign")


def code():
    """{path below /builder: (mode, bytes)} of what all flavours share."""
    files = {"Makefile": (0o644, read("builder/Makefile"))}
    for name in sorted(os.listdir(os.path.join(HERE, "builder/scripts"))):
        if name.endswith(".py"):
            files[f"scripts/{name}"] = (0o644, read(f"builder/scripts/{name}"))
            cached, data = compiled(name)
            files[f"scripts/__pycache__/{cached}"] = (0o644, data)
    for tool in TOOLS:
        files[f"staging_dir/host/bin/{tool}"] = (0o755, launcher(tool))
    return files


def launcher(tool):
    text = f'#!/usr/bin/python3 -IS\nimport sys\n\nsys.path.insert(0, "/builder/scripts")\nimport {tool}\n\nsys.exit({tool}.main())\n'
    return text.encode()


def compiled(name):
    """Byte code for this Python; the container's takes it if it is the same version, and compiles otherwise."""
    with tempfile.TemporaryDirectory() as directory:
        source = os.path.join(HERE, "builder/scripts", name)
        target = os.path.join(directory, "out")
        mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
        py_compile.compile(source, cfile=target, dfile=f"scripts/{name}", doraise=True, invalidation_mode=mode)
        with open(target, "rb") as file:
            tag = sys.implementation.cache_tag
            return f"{name[:-3]}.{tag}.pyc", file.read()


def data(flavour):
    """What one version and target adds to the code."""
    files = {"target.json": (0o644, as_json(target_json(flavour)))}
    feeds = {"imagebuilder": flavour.of_feed("imagebuilder")}
    for name, _ in flavour.repositories():
        packages = flavour.of_feed("target" if name == "core" else name)
        feeds[name] = [package for package in packages if package["feed"] != "imagebuilder"]
    for name, packages in feeds.items():
        files[f"packages/{name}.json"] = (0o644, as_json(packages))
    urls = [(name, f"{UPSTREAM}/{path}") for name, path in flavour.repositories()]
    if flavour.manager == "opkg":
        lines = [f"src/gz openwrt_{name} {url}" for name, url in urls]
        lines += ["", "## This is the local package repository, do not remove!", "src imagebuilder file:packages", ""]
        lines += ["option check_signature", ""]
        files["repositories.conf"] = (0o644, "\n".join(lines).encode())
        fingerprint, key = usign_key(f"openwrt {flavour.release['branch']}")
        files[f"keys/{fingerprint}"] = (0o644, key)
    else:
        files["repositories"] = (0o644, "".join(f"{url}/packages.adb\n" for _, url in urls).encode())
        files["keys/openwrt.pem"] = (0o644, pem_key("openwrt"))
    return files


def target_json(flavour):
    stem = flavour.image_prefix("")
    return {
        "head": flavour.head(),
        "manager": flavour.manager,
        "cpu": flavour.definition["cpu"],
        "filesystems": flavour.definition["filesystems"],
        "rootfs_partsize": flavour.definition.get("rootfs_partsize", 16),
        "image_stem": stem[: -len("-" + flavour.target.replace("/", "-"))],
        "repositories": flavour.repositories(),
        "profiles": flavour.definition["profiles"],
    }


def control(flavour, package, in_feed=False):
    """The package's control text; in a feed's Packages file it also names the archive."""
    fields = [("Package", package["name"]), ("Version", package["version"])]
    fields += [(key, ", ".join(package[key.lower()])) for key in ("Depends", "Provides", "Conflicts") if package[key.lower()]]
    fields += [("Section", package["feed"]), ("Architecture", flavour.arch)]
    if package["abi"]:
        fields.append(("ABIVersion", package["abi"]))
    fields.append(("Installed-Size", str(package["size"])))
    if in_feed:
        file = f"{package['name']}_{package['version']}_{flavour.arch}.ipk"
        fields += [("Filename", file), ("Size", str(package["size"] // 3))]
        fields.append(("SHA256sum", hashlib.sha256(file.encode()).hexdigest()))
    fields.append(("Description", package["title"]))
    return "".join(f"{key}: {value}\n" for key, value in fields)


def usign_key(name):
    """A public key that belongs to nobody: algorithm, fingerprint, 32 bytes."""
    seed = hashlib.sha256(name.encode()).digest()
    fingerprint = seed[:8]
    text = base64.b64encode(b"Ed" + fingerprint + hashlib.sha256(seed).digest()).decode()
    return fingerprint.hex(), f"untrusted comment: {fingerprint.hex()}\n{text}\n".encode()


# The key that signs what the fixture upstream publishes: no secret, and nothing else trusts it.
RELEASE_SEED = hashlib.sha256(b"the releases of the fixture upstream").digest()
RELEASE_FINGERPRINT = RELEASE_SEED[:8]


def release_key():
    """Its public half, as a setting holds it."""
    return base64.b64encode(b"Ed" + RELEASE_FINGERPRINT + ed25519.public_key(RELEASE_SEED)).decode()


def release_signature(data):
    return usign.signature_text(RELEASE_FINGERPRINT, RELEASE_SEED, data).encode()


def pem_key(name):
    header = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")
    point = b"\x04" + hashlib.sha512(name.encode()).digest()
    text = base64.encodebytes(header + point).decode()
    return f"-----BEGIN PUBLIC KEY-----\n{text}-----END PUBLIC KEY-----\n".encode()


def archive(flavour):
    """(name, bytes) of the ImageBuilder archive which a snapshot's setup.sh fetches, and a worker for want of an image."""
    name = flavour.image_prefix("").replace("openwrt", "openwrt-imagebuilder", 1) + ".Linux-x86_64"
    packed = subprocess.run(["zstd", "-q", "-3"], input=tar({**code(), **data(flavour)}, f"{name}/"), stdout=subprocess.PIPE, check=True)
    return f"{name}.tar.zst", packed.stdout


def tar(files, prefix="", owner=1000):
    """A tar with nothing of the time or the machine in it, so that equal files give equal bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as out:
        directories = set()
        for path in sorted(files):
            parts = (prefix + path).split("/")[:-1]
            for depth in range(1, len(parts) + 1):
                directory = "/".join(parts[:depth])
                if directory not in directories:
                    directories.add(directory)
                    entry = tarfile.TarInfo(directory)
                    entry.type, entry.mode, entry.uid, entry.gid = tarfile.DIRTYPE, 0o755, owner, owner
                    out.addfile(entry)
            mode, content = files[path]
            entry = tarfile.TarInfo(prefix + path)
            entry.size, entry.mode, entry.uid, entry.gid = len(content), mode, owner, owner
            out.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def read(path):
    with open(os.path.join(HERE, path), "rb") as file:
        return file.read()


def as_json(value):
    return (json.dumps(value, separators=(",", ":")) + "\n").encode()
