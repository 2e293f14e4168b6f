"""What a run of the pipeline costs beside the tools that it runs.

    python tools/bench/bench_pipeline.py ncnnparam.toml
    python tools/bench/bench_pipeline.py ncnnparam.toml --only conv-emformer -j 2

Runs all stages of the models in a config anew, in this process as the command does, and prints for each model

memory    the most memory that the process of the run takes, over the size of the largest model file
time      the seconds of the stages that run no torch, no pnnx and no runtime, over those of all stages
stages    the seconds of each stage
"""

from __future__ import annotations

import argparse
import json
import resource
from pathlib import Path

from ncnnparam.pipeline.config_read import read_models
from ncnnparam.pipeline.events import Done, Event
from ncnnparam.pipeline.runner import Options, run

OTHERS = {"source", "trace", "convert", "prove", "calibrate", "verify"}
"""Stages that wait for the network, torch, pnnx, ncnn or sherpa-ncnn."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", type=Path)
    parser.add_argument("--only", help="this model alone")
    parser.add_argument("-j", "--jobs", type=int, default=1)
    options = parser.parse_args()
    for model in read_models(options.config):
        if options.only not in (None, model.name):
            continue
        events: list[Event] = []
        run([model], Options(force=True, jobs=options.jobs), events.append)
        seconds = {event.stage: event.seconds for event in events if isinstance(event, Done)}
        report = json.loads((model.output.folder / "report.json").read_text())
        largest = max(size["bytes"] for size in report["sizes"])
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        own = sum(spent for stage, spent in seconds.items() if stage not in OTHERS)
        print(f"{model.name}")
        print(f"  memory  {memory / 1e6:,.0f} MB, {memory / largest:.2f} of the largest model file")
        print(f"  time    {own:.1f} of {sum(seconds.values()):.1f} s, {own / sum(seconds.values()):.1%}")
        print(
            f"  stages  {', '.join(f'{stage} {spent:.1f}' for stage, spent in seconds.items())}", flush=True
        )


if __name__ == "__main__":
    main()
