"""The plain reference of the benchmark, worked by hand."""

from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks._seed_merge import INPUT_NAMES, seed_merge, write_seed_inputs

DAYS = ["2024-03-01", "2024-03-02", "2024-03-03", "2024-03-04"]


def test_the_plain_merge_joins_labels_and_inputs_of_a_day_and_drops_what_is_missing(
    tmp_path: Path,
) -> None:
    labels = pd.DataFrame(
        {
            "station": ["a", "a", "a", "b"],
            "time": [*DAYS[:3], DAYS[0]],
            "sm": [0.1, np.nan, 0.3, 0.5],
        }
    )
    numbers = np.arange(6 * 153).reshape(6, 153) / 1000
    numbers[2, 7] = np.nan
    inputs = pd.DataFrame(numbers, columns=INPUT_NAMES)
    inputs.insert(0, "station", ["a", "a", "a", "a", "b", "b"])
    inputs.insert(1, "date", [*DAYS, *DAYS[:2]])
    write_seed_inputs(tmp_path, labels, inputs)
    merged = seed_merge(tmp_path)
    assert merged["s_index"].tolist() == [1, 2]
    assert merged["station"].tolist() == ["a", "b"]
    assert merged["date"].dt.strftime("%Y-%m-%d").tolist() == [DAYS[0], DAYS[0]]
    assert merged["sm"].tolist() == [0.1, 0.5]
    np.testing.assert_array_equal(merged[INPUT_NAMES].to_numpy(), numbers[[0, 4]])
