-- Adds what a build printed to its log, if the token still holds the build. The log of an earlier attempt goes.
-- The id of an entry is {when its attempt began}-{bytes of that attempt's log up to the end of the entry}: readers see
-- which bytes are missing, and the ids of a later attempt are higher, whatever the clock does.
-- KEYS as in prelude.lua, then the log, a stream
-- ARGV 1 token  2 bytes to keep  3 entries to keep  4 ttl in ms, then of each entry its end, "stage" or "text", its text
-- Answer, a list of one: "appended" or "lost"
local LOG = KEYS[#KEYS]
local TOKEN, BYTES, ENTRIES, TTL = unpack(ARGV, 1, 4)
if not owned(RECORD, TOKEN) then return {'lost'} end

local attempt, position = tonumber(redis.call('HGET', RECORD, 'started_at')), 0
local last = redis.call('XREVRANGE', LOG, '+', '-', 'COUNT', 1)[1]
if last then
  local of, to = string.match(last[1], '^(%d+)-(%d+)$')
  if last[2][2] == TOKEN then
    attempt, position = tonumber(of), tonumber(to)
  else
    attempt = math.max(attempt, of + 1)
  end
end
for i = 5, #ARGV, 3 do
  -- What was sent before is there already.
  if tonumber(ARGV[i]) > position then
    position = tonumber(ARGV[i])
    redis.call('XADD', LOG, int(attempt) .. '-' .. int(position), 'token', TOKEN, ARGV[i + 1], ARGV[i + 2])
  end
end
-- With it goes what is left of earlier attempts: their ids are lower.
redis.call('XTRIM', LOG, 'MINID', int(attempt) .. '-' .. int(math.max(position - BYTES, 0)))
redis.call('XTRIM', LOG, 'MAXLEN', ENTRIES)
redis.call('PEXPIRE', LOG, TTL)
return {'appended'}
