"""The four steps of MinHash deduplication of datatrove, with its usual numbers: 14 bands of 8, five words a shingle.

usage: python3 datatrove_minhash.py CORPUS OUT

OUT/dropped/part.jsonl names for each document that is dropped the one of its cluster that is kept.
"""

import json
import os
import sys

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import (
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupFilter,
    MinhashDedupSignature,
)
from datatrove.pipeline.dedup.minhash import MinhashConfig
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter
from datatrove.utils.hashing import HashConfig
from datatrove.utils.typeshelper import Languages


def main():
    corpus, out = sys.argv[1:]
    config = MinhashConfig(hash_config=HashConfig(precision=64), num_buckets=14, hashes_per_bucket=8, n_grams=5)
    folder = {name: os.path.join(out, name) for name in ("signatures", "buckets", "ids", "kept", "removed", "logs")}

    def reader():
        return JsonlReader(os.path.dirname(corpus), glob_pattern=os.path.basename(corpus), doc_progress=False)

    def step(name, pipeline, tasks=1):
        logs = os.path.join(folder["logs"], name)
        LocalPipelineExecutor(pipeline=pipeline, tasks=tasks, workers=1, logging_dir=logs).run()

    step("1", [reader(), MinhashDedupSignature(folder["signatures"], config=config, language=Languages.english)])
    step("2", [MinhashDedupBuckets(folder["signatures"], folder["buckets"], config=config)], tasks=14)
    step("3", [MinhashDedupCluster(folder["buckets"], folder["ids"], config=config, save_cluster_id=True)])
    writers = {name: JsonlWriter(folder[name], compression=None) for name in ("kept", "removed")}
    remove = MinhashDedupFilter(folder["ids"], exclusion_writer=writers["removed"], load_cluster_ids=True)
    step("4", [reader(), remove, writers["kept"]])

    def documents(name):
        for entry in sorted(os.listdir(folder[name])):
            with open(os.path.join(folder[name], entry)) as lines:
                yield from map(json.loads, lines)

    kept = {}
    for document in documents("kept"):
        cluster = document["metadata"].get("minhash_cluster_id", -1)
        if cluster >= 0:
            kept[cluster] = document["id"]
    os.makedirs(os.path.join(out, "dropped"), exist_ok=True)
    with open(os.path.join(out, "dropped", "part.jsonl"), "w") as dropped:
        for document in documents("removed"):
            twin = kept[document["metadata"]["minhash_cluster_id"]]
            dropped.write(json.dumps({"id": document["id"], "metadata": {"duplicate_of": twin}}) + "\n")


# Its workers import this file.
if __name__ == "__main__":
    main()
