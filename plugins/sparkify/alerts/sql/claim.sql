-- Note until when the backfills are told of.
INSERT INTO operations.backfill_summaries (dag_id, told_until)
VALUES ('{{ run.dag_id }}', {{ told_until }});
