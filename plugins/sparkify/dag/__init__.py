"""The parts that depend on DAGs: assets, default arguments, lineage."""
