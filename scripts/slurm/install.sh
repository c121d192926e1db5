#!/usr/bin/env bash
# Install SLURM where it is missing; say what to do where that is not possible.
set -uo pipefail
export PATH=$PATH:/usr/sbin:/sbin

missing=()
for command in slurmctld slurmd munged sbatch; do
  command -v "$command" >/dev/null || missing+=("$command")
done
((${#missing[@]})) || exit 0

echo "install-slurm: no ${missing[*]}: installing the package slurm-wlm" >&2
install=(apt-get install -y -qq --no-install-recommends slurm-wlm)
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  export DEBIAN_FRONTEND=noninteractive
  "${install[@]}" >&2 || { apt-get update -qq >&2 && "${install[@]}" >&2; } && exit 0
fi
echo "install-slurm: cannot install it here; as root on Debian or Ubuntu: ${install[*]}" >&2
exit 1
