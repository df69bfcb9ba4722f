#!/usr/bin/env bash
# Takes away what killed runs of power_loss_dm_flakey.sh left behind: processes, mounts, device-mapper and loop devices.
# Directories that are named as arguments are removed, too; without arguments all of this user's are looked at, and kept.
#
# A directory counts only if it has the prefix faultline-power-loss-, belongs to this user, has the run file, and its run is
# over. Everything else is left alone, and named. Safe to run again. Exit codes: 0 clean, 2 something was left alone or failed.
set -euo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
status=0

say() { printf 'power_loss_cleanup: %s\n' "$*"; }
leave() {
    say "$1 is left alone: $2"
    status=2
}

faultline=${FAULTLINE:-}
for candidate in "$here/../.build/release/faultline" "$here/../.build/debug/faultline" "$(command -v faultline || true)"; do
    [[ -n $faultline ]] || { [[ -x $candidate ]] && faultline=$candidate; } || true
done
[[ -n $faultline && -x $faultline ]] || {
    say "faultline is not built: \`swift build\`, or name it: FAULTLINE=/path/to/faultline"
    exit 2
}

removes=0
directories=("$@")
if (($# > 0)); then removes=1; else
    for directory in "${TMPDIR:-/tmp}"/faultline-power-loss-*; do
        [[ -d $directory && ! -L $directory && -O $directory ]] && directories+=("$directory")
    done
fi

for directory in "${directories[@]}"; do
    name=$(basename -- "$directory")
    if [[ $name != faultline-power-loss-* ]]; then
        leave "$directory" "its name does not begin with faultline-power-loss-"
    elif [[ -L $directory || ! -d $directory ]]; then
        [[ ! -e $directory && ! -L $directory ]] || leave "$directory" "it is no directory"
    elif [[ ! -O $directory ]]; then
        leave "$directory" "it belongs to another user"
    elif [[ -L $directory/power-loss.run || ! -f $directory/power-loss.run ]]; then
        leave "$directory" "it has no run file (power-loss.run)"
    else
        read -r process started <"$directory/power-loss.run" || process=
        if [[ $process =~ ^[0-9]+$ && $(awk '{ print $22 }' "/proc/$process/stat" 2>/dev/null || true) == "$started" ]]; then
            leave "$directory" "its run goes on (process $process)"
            continue
        fi
        FAULTLINE_RUNS="$directory" "$faultline" cleanup || status=2
        if ((removes)); then rm -rf -- "$directory" && say "$directory is removed"; fi
    fi
done
exit "$status"
