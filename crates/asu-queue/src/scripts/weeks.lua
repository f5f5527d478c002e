-- How many builds of each version were done in each of the last weeks.
-- KEYS as in prelude.lua   ARGV 1 number of weeks
-- Answer: {this week's number, then for each version of each week: the week's number, version, builds}
local this_week = week_of(now_ms())
local answer = {this_week}
for week = this_week - ARGV[1] + 1, this_week do
  local counts = redis.call('HGETALL', STATS .. 'week:' .. week)
  for i = 1, #counts, 2 do
    for _, value in ipairs({week, counts[i], counts[i + 1]}) do table.insert(answer, value) end
  end
end
return answer
