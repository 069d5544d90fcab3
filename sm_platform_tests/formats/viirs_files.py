"""Writer of small VIIRS vegetation tiles in their true layout, with what may be wrong in them."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

GRID = "VIIRS_Grid_16Day_VI_500m"
CELL_M = 463.3127165693847
LEFT_M, TOP_M = 10007554.677 + 1e6, 2300000.0
NAMES = ("NDVI", "composite day of the year", "pixel reliability")
METADATA = """GROUP=SwathStructure
END_GROUP=SwathStructure
GROUP=GridStructure
\tGROUP=GRID_1
\t\tGridName="{grid}"
\t\tXDim={cols}
\t\tYDim={rows}
\t\tUpperLeftPointMtrs=({left:.6f},{top:.6f})
\t\tLowerRightMtrs=({right:.6f},{bottom:.6f})
\t\tProjection=HE5_GCTP_SNSOID
\t\tProjParams=(6371007.181000,0,0,0,0,0,0,0,0,0,0,0,0)
\t\tSphereCode=-1
\t\tGridOrigin=HE5_HDFE_GD_UL
\t\tGROUP=Dimension
\t\tEND_GROUP=Dimension
\t\tGROUP=DataField
\t\tEND_GROUP=DataField
\tEND_GROUP=GRID_1
END_GROUP=GridStructure
END
"""


def metadata(rows: int, cols: int, cell_m: float = CELL_M) -> str:
    """The description of a grid whose corner lies in tile h27v06."""
    return METADATA.format(
        grid=GRID,
        cols=cols,
        rows=rows,
        left=LEFT_M,
        top=TOP_M,
        right=LEFT_M + cols * cell_m,
        bottom=TOP_M - rows * cell_m,
    )


def write_viirs(
    path: Path,
    layers: list[NDArray[Any]],
    *,
    text: str | None = None,
    scale: float | None = 10000.0,
    names: tuple[str, ...] = NAMES,
) -> Path:
    """NDVI, day of the year and reliability as the provider lays them out."""
    with h5py.File(path, "w") as file:
        told = metadata(*layers[0].shape) if text is None else text
        file["HDFEOS INFORMATION/StructMetadata.0"] = np.bytes_(told)
        for name, layer in zip(names, layers, strict=True):
            field = file.create_dataset(
                f"HDFEOS/GRIDS/{GRID}/Data Fields/500 m 16 days {name}",
                data=layer,
                chunks=True,
                compression="gzip",
            )
            if name == "NDVI":
                field.attrs["_FillValue"] = np.array([-15000, -13000], layer.dtype)
                if scale is not None:
                    field.attrs["scale_factor"] = scale
    return path
