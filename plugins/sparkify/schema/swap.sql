-- Rename {{ table }}.
ALTER TABLE {{ table }} RENAME TO {{ former.rpartition(".")[2] }};

-- Rename the rebuilt table to {{ table }}.
ALTER TABLE {{ beside }} RENAME TO {{ table.rpartition(".")[2] }};

-- Drop the former table.
DROP TABLE {{ former }};
