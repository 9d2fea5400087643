-- Browsers by plays
{% include "browsers.sql" %}
