-- What the records say of stored images. Those of builds that ended before there was a list of them are added to it.
-- KEYS as in prelude.lua, 7 is the prefix of records   ARGV names under which images are stored
-- Answer, for each: "done", "running" or "gone", when the build ended or "", bytes or ""
local answer = {}
for _, name in ipairs(ARGV) do
  local verdict, finished_at, size = judge_stored(RECORD .. string.sub(name, 1, 64), name)
  if verdict == 'done' then redis.call('ZADD', STORED, 'NX', finished_at, name) end
  for _, value in ipairs({verdict, finished_at, size}) do table.insert(answer, value) end
end
return answer
