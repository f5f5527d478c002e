-- Where a build is, and what its latest attempt printed after what the caller knows.
-- KEYS as in prelude.lua, then the log
-- ARGV 1 request hash  2 lease in ms  3 attempt and 4 end of the last entry that is known, or ""  5 most entries
-- Answer: {} | {state, position of a queued build or stage of a started one, token, attempt of the log or "" if there
--   is none, then of each entry its end, "stage" or "text", its text}
local LOG = KEYS[#KEYS]
local known = status(RECORD, ARGV[1], ARGV[2])
local state = known[1]
if not state then return {} end
local values = fields(RECORD, 'token', 'stage', 'gave_up', 'cancelled')
local answer = {state, state == 'queued' and known[2] or values[2], values[1], ''}

local last = redis.call('XREVRANGE', LOG, '+', '-', 'COUNT', 1)[1]
if not last then return answer end
local attempt = string.match(last[1], '^%d+')
-- A build in line has printed nothing yet: only who began to read an earlier attempt gets the rest of it. A build that
-- was given up or cancelled has a token of its own.
local is_current = state ~= 'queued' and (last[2][2] == values[1] or values[3] ~= '' or values[4] ~= '')
if not is_current and attempt ~= ARGV[3] then return answer end
answer[4] = attempt
local from = answer[4] == ARGV[3] and '(' .. ARGV[3] .. '-' .. ARGV[4] or '-'
for _, entry in ipairs(redis.call('XRANGE', LOG, from, '+', 'COUNT', ARGV[5])) do
  table.insert(answer, string.match(entry[1], '%d+$'))
  table.insert(answer, entry[2][3])
  table.insert(answer, entry[2][4])
end
return answer
