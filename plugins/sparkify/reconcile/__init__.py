"""Compare a source's files with what is staged, and plan the runs that load the difference."""
