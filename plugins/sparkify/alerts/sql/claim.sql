-- Record until when the results of backfills are summarized.
INSERT INTO operations.backfill_summaries (dag_id, summarized_until)
VALUES ('{{ run.dag_id }}', {{ summarized_until }});
