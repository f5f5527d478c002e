# The packages that the configured repositories offer.
# SPDX-License-Identifier: GPL-2.0-or-later
import json
import os
import sys


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
    """Feeds of upstream are read from the ImageBuilder itself, if a repository names them; others are fetched."""
    offer = Offer()
    add_local(offer, "imagebuilder")
    known = {path: name for name, path in target["repositories"]}
    for url in manager.repositories():
        # A caching proxy puts its own address before upstream's, so only the end counts.
        feed = next((name for path, name in known.items() if url.endswith("/" + path)), None)
        if feed:
            add_local(offer, feed)
            continue
        for package in fetch(url, manager):
            offer.add(package)
    return offer


def add_local(offer, feed):
    file = f"packages/{feed}.json"
    if os.path.exists(file):
        with open(file, encoding="utf-8") as text:
            for package in json.load(text):
                offer.add(package)


def fetch(url, manager):
    import urllib.request

    index = manager.index_url(url)
    try:
        with urllib.request.urlopen(index, timeout=10) as answer:
            return manager.parse_index(answer.read(16 * 1024 * 1024))
    except (OSError, ValueError) as error:
        manager.print_fetch_failure(index, error)
        return []


def foreign_package(name, version, provides=(), depends=(), conflicts=()):
    """A package of a user's repository: its content is not fetched, so that one file stands for it."""
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
    }


def say(*lines):
    print(*lines, sep="\n", file=sys.stderr, flush=True)
