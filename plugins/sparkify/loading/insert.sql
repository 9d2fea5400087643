-- Insert all rows of {{ table }}.
INSERT INTO {{ table }} ({{ columns | join(", ") }})
{{ rows }};
