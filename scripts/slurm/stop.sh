#!/usr/bin/env bash
# Stop what start.sh started in SLURM_TEST_DIR: jobs first, then the daemons by
# their pid files, then any step or job process left of this cluster. Idempotent.
set -uo pipefail
D=${SLURM_TEST_DIR:-${TMPDIR:-/tmp}/slurm-test}
export SLURM_CONF=$D/slurm.conf
[ -e "$D/.slurm-test" ] || { echo "stop-slurm: nothing of mine in $D"; exit 0; }
running() {  # pid file -> true if that pid is a live (not zombie) daemon of ours
  local p s; p=$(cat "$1" 2>/dev/null) && [ -n "$p" ] || return 1
  s=$(sed -n 's/^State:\t\(.\).*/\1/p' "/proc/$p/status" 2>/dev/null)
  [ -n "$s" ] && [ "$s" != Z ] || return 1
  case $(cat "/proc/$p/comm" 2>/dev/null) in slurmd* | slurmctld* | munged*) ;; *) return 1 ;; esac
}
if running "$D/slurmctld.pid"; then
  timeout 5 scancel --user="$(id -un)" 2>/dev/null
  for _ in $(seq 40); do
    [ -z "$(timeout 5 squeue -h 2>/dev/null)" ] && break; sleep 0.2
  done
fi
stopped=()
for f in "$D"/slurmd-*.pid "$D/slurmctld.pid" "$D/munge/munged.pid"; do
  running "$f" || continue
  p=$(cat "$f"); kill "$p" && stopped+=("$p")
  for _ in $(seq 50); do running "$f" || break; sleep 0.1; done
  running "$f" && { echo "stop-slurm: KILL $p"; kill -9 "$p"; }
done
for e in /proc/[0-9]*/environ; do   # steps and job processes that outlived a killed daemon
  p=${e#/proc/}; p=${p%/environ}
  { env=$(tr '\0' '\n' <"$e"); } 2>/dev/null || continue
  grep -qxF "SLURM_CONF=$SLURM_CONF" <<<"$env" || continue
  [ "$(cat "/proc/$p/comm" 2>/dev/null)" = slurmstepd ] || grep -q '^SLURM_JOB_ID=' <<<"$env" || continue
  [ "$p" != $$ ] && kill -9 "$p" 2>/dev/null && stopped+=("$p(job)")
done
rm -f "$D"/slurmd-*.pid "$D/slurmctld.pid" "$D/munge/munged.pid"
echo "stop-slurm: stopped ${stopped[*]:-nothing}"
