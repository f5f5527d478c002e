# Selects packages as apk does, all of the world at once, with apk's error texts.
# SPDX-License-Identifier: GPL-2.0-or-later
import feeds

# apk wraps its lists for a terminal of this width when it has none.
WIDTH = 80


def repositories():
    with open("repositories", encoding="utf-8") as file:
        lines = [line.strip() for line in file]
    return [line.removesuffix("/packages.adb") for line in lines if line and not line.startswith("#")]


def index_url(url):
    return f"{url}/packages.adb"


def parse_index(data):
    """apk's binary index is beyond a miniature; JSON, {"packages": {name: version}}, is taken in its place."""
    import json

    return [feeds.foreign_package(name, version) for name, version in json.loads(data)["packages"].items()]


def print_fetch_failure(url, error):
    feeds.say(f"WARNING: opening {url}: {reason(error)}")


def reason(error):
    if getattr(error, "code", 0) in range(400, 500):
        return "HTTP error 404" if error.code == 404 else f"HTTP error {error.code}"
    return "temporary error (try again later)"


def print_download_failure(target):
    name, path = target["repositories"][-1]
    feeds.say(
        f"WARNING: opening https://downloads.openwrt.org/{path}/packages.adb: temporary error (try again later)",
        "ERROR: unable to select packages:",
        "  fault-download (no such package):",
        "    required by: world[fault-download]",
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
        feeds.say(f"ERROR: fault-gone-{version}: package mentioned in index not found (try 'apk update')")
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
