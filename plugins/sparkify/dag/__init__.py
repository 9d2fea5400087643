"""What knows a DAG: its runs' intervals, assets, default arguments, lineage."""
