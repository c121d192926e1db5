import numpy as np
import pyarrow as pa

from pipeline.core.atomic import write_parquet
from pipeline.core.root import Root
from pipeline.photometry.targets import observed_targets
from schemas.observations import OBSERVATIONS

DEC_DEG = [20.0, 90.0, -90.0, 90.001, -91.0, 1e300, np.nan, np.inf, None, 20.0, 20.0]
RA_DEG = [10.0, 10.0, -30.0, 10.0, 10.0, 10.0, 10.0, 10.0, 10.0, np.nan, np.inf]


def test_an_observation_that_is_not_on_the_sky_is_no_target(tmp_path):
    rows = len(DEC_DEG)
    given = {
        "shard": [0] * rows, "row": range(rows), "quality": [0] * rows, "ra_deg": RA_DEG,
        "dec_deg": DEC_DEG,
    }  # fmt: skip
    arrays = [pa.array(given.get(f.name, [None] * rows), f.type) for f in OBSERVATIONS.schema]
    root = Root(tmp_path / "row=7" / "[v1]")
    write_parquet(
        root.part(OBSERVATIONS, 0), pa.Table.from_arrays(arrays, schema=OBSERVATIONS.schema)
    )
    found = observed_targets(range(1), root, "observation", 2016.0)
    assert found["target_row"].to_pylist() == [0, 1, 2]
    assert found["target_ra_deg"].to_pylist() == [10.0, 10.0, 330.0]
    assert found["target_epoch_yr"].to_pylist() == [2016.0] * 3
