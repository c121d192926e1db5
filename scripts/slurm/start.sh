#!/usr/bin/env bash
# Start a private SLURM (munged + slurmctld + N slurmd) on loopback, without systemd.
# Idempotent: a cluster that is whole is left alone; a broken one is stopped by its
# pid files and started anew.   apt-get install -y --no-install-recommends slurm-wlm
#
#   SLURM_TEST_DIR    state, logs, pid files (short path: unix socket)  ${TMPDIR:-/tmp}/slurm-test
#   SLURM_TEST_NODES  simulated nodes                                    2
#   SLURM_TEST_CPUS   CPUs that each node claims                         2
#   SLURM_TEST_MEM    MiB that each node claims                          4000
#   SLURM_TEST_GPUS   fake GPUs (GRES, <= 5) on each node                0
#   SLURM_TEST_PORT   first of 1+N TCP ports                             27817
# Last line of stdout is what clients need:  eval "$(start.sh)"
set -euo pipefail
D=${SLURM_TEST_DIR:-${TMPDIR:-/tmp}/slurm-test}
N=${SLURM_TEST_NODES:-2}
CPUS=${SLURM_TEST_CPUS:-2}
MEM=${SLURM_TEST_MEM:-4000}
GPUS=${SLURM_TEST_GPUS:-0}
PORT=${SLURM_TEST_PORT:-27817}
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export SLURM_CONF=$D/slurm.conf PATH=$PATH:/usr/sbin:/sbin
say() { echo "start-slurm: $*" >&2; }
die() { say "$*"; exit 1; }
for b in slurmctld slurmd munged sinfo sbatch flock; do
  command -v "$b" >/dev/null || die "$b missing: apt-get install -y --no-install-recommends slurm-wlm"
done

alive() {  # pid file of a process that runs and is no zombie
  local p; p=$(cat "$1" 2>/dev/null) && [ -n "$p" ] || return 1
  grep -q $'^State:\t[^Z]' "/proc/$p/status" 2>/dev/null
}
whole() {
  local i
  alive "$D/munge/munged.pid" && alive "$D/slurmctld.pid" || return 1
  for ((i = 1; i <= N; i++)); do alive "$D/slurmd-n$i.pid" || return 1; done
  # `sinfo` marks a node that does not answer with a trailing *, which this refuses
  [ "$(timeout 5 sinfo -h -N -p main -o '%N %t' 2>/dev/null | grep -cE ' (idle|alloc|mix|comp)$')" = "$N" ]
}

mkdir -p "$(dirname "$D")"
exec 9>"$D.lock"; flock -w 60 9 || die "another start holds $D.lock"   # daemons get 9>&-
if whole; then say "already up"; echo "export SLURM_CONF=$SLURM_CONF"; exit 0; fi
SLURM_TEST_DIR=$D bash "$HERE/stop.sh" >&2 9>&-
[ ! -e "$D" ] || [ -e "$D/.slurm-test" ] || [ -z "$(ls -A "$D")" ] || die "$D holds something else"
rm -rf "$D"; mkdir -p "$D"/{ctld,spool,log,munge}; : >"$D/.slurm-test"
chmod 755 "$D"; chmod 711 "$D/munge"
head -c 1024 /dev/urandom >"$D/munge/key"; chmod 600 "$D/munge/key"

me=$(id -un); host=$(hostname -s)
names="n[1-$N]"; [ "$N" -gt 1 ] || names=n1
gres="" gresnode=""
if [ "$GPUS" -gt 0 ]; then   # GRES wants character devices; any will do, none is opened
  devs=(/dev/null /dev/zero /dev/full /dev/random /dev/urandom)
  [ "$GPUS" -le "${#devs[@]}" ] || die "at most ${#devs[@]} fake GPUs"
  for d in "${devs[@]:0:GPUS}"; do echo "NodeName=$names Name=gpu File=$d"; done >"$D/gres.conf"
  gres="GresTypes=gpu"; gresnode="Gres=gpu:$GPUS"
fi
echo "CgroupAutomount=no" >"$D/cgroup.conf"
cat >"$SLURM_CONF" <<CONF
ClusterName=loop
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$PORT
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=$D/munge/socket
SlurmUser=$me
SlurmdUser=$me
StateSaveLocation=$D/ctld
SlurmdSpoolDir=$D/spool/%n
SlurmctldPidFile=$D/slurmctld.pid
SlurmdPidFile=$D/slurmd-%n.pid
SlurmctldLogFile=$D/log/slurmctld.log
SlurmdLogFile=$D/log/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
PropagateResourceLimits=NONE
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=256
# more CPUs than the machine has are fine:
SlurmdParameters=config_overrides
# memory is enforced by sampling each second, so that an out-of-memory kill is real:
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
# no slurmdbd: sacct does not work; finished jobs stay in 'scontrol show job' for MinJobAge
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc=$D/log/jobcomp.txt
MinJobAge=300
# start a queued job within a second:
SchedulerParameters=sched_interval=1,sched_min_interval=0,batch_sched_delay=0,bf_interval=1
KillWait=5
ReturnToService=2
SlurmctldTimeout=30
SlurmdTimeout=30
$gres
$(for ((i = 1; i <= N; i++)); do
  echo "NodeName=n$i NodeHostname=$host NodeAddr=127.0.0.1 Port=$((PORT + i)) CPUs=$CPUS RealMemory=$MEM $gresnode State=UNKNOWN"
done)
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
# what a site may refuse:
PartitionName=small Nodes=ALL MaxMemPerNode=1000 MaxTime=10 State=UP
PartitionName=closed Nodes=ALL AllowAccounts=astro State=UP
CONF

munged --key-file="$D/munge/key" --socket="$D/munge/socket" --pid-file="$D/munge/munged.pid" \
  --log-file="$D/log/munged.log" --seed-file="$D/munge/seed" >/dev/null 2>&1 9>&- ||
  die "munged: $(tail -n 3 "$D/log/munged.log" 2>&1)"
slurmctld -f "$SLURM_CONF" -c 9>&- || die "slurmctld: $(tail -n 5 "$D/log/slurmctld.log" 2>&1)"
for ((i = 1; i <= N; i++)); do
  slurmd -f "$SLURM_CONF" -N "n$i" 9>&- || die "slurmd n$i: $(tail -n 5 "$D/log/slurmd-n$i.log" 2>&1)"
done
for _ in $(seq 75); do
  if whole; then say "$N nodes ready in ${SECONDS}s"; echo "export SLURM_CONF=$SLURM_CONF"; exit 0; fi
  sleep 0.2
done
for f in "$D"/log/*.log; do echo "== $f"; tail -n 20 "$f"; done >&2
die "no cluster after ${SECONDS}s"
