# Selects packages as apk does, all of the world at once, with apk's error texts.
# SPDX-License-Identifier: GPL-2.0-or-later
import os

import feeds

# apk wraps its lists for a terminal of this width when it has none.
WIDTH = 80
STALE = "package mentioned in index not found (try 'apk update')"


def repositories():
    with open("repositories", encoding="utf-8") as file:
        lines = [line.strip() for line in file]
    return [line.removesuffix("/packages.adb") for line in lines if line and not line.startswith("#")]


def index_url(url):
    return f"{url}/packages.adb"


def trusted_packages(url, index):
    """apk's binary index is beyond a miniature: JSON with `packages`, and `signature` over them, is taken in its place."""
    import base64
    import json

    list_of = json.loads(index)
    message = json.dumps(list_of["packages"], sort_keys=True).encode()
    signature = base64.b64decode(list_of.get("signature", ""))
    if not feeds.is_signed(message, (None, signature), [(None, key) for key in public_keys()]):
        feeds.say(f"WARNING: opening {index_url(url)}: UNTRUSTED signature")
        return []
    return [
        feeds.foreign_package(name, package["version"], f"{url}/{name}-{package['version']}.apk", package["sha256"])
        for name, package in list_of["packages"].items()
    ]


def public_keys():
    import base64

    for name in os.listdir("keys"):
        text = "".join(line for line in feeds.read(f"keys/{name}").decode().splitlines() if "---" not in line)
        yield base64.b64decode(text)[-32:]


def print_fetch_failure(url, error):
    feeds.say(f"WARNING: opening {url}: {reason(error)}")


def print_gone(package, error):
    gone = getattr(error, "code", 0) == 404
    feeds.say(f"ERROR: {full_name(package)}: {STALE if gone else reason(error)}")


def print_damaged(package):
    feeds.say(f"ERROR: {full_name(package)}: ADB integrity error")


def reason(error):
    code = getattr(error, "code", None)
    return f"HTTP {code}: {error.reason}" if code else "temporary error (try again later)"


def print_download_failure(target):
    print_useless_list(target, "temporary error (try again later)", "fault-download")


def print_bad_signature(target):
    print_useless_list(target, "UNTRUSTED signature", "fault-signature")


def print_useless_list(target, why, package):
    name, path = target["repositories"][-1]
    feeds.say(
        f"WARNING: opening {feeds.UPSTREAM}{path}/packages.adb: {why}",
        "ERROR: unable to select packages:",
        f"  {package} (no such package):",
        f"    required by: world[{package}]",
    )


def select(offer, wanted, root_directory, chatter):
    selection = Selection(offer)
    for name in wanted:
        selection.need(name, "world")
    selection.complete()
    problems = selection.missing() + selection.conflicts()
    if problems:
        feeds.say("ERROR: unable to select packages:", *[line for _, lines in sorted(problems) for line in lines])
        return None
    installed = list(selection.chosen.values())
    if "fault-gone" in selection.chosen:
        version = selection.chosen["fault-gone"]["version"]
        feeds.say(f"ERROR: fault-gone-{version}: {STALE}")
        feeds.say(total(1, installed))
        return None
    clashes = overwrites(installed)
    if clashes:
        feeds.say(*clashes, total(len(clashes), installed))
        return None
    if chatter:
        for number, package in enumerate(installed, 1):
            print(f"({number}/{len(installed)}) Installing {package['name']} ({package['version']})")
        print(f"OK: {size_mib(installed)} in {len(installed)} packages", flush=True)
    return installed


class Selection:
    def __init__(self, offer):
        self.offer = offer
        self.chosen = {}
        # Who needs a name: {name: [who]}, `world` or a chosen package.
        self.needed = {}

    def need(self, name, who):
        self.needed.setdefault(name, []).append(who)
        if name in self.offer.packages and name not in self.chosen:
            package = self.offer.packages[name]
            self.chosen[name] = package
            for depend in package["depends"]:
                self.need(depend, full_name(package))

    def complete(self):
        """Provided names are filled last: a package that is chosen by its own name may provide them."""
        pending = True
        while pending:
            provided = {name for package in self.chosen.values() for name in package["provides"]}
            pending = next(
                (name for name in self.needed if name not in self.chosen and name not in provided and self.offer.candidates(name)),
                None,
            )
            if pending:
                self.need(self.offer.candidates(pending)[0], self.needed[pending][0])

    def missing(self):
        return [
            (name, [f"  {name} (no such package):", *listed("required by", [f"{who}[{name}]" for who in whom])])
            for name, whom in self.needed.items()
            if not self.offer.candidates(name)
        ]

    def conflicts(self):
        """Two packages that provide the same name exclude each other if one of them says so."""
        found = []
        for package in self.chosen.values():
            against = []
            for other in self.chosen.values():
                if other["name"] in package["conflicts"] or package["name"] in other["conflicts"]:
                    shared = sorted(names_of(package) & names_of(other))
                    name = shared[0] if shared else other["name"]
                    against.append(f"{full_name(other)}[{name}={other['version']}]")
            if against:
                names = sorted(names_of(package))
                satisfied = [f"{who}[{name}]" for name in names for who in self.needed.get(name, [])]
                lines = [f"  {full_name(package)}:", *listed("conflicts", against), *listed("satisfies", satisfied)]
                found.append((package["name"], lines))
        return found


def names_of(package):
    return {package["name"], *package["provides"]}


def full_name(package):
    return f"{package['name']}-{package['version']}"


def listed(label, items):
    lines = [f"    {label}:"]
    indent = len(lines[0])
    for item in items:
        if len(lines[-1]) > indent and len(lines[-1]) + 1 + len(item) > WIDTH:
            lines.append(" " * indent)
        lines[-1] += f" {item}"
    return lines


def overwrites(installed):
    owners, errors = {}, []
    for package in installed:
        for file in package["files"]:
            if file in owners:
                errors.append(f"ERROR: {full_name(package)}: trying to overwrite {file[1:]} owned by {owners[file]}.")
            owners.setdefault(file, full_name(package))
    return errors


def total(errors, installed):
    plural = "s" if errors > 1 else ""
    return f"{errors} error{plural}; {size_mib(installed)} in {len(installed)} packages"


def size_mib(installed):
    return f"{sum(package['size'] for package in installed) // 1048576} MiB"
