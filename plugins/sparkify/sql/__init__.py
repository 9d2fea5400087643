"""SQL as text: templates, predicates, scripts."""
