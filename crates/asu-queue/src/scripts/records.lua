-- What the records of some builds say in short.
-- KEYS as in prelude.lua, 7 is the prefix of records   ARGV request hashes
-- Answer, for each: state or "" if there is none, line that it stands in or "", token, worker, stage, seq, tries,
--   postponed, enqueued_at, started_at, finished_at, ms until it is due or its lease ends or -1, ms until it expires or -1, size,
--   payload
local now = now_ms()
local answer = {}
for _, hash in ipairs(ARGV) do
  local record, line, due = RECORD .. hash, '', -1
  for name, key in pairs({pending = PENDING, running = RUNNING, delayed = DELAYED}) do
    local score = redis.call('ZSCORE', key, hash)
    if score then
      line = name
      if key ~= PENDING then due = math.max(score - now, 0) end
    end
  end
  local values = fields(record, 'state', 'token', 'worker', 'stage', 'seq', 'tries', 'postponed', 'enqueued_at',
    'started_at', 'finished_at', 'size', 'payload')
  local state, token, worker, stage, seq, tries, postponed, enqueued, started, finished, size, payload = unpack(values)
  local expires = math.max(redis.call('PTTL', record), -1)
  for _, value in ipairs({state, line, token, worker, stage, seq, tries, postponed, enqueued, started, finished,
    int(due), int(expires), size, payload}) do table.insert(answer, value) end
end
return answer
