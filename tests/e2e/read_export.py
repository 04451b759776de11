"""Read an exported workload as its users do: read_export.py WORKLOAD"""

import csv
import json
import sys
from pathlib import Path

workload = Path(sys.argv[1])
sizes = sorted((path for path in workload.iterdir()), key=lambda path: int(path.name))
n_trials = 0
for size in sizes:
    study = json.loads((size / "study.json").read_text())
    assert study["batch_size"] == int(size.name), study
    assert "train.batch_size" not in study["parameter_configs"], study
    for trial in (path for path in size.iterdir() if path.is_dir()):
        metadata = json.loads((trial / "metadata.json").read_text())
        assert metadata["trial_id"] == int(trial.name), metadata
        assert metadata["parameters"].keys() == study["parameter_configs"].keys(), metadata
        assert metadata["status"] in ("COMPLETE", "INCOMPLETE", "INFEASIBLE"), metadata
        with open(trial / "measurements.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) > 0 and all(None not in row and None not in row.values() for row in rows), rows
        assert 0 <= float(rows[-1]["val/classification_error"] or 0) <= 1, rows
        n_trials += 1
print(f"{n_trials} trials of {len(sizes)} batch sizes")
