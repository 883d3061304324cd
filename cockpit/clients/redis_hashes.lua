-- Some hashes in one call; it only reads. ARGV holds the keys (not KEYS: see redis_streams.lua).
-- Answers: {0} no such key, {-1, reason}, or {1, {name, value, ...}}.
local MAX_FIELDS, MAX_VALUE = 5000, 65536

local function read(key)
  local kind = redis.call('TYPE', key)['ok']
  if kind == 'none' then return {0} end
  if kind ~= 'hash' then return {-1, 'it is a ' .. kind .. ', not a hash'} end
  local count = redis.call('HLEN', key)
  if count > MAX_FIELDS then return {-1, 'it has ' .. count .. ' fields, too many to read'} end
  local flat = redis.call('HGETALL', key)
  -- One byte more than is allowed, so that the reader sees that it was cut.
  for i, text in ipairs(flat) do flat[i] = string.sub(text, 1, MAX_VALUE + 1) end
  return {1, flat}
end

local answers = {}
for i, key in ipairs(ARGV) do
  local is_read, answer = pcall(read, key)
  if not is_read then answer = {-1, type(answer) == 'table' and answer['err'] or tostring(answer)} end
  answers[i] = answer
end
return answers
