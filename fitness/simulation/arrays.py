"""The types of arrays that the kernels read and fill."""

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]  # times in seconds
Float32 = NDArray[np.float32]  # multipliers, uniforms, latencies in seconds
Int64 = NDArray[np.int64]  # counts, bytes
Int32 = NDArray[np.int32]  # indices of models and instances
UInt8 = NDArray[np.uint8]  # what became of a request
