#!/usr/bin/env bash
# A pipeline with stages that must see everything, in many shards, for Slurm:
#
#   examples/cluster/slurm-segments.sh pipeline.toml /shared/out 200
#
# A segment begins when all shards of the one before have ended and what they have learned is merged.
# It needs `jq`, to read the plan.
set -euo pipefail
pipeline=$1 output=$2 shards=$3
plan=$(tamis plan "$pipeline" --json)
behind=() states=""

for segment in $(jq '.segments[].index' <<<"$plan"); do
    # Each state that this segment needs was merged by a job before it.
    needs=$(jq -r ".segments[$segment].needs[] | \"\(.stage).\(.pass).state\"" <<<"$plan")
    states=""
    for name in $needs; do
        states+=" --state '$output/$name'"
    done
    array=$(sbatch --parsable "${behind[@]}" --array="0-$((shards - 1))" --cpus-per-task=8 --mem=16G --requeue \
        --job-name="tamis-$segment" --wrap "tamis run '$pipeline' --quiet --segment $segment \
            --shard \$SLURM_ARRAY_TASK_ID/$shards -o '$output' --set run.threads=8 $states")
    behind=(--dependency="afterok:$array")
    state=$(jq -r ".segments[$segment].state // empty" <<<"$plan")
    if [[ -n "$state" ]]; then
        # Reduced once, and not by every shard; a stage of several passes may ask for what the earlier ones brought.
        stage=$(jq -r ".segments[$segment].observes.stage" <<<"$plan")
        before=""
        for name in $needs; do
            [[ $name == "$stage".*.state ]] && before+=" --state '$output/$name'"
        done
        merge=$(sbatch --parsable "${behind[@]}" --mem=16G --job-name="tamis-merge-$segment" \
            --wrap "tamis state merge '$pipeline' '$output'/shard-*/.tamis/'$state' -o '$output/$state' --reduce $before")
        behind=(--dependency="afterok:$merge")
    fi
done
sbatch "${behind[@]}" --job-name=tamis-merge --wrap "tamis merge '$output'"
