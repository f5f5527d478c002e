# What every part of `surroundings` shares: the state directory, messages, sudo, the lock and detached processes.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash

STATE=${ASU_SURROUNDINGS_DIR:-$CHECKOUT/target/surroundings}
mkdir -p -- "$STATE"
STATE=$(cd -- "$STATE" && pwd -P)
STARTED_AT=$(date +%s)

say() { printf 'surroundings: %3ds %s\n' "$(($(date +%s) - STARTED_AT))" "$*" >&2; }

die() {
    printf 'surroundings: error: %s\n' "$*" >&2
    exit 1
}

# Runs a command as root: directly, or through sudo.
as_root() {
    if [[ $EUID -eq 0 ]]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "this needs root: run as root, or install sudo"
    fi
}

require_commands() {
    local command missing=()
    # Debian keeps some of these in directories that a user's PATH lacks.
    PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
    for command in "$@"; do
        command -v "$command" >/dev/null || missing+=("$command")
    done
    [[ ${#missing[@]} -eq 0 ]] || die "not installed: ${missing[*]} (run: deploy/demo/surroundings install)"
}

# One invocation at a time. Whatever runs on must close descriptor 9, or it holds the lock for ever.
take_lock() {
    exec 9>"$STATE/lock"
    if ! flock -n 9; then
        say "another invocation is at work, waiting for it"
        flock -w 600 9 || die "waited 10 minutes for $STATE/lock"
    fi
}

# A unix socket's path has at most 107 bytes, so a deep checkout gets a directory with a short, stable name.
choose_runtime_dir() {
    RUNTIME_DIR=$STATE
    if [[ ${#STATE} -gt 80 ]]; then
        RUNTIME_DIR=/tmp/asu-surroundings-$EUID-$(printf %s "$STATE" | sha256sum | cut -c1-12)
        [[ -d $RUNTIME_DIR ]] || mkdir -m 700 -- "$RUNTIME_DIR"
        [[ -O $RUNTIME_DIR ]] || die "$RUNTIME_DIR belongs to somebody else"
    fi
    PODMAN_SOCKET=$RUNTIME_DIR/podman.sock
}

# The recorded pid of a process of ours if it still runs; a reused pid is told by its command line.
recorded_pid() {
    local name=$1 command=$2 pid
    pid=$(cat -- "$STATE/$name.pid" 2>/dev/null) || return 1
    [[ $pid =~ ^[0-9]+$ && -r /proc/$pid/cmdline ]] || return 1
    [[ "$(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null)" == *"$command "*"$RUNTIME_DIR"* ]] ||
        [[ "$(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null)" == *"$command "*"$STATE"* ]] || return 1
    printf '%s\n' "$pid"
}

# Starts a command that outlives us and holds neither our terminal nor our pipes nor the lock.
# With --with-podman it gets Podman's configuration, and root's rights.
start_detached() {
    local prefix=()
    if [[ $1 == --with-podman ]]; then
        prefix=("${WITH_PODMAN[@]}")
        shift
    fi
    local name=$1
    shift
    (
        close_inherited
        # Podman's monitor leaves a file where the service runs when a container is out of memory.
        cd -- "$STATE" || exit 1
        # The inner shell writes its own pid and then becomes the command, so the pid is the command's.
        # shellcheck disable=SC2016 # the inner shell expands these
        exec setsid "${prefix[@]}" sh -c 'echo $$ >"$1"; shift; exec "$@"' sh "$STATE/$name.pid" "$@"
    ) </dev/null >>"$STATE/$name.log" 2>&1 &
    disown
}

# All but the standard three: our lock, and whatever our caller left open.
close_inherited() {
    local descriptor
    for descriptor in "/proc/$BASHPID/fd/"*; do
        descriptor=${descriptor##*/}
        if ((descriptor > 2)); then eval "exec $descriptor>&-"; fi
    done
}

stop_recorded() {
    local name=$1 command=$2 pid
    if pid=$(recorded_pid "$name" "$command"); then
        as_owner_of "$pid" kill -TERM "$pid" 2>/dev/null || true
        for _ in $(seq 50); do
            [[ -d /proc/$pid ]] || break
            sleep 0.1
        done
        if recorded_pid "$name" "$command" >/dev/null; then
            as_owner_of "$pid" kill -KILL "$pid" || true
        fi
        say "stopped $name ($pid)"
    fi
    rm -f -- "$STATE/$name.pid"
}

as_owner_of() {
    local pid=$1
    shift
    if [[ -O /proc/$pid ]]; then "$@"; else as_root "$@"; fi
}

# Waits until a condition holds, bounded: wait_for SECONDS COMMAND...
wait_for() {
    local tries=$(($1 * 20))
    shift
    for _ in $(seq "$tries"); do
        if "$@" >/dev/null 2>&1; then return 0; fi
        sleep 0.05
    done
    return 1
}

# The tests read this file; they never need to know how the values came about.
write_env() {
    cat >"$STATE/env.new" <<TEXT
ASU_TEST_PODMAN_SOCKET=$PODMAN_SOCKET
ASU_TEST_CONTAINERS_CONF=$CONTAINERS_CONF_OURS
ASU_TEST_REGISTRIES_CONF=$REGISTRIES_CONF
ASU_TEST_PODMAN=$PODMAN_COMMAND
ASU_TEST_REGISTRY=127.0.0.1:$(registry_port)
ASU_TEST_BASE_CONTAINER=127.0.0.1:$(registry_port)/openwrt/imagebuilder
ASU_TEST_UPSTREAM_TREE=$STATE/upstream
ASU_TEST_SCHEMATHESIS=$STATE/python/bin/schemathesis
TEXT
    mv -- "$STATE/env.new" "$STATE/env"
}
