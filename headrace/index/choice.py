"""The index for a catalogue whose size is not known beforehand."""

from headrace.index.base import Base
from headrace.index.flat import flat_base
from headrace.index.hnsw import HnswBase
from headrace.index.layered import LayeredIndex
from headrace.index.rows import Rows


def exact_index(width: int) -> LayeredIndex:
    return LayeredIndex(width, flat_base)


def index_by_size(width: int, exact_up_to: int) -> LayeredIndex:
    """Exact up to so many vectors, HNSW beyond; decided whenever the base is built."""

    def build(rows: Rows) -> Base:
        return flat_base(rows) if len(rows) <= exact_up_to else HnswBase(rows)

    return LayeredIndex(width, build)
