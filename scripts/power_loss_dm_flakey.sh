#!/usr/bin/env bash
# Power loss below a real filesystem, as root, with dm-flakey: a backing file, a loop device, a flakey table, mkfs, mount, a
# workload that syncs each operation, the fault, an unmount by force, a healthy table, a mount, the validation.
#
# It is `faultline run TARGET --scenario flakey` with settings from the environment. Arguments are passed on to it, such as
# --set journal_mode=wal. Without root or device-mapper: faultline guest run -- scripts/power_loss_dm_flakey.sh
#
#     FAULTLINE_POWERLOSS_TARGET          a target's name, or a manifest (engine)
#     FAULTLINE_POWERLOSS_FS              ext4, xfs, btrfs, … (ext4)
#     FAULTLINE_POWERLOSS_SIZE_MB         the size of the device (the filesystem's usual one)
#     FAULTLINE_POWERLOSS_OPS             operations (200)
#     FAULTLINE_POWERLOSS_DURATION        begin no operation after this time, such as 30s
#     FAULTLINE_POWERLOSS_SEED            the seed of the workload and of the moment (1)
#     FAULTLINE_POWERLOSS_KEY_LEN         bytes of a key
#     FAULTLINE_POWERLOSS_VALUE_LEN       bytes of a value
#     FAULTLINE_POWERLOSS_FAULT           faults, with blanks between: error_writes drop_writes corrupt_bio_byte …
#     FAULTLINE_POWERLOSS_AT              after, during, or both
#     FAULTLINE_POWERLOSS_KEEP_ARTIFACTS  1 keeps oracles and results of a pass, too
#     FAULTLINE                           the program, if it is neither built here nor on PATH
#
# Exit codes: 0 kept, 1 a promise was broken, 2 no answer (something is missing, the filesystem broke, nothing was tried).
# Everything lies in one directory, faultline-power-loss-*, which is removed after a pass and kept otherwise.
set -euo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")

say() { printf 'power_loss: %s\n' "$*" >&2; }
die() {
    say "$*"
    exit 2
}

faultline=${FAULTLINE:-}
for candidate in "$here/../.build/release/faultline" "$here/../.build/debug/faultline" "$(command -v faultline || true)"; do
    [[ -n $faultline ]] || { [[ -x $candidate ]] && faultline=$candidate; } || true
done
[[ -n $faultline && -x $faultline ]] || die "faultline is not built: \`swift build\`, or name it: FAULTLINE=/path/to/faultline"

words=(--seed "${FAULTLINE_POWERLOSS_SEED:-1}" --ops "${FAULTLINE_POWERLOSS_OPS:-200}" --fs "${FAULTLINE_POWERLOSS_FS:-ext4}")
option() { [[ -z $2 ]] || words+=("$1" "$2"); }
option --size "${FAULTLINE_POWERLOSS_SIZE_MB:-}"
option --duration "${FAULTLINE_POWERLOSS_DURATION:-}"
option --key-len "${FAULTLINE_POWERLOSS_KEY_LEN:-}"
option --value-len "${FAULTLINE_POWERLOSS_VALUE_LEN:-}"
for fault in ${FAULTLINE_POWERLOSS_FAULT:-}; do words+=(--fault "$fault"); done
case ${FAULTLINE_POWERLOSS_AT:-both} in
both) ;;
*) for moment in $FAULTLINE_POWERLOSS_AT; do words+=(--at "$moment"); done ;;
esac

directory=$(mktemp -d "${TMPDIR:-/tmp}/faultline-power-loss-XXXXXX") || die "no directory for the artefacts can be made"
# Who cleans up after a kill knows this directory by the file, and by its owner.
printf '%s %s\n' "$$" "$(awk '{ print $22 }' "/proc/$$/stat")" >"$directory/power-loss.run"

status=2
end() {
    # faultline takes devices and mounts away by itself; this is for one that was killed.
    FAULTLINE_RUNS="$directory" "$faultline" cleanup >"$directory/cleanup.log" 2>&1 || true
    if ((status == 0)) && [[ ${FAULTLINE_POWERLOSS_KEEP_ARTIFACTS:-0} != 1 ]]; then
        rm -rf -- "$directory"
    else
        say "oracles, results and cases are in $directory"
    fi
    exit "$status"
}
trap end EXIT

FAULTLINE_RUNS="$directory" "$faultline" run "${FAULTLINE_POWERLOSS_TARGET:-engine}" --scenario flakey --machine host \
    "${words[@]}" "$@" && status=0 || status=$?
case $status in
0 | 1) ;;
3)
    say "no answer about the store: see above"
    status=2
    ;;
*)
    ((EUID == 0)) || say "as root: sudo $0"
    say "without root or device-mapper: $faultline guest run -- $0"
    status=2
    ;;
esac
