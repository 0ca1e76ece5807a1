"""The neural parts in torch: user tower, item tower, ranking head and their losses."""
