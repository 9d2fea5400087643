-- Wait for other runs that tell of a backfill.
LOCK operations.backfill_summaries;
