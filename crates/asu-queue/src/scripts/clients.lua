-- How many requests came from each kind of client in the last days.
-- KEYS as in prelude.lua   ARGV 1 number of days, then the labels of the clients
-- Answer: a number for each label
local today = day_of(now_ms())
local answer = {}
for i = 2, #ARGV do
  local sum = 0
  for day = today - ARGV[1] + 1, today do
    sum = sum + (redis.call('HGET', STATS .. 'day:' .. day, 'client:' .. ARGV[i]) or 0)
  end
  table.insert(answer, sum)
end
return answer
