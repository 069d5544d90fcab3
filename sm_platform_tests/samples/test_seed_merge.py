from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks._seed_merge import seed_merge, write_seed_inputs
from sm_platform.samples.pairing import pair
from sm_platform.schema.rows import dense, from_dense

INPUTS = [str(number) for number in range(153)]


def test_the_plain_merge_and_pairing_keep_the_same_rows(tmp_path: Path) -> None:
    write_seed_inputs(tmp_path, n_sites=4, n_days=40, seed=1)
    merged = seed_merge(tmp_path)
    assert merged["s_index"].tolist() == list(range(1, len(merged) + 1))
    assert 120 < len(merged) < 160
    for station, rows in merged.groupby("station"):
        labels = pd.read_csv(tmp_path / f"sm/{station}.csv")
        inputs = pd.read_csv(tmp_path / f"inputs/VN_{station}.csv")
        found = pair(
            labels["time"].to_numpy(object),
            labels["sm"].to_numpy(np.float32),
            from_dense(inputs[INPUTS].to_numpy(np.float32), "sm-100m-v1", "0" * 16),
            inputs["date"].to_numpy(object),
        )
        assert len(found) + sum(found.dropped.values()) == 40
        np.testing.assert_array_equal(found.sm_m3m3, rows["sm"].to_numpy(np.float32))
        np.testing.assert_array_equal(dense(found.rows), rows[INPUTS].to_numpy(np.float32))
