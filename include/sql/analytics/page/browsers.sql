-- Browsers by plays
SELECT
    RTRIM(p.browser) AS browser,
    CAST(SUM(p.plays) AS BIGINT) AS plays,
    ROUND(100.0 * SUM(p.plays) / SUM(SUM(p.plays)) OVER (), 1) AS percent_of_plays
FROM hourly_plays AS p
WHERE {{ scope("p.day", chosen="day") }}
GROUP BY RTRIM(p.browser)
ORDER BY plays DESC, browser ASC;
