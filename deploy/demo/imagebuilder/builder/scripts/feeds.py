# The packages that the configured repositories offer.
# SPDX-License-Identifier: GPL-2.0-or-later
import json
import os
import sys

UPSTREAM = "https://downloads.openwrt.org/"


class Offer:
    """Packages by name and, for each provided name, those which provide it."""

    def __init__(self):
        self.packages = {}
        self.providers = {}

    def add(self, package):
        if package["name"] in self.packages:
            return
        self.packages[package["name"]] = package
        for name in package["provides"]:
            self.providers.setdefault(name, []).append(package["name"])

    def candidates(self, name):
        """Real packages of this name first, then its providers."""
        own = [name] if name in self.packages else []
        return own + self.providers.get(name, [])


def load(target, manager):
    """Feeds of upstream are read from the ImageBuilder itself; what is elsewhere is fetched."""
    offer = Offer()
    add_local(offer, "imagebuilder")
    known = {path: name for name, path in target["repositories"]}
    for url in manager.repositories():
        # A caching proxy puts its own address before upstream's, so only the end counts.
        feed = next((name for path, name in known.items() if url.endswith("/" + path)), None)
        if not (feed and url.startswith(UPSTREAM)):
            index = fetch_index(url, manager)
            if index is None:
                continue
            for package in [] if feed else manager.trusted_packages(url, index):
                offer.add(package)
        if feed:
            add_local(offer, feed)
    return offer


def add_local(offer, feed):
    file = f"packages/{feed}.json"
    if os.path.exists(file):
        with open(file, encoding="utf-8") as text:
            for package in json.load(text):
                offer.add(package)


def fetch_index(url, manager):
    try:
        return fetch(manager.index_url(url))
    except (OSError, ValueError) as error:
        manager.print_fetch_failure(manager.index_url(url), error)
        return None


def fetch(url):
    import urllib.request

    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read(16 * 1024 * 1024)


def download(installed, manager):
    """Fetches what no feed of upstream has. False after the errors are printed."""
    import hashlib

    complete = True
    for package in installed:
        if "url" not in package:
            continue
        file = f"dl/{package['name']}_{package['version']}"
        try:
            data = read(file) if os.path.exists(file) else fetch(package["url"])
        except (OSError, ValueError) as error:
            manager.print_gone(package, error)
            complete = False
            continue
        if hashlib.sha256(data).hexdigest() != package["sha256"]:
            manager.print_damaged(package)
            complete = False
            continue
        os.makedirs("dl", exist_ok=True)
        with open(file, "wb") as out:
            out.write(data)
        package["content"] = data.decode()
    return complete


def read(file):
    with open(file, "rb") as data:
        return data.read()


def is_signed(message, fingerprint_and_signature, keys):
    """Whether one of the ImageBuilder's keys, (fingerprint, key) each, made the signature."""
    import ed25519

    fingerprint, signature = fingerprint_and_signature
    return any(ed25519.is_valid(key, message, signature) for name, key in keys if name == fingerprint)


def foreign_package(name, version, url, sha256, provides=(), depends=(), conflicts=()):
    """A package of a user's repository: its archive is a text here, which becomes its one file."""
    return {
        "name": name,
        "base_name": name,
        "abi": "",
        "version": version,
        "feed": "foreign",
        "size": 1024,
        "title": name,
        "depends": list(depends),
        "provides": list(provides),
        "conflicts": list(conflicts),
        "files": [f"/usr/share/foreign/{name}"],
        "url": url,
        "sha256": sha256,
    }


def say(*lines):
    print(*lines, sep="\n", file=sys.stderr, flush=True)
