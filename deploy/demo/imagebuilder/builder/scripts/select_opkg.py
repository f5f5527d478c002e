# Selects packages as opkg does, one after the other in the given order, with opkg's error texts.
# SPDX-License-Identifier: GPL-2.0-or-later
import os

import feeds


def repositories():
    with open("repositories.conf", encoding="utf-8") as file:
        lines = [line.split() for line in file]
    return [words[2].rstrip("/") for words in lines if len(words) >= 3 and words[0] in ("src/gz", "src") and "file:" not in words[2]]


def index_url(url):
    return f"{url}/Packages.gz"


def trusted_packages(url, index):
    """The packages of a user's repository; none if its signature is not that of a known key."""
    import gzip

    text = gzip.decompress(index)
    feeds.say(f"Downloading {index_url(url)}", f"Updated list of available packages in /builder/dl/{url.rsplit('/', 1)[-1]}")
    if checks_signatures() and not is_signed(url, text):
        feeds.say("Remove wrong Signature file.")
        return []
    return list(packages_of(url, text.decode(errors="replace")))


def checks_signatures():
    return any(line.split() == ["option", "check_signature"] for line in feeds.read("repositories.conf").decode().splitlines())


def is_signed(url, text):
    import base64

    feeds.say(f"Downloading {url}/Packages.sig")
    try:
        signature = base64.b64decode(feeds.fetch(f"{url}/Packages.sig").splitlines()[1])
    except (OSError, ValueError, IndexError):
        feeds.say("Signature file download failed.")
        return False
    keys = [base64.b64decode(feeds.read(f"keys/{name}").splitlines()[1]) for name in os.listdir("keys")]
    signed = feeds.is_signed(text, (signature[2:10], signature[10:]), [(key[2:10], key[10:]) for key in keys])
    feeds.say(f"Signature check {'passed' if signed else 'failed'}.")
    return signed


def packages_of(url, text):
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line and not line.startswith(" "))
        if "Package" in fields:
            lists = [[word.split(" ")[0] for word in fields.get(key, "").split(", ") if word] for key in ("Provides", "Depends", "Conflicts")]
            place = f"{url}/{fields.get('Filename', '')}"
            yield feeds.foreign_package(fields["Package"], fields.get("Version", "0"), place, fields.get("SHA256sum"), *lists)


def print_fetch_failure(url, error):
    # A status of the server is wget's 8, everything before it its 4.
    status = 8 if hasattr(error, "code") else 4
    feeds.say("Collected errors:", f" * opkg_download: Failed to download {url}, wget returned {status}.")


def print_gone(package, error):
    print_fetch_failure(package["url"], error)
    name = package["name"]
    feeds.say(
        f" * opkg_install_pkg: Failed to download {name}. Perhaps you need to run 'opkg update'?",
        f" * opkg_install_cmd: Cannot install package {name}.",
    )


def print_damaged(package):
    name = package["name"]
    feeds.say(
        "Collected errors:",
        f" * opkg_install_pkg: Checksum or size mismatch for package {name}. Either the opkg or the package index are corrupt. Try 'opkg update'.",
        f" * opkg_install_cmd: Cannot install package {name}.",
    )


def print_download_failure(target):
    name, path = target["repositories"][-1]
    feeds.say(
        "Collected errors:",
        f" * opkg_download: Failed to download {feeds.UPSTREAM}{path}/Packages.gz, wget returned 4.",
        " * opkg_download: Check your network settings and connectivity.",
        "",
    )


def print_bad_signature(target):
    name, path = target["repositories"][-1]
    feeds.say(
        f"Downloading {feeds.UPSTREAM}{path}/Packages.sig",
        "Signature check failed.",
        "Remove wrong Signature file.",
        "Unknown package 'fault-signature'.",
        "Collected errors:",
        " * opkg_install_cmd: Cannot install package fault-signature.",
    )


def select(offer, wanted, root_directory, chatter):
    run = Run(offer, root_directory, chatter)
    for name in wanted:
        if not run.install(name):
            run.errors.append(f" * opkg_install_cmd: Cannot install package {name}.")
    if run.errors:
        feeds.say("Collected errors:", *run.errors)
        return None
    return list(run.installed.values())


class Run:
    def __init__(self, offer, root_directory, chatter):
        self.offer = offer
        self.root_directory = root_directory
        self.chatter = chatter
        self.installed = {}
        self.owners = {}
        self.provided = set()
        self.under_way = set()
        self.errors = []

    def install(self, name):
        if name in self.installed or name in self.provided:
            return True
        candidates = self.offer.candidates(name)
        if not candidates:
            feeds.say(f"Unknown package '{name}'.")
            return False
        package = self.offer.packages[candidates[0]]
        if package["name"] in self.under_way:
            return True
        self.under_way.add(package["name"])
        try:
            return self.install_package(package)
        finally:
            self.under_way.discard(package["name"])

    def install_package(self, package):
        name = package["name"]
        unresolved = [depend for depend in package["depends"] if not self.offer.candidates(depend)]
        if unresolved:
            self.errors += [f" * pkg_hash_check_unresolved: cannot find dependency {depend} for {name}" for depend in unresolved]
            self.errors.append(
                f" * pkg_hash_fetch_best_installation_candidate: Packages for {name} found, but incompatible with the architectures configured"
            )
            return False
        conflicts = [other for other in package["conflicts"] if other in self.installed]
        if conflicts:
            self.errors.append(f" * check_conflicts_for: The following packages conflict with {name}:")
            self.errors += [f" * check_conflicts_for: \t{other} * " for other in conflicts]
            return False
        if name == "fault-gone":
            self.errors.append(
                " * opkg_download: Failed to download https://downloads.openwrt.org/fault-gone.ipk, wget returned 8."
            )
            self.errors.append(" * opkg_install_pkg: Failed to download fault-gone. Perhaps you need to run 'opkg update'?")
            return False
        if not all([self.install(depend) for depend in package["depends"]]):
            return False
        clashes = [file for file in package["files"] if file in self.owners]
        for file in clashes:
            self.errors.append(f" * check_data_file_clashes: Package {name} wants to install file {self.root_directory}{file}")
            self.errors.append(f"\tBut that file is already provided by package  * {self.owners[file]}")
        if clashes:
            return False
        if self.chatter:
            print(f"Installing {name} ({package['version']}) to root...\nConfiguring {name}.", flush=False)
        self.owners.update((file, name) for file in package["files"])
        self.installed[name] = package
        self.provided.update(package["provides"])
        return True
