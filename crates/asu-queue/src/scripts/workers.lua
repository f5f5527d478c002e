-- The live workers and what they do.
-- KEYS as in prelude.lua, 7 is the prefix of records
-- Answer, for each: name, slots, "drained" or "", number of its builds, request hash of each
local answer, builds = {}, {}
for _, hash in ipairs(redis.call('ZRANGE', RUNNING, 0, -1)) do
  local values = fields(RECORD .. hash, 'state', 'worker')
  if values[1] == 'started' then
    builds[values[2]] = builds[values[2]] or {}
    table.insert(builds[values[2]], hash)
  end
end
for _, worker in ipairs(redis.call('ZRANGEBYSCORE', WORKERS, '(' .. int(now_ms()), '+inf')) do
  local name, count = string.match(worker, '^(%S+) (%d+)$')
  if name then
    local of_it = builds[name] or {}
    local drained = redis.call('SISMEMBER', DRAINED, name) == 1 and 'drained' or ''
    for _, value in ipairs({name, count, drained, #of_it, unpack(of_it)}) do table.insert(answer, value) end
  end
end
return answer
