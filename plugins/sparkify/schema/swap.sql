-- Swap {{ table }} for the rebuilt table.
ALTER TABLE {{ table }} RENAME TO {{ former.rpartition(".")[2] }};
ALTER TABLE {{ beside }} RENAME TO {{ table.rpartition(".")[2] }};

-- Drop the former table.
DROP TABLE {{ former }};
