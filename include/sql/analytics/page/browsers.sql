-- Browsers by plays
{% include "analytics/browsers.sql" %}
