#!/bin/sh
# What one KVM host can tell of itself, from /proc and df, for the provider `exec` (docs/providers/exec.md).
#
# What this host does not know is left out, never guessed. What only its operator knows comes by the environment, from
# the configuration: MANAGER_URL, where machines are asked for; CPU_OVERCOMMIT, vCPUs handed out per CPU;
# RESERVED_MEMORY_MIB, what the host keeps to itself; DISK, the folder of the machines' disks.
set -u

PROC=${PROC:-/proc}
DEV=${DEV:-/dev}
ETC=${ETC:-/etc}

read -r request # {"instance": "kvm-host", "wanted": ["capacity", "manager"], "deadline_s": 59.0}
wanted=${request#*\"wanted\": [}
wanted=${wanted%%]*}
wants() { case $wanted in *"\"$1\""*) true ;; *) false ;; esac }

# --- the lines ---

observed() { # facet, value, what was asked
    printf '{"answer": "observed", "facet": "%s", "observed_at": "%s", "value": %s, "calls": ["%s"]}\n' \
        "$1" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$2" "$3"
}
not_offered() { # facet, reason
    wants "$1" && printf '{"answer": "not_offered", "facet": "%s", "reason": "%s"}\n' "$1" "$2"
}
failed() { # facet, reason
    printf '{"answer": "failed", "facet": "%s", "reason": "%s"}\n' "$1" "$2"
}

# `"key": "text"` or `"key": number`, each with the comma that goes before it; nothing where the value is empty.
text() {
    [ -n "$2" ] && printf ', "%s": "%s"' "$1" "$(printf '%s' "$2" | tr -d '\000-\037' | sed 's/[\\"]/\\&/g')"
}
number() {
    [ -n "$2" ] && printf ', "%s": %s' "$1" "$2"
}
object() { # the keys; the first comma goes
    printf '{%s}' "${1#, }"
}

# --- what is asked ---

of_cpuinfo() { sed -n "s/^$1[[:space:]]*: *//p" "$PROC/cpuinfo" | head -n 1; }
logical_cpus() { grep -c '^processor' "$PROC/cpuinfo"; }
sockets() { # nothing where /proc/cpuinfo does not number them
    sed -n 's/^physical id[[:space:]]*: *//p' "$PROC/cpuinfo" | sort -u | wc -l | tr -d ' ' | grep -v '^0$'
}
memory_mib() { awk '$1 == "MemTotal:" { print int($2 / 1024) }' "$PROC/meminfo"; }
disk_gib() { [ -d "${DISK:-}" ] && df -kP "$DISK" | awk 'NR == 2 { printf "%.1f", $2 / 1048576 }'; }
of_release() { sed -n "s/^$1=//p" "$ETC/os-release" 2>/dev/null | tr -d '"' | head -n 1; }

# --- the facets ---

capacity() {
    cpus=$(logical_cpus)
    keys=$(number physical_cpus "$(sockets)")$(number logical_cpus "$cpus")$(number disk_gib "$(disk_gib)")
    if [ -n "${CPU_OVERCOMMIT:-}" ]; then
        keys=$keys$(number cpu_overcommit "$CPU_OVERCOMMIT")
        keys=$keys$(number vcpus "$(awk -v n="$cpus" -v factor="$CPU_OVERCOMMIT" 'BEGIN { print int(n * factor) }')")
    fi
    [ -n "${RESERVED_MEMORY_MIB:-}" ] && keys=$keys$(number memory_mib "$(($(memory_mib) - RESERVED_MEMORY_MIB))")
    observed capacity "$(object "$keys")" "read $PROC/cpuinfo and $PROC/meminfo"
}

hypervisors() {
    processor=$(text vendor "$(of_cpuinfo vendor_id)")$(text model "$(of_cpuinfo 'model name')")
    processor=$processor$(number physical_cpus "$(sockets)")$(number logical_cpus "$(logical_cpus)")
    system=$(text family linux)$(text name "$(of_release NAME)")$(text version "$(of_release VERSION_ID)")
    pool=$(text id host)$(text kind KVM)$(number hosts 1)$(text architecture "$(uname -m)")
    pool=$pool$(number memory_mib "$(memory_mib)")$(number disk_gib "$(disk_gib)")
    pool="$pool, \"processor\": $(object "$processor"), \"operating_system\": $(object "$system")"
    observed hypervisors "{\"pools\": [$(object "$pool")]}" "read $PROC/cpuinfo, $PROC/meminfo and $ETC/os-release"
}

manager() {
    endpoint=$(text url "$MANAGER_URL")$(text interface libvirt)', "sign_in": [{"method": "x509"}]'
    keys=$(text product libvirt)", \"endpoints\": [$(object "$endpoint")]"
    observed manager "$(object "$keys")" "the configuration"
}

# --- cheap and important ones first ---

[ -r "$PROC/cpuinfo" ] && [ -r "$PROC/meminfo" ] || {
    echo "$PROC/cpuinfo and $PROC/meminfo cannot be read" >&2 # the last line is the reason that the operator sees
    exit 1
}
if wants manager; then
    if [ -n "${MANAGER_URL:-}" ]; then manager; else failed manager "MANAGER_URL is not set"; fi
fi
wants capacity && capacity
if wants hypervisors; then
    if [ -e "$DEV/kvm" ]; then hypervisors; else not_offered hypervisors "there is no $DEV/kvm, thus no KVM here"; fi
fi
for facet in instance_types images quotas usage; do
    not_offered "$facet" "a plain KVM host has no $facet"
done
for facet in networks trust endorsements prices machines; do
    not_offered "$facet" "this program does not look for it"
done
exit 0
