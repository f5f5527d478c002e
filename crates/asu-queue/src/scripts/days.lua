-- What was counted on each of the last days.
-- KEYS as in prelude.lua   ARGV 1 number of days
-- Answer: {today's number, then for each day, oldest first: requests, hits, failures}
local today = day_of(now_ms())
local answer = {today}
for day = today - ARGV[1] + 1, today do
  for _, count in ipairs(fields(STATS .. 'day:' .. day, 'requests', 'hits', 'failures')) do
    table.insert(answer, count == '' and 0 or count)
  end
end
return answer
