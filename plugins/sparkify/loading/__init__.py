"""Load tables from staging: a SELECT of candidates becomes the rows of a table, by merge or by rebuild."""
