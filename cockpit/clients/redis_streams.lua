-- Everything the wall shows of some streams, in one call. It only reads: it runs on replicas, out of memory, after MISCONF.
-- ARGV[1] holds, NUL-terminated, three values a stream: its key, the id to count from ('' = the last two seconds) and
-- what to say of its new entries: `count`, `ticks` (their times) or `newest` (only its payload). One string, because
-- packing 3,000 arguments costs the client more than all the rest.
-- Keys stand there, not in KEYS: one key that an ACL denies then costs its own answer only.
-- One line of JSON a stream, in one string: nested replies come in hundreds of small pieces, each of which wakes the client.
-- Answers: {0} no such key, {-1, reason}, or {1, depth, last id, first id, entries added, new, since ms, groups, extra};
-- -1 and '' mean unknown. It has no shebang: 6.2 does not know it.
local MAX_LAG, MAX_NEW, MAX_GROUPS, FIRST_MS = 1000, 500, 64, 2000
local MAX_BYTES, MAX_PAYLOAD, MAX_TICK = 1048576, 65536, 4096

-- Redis tells facts as name, value, name, value; in one call the order is the same for every stream and every group.
local function places_in(flat)
  local place = {}
  for i = 1, #flat, 2 do place[flat[i]] = i + 1 end
  return place
end

local in_stream, in_group

-- Written once a call: cjson prints every number as a float, which costs a quarter of all this, and most are 0 or -1.
local number = setmetatable({}, {__index = function(known, value)
  known[value] = string.format('%.0f', value)
  return known[value]
end})
local quoted = setmetatable({}, {__index = function(known, name)
  known[name] = cjson.encode(name)
  return known[name]
end})

local function id_ms(id) return tonumber(string.match(id, '^%d+')) end

-- Entries may be huge: fewer are looked at then, so that the server is never held up.
local function cap_of(entry, most)
  local bytes = 0
  if entry then for _, part in ipairs(entry[2]) do bytes = bytes + #part end end
  return math.max(1, math.min(most, math.floor(MAX_BYTES / (bytes + 64))))
end

local function json_of(fields)
  for i = 1, #fields, 2 do
    if fields[i] == 'json' then return fields[i + 1] end
  end
  return false
end

local function time_in(payload)
  if not payload or #payload > MAX_TICK then return -1 end
  local is_json, tick = pcall(cjson.decode, payload)
  local ms = is_json and type(tick) == 'table' and tick.ts_ms
  if type(ms) ~= 'number' or not (ms > 0 and ms < 1e14) then return -1 end
  return math.floor(ms)
end

local function times_in(entries)
  local times = {}
  for i = #entries, 1, -1 do
    times[#times + 1] = id_ms(entries[i][1])
    times[#times + 1] = time_in(json_of(entries[i][2]))
  end
  return times
end

local function next_after(key, id, count) return redis.call('XRANGE', key, '(' .. id, '+', 'COUNT', count) end

local function group_of(key, group, length, last_id, last)
  in_group = in_group or places_in(group)
  local name, pending = group[in_group['name']], group[in_group['pending']]
  local delivered = group[in_group['last-delivered-id']]
  local lag, is_capped, next_id, oldest = group[in_group['lag'] or 0] or -1, '0', '', ''
  if delivered == last_id or length == 0 then
    lag = 0
  elseif lag == -1 then
    local cap = cap_of(last, MAX_LAG)
    local unread = next_after(key, delivered, cap)
    lag, is_capped = #unread, #unread == cap and '1' or '0'
    next_id = unread[1] and unread[1][1] or ''
  elseif lag > 0 then
    -- 7.0 also counts the entries that were trimmed before they were read.
    lag = math.min(lag, length)
    if pending == 0 then
      local unread = next_after(key, delivered, 1)
      next_id = unread[1] and unread[1][1] or ''
    end
  end
  if pending > 0 then oldest = redis.call('XPENDING', key, name)[2] or '' end
  return '[' .. quoted[name] .. ',' .. number[group[in_group['consumers']]] .. ',' .. number[pending] .. ',"' ..
    delivered .. '",' .. number[lag] .. ',' .. is_capped .. ',"' .. next_id .. '",' ..
    number[group[in_group['entries-read'] or 0] or -1] .. ',"' .. oldest .. '"]'
end

local function groups_of(key, length, last_id, last)
  local groups = {}
  for i, raw in ipairs(redis.call('XINFO', 'GROUPS', key)) do
    if i > MAX_GROUPS then break end
    groups[i] = group_of(key, raw, length, last_id, last)
  end
  return '[' .. table.concat(groups, ',') .. ']'
end

local function new_of(key, before, wanted, is_counted, last_id, last)
  local since = -1
  if wanted == 'newest' then return -1, since, '[]' end
  if before == '' then
    local now = redis.call('TIME')
    since = now[1] * 1000 + math.floor(now[2] / 1000) - FIRST_MS
    before = string.format('%.0f-0', since)
  elseif before == last_id then
    return 0, since, '[]'
  elseif wanted == 'count' and is_counted then
    return -1, since, '[]'
  end
  local cap = cap_of(last, MAX_NEW)
  local entries = redis.call('XREVRANGE', key, '+', '(' .. before, 'COUNT', cap)
  if #entries == cap then since = id_ms(entries[#entries][1]) end
  return #entries, since, wanted == 'ticks' and cjson.encode(times_in(entries)) or '[]'
end

-- The answer as it is sent.
local function read(key, before, wanted)
  local kind = redis.call('TYPE', key)['ok']
  if kind == 'none' then return '[0]' end
  if kind ~= 'stream' then return cjson.encode({-1, 'it is a ' .. kind .. ', not a stream'}) end
  local stream = redis.call('XINFO', 'STREAM', key)
  in_stream = in_stream or places_in(stream)
  local length, last_id = stream[in_stream['length']], stream[in_stream['last-generated-id']]
  local first, last = stream[in_stream['first-entry']], stream[in_stream['last-entry']]
  local added = stream[in_stream['entries-added'] or 0]
  local groups = '[]'
  if stream[in_stream['groups']] > 0 then groups = groups_of(key, length, last_id, last) end
  local new, since, extra = new_of(key, before, wanted, added, last_id, last)
  -- One byte more than is allowed, so that the reader sees that it was cut.
  if wanted == 'newest' then
    extra = cjson.encode(string.sub(last and json_of(last[2]) or '', 1, MAX_PAYLOAD + 1))
  end
  return '[1,' .. number[length] .. ',"' .. last_id .. '","' .. (first and first[1] or '') .. '",' ..
    number[added or -1] .. ',' .. number[new] .. ',' .. number[since] .. ',' .. groups .. ',' .. extra .. ']'
end

local answers = {}
for key, before, wanted in string.gmatch(ARGV[1], '(%Z*)%z(%Z*)%z(%Z*)%z') do
  local is_read, answer = pcall(read, key, before, wanted)
  if not is_read then answer = cjson.encode({-1, type(answer) == 'table' and answer['err'] or tostring(answer)}) end
  answers[#answers + 1] = answer
end
return table.concat(answers, '\n')
