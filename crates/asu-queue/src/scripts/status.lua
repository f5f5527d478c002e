-- The state of a build.
-- KEYS as in prelude.lua   ARGV 1 request hash  2 lease in ms
-- Answer: {} | {"queued", position, enqueued_at, ms until it is likely to start or -1}
--   | {"started", enqueued_at, started_at, stage, build_cmd, payload}
--   | {"done" | "failed", token, enqueued_at, finished_at}
return status(RECORD, ARGV[1], ARGV[2])
