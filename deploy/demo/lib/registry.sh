# A registry on loopback, from which the workers pull the miniature ImageBuilders.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash

DEFAULT_REGISTRY_PORT=28473

# The port is chosen once and remembered, because image names contain it.
registry_port() {
    if [[ -n ${ASU_SURROUNDINGS_REGISTRY_PORT:-} ]]; then
        echo "$ASU_SURROUNDINGS_REGISTRY_PORT"
    elif [[ -s $STATE/registry.port ]]; then
        cat -- "$STATE/registry.port"
    else
        echo "$DEFAULT_REGISTRY_PORT"
    fi
}

registry_answers() { curl -sf --max-time 5 "http://127.0.0.1:$(registry_port)/v2/"; }

# Whether anything listens there; bash opens the connection itself.
port_is_taken() { (: >"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

registry_is_ours() { recorded_pid registry "docker-registry serve" >/dev/null && [[ $(cat -- "$STATE/registry.running" 2>/dev/null) == "$(registry_port)" ]]; }

registry_up() {
    local port
    port=$(registry_port)
    if registry_is_ours && registry_answers >/dev/null; then return; fi
    stop_recorded registry "docker-registry serve"
    if port_is_taken "$port"; then
        [[ -z ${ASU_SURROUNDINGS_REGISTRY_PORT:-} ]] || die "port $port (ASU_SURROUNDINGS_REGISTRY_PORT) is taken"
        port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
        say "registry: port $(registry_port) is taken, using $port from now on"
    fi
    echo "$port" >"$STATE/registry.port"
    mkdir -p -- "$STATE/registry"
    cat >"$STATE/registry.yml" <<TEXT
version: 0.1
log: {level: warn, accesslog: {disabled: true}}
storage:
  filesystem: {rootdirectory: "$STATE/registry"}
  delete: {enabled: true}
http: {addr: "127.0.0.1:$port"}
TEXT
    OTEL_TRACES_EXPORTER=none start_detached registry docker-registry serve "$STATE/registry.yml"
    wait_for 10 registry_answers || die "the registry does not answer on 127.0.0.1:$port, see $STATE/registry.log"
    echo "$port" >"$STATE/registry.running"
    say "registry: 127.0.0.1:$port"
}

registry_status() {
    if registry_is_ours && registry_answers >/dev/null; then
        echo "registry   up, pid $(cat -- "$STATE/registry.pid"), 127.0.0.1:$(registry_port)"
    else
        echo "registry   down"
    fi
}
