#!/usr/bin/env bash
# One pipeline in many shards, for Slurm. Start it on the login node:
#
#   examples/cluster/slurm.sh pipeline.toml /shared/out 200
#
# Started again, it runs what is missing.
set -euo pipefail
pipeline=$1 output=$2 shards=$3

missing="0-$((shards - 1))"
if compgen -G "$output/shard-*" >/dev/null; then
    missing=$(tamis merge "$output" --missing)
    # Those that have not begun have no folder, and are missing, too.
    [[ -n "$missing" ]] || { tamis merge "$output"; exit; }
fi

array=$(sbatch --parsable --array="$missing" --cpus-per-task=8 --mem=16G --requeue --job-name=tamis \
    --wrap "tamis run '$pipeline' --quiet --shard \$SLURM_ARRAY_TASK_ID/$shards -o '$output' --set run.threads=8")
sbatch --dependency="afterok:$array" --job-name=tamis-merge --wrap "tamis merge '$output'"
