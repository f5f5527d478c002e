# `surroundings tools`: what only the tests need and no Debian package has.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash

REQUIREMENTS=$CHECKOUT/tests/schemathesis/requirements.txt

# In an environment of its own: the machine's Python stays as it is.
tools_up() {
    local key
    key=$({ cat -- "$REQUIREMENTS" && python3 --version; } | sha256sum | cut -d' ' -f1)
    if is_current tools "$key" && [[ -x $STATE/python/bin/schemathesis ]]; then return; fi
    say "tools: installing schemathesis and a validator of CycloneDX from PyPI"
    rm -rf -- "$STATE/python"
    if ! { python3 -m venv "$STATE/python" &&
        "$STATE/python/bin/pip" install --quiet --disable-pip-version-check --requirement "$REQUIREMENTS"; } >"$STATE/tools.log" 2>&1; then
        tail -n 20 -- "$STATE/tools.log" >&2
        die "pip failed, see $STATE/tools.log"
    fi
    echo "$key" >"$STATE/tools.key"
    say "tools: $("$STATE/python/bin/schemathesis" --version)"
}
