# Podman for the tests: configuration where the machine needs one, an API service of our own, the build network.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash

BUILD_NETWORK=asu-build
REGISTRIES_CONF=$STATE/registries.conf
CONTAINERS_CONF_OURS=

# crun refuses to run on cgroup v1 and on hybrid hierarchies.
needs_runc() { [[ $(stat -fc %T /sys/fs/cgroup 2>/dev/null) != cgroup2fs ]]; }
lacks_systemd() { [[ ! -d /run/systemd/system ]]; }

# shellcheck disable=SC2034 # write_env reads PODMAN_COMMAND
# On a normal machine nothing is configured but the plain-http registry. The user's own files are never written.
podman_configure() {
    local podman_environment=("CONTAINERS_REGISTRIES_CONF=$REGISTRIES_CONF")
    write_if_different "$REGISTRIES_CONF" <<TEXT
unqualified-search-registries = ["docker.io"]

# The registry of the tests speaks plain http on loopback.
[[registry]]
location = "127.0.0.1:$(registry_port)"
insecure = true
TEXT
    if needs_runc || lacks_systemd; then
        CONTAINERS_CONF_OURS=$STATE/containers.conf
        {
            echo '# Written by deploy/demo/surroundings: this machine has no systemd, or no pure cgroup v2.'
            echo '[containers]'
            # Podman's own defaults lie above what such machines allow.
            echo 'default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]'
            echo '[engine]'
            echo 'cgroup_manager = "cgroupfs"'
            echo 'events_logger = "file"'
            if needs_runc; then echo 'runtime = "runc"'; fi
        } | write_if_different "$CONTAINERS_CONF_OURS"
        podman_environment+=("CONTAINERS_CONF=$CONTAINERS_CONF_OURS")
    fi
    # The machine's normal image storage is root's: containers of the worker need memory, pids and CPU limits.
    PODMAN_COMMAND=podman
    WITH_PODMAN=(env "${podman_environment[@]}")
    if [[ $EUID -ne 0 ]]; then
        PODMAN_COMMAND="sudo --preserve-env=CONTAINERS_CONF,CONTAINERS_REGISTRIES_CONF podman"
        WITH_PODMAN=(sudo env "${podman_environment[@]}")
    fi
}

write_if_different() {
    local file=$1 text
    text=$(cat)
    if [[ ! -f $file || $text != "$(cat -- "$file")" ]]; then printf '%s\n' "$text" >"$file"; fi
}

podman_cli() { "${WITH_PODMAN[@]}" podman "$@" 9>&-; }

podman_answers() { curl -sf --max-time 5 --unix-socket "$PODMAN_SOCKET" http://d/_ping; }

podman_service_up() {
    local pid configuration
    configuration=$(cat -- "$REGISTRIES_CONF" ${CONTAINERS_CONF_OURS:+"$CONTAINERS_CONF_OURS"} | sha256sum)
    if pid=$(recorded_pid podman "podman system service"); then
        # The service reads its configuration when it starts.
        if [[ $configuration == "$(cat -- "$STATE/podman.configuration" 2>/dev/null)" ]] && podman_answers >/dev/null; then return; fi
        stop_recorded podman "podman system service"
    fi
    if [[ $EUID -ne 0 ]]; then sudo -v || die "Podman runs as root here, and sudo refused"; fi
    rm -f -- "$PODMAN_SOCKET" 2>/dev/null || as_root rm -f -- "$PODMAN_SOCKET"
    start_detached --with-podman podman podman system service --time=0 "unix://$PODMAN_SOCKET"
    wait_for 20 test -S "$PODMAN_SOCKET" || die "Podman's API service did not start: $(tail -n 3 -- "$STATE/podman.log")"
    if [[ $EUID -ne 0 ]]; then as_root chown "$EUID" "$PODMAN_SOCKET"; fi
    wait_for 20 podman_answers || die "Podman's API service does not answer on $PODMAN_SOCKET, see $STATE/podman.log"
    printf '%s\n' "$configuration" >"$STATE/podman.configuration"
    say "podman: API service on $PODMAN_SOCKET"
}

# As the worker makes it.
podman_network_up() {
    # Asking the service is ten times as fast as starting Podman.
    if [[ $(podman_api_status "networks/$BUILD_NETWORK/exists") == 204 ]]; then return; fi
    podman_cli network create --opt isolate=true "$BUILD_NETWORK" >/dev/null || die "cannot create the network $BUILD_NETWORK"
    touch -- "$STATE/network.ours"
    say "podman: network $BUILD_NETWORK created"
}

podman_network_purge() {
    if [[ -f $STATE/network.ours ]]; then
        podman_cli network rm "$BUILD_NETWORK" >/dev/null 2>&1 || say "podman: network $BUILD_NETWORK is in use, left"
    fi
}

# The HTTP status of a GET on Podman's API.
podman_api_status() {
    curl -s --max-time 10 -o /dev/null -w '%{http_code}' --unix-socket "$PODMAN_SOCKET" "http://d/v4.0.0/libpod/$1" || true
}

podman_service_status() {
    local pid
    if pid=$(recorded_pid podman "podman system service") && podman_answers >/dev/null; then
        echo "podman     up, pid $pid, $PODMAN_SOCKET"
    else
        echo "podman     down"
    fi
}
