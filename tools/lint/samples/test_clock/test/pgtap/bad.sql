SELECT ok(now() > '2026-01-01', 'fails on a machine whose clock is wrong');
SELECT pg_sleep(1);
